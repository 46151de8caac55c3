//! The fold of one drop's rows.

mod corrections;
mod payments;

use std::{collections::HashSet, sync::Arc};

use stampede_domain::{
    ChannelId, Currency, DropId, DropPlan, DurationMs, HoldId, Money, Phase, PoolIndex, Seq,
    SkuIndex, SkuPlan, Units, UnixMillis, ViewerNumber,
};
use stampede_ledger::{
    DeadlineRecord, HoldRecord, PhaseRecord, Record, RecoveredDrop, Row, RowHash, Tally,
};

use super::{
    FoldError,
    adjustments::Adjustments,
    changes::{Changed, Changes},
    channels::{ChannelReport, Channels},
    click_sources::ClickSources,
    course::{Counts, Course},
    figures::{DropReport, Ends, JournalFigures, SkuReport, TakenUnits},
    gaps::Absences,
    money::MoneyFold,
    pace::Pace,
    phases::{self, PhaseTime},
    sums::OrderSums,
    terms::{PoolSums, SkuSums, Terms},
};

/// How records are ended, for sums.
#[derive(Clone, Copy)]
enum End {
    Released,
    Expired,
}

/// The figures of one drop, row by row.
#[derive(Clone, Debug)]
pub struct DropFold {
    drop: DropId,
    terms: Option<Terms>,
    phases: Vec<PhaseTime>,
    changes: Changes,
    as_of: UnixMillis,
    taken: TakenUnits,
    buyers: HashSet<ViewerNumber, foldhash::fast::RandomState>,
    channels: Channels,
    money: MoneyFold,
    oversold: u64,
    tallied: Tally,
    sources: ClickSources,
    tally_clicks_max: u64,
    outage_ms: u64,
    restarts: u64,
    restarts_live: u64,
    absences: Absences,
    pace: Pace,
    course: Course,
    journal: JournalFigures,
    /// Hash of the latest row of the drop's chain.
    head: Option<RowHash>,
    /// Time of the latest row that came after the chain had ended, with the records of them all.
    adjusted: Option<(UnixMillis, u64)>,
}

impl DropFold {
    /// Begins before the drop's first row.
    pub fn new(drop: DropId) -> Self {
        Self {
            drop,
            terms: None,
            phases: Vec::new(),
            changes: Changes::default(),
            as_of: UnixMillis::default(),
            taken: TakenUnits::default(),
            buyers: HashSet::default(),
            channels: Channels::default(),
            money: MoneyFold::default(),
            oversold: 0,
            tallied: Tally::default(),
            sources: ClickSources::default(),
            tally_clicks_max: 0,
            outage_ms: 0,
            restarts: 0,
            restarts_live: 0,
            absences: Absences::default(),
            pace: Pace::default(),
            course: Course::default(),
            journal: JournalFigures::default(),
            head: None,
            adjusted: None,
        }
    }

    /// Takes in the next row of the drop's chain, or of what came after it had ended.
    ///
    /// Takes count before everything else of the row: whatever comes back comes back after the
    /// commit.
    ///
    /// # Errors
    /// [`FoldError`]; the fold is of no use then.
    pub fn apply(&mut self, row: &Row) -> Result<(), FoldError> {
        let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
        let fail = |source| FoldError::Record { drop, incarnation, seq, source };
        let at = row.header().map_err(fail)?.at;
        if row.drop != self.drop {
            return self.adjust(row, at);
        }
        self.head = Some(row.hash);
        self.changes.begin_row();
        self.as_of = self.as_of.max(at);
        self.journal.commits += 1;
        self.journal.bytes += u64::try_from(row.body.len()).expect("a row's size is bounded");
        let mut rest = Vec::new();
        for record in row.decode() {
            self.journal.records += 1;
            let record = record.map_err(fail)?;
            if let Record::Hold(HoldRecord::Taken { hold, units, taken_at, channel, .. }) = record {
                self.take(hold, (units, channel.as_ref()), taken_at, seq)?;
            } else {
                rest.push(record);
            }
        }
        rest.iter().try_for_each(|record| self.record(record, at, seq))
    }

