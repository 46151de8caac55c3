//! Lies with fitting hashes: a journal rewritten from some record on, with every table made to match.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, params};
use stampede_domain::DropId;
use stampede_ledger::{
    BodyHeader, CommandKey, CommandResult, CorrectionRecord, HoldRecord, LEDGER_FILE, LatestResult,
    Record, Row, RowHash, codec,
};

use super::corrupt::read_row;

/// A row whose records may be changed.
#[derive(Clone, Debug)]
pub struct Forged {
    pub row: Row,
    pub header: BodyHeader,
    pub records: Vec<Record>,
}

impl Forged {
    /// Place of the first record that `wanted` picks.
    pub fn position(&self, wanted: impl Fn(&Record) -> bool) -> Option<usize> {
        self.records.iter().position(wanted)
    }
}

/// Rewrites the whole journal after `change`, with hashes, counts, supply and orders that fit.
pub fn forge(data_dir: &Path, change: impl FnOnce(&mut Vec<Forged>)) {
    let connection = Connection::open(data_dir.join(LEDGER_FILE)).unwrap();
    // A person who can rewrite the journal can switch the database's own check off as well.
    connection.pragma_update(None, "ignore_check_constraints", true).unwrap();
    let mut rows = read(&connection);
    change(&mut rows);
    connection
        .execute_batch("BEGIN; DELETE FROM journal; DELETE FROM supply; DELETE FROM orders;")
        .unwrap();
    let mut heads: BTreeMap<DropId, RowHash> = BTreeMap::new();
    let mut supply: BTreeMap<(u32, u8), (i64, i64)> = BTreeMap::new();
    for forged in &mut rows {
        let Forged { row, header, records } = forged;
        row.body = header.to_bytes().to_vec();
        for record in records.iter() {
            codec::encode(record, &mut row.body);
        }
        row.records = u32::try_from(records.len()).unwrap();
        let head = heads.get(&row.drop).or_else(|| heads.get(&row.drop.sale()));
        row.prev_hash = head.copied().unwrap_or_else(|| RowHash::genesis(row.drop));
        row.hash = row.computed_hash();
        heads.insert(row.drop, row.hash);
        insert_row(&connection, row);
        for record in &forged.records {
            add_supply(&mut supply, forged.row.drop, record);
            insert_order(&connection, forged, record);
        }
    }
    for ((drop, pool), (supplied, taken)) in supply {
        let values = params![drop, pool, supplied, taken];
        connection.execute("INSERT INTO supply VALUES (?1, ?2, ?2, ?3, ?4)", values).unwrap();
    }
    let last = rows.last().unwrap();
    let record = last.row.records.saturating_sub(1);
    let seq = last.row.seq.get().cast_signed();
    let values = params![last.row.incarnation.get(), seq, last.row.drop.get(), record];
    let sql = "UPDATE projection SET incarnation = ?1, seq = ?2, drop_id = ?3, record = ?4";
    connection.execute(sql, values).unwrap();
    fit_seals(&connection, &rows);
    fit_keys(&connection, &rows);
    connection.execute_batch("COMMIT").unwrap();
}

/// Binds the keys of the commands that the journal has now.
fn fit_keys(connection: &Connection, rows: &[Forged]) {
    connection.execute_batch("DELETE FROM command_keys").unwrap();
    let mut latest_results: BTreeMap<DropId, LatestResult> = BTreeMap::new();
    for Forged { row, records, .. } in rows {
        for record in records {
            let latest = latest_results.entry(row.drop).or_default();
            latest.follow(record);
            let Some(bound) = CommandKey::of(row.drop, record, *latest) else { continue };
            let [key, request] = [bound.key, bound.request].map(|print| print.bits().to_be_bytes());
            let CommandResult { lot, units } = bound.result;
            let number = lot.or(units.map(stampede_domain::Units::get));
            let values = params![bound.actor, key, request, bound.action, row.drop.get(), number];
            let sql = "INSERT INTO command_keys (actor, key, request, action, drop_id, lot)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
            connection.execute(sql, values).unwrap();
        }
    }
}

