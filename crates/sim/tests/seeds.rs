//! A short run of the simulation, with the figures that show that it does something.

use stampede_sim::{run_seed, run_seeds};

#[test]
fn nothing_that_must_never_happen_happens() {
    let mut bad = Vec::new();
    let report = run_seeds(0, 200, |seed, run| {
        bad.extend(run.violation.as_ref().map(|what| format!("seed {seed}: {what}")));
    });
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(report.steps > 40_000 && report.takes > 4_000 && report.restarts == 600, "{report:?}");
    let compared = report.compared;
    assert!(compared.quiet > 5_000 && compared.recovered > 700, "{report:?}");
    assert!(compared.left > 20, "{report:?}");
    let money = report.money;
    assert!(money.payments > 1_000 && money.orders > 300 && money.due_back > 300, "{report:?}");
    assert!(money.retaken > 10 && money.adjusted > 100, "{report:?}");
    let corrections = report.corrections;
    assert!(corrections.withdrawn > 10 && corrections.amended > 40, "{report:?}");
    assert!(corrections.undone > 20 && corrections.wound_down > 10, "{report:?}");
    assert!(corrections.copies_put_right > 2, "{report:?}");
    let faults = report.faults;
    for count in [faults.before, faults.after, faults.hung, faults.tail_lost] {
        assert!(count > 80, "{report:?}");
    }
}

/// Runs that a rule of the simulation took for wrong: of a drop that a start called off, it counted from the start's first
/// moment. The tests in `world/compares.rs` have the causes; other steps make other runs of these.
#[test]
fn drops_leave_by_the_time_that_a_start_knows() {
    for seed in [50_410, 51_556, 52_609, 53_579] {
        assert_eq!(run_seed(seed).violation, None, "seed {seed}");
    }
}

/// More of a payment was taken than had been kept ready, after another payment had taken its hold's units again: the rest
/// is due back for the reason that the money before it was.
#[test]
fn what_is_taken_beyond_is_due_back_for_the_same_reason() {
    assert_eq!(run_seed(210_857).violation, None);
}

#[test]
fn a_seed_gives_the_same_run() {
    for seed in [3, 17, 1_000_001] {
        assert_eq!(run_seed(seed), run_seed(seed));
    }
}
