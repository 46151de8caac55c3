//! The two answers to what became of a hold: as memory has it, and as far as it is durable.

use stampede_books::{HoldLook, HoldStatus};
use stampede_domain::HoldId;
use stampede_stock::HoldView;

use crate::{sale::SaleDrop, shared::EngineState};

impl SaleDrop {
    /// A hold as memory has it, priced by the plan. It shows ends that are not durable yet, so this is
    /// for decisions: nobody outside may be told of it.
    pub(crate) fn hold_in_memory(&self, hold: HoldId) -> HoldLook {
        let (body, confirmed) = match self.stock().view(hold) {
            HoldView::Pending(_) => return HoldLook::Pending,
            HoldView::Ended => return HoldLook::Ended,
            HoldView::Unknown => return HoldLook::Unknown,
            HoldView::Held(body) => (body, false),
            HoldView::Confirmed(body) => (body, true),
        };
        HoldLook::Known(HoldStatus {
            hold,
            viewer: body.viewer,
            sku: self.sku_of(body.pool).expect("a hold is of a pool of its drop"),
            units: body.units,
            amount: self.amount(body.pool, body.units).expect("plans bound their prices"),
            deadline: self.deadline(&body).plus(self.stretches().decided(hold)),
            grace: self.plan().grace(),
            confirmed,
        })
    }
}

impl EngineState {
    /// A hold as far as it is durable, which is all that anybody outside may be told.
    pub(crate) fn durable_hold(&self, sale: &SaleDrop, hold: HoldId) -> HoldLook {
        let mut in_memory = sale.hold_in_memory(hold);
        if let HoldLook::Known(status) = &mut in_memory {
            let hidden = sale.stretches().undurable(hold);
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
