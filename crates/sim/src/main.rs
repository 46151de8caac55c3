//! `stampede-sim`: runs the simulation, says what it counted.

use std::{io::Write as _, process::ExitCode};

use clap::Parser;
use stampede_sim::{run_seed, run_seeds};

/// Runs a node from seeds, in one thread, with faults and restarts.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// One seed alone, with what went wrong in it
    #[arg(long, conflicts_with_all = ["seeds", "first"])]
    seed: Option<u64>,
    /// The last line as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut out = std::io::stdout().lock();
    // Whoever no longer reads has seen enough.
    let mut say = |line: String| drop(writeln!(out, "{line}"));
    if let Some(seed) = args.seed {
        let run = run_seed(seed);
        say(format!("seed {seed}: {} steps, {} takes, {:?}", run.steps, run.takes, run.faults));
        return match run.violation {
            Some(violation) => {
                say(violation);
                ExitCode::FAILURE
            }
            None => ExitCode::SUCCESS,
        };
    }
    let report = run_seeds(args.first, args.seeds, |seed, run| {
        if let Some(violation) = &run.violation {
            say(format!("seed {seed}: {violation}"));
        }
        if (seed + 1).is_multiple_of(1_000) {
            say(format!("{} seeds", seed + 1 - args.first));
        }
    });
    say(if args.json {
        serde_json::to_string(&report).expect("a report is plain")
    } else {
        format!("{report:?}")
    });
    if report.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
