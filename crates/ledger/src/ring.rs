//! A producer's end of a ring to the writer, with its durable position.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    },
    thread::{self, Thread},
};

use rtrb::chunks::ChunkError;
use stampede_domain::{DropId, limits::RECORD_BYTES_MAX};

use crate::{BrakeRecord, HoldRecord, Link, PhaseRecord, Record, StreamRecord, record::codec};

/// Called on the writer thread after positions moved, so that a producer looks again.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Entries that are staged at most; the next one takes all of them along. What has to become durable together is no
/// more than this.
pub const STAGED_MAX: usize = 512;
/// Bytes of the records that are staged at most; the one that would go beyond sends the others ahead.
pub(crate) const STAGED_BYTES_MAX: usize = 2 << 20;
/// Bytes that a record without parts of unbounded size has at most.
const COMMON_RECORD_BYTES_MAX: usize = 256;

const _: () = assert!(RECORD_BYTES_MAX <= STAGED_BYTES_MAX, "any record can be staged");

/// A record on its way to the writer.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// The drop that the record is about, or [`DropId::HOUSE`].
    pub drop: DropId,
    /// The fact.
    pub record: Record,
    /// What is personal about the record, where nothing durable tells it yet.
    pub link: Option<Link>,
    /// What the sender wants handed back after the commit.
    pub tag: T,
}

/// How many entries of one ring have been pushed, or have become durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    /// Entries counted from the ring's beginning.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One ring's shape.
pub struct RingConfig {
    /// Entries that wait at most; a full ring means busy.
    pub entries_max: usize,
    /// Called after the ring's durable position moved, or the writer stopped.
    pub wake: Wake,
}

/// What one producer and the writer share besides the ring itself.
#[derive(Debug, Default)]
pub(crate) struct RingState {
    durable: AtomicU64,
    stopped: AtomicBool,
}

impl RingState {
    pub(crate) fn publish(&self, count: u64) {
        // ORDERING: Release after the applier ran; pairs with Acquire in `Producer::durable`, so
        // whoever sees the position sees what the applier did.
        self.durable.fetch_add(count, Ordering::Release);
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }
}

/// An entry in the ring.
#[derive(Debug)]
pub(crate) struct QueuedEntry<T> {
    pub(crate) entry: Entry<T>,
    /// The next entry was handed over with this one: both stand in one commit.
    pub(crate) goes_on: bool,
    /// Whatever the ring held before it stands in an earlier commit.
    pub(crate) is_apart: bool,
}

/// The sending end of one ring. Records become durable in the order of their pushes; those that are
/// handed over together become durable together.
pub struct Producer<T> {
    ring: rtrb::Producer<QueuedEntry<T>>,
    /// Entries that the writer does not see yet.
    staged: Vec<QueuedEntry<T>>,
    /// Bytes of their records, generously counted.
    staged_bytes: usize,
    /// The next entry begins another commit.
    is_apart: bool,
    pushed: u64,
    state: Arc<RingState>,
    doorbell: Arc<Doorbell>,
}

impl<T> Producer<T> {
    pub(crate) fn new(
        ring: rtrb::Producer<QueuedEntry<T>>,
        state: Arc<RingState>,
        doorbell: Arc<Doorbell>,
    ) -> Self {
        Self {
            ring,
            staged: Vec::new(),
            staged_bytes: 0,
            is_apart: false,
            pushed: 0,
            state,
            doorbell,
        }
    }

    /// Entries that can be pushed now; none once the writer has stopped.
    pub fn room(&self) -> usize {
        if self.state.stopped.load(Ordering::Relaxed) {
            return 0;
        }
        self.ring.slots() - self.staged.len()
    }

    /// Hands an entry to the writer: its promise may leave once [`Producer::durable`] has reached
    /// the returned position.
    ///
    /// # Panics
    /// Without room, which the caller must own before stock moves; or if a rare record (a plan, a
    /// command, a tally, a recovery, a brake) breaks a limit of the format.
    pub fn push(&mut self, entry: Entry<T>) -> Position {
        let position = self.stage(entry);
        self.flush();
        position
    }

    /// Like [`Producer::push`], but the writer does not see the entry before [`Producer::flush`], so
    /// that a burst becomes one commit instead of many small ones, and a decision of several records
    /// becomes durable as a whole. The 513th entry, or one that would go beyond 2 MiB of records, hands
    /// over those before it.
    ///
    /// # Panics
    /// Like [`Producer::push`].
    pub fn stage(&mut self, entry: Entry<T>) -> Position {
        let bytes = if is_rare(&entry.record) {
            codec::len_if_readable(&entry.record)
                .unwrap_or_else(|| panic!("unreadable record: {:?}", entry.record))
        } else {
            COMMON_RECORD_BYTES_MAX
        };
        if self.staged.len() == STAGED_MAX || self.staged_bytes + bytes > STAGED_BYTES_MAX {
            self.flush();
        }
        assert!(self.ring.slots() > self.staged.len(), "the caller owns room before it pushes");
        if let Some(before) = self.staged.last_mut() {
            before.goes_on = true;
        }
        let is_apart = std::mem::take(&mut self.is_apart);
        self.staged.push(QueuedEntry { entry, goes_on: false, is_apart });
        self.staged_bytes += bytes;
        self.pushed += 1;
        Position(self.pushed)
    }

