//! Whether a show goes on.

use stampede_domain::{Mode, Phase};

/// Whether figures of a show may still change, by the mode and phase of its drops: a live one is neither settled nor
/// cancelled; where there are no live ones, a rehearsal is not.
///
/// Between two drops a show goes on, and so it does before its first one opens.
pub fn is_running(drops: impl IntoIterator<Item = (Mode, Phase)>) -> bool {
    let (mut any_live, mut live_runs, mut rehearsal_runs) = (false, false, false);
    for (mode, phase) in drops {
        match mode {
            Mode::Live => (any_live, live_runs) = (true, live_runs || !phase.is_final()),
            Mode::Rehearsal => rehearsal_runs |= !phase.is_final(),
        }
    }
    if any_live { live_runs } else { rehearsal_runs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_show_goes_on_until_all_live_drops_are_final() {
        use {Mode::*, Phase::*};
        for (drops, expected) in [
            (vec![(Live, Settled), (Live, Scheduled)], true),
            (vec![(Live, Scheduled)], true),
            (vec![(Live, Settled), (Live, Closed)], true),
            (vec![(Live, Settled), (Live, Cancelled)], false),
            (vec![(Live, Settled), (Rehearsal, Open)], false),
            (vec![(Rehearsal, Settled), (Rehearsal, Paused)], true),
            (vec![(Rehearsal, Settled)], false),
            (vec![], false),
        ] {
            assert_eq!(is_running(drops.iter().copied()), expected, "{drops:?}");
        }
    }
}
