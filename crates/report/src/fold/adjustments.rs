//! What came after a drop's chain had ended.

use stampede_domain::UnixMillis;

use super::sums::{Cancellations, MoneyChange};

/// What came after a drop's chain had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjustments {
    /// Time of the latest row.
    pub as_of: UnixMillis,
    /// Records.
    pub records: u64,
    /// Cancelled since.
    pub cancelled: Cancellations,
    /// By how much the money of orders differs since.
    pub money: MoneyChange,
}

impl Adjustments {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let (one, more) = (self.cancelled, other.cancelled);
        Self {
            as_of: self.as_of.max(other.as_of),
            records: self.records.saturating_add(other.records),
            cancelled: Cancellations {
                orders: one.orders.saturating_add(more.orders),
                units: one.units.saturating_add(more.units),
            },
            money: self.money.plus(other.money),
        }
    }
}
