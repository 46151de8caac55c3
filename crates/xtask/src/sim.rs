//! The simulation: a node from seeds, with faults and restarts, in one thread.

use clap::Args;

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

/// What is run.
#[derive(Args)]
pub(crate) struct Sim {
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

/// Builds the simulation as fast as it gets, then runs it.
pub(crate) fn run(workspace: &Workspace, wanted: &Sim) -> Result<(), Failure> {
    let mut command = workspace.cargo(&["run", "--release", "--quiet", "-p", "stampede-sim", "--"]);
    if let Some(seed) = wanted.seed {
        command.args(["--seed", &seed.to_string()]);
    } else {
        let (seeds, first) = (wanted.seeds.to_string(), wanted.first.to_string());
        command.args(["--seeds", &seeds, "--first", &first]);
    }
    if wanted.json {
        command.arg("--json");
    }
    workspace::run(&mut command)
}
