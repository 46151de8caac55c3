//! The end of a drop: settled, or voided behind an undo.

use super::DropReplay;
use crate::verify::{
    finding::{Findings, Place},
    holds::HoldFault,
    phases::Stage,
    pool::PoolBook,
    viewers::ViewerBook,
};

impl DropReplay {
    /// Whether the drop's opening was undone, so that holds end for that whenever their time is over.
    pub(super) fn is_called_off(&self) -> bool {
        self.phases
            .as_ref()
            .is_some_and(|phases| matches!(phases.stage, Stage::Voiding | Stage::Voided))
    }

    /// The opening is undone, which may be only while nobody has an order.
    pub(super) fn undo(&self, place: Place, findings: &mut Findings) {
        let sold: u64 = self.pools.iter().map(|pool| pool.sold).sum();
        if sold > 0 {
            findings.add(place, HoldFault::UndoneAfterOrders { sold });
        }
    }

    pub(super) fn settle(&mut self, place: Place, findings: &mut Findings) {
        let live: u64 = self.pools.iter().map(PoolBook::live).sum();
        if live > 0 {
            let fault = if self.is_called_off() {
                HoldFault::VoidedLive { live }
            } else {
                HoldFault::SettledLive { live }
            };
            findings.add(place, fault);
        }
        self.pools.iter_mut().for_each(|pool| pool.settle(place, findings));
        self.viewers = ViewerBook::default();
        self.money.end_row(findings);
        self.money.drop_ended();
    }
}
