//! The phases of a drop.

use std::fmt;

/// Where a drop stands.
///
/// scheduled → countdown → open ⇄ paused → closed → settled; a scheduled drop can be cancelled, a
/// countdown can be called off, which leads back to scheduled. The opening of a drop of which nothing is
/// paid can be undone: open or paused → voiding → voided. Holds outlive pause and close, no undo.
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
    /// Its opening is undone: takes are over, and its holds end one after the other. None becomes an order.
    Voiding,
    /// Its opening was undone, and every hold has ended: nothing was sold.
    Voided,
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
    /// Its opening is undone.
    Undo,
    /// The last hold of a drop whose opening is undone has ended.
    Void,
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
            (Self::Open | Self::Paused, PhaseChange::Undo) => Some(Self::Voiding),
            (Self::Voiding, PhaseChange::Void) => Some(Self::Voided),
            _ => None,
        }
    }

    /// Whether nothing can change any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Settled | Self::Cancelled | Self::Voided)
    }

    /// Whether something may happen at any moment: from the countdown until settled or voided.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Countdown | Self::Open | Self::Paused | Self::Closed | Self::Voiding)
    }

    /// Whether the drop was called off, or is just being: before it began, or by undoing its opening.
    pub const fn is_called_off(self) -> bool {
        matches!(self, Self::Cancelled | Self::Voiding | Self::Voided)
    }

    /// Whether takes are over for good and holds may still be there.
    pub const fn is_ending(self) -> bool {
        matches!(self, Self::Closed | Self::Voiding)
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
            Self::Voiding => "voiding",
            Self::Voided => "voided",
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
    use super::{
        Phase::{Cancelled, Closed, Countdown, Open, Paused, Scheduled, Settled, Voided, Voiding},
        *,
    };

    const ALL: [Phase; 9] =
        [Scheduled, Countdown, Open, Paused, Closed, Settled, Cancelled, Voiding, Voided];

    #[test]
    fn only_the_documented_steps_exist() {
        let phases = ALL;
        let changes = [
            PhaseChange::StartCountdown,
            PhaseChange::CancelCountdown,
            PhaseChange::Open,
            PhaseChange::Pause,
            PhaseChange::Resume,
            PhaseChange::Close,
            PhaseChange::Settle,
            PhaseChange::Cancel,
            PhaseChange::Undo,
            PhaseChange::Void,
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
                "open>voiding",
                "paused>open",
                "paused>closed",
                "paused>voiding",
                "closed>settled",
                "voiding>voided",
            ]
        );
    }

    #[test]
    fn a_drop_is_live_from_its_countdown_until_it_is_over() {
        for phase in ALL {
            let live = matches!(phase, Countdown | Open | Paused | Closed | Voiding);
            assert_eq!((phase.is_live(), phase.is_final()), (live, !live && phase != Scheduled));
        }
    }

    #[test]
    fn what_was_called_off_never_sells_and_what_ends_takes_no_more() {
        let called_off: Vec<_> = ALL.into_iter().filter(|phase| phase.is_called_off()).collect();
        assert_eq!(called_off, [Cancelled, Voiding, Voided]);
        let ending: Vec<_> = ALL.into_iter().filter(|phase| phase.is_ending()).collect();
        assert_eq!(ending, [Closed, Voiding]);
    }
}
