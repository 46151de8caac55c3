//! The table of idempotency keys that accepted commands of drops have bound.

use rusqlite::{Connection, OptionalExtension, Params};
use stampede_domain::{DropId, KeyFingerprint};

use super::{
    columns::{Columns, all},
    failure::in_table,
    reader::{JournalReader, ReadError},
    schema,
};
use crate::CommandKey;

const TABLE: &str = "command_keys";

/// The first command that bound a key keeps it.
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
        bound.lot,
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

impl JournalReader {
    /// What the actor's key was bound to by an accepted command of a drop; a ledger of version 1 has no
    /// table of keys.
    ///
    /// # Errors
    /// As for every read.
    pub fn command_key(
        &self,
        actor: &str,
        key: KeyFingerprint,
    ) -> Result<Option<CommandKey>, ReadError> {
        if !self.has_command_keys()? {
            return Ok(None);
        }
        let sql = "SELECT actor, key, request, action, drop_id, lot FROM command_keys
                   WHERE actor = ?1 AND key = ?2";
        let mut statement = self.connection.prepare_cached(sql).map_err(in_table(TABLE))?;
        let read = |row: &rusqlite::Row<'_>| Ok(command_key(&Columns { table: TABLE, row }));
        let found = statement.query_row((actor, key.bits().to_be_bytes()), read).optional();
        found.map_err(in_table(TABLE))?.transpose()
    }

    /// All such keys; `None` in a ledger of version 1.
    ///
    /// # Errors
    /// As for every read.
    pub fn command_keys(&self) -> Result<Option<Vec<CommandKey>>, ReadError> {
        if !self.has_command_keys()? {
            return Ok(None);
        }
        let sql = "SELECT actor, key, request, action, drop_id, lot FROM command_keys
                   ORDER BY actor, key";
        all(&self.connection, TABLE, sql, command_key).map(Some)
    }

    fn has_command_keys(&self) -> Result<bool, ReadError> {
        // Asked each time: the server may bring the ledger to a newer version meanwhile.
        let (_, version) = schema::marks(&self.connection).map_err(in_table("ledger"))?;
        Ok(version >= 2)
    }
}

fn command_key(row: &Columns<'_>) -> Result<CommandKey, ReadError> {
    let fingerprint = |column, name| {
        let bytes: Vec<u8> = row.value(column)?;
        let bits = <[u8; 16]>::try_from(bytes).map_err(|_| row.range(name))?;
        Ok(KeyFingerprint::from_bits(u128::from_be_bytes(bits)))
    };
    let lot: Option<i64> = row.value(5)?;
    Ok(CommandKey {
        actor: row.value(0)?,
        key: fingerprint(1, "key")?,
        request: fingerprint(2, "request")?,
        action: row.value(3)?,
        drop: DropId::new(row.number(4, "drop_id")?),
        lot: lot.map(u32::try_from).transpose().map_err(|_| row.range("lot"))?,
    })
}
