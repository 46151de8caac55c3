//! The money of holds, for whoever asks.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use stampede_books::ReopenedDrop;
use stampede_domain::{DropId, HoldId, Mode, Money, SkuIndex, Units};
use stampede_ledger::{Journal, ReadError, Record, RecordError, Row, RowKey, RowSpan, Rows};
use stampede_settlement::{HoldAccount, Matter, PaymentBook};

use crate::HoldLook;

/// The money of one hold with how the hold stands; all of it is durable.
#[derive(Clone, Debug)]
pub struct HoldMoney {
    /// Where the hold's id leads.
    pub look: HoldLook,
    /// Whether its drop has left memory.
    pub is_over: bool,
    /// Whether its drop's money is in memory; that of a drop that is over is after [`Engine::reopen`](crate::Engine::reopen).
    pub is_read: bool,
    /// What it is for, as long as that is remembered.
    pub goods: Option<HoldGoods>,
    /// What was heard of its money, if anything.
    pub account: Option<HoldAccount>,
    /// What is to be done about it.
    pub matters: Vec<Matter>,
}

/// What a hold is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldGoods {
    /// Of which SKU of its drop.
    pub sku: SkuIndex,
    /// How many units.
    pub units: Units,
    /// What they cost together, without charges.
    pub amount: Money,
}

/// Holds with what is to be done about the money of each, by their ids.
pub type OpenMatters = Vec<(HoldId, Vec<Matter>)>;

/// Why the money of a drop cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MoneyError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A row is damaged.
    #[error("the money of {drop} cannot be read: {source}")]
    Record {
        /// The chain.
        drop: DropId,
        /// What is wrong with it.
        source: RecordError,
    },
}

/// What is to be done about the money of drops that have left memory, as far as somebody asked: those that were read
/// are read again only once something was recorded about them since.
#[derive(Debug, Default)]
pub struct OverMoney(Mutex<HashMap<DropId, SeenMoney>>);

#[derive(Debug)]
struct SeenMoney {
    /// The last row that was read.
    to: RowKey,
    open: OpenMatters,
}

impl OverMoney {
    /// Nothing is read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is to be done about a drop's money, by its holds; with whether the drop had to be read for it, which takes
    /// as long as it has records.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn matters(
        &self,
        journal: &dyn Journal,
        drop: DropId,
    ) -> Result<(OpenMatters, bool), MoneyError> {
        if let Some(seen) = self.0.lock().get(&drop)
            && !has_more(journal, drop, seen.to)?
        {
            return Ok((seen.open.clone(), false));
        }
        let (mut payments, mut to) = (PaymentBook::default(), RowKey::default());
        for row in Rows::of_drop(journal, drop)?.chain(Rows::of_adjustments(journal, drop)?) {
            let row = row?;
            apply(&row, &mut |record| payments.apply(record))?;
            to = RowKey::of(&row);
        }
        let holds = payments.open_holds(None);
        let open: OpenMatters = holds.map(|hold| (hold, payments.matters_of(hold))).collect();
        self.0.lock().insert(drop, SeenMoney { to, open: open.clone() });
        Ok((open, true))
    }
}

/// Whether a drop's adjustments go on behind a row.
fn has_more(journal: &dyn Journal, drop: DropId, after: RowKey) -> Result<bool, MoneyError> {
    let span = RowSpan { after, chain: Some((drop.adjustments(), RowKey::END)) };
    let mut rows = VecDeque::new();
    journal.fetch(&span, &mut rows)?;
    Ok(!rows.is_empty())
}

/// Reads the money of a drop that has left memory, adjustments included; for [`Engine::reopen`](crate::Engine::reopen).
/// Takes as long as the drop has records; the caller has a thread that may wait. `None` if there is no such drop.
///
/// # Errors
/// [`MoneyError`].
pub fn read_money(journal: &dyn Journal, drop: DropId) -> Result<Option<ReopenedDrop>, MoneyError> {
    let mut payments = PaymentBook::default();
    let (mut mode, mut adjustments) = (None, 0);
    for row in Rows::of_drop(journal, drop)? {
        apply(&row?, &mut |record| {
            if let Record::Planned { plan, .. } = record {
                mode = Some(plan.mode);
            }
            payments.apply(record);
        })?;
    }
    for row in Rows::of_adjustments(journal, drop)? {
        apply(&row?, &mut |record| {
            adjustments += 1;
            payments.apply(record);
        })?;
    }
    Ok(mode.map(|mode: Mode| ReopenedDrop { drop, mode, payments, adjustments }))
}

fn apply(row: &Row, each: &mut dyn FnMut(&Record)) -> Result<(), MoneyError> {
    for record in row.decode() {
        each(&record.map_err(|source| MoneyError::Record { drop: row.drop, source })?);
    }
    Ok(())
}
