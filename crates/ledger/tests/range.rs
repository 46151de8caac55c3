//! A start leaves the rows of drops alone that are over.
//!
//! The tests say which damage it still finds, and which only the reader of the whole journal finds.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{path::Path, sync::Arc};

use rusqlite::Connection;
use stampede_domain::{DropId, DurationMs};
use stampede_ledger::{
    DataDir, Journal, LEDGER_FILE, OpenLedger, PhaseRecord, Record, Review, Row, SqliteJournal,
    SqliteLedger, SqliteOptions,
};
use support::{DROP, Rig, confirmed, entry_in, hold, lot, node, plan, wait};

const OTHER: DropId = DropId::new(2);
const LATEST: DropId = DropId::new(3);

/// Nothing is kept for its viewers: all rows of these ledgers have the same time.
fn open(path: &Path) -> Result<OpenLedger, String> {
    let data = DataDir::lock(path).unwrap();
    let options = SqliteOptions { settled_kept: DurationMs::ZERO, ..SqliteOptions::default() };
    SqliteLedger::open_with(&data, &node(), &options).map_err(|error| error.to_string())
}

fn push(rig: &mut Rig, drop: DropId, record: Record) {
    rig.core.push(entry_in(drop, record));
    wait(|| rig.core.durable() == rig.core.pushed());
}

fn planned() -> Record {
    Record::Planned { plan: Arc::new(plan()), revision: 1 }
}

/// The first drop settled with an order, the second cancelled, the third open; by two starts.
fn ledger(path: &Path) {
    let mut rig = Rig::start(open(path).unwrap());
    push(&mut rig, DROP, planned());
    push(&mut rig, DROP, lot(100));
    rig.take(1..2);
    let order = confirmed(hold(rig.incarnation, 1));
    for record in [order, Record::Phase(PhaseRecord::Closed), Record::Phase(PhaseRecord::Settled)] {
        push(&mut rig, DROP, record);
    }
    push(&mut rig, OTHER, planned());
    push(&mut rig, OTHER, Record::Phase(PhaseRecord::Cancelled));
    rig.writer.shutdown().unwrap();
    let mut rig = Rig::start(open(path).unwrap());
    for record in [planned(), lot(10)] {
        push(&mut rig, LATEST, record);
    }
    rig.writer.shutdown().unwrap();
}

fn raw(path: &Path) -> Connection {
    Connection::open(path.join(LEDGER_FILE)).unwrap()
}

fn rows(opened: OpenLedger) -> Vec<Row> {
    opened.history.map(Result::unwrap).collect()
}

/// Everything that the reader of the whole journal finds wrong.
fn reviewed(path: &Path) -> Vec<String> {
    let mut review = Review::new(Box::new(SqliteJournal::open(path).unwrap()));
    let mut faults = Vec::new();
    loop {
        let done = review.step().unwrap();
        faults.extend(done.faults.iter().map(ToString::to_string));
        if done.round_ended {
            return faults;
        }
    }
}

/// What a start says after a change to the file, and what the reader of the whole journal does.
fn after(change: &str) -> (Result<(), String>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let connection = raw(dir.path());
    assert_ne!(connection.execute(change, []).unwrap(), 0, "{change} changes something");
    drop(connection);
    let opened = open(dir.path()).map(|_opened| ());
    (opened, reviewed(dir.path()))
}

#[test]
fn a_start_reads_no_rows_of_drops_that_are_over() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let opened = open(dir.path()).unwrap();
    let sealed: Vec<_> = opened.sealed.iter().map(|sealed| sealed.seal.drop).collect();
    assert_eq!(sealed, [DROP, OTHER]);
    assert_eq!(opened.chains.sums.len(), 1);
    let read = rows(opened);
    assert!(!read.is_empty() && read.iter().all(|row| row.drop == LATEST), "{read:?}");
    assert_eq!(reviewed(dir.path()), Vec::<String>::new());
    // Where its viewers may still look at their orders, a drop is read.
    let data = DataDir::lock(dir.path()).unwrap();
    let opened = SqliteLedger::open(&data, &node()).unwrap();
    assert_eq!(opened.sealed, []);
    assert!(rows(opened).iter().any(|row| row.drop == DROP));
}

