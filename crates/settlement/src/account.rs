//! The money of one hold.

use stampede_domain::{Charges, HoldId, Money, OrderReference, PaymentId, Units};

use crate::part::{Part, PartState};

/// How a hold has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountEnd {
    /// It is an order.
    Ordered,
    /// It gave its units back.
    Gone,
}

/// What an order was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderGoods {
    /// How many units.
    pub units: Units,
    /// What they cost together, without charges.
    pub amount: Money,
}

/// The money of one hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldAccount {
    /// What is owed beyond the goods.
    pub charges: Charges,
    /// What the platform calls the order.
    pub reference: Option<OrderReference>,
    /// Every payment, in the order in which it was first heard of.
    pub parts: Vec<Part>,
    /// Whether an attempt has moved the deadline.
    pub stretched: bool,
    /// How the hold has ended, if it has since this account was begun.
    pub(crate) end: Option<AccountEnd>,
    /// The payment that the order was made by, as its place in the list.
    pub(crate) ordered_by: Option<usize>,
    /// The payment whose money came last, as its place in the list.
    pub(crate) latest_money: Option<usize>,
    /// What the order was made of, if it was made since this account was begun.
    pub(crate) goods: Option<OrderGoods>,
    /// How often something of the order was cancelled.
    pub cancellations: u32,
    /// Units of the order that were cancelled.
    pub cancelled_units: u32,
    /// By how much less the order costs, by decisions of staff, in minor units.
    pub waived: u64,
    /// The hold that took the units again after this one had ended.
    pub retaken: Option<HoldId>,
}

impl HoldAccount {
    /// What is owed for these goods; `None` above what [`Money`] holds.
    pub fn expected(&self, goods: Money) -> Option<Money> {
        self.charges.with(goods)
    }

    /// The part of a payment.
    pub fn part(&self, payment: &PaymentId) -> Option<&Part> {
        self.parts.iter().find(|part| part.payment == *payment)
    }

    /// The part that stands behind the order: the one that it was made by or, once that one's money is gone, the one
    /// that was paid in its place. `None` for an order that cost nothing.
    pub fn order_part(&self) -> Option<&Part> {
        self.order_place().and_then(|place| self.parts.get(place))
    }

    /// The place of that part in the list.
    pub(crate) fn order_place(&self) -> Option<usize> {
        let made_by = self.ordered_by?;
        if self.parts[made_by].stays() {
            return Some(made_by);
        }
        // All of a second payment is due back; what is paid in the place of money that is gone stays.
        Some(self.parts.iter().position(Part::stays).unwrap_or(made_by))
    }

    /// Whether no money stands behind an order of which something is still to be delivered, and to be kept.
    pub(crate) fn lacks_money(&self) -> bool {
        self.is_order() && !self.is_waived() && self.order_part().is_some_and(|part| !part.stays())
    }

    /// What is owed for the order anew, because the money behind it is gone; `None` if it has its money, or needs
    /// none.
    pub fn owed_anew(&self) -> Option<Money> {
        if !self.lacks_money() {
            return None;
        }
        let cost = self.expected(self.goods?.amount)?;
        Money::new(cost.minor().saturating_sub(self.waived), cost.currency())
    }

    /// Whether an attempt is under way.
    pub fn has_open_attempt(&self) -> bool {
        self.parts.iter().any(Part::is_open)
    }

    /// Whether the hold has become an order or has given its units back since money was heard of.
    pub const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether the hold is an order.
    pub fn is_order(&self) -> bool {
        self.end == Some(AccountEnd::Ordered)
    }

    /// What the order was made of; `None` if it was made before any money was heard of.
    pub const fn goods(&self) -> Option<OrderGoods> {
        self.goods
    }

    /// Whether staff have decided that nothing of the order is to be delivered, or that nothing of what it cost is to
    /// be kept.
    pub(crate) fn is_waived(&self) -> bool {
        let Some(goods) = self.goods else { return false };
        let cost = self.expected(goods.amount);
        self.cancelled_units == goods.units.get()
            || cost.is_some_and(|cost| self.waived >= cost.minor())
    }

    /// What was taken in all, in minor units.
    pub fn paid(&self) -> u64 {
        self.parts.iter().map(Part::paid).sum()
    }

    /// What went back in all, in minor units.
    pub fn refunded(&self) -> u64 {
        self.parts.iter().map(|part| part.refunded).sum()
    }

    /// What still has to go back, in minor units.
    pub fn outstanding(&self) -> u64 {
        self.parts.iter().map(Part::outstanding).sum()
    }

    /// Money of this payment came, or is kept ready.
    pub(crate) fn note_money(&mut self, payment: &PaymentId, state: PartState) {
        let place = self.place(payment);
        self.parts[place].state = state;
        self.latest_money = Some(place);
    }

    /// The hold is an order, by money that came just before; an order that costs nothing is by none.
    pub(crate) fn note_order(&mut self, goods: OrderGoods) {
        let is_due = |place: &usize| self.parts[*place].due > 0;
        self.ordered_by = self.latest_money.filter(|place| !is_due(place));
        self.goods = Some(goods);
        self.end = Some(AccountEnd::Ordered);
    }

    pub(crate) fn part_mut(&mut self, payment: &PaymentId) -> &mut Part {
        let place = self.place(payment);
        &mut self.parts[place]
    }

    /// The place of a payment's part, which is made if it is the first that is heard of it.
    fn place(&mut self, payment: &PaymentId) -> usize {
        let found = self.parts.iter().position(|part| part.payment == *payment);
        found.unwrap_or_else(|| {
            self.parts.push(Part::new(payment.clone(), PartState::Unknown));
            self.parts.len() - 1
        })
    }
}
