//! The fold of one drop's rows.

use std::{collections::HashSet, sync::Arc};

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, Money, Phase, PoolIndex, PoolMap, Seq, SkuIndex, SkuPlan,
    Units, UnixMillis, ViewerNumber,
};
use stampede_ledger::{HoldRecord, PhaseRecord, Record, RefusalCounts, Row, Tally};

use super::{
    FoldError,
    channels::ChannelSums,
    figures::{DropReport, Ends, JournalFigures, SkuReport, TakenUnits},
    money::{MoneyFold, OrderSums},
    pace::Pace,
    phases::{self, PhaseTime},
};

/// Units of one pool, or of several together.
#[derive(Clone, Copy, Debug, Default)]
struct PoolSums {
    supplied: u64,
    held: u64,
    sold: u64,
}

/// What is kept of one SKU beside the sums of its pools.
#[derive(Clone, Copy, Debug)]
struct SkuSums {
    gross: Money,
    sold_out: Option<UnixMillis>,
}

/// What the plan brings into the fold.
#[derive(Clone, Debug)]
struct Terms {
    plan: Arc<DropPlan>,
    revision: u32,
    map: PoolMap,
    /// By pool.
    pools: Vec<PoolSums>,
    /// By SKU.
    skus: Vec<SkuSums>,
    gross: Money,
}

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
    as_of: UnixMillis,
    taken: TakenUnits,
    buyers: HashSet<ViewerNumber>,
    channels: ChannelSums,
    money: MoneyFold,
    oversold: u64,
    tallied: Tally,
    tally_clicks_max: u64,
    outage_ms: u64,
    restarts: u64,
    restarts_live: u64,
    pace: Pace,
    journal: JournalFigures,
}

impl DropFold {
    /// Begins before the drop's first row.
    pub fn new(drop: DropId) -> Self {
        Self {
            drop,
            terms: None,
            phases: Vec::new(),
            as_of: UnixMillis::default(),
            taken: TakenUnits::default(),
            buyers: HashSet::new(),
            channels: ChannelSums::default(),
            money: MoneyFold::default(),
            oversold: 0,
            tallied: Tally::default(),
            tally_clicks_max: 0,
            outage_ms: 0,
            restarts: 0,
            restarts_live: 0,
            pace: Pace::default(),
            journal: JournalFigures::default(),
        }
    }

