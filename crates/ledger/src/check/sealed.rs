//! The checks of a drop whose rows a start leaves alone.

use stampede_domain::{Phase, UnixMillis};

use super::{
    commits::damage,
    damage::{Damage, Wrong},
    error::OpenError,
    source::StartSource,
};
use crate::{
    CommitKey, Record, RecordError, RowHash, RowKey, Seal, SealSummary, SealedDrop,
    journal::RowCursor,
    record::codec::{self, Records},
};

/// Checks that the row that a seal names as its drop's first begins a chain: from the first rows a start
/// decides where its reading begins.
pub(crate) fn check_first(source: &dyn StartSource, seal: &Seal) -> Result<(), OpenError> {
    match source.prev_hash(RowKey::in_commit(seal.first, seal.drop))? {
        Some(hash) if hash == RowHash::genesis(seal.drop) => Ok(()),
        _ => Err(OpenError::Seal { drop: seal.drop, field: "first row" }),
    }
}

/// Checks that a seal's last row is there, is what was written and ends the chain.
pub(crate) fn check_end(source: &dyn StartSource, seal: &Seal) -> Result<SealedDrop, OpenError> {
    let wrong = |field| OpenError::Seal { drop: seal.drop, field };
    let row = source.row_at(RowKey::in_commit(seal.last, seal.drop))?;
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
        ended = end_of_chain(source, seal)?;
    }
    let summary = SealSummary::decode(&seal.summary).map_err(|_| wrong("summary"))?;
    match ended {
        None => Err(wrong("last row")),
        Some(phase) if phase != summary.phase => Err(wrong("summary")),
        Some(_) => Ok(SealedDrop { seal: seal.clone(), summary }),
    }
}

/// What ends a chain, if these records do.
fn end_in(records: Records<'_>) -> Result<Option<Phase>, RecordError> {
    let mut ended = None;
    for record in records {
        let Record::Phase(record) = record? else { continue };
        let phase = record.begins();
        if phase.is_final() {
            ended = Some(phase);
        }
    }
    Ok(ended)
}

/// What has ended the chain before its last row: older versions wrote a command behind what it had done.
fn end_of_chain(source: &dyn StartSource, seal: &Seal) -> Result<Option<Phase>, OpenError> {
    let (first, last) = (RowKey::before(seal.first), RowKey::in_commit(seal.last, seal.drop));
    let mut cursor = RowCursor::of_drop(seal.drop, first, last);
    let (mut head, mut ended) = (RowHash::genesis(seal.drop), None);
    while let Some(row) = cursor.next(source) {
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
pub(crate) fn time_of(
    source: &dyn StartSource,
    commit: CommitKey,
) -> Result<Option<UnixMillis>, OpenError> {
    let Some(bytes) = source.header(commit)? else { return Ok(None) };
    let (incarnation, seq) = commit;
    let (header, _) = codec::body(&bytes).map_err(|why| {
        OpenError::Damage(Damage { drop: None, incarnation, seq, wrong: Wrong::Body(why) })
    })?;
    Ok(Some(header.at))
}
