//! The engine from one gateway core: takes, answers, events.

use std::{collections::HashMap, sync::Arc};

use stampede_books::{HoldLook, HoldStatus};
use stampede_domain::{
    BanId, ChannelId, DropId, HoldId, Mode, Refusal, RefusalCode, SkuIndex, StreamId, TestCard,
    Units, UnixMillis, ViewerId, ViewerNumber, units_per_buy_max,
};
use stampede_ledger::{Entry, HoldRecord, Link, Position, Producer, Record};
use stampede_stock::TakeRequest;

use crate::{
    answers::LeavingAnswers,
    brake::Brake,
    buy::{Buy, BuyRequest, Durability},
    clock::{Clock, Moment},
    core_drop::{CoreDrop, CoreTake},
    event::{CoreEvent, ViewerEvent},
    growth::Growth,
    health::HealthWatch,
    hold_channels::Tag,
    metrics::ShedReason,
    sale::SaleDrop,
    shared::EngineState,
    steward::{PayRequest, ReleaseRequest, Request, StewardHandle},
    viewer::{Connection, JoinOutcome, Viewer},
};

/// The engine from one core; each port belongs to one thread.
pub struct CorePort {
    core: usize,
    shared: Arc<EngineState>,
    steward: StewardHandle,
    ring: Producer<Tag>,
    drops: HashMap<DropId, CoreDrop, foldhash::fast::RandomState>,
    seen_generation: u64,
    growth: Growth,
    leaving: LeavingAnswers,
}

impl CorePort {
    pub(crate) fn new(
        core: usize,
        shared: Arc<EngineState>,
        steward: StewardHandle,
        ring: Producer<Tag>,
        growth: Growth,
    ) -> Self {
        let (drops, leaving) = (HashMap::default(), LeavingAnswers::default());
        Self { core, shared, steward, ring, drops, seen_generation: 0, growth, leaving }
    }

    /// The core's number, from 0.
    pub fn core(&self) -> usize {
        self.core
    }

    /// The sale's clock, which order and deadlines go by.
    pub fn now(&self) -> UnixMillis {
        self.shared.clock.now()
    }

    /// The wall clock, which everything goes by that people and other machines name.
    pub fn wall(&self) -> UnixMillis {
        self.shared.clock.wall()
    }

    /// Microseconds of a clock for measuring spans.
    pub fn micros(&self) -> u64 {
        self.shared.clock.micros()
    }

    /// Both clocks at once.
    pub fn moment(&self) -> Moment {
        self.shared.clock.moment()
    }

    /// The server's clock, for threads without a port.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    /// Adds a connection of a viewer, with a ticket of this stream and mode, under the core's own name `token`. A connection that has to
    /// make room for it is told by [`CoreEvent::Evict`].
    pub fn join(&mut self, id: &ViewerId, ticket_of: (&StreamId, Mode), token: u64) -> Arc<Viewer> {
        let connection = Connection { core: self.core, token };
        let JoinOutcome { viewer, evicted } =
            self.shared.directory.join(id, ticket_of, connection, &mut { self.shared.random });
        if let Some(old) = evicted {
            self.shared.inboxes[old.core].send(CoreEvent::Evict { token: old.token });
        }
        viewer
    }

    /// Removes a connection.
    pub fn leave(&mut self, viewer: &Viewer, token: u64) {
        self.shared.directory.leave(viewer, &Connection { core: self.core, token });
    }

    /// The drops of a stream in running order.
    pub fn stream(&self, stream: &StreamId) -> Vec<Arc<SaleDrop>> {
        self.shared.stream(stream)
    }

    /// A drop by its id.
    pub fn sale(&mut self, id: DropId) -> Option<&Arc<SaleDrop>> {
        self.refresh();
        self.drops.get(&id).map(|found| &found.sale)
    }

