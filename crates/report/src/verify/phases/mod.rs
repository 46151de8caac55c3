//! A drop's phases, plan revisions, lots, as far as records may move them.

mod limits;
mod requests;
mod reserves;
mod stage;
mod stream;

use std::sync::Arc;

use stampede_domain::{DropPlan, HoldId, PoolIndex, PoolMap, SkuIndex, SkuPlan, Units, UnixMillis};
use stampede_ledger::{
    BrakeRecord, CorrectionRecord, DeadlineRecord, HoldRecord, PhaseRecord, Record, RequestRecord,
    StreamRecord, UnmatchedRecord,
};

use self::{limits::LimitTurns, requests::RequestBook, reserves::Reserves, stream::StreamBook};
pub use self::{stage::Stage, stream::StreamFault};
use super::finding::{Findings, Place};

/// A drop that did what its phase forbids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum PhaseFault {
    /// A record before the drop's first plan.
    #[error("{record} before any plan")]
    NoPlan { record: &'static str },
    /// A plan revision out of turn.
    #[error("plan revision {found}, expected {expected}")]
    Revision { expected: u32, found: u32 },
    /// An edit after units had been put on sale.
    #[error("plan edited after {lots} lots")]
    EditedAfterLots { lots: u32 },
    /// A record that the phase does not allow.
    #[error("{record} while {stage}")]
    NotAllowed { record: &'static str, stage: Stage },
    /// Takes began before the countdown ended.
    #[error("opened at {at} ms, the countdown ends at {opens_at} ms")]
    OpenedEarly { opens_at: UnixMillis, at: UnixMillis },
    /// The first lots are not what the plan promised.
    #[error("pool {pool} opens with {supplied} units, the plan says {planned}")]
    FirstLots { pool: PoolIndex, planned: u64, supplied: u64 },
    /// A lot out of turn.
    #[error("lot {found}, expected {expected}")]
    LotNumber { expected: u32, found: u32 },
    /// A lot of nothing, or more units than a pool can count.
    #[error("a lot of {units} units on top of {supplied} in pool {pool}")]
    LotRange { pool: PoolIndex, units: Units, supplied: u64 },
    /// Nothing was withdrawn, or more than a pool had.
    #[error("{units} units withdrawn of {supplied} in pool {pool}")]
    WithdrawnRange { pool: PoolIndex, units: Units, supplied: u64 },
    /// A reserve that did not change by the lot behind it or by the units withdrawn before it.
    #[error(
        "pool {pool} has {left} units in reserve after {before}, and neither a lot nor withdrawn units say why"
    )]
    Reserve { pool: PoolIndex, left: Units, before: u64 },
    /// A request out of turn.
    #[error("request {found}, expected {expected}")]
    RequestNumber { expected: u32, found: u32 },
    /// A request for what is in reserve, or one that says another reserve.
    #[error("request {number} for {units} units with {stated} in reserve, {reserve} are")]
    RequestReserve { number: u32, units: Units, stated: u64, reserve: u64 },
    /// A request ended that nobody had made, or that had ended.
    #[error("request {number} ended, which is not open")]
    RequestNotOpen { number: u32 },
    /// A request that ended with other units than were asked for, or without the lot by which it was granted.
    #[error("request {number} ended otherwise than it was made, or than the lot before it says")]
    RequestDiffers { number: u32 },
    /// A request that was made or ended by nobody.
    #[error("request {number} was made or ended, and no command of that person stands behind it")]
    RequestUnsigned { number: u32 },
    /// A host put more on sale than was in reserve.
    #[error("a host put {units} units on sale with {reserve} in reserve")]
    BeyondReserve { units: Units, reserve: u64 },
    /// Limits of other SKUs, or last takes of other pools, than the plan has.
    #[error(
        "limits of {found_skus} SKUs after takes of {found_pools} pools, the plan has {skus} and {pools}"
    )]
    AmendedShape { found_skus: usize, skus: usize, found_pools: usize, pools: usize },
    /// Limits were amended after a take that was not the last.
    #[error("limits amended after take {last} of pool {pool}, take {found} had been made")]
    AmendedTakes { pool: PoolIndex, last: u64, found: u64 },
    /// A drop of a rehearsal that went on after a restart.
    #[error("{record} after a restart of the server, which ends every rehearsal")]
    OutlivedRestart { record: &'static str },
    /// A copy for a rehearsal that became another drop, or the other way round.
    #[error("an edit changed of what the drop is a copy for a rehearsal, or until when")]
    RehearsalChanged,
    /// A drop that winds down for longer than two hold times, or for the second time.
    #[error("winds down until {until} ms, {most} ms is the latest{}", if *again { ", for the second time" } else { "" })]
    WindDown { until: UnixMillis, most: UnixMillis, again: bool },
    /// A pool that the plan does not have.
    #[error("pool {pool}, the plan has {pools}")]
    UnknownPool { pool: PoolIndex, pools: usize },
    /// A hold that became an order although the opening of its drop was being undone.
    #[error("{hold} became an order although the drop was called off")]
    ConfirmedAfterUndo { hold: HoldId },
    /// A drop that was voided although nobody had undone its opening.
    #[error("voided while {stage}, without an undo")]
    VoidedWithoutUndo { stage: Stage },
    /// What the stream's being offline led to, against the plan.
    #[error(transparent)]
    Stream(#[from] StreamFault),
}

impl PhaseFault {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::NoPlan { .. } => "no_plan",
            Self::Revision { .. } => "plan_revision",
            Self::EditedAfterLots { .. } => "edited_after_lots",
            Self::NotAllowed { .. } => "not_allowed",
            Self::OpenedEarly { .. } => "opened_early",
            Self::FirstLots { .. } => "first_lots",
            Self::LotNumber { .. } => "lot_number",
            Self::LotRange { .. } => "lot_range",
            Self::WithdrawnRange { .. } => "withdrawn_range",
            Self::Reserve { .. } => "reserve_differs",
            Self::RequestNumber { .. } => "request_number",
            Self::RequestReserve { .. } => "request_reserve_differs",
            Self::RequestNotOpen { .. } => "request_not_open",
            Self::RequestDiffers { .. } => "request_differs",
            Self::RequestUnsigned { .. } => "request_unsigned",
            Self::BeyondReserve { .. } => "beyond_reserve",
            Self::AmendedShape { .. } => "amended_shape",
            Self::AmendedTakes { .. } => "amended_takes",
            Self::OutlivedRestart { .. } => "rehearsal_outlived_restart",
            Self::RehearsalChanged => "rehearsal_changed",
            Self::WindDown { .. } => "wind_down_differs",
            Self::UnknownPool { .. } => "unknown_pool",
            Self::ConfirmedAfterUndo { .. } => "confirmed_after_undo",
            Self::VoidedWithoutUndo { .. } => "voided_without_undo",
            Self::Stream(fault) => fault.kind(),
        }
    }
}

