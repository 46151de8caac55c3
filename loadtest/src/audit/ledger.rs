//! The ledger's facts about one drop, read from the audit's lines.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde::Deserialize;

/// The ledger's account of one drop.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(crate) holds: HashMap<String, LedgerHold>,
    /// All rows of each order.
    pub(crate) orders: HashMap<String, Vec<LedgerOrder>>,
    /// Hold lines beyond the first of one id.
    pub(crate) holds_repeated: u64,
    /// Of holds that had ended: the hold that took their units again for a payment that came late.
    pub(crate) retaken: HashMap<String, String>,
    /// Money by hold and payment.
    money: HashMap<(String, String), PaymentMoney>,
    tallied: Sums,
    pub(crate) summary: Option<Summary>,
    /// Why the server cannot sum its own journal.
    pub(crate) damage: Option<String>,
}

/// Sums of the journal's tallies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Buys that took units.
    pub held: u64,
    /// Buys that were answered with what an earlier one had got.
    pub retries: u64,
    /// Buys refused, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// A hold by the ledger.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LedgerHold {
    pub(crate) hold: String,
    pub(crate) viewer: Option<String>,
    pub(crate) sku: String,
    pub(crate) units: u32,
    /// Fingerprint of the key.
    pub(crate) key: String,
    pub(crate) state: HoldState,
    pub(crate) taken_at_ms: u64,
    pub(crate) deadline_ms: u64,
    pub(crate) ended_at_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HoldState {
    Held,
    Confirmed,
    Released,
    Expired,
}

impl fmt::Display for HoldState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Released => "released",
            Self::Expired => "expired",
        })
    }
}

/// An order by the ledger.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LedgerOrder {
    pub(crate) order: String,
    pub(crate) viewer: Option<String>,
    pub(crate) sku: String,
    pub(crate) units: u64,
    pub(crate) amount_minor: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Summary {
    pub(crate) supplied: u64,
    pub(crate) holds: u64,
    pub(crate) orders: u64,
    pub(crate) orders_pending: u64,
}

/// The last line in place of a summary, where the journal contradicts itself.
#[derive(Deserialize)]
struct Damage {
    what: String,
    holds: u64,
    orders: u64,
    orders_pending: u64,
}

#[derive(Deserialize)]
struct Tally {
    held: u64,
    retries: u64,
    refusals: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Hold(LedgerHold),
    Order(LedgerOrder),
    Tally(Tally),
    Payment(LedgerPayment),
    Summary(Summary),
    Damage(Damage),
}

/// What became of money; what a line is about decides which fields it has.
#[derive(Deserialize)]
struct LedgerPayment {
    hold: String,
    what: String,
    account: Option<String>,
    reference: Option<String>,
    amount_minor: Option<u64>,
    total_minor: Option<u64>,
    /// Where a payment took the hold's units again: the hold that has them now.
    into: Option<String>,
}

/// What one payment brought for one hold.
#[derive(Clone, Copy, Debug, Default)]
struct PaymentMoney {
    paid_minor: u64,
    refunded_minor: u64,
}

/// What became of money for a drop's holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// Holds that are orders.
    pub orders: u64,
    /// Money that was taken, for orders or for nothing, in minor units.
    pub paid_minor: u64,
    /// Money that went back of it, in minor units.
    pub refunded_minor: u64,
}

/// Why the lines are no account.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A line is of none of the known kinds.
    #[error("not a line of an audit: {line}: {source}")]
    Line {
        /// The line.
        line: String,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The summary did not come, so the rest may be missing too.
    #[error("it was cut off: no summary came after {holds} holds with {orders} orders")]
    CutOff {
        /// Holds that came.
        holds: usize,
        /// Orders that came.
        orders: usize,
    },
    /// The summary counts other lines than those that came.
    #[error("the summary says {said} {what}, but {came} came")]
    Miscounted {
        /// Which lines.
        what: &'static str,
        /// The summary's count.
        said: u64,
        /// Lines that came.
        came: u64,
    },
}

