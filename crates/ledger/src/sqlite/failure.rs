//! Reports of `SQLite`, translated into the errors of the ports.

use rusqlite::{Error, ErrorCode};

use crate::{OpenError, ReadError, StoreError};

/// A statement of a commit that failed.
pub(super) fn in_step(step: &'static str, source: Error) -> StoreError {
    let disk_full = source.sqlite_error_code() == Some(ErrorCode::DiskFull);
    StoreError::Backend { step, source: source.into(), disk_full }
}

/// Whether another connection's lock is all that was wrong.
pub(super) fn is_busy(why: &StoreError) -> bool {
    code(why) == Some(ErrorCode::DatabaseBusy)
}

/// Whether a row broke a rule of its table.
pub(super) fn breaks_constraint(why: &StoreError) -> bool {
    code(why) == Some(ErrorCode::ConstraintViolation)
}

fn code(why: &StoreError) -> Option<ErrorCode> {
    let StoreError::Backend { source, .. } = why else { return None };
    source.downcast_ref::<Error>()?.sqlite_error_code()
}

/// A table that could not be read.
pub(super) fn in_table(table: &'static str) -> impl Fn(Error) -> ReadError {
    move |source| {
        let is_damage = is_damage(&source);
        ReadError::Backend { table, source: source.into(), is_damage }
    }
}

/// Whether the file is not what was written, rather than out of reach.
fn is_damage(why: &Error) -> bool {
    match why.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure
        ),
        // A value of another type than the column's, or a text that is none.
        None => true,
    }
}

/// A step of the opening that failed.
pub(super) fn opening(step: &'static str) -> impl Fn(Error) -> OpenError {
    move |source| OpenError::Backend { step, source: source.into() }
}
