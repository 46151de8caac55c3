//! Viewers that are connected or have won: their numbers, links, connections.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use dashmap::{DashMap, mapref::entry::Entry};
use parking_lot::Mutex;
use stampede_domain::{DropId, Mode, StreamId, ViewerId, ViewerNumber};
use stampede_ledger::ViewerLink;

use crate::shared_rate_debt::SharedRateDebt;

/// Where one of a viewer's connections lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The core that serves it.
    pub core: usize,
    /// The core's own name for it.
    pub token: u64,
}

/// A viewer that is connected or has won something.
#[derive(Debug)]
pub struct Viewer {
    link: Arc<ViewerLink>,
    /// What keeps the number beyond the last connection: takes in drops in memory, bans. Raised before
    /// the first record that names it.
    keeps: AtomicU32,
    /// The drop that the viewer took in last; 0 for none.
    took_in: AtomicU32,
    /// The highest drop of a take that the link is durable with; 0 for none. Every link that a drop's holds
    /// need stands behind the drop's first row so, since drops begin in the order of their numbers.
    linked_in: AtomicU32,
    connections: Mutex<Vec<Connected>>,
    pace: SharedRateDebt,
}

/// A connection with what it counts for.
#[derive(Debug)]
struct Connected {
    connection: Connection,
    mode: Mode,
    presence: Arc<StreamPresence>,
}

/// Viewers connected to one stream, with tickets for live drops or for rehearsals: the crowd of a rehearsal is in no
/// figure of a sale.
#[derive(Debug)]
pub(crate) struct StreamPresence {
    stream: StreamId,
    live: AtomicU64,
    rehearsing: AtomicU64,
}

impl StreamPresence {
    fn of(stream: &StreamId) -> Self {
        Self { stream: stream.clone(), live: AtomicU64::new(0), rehearsing: AtomicU64::new(0) }
    }

    const fn count(&self, mode: Mode) -> &AtomicU64 {
        match mode {
            Mode::Live => &self.live,
            Mode::Rehearsal => &self.rehearsing,
        }
    }

    /// Distinct viewers that are connected now with tickets of this mode.
    pub(crate) fn viewers(&self, mode: Mode) -> u64 {
        self.count(mode).load(Ordering::Relaxed)
    }

    fn is_empty(&self) -> bool {
        self.viewers(Mode::Live) == 0 && self.viewers(Mode::Rehearsal) == 0
    }
}

impl Viewer {
    fn new(number: ViewerNumber, id: ViewerId) -> Self {
        Self {
            link: Arc::new(ViewerLink { number, id }),
            keeps: AtomicU32::new(0),
            took_in: AtomicU32::new(DropId::HOUSE.get()),
            linked_in: AtomicU32::new(DropId::HOUSE.get()),
            connections: Mutex::new(Vec::new()),
            pace: SharedRateDebt::default(),
        }
    }

    /// The random number that stands for the viewer in records.
    pub fn number(&self) -> ViewerNumber {
        self.link.number
    }

    /// The platform's id.
    pub fn id(&self) -> &ViewerId {
        &self.link.id
    }

    /// Where the viewer is connected now.
    pub fn connections(&self) -> Vec<Connection> {
        self.connections.lock().iter().map(|held| held.connection.clone()).collect()
    }

    /// What the viewer has sent on all connections together. The gateway alone counts and limits it;
    /// it stands here because all cores share this entry already, so no message looks anything up.
    pub fn pace(&self) -> &SharedRateDebt {
        &self.pace
    }

    /// The link, which each ban carries.
    pub(crate) fn link(&self) -> Arc<ViewerLink> {
        Arc::clone(&self.link)
    }

    /// The link that the next take in a drop must carry, or `None` once it is durable with one of a drop
    /// that is not older.
    pub(crate) fn link_to_write(&self, drop: DropId) -> Option<Arc<ViewerLink>> {
        // ORDERING: Acquire pairs with the Release in `set_linked`; an older number only writes the
        // same pair once more.
        (self.linked_in.load(Ordering::Acquire) < drop.get()).then(|| self.link())
    }

    /// Keeps the number until [`Directory::let_go`] is called once for it.
    pub(crate) fn keep(&self) {
        // ORDERING: Relaxed is enough: `Directory::leave` reads it after the connection that took
        // has been removed under the connections' lock.
        self.keeps.fetch_add(1, Ordering::Relaxed);
    }