/// The name of a record in findings.
pub(super) const fn name(record: &Record) -> &'static str {
    match record {
        Record::Planned { .. } => "planned",
        Record::Phase(PhaseRecord::Countdown { .. }) => "countdown",
        Record::Phase(PhaseRecord::CountdownCancelled) => "countdown cancelled",
        Record::Phase(PhaseRecord::Opened) => "opened",
        Record::Phase(PhaseRecord::Paused) => "paused",
        Record::Phase(PhaseRecord::Resumed) => "resumed",
        Record::Phase(PhaseRecord::Closed) => "closed",
        Record::Phase(PhaseRecord::Settled) => "settled",
        Record::Phase(PhaseRecord::Cancelled) => "cancelled",
        Record::Phase(PhaseRecord::UndoBegun { .. }) => "undo begun",
        Record::Phase(PhaseRecord::Voided) => "drop voided",
        Record::Lot { .. } => "lot",
        Record::Hold(HoldRecord::Taken { .. }) => "taken",
        Record::Hold(HoldRecord::Confirmed { .. }) => "confirmed",
        Record::Hold(HoldRecord::Released { .. }) => "released",
        Record::Hold(HoldRecord::Expired { .. }) => "expired",
        Record::Command(_) => "command",
        Record::Recovered(_) => "recovered",
        Record::Tally(_) => "tally",
        Record::Payment(payment) => payment.change.name(),
        Record::Deadline(DeadlineRecord::Stretched { .. }) => "stretched",
        Record::Deadline(DeadlineRecord::Extended { .. }) => "extended",
        Record::Unmatched(UnmatchedRecord::Found(_)) => "payment unmatched",
        Record::Unmatched(UnmatchedRecord::Done(_)) => "unmatched done",
        Record::Brake(BrakeRecord::Halted(_)) => "halted",
        Record::Brake(BrakeRecord::RatesSet(_)) => "rates set",
        Record::Brake(BrakeRecord::Banned(_)) => "banned",
        Record::Brake(BrakeRecord::Lifted { .. }) => "lifted",
        Record::Stream(StreamRecord::Offline { .. }) => "stream offline",
        Record::Stream(StreamRecord::Online) => "stream online",
        Record::Stream(StreamRecord::OfflineLapsed) => "offline lapsed",
        Record::Suspended { .. } => "suspended",
        Record::Featured => "featured",
        Record::Correction(CorrectionRecord::Withdrawn { .. }) => "withdrawn",
        Record::Correction(CorrectionRecord::Reserved { .. }) => "reserved",
        Record::Correction(CorrectionRecord::Amended(_)) => "amended",
        Record::Correction(CorrectionRecord::WindsDown { .. }) => "winds down",
        Record::Request(RequestRecord::Asked(_)) => "request asked",
        Record::Request(RequestRecord::Ended(_)) => "request ended",
        Record::Heartbeat(_) => "heartbeat",
        Record::Room(_) => "room",
    }
}

