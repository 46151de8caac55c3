//! Bringing an engine up: recovery first, then the threads, then the ports.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    io,
    sync::{Arc, mpsc},
    thread,
};

use parking_lot::Mutex;
use stampede_domain::{DropId, DurationMs, Incarnation, Phase, RepeatedWarning, UnixMillis};
use stampede_ledger::{Chains, History, OpenLedger, ReadError, RingConfig, Sealed, Writer};
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
    on_air::OnAir,
    port::CorePort,
    recover::{DropPast, Journaled},
    recover_brake::BrakePast,
    recover_error::RecoverError,
    sale::SaleDrop,
    shared::Shared,
    steward::{Book, Recovery, Retiring, Started, Steward, StewardHandle, stock_config},
    viewer::Directory,
};

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

/// Starts an engine on an opened ledger; one wake for each core.
///
/// Blocks until the recovery is durable, so that whoever gets the ports can sell at once.
///
/// # Errors
/// [`StartError`]; nothing was sold then.
pub fn start(
    config: EngineConfig,
    ledger: OpenLedger,
    clock: Arc<dyn Clock>,
    wakes: Vec<Wake>,
) -> Result<(Arc<Engine>, Vec<CorePort>), StartError> {
    config.validate()?;
    let (wakes_given, cores) = (wakes.len(), config.cores);
    if wakes_given != cores {
        return Err(StartError::Wakes { wakes: wakes_given, cores });
    }
    let inboxes = wakes.iter().cloned().map(Inbox::new).collect();
    let clock = Arc::new(SaleClock::from(ledger.chains.last_at, clock));
    let shared = Arc::new(Shared::new(config, Arc::clone(&clock) as _, inboxes));
    for link in ledger.links.viewers {
        shared.directory.restore(link);
    }
    let ranges = ledger.links.addresses.iter().map(|link| (link.ban, link.range)).collect();
    let settled_kept = shared.config.settled_kept;
    let brake = BrakePast::new(ranges);
    let mut journaled = Journaled { brake, settled_kept, ..Journaled::default() };
    fold(&mut journaled, ledger.history, ledger.sealed, &shared.directory)?;
    if let Some(at) = ledger.worked_until {
        journaled.last_work.until_at_least(at);
    }
    let stop = journaled.brake.stop_copy(ledger.copied_in, shared.clock.wall());
    let now = begin(&clock, &journaled, ledger.chains.last_at);
    let mut started = rebuild(&shared, journaled, &ledger.chains, now)?;
    started.to_record.extend(stop);

    let (handle, requests) = StewardHandle::new(shared.config.steward_requests_max);
    let applier = TakeApplier::new(Arc::clone(&shared), handle.clone());
    let (node, incarnation) = (ledger.chains.node.clone(), ledger.chains.incarnation);
    let now = {
        let shared = Arc::clone(&shared);
        Arc::new(move || shared.clock.now())
    };
    let rings = rings(&shared.config, &handle, wakes);
    let (writer, mut producers) =
        Writer::spawn(ledger.store, ledger.chains, Box::new(applier), now, rings)?;
    let cores = producers.split_off(1);
    let steward_ring = producers.pop().expect("the first ring is the steward's");

    let (ready, is_ready) = mpsc::sync_channel(1);
    let steward = Steward::new(Arc::clone(&shared), steward_ring, requests, started);
    let steward =
        thread::Builder::new().name("steward".into()).spawn(move || steward.run(ready))?;
    handle.set_thread(steward.thread().clone());
    is_ready.recv().map_err(|_| StartError::Poisoned)?;

    let growth = Growth::spawn()?;
    let port = |(core, ring)| {
        CorePort::new(core, Arc::clone(&shared), handle.clone(), ring, growth.clone())
    };
    let ports = cores.into_iter().enumerate().map(port).collect();
    let threads = Mutex::new(Some((steward, writer)));
    Ok((Arc::new(Engine { shared, steward: handle, node, incarnation, threads }), ports))
}