    /// The viewer took in a drop: `true` if the drop has to list the viewer as kept by it. Who goes to
    /// and fro between drops is listed again, and let go as often.
    pub(crate) fn note_take(&self, drop: DropId) -> bool {
        if self.took_in.load(Ordering::Relaxed) == drop.get() {
            return false;
        }
        self.took_in.store(drop.get(), Ordering::Relaxed);
        self.keep();
        true
    }

    /// The link is durable with a take in the drop; a ban's, of the house, stands for the ban alone.
    pub(crate) fn set_linked(&self, drop: DropId) {
        // ORDERING: Release pairs with the Acquire in `link_to_write`.
        self.linked_in.fetch_max(drop.get(), Ordering::Release);
    }
}

/// What joining gave.
#[derive(Debug)]
pub(crate) struct JoinOutcome {
    /// The viewer.
    pub(crate) viewer: Arc<Viewer>,
    /// The viewer's oldest connection, which has to be closed to make room.
    pub(crate) evicted: Option<Connection>,
}

/// Every viewer that is connected or has taken, by id as well as by number.
#[derive(Debug)]
pub(crate) struct Directory {
    by_id: DashMap<ViewerId, Arc<Viewer>, foldhash::fast::RandomState>,
    by_number: DashMap<ViewerNumber, Arc<Viewer>, foldhash::fast::RandomState>,
    streams: DashMap<StreamId, Arc<StreamPresence>, foldhash::fast::RandomState>,
    connections_per_viewer_max: usize,
}

impl Directory {
    pub(crate) fn new(connections_per_viewer_max: usize) -> Self {
        Self {
            by_id: DashMap::default(),
            by_number: DashMap::default(),
            streams: DashMap::default(),
            connections_per_viewer_max,
        }
    }

    /// Puts back a link that the ledger holds; of several for one id the latest counts for who comes.
    pub(crate) fn restore(&self, link: ViewerLink) {
        let viewer = Arc::new(Viewer::new(link.number, link.id.clone()));
        self.by_number.insert(link.number, Arc::clone(&viewer));
        self.by_id.insert(link.id, viewer);
    }

    pub(crate) fn by_number(&self, number: ViewerNumber) -> Option<Arc<Viewer>> {
        self.by_number.get(&number).map(|found| Arc::clone(found.value()))
    }

    /// The viewers connected to `stream`.
    pub(crate) fn presence(&self, stream: &StreamId) -> Arc<StreamPresence> {
        if let Some(found) = self.streams.get(stream) {
            return Arc::clone(found.value());
        }
        let fresh = || Arc::new(StreamPresence::of(stream));
        Arc::clone(self.streams.entry(stream.clone()).or_insert_with(fresh).value())
    }

    /// Adds a connection with a ticket of this stream and mode; `random` proposes numbers for a new viewer until one is free.
    pub(crate) fn join(
        &self,
        id: &ViewerId,
        (stream, mode): (&StreamId, Mode),
        connection: Connection,
        random: &mut dyn FnMut() -> u64,
    ) -> JoinOutcome {
        let connected = Connected { connection, mode, presence: self.presence(stream) };
        // The connection is added under the shard's guard, so that a concurrent `leave` either sees
        // it or has already removed the viewer.
        let viewer = match self.by_id.entry(id.clone()) {
            Entry::Occupied(found) => {
                let viewer = Arc::clone(found.get());
                let evicted = self.connect(&viewer, connected);
                return JoinOutcome { viewer, evicted };
            }
            Entry::Vacant(vacant) => {
                let viewer = self.enter(id, random);
                self.connect(&viewer, connected);
                vacant.insert(Arc::clone(&viewer));
                viewer
            }
        };
        JoinOutcome { viewer, evicted: None }
    }

    pub(crate) fn by_id(&self, id: &ViewerId) -> Option<Arc<Viewer>> {
        self.by_id.get(id).map(|found| Arc::clone(found.value()))
    }

