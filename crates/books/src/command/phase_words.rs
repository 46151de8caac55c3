//! How a drop stands in a phase, in the words of refusals.

use stampede_domain::Phase;

/// How a drop stands in a phase, as the end of a sentence about it.
pub(super) const fn stands(phase: Phase) -> &'static str {
    match phase {
        Phase::Scheduled => "is scheduled",
        Phase::Countdown => "counts down",
        Phase::Open => "is open",
        Phase::Paused => "is paused",
        Phase::Closed => "is closed",
        Phase::Settled => "is settled",
        Phase::Cancelled => "is cancelled",
        Phase::Voiding => "is being called off",
        Phase::Voided => "is voided",
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::Phase;

    use crate::command::CommandRefusal;

    #[test]
    fn a_refusal_is_a_sentence_in_every_phase() {
        let told = |phase| CommandRefusal::WrongPhase { action: "edit", phase }.to_string();
        assert_eq!(told(Phase::Countdown), "edit is not possible while the drop counts down");
        assert_eq!(told(Phase::Settled), "edit is not possible while the drop is settled");
        assert_eq!(told(Phase::Open), "edit is not possible while the drop is open");
        assert_eq!(told(Phase::Voiding), "edit is not possible while the drop is being called off");
    }
}
