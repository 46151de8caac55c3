//! Holds as the shell shows them, with what becomes of them.

use stampede_domain::{DurationMs, HoldId, Money, SkuIndex, Units, UnixMillis, ViewerNumber};

/// What an id of a hold leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldLook {
    /// Taken, not durable yet: nobody may be told.
    Pending,
    /// A hold that waits for its end, or an order.
    Known(HoldStatus),
    /// Released or expired; its slot may serve another hold already.
    Ended,
    /// No such hold was ever made.
    Unknown,
}

/// A durable hold as a viewer may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldStatus {
    /// The hold.
    pub hold: HoldId,
    /// Whose it is.
    pub viewer: ViewerNumber,
    /// The SKU.
    pub sku: SkuIndex,
    /// How many units.
    pub units: Units,
    /// What they cost together.
    pub amount: Money,
    /// When it expires, as its viewer is told, if it is still held.
    pub deadline: UnixMillis,
    /// How long it stays beyond the deadline: a payment made in time may be on its way.
    pub grace: DurationMs,
    /// Whether it has become an order.
    pub confirmed: bool,
}

impl HoldStatus {
    /// When it gives its units back, unless it has become an order by then.
    pub const fn ends_at(&self) -> UnixMillis {
        self.deadline.plus(self.grace)
    }
}
