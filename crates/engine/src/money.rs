//! The money of holds, for whoever asks.

use stampede_books::ReopenedDrop;
use stampede_domain::{DropId, HoldId, Mode, Money, SkuIndex, Units};
use stampede_ledger::{Journal, ReadError, Record, RecordError, Row, Rows};
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
