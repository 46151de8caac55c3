//! Iterates over the journal in bounded pieces.

use std::collections::VecDeque;

use stampede_domain::DropId;

use super::{Journal, error::ReadError, place::RowKey};
use crate::Row;

/// Which rows are read: all behind a key, or those of one drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSpan {
    /// Rows behind this key; the default stands before the first.
    pub after: RowKey,
    /// Only rows of this drop up to this key, that one included.
    pub chain: Option<(DropId, RowKey)>,
}

/// Where an iteration over the journal stands.
#[derive(Debug)]
pub(crate) struct RowCursor {
    span: RowSpan,
    fetched: VecDeque<Row>,
    has_ended: bool,
}

impl RowCursor {
    pub(crate) const fn new(after: RowKey) -> Self {
        Self::over(RowSpan { after, chain: None })
    }

    /// The rows of one drop behind a key, up to another.
    pub(crate) const fn of_drop(drop: DropId, after: RowKey, last: RowKey) -> Self {
        Self::over(RowSpan { after, chain: Some((drop, last)) })
    }

    const fn over(span: RowSpan) -> Self {
        Self { span, fetched: VecDeque::new(), has_ended: false }
    }

    pub(crate) fn next(&mut self, journal: &dyn Journal) -> Option<Result<Row, ReadError>> {
        if self.fetched.is_empty() && !self.has_ended {
            let fetched = journal.fetch(&self.span, &mut self.fetched);
            if let Some(last) = self.fetched.back() {
                // Rows before damage still come out first: the next piece begins with the damage.
                self.span.after = RowKey::of(last);
            } else {
                self.has_ended = true;
                if let Err(error) = fetched {
                    return Some(Err(error));
                }
            }
        }
        self.fetched.pop_front().map(Ok)
    }
}

/// Iterator over journal rows; fetches in bounded pieces, ends after the first error.
pub struct Rows<'a> {
    journal: &'a dyn Journal,
    cursor: RowCursor,
}

impl<'a> Rows<'a> {
    /// The rows behind a key, in commit order, as far as the journal reaches when the iterator gets there.
    /// `RowKey::default()` stands before the first row.
    pub fn after(journal: &'a dyn Journal, key: RowKey) -> Self {
        Self { journal, cursor: RowCursor::new(key) }
    }

    /// The rows of a span, in commit order.
    pub const fn of_span(journal: &'a dyn Journal, span: RowSpan) -> Self {
        Self { journal, cursor: RowCursor::over(span) }
    }

    /// The rows of one drop in commit order; where the drop has a seal, only what lies between its first
    /// and its last row.
    ///
    /// # Errors
    /// As for every read.
    pub fn of_drop(journal: &'a dyn Journal, drop: DropId) -> Result<Self, ReadError> {
        let seal = journal.seal(drop)?;
        let after = seal.as_ref().map(|seal| RowKey::before(seal.first)).unwrap_or_default();
        let last = seal.map_or(RowKey::END, |seal| RowKey::in_commit(seal.last, drop));
        Ok(Self { journal, cursor: RowCursor::of_drop(drop, after, last) })
    }

    /// The rows of what came after a drop's chain had ended, in commit order.
    ///
    /// # Errors
    /// As for every read.
    pub fn of_adjustments(journal: &'a dyn Journal, drop: DropId) -> Result<Self, ReadError> {
        let seal = journal.seal(drop)?;
        let after = seal.map(|seal| RowKey::in_commit(seal.last, drop)).unwrap_or_default();
        let cursor = RowCursor::of_drop(drop.adjustments(), after, RowKey::END);
        Ok(Self { journal, cursor })
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cursor.next(self.journal)
    }
}
