//! The result of a settlement drill: its own books held against the server's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use stampede_domain::{HoldId, OrderId};

use super::books::Books;
use crate::error::DrillError;

/// Things that are wrong, in the outcome; a file beside the ledger has all of them.
const WRONG_MAX: usize = 20;

/// An order by the server's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LedgerOrder {
    pub(super) units: u64,
    pub(super) amount: u64,
}

/// What the server's ledger says of all drops.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) orders: BTreeMap<OrderId, Vec<LedgerOrder>>,
    /// How each hold stands.
    pub(super) holds: BTreeMap<HoldId, String>,
    /// Lines beyond the first of one hold.
    pub(super) holds_repeated: u64,
    pub(super) drops: Vec<DropFigures>,
}

/// Units of one drop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DropFigures {
    /// By the drill's plan.
    pub(super) planned: u64,
    pub(super) supplied: u64,
    pub(super) sold: u64,
    pub(super) available: u64,
    pub(super) held: u64,
    /// Units of all lines of orders.
    pub(super) ordered: u64,
    /// Units of orders that were cancelled, on sale again.
    pub(super) restocked: u64,
}

/// How much of everything there has to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thresholds {
    pub(super) holds: u64,
    pub(super) orders: u64,
    pub(super) kills: u64,
    pub(super) kills_between: u64,
}

/// What the kills met.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KillCounts {
    pub(super) all: u64,
    pub(super) between: u64,
}