    /// Takes in the drop's next row.
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
        self.as_of = self.as_of.max(at);
        self.journal.commits += 1;
        self.journal.bytes += u64::try_from(row.body.len()).expect("a row's size is bounded");
        let mut rest = Vec::new();
        for record in row.decode() {
            self.journal.records += 1;
            let record = record.map_err(fail)?;
            if let Record::Hold(HoldRecord::Taken { hold, units, taken_at, .. }) = record {
                self.take(hold, units, taken_at, seq)?;
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
        }
        match record {
            Record::Planned { plan, revision } => self.planned(plan, *revision),
            Record::Phase(PhaseRecord::Opened) => self.pace.open(at),
            Record::Lot { pool, units, .. } => {
                self.pool(*pool, seq)?.supplied += u64::from(units.get());
            }
            Record::Hold(HoldRecord::Confirmed { hold, viewer, units, amount, channel }) => {
                self.confirm(*hold, *units, *amount, seq)?;
                let sum = self.channels.add(channel.as_ref(), units.get().into(), *amount);
                sum.ok_or(FoldError::Money { drop: self.drop, seq })?;
                let has_terms = plan.is_some_and(|plan| plan.payment_terms.is_some());
                self.money.ordered(*hold, (*units, *amount), channel.as_ref(), has_terms);
                self.buyers.insert(*viewer);
            }
            Record::Hold(HoldRecord::Released { hold, units }) => {
                self.give(*hold, *units, End::Released, seq)?;
            }
            Record::Hold(HoldRecord::Expired { hold, units }) => {
                self.give(*hold, *units, End::Expired, seq)?;
            }
            Record::Recovered(recovered) => {
                self.restarts += 1;
                let phase = self.phases.last().map(|begun| begun.phase);
                let counts = |phase| matches!(phase, Phase::Open | Phase::Paused | Phase::Closed);
                self.restarts_live += u64::from(phase.is_some_and(counts));
                self.outage_ms = self.outage_ms.saturating_add(recovered.outage.get());
            }
            Record::Suspended { span, .. } => {
                self.outage_ms = self.outage_ms.saturating_add(span.get());
            }
            Record::Payment(record) => {
                let terms = self.terms.as_ref().ok_or(FoldError::NoPlan { drop: self.drop, seq })?;
                self.money.record(record, terms.gross.currency());
            }
            Record::Tally(tally) => self.tally(tally),
            Record::Phase(
                PhaseRecord::Countdown { .. }
                | PhaseRecord::CountdownCancelled
                | PhaseRecord::Paused
                | PhaseRecord::Resumed
                | PhaseRecord::Closed
                | PhaseRecord::Settled
                | PhaseRecord::Cancelled,
            )
            // Takes come before all others of their row.
            | Record::Hold(HoldRecord::Taken { .. })
            | Record::Stream(_)
            | Record::Featured
            | Record::Deadline(_)
            | Record::Unmatched(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
        Ok(())
    }

    fn planned(&mut self, plan: &Arc<DropPlan>, revision: u32) {
        self.terms = Terms::new(plan, revision, plan.pools()).or(self.terms.take());
    }

    fn take(
        &mut self,
        hold: HoldId,
        units: Units,
        taken_at: UnixMillis,
        seq: Seq,
    ) -> Result<(), FoldError> {
        let count = u64::from(units.get());
        self.taken.all.add(count);
        let pool = self.pool(hold.pool(), seq)?;
        pool.held += count;
        let excess = (pool.held + pool.sold).saturating_sub(pool.supplied);
        self.oversold = self.oversold.max(excess);
        let Some(terms) = &mut self.terms else { return Ok(()) };
        let all = PoolSums::of(&terms.pools);
        let now = self.pace.take(taken_at, count, all.held + all.sold, all.supplied);
        if let Some(sku) = terms.map.sku_of(hold.pool()) {
            let sums = terms.of_sku(sku);
            if sums.held + sums.sold >= sums.supplied {
                terms.skus[usize::from(sku.get())].sold_out.get_or_insert(now);
            }
        }
        Ok(())
    }

    fn confirm(
        &mut self,
        hold: HoldId,
        units: Units,
        amount: Money,
        seq: Seq,
    ) -> Result<(), FoldError> {
        let count = u64::from(units.get());
        let money = FoldError::Money { drop: self.drop, seq };
        self.end(hold, count, seq)?;
        self.taken.confirmed.add(count);
        let pool = self.pool(hold.pool(), seq)?;
        pool.sold += count;
        let added = self.terms.as_mut().map(|terms| terms.add_gross(hold.pool(), amount));
        added.flatten().ok_or(money)
    }

    fn give(&mut self, hold: HoldId, units: Units, end: End, seq: Seq) -> Result<(), FoldError> {
        let count = u64::from(units.get());
        self.end(hold, count, seq)?;
        match end {
            End::Released => self.taken.released.add(count),
            End::Expired => self.taken.expired.add(count),
        }
        Ok(())
    }

    fn end(&mut self, hold: HoldId, count: u64, seq: Seq) -> Result<(), FoldError> {
        let unbalanced = FoldError::Unbalanced { drop: self.drop, seq, pool: hold.pool() };
        let pool = self.pool(hold.pool(), seq)?;
        pool.held = pool.held.checked_sub(count).ok_or(unbalanced)?;
        Ok(())
    }

    fn tally(&mut self, tally: &Tally) {
        let sum = &mut self.tallied;
        sum.held = sum.held.saturating_add(tally.held);
        sum.retries = sum.retries.saturating_add(tally.retries);
        sum.connected = sum.connected.max(tally.connected);
        for (code, times) in tally.refusals.iter() {
            sum.refusals.add(code, times);
        }
        sum.answers.merge(&tally.answers);
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

    /// The figures so far; `None` before the first plan.
    pub fn report(&self) -> Option<DropReport> {
        let terms = self.terms.as_ref()?;
        let PoolSums { supplied, held, sold } = PoolSums::of(&terms.pools);
        let phase = self.phases.last().map_or(Phase::Scheduled, |latest| latest.phase);
        let settled = self.phases.iter().find(|begun| begun.phase == Phase::Settled);
        let refusals: RefusalCounts = self.tallied.refusals;
        let (channels, channels_left_out) = self.channels.listed(&self.money);
        let currency = terms.gross.currency();
        let mut report = DropReport {
            drop: self.drop,
            plan: Arc::clone(&terms.plan),
            revision: terms.revision,
            phase,
            phases: self.phases.clone(),
            as_of: self.as_of,
            supplied,
            held,
            sold,
            oversold: self.oversold,
            stranded: None,
            taken: self.taken,
            skus: self.skus(terms),
            buyers: u64::try_from(self.buyers.len()).expect("a set in memory fits 64 bits"),
            channels,
            channels_left_out,
            refusals,
            retries: self.tallied.retries,
            tallied_held: self.tallied.held,
            restarts_live: self.restarts_live,
            answers: self.tallied.answers,
            tally_clicks_max: self.tally_clicks_max,
            connected_max: self.tallied.connected,
            opened_at: self.pace.opened_at(),
            sold_out_after: self.pace.sold_out_after(),
            half_after: self.pace.half_after(),
            nine_tenths_after: self.pace.nine_tenths_after(),
            settled_after: self.pace.since_opening(settled.map(|begun| begun.at)),
            paused: phases::time_in(&self.phases, Phase::Paused, self.as_of),
            outage: DurationMs::new(self.outage_ms),
            restarts: self.restarts,
            gross: terms.gross,
            money: self.money.all().money(currency),
            open_money: self.money.open(currency),
            seconds: self.pace.seconds(),
            seconds_cut: self.pace.is_cut(),
            journal: self.journal,
        };
        if settled.is_some() {
            let unsold = supplied.saturating_sub(sold);
            report.stranded = Some(if report.refused_for_stock() > 0 { unsold } else { 0 });
        }
        Some(report)
    }

    fn skus(&self, terms: &Terms) -> Vec<SkuReport> {
        let places = (0..=u8::MAX).filter_map(SkuIndex::new);
        let figures = places.zip(&terms.skus).map(|(sku, SkuSums { gross, sold_out })| {
            let PoolSums { supplied, held, sold } = terms.of_sku(sku);
            let sold_out_after = self.pace.since_opening(*sold_out);
            let of_pools = terms.map.pools_of(sku).map(|pool| self.money.of_pool(pool));
            let money =
                of_pools.fold(OrderSums::default(), OrderSums::plus).money(gross.currency());
            SkuReport { sku, supplied, held, sold, gross: *gross, money, sold_out_after }
        });
        figures.collect()
    }
}

impl PoolSums {
    fn of<'a>(pools: impl IntoIterator<Item = &'a Self>) -> Self {
        pools.into_iter().fold(Self::default(), |sum, pool| Self {
            supplied: sum.supplied + pool.supplied,
            held: sum.held + pool.held,
            sold: sum.sold + pool.sold,
        })
    }
}

impl Terms {
    /// Plans change only before anything is supplied, so the pools begin empty. `None` if the plan sells
    /// nothing.
    fn new(plan: &Arc<DropPlan>, revision: u32, map: PoolMap) -> Option<Self> {
        let gross = Money::new(0, plan.skus.first()?.price.currency())?;
        let pools = vec![PoolSums::default(); map.count()];
        let skus = vec![SkuSums { gross, sold_out: None }; map.skus()];
        Some(Self { plan: Arc::clone(plan), revision, map, pools, skus, gross })
    }

    /// Units in the pools of a SKU.
    fn of_sku(&self, sku: SkuIndex) -> PoolSums {
        PoolSums::of(self.map.pools_of(sku).map(|pool| &self.pools[usize::from(pool.get())]))
    }

    /// Adds the price of an order; `None` if the pool has no SKU, or a sum is too large.
    fn add_gross(&mut self, pool: PoolIndex, amount: Money) -> Option<()> {
        let sku = self.map.sku_of(pool)?;
        let sums = &mut self.skus[usize::from(sku.get())];
        sums.gross = sums.gross.checked_add(amount)?;
        self.gross = self.gross.checked_add(amount)?;
        Some(())
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
    use stampede_domain::{Incarnation, SlotIndex, TakeNumber};
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
        fold.take(hold(0, 1), units(2), at.plus(DurationMs::new(1)), seq).unwrap();
        let sold_out = |fold: &DropFold| -> Vec<_> {
            let skus = fold.report().unwrap().skus;
            skus.iter().map(|sku| sku.sold_out_after.map(DurationMs::get)).collect()
        };
        assert_eq!(sold_out(&fold), [None, None], "a pool is empty, the SKU is not");
        fold.take(hold(2, 1), units(1), at.plus(DurationMs::new(5)), seq).unwrap();
        fold.confirm(hold(2, 1), units(1), euros(1990), seq).unwrap();
        assert_eq!(sold_out(&fold), [Some(5), None]);
        let report = fold.report().unwrap();
        let figures = |sku: &SkuReport| (sku.supplied, sku.held, sku.sold, sku.gross.minor());
        let skus: Vec<_> = report.skus.iter().map(figures).collect();
        assert_eq!(skus, [(3, 2, 1, 1990), (1, 0, 0, 0)]);
        assert_eq!((report.supplied, report.held, report.sold), (4, 2, 1));
        assert_eq!(fold.sku_of(pool(2)).map(|sku| sku.id.as_str()), Some("mug"));
    }
}
