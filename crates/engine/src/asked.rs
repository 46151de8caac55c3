//! What staff have asked for in a drop beyond its reserve, as far as that is durable.

use std::sync::Arc;

use parking_lot::RwLock;
use stampede_books::RestockRequest;

/// Requests as they are shown: those that nobody has ended, then the latest of the others.
pub type ShownRequests = Arc<[Arc<RestockRequest>]>;

/// Written by the steward, read by those who show them.
#[derive(Debug, Default)]
pub struct Asked(RwLock<ShownRequests>);

impl Asked {
    /// Those that nobody has ended, then the latest of the others.
    pub fn shown(&self) -> ShownRequests {
        Arc::clone(&self.0.read())
    }

    /// Steward only: others are durable.
    pub(crate) fn show(&self, requests: ShownRequests) {
        *self.0.write() = requests;
    }
}
