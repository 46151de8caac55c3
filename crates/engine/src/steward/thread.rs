//! The steward's loop: promises, takes, deadlines, timers, requests.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc::SyncSender},
};

use stampede_books::{Books, Decision};
use stampede_domain::{DropId, DropPlan, DurationMs, Incarnation, RepeatedWarning, UnixMillis};
use stampede_ledger::{Entry, Link, Producer, Record, RecoveredDrop, RecoveredPool};
use stampede_stock::{DropStock, SkuLimits, StockConfig};

use super::{
    ClockWatch, Pulse, Request, Requests, Retakes, RetireQueue, Steward, air::Shows,
    bans::Releases, deadlines::Deadlines, effects::Promise, memory::warn_of_memory,
    moved::MovedHolds, undo::CalledOff,
};
use crate::{
    clock::Moment, config::STEWARD_ROOM_MIN, counts::Counts, fresh_takes::DurableTake,
    hold_channels::Tag, sale::SaleDrop, shared::EngineState,
};

/// Requests decided before deadlines and timers get their turn.
const REQUESTS_PER_TURN_MAX: usize = 1_024;
/// Longest sleep, in milliseconds: a clock that jumps is noticed after that time.
const SLEEP_MS_MAX: u64 = 1_000;

/// What one look at everything came to.
pub(crate) enum Turn {
    /// There is more to do.
    More,
    /// Nothing is due at this moment.
    Rest(Moment),
    /// It was told to stop, and everything is done.
    Stopped,
    /// The ledger has failed: nothing is decided any more.
    Poisoned,
}

/// What recovery found, for the steward to go on with.
pub(crate) struct StewardStart {
    pub(crate) books: Books,
    pub(crate) sales: BTreeMap<DropId, Arc<SaleDrop>>,
    pub(crate) shows: Shows,
    pub(crate) releases: Releases,
    /// What the house's chain lacks: owners of streams that no record names, the halt of a copy.
    pub(crate) to_record: Vec<Record>,
    pub(crate) live: Vec<DurableTake>,
    pub(crate) incarnation: Incarnation,
    pub(crate) recoveries: Vec<Recovery>,
    pub(crate) retiring: RetireQueue,
    pub(crate) retakes: Retakes,
    /// Starts that were missed before this one of the server.
    pub(crate) missed_starts: RepeatedWarning,
}

/// What recovery found in one drop; recorded before anything else.
pub(crate) struct Recovery {
    pub(crate) drop: DropId,
    pub(crate) outage: DurationMs,
    pub(crate) pools: Vec<RecoveredPool>,
}

impl Recovery {
    /// Takes that never became durable.
    pub(crate) fn lost(&self) -> usize {
        self.pools.iter().map(|pool| pool.lost.len()).sum()
    }
}

impl Steward {
    pub(crate) fn new(
        shared: Arc<EngineState>,
        ring: Producer<Tag>,
        requests: Requests,
        started: StewardStart,
    ) -> Self {
        warn_of_memory(started.books.memory(), &shared.config);
        let mut deadlines = Deadlines::default();
        for take in started.live {
            started.sales[&take.hold.drop_id()].hold_ends().add(take.deadline, take.units);
            let grace = started.sales[&take.hold.drop_id()].plan().grace();
            deadlines.watch(take.deadline.plus(grace), take.hold);
        }
        let asleep = shared.clock.machine().asleep;
        Self {
            pushed: ring.durable(),
            shared,
            ring,
            books: started.books,
            sales: started.sales,
            made: BTreeMap::new(),
            decision: Decision::default(),
            deadlines,
            moved: MovedHolds::default(),
            shows: started.shows,
            airing: std::collections::HashMap::new(),
            releases: started.releases,
            called_off: CalledOff::default(),
            retiring: started.retiring,
            retakes: started.retakes,
            promises: std::collections::VecDeque::new(),
            fresh_takes: Vec::new(),
            requests,
            incarnation: started.incarnation,
            recoveries: started.recoveries,
            clocks: ClockWatch::default(),
            pulse: Pulse::default(),
            asleep,
            to_record: started.to_record,
            late_starts: RepeatedWarning::default(),
            missed_starts: started.missed_starts,
            stopping: false,
        }
    }

    /// Records the recovery, says that it is durable by `ready`, then runs until it is told to stop
    /// and everything decided is durable.
    pub(crate) fn run(mut self, ready: SyncSender<()>) {
        self.record_recovery();
        while !self.is_recovered() {
            if self.shared.is_poisoned() {
                drop(ready);
                return self.give_up();
            }
            std::thread::park_timeout(std::time::Duration::from_millis(SLEEP_MS_MAX));
        }
        // Whoever started the engine waits for this, unless it has given up.
        let _gone = ready.send(());
        self.begin();
        loop {
            match self.turn() {
                Turn::More => {}
                Turn::Rest(now) => self.rest(now),
                Turn::Stopped => return,
                Turn::Poisoned => return self.give_up(),
            }
        }
    }

