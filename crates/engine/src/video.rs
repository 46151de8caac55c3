//! How much later a stream's viewers see it, with what that asks of countdowns.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_domain::{
    DropId, DurationMs, StreamId, UnixMillis,
    limits::{SPEAK_MS_MIN, VIDEO_DELAY_MS_MAX, VIDEO_DELAY_MS_MIN},
};

/// Why a command does not fit the delay of a stream's video.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VideoRefusal {
    /// A delay outside its range.
    #[error(
        "video_delay_ms is {value}; {min} to {max} are allowed, or 0 for none",
        min = VIDEO_DELAY_MS_MIN, max = VIDEO_DELAY_MS_MAX
    )]
    DelayOutOfRange {
        /// What was asked for, in milliseconds.
        value: u64,
    },
    /// The host would have no time to get to the word.
    #[error(
        "a countdown of {countdown_ms} ms is too short: viewers see stream {stream} {delay_ms} ms late, \
         and the host needs {speak} ms to speak; use {min_ms} ms or more, as countdown_ms of this \
         opening or of the plan",
        speak = SPEAK_MS_MIN
    )]
    CountdownTooShort {
        /// The stream.
        stream: StreamId,
        /// How much later its viewers see it, in milliseconds.
        delay_ms: u64,
        /// The countdown, in milliseconds.
        countdown_ms: u64,
        /// The shortest one, in milliseconds.
        min_ms: u64,
    },
    /// A host is being told when to speak.
    #[error(
        "{drop} is counting down in stream {stream}, and its host is told when to speak: wait until \
         it is open, or cancel its countdown"
    )]
    CountdownRuns {
        /// The stream.
        stream: StreamId,
        /// The drop.
        drop: DropId,
    },
}

/// The shortest countdown in a stream whose viewers see it so much later; zero where they do not.
pub(crate) fn countdown_min(delay: DurationMs) -> DurationMs {
    match delay.get() {
        0 => DurationMs::ZERO,
        millis => DurationMs::new(millis.saturating_add(SPEAK_MS_MIN)),
    }
}

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
