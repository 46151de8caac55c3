//! Damage to a ledger file, one kind at a time, chosen by a seed.
#![allow(dead_code, reason = "each of the programs that damage ledgers uses its own part")]
#![allow(unreachable_pub, reason = "a module of several programs, none of which has a public")]

use std::{
    fs::OpenOptions,
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

use rusqlite::{Connection, params};
use stampede_domain::{DropId, Incarnation, NodeId, Seq};
use stampede_ledger::{LEDGER_FILE, Row, RowHash};

use super::Dice;

/// A kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    FlipBody,
    FlipHash,
    DropMiddleRow,
    DropTailRow,
    SwapBodies,
    TruncateBody,
    RepeatRow,
    ChangeRecordCount,
    ChangeSupply,
    DeleteOrder,
    ChangeOrderAmount,
    RepeatOrder,
    DeleteLinks,
    ScrambleLinks,
    ChangeLastSeq,
    ForgetStart,
    RechainRow,
    RewriteRow,
    RewindProjection,
    DeleteKey,
    RebindKey,
    DeleteSeal,
    ChangeSeal,
    CutSeal,
    RewriteSeal,
    BreakPage,
}

impl Kind {
    pub const ALL: [(Self, &'static str); 26] = [
        (Self::FlipBody, "flip-body"),
        (Self::FlipHash, "flip-hash"),
        (Self::DropMiddleRow, "drop-middle-row"),
        (Self::DropTailRow, "drop-tail-row"),
        (Self::SwapBodies, "swap-bodies"),
        (Self::TruncateBody, "truncate-body"),
        (Self::RepeatRow, "repeat-row"),
        (Self::ChangeRecordCount, "change-record-count"),
        (Self::ChangeSupply, "change-supply"),
        (Self::DeleteOrder, "delete-order"),
        (Self::ChangeOrderAmount, "change-order-amount"),
        (Self::RepeatOrder, "repeat-order"),
        (Self::DeleteLinks, "delete-links"),
        (Self::ScrambleLinks, "scramble-links"),
        (Self::ChangeLastSeq, "change-last-seq"),
        (Self::ForgetStart, "forget-start"),
        (Self::RechainRow, "rechain-row"),
        (Self::RewriteRow, "rewrite-row"),
        (Self::RewindProjection, "rewind-projection"),
        (Self::DeleteKey, "delete-key"),
        (Self::RebindKey, "rebind-key"),
        (Self::DeleteSeal, "delete-seal"),
        (Self::ChangeSeal, "change-seal"),
        (Self::CutSeal, "cut-seal"),
        (Self::RewriteSeal, "rewrite-seal"),
        (Self::BreakPage, "break-page"),
    ];

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind)
    }

    /// The verifier calls it by one of these.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::FlipBody | Self::FlipHash | Self::SwapBodies | Self::TruncateBody => {
                &["hash_mismatch"]
            }
            Self::DropMiddleRow => &["chain_broken", "commits_missing", "rows_of_commit"],
            Self::DropTailRow => &["tail_differs", "rows_of_commit"],
            Self::ChangeRecordCount => &["record_count"],
            Self::ChangeSupply => &["supply_differs"],
            Self::DeleteOrder => &["order_missing"],
            Self::ChangeOrderAmount => &["order_differs"],
            Self::RepeatOrder => &["order_unfounded"],
            Self::DeleteLinks => &["link_missing"],
            Self::ScrambleLinks => &["links_unreadable"],
            Self::ChangeLastSeq => &["tail_differs"],
            Self::ForgetStart => &["unknown_start"],
            Self::RepeatRow | Self::RechainRow | Self::RewriteRow => &["chain_broken"],
            Self::RewindProjection => &["order_early"],
            Self::DeleteKey => &["key_missing"],
            Self::RebindKey => &["key_differs"],
            Self::DeleteSeal => &["seal_missing"],
            Self::ChangeSeal => &["seal_differs"],
            Self::CutSeal => &["seal_unreadable"],
            Self::RewriteSeal => &["seal_summary_differs"],
            Self::BreakPage => &["file_damaged", "unreadable"],
        }
    }
}