    /// Decides a buy at once, on this core.
    ///
    /// `stream` and `mode` are those of the viewer's ticket. Every answer is counted in the drop's
    /// tally, except for an unknown drop, which has none.
    pub fn buy(
        &mut self,
        viewer: &Viewer,
        stream: &StreamId,
        mode: Mode,
        request: BuyRequest<'_>,
    ) -> Buy {
        self.refresh();
        let core = self.core;
        let poisoned = self.shared.is_poisoned();
        let Some(drop) = self.drops.get_mut(&request.drop) else {
            return Buy::Refused(self.shared.why_gone(request.drop, stream, mode));
        };
        let plan = drop.sale.plan();
        // Whoever guesses the id of a drop that is hidden learns nothing of it.
        if plan.stream != *stream || plan.mode != mode || drop.sale.is_hidden() {
            return Buy::Refused(Refusal::UnknownDrop);
        }
        let by = (request.channel, drop.click_channel(request.channel));
        let (channel, click) = by;
        // A look on both sides of the clock: no take is dated into a halt that did not stop it.
        let brake = &self.shared.brake;
        let spell = brake.open_spell();
        let now = self.shared.clock.now();
        let (sku, take) = match take_request(&drop.sale, viewer, now, request) {
            Ok(found) => found,
            Err(refusal) => return self.shared.refuse(&drop.sale, core, click, refusal),
        };
        let is_halted = spell.is_none() || spell != brake.open_spell();
        if poisoned {
            brake.count_shed(ShedReason::Poisoned);
            return self.shared.refuse(&drop.sale, core, click, self.shared.busy());
        }
        let through = (&self.ring, &self.growth);
        let core_take = drop.take(&self.shared, through, &take, by, is_halted);
        let sale = &drop.sale;
        match core_take {
            CoreTake::Taken { hold, tag } => {
                if viewer.note_take(request.drop) {
                    sale.add_winner(core, viewer.number());
                }
                let record = taken(hold, &take, channel);
                let link = viewer.link_to_write(request.drop).map(Link::Viewer);
                let position = self.ring.stage(Entry { drop: request.drop, record, link, tag });
                sale.tally(core).count_held(click);
                self.shared.note_count(sale);
                Buy::Pending { hold, position }
            }
            CoreTake::Replay(hold) => {
                sale.tally(core).count_retry(click);
                self.shared.note_count(sale);
                match self.await_durable(hold) {
                    Durability::Durable => Buy::Replay { hold },
                    Durability::Awaited => Buy::Awaiting { hold },
                }
            }
            CoreTake::HeldBack(shed, retry_after) => {
                brake.count_shed(shed);
                self.shared.refuse(sale, core, click, Refusal::Busy { retry_after })
            }
            CoreTake::Refused(refusal) => {
                let refused = self.shared.refuse(sale, core, click, refusal);
                if refusal.code().is_for_want() {
                    sale.tally(core).count_want(sku);
                }
                refused
            }
        }
    }

    /// Hands the takes of this round of buys to the ledger, which makes one commit of them. Without it
    /// they may stay in memory, so a caller owes it before it waits for anything. A writer that saw each
    /// take at once would make dozens of commits of one round where it shares the core's processor.
    pub fn flush(&mut self) {
        self.ring.flush();
    }

    /// Answers of takes up to this position may leave.
    pub fn durable(&self) -> Position {
        self.ring.durable()
    }

    /// A hold as it stands now.
    pub fn hold(&mut self, hold: HoldId) -> HoldLook {
        self.refresh();
        let drop = self.drops.get(&hold.drop_id());
        drop.map_or(HoldLook::Unknown, |drop| self.shared.durable_hold(&drop.sale, hold))
    }

