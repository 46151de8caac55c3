//! The till's own books: what was paid, what became of it by the server's answers, what went back.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{Checkout, reports::Told};
use crate::audit::{Ledger, Money};

/// Things that went wrong, in words, that are kept.
const WRONG_MAX: usize = 20;
/// What the names of payments begin with.
const PREFIX: &str = "pay-";

/// Everything that the till knows by itself.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// By number, from 0.
    payments: Vec<Payment>,
    /// The payment of each hold that is under way or paid.
    by_hold: HashMap<String, usize>,
    wrong: Vec<String>,
}

#[derive(Debug)]
struct Payment {
    checkout: Checkout,
    state: State,
    /// The order that it made, by the server's answer.
    order: Option<String>,
    /// What went back of it so far.
    given_back: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    UnderWay,
    Paid,
    Declined,
    CalledOff,
}

/// What became of a payment at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Paid { minor: u64 },
    Declined,
    CalledOff,
}

/// What a till took and gave back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TillFigures {
    /// Payments that were paid.
    pub payments: u64,
    /// Payments that were declined.
    pub declined: u64,
    /// Payments that were called off because their hold had ended.
    pub called_off: u64,
    /// Orders that payments made.
    pub orders: u64,
    /// Money for those orders, in minor units.
    pub ordered_minor: u64,
    /// All money that was taken, in minor units.
    pub paid_minor: u64,
    /// Payments of which something went back.
    pub refunds: u64,
    /// All money that went back, in minor units.
    pub refunded_minor: u64,
    /// Money that was taken, made no order and has not gone back, in minor units.
    pub due_minor: u64,
}

/// What a till knows when it has closed.
#[derive(Clone, Debug, Default)]
pub struct TillAccount {
    /// By drop.
    pub drops: BTreeMap<String, TillFigures>,
    /// What is not as it should be, in words.
    pub wrong: Vec<String>,
}

pub(super) fn name(payment: usize) -> String {
    format!("{PREFIX}{payment}")
}

impl Books {
    /// Begins a payment; `None` if the hold has one under way or is paid.
    pub(super) fn begin(&mut self, checkout: Checkout) -> Option<usize> {
        let number = self.payments.len();
        let hold = checkout.hold.clone();
        if self.by_hold.contains_key(&hold) {
            return None;
        }
        self.by_hold.insert(hold, number);
        let payment = Payment { checkout, state: State::UnderWay, order: None, given_back: 0 };
        self.payments.push(payment);
        Some(number)
    }

    /// The provider has decided. Noted before it is reported, so that a viewer who is told may try again at once.
    pub(super) fn end(&mut self, number: usize, is_declined: bool) -> Outcome {
        let payment = &mut self.payments[number];
        match payment.state {
            State::CalledOff => Outcome::CalledOff,
            _ if is_declined => {
                payment.state = State::Declined;
                self.by_hold.remove(&payment.checkout.hold);
                Outcome::Declined
            }
            _ => {
                payment.state = State::Paid;
                Outcome::Paid { minor: payment.checkout.amount_minor }
            }
        }
    }

    /// Calls a payment off that is under way; whether it is off now. One that is paid stays paid.
    pub(super) fn call_off(&mut self, number: usize) -> bool {
        let payment = &mut self.payments[number];
        if payment.state == State::UnderWay {
            payment.state = State::CalledOff;
            self.by_hold.remove(&payment.checkout.hold);
        }
        payment.state != State::Paid
    }

    /// Gives back what is due of a payment; everything that went back of it so far.
    pub(super) fn give_back(&mut self, number: usize, minor: u64) -> u64 {
        let payment = &mut self.payments[number];
        // The list may be older than the last refund: nothing goes back twice.
        if payment.given_back < payment.checkout.amount_minor {
            payment.given_back += minor;
        }
        payment.given_back
    }

