//! The one thread that makes records durable.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use stampede_domain::{RepeatedWarning, UnixMillis};

use crate::{
    Batch, Chains, Entry, Idle, Producer, RingConfig, Store, StoreError, Wake,
    metrics::{Meter, Stopwatch},
    ring::{Doorbell, QueuedEntry, RingState},
};

/// Time between two tries while another program holds the ledger's lock for writing.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// Tries at the end of a run: a stop does not wait for ever.
const BUSY_TRIES_AT_STOP_MAX: u32 = 30;

/// The server's time, as the journal shall show it.
pub type Now = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// What happens to entries on the writer thread once their commit is durable.
pub trait Applier<T>: Send {
    /// Applies one commit, in the order of its records, ring by ring. Called before the durable
    /// positions move. Entries left in the vector are dropped.
    fn applied(&mut self, entries: &mut Vec<Entry<T>>);

    /// Another program's lock keeps commits out since then. What waits is neither lost nor unknown;
    /// whoever adds to it makes it wait longer.
    fn busy(&mut self, _since: UnixMillis) {}

    /// The lock that kept commits out since then is free now. Called before what waited is applied.
    fn free(&mut self, _since: UnixMillis, _now: UnixMillis) {}

    /// The writer has stopped for good: the latest commit is unknown. Called once.
    fn poisoned(&mut self, why: &StoreError);
}

/// The writer thread's owner.
#[derive(Debug)]
pub struct WriterHandle {
    thread: Option<JoinHandle<Result<(), StoreError>>>,
    doorbell: Arc<Doorbell>,
    poisoned: Arc<AtomicBool>,
}

impl WriterHandle {
    /// Whether a commit failed. From then on no promise leaves.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    /// Writes what waits in the rings, finishes the store's work, ends the thread.
    ///
    /// # Errors
    /// The failure that poisoned the writer, now or earlier.
    pub fn shutdown(mut self) -> Result<(), StoreError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), StoreError> {
        self.doorbell.stop();
        match self.thread.take() {
            Some(thread) => thread.join().expect("a panic on the writer aborts the process"),
            None => Ok(()),
        }
    }
}

impl Drop for WriterHandle {
    fn drop(&mut self) {
        if let Err(error) = self.join() {
            tracing::error!(%error, "the ledger's writer had failed");
        }
    }
}

/// The writer thread's state.
pub struct Writer<T> {
    rings: Vec<Ring<T>>,
    store: Box<dyn Store>,
    applier: Box<dyn Applier<T>>,
    now: Now,
    chains: Chains,
    batch: Batch,
    entries: Vec<Entry<T>>,
    /// The core ring that is drained first next time, so that none starves behind a full one.
    first_core: usize,
    doorbell: Arc<Doorbell>,
    poisoned: Arc<AtomicBool>,
    meter: Meter,
    /// Another program holds the ledger's lock for writing.
    locked_out: RepeatedWarning,
}

struct Ring<T> {
    entries: rtrb::Consumer<QueuedEntry<T>>,
    state: Arc<RingState>,
    wake: Wake,
    /// Entries of this ring in the present batch.
    drained: u64,
}

/// What one turn of a writer came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum WriterTurn {
    /// There may be more to do.
    Worked,
    /// Nothing waits.
    Idle,
    /// It was told to stop, and everything is written.
    Stopped,
}