/// Makes the seals fit the chains; what was sold stays as it was.
fn fit_seals(connection: &Connection, rows: &[Forged]) {
    let mut chains: BTreeMap<DropId, (i64, i64)> = BTreeMap::new();
    for Forged { row, header, records } in rows {
        let (rows, sum) = chains.entry(row.drop).or_default();
        *rows += 1;
        *sum += i64::try_from(records.len()).unwrap();
        let seq = row.seq.get().cast_signed();
        let at = header.at.get().cast_signed();
        let head = row.hash.as_bytes();
        let values = params![row.drop.get(), row.incarnation.get(), seq, *rows, *sum, head, at];
        let sql =
            "UPDATE seals SET incarnation = ?2, seq = ?3, rows = ?4, records = ?5, head_hash = ?6,
                   settled_at_ms = ?7 WHERE drop_id = ?1";
        connection.execute(sql, values).unwrap();
    }
}

fn read(connection: &Connection) -> Vec<Forged> {
    let sql = "SELECT drop_id, node, incarnation, seq, records, body, prev_hash, hash
               FROM journal ORDER BY incarnation, seq, drop_id";
    let mut query = connection.prepare(sql).unwrap();
    let rows = query.query_map((), read_row).unwrap().map(Result::unwrap);
    rows.map(|row| Forged {
        header: row.header().unwrap(),
        records: row.decode().map(Result::unwrap).collect(),
        row,
    })
    .collect()
}

fn insert_row(connection: &Connection, row: &Row) {
    let values = params![
        row.incarnation.get(),
        row.seq.get().cast_signed(),
        row.drop.get(),
        row.node.as_str(),
        row.records,
        row.prev_hash.as_bytes(),
        row.hash.as_bytes(),
        row.body,
    ];
    let sql =
        "INSERT INTO journal (incarnation, seq, drop_id, node, records, prev_hash, hash, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.execute(sql, values).unwrap();
}

fn add_supply(supply: &mut BTreeMap<(u32, u8), (i64, i64)>, drop: DropId, record: &Record) {
    let (pool, supplied, taken) = match record {
        Record::Lot { pool, units, .. } => (*pool, i64::from(units.get()), 0),
        Record::Correction(CorrectionRecord::Withdrawn { pool, units }) => {
            (*pool, -i64::from(units.get()), 0)
        }
        Record::Hold(HoldRecord::Taken { hold, units, .. }) => {
            (hold.pool(), 0, i64::from(units.get()))
        }
        Record::Hold(
            HoldRecord::Released { hold, units } | HoldRecord::Expired { hold, units },
        ) => (hold.pool(), 0, -i64::from(units.get())),
        _ => return,
    };
    let sums = supply.entry((drop.get(), pool.get())).or_default();
    sums.0 += supplied;
    sums.1 += taken;
}

fn insert_order(connection: &Connection, forged: &Forged, record: &Record) {
    let Record::Hold(HoldRecord::Confirmed { hold, viewer, units, amount, channel }) = record
    else {
        return;
    };
    let (row, currency) = (&forged.row, amount.currency());
    let values = params![
        hold.to_bytes(),
        row.drop.get(),
        hold.pool().get(),
        // The plans here have common pools alone: pool n is SKU n's.
        hold.pool().get(),
        viewer.get().cast_signed(),
        units.get(),
        amount.minor().cast_signed(),
        currency.code(),
        forged.header.at.get().cast_signed(),
        row.incarnation.get(),
        row.seq.get().cast_signed(),
        channel.as_ref().map(stampede_domain::ChannelId::as_str),
    ];
    // A second order of one hold does not get past the table.
    let sql = "INSERT OR IGNORE INTO orders (hold, drop_id, pool, sku, viewer, units, amount_minor,
                                             currency, at_ms, incarnation, seq, channel)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    connection.execute(sql, values).unwrap();
}
