//! How a drop stood when somebody decided to give a command.

use std::fmt;

use stampede_domain::Phase;

/// A drop as the giver of a command saw it: the command is refused if it stands differently when its
/// turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenDrop {
    /// The phase.
    pub phase: Phase,
    /// Counts the edits of the plan; the first plan is 1.
    pub revision: u32,
    /// Counts the changes of phase and the edits: tells a drop that was resumed, then paused again from one that
    /// was paused all the time. `None` is not compared.
    pub phase_changes: Option<u64>,
}

impl SeenDrop {
    /// Whether a drop that stands like this is still what was `seen`.
    pub(crate) fn is_as(&self, seen: &Self) -> bool {
        let changes = self.phase_changes.zip(seen.phase_changes);
        self.phase == seen.phase
            && self.revision == seen.revision
            && changes.is_none_or(|(now, then)| now == then)
    }
}

impl fmt::Display for SeenDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, revision {}", self.phase, self.revision)?;
        match self.phase_changes {
            Some(changes) => write!(f, ", after {changes} changes"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_compared_as_far_as_it_was_told() {
        let now = SeenDrop { phase: Phase::Paused, revision: 3, phase_changes: Some(7) };
        assert!(now.is_as(&now));
        assert!(now.is_as(&SeenDrop { phase_changes: None, ..now }));
        for other in [
            SeenDrop { phase: Phase::Open, ..now },
            SeenDrop { revision: 2, ..now },
            SeenDrop { phase_changes: Some(5), ..now },
        ] {
            assert!(!now.is_as(&other), "{other}");
        }
    }

    #[test]
    fn a_drop_is_told_as_far_as_it_was_seen() {
        let seen = SeenDrop { phase: Phase::Paused, revision: 3, phase_changes: Some(7) };
        assert_eq!(seen.to_string(), "paused, revision 3, after 7 changes");
        assert_eq!(SeenDrop { phase_changes: None, ..seen }.to_string(), "paused, revision 3");
    }
}
