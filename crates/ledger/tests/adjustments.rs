//! What comes after a drop's chain has ended stands in a chain of adjustments that begins at its last hash.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{path::Path, sync::Arc};

use rusqlite::Connection;
use stampede_domain::{DropId, DurationMs, Incarnation, PaymentId};
use stampede_ledger::{
    DataDir, LEDGER_FILE, OpenLedger, PaymentChange, PaymentRecord, PhaseRecord, Record, Review,
    Row, SqliteJournal, SqliteLedger, SqliteOptions,
};
use support::{DROP, Rig, confirmed, entry_in, hold, lot, money, node, plan, wait};

const LATEST: DropId = DropId::new(2);

fn open(path: &Path) -> Result<OpenLedger, String> {
    let data = DataDir::lock(path).unwrap();
    let options = SqliteOptions { settled_kept: DurationMs::ZERO, ..SqliteOptions::default() };
    SqliteLedger::open_with(&data, &node(), &options).map_err(|error| error.to_string())
}

fn push(rig: &mut Rig, chain: DropId, record: Record) {
    rig.core.push(entry_in(chain, record));
    wait(|| rig.core.durable() == rig.core.pushed());
}

fn refunded(total: u64) -> Record {
    let payment = PaymentId::new("platform", "pay-1").unwrap();
    let change = PaymentChange::Refunded { payment, total: money(total) };
    PaymentRecord { hold: hold(Incarnation::new(1).unwrap(), 1), change }.into()
}

/// A drop that settled with an order and had a refund in each of two starts, one that goes on, a refund after a
/// third start.
fn ledger(path: &Path) {
    let mut rig = Rig::start(open(path).unwrap());
    push(&mut rig, DROP, Record::Planned { plan: Arc::new(plan()), revision: 1 });
    push(&mut rig, DROP, lot(100));
    rig.take(1..2);
    let order = confirmed(hold(rig.incarnation, 1));
    for record in [order, Record::Phase(PhaseRecord::Closed), Record::Phase(PhaseRecord::Settled)] {
        push(&mut rig, DROP, record);
    }
    push(&mut rig, DROP.adjustments(), refunded(100));
    rig.writer.shutdown().unwrap();
    for total in [200, 300] {
        let mut rig = Rig::start(open(path).unwrap());
        if total == 200 {
            push(&mut rig, LATEST, Record::Planned { plan: Arc::new(plan()), revision: 1 });
        }
        push(&mut rig, DROP.adjustments(), refunded(total));
        rig.writer.shutdown().unwrap();
    }
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

#[test]
fn a_start_reads_adjustments_and_leaves_their_drop_alone() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.sealed.iter().map(|over| over.seal.drop).collect::<Vec<_>>(), [DROP]);
    let closing = opened.sealed[0].seal.head;
    let read = rows(opened);
    let adjusted: Vec<_> = read.iter().filter(|row| row.drop == DROP.adjustments()).collect();
    assert_eq!(adjusted.len(), 3);
    assert!(read.iter().all(|row| row.drop != DROP));
    assert_eq!(adjusted[0].prev_hash, closing, "they begin where their drop has ended");
    assert!(adjusted.windows(2).all(|pair| pair[1].prev_hash == pair[0].hash));
    assert_eq!(reviewed(dir.path()), Vec::<String>::new());
    // A drop that is read anew has its adjustments behind it.
    let data = DataDir::lock(dir.path()).unwrap();
    let read = rows(SqliteLedger::open(&data, &node()).unwrap());
    let own = read.iter().position(|row| row.drop == DROP).unwrap();
    let first = read.iter().position(|row| row.drop.is_adjustments()).unwrap();
    assert!(own < first);
}

#[test]
fn a_drop_ends_and_is_adjusted_in_one_commit() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(open(dir.path()).unwrap());
    for record in [
        Record::Planned { plan: Arc::new(plan()), revision: 1 },
        Record::Phase(PhaseRecord::Cancelled),
    ] {
        rig.core.stage(entry_in(DROP, record));
    }
    rig.core.stage(entry_in(DROP.adjustments(), refunded(100)));
    rig.core.flush();
    wait(|| rig.core.durable() == rig.core.pushed());
    rig.writer.shutdown().unwrap();
    let read = rows(SqliteLedger::open(&DataDir::lock(dir.path()).unwrap(), &node()).unwrap());
    let [own, adjusted] = &read[..] else { panic!("two rows of one commit: {read:?}") };
    assert_eq!((own.seq, adjusted.prev_hash), (adjusted.seq, own.hash));
}

#[test]
fn damage_in_adjustments_stops_a_start() {
    let of_first = "WHERE incarnation = 1 AND drop_id >= 2147483648";
    for (change, wrong) in [
        (format!("UPDATE journal SET body = CAST(body || x'04' AS BLOB) {of_first}"), "d1 adjust"),
        (format!("UPDATE journal SET prev_hash = zeroblob(32) {of_first}"), "d1 adjustments"),
        (format!("DELETE FROM journal {of_first}"), "incarnation 1 seq 7 must follow"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        ledger(dir.path());
        let raw = Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
        assert_ne!(raw.execute(&change, []).unwrap(), 0, "{change}");
        drop(raw);
        let refused = open(dir.path()).err().unwrap_or_default();
        assert!(refused.contains(wrong), "{change}: {refused}");
        assert_eq!(reviewed(dir.path()).len(), 1, "{change}");
    }
}

#[test]
fn a_start_finds_adjustments_by_their_index() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let raw = Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
    let sql = "EXPLAIN QUERY PLAN SELECT rowid, incarnation, seq, drop_id FROM journal
               WHERE (drop_id = 0 OR drop_id >= 2147483648)
               AND (incarnation, seq, drop_id) > (?1, ?2, ?6) AND (incarnation, seq) < (?3, ?4)
               ORDER BY incarnation, seq, drop_id LIMIT ?5";
    let plan: Vec<String> = raw
        .prepare(sql)
        .unwrap()
        .query_map([0; 6], |row| row.get(3))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(plan.iter().any(|step| step.contains("journal_apart")), "{plan:?}");
    assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{plan:?}");
}
