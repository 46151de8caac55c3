//! Why a rehearsal by one press does not begin or end.

use std::fmt;

use stampede_domain::{DropId, Phase, StreamId};

/// Why a command about a rehearsal is refused. A drop is `None` where the actor may not see it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RehearsalRefusal {
    /// Something is sold for real in the stream.
    #[error(
        "{} on air in stream {stream}, for real ({phase}): rehearse before the show or after it, or in another stream",
        Subject(*drop)
    )]
    LiveOnAir {
        /// The stream.
        stream: StreamId,
        /// The live drop.
        drop: Option<DropId>,
        /// Where it stands.
        phase: Phase,
    },
    /// A rehearsal by one press runs there already.
    #[error(
        "a rehearsal runs in stream {stream} already, {} part of it: whoever began it, the stream's owner, a host or \
         operations end it first",
        Subject(*drop)
    )]
    Runs {
        /// The stream.
        stream: StreamId,
        /// A drop of the rehearsal.
        drop: Option<DropId>,
    },
    /// A drop is tried there that was planned as a rehearsal by hand: nothing ends it but commands of its own.
    #[error(
        "{} on air in stream {stream}, planned as a rehearsal by hand ({phase}): cancel its countdown or close it first",
        Subject(*drop)
    )]
    OnAir {
        /// The stream.
        stream: StreamId,
        /// The drop.
        drop: Option<DropId>,
        /// Where it stands.
        phase: Phase,
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

/// A drop by its id, or by what it is where the id must not be told.
struct Subject(Option<DropId>);

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(drop) => write!(f, "{drop} is"),
            None => f.write_str("another merchant's drop is"),
        }
    }
}
