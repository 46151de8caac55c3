//! The table of the journal.

use std::collections::VecDeque;

use rusqlite::{Connection, OptionalExtension};
use stampede_domain::DropId;

use super::{
    columns::{Columns, all, hash, incarnation, node, seq},
    failure::in_table,
};
use crate::{
    CommitKey, ReadError, Row, RowHash, RowKey, RowSpan,
    check::{KeyEntry, Part},
    record::codec,
};

/// Rows that one statement fetches at most: readers stay short, so that the log can be reset.
const CHUNK_ROWS: usize = 256;
/// Keys that one statement of a start fetches at most.
const CHUNK_KEYS: i64 = 1_024;
/// Bytes of bodies after which a statement fetches no more.
const CHUNK_BYTES: usize = 4 << 20;

/// Appends the next rows of a span.
pub(super) fn fetch(
    connection: &Connection,
    span: &RowSpan,
    rows: &mut VecDeque<Row>,
) -> Result<(), ReadError> {
    let fail = in_table("journal");
    let sql = match span.chain {
        None => {
            "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash
             FROM journal WHERE (incarnation, seq, drop_id) > (?1, ?2, ?3)
             ORDER BY incarnation, seq, drop_id LIMIT ?4"
        }
        // With the words of the index.
        Some((chain, _)) if chain.is_adjustments() => {
            "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash
             FROM journal WHERE (drop_id = 0 OR drop_id >= 2147483648)
             AND (incarnation, seq, drop_id) > (?1, ?2, ?3) AND drop_id = ?5
             AND (incarnation, seq, drop_id) <= (?6, ?7, ?5)
             ORDER BY incarnation, seq, drop_id LIMIT ?4"
        }
        Some(_) => {
            "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash
             FROM journal WHERE (incarnation, seq, drop_id) > (?1, ?2, ?3) AND drop_id = ?5
             AND (incarnation, seq, drop_id) <= (?6, ?7, ?5)
             ORDER BY incarnation, seq, drop_id LIMIT ?4"
        }
    };
    let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
    let after = span.after;
    let key = (after.incarnation, after.seq.cast_signed(), after.drop);
    let limit = i64::try_from(CHUNK_ROWS).unwrap_or(i64::MAX);
    let found = match span.chain {
        None => statement.query((key.0, key.1, key.2, limit)),
        Some((drop, last)) => {
            let last = (last.incarnation, last.seq.cast_signed());
            statement.query((key.0, key.1, key.2, limit, drop.get(), last.0, last.1))
        }
    };
    let mut found = found.map_err(&fail)?;
    let mut bytes = 0;
    while bytes < CHUNK_BYTES {
        let Some(row) = found.next().map_err(&fail)? else { break };
        let row = journal_row(&Columns { table: "journal", row })?;
        bytes += row.body.len();
        rows.push_back(row);
    }
    Ok(())
}

/// One row by its key.
pub(super) fn row_at(connection: &Connection, key: RowKey) -> Result<Option<Row>, ReadError> {
    let sql = "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash
               FROM journal WHERE incarnation = ?1 AND seq = ?2 AND drop_id = ?3";
    let fail = in_table("journal");
    let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
    let key = (key.incarnation, key.seq.cast_signed(), key.drop);
    let mut found = statement.query(key).map_err(&fail)?;
    let row = found.next().map_err(&fail)?;
    row.map(|row| journal_row(&Columns { table: "journal", row })).transpose()
}

/// The previous hash of a row, without its body.
pub(super) fn prev_hash(
    connection: &Connection,
    key: RowKey,
) -> Result<Option<RowHash>, ReadError> {
    let sql = "SELECT prev_hash FROM journal WHERE incarnation = ?1 AND seq = ?2 AND drop_id = ?3";
    let fail = in_table("journal");
    let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
    let key = (key.incarnation, key.seq.cast_signed(), key.drop);
    let found = statement.query_row(key, |row| row.get::<_, Vec<u8>>(0)).optional();
    let bytes = found.map_err(&fail)?.and_then(|hash| <[u8; 32]>::try_from(hash).ok());
    Ok(bytes.map(RowHash::from_bytes))
}

