//! The table of seals against the chains that they close.

use std::{collections::BTreeMap, sync::Arc};

use stampede_domain::{DropId, DropPlan, Phase, PoolIndex, PoolMap, SkuIndex, Units, UnixMillis};
use stampede_ledger::{
    CommitKey, CorrectionRecord, PhaseRecord, Record, Row, RowHash, Seal, SealSummary, SealedSku,
};

use super::{
    facts::RowFacts,
    finding::{Findings, Place},
    tables::TableFault,
};

/// What a drop's chain sums up to.
#[derive(Debug)]
struct Chain {
    first: CommitKey,
    last: CommitKey,
    at: UnixMillis,
    head: RowHash,
    rows: u64,
    records: u64,
    orders: u64,
    amount_minor: u64,
    /// Units supplied and sold, by pool.
    units: BTreeMap<PoolIndex, (u64, u64)>,
    /// Whether there was a lot, withdrawn units included.
    is_supplied: bool,
    /// What is in reserve since the plan, by pool.
    reserved: BTreeMap<PoolIndex, Units>,
    plan: Option<(u32, Arc<DropPlan>)>,
    opened_at: Option<UnixMillis>,
    ended: Option<Phase>,
    /// Whether viewers have heard of the drop.
    is_known: bool,
}

/// Sums up the chains alongside the journal.
#[derive(Debug, Default)]
pub(super) struct SealCheck {
    chains: BTreeMap<DropId, Chain>,
}

impl SealCheck {
    /// Sees a row of a drop.
    pub(super) fn row(&mut self, row: &Row, at: UnixMillis, facts: &RowFacts) {
        if row.drop == DropId::HOUSE {
            return;
        }
        let commit = (row.incarnation, row.seq);
        let chain = self.chains.entry(row.drop).or_insert_with(|| Chain::new(commit, row.hash));
        (chain.last, chain.at, chain.head) = (commit, at, row.hash);
        chain.rows += 1;
        chain.records += facts.records;
        for order in &facts.orders {
            chain.orders += 1;
            chain.amount_minor = chain.amount_minor.saturating_add(order.amount.minor());
            let units = chain.units.entry(order.hold.pool()).or_default();
            units.1 += u64::from(order.units.get());
        }
        for (_, record) in &facts.rest {
            match record {
                Record::Planned { plan, revision } => {
                    chain.is_known |= !plan.hidden;
                    chain.plan = Some((*revision, Arc::clone(plan)));
                    chain.reserved.clear();
                }
                Record::Lot { pool, units, .. } => {
                    chain.units.entry(*pool).or_default().0 += u64::from(units.get());
                    chain.is_supplied = true;
                }
                Record::Phase(PhaseRecord::Opened) => {
                    chain.is_known = true;
                    chain.opened_at.get_or_insert(at);
                }
                Record::Phase(PhaseRecord::Countdown { .. }) => chain.is_known = true,
                Record::Correction(record) => chain.correct(record),
                Record::Phase(PhaseRecord::Settled) => chain.ended = Some(Phase::Settled),
                Record::Phase(PhaseRecord::Cancelled) => chain.ended = Some(Phase::Cancelled),
                Record::Phase(PhaseRecord::Voided) => chain.ended = Some(Phase::Voided),
                Record::Phase(
                    PhaseRecord::CountdownCancelled
                    | PhaseRecord::Paused
                    | PhaseRecord::Resumed
                    | PhaseRecord::Closed
                    | PhaseRecord::UndoBegun { .. },
                )
                | Record::Hold(_)
                | Record::Stream(_)
                | Record::Featured
                | Record::Request(_)
                | Record::Payment(_)
                | Record::Deadline(_)
                | Record::Unmatched(_)
                | Record::Suspended { .. }
                | Record::Recovered(_)
                | Record::Tally(_)
                | Record::Command(_)
                | Record::Heartbeat(_)
                | Record::Room(_)
                | Record::Brake(_) => {}
            }
        }
    }

    /// Compares the table with what was seen; a ledger of version 1 has none.
    pub(super) fn finish(mut self, stored: Option<Vec<Seal>>, findings: &mut Findings) {
        let Some(stored) = stored else { return };
        self.chains.retain(|_, chain| chain.ended.is_some());
        for seal in stored {
            let place = Place::drop(seal.drop);
            match self.chains.remove(&seal.drop) {
                None => findings.add(place, TableFault::SealUnfounded),
                Some(chain) => chain.compare(&seal, place, findings),
            }
        }
        for drop in self.chains.into_keys() {
            findings.add(Place::drop(drop), TableFault::SealMissing);
        }
    }
}

impl Chain {
    fn new(first: CommitKey, head: RowHash) -> Self {
        Self {
            first,
            last: first,
            at: UnixMillis::default(),
            head,
            rows: 0,
            records: 0,
            orders: 0,
            amount_minor: 0,
            units: BTreeMap::new(),
            is_supplied: false,
            reserved: BTreeMap::new(),
            plan: None,
            opened_at: None,
            ended: None,
            is_known: false,
        }
    }

