//! The records that begin a phase of a drop.

use stampede_domain::{DropId, Phase, UnixMillis};

/// A drop entered a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseRecord {
    /// The countdown to opening began.
    Countdown {
        /// When the drop opens.
        opens_at: UnixMillis,
    },
    /// The countdown was called off.
    CountdownCancelled,
    /// Takes began.
    Opened,
    /// Takes stopped for now.
    Paused,
    /// Takes went on.
    Resumed,
    /// Takes ended for good.
    Closed,
    /// The last hold had ended; the figures are final.
    Settled,
    /// The drop was called off before it began.
    Cancelled,
    /// The drop's opening is undone: from here on no hold becomes an order.
    UndoBegun {
        /// What became of the copy of its terms.
        copy: PlannedCopy,
    },
    /// The last hold of a drop whose opening was undone had ended.
    Voided,
}

/// What became of the copy that an undo plans in the place of its drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedCopy {
    /// It was planned in the same commit, as this drop.
    Drop(DropId),
    /// There is none.
    None(NoCopy),
}

impl PlannedCopy {
    /// The copy, if there is one.
    pub const fn drop(self) -> Option<DropId> {
        match self {
            Self::Drop(drop) => Some(drop),
            Self::None(_) => None,
        }
    }

    /// Why there is none, if there is none.
    pub const fn why_none(self) -> Option<NoCopy> {
        match self {
            Self::Drop(_) => None,
            Self::None(why) => Some(why),
        }
    }
}

/// Why an undo has planned no copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NoCopy {
    /// The terms would be refused as a new plan.
    InvalidPlan,
    /// The stream has as many live drops as it may.
    StreamFull,
    /// The merchant has as many live drops in another's stream as it may.
    ShareFull,
    /// The stream is another's, to which the merchant is no longer admitted.
    StreamNotYours,
    /// The stream belongs to nobody, and no more streams may belong to somebody.
    RoomsFull,
    /// Live drops would come to need more memory than they may.
    MemoryFull,
}

impl NoCopy {
    /// Every reason, each at the place of its byte.
    pub const ALL: [Self; 6] = [
        Self::InvalidPlan,
        Self::StreamFull,
        Self::ShareFull,
        Self::StreamNotYours,
        Self::RoomsFull,
        Self::MemoryFull,
    ];

    /// The byte in a record.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// The code of the refusal that a plan of the copy would have got.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidPlan => "invalid_plan",
            Self::StreamFull => "stream_full",
            Self::ShareFull => "share_full",
            Self::StreamNotYours => "stream_not_yours",
            Self::RoomsFull => "rooms_full",
            Self::MemoryFull => "memory_full",
        }
    }
}

const _: () = {
    let mut place = 0;
    while place < NoCopy::ALL.len() {
        assert!(NoCopy::ALL[place] as usize == place, "a reason stands at the place of its byte");
        place += 1;
    }
};

impl PhaseRecord {
    /// The phase that the record begins.
    ///
    /// A stream's record may begin one too, which depends on more than the record:
    /// [`StreamRecord`](super::StreamRecord).
    pub const fn begins(self) -> Phase {
        match self {
            Self::CountdownCancelled => Phase::Scheduled,
            Self::Countdown { .. } => Phase::Countdown,
            Self::Opened | Self::Resumed => Phase::Open,
            Self::Paused => Phase::Paused,
            Self::Closed => Phase::Closed,
            Self::Settled => Phase::Settled,
            Self::Cancelled => Phase::Cancelled,
            Self::UndoBegun { .. } => Phase::Voiding,
            Self::Voided => Phase::Voided,
        }
    }
}
