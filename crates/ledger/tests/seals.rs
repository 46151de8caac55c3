//! Seals: written in the commit that ends a chain, filled where they are missing, checked at the start.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{path::Path, sync::Arc};

use rusqlite::Connection;
use stampede_domain::{DropId, DropPlan, Mode, Phase, UnixMillis};
use stampede_ledger::{
    CorrectionRecord, DataDir, Journal, LEDGER_FILE, NoCopy, PhaseRecord, PlannedCopy, Record,
    RowHash, RowKey, Rows, Seal, SealSummary, SqliteJournal, SqliteLedger,
};
use support::{
    DROP, Rig, confirmed, entry, entry_in, expired, hold, lot, node, plan, pool, units, wait,
};

/// A drop that two starts have sold from until it settled: 100 units, an order, an expired hold.
fn settled(path: &Path) {
    let data = DataDir::lock(path).unwrap();
    let mut rig = Rig::start(SqliteLedger::open(&data, &node()).unwrap());
    rig.commit(vec![Record::Planned { plan: Arc::new(plan()), revision: 2 }]);
    rig.commit(vec![lot(100), Record::Phase(PhaseRecord::Opened)]);
    rig.take(1..2);
    rig.writer.shutdown().unwrap();
    let held = hold(rig.incarnation, 1);
    let mut rig = Rig::start(SqliteLedger::open(&data, &node()).unwrap());
    rig.take(2..3);
    let expires = expired(hold(rig.incarnation, 2));
    rig.commit(vec![confirmed(held), expires, Record::Phase(PhaseRecord::Closed)]);
    assert_eq!(seals(path), [], "the chain goes on");
    rig.core.push(entry(Record::Phase(PhaseRecord::Settled)));
    wait(|| rig.core.durable() == rig.core.pushed());
    rig.writer.shutdown().unwrap();
}

fn seals(path: &Path) -> Vec<Seal> {
    SqliteJournal::open(path).unwrap().seals().unwrap().unwrap()
}

fn raw(path: &Path) -> Connection {
    Connection::open(path.join(LEDGER_FILE)).unwrap()
}

