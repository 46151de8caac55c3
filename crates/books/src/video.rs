//! How much later viewers see a stream, with what that asks of countdowns.

use stampede_domain::{
    DropId, DurationMs, StreamId,
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
