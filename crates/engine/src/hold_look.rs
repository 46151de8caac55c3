//! The two answers to what became of a hold: as memory has it, and as far as it is durable.

use stampede_books::{HoldLook, HoldStatus};
use stampede_domain::{DurationMs, HoldId};
use stampede_stock::HoldView;

use crate::{sale::SaleDrop, shared::EngineState};

impl SaleDrop {
    /// A hold as memory has it, priced by the plan. It shows ends that are not durable yet, so this is
    /// for decisions: nobody outside may be told of it.
    pub(crate) fn hold_in_memory(&self, hold: HoldId) -> HoldLook {
        self.look(hold).0
    }

    /// The same, with how much of its time viewers may not know yet.
    pub(crate) fn look(&self, hold: HoldId) -> (HoldLook, DurationMs) {
        let none = |look| (look, DurationMs::ZERO);
        let (body, confirmed) = match self.stock().view(hold) {
            HoldView::Pending(_) => return none(HoldLook::Pending),
            HoldView::Ended => return none(HoldLook::Ended),
            HoldView::Unknown => return none(HoldLook::Unknown),
            HoldView::Held(body) => (body, false),
            HoldView::Confirmed(body) => (body, true),
        };
        let (deadline, hidden) = self.deadline(hold, &body);
        let status = HoldStatus {
            hold,
            viewer: body.viewer,
            sku: self.sku_of(body.pool).expect("a hold is of a pool of its drop"),
            units: body.units,
            amount: self.amount(body.pool, body.units).expect("plans bound their prices"),
            deadline,
            grace: self.plan().grace(),
            confirmed,
        };
        (HoldLook::Known(status), hidden)
    }
}

impl EngineState {
    /// A hold as far as it is durable, which is all that anybody outside may be told.
    pub(crate) fn durable_hold(&self, sale: &SaleDrop, hold: HoldId) -> HoldLook {
        let (mut in_memory, hidden) = sale.look(hold);
        if let HoldLook::Known(status) = &mut in_memory {
            status.deadline = status.deadline.minus(hidden);
        }
        let ended = match in_memory {
            HoldLook::Ended => true,
            HoldLook::Known(status) => status.confirmed,
            HoldLook::Pending | HoldLook::Unknown => false,
        };
        // The steward notes an end before it shows in the stock, so who sees it finds the note, or
        // comes after the note was removed because the end is durable.
        let noted = if ended { self.ends_under_way.get(&hold) } else { None };
        noted.map_or(in_memory, |held| HoldLook::Known(*held))
    }
}
