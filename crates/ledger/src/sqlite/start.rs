//! Reads the part of the journal that a start needs from `SQLite`.

use std::{borrow::Borrow, collections::VecDeque};

use rusqlite::Connection;
use stampede_domain::Incarnation;

use super::{failure::in_table, journal::SqliteJournal, links, rows};
use crate::{
    CommitKey, LinkRow, ReadError, Row, RowHash, RowKey,
    check::{KeyEntry, Part, StartSource},
};

impl<C: Borrow<Connection>> StartSource for SqliteJournal<C> {
    fn find(
        &self,
        after: RowKey,
        part: &Part<'_>,
        found: &mut VecDeque<KeyEntry>,
    ) -> Result<(), ReadError> {
        rows::find(self.connection(), after, part, found)
    }

    fn row_at(&self, key: RowKey) -> Result<Option<Row>, ReadError> {
        rows::row_at(self.connection(), key)
    }

    fn prev_hash(&self, key: RowKey) -> Result<Option<RowHash>, ReadError> {
        rows::prev_hash(self.connection(), key)
    }

    fn header(&self, commit: CommitKey) -> Result<Option<Vec<u8>>, ReadError> {
        rows::header(self.connection(), commit)
    }

    fn last_row(&self) -> Result<Option<Row>, ReadError> {
        rows::last(self.connection())
    }

    fn links_rule(&self, last: Option<Incarnation>) -> Result<Option<Incarnation>, ReadError> {
        links::rule(self.connection(), last).map_err(in_table("projection"))
    }

    fn links_from(&self, commit: CommitKey) -> Result<Vec<LinkRow>, ReadError> {
        links::from(self.connection(), commit)
    }

    fn links_at(&self, commit: CommitKey) -> Result<Option<LinkRow>, ReadError> {
        links::at(self.connection(), commit)
    }
}
