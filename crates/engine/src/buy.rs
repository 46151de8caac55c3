//! A core's requests to the engine, with the answers.

use stampede_books::{HoldLook, HoldStatus};
use stampede_domain::{ChannelId, DropId, DurationMs, HoldId, IdempotencyKey, Phase, Refusal};
use stampede_ledger::Position;
use stampede_stock::{HoldView, Take};

use crate::sale::SaleDrop;

/// What a viewer asks to buy.
#[derive(Clone, Copy, Debug)]
pub struct BuyRequest<'a> {
    /// From which drop.
    pub drop: DropId,
    /// Which SKU, by its id.
    pub sku: &'a str,
    /// How many units.
    pub units: u64,
    /// The client's name for the request.
    pub key: &'a IdempotencyKey,
    /// Who gets the credit, as the viewer's ticket says.
    pub channel: Option<&'a ChannelId>,
}

/// What became of a buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Buy {
    /// Units were taken; the answer may leave once [`CorePort::durable`](crate::CorePort::durable) reaches
    /// the position, which it cannot before a [`CorePort::flush`](crate::CorePort::flush): the caller
    /// owes it before it waits for anything.
    Pending {
        /// The new hold.
        hold: HoldId,
        /// Where its record stands on the way to the ledger.
        position: Position,
    },
    /// The same request took units before, and that is durable: answer with the hold as it is now.
    Replay {
        /// The hold of the first request.
        hold: HoldId,
    },
    /// The same request took units a moment ago, and that is not durable yet: ask
    /// [`CorePort::is_pending`](crate::CorePort::is_pending) again after [`CoreEvent::Recheck`](crate::CoreEvent::Recheck).
    Awaiting {
        /// The hold of the first request.
        hold: HoldId,
    },
    /// Nothing was taken.
    Refused(Refusal),
}

/// The refusal that stands for what the stock said.
pub(crate) fn why_refused(
    take: Take,
    phase: Phase,
    busy: Refusal,
    retry_after: DurationMs,
) -> Refusal {
    match take {
        Take::KeyReused => Refusal::KeyReused,
        Take::Shut => shut(phase, busy),
        Take::SoldOut => Refusal::SoldOut,
        Take::NotEnough { available } => Refusal::NotEnough { available },
        Take::OverViewerLimit { limit } => Refusal::OverViewerLimit { limit },
        Take::HoldsCapped { max } => Refusal::HoldsCapped { max },
        Take::NoRoom => Refusal::Busy { retry_after },
        Take::Taken(_) | Take::Replay(_) => unreachable!("these are no refusals"),
    }
}

/// Why the open bit is off. The bit goes off before the phase changes, so an open phase means that
/// the change is under way.
fn shut(phase: Phase, busy: Refusal) -> Refusal {
    match phase {
        Phase::Scheduled | Phase::Countdown => Refusal::NotOpen,
        Phase::Open => busy,
        Phase::Paused => Refusal::Paused,
        Phase::Closed | Phase::Settled | Phase::Cancelled => Refusal::Closed,
    }
}

/// A hold as the stock knows it, priced by the plan.
pub(crate) fn look(sale: &SaleDrop, hold: HoldId) -> HoldLook {
    let (body, confirmed) = match sale.stock().view(hold) {
        HoldView::Pending(_) => return HoldLook::Pending,
        HoldView::Ended => return HoldLook::Ended,
        HoldView::Unknown => return HoldLook::Unknown,
        HoldView::Held(body) => (body, false),
        HoldView::Confirmed(body) => (body, true),
    };
    HoldLook::Known(HoldStatus {
        hold,
        viewer: body.viewer,
        sku: sale.sku_of(body.pool).expect("a hold is of a pool of its drop"),
        units: body.units,
        amount: sale.amount(body.pool, body.units).expect("plans bound their prices"),
        deadline: sale.deadline(&body),
        confirmed,
    })
}
