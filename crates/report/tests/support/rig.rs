//! The ledger's writer, held back so that a test chooses what one commit holds.

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

pub fn node() -> NodeId {
    "n1".parse().unwrap()
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

pub struct Rig {
    pub incarnation: Incarnation,
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
    pub fn open(path: &Path) -> Self {
        let data = DataDir::lock(path).unwrap();
        let ledger = SqliteLedger::open(&data, &node()).unwrap();
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
            Writer::spawn(ledger.store, ledger.chains, gate, clock, rings).unwrap();
        let ring = rings.pop().unwrap();
        let go = Some(go);
        Self { incarnation, last_at, ring, writer, now, reached, go, is_held: false, _data: data }
    }

    /// Writes the entries in one commit; `false` if the store refused it. The first commit of a
    /// start has one entry only, because the writer sleeps until then.
    pub fn commit(&mut self, at: UnixMillis, entries: Vec<Entry<()>>) -> bool {
        assert!(self.is_held || entries.len() == 1, "the first commit has one entry");
        self.now.store(at.get(), Ordering::Relaxed);
        for entry in entries {
            self.ring.push(entry);
        }
        if self.is_held {
            self.go.as_ref().unwrap().send(()).unwrap();
        }
        self.is_held = self.reached.recv().unwrap();
        self.is_held
    }

    /// Lets the writer finish what waits, orders included.
    pub fn close(mut self) {
        self.go = None;
        self.writer.shutdown().unwrap();
    }
}