/// Damages the ledger of a directory that no server uses; tells what was done.
///
/// # Panics
/// If the ledger has too few rows for the damage.
pub fn corrupt(data_dir: &Path, kind: Kind, seed: u64) -> String {
    let path = data_dir.join(LEDGER_FILE);
    let mut dice = Dice(seed);
    if kind == Kind::BreakPage {
        return break_page(&path, &mut dice);
    }
    let connection = Connection::open(path).expect("the ledger opens");
    let damage = Damage { connection, dice };
    damage.apply(kind)
}

struct Damage {
    connection: Connection,
    dice: Dice,
}

impl Damage {
    fn apply(mut self, kind: Kind) -> String {
        match kind {
            Kind::FlipBody => self.flip("body"),
            Kind::FlipHash => self.flip("hash"),
            Kind::SwapBodies => self.swap_bodies(),
            Kind::RepeatRow => self.repeat_row(),
            Kind::RepeatOrder => self.repeat_order(),
            Kind::ChangeLastSeq => {
                let by = 1 + i64::try_from(self.dice.roll(5)).expect("small");
                self.run("UPDATE node SET last_seq = last_seq + ?1", by)
            }
            Kind::RechainRow => self.rewrite(|row, dice| {
                let mut bytes = *row.prev_hash.as_bytes();
                bytes[usize::try_from(dice.roll(32)).expect("small")] ^= 1;
                row.prev_hash = RowHash::from_bytes(bytes);
            }),
            // The last bit of the commit's time, so that times stay in order.
            Kind::RewriteRow => self.rewrite(|row, _| row.body[3] ^= 1),
            _ => {
                let (chosen_by, change) = statements(kind);
                let value = self.any(chosen_by);
                self.run(change, value)
            }
        }
    }

    fn run(&self, sql: &str, value: i64) -> String {
        let changed = self.connection.execute(sql, [value]).expect("the statement runs");
        assert!(changed > 0, "the ledger is too small for {sql}");
        format!("{sql} [{value}]")
    }

    /// One of the values that a query gives.
    fn any(&mut self, sql: &str) -> i64 {
        let mut query = self.connection.prepare(sql).expect("the query is valid");
        let found: Vec<i64> =
            query.query_map((), |row| row.get(0)).expect("it runs").flatten().collect();
        assert!(!found.is_empty(), "the ledger is too small for {sql}");
        *self.dice.pick(&found)
    }

    fn blob(&self, column: &str, row: i64) -> Vec<u8> {
        let sql = format!("SELECT {column} FROM journal WHERE rowid = ?1");
        self.connection.query_row(&sql, [row], |row| row.get(0)).expect("the row is there")
    }

    fn flip(&mut self, column: &str) -> String {
        let row = self.any("SELECT rowid FROM journal");
        let mut bytes = self.blob(column, row);
        let place = self.dice.roll(u64::try_from(bytes.len()).expect("small"));
        let bit = self.dice.roll(8);
        bytes[usize::try_from(place).expect("small")] ^= 1_u8 << bit;
        let sql = format!("UPDATE journal SET {column} = ?1 WHERE rowid = ?2");
        self.connection.execute(&sql, params![bytes, row]).expect("the update runs");
        format!("flipped bit {bit} of byte {place} of {column} in row {row}")
    }

    /// Swaps the contents of two rows of one drop, each complete with its count of records.
    fn swap_bodies(&mut self) -> String {
        let one = self.any("SELECT rowid FROM journal WHERE drop_id = 1");
        let other =
            self.any(&format!("SELECT rowid FROM journal WHERE drop_id = 1 AND rowid <> {one}"));
        let content = |row: i64| -> (Vec<u8>, i64) {
            let sql = "SELECT body, records FROM journal WHERE rowid = ?1";
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            self.connection.query_row(sql, [row], read).expect("the row is there")
        };
        let (mine, theirs) = (content(one), content(other));
        for (row, (body, records)) in [(one, theirs), (other, mine)] {
            let sql = "UPDATE journal SET body = ?1, records = ?2 WHERE rowid = ?3";
            self.connection.execute(sql, params![body, records, row]).expect("the update runs");
        }
        format!("swapped the bodies of rows {one} and {other}")
    }

