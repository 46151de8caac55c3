//! The ledger in a file: restarts, the fence, locks, readers, a full disk.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Command, Stdio},
};

use rusqlite::Connection;
use stampede_domain::Incarnation;
use stampede_ledger::{
    CorrectionRecord, DataDir, Journal, OpenError, OpenLedger, Projection, RowKey, Rows,
    SqliteJournal, SqliteLedger, SqliteOptions, StoreError,
};
use support::{Rig, confirmed, entry, expired, hold, lot, node, pool, taken, units, wait};

fn open(path: &Path) -> Result<OpenLedger, OpenError> {
    SqliteLedger::open(&DataDir::lock(path).unwrap(), &node())
}

fn start(path: &Path) -> Rig {
    Rig::start(open(path).unwrap())
}

fn raw(path: &Path) -> Connection {
    Connection::open(path.join(stampede_ledger::LEDGER_FILE)).unwrap()
}

#[test]
fn a_restart_finds_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = start(dir.path());
    rig.commit(vec![lot(10)]);
    rig.take(1..4);
    let first = rig.incarnation;
    rig.commit(vec![confirmed(hold(first, 1)), expired(hold(first, 2))]);
    rig.writer.shutdown().unwrap();

    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.chains.incarnation.get(), 2);
    assert_eq!(opened.chains.last_at.get(), support::AT_MS + 5);
    assert_eq!(opened.links.viewers.len(), 3);
    let rows: Vec<_> = opened.history.collect::<Result<_, _>>().unwrap();
    let records: Vec<_> = rows.iter().flat_map(|row| row.decode().map(Result::unwrap)).collect();
    assert_eq!(records.len(), 6);
    assert_eq!(records[1], taken(hold(first, 1)));
    assert_eq!(opened.chains.heads[&support::DROP], rows.last().unwrap().hash);

    let reader = SqliteJournal::open(dir.path()).unwrap();
    let supply = reader.supply().unwrap();
    assert_eq!((supply[0].supplied, supply[0].taken), (10, 2));
    let orders = reader.orders(0, 100).unwrap();
    assert_eq!(orders.len(), 1);
    assert_eq!((orders[0].hold, orders[0].amount_minor), (hold(first, 1), 1990));
    let ended = reader.incarnations().unwrap();
    assert_eq!((ended[0].incarnation.get(), ended[0].last_seq), (1, rows.last().unwrap().seq));
}

#[test]
fn chains_go_on_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    for start_number in 0..4_u32 {
        let mut rig = start(dir.path());
        rig.commit(vec![lot(10)]);
        rig.take(start_number * 10 + 1..start_number * 10 + 5);
        rig.writer.shutdown().unwrap();
        // A start that writes nothing leaves no hole.
        drop(open(dir.path()).unwrap());
    }
    let rows: Vec<_> = open(dir.path()).unwrap().history.map(Result::unwrap).collect();
    assert!(rows.windows(2).all(|pair| pair[1].prev_hash == pair[0].hash));
    let incarnations: std::collections::BTreeSet<_> =
        rows.iter().map(|row| row.incarnation.get()).collect();
    assert_eq!(incarnations, [1, 3, 5, 7].into());
}

#[test]
fn another_programs_lock_delays_commits_and_is_no_failure_of_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = start(dir.path());
    rig.commit(vec![lot(10)]);
    let other = raw(dir.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    rig.core.push(entry(taken(hold(rig.incarnation, 1))));
    wait(|| rig.seen.is_busy());
    assert_eq!((rig.core.durable().get(), rig.writer.is_poisoned()), (1, false));
    other.execute_batch("ROLLBACK").unwrap();
    wait(|| rig.core.durable() == rig.core.pushed());
    assert!(!rig.seen.is_busy());
    // Until the end: a stop gives up on what waits, and the next start copies nothing all the same.
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    rig.core.push(entry(taken(hold(rig.incarnation, 2))));
    wait(|| rig.seen.is_busy());
    let given_up = rig.writer.shutdown();
    assert!(matches!(given_up, Err(StoreError::Busy)), "{given_up:?}");
    assert_eq!(fs::read(dir.path().join("ledger.health")).unwrap(), b"0");
    drop(other);
    let rows = open(dir.path()).unwrap().history.map(Result::unwrap);
    assert_eq!(rows.map(|row| row.records).sum::<u32>(), 2);
}

