//! A ledger in memory that fails on order, for the tests of dependants.
//!
//! It keeps what was committed, so that a test can restart from it as if the process had died, or read
//! it through the port that verifiers and reports read by.

mod tables;

use std::{collections::HashMap, sync::Arc};

use parking_lot::{Condvar, Mutex};
use stampede_domain::{DropId, Incarnation, NodeEpoch, NodeId, Seq};

use self::tables::Tables;
use crate::{
    Batch, ChainSums, Chains, Idle, Journal, OpenLedger, Row, RowHash, Store, StoreError, links,
    turn::Turn,
};

/// What goes wrong with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The commit fails, its rows are gone.
    Before,
    /// The commit fails, yet its rows are there after a restart.
    After,
    /// The commit hangs until [`FakeLedger::release`], then succeeds.
    Hang,
    /// Another program holds the lock until [`FakeLedger::release`]: no try before that begins.
    Busy,
}

/// A fault that was ordered.
#[derive(Debug, thiserror::Error)]
#[error("commit {seq} failed by order, {}", if *.durable { "after it was durable" } else { "before it was written" })]
struct OrderedFault {
    seq: Seq,
    /// Whether the rows are there after a restart.
    durable: bool,
}

impl From<OrderedFault> for StoreError {
    fn from(fault: OrderedFault) -> Self {
        Self::Backend { step: "commit", source: fault.into(), disk_full: false }
    }
}

/// The memory behind fake stores; clones share it.
#[derive(Clone, Debug)]
pub struct FakeLedger(Arc<FakeMemory>);

#[derive(Debug)]
struct FakeMemory {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    tables: Tables,
    /// Commits tried over all incarnations.
    tried: u64,
    faults: HashMap<u64, Fault>,
    hanging: bool,
    released: bool,
    copied_in: Option<Incarnation>,
}

impl FakeLedger {
    /// An empty ledger.
    pub fn new(node: NodeId) -> Self {
        let state = State {
            tables: Tables::new(node),
            tried: 0,
            faults: HashMap::new(),
            hanging: false,
            released: false,
            copied_in: None,
        };
        Self(Arc::new(FakeMemory { state: Mutex::new(state), changed: Condvar::new() }))
    }

    /// Orders a fault for one commit, counted from 1 over all incarnations.
    pub fn order(&self, commit: u64, fault: Fault) {
        self.0.state.lock().faults.insert(commit, fault);
    }

    /// Orders one failure for one of the next `within` commits, both chosen by a seed. Returns
    /// what was ordered.
    ///
    /// # Panics
    /// If `within` is zero.
    pub fn order_by_seed(&self, seed: u64, within: u64) -> (u64, Fault) {
        let bits = splitmix(seed);
        let commit = self.commits() + 1 + bits % within;
        let fault = if bits >> 63 == 0 { Fault::Before } else { Fault::After };
        self.order(commit, fault);
        (commit, fault)
    }

    /// Lets a hanging commit go on, and every later one that would hang.
    pub fn release(&self) {
        self.0.state.lock().released = true;
        self.0.changed.notify_all();
    }

    /// Waits until a commit hangs, or has found the lock held.
    pub fn wait_until_hanging(&self) {
        let mut state = self.0.state.lock();
        self.0.changed.wait_while(&mut state, |state| !state.hanging);
    }

    /// Commits tried so far.
    pub fn commits(&self) -> u64 {
        self.0.state.lock().tried
    }

    /// The rows that a restart would find.
    pub fn rows(&self) -> Vec<Row> {
        self.0.state.lock().tables.rows.clone()
    }

    /// The ledger as it stands now, for readers; what is committed later is not in it.
    pub fn journal(&self) -> impl Journal + Send + use<> {
        self.0.state.lock().tables.clone()
    }

    /// From the next start on the ledger is a copy of another.
    ///
    /// # Panics
    /// After 2^26 starts.
    pub fn copy(&self) {
        let mut state = self.0.state.lock();
        state.copied_in = state.tables.incarnation.next();
        assert!(state.copied_in.is_some(), "tests do not start that often");
    }

    /// Starts anew on what is durable; older stores are fenced.
    ///
    /// # Panics
    /// After 2^26 starts.
    pub fn open(&self) -> OpenLedger {
        let mut state = self.0.state.lock();
        let State { tables, copied_in, .. } = &mut *state;
        tables.begin().expect("tests do not start that often");
        let mut heads: HashMap<_, RowHash> = HashMap::new();
        heads.extend(tables.rows.iter().map(|row| (row.drop, row.hash)));
        let chains = Chains {
            node: tables.node.clone(),
            incarnation: tables.incarnation,
            epoch: NodeEpoch::default(),
            last_seq: Seq::default(),
            last_at: tables.last_at,
            heads,
            sums: sums(&tables.rows),
        };
        let mut links = links::Links::default();
        for row in &tables.links {
            links.append(links::decode(&row.pairs).expect("the writer encoded them"));
        }
        let history = Box::new(tables.rows.clone().into_iter().map(Ok));
        let store = FakeStore { ledger: self.clone(), incarnation: tables.incarnation };
        let (sealed, worked_until, copied_in) = (Vec::new(), None, *copied_in);
        let store = Box::new(store);
        OpenLedger { store, chains, links, history, sealed, worked_until, copied_in }
    }
}

/// Sums of the chains that go on.
fn sums(rows: &[Row]) -> HashMap<DropId, ChainSums> {
    let mut all: HashMap<DropId, ChainSums> = HashMap::new();
    for row in rows.iter().filter(|row| row.drop != DropId::HOUSE) {
        let commit = (row.incarnation, row.seq);
        let sums = all.entry(row.drop).or_insert_with(|| ChainSums::new(commit));
        sums.row(row.records);
        let mut turn = Turn::default();
        let at = row.header().map(|header| header.at).unwrap_or_default();
        for record in row.decode().flatten() {
            sums.record(&record, at);
            turn.take_in(&record);
        }
        if turn.has_ended() {
            all.remove(&row.drop);
        }
    }
    all
}

struct FakeStore {
    ledger: FakeLedger,
    incarnation: Incarnation,
}

impl Store for FakeStore {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let shared = &self.ledger.0;
        let mut state = shared.state.lock();
        let (node, incarnation, seq) = (batch.node().clone(), self.incarnation, batch.seq());
        let fenced = StoreError::Fenced { node, incarnation, seq };
        if state.tables.incarnation != self.incarnation {
            // A start that is over takes no fault that is meant for its successor.
            return Err(fenced);
        }
        state.tried += 1;
        let tried = state.tried;
        let fault = state.faults.remove(&tried);
        if fault == Some(Fault::Before) {
            return Err(OrderedFault { seq, durable: false }.into());
        }
        if fault == Some(Fault::Busy) && !state.released {
            state.faults.insert(tried + 1, Fault::Busy);
            state.hanging = true;
            shared.changed.notify_all();
            return Err(StoreError::Busy);
        }
        if fault == Some(Fault::Hang) {
            state.hanging = true;
            shared.changed.notify_all();
            shared.changed.wait_while(&mut state, |state| !state.released);
            state.hanging = false;
        }
        if state.tables.incarnation != self.incarnation {
            return Err(fenced);
        }
        state.tables.keep(batch);
        match fault {
            Some(Fault::After) => Err(OrderedFault { seq, durable: true }.into()),
            _ => Ok(()),
        }
    }

    fn tend(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn idle(&mut self) -> Result<Idle, StoreError> {
        Ok(Idle::Done)
    }

    fn close(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// One step of the splitmix64 generator: enough to spread a seed over its range.
const fn splitmix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
