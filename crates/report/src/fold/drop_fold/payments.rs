//! Money in the fold of a drop, also what came of it after the drop's chain had ended.

use stampede_domain::{Seq, UnixMillis};
use stampede_ledger::{PaymentChange, PaymentRecord, Record, Row};

use super::DropFold;
use crate::fold::FoldError;

impl DropFold {
    /// A row of what came after the drop's chain had ended: it is about money, and changes no figure of the drop.
    pub(super) fn adjust(&mut self, row: &Row, at: UnixMillis) -> Result<(), FoldError> {
        let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
        self.money.end(at);
        let (as_of, records) = self.adjusted.get_or_insert((at, 0));
        *as_of = at.max(*as_of);
        for record in row.decode() {
            *records += 1;
            let fail = |source| FoldError::Record { drop, incarnation, seq, source };
            if let Record::Payment(record) = record.map_err(fail)? {
                let terms = self.terms.as_ref().ok_or(FoldError::NoPlan { drop, seq })?;
                self.money.record(&record, terms.gross.currency());
            }
        }
        Ok(())
    }

    /// Something about the money for a hold; units of a cancelled order may have gone on sale again with it.
    pub(super) fn paid(&mut self, record: &PaymentRecord, seq: Seq) -> Result<(), FoldError> {
        let terms = self.terms.as_ref().ok_or(FoldError::NoPlan { drop: self.drop, seq })?;
        self.money.record(record, terms.gross.currency());
        if let PaymentChange::Cancelled(cancelled) = &record.change
            && cancelled.lot.is_some()
        {
            self.changes.was_sold_before();
        }
        Ok(())
    }
}
