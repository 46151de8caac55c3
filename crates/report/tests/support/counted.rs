//! A ledger that counts what is read of it, and refuses to read more than a page needs.

use std::{cell::Cell, collections::VecDeque, path::Path};

use stampede_domain::{DropId, KeyFingerprint};
use stampede_ledger::{
    CommandKey, CommitKey, IncarnationRow, Journal, LinkRow, Mark, NodeRow, OrderRow, Projection,
    ReadError, Row, RowSpan, Seal, Snapshot, SqliteJournal, SupplyRow,
};

/// A ledger that counts what is read of it.
pub struct Counted {
    pub journal: SqliteJournal,
    pub rows: Cell<usize>,
    pub links: Cell<usize>,
    /// What happens before rows are fetched.
    pub before_rows: Box<dyn Fn()>,
}

impl Counted {
    pub fn open(path: &Path) -> Self {
        Self {
            journal: super::journal(path),
            rows: Cell::new(0),
            links: Cell::new(0),
            before_rows: Box::new(|| ()),
        }
    }
}

impl Journal for Counted {
    fn fetch(&self, span: &RowSpan, rows: &mut VecDeque<Row>) -> Result<(), ReadError> {
        (self.before_rows)();
        let before = rows.len();
        let fetched = self.journal.fetch(span, rows);
        self.rows.set(self.rows.get() + rows.len() - before);
        fetched
    }

    fn fetch_links(&self, from: CommitKey, limit: u32) -> Result<Vec<LinkRow>, ReadError> {
        let links = self.journal.fetch_links(from, limit)?;
        self.links.set(self.links.get() + links.len());
        Ok(links)
    }

    fn links(&self) -> Result<Vec<LinkRow>, ReadError> {
        panic!("a page reads no more links than it needs");
    }

    fn nodes(&self) -> Result<Vec<NodeRow>, ReadError> {
        self.journal.nodes()
    }

    fn incarnations(&self) -> Result<Vec<IncarnationRow>, ReadError> {
        self.journal.incarnations()
    }

    fn supply(&self) -> Result<Vec<SupplyRow>, ReadError> {
        self.journal.supply()
    }

    fn orders(&self, after_place: u64, limit: u32) -> Result<Vec<OrderRow>, ReadError> {
        self.journal.orders(after_place, limit)
    }

    fn orders_before(&self, place: u64, limit: u32) -> Result<Vec<OrderRow>, ReadError> {
        self.journal.orders_before(place, limit)
    }

    fn mark(&self, projection: Projection) -> Result<Mark, ReadError> {
        self.journal.mark(projection)
    }

    fn command_key(
        &self,
        actor: &str,
        key: KeyFingerprint,
    ) -> Result<Option<CommandKey>, ReadError> {
        self.journal.command_key(actor, key)
    }

    fn command_keys(&self) -> Result<Option<Vec<CommandKey>>, ReadError> {
        self.journal.command_keys()
    }

    fn seals(&self) -> Result<Option<Vec<Seal>>, ReadError> {
        panic!("a page reads the seals of its own drops");
    }

    fn seal(&self, drop: DropId) -> Result<Option<Seal>, ReadError> {
        self.journal.seal(drop)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, ReadError> {
        self.journal.snapshot()
    }

    fn inspect(&self, max: usize) -> Result<Vec<String>, ReadError> {
        self.journal.inspect(max)
    }
}
