//! A sale by hand, with its money: what a test pushes stands in one commit.

use std::{path::Path, sync::Arc};

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, PaymentId, PaymentTerms, SkuOption,
    SlotIndex, TakeNumber, UnixMillis, ViewerId,
};
use stampede_ledger::{
    Cancelled, Entry, HoldRecord, Link, PaymentChange, PaymentRecord, PhaseRecord, Record,
    ViewerLink,
};

use super::{START_MS, eur, plan, sale::pool, units, viewer};
use stampede_testkit::Rig;

/// A sale by hand: what a test pushes stands in one commit.
pub struct Shop {
    pub rig: Rig,
    pub now_ms: u64,
    pub waiting: Vec<Entry<()>>,
    pub takes: u32,
}

impl Shop {
    pub fn open(path: &Path) -> Self {
        Self { rig: Rig::open(path), now_ms: 0, waiting: Vec::new(), takes: 0 }
    }

    pub fn push(&mut self, drop: DropId, record: impl Into<Record>) {
        self.waiting.push(Entry { drop, record: record.into(), link: None, tag: () });
    }

    pub fn commit(&mut self) {
        self.now_ms += 1_000;
        let at = UnixMillis::new(START_MS + self.now_ms);
        let entries = std::mem::take(&mut self.waiting);
        assert!(self.rig.commit(at, entries), "the store takes it");
    }

    /// A drop on sale, in two commits.
    pub fn drop(&mut self, number: u32, plan: DropPlan) -> DropId {
        let (drop, plan) = (DropId::new(number), Arc::new(plan));
        self.push(drop, Record::Planned { plan: Arc::clone(&plan), revision: 1 });
        self.commit();
        for (place, sku) in plan.skus.iter().enumerate() {
            let lot = u32::try_from(place).unwrap() + 1;
            self.push(drop, Record::Lot { pool: pool(place), units: sku.supply, lot });
        }
        self.push(drop, PhaseRecord::Opened);
        self.commit();
        drop
    }

    /// A take that the next commit has.
    pub fn take(&mut self, drop: DropId, sku: usize, count: u32, who: (u64, &str)) -> HoldId {
        self.takes += 1;
        let (slot, take) = (SlotIndex::new(self.takes), TakeNumber::new(self.takes.into()));
        let hold = HoldId::new(drop, self.rig.incarnation, pool(sku), slot.unwrap(), take.unwrap());
        let taken_at = UnixMillis::new(START_MS + self.now_ms);
        let record = HoldRecord::Taken {
            hold,
            viewer: viewer(who.0),
            key: IdempotencyKey::new(&format!("k{}", self.takes)).unwrap().fingerprint(),
            units: units(count),
            taken_at,
            deadline: taken_at.plus(DurationMs::new(60_000)),
            channel: Some("nina-tv".parse().unwrap()),
        };
        let link = ViewerLink { number: viewer(who.0), id: ViewerId::new(who.1).unwrap() };
        let link = Some(Link::Viewer(Arc::new(link)));
        self.waiting.push(Entry { drop, record: record.into(), link, tag: () });
        hold
    }

    pub fn confirm(&mut self, hold: HoldId, who: u64, count: u32, amount: u64) {
        self.push(
            hold.drop_id(),
            HoldRecord::Confirmed {
                hold,
                viewer: viewer(who),
                units: units(count),
                amount: eur(amount),
                channel: Some("nina-tv".parse().unwrap()),
            },
        );
    }

    /// Units that are taken, paid for and ordered, in two commits.
    pub fn sell(
        &mut self,
        drop: DropId,
        sku: usize,
        count: u32,
        who: (u64, &str),
        price: u64,
    ) -> HoldId {
        let hold = self.take(drop, sku, count, who);
        self.commit();
        let amount = price * u64::from(count);
        self.money(hold, PaymentChange::Paid { payment: pi(hold), amount: eur(amount) });
        self.confirm(hold, who.0, count, amount);
        self.commit();
        hold
    }

    pub fn money(&mut self, hold: HoldId, change: PaymentChange) {
        self.push(hold.drop_id(), PaymentRecord { hold, change });
    }

    pub fn cancel(&mut self, hold: HoldId, total: u32, amount: u64, lot: Option<u32>) {
        let cancelled = Cancelled {
            units: total,
            amount: eur(amount),
            waived: eur(amount),
            lot,
            actor: "nina".into(),
            reason: "broken in the box".into(),
        };
        self.money(hold, PaymentChange::Cancelled(Box::new(cancelled)));
        if let Some(lot) = lot {
            self.push(hold.drop_id(), Record::Lot { pool: hold.pool(), units: units(total), lot });
        }
    }

    pub fn settle(&mut self, drop: DropId) {
        self.push(drop, PhaseRecord::Closed);
        self.push(drop, PhaseRecord::Settled);
        self.commit();
    }
}

/// The payment of a hold.
pub fn pi(hold: HoldId) -> PaymentId {
    PaymentId::new("stripe:main", &format!("pi_{}", hold.slot())).unwrap()
}

/// A numbered mug, and a cup that is not.
pub fn terms() -> DropPlan {
    let mut plan = plan(&[5, 80]);
    plan.skus[0].numbered = true;
    plan.skus[0].options = vec![SkuOption { name: "colour".into(), value: "red".into() }];
    plan.payment_terms =
        Some(PaymentTerms { grace: DurationMs::new(0), stretch: DurationMs::new(0) });
    plan
}
