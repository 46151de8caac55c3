//! Faults in the bytes of a row.

use super::ordinal::BODY_VERSION;

/// Why bytes are no journal body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Written by a program that this one does not know.
    #[error("body has version {found}; {BODY_VERSION} is known")]
    Version {
        /// The first byte.
        found: u8,
    },
    /// The bytes end within a value.
    #[error("bytes end within a value at offset {offset}")]
    Truncated {
        /// Where the value began.
        offset: usize,
    },
    /// An ordinal that no record has.
    #[error("unknown record ordinal {found} at offset {offset}")]
    Ordinal {
        /// The ordinal.
        found: u8,
        /// Where it stands.
        offset: usize,
    },
    /// A value outside its range, or not in its only form.
    #[error("invalid {field} before offset {offset}")]
    Invalid {
        /// Which value.
        field: &'static str,
        /// Where it ended.
        offset: usize,
    },
    /// A plan that breaks a rule of plans.
    #[error("invalid plan before offset {offset}: {source}")]
    Plan {
        /// Where it ended.
        offset: usize,
        /// The rule.
        source: stampede_domain::PlanError,
    },
    /// More bytes than a record or a body may have.
    #[error("{bytes} bytes; {max} are allowed")]
    TooLong {
        /// Bytes found.
        bytes: usize,
        /// Most bytes allowed.
        max: usize,
    },
}
