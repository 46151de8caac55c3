//! One drop: its terms, where it stands, when something is due.

mod counts;
mod missed;
mod requests;
mod times;
mod watch;

use std::sync::Arc;

use stampede_domain::{
    DropPlan, DurationMs, Moment, Phase, PoolIndex, PoolMap, SkuIndex, SkuPlan, Units, UnixMillis,
};
use stampede_ledger::{
    CorrectionRecord, DeadlineRecord, HoldRecord, PhaseRecord, Record, RecoveredDrop, StreamRecord,
};

use stampede_settlement::PaymentBook;

use crate::{contradiction::Contradiction, seen::SeenDrop, video::countdown_min};
use counts::Counts;
use requests::Requests;

pub(crate) use counts::Activity;
pub use missed::MissedWhy;
pub(crate) use requests::RequestState;
pub use requests::RestockRequest;
pub(crate) use times::{check_ahead, check_end, check_plan, copied_plan};
pub use watch::StreamWatch;

/// The decided state of one drop; it runs ahead of the durable one by the records under way.
#[derive(Clone, Debug)]
pub struct DropBook {
    pub(crate) plan: Arc<DropPlan>,
    pub(crate) pools: PoolMap,
    pub(crate) revision: u32,
    pub(crate) phase: Phase,
    pub(crate) phase_changes: u64,
    pub(crate) opens_at: Option<UnixMillis>,
    opened_at: Option<UnixMillis>,
    /// Units of all lots without those that were withdrawn, by pool.
    pub(crate) supplied: Vec<Units>,
    /// Units that are not on sale until somebody puts them there, by pool.
    pub(crate) reserve: Vec<Units>,
    /// The most units that each pool has had or may have without asking: memory is counted for them.
    pub(crate) supplied_max: Vec<Units>,
    /// Units in orders, by pool.
    pub(crate) sold: Vec<Units>,
    /// When it closes at the latest, once it winds down.
    pub(crate) winds_down_until: Option<UnixMillis>,
    pub(crate) lots: u32,
    /// Durable takes without an end. Below zero for a moment where a hold ends before its take was
    /// reported.
    pub(crate) live_holds: i64,
    /// Holds that became orders.
    orders: u64,
    /// By pool: the take number that the last restart began with, with the takes that became durable since.
    pub(crate) accounted: Vec<u64>,
    /// By pool: the number of the last take, while takes are shut after the opening.
    pub(crate) last_takes: Option<Vec<u64>>,
    /// The automatic start has had its chance; from then on the drop waits for its host.
    pub(crate) start_done: bool,
    /// The end of a countdown that was called off because nothing was there for it, by the sale's clock.
    pub(crate) missed_opening: Option<UnixMillis>,
    pub(crate) watch: StreamWatch,
    pub(crate) counts: Counts,
    /// The money of its holds.
    pub(crate) payments: PaymentBook,
    /// By how much its holds were extended in all.
    extended: DurationMs,
    /// Viewers have not been told of it.
    hidden: bool,
    /// For more units than are in reserve.
    pub(crate) requests: Requests,
}

impl DropBook {
    /// A drop that is planned, or planned anew in place of `old`: the count of phases never goes back, for
    /// a permit of the replaced plan may be under way. An edit leaves the stream as it is; its time is
    /// counted by the new plan.
    pub(crate) fn planned(plan: &Arc<DropPlan>, revision: u32, old: Option<&Self>) -> Self {
        let map = plan.pools();
        let pools = map.count();
        Self {
            plan: Arc::clone(plan),
            pools: map,
            revision,
            phase: Phase::Scheduled,
            phase_changes: old.map_or(0, |old| old.phase_changes + 1),
            opens_at: None,
            opened_at: None,
            supplied: vec![Units::ZERO; pools],
            reserve: plan.skus.iter().map(|sku| sku.reserve).collect(),
            supplied_max: plan.skus.iter().map(SkuPlan::units).collect(),
            sold: vec![Units::ZERO; pools],
            winds_down_until: None,
            lots: 0,
            live_holds: 0,
            orders: 0,
            accounted: vec![0; pools],
            last_takes: None,
            start_done: false,
            missed_opening: None,
            watch: StreamWatch::of_plan(old.and_then(|old| old.watch.offline_since())),
            counts: old.map(|old| old.counts.of_edit()).unwrap_or_default(),
            payments: PaymentBook::default(),
            extended: DurationMs::ZERO,
            // What viewers know stays known.
            hidden: plan.hidden && old.is_none_or(|old| old.hidden),
            // They begin once it is open, when nobody edits it any more.
            requests: Requests::default(),
        }
    }

