//! What a run of the simulation finds.

/// Something that must never stand in a ledger.
pub(crate) type Violation = String;