/// The outcome; one line of JSON.
#[derive(Clone, Debug, Serialize)]
pub struct SettlementOutcome {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// The drill's seed.
    pub seed: u64,
    /// Holds in the ledger.
    pub holds: u64,
    /// Orders in the ledger.
    pub orders: u64,
    /// Holds that expired.
    pub expired: u64,
    /// Holds that were released or ended by a final failure.
    pub released: u64,
    /// Orders of units that were taken again for a payment that came too late.
    pub late_orders: u64,
    /// Parts of payments that were due back.
    pub refund_due: u64,
    /// Payments of which more was kept than their orders cost.
    pub refunds_missing: u64,
    /// Orders that were promised and are not there.
    pub orders_missing: u64,
    /// Orders beyond the one of a payment's part.
    pub duplicate_orders: u64,
    /// Minor units by which payments and orders do not agree.
    pub money_difference: u64,
    /// Units by which drops, orders and supply do not agree.
    pub units_difference: u64,
    /// Orders that were cancelled.
    pub cancelled: u64,
    /// How often the server was killed.
    pub kills: u64,
    /// Kills that fell between the record of a report and its answer, proven.
    pub kills_between: u64,
    /// `ok`, or how many findings the verifier has about the ledger.
    pub verify: Value,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

impl Ledger {
    /// Takes the lines of one drop's audit.
    pub(super) fn read(
        &mut self,
        audit: &str,
        figures: &mut DropFigures,
    ) -> Result<(), DrillError> {
        for line in audit.lines().filter(|line| line.starts_with('{')) {
            let line: Value = serde_json::from_str(line).unwrap_or(Value::Null);
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            match text("type").as_str() {
                "hold" => {
                    let known = self.holds.insert(text("hold").parse()?, text("state"));
                    self.holds_repeated += u64::from(known.is_some());
                }
                "order" => {
                    let number = |field: &str| line[field].as_u64().unwrap_or_default();
                    let order =
                        LedgerOrder { units: number("units"), amount: number("amount_minor") };
                    figures.ordered += order.units;
                    self.orders.entry(text("order").parse()?).or_default().push(order);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn holds_that_are(&self, state: &str) -> u64 {
        wide(self.holds.values().filter(|known| *known == state).count())
    }
}

/// What does not agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    pub(super) refunds_missing: u64,
    pub(super) orders_missing: u64,
    pub(super) duplicate_orders: u64,
    pub(super) late_orders: u64,
    pub(super) money: u64,
    pub(super) units: u64,
    pub(super) wrong: Vec<String>,
}

impl Differences {
    /// Holds the drill's books against the server's ledger.
    pub(super) fn between(books: &Books, ledger: &Ledger) -> Self {
        let mut found = Self { duplicate_orders: books.second_orders, ..Self::default() };
        let claims = found.payments(books, ledger);
        found.orders(books, ledger, &claims);
        for figures in &ledger.drops {
            let DropFigures { planned, supplied, sold, available, held, ordered, restocked } =
                *figures;
            // What is cancelled stays sold; what goes back on sale is supplied anew.
            let differences =
                [(planned + restocked, supplied), (supplied, sold + available), (ordered, sold)];
            let off: u64 = differences.iter().map(|(one, other)| one.abs_diff(*other)).sum();
            if off > 0 || held > 0 {
                found.units += off + held;
                found.wrong.push(format!("units do not agree: {figures:?}"));
            }
        }
        for hold in &books.shown_ends {
            if ledger.holds.get(hold).is_some_and(|state| state == "confirmed") {
                found
                    .wrong
                    .push(format!("{hold} is an order though its viewer was told that it ended"));
            }
        }
        for hold in books.holds.keys().filter(|hold| !ledger.holds.contains_key(hold)) {
            found.wrong.push(format!("{hold} was promised and is not in the ledger"));
        }
        found
    }

    /// Each payment: what the platform still has is what its orders cost. How many payments claim each order.
    fn payments(&mut self, books: &Books, ledger: &Ledger) -> BTreeMap<OrderId, u64> {
        let mut claims: BTreeMap<OrderId, u64> = BTreeMap::new();
        let mut orders_of: BTreeMap<HoldId, BTreeSet<OrderId>> = BTreeMap::new();
        for (name, payment) in &books.payments {
            let mut cost = 0;
            for (hold, told) in &payment.parts {
                let Some(order) = told.order else { continue };
                *claims.entry(order).or_default() += 1;
                orders_of.entry(*hold).or_default().insert(order);
                self.late_orders += u64::from(order != OrderId::of(*hold));
                let rows = ledger.orders.get(&order).map(Vec::as_slice).unwrap_or_default();
                let cancelled = books.cancelled.get(&order).map_or(0, |(minor, _)| *minor);
                cost += rows.first().map_or(0, |row| row.amount).saturating_sub(cancelled);
            }
            let (has, owed) = (payment.has(), cost.saturating_sub(payment.forgiven));
            self.money += has.abs_diff(owed);
            self.refunds_missing += u64::from(has > owed);
            if has != owed {
                self.wrong
                    .push(format!("{has} is left of {name}, its orders cost {owed}: {payment:#?}"));
            }
        }
        for (hold, orders) in orders_of.into_iter().filter(|(_, orders)| orders.len() > 1) {
            self.duplicate_orders += wide(orders.len()) - 1;
            self.wrong.push(format!("{hold} has become several orders: {orders:?}"));
        }
        claims
    }

    /// Each order that was promised is there once, each that is there was promised by one payment.
    fn orders(&mut self, books: &Books, ledger: &Ledger, claims: &BTreeMap<OrderId, u64>) {
        let promised: BTreeSet<_> = claims.keys().chain(&books.shown_orders).collect();
        for order in promised.into_iter().filter(|order| !ledger.orders.contains_key(order)) {
            self.orders_missing += 1;
            self.wrong.push(format!("order {order} was promised and is not in the ledger"));
        }
        for (order, rows) in &ledger.orders {
            let claimed = claims.get(order).copied().unwrap_or_default();
            let beyond = wide(rows.len()) - 1 + claimed.abs_diff(1);
            if beyond > 0 {
                self.duplicate_orders += beyond;
                let rows = rows.len();
                self.wrong
                    .push(format!("order {order} has {rows} lines, {claimed} payments made it"));
            }
            if claimed == 0 {
                self.money += rows.first().map_or(0, |row| row.amount);
            }
        }
    }
}

/// Everything that was collected before the drill judges.
pub(super) struct Collected<'a> {
    pub(super) seed: u64,
    pub(super) books: &'a Books,
    pub(super) ledger: &'a Ledger,
    pub(super) thresholds: Thresholds,
    pub(super) kills: KillCounts,
    /// What the verifier found, with the words of the first.
    pub(super) findings: Option<(u64, String)>,
}

impl SettlementOutcome {
    pub(super) fn judge(collected: Collected<'_>) -> Self {
        let Collected { seed, books, ledger, thresholds, kills, findings } = collected;
        let Differences {
            refunds_missing,
            orders_missing,
            duplicate_orders,
            late_orders,
            money,
            units,
            wrong,
        } = Differences::between(books, ledger);
        let mut outcome = Self {
            ok: false,
            seed,
            holds: wide(ledger.holds.len()),
            orders: wide(ledger.orders.len()),
            expired: ledger.holds_that_are("expired"),
            released: ledger.holds_that_are("released"),
            late_orders,
            refund_due: wide(books.parts_due()),
            refunds_missing,
            orders_missing,
            duplicate_orders,
            money_difference: money,
            units_difference: units,
            cancelled: wide(books.cancelled.len()),
            kills: kills.all,
            kills_between: kills.between,
            verify: findings.as_ref().map_or_else(|| "ok".into(), |(found, _)| (*found).into()),
            wrong: books.all_wrong().to_vec(),
        };
        outcome.wrong.extend(wrong);
        outcome.check(thresholds, ledger);
        if let Some((found, first)) = findings {
            outcome.wrong.push(format!("the verifier has {found} findings, the first: {first}"));
        }
        outcome.ok = outcome.wrong.is_empty();
        outcome
    }

    fn check(&mut self, thresholds: Thresholds, ledger: &Ledger) {
        let enough = [
            ("holds", self.holds, thresholds.holds),
            ("orders", self.orders, thresholds.orders),
            ("expired", self.expired, 1),
            ("released", self.released, 1),
            ("late_orders", self.late_orders, 1),
            ("refund_due", self.refund_due, 1),
            ("kills", self.kills, thresholds.kills),
            ("kills_between", self.kills_between, thresholds.kills_between),
        ];
        for (name, got, least) in enough.into_iter().filter(|(_, got, least)| got < least) {
            self.wrong.push(format!("{name} is {got}, at least {least} are needed"));
        }
        if ledger.holds_repeated > 0 {
            self.wrong.push(format!("{} holds have two lines", ledger.holds_repeated));
        }
    }

    /// Leaves the first few of what is wrong; all of it.
    pub(super) fn cut(&mut self) -> Vec<String> {
        let all = self.wrong.clone();
        if let Some(more) = all.len().checked_sub(WRONG_MAX).filter(|more| *more > 0) {
            self.wrong.truncate(WRONG_MAX);
            self.wrong.push(format!("{more} more"));
        }
        all
    }

    /// Whether nothing is wrong.
    pub const fn is_ok(&self) -> bool {
        self.ok
    }

    /// The verdict for people.
    pub fn words(&self) -> String {
        if !self.ok {
            return format!("WRONG with seed {}: {}", self.seed, self.wrong.join("\n       "));
        }
        format!(
            "{} holds, {} orders, {} of them late; {} parts due back, all of them went back; {} kills, {} of them \
             between a record and its answer",
            self.holds,
            self.orders,
            self.late_orders,
            self.refund_due,
            self.kills,
            self.kills_between
        )
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use stampede_domain::DropId;

    use super::*;
    use crate::settlement::books::Goods;

    const PRICE: u64 = 499;

    fn hold(number: u32) -> HoldId {
        format!("000000010000010000000019{number:08x}").parse().unwrap()
    }

    /// One hold is an order, one was paid for too late and the money went back.
    fn agreed() -> (Books, Ledger) {
        let (mut books, mut ledger) = (Books::default(), Ledger::default());
        let drop: DropId = "d1".parse().unwrap();
        for number in [1, 2] {
            books.held(hold(number), Goods { drop, units: 1, amount: PRICE });
            books.take(&format!("p{number}"), PRICE);
        }
        books.ordered("p1", hold(1), OrderId::of(hold(1)));
        books.shown_orders.insert(OrderId::of(hold(1)));
        books.due("p2", hold(2), PRICE);
        assert_eq!(books.give_back_due("p2"), Some(PRICE));
        let row = LedgerOrder { units: 1, amount: PRICE };
        ledger.orders.insert(OrderId::of(hold(1)), vec![row]);
        ledger.holds.insert(hold(1), "confirmed".into());
        ledger.holds.insert(hold(2), "expired".into());
        let figures = DropFigures {
            planned: 5,
            supplied: 5,
            sold: 1,
            available: 4,
            ordered: 1,
            ..DropFigures::default()
        };
        ledger.drops.push(figures);
        (books, ledger)
    }

    #[test]
    fn books_that_agree_show_no_difference() {
        let (books, ledger) = agreed();
        assert_eq!(Differences::between(&books, &ledger), Differences::default());
    }

    #[test]
    fn a_lost_order_is_found_with_its_money() {
        let (books, mut ledger) = agreed();
        ledger.orders.clear();
        ledger.drops[0].ordered = 0;
        let found = Differences::between(&books, &ledger);
        assert_eq!((found.orders_missing, found.money, found.refunds_missing), (1, PRICE, 1));
        assert_eq!(found.units, 1, "the drop says that it sold one");
    }

    #[test]
    fn an_order_that_only_its_viewer_was_told_of_is_missed_too() {
        let (mut books, ledger) = agreed();
        books.shown_orders.insert(OrderId::of(hold(9)));
        assert_eq!(Differences::between(&books, &ledger).orders_missing, 1);
    }

    #[test]
    fn a_second_line_of_an_order_is_a_double() {
        let (books, mut ledger) = agreed();
        let rows = ledger.orders.get_mut(&OrderId::of(hold(1))).unwrap();
        rows.push(rows[0]);
        assert_eq!(Differences::between(&books, &ledger).duplicate_orders, 1);
    }

    #[test]
    fn one_order_of_two_payments_is_a_double_and_its_money_is_off() {
        let (mut books, ledger) = agreed();
        books.take("p3", PRICE);
        books.ordered("p3", hold(1), OrderId::of(hold(1)));
        assert_eq!(Differences::between(&books, &ledger).duplicate_orders, 1);
    }

    #[test]
    fn two_orders_of_one_hold_by_two_payments_are_a_double() {
        let (mut books, mut ledger) = agreed();
        books.take("p3", PRICE);
        books.ordered("p3", hold(1), OrderId::of(hold(3)));
        ledger.orders.insert(OrderId::of(hold(3)), vec![LedgerOrder { units: 1, amount: PRICE }]);
        ledger.drops[0] = DropFigures { sold: 2, available: 3, ordered: 2, ..ledger.drops[0] };
        let found = Differences::between(&books, &ledger);
        assert_eq!((found.duplicate_orders, found.money, found.units), (1, 0, 0), "{found:?}");
    }

    #[test]
    fn two_orders_of_one_part_are_a_double() {
        let (mut books, mut ledger) = agreed();
        books.ordered("p1", hold(1), OrderId::of(hold(3)));
        ledger.orders.insert(OrderId::of(hold(3)), vec![LedgerOrder { units: 1, amount: PRICE }]);
        let found = Differences::between(&books, &ledger);
        assert!(found.duplicate_orders >= 1 && found.money == PRICE, "{found:?}");
    }

    #[test]
    fn an_order_that_nobody_paid_for_is_found() {
        let (books, mut ledger) = agreed();
        ledger.orders.insert(OrderId::of(hold(7)), vec![LedgerOrder { units: 1, amount: PRICE }]);
        let found = Differences::between(&books, &ledger);
        assert_eq!((found.duplicate_orders, found.money), (1, PRICE));
    }

    #[test]
    fn money_that_did_not_go_back_is_found() {
        let (mut books, ledger) = agreed();
        books.take("p4", PRICE);
        books.due("p4", hold(2), PRICE);
        let found = Differences::between(&books, &ledger);
        assert_eq!((found.refunds_missing, found.money), (1, PRICE));
    }

    #[test]
    fn money_that_went_back_for_an_order_is_off_unless_the_platform_meant_it() {
        let (mut books, ledger) = agreed();
        books.forgive("p1", 100);
        assert_eq!(Differences::between(&books, &ledger).money, 0);
        books.payment("p1").given_back += 1;
        let found = Differences::between(&books, &ledger);
        assert_eq!((found.money, found.refunds_missing), (1, 0));
    }

    #[test]
    fn units_that_are_nowhere_are_found() {
        let (books, mut ledger) = agreed();
        ledger.drops[0].available = 3;
        assert_eq!(Differences::between(&books, &ledger).units, 1);
    }

    #[test]
    fn what_was_cancelled_went_back_and_is_supplied_anew() {
        let (mut books, mut ledger) = agreed();
        books.cancelled.insert(OrderId::of(hold(1)), (PRICE, 1));
        let figures = ledger.drops[0];
        ledger.drops[0] = DropFigures { supplied: 6, available: 5, restocked: 1, ..figures };
        assert_eq!(Differences::between(&books, &ledger).refunds_missing, 1);
        books.due("p1", hold(1), PRICE);
        books.give_back_due("p1");
        assert_eq!(Differences::between(&books, &ledger), Differences::default());
    }

    #[test]
    fn more_due_than_there_is_is_wrong() {
        let (mut books, _) = agreed();
        books.due("p2", hold(2), PRICE);
        assert_eq!(books.all_wrong().len(), 1, "all of it went back before");
    }

    #[test]
    fn an_ended_hold_that_is_an_order_is_wrong() {
        let (mut books, ledger) = agreed();
        books.shown_ends.insert(hold(1));
        assert_eq!(Differences::between(&books, &ledger).wrong.len(), 1);
    }
}
