//! The drill's own books: what the provider took and gave back, what was answered, what viewers were told.
//!
//! Nothing here comes from the server's ledger, and nothing is worked out by the server's rules.

use std::collections::{BTreeMap, BTreeSet};

use stampede_domain::{DropId, HoldId, OrderId};

/// Things that went wrong, in words, that are kept.
const WRONG_MAX: usize = 10_000;

/// What a hold is for, as its viewer was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Goods {
    pub(super) drop: DropId,
    pub(super) units: u32,
    pub(super) amount: u64,
}

/// A payment at the provider.
#[derive(Clone, Debug, Default)]
pub(super) struct Payment {
    /// What is kept ready and was not taken.
    pub(super) kept: u64,
    /// What was taken.
    pub(super) taken: u64,
    /// What went back of it.
    pub(super) given_back: u64,
    /// What went back or was let go though the order stands: the platform's own decision, reported.
    pub(super) forgiven: u64,
    /// Whether it is in dollars, though everything costs euros.
    pub(super) in_dollars: bool,
    /// What the server answered for each hold.
    pub(super) parts: BTreeMap<HoldId, Told>,
    /// Every report with its answer, in words, for whoever looks for a fault.
    pub(super) trail: Vec<String>,
}

/// What the server answered about a payment's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The order that it made.
    pub(super) order: Option<OrderId>,
    /// What is to go back of it and has not.
    pub(super) due: u64,
    /// Whether anything was ever to go back.
    pub(super) was_due: bool,
}

/// Everything that the drill knows by itself.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) holds: BTreeMap<HoldId, Goods>,
    pub(super) payments: BTreeMap<String, Payment>,
    /// Holds whose viewer pays at the server's own sandbox.
    pub(super) sandboxed: BTreeSet<HoldId>,
    /// Orders that viewers were told of.
    pub(super) shown_orders: BTreeSet<OrderId>,
    /// Holds whose viewer was told that they have ended.
    pub(super) shown_ends: BTreeSet<HoldId>,
    /// Orders that were cancelled: what goes back, which units are on sale again.
    pub(super) cancelled: BTreeMap<OrderId, (u64, u32)>,
    /// Whether the server does not know the command that cancels orders.
    pub(super) no_cancel: bool,
    /// Answers that named another order than the one before.
    pub(super) second_orders: u64,
    wrong: Vec<String>,
}

impl Books {
    /// A viewer was told of a hold; whether it is news.
    pub(super) fn held(&mut self, hold: HoldId, goods: Goods) -> bool {
        self.holds.insert(hold, goods).is_none()
    }

    /// Something is not as it should be.
    pub(super) fn wrong(&mut self, what: impl Into<String>) {
        if self.wrong.len() < WRONG_MAX {
            self.wrong.push(what.into());
        }
    }

    /// What is not as it should be.
    pub(super) fn all_wrong(&self) -> &[String] {
        &self.wrong
    }

    /// A payment, new or known.
    pub(super) fn payment(&mut self, name: &str) -> &mut Payment {
        self.payments.entry(name.to_owned()).or_default()
    }

    /// The provider keeps money ready.
    pub(super) fn keep(&mut self, name: &str, minor: u64) {
        self.payment(name).kept = minor;
    }

    /// The provider takes money, or what it kept ready.
    pub(super) fn take(&mut self, name: &str, minor: u64) {
        let payment = self.payment(name);
        (payment.kept, payment.taken) = (0, minor);
    }

    /// The provider lets go of what it kept ready. The order that it made, if any, stands.
    pub(super) fn let_go(&mut self, name: &str) {
        let payment = self.payment(name);
        if payment.made_order() {
            payment.forgiven += payment.kept;
        }
        payment.kept = 0;
        payment.parts.values_mut().for_each(|told| told.due = 0);
    }

    /// The platform gives money back for an order that stands; everything that went back so far.
    pub(super) fn forgive(&mut self, name: &str, minor: u64) -> u64 {
        let payment = self.payment(name);
        payment.given_back += minor;
        payment.forgiven += minor;
        payment.given_back
    }

    /// The provider gives back what is due of money that was taken; everything that went back so far, if that
    /// is anything new.
    pub(super) fn give_back_due(&mut self, name: &str) -> Option<u64> {
        let payment = self.payment(name);
        let due: u64 = payment.parts.values().map(|told| told.due).sum();
        let minor = due.min(payment.taken - payment.given_back);
        payment.parts.values_mut().for_each(|told| told.due = 0);
        payment.given_back += minor;
        (minor > 0).then_some(payment.given_back)
    }

    /// The server said that a part made this order.
    pub(super) fn ordered(&mut self, name: &str, hold: HoldId, order: OrderId) {
        let told = self.payment(name).parts.entry(hold).or_default();
        let (before, was_due) = (told.order.replace(order), told.was_due);
        if before.is_some_and(|before| before != order) {
            self.second_orders += 1;
            self.wrong(format!("{name} for {hold} made {order}, before that another order"));
        }
        if was_due && before.is_none() {
            self.wrong(format!("{name} for {hold} made {order} after it was due back"));
        }
    }

    /// The server said that so much of a part has to go back.
    pub(super) fn due(&mut self, name: &str, hold: HoldId, minor: u64) {
        let payment = self.payment(name);
        let there = payment.taken + payment.kept - payment.given_back;
        let told = payment.parts.entry(hold).or_default();
        (told.due, told.was_due) = (minor, true);
        if minor > there {
            self.wrong(format!("{minor} is due back of {name} for {hold}, which has {there}"));
        }
    }

    /// Parts of payments that something was due back of.
    pub(super) fn parts_due(&self) -> usize {
        self.payments
            .values()
            .flat_map(|payment| payment.parts.values())
            .filter(|told| told.was_due)
            .count()
    }
}

impl Payment {
    /// Whether any part of it is an order.
    pub(super) fn made_order(&self) -> bool {
        self.parts.values().any(|told| told.order.is_some())
    }

    /// What the platform still has of it.
    pub(super) const fn has(&self) -> u64 {
        self.taken - self.given_back
    }
}