    /// Has the next entry stand in a later commit than everything pushed before: within one commit the
    /// records of several drops have no order.
    pub fn set_apart(&mut self) {
        self.flush();
        self.is_apart = true;
    }

    /// Hands the writer what was staged, all at once: it stands in one commit.
    pub fn flush(&mut self) {
        let count = self.staged.len();
        if count == 0 {
            return;
        }
        match self.ring.write_chunk_uninit(count) {
            Ok(chunk) => {
                let written = chunk.fill_from_iter(self.staged.drain(..));
                debug_assert_eq!(written, count, "the chunk has a place for each");
            }
            Err(ChunkError::TooFewSlots(_)) => panic!("room was owned for each of them"),
        }
        self.staged_bytes = 0;
        self.doorbell.ring();
    }

    /// Up to here everything pushed is durable and applied.
    pub fn durable(&self) -> Position {
        // ORDERING: Acquire; pairs with Release in `RingState::publish`.
        Position(self.state.durable.load(Ordering::Acquire))
    }

    /// The position of the latest entry.
    pub const fn pushed(&self) -> Position {
        Position(self.pushed)
    }

    /// Whether the writer has stopped, by shutdown or by a failed commit.
    pub fn is_stopped(&self) -> bool {
        self.state.stopped.load(Ordering::Acquire)
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Whether a record has parts of variable size; those come from one thread and seldom.
const fn is_rare(record: &Record) -> bool {
    match record {
        Record::Planned { .. }
        | Record::Command(_)
        | Record::Recovered(_)
        | Record::Tally(_)
        | Record::Room(_)
        | Record::Unmatched(_)
        | Record::Brake(
            BrakeRecord::Halted(_) | BrakeRecord::RatesSet(_) | BrakeRecord::Banned(_),
        ) => true,
        Record::Phase(
            PhaseRecord::Countdown { .. }
            | PhaseRecord::CountdownCancelled
            | PhaseRecord::Opened
            | PhaseRecord::Paused
            | PhaseRecord::Resumed
            | PhaseRecord::Closed
            | PhaseRecord::Settled
            | PhaseRecord::Cancelled
            | PhaseRecord::UndoBegun { .. }
            | PhaseRecord::Voided,
        )
        | Record::Lot { .. }
        | Record::Hold(
            HoldRecord::Taken { .. }
            | HoldRecord::Confirmed { .. }
            | HoldRecord::Released { .. }
            | HoldRecord::Expired { .. },
        )
        | Record::Stream(
            StreamRecord::Offline { .. } | StreamRecord::Online | StreamRecord::OfflineLapsed,
        )
        | Record::Suspended { .. }
        | Record::Featured
        | Record::Correction(_)
        | Record::Request(_)
        | Record::Payment(_)
        | Record::Deadline(_)
        | Record::Heartbeat(_)
        | Record::Brake(BrakeRecord::Lifted { .. }) => false,
    }
}

/// Wakes the writer, if it sleeps.
#[derive(Debug, Default)]
pub(crate) struct Doorbell {
    asleep: AtomicBool,
    stop: AtomicBool,
    writer: OnceLock<Thread>,
}

impl Doorbell {
    /// Names the thread to wake. Called by the writer itself before it first sleeps.
    pub(crate) fn answer_here(&self) {
        let answered = self.writer.set(thread::current());
        assert!(answered.is_ok(), "a doorbell has one writer");
    }

    pub(crate) fn ring(&self) {
        // ORDERING: the fence orders the push before the look at `asleep`; pairs with the fence in
        // `sleep_unless`. Either this side sees the writer asleep, or the writer sees the push.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed)
            && self.asleep.swap(false, Ordering::AcqRel)
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }

    /// Sleeps until the bell rings, unless `work_waits` after the intention is known.
    pub(crate) fn sleep_unless(&self, work_waits: impl FnOnce() -> bool) {
        self.asleep.store(true, Ordering::Relaxed);
        // ORDERING: see `ring`.
        fence(Ordering::SeqCst);
        if !work_waits() && !self.must_stop() {
            while self.asleep.load(Ordering::Acquire) {
                thread::park();
            }
        }
        self.asleep.store(false, Ordering::Relaxed);
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.ring();
    }

    pub(crate) fn must_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}