    /// A viewer who is kept from now on, connected or not, until let go: a record will name the number.
    pub(crate) fn keep(&self, id: &ViewerId, random: &mut dyn FnMut() -> u64) -> Arc<Viewer> {
        let viewer = match self.by_id.entry(id.clone()) {
            Entry::Occupied(found) => Arc::clone(found.get()),
            Entry::Vacant(vacant) => {
                let viewer = self.enter(id, random);
                vacant.insert(Arc::clone(&viewer));
                viewer
            }
        };
        viewer.keep();
        viewer
    }

    fn enter(&self, id: &ViewerId, random: &mut dyn FnMut() -> u64) -> Arc<Viewer> {
        loop {
            let Some(number) = ViewerNumber::new(random()) else { continue };
            if let Entry::Vacant(vacant) = self.by_number.entry(number) {
                let viewer = Arc::new(Viewer::new(number, id.clone()));
                vacant.insert(Arc::clone(&viewer));
                return viewer;
            }
        }
    }

    fn connect(&self, viewer: &Viewer, connected: Connected) -> Option<Connection> {
        let mut connections = viewer.connections.lock();
        if !connections.iter().any(|held| held.counts_like(&connected)) {
            connected.presence.count(connected.mode).fetch_add(1, Ordering::Relaxed);
        }
        connections.push(connected);
        if connections.len() <= self.connections_per_viewer_max {
            return None;
        }
        // The evicted connection gets no further events; its own `leave` finds nothing to do.
        let oldest = connections.remove(0);
        oldest.count_out(&connections);
        Some(oldest.connection)
    }

    /// Removes a connection; forgets the viewer if it was the last one of somebody who never took.
    pub(crate) fn leave(&self, viewer: &Viewer, connection: &Connection) {
        {
            let mut connections = viewer.connections.lock();
            // An evicted connection is on the list no more.
            if let Some(place) = connections.iter().position(|held| held.connection == *connection)
            {
                let left = connections.remove(place);
                left.count_out(&connections);
                drop(connections);
                if left.presence.is_empty() {
                    let stream = left.presence.stream.clone();
                    drop(left);
                    self.forget_stream(&stream);
                }
            }
        }
        self.forget(viewer);
    }

    /// Forgets a viewer whom nothing keeps.
    fn forget(&self, viewer: &Viewer) {
        // Both maps and the caller hold the viewer; anybody else may be an evicted connection that
        // still takes. Who is kept by mistake goes with the next connection.
        let idle = |found: &Arc<Viewer>| {
            found.number() == viewer.number()
                && found.keeps.load(Ordering::Relaxed) == 0
                && found.connections.lock().is_empty()
                && Arc::strong_count(found) <= 3
        };
        if let Some((_, gone)) = self.by_id.remove_if(viewer.id(), |_, found| idle(found)) {
            self.by_number.remove(&gone.number());
        }
    }

    /// One thing less keeps this number.
    pub(crate) fn let_go(&self, number: ViewerNumber) {
        let Some(viewer) = self.by_number(number) else { return };
        if viewer.keeps.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.forget(&viewer);
        }
    }

    /// Before anybody connects: forgets restored viewers whom neither a drop in memory nor a ban keeps.
    pub(crate) fn forget_unkept(&self) {
        let kept = |viewer: &Arc<Viewer>| viewer.keeps.load(Ordering::Relaxed) > 0;
        self.by_id.retain(|_, viewer| kept(viewer));
        self.by_number.retain(|_, viewer| kept(viewer));
        self.by_id.shrink_to_fit();
        self.by_number.shrink_to_fit();
    }

    /// Forgets a stream that has neither a drop nor a connection.
    pub(crate) fn forget_stream(&self, stream: &StreamId) {
        self.streams.remove_if(stream, |_, presence| Arc::strong_count(presence) == 1);
    }

    /// Distinct viewers connected to a stream with tickets of this mode.
    pub(crate) fn viewers(&self, stream: &StreamId, mode: Mode) -> u64 {
        self.streams.get(stream).map_or(0, |presence| presence.viewers(mode))
    }
}

impl Connected {
    /// Whether the viewer counts once for both.
    fn counts_like(&self, other: &Self) -> bool {
        self.mode == other.mode && self.presence.stream == other.presence.stream
    }

