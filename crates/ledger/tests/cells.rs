//! One damaged cell in a table beside the journal: a start finds what is there, or says what is wrong.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{collections::BTreeMap, fs, panic, path::Path, sync::Arc};

use rusqlite::{Connection, types::Value};
use stampede_domain::{DropId, DurationMs};
use stampede_ledger::{
    DataDir, LEDGER_FILE, OpenLedger, PhaseRecord, Record, Row, RowHash, SealSummary, SqliteLedger,
    SqliteOptions, Synchronous,
};
use support::{DROP, Rig, confirmed, entry_in, hold, lot, node, plan, wait};

const PLANNED: DropId = DropId::new(3);

fn open(path: &Path) -> Result<OpenLedger, String> {
    let data = DataDir::lock(path).unwrap();
    let (settled_kept, synchronous) = (DurationMs::ZERO, Synchronous::Off);
    let options = SqliteOptions { settled_kept, synchronous, ..SqliteOptions::default() };
    SqliteLedger::open_with(&data, &node(), &options).map_err(|error| error.to_string())
}

fn push(rig: &mut Rig, drop: DropId, record: Record) {
    rig.core.push(entry_in(drop, record));
    wait(|| rig.core.durable() == rig.core.pushed());
}

/// The first drop settled with an order, the second cancelled; by a second start the third planned, then
/// the fourth planned and cancelled, in more commits than all before it.
fn ledger(path: &Path) {
    let planned = || Record::Planned { plan: Arc::new(plan()), revision: 1 };
    let mut rig = Rig::start(open(path).unwrap());
    push(&mut rig, DROP, planned());
    push(&mut rig, DROP, lot(100));
    rig.take(1..2);
    let order = confirmed(hold(rig.incarnation, 1));
    for record in [order, Record::Phase(PhaseRecord::Closed), Record::Phase(PhaseRecord::Settled)] {
        push(&mut rig, DROP, record);
    }
    push(&mut rig, DropId::new(2), planned());
    push(&mut rig, DropId::new(2), Record::Phase(PhaseRecord::Cancelled));
    rig.writer.shutdown().unwrap();
    let mut rig = Rig::start(open(path).unwrap());
    push(&mut rig, PLANNED, planned());
    for _edit in 0..12 {
        push(&mut rig, DropId::new(4), planned());
    }
    push(&mut rig, DropId::new(4), Record::Phase(PhaseRecord::Cancelled));
    rig.writer.shutdown().unwrap();
}

fn raw(path: &Path) -> Connection {
    let connection = Connection::open(path.join(LEDGER_FILE)).unwrap();
    connection.pragma_update(None, "synchronous", "OFF").unwrap();
    connection
}

/// What a start hands on.
#[derive(Debug, PartialEq)]
struct Found {
    rows: Vec<Row>,
    heads: BTreeMap<DropId, RowHash>,
    sealed: Vec<(DropId, SealSummary)>,
    links: usize,
}

impl Found {
    fn by(opened: OpenLedger) -> Self {
        let sealed = opened.sealed.iter();
        Self {
            heads: opened.chains.heads.into_iter().collect(),
            sealed: sealed.map(|sealed| (sealed.seal.drop, sealed.summary.clone())).collect(),
            links: opened.links.viewers.len(),
            rows: opened.history.map(Result::unwrap).collect(),
        }
    }
}

/// Every cell of a table as (row's place, column, value).
fn cells(connection: &Connection, table: &str) -> Vec<(usize, String, Value)> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query([]).unwrap();
    let (mut cells, mut place) = (Vec::new(), 0);
    while let Some(row) = found.next().unwrap() {
        let named = names.iter().enumerate();
        cells.extend(named.map(|(at, name)| (place, name.clone(), row.get(at).unwrap())));
        place += 1;
    }
    cells
}

/// What a cell may become; a column's type refuses some of it.
fn damages(value: &Value) -> Vec<Value> {
    let numbers = [-1, 0, 2, 9, 1 << 26, i64::MAX];
    let mut values: Vec<_> = numbers.into_iter().map(Value::Integer).collect();
    match value {
        Value::Integer(number) => {
            values.extend([number.wrapping_add(1), number.wrapping_sub(1)].map(Value::Integer));
        }
        Value::Blob(bytes) => {
            let mut turned = bytes.clone();
            turned.iter_mut().take(1).for_each(|byte| *byte ^= 1);
            values.extend([turned, bytes[1..].to_vec()].map(Value::Blob));
        }
        _ => {}
    }
    let others = [Value::Null, Value::Blob(Vec::new()), Value::Blob(vec![0; 32])];
    values.extend(others.into_iter().chain(["", "n2", "orders"].map(|t| Value::Text(t.into()))));
    values.retain(|damaged| damaged != value);
    values
}

/// What a start finds after each damage that the table's columns let in.
fn each_damage(tables: &[&str], check: impl Fn(&str, Result<Found, String>)) {
    let whole = tempfile::tempdir().unwrap();
    ledger(whole.path());
    let mut damaged = 0;
    for table in tables {
        let cells = cells(&raw(whole.path()), table);
        for (place, column, value) in &cells {
            // The first column tells the rows of these ledgers apart.
            let (_, key_name, key) = cells.iter().find(|cell| cell.0 == *place).unwrap();
            for damage in damages(value) {
                let dir = tempfile::tempdir().unwrap();
                fs::copy(whole.path().join(LEDGER_FILE), dir.path().join(LEDGER_FILE)).unwrap();
                let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {key_name} = ?2");
                if raw(dir.path()).execute(&sql, (&damage, key)).is_err() {
                    continue;
                }
                damaged += 1;
                let what = format!("{table}.{column} of row {place}: {value:?} -> {damage:?}");
                let opened = panic::catch_unwind(|| open(dir.path()).map(Found::by));
                check(&what, opened.unwrap_or_else(|_| panic!("{what}: the start panics")));
            }
        }
    }
    assert!(damaged > 50, "{damaged}");
}

#[test]
fn a_damaged_cell_of_a_seal_hides_nothing() {
    let whole = tempfile::tempdir().unwrap();
    ledger(whole.path());
    let right = Found::by(open(whole.path()).unwrap());
    assert!(right.rows.iter().any(|row| row.drop == PLANNED) && right.sealed.len() == 3);
    each_damage(&["seals"], |what, found| match found {
        Ok(found) => {
            // Rows of drops that are over may be left alone or not.
            assert_eq!((&found.heads, found.links), (&right.heads, right.links), "{what}");
            assert_eq!((&found.sealed, &found.rows), (&right.sealed, &right.rows), "{what}");
        }
        Err(error) => {
            let named = ["the ledger is damaged: ", "seals row "];
            assert!(named.iter().any(|start| error.starts_with(start)), "{what}: {error}");
        }
    });
}

#[test]
fn no_damaged_cell_beside_the_journal_ends_a_start_by_a_panic() {
    let tables = ["node", "incarnations", "supply", "viewers", "projection"];
    each_damage(&tables, |what, found| {
        if let Err(error) = found {
            assert!(!error.is_empty(), "{what}");
        }
    });
}
