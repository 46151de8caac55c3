//! When a drop in memory first opened, until when it winds down, since when it is over.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_domain::UnixMillis;

/// Times of a drop, in milliseconds since 1970; 0 for what has not been.
#[derive(Debug, Default)]
pub(crate) struct SaleSpan {
    opened_at: AtomicU64,
    winds_down_until: AtomicU64,
    over_since: AtomicU64,
}

impl SaleSpan {
    /// Steward only, or before it runs.
    pub(crate) fn set(&self, opened_at: Option<UnixMillis>, over_since: Option<UnixMillis>) {
        self.opened_at.store(opened_at.map_or(0, UnixMillis::get), Ordering::Relaxed);
        self.over_since.store(over_since.map_or(0, UnixMillis::get), Ordering::Relaxed);
    }

    /// Steward only, or before it runs.
    pub(crate) fn wind_down(&self, until: Option<UnixMillis>) {
        self.winds_down_until.store(until.map_or(0, UnixMillis::get), Ordering::Relaxed);
    }

    /// When the drop closes at the latest, once it winds down.
    pub(crate) fn winds_down_until(&self) -> Option<UnixMillis> {
        time(&self.winds_down_until)
    }

    /// When the drop first opened.
    pub(crate) fn opened_at(&self) -> Option<UnixMillis> {
        time(&self.opened_at)
    }

    /// Since when it is settled or cancelled.
    pub(crate) fn over_since(&self) -> Option<UnixMillis> {
        time(&self.over_since)
    }
}

fn time(millis: &AtomicU64) -> Option<UnixMillis> {
    match millis.load(Ordering::Relaxed) {
        0 => None,
        millis => Some(UnixMillis::new(millis)),
    }
}
