//! The phases of a drop.

use std::fmt;

/// Where a drop stands.
///
/// scheduled → countdown → open ⇄ paused → closed → settled; a scheduled drop can be cancelled, a
/// countdown can be called off, which leads back to scheduled. Holds outlive pause and close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Planned, can still be edited.
    Scheduled,
    /// The host has started it; it opens when the countdown ends.
    Countdown,
    /// Takes are possible.
    Open,
    /// Takes are refused for now; holds live on.
    Paused,
    /// Takes are over; holds live on until they end.
    Closed,
    /// Closed, and every hold has ended: the figures are final.
    Settled,
    /// Called off while scheduled; never sold anything.
    Cancelled,
}

/// A step from one phase to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhaseChange {
    /// The host starts the countdown.
    StartCountdown,
    /// The countdown is called off.
    CancelCountdown,
    /// The countdown has ended: takes begin.
    Open,
    /// Takes stop for now.
    Pause,
    /// Takes go on after a pause.
    Resume,
    /// Takes end for good.
    Close,
    /// The last hold has ended.
    Settle,
    /// The drop is called off before it began.
    Cancel,
}

impl Phase {
    /// The phase after `change`, or `None` if the change is not possible from here.
    pub const fn after(self, change: PhaseChange) -> Option<Self> {
        match (self, change) {
            (Self::Scheduled, PhaseChange::StartCountdown) => Some(Self::Countdown),
            (Self::Countdown, PhaseChange::CancelCountdown) => Some(Self::Scheduled),
            (Self::Countdown, PhaseChange::Open) | (Self::Paused, PhaseChange::Resume) => {
                Some(Self::Open)
            }
            (Self::Open, PhaseChange::Pause) => Some(Self::Paused),
            (Self::Open | Self::Paused, PhaseChange::Close) => Some(Self::Closed),
            (Self::Closed, PhaseChange::Settle) => Some(Self::Settled),
            (Self::Scheduled, PhaseChange::Cancel) => Some(Self::Cancelled),
            _ => None,
        }
    }

    /// Whether nothing can change any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Settled | Self::Cancelled)
    }

    /// Whether something may happen at any moment: from the countdown until settled.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Countdown | Self::Open | Self::Paused | Self::Closed)
    }

    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Countdown => "countdown",
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::Settled => "settled",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_steps_exist() {
        use Phase::{Cancelled, Closed, Countdown, Open, Paused, Scheduled, Settled};
        let phases = [Scheduled, Countdown, Open, Paused, Closed, Settled, Cancelled];
        let changes = [
            PhaseChange::StartCountdown,
            PhaseChange::CancelCountdown,
            PhaseChange::Open,
            PhaseChange::Pause,
            PhaseChange::Resume,
            PhaseChange::Close,
            PhaseChange::Settle,
            PhaseChange::Cancel,
        ];
        let steps: Vec<String> = phases
            .iter()
            .flat_map(|from| {
                changes.iter().filter_map(move |c| from.after(*c).map(|to| (from, to)))
            })
            .map(|(from, to)| format!("{from}>{to}"))
            .collect();
        assert_eq!(
            steps,
            [
                "scheduled>countdown",
                "scheduled>cancelled",
                "countdown>scheduled",
                "countdown>open",
                "open>paused",
                "open>closed",
                "paused>open",
                "paused>closed",
                "closed>settled",
            ]
        );
    }

    #[test]
    fn a_drop_is_live_from_its_countdown_until_it_is_settled() {
        use Phase::{Cancelled, Closed, Countdown, Open, Paused, Scheduled, Settled};
        for phase in [Scheduled, Countdown, Open, Paused, Closed, Settled, Cancelled] {
            let live = matches!(phase, Countdown | Open | Paused | Closed);
            assert_eq!((phase.is_live(), phase.is_final()), (live, !live && phase != Scheduled));
        }
    }
}
