//! What the fold of a drop knows of holds that somebody asks about, so that their records alone are read again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stampede_domain::{DropPlan, HoldId, ViewerId, ViewerNumber};
use stampede_ledger::{Journal, RowSpan};

use super::{
    Order, OrdersError, UnitEdition,
    folded::{Blobs, FoldedDrop},
};

/// Holds of one drop as far as its rows were read.
#[derive(Debug)]
pub(crate) struct KnownHolds {
    /// The terms, if they are known.
    pub(crate) plan: Option<Arc<DropPlan>>,
    /// The holds that were asked about that are there, and those that are tied to them: one took its units again for
    /// the late payment of the other. Those that are orders come with the order.
    pub(crate) holds: BTreeMap<HoldId, Option<KnownOrder>>,
    /// The rows that say so: those of the drop's chain, then those of its adjustments.
    pub(crate) rows: [RowSpan; 2],
}

/// An order, without its viewer's name.
#[derive(Debug)]
pub(crate) struct KnownOrder {
    /// As it stands.
    pub(crate) order: Order,
    /// The numbers of its units as it was confirmed.
    pub(crate) first_edition: Option<UnitEdition>,
}

impl FoldedDrop {
    /// What is known of holds, and of those that are tied to them.
    pub(super) fn known(&self, asked: impl IntoIterator<Item = HoldId>) -> KnownHolds {
        let asked = asked.into_iter().filter(|hold| self.fold.has(*hold));
        let holds = self.fold.tied(asked.collect()).into_iter().map(|hold| {
            let order = self.fold.order(hold);
            let first_edition = self.fold.first_edition(hold);
            (hold, order.map(|order| KnownOrder { order, first_edition }))
        });
        let (plan, holds) = (self.fold.plan().cloned(), holds.collect());
        KnownHolds { plan, holds, rows: self.rows_read() }
    }

    /// The names of those who took, as far as they were not erased.
    pub(super) fn names(
        &mut self,
        journal: &dyn Journal,
        numbers: &BTreeSet<ViewerNumber>,
    ) -> Result<BTreeMap<ViewerNumber, ViewerId>, OrdersError> {
        let (mut names, mut blobs) = (BTreeMap::new(), Blobs::default());
        for number in numbers {
            if let Some(name) = self.name_of(journal, *number, &mut blobs)? {
                names.insert(*number, name);
            }
        }
        Ok(names)
    }
}