#[test]
fn a_fenced_node_cannot_promise() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = start(dir.path());
    rig.commit(vec![lot(10)]);
    for (change, back) in [
        ("UPDATE node SET incarnation = incarnation + 1", "UPDATE node SET incarnation = 1"),
        ("UPDATE node SET epoch = epoch + 1", ""),
    ] {
        raw(dir.path()).execute(change, []).unwrap();
        let seq = rig.core.pushed().get();
        rig.core.push(entry(lot(1)));
        wait(|| rig.core.is_stopped() && !rig.seen.poisoned().is_empty());
        assert_eq!(rig.core.durable().get(), seq);
        let expected = format!("node n1 incarnation {} is fenced", rig.incarnation);
        assert!(rig.seen.poisoned()[0].starts_with(&expected), "{:?}", rig.seen.poisoned());
        drop(rig);
        if back.is_empty() {
            return;
        }
        raw(dir.path()).execute(back, []).unwrap();
        rig = start(dir.path());
        rig.commit(vec![lot(1)]);
    }
}

#[test]
fn a_second_process_is_told_who_has_the_directory() {
    const CHILD: &str = "STAMPEDE_TEST_LOCK_DIR";
    if let Some(path) = std::env::var_os(CHILD) {
        println!("child: {}", DataDir::lock(Path::new(&path)).unwrap_err());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::lock(dir.path()).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_second_process_is_told_who_has_the_directory", "--nocapture"])
        .env(CHILD, dir.path())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8(child.stdout).unwrap();
    let expected = format!(
        "child: data directory {} is in use by process {}; stop it",
        dir.path().display(),
        std::process::id()
    );
    assert!(told.contains(&expected), "{told}");
    drop(data);
    assert!(DataDir::lock(dir.path()).is_ok());
}

#[test]
fn an_oversell_is_refused_by_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = start(dir.path());
    rig.commit(vec![lot(2)]);
    rig.take(1..3);
    let incarnation = rig.incarnation;
    rig.core.push(entry(taken(hold(incarnation, 3))));
    wait(|| !rig.seen.poisoned().is_empty());
    let expected = "would oversell d1 pool 0: supplied +0, taken +1";
    assert!(rig.seen.poisoned()[0].ends_with(expected), "{:?}", rig.seen.poisoned());
    drop(rig);
    let supply = SqliteJournal::open(dir.path()).unwrap().supply().unwrap();
    assert_eq!((supply[0].supplied, supply[0].taken), (2, 2));
}

#[test]
fn units_that_were_taken_are_not_withdrawn_by_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = start(dir.path());
    rig.commit(vec![lot(3)]);
    rig.take(1..3);
    let withdrawn = |count| CorrectionRecord::Withdrawn { pool: pool(0), units: units(count) };
    rig.commit(vec![withdrawn(1).into()]);
    rig.core.push(entry(withdrawn(1).into()));
    wait(|| !rig.seen.poisoned().is_empty());
    let expected = "would oversell d1 pool 0: supplied -1, taken +0";
    assert!(rig.seen.poisoned()[0].ends_with(expected), "{:?}", rig.seen.poisoned());
    drop(rig);
    let supply = SqliteJournal::open(dir.path()).unwrap().supply().unwrap();
    assert_eq!((supply[0].supplied, supply[0].taken), (2, 2));
}

#[test]
fn a_full_disk_stops_the_promises_and_loses_none() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { pages_max: Some(60), ..SqliteOptions::default() };
    let data = DataDir::lock(dir.path()).unwrap();
    let mut rig = Rig::start(SqliteLedger::open_with(&data, &node(), &options).unwrap());
    rig.commit(vec![lot(1_000_000)]);
    let incarnation = rig.incarnation;
    let mut number = 0;
    while !rig.core.is_stopped() {
        number += 1;
        rig.core.push(entry(taken(hold(incarnation, number))));
        wait(|| rig.core.durable() == rig.core.pushed() || rig.core.is_stopped());
    }
    wait(|| !rig.seen.poisoned().is_empty());
    assert!(rig.seen.poisoned()[0].starts_with("disk full at "), "{:?}", rig.seen.poisoned());
    let promised = usize::try_from(rig.core.durable().get()).unwrap();
    assert!(promised > 10);
    drop((rig, data));
    let opened = open(dir.path()).unwrap();
    let found: usize = opened.history.map(|row| row.unwrap().decode().count()).sum();
    assert_eq!(found, promised);
}

