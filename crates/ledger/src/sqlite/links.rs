//! The table of links.

use rusqlite::{Connection, OptionalExtension, params};
use stampede_domain::Incarnation;

use super::{
    columns::{Columns, all, incarnation, seq},
    failure::in_table,
};
use crate::{CommitKey, LinkRow, ReadError};

const TABLE: &str = "viewers";
const SELECT: &str = "SELECT incarnation, seq, pairs FROM viewers";
/// The row of `projection` that names the first start since which takes and bans carry the links that they
/// need.
const RULE: &str = "links";
/// The row that names the latest such start.
const RULE_UNTIL: &str = "links until";

/// Notes that this start writes links by the rule. It is the first that does, unless the one before it did.
pub(super) fn begin_rule(
    connection: &Connection,
    last: Option<Incarnation>,
    start: Incarnation,
) -> Result<(), rusqlite::Error> {
    let set = "INSERT INTO projection (name, incarnation, seq, drop_id, record)
               VALUES (?1, ?2, 0, 0, 0)
               ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation";
    let since = rule(connection, last)?.unwrap_or(start);
    for (name, start) in [(RULE, since), (RULE_UNTIL, start)] {
        connection.execute(set, params![name, start.get()])?;
    }
    Ok(())
}

/// The first start of those without a gap up to the latest one that wrote by the rule. `None` if the latest
/// did not: a program from before the rule leaves out links that stand in any earlier commit.
pub(super) fn rule(
    connection: &Connection,
    last: Option<Incarnation>,
) -> Result<Option<Incarnation>, rusqlite::Error> {
    let named = |name| {
        let sql = "SELECT incarnation FROM projection WHERE name = ?1";
        let found = connection.query_row(sql, [name], |row| row.get::<_, i64>(0)).optional();
        let number = found.map(|found| found.and_then(|number| u32::try_from(number).ok()));
        number.map(|number| number.and_then(Incarnation::new))
    };
    let (since, until) = (named(RULE)?, named(RULE_UNTIL)?);
    Ok(since.filter(|_| until.is_some() && until == last))
}

/// The links of this commit and all later ones.
pub(super) fn from(connection: &Connection, from: CommitKey) -> Result<Vec<LinkRow>, ReadError> {
    some_from(connection, from, u32::MAX)
}

/// The links of this commit and of later ones, those of at most `limit` commits.
pub(super) fn some_from(
    connection: &Connection,
    (incarnation, seq): CommitKey,
    limit: u32,
) -> Result<Vec<LinkRow>, ReadError> {
    let (incarnation, seq) = (incarnation.get(), seq.get());
    let sql = format!(
        "{SELECT} WHERE (incarnation, seq) >= ({incarnation}, {seq}) ORDER BY incarnation, seq
         LIMIT {limit}"
    );
    all(connection, TABLE, &sql, link_row)
}

/// The links of one commit.
pub(super) fn at(
    connection: &Connection,
    (incarnation, seq): CommitKey,
) -> Result<Option<LinkRow>, ReadError> {
    let fail = in_table(TABLE);
    let sql = format!("{SELECT} WHERE incarnation = ?1 AND seq = ?2");
    let mut statement = connection.prepare_cached(&sql).map_err(&fail)?;
    let key = (incarnation.get(), seq.get().cast_signed());
    let mut found = statement.query(key).map_err(&fail)?;
    let row = found.next().map_err(&fail)?;
    row.map(|row| link_row(&Columns { table: TABLE, row })).transpose()
}

fn link_row(row: &Columns<'_>) -> Result<LinkRow, ReadError> {
    Ok(LinkRow { incarnation: incarnation(row, 0)?, seq: seq(row, 1)?, pairs: row.value(2)? })
}
