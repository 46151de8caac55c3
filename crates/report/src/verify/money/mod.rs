//! Money by rules of this verifier's own: what may follow what, what an order costs, what is due back.

mod account;
mod fault;
mod unmatched;

use std::collections::HashMap;

use stampede_domain::{
    HoldId, Mode, Money, PaymentId, RefundReason, Units, limits::PAYMENTS_PER_HOLD_MAX,
};
use stampede_ledger::{Cancelled, PaymentChange, PaymentRecord};

use self::account::{Account, OrderMoney, Stage, cost};
pub use self::fault::MoneyFault;
pub(super) use self::unmatched::UnmatchedCheck;
pub use self::unmatched::UnmatchedFault;
use super::finding::{Findings, Place};

/// How a hold stands when something is said about its money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Held,
    /// Its time was over, the record of its end has not come.
    Late,
    Ordered,
    Gone,
    /// Its drop is over, and no money that made it an order is known.
    Over,
}

impl Standing {
    /// In a sentence about the hold.
    const fn words(self) -> &'static str {
        match self {
            Self::Held => "is held",
            Self::Late => "has had its time",
            Self::Ordered => "is an order",
            Self::Gone | Self::Over => "has ended",
        }
    }
}

/// A hold that a record about money names.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedHold {
    pub(super) hold: HoldId,
    pub(super) stands: Standing,
    pub(super) units: Units,
    /// What its goods cost.
    pub(super) goods: Option<Money>,
    /// Whether its drop is a rehearsal.
    pub(super) mode: Mode,
}

/// Money that came by a record: whose, and by which part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came {
    hold: HoldId,
    part: usize,
}

/// Money that came in the present row.
#[derive(Debug)]
struct OfRow {
    came: Came,
    place: Place,
    /// What had been kept ready, of which nothing more has to be given, in minor units.
    kept: Option<u64>,
}

/// The money of one drop.
#[derive(Debug, Default)]
pub(super) struct MoneyBook {
    accounts: HashMap<HoldId, Account, foldhash::fast::RandomState>,
    /// What came by the record before.
    came: Option<Came>,
    of_row: Vec<OfRow>,
}

impl MoneyBook {
    /// What came by the record before; nothing by the next one until it says so.
    pub(super) fn take_came(&mut self) -> Option<Came> {
        self.came.take()
    }

    /// Whether somebody was about to pay for a hold.
    pub(super) fn is_begun(&self, hold: HoldId) -> bool {
        self.accounts.get(&hold).is_some_and(Account::is_begun)
    }

    /// How a hold of a drop that is over stands.
    pub(super) fn stands_over(&self, hold: HoldId) -> Standing {
        match self.accounts.get(&hold).map(|account| account.order) {
            Some(Some(OrderMoney { part: Some(_), .. })) => Standing::Ordered,
            Some(None) => Standing::Gone,
            None | Some(Some(OrderMoney { part: None, .. })) => Standing::Over,
        }
    }

    /// Units of an order; none of a hold that is not known to be one.
    pub(super) fn units(&self, hold: HoldId) -> Units {
        let order = self.accounts.get(&hold).and_then(|account| account.order);
        order.map_or(Units::ZERO, |order| order.units)
    }

    /// The drop has ended: refunds and late payments come for months, so its accounts stay.
    pub(super) fn drop_ended(&mut self) {
        self.accounts.shrink_to_fit();
    }