    /// Follows one record of the drop's chain, decided now or read from the journal.
    pub(crate) fn apply(&mut self, at: UnixMillis, record: &Record) -> Result<(), Contradiction> {
        self.payments.apply(record);
        match record {
            Record::Phase(record) => self.change(at, record),
            Record::Lot { pool, units, lot } => {
                self.lots = *lot;
                let place = self.place(*pool)?;
                let sum = self.supplied[place].checked_add(*units).unwrap_or(Units::MAX);
                self.supplied[place] = sum;
                let most = sum.checked_add(self.reserve[place]).unwrap_or(Units::MAX);
                self.supplied_max[place] = most.max(self.supplied_max[place]);
            }
            Record::Correction(CorrectionRecord::Reserved { pool, left }) => {
                let place = self.place(*pool)?;
                self.reserve[place] = *left;
            }
            Record::Correction(CorrectionRecord::Withdrawn { pool, units }) => {
                let place = self.place(*pool)?;
                let left = self.supplied[place].checked_take(*units);
                self.supplied[place] = left.unwrap_or(Units::ZERO);
            }
            Record::Correction(CorrectionRecord::Amended(amended)) => {
                self.plan = Arc::new(amended.amendment.apply_to(&self.plan));
                self.revision = self.revision.saturating_add(1);
            }
            Record::Request(record) => self.requests.apply(record),
            Record::Hold(HoldRecord::Taken { hold, .. }) => self.note_take(hold.pool())?,
            Record::Correction(CorrectionRecord::WindsDown { until }) => {
                self.winds_down_until = Some(*until);
            }
            Record::Hold(HoldRecord::Confirmed { hold, units, .. }) => {
                let place = self.place(hold.pool())?;
                self.sold[place] = self.sold[place].checked_add(*units).unwrap_or(Units::MAX);
                self.live_holds -= 1;
                self.orders += 1;
            }
            Record::Hold(HoldRecord::Released { .. } | HoldRecord::Expired { .. }) => {
                self.live_holds -= 1;
            }
            Record::Stream(record) => self.follow_stream(record),
            Record::Recovered(recovered) => self.recovered(recovered)?,
            Record::Suspended { span, until } => self.watch.move_by(*span, *until),
            Record::Deadline(DeadlineRecord::Extended { span, .. }) => {
                self.extended = DurationMs::new(self.extended.get().saturating_add(span.get()));
            }
            // An edit makes another book; what is on air is the stream's; a command's key is its actor's;
            // the rest is the house's.
            Record::Planned { .. }
            | Record::Featured
            | Record::Payment(_)
            | Record::Deadline(DeadlineRecord::Stretched { .. })
            | Record::Unmatched(_)
            | Record::Command(_)
            | Record::Tally(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
        Ok(())
    }

    /// Where a pool stands among those of the drop.
    fn place(&self, pool: PoolIndex) -> Result<usize, Contradiction> {
        let place = usize::from(pool.get());
        (place < self.supplied.len()).then_some(place).ok_or(Contradiction::UnknownPool { pool })
    }

    fn change(&mut self, at: UnixMillis, record: &PhaseRecord) {
        match record {
            PhaseRecord::Countdown { .. } => {
                self.missed_opening = None;
                self.hidden = false;
            }
            // At its end or later: it was missed, unless staff called it off.
            PhaseRecord::CountdownCancelled => {
                self.missed_opening = self.opens_at.filter(|opens_at| *opens_at <= at);
            }
            PhaseRecord::Opened => {
                self.opened_at.get_or_insert(at);
                self.hidden = false;
            }
            PhaseRecord::Paused
            | PhaseRecord::Resumed
            | PhaseRecord::Closed
            | PhaseRecord::Settled
            | PhaseRecord::Cancelled
            | PhaseRecord::UndoBegun { .. }
            | PhaseRecord::Voided => {}
        }
        self.enter(record.begins());
        if let PhaseRecord::Countdown { opens_at } = record {
            self.opens_at = Some(*opens_at);
            self.start_done = true;
        }
    }

    /// The stream went, came back or was away too long.
    fn follow_stream(&mut self, record: &StreamRecord) {
        match record {
            StreamRecord::Offline { at } => self.watch.go_offline(*at),
            StreamRecord::Online => {
                if self.watch.come_back(&self.plan) {
                    self.enter(Phase::Open);
                }
            }
            StreamRecord::OfflineLapsed => {
                let mut watch = self.watch;
                if let Some(phase) = watch.lapse(self.phase) {
                    self.enter(phase);
                }
                self.watch = watch;
            }
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.phase_changes += 1;
        self.last_takes = None;
        self.watch.overrule();
        self.opens_at = None;
    }

    /// Our outage is not the stream's: the time that it has moves by it.
    fn recovered(&mut self, recovered: &RecoveredDrop) -> Result<(), Contradiction> {
        self.watch.move_by(recovered.outage, UnixMillis::new(u64::MAX));
        for found in &recovered.pools {
            let accounted = self.accounted.get_mut(usize::from(found.pool.get()));
            *accounted.ok_or(Contradiction::UnknownPool { pool: found.pool })? =
                found.last_take.get();
        }
        // Whatever was under way is gone.
        let is_shut = self.phase == Phase::Paused || self.phase.is_ending();
        self.last_takes = is_shut.then(|| self.accounted.clone());
        Ok(())
    }

    /// A take has become durable.
    pub(crate) fn note_take(&mut self, pool: PoolIndex) -> Result<(), Contradiction> {
        let accounted = self.accounted.get_mut(usize::from(pool.get()));
        *accounted.ok_or(Contradiction::UnknownPool { pool })? += 1;
        self.live_holds += 1;
        Ok(())
    }

    /// What the journal tells. A missed start has no record: a restart finds it again by the plan. A commit
    /// comes later than the decision, so the time of the opening is another one. The last take is read
    /// off the stock when takes are shut, or follows from what is accounted for. Counts are those of the
    /// engine's run.
    pub(crate) fn journaled(&self) -> String {
        let Self {
            plan,
            pools,
            revision,
            phase,
            phase_changes,
            opens_at,
            opened_at,
            supplied,
            reserve,
            supplied_max,
            sold,
            winds_down_until,
            lots,
            live_holds,
            orders,
            accounted,
            last_takes: _,
            start_done: _,
            missed_opening,
            watch,
            counts: _,
            payments,
            extended,
            hidden,
            requests,
        } = self;
        let (payments, has_opened) = (payments.journaled(), opened_at.is_some());
        format!(
            "revision {revision} {phase} after {phase_changes} opens {opens_at:?} opened \
             {has_opened} missed {missed_opening:?} lots {lots} supplied {supplied:?} reserve {reserve:?} of {supplied_max:?} \
             sold {sold:?} winds down {winds_down_until:?} \
             live {live_holds} orders {orders} accounted \
             {accounted:?} {watch:?} {pools:?} {plan:?} extended {extended:?} hidden {hidden} {requests:?} {payments}"
        )
    }

    /// The terms.
    pub fn plan(&self) -> &Arc<DropPlan> {
        &self.plan
    }

    /// The pool that every buy of a SKU of the plan takes from, that its lots go to.
    pub(crate) fn common_pool(&self, sku: SkuIndex) -> PoolIndex {
        self.pools.common(sku).expect("every SKU of a plan has its common pool")
    }

    /// What goes on sale when the drop opens: each SKU's supply, into its common pool.
    pub(crate) fn first_lots(&self) -> Vec<(PoolIndex, Units)> {
        let places = (0..=u8::MAX).filter_map(SkuIndex::new).zip(&self.plan.skus);
        let lots = places.map(|(sku, terms)| (self.common_pool(sku), terms.supply));
        lots.filter(|(_, units)| !units.is_zero()).collect()
    }

    /// By how much staff have extended the drop's holds in all.
    pub fn extended(&self) -> DurationMs {
        self.extended
    }

    /// Whether viewers hear nothing of the drop: its plan has hidden it since it was planned first (an edit that hides it no
    /// more shows it for good), and neither has its countdown begun since nor has it opened.
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Counts the edits and amendments of the plan; the first plan is 1.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// Where the drop stands by what was decided.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Rises with each decision about the phase and with each edit, also over restarts, so that a permit which was overtaken
    /// does nothing, and commands that saw the phase before are known.
    pub fn phase_changes(&self) -> u64 {
        self.phase_changes
    }

    /// When the countdown ends, during a countdown.
    pub fn opens_at(&self) -> Option<UnixMillis> {
        self.opens_at
    }

    /// When it first opened, by the sale's clock: the decision's time, after a restart that of its commit. `None` if
    /// it has not.
    pub fn opened_at(&self) -> Option<UnixMillis> {
        self.opened_at
    }

    /// Units of all lots without those that were withdrawn, by pool.
    pub fn supplied(&self) -> &[Units] {
        &self.supplied
    }

    /// Units that are not on sale until somebody puts them there, by pool.
    pub fn reserve(&self) -> &[Units] {
        &self.reserve
    }

    /// Requests for more units: those that nobody has ended, then the latest of the others.
    pub fn requests(&self) -> Arc<[Arc<RestockRequest>]> {
        self.requests.shown()
    }

    /// Lots so far.
    pub fn lots(&self) -> u32 {
        self.lots
    }

    /// Whether the planned start has had its chance.
    pub fn start_is_over(&self) -> bool {
        self.start_done
    }

    /// How the drop's stream is.
    pub fn watch(&self) -> &StreamWatch {
        &self.watch
    }

    /// Holds that are durable and have no end, as far as they were reported.
    pub fn live_holds(&self) -> u64 {
        u64::try_from(self.live_holds).unwrap_or(0)
    }

    /// Holds that became orders, those that were cancelled since among them.
    pub fn orders(&self) -> u64 {
        self.orders
    }

    /// Where the drop stands, as the giver of a command has to have seen it.
    pub fn stands(&self) -> SeenDrop {
        let (phase, phase_changes) = (self.phase, Some(self.phase_changes));
        SeenDrop { phase, revision: self.revision, phase_changes }
    }

    pub(crate) fn was_supplied(&self) -> bool {
        self.lots > 0
    }

    /// Whether takes are over for good, with every take durable and every hold ended: the drop settles, or is
    /// voided.
    pub fn is_done(&self) -> bool {
        let accounted = self.last_takes.as_ref().is_some_and(|last| *last == self.accounted);
        self.phase.is_ending() && self.live_holds == 0 && accounted
    }

    /// Whether a hold, a countdown or the stream's time runs, which an outage would move.
    pub(crate) fn has_deadline(&self) -> bool {
        self.live_holds > 0 || self.phase == Phase::Countdown || self.lapses_at().is_some()
    }

    /// When the steward has to look at this drop again; `None` while nothing can happen by itself. `delay`
    /// is by how much viewers see the stream later.
    pub(crate) fn next_due(&self, now: Moment, delay: DurationMs) -> Option<UnixMillis> {
        let at_once = self.is_done().then_some(UnixMillis::default());
        [at_once, self.next_timer(now, delay), self.tally_due()].into_iter().flatten().min()
    }

    /// The same, tallies apart.
    pub(crate) fn next_timer(&self, now: Moment, delay: DurationMs) -> Option<UnixMillis> {
        let rehearsed = self.rehearses_until().map(|until| now.on_sale(until));
        [self.lapses_at(), self.phase_ends_at(now, delay), rehearsed].into_iter().flatten().min()
    }

    /// When counts are looked at next; `None` while nothing is counted.
    pub(crate) fn tally_due(&self) -> Option<UnixMillis> {
        self.counts.due(self.phase)
    }

    /// When the phase ends by itself, by the sale's clock. Planned times are the wall clock's.
    pub(crate) fn phase_ends_at(&self, now: Moment, delay: DurationMs) -> Option<UnixMillis> {
        match self.phase {
            Phase::Scheduled if !self.start_done => {
                // While the stream is away too long a start waits for it, until it is missed.
                let held = self.watch.holds_start();
                let at = if held { self.plan.starts_at } else { self.start_of_countdown(delay) };
                at.map(|at| now.on_sale(at))
            }
            Phase::Countdown => self.opens_at,
            Phase::Open | Phase::Paused => self.closes_at(now),
            _ => None,
        }
    }

    /// When a drop that has opened closes by itself, by the sale's clock.
    fn closes_at(&self, now: Moment) -> Option<UnixMillis> {
        let planned = self.plan.ends_at.map(|at| now.on_sale(at));
        let by_opening = self.plan.ends_after_opening.zip(self.opened_at);
        let by_opening = by_opening.map(|(span, opened_at)| opened_at.plus(span));
        let wound_down = self
            .winds_down_until
            .map(|at| if self.is_sold_out() { UnixMillis::default() } else { at });
        [planned, by_opening, wound_down].into_iter().flatten().min()
    }

    /// Whether it closes at a time of the sale's clock, which therefore must not jump.
    pub(super) fn closes_by_sale_clock(&self) -> bool {
        let has_opened = matches!(self.phase, Phase::Open | Phase::Paused);
        has_opened && (self.plan.ends_after_opening.is_some() || self.winds_down_until.is_some())
    }

    /// Whether the planned end has come.
    pub(crate) fn is_over(&self, wall: UnixMillis) -> bool {
        self.plan.ends_at.is_some_and(|at| at <= wall)
    }

    /// When the stream will have been offline for as long as the plan allows.
    pub(crate) fn lapses_at(&self) -> Option<UnixMillis> {
        let over = self.phase.is_ending() || self.phase.is_final();
        self.watch.lapses_at(&self.plan).filter(|_| !over)
    }

    /// When the countdown to a planned start begins, by the wall clock.
    pub(crate) fn start_of_countdown(&self, delay: DurationMs) -> Option<UnixMillis> {
        let start = self.plan.starts_at?.get();
        // The host of a stream whose video is behind has the whole cue, whatever the plan says.
        let countdown = self.plan.countdown.max(countdown_min(delay));
        Some(UnixMillis::new(start.saturating_sub(countdown.get())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_has_opened_since_the_first_time() {
        let mut book = DropBook::planned(&Arc::new(stampede_testkit::plan(5)), 1, None);
        assert_eq!(book.opened_at(), None);
        let phases = [PhaseRecord::Opened, PhaseRecord::Paused, PhaseRecord::Opened];
        for (at, phase) in (7..).zip(phases) {
            book.apply(UnixMillis::new(at), &phase.into()).unwrap();
        }
        assert_eq!(book.opened_at(), Some(UnixMillis::new(7)));
    }

    #[test]
    fn a_pool_that_the_plan_has_not_contradicts_it() {
        let mut book = DropBook::planned(&Arc::new(stampede_testkit::plan(5)), 1, None);
        let pool = PoolIndex::new(1).unwrap();
        let record = Record::Lot { pool, units: Units::ONE, lot: 1 };
        let followed = book.apply(UnixMillis::new(1), &record);
        assert_eq!(followed, Err(Contradiction::UnknownPool { pool }));
    }

    #[test]
    fn lots_are_counted_as_their_records_say() {
        let mut book = DropBook::planned(&Arc::new(stampede_testkit::plan(5)), 1, None);
        assert_eq!((book.lots(), book.was_supplied()), (0, false));
        let units = Units::new(5).unwrap();
        for lot in [1, 2] {
            let record = Record::Lot { pool: PoolIndex::default(), units, lot };
            book.apply(UnixMillis::new(1), &record).unwrap();
        }
        assert_eq!((book.lots(), book.was_supplied()), (2, true));
        assert_eq!(book.supplied(), [Units::new(10).unwrap()]);
    }
}