/// The phases of one drop, with its terms.
#[derive(Debug)]
pub(super) struct Phases {
    pub(super) plan: Arc<DropPlan>,
    /// The pools of the plan.
    pub(super) pools: PoolMap,
    pub(super) stage: Stage,
    /// When takes last stopped: the time of the pause or the close.
    pub(super) shut_at: UnixMillis,
    /// Units of all lots without those that were withdrawn, by pool.
    pub(super) supplied: Vec<u64>,
    /// Units that are not on sale, by pool.
    reserves: Reserves,
    requests: RequestBook,
    pub(super) limits: LimitTurns,
    stream: StreamBook,
    /// A restart has found it going on, and it belongs to a rehearsal.
    has_to_end: bool,
    revision: u32,
    lots: u32,
    opens_at: UnixMillis,
    winds_down: bool,
}

impl Phases {
    /// Begins with the drop's first plan.
    pub(super) fn new(
        plan: Arc<DropPlan>,
        revision: u32,
        place: Place,
        findings: &mut Findings,
    ) -> Self {
        if revision != 1 {
            findings.add(place, PhaseFault::Revision { expected: 1, found: revision });
        }
        let pools = plan.pools();
        Self {
            supplied: vec![0; pools.count()],
            pools,
            reserves: Reserves::of(&plan),
            requests: RequestBook::default(),
            limits: LimitTurns::of(&plan),
            plan,
            stage: Stage::Planned,
            shut_at: UnixMillis::default(),
            stream: StreamBook::default(),
            has_to_end: false,
            revision,
            lots: 0,
            opens_at: UnixMillis::default(),
            winds_down: false,
        }
    }

