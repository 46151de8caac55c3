//! Damage of every kind is refused at the start, naming the row.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::path::Path;

use rusqlite::{Connection, params};
use stampede_ledger::{DataDir, Journal, PhaseRecord, Record, SqliteJournal, SqliteLedger};
use support::{Rig, confirmed, entry, entry_in, hold, lot, node, wait};

/// Three starts; the drop 1 has rows in each, the drop 2 in the second's last commit.
fn ledger(path: &Path) {
    for start in 0..3_u32 {
        let data = DataDir::lock(path).unwrap();
        let mut rig = Rig::start(SqliteLedger::open(&data, &node()).unwrap());
        rig.commit(vec![lot(100)]);
        rig.take(start * 10 + 1..start * 10 + 2);
        rig.take(start * 10 + 2..start * 10 + 3);
        let incarnation = rig.incarnation;
        rig.commit(vec![confirmed(hold(incarnation, start * 10 + 1))]);
        if start == 1 {
            other_drop(&mut rig);
        }
        rig.writer.shutdown().unwrap();
    }
}

fn other_drop(rig: &mut Rig) {
    rig.core.push(entry_in(stampede_domain::DropId::new(2), Record::Phase(PhaseRecord::Closed)));
    wait(|| rig.core.durable() == rig.core.pushed());
    rig.core.push(entry(Record::Phase(PhaseRecord::Paused)));
    wait(|| rig.core.durable() == rig.core.pushed());
}

/// What opening says after some change to the file.
fn refused(change: impl FnOnce(&Connection)) -> String {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let connection = Connection::open(dir.path().join(stampede_ledger::LEDGER_FILE)).unwrap();
    change(&connection);
    drop(connection);
    let data = DataDir::lock(dir.path()).unwrap();
    let error = SqliteLedger::open(&data, &node()).err();
    let text = error.expect("damage is refused").to_string();
    let journal = SqliteJournal::open(dir.path()).unwrap();
    let started = journal.nodes().unwrap().first().map_or(3, |row| row.incarnation.get());
    assert!(started <= 4, "a refused start begins no incarnation");
    text
}

fn sql(text: &str) -> String {
    refused(|connection| {
        assert_ne!(connection.execute(text, []).unwrap(), 0, "{text} changes something");
    })
}

#[test]
fn the_undamaged_ledger_opens() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let data = DataDir::lock(dir.path()).unwrap();
    assert!(SqliteLedger::open(&data, &node()).is_ok());
}

#[test]
fn any_flipped_byte_of_a_body_is_named() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let path = dir.path().join(stampede_ledger::LEDGER_FILE);
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT body FROM journal WHERE incarnation = 2 AND seq = 2";
    let body: Vec<u8> = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    let put = |body: &[u8]| {
        let sql = "UPDATE journal SET body = ?1 WHERE incarnation = 2 AND seq = 2";
        assert_eq!(connection.execute(sql, params![body]).unwrap(), 1);
    };
    for at in 0..body.len() {
        let mut damaged = body.clone();
        damaged[at] ^= 0x10;
        put(&damaged);
        let data = DataDir::lock(dir.path()).unwrap();
        let error = SqliteLedger::open(&data, &node()).err().unwrap().to_string();
        // A changed header may name other rows, whose absence is seen at the next commit.
        assert!(
            error.starts_with("the ledger is damaged: journal row d1 incarnation 2 seq 2: "),
            "byte {at}: {error}"
        );
    }
    put(&body);
    let data = DataDir::lock(dir.path()).unwrap();
    assert!(SqliteLedger::open(&data, &node()).is_ok());
}

