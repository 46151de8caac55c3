//! How many mistakes were put right.

use serde::Serialize;

/// Mistakes that were put right, by the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Corrections {
    /// Times that units were taken back.
    pub withdrawn: u64,
    /// Times that limits or the end of a drop were changed while it was on sale.
    pub amended: u64,
    /// Drops that began to wind down.
    pub wound_down: u64,
    /// Openings that were undone.
    pub undone: u64,
    /// Copies of undone openings whose terms had been changed while they were on sale.
    pub copies_put_right: u64,
}