    fn record(&mut self, record: &Record, at: UnixMillis, seq: Seq) -> Result<(), FoldError> {
        let plan = self.terms.as_ref().map(|terms| Arc::clone(&terms.plan));
        if let Some((phase, by_stream)) = phases::next(&self.phases, plan.as_deref(), record) {
            self.phases.push(PhaseTime { phase, at, by_stream });
            if by_stream && phase == Phase::Scheduled {
                self.changes.add_unasked(at, Changed::CountdownCancelled);
            }
        }
        match record {
            Record::Planned { plan, revision } => self.planned(plan, *revision),
            Record::Phase(PhaseRecord::Opened) => self.pace.open(at),
            Record::Phase(PhaseRecord::CountdownCancelled) => {
                self.changes.add(at, Changed::CountdownCancelled);
            }
            Record::Phase(PhaseRecord::UndoBegun { copy }) => {
                self.changes.add(at, Changed::OpeningUndone(*copy));
            }
            Record::Lot { pool, units, .. } => self.lot((*pool, *units), (at, seq))?,
            Record::Correction(record) => self.correct(record, (at, seq))?,
            Record::Deadline(DeadlineRecord::Extended { span, .. }) => {
                self.changes.add(at, Changed::HoldsExtended(*span));
            }
            Record::Command(command) => self.changes.command(command),
            Record::Hold(HoldRecord::Confirmed { hold, viewer, units, amount, channel }) => {
                self.confirm(*hold, *units, *amount, (at, seq))?;
                self.order(*hold, (*units, *amount), channel.as_ref(), seq)?;
                self.buyers.insert(*viewer);
            }
            Record::Hold(HoldRecord::Released { hold, units }) => {
                self.give(*hold, *units, End::Released, (at, seq))?;
            }
            Record::Hold(HoldRecord::Expired { hold, units }) => {
                self.give(*hold, *units, End::Expired, (at, seq))?;
            }
            Record::Recovered(recovered) => self.recovered(recovered, at),
            Record::Suspended { span, until } => {
                self.outage_ms = self.outage_ms.saturating_add(span.get());
                self.absences.add(*span, *until, self.pace.opened_at());
            }
            Record::Payment(record) => self.paid(record, seq)?,
            Record::Tally(tally) => self.tally(tally, at),
            Record::Phase(
                PhaseRecord::Countdown { .. }
                | PhaseRecord::Paused
                | PhaseRecord::Resumed
                | PhaseRecord::Closed
                | PhaseRecord::Settled
                | PhaseRecord::Cancelled
                | PhaseRecord::Voided,
            )
            // Takes come before all others of their row.
            | Record::Hold(HoldRecord::Taken { .. })
            | Record::Stream(_)
            | Record::Featured
            | Record::Request(_)
            | Record::Deadline(DeadlineRecord::Stretched { .. })
            | Record::Unmatched(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
        Ok(())
    }

    fn recovered(&mut self, recovered: &RecoveredDrop, at: UnixMillis) {
        self.restarts += 1;
        self.restarts_live += u64::from(phases::sells(&self.phases));
        self.outage_ms = self.outage_ms.saturating_add(recovered.outage.get());
        self.absences.add(recovered.outage, at, self.pace.opened_at());
    }

    fn planned(&mut self, plan: &Arc<DropPlan>, revision: u32) {
        self.terms = Terms::new(plan, revision, plan.pools()).or(self.terms.take());
    }

    fn take(
        &mut self,
        hold: HoldId,
        (units, channel): (Units, Option<&ChannelId>),
        taken_at: UnixMillis,
        seq: Seq,
    ) -> Result<(), FoldError> {
        let count = u64::from(units.get());
        self.taken.all.add(count);
        self.channels.take(hold, channel, count);
        let pool = self.pool(hold.pool(), seq)?;
        pool.held += count;
        pool.taken += count;
        let excess = (pool.held + pool.sold).saturating_sub(pool.supplied);
        self.oversold = self.oversold.max(excess);
        self.happened(taken_at, Counts { taken: count, clicks: 1, ..Counts::default() });
        let Some(terms) = &mut self.terms else { return Ok(()) };
        let all = PoolSums::of(&terms.pools);
        let now = self.pace.take(taken_at, count, all.held + all.sold, all.supplied);
        terms.mark_sold_out(hold.pool(), now);
        Ok(())
    }

    fn confirm(
        &mut self,
        hold: HoldId,
        units: Units,
        amount: Money,
        (at, seq): (UnixMillis, Seq),
    ) -> Result<(), FoldError> {
        let count = u64::from(units.get());
        let money = FoldError::Money { drop: self.drop, seq };
        self.end(hold, count, seq)?;
        self.taken.confirmed.add(count);
        let pool = self.pool(hold.pool(), seq)?;
        pool.sold += count;
        pool.orders += 1;
        self.happened(at, Counts { paid: count, ..Counts::default() });
        let Some(terms) = &mut self.terms else { return Err(money) };
        let all = PoolSums::of(&terms.pools);
        self.pace.pay(at, all.sold, all.supplied);
        terms.add_gross(hold.pool(), amount).ok_or(money)
    }

    /// Credits an order to its channel, and begins its account.
    fn order(
        &mut self,
        hold: HoldId,
        (units, amount): (Units, Money),
        channel: Option<&ChannelId>,
        seq: Seq,
    ) -> Result<(), FoldError> {
        let place = self.channels.place(channel);
        let sum = self.channels.order(hold, place, units.get().into(), amount);
        sum.ok_or(FoldError::Money { drop: self.drop, seq })?;
        let has_terms = self.plan().is_some_and(|plan| plan.payment_terms.is_some());
        self.money.ordered(hold, (units, amount), place, has_terms);
        Ok(())
    }

    fn give(
        &mut self,
        hold: HoldId,
        units: Units,
        end: End,
        (at, seq): (UnixMillis, Seq),
    ) -> Result<(), FoldError> {
        let count = u64::from(units.get());
        self.end(hold, count, seq)?;
        self.pool(hold.pool(), seq)?.came_back += count;
        self.channels.give(hold, count);
        self.happened(at, Counts { came_back: count, ..Counts::default() });
        match end {
            End::Released => self.taken.released.add(count),
            End::Expired => self.taken.expired.add(count),
        }
        Ok(())
    }

    /// Puts something on the drop's course. In a sound journal nothing but clicks comes before the opening.
    fn happened(&mut self, at: UnixMillis, counts: Counts) {
        self.course.add(self.pace.after_ms(at).unwrap_or(0), counts);
    }

    fn end(&mut self, hold: HoldId, count: u64, seq: Seq) -> Result<(), FoldError> {
        let unbalanced = FoldError::Unbalanced { drop: self.drop, seq, pool: hold.pool() };
        let pool = self.pool(hold.pool(), seq)?;
        pool.held = pool.held.checked_sub(count).ok_or(unbalanced)?;
        Ok(())
    }

    fn tally(&mut self, tally: &Tally, at: UnixMillis) {
        let refused = tally.refusals.total();
        // The journal has each take, so a tally only adds the other clicks.
        let clicks = tally.retries.saturating_add(refused);
        let connected = Some(tally.connected);
        let counts = Counts { clicks, refused, connected, ..Counts::default() };
        match self.pace.after_ms(at) {
            Some(after_ms) => self.course.add(after_ms, counts),
            None => self.course.add_early(counts),
        }
        let sum = &mut self.tallied;
        sum.held = sum.held.saturating_add(tally.held);
        sum.retries = sum.retries.saturating_add(tally.retries);
        sum.connected = sum.connected.max(tally.connected);
        for (code, times) in tally.refusals.iter() {
            sum.refusals.add(code, times);
        }
        sum.answers.merge(&tally.answers);
        self.sources.add(tally);
        for (channel, clicks) in tally.sources.iter().flat_map(|sources| &sources.channels.named) {
            self.channels.click(channel, *clicks);
        }
        self.tally_clicks_max = self.tally_clicks_max.max(tally.clicks());
    }

    fn pool(&mut self, pool: PoolIndex, seq: Seq) -> Result<&mut PoolSums, FoldError> {
        let drop = self.drop;
        let terms = self.terms.as_mut().ok_or(FoldError::NoPlan { drop, seq })?;
        let found = terms.pools.get_mut(usize::from(pool.get()));
        found.ok_or(FoldError::UnknownPool { drop, seq, pool })
    }

    /// The plan in its latest revision; `None` before the first.
    pub fn plan(&self) -> Option<&Arc<DropPlan>> {
        self.terms.as_ref().map(|terms| &terms.plan)
    }

    /// The SKU whose units a pool holds, by the latest plan.
    pub fn sku_of(&self, pool: PoolIndex) -> Option<&SkuPlan> {
        let terms = self.terms.as_ref()?;
        terms.plan.sku(terms.map.sku_of(pool)?)
    }

    /// What the fold keeps: each second, channel, live hold, buyer, account, change.
    pub(crate) fn entries(&self) -> usize {
        self.course.seconds_kept()
            + self.channels.count()
            + self.channels.live()
            + self.buyers.len()
            + self.money.accounts()
            + self.changes.kept()
    }

    /// The figures so far; `None` before the first plan.
    pub fn report(&self) -> Option<DropReport> {
        let terms = self.terms.as_ref()?;
        let PoolSums { supplied, held, sold, .. } = PoolSums::of(&terms.pools);
        let phase = self.phases.last().map_or(Phase::Scheduled, |latest| latest.phase);
        let currency = terms.gross.currency();
        let opened_at = self.pace.opened_at();
        let (gaps, gaps_cut) = self.absences.gaps(&self.phases, opened_at, self.as_of);
        let skus = self.skus(terms);
        Some(DropReport {
            drop: self.drop,
            plan: Arc::clone(&terms.plan),
            revision: terms.revision,
            phase,
            phases: self.phases.clone(),
            changes: self.changes.list(),
            as_of: self.as_of,
            closing_hash: self.head.filter(|_| phase.is_final()),
            supplied,
            held,
            sold,
            oversold: self.oversold,
            stranded: self.settled_at().map(|_| self.stranded(supplied, sold)),
            taken: self.taken,
            taken_again: skus.iter().map(SkuReport::taken_again).sum(),
            skus,
            buyers: self.buyers(),
            channels: self.channels(currency),
            clicks_by_channel_other: self.sources.other_channels(),
            refusals: self.tallied.refusals,
            retries: self.tallied.retries,
            tallied_held: self.tallied.held,
            restarts_live: self.restarts_live,
            answers: self.tallied.answers,
            tally_clicks_max: self.tally_clicks_max,
            connected_max: self.tallied.connected,
            opened_at,
            sold_out_after: self.pace.sold_out_after(),
            half_after: self.pace.half_after(),
            nine_tenths_after: self.pace.nine_tenths_after(),
            last_taken_after: self.pace.last_taken_after(),
            half_paid_after: self.pace.half_paid_after(),
            all_paid_after: self.pace.all_paid_after(),
            last_paid_after: self.pace.last_paid_after(),
            settled_after: self.pace.since_opening(self.settled_at()),
            gaps,
            gaps_cut,
            paused: phases::time_in(&self.phases, Phase::Paused, self.as_of),
            outage: DurationMs::new(self.outage_ms),
            restarts: self.restarts,
            gross: terms.gross,
            money: self.money.all().money(currency),
            cancelled: self.money.all().cancelled,
            open_money: self.money.open(currency),
            adjustments: self.adjustments(),
            pace: self.pace.curve().clone(),
            course: self.course.curve().clone(),
            early: self.course.early(),
            seconds: self.course.seconds(),
            seconds_cut: self.course.is_cut(),
            journal: self.journal,
        })
    }

    fn settled_at(&self) -> Option<UnixMillis> {
        let settled = self.phases.iter().find(|begun| begun.phase == Phase::Settled);
        settled.map(|begun| begun.at)
    }

    /// Units that nobody got although somebody was refused for want of them.
    fn stranded(&self, supplied: u64, sold: u64) -> u64 {
        let is_refused = self.tallied.refusals.for_want() > 0;
        if is_refused { supplied.saturating_sub(sold) } else { 0 }
    }

    fn channels(&self, currency: Currency) -> Vec<ChannelReport> {
        let other = self.sources.other_channels();
        let clicks = other.map(|other| self.tallied.clicks().saturating_sub(other));
        let of_orders = |place| {
            (self.money.of_channel(place).money(currency), self.money.channel_since_end(place))
        };
        self.channels.reports(currency, clicks, of_orders)
    }

    fn buyers(&self) -> Arc<[ViewerNumber]> {
        let mut buyers: Vec<ViewerNumber> = self.buyers.iter().copied().collect();
        buyers.sort_unstable();
        buyers.into()
    }

    fn adjustments(&self) -> Option<Adjustments> {
        let (as_of, records) = self.adjusted?;
        let (money, cancelled) = self.money.since_end();
        Some(Adjustments { as_of, records, cancelled, money })
    }

    fn skus(&self, terms: &Terms) -> Vec<SkuReport> {
        let for_want = self.tallied.refusals.for_want();
        let places = (0..=u8::MAX).filter_map(SkuIndex::new);
        let figures = places.zip(&terms.skus).map(|(sku, SkuSums { gross, sold_out })| {
            let PoolSums { supplied, held, sold, taken, came_back, orders, reserve, lots } =
                terms.of_sku(sku);
            let sold_out_after = self.pace.since_opening(*sold_out);
            let of_pools = terms.map.pools_of(sku).map(|pool| self.money.of_pool(pool));
            let money =
                of_pools.fold(OrderSums::default(), OrderSums::plus).money(gross.currency());
            SkuReport {
                sku,
                supplied,
                lots,
                reserve,
                held,
                sold,
                taken,
                came_back,
                orders,
                refused_for_want: self.sources.for_want(sku, for_want),
                gross: *gross,
                money,
                sold_out_after,
            }
        });
        figures.collect()
    }
}

impl Ends {
    fn add(&mut self, units: u64) {
        self.holds += 1;
        self.units += units;
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{Incarnation, PoolMap, SlotIndex, TakeNumber};
    use stampede_testkit::{euros, plan_of, sku, units};

    use super::*;

    #[test]
    fn a_sku_has_the_sums_of_all_its_pools() {
        let (drop, seq, at) = (DropId::new(1), Seq::new(1).unwrap(), UnixMillis::new(1_000));
        let pool = |number| PoolIndex::new(number).unwrap();
        let hold = |number, take: u32| {
            let (slot, take) = (SlotIndex::new(take), TakeNumber::new(take.into()));
            let start = Incarnation::new(1).unwrap();
            HoldId::new(drop, start, pool(number), slot.unwrap(), take.unwrap())
        };
        let plan = Arc::new(plan_of([sku("mug", 2), sku("cup", 1)]));
        let map = PoolMap::new([0, 1, 0].map(|of| SkuIndex::new(of).unwrap())).unwrap();
        let mut fold = DropFold::new(drop);
        fold.terms = Terms::new(&plan, 1, map);
        fold.record(&Record::Phase(PhaseRecord::Opened), at, seq).unwrap();
        for (number, count) in [(0, 2), (1, 1), (2, 1)] {
            let lot = Record::Lot { pool: pool(number), units: units(count), lot: 1 };
            fold.record(&lot, at, seq).unwrap();
        }
        fold.take(hold(0, 1), (units(2), None), at.plus(DurationMs::new(1)), seq).unwrap();
        let sold_out = |fold: &DropFold| -> Vec<_> {
            let skus = fold.report().unwrap().skus;
            skus.iter().map(|sku| sku.sold_out_after.map(DurationMs::get)).collect()
        };
        assert_eq!(sold_out(&fold), [None, None], "a pool is empty, the SKU is not");
        fold.take(hold(2, 1), (units(1), None), at.plus(DurationMs::new(5)), seq).unwrap();
        fold.confirm(hold(2, 1), units(1), euros(1990), (at, seq)).unwrap();
        assert_eq!(sold_out(&fold), [Some(5), None]);
        let report = fold.report().unwrap();
        let figures = |sku: &SkuReport| (sku.supplied, sku.held, sku.sold, sku.gross.minor());
        let skus: Vec<_> = report.skus.iter().map(figures).collect();
        assert_eq!(skus, [(3, 2, 1, 1990), (1, 0, 0, 0)]);
        assert_eq!((report.supplied, report.held, report.sold), (4, 2, 1));
        assert_eq!(fold.sku_of(pool(2)).map(|sku| sku.id.as_str()), Some("mug"));
    }
}