    fn correct(&mut self, record: &CorrectionRecord) {
        match record {
            CorrectionRecord::Withdrawn { pool, units } => {
                let of_pool = self.units.entry(*pool).or_default();
                of_pool.0 = of_pool.0.saturating_sub(u64::from(units.get()));
            }
            CorrectionRecord::Reserved { pool, left } => {
                self.reserved.insert(*pool, *left);
            }
            CorrectionRecord::WindsDown { .. } => {}
            CorrectionRecord::Amended(_) => {
                if let Some((revision, _)) = &mut self.plan {
                    *revision = revision.saturating_add(1);
                }
            }
        }
    }

    fn compare(&self, seal: &Seal, place: Place, findings: &mut Findings) {
        let supplied: u64 = self.units.values().map(|(supplied, _)| supplied).sum();
        let sold: u64 = self.units.values().map(|(_, sold)| sold).sum();
        let numbers = [
            ("rows", seal.rows, self.rows),
            ("records", seal.records, self.records),
            ("units_supplied", seal.units_supplied, supplied),
            ("units_sold", seal.units_sold, sold),
            ("orders", seal.orders, self.orders),
            ("amount_minor", seal.amount_minor, self.amount_minor),
            ("settled_at_ms", seal.settled_at.get(), self.at.get()),
        ];
        let numbers = numbers.map(|(field, stored, chain)| {
            (field, stored.to_string(), chain.to_string(), stored == chain)
        });
        let commit = |(incarnation, seq): CommitKey| format!("incarnation {incarnation} seq {seq}");
        let others = [
            ("first row", commit(seal.first), commit(self.first), seal.first == self.first),
            ("last row", commit(seal.last), commit(self.last), seal.last == self.last),
            ("head_hash", seal.head.to_string(), self.head.to_string(), seal.head == self.head),
        ];
        for (field, stored, expected, is_same) in numbers.into_iter().chain(others) {
            if !is_same {
                findings.add(place, TableFault::SealDiffers { field, stored, expected });
            }
        }
        match SealSummary::decode(&seal.summary) {
            Err(source) => findings.add(place, TableFault::SealUnreadable { source }),
            Ok(summary) => {
                let pools = self.plan.as_ref().map(|(_, plan)| plan.pools());
                let expected = pools.and_then(|pools| self.summary(&pools));
                // What a seal of version 1 does not say, it says nothing wrong about.
                let expected = expected.map(|expected| {
                    if summary.is_version_1() { expected.version_1() } else { expected }
                });
                if expected.is_some_and(|expected| expected != summary) {
                    findings.add(place, TableFault::SealSummaryDiffers);
                }
            }
        }
    }

    /// What the seal has to say of the plan with these pools.
    fn summary(&self, pools: &PoolMap) -> Option<SealSummary> {
        let (revision, plan) = self.plan.as_ref()?;
        let units = |count: u64| u32::try_from(count).ok().and_then(Units::new);
        let sku = |place: u8| {
            let index = SkuIndex::new(place)?;
            let of_pools = || pools.pools_of(index).filter_map(|pool| self.units.get(&pool));
            let supplied = of_pools().map(|(supplied, _)| supplied).sum();
            let sold = of_pools().map(|(_, sold)| sold).sum();
            let supplied =
                if self.is_supplied { units(supplied)? } else { plan.sku(index)?.supply };
            let reserved = pools.common(index).and_then(|pool| self.reserved.get(&pool));
            let reserve = reserved.copied().unwrap_or(plan.sku(index)?.reserve);
            Some(SealedSku { supplied, sold: units(sold)?, reserve })
        };
        let skus = (0..u8::try_from(plan.skus.len()).ok()?).map(sku);
        Some(SealSummary {
            phase: self.ended?,
            revision: *revision,
            stream: plan.stream.clone(),
            running_order: plan.running_order,
            title: plan.title.as_str().into(),
            merchant: plan.merchant.clone(),
            host: plan.host.clone(),
            mode: plan.mode,
            is_rehearsal_copy: plan.rehearsal.is_some(),
            was_hidden: self.ended == Some(Phase::Cancelled) && !self.is_known,
            skus: skus.collect::<Option<_>>()?,
            opened_at: self.opened_at,
            currency: plan.skus.first().map(|sku| sku.price.currency()),
        })
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{Incarnation, Seq};
    use stampede_testkit::{plan_of, sku, units};

    use super::*;

    #[test]
    fn a_summary_has_the_sums_of_every_pool_of_a_sku() {
        let commit = (Incarnation::new(1).unwrap(), Seq::new(1).unwrap());
        let mut chain = Chain::new(commit, RowHash::genesis(DropId::new(1)));
        chain.plan = Some((1, Arc::new(plan_of([sku("mug", 5), sku("cup", 3)]))));
        (chain.ended, chain.is_supplied) = (Some(Phase::Settled), true);
        for (pool, figures) in (0..).zip([(5, 1), (3, 1), (7, 2)]) {
            chain.units.insert(PoolIndex::new(pool).unwrap(), figures);
        }
        let pools = PoolMap::new([0, 1, 0].map(|of| SkuIndex::new(of).unwrap())).unwrap();
        let sealed = |supplied, sold| {
            let (supplied, sold) = (units(supplied), units(sold));
            SealedSku { supplied, sold, reserve: Units::ZERO }
        };
        assert_eq!(*chain.summary(&pools).unwrap().skus, [sealed(12, 3), sealed(3, 1)]);
    }
}