fn open(path: &Path) -> Result<(), String> {
    let data = DataDir::lock(path).unwrap();
    SqliteLedger::open(&data, &node()).map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_seal_has_the_sums_of_its_chain() {
    let dir = tempfile::tempdir().unwrap();
    settled(dir.path());
    let journal = SqliteJournal::open(dir.path()).unwrap();
    let rows: Vec<_> = Rows::after(&journal, RowKey::default()).map(Result::unwrap).collect();
    let (first, last) = (rows.first().unwrap(), rows.last().unwrap());
    let found = seals(dir.path());
    let [seal] = found.as_slice() else { panic!("one drop has settled: {found:?}") };
    assert_eq!((seal.drop, seal.head), (DROP, last.hash));
    assert_eq!(seal.first, (first.incarnation, first.seq));
    assert_eq!(seal.last, (last.incarnation, last.seq));
    assert_eq!(seal.rows, u64::try_from(rows.len()).unwrap());
    assert_eq!(seal.records, rows.iter().map(|row| u64::from(row.records)).sum::<u64>());
    assert_eq!((seal.units_supplied, seal.units_sold, seal.orders), (100, 1, 1));
    assert_eq!((seal.amount_minor, seal.settled_at), (1990, last.header().unwrap().at));
    let summary = SealSummary::decode(&seal.summary).unwrap();
    assert_eq!((summary.phase, summary.revision), (Phase::Settled, 2));
    assert_eq!(&*summary.title, plan().title);
    assert_eq!(summary.encode(), seal.summary);
    for end in 0..seal.summary.len() {
        assert!(SealSummary::decode(&seal.summary[..end]).is_err(), "cut after {end} bytes");
    }
}

#[test]
fn a_seal_says_whether_the_drop_was_a_copy_for_a_rehearsal() {
    let sealed = |terms: DropPlan| {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::lock(dir.path()).unwrap();
        let mut rig = Rig::start(SqliteLedger::open(&data, &node()).unwrap());
        rig.commit(vec![
            Record::Planned { plan: Arc::new(terms), revision: 1 },
            Record::Phase(PhaseRecord::Cancelled),
        ]);
        rig.writer.shutdown().unwrap();
        let summary = SealSummary::decode(&seals(dir.path())[0].summary).unwrap();
        assert_eq!(summary.encode(), seals(dir.path())[0].summary);
        (summary.mode, summary.is_rehearsal_copy)
    };
    let copy = plan().rehearsed(DropId::new(7), UnixMillis::new(9_000));
    assert_eq!(sealed(plan()), (Mode::Live, false));
    assert_eq!(sealed(DropPlan { mode: Mode::Rehearsal, ..plan() }), (Mode::Rehearsal, false));
    assert_eq!(sealed(copy), (Mode::Rehearsal, true));
}

#[test]
fn a_seal_says_whether_viewers_had_heard_of_a_drop_that_was_called_off() {
    let sealed = |records: &[Record]| {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::lock(dir.path()).unwrap();
        let mut rig = Rig::start(SqliteLedger::open(&data, &node()).unwrap());
        rig.commit(records.iter().cloned().chain([PhaseRecord::Cancelled.into()]).collect());
        rig.writer.shutdown().unwrap();
        let summary = SealSummary::decode(&seals(dir.path())[0].summary).unwrap();
        assert_eq!(summary.encode(), seals(dir.path())[0].summary);
        assert_eq!(summary.phase, Phase::Cancelled);
        summary.was_hidden
    };
    let planned = |hidden, revision| Record::Planned {
        plan: Arc::new(DropPlan { hidden, ..plan() }),
        revision,
    };
    let counted = Record::Phase(PhaseRecord::Countdown { opens_at: UnixMillis::new(9_000) });
    let stopped = Record::Phase(PhaseRecord::CountdownCancelled);
    assert!(sealed(&[planned(true, 1)]));
    assert!(sealed(&[planned(true, 1), planned(true, 2)]));
    assert!(!sealed(&[planned(false, 1)]));
    assert!(!sealed(&[planned(true, 1), planned(false, 2), planned(true, 3)]), "shown meanwhile");
    assert!(!sealed(&[planned(true, 1), counted, stopped]));
}

#[test]
fn a_chain_is_read_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    settled(dir.path());
    let data = DataDir::lock(dir.path()).unwrap();
    let mut rig = Rig::start(SqliteLedger::open(&data, &node()).unwrap());
    let other = DropId::new(2);
    for record in [
        Record::Planned { plan: Arc::new(plan()), revision: 1 },
        Record::Phase(PhaseRecord::Opened),
    ] {
        rig.core.push(entry_in(other, record));
        wait(|| rig.core.durable() == rig.core.pushed());
    }
    rig.writer.shutdown().unwrap();
    let journal = SqliteJournal::open(dir.path()).unwrap();
    let all: Vec<_> = Rows::after(&journal, RowKey::default()).map(Result::unwrap).collect();
    for (drop, is_empty) in [(DROP, false), (other, false), (DropId::new(3), true)] {
        let chain: Vec<_> = Rows::of_drop(&journal, drop).unwrap().map(Result::unwrap).collect();
        let expected: Vec<_> = all.iter().filter(|row| row.drop == drop).cloned().collect();
        assert_eq!((&chain, chain.is_empty()), (&expected, is_empty), "{drop}");
    }
}

