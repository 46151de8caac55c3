//! What is said about payments, and what viewers and staff ask about money.

use std::fmt::Write;

use stampede_books::{
    FactRefusal, HoldLook, HoldOutcome, PayingHold, PaymentOutcome, ReopenedDrop,
};
use stampede_domain::{
    Charges, DropId, HoldId, Incarnation, Mode, Money, PaymentAccount, PaymentEvent, PaymentFact,
    PaymentId, PaymentReference,
};
use stampede_ledger::UnmatchedPayment;
use stampede_settlement::{Matter, MatterKind, Part, PartOutcome};
use stampede_testkit::euros;

use crate::{shell::Shell, show::Names as _, stock::Hold, words::Words};

/// Where viewers pay by `pay`.
const SANDBOX: &str = "sandbox";

/// `19.90`, euros, or `19.90 JPY`.
fn money(words: &mut Words<'_>) -> Money {
    let (whole, cents) = words.word().split_once('.').expect("an amount with its cents");
    let minor = whole.parse::<u64>().unwrap() * 100 + cents.parse::<u64>().unwrap();
    let currency = words.next_if(|word| word == "JPY").unwrap_or("EUR");
    Money::new(minor, currency.parse().unwrap()).unwrap()
}

fn is_amount(word: &str) -> bool {
    word.contains('.')
}

impl Shell {
    /// `as p1 [at stripe]`, or `as h1#2` for a viewer's second attempt at a hold.
    fn payment(&self, words: &mut Words<'_>) -> PaymentId {
        let reference = words.after("as").expect("as which payment");
        if let Some((hold, number)) = reference.split_once('#') {
            let reference = format!("{}-{number}", self.hold_id(hold));
            return PaymentId::new(SANDBOX, &reference).unwrap();
        }
        PaymentId::new(words.after("at").unwrap_or("platform"), reference).unwrap()
    }

    /// What is said about a payment, in words: `paid h1 h2 39.80 as p1`. `false` if the line is nothing of it.
    pub(crate) fn fact(&mut self, line: &str) -> bool {
        let mut words = Words::of(line);
        let kind = words.word();
        if !["begun", "authorized", "paid", "failed", "voided", "refunded"].contains(&kind) {
            return false;
        }
        let mut holds = Vec::new();
        while let Some(name) = words.next_if(|word| word != "as" && !is_amount(word)) {
            holds.push(self.hold_id(name));
        }
        let event = match kind {
            "begun" => PaymentEvent::Begun,
            "authorized" => PaymentEvent::Authorized { amount: money(&mut words) },
            "paid" => PaymentEvent::Paid { amount: money(&mut words) },
            "voided" => PaymentEvent::Voided,
            "refunded" => PaymentEvent::Refunded { total: money(&mut words) },
            _ => PaymentEvent::Failed { reason: reference("card_declined"), is_final: false },
        };
        let payment = self.payment(&mut words);
        let event = match event {
            PaymentEvent::Failed { reason, .. } => {
                PaymentEvent::Failed { reason, is_final: words.take("final") }
            }
            event => event,
        };
        let mode = match () {
            () if words.take("real") => Some(Mode::Live),
            () if words.take("test") => Some(Mode::Rehearsal),
            () => None,
        };
        let order_reference = words.after("order").map(|word| word.parse().unwrap());
        words.end();
        self.say(&PaymentFact { payment, event, holds, mode, order_reference });
        true
    }

    /// A platform says that a hold was paid for, with what its goods cost.
    pub(crate) fn confirm(&mut self, name: &str) {
        let hold = self.named_hold(name);
        let look = self.look(name);
        let goods = if let HoldLook::Known(status) = look { status.amount } else { euros(1990) };
        self.say_of(name, hold, PaymentEvent::Paid { amount: goods });
    }

    /// A platform says that the payment of a hold failed for good.
    pub(crate) fn fail(&mut self, name: &str) {
        let hold = self.named_hold(name);
        let event = PaymentEvent::Failed { reason: reference("card_declined"), is_final: true };
        self.say_of(&format!("{name}-failed"), hold, event);
    }

