//! One drop, replayed record by record.

mod corrections;
mod ending;
mod money;
mod tallied;

use std::{collections::HashMap, sync::Arc};

use stampede_domain::{
    ChannelId, DropId, DropPlan, HoldId, Incarnation, Money, PoolIndex, SkuIndex, Units,
    UnixMillis, ViewerNumber,
};
use stampede_ledger::{HoldRecord, PhaseRecord, Record, RecoveredDrop, Row};

use self::tallied::Tallied;
use super::{
    Counts, LATE_MS_MAX,
    chain::CommitTimes,
    facts::{JournalOrder, RowFacts},
    finding::{Findings, Place},
    holds::{HoldEnd, HoldFault},
    money::{Came, MoneyBook},
    phases::{PhaseFault, Phases, name},
    pool::{PoolBook, TakenHold, own_number},
    starts::Starts,
    terms,
    viewers::ViewerBook,
};
use crate::suspensions::Suspensions;

/// The state of one drop at one point of the journal.
#[derive(Debug)]
pub(super) struct DropReplay {
    drop: DropId,
    phases: Option<Phases>,
    pools: Vec<PoolBook>,
    viewers: ViewerBook,
    /// Channels of live holds; most sales have none or few names, shared by many.
    channels: HashMap<HoldId, ChannelId>,
    /// Sum of all outages so far.
    outage_ms: u64,
    suspensions: Suspensions,
    /// More time that staff gave to live holds.
    extensions: Suspensions,
    money: MoneyBook,
    tallied: Tallied,
    /// Time of the drop's row before the present one.
    last_at: UnixMillis,
    /// Time of the latest recovery.
    recovered_at: UnixMillis,
    /// The start in which the drop was planned, or last recovered.
    pub(super) known_in: Incarnation,
}

/// Where and when a record stands.
#[derive(Clone, Copy)]
struct Moment {
    place: Place,
    times: CommitTimes,
    incarnation: Incarnation,
    seq: u64,
}

impl DropReplay {
    pub(super) fn new(drop: DropId, incarnation: Incarnation) -> Self {
        Self {
            drop,
            phases: None,
            pools: Vec::new(),
            viewers: ViewerBook::default(),
            channels: HashMap::new(),
            outage_ms: 0,
            suspensions: Suspensions::default(),
            extensions: Suspensions::default(),
            money: MoneyBook::default(),
            tallied: Tallied::default(),
            last_at: UnixMillis::default(),
            recovered_at: UnixMillis::default(),
            known_in: incarnation,
        }
    }

    /// Replays one row: takes first, because whatever comes back, comes back after the commit.
    ///
    /// `starts` knows the starts before the row.
    pub(super) fn row(
        &mut self,
        row: &Row,
        times: CommitTimes,
        starts: &Starts,
        facts: &mut RowFacts,
        counts: &mut Counts,
        findings: &mut Findings,
    ) {
        facts.clear();
        let place = Place::row(row.drop, row.incarnation, row.seq);
        let (incarnation, seq) = (row.incarnation, row.seq.get());
        let mut number = 0_u32;
        for record in row.decode() {
            let record = match record {
                Ok(record) => record,
                Err(source) => {
                    let fault = super::chain::ChainFault::Body { source };
                    findings.add(place.record(number), fault);
                    break;
                }
            };
            if let Record::Hold(HoldRecord::Taken { hold, viewer, taken_at, .. }) = record {
                facts.viewers.push((number, viewer));
                facts.taken.push((number, hold, taken_at));
                let moment = Moment { place: place.record(number), times, incarnation, seq };
                if row.drop.is_adjustments() {
                    self.adjust(&record, moment, findings);
                } else {
                    self.take(&record, moment, findings);
                }
                counts.takes += 1;
            } else {
                facts.rest.push((number, record));
            }
            number += 1;
        }
        facts.records = u64::from(number);
        facts.worked = !facts.viewers.is_empty();
        let rest = std::mem::take(&mut facts.rest);
        for (number, record) in &rest {
            let moment = Moment { place: place.record(*number), times, incarnation, seq };
            facts.worked |= !matches!(
                record,
                Record::Recovered(_) | Record::Phase(PhaseRecord::CountdownCancelled)
            );
            facts.orders.extend(self.journal_order(*number, record));
            self.record(record, moment, starts, counts, findings);
        }
        self.money.end_row(findings);
        facts.rest = rest;
        if !row.drop.is_adjustments() {
            self.last_at = times.at;
        }
    }

