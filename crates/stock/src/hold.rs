//! The requests to the stock, with every answer that it can give.

use stampede_domain::{
    HoldId, KeyFingerprint, PoolIndex, TakeNumber, Units, UnixMillis, ViewerNumber,
};

/// A viewer's wish for units of one pool.
#[derive(Clone, Copy, Debug)]
pub struct TakeRequest {
    /// Who asks.
    pub viewer: ViewerNumber,
    /// The request's idempotency key.
    pub key: KeyFingerprint,
    /// Where the units shall come from.
    pub pool: PoolIndex,
    /// How many; at least one.
    pub units: Units,
    /// The time of the take.
    pub now: UnixMillis,
    /// When the hold ends if nothing else ends it.
    pub deadline: UnixMillis,
}

/// Outcome of a take. Where several refusals hold, the earliest in this list is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Take {
    /// Units moved: the hold is pending until its record is durable.
    Taken(HoldId),
    /// The key made this hold before; nothing moved.
    Replay(HoldId),
    /// The key made a hold of another SKU or quantity before.
    KeyReused,
    /// Takes are not allowed: not open yet, paused or over.
    Shut,
    /// The viewer would have more units than one viewer may, of the SKU or of the drop.
    OverViewerLimit {
        /// The limit that stands in the way.
        limit: Units,
        /// Whether no end of a hold helps: the viewer's orders alone leave too little room, or the viewer has made as
        /// many holds as it may.
        for_good: bool,
    },
    /// The viewer has made as many holds as one viewer may, ended ones included.
    HoldsCapped {
        /// Holds that one viewer may make in the drop.
        max: u16,
    },
    /// Nothing is available to the public.
    SoldOut,
    /// Fewer units are available than asked for.
    NotEnough {
        /// How many there are.
        available: Units,
    },
    /// The caller had no room for the take, or all slots were in use; nothing was decided.
    NoRoom,
}

/// What a hold claims, fixed from take to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldBody {
    /// Whose hold it is.
    pub viewer: ViewerNumber,
    /// Where the units came from.
    pub pool: PoolIndex,
    /// How many.
    pub units: Units,
    /// The time of the take.
    pub taken_at: UnixMillis,
    /// When the hold ends if nothing else ends it.
    pub deadline: UnixMillis,
}

/// A hold as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldView {
    /// Taken in memory, not yet durable: no promise has left.
    Pending(HoldBody),
    /// Durable and open-ended until confirm, release or expiry.
    Held(HoldBody),
    /// An order.
    Confirmed(HoldBody),
    /// Over by release or expiry; its slot may serve another hold already.
    Ended,
    /// This stock never made it.
    Unknown,
}

/// Outcome of an attempt to confirm or to end a hold: exactly one attempt wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum End {
    /// This attempt decided the hold's end.
    Won(HoldBody),
    /// The take is not durable yet, so the hold cannot end; ask again after the commit.
    Pending,
    /// The hold is an order already.
    Confirmed,
    /// The hold is over already.
    Ended,
    /// This stock never made it.
    Unknown,
}

/// Outcome of giving an ended hold's units back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum GiveOutcome {
    /// The units are available again.
    ToPublic(HoldBody),
    /// A waitlist waits: the units are the steward's to hand out, and no longer in the word.
    ToWaiting(HoldBody),
    /// The hold has not ended, or its units went back before: nothing moved.
    Refused,
}

/// Outcome of a waitlist's wish to be served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum WaitJoin {
    /// The waiting bit is set: units that come back go to the steward.
    Waiting,
    /// Enough units are available to the public: take instead of waiting.
    Available {
        /// How many there are.
        available: Units,
    },
}

/// Why supply cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupplyError {
    /// The drop has no such pool.
    #[error("pool {pool} does not exist: the drop has {pools} pools")]
    UnknownPool {
        /// The pool that was named.
        pool: PoolIndex,
        /// Pools of the drop.
        pools: usize,
    },
    /// The pool would exceed the stock word's width.
    #[error("pool {pool} has {supplied} units; {units} more exceed {max}")]
    TooMuch {
        /// The pool.
        pool: PoolIndex,
        /// Units of all its lots so far.
        supplied: Units,
        /// Units of the lot that does not fit.
        units: Units,
        /// The most that a pool can have.
        max: Units,
    },
}

/// Why units cannot be withdrawn: fewer are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pool {pool} has {free} free units, not {units}")]
pub struct NotFree {
    /// The pool.
    pub pool: PoolIndex,
    /// Units that were to be withdrawn.
    pub units: Units,
    /// Units that nobody had taken.
    pub free: Units,
}

/// A pool as it stands; one consistent look at its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolView {
    /// Which pool.
    pub pool: PoolIndex,
    /// Units that can be taken.
    pub available: Units,
    /// Whether takes are allowed.
    pub open: bool,
    /// Whether a waitlist is served before the public.
    pub waiting: bool,
    /// Number of the latest take; 0 before the first.
    pub last_take: TakeNumber,
    /// Units of all lots without those that were withdrawn.
    pub supplied: Units,
}

/// Final state of a restored hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoredState {
    /// Lives on.
    Held,
    /// An order.
    Confirmed,
    /// Over by a durable release or expiry: only its key lives on.
    Ended,
}

/// A hold read back from the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoredHold {
    /// Its id, from whichever incarnation.
    pub id: HoldId,
    /// Whose hold it is.
    pub viewer: ViewerNumber,
    /// The key that made it.
    pub key: KeyFingerprint,
    /// Units that it took.
    pub units: Units,
    /// The time of the take.
    pub taken_at: UnixMillis,
    /// Its deadline, already moved by the outage.
    pub deadline: UnixMillis,
    /// How the journal leaves it.
    pub state: RestoredState,
}

/// Why a hold from the journal cannot stand in this stock: the journal contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The hold belongs to another drop.
    #[error("hold {hold} is of another drop")]
    OtherDrop {
        /// The hold.
        hold: HoldId,
    },
    /// The hold names a pool that the drop lacks.
    #[error("hold {hold} names a pool beyond the drop's {pools}")]
    UnknownPool {
        /// The hold.
        hold: HoldId,
        /// Pools of the drop.
        pools: usize,
    },
    /// More units are out than the lots brought in.
    #[error("hold {hold} needs {units} units and {available} are left: oversold")]
    Oversold {
        /// The hold that does not fit.
        hold: HoldId,
        /// Units that it needs.
        units: Units,
        /// Units that are left before it.
        available: Units,
    },
    /// Two live holds name the same slot.
    #[error("hold {hold} names a slot where another hold lives")]
    SlotTaken {
        /// The later of the two.
        hold: HoldId,
    },
    /// The viewer made two holds with one key.
    #[error("hold {hold} repeats the key of hold {first}")]
    KeyRepeated {
        /// The later of the two.
        hold: HoldId,
        /// The earlier.
        first: HoldId,
    },
}