#[test]
fn a_truncated_body_is_named() {
    let text =
        sql("UPDATE journal SET body = substr(body, 1, 30) WHERE incarnation = 1 AND seq = 3");
    let expected = "the ledger is damaged: journal row d1 incarnation 1 seq 3: hash is ";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_dropped_row_is_named_wherever_it_was() {
    assert_eq!(
        sql("DELETE FROM journal WHERE incarnation = 1 AND seq = 2"),
        "the ledger is damaged: journal row d1 incarnation 1 seq 3: \
         found where incarnation 1 seq 2 must follow"
    );
    assert_eq!(
        sql("DELETE FROM journal WHERE incarnation = 1 AND seq = 1"),
        "the ledger is damaged: journal row d1 incarnation 1 seq 2: \
         found where incarnation 1 seq 1 must follow"
    );
    // The last of an earlier start.
    assert_eq!(
        sql("DELETE FROM journal WHERE incarnation = 1 AND seq = 4"),
        "the ledger is damaged: journal row d1 incarnation 2 seq 1: \
         found where incarnation 1 seq 4 must follow"
    );
    // The very last.
    assert_eq!(
        sql("DELETE FROM journal WHERE incarnation = 3 AND seq = 4"),
        "the ledger is damaged: journal commit incarnation 3 seq 4: \
         missing: the incarnation's last commit is 4"
    );
    // A whole start.
    assert_eq!(
        sql("DELETE FROM journal WHERE incarnation = 3"),
        "the ledger is damaged: journal commit incarnation 3 seq 1: \
         missing: the incarnation's last commit is 4"
    );
    assert_eq!(
        sql("DELETE FROM journal"),
        "the ledger is damaged: journal commit incarnation 1 seq 1: \
         missing: the incarnation's last commit is 4"
    );
}

#[test]
fn swapped_rows_are_named() {
    let text = refused(|connection| {
        connection
            .execute_batch(
                "UPDATE journal SET seq = 1000 WHERE incarnation = 1 AND seq = 2;
                 UPDATE journal SET seq = 2 WHERE incarnation = 1 AND seq = 3;
                 UPDATE journal SET seq = 3 WHERE incarnation = 1 AND seq = 1000;",
            )
            .unwrap();
    });
    let expected = "the ledger is damaged: journal row d1 incarnation 1 seq 2: previous hash is ";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn changed_columns_are_named() {
    let at = "the ledger is damaged: journal row d1 incarnation 2 seq 2: ";
    let of = |column: &str| {
        let change = format!("UPDATE journal SET {column} WHERE incarnation = 2 AND seq = 2");
        sql(&change).strip_prefix(at).unwrap_or_else(|| panic!("{column}")).to_owned()
    };
    assert_eq!(of("node = 'n2'"), "written by node n2, the incarnation is n1's");
    assert!(of("records = 2").starts_with("hash is "));
    assert!(of("hash = zeroblob(32)").starts_with("hash is 0000"));
    assert!(of("prev_hash = zeroblob(32)").starts_with("previous hash is 0000"));
    assert_eq!(
        sql("UPDATE journal SET hash = x'00' WHERE incarnation = 2 AND seq = 2"),
        "journal row 2/2/1: hash is out of range"
    );
    assert_eq!(
        sql("UPDATE journal SET drop_id = 9 WHERE incarnation = 2 AND seq = 2").split(": ").nth(1),
        Some("journal row d9 incarnation 2 seq 2")
    );
    assert_eq!(
        sql("UPDATE journal SET incarnation = 77 WHERE incarnation = 3 AND seq = 4"),
        "the ledger is damaged: journal row d1 incarnation 77 seq 4: \
         found where incarnation 3 seq 4 must follow"
    );
}

#[test]
fn a_row_that_nobody_wrote_is_named() {
    let insert = "INSERT INTO journal SELECT incarnation, seq + 1, drop_id, node, records,
                  prev_hash, hash, body FROM journal WHERE incarnation = 3 AND seq = 4";
    let text = sql(insert);
    assert!(text.contains("d1 incarnation 3 seq 5: previous hash is "), "{text}");
    let text = sql("INSERT INTO journal SELECT incarnation, seq, 5, node, records, prev_hash,
                    hash, body FROM journal WHERE incarnation = 2 AND seq = 2");
    assert!(text.contains("d5 incarnation 2 seq 2: previous hash is "), "{text}");
}

#[test]
fn tables_that_disagree_with_the_journal_are_named() {
    assert_eq!(
        sql("UPDATE supply SET taken = taken - 1"),
        "the ledger is damaged: supply of d1 pool 0 is 300 with 5 taken; \
         the records give 300 with 6 taken"
    );
    assert_eq!(
        sql("DELETE FROM supply"),
        "the ledger is damaged: supply of d1 pool 0 is 0 with 0 taken; \
         the records give 300 with 6 taken"
    );
    assert_eq!(
        sql("UPDATE node SET last_seq = 3"),
        "the ledger is damaged: journal commit incarnation 3 seq 4: \
         missing: the incarnation's last commit is 3"
    );
    assert_eq!(
        sql("UPDATE node SET last_seq = 9"),
        "the ledger is damaged: journal commit incarnation 3 seq 5: \
         missing: the incarnation's last commit is 9"
    );
    assert_eq!(
        sql("DELETE FROM node"),
        "the ledger is damaged: journal row d1 incarnation 3 seq 1: \
         the incarnation has never been started"
    );
    assert_eq!(
        sql("UPDATE viewers SET pairs = substr(pairs, 1, 12) WHERE incarnation = 1 AND seq = 2"),
        "the ledger is damaged: viewer links of incarnation 1 seq 2: \
         bytes end within a value at offset 10"
    );
}

#[test]
fn a_flipped_byte_of_the_file_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let path = dir.path().join(stampede_ledger::LEDGER_FILE);
    let rows = || {
        let data = DataDir::lock(dir.path()).unwrap();
        let opened = SqliteLedger::open(&data, &node()).ok()?;
        Some(opened.history.map(Result::unwrap).collect::<Vec<_>>())
    };
    let sound = rows().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let places = (0..bytes.len()).step_by(97).filter(|at| bytes[*at] != 0);
    let mut refused = 0;
    for at in places {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x04;
        std::fs::write(&path, damaged).unwrap();
        // Refused, or of no consequence: the byte was in a free part of a page.
        match rows() {
            Some(found) => assert!(found == sound, "byte {at}"),
            None => refused += 1,
        }
    }
    assert!(refused > 10, "{refused} flips were refused");
}
