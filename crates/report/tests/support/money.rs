//! A sale in which payments come in every way that they may.

use std::path::Path;

use stampede_domain::{
    Charges, DropId, DropPlan, DurationMs, HoldId, Mode, PaymentReference, RefundReason,
};
use stampede_ledger::{
    Cancelled, PaymentChange, ProviderRequest, Record, RecordedOutcome, UnmatchedPayment,
};

use super::{
    GRACE_MS, TTL_MS, eur,
    sale::State,
    sim::{Sim, payment},
};

/// What one unit of the first goods costs.
pub const PRICE: u64 = 1_990;

/// The changes of one payment's part.
pub fn begun(name: &str) -> PaymentChange {
    PaymentChange::Begun { payment: payment(name) }
}

pub fn authorized(name: &str, minor: u64) -> PaymentChange {
    PaymentChange::Authorized { payment: payment(name), amount: eur(minor) }
}

pub fn paid(name: &str, minor: u64) -> PaymentChange {
    PaymentChange::Paid { payment: payment(name), amount: eur(minor) }
}

pub fn failed(name: &str) -> PaymentChange {
    let reason = PaymentReference::new("card_declined").unwrap();
    PaymentChange::Failed { payment: payment(name), reason }
}

pub fn voided(name: &str) -> PaymentChange {
    PaymentChange::Voided { payment: payment(name) }
}

pub fn due(name: &str, minor: u64, reason: RefundReason) -> PaymentChange {
    PaymentChange::RefundDue { payment: payment(name), amount: eur(minor), reason }
}

pub fn refunded(name: &str, minor: u64) -> PaymentChange {
    PaymentChange::Refunded { payment: payment(name), total: eur(minor) }
}

pub fn asked(name: &str, request: ProviderRequest) -> PaymentChange {
    PaymentChange::Asked { payment: payment(name), request }
}

pub fn declined(name: &str, request: ProviderRequest) -> PaymentChange {
    PaymentChange::Declined { payment: payment(name), request, reason: "too old".into() }
}

pub fn cancelled(units: u32, minor: u64) -> PaymentChange {
    let (actor, reason) = ("olga".into(), "broken".into());
    PaymentChange::Cancelled(Box::new(Cancelled {
        units,
        amount: eur(minor),
        waived: eur(minor),
        lot: None,
        actor,
        reason,
    }))
}

impl Sim {
    /// Puts units of an order of the first SKU on sale once more, which is cancelled with them.
    pub fn sell_again(&mut self, drop: DropId, order: HoldId, cancelled: PaymentChange) {
        let PaymentChange::Cancelled(mut cancelled) = cancelled else { panic!("{cancelled:?}") };
        self.lot(drop, 0, cancelled.units);
        cancelled.lot = Some(self.sale(drop).lots);
        self.sale(drop).supplied[0] += cancelled.units;
        self.money(order, PaymentChange::Cancelled(cancelled));
        self.command(drop, "cancel_order", RecordedOutcome::Accepted);
        self.flush();
    }
}

pub fn unmatched(name: &str) -> Record {
    let (payment, amount) = (payment(name), eur(700));
    UnmatchedPayment { payment, amount, named: "order 7".into() }.into()
}

/// The drop in which everything about money happens; a rehearsal comes behind it.
pub const DROP: DropId = DropId::new(1);
const REHEARSAL: DropId = DropId::new(2);

/// The hold of a viewer.
fn hold_of(sim: &mut Sim, drop: DropId, who: u64) -> HoldId {
    sim.sale(drop).holds.iter().find(|hold| hold.viewer == who).unwrap().id
}

/// Records changes of a viewer's hold; a commit follows.
fn change(sim: &mut Sim, who: u64, changes: impl IntoIterator<Item = PaymentChange>) -> HoldId {
    let hold = hold_of(sim, DROP, who);
    changes.into_iter().for_each(|change| sim.money(hold, change));
    sim.flush();
    hold
}