#[test]
fn damage_before_the_oldest_drop_is_found_while_the_server_runs() {
    let of_seq_3 = "WHERE incarnation = 1 AND seq = 3";
    for (change, wrong) in [
        (
            format!("UPDATE journal SET body = CAST(body || x'04' AS BLOB) {of_seq_3}"),
            "d1 incarnation 1 seq 3: ",
        ),
        (format!("UPDATE journal SET node = 'n2' {of_seq_3}"), "written by node n2"),
        (format!("DELETE FROM journal {of_seq_3}"), "incarnation 1 seq 3 must follow"),
        ("UPDATE seals SET orders = 7 WHERE drop_id = 1".into(), "seal of d1: the orders is not"),
        ("UPDATE seals SET rows = 7 WHERE drop_id = 2".into(), "seal of d2: the rows is not"),
    ] {
        let (started, found) = after(&change);
        assert_eq!(started, Ok(()), "{change}");
        assert!(found.len() == 1 && found[0].contains(wrong), "{change}: {found:?}");
    }
}

#[test]
fn a_start_finds_what_is_wrong_with_the_rest() {
    let last =
        "incarnation = 1 AND drop_id = 1 AND seq = (SELECT seq FROM seals WHERE drop_id = 1)";
    let latest = "(SELECT max(seq) FROM journal WHERE incarnation = 2)";
    let made_up = format!(
        "INSERT INTO seals SELECT 3, 2, 1, 2, {latest}, 2, 2,
         (SELECT hash FROM journal WHERE incarnation = 2 AND seq = {latest}),
         10, 0, 0, 0, settled_at_ms, summary FROM seals WHERE drop_id = 1"
    );
    let of_no_start =
        "INSERT INTO journal SELECT 9, 1, drop_id, node, records, prev_hash, hash, body
                       FROM journal WHERE drop_id = 1 LIMIT 1";
    for (change, wrong) in [
        (
            format!("UPDATE journal SET body = CAST(body || x'04' AS BLOB) WHERE {last}"),
            "d1 incarnation 1 seq",
        ),
        (format!("DELETE FROM journal WHERE {last}"), "seal of d1: the last row"),
        ("UPDATE seals SET head_hash = zeroblob(32)".into(), "seal of d1: the head hash"),
        ("UPDATE seals SET settled_at_ms = 5".into(), "seal of d1: the time"),
        ("UPDATE seals SET summary = zeroblob(3)".into(), "seal of d1: the summary"),
        ("UPDATE supply SET taken = 0 WHERE drop_id = 1".into(), "the units sold are 0"),
        ("UPDATE supply SET supplied = 9 WHERE drop_id = 3".into(), "supply of d3 pool 0 is 9"),
        (made_up, "seal of d3: the last row"),
        (of_no_start.into(), "d1 incarnation 9 seq 1: the incarnation has never been started"),
        ("UPDATE journal SET body = x'01' WHERE drop_id = 3".into(), "journal row d3"),
        (format!("DELETE FROM journal WHERE incarnation = 2 AND seq < {latest}"), "must follow"),
    ] {
        let (started, _) = after(&change);
        let error = started.unwrap_err();
        assert!(
            error.contains("the ledger is damaged") && error.contains(wrong),
            "{change}: {error}"
        );
    }
}

#[test]
fn a_process_that_dies_around_settlement_leaves_a_sound_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(open(dir.path()).unwrap());
    push(&mut rig, DROP, planned());
    push(&mut rig, OTHER, planned());
    push(&mut rig, DROP, lot(100));
    rig.take(1..2);
    let order = confirmed(hold(rig.incarnation, 1));
    for (record, is_over) in [
        (order, false),
        (Record::Phase(PhaseRecord::Closed), false),
        (Record::Phase(PhaseRecord::Settled), true),
    ] {
        push(&mut rig, DROP, record);
        // What a start finds that comes now: the files as they are.
        let found = tempfile::tempdir().unwrap();
        for file in [LEDGER_FILE.to_owned(), format!("{LEDGER_FILE}-wal")] {
            std::fs::copy(dir.path().join(&file), found.path().join(&file)).unwrap();
        }
        let sealed = |opened: OpenLedger| {
            let is_ended = opened.chains.sums.len() == 1;
            let orders = SqliteJournal::open(found.path()).unwrap().orders(0, 9).unwrap().len();
            (opened.sealed.len(), is_ended, orders)
        };
        assert_eq!(reviewed(found.path()), Vec::<String>::new());
        for _start in 0..2 {
            let expected = (usize::from(is_over), is_over, 1);
            assert_eq!(sealed(open(found.path()).unwrap()), expected);
        }
    }
    rig.writer.shutdown().unwrap();
}

