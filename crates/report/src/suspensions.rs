//! Times in which nobody was served although the node ran, as a drop's records name them.

use stampede_domain::{DurationMs, UnixMillis};

/// Spans by which deadlines moved, each for the holds taken before a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suspensions(Vec<(UnixMillis, u64)>);

impl Suspensions {
    pub(crate) fn add(&mut self, span: DurationMs, until: UnixMillis) {
        self.0.push((until, span.get()));
    }

    /// By how many milliseconds the deadline of a hold moved that was taken at `taken_at`.
    pub(crate) fn moved_ms(&self, taken_at: UnixMillis) -> u64 {
        let later = self.0.iter().filter(|(until, _)| taken_at < *until);
        later.fold(0, |sum, (_, span)| sum.saturating_add(*span))
    }
}
