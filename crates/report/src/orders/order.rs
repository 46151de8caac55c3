//! An order with all that a merchant needs to deliver it and to settle it.

use std::sync::Arc;

use stampede_domain::{
    ChannelId, Charges, DropPlan, Money, OrderCode, OrderId, OrderReference, SkuIndex, SkuPlan,
    Units, UnixMillis, ViewerId, ViewerNumber,
};

use super::{editions::UnitNumbers, money::OrderPayment};

/// An order as it stands.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its name for machines, which is the hold's id.
    pub id: OrderId,
    /// Its name for people.
    pub code: OrderCode,
    /// The terms of its drop.
    pub plan: Arc<DropPlan>,
    /// What was bought.
    pub sku: SkuIndex,
    /// Units bought.
    pub units: Units,
    /// Units of them that were cancelled.
    pub cancelled_units: u32,
    /// How often units of it were cancelled, or money was given back for it.
    pub cancellations: u32,
    /// The numbers of the other units; `None` if the SKU is not numbered.
    pub edition: Option<UnitEdition>,
    /// Price of all units.
    pub goods: Money,
    /// What was owed beyond the goods, in minor units.
    pub charges: Charges,
    /// What was taken, in minor units.
    pub paid_minor: u64,
    /// What went back, in minor units.
    pub refunded_minor: u64,
    /// What was taken and still has to go back, in minor units.
    pub refund_due_minor: u64,
    /// How it stands.
    pub state: OrderState,
    /// What the platform calls the order.
    pub reference: Option<OrderReference>,
    /// Every payment for it, in the order in which they were first heard of.
    pub payments: Vec<OrderPayment>,
    /// The channel that gets the credit.
    pub channel: Option<ChannelId>,
    /// The buyer in records.
    pub(crate) viewer_number: ViewerNumber,
    /// The platform's id of the buyer; `None` if it was erased.
    pub viewer: Option<ViewerId>,
    /// Time of the confirming commit.
    pub confirmed_at: UnixMillis,
    /// Time of the last commit since that was about its money or its units.
    pub changed_at: Option<UnixMillis>,
}

impl Order {
    /// The SKU's terms.
    ///
    /// # Panics
    /// Never: an order is of a SKU of its plan.
    pub fn sku_plan(&self) -> &SkuPlan {
        self.plan.sku(self.sku).expect("an order is of a SKU of its plan")
    }

    /// The payment that stands behind the order; `None` where none does, as for goods that cost nothing.
    pub fn payment(&self) -> Option<&OrderPayment> {
        self.payments.iter().find(|part| part.makes_order)
    }
}

/// Numbered units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitEdition {
    /// The numbers of the order's units that were not cancelled.
    pub numbers: UnitNumbers,
    /// How many units of the SKU were ever on sale, each unit once; later lots raise it.
    pub of: u64,
}

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Its money was taken, or it cost nothing.
    Paid,
    /// Its money is kept ready; taking it is still to be done.
    Authorized,
    /// Some of its money went back.
    PartlyRefunded,
    /// All of its money went back.
    Refunded,
    /// All of its units were cancelled.
    Cancelled,
    /// No money stands behind it any more: it was let go, or failed after all.
    Unpaid,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Paid,
        Self::Authorized,
        Self::PartlyRefunded,
        Self::Refunded,
        Self::Cancelled,
        Self::Unpaid,
    ];

    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Authorized => "authorized",
            Self::PartlyRefunded => "partly_refunded",
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
            Self::Unpaid => "unpaid",
        }
    }
}
