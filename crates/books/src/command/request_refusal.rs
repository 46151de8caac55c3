//! Why a request for more units is not made, or does not end so.

use stampede_domain::{Phase, RequestId};
use stampede_ledger::RequestEnd;

use super::phase_words::stands;

/// Why a request for more units is not made, or does not end so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// As many requests are open as may be.
    #[error(
        "{max} requests of this drop are open, which is the most; withdraw one, or have one granted or declined first"
    )]
    Full {
        /// The limit.
        max: usize,
    },
    /// Nobody has made it.
    #[error("no request {request} in this drop")]
    Unknown {
        /// What was asked for.
        request: RequestId,
    },
    /// Somebody was faster.
    #[error("{request} was {} by {by} already", end_words(*end))]
    Ended {
        /// Which.
        request: RequestId,
        /// What became of it.
        end: RequestEnd,
        /// Who ended it.
        by: String,
    },
    /// It ended so long ago that nothing else is known of it.
    #[error("{request} has ended already; the list of commands says how")]
    Forgotten {
        /// Which.
        request: RequestId,
    },
    /// Takes are over, which has ended every request.
    #[error("the drop {}, which has ended its requests", stands(*phase))]
    DropOver {
        /// Where the drop stands.
        phase: Phase,
    },
}

const fn end_words(end: RequestEnd) -> &'static str {
    match end {
        RequestEnd::Granted { .. } => "granted",
        RequestEnd::Declined => "declined",
        RequestEnd::Withdrawn => "withdrawn",
    }
}