#[test]
fn readers_see_whole_commits_and_stop_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { wal_bytes_max: 64 << 10, ..SqliteOptions::default() };
    let data = DataDir::lock(dir.path()).unwrap();
    let mut rig = Rig::start(SqliteLedger::open_with(&data, &node(), &options).unwrap());
    rig.commit(vec![lot(1_000_000)]);
    let reader = SqliteJournal::open(dir.path()).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let before = reader.supply().unwrap();
    for round in 0..40_u32 {
        rig.take(round * 50 + 1..round * 50 + 51);
        let other = SqliteJournal::open(dir.path()).unwrap();
        let _state = other.snapshot().unwrap();
        let rows = Rows::after(&other, RowKey::default());
        let taken: usize = rows.map(|row| row.unwrap().decode().count()).sum();
        assert_eq!(u64::try_from(taken - 1).unwrap(), other.supply().unwrap()[0].taken);
    }
    assert_eq!(reader.supply().unwrap(), before, "a snapshot stands still");
    drop(snapshot);
    rig.writer.shutdown().unwrap();
    assert_eq!(reader.supply().unwrap()[0].taken, 2_000);
}

#[test]
fn orders_become_complete_without_further_sales() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = start(dir.path());
    rig.commit(vec![lot(3_000)]);
    rig.take(1..2_001);
    let first = rig.incarnation;
    rig.commit((1..2_001).map(|number| confirmed(hold(first, number))).collect());
    let reader = SqliteJournal::open(dir.path()).unwrap();
    // No record follows, so only the writer's quiet moments can fill the table.
    for _ in 0..1_000 {
        if reader.orders(0, 5_000).unwrap().len() == 2_000 {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    let orders = reader.orders(0, 5_000).unwrap();
    assert_eq!(orders.len(), 2_000);
    assert!(orders.windows(2).all(|pair| pair[0].place < pair[1].place));
    let end = Rows::after(&reader, RowKey::default()).map(Result::unwrap).last().unwrap();
    assert_eq!(reader.mark(Projection::Orders).unwrap().row, RowKey::of(&end));
    rig.writer.shutdown().unwrap();
    drop(reader);

    // As if the process had died before any of it was projected.
    let connection = raw(dir.path());
    connection.execute("DELETE FROM orders WHERE place > 700", []).unwrap();
    let behind: RowKey = {
        let last = &orders[699];
        RowKey { incarnation: last.incarnation.get(), seq: last.seq.get(), drop: last.drop.get() }
    };
    let record: u32 = SqliteJournal::open(dir.path())
        .unwrap()
        .into_rows(RowKey::default())
        .map(Result::unwrap)
        .find(|row| RowKey::of(row) == behind)
        .and_then(|row| {
            let wanted = confirmed(orders[699].hold);
            row.decode().position(|record| record == Ok(wanted.clone()))
        })
        .map(|place| u32::try_from(place).unwrap())
        .unwrap();
    connection
        .execute(
            "UPDATE projection SET incarnation = ?1, seq = ?2, drop_id = ?3, record = ?4",
            (behind.incarnation, i64::try_from(behind.seq).unwrap(), behind.drop, record),
        )
        .unwrap();
    drop(connection);
    drop(open(dir.path()).unwrap());
    let reader = SqliteJournal::open(dir.path()).unwrap();
    let holds = |orders: Vec<stampede_ledger::OrderRow>| -> Vec<_> {
        orders.into_iter().map(|order| order.hold).collect()
    };
    assert_eq!(holds(reader.orders(0, 5_000).unwrap()), holds(orders));
}

#[test]
fn after_a_disk_failure_the_ledger_moves_to_new_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = start(dir.path());
    rig.commit(vec![lot(10)]);
    rig.take(1..5);
    rig.writer.shutdown().unwrap();
    let ledger = dir.path().join(stampede_ledger::LEDGER_FILE);
    let inode = || fs::metadata(&ledger).unwrap().ino();
    let before = inode();
    fs::write(dir.path().join("ledger.health"), "1").unwrap();
    let records = |opened: OpenLedger| -> usize {
        opened.history.map(|row| row.unwrap().decode().count()).sum()
    };
    assert_eq!(records(open(dir.path()).unwrap()), 5);
    assert_ne!(inode(), before);
    assert_eq!(fs::read(dir.path().join("ledger.health")).unwrap(), b"0");
    // The copy is an ordinary ledger, and is not made twice.
    let after = inode();
    let mut rig = start(dir.path());
    rig.take(6..8);
    rig.writer.shutdown().unwrap();
    assert_eq!(inode(), after);
    // A start that died between the copy and the swap is finished by the next one.
    let names = ["ledger.db", "ledger.rescue"].map(|name| dir.path().join(name));
    fs::rename(&names[0], &names[1]).unwrap();
    assert_eq!(records(open(dir.path()).unwrap()), 7);
    assert!(!names[1].exists());
}