/// The same for money that makes an order.
fn order(sim: &mut Sim, who: u64, last: PaymentChange) {
    let hold = hold_of(sim, DROP, who);
    sim.money(hold, last);
    sim.end_hold(hold, State::Confirmed);
    sim.flush();
}

/// A sale with every record about money, in every order that is allowed.
pub fn money_sale(path: &Path) {
    let mut sim = Sim::new(path);
    let mut plan = super::plan(&[30, 5]);
    plan.skus[1].price = eur(0);
    sim.open(plan);
    sim.open(DropPlan { mode: Mode::Rehearsal, ..super::plan(&[5]) });
    for who in 1..=16 {
        sim.now_ms += 5;
        sim.buy(DROP, who, usize::from(who == 16), 1 + u32::from(who == 1), "a");
    }
    sim.buy(REHEARSAL, 90, 0, 1, "a");
    sim.flush();
    sim.extend(DROP, DurationMs::new(1_000));
    sim.flush();
    an_order_from_its_attempt_to_its_refund(&mut sim);
    in_time(&mut sim);
    let rehearsed = hold_of(&mut sim, REHEARSAL, 90);
    sim.money(rehearsed, paid("real", PRICE));
    sim.money(rehearsed, due("real", PRICE, RefundReason::WrongMode));
    sim.flush();
    in_the_grace(&mut sim);
    too_late(&mut sim);
    sim.house(unmatched("stray-1"));
    sim.house(unmatched("stray-2"));
    sim.settle(REHEARSAL);
    sim.settle(DROP);
    after_the_end(&mut sim);
    sim.close();
}

/// What is said of money after the drop has ended stands in a chain of its own.
fn after_the_end(sim: &mut Sim) {
    let hold = |sim: &mut Sim, who| hold_of(sim, DROP, who);
    let (ended, ordered, free) = (hold(sim, 4), hold(sim, 2), hold(sim, 16));
    sim.adjust(ended, refunded("p6", 500));
    sim.adjust(ended, refunded("p6", PRICE));
    sim.adjust(ordered, paid("p20", PRICE));
    sim.adjust(ordered, due("p20", PRICE, RefundReason::SecondPayment));
    let refused =
        RecordedOutcome::Refused { code: "more_than_paid".into(), text: "less is left".into() };
    sim.command(DROP.adjustments(), "cancel_order", refused);
    sim.flush();
    sim.crash(1_000);
    sim.adjust(ordered, refunded("p20", PRICE));
    sim.flush();
    // All of the order's money goes back, and it is paid anew.
    sim.adjust(ordered, refunded("p3", PRICE));
    sim.flush();
    // Some of that goes back in the same commit.
    sim.adjust(ordered, paid("p23", PRICE));
    sim.adjust(ordered, refunded("p23", 1));
    sim.flush();
    let none = hold(sim, 14);
    sim.adjust(none, paid("p21", PRICE));
    sim.adjust(none, due("p21", PRICE, RefundReason::HoldEnded));
    sim.adjust(free, paid("p22", 5));
    sim.adjust(free, due("p22", 5, RefundReason::HoldEnded));
    sim.flush();
}

fn an_order_from_its_attempt_to_its_refund(sim: &mut Sim) {
    let charges = Charges { shipping: 490, tax: 38, fee: 0 };
    let owed = 2 * PRICE + 528;
    let reference = "order-1".parse().unwrap();
    let hold = change(
        sim,
        1,
        [PaymentChange::Charged(charges), PaymentChange::Referenced(reference), begun("p1")],
    );
    sim.now_ms += 2_500;
    sim.stretch(hold);
    sim.flush();
    order(sim, 1, authorized("p1", owed));
    change(sim, 1, [asked("p1", ProviderRequest::Capture)]);
    change(sim, 1, [paid("p1", owed)]);
    change(sim, 1, [cancelled(1, PRICE), due("p1", PRICE, RefundReason::Cancelled)]);
    change(sim, 1, [asked("p1", ProviderRequest::Refund)]);
    change(sim, 1, [declined("p1", ProviderRequest::Refund)]);
    change(sim, 1, [asked("p1", ProviderRequest::Refund)]);
    change(sim, 1, [refunded("p1", 1_000)]);
    change(sim, 1, [refunded("p1", PRICE)]);
    // Goodwill.
    change(sim, 1, [cancelled(1, 100), due("p1", 100, RefundReason::Cancelled)]);
    change(sim, 1, [refunded("p1", PRICE + 100)]);
}

