//! The orders of one drop as a fold of its rows, those of its adjustments included.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use stampede_domain::{
    ChannelId, DropId, DropPlan, HoldId, Money, OrderCode, OrderId, OrderNumber, OrderReference,
    PaymentId, PoolIndex, PoolMap, Seq, SkuIndex, Units, UnixMillis, ViewerNumber,
};
use stampede_ledger::{
    Cancelled, CommitKey, CorrectionRecord, HoldRecord, PaymentChange, PaymentRecord, Record, Row,
};

use super::{
    editions::{Edition, UnitNumbers},
    lots::Lots,
    money::{Account, OrderPayment, PaymentState},
    order::{Order, OrderState, UnitEdition},
};
use crate::FoldError;

/// The orders of one drop, row by row: first those of its chain, then those of its adjustments.
///
/// Nothing of it is written anywhere: an order's number is its place among the drop's orders in the order of their
/// commits, and numbers of units follow from that. Whoever folds the same rows gets the same numbers.
#[derive(Clone, Debug)]
pub struct OrdersFold {
    drop: DropId,
    terms: Option<Terms>,
    lots: Lots,
    /// In the order of their numbers.
    orders: Vec<Entry>,
    places: HashMap<HoldId, usize, foldhash::fast::RandomState>,
    /// The money of holds that are no orders.
    waiting: HashMap<HoldId, Account, foldhash::fast::RandomState>,
    /// Every hold, whatever became of it.
    taken: HashSet<HoldId, foldhash::fast::RandomState>,
    /// Holds that had ended, each with the hold that took its units again for its late payment.
    retaken: Vec<[HoldId; 2]>,
    /// Where links of those who took may stand.
    takers: Takers,
}

/// Everybody who took, with the commit that has the link, once it was looked for.
pub(super) type Takers = HashMap<ViewerNumber, LinkPlace, foldhash::fast::RandomState>;

/// Where a viewer's link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkPlace {
    /// Nobody has found it yet.
    Unknown,
    /// In this commit's blob.
    At(CommitKey),
    /// In no blob: it was erased.
    Nowhere,
}

#[derive(Clone, Debug)]
struct Terms {
    plan: Arc<DropPlan>,
    map: PoolMap,
    /// By SKU; of those that are not numbered they stay unused.
    editions: Vec<Edition>,
}

/// What is kept of an order.
#[derive(Clone, Debug)]
struct Entry {
    hold: HoldId,
    viewer: ViewerNumber,
    goods: Money,
    at: UnixMillis,
    changed_at: Option<UnixMillis>,
    channel: Option<ChannelId>,
    units: Units,
    cancelled: u32,
    cancellations: u32,
    sku: SkuIndex,
    numbered: Option<Box<Numbered>>,
    account: Option<Box<Account>>,
}

/// The numbers of an order's units.
#[derive(Clone, Debug)]
struct Numbered {
    /// Those of units that were not cancelled.
    numbers: UnitNumbers,
    /// Those that it got, once some of them were cancelled.
    first: Option<UnitNumbers>,
    /// How many units of the SKU were on sale when it was confirmed.
    first_of: u64,
}

impl OrdersFold {
    /// Begins before the drop's first row.
    pub fn new(drop: DropId) -> Self {
        Self {
            drop,
            terms: None,
            lots: Lots::default(),
            orders: Vec::new(),
            places: HashMap::default(),
            waiting: HashMap::default(),
            taken: HashSet::default(),
            retaken: Vec::new(),
            takers: Takers::default(),
        }
    }

    /// Takes in the next row of the drop's chain, or of its adjustments.
    ///
    /// # Errors
    /// [`FoldError`]; the fold is of no use then.
    pub fn apply(&mut self, row: &Row) -> Result<(), FoldError> {
        let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
        let fail = |source| FoldError::Record { drop, incarnation, seq, source };
        let at = row.header().map_err(fail)?.at;
        row.decode().try_for_each(|record| self.record(&record.map_err(fail)?, at, seq))
    }

