//! State that the engine's threads share.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use parking_lot::{Mutex, RwLock};
use stampede_books::{HoldStatus, Rooms};
use stampede_domain::{
    BanId, DropId, DurationMs, HoldId, Mode, Phase, Refusal, StreamId, UnixMillis, ViewerNumber,
};

use crate::{
    answers::AnswerTotals,
    attempts::AttemptQueue,
    brake::Brake,
    buy::Buy,
    changes::Followers,
    channel_counts::ClickChannel,
    clock::Clock,
    config::EngineConfig,
    event::{CoreEvent, Inbox, ViewerEvent},
    fresh_takes::FreshTakes,
    sale::SaleDrop,
    summary::DropSummary,
    suspensions::Suspensions,
    viewer::Directory,
};

/// State behind the engine, its steward, its applier and its ports.
pub(crate) struct EngineState {
    pub(crate) config: EngineConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) directory: Directory,
    pub(crate) inboxes: Vec<Inbox>,
    drops: DashMap<DropId, Arc<SaleDrop>, foldhash::fast::RandomState>,
    /// Those of each stream.
    streams: DashMap<StreamId, BTreeSet<DropId>, foldhash::fast::RandomState>,
    /// Drops that have left `drops`.
    over: RwLock<BTreeMap<DropId, Arc<DropSummary>>>,
    /// Rises when `drops` changes, so that each core knows when to look again.
    generation: AtomicU64,
    pub(crate) brake: Arc<Brake>,
    /// Who may sell in which stream, as far as it is durable.
    pub(crate) rooms: RwLock<Rooms>,
    /// Viewers whom a ban keeps out and whose holds it releases, since the steward last looked; for
    /// each ban at most one for each connection and each take under way.
    pub(crate) banned_viewers: Mutex<Vec<(ViewerNumber, BanId)>>,
    pub(crate) fresh_takes: FreshTakes,
    /// Answers to buys as tallied since the start.
    pub(crate) answered: Mutex<AnswerTotals>,
    /// Drops in which something was counted after a quiet time; at most one entry for each drop.
    pub(crate) counted_drops: Mutex<Vec<DropId>>,
    /// Replays that wait for somebody else's take to become durable.
    awaiting: AtomicUsize,
    /// Holds whose end is decided and not durable yet, as they stand until then.
    pub(crate) ends_under_way: DashMap<HoldId, HoldStatus, foldhash::fast::RandomState>,
    poisoned: AtomicBool,
    /// Since when another program's lock keeps commits out, in milliseconds since 1970; 0 if none does.
    ledger_busy: AtomicU64,
    pub(crate) suspensions: Arc<Suspensions>,
    pub(crate) followers: Followers,
    /// Attempts to pay that the provider is to be asked about.
    pub(crate) attempts: AttemptQueue,
    /// Makes the numbers of viewers.
    pub(crate) random: fn() -> u64,
}

impl EngineState {
    pub(crate) fn new(
        config: EngineConfig,
        clock: Arc<dyn Clock>,
        inboxes: Vec<Inbox>,
        random: fn() -> u64,
    ) -> Self {
        Self {
            directory: Directory::new(config.connections_per_viewer_max),
            brake: Arc::new(Brake::new(&config)),
            rooms: RwLock::default(),
            banned_viewers: Mutex::new(Vec::new()),
            config,
            clock,
            inboxes,
            drops: DashMap::default(),
            streams: DashMap::default(),
            over: RwLock::default(),
            generation: AtomicU64::new(1),
            fresh_takes: FreshTakes::default(),
            answered: Mutex::default(),
            counted_drops: Mutex::default(),
            awaiting: AtomicUsize::new(0),
            ends_under_way: DashMap::default(),
            poisoned: AtomicBool::new(false),
            ledger_busy: AtomicU64::new(0),
            suspensions: Arc::default(),
            followers: Followers::default(),
            attempts: AttemptQueue::default(),
            random,
        }
    }

    pub(crate) fn sale(&self, id: DropId) -> Option<Arc<SaleDrop>> {
        self.drops.get(&id).map(|found| Arc::clone(found.value()))
    }

    /// Every drop, oldest first.
    pub(crate) fn sales(&self) -> Vec<Arc<SaleDrop>> {
        let mut all: Vec<_> = self.drops.iter().map(|entry| Arc::clone(entry.value())).collect();
        all.sort_unstable_by_key(|sale| sale.id());
        all
    }

    /// The drops of a stream in running order.
    pub(crate) fn stream(&self, stream: &StreamId) -> Vec<Arc<SaleDrop>> {
        let drops = self.drops_of(stream).into_iter().filter_map(|drop| self.sale(drop));
        let mut drops: Vec<_> = drops.collect();
        drops.sort_by_key(|sale| sale.plan().running_order);
        drops
    }

    /// The drops of a stream, oldest first. Who comes is told of one stream, however many there are.
    pub(crate) fn drops_of(&self, stream: &StreamId) -> Vec<DropId> {
        self.streams.get(stream).map(|drops| drops.iter().copied().collect()).unwrap_or_default()
    }

    /// Adds a drop, or replaces one whose plan was edited.
    pub(crate) fn publish(&self, sale: Arc<SaleDrop>) {
        let (id, stream) = (sale.id(), sale.plan().stream.clone());
        self.drops.insert(id, sale);
        self.streams.entry(stream).or_default().insert(id);
        // ORDERING: Release pairs with the Acquire in `generation`: who sees the number finds the drop.
        self.generation.fetch_add(1, Ordering::Release);
        self.drop_changed(id);
    }