    /// The order that a record makes, for the table of orders.
    fn journal_order(&self, number: u32, record: &Record) -> Option<JournalOrder> {
        let Record::Hold(HoldRecord::Confirmed { hold, viewer, units, amount, ref channel }) =
            *record
        else {
            return None;
        };
        let (sku, channel) = (self.filed_under(hold.pool()), channel.clone());
        Some(JournalOrder { record: number, hold, sku, viewer, units, amount, channel })
    }

    fn record(
        &mut self,
        record: &Record,
        moment: Moment,
        starts: &Starts,
        counts: &mut Counts,
        findings: &mut Findings,
    ) {
        let (place, at) = (moment.place, moment.times.at);
        if place.drop.is_some_and(DropId::is_adjustments) {
            return self.adjust(record, moment, findings);
        }
        if self.drop == DropId::HOUSE && may_be_the_houses(record) {
            return;
        }
        if let Record::Recovered(recovered) = record {
            self.recovered(recovered, moment, starts, counts, findings);
        } else {
            self.must_be_recovered(moment, findings);
        }
        match (&mut self.phases, record) {
            (Some(phases), record) => phases.record(record, at, place, findings),
            (None, Record::Planned { plan, revision }) if self.drop != DropId::HOUSE => {
                self.phases = Some(Phases::new(Arc::clone(plan), *revision, place, findings));
            }
            (None, record) => {
                return findings.add(place, PhaseFault::NoPlan { record: name(record) });
            }
        }
        let came = self.money.take_came();
        match record {
            Record::Planned { plan, .. } => self.planned(plan),
            Record::Hold(record) => self.hold(record, came, moment, counts, findings),
            Record::Payment(record) => self.payment(record, moment, findings),
            Record::Deadline(record) => self.move_deadlines(*record, moment, findings),
            Record::Correction(record) => self.correct(record, place, findings),
            Record::Phase(PhaseRecord::Settled | PhaseRecord::Voided) => {
                self.settle(place, findings);
            }
            Record::Phase(PhaseRecord::UndoBegun { .. }) => self.undo(place, findings),
            Record::Tally(tally) => {
                let skus = self.phases.as_ref().map_or(0, |phases| phases.plan.skus.len());
                self.tallied.add(tally, skus, place, findings);
            }
            Record::Suspended { span, until } => self.suspensions.add(*span, *until),
            Record::Phase(
                PhaseRecord::Countdown { .. }
                | PhaseRecord::CountdownCancelled
                | PhaseRecord::Opened
                | PhaseRecord::Paused
                | PhaseRecord::Resumed
                | PhaseRecord::Closed
                | PhaseRecord::Cancelled,
            )
            | Record::Lot { .. }
            | Record::Stream(_)
            | Record::Featured
            | Record::Request(_)
            | Record::Unmatched(_)
            | Record::Recovered(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
    }

    /// The end of a hold; takes come before all others of their row.
    fn hold(
        &mut self,
        record: &HoldRecord,
        came: Option<Came>,
        moment: Moment,
        counts: &mut Counts,
        findings: &mut Findings,
    ) {
        match *record {
            HoldRecord::Confirmed { hold, viewer, units, amount, ref channel } => {
                let place = moment.place;
                counts.confirmed += 1;
                self.channel(hold, channel.as_ref(), place, findings);
                self.end(hold, HoldEnd::Confirmed, units, moment, findings);
                self.order(hold, viewer, units, amount, place, findings);
                let phases = self.phases.as_ref();
                let must_be_paid = phases.is_some_and(|phases| phases.plan.payment_terms.is_some());
                self.money.ordered((hold, amount, units), came, must_be_paid, place, findings);
            }
            HoldRecord::Released { hold, units } => {
                counts.released += 1;
                self.end(hold, HoldEnd::Released, units, moment, findings);
            }
            HoldRecord::Expired { hold, units } => {
                counts.expired += 1;
                self.end(hold, HoldEnd::Expired, units, moment, findings);
            }
            HoldRecord::Taken { .. } => {}
        }
    }

    /// A new plan begins with empty pools, unless units were put on sale already.
    fn planned(&mut self, plan: &DropPlan) {
        if self.pools.iter().all(|pool| pool.held + pool.sold == 0) {
            self.pools = plan.pools().iter().map(|(pool, _)| PoolBook::new(pool)).collect();
        }
    }

    /// The SKU under which the tables have a pool.
    pub(super) fn filed_under(&self, pool: PoolIndex) -> SkuIndex {
        let planned = self.phases.as_ref().and_then(|phases| phases.pools.sku_of(pool));
        planned.unwrap_or_else(|| own_number(pool))
    }

    fn take(&mut self, record: &Record, moment: Moment, findings: &mut Findings) {
        let Record::Hold(HoldRecord::Taken {
            hold,
            viewer,
            key,
            units,
            taken_at,
            deadline,
            ref channel,
        }) = *record
        else {
            return;
        };
        let Moment { place, seq, .. } = moment;
        self.must_be_recovered(moment, findings);
        let Some(phases) = &self.phases else {
            return findings.add(place, PhaseFault::NoPlan { record: "taken" });
        };
        if hold.drop_id() != self.drop || hold.incarnation() != moment.incarnation {
            findings.add(place, HoldFault::ForeignHold { hold });
        }
        terms::check(phases, (hold, units), taken_at, deadline, moment.times, place, findings);
        let number = usize::from(hold.pool().get());
        let pools = self.pools.len();
        let (Some(pool), Some(supplied)) =
            (self.pools.get_mut(number), phases.supplied.get(number))
        else {
            return findings.add(place, HoldFault::UnknownPool { hold, pools });
        };
        let deadline_base = UnixMillis::new(deadline.get().saturating_sub(self.outage_ms));
        if let Some(channel) = channel {
            self.channels.insert(hold, channel.clone());
        }
        let (since, end, is_stretched) = (taken_at, None, false);
        let taken = TakenHold { hold, viewer, units, deadline_base, since, seq, end, is_stretched };
        pool.take(taken, *supplied, moment.times.at, place, findings);
        self.viewers.take(phases, viewer, key, (hold, units), place, findings);
    }

    fn end(
        &mut self,
        hold: HoldId,
        end: HoldEnd,
        units: Units,
        moment: Moment,
        findings: &mut Findings,
    ) {
        let place = moment.place;
        if hold.drop_id() != self.drop {
            findings.add(place, HoldFault::ForeignHold { hold });
        }
        let pools = self.pools.len();
        let Some(pool) = self.pools.get_mut(usize::from(hold.pool().get())) else {
            return findings.add(place, HoldFault::UnknownPool { hold, pools });
        };
        let Some(taken) = pool.end(hold, end, units, place, findings) else { return };
        if taken.seq == moment.seq && hold.incarnation() == moment.incarnation {
            findings.add(place, HoldFault::EndedBeforeDurable { hold, end });
        }
        let ends_at = self.ends_at(&taken);
        let CommitTimes { at, decided_after, .. } = moment.times;
        if end == HoldEnd::Expired {
            if at < ends_at {
                findings.add(place, HoldFault::ExpiredEarly { hold, ends_at, at });
            }
        } else if decided_after.since(ends_at).get() > LATE_MS_MAX && !self.is_called_off() {
            findings.add(place, HoldFault::EndedLate { hold, end, ends_at, decided_after });
        }
        if end != HoldEnd::Confirmed {
            self.channels.remove(&hold);
            self.viewers.give(taken.viewer, hold);
        }
    }

    /// An order's channel is the take's.
    fn channel(
        &mut self,
        hold: HoldId,
        confirmed: Option<&ChannelId>,
        place: Place,
        findings: &mut Findings,
    ) {
        let taken = self.channels.remove(&hold);
        if taken.as_ref() != confirmed {
            let confirmed = confirmed.cloned();
            findings.add(place, HoldFault::OtherChannel { hold, taken, confirmed });
        }
    }

    /// An order's buyer is the taker, its amount the plan's price.
    fn order(
        &self,
        hold: HoldId,
        buyer: ViewerNumber,
        units: Units,
        amount: Money,
        place: Place,
        findings: &mut Findings,
    ) {
        let pool = self.pools.get(usize::from(hold.pool().get()));
        if let Some(taker) = pool.and_then(|pool| pool.taker(hold))
            && taker != buyer
        {
            findings.add(place, HoldFault::OtherViewer { hold, taker, buyer });
        }
        let expected = self.goods(hold, units);
        if expected != Some(amount) {
            findings.add(place, HoldFault::Amount { hold, amount, expected });
        }
    }

    /// In a new start, a drop that is not over comes back with a restart record.
    fn must_be_recovered(&mut self, moment: Moment, findings: &mut Findings) {
        let over = self.phases.as_ref().is_some_and(|phases| phases.stage.is_over());
        if moment.incarnation != self.known_in && !over {
            let incarnation = moment.incarnation;
            findings.add(moment.place, HoldFault::NotRecovered { incarnation });
            self.known_in = incarnation;
        }
    }

    fn recovered(
        &mut self,
        recovered: &RecoveredDrop,
        moment: Moment,
        starts: &Starts,
        counts: &mut Counts,
        findings: &mut Findings,
    ) {
        let (place, incarnation) = (moment.place, moment.incarnation);
        if incarnation == self.known_in {
            findings.add(place, HoldFault::RecoveredAgain { incarnation });
        }
        self.check_skipped(starts, incarnation, place, findings);
        self.known_in = incarnation;
        let stated_ms = recovered.outage.get();
        let since = starts.idle_since(self.recovered_at).unwrap_or(self.last_at);
        let gap_ms = moment.times.at.since(since).get();
        self.recovered_at = moment.times.at;
        if stated_ms > gap_ms {
            findings.add(place, HoldFault::Outage { stated_ms, gap_ms });
        }
        self.outage_ms = self.outage_ms.saturating_add(stated_ms);
        let (stated, pools) = (recovered.pools.len(), self.pools.len());
        if stated != pools {
            findings.add(place, HoldFault::RecoveredPools { stated, pools });
        }
        for found in &recovered.pools {
            if let Some(pool) = self.pools.get_mut(usize::from(found.pool.get())) {
                counts.takes_lost += pool.recovered(found, place, findings);
            }
        }
    }

    /// Reports the starts that worked without recovering this drop.
    fn check_skipped(
        &self,
        starts: &Starts,
        until: Incarnation,
        place: Place,
        findings: &mut Findings,
    ) {
        let between =
            starts.worked.iter().filter(|start| **start > self.known_in && **start < until);
        for incarnation in between {
            findings.add(place, HoldFault::NotRecovered { incarnation: *incarnation });
        }
    }

    /// Checks what the journal leaves open; `end_times` are the last commits of the starts. A number on
    /// its way is of the start that knew the drop last: a later one that has not brought the drop back yet
    /// will list the number as lost, however long the node was down.
    pub(super) fn finish(
        &mut self,
        starts: &Starts,
        end_times: &HashMap<Incarnation, UnixMillis>,
        counts: &mut Counts,
        findings: &mut Findings,
    ) {
        let over = self.phases.as_ref().is_some_and(|phases| phases.stage.is_over());
        if self.drop == DropId::HOUSE || over {
            return;
        }
        let place = Place::drop(self.drop);
        self.check_skipped(starts, Incarnation::MAX, place, findings);
        let last_at = end_times.get(&self.known_in).copied().unwrap_or_default();
        let suspensions = &self.suspensions;
        // While the node served nobody, nothing could follow.
        let waited_ms =
            |since| last_at.since(since).get().saturating_sub(suspensions.moved_ms(since));
        for pool in &mut self.pools {
            counts.live_holds += pool.live();
            counts.takes_under_way += pool.finish(waited_ms, place, findings);
        }
    }

    /// Sums of each pool: supplied, then held plus sold.
    pub(super) fn sums(&self) -> impl Iterator<Item = (PoolIndex, u64, u64)> + '_ {
        let supplied = self.phases.iter().flat_map(|phases| phases.supplied.iter().copied());
        (0_u8..).zip(self.pools.iter().zip(supplied)).filter_map(|(place, (pool, supplied))| {
            Some((PoolIndex::new(place)?, supplied, pool.held + pool.sold))
        })
    }
}

/// Commands also stand in the house's chain; the other records of the house stand nowhere else.
const fn may_be_the_houses(record: &Record) -> bool {
    matches!(
        record,
        Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Unmatched(_)
            | Record::Brake(_)
    )
}
