//! The ledger's writer, held back so that a test chooses what one commit holds and when it was.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use stampede_domain::{Incarnation, NodeId, UnixMillis};
use stampede_ledger::{
    Applier, DataDir, Entry, Producer, RingConfig, SqliteLedger, StoreError, Writer, WriterHandle,
};

/// The node that writes: the one that a server is if nobody gives it a name.
fn node() -> NodeId {
    "main".parse().expect("a node's id")
}

/// Stops the writer after each commit until the test lets it go on.
struct Gate {
    reached: SyncSender<bool>,
    go: Receiver<()>,
}

impl Applier<()> for Gate {
    fn applied(&mut self, entries: &mut Vec<Entry<()>>) {
        entries.clear();
        // A test that is over lets the writer run freely.
        let _ = self.reached.send(true);
        let _ = self.go.recv();
    }

    fn poisoned(&mut self, _why: &StoreError) {
        let _ = self.reached.send(false);
    }
}

/// A ledger that is written commit by commit, at times that a test chooses.
pub struct Rig {
    /// The start that it is; holds have it in their ids.
    pub incarnation: Incarnation,
    /// Time of the latest commit of the starts before.
    pub last_at: UnixMillis,
    ring: Producer<()>,
    writer: WriterHandle,
    now: Arc<AtomicU64>,
    reached: Receiver<bool>,
    go: Option<SyncSender<()>>,
    is_held: bool,
    _data: DataDir,
}

impl Rig {
    /// Opens the ledger of a data directory, or makes one.
    ///
    /// # Panics
    /// The ledger cannot be opened.
    pub fn open(path: &Path) -> Self {
        let data = DataDir::lock(path).expect("a directory that nobody holds");
        let ledger = SqliteLedger::open(&data, &node()).expect("a sound ledger");
        let (incarnation, last_at) = (ledger.chains.incarnation, ledger.chains.last_at);
        let (reached_tx, reached) = sync_channel(1);
        let (go, go_rx) = sync_channel(1);
        let now = Arc::new(AtomicU64::new(0));
        let clock = {
            let now = Arc::clone(&now);
            Arc::new(move || UnixMillis::new(now.load(Ordering::Relaxed)))
        };
        let rings = vec![RingConfig { entries_max: 1 << 16, wake: Arc::new(|| ()) }];
        let gate = Box::new(Gate { reached: reached_tx, go: go_rx });
        let (writer, mut rings) =
            Writer::spawn(ledger.store, ledger.chains, gate, clock, rings).expect("a thread");
        let ring = rings.pop().expect("one ring was asked for");
        let go = Some(go);
        Self { incarnation, last_at, ring, writer, now, reached, go, is_held: false, _data: data }
    }

    /// Writes the entries in one commit; `false` if the store refused it. The first commit of a
    /// start has one entry only, because the writer sleeps until then.
    ///
    /// # Panics
    /// The first commit has more, or the writer has gone.
    pub fn commit(&mut self, at: UnixMillis, entries: Vec<Entry<()>>) -> bool {
        assert!(self.is_held || entries.len() == 1, "the first commit has one entry");
        self.now.store(at.get(), Ordering::Relaxed);
        for entry in entries {
            self.ring.push(entry);
        }
        if self.is_held {
            let go = self.go.as_ref().expect("it is not closed");
            go.send(()).expect("the writer waits");
        }
        self.is_held = self.reached.recv().expect("the writer tells");
        self.is_held
    }

    /// Lets the writer finish what waits, orders included.
    ///
    /// # Panics
    /// The writer failed.
    pub fn close(mut self) {
        self.go = None;
        self.writer.shutdown().expect("the writer ends");
    }
}