    fn say_of(&mut self, payment: &str, hold: HoldId, event: PaymentEvent) {
        let payment = PaymentId::new("platform", payment).unwrap();
        let (holds, mode, order_reference) = (vec![hold], None, None);
        self.say(&PaymentFact { payment, event, holds, mode, order_reference });
    }

    /// The hold of this name, or one that nobody has.
    fn named_hold(&mut self, name: &str) -> HoldId {
        if !self.stock.names.values().any(|known| known == name) {
            let nobodys = stampede_testkit::hold(DropId::new(1), Incarnation::new(1).unwrap(), 99);
            self.stock.names.insert(nobodys, name.to_owned());
        }
        self.hold_id(name)
    }

    fn hold_id(&self, name: &str) -> HoldId {
        let mut named = self.stock.names.iter().filter(|(_, other)| *other == name);
        named.next().map(|(hold, _)| *hold).expect("a hold that was taken")
    }

    fn paying(&self, hold: HoldId) -> PayingHold {
        let name = self.stock.hold(hold);
        let of = self.stock.holds.get(&name);
        let look = self.look(&name);
        let is_over = of.is_none() && self.over.contains_key(&hold.drop_id());
        let channel = of.and_then(|hold| hold.channel.clone());
        // The shell takes nothing again, so it remembers nothing of what has ended.
        PayingHold { hold, look, channel, ended: None, is_over }
    }

    fn say(&mut self, fact: &PaymentFact) {
        let mut paying: Vec<PayingHold> = Vec::new();
        for hold in fact.holds.iter().copied().chain(self.books.holds_of(&fact.payment)) {
            if !paying.iter().any(|other| other.hold == hold) {
                paying.push(self.paying(hold));
            }
        }
        let now = self.sale;
        let outcome = self.decide(|books, out| books.payment(now, fact, &paying, out));
        self.hand_over(None);
        let text = self.outcome_words(&outcome);
        self.log.note("answer", text);
    }

