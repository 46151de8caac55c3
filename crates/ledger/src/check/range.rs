//! The part of the journal that a start reads.
//!
//! A drop that is over for good has a seal, and its rows are left alone: of those a start looks at the
//! last one only. Everything else is read from the commit on in which the oldest of the other drops begins.

use std::collections::{HashMap, HashSet};

use stampede_domain::{DropId, DurationMs, Mode, StreamId, UnixMillis};

use crate::{CommitKey, Mark, RowKey, Seal, SealedDrop};

/// By stream and mode, the commit in which a drop went on air or was about to.
pub(crate) type Aired = HashMap<(StreamId, Mode), CommitKey>;

/// What a start reads.
#[derive(Debug, Default)]
pub(crate) struct StartRange {
    /// From this commit on every key is read, before it only the rows of the house and of adjustments.
    pub(crate) from: CommitKey,
    /// Drops whose rows are left alone.
    sealed: HashSet<DropId>,
}

impl StartRange {
    /// Decides by the seals. Drops that settled within `kept` before the last row are read, as their
    /// orders are still shown, and those that a projection may lack something of: the one that is furthest
    /// behind has come to `mark`.
    pub(crate) fn of(seals: &[Seal], mark: &Mark, last_at: UnixMillis, kept: DurationMs) -> Self {
        let is_over = |seal: &&Seal| {
            let last = RowKey::in_commit(seal.last, seal.drop);
            seal.settled_at.plus(kept) <= last_at && last <= mark.row
        };
        let sealed: HashSet<_> = seals.iter().filter(is_over).map(|seal| seal.drop).collect();
        // Drops begin in the order of their numbers: none that has no seal begins before the last of
        // those that all have one.
        let unbroken = (1..).zip(seals).take_while(|(id, seal)| seal.drop == DropId::new(*id));
        let mut from = unbroken.last().map(|(_, seal)| seal.first).unwrap_or_default();
        let read = seals.iter().filter(|seal| !sealed.contains(&seal.drop));
        from = read.map(|seal| seal.first).fold(from, CommitKey::min);
        Self { from, sealed }
    }

    /// The range with those left alone that ran beside a drop that is read, in the same stream: which of them
    /// goes on air depends on both. `None` if there are none.
    pub(crate) fn widened(&self, left_alone: &[SealedDrop], aired: &Aired) -> Option<Self> {
        let mut wider = Self { from: self.from, sealed: self.sealed.clone() };
        for SealedDrop { seal, summary } in left_alone {
            let since = aired.get(&(summary.stream.clone(), summary.mode));
            if since.is_some_and(|since| seal.last >= *since) {
                wider.sealed.remove(&seal.drop);
                wider.from = wider.from.min(seal.first);
            }
        }
        (wider.sealed.len() < self.sealed.len()).then_some(wider)
    }

    /// Whether the rows of this drop are read.
    pub(crate) fn reads(&self, drop: DropId) -> bool {
        !self.sealed.contains(&drop)
    }
}
