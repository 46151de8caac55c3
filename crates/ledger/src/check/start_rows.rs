//! Iterates over what a start reads.

use std::{collections::VecDeque, sync::Arc};

use super::{
    range::StartRange,
    source::{KeyEntry, Part, StartSource},
};
use crate::{CommitKey, ReadError, Row, RowKey};

/// Where a start's reading stands.
pub(crate) struct StartCursor {
    range: Arc<StartRange>,
    after: RowKey,
    /// Still before the range.
    is_before: bool,
    fetched: VecDeque<KeyEntry>,
    has_ended: bool,
}

impl StartCursor {
    pub(crate) fn new(range: Arc<StartRange>) -> Self {
        let is_before = range.from > CommitKey::default();
        let (after, fetched) = (RowKey::default(), VecDeque::new());
        Self { range, after, is_before, fetched, has_ended: false }
    }

    pub(crate) fn next(&mut self, source: &dyn StartSource) -> Option<Result<KeyEntry, ReadError>> {
        while self.fetched.is_empty() && !self.has_ended {
            let range = &*self.range;
            let part = if self.is_before { Part::Apart(range) } else { Part::All(range) };
            let found = source.find(self.after, &part, &mut self.fetched);
            match self.fetched.back() {
                // What stands before damage still comes out first: the next piece begins with the damage.
                Some(KeyEntry::Row(row)) => self.after = RowKey::of(row),
                Some(KeyEntry::Key(key)) => self.after = *key,
                None => match found {
                    Err(error) => {
                        self.has_ended = true;
                        return Some(Err(error));
                    }
                    Ok(()) if self.is_before => {
                        self.is_before = false;
                        self.after = RowKey::before(self.range.from);
                    }
                    Ok(()) => self.has_ended = true,
                },
            }
        }
        self.fetched.pop_front().map(Ok)
    }
}

/// The rows that a start reads, in commit order.
pub(crate) struct StartRows {
    source: Box<dyn StartSource + Send>,
    cursor: StartCursor,
}

impl StartRows {
    pub(crate) fn new(source: Box<dyn StartSource + Send>, range: Arc<StartRange>) -> Self {
        Self { source, cursor: StartCursor::new(range) }
    }
}

impl Iterator for StartRows {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.cursor.next(&*self.source)? {
                Ok(KeyEntry::Row(row)) => return Some(Ok(*row)),
                Ok(KeyEntry::Key(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