    fn outcome_words(&self, outcome: &Result<PaymentOutcome, FactRefusal>) -> String {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(FactRefusal::TestMoney { hold }) => {
                return format!("refused, test money for {}", self.stock.hold(*hold));
            }
            Err(why) => return format!("refused, {why}"),
        };
        let holds = outcome.holds.iter().map(|(hold, outcome)| {
            let name = self.stock.hold(*hold);
            match outcome {
                HoldOutcome::Part(part) => format!("{name} {}", part_words(*part)),
                HoldOutcome::Moved { into, part } => {
                    format!("{name} moved to {} {}", self.stock.hold(*into), part_words(*part))
                }
                HoldOutcome::Unknown => format!("{name} unknown"),
                HoldOutcome::Over => format!("{name} over"),
            }
        });
        let said = holds.collect::<Vec<_>>().join("; ");
        if said.is_empty() { "no hold is known of it".to_owned() } else { said }
    }

    /// A viewer asks to pay.
    pub(crate) fn pay(&mut self, name: &str, by: Option<&str>) {
        let (paying, now) = (self.paying(self.hold_id(name)), self.sale);
        let owner = self.stock.holds.get(name).map(|hold| hold.viewer);
        let viewer = by.map(|by| self.viewer(by).number).or(owner).unwrap();
        let account = PaymentAccount::new(SANDBOX).unwrap();
        let paid = self.decide(|books, out| books.pay(now, viewer, &paying, (&account, None), out));
        self.hand_over(None);
        let text = match paid {
            Ok(()) => "ok".to_owned(),
            Err(refusal) => format!("refused, {}", refusal.code().name()),
        };
        self.log.note("answer", text);
    }

    /// What is owed beyond the goods: `charge h1 shipping 4.90 tax 1.00 fee 0.50`.
    pub(crate) fn charge(&mut self, words: &mut Words<'_>) {
        let name = words.word();
        let mut charge = |what| if words.take(what) { money(words).minor() } else { 0 };
        let charges =
            Charges { shipping: charge("shipping"), tax: charge("tax"), fee: charge("fee") };
        let Some(HoldLook::Known(held)) = self.stock.holds.get(name).map(Hold::look) else {
            return self.log.note("answer", "ended");
        };
        let now = self.sale;
        let charged = self.decide(|books, out| books.charge(now, held, charges, out));
        self.hand_over(None);
        let text = charged.map_or_else(|why| format!("refused, {why}"), |()| "ok".to_owned());
        self.log.note("answer", text);
    }

    /// Money that nobody can say what it was for: `unmatched 19.90 as p1`.
    pub(crate) fn unmatched(&mut self, words: &mut Words<'_>) {
        let amount = money(words);
        let unmatched = UnmatchedPayment { payment: self.payment(words), amount, named: "".into() };
        let now = self.sale;
        self.decide(|books, out| books.unmatched(now, unmatched, out));
        self.hand_over(None);
    }

    /// The money of a drop that has left memory is read again.
    pub(crate) fn reopen(&mut self, drop: DropId) {
        assert!(self.is_quiet(), "nothing of it is on the way");
        let (payments, adjustments) = self.journal.money(drop);
        let is_current =
            self.books.reopen(ReopenedDrop { drop, mode: Mode::Live, payments, adjustments });
        assert!(is_current, "nothing was recorded since");
    }

    /// Attempts to pay by viewers that are under way.
    pub(crate) fn attempts(&self) -> String {
        let open = self.books.open_attempts(&PaymentAccount::new(SANDBOX).unwrap());
        let names: Vec<_> = open.iter().map(|(hold, _)| self.stock.hold(*hold)).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// The money of a hold, with what is to be done about it.
    pub(crate) fn money_of(&self, name: &str) -> String {
        let hold = self.hold_id(name);
        let book = self.books.payments(hold.drop_id()).expect("its drop is in memory, or read");
        let Some(account) = book.account(hold) else { return format!("{name} nothing") };
        let mut text = name.to_owned();
        if let Some(reference) = &account.reference {
            write!(text, " order {reference}").unwrap();
        }
        for part in &account.parts {
            let is_orders = account.order_part() == Some(part);
            let mark = if is_orders { " (its order)" } else { "" };
            write!(text, ", {}{mark}", self.part(part)).unwrap();
        }
        for matter in book.matters_of(hold) {
            write!(text, "; to do: {}", matter_words(&matter)).unwrap();
        }
        text
    }

    fn part(&self, part: &Part) -> String {
        let mut text = format!("{} {}", self.stock.payment(&part.payment), part.state.name());
        if let Some(amount) = part.covers() {
            write!(text, " {amount}").unwrap();
        }
        if part.due > 0 {
            write!(text, ", due back {}", cents(part.due)).unwrap();
        }
        if part.refunded > 0 {
            write!(text, ", refunded {}", cents(part.refunded)).unwrap();
        }
        text
    }

    /// Money is where the records say: each order has been paid for, or cost nothing; money that came is an
    /// order's or due back.
    pub(crate) fn check_money(&self) {
        let holds = self.stock.holds.values();
        for hold in holds.filter(|hold| self.books.payments(hold.id.drop_id()).is_some()) {
            let Some(account) = self.books.payments(hold.id.drop_id()).unwrap().account(hold.id)
            else {
                continue;
            };
            for part in &account.parts {
                let is_orders = account.order_part() == Some(part);
                let left = part.paid() - part.due.min(part.paid());
                let is_back = part.refunded >= part.paid();
                assert!(is_orders || left == 0 || is_back, "money of {} is nobody's", part.payment);
                assert!(part.paid() == 0 || part.refunded <= part.paid(), "{}", part.payment);
            }
        }
    }
}

fn reference(word: &str) -> PaymentReference {
    PaymentReference::new(word).unwrap()
}

fn cents(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn part_words(part: PartOutcome) -> String {
    match part {
        PartOutcome::Ordered => "ordered".to_owned(),
        PartOutcome::AlreadyOrdered => "already ordered".to_owned(),
        PartOutcome::Ends => "ends".to_owned(),
        PartOutcome::Noted => "noted".to_owned(),
        PartOutcome::RefundDue { amount, reason } => format!("due back {amount} {reason}"),
        PartOutcome::Unchanged => "unchanged".to_owned(),
    }
}

fn matter_words(matter: &Matter) -> String {
    match matter.kind {
        MatterKind::Refund { amount, .. }
        | MatterKind::Capture { amount }
        | MatterKind::Unpaid { amount } => {
            format!("{} {amount}", matter.kind.name())
        }
        MatterKind::Void => matter.kind.name().to_owned(),
    }
}