    /// Follows a record about a hold's money; `into` is the hold that a retaken one names, if the drop has it.
    pub(super) fn record(
        &mut self,
        record: &PaymentRecord,
        named: NamedHold,
        into: Option<NamedHold>,
        place: Place,
        findings: &mut Findings,
    ) {
        if let (PaymentChange::Retaken { payment, .. }, Some(into)) = (&record.change, into) {
            self.must_be_paid_by(payment, into.hold, place, findings);
        }
        let account = self.accounts.entry(named.hold).or_default();
        let mut change = Change { account, named, place, findings };
        let name = record.change.name();
        match &record.change {
            PaymentChange::Charged(charges) => {
                change.must_be_held(name);
                change.account.charges = *charges;
                change.must_be_written();
            }
            PaymentChange::Referenced(_) => {}
            PaymentChange::Begun { payment } => {
                change.must_be_held(name);
                change.moves(payment, Stage::Begun, "begins");
            }
            PaymentChange::Authorized { payment, amount } => {
                let (part, kept) = change.comes(payment, Stage::Authorized(*amount));
                self.came(Came { hold: named.hold, part }, place, kept);
            }
            PaymentChange::Paid { payment, amount } => {
                let (part, kept) = change.comes(payment, Stage::Paid(*amount));
                self.came(Came { hold: named.hold, part }, place, kept);
            }
            PaymentChange::Failed { payment, .. } => change.fails(payment, name),
            PaymentChange::Voided { payment } => {
                let (part, _) = change.moves(payment, Stage::Voided, "is let go");
                // Nothing of it has to go back; if it is taken all the same, that is judged anew.
                change.account.parts[part].due = 0;
            }
            PaymentChange::RefundDue { payment, amount, reason } => {
                change.due(payment, *amount, *reason);
            }
            PaymentChange::Refunded { payment, total } => change.refunded(payment, *total),
            PaymentChange::Asked { payment, .. } | PaymentChange::Declined { payment, .. } => {
                change.must_know(payment, name);
            }
            PaymentChange::Cancelled(cancelled) => change.cancelled(cancelled, name),
            PaymentChange::Retaken { into: taken, .. } => change.retaken(*taken, into, name),
        }
    }

    fn came(&mut self, came: Came, place: Place, kept: Option<u64>) {
        self.came = Some(came);
        self.of_row.push(OfRow { came, place, kept });
    }

    /// A hold became an order: what is owed for it must have come right before, unless that is nothing. Plans of
    /// versions without payments say nothing about money.
    pub(super) fn ordered(
        &mut self,
        (hold, goods, units): (HoldId, Money, Units),
        came: Option<Came>,
        must_be_paid: bool,
        place: Place,
        findings: &mut Findings,
    ) {
        let came = came.filter(|came| came.hold == hold);
        if came.is_none() && !must_be_paid && !self.accounts.contains_key(&hold) {
            return;
        }
        let account = self.accounts.entry(hold).or_default();
        let owed = cost(goods, account.charges);
        let part = came.map(|came| came.part);
        let amount = part.and_then(|part| account.parts[part].stage.money());
        let is_free = owed.is_some_and(|owed| owed.minor() == 0);
        let is_covered = match amount {
            Some(amount) => owed == Some(amount),
            None => is_free || !must_be_paid,
        };
        if !is_covered {
            findings.add(place, MoneyFault::OrderUnpaid { hold, owed, came: amount });
        }
        account.order = Some(OrderMoney {
            made_by: part,
            part,
            units,
            cost: owed,
            cancelled_units: 0,
            waived: 0,
        });
    }

    /// Units were taken again for a payment that has made an order of them.
    fn must_be_paid_by(
        &self,
        payment: &PaymentId,
        hold: HoldId,
        place: Place,
        findings: &mut Findings,
    ) {
        let account = self.accounts.get(&hold);
        let part = account.and_then(|account| Some(&account.parts[account.order?.part?]));
        if part.is_none_or(|part| part.payment != *payment) {
            let (record, payment) = ("retaken", payment.clone());
            findings.add(place, MoneyFault::UnknownPayment { record, hold, payment });
        }
    }

    /// The row is over: whatever came in it has an order, or is due back.
    pub(super) fn end_row(&mut self, findings: &mut Findings) {
        self.came = None;
        for OfRow { came, place, kept } in self.of_row.drain(..) {
            let Some(account) = self.accounts.get(&came.hold) else { continue };
            let part = &account.parts[came.part];
            let Some(amount) = part.stage.money() else { continue };
            let order = account.order.filter(|order| order.part == Some(came.part));
            // The order was given for what had been kept ready, or for what it costs by now.
            let given =
                order.map_or(0, |order| kept.unwrap_or_else(|| order.costs(amount.currency())));
            if part.due < amount.minor().saturating_sub(given) {
                let (hold, payment, due) = (came.hold, part.payment.clone(), part.due);
                findings.add(place, MoneyFault::RefundNotDue { hold, payment, amount, due });
            }
        }
    }
}

