//! The delay of a stream's video, as its drops show it.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_domain::{DurationMs, UnixMillis};

/// What a drop shows about its stream's video.
#[derive(Debug, Default)]
pub(crate) struct VideoTimes {
    /// How much later viewers see and hear the stream, in milliseconds.
    delay: AtomicU64,
    /// When a countdown ended and takes began, in milliseconds since 1970; 0 before, and after a restart.
    opened_at: AtomicU64,
}

impl VideoTimes {
    pub(crate) fn delay(&self) -> DurationMs {
        DurationMs::new(self.delay.load(Ordering::Relaxed))
    }

    /// Steward only, or before it runs.
    pub(crate) fn set_delay(&self, delay: DurationMs) {
        self.delay.store(delay.get(), Ordering::Relaxed);
    }

    /// When a countdown ended and takes began, by the sale's clock.
    pub(crate) fn opened_at(&self) -> Option<UnixMillis> {
        match self.opened_at.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(UnixMillis::new(millis)),
        }
    }

    /// Steward only.
    pub(crate) fn open(&self, at: UnixMillis) {
        self.opened_at.store(at.get(), Ordering::Relaxed);
    }
}