    /// The viewer's live holds and orders in the drops of a stream, oldest take first.
    pub fn holds_of(&mut self, viewer: &Viewer, stream: &StreamId) -> Vec<HoldStatus> {
        self.refresh();
        let mut all = Vec::new();
        let drops = self.shared.drops_of(stream);
        for drop in drops.iter().filter_map(|drop| self.drops.get(drop)) {
            let holds = drop.sale.stock().holds_of(viewer.number());
            all.extend(holds.into_iter().filter_map(|hold| {
                match self.shared.durable_hold(&drop.sale, hold) {
                    HoldLook::Known(status) => Some(status),
                    HoldLook::Pending | HoldLook::Ended | HoldLook::Unknown => None,
                }
            }));
        }
        all.sort_unstable_by_key(|hold| (hold.hold.drop_id(), hold.hold.take()));
        all
    }

    /// Whether a hold's drop is one that a ticket for this stream and mode may touch.
    pub fn is_within(&mut self, hold: HoldId, stream: &StreamId, mode: Mode) -> bool {
        self.sale(hold.drop_id()).is_some_and(|sale| {
            let plan = sale.plan();
            plan.stream == *stream && plan.mode == mode
        })
    }

    /// Asks to give a hold back. Success comes as [`ViewerEvent::Released`] to all of the viewer's
    /// connections, a refusal as [`CoreEvent::ReleaseRefused`] with `token`.
    ///
    /// # Errors
    /// [`Refusal::Busy`] if the steward cannot take the request now, or the ledger has failed.
    pub fn release(&mut self, viewer: &Viewer, hold: HoldId, token: u64) -> Result<(), Refusal> {
        let request = ReleaseRequest { viewer: viewer.number(), hold, core: self.core, token };
        self.ask_steward(Request::Release(request))
    }

    /// Asks to pay for a hold. What becomes of it comes as a [`ViewerEvent`] to all of the viewer's connections, a
    /// refusal as [`CoreEvent::PayRefused`] with `token`. The sandbox does as the card says, if one is named.
    ///
    /// # Errors
    /// [`Refusal::Busy`] if the steward cannot take the request now, or the ledger has failed.
    pub fn pay(
        &mut self,
        viewer: &Viewer,
        (hold, card): (HoldId, Option<TestCard>),
        token: u64,
    ) -> Result<(), Refusal> {
        let request = PayRequest { viewer: viewer.number(), hold, card, core: self.core, token };
        self.ask_steward(Request::Pay(request))
    }

    fn ask_steward(&self, request: Request) -> Result<(), Refusal> {
        if self.shared.is_poisoned() {
            self.shared.brake.count_shed(ShedReason::Poisoned);
            return Err(self.busy());
        }
        self.steward.send(request).map_err(|_| {
            self.shared.brake.count_shed(ShedReason::StewardFull);
            self.busy()
        })
    }

    /// Tells the viewer's connections on other cores that this core's take is durable.
    pub fn announce_held(&self, viewer: &Viewer, hold: HoldId) {
        self.shared.tell(viewer.number(), ViewerEvent::Held(hold), Some(self.core));
    }

    /// Moves what happened since the last call to the end of `out`.
    pub fn drain(&mut self, out: &mut Vec<CoreEvent>) {
        self.shared.inboxes[self.core].drain(out);
    }

    /// Tells whether the engine can sell, also once the port is at work on another thread.
    pub fn health_watch(&self) -> HealthWatch {
        HealthWatch::new(Arc::clone(&self.shared))
    }

    /// What operations staff hold back now.
    pub fn brake(&self) -> &Arc<Brake> {
        &self.shared.brake
    }

    /// Has the live holds of viewers released whom a ban keeps out, in the stream that it names or in
    /// all, for as long as the ban is in force.
    pub fn release_banned(&self, viewers: impl IntoIterator<Item = ViewerNumber>, ban: BanId) {
        let releases = viewers.into_iter().map(|viewer| (viewer, ban));
        self.shared.banned_viewers.lock().extend(releases);
        self.steward.wake();
    }

