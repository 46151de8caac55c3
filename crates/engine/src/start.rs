//! Bringing an engine up: recovery first, then the threads, then the ports.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    io,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use stampede_books::{Attempt, Books, DropBook, HoldLook, HoldStatus, MissedWhy, NoTargets};
use stampede_domain::{BanTarget, DropId, Incarnation, NodeId, Phase, RepeatedWarning, UnixMillis};
use stampede_ledger::{
    BrakeOrder, BrakeRecord, Chains, History, OpenLedger, Producer, ReadError, Record, RingConfig,
    SealedDrop, Writer, WriterHandle,
};
use stampede_stock::DropStock;
use tracing::{info, warn};

use crate::{
    applier::TakeApplier,
    clock::{Clock, Moment, SaleClock},
    config::{ConfigError, EngineConfig},
    counts::Counts,
    engine::Engine,
    event::{Inbox, Wake},
    growth::Growth,
    hold_channels::Tag,
    metrics,
    port::CorePort,
    recover::{JournalState, Links, SERVER},
    recover_error::RecoverError,
    recover_stock::StockPast,
    sale::SaleDrop,
    shared::EngineState,
    steward::{
        Recovery, Releases, Retakes, RetireQueue, Shows, Steward, StewardHandle, StewardStart,
        stock_config,
    },
};

/// Why takes are halted in a copy.
const WHY_HALTED: &str = "this ledger is a copy: what was sold after it was made is not in it; compare it \
    with the original, then end the stop";

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There must be one wake for each core.
    #[error("{wakes} wakes were given for {cores} cores")]
    Wakes {
        /// Wakes given.
        wakes: usize,
        /// Cores configured.
        cores: usize,
    },
    /// The journal cannot be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal contradicts itself.
    #[error("the journal cannot be recovered: {0}")]
    Recover(#[from] RecoverError),
    /// The system has no thread to give.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
    /// The ledger failed while the recovery was being recorded.
    #[error("the ledger failed while the recovery was recorded; see the log")]
    Poisoned,
}

/// An engine that is recovered and has no thread yet.
pub(crate) struct PreparedEngine {
    pub(crate) steward: Steward,
    pub(crate) writer: Writer<Tag>,
    pub(crate) parts: Parts,
}

/// What the engine's value and the cores' ports are made of.
pub(crate) struct Parts {
    shared: Arc<EngineState>,
    steward: StewardHandle,
    cores: Vec<Producer<Tag>>,
    node: NodeId,
    incarnation: Incarnation,
}

impl Parts {
    /// Makes them; `threads` end with the engine.
    pub(crate) fn assemble(
        self,
        growth: &Growth,
        threads: Option<(JoinHandle<()>, WriterHandle)>,
    ) -> (Arc<Engine>, Vec<CorePort>) {
        let Self { shared, steward, cores, node, incarnation } = self;
        let port = |(core, ring)| {
            CorePort::new(core, Arc::clone(&shared), steward.clone(), ring, growth.clone())
        };
        let ports = cores.into_iter().enumerate().map(port).collect();
        let threads = Mutex::new(threads);
        (Arc::new(Engine { shared, steward, node, incarnation, threads }), ports)
    }
}

/// Starts an engine on an opened ledger; one wake for each core.
///
/// Blocks until the recovery is durable, so that the owner of the ports can sell at once.
///
/// # Errors
/// [`StartError`]; nothing was sold then.
pub fn start(
    config: EngineConfig,
    ledger: OpenLedger,
    clock: Arc<dyn Clock>,
    wakes: Vec<Wake>,
) -> Result<(Arc<Engine>, Vec<CorePort>), StartError> {
    let prepared = prepare(config, ledger, clock, wakes, rand::random::<u64>)?;
    let PreparedEngine { steward, writer, parts } = prepared;
    let writer = writer.start()?;
    let (ready, is_ready) = mpsc::sync_channel(1);
    let steward =
        thread::Builder::new().name("steward".into()).spawn(move || steward.run(ready))?;
    parts.steward.set_thread(steward.thread().clone());
    is_ready.recv().map_err(|_| StartError::Poisoned)?;

    Ok(parts.assemble(&Growth::spawn()?, Some((steward, writer))))
}

