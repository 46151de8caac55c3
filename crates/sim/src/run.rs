//! Runs of seeds, with what they counted.

use serde::Serialize;
use stampede_report::verify::verify_journal;

use crate::{
    corrections::Corrections,
    violation::Violation,
    world::{Compared, Failure, World},
};

/// Steps between two restarts, at most.
const STEPS_PER_LIFE: u64 = 120;
/// Restarts of each seed.
const RESTARTS: u64 = 3;

/// Faults that ended a life of the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// A commit failed, its rows are gone.
    pub before: u64,
    /// A commit failed, yet its rows are there.
    pub after: u64,
    /// A commit hung until the process died; its rows are there or not.
    pub hung: u64,
    /// The process died with records that no commit had.
    pub tail_lost: u64,
}

/// What became of money, by the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MoneyCounts {
    /// Payments that the provider knows.
    pub payments: u64,
    /// Orders that were paid for.
    pub orders: u64,
    /// Times that money was due back.
    pub due_back: u64,
    /// Orders of units that were taken again.
    pub retaken: u64,
    /// Records behind the end of a drop.
    pub adjusted: u64,
}

/// What one seed came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seed {
    /// Steps.
    pub steps: u64,
    /// Takes.
    pub takes: u64,
    /// Restarts.
    pub restarts: u64,
    /// Faults that ended a life.
    pub faults: Faults,
    /// Comparisons of the books.
    pub compared: Compared,
    /// What became of money.
    pub money: MoneyCounts,
    /// Mistakes that were put right.
    pub corrections: Corrections,
    /// What must never happen, and did, with the step.
    pub violation: Option<String>,
}

/// What many seeds came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Seeds that were run.
    pub seeds: u64,
    /// Steps of all of them.
    pub steps: u64,
    /// Takes.
    pub takes: u64,
    /// Restarts.
    pub restarts: u64,
    /// Faults that ended a life.
    pub faults: Faults,
    /// Comparisons of the books.
    pub compared: Compared,
    /// What became of money.
    pub money: MoneyCounts,
    /// Mistakes that were put right.
    pub corrections: Corrections,
    /// Seeds in which something happened that must never happen.
    pub violations: u64,
    /// The first of them.
    pub first_bad_seed: Option<u64>,
}

/// Runs one seed.
pub fn run_seed(seed: u64) -> Seed {
    let mut run = Seed::default();
    let mut world = World::new(seed);
    if let Err(violation) = live(&mut world, &mut run) {
        run.violation = Some(format!("step {}: {violation}", run.steps));
    }
    run.takes = world.takes;
    run.compared = world.compared;
    run.money = world.money_counts();
    run.corrections = world.durable.corrections;
    run
}

fn live(world: &mut World, run: &mut Seed) -> Result<(), Violation> {
    world.begin()?;
    for _ in 0..RESTARTS {
        walk(world, run, STEPS_PER_LIFE)?;
        die(world, run)?;
        world.restart()?;
        run.restarts += 1;
    }
    walk(world, run, STEPS_PER_LIFE / 2)?;
    world.rest()?;
    verify(world)
}

/// The verifier, which shares no code with the engine, finds nothing wrong in the ledger.
fn verify(world: &World) -> Result<(), Violation> {
    let found = verify_journal(&world.ledger.journal()).map_err(|why| why.to_string())?;
    match found.findings.first() {
        Some(finding) => Err(format!("the verifier: {finding:?}")),
        None => Ok(()),
    }
}

fn walk(world: &mut World, run: &mut Seed, most: u64) -> Result<(), Violation> {
    for _ in 0..world.chance.within(most / 2, most) {
        world.step()?;
        run.steps += 1;
    }
    Ok(())
}

/// One of four ways to die; each needs something that is on its way to the ledger.
fn die(world: &mut World, run: &mut Seed) -> Result<(), Violation> {
    let way = world.chance.within(0, 3);
    match way {
        0 => world.order(false, Failure::Told),
        1 => world.order(true, Failure::Told),
        2 => {
            let is_kept = world.chance.percent(50);
            world.order(is_kept, Failure::Hangs);
        }
        _ => {}
    }
    while !(world.has_failed() || way == 3 && world.has_tail()) {
        world.step()?;
        run.steps += 1;
    }
    let faults = &mut run.faults;
    *[&mut faults.before, &mut faults.after, &mut faults.hung, &mut faults.tail_lost]
        [usize::try_from(way).expect("one of four")] += 1;
    // Whoever asks while a commit hangs, or after it failed, is told nothing.
    walk(world, run, 10)
}

/// Runs seeds from `first` on; `each` is told of each, with its number.
pub fn run_seeds(first: u64, count: u64, mut each: impl FnMut(u64, &Seed)) -> Report {
    let mut report = Report::default();
    for seed in first..first + count {
        let run = run_seed(seed);
        each(seed, &run);
        report.seeds += 1;
        report.steps += run.steps;
        report.takes += run.takes;
        report.restarts += run.restarts;
        report.faults.before += run.faults.before;
        report.faults.after += run.faults.after;
        report.faults.hung += run.faults.hung;
        report.faults.tail_lost += run.faults.tail_lost;
        report.compared.quiet += run.compared.quiet;
        report.compared.recovered += run.compared.recovered;
        report.compared.left += run.compared.left;
        report.money.payments += run.money.payments;
        report.money.orders += run.money.orders;
        report.money.due_back += run.money.due_back;
        report.money.retaken += run.money.retaken;
        report.money.adjusted += run.money.adjusted;
        report.corrections.withdrawn += run.corrections.withdrawn;
        report.corrections.amended += run.corrections.amended;
        report.corrections.wound_down += run.corrections.wound_down;
        report.corrections.undone += run.corrections.undone;
        report.corrections.copies_put_right += run.corrections.copies_put_right;
        if run.violation.is_some() {
            report.violations += 1;
            report.first_bad_seed.get_or_insert(seed);
        }
    }
    report
}
