//! The live holds of those whom a ban keeps out: found, then released in portions.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use stampede_books::{HoldEnd, HoldLook, brake::Ban};
use stampede_domain::{BanId, BanTarget, ChannelId, DropId, StreamId, UnixMillis, ViewerNumber};

use super::Steward;

/// Viewers whose holds are released before other work gets its turn.
const RELEASES_PER_TURN_MAX: usize = 1_024;

const _: () = assert!(
    stampede_domain::limits::HOLDS_PER_VIEWER_MAX as usize <= crate::config::STEWARD_ROOM_MIN,
    "the room that the steward asks for takes the ends of a viewer's holds in one drop"
);

/// Viewers whose live holds are to be released, by the ban that says so.
#[derive(Debug, Default)]
pub(crate) struct Releases(VecDeque<(ViewerNumber, BanId)>);

impl Releases {
    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One more viewer whose holds a ban releases.
    pub(crate) fn add(&mut self, viewer: ViewerNumber, ban: BanId) {
        self.0.push_back((viewer, ban));
    }
}

impl Steward {
    /// Notes whose live holds a new ban releases. What is on its way to the ledger is the cores' to name.
    pub(super) fn release_for(&mut self, ban: &Ban) {
        if !ban.releases_holds {
            return;
        }
        match &ban.target {
            BanTarget::Viewer(viewer) => {
                if let Some(viewer) = self.shared.directory.by_id(viewer) {
                    self.releases.add(viewer.number(), ban.id);
                }
            }
            BanTarget::Addresses(_) => {}
            BanTarget::Channel { channel, stream } => {
                self.release_channel(ban.id, channel, stream.as_ref());
            }
        }
    }

    /// The ban keeps its viewer in memory no longer.
    pub(super) fn let_go(&mut self, ban: &Ban) {
        if let BanTarget::Viewer(viewer) = &ban.target
            && let Some(viewer) = self.shared.directory.by_id(viewer)
        {
            self.shared.directory.let_go(viewer.number());
        }
    }

    /// After a restart: the crash may have come between a channel's ban and the last release.
    pub(super) fn release_banned_channels(&mut self) {
        let bans: Vec<Arc<Ban>> = self.books.brake().bans().map(Arc::clone).collect();
        for ban in bans.iter().filter(|ban| ban.releases_holds) {
            if let BanTarget::Channel { channel, stream } = &ban.target {
                self.release_channel(ban.id, channel, stream.as_ref());
            }
        }
    }

    fn release_channel(&mut self, ban: BanId, channel: &ChannelId, stream: Option<&StreamId>) {
        self.collect_takes();
        let mut viewers = HashSet::new();
        for hold in self.deadlines.holds() {
            let Some(sale) = self.sales.get(&hold.drop_id()) else { continue };
            if stream.is_none_or(|stream| sale.plan().stream == *stream)
                && sale.is_by_channel(hold, channel)
                && let HoldLook::Known(held) = self.hold_in_memory(hold)
                && viewers.insert(held.viewer)
            {
                self.releases.add(held.viewer, ban);
            }
        }
    }

    /// Releases the live holds of those who were banned with them; `true` if only the turn's limit
    /// has ended it.
    pub(super) fn release_banned(&mut self, now: UnixMillis) -> bool {
        self.releases.0.extend(self.shared.banned_viewers.lock().drain(..));
        let waiting = self.releases.0.len();
        for _ in 0..waiting.min(RELEASES_PER_TURN_MAX) {
            if !self.has_room() {
                return false;
            }
            let Some((viewer, id)) = self.releases.0.pop_front() else { return false };
            // Nobody is released on the word of a ban that is over.
            let Some(ban) = self.books.brake().ban(id).map(Arc::clone) else { continue };
            if !self.release_all(viewer, &ban.target, now) {
                // A take is on its way to the ledger: look again when it has got there.
                self.releases.add(viewer, id);
            }
        }
        waiting > RELEASES_PER_TURN_MAX
    }

    /// Releases a viewer's live holds, of a banned channel those that it brought; `false` if some
    /// could not be ended yet.
    fn release_all(&mut self, viewer: ViewerNumber, target: &BanTarget, now: UnixMillis) -> bool {
        let (channel, stream) = match target {
            BanTarget::Channel { channel, stream } => (Some(channel), stream.as_ref()),
            BanTarget::Viewer(_) | BanTarget::Addresses(_) => (None, None),
        };
        let mut done = true;
        let drops = self.books.live();
        let drops = drops
            .filter(|(_, book)| stream.is_none_or(|stream| book.plan().stream == *stream))
            .map(|(drop, _)| drop);
        let drops: Vec<DropId> = drops.collect();
        for drop in drops {
            // Each drop may give as many records as one viewer may have holds in it.
            if !self.has_room() {
                return false;
            }
            let sale = Arc::clone(&self.sales[&drop]);
            let came = |hold| channel.is_none_or(|channel| sale.is_by_channel(hold, channel));
            for hold in sale.stock().holds_of(viewer) {
                match self.hold_in_memory(hold) {
                    HoldLook::Known(held) if !held.confirmed && came(hold) => {
                        let end = HoldEnd::Released;
                        self.decide(|books, out| books.end_hold(now, held, end, out));
                    }
                    HoldLook::Pending => done = false,
                    _ => {}
                }
            }
        }
        done
    }
}