    /// Appends a copy of a row as the next commit; the fence says that it happened.
    fn repeat_row(&mut self) -> String {
        let row = self.any("SELECT rowid FROM journal WHERE seq > 1");
        let sql =
            "INSERT INTO journal (incarnation, seq, drop_id, node, records, prev_hash, hash, body)
             SELECT node.incarnation, node.last_seq + 1, drop_id, journal.node, records, prev_hash,
                    hash, body
             FROM journal, node WHERE journal.rowid = ?1";
        let done = self.run(sql, row);
        self.connection.execute("UPDATE node SET last_seq = last_seq + 1", []).expect("it runs");
        done
    }

    /// Appends a copy of an order under another name, because names are unique.
    fn repeat_order(&mut self) -> String {
        let place = self.any("SELECT place FROM orders");
        let sql = "SELECT hold FROM orders WHERE place = ?1";
        let mut hold: Vec<u8> =
            self.connection.query_row(sql, [place], |row| row.get(0)).expect("the order is there");
        hold[15] ^= 0x80;
        let sql = "INSERT INTO orders
             SELECT (SELECT max(place) + 1 FROM orders), ?2, drop_id, pool, sku, viewer, units,
                    amount_minor, currency, at_ms, incarnation, seq, channel
             FROM orders WHERE place = ?1";
        self.connection.execute(sql, params![place, hold]).expect("the copy goes in");
        format!("copied order {place} under another name")
    }

    /// Changes a row, then gives that row alone a fitting hash. It is never a drop's last row:
    /// nothing but a copy of the head hash kept elsewhere tells that one.
    fn rewrite(&mut self, change: impl FnOnce(&mut Row, &mut Dice)) -> String {
        let sql = "SELECT rowid FROM journal AS row WHERE EXISTS (SELECT 1 FROM journal AS later
                   WHERE later.drop_id = row.drop_id AND later.rowid > row.rowid)";
        let place = self.any(sql);
        let mut row = self.row(place);
        change(&mut row, &mut self.dice);
        row.hash = row.computed_hash();
        let sql = "UPDATE journal SET body = ?1, prev_hash = ?2, hash = ?3 WHERE rowid = ?4";
        let values = params![row.body, row.prev_hash.as_bytes(), row.hash.as_bytes(), place];
        self.connection.execute(sql, values).expect("the update runs");
        format!("rewrote row {place} with a hash of its own")
    }

    fn row(&self, place: i64) -> Row {
        let sql = "SELECT drop_id, node, incarnation, seq, records, body, prev_hash, hash
                   FROM journal WHERE rowid = ?1";
        self.connection.query_row(sql, [place], read_row).expect("the row is there")
    }
}

