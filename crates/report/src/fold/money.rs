//! The accounts of orders and of other holds, and what still has to be done about them.

use std::collections::{BTreeMap, HashMap};

use stampede_domain::{Charges, Currency, HoldId, Money, PaymentId, PoolIndex, Units, UnixMillis};
use stampede_ledger::{PaymentChange, PaymentRecord, ProviderRequest, Record, UnmatchedRecord};

use super::{
    adjustments::Adjustments,
    channels::ChannelPlace,
    sums::{Cancellations, MoneyChange, OrderSums, amount},
};

/// Money of a drop that somebody has to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenMoney {
    /// Payments of which something has to go back and has not.
    pub refunds_due: u64,
    /// How much, in the drop's currency; of another currency only the payments are counted.
    pub refund_due: Money,
    /// What is kept ready for orders and was not taken.
    pub authorized: Money,
    /// Requests that a provider declined, not repeated since.
    pub declined: u64,
    /// Orders that have units to deliver, of whose money nothing stays.
    pub unpaid_orders: u64,
}

/// Money that nobody can say what it was for, and of which nothing has become yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnmatchedMoney {
    /// How much came by each payment.
    amounts: HashMap<PaymentId, Money>,
}

impl UnmatchedMoney {
    pub(super) fn add(&mut self, record: &Record) {
        match record {
            Record::Unmatched(UnmatchedRecord::Found(found)) => {
                self.amounts.insert(found.payment.clone(), found.amount);
            }
            Record::Unmatched(UnmatchedRecord::Done(done)) => {
                self.amounts.remove(&done.payment);
            }
            _ => {}
        }
    }

    /// How many payments.
    pub fn payments(&self) -> u64 {
        u64::try_from(self.amounts.len()).unwrap_or(u64::MAX)
    }

