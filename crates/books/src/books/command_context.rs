//! The facts that the shell passes with a command.

use std::sync::Arc;

use stampede_domain::{DropId, MerchantId, PoolIndex, StreamId, Units, UnixMillis};
use stampede_ledger::ViewerLink;

use crate::{hold::HoldLook, seen::SeenDrop};

/// What the shell shows with a command.
#[derive(Clone, Debug, Default)]
pub struct CommandContext {
    /// The command's drop, if it has left memory.
    pub over: Option<OverDrop>,
    /// Where the id of the command's order leads, by [`Books::order_of`](super::Books::order_of); `None` if it names
    /// none.
    pub order: Option<HoldLook>,
    /// Links the number of the viewer who is to be banned.
    pub viewer: Option<Arc<ViewerLink>>,
    /// What came of taking the units out of the stock that [`Books::free_units`](super::Books::free_units) has named;
    /// `None` if it has named none.
    pub withdrawn: Option<Withdrawal>,
    /// When a report that a stream is gone counts from, by the sale's clock.
    pub reported_at: UnixMillis,
}

/// A drop that has left memory.
#[derive(Clone, Debug)]
pub struct OverDrop {
    /// Its stream.
    pub stream: StreamId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Where it stands for good.
    pub stands: SeenDrop,
}

/// Units that a command takes back, if nobody takes them before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeUnits {
    /// The drop.
    pub drop: DropId,
    /// Where the units are.
    pub pool: PoolIndex,
    /// How many; all that are free if it is left open.
    pub units: Option<Units>,
}

/// What came of taking free units out of the stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// They are out: nobody can take them any more.
    Done {
        /// How many.
        units: Units,
    },
    /// Fewer were free; all of them still are.
    NotFree {
        /// How many were.
        free: Units,
    },
}