#[test]
fn a_command_may_stand_behind_what_it_has_done() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(open(dir.path()).unwrap());
    for record in [planned(), Record::Phase(PhaseRecord::Cancelled), Record::Tally(Box::default())]
    {
        push(&mut rig, DROP, record);
    }
    rig.writer.shutdown().unwrap();
    raw(dir.path()).execute("DELETE FROM seals", []).unwrap();
    // As the first start of this program does with a ledger of an older one.
    assert_eq!(open(dir.path()).unwrap().sealed, []);
    assert_eq!(open(dir.path()).unwrap().sealed.len(), 1);
    assert_eq!(reviewed(dir.path()), Vec::<String>::new());
}

#[test]
fn a_seal_that_is_missing_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let seals = || SqliteJournal::open(dir.path()).unwrap().seals().unwrap().unwrap();
    let written = seals();
    raw(dir.path()).execute("DELETE FROM seals WHERE drop_id = 1", []).unwrap();
    assert_eq!(reviewed(dir.path()), ["d1 is over and has no seal"]);
    let opened = open(dir.path()).unwrap();
    assert!(rows(opened).iter().any(|row| row.drop == DROP));
    assert_eq!(seals(), written);
}

#[test]
fn orders_that_are_behind_are_put_in_from_sealed_drops_too() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let orders = || SqliteJournal::open(dir.path()).unwrap().orders(0, 9).unwrap();
    let written = orders();
    assert_eq!(written.len(), 1);
    let back = "DELETE FROM orders; UPDATE projection SET incarnation = 0, seq = 0, drop_id = 0,
                record = 0 WHERE name = 'orders';";
    raw(dir.path()).execute_batch(back).unwrap();
    open(dir.path()).unwrap();
    assert_eq!(orders(), written);
}

#[test]
fn links_are_read_from_the_oldest_drop_on() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let links = || open(dir.path()).unwrap().links.viewers.len();
    assert_eq!(links(), 0, "the one link is of the settled drop");
    // In a ledger from before the rule a link may stand in any commit.
    raw(dir.path()).execute("DELETE FROM projection WHERE name = 'links'", []).unwrap();
    assert_eq!(links(), 1);
    assert_eq!(links(), 1, "the open drop is older than the rule");
    let mut rig = Rig::start(open(dir.path()).unwrap());
    push(&mut rig, LATEST, Record::Phase(PhaseRecord::Cancelled));
    // The range begins with the last of the drops that all have seals, so one more has to be over.
    push(&mut rig, DropId::new(4), planned());
    push(&mut rig, DropId::new(4), Record::Phase(PhaseRecord::Cancelled));
    rig.writer.shutdown().unwrap();
    assert_eq!(links(), 0);
}

#[test]
fn links_are_read_from_all_commits_after_a_start_from_before_the_rule() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let links = || open(dir.path()).unwrap().links.viewers.len();
    assert_eq!(links(), 0, "the one link is of the settled drop");
    // As such a program leaves it: it raises the incarnation, and knows nothing of the marks.
    raw(dir.path())
        .execute_batch(
            "INSERT INTO incarnations SELECT incarnation, node, last_seq FROM node;
             UPDATE node SET incarnation = incarnation + 1, last_seq = 0;",
        )
        .unwrap();
    assert_eq!(links(), 1, "it may have left out links that stand in earlier commits");
    assert_eq!(links(), 1, "its drops may still need them");
    // The marks of a program that knew the rule but not the second mark.
    raw(dir.path())
        .execute("UPDATE projection SET incarnation = 1 WHERE name = 'links'", [])
        .unwrap();
    assert_eq!(links(), 0);
    raw(dir.path()).execute("DELETE FROM projection WHERE name = 'links until'", []).unwrap();
    assert_eq!(links(), 1, "nobody can say what came after it");
}