    /// The number of a payment that has begun.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        let number = name.strip_prefix(PREFIX)?.parse().ok()?;
        (number < self.payments.len()).then_some(number)
    }

    /// What a payment that has begun is for.
    pub(super) fn hold(&self, number: usize) -> String {
        self.payments[number].checkout.hold.clone()
    }

    /// Notes what a report was answered.
    pub(super) fn note(&mut self, number: usize, event: &str, told: Result<Told, String>) {
        match told {
            Ok(Told { order: Some(order) }) => {
                let known = self.payments[number].order.get_or_insert_with(|| order.clone());
                if *known != order {
                    let known = known.clone();
                    self.wrong(format!("{} made the order {known}, then {order}", name(number)));
                }
            }
            Ok(Told { order: None }) => {}
            Err(why) => self.wrong(format!("{event} of {} was refused: {why}", name(number))),
        }
    }

    /// Something is not as it should be.
    pub(super) fn wrong(&mut self, what: String) {
        if self.wrong.len() < WRONG_MAX {
            self.wrong.push(what);
        }
    }

    /// The sums of everything.
    pub(super) fn account(&self) -> TillAccount {
        let mut drops: BTreeMap<String, TillFigures> = BTreeMap::new();
        for payment in &self.payments {
            drops.entry(payment.checkout.drop.clone()).or_default().add(payment);
        }
        TillAccount { drops, wrong: self.wrong.clone() }
    }
}

impl TillFigures {
    fn add(&mut self, payment: &Payment) {
        let minor = payment.checkout.amount_minor;
        match payment.state {
            State::Paid => {
                self.payments += 1;
                self.paid_minor += minor;
            }
            State::Declined => self.declined += 1,
            State::CalledOff => self.called_off += 1,
            State::UnderWay => {}
        }
        self.refunds += u64::from(payment.given_back > 0);
        self.refunded_minor += payment.given_back;
        if payment.order.is_some() {
            self.orders += 1;
            self.ordered_minor += minor;
        } else if payment.state == State::Paid {
            self.due_minor += minor.saturating_sub(payment.given_back);
        }
    }

    /// Adds another drop's.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            payments: self.payments + other.payments,
            declined: self.declined + other.declined,
            called_off: self.called_off + other.called_off,
            orders: self.orders + other.orders,
            ordered_minor: self.ordered_minor + other.ordered_minor,
            paid_minor: self.paid_minor + other.paid_minor,
            refunds: self.refunds + other.refunds,
            refunded_minor: self.refunded_minor + other.refunded_minor,
            due_minor: self.due_minor + other.due_minor,
        }
    }
}

impl TillAccount {
    /// The sums of all drops.
    pub fn total(&self) -> TillFigures {
        self.drops.values().fold(TillFigures::default(), TillFigures::plus)
    }

    /// Where the till and the server differ about a drop, in words; empty if they agree.
    ///
    /// `reported` is what the drop's report says was paid and refunded for its orders, and is still due back, in minor
    /// units; the ledger has every record about money.
    pub fn differences(&self, drop: &str, ledger: &Ledger, reported: ReportedMoney) -> Vec<String> {
        let till = self.drops.get(drop).copied().unwrap_or_default();
        let Money { orders, paid_minor, refunded_minor } = ledger.money();
        let compared = [
            ("orders", till.orders, orders),
            ("minor units paid", till.paid_minor, paid_minor),
            ("minor units given back", till.refunded_minor, refunded_minor),
            ("minor units paid for orders", till.ordered_minor, reported.paid_minor),
            // The till gives nothing back for an order that stands.
            ("minor units given back for orders", 0, reported.refunded_minor),
            ("minor units due back", till.due_minor, reported.refund_due_minor),
        ];
        let differ = compared.into_iter().filter(|(_, till, server)| till != server);
        let words = |(what, till, server)| {
            format!("{drop}: the till has {till} {what}, the server {server}")
        };
        let due = (till.due_minor > 0)
            .then(|| format!("{drop}: {} minor units are due back", till.due_minor));
        differ.map(words).chain(due).collect()
    }
}