    /// Takes the viewer off the count, if none of the connections left counts for the same.
    fn count_out(&self, left: &[Self]) {
        if !left.iter().any(|held| held.counts_like(self)) {
            self.presence.count(self.mode).fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(core: usize, token: u64) -> Connection {
        Connection { core, token }
    }

    #[test]
    fn a_viewer_keeps_one_number_over_several_connections() {
        let directory = Directory::new(2);
        let (id, stream) = ("v1".parse().unwrap(), "show".parse().unwrap());
        let mut next = 0;
        let mut random = || {
            next += 1;
            next
        };
        let first = directory.join(&id, (&stream, Mode::Live), at(0, 1), &mut random);
        let second = directory.join(&id, (&stream, Mode::Live), at(1, 2), &mut random);
        assert_eq!(first.viewer.number(), second.viewer.number());
        assert_eq!(directory.presence(&stream).viewers(Mode::Live), 1);
        assert_eq!(second.evicted, None);
        let third = directory.join(&id, (&stream, Mode::Live), at(0, 3), &mut random);
        assert_eq!(third.evicted, Some(at(0, 1)));
        drop((second, third));
        for (core, token) in [(0, 1), (1, 2), (0, 3)] {
            directory.leave(&first.viewer, &at(core, token));
        }
        assert_eq!(directory.presence(&stream).viewers(Mode::Live), 0);
        assert!(directory.by_number(first.viewer.number()).is_none());
    }

    #[test]
    fn a_viewer_counts_once_for_live_drops_and_once_for_rehearsals() {
        let directory = Directory::new(5);
        let (id, stream) = ("v1".parse().unwrap(), "show".parse().unwrap());
        let modes = [Mode::Rehearsal, Mode::Live, Mode::Rehearsal];
        let mut counts = Vec::new();
        let presence = directory.presence(&stream);
        let mut note = || {
            counts.push((presence.viewers(Mode::Live), presence.viewers(Mode::Rehearsal)));
        };
        let mut joined = None;
        for (token, mode) in (0..).zip(modes) {
            joined = Some(directory.join(&id, (&stream, mode), at(0, token), &mut || 7).viewer);
            note();
        }
        let viewer = joined.unwrap();
        for token in [0, 1, 2] {
            directory.leave(&viewer, &at(0, token));
            note();
        }
        assert_eq!(counts, [(0, 1), (1, 1), (1, 1), (1, 1), (0, 1), (0, 0)]);
        drop(presence);
        directory.forget_stream(&stream);
        assert!(directory.streams.is_empty(), "nobody uses the stream");
    }

    #[test]
    fn whoever_took_keeps_the_number_after_leaving() {
        let directory = Directory::new(5);
        let (id, stream) = ("v1".parse().unwrap(), "show".parse().unwrap());
        let mut random = || 7;
        let viewer = directory.join(&id, (&stream, Mode::Live), at(0, 1), &mut random).viewer;
        viewer.note_take("d1".parse().unwrap());
        directory.leave(&viewer, &at(0, 1));
        let again = directory.join(&id, (&stream, Mode::Live), at(0, 2), &mut || 8).viewer;
        assert_eq!(again.number(), viewer.number());
        let number = viewer.number();
        directory.leave(&again, &at(0, 2));
        drop((viewer, again));
        directory.let_go(number);
        assert!(directory.by_number(number).is_none(), "the drop has left memory");
        assert!(directory.by_id(&id).is_none());
        assert!(directory.streams.is_empty(), "nobody uses the stream");
    }

    #[test]
    fn who_goes_to_and_fro_between_drops_is_let_go_as_often_as_listed() {
        let directory = Directory::new(5);
        let (id, stream) = ("v1".parse().unwrap(), "show".parse().unwrap());
        let viewer = directory.join(&id, (&stream, Mode::Live), at(0, 1), &mut || 7).viewer;
        let drops = ["d1", "d2", "d1", "d1", "d2"].map(|drop| drop.parse().unwrap());
        let listed = drops.into_iter().filter(|drop| viewer.note_take(*drop)).count();
        directory.leave(&viewer, &at(0, 1));
        let number = viewer.number();
        drop(viewer);
        for left in (0..listed).rev() {
            assert!(directory.by_number(number).is_some(), "{left} still keep the viewer");
            directory.let_go(number);
        }
        assert!(directory.by_number(number).is_none());
    }
}