    /// A drop that has left memory.
    pub(crate) fn over(&self, id: DropId) -> Option<Arc<DropSummary>> {
        self.over.read().get(&id).cloned()
    }

    /// Why a drop that is not in memory sells nothing to a ticket of this stream and mode.
    pub(crate) fn why_gone(&self, id: DropId, stream: &StreamId, mode: Mode) -> Refusal {
        match self.over(id) {
            // Nobody could buy in one that was called off, and it may have been hidden.
            Some(over) if over.phase == Phase::Cancelled => Refusal::UnknownDrop,
            Some(over) if over.stream == *stream && over.mode == mode => Refusal::Closed,
            _ => Refusal::UnknownDrop,
        }
    }

    /// Drops that have left memory, oldest first.
    pub(crate) fn all_over(&self) -> Vec<Arc<DropSummary>> {
        self.over.read().values().cloned().collect()
    }

    /// Adds a drop that was over before the engine started.
    pub(crate) fn add_over(&self, summary: DropSummary) {
        self.over.write().insert(summary.id, Arc::new(summary));
    }

    /// Puts a summary in the place of a drop. Who reads the drop now keeps it until it lets go.
    pub(crate) fn retire(&self, summary: DropSummary) {
        let (id, stream) = (summary.id, summary.stream.clone());
        // The summary comes first: who looks for the drop, then for the summary, finds one of them.
        self.add_over(summary);
        self.drops.remove(&id);
        if let Some(mut drops) = self.streams.get_mut(&stream) {
            drops.remove(&id);
        }
        self.streams.remove_if(&stream, |_, drops| drops.is_empty());
        // ORDERING: Release pairs with the Acquire in `generation`, as in `publish`.
        self.generation.fetch_add(1, Ordering::Release);
        self.drop_changed(id);
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Tells every core and every follower to read the drop again.
    pub(crate) fn drop_changed(&self, id: DropId) {
        for inbox in &self.inboxes {
            inbox.send(CoreEvent::DropChanged(id));
        }
        self.tell_followers();
    }

    /// Something that staff are shown is different.
    pub(crate) fn tell_followers(&self) {
        self.followers.tell(self.generation());
    }

    /// Tells a viewer's cores what happened; `except` already knows.
    pub(crate) fn tell(&self, viewer: ViewerNumber, event: ViewerEvent, except: Option<usize>) {
        let Some(found) = self.directory.by_number(viewer) else { return };
        let mut cores: Vec<usize> = found.connections().iter().map(|c| c.core).collect();
        cores.sort_unstable();
        cores.dedup();
        for core in cores.into_iter().filter(|core| Some(*core) != except) {
            self.inboxes[core].send(CoreEvent::Viewer { viewer, event });
        }
    }

    /// One more replay waits for a take of another core.
    pub(crate) fn await_take(&self) {
        // ORDERING: AcqRel pairs with the swap in `wake_awaiting`. If the swap comes later, it sees
        // this waiter. If it came earlier, this read synchronizes with it, and the waiter's second
        // look finds the hold that was marked before the swap.
        self.awaiting.fetch_add(1, Ordering::AcqRel);
    }

    /// Called after a commit was applied: lets waiting replays look again.
    pub(crate) fn wake_awaiting(&self) {
        if self.awaiting.swap(0, Ordering::AcqRel) > 0 {
            for inbox in &self.inboxes {
                inbox.send(CoreEvent::Recheck);
            }
        }
    }

    /// Whether another program's lock keeps commits out: a take would wait for its end.
    pub(crate) fn is_ledger_busy(&self) -> bool {
        self.busy_since().is_some()
    }

    /// Since when that is so.
    pub(crate) fn busy_since(&self) -> Option<UnixMillis> {
        // ORDERING: Acquire pairs with the Release below: who sees that a wait is over sees deadlines
        // moved by it.
        match self.ledger_busy.load(Ordering::Acquire) {
            0 => None,
            millis => Some(UnixMillis::new(millis)),
        }
    }

    pub(crate) fn set_ledger_busy(&self, since: Option<UnixMillis>) {
        self.ledger_busy.store(since.map_or(0, |at| at.get().max(1)), Ordering::Release);
    }

    /// A sleep that was seen within the wait counts by itself: what is left of the wait begins later.
    pub(crate) fn move_busy_since(&self, span: DurationMs) {
        let moved = |since| (since != 0).then_some(since + span.get());
        // A wait that has ended stays ended.
        let _ended = self.ledger_busy.fetch_update(Ordering::AcqRel, Ordering::Acquire, moved);
    }

    /// A core has counted something in the drop: the steward has to know, which need not be at once.
    pub(crate) fn note_count(&self, sale: &SaleDrop) {
        if sale.must_tell_count() {
            self.counted_drops.lock().push(sale.id());
        }
    }

    /// The refusal to give when the server cannot decide now.
    pub(crate) fn busy(&self) -> Refusal {
        Refusal::Busy { retry_after: self.config.busy_retry_after }
    }

    /// Refuses a buy, which the drop's tally counts.
    pub(crate) fn refuse(
        &self,
        sale: &SaleDrop,
        core: usize,
        channel: ClickChannel,
        refusal: Refusal,
    ) -> Buy {
        sale.tally(core).count_refused(refusal.code(), channel);
        self.note_count(sale);
        Buy::Refused(refusal)
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    /// The ledger failed: from here on no take succeeds and no promise leaves.
    pub(crate) fn poison(&self) {
        if !self.poisoned.swap(true, Ordering::AcqRel) {
            for inbox in &self.inboxes {
                inbox.send(CoreEvent::Poisoned);
            }
        }
    }
}
