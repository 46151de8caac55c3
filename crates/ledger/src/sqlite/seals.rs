//! The table of seals.

use rusqlite::{Connection, Params};
use stampede_domain::{DropId, UnixMillis};

use super::columns::{Columns, all, hash, incarnation, seq};
use crate::{ReadError, Seal};

pub(super) const INSERT: &str = "INSERT INTO seals
    (drop_id, first_incarnation, first_seq, incarnation, seq, rows, records, head_hash,
     units_supplied, units_sold, orders, amount_minor, settled_at_ms, summary)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

const SELECT: &str =
    "SELECT drop_id, first_incarnation, first_seq, incarnation, seq, rows, records,
    head_hash, units_supplied, units_sold, orders, amount_minor, settled_at_ms, summary FROM seals";

/// Values of one row.
pub(super) fn values(seal: &Seal) -> impl Params + '_ {
    let ((first_incarnation, first_seq), (incarnation, seq)) = (seal.first, seal.last);
    (
        seal.drop.get(),
        first_incarnation.get(),
        first_seq.get().cast_signed(),
        incarnation.get(),
        seq.get().cast_signed(),
        seal.rows.cast_signed(),
        seal.records.cast_signed(),
        seal.head.as_bytes(),
        seal.units_supplied.cast_signed(),
        seal.units_sold.cast_signed(),
        seal.orders.cast_signed(),
        seal.amount_minor.cast_signed(),
        seal.settled_at.get().cast_signed(),
        seal.summary.as_slice(),
    )
}

/// Writes seals of chains that have none.
pub(super) fn fill(connection: &Connection, seals: &[Seal]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(INSERT)?;
    for seal in seals {
        statement.execute(values(seal))?;
    }
    Ok(())
}

/// The seals, by drop.
pub(super) fn all_seals(connection: &Connection) -> Result<Vec<Seal>, ReadError> {
    all(connection, "seals", &format!("{SELECT} ORDER BY drop_id"), seal)
}

/// The seal of one drop, if it has one.
pub(super) fn one(connection: &Connection, drop: DropId) -> Result<Option<Seal>, ReadError> {
    let sql = format!("{SELECT} WHERE drop_id = {}", drop.get());
    Ok(all(connection, "seals", &sql, seal)?.pop())
}

fn seal(row: &Columns<'_>) -> Result<Seal, ReadError> {
    Ok(Seal {
        drop: DropId::new(row.number(0, "drop_id")?),
        first: (incarnation(row, 1)?, seq(row, 2)?),
        last: (incarnation(row, 3)?, seq(row, 4)?),
        rows: row.number(5, "rows")?,
        records: row.number(6, "records")?,
        head: hash(row, 7, "head_hash")?,
        units_supplied: row.number(8, "units_supplied")?,
        units_sold: row.number(9, "units_sold")?,
        orders: row.number(10, "orders")?,
        amount_minor: row.number(11, "amount_minor")?,
        settled_at: UnixMillis::new(row.number(12, "settled_at_ms")?),
        summary: row.value(13)?,
    })
}
