//! The table of idempotency keys that accepted commands of drops have bound.

use rusqlite::{Connection, OptionalExtension, Params};
use stampede_domain::{DropId, KeyFingerprint};

use super::{
    columns::{Columns, all},
    failure::in_table,
};
use crate::{CommandKey, ReadError, command_key::CommandResult};

const TABLE: &str = "command_keys";

/// The first command that bound a key keeps it. `lot` has the units of one that took some back.
pub(super) const INSERT: &str =
    "INSERT INTO command_keys (actor, key, request, action, drop_id, lot)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

/// Values of one row.
pub(super) fn values(bound: &CommandKey) -> impl Params + '_ {
    (
        bound.actor.as_str(),
        bound.key.bits().to_be_bytes(),
        bound.request.bits().to_be_bytes(),
        bound.action.as_str(),
        bound.drop.get(),
        bound.result.number(),
    )
}

/// Puts the keys of a ledger that had no table for them into the table.
pub(super) fn fill(connection: &Connection, bound: &[CommandKey]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(INSERT)?;
    for key in bound {
        statement.execute(values(key))?;
    }
    Ok(())
}

/// What the actor's key was bound to.
pub(super) fn one(
    connection: &Connection,
    actor: &str,
    key: KeyFingerprint,
) -> Result<Option<CommandKey>, ReadError> {
    let sql = "SELECT actor, key, request, action, drop_id, lot FROM command_keys
               WHERE actor = ?1 AND key = ?2";
    let mut statement = connection.prepare_cached(sql).map_err(in_table(TABLE))?;
    let read = |row: &rusqlite::Row<'_>| Ok(command_key(&Columns { table: TABLE, row }));
    let found = statement.query_row((actor, key.bits().to_be_bytes()), read).optional();
    found.map_err(in_table(TABLE))?.transpose()
}

/// All keys.
pub(super) fn all_keys(connection: &Connection) -> Result<Vec<CommandKey>, ReadError> {
    let sql = "SELECT actor, key, request, action, drop_id, lot FROM command_keys
               ORDER BY actor, key";
    all(connection, TABLE, sql, command_key)
}

fn command_key(row: &Columns<'_>) -> Result<CommandKey, ReadError> {
    let fingerprint = |column, name| {
        let bytes: Vec<u8> = row.value(column)?;
        let bits = <[u8; 16]>::try_from(bytes).map_err(|_| row.range(name))?;
        Ok(KeyFingerprint::from_bits(u128::from_be_bytes(bits)))
    };
    let number: Option<i64> = row.value(5)?;
    let number = number.map(u32::try_from).transpose().map_err(|_| row.range("lot"))?;
    let action: String = row.value(3)?;
    let result = CommandResult::of_number(&action, number).ok_or_else(|| row.range("lot"))?;
    Ok(CommandKey {
        actor: row.value(0)?,
        key: fingerprint(1, "key")?,
        request: fingerprint(2, "request")?,
        action,
        drop: DropId::new(row.number(4, "drop_id")?),
        result,
    })
}