fn in_time(sim: &mut Sim) {
    // Less than what is owed, then the right amount, then once more.
    change(sim, 2, [paid("p2", 1_000), due("p2", 1_000, RefundReason::WrongAmount)]);
    order(sim, 2, paid("p3", PRICE));
    change(sim, 2, [paid("p4", PRICE), due("p4", PRICE, RefundReason::SecondPayment)]);
    change(sim, 2, [asked("p4", ProviderRequest::Refund), refunded("p4", PRICE)]);
    // An attempt that fails twice, the second time for good.
    change(sim, 3, [begun("p5"), failed("p5"), begun("p5")]);
    let hold = hold_of(sim, DROP, 3);
    sim.money(hold, failed("p5"));
    sim.end_hold(hold, State::Released);
    sim.flush();
    // Kept ready, let go, taken all the same.
    order(sim, 7, authorized("p9", PRICE));
    change(sim, 7, [voided("p9")]);
    change(sim, 7, [paid("p9", PRICE)]);
    // Kept ready in another amount than is owed.
    change(sim, 8, [authorized("p10", 5), due("p10", 5, RefundReason::WrongAmount)]);
    change(sim, 8, [voided("p10")]);
    // Less was taken than was kept ready, and more.
    order(sim, 12, authorized("p14", PRICE));
    change(sim, 12, [paid("p14", 900)]);
    order(sim, 13, authorized("p15", PRICE));
    change(sim, 13, [paid("p15", PRICE + 10), due("p15", 10, RefundReason::WrongAmount)]);
    // One payment for two holds.
    for who in [10, 11] {
        let hold = hold_of(sim, DROP, who);
        sim.money(hold, paid("p12", PRICE));
        sim.end_hold(hold, State::Confirmed);
    }
    sim.flush();
    // The refund is reported before its payment.
    change(sim, 14, [refunded("p13", 500)]);
    change(sim, 14, [paid("p13", PRICE), due("p13", PRICE, RefundReason::WrongAmount)]);
    // What costs nothing needs no payment.
    let free = hold_of(sim, DROP, 16);
    sim.end_hold(free, State::Confirmed);
    sim.flush();
    change(sim, 6, [begun("p8")]);
}

fn in_the_grace(sim: &mut Sim) {
    let deadline = sim.sale(DROP).holds.iter().find(|hold| hold.viewer == 9).unwrap().deadline;
    sim.now_ms += deadline.since(sim.now()).get() + GRACE_MS / 2;
    order(sim, 9, paid("p11", PRICE));
    let hold = change(sim, 15, [begun("p16")]);
    sim.stretch(hold);
    sim.flush();
}

fn too_late(sim: &mut Sim) {
    sim.wait(GRACE_MS);
    sim.flush();
    change(sim, 4, [paid("p6", PRICE), due("p6", PRICE, RefundReason::HoldEnded)]);
    change(sim, 6, [voided("p8")]);
    // Its units were taken again for the money that came too late.
    sim.buy(DROP, 20, 0, 1, "a");
    sim.flush();
    let into = hold_of(sim, DROP, 20);
    sim.money(into, paid("p7", PRICE));
    sim.end_hold(into, State::Confirmed);
    change(sim, 5, [PaymentChange::Retaken { payment: payment("p7"), into }]);
    // Called off before anything else was known of it, then taken all the same.
    change(sim, 5, [voided("p17")]);
    change(sim, 5, [paid("p17", PRICE), due("p17", PRICE, RefundReason::SecondPayment)]);
    sim.wait(TTL_MS / 2);
    order(sim, 15, paid("p16", PRICE));
}
