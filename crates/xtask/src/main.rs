//! One command for tests, drills, checks.
//!
//! `cargo xtask test` is the gate: every check of the project in one order, a failed one hides no
//! other. It is compiled first on a cold machine, so it depends on little, on no crate of the
//! workspace at all.

mod demo;
mod doc_commands;
mod drill;
mod e2e;
mod edges;
mod failure;
mod fuzz;
mod markdown;
mod packages;
mod peers;
mod races;
mod scripts;
mod sim;
mod steps;
mod stripe;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{failure::Failure, workspace::Workspace};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tests, drills, checks of Stampede")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs what the tests need, then runs every step; a summary says how each ended
    Test {
        /// Names the steps in their order, runs none
        #[arg(long)]
        list: bool,
    },
    /// Runs the named steps alone, in the order given
    Step {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Breaks something on purpose, then shows that no promise was lost
    #[command(subcommand)]
    Drill(drill::Drill),
    /// Runs shows, faults, accessibility in a real browser; on demand pictures with measurements
    E2e(e2e::E2e),
    /// Runs the engine from seeds, in one thread, with faults and restarts
    Sim(sim::Sim),
    /// Measures Stampede and its peers side by side in one run
    Peers(peers::Peers),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Test { list: true } => {
            steps::list();
            Ok(())
        }
        Command::Test { list: false } => steps::run_all(&Workspace::load()?),
        Command::Drill(drill) => drill::run(&Workspace::load()?, &drill),
        Command::E2e(wanted) => e2e::run(&Workspace::load()?, &wanted),
        Command::Sim(wanted) => sim::run(&Workspace::load()?, &wanted),
        Command::Peers(peers) => peers::run(&Workspace::load()?, &peers),
        Command::Step { names } => steps::run_named(&Workspace::load()?, &names),
    }
}
