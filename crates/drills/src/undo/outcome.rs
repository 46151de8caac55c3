//! What the drill measured, and what is wrong with it.

use serde::Serialize;

use crate::{
    facts::{PAUSE_P99_MS, PressesRow, Target},
    host::Presses,
};

/// What was found, before it is judged.
#[derive(Debug, Default)]
pub(super) struct Unjudged {
    pub(super) rounds: Vec<Round>,
    /// Kills in the middle of an undo.
    pub(super) kills: u32,
    /// Undos that a kill was meant for.
    pub(super) undos_killed: u32,
    pub(super) wrong: Vec<String>,
}

/// One undo that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// Holds that were live.
    pub holds: u64,
    /// From the command to its answer.
    pub answered_ms: u64,
    /// From the command to the look that found the last hold ended.
    pub voided_ms: u64,
    /// The presses of a host on another drop meanwhile.
    #[serde(flatten)]
    pub presses: PressesRow,
}

/// The outcome; one line of JSON.
#[derive(Clone, Debug, Serialize)]
pub struct UndoOutcome {
    /// The undos that were measured.
    pub rounds: Vec<Round>,
    /// Kills that fell into the middle of an undo.
    pub kills: u32,
    /// Undos that a kill was meant for; some were over before it came.
    pub undos_killed: u32,
    /// What the verifier says.
    pub verify: String,
    /// The load of the machine before the drill, over a minute.
    pub load_before: f64,
    /// The slowest round's Pauses. A slow machine misses the target and nothing is wrong.
    pub target: Target,
    /// Whether nothing is wrong.
    pub ok: bool,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

impl Round {
    pub(super) fn of(holds: u64, (answered_us, voided_us): (u64, u64), presses: &Presses) -> Self {
        let presses = PressesRow::of(presses);
        Self { holds, answered_ms: answered_us / 1_000, voided_ms: voided_us / 1_000, presses }
    }

    pub(super) fn words(&self) -> String {
        let Self { holds, answered_ms, voided_ms, presses } = self;
        let presses = presses.words();
        format!(
            "{holds} holds: answered after {answered_ms} ms, voided after {voided_ms} ms; {presses}"
        )
    }
}

impl UndoOutcome {
    /// Judges what was found. Slowness is a target missed, never something wrong.
    pub(super) fn judge(found: Unjudged, (kills, load_before): (u32, f64), verify: String) -> Self {
        let Unjudged { rounds, kills: killed, undos_killed, mut wrong } = found;
        if killed < kills {
            wrong.push(format!("{killed} of {kills} kills fell into the middle of an undo"));
        }
        if rounds.iter().any(|round| round.holds == 0) {
            wrong.push("nothing was held, so nothing was undone".to_owned());
        }
        if verify != "ok" {
            wrong.push(format!("the verifier says {verify}"));
        }
        let slowest = rounds.iter().map(|round| round.presses.pause);
        let slowest = slowest.max_by(|one, other| one.p99_ms.total_cmp(&other.p99_ms));
        let target = Target::of("Pause beside an undo", slowest.unwrap_or_default(), PAUSE_P99_MS);
        let ok = wrong.is_empty();
        Self { rounds, kills: killed, undos_killed, verify, load_before, target, ok, wrong }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kills: u32, holds: u64) -> Unjudged {
        let presses = PressesRow::default();
        let round = Round { holds, answered_ms: 3, voided_ms: 400, presses };
        Unjudged { rounds: vec![round], kills, undos_killed: 5, wrong: Vec::new() }
    }

    #[test]
    fn what_was_not_killed_not_held_or_not_sound_is_wrong() {
        let judged = |found, verify: &str| UndoOutcome::judge(found, (3, 0.5), verify.to_owned());
        assert!(judged(found(3, 2_300), "ok").ok);
        assert!(!judged(found(2, 2_300), "ok").ok, "too few kills in the middle");
        assert!(!judged(found(3, 0), "ok").ok, "no holds");
        assert!(!judged(found(3, 2_300), "exit 1").ok);
        let wrong = Unjudged { wrong: vec!["d3 is voiding".into()], ..found(3, 2_300) };
        assert_eq!(judged(wrong, "ok").wrong, ["d3 is voiding"]);
    }
}
