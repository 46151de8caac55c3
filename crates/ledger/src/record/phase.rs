//! The records that begin a phase of a drop.

use stampede_domain::{Phase, UnixMillis};

/// A drop entered a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseRecord {
    /// The countdown to opening began.
    Countdown {
        /// When the drop opens.
        opens_at: UnixMillis,
    },
    /// The countdown was called off.
    CountdownCancelled,
    /// Takes began.
    Opened,
    /// Takes stopped for now.
    Paused,
    /// Takes went on.
    Resumed,
    /// Takes ended for good.
    Closed,
    /// The last hold had ended; the figures are final.
    Settled,
    /// The drop was called off before it began.
    Cancelled,
}

impl PhaseRecord {
    /// The phase that the record begins.
    ///
    /// A stream's record may begin one too, which depends on more than the record:
    /// [`StreamRecord`](super::StreamRecord).
    pub const fn begins(self) -> Phase {
        match self {
            Self::CountdownCancelled => Phase::Scheduled,
            Self::Countdown { .. } => Phase::Countdown,
            Self::Opened | Self::Resumed => Phase::Open,
            Self::Paused => Phase::Paused,
            Self::Closed => Phase::Closed,
            Self::Settled => Phase::Settled,
            Self::Cancelled => Phase::Cancelled,
        }
    }
}