/// What a drop's report says about money, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct ReportedMoney {
    /// Taken for orders.
    pub paid_minor: u64,
    /// Went back of that.
    pub refunded_minor: u64,
    /// Has to go back and has not, of orders and of payments that bought nothing.
    pub refund_due_minor: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout(hold: &str) -> Checkout {
        Checkout { drop: "d1".into(), hold: hold.into(), amount_minor: 499 }
    }

    fn paid(books: &mut Books, hold: &str, order: Option<&str>) -> usize {
        let number = books.begin(checkout(hold)).unwrap();
        assert_eq!(books.end(number, false), Outcome::Paid { minor: 499 });
        books.note(number, "paid", Ok(Told { order: order.map(str::to_owned) }));
        number
    }

    fn ledger(lines: &[&str]) -> Ledger {
        let mut ledger = Ledger::default();
        for line in lines {
            ledger.add(line.as_bytes()).unwrap();
        }
        ledger
    }

    const HOLD: &str = r#"{"type":"hold","hold":"h1","viewer":"v1","sku":"mug","units":1,"key":"k","state":"confirmed","taken_at_ms":1,"deadline_ms":9,"ended_at_ms":5}"#;
    const PAID_1: &str = r#"{"type":"payment","hold":"h1","what":"paid","account":"platform","reference":"pay-0","amount_minor":499,"currency":"EUR","at_ms":5}"#;
    const PAID_2: &str = r#"{"type":"payment","hold":"h2","what":"paid","account":"platform","reference":"pay-1","amount_minor":499,"currency":"EUR","at_ms":6}"#;
    const BACK_2: &str = r#"{"type":"payment","hold":"h2","what":"refunded","account":"platform","reference":"pay-1","total_minor":499,"currency":"EUR","at_ms":7}"#;
    const REPORTED: ReportedMoney =
        ReportedMoney { paid_minor: 499, refunded_minor: 0, refund_due_minor: 0 };

    #[test]
    fn a_hold_is_paid_once_but_may_be_tried_again_after_a_refusal() {
        let mut books = Books::default();
        let first = books.begin(checkout("h1")).unwrap();
        assert_eq!(books.begin(checkout("h1")), None, "one is under way");
        assert_eq!(books.end(first, true), Outcome::Declined);
        paid(&mut books, "h1", Some("o1"));
        assert_eq!(books.begin(checkout("h1")), None, "it is paid");
        let off = books.begin(checkout("h2")).unwrap();
        assert!(books.call_off(off));
        assert_eq!(
            books.end(off, false),
            Outcome::CalledOff,
            "nobody pays for what was called off"
        );
        let TillFigures { declined, called_off, orders, .. } = books.account().total();
        assert_eq!((declined, called_off, orders), (1, 1, 1));
    }

    #[test]
    fn the_till_and_the_server_agree_or_it_is_said_where_they_do_not() {
        let mut books = Books::default();
        paid(&mut books, "h1", Some("h1"));
        let late = paid(&mut books, "h2", None);
        assert_eq!(books.account().total().due_minor, 499);
        assert!(!books.call_off(late), "money has come");
        assert_eq!((books.give_back(late, 499), books.give_back(late, 499)), (499, 499), "once");
        let account = books.account();
        let whole = ledger(&[HOLD, PAID_1, PAID_2, BACK_2, BACK_2]);
        assert_eq!(account.differences("d1", &whole, REPORTED), Vec::<String>::new());

        let differ = |lines: &[&str], reported| {
            account.differences("d1", &ledger(lines), reported).join("; ")
        };
        let without_order = differ(&[PAID_1, PAID_2, BACK_2], REPORTED);
        assert_eq!(without_order, "d1: the till has 1 orders, the server 0");
        let unpaid = differ(&[HOLD, PAID_1, BACK_2], REPORTED);
        assert_eq!(unpaid, "d1: the till has 998 minor units paid, the server 499");
        let kept =
            differ(&[HOLD, PAID_1, PAID_2], ReportedMoney { refund_due_minor: 499, ..REPORTED });
        assert!(
            kept.contains("given back, the server 0") && kept.contains("due back, the server 499"),
            "{kept}"
        );
        let less =
            differ(&[HOLD, PAID_1, PAID_2, BACK_2], ReportedMoney { paid_minor: 498, ..REPORTED });
        assert_eq!(less, "d1: the till has 499 minor units paid for orders, the server 498");
    }

    #[test]
    fn money_that_nobody_gives_back_is_said_though_the_server_knows_it() {
        let mut books = Books::default();
        paid(&mut books, "h2", None);
        let reported = ReportedMoney { refund_due_minor: 499, ..ReportedMoney::default() };
        let said = books.account().differences("d1", &ledger(&[PAID_2]), reported);
        assert_eq!(said, ["d1: 499 minor units are due back"]);
    }
}