    /// From now on drops sell.
    pub(crate) fn begin(&mut self) {
        self.release_banned_channels();
        self.call_off_again();
        self.hand_over();
        self.clocks.start(self.shared.clock.moment());
    }

    /// Looks at everything once: promises that are due, takes, deadlines, timers, requests.
    pub(crate) fn turn(&mut self) -> Turn {
        // Takes first: a hold whose end is due now was counted as live before.
        self.collect_takes();
        self.keep_promises();
        if self.shared.is_poisoned() {
            return Turn::Poisoned;
        }
        let now = self.look_at_clocks();
        // Once for the turn: a lock that ends within it has moved no stream's time yet.
        let is_ledger_busy = self.shared.is_ledger_busy();
        self.look_for_suspensions();
        self.expire(self.deadline_now(now));
        self.hand_over();
        self.collect_counts(now.sale);
        if !is_ledger_busy {
            self.timers(now);
            // A heartbeat that waits for the lock's end would be older than its row.
            self.beat_if_due(now);
        }
        self.brake_timers(now);
        let more = self.release_banned(now.sale) | self.retire(now.sale);
        self.end_called_off(now.sale);
        self.tell_moved(now.sale);
        self.hand_over();
        let idle = self.requests(now);
        let is_done = self.promises.is_empty() && self.pushed <= self.ring.durable();
        // Behind another program's lock nothing becomes durable: the writer, which is told next,
        // tries a little longer.
        if self.stopping && (is_done || self.shared.is_ledger_busy()) {
            return Turn::Stopped;
        }
        // An answer that needed no record may be due at once: no commit would end the sleep.
        if idle && !more && !self.promise_is_due() { Turn::Rest(now) } else { Turn::More }
    }

    /// Records what recovery found; stops where the ledger fails.
    pub(crate) fn record_recovery(&mut self) {
        let now = self.shared.clock.moment();
        for Recovery { drop, outage, pools } in std::mem::take(&mut self.recoveries) {
            if !self.wait_for_room() {
                return;
            }
            let recovered = RecoveredDrop { outage, pools };
            self.decide(|books, out| books.recover(drop, recovered, now, out));
            self.hand_over();
        }
        // Behind the recovery of every drop: what stands here says that it was complete.
        for record in std::mem::take(&mut self.to_record) {
            if !self.wait_for_room() {
                return;
            }
            self.push(DropId::HOUSE, record);
            // What is not handed over keeps its room for ever.
            self.hand_over();
        }
        if !self.wait_for_room() {
            return;
        }
        // With it the recovery is over: what stands before it in this start was no work.
        self.beat(self.shared.clock.moment());
        self.hand_over();
    }

    /// Lets open drops sell again as far as their recovery is durable; whether all of it is.
    pub(crate) fn is_recovered(&mut self) -> bool {
        self.keep_promises();
        self.hand_over();
        self.pushed <= self.ring.durable()
    }

    /// What is decided.
    #[cfg(feature = "stepped")]
    pub(crate) fn books(&self) -> &Books {
        &self.books
    }

    /// Whether everything that was decided is durable, and carried out.
    #[cfg(feature = "stepped")]
    pub(crate) fn is_settled(&self) -> bool {
        self.promises.is_empty() && self.pushed <= self.ring.durable()
    }

    /// Sleeps until the writer has made room; `false` if it has failed.
    pub(super) fn wait_for_room(&self) -> bool {
        self.wait_for_room_of(STEWARD_ROOM_MIN)
    }

    /// The same for a number of records, which may not exceed what the ring has in all.
    pub(super) fn wait_for_room_of(&self, records: usize) -> bool {
        while self.ring.room() < records {
            if self.shared.is_poisoned() {
                return false;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(SLEEP_MS_MAX));
        }
        true
    }

    /// After a failed commit nothing is decided, and nobody who waits may be answered: their
    /// channels close, which tells them that the outcome is unknown.
    fn give_up(mut self) {
        self.promises.clear();
        if self.stopping {
            return;
        }
        loop {
            // What is dropped here closes its channel as well.
            while let Some(request) = self.requests.next() {
                if matches!(request, Request::Stop) {
                    return;
                }
            }
            std::thread::park_timeout(std::time::Duration::from_millis(SLEEP_MS_MAX));
        }
    }

