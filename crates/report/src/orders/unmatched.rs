//! Money that nobody can match: payments of which nobody can say what they were for.

use std::collections::VecDeque;

use parking_lot::Mutex;
use stampede_domain::{DropId, Money, PaymentId, UnixMillis};
use stampede_ledger::{Journal, Record, RowKey, RowSpan};

use super::{OrdersError, folded::head};
use crate::FoldError;

/// A payment that nobody can match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmatchedEntry {
    /// Counted from 1 in the order of the journal.
    pub number: u64,
    /// When it was recorded.
    pub at: UnixMillis,
    /// The payment.
    pub payment: PaymentId,
    /// How much was taken.
    pub amount: Money,
    /// What the payment named, as far as it can be read; may be empty.
    pub named: String,
}

/// Reads them from the house's chain; a later reading only reads what was written since.
#[derive(Debug, Default)]
pub struct UnmatchedReader(Mutex<Followed>);

#[derive(Debug, Default)]
struct Followed {
    /// How far the chain was read.
    to: RowKey,
    found: Vec<UnmatchedEntry>,
}

impl UnmatchedReader {
    /// Nothing is read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those behind a number, oldest first, at most `limit` of those that `sees` picks; with whether there are more.
    ///
    /// # Errors
    /// [`OrdersError`].
    pub fn page(
        &self,
        journal: &dyn Journal,
        after: u64,
        limit: usize,
        sees: impl Fn(&PaymentId) -> bool,
    ) -> Result<(Vec<UnmatchedEntry>, bool), OrdersError> {
        let mut followed = self.0.lock();
        followed.follow(journal)?;
        let behind = followed.found.iter().filter(|one| one.number > after && sees(&one.payment));
        let mut page: Vec<_> = behind.take(limit.saturating_add(1)).cloned().collect();
        let more = page.len() > limit;
        page.truncate(limit);
        Ok((page, more))
    }
}

impl Followed {
    fn follow(&mut self, journal: &dyn Journal) -> Result<(), OrdersError> {
        let head = head(journal)?;
        let mut rows = VecDeque::new();
        while self.to < head {
            let span = RowSpan { after: self.to, chain: Some((DropId::HOUSE, head)) };
            let fetched = journal.fetch(&span, &mut rows);
            if rows.is_empty() {
                fetched?;
                self.to = head;
            }
            for row in rows.drain(..) {
                let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
                let fail = |source| FoldError::Record { drop, incarnation, seq, source };
                let at = row.header().map_err(fail)?.at;
                let records: Vec<Record> = row.decode().collect::<Result<_, _>>().map_err(fail)?;
                for record in records {
                    let Record::Unmatched(unmatched) = record else { continue };
                    self.found.push(UnmatchedEntry {
                        number: self.found.last().map_or(1, |last| last.number + 1),
                        at,
                        payment: unmatched.payment,
                        amount: unmatched.amount,
                        named: unmatched.named.as_str().to_owned(),
                    });
                }
                self.to = RowKey::of(&row);
            }
        }
        Ok(())
    }
}