    /// Counts a buy that was refused outside the engine, of a ticket with this channel.
    pub fn count_refused(&mut self, drop: DropId, channel: Option<&ChannelId>, code: RefusalCode) {
        self.refresh();
        if let Some(found) = self.drops.get_mut(&drop) {
            let click = found.click_channel(channel);
            found.sale.tally(self.core).count_refused(code, click);
            self.shared.note_count(&found.sale);
        }
    }

    /// Notes that the answer to a buy which the drop's tally counts is about to leave. `came_us` is
    /// what [`CorePort::micros`] was when the request came: the same for a whole round of them.
    pub fn answer_leaves(&mut self, drop: DropId, came_us: u64) {
        self.leaving.add(drop, came_us);
    }

    /// The answers noted since the last call have left: counts how long they took.
    pub fn answers_left(&mut self) {
        if self.leaving.is_empty() {
            return;
        }
        let now_us = self.micros();
        for (drop, came_us, answers) in self.leaving.drain() {
            if let Some(found) = self.drops.get(&drop) {
                let took_us = now_us.saturating_sub(came_us);
                found.sale.tally(self.core).count_answers(took_us, answers);
                self.shared.note_count(&found.sale);
            }
        }
    }

    /// The refusal to give when the server cannot decide now.
    pub fn busy(&self) -> Refusal {
        self.shared.busy()
    }

    /// Registers the core as waiting for a take that is not durable yet: [`CoreEvent::Recheck`]
    /// follows, after which the caller asks again. Blocks nobody.
    pub fn await_durable(&mut self, hold: HoldId) -> Durability {
        let pending = |port: &mut Self| port.hold(hold) == HoldLook::Pending;
        if !pending(self) {
            return Durability::Durable;
        }
        // Announce first, look again second: the commit in between is seen by one of the two.
        self.shared.await_take();
        if pending(self) { Durability::Awaited } else { Durability::Durable }
    }

    /// Looks for drops that came, were edited or left; a single load if there are none.
    fn refresh(&mut self) {
        let generation = self.shared.generation();
        if generation == self.seen_generation {
            return;
        }
        self.seen_generation = generation;
        let sales = self.shared.sales();
        // What has left memory is let go here; the last one to let go frees it.
        self.drops.retain(|id, _| sales.binary_search_by_key(id, |sale| sale.id()).is_ok());
        for sale in sales {
            let known = self.drops.get(&sale.id()).is_some_and(|old| Arc::ptr_eq(&old.sale, &sale));
            if !known {
                self.drops.insert(sale.id(), CoreDrop::new(sale, self.core));
            }
        }
    }
}

/// Checks what the plan can tell, before the stock is asked; the SKU with what is asked of the stock.
fn take_request(
    sale: &SaleDrop,
    viewer: &Viewer,
    now: UnixMillis,
    request: BuyRequest<'_>,
) -> Result<(SkuIndex, TakeRequest), Refusal> {
    let plan = sale.plan();
    let index = plan.sku_index(request.sku).ok_or(Refusal::UnknownSku)?;
    let pool = sale.common_pool(index);
    let [of_drop, of_sku] = sale.stock().limits_of(pool);
    let max = units_per_buy_max(of_drop, of_sku);
    let units = u32::try_from(request.units).ok().and_then(Units::new);
    let units = units
        .filter(|units| !units.is_zero() && *units <= max)
        .ok_or(Refusal::UnitsOutOfRange { max })?;
    let take = TakeRequest {
        viewer: viewer.number(),
        key: request.key.fingerprint(),
        pool,
        units,
        now,
        deadline: now.plus(plan.hold_ttl),
    };
    Ok((index, take))
}

/// The record of a take.
fn taken(hold: HoldId, take: &TakeRequest, channel: Option<&ChannelId>) -> Record {
    Record::Hold(HoldRecord::Taken {
        hold,
        viewer: take.viewer,
        key: take.key,
        units: take.units,
        taken_at: take.now,
        deadline: take.deadline,
        channel: channel.cloned(),
    })
}
