//! How followers learn at once that a drop stands differently.

use tokio::sync::watch;

/// What has changed since the engine started. A reader who compares two of these knows what to look at
/// again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rises with whatever makes some drop stand differently, its figures apart, and with every change
    /// of a room.
    pub any: u64,
    /// Rises when a drop comes, is edited or leaves memory.
    pub drops: u64,
}

/// Tells followers; costs a few loads while there are none.
#[derive(Debug)]
pub(crate) struct Followers(watch::Sender<Changes>);

impl Default for Followers {
    fn default() -> Self {
        Self(watch::Sender::new(Changes::default()))
    }
}

impl Followers {
    pub(crate) fn tell(&self, drops: u64) {
        self.0.send_modify(|changes| {
            changes.any += 1;
            changes.drops = drops;
        });
    }

    pub(crate) fn follow(&self) -> watch::Receiver<Changes> {
        self.0.subscribe()
    }
}
