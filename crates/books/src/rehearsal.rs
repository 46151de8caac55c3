//! Why a rehearsal by one press does not begin or end.

use stampede_domain::{DropId, Phase, StreamId};

/// Why a command about a rehearsal is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RehearsalRefusal {
    /// Something is sold for real in the stream.
    #[error(
        "{drop} is on air in stream {stream}, for real ({phase}): rehearse before the show or after it, or in \
         another stream"
    )]
    LiveOnAir {
        /// The stream.
        stream: StreamId,
        /// The live drop.
        drop: DropId,
        /// Where it stands.
        phase: Phase,
    },
    /// A rehearsal runs there already.
    #[error("a rehearsal runs in stream {stream} already, with {drop}: end it first")]
    Runs {
        /// The stream.
        stream: StreamId,
        /// A drop of the rehearsal.
        drop: DropId,
    },
    /// There is no live drop to rehearse.
    #[error(
        "no live drop is planned in stream {stream}, so there is nothing to rehearse: plan one first"
    )]
    NothingPlanned {
        /// The stream.
        stream: StreamId,
    },
    /// There is nothing to end.
    #[error("no rehearsal runs in stream {stream}")]
    NoneRuns {
        /// The stream.
        stream: StreamId,
    },
}
