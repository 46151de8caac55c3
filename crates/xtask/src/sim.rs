//! The simulation: a node from seeds, with faults and restarts, in one thread.

use clap::Args;

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

/// What is run.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Sim {
    /// What the simulation is told: --seeds N, --first N, --seed N, --json, --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    told: Vec<String>,
}

/// Builds the simulation as fast as it gets, then runs it.
pub(crate) fn run(workspace: &Workspace, wanted: &Sim) -> Result<(), Failure> {
    let mut command = workspace.cargo(&["run", "--release", "--quiet", "-p", "stampede-sim", "--"]);
    workspace::run(command.args(&wanted.told))
}