/// Folds the rows, each drop that has none at its place among them.
fn fold(
    journaled: &mut Journaled,
    history: History,
    mut sealed: Vec<Sealed>,
    directory: &Directory,
) -> Result<(), StartError> {
    sealed.sort_unstable_by_key(|sealed| sealed.seal.first);
    let mut sealed = sealed.into_iter().peekable();
    for row in history {
        let row = row?;
        let commit = (row.incarnation, row.seq);
        // Of one commit, the house's row comes first: it may say whose the drop's stream is.
        let is_before = |sealed: &Sealed| match sealed.seal.first.cmp(&commit) {
            Ordering::Less => true,
            Ordering::Equal => row.drop != DropId::HOUSE,
            Ordering::Greater => false,
        };
        while let Some(over) = sealed.next_if(is_before) {
            journaled.sealed(over);
        }
        journaled.apply(&row, directory)?;
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
fn begin(clock: &SaleClock, journaled: &Journaled, last_at: UnixMillis) -> UnixMillis {
    let now = journaled.last_work.now(last_at, clock.system());
    let runs = journaled.drops.values().any(DropPast::has_deadlines);
    clock.set(if runs { now } else { now.max(clock.system().now()) });
    now
}

/// Makes every drop anew from what the journal left; outages last until `passed`.
fn rebuild(
    shared: &Arc<Shared>,
    mut journaled: Journaled,
    chains: &Chains,
    passed: UnixMillis,
) -> Result<Started, RecoverError> {
    let now = shared.clock.moment();
    journaled.leave_behind(now.sale);
    let Journaled { drops, keys, mut on_air, brake, rooms, over, last_work, .. } = journaled;
    let last_drop = drops.keys().last().max(over.keys().last()).copied();
    let next_drop = last_drop.unwrap_or(DropId::HOUSE);
    for summary in over.into_values() {
        shared.add_over(summary);
    }
    let (rooms, to_record) = rooms.finish();
    *shared.rooms.write() = rooms.clone();
    let mut started = Started {
        books: BTreeMap::new(),
        keys,
        brake: brake.restore(shared),
        on_air: OnAir::default(),
        rooms,
        to_record,
        live: Vec::new(),
        next_drop: next_drop.next().expect("a ledger holds fewer than 2^32 drops"),
        incarnation: chains.incarnation,
        recoveries: Vec::new(),
        retiring: Retiring::default(),
        missed_starts: RepeatedWarning::default(),
    };
    for (id, mut past) in drops {
        let recovery = (!past.phase.is_final()).then(|| {
            let outage = past.outage(passed, chains.last_at, &last_work);
            recover(id, &mut past, outage)
        });
        let sale = restore(shared, id, chains.incarnation, &past)?;
        sale.restore_channels(std::mem::take(&mut past.channels));
        let Some(mut recovery) = recovery else {
            sale.set_phase(past.phase, past.phase_changes, None);
            started.retiring.add(id, past.last_at);
            shared.publish(sale);
            continue;
        };
        let mut book = Book::new(Arc::clone(&sale), past.phase);
        (book.lots, book.phase_changes) = (past.lots, past.phase_changes);
        book.opens_at = past.opens_at;
        book.start_done = past.start_done;
        book.watch = past.watch;
        sale.set_stream_offline(past.watch.offline_since());
        for take in past.live() {
            book.live_holds += 1;
            started.live.push(take);
        }
        let (outage, lost) = (recovery.outage.get(), recovery.lost());
        info!(drop = %id, phase = %past.phase, outage_ms = outage, live_holds = book.live_holds, takes_lost = lost, "recovered");
        restore_start(&mut book, &past, (&mut recovery, &mut started.missed_starts), now);
        started.books.insert(id, book);
        started.recoveries.push(recovery);
        shared.publish(sale);
    }
    shared.directory.forget_unkept();
    for drop in on_air.show_all() {
        shared.sale(drop).expect("what has left memory has left the air").set_featured(true);
    }
    started.on_air = on_air;
    Ok(started)
}

fn recover(drop: DropId, past: &mut DropPast, outage: DurationMs) -> Recovery {
    past.move_deadlines(outage, UnixMillis::new(u64::MAX));
    Recovery { drop, outage, pools: past.recovered_pools(), missed_opening: None }
}

/// A start that fell into the time without a server waits for the host; staff are told.
fn restore_start(
    book: &mut Book,
    past: &DropPast,
    (recovery, missed_starts): (&mut Recovery, &mut RepeatedWarning),
    now: Moment,
) {
    let missed = past.missed(now);
    if past.phase == Phase::Countdown {
        // The countdown is called off with the records of the recovery.
        recovery.missed_opening = missed;
        return;
    }
    if let Some(at) = missed {
        if let Some(times) = missed_starts.note(now.sale) {
            let (drop, start_missed_ms) = (recovery.drop, at.get());
            let why = "the server was down, or the stream away";
            warn!(%drop, start_missed_ms, why, times, "a start was missed; open the drop by hand");
        }
        book.start_done = true;
    }
    if book.start_done {
        book.sale.end_start(missed);
    }
}

fn restore(
    shared: &Shared,
    id: DropId,
    incarnation: Incarnation,
    past: &DropPast,
) -> Result<Arc<SaleDrop>, RecoverError> {
    let mut stock = DropStock::new(stock_config(id, incarnation, &past.plan));
    past.restore(id, &mut stock)?;
    let presence = shared.directory.presence(&past.plan.stream);
    let plan = Arc::clone(&past.plan);
    let (suspensions, counts) = (Arc::clone(&shared.suspensions), Counts::new(shared.config.cores));
    let sale = SaleDrop::new(id, past.revision, plan, stock, presence, suspensions, counts);
    sale.video().set_delay(shared.rooms.read().video_delay(&past.plan.stream));
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
    // Until the recovery is durable nothing is sold; an open drop shows as paused that long.
    sale.set_phase(
        if past.phase == Phase::Open { Phase::Paused } else { past.phase },
        past.phase_changes,
        past.opens_at,
    );
    Ok(Arc::new(sale))
}