    /// Decides waiting requests; `true` if none is left or there is no room for more.
    fn requests(&mut self, now: Moment) -> bool {
        for _ in 0..REQUESTS_PER_TURN_MAX {
            // Refusals need no room in the ring, but they wait for it all the same.
            if !self.has_room() || self.promises.len() >= self.shared.config.steward_requests_max {
                return true;
            }
            let Some(request) = self.requests.next() else { return true };
            match request {
                Request::Command(command, reply) => self.command(&command, now, reply),
                Request::Release(request) => self.release(request, self.deadline_now(now)),
                Request::Pay(request) => self.pay(request, self.deadline_now(now)),
                Request::Payment(fact, reply) => {
                    self.payment(fact, self.deadline_now(now), reply);
                }
                Request::Charge(hold, charges, reply) => {
                    self.charge((hold, charges), self.deadline_now(now), reply);
                }
                Request::Unmatched(unmatched, reply) => {
                    self.unmatched(*unmatched, now.sale, reply);
                }
                Request::UnmatchedMoney(ask, reply) => self.unmatched_money(&ask, reply),
                Request::Money(hold, reply) => self.money_of(hold, reply),
                Request::Reopen(read, reply) => self.reopen(*read, reply),
                Request::HoldsOf(payment, reply) => self.holds_of(&payment, reply),
                Request::Matters(request, reply) => self.matters(&request, reply),
                Request::Stop => self.stopping = true,
            }
            self.hand_over();
        }
        false
    }

    /// Sleeps while nothing is due. Commits of its own records, takes that cannot wait and requests end
    /// the sleep early.
    fn rest(&mut self, now: Moment) {
        // Requests decided since the last look may have moved what is due.
        self.books.set_timers(now);
        let span = self.until_due(now);
        // A closed drop settles as soon as its last take is known; a banned viewer's holds end as soon
        // as they are durable.
        let waits = !self.releases.is_empty() || self.books.any_closed();
        let until = if waits { UnixMillis::new(u64::MAX) } else { now.sale.plus(span) };
        if self.shared.fresh_takes.may_sleep(until) {
            std::thread::park_timeout(span.to_std());
        }
    }

    /// How long nothing is due by itself.
    fn until_due(&self, now: Moment) -> DurationMs {
        let brake = self.books.next_brake_timer(now);
        let retired = self.retiring.next(self.shared.config.settled_kept);
        // While the ledger is locked nothing ends by itself, and no heartbeat is written.
        let own = [self.books.next_drop_timer(), self.deadlines.next(), self.next_beat()];
        let own = own.into_iter().flatten().filter(|_| !self.shared.is_ledger_busy());
        let timers = [own.min(), brake, retired, self.moved.next()];
        let next = timers.into_iter().flatten().min();
        let millis = next.map_or(SLEEP_MS_MAX, |at| at.since(now.sale).get().min(SLEEP_MS_MAX));
        // At least a millisecond: the clock counts no finer, so a shorter sleep would only spin.
        DurationMs::new(millis.max(1))
    }

    pub(super) fn make_sale(
        &self,
        id: DropId,
        revision: u32,
        plan: &Arc<DropPlan>,
    ) -> Arc<SaleDrop> {
        let stock = DropStock::new(stock_config(id, self.incarnation, plan));
        let presence = self.shared.directory.presence(&plan.stream);
        let old = self.sales.get(&id).map(|sale| sale.counts().clone());
        let counts = old.unwrap_or_else(|| Counts::new(self.shared.config.cores));
        let (plan, suspensions) = (Arc::clone(plan), Arc::clone(&self.shared.suspensions));
        let delay = self.books.rooms().video_delay(&plan.stream);
        let sale = SaleDrop::new(id, revision, plan, stock, presence, suspensions, counts);
        sale.video().set_delay(delay);
        Arc::new(sale)
    }

    pub(super) fn has_room(&self) -> bool {
        self.ring.room() >= STEWARD_ROOM_MIN
    }

    /// Records a part of the present decision. [`Self::hand_over`] follows when the decision is whole.
    pub(super) fn push(&mut self, drop: DropId, record: Record) {
        self.push_linked(drop, record, None);
    }

    /// The same, with what is personal about the record.
    pub(super) fn push_linked(&mut self, drop: DropId, record: Record, link: Option<Link>) {
        self.pushed = self.ring.stage(Entry { drop, record, link, tag: Tag::default() });
    }

    /// Hands the writer what was decided. The records of one decision become durable together: a lot
    /// without its command would be added again by the command's retry.
    pub(super) fn hand_over(&mut self) {
        self.ring.flush();
    }

    /// Keeps the promise once everything decided so far is durable.
    pub(super) fn after_records(&mut self, promise: Promise) {
        self.promises.push_back((self.pushed, promise));
    }
}

/// The stock's view of a plan.
pub(crate) fn stock_config(id: DropId, incarnation: Incarnation, plan: &DropPlan) -> StockConfig {
    StockConfig {
        drop: id,
        incarnation,
        pools: plan.pools(),
        skus: plan
            .skus
            .iter()
            .map(|sku| SkuLimits { limit_per_viewer: sku.limit_per_viewer })
            .collect(),
        limit_per_viewer: plan.limit_per_viewer,
        holds_per_viewer_max: plan.holds_per_viewer_max,
    }
}