    /// How much, in minor units of each currency.
    pub fn sums(&self) -> BTreeMap<Currency, u64> {
        let mut sums = BTreeMap::new();
        for amount in self.amounts.values() {
            let sum: &mut u64 = sums.entry(amount.currency()).or_default();
            *sum = sum.saturating_add(amount.minor());
        }
        sums
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct OpenSums {
    refunds_due: u64,
    refund_due: u128,
    authorized: u128,
    declined: u64,
    unpaid_orders: u64,
}

impl OpenSums {
    fn replace(&mut self, before: Self, now: Self) {
        self.refunds_due = self.refunds_due - before.refunds_due + now.refunds_due;
        self.refund_due = self.refund_due - before.refund_due + now.refund_due;
        self.authorized = self.authorized - before.authorized + now.authorized;
        self.declined = self.declined - before.declined + now.declined;
        self.unpaid_orders = self.unpaid_orders - before.unpaid_orders + now.unpaid_orders;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was taken, nothing is kept ready.
    Nothing,
    Begun,
    Authorized(Money),
    Paid(Money),
}

#[derive(Clone, Debug)]
struct Part {
    payment: PaymentId,
    stage: Stage,
    due: u64,
    refunded: u64,
    declined: Option<ProviderRequest>,
}

impl Part {
    /// What has to go back and has not, of money that was taken: of less than was kept ready no more than came.
    fn outstanding(&self) -> u64 {
        let Stage::Paid(paid) = self.stage else { return 0 };
        self.due.min(paid.minor()).saturating_sub(self.refunded)
    }

    /// Whether there is money, and not all of it went back or has to.
    fn stays(&self) -> bool {
        match self.stage {
            Stage::Paid(money) | Stage::Authorized(money) => {
                money.minor() > self.due.max(self.refunded)
            }
            Stage::Nothing | Stage::Begun => false,
        }
    }

    /// Whether what the provider declined is still to be done.
    fn is_declined(&self) -> bool {
        match self.declined {
            Some(ProviderRequest::Refund) => self.outstanding() > 0,
            Some(ProviderRequest::Capture) => matches!(self.stage, Stage::Authorized(_)),
            Some(ProviderRequest::Void) => {
                matches!(self.stage, Stage::Begun | Stage::Authorized(_))
            }
            None => false,
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Account {
    charges: Charges,
    parts: Vec<Part>,
    /// The part by which money came last.
    latest: Option<usize>,
    order: Option<Order>,
    cancelled_units: u32,
    /// By how much less the order costs, by decisions of staff, in minor units.
    waived: u64,
}

#[derive(Clone, Debug)]
struct Order {
    part: Option<usize>,
    channel: ChannelPlace,
    units: Units,
    goods: Money,
    /// Whether no money is on record of it, because its plan has no terms of payment.
    counts_as_paid: bool,
}

impl Account {
    fn place(&mut self, payment: &PaymentId) -> usize {
        let known = self.parts.iter().position(|part| part.payment == *payment);
        known.unwrap_or_else(|| {
            self.parts.push(Part {
                payment: payment.clone(),
                stage: Stage::Nothing,
                due: 0,
                refunded: 0,
                declined: None,
            });
            self.parts.len() - 1
        })
    }

    fn part(&mut self, payment: &PaymentId) -> &mut Part {
        let place = self.place(payment);
        &mut self.parts[place]
    }

    fn change(&mut self, change: &PaymentChange) {
        match change {
            PaymentChange::Charged(charges) => self.charges = *charges,
            PaymentChange::Begun { payment } => self.part(payment).stage = Stage::Begun,
            PaymentChange::Authorized { payment, amount } => {
                self.part(payment).stage = Stage::Authorized(*amount);
                self.latest = Some(self.place(payment));
            }
            PaymentChange::Paid { payment, amount } => {
                self.part(payment).stage = Stage::Paid(*amount);
                self.latest = Some(self.place(payment));
            }
            PaymentChange::Failed { payment, .. } => self.part(payment).stage = Stage::Nothing,
            PaymentChange::Voided { payment } => {
                let part = self.part(payment);
                // If it is taken all the same, what is due is said anew.
                (part.stage, part.due) = (Stage::Nothing, 0);
            }
            PaymentChange::RefundDue { payment, amount, .. } => {
                let part = self.part(payment);
                part.due = part.due.saturating_add(amount.minor());
            }
            PaymentChange::Refunded { payment, total } => {
                self.part(payment).refunded = total.minor();
            }
            PaymentChange::Asked { payment, .. } => self.part(payment).declined = None,
            PaymentChange::Declined { payment, request, .. } => {
                self.part(payment).declined = Some(*request);
            }
            PaymentChange::Cancelled(cancelled) => {
                self.cancelled_units = cancelled.units;
                self.waived = self.waived.saturating_add(cancelled.waived.minor());
            }
            PaymentChange::Referenced(_) | PaymentChange::Retaken { .. } => {}
        }
    }

    /// The part that stands behind an order which was made by this one: another, once its money is gone and the order
    /// was paid anew. All of a second payment is due back.
    fn behind(&self, made_by: usize) -> &Part {
        let made_by = &self.parts[made_by];
        if made_by.stays() {
            return made_by;
        }
        self.parts.iter().find(|part| part.stays()).unwrap_or(made_by)
    }

    /// What the account comes to.
    fn sums(&self, currency: Currency) -> (OrderSums, OpenSums) {
        let (mut order, mut open) = (OrderSums::default(), OpenSums::default());
        if let Some(made) = &self.order {
            let Charges { shipping, tax, fee } = self.charges;
            order.charges = [shipping, tax, fee].map(u128::from).iter().sum();
            let behind = made.part.map(|part| self.behind(part));
            let is_kept = order.charges + u128::from(made.goods.minor()) > self.waived.into();
            let is_delivered = self.cancelled_units < made.units.get();
            order.cancelled.orders = u64::from(!is_delivered);
            order.cancelled.units = self.cancelled_units.into();
            let lacks = is_kept && is_delivered && behind.is_some_and(|part| !part.stays());
            open.unpaid_orders = u64::from(lacks);
            match behind {
                Some(Part { stage: Stage::Paid(paid), refunded, .. }) => {
                    order.paid = paid.minor().into();
                    order.refunded = (*refunded).into();
                }
                Some(Part { stage: Stage::Authorized(kept), .. }) => {
                    open.authorized = kept.minor().into();
                }
                None if made.counts_as_paid => order.paid = made.goods.minor().into(),
                _ => {}
            }
        }
        for part in &self.parts {
            let outstanding = part.outstanding();
            open.declined += u64::from(part.is_declined());
            open.refunds_due += u64::from(outstanding > 0);
            if let Stage::Paid(paid) = part.stage
                && paid.currency() == currency
            {
                open.refund_due += u128::from(outstanding);
            }
        }
        (order, open)
    }
}

/// The money of one drop. It keeps an account for each order, and for each hold that any payment was heard of.
#[derive(Clone, Debug, Default)]
pub(super) struct MoneyFold {
    accounts: HashMap<HoldId, Account, foldhash::fast::RandomState>,
    now: OrderSums,
    open: OpenSums,
    /// What the drop's chain ended with, once it has.
    ended: Option<Ended>,
    /// Up to the end of the drop's chain, as are the next.
    by_pool: HashMap<PoolIndex, OrderSums, foldhash::fast::RandomState>,
    by_channel: HashMap<usize, OrderSums, foldhash::fast::RandomState>,
    /// Channels of whose orders something came after the end.
    later: HashMap<usize, Later, foldhash::fast::RandomState>,
}

#[derive(Clone, Copy, Debug)]
struct Ended {
    /// The sums then.
    sums: OrderSums,
    /// Time of the latest row that came after.
    row_at: UnixMillis,
}

/// What came of a channel's orders after the end of the drop's chain.
#[derive(Clone, Copy, Debug)]
struct Later {
    as_of: UnixMillis,
    records: u64,
    /// What they come to now.
    now: OrderSums,
}

impl MoneyFold {
    /// Something about the money for a hold.
    pub(super) fn record(&mut self, record: &PaymentRecord, currency: Currency) {
        let PaymentRecord { hold, change } = record;
        self.with(*hold, currency, |account| account.change(change));
    }

    /// A hold became an order by the money that came right before. In a plan without terms of payment no money is on
    /// record: then it is taken to be paid, as it was.
    pub(super) fn ordered(
        &mut self,
        hold: HoldId,
        (units, goods): (Units, Money),
        channel: ChannelPlace,
        has_terms: bool,
    ) {
        let counts_as_paid = !has_terms && !self.accounts.contains_key(&hold);
        self.with(hold, goods.currency(), |account| {
            let part = account.latest;
            account.order.get_or_insert(Order { part, channel, units, goods, counts_as_paid });
        });
    }

    /// The drop's chain has ended: what comes now, in a row of this time, changes what is open and the sums as they
    /// are now.
    pub(super) fn end(&mut self, row_at: UnixMillis) {
        let sums = self.now;
        self.ended.get_or_insert(Ended { sums, row_at }).row_at = row_at;
    }

    fn with(&mut self, hold: HoldId, currency: Currency, change: impl FnOnce(&mut Account)) {
        let account = self.accounts.entry(hold).or_default();
        let (before, open_before) = account.sums(currency);
        change(account);
        let (now, open_now) = account.sums(currency);
        self.open.replace(open_before, open_now);
        self.now.replace(before, now);
        let Some(channel) = account.order.as_ref().map(|order| order.channel.get()) else { return };
        let of_channel = self.by_channel.entry(channel).or_default();
        match self.ended {
            None => {
                self.by_pool.entry(hold.pool()).or_default().replace(before, now);
                of_channel.replace(before, now);
            }
            Some(Ended { row_at, .. }) if before != now => {
                let nothing = Later { as_of: row_at, records: 0, now: *of_channel };
                let later = self.later.entry(channel).or_insert(nothing);
                later.as_of = later.as_of.max(row_at);
                later.records += 1;
                later.now.replace(before, now);
            }
            Some(_) => {}
        }
    }

    /// The sums up to the end of the drop's chain.
    pub(super) fn all(&self) -> OrderSums {
        self.ended.map_or(self.now, |ended| ended.sums)
    }

    /// What came since.
    pub(super) fn since_end(&self) -> (MoneyChange, Cancellations) {
        self.now.since(self.all())
    }

    pub(super) fn of_pool(&self, pool: PoolIndex) -> OrderSums {
        self.by_pool.get(&pool).copied().unwrap_or_default()
    }

    pub(super) fn of_channel(&self, channel: ChannelPlace) -> OrderSums {
        self.by_channel.get(&channel.get()).copied().unwrap_or_default()
    }

    /// What came of a channel's orders since; `None` if nothing changed.
    pub(super) fn channel_since_end(&self, channel: ChannelPlace) -> Option<Adjustments> {
        let Later { as_of, records, now } = *self.later.get(&channel.get())?;
        let (money, cancelled) = now.since(self.of_channel(channel));
        Some(Adjustments { as_of, records, cancelled, money })
    }

    /// How many accounts there are.
    pub(super) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    pub(super) fn open(&self, currency: Currency) -> OpenMoney {
        let OpenSums { refunds_due, refund_due, authorized, declined, unpaid_orders } = self.open;
        OpenMoney {
            refunds_due,
            refund_due: amount(refund_due, currency),
            authorized: amount(authorized, currency),
            declined,
            unpaid_orders,
        }
    }
}