/// The kinds that are one statement: what it may be done to, then what is done to one of those.
fn statements(kind: Kind) -> (&'static str, &'static str) {
    let any_row = "SELECT rowid FROM journal";
    let any_order = "SELECT place FROM orders";
    match kind {
        Kind::DropMiddleRow => (
            "SELECT rowid FROM journal WHERE (incarnation, seq) <
               (SELECT incarnation, max(seq) FROM journal
                WHERE incarnation = (SELECT max(incarnation) FROM journal))",
            "DELETE FROM journal WHERE rowid = ?1",
        ),
        Kind::DropTailRow => {
            ("SELECT max(rowid) FROM journal", "DELETE FROM journal WHERE rowid = ?1")
        }
        Kind::TruncateBody => (
            any_row,
            "UPDATE journal SET body = substr(body, 1, length(body) - 1) WHERE rowid = ?1",
        ),
        Kind::ChangeRecordCount => {
            (any_row, "UPDATE journal SET records = records + 1 WHERE rowid = ?1")
        }
        Kind::ChangeSupply => (
            "SELECT drop_id FROM supply",
            "UPDATE supply SET supplied = supplied + 1 WHERE drop_id = ?1",
        ),
        Kind::DeleteOrder => (any_order, "DELETE FROM orders WHERE place = ?1"),
        Kind::ChangeOrderAmount => {
            (any_order, "UPDATE orders SET amount_minor = amount_minor - 1 WHERE place = ?1")
        }
        // A later take may write a link again; those of the first commit stand alone.
        Kind::DeleteLinks => {
            ("SELECT min(rowid) FROM viewers", "DELETE FROM viewers WHERE rowid = ?1")
        }
        Kind::ScrambleLinks => (
            "SELECT rowid FROM viewers",
            "UPDATE viewers SET pairs = substr(pairs, 1, length(pairs) - 3) WHERE rowid = ?1",
        ),
        Kind::ForgetStart => (
            "SELECT incarnation FROM incarnations",
            "DELETE FROM incarnations WHERE incarnation = ?1",
        ),
        Kind::RewindProjection => {
            ("SELECT 0", "UPDATE projection SET incarnation = ?1, seq = 0, record = 0")
        }
        // The table has no rowid; its keys are few and their drops are as good.
        Kind::DeleteKey => (
            "SELECT drop_id FROM command_keys",
            "DELETE FROM command_keys WHERE key = (SELECT min(key) FROM command_keys WHERE drop_id = ?1)",
        ),
        Kind::RebindKey => (
            "SELECT drop_id FROM command_keys",
            "UPDATE command_keys SET request = zeroblob(16) WHERE drop_id = ?1",
        ),
        Kind::DeleteSeal | Kind::ChangeSeal | Kind::CutSeal | Kind::RewriteSeal => {
            ("SELECT drop_id FROM seals", of_seals(kind))
        }
        _ => unreachable!("{kind:?} is more than a statement"),
    }
}

fn of_seals(kind: Kind) -> &'static str {
    match kind {
        Kind::DeleteSeal => "DELETE FROM seals WHERE drop_id = ?1",
        Kind::ChangeSeal => "UPDATE seals SET units_sold = units_sold + 1 WHERE drop_id = ?1",
        Kind::CutSeal => {
            "UPDATE seals SET summary = substr(summary, 1, length(summary) - 1) WHERE drop_id = ?1"
        }
        // The second byte tells settled from cancelled.
        _ => {
            "UPDATE seals SET summary = CAST(substr(summary, 1, 1) || x'01' || substr(summary, 3) AS BLOB)
             WHERE drop_id = ?1"
        }
    }
}

/// Reads a journal row with the columns in the order of [`Row`]'s fields.
pub fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let node: String = row.get(1)?;
    let seq: i64 = row.get(3)?;
    Ok(Row {
        drop: DropId::new(row.get(0)?),
        node: NodeId::new(&node).expect("a node's name"),
        incarnation: Incarnation::new(row.get(2)?).expect("a start"),
        seq: Seq::new(seq.cast_unsigned()).expect("a commit"),
        records: row.get(4)?,
        body: row.get(5)?,
        prev_hash: RowHash::from_bytes(row.get(6)?),
        hash: RowHash::from_bytes(row.get(7)?),
    })
}

/// Breaks the first byte of some page, which every kind of page needs.
fn break_page(path: &Path, dice: &mut Dice) -> String {
    let connection = Connection::open(path).expect("the ledger opens");
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("it runs");
    let bytes: u32 =
        connection.query_row("PRAGMA page_size", [], |row| row.get(0)).expect("a size");
    let bytes = u64::from(bytes);
    // Closing moves everything into the one file.
    drop(connection);
    let mut file = OpenOptions::new().read(true).write(true).open(path).expect("the file opens");
    let pages = file.metadata().expect("it has a size").len() / bytes;
    let page = 1 + dice.roll(pages - 1);
    let mut byte = [0];
    file.seek(SeekFrom::Start(page * bytes)).expect("it seeks");
    file.read_exact(&mut byte).expect("it reads");
    file.seek(SeekFrom::Start(page * bytes)).expect("it seeks");
    file.write_all(&[byte[0] ^ 0x55]).expect("it writes");
    format!("broke page {} of {pages}", page + 1)
}