impl Ledger {
    /// Takes one line; an empty one is nothing.
    ///
    /// # Errors
    /// [`LedgerError::Line`].
    pub fn add(&mut self, line: &[u8]) -> Result<(), LedgerError> {
        if line.is_empty() {
            return Ok(());
        }
        let parsed = serde_json::from_slice(line).map_err(|source| LedgerError::Line {
            line: String::from_utf8_lossy(line).into_owned(),
            source,
        })?;
        match parsed {
            Line::Hold(hold) => {
                let repeated = self.holds.insert(hold.hold.clone(), hold).is_some();
                self.holds_repeated += u64::from(repeated);
            }
            Line::Order(order) => {
                self.orders.entry(order.order.clone()).or_default().push(order);
            }
            Line::Tally(tally) => {
                self.tallied.held += tally.held;
                self.tallied.retries += tally.retries;
                for (reason, count) in tally.refusals {
                    *self.tallied.refused.entry(reason).or_default() += count;
                }
            }
            Line::Payment(payment) => self.add_payment(payment),
            Line::Summary(summary) => self.summary = Some(summary),
            Line::Damage(Damage { what, holds, orders, orders_pending }) => {
                self.damage = Some(what);
                self.summary = Some(Summary { supplied: 0, holds, orders, orders_pending });
            }
        }
        Ok(())
    }

    /// Whether everything came.
    ///
    /// # Errors
    /// [`LedgerError::CutOff`] or [`LedgerError::Miscounted`].
    pub fn check_whole(&self) -> Result<(), LedgerError> {
        let orders: u64 = self.order_rows().count().try_into().unwrap_or(u64::MAX);
        let Some(summary) = &self.summary else {
            let (holds, orders) = (self.holds.len(), self.orders.len());
            return Err(LedgerError::CutOff { holds, orders });
        };
        let holds = u64::try_from(self.holds.len()).unwrap_or(u64::MAX) + self.holds_repeated;
        for (what, said, came) in
            [("holds", summary.holds, holds), ("orders", summary.orders, orders)]
        {
            if said != came {
                return Err(LedgerError::Miscounted { what, said, came });
            }
        }
        Ok(())
    }

    /// Units of all lots.
    pub fn supplied(&self) -> u64 {
        self.summary.as_ref().map_or(0, |summary| summary.supplied)
    }

    /// Units in orders, by the orders themselves.
    pub fn units_sold(&self) -> u64 {
        self.order_rows().map(|order| order.units).sum()
    }

    /// Confirmed holds whose order is still being made.
    pub fn orders_pending(&self) -> u64 {
        self.summary.as_ref().map_or(0, |summary| summary.orders_pending)
    }

    /// What became of money for the drop's holds, by each record about it.
    pub fn money(&self) -> Money {
        let orders = self.holds.values().filter(|hold| hold.state == HoldState::Confirmed).count();
        let money = Money { orders: u64::try_from(orders).unwrap_or(u64::MAX), ..Money::default() };
        self.money.values().fold(money, |sum, payment| Money {
            paid_minor: sum.paid_minor + payment.paid_minor,
            refunded_minor: sum.refunded_minor + payment.refunded_minor,
            ..sum
        })
    }

    fn add_payment(&mut self, line: LedgerPayment) {
        let LedgerPayment { hold, what, account, reference, amount_minor, total_minor, into } =
            line;
        self.retaken.extend(into.map(|into| (hold.clone(), into)));
        let (Some(account), Some(reference)) = (account, reference) else { return };
        let payment = self.money.entry((hold, format!("{account}/{reference}"))).or_default();
        match what.as_str() {
            "paid" => payment.paid_minor = amount_minor.unwrap_or_default(),
            // Each record has everything so far.
            "refunded" => payment.refunded_minor = total_minor.unwrap_or_default(),
            _ => {}
        }
    }

    /// Holds that have not ended.
    pub fn holds_live(&self) -> usize {
        self.holds.values().filter(|hold| hold.state == HoldState::Held).count()
    }

    /// What the tallies add up to.
    pub fn tallied(&self) -> &Sums {
        &self.tallied
    }

    pub(crate) fn order_rows(&self) -> impl Iterator<Item = &LedgerOrder> {
        self.orders.values().flatten()
    }
}

impl Sums {
    /// Buys that were decided.
    pub fn clicks(&self) -> u64 {
        self.held + self.retries + self.refused.values().sum::<u64>()
    }
}
