//! Where a drop stands, and which records may stand there.

use stampede_ledger::{
    BrakeRecord, CorrectionRecord, HoldRecord, PhaseRecord, Record, StreamRecord,
};

/// Where a drop stands, by this verifier's own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the journal")]
pub enum Stage {
    Planned,
    Countdown,
    Open,
    Paused,
    Closed,
    Settled,
    Cancelled,
    Voiding,
    Voided,
}

impl Stage {
    /// Whether the drop's chain is sealed.
    pub(in crate::verify) const fn is_over(self) -> bool {
        matches!(self, Self::Settled | Self::Cancelled | Self::Voided)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Countdown => "in countdown",
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::Settled => "settled",
            Self::Cancelled => "cancelled",
            Self::Voiding => "being called off",
            Self::Voided => "voided",
        }
    }

    /// Where a record leads; `None` if it must not stand here.
    pub(super) fn after(self, record: &Record) -> Option<Self> {
        match (self, record) {
            (Self::Planned, Record::Phase(PhaseRecord::Countdown { .. })) => Some(Self::Countdown),
            (Self::Planned, Record::Phase(PhaseRecord::Cancelled)) => Some(Self::Cancelled),
            (Self::Countdown, Record::Phase(PhaseRecord::CountdownCancelled)) => {
                Some(Self::Planned)
            }
            (Self::Countdown, Record::Phase(PhaseRecord::Opened))
            | (Self::Paused, Record::Phase(PhaseRecord::Resumed)) => Some(Self::Open),
            (Self::Open, Record::Phase(PhaseRecord::Paused)) => Some(Self::Paused),
            (Self::Open | Self::Paused, Record::Phase(PhaseRecord::Closed)) => Some(Self::Closed),
            (Self::Closed, Record::Phase(PhaseRecord::Settled)) => Some(Self::Settled),
            (Self::Open | Self::Paused, Record::Phase(PhaseRecord::UndoBegun { .. })) => {
                Some(Self::Voiding)
            }
            (Self::Voiding, Record::Phase(PhaseRecord::Voided)) => Some(Self::Voided),
            (_, record) => self.may_hold(record).then_some(self),
        }
    }

    /// Whether a record that changes no phase may stand here.
    const fn may_hold(self, record: &Record) -> bool {
        match record {
            // A refused request may still be recorded while the last record is under way. Money moves after the end,
            // in a chain of its own: the seal says that none of it follows in the drop's.
            Record::Command(_) | Record::Payment(_) => true,
            Record::Tally(_)
            | Record::Recovered(_)
            | Record::Suspended { .. }
            | Record::Featured
            | Record::Deadline(_)
            | Record::Stream(StreamRecord::Offline { .. } | StreamRecord::Online) => {
                !self.is_over()
            }
            Record::Stream(StreamRecord::OfflineLapsed) => {
                matches!(self, Self::Planned | Self::Countdown | Self::Open | Self::Paused)
            }
            Record::Correction(
                CorrectionRecord::Withdrawn { .. } | CorrectionRecord::Reserved { .. },
            )
            | Record::Request(_) => {
                matches!(self, Self::Open | Self::Paused)
            }
            Record::Correction(CorrectionRecord::Amended(amended)) => {
                let changes_limits = amended.amendment.limits.is_some();
                matches!(self, Self::Paused) || matches!(self, Self::Open) && !changes_limits
            }
            Record::Correction(CorrectionRecord::WindsDown { .. }) => matches!(self, Self::Open),
            Record::Planned { .. } => matches!(self, Self::Planned),
            Record::Lot { .. } => matches!(self, Self::Countdown | Self::Open | Self::Paused),
            Record::Hold(HoldRecord::Confirmed { .. }) => {
                matches!(self, Self::Open | Self::Paused | Self::Closed)
            }
            Record::Hold(
                HoldRecord::Taken { .. } | HoldRecord::Released { .. } | HoldRecord::Expired { .. },
            ) => matches!(self, Self::Open | Self::Paused | Self::Closed | Self::Voiding),
            Record::Phase(
                PhaseRecord::Countdown { .. }
                | PhaseRecord::CountdownCancelled
                | PhaseRecord::Opened
                | PhaseRecord::Paused
                | PhaseRecord::Resumed
                | PhaseRecord::Closed
                | PhaseRecord::Settled
                | PhaseRecord::Cancelled
                | PhaseRecord::UndoBegun { .. }
                | PhaseRecord::Voided,
            )
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Unmatched(_)
            | Record::Brake(
                BrakeRecord::Halted(_)
                | BrakeRecord::RatesSet(_)
                | BrakeRecord::Banned(_)
                | BrakeRecord::Lifted { .. },
            ) => false,
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
