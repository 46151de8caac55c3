//! Why a drop does not wind down.

/// Why a drop does not wind down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindDownRefusal {
    /// Nobody can buy what comes back.
    #[error(
        "the drop is paused, so nobody could buy what comes back; resume it first, or close it"
    )]
    Paused,
    /// It does already.
    #[error("the drop winds down already; close it to end it now")]
    Already,
}