#[test]
fn other_files_and_other_nodes_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let data = DataDir::lock(dir.path()).unwrap();
    let error = SqliteLedger::open(&data, &"n2".parse().unwrap()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the ledger is node n1's, this is node n2; configure the name n1"
    );
    raw(dir.path()).execute_batch("PRAGMA user_version = 9").unwrap();
    let error = SqliteLedger::open(&data, &node()).err().unwrap().to_string();
    assert_eq!(
        error,
        "the ledger is of the newer version 9; this program knows up to 2: use a newer program"
    );
    raw(dir.path()).execute_batch("PRAGMA application_id = 7").unwrap();
    let error = SqliteLedger::open(&data, &node()).err().unwrap().to_string();
    assert_eq!(error, "not a ledger of version 1 to 2: application 0x7, version 9");
    let empty = tempfile::tempdir().unwrap();
    let error = SqliteJournal::open(empty.path()).unwrap_err().to_string();
    assert_eq!(error, format!("no ledger in {}", empty.path().display()));
}

#[test]
fn incarnations_end() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let last = Incarnation::MAX.get();
    raw(dir.path()).execute("UPDATE node SET incarnation = ?1", [last]).unwrap();
    let error = open(dir.path()).err().unwrap().to_string();
    assert_eq!(error, "no incarnation follows 67108863");
}

#[test]
fn a_copy_is_known_by_any_start_and_the_original_never_is_one() {
    let (dir, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let copied_in = |path: &Path| open(path).unwrap().copied_in.map(Incarnation::get);
    for _ in 0..3 {
        assert_eq!(copied_in(dir.path()), None);
    }
    let (vacuumed, plain) = (copies.path().join("vacuumed"), copies.path().join("plain"));
    for path in [&vacuumed, &plain] {
        fs::create_dir(path).unwrap();
    }
    let target = vacuumed.join(stampede_ledger::LEDGER_FILE);
    raw(dir.path()).execute("VACUUM INTO ?1", [target.to_str().unwrap()]).unwrap();
    for file in fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), plain.join(file.file_name())).unwrap();
    }
    for path in [&vacuumed, &plain] {
        assert_eq!(copied_in(path), Some(4));
        assert_eq!(copied_in(path), Some(4), "until staff have looked, and after");
    }
    assert_eq!(copied_in(dir.path()), None);
    // What the server itself copies after a disk failure is no copy.
    fs::write(dir.path().join("ledger.health"), "1").unwrap();
    let inode = |path: &Path| fs::metadata(path.join(stampede_ledger::LEDGER_FILE)).unwrap().ino();
    let before = inode(dir.path());
    assert_eq!(copied_in(dir.path()), None);
    assert_ne!(inode(dir.path()), before, "it stands in a new file");
    // Ledgers from before there were marks are where they are.
    raw(dir.path()).execute("UPDATE node SET home = NULL", []).unwrap();
    assert_eq!(copied_in(dir.path()), None);
}
