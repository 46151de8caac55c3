//! What a start checks of a drop whose rows it leaves alone.

use rusqlite::{Connection, OptionalExtension};
use stampede_domain::{Phase, UnixMillis};

use super::{
    columns::all,
    commits::damage,
    damage::Wrong,
    failure::in_table,
    open_error::OpenError,
    rows::{RowCursor, RowKey, row_at},
};
use crate::{
    CommitKey, Record, RecordError, RowHash, Seal, SealSummary, Sealed,
    record::codec::{self, Records},
};

/// Checks that the row that a seal names as its drop's first begins a chain: from the first rows a start
/// decides where its reading begins.
pub(super) fn check_first(connection: &Connection, seal: &Seal) -> Result<(), OpenError> {
    let sql = "SELECT prev_hash FROM journal WHERE incarnation = ?1 AND seq = ?2 AND drop_id = ?3";
    let fail = in_table("journal");
    let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
    let (incarnation, seq) = seal.first;
    let key = (incarnation.get(), seq.get().cast_signed(), seal.drop.get());
    let found = statement.query_row(key, |row| row.get::<_, Vec<u8>>(0)).optional();
    match found.map_err(&fail)? {
        Some(hash) if hash == RowHash::genesis(seal.drop).as_bytes() => Ok(()),
        _ => Err(OpenError::Seal { drop: seal.drop, field: "first row" }),
    }
}

/// Checks that a seal's last row is there, is what was written and ends the chain.
pub(super) fn check_end(connection: &Connection, seal: &Seal) -> Result<Sealed, OpenError> {
    let wrong = |field| OpenError::Seal { drop: seal.drop, field };
    let row = row_at(connection, RowKey::in_commit(seal.last, seal.drop))?;
    let row = row.ok_or_else(|| wrong("last row"))?;
    if row.hash != seal.head {
        return Err(wrong("head hash"));
    }
    let fail = |why| OpenError::Damage(damage(&row, why));
    let computed = row.computed_hash();
    if row.hash != computed {
        return Err(fail(Wrong::Hash { found: row.hash, computed }));
    }
    let (header, records) = codec::body(&row.body).map_err(|e| fail(Wrong::Body(e)))?;
    if header.at != seal.settled_at {
        return Err(wrong("time"));
    }
    let mut ended = end_in(records).map_err(|e| fail(Wrong::Body(e)))?;
    if ended.is_none() {
        ended = end_of_chain(connection, seal)?;
    }
    let summary = SealSummary::decode(&seal.summary).map_err(|_| wrong("summary"))?;
    match ended {
        None => Err(wrong("last row")),
        Some(phase) if phase != summary.phase => Err(wrong("summary")),
        Some(_) => Ok(Sealed { seal: seal.clone(), summary }),
    }
}

/// What ends a chain, if these records do.
fn end_in(records: Records<'_>) -> Result<Option<Phase>, RecordError> {
    let mut ended = None;
    for record in records {
        match record? {
            Record::Settled => ended = Some(Phase::Settled),
            Record::Cancelled => ended = Some(Phase::Cancelled),
            _ => {}
        }
    }
    Ok(ended)
}

/// What has ended the chain before its last row: older versions wrote a command behind what it had done.
fn end_of_chain(connection: &Connection, seal: &Seal) -> Result<Option<Phase>, OpenError> {
    let (first, last) = (RowKey::before(seal.first), RowKey::in_commit(seal.last, seal.drop));
    let mut cursor = RowCursor::of_drop(seal.drop, first, last);
    let (mut head, mut ended) = (RowHash::genesis(seal.drop), None);
    while let Some(row) = cursor.next(connection) {
        let row = row?;
        let fail = |why| OpenError::Damage(damage(&row, why));
        let computed = row.computed_hash();
        if row.prev_hash != head {
            return Err(fail(Wrong::PrevHash { found: row.prev_hash, expected: head }));
        }
        if row.hash != computed {
            return Err(fail(Wrong::Hash { found: row.hash, computed }));
        }
        head = row.hash;
        ended = end_in(row.decode()).map_err(|e| fail(Wrong::Body(e)))?.or(ended);
    }
    Ok(ended)
}

/// The time of a commit, if it is there.
pub(super) fn time_of(
    connection: &Connection,
    (incarnation, seq): CommitKey,
) -> Result<Option<UnixMillis>, OpenError> {
    let sql = format!(
        "SELECT substr(body, 1, {}) FROM journal WHERE incarnation = {} AND seq = {} LIMIT 1",
        codec::HEADER_BYTES,
        incarnation.get(),
        seq.get()
    );
    let found: Vec<Vec<u8>> = all(connection, "journal", &sql, |row| row.value(0))?;
    let header = found.first().map(|body| codec::body(body)).transpose();
    let header = header.map_err(|source| {
        OpenError::Damage(super::damage::Damage {
            drop: None,
            incarnation,
            seq,
            wrong: Wrong::Body(source),
        })
    })?;
    Ok(header.map(|(header, _)| header.at))
}