    fn record(&mut self, record: &Record, at: UnixMillis, seq: Seq) -> Result<(), FoldError> {
        match record {
            // Plans change only before anything is supplied. Where one does so later all the same, orders keep theirs.
            Record::Planned { plan, .. } if self.lots.is_empty() && self.orders.is_empty() => {
                let (plan, map) = (Arc::clone(plan), plan.pools());
                let editions = vec![Edition::default(); map.skus()];
                self.terms = Some(Terms { plan, map, editions });
            }
            Record::Lot { pool, units, lot } => {
                let sku = self.sku_of(*pool, seq)?;
                self.lots.add(*lot, sku, units.get());
            }
            Record::Correction(CorrectionRecord::Withdrawn { pool, units }) => {
                let sku = self.sku_of(*pool, seq)?;
                self.lots.withdraw(sku, units.get());
            }
            Record::Hold(record) => self.hold(record, at, seq)?,
            Record::Payment(record) => self.payment(record, at),
            Record::Planned { .. }
            | Record::Phase(_)
            | Record::Deadline(_)
            | Record::Unmatched(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Request(_)
            | Record::Correction(
                CorrectionRecord::Reserved { .. }
                | CorrectionRecord::Amended(_)
                | CorrectionRecord::WindsDown { .. },
            )
            | Record::Suspended { .. }
            | Record::Recovered(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
        Ok(())
    }

    fn hold(&mut self, record: &HoldRecord, at: UnixMillis, seq: Seq) -> Result<(), FoldError> {
        match record {
            HoldRecord::Taken { hold, viewer, .. } => {
                self.taken.insert(*hold);
                self.takers.entry(*viewer).or_insert(LinkPlace::Unknown);
            }
            HoldRecord::Confirmed { hold, viewer, units, amount, channel } => {
                let account = self.waiting.remove(hold).map(Account::ordered).map(Box::new);
                self.takers.entry(*viewer).or_insert(LinkPlace::Unknown);
                self.confirmed(
                    Entry {
                        hold: *hold,
                        viewer: *viewer,
                        goods: *amount,
                        at,
                        changed_at: None,
                        channel: channel.clone(),
                        units: *units,
                        cancelled: 0,
                        cancellations: 0,
                        sku: self.sku_of(hold.pool(), seq)?,
                        numbered: None,
                        account,
                    },
                    seq,
                )?;
            }
            HoldRecord::Released { hold, .. } | HoldRecord::Expired { hold, .. } => {
                // Whoever paid for nothing asks about it by the payment's name.
                if self.waiting.get(hold).is_some_and(|account| account.payments.is_empty()) {
                    self.waiting.remove(hold);
                }
            }
        }
        Ok(())
    }

    fn payment(&mut self, record: &PaymentRecord, at: UnixMillis) {
        if let PaymentChange::Retaken { into, .. } = record.change {
            self.retaken.push([record.hold, into]);
        }
        match self.places.get(&record.hold) {
            Some(place) => self.changed(*place, &record.change, at),
            None => self.waiting.entry(record.hold).or_default().change(&record.change, at),
        }
    }

    fn confirmed(&mut self, mut entry: Entry, seq: Seq) -> Result<(), FoldError> {
        let (drop, place) = (self.drop, self.orders.len());
        let terms = self.terms.as_mut().ok_or(FoldError::NoPlan { drop, seq })?;
        let sku = usize::from(entry.sku.get());
        if terms.plan.skus.get(sku).is_some_and(|sku| sku.numbered) {
            let numbers = terms.editions[sku].give(entry.units.get());
            let first_of = terms.editions[sku].of(self.lots.supplied(entry.sku));
            entry.numbered = Some(Box::new(Numbered { numbers, first: None, first_of }));
        }
        // The verifier says so if a hold is confirmed twice; its first order keeps the name.
        self.places.entry(entry.hold).or_insert(place);
        self.orders.push(entry);
        Ok(())
    }

    fn changed(&mut self, place: usize, change: &PaymentChange, at: UnixMillis) {
        let entry = &mut self.orders[place];
        entry.changed_at = Some(at);
        if let PaymentChange::Cancelled(cancelled) = change {
            let Cancelled { units, lot, .. } = **cancelled;
            if let Some(lot) = lot {
                self.lots.bring_back(lot);
            }
            let more = units.saturating_sub(entry.cancelled);
            entry.cancelled = units.max(entry.cancelled);
            entry.cancellations = entry.cancellations.saturating_add(1);
            if let (Some(own), Some(terms)) = (&mut entry.numbered, &mut self.terms) {
                let edition = &mut terms.editions[usize::from(entry.sku.get())];
                own.first.get_or_insert_with(|| own.numbers.clone());
                edition.cancel(&mut own.numbers, more, lot.is_some());
            }
        } else {
            entry.account.get_or_insert_default().change(change, at);
        }
    }

    fn sku_of(&self, pool: PoolIndex, seq: Seq) -> Result<SkuIndex, FoldError> {
        let drop = self.drop;
        let terms = self.terms.as_ref().ok_or(FoldError::NoPlan { drop, seq })?;
        terms.map.sku_of(pool).ok_or(FoldError::UnknownPool { drop, seq, pool })
    }

    /// The plan in its latest revision; `None` before the first.
    pub fn plan(&self) -> Option<&Arc<DropPlan>> {
        self.terms.as_ref().map(|terms| &terms.plan)
    }

    /// How many orders there are so far.
    pub fn count(&self) -> usize {
        self.orders.len()
    }

    /// What the fold keeps, whatever became of it: each hold, each order, each account of a hold that is no order.
    pub(super) fn entries(&self) -> usize {
        self.taken.len() + self.orders.len() + self.waiting.len()
    }

    /// The order that a hold became, without its viewer's name.
    pub fn order(&self, hold: HoldId) -> Option<Order> {
        self.at(*self.places.get(&hold)?)
    }

    /// Whether anybody took under this name.
    pub(super) fn has(&self, hold: HoldId) -> bool {
        self.taken.contains(&hold)
    }

    /// These holds, with those that took their units again for a late payment, and those whose payment paid for them.
    pub(super) fn tied(&self, mut holds: BTreeSet<HoldId>) -> BTreeSet<HoldId> {
        loop {
            let before = holds.len();
            for pair in &self.retaken {
                if pair.iter().any(|hold| holds.contains(hold)) {
                    holds.extend(pair);
                }
            }
            if holds.len() == before {
                return holds;
            }
        }
    }

    /// The numbers of an order's units as it was confirmed.
    pub(super) fn first_edition(&self, hold: HoldId) -> Option<UnitEdition> {
        let own = self.orders[*self.places.get(&hold)?].numbered.as_deref()?;
        let numbers = own.first.as_ref().unwrap_or(&own.numbers).clone();
        Some(UnitEdition { numbers, of: own.first_of })
    }

    /// The order of this number, without its viewer's name.
    pub fn numbered(&self, number: OrderNumber) -> Option<Order> {
        self.at(usize::try_from(number.get() - 1).ok()?)
    }

    /// Every order so far by its number, without its viewer's name.
    pub fn orders(&self) -> impl Iterator<Item = Order> + '_ {
        (0..self.orders.len()).filter_map(|place| self.at(place))
    }

    /// Since when a payment for a hold stands as it does.
    pub(super) fn since(&self, hold: HoldId, payment: &PaymentId) -> Option<UnixMillis> {
        let account = match self.places.get(&hold) {
            Some(place) => self.orders[*place].account.as_deref(),
            None => self.waiting.get(&hold),
        };
        account?.payments.iter().find(|part| part.payment == *payment)?.since
    }

    /// Holds below an id that go by a reference, the highest id first: the platform calls their order so, or a
    /// payment for them.
    pub(super) fn named(&self, wanted: &OrderReference, below: Option<HoldId>) -> Vec<HoldId> {
        let orders =
            self.orders.iter().filter_map(|entry| Some((entry.hold, entry.account.as_deref()?)));
        let all = orders.chain(self.waiting.iter().map(|(hold, account)| (*hold, account)));
        let named = all.filter(|(_, account)| account.goes_by(wanted)).map(|(hold, _)| hold);
        let mut found: Vec<_> =
            named.filter(|hold| below.is_none_or(|below| *hold < below)).collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found
    }

    /// Where the links of those who took stand.
    pub(super) const fn takers_mut(&mut self) -> &mut Takers {
        &mut self.takers
    }

    fn at(&self, place: usize) -> Option<Order> {
        let (entry, terms) = (self.orders.get(place)?, self.terms.as_ref()?);
        let number = OrderNumber::new(u32::try_from(place + 1).ok()?)?;
        let plan = Arc::clone(&terms.plan);
        let (none, currency) = (Account::default(), entry.goods.currency());
        let account = entry.account.as_deref().unwrap_or(&none);
        let is_on_record = plan.payment_terms.is_some() || !account.payments.is_empty();
        // Plans of older versions have no payments on record: their orders were paid for.
        let paid_minor = if is_on_record {
            account.sum(currency, OrderPayment::paid_minor)
        } else {
            entry.goods.minor()
        };
        let edition = entry.numbered.as_deref().map(|own| {
            let of = self.lots.supplied(entry.sku);
            let of = terms.editions[usize::from(entry.sku.get())].of(of);
            UnitEdition { numbers: own.numbers.clone(), of }
        });
        Some(Order {
            id: OrderId::of(entry.hold),
            code: OrderCode::new(self.drop, number)?,
            sku: entry.sku,
            units: entry.units,
            cancelled_units: entry.cancelled,
            cancellations: entry.cancellations,
            edition,
            goods: entry.goods,
            charges: account.charges,
            paid_minor,
            refunded_minor: account.sum(currency, |part| part.refunded_minor),
            refund_due_minor: account.sum(currency, OrderPayment::refund_due_minor),
            state: state(entry, account, is_on_record),
            reference: account.reference.clone(),
            payments: account.payments(),
            channel: entry.channel.clone(),
            viewer_number: entry.viewer,
            viewer: None,
            confirmed_at: entry.at,
            changed_at: entry.changed_at,
            plan,
        })
    }
}

/// How an order stands: by its units, then by the payment that it was made by.
fn state(entry: &Entry, account: &Account, is_on_record: bool) -> OrderState {
    if entry.cancelled >= entry.units.get() {
        return OrderState::Cancelled;
    }
    let Some(part) = account.order_payment() else {
        let owed = account.charges.with(entry.goods).map_or(u64::MAX, Money::minor);
        let is_paid = !is_on_record || owed == 0;
        return if is_paid { OrderState::Paid } else { OrderState::Unpaid };
    };
    let paid = part.paid_minor();
    match part.refunded_minor {
        _ if part.state == PaymentState::Authorized => OrderState::Authorized,
        _ if part.state != PaymentState::Paid => OrderState::Unpaid,
        0 => OrderState::Paid,
        refunded if refunded < paid => OrderState::PartlyRefunded,
        _ => OrderState::Refunded,
    }
}
