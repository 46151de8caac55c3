//! Every order, for whoever delivers and settles them: its code, its units' numbers, its money, its buyer.
//!
//! Orders are listed in the order of their commits, by their place in the ledger's table of orders. All else about an
//! order is a fold of its drop's rows, see [`OrdersFold`]. A [`OrdersReader`] keeps folds between pages.

mod csv;
mod editions;
mod fold;
mod folded;
mod known;
mod lots;
mod money;
mod order;
mod reader;

use stampede_domain::{OrderCode, OrderCodeError, OrderId};
use stampede_ledger::ReadError;

pub(crate) use self::known::KnownHolds;
pub use self::{
    csv::{CSV_HEADER, csv_line},
    editions::{NumberRange, UnitNumbers},
    fold::OrdersFold,
    money::{OrderPayment, PaymentState},
    order::{Order, OrderState, UnitEdition},
    reader::{
        FoundOrders, ListedOrder, OrdersPage, OrdersReader, PAGE_DROPS_MAX, PAGE_ROWS_MAX,
        PageStart, PaymentFor,
    },
};
use crate::FoldError;

/// An order by one of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderName {
    /// For machines.
    Id(OrderId),
    /// For people.
    Code(OrderCode),
}

impl OrderName {
    /// The drop that the order is of, if there is such an order.
    pub fn drop_id(self) -> stampede_domain::DropId {
        match self {
            Self::Id(id) => id.hold().drop_id().sale(),
            Self::Code(code) => code.drop_id(),
        }
    }
}

impl std::fmt::Display for OrderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Code(code) => code.fmt(f),
        }
    }
}

impl std::str::FromStr for OrderName {
    type Err = OrderCodeError;

    /// Reads an id, else a code; the error says what is wrong with the code.
    fn from_str(text: &str) -> Result<Self, OrderCodeError> {
        text.parse().map(Self::Id).or_else(|_| text.parse().map(Self::Code))
    }
}

/// Why orders cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OrdersError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal contradicts itself.
    #[error("the journal gives no orders: {0}")]
    Fold(#[from] FoldError),
    /// The table of orders has one that the journal does not have.
    #[error("order {order} stands in the table of orders, but the journal does not have it")]
    NotInJournal {
        /// The order.
        order: OrderId,
    },
}
