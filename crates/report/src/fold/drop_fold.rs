//! The fold of one drop's rows.

use std::{collections::HashSet, sync::Arc};

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, Money, Phase, PoolIndex, Seq, SkuIndex, Units,
    UnixMillis, ViewerNumber,
};
use stampede_ledger::{HoldRecord, PhaseRecord, Record, RefusalCounts, Row, Tally};

use super::{
    FoldError,
    channels::ChannelSums,
    figures::{DropReport, Ends, JournalFigures, SkuReport, Taken},
    pace::Pace,
    phases::{self, PhaseTime},
};

/// One pool's sums.
#[derive(Clone, Copy, Debug)]
struct PoolSums {
    supplied: u64,
    held: u64,
    sold: u64,
    gross: Money,
    sold_out: Option<UnixMillis>,
}

/// What the plan brings into the fold.
#[derive(Clone, Debug)]
struct Terms {
    plan: Arc<DropPlan>,
    revision: u32,
    pools: Vec<PoolSums>,
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
    taken: Taken,
    buyers: HashSet<ViewerNumber>,
    channels: ChannelSums,
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
            taken: Taken::default(),
            buyers: HashSet::new(),
            channels: ChannelSums::default(),
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
        let plan = self.terms.as_ref().map(|terms| &*terms.plan);
        if let Some((phase, by_stream)) = phases::next(&self.phases, plan, record) {
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
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
        Ok(())
    }

    /// Plans change only before anything is supplied, so the pools begin empty.
    fn planned(&mut self, plan: &Arc<DropPlan>, revision: u32) {
        let Some(first) = plan.skus.first() else { return };
        let gross = Money::new(0, first.price.currency()).expect("zero is an amount");
        let empty = PoolSums { supplied: 0, held: 0, sold: 0, gross, sold_out: None };
        let pools = vec![empty; plan.skus.len()];
        self.terms = Some(Terms { plan: Arc::clone(plan), revision, pools, gross });
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
        let is_empty = pool.held + pool.sold >= pool.supplied;
        self.oversold = self.oversold.max(excess);
        let (mut taken, mut supplied) = (0, 0);
        for pool in self.terms.iter().flat_map(|terms| &terms.pools) {
            taken += pool.held + pool.sold;
            supplied += pool.supplied;
        }
        let now = self.pace.take(taken_at, count, taken, supplied);
        if is_empty {
            self.pool(hold.pool(), seq)?.sold_out.get_or_insert(now);
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
        let of_pool = pool.gross.checked_add(amount);
        pool.gross = of_pool.ok_or_else(|| money.clone())?;
        if let Some(terms) = &mut self.terms {
            terms.gross = terms.gross.checked_add(amount).ok_or(money)?;
        }
        Ok(())
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

    /// The figures so far; `None` before the first plan.
    pub fn report(&self) -> Option<DropReport> {
        let Terms { plan, revision, pools, gross } = self.terms.as_ref()?;
        let sum = |of: fn(&PoolSums) -> u64| pools.iter().map(of).sum::<u64>();
        let (supplied, sold) = (sum(|pool| pool.supplied), sum(|pool| pool.sold));
        let phase = self.phases.last().map_or(Phase::Scheduled, |latest| latest.phase);
        let settled = self.phases.iter().find(|begun| begun.phase == Phase::Settled);
        let refusals: RefusalCounts = self.tallied.refusals;
        let (channels, channels_left_out) = self.channels.listed();
        let mut report = DropReport {
            drop: self.drop,
            plan: Arc::clone(plan),
            revision: *revision,
            phase,
            phases: self.phases.clone(),
            as_of: self.as_of,
            supplied,
            held: sum(|pool| pool.held),
            sold,
            oversold: self.oversold,
            stranded: None,
            taken: self.taken,
            skus: self.skus(pools),
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
            gross: *gross,
            paid: *gross,
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

    fn skus(&self, pools: &[PoolSums]) -> Vec<SkuReport> {
        let places = (0_u8..).filter_map(SkuIndex::new);
        let figures = places.zip(pools).map(|(sku, pool)| SkuReport {
            sku,
            supplied: pool.supplied,
            held: pool.held,
            sold: pool.sold,
            gross: pool.gross,
            sold_out_after: self.pace.since_opening(pool.sold_out),
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
