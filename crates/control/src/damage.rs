//! What staff are told of a ledger that cannot be read: damage with its place, for the ledger's own row helps whoever
//! repairs it.

use stampede_report::{FoldError, ReadError, ReportError, orders::OrdersError};

use crate::problem::{Code, Problem};

/// The ledger is not what was written.
fn damaged(error: &dyn std::error::Error) -> Problem {
    let detail = format!(
        "{error}. The ledger is damaged there; `stampede verify` on the server's machine says what else is"
    );
    Problem::new(Code::LedgerDamaged, detail).because(error)
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Column { .. } | ReadError::Backend { is_damage: true, .. } => {
                damaged(&error)
            }
            // Its sentence names a path of the server's machine, or is of no use to staff.
            ReadError::Missing { .. }
            | ReadError::Newer { .. }
            | ReadError::Foreign { .. }
            | ReadError::Backend { .. } => Self::internal(&error),
        }
    }
}

impl From<FoldError> for Problem {
    fn from(error: FoldError) -> Self {
        damaged(&error)
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::NoDrop { .. } => Self::unknown_drop(),
            ReportError::Read(error) => error.into(),
            ReportError::Fold(error) => error.into(),
        }
    }
}

impl From<OrdersError> for Problem {
    fn from(error: OrdersError) -> Self {
        match error {
            OrdersError::Read(error) => error.into(),
            OrdersError::Fold(error) => error.into(),
            OrdersError::NotInJournal { .. } => damaged(&error),
        }
    }
}