/// Follows the journal, restores everything that it left. `random` makes the numbers of viewers.
pub(crate) fn prepare(
    config: EngineConfig,
    ledger: OpenLedger,
    clock: Arc<dyn Clock>,
    wakes: Vec<Wake>,
    random: fn() -> u64,
) -> Result<PreparedEngine, StartError> {
    config.validate()?;
    let (wakes_given, cores) = (wakes.len(), config.cores);
    if wakes_given != cores {
        return Err(StartError::Wakes { wakes: wakes_given, cores });
    }
    let inboxes = wakes.iter().cloned().map(Inbox::new).collect();
    let clock = Arc::new(SaleClock::from(ledger.chains.last_at, clock));
    let shared = Arc::new(EngineState::new(config, Arc::clone(&clock) as _, inboxes, random));
    for link in ledger.links.viewers {
        shared.directory.restore(link);
    }
    let ranges = ledger.links.addresses.iter().map(|link| (link.ban, link.range)).collect();
    let links = Links { directory: &shared.directory, ranges };
    let books = Books::new(shared.config.limits());
    let mut journaled = JournalState::new(books, shared.config.settled_kept);
    follow(&mut journaled, ledger.history, ledger.sealed, &links)?;
    if let Some(at) = ledger.worked_until {
        journaled.last_work.until_at_least(at);
    }
    let halt = halt_copy(&mut journaled, ledger.copied_in, shared.clock.wall());
    let now = begin(&clock, &journaled, ledger.chains.last_at);
    let mut started = rebuild(&shared, journaled, &ledger.chains, now)?;
    started.to_record.extend(halt);

    let (handle, requests) = StewardHandle::new(shared.config.steward_requests_max);
    let applier = TakeApplier::new(Arc::clone(&shared), handle.clone());
    let (node, incarnation) = (ledger.chains.node.clone(), ledger.chains.incarnation);
    let now = {
        let shared = Arc::clone(&shared);
        Arc::new(move || shared.clock.now())
    };
    let rings = rings(&shared.config, &handle, wakes);
    let (writer, mut producers) =
        Writer::new(ledger.store, ledger.chains, Box::new(applier), now, rings);
    let cores = producers.split_off(1);
    let steward_ring = producers.pop().expect("the first ring is the steward's");
    let steward = Steward::new(Arc::clone(&shared), steward_ring, requests, started);
    let parts = Parts { shared, steward: handle, cores, node, incarnation };
    Ok(PreparedEngine { steward, writer, parts })
}

/// Follows the rows, each drop that has none at its place among them.
fn follow(
    journaled: &mut JournalState,
    history: History,
    mut sealed: Vec<SealedDrop>,
    links: &Links<'_>,
) -> Result<(), StartError> {
    sealed.sort_unstable_by_key(|sealed| sealed.seal.first);
    let mut sealed = sealed.into_iter().peekable();
    for row in history {
        let row = row?;
        let commit = (row.incarnation, row.seq);
        // Of one commit, the house's row comes first: it may say whose the drop's stream is.
        let is_before = |sealed: &SealedDrop| match sealed.seal.first.cmp(&commit) {
            Ordering::Less => true,
            Ordering::Equal => row.drop != DropId::HOUSE,
            Ordering::Greater => false,
        };
        while let Some(over) = sealed.next_if(is_before) {
            journaled.sealed(over);
        }
        journaled.apply(&row, links)?;
    }
    sealed.for_each(|over| journaled.sealed(over));
    Ok(())
}

/// The steward's ring first, then one for each core.
fn rings(config: &EngineConfig, steward: &StewardHandle, wakes: Vec<Wake>) -> Vec<RingConfig> {
    let steward = steward.clone();
    let wake: Wake = Arc::new(move || steward.wake());
    let first = RingConfig { entries_max: config.steward_ring_entries_max, wake };
    let core = |wake| RingConfig { entries_max: config.ring_entries_max, wake };
    std::iter::once(first).chain(wakes.into_iter().map(core)).collect()
}

/// Sets the sale's clock by the time that has really passed, which it gives back. Where no deadline runs,
/// nothing keeps the clock from going on to the system's.
fn begin(clock: &SaleClock, journaled: &JournalState, last_at: UnixMillis) -> UnixMillis {
    let now = journaled.last_work.now(last_at, clock.system());
    let runs = journaled.books.drops().any(|(_, book)| book.is_moved_by_outages());
    clock.set(if runs { now } else { now.max(clock.system().now()) });
    now
}