#[test]
fn a_start_fills_missing_seals_and_refuses_others() {
    let dir = tempfile::tempdir().unwrap();
    settled(dir.path());
    let written = seals(dir.path());
    raw(dir.path()).execute_batch("DELETE FROM seals").unwrap();
    open(dir.path()).unwrap();
    assert_eq!(seals(dir.path()), written);
    let zeros = RowHash::from_bytes([0; 32]);
    assert_ne!(written[0].head, zeros);
    for (change, wrong) in [
        ("head_hash = zeroblob(32)", "the head hash is not what the journal gives"),
        ("units_sold = 2", "the units sold is not what the journal gives"),
        ("summary = zeroblob(9)", "the summary is not what the journal gives"),
        ("drop_id = 7", "the first row is not what the journal gives"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        settled(dir.path());
        raw(dir.path()).execute_batch(&format!("UPDATE seals SET {change}")).unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(error.contains("seal of d") && error.contains(wrong), "{change}: {error}");
    }
}

#[test]
fn a_start_takes_a_seal_of_version_1_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    settled(dir.path());
    let summary = SealSummary::decode(&seals(dir.path())[0].summary).unwrap();
    assert!(summary.opened_at.is_some() && summary.currency.is_some());
    let old = summary.version_1();
    let write = |summary: &SealSummary| {
        let update = "UPDATE seals SET summary = ?1";
        raw(dir.path()).execute(update, [summary.encode()]).unwrap();
    };
    write(&old);
    open(dir.path()).unwrap();
    assert_eq!(seals(dir.path())[0].summary, old.encode(), "what it does not say is not made up");
    write(&SealSummary { title: "Cups".into(), ..old });
    assert!(open(dir.path()).unwrap_err().contains("the summary is not what the journal gives"));
}

#[test]
fn a_seal_counts_no_units_that_were_withdrawn() {
    for kept in [40, 0] {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::lock(dir.path()).unwrap();
        let mut rig = Rig::start(SqliteLedger::open(&data, &node()).unwrap());
        rig.commit(vec![Record::Planned { plan: Arc::new(plan()), revision: 1 }]);
        rig.commit(vec![lot(100), Record::Phase(PhaseRecord::Opened)]);
        let withdrawn = CorrectionRecord::Withdrawn { pool: pool(0), units: units(100 - kept) };
        rig.commit(vec![withdrawn.into(), Record::Phase(PhaseRecord::Closed)]);
        rig.core.push(entry(Record::Phase(PhaseRecord::Settled)));
        wait(|| rig.core.durable() == rig.core.pushed());
        rig.writer.shutdown().unwrap();
        drop(data);
        let found = seals(dir.path());
        assert_eq!((found[0].units_supplied, found[0].units_sold), (u64::from(kept), 0));
        let summary = SealSummary::decode(&found[0].summary).unwrap();
        assert_eq!(summary.skus[0].supplied, units(kept), "not what the plan says");
        // The start works it out again from the rows.
        raw(dir.path()).execute_batch("DELETE FROM seals").unwrap();
        open(dir.path()).unwrap();
        assert_eq!(seals(dir.path()), found);
    }
}

#[test]
fn a_drop_that_was_called_off_is_sealed_as_voided_with_what_was_on_sale() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::lock(dir.path()).unwrap();
    let mut rig = Rig::start(SqliteLedger::open(&data, &node()).unwrap());
    rig.commit(vec![Record::Planned { plan: Arc::new(plan()), revision: 1 }]);
    rig.commit(vec![lot(100), Record::Phase(PhaseRecord::Opened)]);
    let copy = PlannedCopy::None(NoCopy::StreamFull);
    rig.commit(vec![Record::Phase(PhaseRecord::UndoBegun { copy })]);
    assert!(seals(dir.path()).is_empty(), "its holds are still to end");
    rig.core.push(entry(Record::Phase(PhaseRecord::Voided)));
    wait(|| rig.core.durable() == rig.core.pushed());
    rig.writer.shutdown().unwrap();
    drop(data);
    let found = seals(dir.path());
    assert_eq!((found[0].units_supplied, found[0].units_sold), (100, 0));
    let summary = SealSummary::decode(&found[0].summary).unwrap();
    assert_eq!((summary.phase, summary.encode()), (Phase::Voided, found[0].summary.clone()));
    let mut unknown = found[0].summary.clone();
    unknown[1] = 4;
    assert!(SealSummary::decode(&unknown).is_err(), "no drop ends in a fifth way");
    // The start leaves the chain alone by it, and works it out again from the rows.
    open(dir.path()).unwrap();
    raw(dir.path()).execute_batch("DELETE FROM seals").unwrap();
    open(dir.path()).unwrap();
    assert_eq!(seals(dir.path()), found);
}