    /// Applies one record's effect on the phase.
    pub(super) fn record(
        &mut self,
        record: &Record,
        at: UnixMillis,
        place: Place,
        findings: &mut Findings,
    ) {
        let was_open = self.stage == Stage::Open;
        self.see(record, place, findings);
        let led_to = self.stream.record(record, self.stage, &self.plan, at, place, findings);
        if let Some(next) = led_to.or_else(|| self.stage.after(record)) {
            self.stage = next;
        } else {
            findings.add(place, self.not_allowed(record));
        }
        match record {
            Record::Planned { plan, revision } => self.edit(plan, *revision, place, findings),
            Record::Phase(PhaseRecord::Countdown { opens_at }) => self.opens_at = *opens_at,
            Record::Phase(PhaseRecord::Opened) => self.opened(at, place, findings),
            Record::Phase(
                PhaseRecord::Paused | PhaseRecord::Closed | PhaseRecord::UndoBegun { .. },
            )
            | Record::Stream(StreamRecord::OfflineLapsed)
                if was_open =>
            {
                self.shut_at = at;
            }
            Record::Lot { pool, units, lot } => self.lot(*pool, *units, *lot, place, findings),
            Record::Correction(CorrectionRecord::Withdrawn { pool, units }) => {
                self.withdraw(*pool, *units, place, findings);
            }
            Record::Correction(CorrectionRecord::Reserved { pool, left }) => {
                self.reserves.reserved(*pool, *left, place, findings);
            }
            Record::Correction(CorrectionRecord::Amended(amended)) => {
                self.revision = self.revision.saturating_add(1);
                self.limits.amend(amended, self.shut_at, place, findings);
            }
            Record::Recovered(recovered) => self.limits.recover(&recovered.pools),
            Record::Correction(CorrectionRecord::WindsDown { until }) => {
                self.wind_down(*until, at, place, findings);
            }
            Record::Phase(
                PhaseRecord::CountdownCancelled
                | PhaseRecord::Paused
                | PhaseRecord::Resumed
                | PhaseRecord::Closed
                | PhaseRecord::Settled
                | PhaseRecord::Cancelled
                | PhaseRecord::UndoBegun { .. }
                | PhaseRecord::Voided,
            )
            | Record::Hold(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Request(_)
            | Record::Payment(_)
            | Record::Deadline(_)
            | Record::Unmatched(_)
            | Record::Suspended { .. }
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
    }

    /// Sees the record as those do that go by what stands right before it.
    fn see(&mut self, record: &Record, place: Place, findings: &mut Findings) {
        self.reserves.see(record, place, findings);
        let reserve = |pool| self.reserves.before(pool);
        self.requests.see(record, (reserve, self.plan.more_by_request), place, findings);
        self.see_restart(record, place, findings);
    }

    /// Holds a copy for a rehearsal to its end behind a restart.
    fn see_restart(&mut self, record: &Record, place: Place, findings: &mut Findings) {
        let goes_on =
            matches!(self.stage, Stage::Planned | Stage::Countdown | Stage::Open | Stage::Paused);
        if std::mem::take(&mut self.has_to_end) {
            match record {
                Record::Phase(PhaseRecord::Closed | PhaseRecord::Cancelled) => {}
                // Then it is cancelled.
                Record::Phase(PhaseRecord::CountdownCancelled) => self.has_to_end = true,
                other => {
                    let record = name(other);
                    findings.add(place, PhaseFault::OutlivedRestart { record });
                }
            }
        } else if matches!(record, Record::Recovered(_)) && goes_on {
            self.has_to_end = self.plan.rehearsal.is_some();
        }
    }

    /// What is wrong with a record that must not stand here.
    const fn not_allowed(&self, record: &Record) -> PhaseFault {
        let stage = self.stage;
        match record {
            Record::Hold(HoldRecord::Confirmed { hold, .. })
                if matches!(stage, Stage::Voiding | Stage::Voided) =>
            {
                PhaseFault::ConfirmedAfterUndo { hold: *hold }
            }
            Record::Phase(PhaseRecord::Voided) => PhaseFault::VoidedWithoutUndo { stage },
            record => PhaseFault::NotAllowed { record: name(record), stage },
        }
    }

    fn edit(&mut self, plan: &Arc<DropPlan>, revision: u32, place: Place, findings: &mut Findings) {
        let expected = self.revision.saturating_add(1);
        if revision != expected {
            findings.add(place, PhaseFault::Revision { expected, found: revision });
        }
        self.revision = revision;
        if plan.rehearsal != self.plan.rehearsal {
            findings.add(place, PhaseFault::RehearsalChanged);
        }
        if self.lots > 0 {
            return findings.add(place, PhaseFault::EditedAfterLots { lots: self.lots });
        }
        self.pools = plan.pools();
        self.supplied = vec![0; self.pools.count()];
        self.reserves = Reserves::of(plan);
        self.limits = LimitTurns::of(plan);
        self.plan = Arc::clone(plan);
    }

    /// The SKU whose units a pool holds, with its place in the plan.
    pub(super) fn sku_of(&self, pool: PoolIndex) -> Option<(SkuIndex, &SkuPlan)> {
        let sku = self.pools.sku_of(pool)?;
        Some((sku, self.plan.sku(sku)?))
    }

    /// Units with which a pool opens: the plan's supply goes into the common pools.
    fn planned_units(&self, pool: PoolIndex, sku: SkuIndex) -> u64 {
        let of = self.plan.sku(sku).filter(|_| self.pools.common(sku) == Some(pool));
        of.map_or(0, |sku| u64::from(sku.supply.get()))
    }

    fn opened(&self, at: UnixMillis, place: Place, findings: &mut Findings) {
        if at < self.opens_at {
            let opens_at = self.opens_at;
            findings.add(place, PhaseFault::OpenedEarly { opens_at, at });
        }
        for ((pool, sku), supplied) in self.pools.iter().zip(&self.supplied) {
            let (planned, supplied) = (self.planned_units(pool, sku), *supplied);
            if planned != supplied {
                findings.add(place, PhaseFault::FirstLots { pool, planned, supplied });
            }
        }
    }

    fn lot(
        &mut self,
        pool: PoolIndex,
        units: Units,
        lot: u32,
        place: Place,
        findings: &mut Findings,
    ) {
        let expected = self.lots.saturating_add(1);
        if lot != expected {
            findings.add(place, PhaseFault::LotNumber { expected, found: lot });
        }
        self.lots = lot;
        let pools = self.supplied.len();
        let Some(supplied) = self.supplied.get_mut(usize::from(pool.get())) else {
            return findings.add(place, PhaseFault::UnknownPool { pool, pools });
        };
        let sum = *supplied + u64::from(units.get());
        if units.is_zero() || sum > u64::from(Units::MAX.get()) {
            let supplied = *supplied;
            findings.add(place, PhaseFault::LotRange { pool, units, supplied });
        }
        *supplied = sum;
    }

    /// The decision came before the commit.
    fn wind_down(
        &mut self,
        until: UnixMillis,
        at: UnixMillis,
        place: Place,
        findings: &mut Findings,
    ) {
        let again = std::mem::replace(&mut self.winds_down, true);
        let most = at.plus(self.plan.hold_ttl).plus(self.plan.hold_ttl);
        if again || until > most {
            findings.add(place, PhaseFault::WindDown { until, most, again });
        }
    }

    /// Whether the units were free, the pool's takes say.
    fn withdraw(&mut self, pool: PoolIndex, units: Units, place: Place, findings: &mut Findings) {
        let pools = self.supplied.len();
        let Some(supplied) = self.supplied.get_mut(usize::from(pool.get())) else {
            return findings.add(place, PhaseFault::UnknownPool { pool, pools });
        };
        let left = supplied.checked_sub(u64::from(units.get())).filter(|_| !units.is_zero());
        if left.is_none() {
            let supplied = *supplied;
            findings.add(place, PhaseFault::WithdrawnRange { pool, units, supplied });
        }
        *supplied = left.unwrap_or(*supplied);
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{DropId, DurationMs};
    use stampede_ledger::RecoveredDrop;
    use stampede_testkit::{plan_of, sku, units};

    use super::*;

    #[test]
    fn a_copy_for_a_rehearsal_ends_behind_a_restart_and_stays_a_copy() {
        let copy = plan_of([sku("mug", 5)]).rehearsed(DropId::new(7), UnixMillis::new(9));
        let found = |records: &[Record]| {
            let (mut findings, place) = (Findings::default(), Place::LEDGER);
            let mut phases = Phases::new(Arc::new(copy.clone()), 1, place, &mut findings);
            for record in records {
                phases.record(record, UnixMillis::new(1), place, &mut findings);
            }
            findings.into_parts().0.iter().map(|found| found.fault.kind()).collect::<Vec<_>>()
        };
        let recovered = || {
            let (outage, pools) = (DurationMs::ZERO, Vec::new());
            Record::Recovered(Box::new(RecoveredDrop { outage, pools }))
        };
        let opens_at = UnixMillis::new(1);
        let countdown = || Record::from(PhaseRecord::Countdown { opens_at });
        let [cancelled, back] =
            [PhaseRecord::Cancelled, PhaseRecord::CountdownCancelled].map(Record::from);
        assert_eq!(found(&[recovered(), cancelled.clone()]), Vec::<&str>::new());
        assert_eq!(found(&[recovered(), countdown()]), ["rehearsal_outlived_restart"]);
        let both = [countdown(), recovered(), back.clone(), cancelled];
        assert_eq!(found(&both), Vec::<&str>::new());
        let half = [countdown(), recovered(), back, countdown()];
        assert_eq!(found(&half), ["rehearsal_outlived_restart"]);
        let plan = Arc::new(DropPlan { rehearsal: None, ..copy.clone() });
        assert_eq!(found(&[Record::Planned { plan, revision: 2 }]), ["rehearsal_changed"]);
    }

    #[test]
    fn the_common_pool_of_a_sku_opens_with_its_supply_and_no_other_does() {
        let index = |number| SkuIndex::new(number).unwrap();
        let pool = |number| PoolIndex::new(number).unwrap();
        let found = |lots: [u32; 3]| {
            let (mut findings, place) = (Findings::default(), Place::LEDGER);
            let plan = plan_of([sku("mug", 5), sku("cup", 3)]);
            let mut phases = Phases::new(Arc::new(plan), 1, place, &mut findings);
            phases.pools = PoolMap::new([1, 0, 1].map(index)).unwrap();
            phases.supplied = vec![0; 3];
            let at = UnixMillis::new(1);
            let countdown = Record::Phase(PhaseRecord::Countdown { opens_at: at });
            phases.record(&countdown, at, place, &mut findings);
            for ((number, lot), count) in (0..).zip(1..).zip(lots).filter(|(_, count)| *count > 0) {
                let lot = Record::Lot { pool: pool(number), units: units(count), lot };
                phases.record(&lot, at, place, &mut findings);
            }
            phases.record(&Record::Phase(PhaseRecord::Opened), at, place, &mut findings);
            assert_eq!(phases.sku_of(pool(2)).map(|(sku, _)| sku), Some(index(1)));
            findings.into_parts().0.iter().map(|found| found.fault.kind()).collect::<Vec<_>>()
        };
        assert_eq!(found([3, 5, 0]), Vec::<&str>::new());
        assert_eq!(found([3, 5, 3]), ["first_lots"]);
        assert_eq!(found([5, 3, 0]), ["first_lots", "first_lots"]);
    }
}