/// Makes every drop anew from what the journal left; outages last until `passed`.
fn rebuild(
    shared: &Arc<EngineState>,
    mut journaled: JournalState,
    chains: &Chains,
    passed: UnixMillis,
) -> Result<StewardStart, RecoverError> {
    let now = shared.clock.moment();
    journaled.leave_behind(now.sale);
    let JournalState { mut books, stocks, rooms, over, last_work, .. } = journaled;
    for summary in over.into_values() {
        shared.add_over(summary);
    }
    let to_record = rooms.finish(&mut books, now.sale);
    *shared.rooms.write() = books.rooms().clone();
    let releases = restore_brake(shared, &mut books);
    let mut started = StewardStart {
        books,
        sales: BTreeMap::new(),
        shows: Shows::default(),
        releases,
        to_record,
        live: Vec::new(),
        incarnation: chains.incarnation,
        recoveries: Vec::new(),
        retiring: RetireQueue::default(),
        retakes: Retakes::default(),
        missed_starts: RepeatedWarning::default(),
    };
    for (id, mut stock) in stocks {
        let book = started.books.drop(id).expect("the books know every drop with a stock");
        let (phase, changes) = (book.phase(), book.phase_changes());
        let recovery = (!phase.is_final()).then(|| {
            let outage = stock.outage(passed, (phase, chains.last_at), &last_work);
            stock.move_deadlines(outage, UnixMillis::new(u64::MAX));
            Recovery { drop: id, outage, pools: stock.recovered_pools() }
        });
        for (hold, ended) in stock.ended() {
            started.retakes.note_end(hold, ended);
        }
        let sale = restore(shared, id, chains.incarnation, (book, &stock))?;
        sale.restore_channels(std::mem::take(&mut stock.channels));
        sale.span().set(book.opened_at(), phase.is_final().then_some(stock.last_at));
        started.sales.insert(id, Arc::clone(&sale));
        let Some(recovery) = recovery else {
            sale.set_phase(phase, changes, None);
            started.retiring.add(id, stock.last_at);
            shared.publish(sale);
            continue;
        };
        sale.set_stream_offline(book.watch().offline_since());
        started.live.extend(stock.live());
        let (outage, lost) = (recovery.outage.get(), recovery.lost());
        info!(drop = %id, %phase, outage_ms = outage, live_holds = book.live_holds(), takes_lost = lost, "recovered");
        restore_start(&mut started, (id, &sale), now);
        started.recoveries.push(recovery);
        shared.publish(sale);
    }
    restore_attempts(shared, &started);
    restore_moved_orders(&started);
    shared.directory.forget_unkept();
    for drop in started.books.on_air().drops() {
        let sale = shared.sale(drop).expect("what has left memory has left the air");
        sale.set_featured(true);
        started.shows.show(drop, sale.plan());
    }
    Ok(started)
}

/// Orders whose payment came when their hold had expired, by the hold that they were bought as.
fn restore_moved_orders(started: &StewardStart) {
    for (id, sale) in &started.sales {
        let Some(book) = started.books.payments(*id) else { continue };
        for (old, account) in book.holds() {
            if let Some(new) = account.retaken {
                sale.moved_orders().add(old, new);
            }
        }
    }
}

/// Attempts to pay whose outcome nobody knows: the provider is asked about each.
fn restore_attempts(shared: &EngineState, started: &StewardStart) {
    let Some(account) = &shared.config.viewers_pay_at else { return };
    for (hold, payment) in started.books.open_attempts(account) {
        let look = started.sales.get(&hold.drop_id()).map(|sale| sale.hold_in_memory(hold));
        let Some(HoldLook::Known(HoldStatus { viewer, amount: goods, .. })) = look else {
            continue;
        };
        let book = started.books.payments(hold.drop_id());
        let amount = book.and_then(|book| book.expected(hold, goods)).unwrap_or(goods);
        shared.attempts.add(Attempt { payment, hold, viewer, amount });
    }
}

