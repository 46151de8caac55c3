//! The times at which a drop's counts are read.

use std::sync::Arc;

use stampede_domain::{Phase, UnixMillis};

use super::DropBook;
use crate::sources::Counted;

/// Counts of one drop since the engine started, as far as somebody has looked.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// What the drop's last minute has seen; another value with each look that finds more.
    pub(crate) sampled: Arc<Counted>,
    /// What records have seen: one of the values that were sampled.
    pub(crate) tallied: Arc<Counted>,
    pub(crate) next_tally: UnixMillis,
    pub(crate) activity: Activity,
}

/// Whether a drop's counts are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Nothing was counted: a core that counts says so.
    #[default]
    Quiet,
    /// Something was counted of late.
    Busy,
    /// Nothing was counted since the last look. Cores have been told to speak up again; one more look
    /// finds what was counted before a core could know.
    Fading,
}

impl Default for Counts {
    fn default() -> Self {
        let nothing: Arc<Counted> = Arc::default();
        Self {
            sampled: Arc::clone(&nothing),
            tallied: nothing,
            next_tally: UnixMillis::default(),
            activity: Activity::default(),
        }
    }
}

impl Counts {
    /// Counts go on under a new plan; what was counted and not tallied yet is looked at.
    pub(super) fn of_edit(&self) -> Self {
        Self { activity: Activity::Busy, ..self.clone() }
    }

    pub(super) fn due(&self, phase: Phase) -> Option<UnixMillis> {
        let counts = self.activity != Activity::Quiet || self.has_untold(phase);
        counts.then_some(self.next_tally)
    }

    /// Whether something was counted that no record has seen, which a drop that is live owes one.
    pub(crate) fn has_untold(&self, phase: Phase) -> bool {
        phase.is_live() && !Arc::ptr_eq(&self.sampled, &self.tallied)
    }
}

impl DropBook {
    /// Whether counts are due to be looked at.
    pub fn tally_is_due(&self, now: UnixMillis) -> bool {
        self.tally_due().is_some_and(|at| at <= now)
    }
}