/// The first bytes of a body of a commit, as many as a header has, if the commit is there.
pub(super) fn header(
    connection: &Connection,
    (incarnation, seq): CommitKey,
) -> Result<Option<Vec<u8>>, ReadError> {
    let sql = format!(
        "SELECT substr(body, 1, {}) FROM journal WHERE incarnation = {} AND seq = {} LIMIT 1",
        codec::HEADER_BYTES,
        incarnation.get(),
        seq.get()
    );
    let found = all(connection, "journal", &sql, |row| row.value(0))?;
    Ok(found.into_iter().next())
}

/// The last row of all, if it can be read.
pub(super) fn last(connection: &Connection) -> Result<Option<Row>, ReadError> {
    let sql = "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash FROM journal
               ORDER BY incarnation DESC, seq DESC, drop_id DESC LIMIT 1";
    Ok(all(connection, "journal", sql, journal_row)?.pop())
}

/// Appends what a start finds behind a key.
pub(super) fn find(
    connection: &Connection,
    after: RowKey,
    part: &Part<'_>,
    found: &mut VecDeque<KeyEntry>,
) -> Result<(), ReadError> {
    let fail = in_table("journal");
    let sql = match part {
        // The first condition has the words of the index.
        Part::Apart(_) => {
            "SELECT rowid, incarnation, seq, drop_id FROM journal
             WHERE (drop_id = 0 OR drop_id >= 2147483648)
             AND (incarnation, seq, drop_id) > (?1, ?2, ?6) AND (incarnation, seq) < (?3, ?4)
             ORDER BY incarnation, seq, drop_id LIMIT ?5"
        }
        Part::All(_) => {
            "SELECT rowid, incarnation, seq, drop_id FROM journal
             WHERE (incarnation, seq, drop_id) > (?1, ?2, ?3)
             ORDER BY incarnation, seq, drop_id LIMIT ?4"
        }
    };
    let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
    let (incarnation, seq) = (after.incarnation, after.seq.cast_signed());
    let keys = match part {
        Part::Apart(range) => {
            let end = (range.from.0.get(), range.from.1.get().cast_signed());
            statement.query((incarnation, seq, end.0, end.1, CHUNK_KEYS, after.drop))
        }
        Part::All(_) => statement.query((incarnation, seq, after.drop, CHUNK_KEYS)),
    };
    let mut keys = keys.map_err(&fail)?;
    let mut bytes = 0;
    while bytes < CHUNK_BYTES {
        let Some(row) = keys.next().map_err(&fail)? else { break };
        let number = |column| row.get::<_, i64>(column).map_err(&fail);
        let (place, key) = (number(0)?, [number(1)?, number(2)?, number(3)?]);
        let drop = u32::try_from(key[2]).ok().map(DropId::new);
        if drop.is_some_and(|drop| !part.reads(drop)) {
            let [incarnation, seq] = [key[0], key[1]].map(i64::cast_unsigned);
            let incarnation = u32::try_from(incarnation).unwrap_or(u32::MAX);
            let drop = drop.map_or(0, DropId::get);
            found.push_back(KeyEntry::Key(RowKey { incarnation, seq, drop }));
        } else {
            let row = row_of(connection, place, key)?;
            bytes += row.body.len();
            found.push_back(KeyEntry::Row(Box::new(row)));
        }
    }
    Ok(())
}

/// The row at a place of the table; the key is the index's.
fn row_of(connection: &Connection, place: i64, key: [i64; 3]) -> Result<Row, ReadError> {
    let sql =
        "SELECT ?2, ?3, ?4, node, records, body, prev_hash, hash FROM journal WHERE rowid = ?1";
    let fail = in_table("journal");
    let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
    let mut found = statement.query((place, key[0], key[1], key[2])).map_err(&fail)?;
    let row = found.next().map_err(&fail)?;
    let row = row.ok_or(rusqlite::Error::QueryReturnedNoRows).map_err(&fail)?;
    journal_row(&Columns { table: "journal", row })
}

fn journal_row(row: &Columns<'_>) -> Result<Row, ReadError> {
    Ok(Row {
        incarnation: incarnation(row, 0)?,
        seq: seq(row, 1)?,
        drop: DropId::new(row.number(2, "drop_id")?),
        node: node(row, 3)?,
        records: row.number(4, "records")?,
        body: row.value(5)?,
        prev_hash: hash(row, 6, "prev_hash")?,
        hash: hash(row, 7, "hash")?,
    })
}
