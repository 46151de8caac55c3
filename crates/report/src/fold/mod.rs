//! The sell-out report as a fold of the journal.
//!
//! `report = fold(journal)`: rows go in one by one in commit order, figures can be taken out at any
//! point. Memory is bounded by drops, their buyers, channels, live holds, the seconds in which something happened, the
//! orders and payments. Holds that have ended need none besides: each record names its own units.
//!
//! Figures of a drop whose chain has ended stay as they were then. What comes later stands in
//! [`DropReport::adjustments`], and only what is still to be done about money, [`DropReport::open_money`], is as of now.

mod adjustments;
mod changes;
mod channels;
mod click_sources;
mod course;
mod curve;
mod drop_fold;
mod figures;
mod gaps;
mod money;
mod pace;
mod phases;
mod sums;
mod terms;

use std::collections::BTreeMap;

use stampede_domain::{DropId, Incarnation, PoolIndex, Seq};
use stampede_ledger::{RecordError, Row};

pub use adjustments::Adjustments;
pub use changes::{CHANGES_MAX, Change, ChangeList, Changed, LimitChange};
pub(crate) use channels::sort as sort_channels;
pub use channels::{ChannelFigures, ChannelReport};
pub use course::{Counts, EarlyClicks, SECONDS_MAX, Second};
pub use curve::{CURVE_STEPS_MAX, Curve, Step};
pub use drop_fold::DropFold;
pub use figures::{DropReport, Ends, JournalFigures, SkuReport, TakenUnits};
pub use gaps::{GAPS_MAX, Gap, GapKind};
pub use money::{OpenMoney, UnmatchedMoney};
pub use phases::PhaseTime;
pub(crate) use sums::sum;
pub use sums::{Cancellations, MoneyChange, OrderMoney};

/// Why rows give no report. `stampede verify` tells what is wrong with such a ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// A record cannot be read.
    #[error("{drop} incarnation {incarnation} commit {seq}: {source}")]
    Record {
        /// The drop.
        drop: DropId,
        /// The start of the node that wrote the row.
        incarnation: Incarnation,
        /// The commit.
        seq: Seq,
        /// What is wrong.
        source: RecordError,
    },
    /// A record about a drop that was never planned.
    #[error("{drop} commit {seq} has a record before any plan")]
    NoPlan {
        /// The drop.
        drop: DropId,
        /// The commit.
        seq: Seq,
    },
    /// A record names a pool that the plan does not have.
    #[error("{drop} commit {seq} names pool {pool}, which the plan does not have")]
    UnknownPool {
        /// The drop.
        drop: DropId,
        /// The commit.
        seq: Seq,
        /// The pool.
        pool: PoolIndex,
    },
    /// More units came back, or were sold, than had been taken.
    #[error("{drop} commit {seq} ends more units of pool {pool} than were taken")]
    Unbalanced {
        /// The drop.
        drop: DropId,
        /// The commit.
        seq: Seq,
        /// The pool.
        pool: PoolIndex,
    },
    /// A sum of money beyond 2^53 - 1 minor units, or in two currencies.
    #[error("{drop} commit {seq}: the orders cannot be summed")]
    Money {
        /// The drop.
        drop: DropId,
        /// The commit.
        seq: Seq,
    },
}

/// Folds the rows of all drops.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    drops: BTreeMap<DropId, DropFold>,
    unmatched: UnmatchedMoney,
}

impl Fold {
    /// Begins before the first row.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next row in commit order; of the house's chain only money that nobody can match.
    ///
    /// # Errors
    /// [`FoldError`]; the fold is of no use then.
    pub fn apply(&mut self, row: &Row) -> Result<(), FoldError> {
        if row.drop == DropId::HOUSE {
            return self.house(row);
        }
        // What comes after a drop has ended is about its money.
        let drop = row.drop.sale();
        self.drops.entry(drop).or_insert_with(|| DropFold::new(drop)).apply(row)
    }

    fn house(&mut self, row: &Row) -> Result<(), FoldError> {
        let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
        for record in row.decode() {
            let fail = |source| FoldError::Record { drop, incarnation, seq, source };
            self.unmatched.add(&record.map_err(fail)?);
        }
        Ok(())
    }

    /// Money that nobody can match so far.
    pub const fn unmatched(&self) -> &UnmatchedMoney {
        &self.unmatched
    }

    /// The figures of one drop so far.
    pub fn report(&self, drop: DropId) -> Option<DropReport> {
        self.drops.get(&drop)?.report()
    }

    /// The figures of all drops so far, oldest drop first.
    pub fn reports(&self) -> Vec<DropReport> {
        self.drops.values().filter_map(DropFold::report).collect()
    }
}