/// A start that fell into the time without a server waits for the host; staff are told. A countdown is
/// called off with the records of the recovery.
fn restore_start(started: &mut StewardStart, (drop, sale): (DropId, &SaleDrop), now: Moment) {
    let book = started.books.drop_mut(drop);
    if book.phase() == Phase::Countdown {
        return;
    }
    let missed = book.missed(now);
    if let Some(at) = missed {
        if let Some(times) = started.missed_starts.note(now.sale) {
            let (start_missed_ms, why) = (at.get(), MissedWhy::ServerDown);
            warn!(%drop, start_missed_ms, %why, times, "a start was missed; open the drop by hand");
        }
        book.end_start();
    }
    if book.start_is_over() {
        sale.end_start(missed);
    }
}

/// Puts the brake in force again before anybody takes; names those whose holds bans still have to release.
fn restore_brake(shared: &EngineState, books: &mut Books) -> Releases {
    books.brake_mut().put_in_force();
    let brake = books.brake();
    shared.brake.set_halt(brake.halt().cloned());
    if let Some((rates, entry)) = brake.rates() {
        shared.brake.set_rates(*rates, Some(entry.clone()));
    }
    let mut releases = Releases::default();
    for ban in brake.bans() {
        shared.brake.add_ban(Arc::clone(ban));
        if let BanTarget::Viewer(viewer) = &ban.target
            && let Some(viewer) = shared.directory.by_id(viewer)
        {
            viewer.keep();
            // The crash may have come between the ban and the last release.
            if ban.releases_holds {
                releases.add(viewer.number(), ban.id);
            }
        }
    }
    if let Some(ban) = brake.erased().first() {
        let bans = brake.erased().len();
        warn!(%ban, bans, "whom these bans keep out was erased: they keep out nobody");
    }
    metrics::show_halt(brake.halt().is_some());
    metrics::show_bans(brake.bans().len());
    releases
}

/// Stops all takes if the ledger was found to be a copy in this start, or in an earlier one that
/// has left no record of the halt; the record is still to be written.
fn halt_copy(
    journaled: &mut JournalState,
    copied_in: Option<Incarnation>,
    wall: UnixMillis,
) -> Option<Record> {
    let copied_in = copied_in.filter(|start| journaled.halted_in < Some(*start))?;
    let (actor, reason) = (SERVER.into(), WHY_HALTED.into());
    let order = BrakeOrder { actor, reason, expires_at: None };
    warn!(%copied_in, "{WHY_HALTED}");
    let record = Record::from(BrakeRecord::Halted(Box::new(order)));
    let applied = journaled.books.apply(wall, DropId::HOUSE, &record, &NoTargets);
    applied.expect("a halt follows from nothing");
    Some(record)
}

fn restore(
    shared: &EngineState,
    id: DropId,
    incarnation: Incarnation,
    (book, past): (&DropBook, &StockPast),
) -> Result<Arc<SaleDrop>, RecoverError> {
    let plan = Arc::clone(book.plan());
    let mut stock = DropStock::new(stock_config(id, incarnation, &plan));
    past.restore(id, book, &mut stock)?;
    let presence = shared.directory.presence(&plan.stream);
    let (suspensions, counts) = (Arc::clone(&shared.suspensions), Counts::new(shared.config.cores));
    let delay = shared.rooms.read().video_delay(&plan.stream);
    let sale = SaleDrop::new(id, book.revision(), plan, stock, presence, suspensions, counts);
    sale.video().set_delay(delay);
    for number in past.winners() {
        if let Some(viewer) = shared.directory.by_number(number)
            && viewer.note_take(id)
        {
            sale.add_winner(0, number);
        }
    }
    for (pool, units) in past.sold() {
        sale.add_sold(pool, units);
    }
    for ((_, sku), left) in sale.plan().pools().iter().zip(book.reserve()) {
        sale.reserves().restore(sku, *left);
    }
    sale.set_hidden(book.is_hidden());
    sale.asked().show(book.requests());
    sale.span().wind_down(book.winds_down_until());
    // Until the recovery is durable nothing is sold; an open drop shows as paused that long.
    let phase = if book.phase() == Phase::Open { Phase::Paused } else { book.phase() };
    sale.set_phase(phase, book.phase_changes(), book.opens_at());
    Ok(Arc::new(sale))
}