/// One record about the money of a hold.
struct Change<'a> {
    account: &'a mut Account,
    named: NamedHold,
    place: Place,
    findings: &'a mut Findings,
}

impl Change<'_> {
    fn add(&mut self, fault: MoneyFault) {
        self.findings.add(self.place, fault);
    }

    fn must_be_held(&mut self, record: &'static str) {
        if self.named.stands != Standing::Held {
            let hold = self.named.hold;
            self.add(MoneyFault::NotHeld { record, hold });
        }
    }

    fn must_be(&mut self, stands: Standing, record: &'static str) {
        let is_over = self.named.stands == Standing::Over;
        if self.named.stands != stands && !is_over {
            let (hold, stands) = (self.named.hold, self.named.stands.words());
            self.add(MoneyFault::WrongStanding { record, hold, stands });
        }
    }

    fn must_know(&mut self, payment: &PaymentId, record: &'static str) {
        if self.account.place(payment).is_none() {
            let (hold, payment) = (self.named.hold, payment.clone());
            self.add(MoneyFault::UnknownPayment { record, hold, payment });
        }
    }

    fn must_be_written(&mut self) {
        let charges = self.account.charges;
        if self.named.goods.is_some_and(|goods| cost(goods, charges).is_none()) {
            self.add(MoneyFault::ChargesTooLarge { hold: self.named.hold });
        }
    }

    /// Moves a payment to a stage; returns its place and the stage before.
    fn moves(&mut self, payment: &PaymentId, to: Stage, words: &'static str) -> (usize, Stage) {
        let (hold, known) = (self.named.hold, self.account.place(payment));
        let (number, max) = (self.account.parts.len() + 1, PAYMENTS_PER_HOLD_MAX);
        if known.is_none()
            && number > max
            && matches!(to, Stage::Begun | Stage::Failed | Stage::Voided)
        {
            let payment = payment.clone();
            self.add(MoneyFault::TooManyPayments { hold, payment, number, max });
        }
        let place = self.account.place_or_new(payment);
        let from = self.account.parts[place].stage;
        if matches!((from, to), (Stage::Paid(_), Stage::Paid(_))) {
            self.add(MoneyFault::PaidTwice { hold, payment: payment.clone() });
        } else if !to.may_follow(from, known.is_some()) {
            let (payment, from, to) = (payment.clone(), from.words(), words);
            self.add(MoneyFault::OutOfTurn { hold, payment, from, to });
        }
        self.account.parts[place].stage = to;
        (place, from)
    }

    /// Money comes, or is kept ready. Returns the part's place, and what had been kept ready of it before.
    fn comes(&mut self, payment: &PaymentId, to: Stage) -> (usize, Option<u64>) {
        let words = if matches!(to, Stage::Paid(_)) { "is paid" } else { "is kept ready" };
        let (place, from) = self.moves(payment, to, words);
        let hold = self.named.hold;
        let Some(amount) = to.money() else { return (place, None) };
        let part = &mut self.account.parts[place];
        part.most = part.most.max(amount.minor());
        let refunded = part.refunded;
        if let (Stage::Authorized(kept), Stage::Paid(paid)) = (from, to)
            && kept.currency() != paid.currency()
        {
            let payment = payment.clone();
            self.add(MoneyFault::OtherCurrency { hold, payment, kept, paid });
        }
        if let Stage::Paid(paid) = to
            && refunded > paid.minor()
        {
            let payment = payment.clone();
            self.add(MoneyFault::RefundAbovePayment { hold, payment, refunded, paid });
        }
        // By what is known now: what follows in the same row may send some of it back.
        self.account.pay_anew(place);
        let kept = if let Stage::Authorized(kept) = from { Some(kept.minor()) } else { None };
        (place, kept)
    }

    /// Of a hold that is not held any more only an attempt that is open can fail.
    fn fails(&mut self, payment: &PaymentId, record: &'static str) {
        let (_, from) = self.moves(payment, Stage::Failed, "fails");
        if from != Stage::Begun {
            self.must_be_held(record);
        }
    }

    fn due(&mut self, payment: &PaymentId, amount: Money, reason: RefundReason) {
        let hold = self.named.hold;
        let place = self.account.place_or_new(payment);
        let part = &mut self.account.parts[place];
        part.due = part.due.saturating_add(amount.minor());
        let (stage, due, most) = (part.stage, part.due, part.most);
        // More of a payment that was due already: whoever took the units again came after that.
        let was_due = part.is_due_by_end;
        part.is_due_by_end |= reason == RefundReason::HoldEnded;
        let payment = payment.clone();
        match stage.money() {
            None => self.add(MoneyFault::DueWithoutMoney { hold, payment, amount }),
            Some(came) if due > most || came.currency() != amount.currency() => {
                self.add(MoneyFault::DueAbovePayment { hold, payment, due, amount: came });
            }
            Some(_) => {}
        }
        let stands = self.named.stands;
        let (is_gone, is_order) = match stands {
            Standing::Over => (true, true),
            stands => (stands == Standing::Gone, stands == Standing::Ordered),
        };
        let fits = match reason {
            RefundReason::HoldEnded => is_gone && (was_due || !self.account.is_retaken),
            RefundReason::SecondPayment => is_order || self.account.is_retaken,
            RefundReason::Cancelled => is_order,
            RefundReason::WrongMode => self.named.mode == Mode::Rehearsal,
            RefundReason::WrongAmount => true,
        };
        if !fits {
            let of_live = reason == RefundReason::WrongMode;
            let stands = if of_live { "is of a live drop" } else { stands.words() };
            self.add(MoneyFault::OtherReason { hold, reason, stands });
        }
    }

    fn refunded(&mut self, payment: &PaymentId, total: Money) {
        let hold = self.named.hold;
        let place = self.account.place_or_new(payment);
        let part = &mut self.account.parts[place];
        let (before, stage) = (part.refunded, part.stage);
        part.refunded = total.minor();
        let payment = payment.clone();
        if total.minor() <= before {
            let payment = payment.clone();
            self.add(MoneyFault::RefundNotMore { hold, payment, total, before });
        }
        if let Stage::Paid(paid) = stage
            && (total.minor() > paid.minor() || total.currency() != paid.currency())
        {
            let refunded = total.minor();
            self.add(MoneyFault::RefundAbovePayment { hold, payment, refunded, paid });
        }
    }

    fn cancelled(&mut self, cancelled: &Cancelled, record: &'static str) {
        self.must_be(Standing::Ordered, record);
        let (hold, units) = (self.named.hold, self.named.units);
        let ordered = units.get();
        let goods = self.named.goods;
        let charges = self.account.charges;
        let order = self.account.order.get_or_insert_with(|| OrderMoney {
            made_by: None,
            part: None,
            units,
            cost: goods.and_then(|goods| cost(goods, charges)),
            cancelled_units: 0,
            waived: 0,
        });
        let (units, before) = (cancelled.units, order.cancelled_units);
        order.cancelled_units = units;
        order.waived = order.waived.saturating_add(cancelled.waived.minor());
        let (amount, cost) = (order.waived, order.cost);
        // Money alone goes back as goodwill.
        let is_something = units > before || units == before && cancelled.amount.minor() > 0;
        if !is_something || units > ordered {
            self.add(MoneyFault::CancelledUnits { hold, units, before, ordered });
        }
        let is_within = |cost: Money| {
            let of = cost.currency();
            amount <= cost.minor()
                && [cancelled.amount, cancelled.waived].map(Money::currency) == [of; 2]
        };
        let is_more = cancelled.amount.minor() > cancelled.waived.minor();
        if is_more || !cost.is_some_and(is_within) {
            self.add(MoneyFault::CancelledAmount { hold, amount, cost });
        }
    }

    fn retaken(&mut self, into: HoldId, found: Option<NamedHold>, record: &'static str) {
        self.must_be(Standing::Gone, record);
        if std::mem::replace(&mut self.account.is_retaken, true) {
            self.add(MoneyFault::RetakenTwice { hold: self.named.hold });
        }
        if found.is_none() || into == self.named.hold {
            self.add(MoneyFault::NeverTaken { record, hold: into });
        }
    }
}
