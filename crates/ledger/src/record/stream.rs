//! The records of a drop's stream going offline.

use stampede_domain::UnixMillis;

/// The drop's stream went, came back or was away for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamRecord {
    /// The platform reported that the stream is offline, or the drop was planned meanwhile.
    Offline {
        /// When it was reported; the time that the plan allows counts from here.
        at: UnixMillis,
    },
    /// The platform reported that the stream is back. A drop that is paused because of
    /// [`StreamRecord::OfflineLapsed`] goes on if its plan says so.
    Online,
    /// The stream has been offline for as long as the plan allows: an open drop pauses, a countdown
    /// is called off, in any other phase nothing happens.
    OfflineLapsed,
}