impl<T: Send + 'static> Writer<T> {
    /// A writer with the sending ends of its rings. Ring 0 is the steward's: it is drained before any
    /// other. Its owner has it work, turn by turn, until [`Writer::start`] gives it a thread.
    ///
    /// # Panics
    /// Without a ring.
    pub fn new(
        store: Box<dyn Store>,
        chains: Chains,
        applier: Box<dyn Applier<T>>,
        now: Now,
        rings: Vec<RingConfig>,
    ) -> (Self, Vec<Producer<T>>) {
        assert!(!rings.is_empty(), "a writer serves at least the steward");
        let doorbell = Arc::new(Doorbell::default());
        let (producers, rings) = rings.into_iter().map(|c| ring(c, &doorbell)).unzip();
        let writer = Self {
            rings,
            store,
            applier,
            now,
            batch: chains.batch(),
            chains,
            entries: Vec::new(),
            first_core: 1,
            doorbell,
            poisoned: Arc::default(),
            meter: Meter::new(),
            locked_out: RepeatedWarning::default(),
        };
        (writer, producers)
    }

    /// A writer that works on a thread of its own.
    ///
    /// # Errors
    /// The system has no thread to give.
    ///
    /// # Panics
    /// Without a ring.
    pub fn spawn(
        store: Box<dyn Store>,
        chains: Chains,
        applier: Box<dyn Applier<T>>,
        now: Now,
        rings: Vec<RingConfig>,
    ) -> io::Result<(WriterHandle, Vec<Producer<T>>)> {
        let (writer, producers) = Self::new(store, chains, applier, now, rings);
        Ok((writer.start()?, producers))
    }

    /// Gives it a thread of its own, on which it works from now on.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(self) -> io::Result<WriterHandle> {
        let (doorbell, poisoned) = (Arc::clone(&self.doorbell), Arc::clone(&self.poisoned));
        let thread = thread::Builder::new().name("ledger-writer".into()).spawn(move || {
            let _abort = AbortOnPanic;
            self.run()
        })?;
        Ok(WriterHandle { thread: Some(thread), doorbell, poisoned })
    }

    fn run(mut self) -> Result<(), StoreError> {
        self.doorbell.answer_here();
        let ended = self.work();
        self.end(ended.as_ref().err());
        ended
    }

    fn work(&mut self) -> Result<(), StoreError> {
        loop {
            match self.turn()? {
                WriterTurn::Worked => {}
                WriterTurn::Idle => {
                    let rings = &self.rings;
                    self.doorbell.sleep_unless(|| rings.iter().any(|r| !r.entries.is_empty()));
                }
                WriterTurn::Stopped => return Ok(()),
            }
        }
    }

    /// Commits what waits in the rings, or does a piece of the store's own work. Waits while another
    /// program's lock keeps it from beginning.
    ///
    /// # Errors
    /// The commit is unknown: an owner who works turn by turn calls [`Writer::end`] next.
    pub fn turn(&mut self) -> Result<WriterTurn, StoreError> {
        // Read before draining: whatever was pushed before the stop is then still seen.
        let must_stop = self.doorbell.must_stop();
        self.drain();
        if !self.entries.is_empty() {
            self.commit()?;
            return Ok(WriterTurn::Worked);
        }
        if must_stop {
            self.once_free(|store, _batch| store.close())?;
            return Ok(WriterTurn::Stopped);
        }
        Ok(match self.once_free(|store, _batch| store.idle())? {
            Idle::More => WriterTurn::Worked,
            Idle::Done => WriterTurn::Idle,
        })
    }

    /// Tells everybody that nothing more is written, and why if it failed.
    pub fn end(&mut self, failure: Option<&StoreError>) {
        if let Some(error) = failure {
            tracing::error!(%error, "a commit failed: the writer stops, restart to recover");
            self.poisoned.store(true, Ordering::Release);
            self.meter.poisoned();
        }
        self.rings.iter().for_each(|ring| ring.state.stop());
        if let Some(error) = failure {
            self.applier.poisoned(error);
        }
        self.rings.iter().for_each(|ring| (ring.wake)());
    }

    /// Does the store's work, again and again while another program's lock keeps it from beginning:
    /// nothing was written then, so the same batch may be tried.
    fn once_free<R>(
        &mut self,
        mut work: impl FnMut(&mut dyn Store, &Batch) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let since = (self.now)();
        let (mut is_busy, mut tries_at_stop) = (false, 0);
        loop {
            let done = work(&mut *self.store, &self.batch);
            let gives_up = tries_at_stop >= BUSY_TRIES_AT_STOP_MAX;
            if !matches!(done, Err(StoreError::Busy)) || gives_up {
                if is_busy && done.is_ok() {
                    self.meter.free();
                    self.applier.free(since, (self.now)());
                    if let Some(tries) = self.locked_out.over() {
                        tracing::info!(tries, "the ledger's lock is free again");
                    }
                }
                return done;
            }
            self.meter.busy();
            if !std::mem::replace(&mut is_busy, true) {
                self.applier.busy(since);
            }
            if let Some(tries) = self.locked_out.note((self.now)()) {
                let why = "another program holds the ledger's lock for writing: buys get busy";
                tracing::warn!(tries, "{why}; end that program");
            }
            tries_at_stop += u32::from(self.doorbell.must_stop());
            thread::park_timeout(BUSY_PAUSE);
        }
    }

    /// Moves entries into the batch: the steward's first, then the cores in turn.
    fn drain(&mut self) {
        self.batch.clear();
        self.rings[0].drain(&self.chains, &mut self.batch, &mut self.entries);
        let cores = self.rings.len() - 1;
        for turn in 0..cores {
            let ring = 1 + (self.first_core - 1 + turn) % cores;
            self.rings[ring].drain(&self.chains, &mut self.batch, &mut self.entries);
        }
        if cores > 0 {
            self.first_core = 1 + self.first_core % cores;
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let watch = Stopwatch::start();
        self.chains.finish(&mut self.batch, (self.now)());
        self.once_free(|store, batch| store.commit(batch))?;
        self.chains.advance(&self.batch);
        self.meter.committed(&self.batch, &watch);
        self.applier.applied(&mut self.entries);
        self.entries.clear();
        for ring in self.rings.iter_mut().filter(|ring| ring.drained > 0) {
            ring.state.publish(ring.drained);
            ring.drained = 0;
            (ring.wake)();
        }
        self.store.tend()
    }
}

impl<T> Ring<T> {
    /// Takes what fits, but never a part of what was handed over together, nor what stands apart from
    /// what was taken before.
    fn drain(&mut self, chains: &Chains, batch: &mut Batch, entries: &mut Vec<Entry<T>>) {
        let mut is_within = false;
        while (is_within || batch.has_room())
            && !(self.drained > 0 && self.entries.peek().is_ok_and(|next| next.is_apart))
            && let Ok(QueuedEntry { entry, goes_on, .. }) = self.entries.pop()
        {
            is_within = goes_on;
            batch.add(chains, entry.drop, &entry.record, entry.link.as_ref());
            entries.push(entry);
            self.drained += 1;
        }
    }
}

fn ring<T>(config: RingConfig, doorbell: &Arc<Doorbell>) -> (Producer<T>, Ring<T>) {
    let (producer, entries) = rtrb::RingBuffer::new(config.entries_max);
    let state = Arc::new(RingState::default());
    let producer = Producer::new(producer, Arc::clone(&state), Arc::clone(doorbell));
    (producer, Ring { entries, state, wake: config.wake, drained: 0 })
}

/// Ends the process when the writer panics: nobody else could tell what is durable.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!("the ledger's writer panicked: the process ends");
            std::process::abort();
        }
    }
}
