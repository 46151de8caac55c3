//! Follows the rows of one drop, so that a fold only takes in what was written since.

use stampede_domain::DropId;
use stampede_ledger::{CommitKey, Journal, ReadError, Row, RowKey, RowSpan, Rows};

/// How far the rows of one drop were read: those of its chain, then those of what came after the chain had ended.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    drop: DropId,
    /// The commit of its first row.
    first: Option<CommitKey>,
    /// How far its chain was read.
    read_to: RowKey,
    /// How far its adjustments were read.
    adjusted_to: RowKey,
}

impl Chain {
    /// Nothing was read yet.
    pub(crate) fn new(drop: DropId) -> Self {
        let nowhere = RowKey::default();
        Self { drop, first: None, read_to: nowhere, adjusted_to: nowhere }
    }

    /// Hands out the rows that were written since, in the order of their commits.
    ///
    /// # Errors
    /// As for every read, and whatever `take_in` says of a row; nothing can go on then.
    pub(crate) fn follow<E: From<ReadError>>(
        &mut self,
        journal: &dyn Journal,
        mut take_in: impl FnMut(&Row) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.drop == DropId::HOUSE {
            // The house's chain is long, and sells nothing.
            return Ok(());
        }
        // In this order: whatever is committed meanwhile lies behind the head, and is read the next time.
        let head = head(journal)?;
        let seal = journal.seal(self.drop)?;
        let mut last = head;
        if let Some(seal) = &seal {
            let (start, seq) = seal.last;
            last = RowKey { incarnation: start.get(), seq: seq.get(), drop: self.drop.get() };
            self.read_to = self.read_to.max(RowKey::before(seal.first));
        }
        self.read(journal, self.read_to, (self.drop, last), &mut take_in)?;
        self.read_to = self.read_to.max(last);
        if seal.is_some() {
            let after = self.adjusted_to.max(last);
            self.read(journal, after, (self.drop.adjustments(), head), &mut take_in)?;
            self.adjusted_to = after.max(head);
        }
        Ok(())
    }

    /// Hands out the rows of a chain behind a key, up to another.
    fn read<E: From<ReadError>>(
        &mut self,
        journal: &dyn Journal,
        after: RowKey,
        chain: (DropId, RowKey),
        take_in: &mut impl FnMut(&Row) -> Result<(), E>,
    ) -> Result<(), E> {
        if after >= chain.1 {
            return Ok(());
        }
        for row in Rows::of_span(journal, RowSpan { after, chain: Some(chain) }) {
            let row = row?;
            self.first.get_or_insert((row.incarnation, row.seq));
            take_in(&row)?;
        }
        Ok(())
    }

    /// The commit of the drop's first row, once one was read.
    pub(crate) const fn first(&self) -> Option<CommitKey> {
        self.first
    }

    /// The rows that were read: those of the chain, then those of the adjustments.
    pub(crate) fn rows_read(&self) -> [RowSpan; 2] {
        let before_first = self.first.map(RowKey::before).unwrap_or_default();
        let chain = RowSpan { after: before_first, chain: Some((self.drop, self.read_to)) };
        // No adjustment stands before the end of the chain.
        let adjustments = Some((self.drop.adjustments(), self.adjusted_to));
        [chain, RowSpan { after: self.read_to, chain: adjustments }]
    }
}

/// The key behind every row that is committed.
fn head(journal: &dyn Journal) -> Result<RowKey, ReadError> {
    let ends = journal.nodes()?.into_iter().map(|node| RowKey {
        incarnation: node.incarnation.get(),
        seq: node.last_seq.get(),
        drop: u32::MAX,
    });
    Ok(ends.max().unwrap_or_default())
}
