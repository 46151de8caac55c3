//! Drills: something breaks on purpose, the promises must survive it.
//!
//! A drill builds the release binaries first, says what it does, ends with one JSON object where
//! `--json` asks for it. It fails if what it was to show did not show.

mod abuse;
mod binaries;
mod clocks;
mod crash;
mod crowd;
mod diskfail;
mod facts;
mod openloop;
mod powercut;
mod promises;
mod server;
mod settlement;
mod strace;
mod trace;
mod undo;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

pub(crate) use self::binaries::{Binaries, build};
use crate::{failure::Failure, workspace::Workspace};

#[derive(Subcommand)]
pub(crate) enum Drill {
    /// Cuts the power under a selling ledger: nothing unsynced survives; then shows that the same
    /// drill loses promises once syncing is off
    Powercut {
        /// Seed of the cuts
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How often the power goes
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        cuts: u32,
        #[command(flatten)]
        common: Common,
    },
    /// Kills a server under load again and again, then audits every promise that it made
    Crash {
        /// Seed of the moments of the kills, and of the crowd
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How often the server is killed
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        kills: u32,
        /// Few kills, few promises
        #[arg(long, conflicts_with = "kills")]
        short: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Reports payments twice, late, in any order, kills the server meanwhile, then compares the books
    Settlement {
        /// Seed of what happens to holds, and of the moments of the kills
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Holds that are made; one kill for each 2,000 of them, and two more
        #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(200..=1_000_000))]
        holds: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Undoes the opening of a drop with many holds beside a host who presses Pause, then kills the server in the middle
    /// of that again and again
    Undo {
        /// Viewers, who take 64 units each
        #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(4..=100_000))]
        viewers: u32,
        /// Kills in the middle of an undo
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=30))]
        kills: u32,
        /// Seed of the moments of the kills
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Measures payments that are reported beside a sale in full run, then the host's Pause beside a flood of them
    Facts {
        /// Payments reported per second
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=20_000))]
        per_s: u64,
        /// How long each part runs, in seconds
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60))]
        seconds: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Sets the wall clock of a server wrong, right and back while it sells
    Clocks {
        #[command(flatten)]
        common: Common,
    },
    /// Traces the system calls of a server: each promise leaves after the sync that covers it
    Trace {
        #[command(flatten)]
        common: Common,
    },
    /// Lets hostile clients of every kind come while a sale goes on
    Abuse {
        /// Seconds of the sale alone, then beside the abuse
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=30))]
        seconds: u32,
        #[command(flatten)]
        common: Common,
    },
    /// Lets a server's disk fail in the middle of a sale
    Diskfail {
        #[command(flatten)]
        common: Common,
    },
    /// Measures what a crowd of viewers costs a server, how fast it reaches all of them, then lets
    /// everybody click within one second
    Crowd {
        /// Connections of the crowd
        #[arg(long, default_value_t = 15_000)]
        connections: u32,
        /// Seed of the moments of the clicks
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// A few seconds in all: for correctness, not for figures
        #[arg(long)]
        short: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Finds the peak of the sell path, of the sold-out path, then offers half of it by a schedule
    Openloop {
        /// Connections that the clicks come from
        #[arg(long, default_value_t = 2_000)]
        connections: u32,
        /// How long the peak is measured, in seconds
        #[arg(long, default_value_t = 3)]
        peak_s: u64,
        /// How long the open loop runs, in seconds
        #[arg(long, default_value_t = 10)]
        open_s: u64,
        /// Seed of the moments of the clicks
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
pub(crate) struct Common {
    /// Take `stampede`, `drills`, `loadtest`, `examples/powercut` from this folder instead of building them
    #[arg(long)]
    binaries: Option<PathBuf>,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

/// Undos whose time is taken, where nobody is short of it.
const UNDOS_MEASURED: u32 = 3;

/// Runs a drill as somebody asked for it.
pub(crate) fn run(workspace: &Workspace, drill: &Drill) -> Result<(), Failure> {
    match drill {
        Drill::Powercut { seed, cuts, common } => {
            let example = common.powercut(workspace)?;
            finish(powercut::run(&example, *seed, *cuts)?, common.json)
        }
        Drill::Crash { seed, kills, short, common } => {
            let plan = crash::Plan { seed: *seed, kills: (!short).then_some(*kills) };
            finish(crash::run(&common.binaries(workspace)?, &plan)?, common.json)
        }
        Drill::Settlement { seed, holds, common } => {
            let plan = settlement::Plan { seed: *seed, holds: *holds };
            finish(settlement::run(&common.binaries(workspace)?, &plan)?, common.json)
        }
        Drill::Undo { viewers, kills, seed, common } => {
            let (viewers, kills, seed) = (*viewers, *kills, *seed);
            let plan = undo::Plan { viewers, rounds: UNDOS_MEASURED, kills, seed };
            finish(undo::run(&common.binaries(workspace)?, &plan)?, common.json)
        }
        Drill::Facts { per_s, seconds, common } => {
            let plan = facts::Plan { per_s: *per_s, seconds: *seconds };
            finish(facts::run(&common.binaries(workspace)?, &plan)?, common.json)
        }
        Drill::Clocks { common } => finish(clocks::run(&common.binaries(workspace)?)?, common.json),
        Drill::Trace { common } => finish(trace::run(&common.binaries(workspace)?)?, common.json),
        Drill::Abuse { seconds, common } => {
            finish(abuse::run(&common.binaries(workspace)?, *seconds)?, common.json)
        }
        Drill::Diskfail { common } => {
            finish(diskfail::run(&common.binaries(workspace)?)?, common.json)
        }
        Drill::Crowd { connections, seed, short, common } => {
            let plan = crowd::Plan { connections: *connections, seed: *seed, short: *short };
            finish(crowd::run(&common.binaries(workspace)?, &plan)?, common.json)
        }
        Drill::Openloop { connections, peak_s, open_s, seed, common } => {
            let (peak_s, open_s) = (*peak_s, *open_s);
            let plan = openloop::Plan { connections: *connections, peak_s, open_s, seed: *seed };
            finish(openloop::run(&common.binaries(workspace)?, &plan)?, common.json)
        }
    }
}

/// The short drills of the gate; what they need was built by an earlier step.
pub(crate) mod short {
    use super::{
        Binaries, abuse, binaries, clocks, crash, crowd, diskfail, finish, openloop, powercut,
        settlement, trace, undo,
    };
    use crate::{failure::Failure, workspace::Workspace};

    const SEED: u64 = 1;
    const CUTS: u32 = 20;
    const ABUSE_SECONDS: u32 = 3;
    const SETTLEMENT_HOLDS: u64 = 1_500;

    pub(crate) fn powercut(workspace: &Workspace) -> Result<(), Failure> {
        finish(powercut::run(&binaries::powercut(workspace), SEED, CUTS)?, false)
    }

    pub(crate) fn crash(workspace: &Workspace) -> Result<(), Failure> {
        let plan = crash::Plan { seed: SEED, kills: None };
        finish(crash::run(&Binaries::of(workspace), &plan)?, false)
    }

    pub(crate) fn settlement(workspace: &Workspace) -> Result<(), Failure> {
        let plan = settlement::Plan { seed: SEED, holds: SETTLEMENT_HOLDS };
        finish(settlement::run(&Binaries::of(workspace), &plan)?, false)
    }

    /// Two portions and a bit: enough to be killed in between.
    pub(crate) fn undo(workspace: &Workspace) -> Result<(), Failure> {
        let plan = undo::Plan { viewers: 60, rounds: 1, kills: 2, seed: SEED };
        finish(undo::run(&Binaries::of(workspace), &plan)?, false)
    }

    pub(crate) fn clocks(workspace: &Workspace) -> Result<(), Failure> {
        finish(clocks::run(&Binaries::of(workspace))?, false)
    }

    pub(crate) fn trace(workspace: &Workspace) -> Result<(), Failure> {
        finish(trace::run(&Binaries::of(workspace))?, false)
    }

    pub(crate) fn abuse(workspace: &Workspace) -> Result<(), Failure> {
        finish(abuse::run(&Binaries::of(workspace), ABUSE_SECONDS)?, false)
    }

    pub(crate) fn diskfail(workspace: &Workspace) -> Result<(), Failure> {
        finish(diskfail::run(&Binaries::of(workspace))?, false)
    }

    /// Small enough for any machine; its figures mean nothing, its answers do.
    pub(crate) fn crowd(workspace: &Workspace) -> Result<(), Failure> {
        let binaries = Binaries::of(workspace);
        let plan = crowd::Plan { connections: 500, seed: SEED, short: true };
        finish(crowd::run(&binaries, &plan)?, false)?;
        let plan = openloop::Plan { connections: 200, peak_s: 1, open_s: 1, seed: SEED };
        finish(openloop::run(&binaries, &plan)?, false)
    }
}

impl Common {
    fn binaries(&self, workspace: &Workspace) -> Result<Binaries, Failure> {
        match &self.binaries {
            Some(folder) => Ok(Binaries::within(folder)),
            None => binaries::build_server(workspace),
        }
    }

    fn powercut(&self, workspace: &Workspace) -> Result<PathBuf, Failure> {
        match &self.binaries {
            Some(folder) => Ok(folder.join("examples").join("powercut")),
            None => binaries::build_powercut(workspace),
        }
    }
}

/// What a drill showed.
struct DrillOutcome {
    drill: &'static str,
    /// Everything as one JSON object.
    json: Value,
    /// One sentence of figures.
    words: String,
    /// What is wrong; empty if the drill showed what it should.
    wrong: Vec<String>,
}

fn finish(outcome: DrillOutcome, json: bool) -> Result<(), Failure> {
    let DrillOutcome { drill, json: value, words, wrong } = outcome;
    println!("{drill}: {words}");
    for what in &wrong {
        println!("WRONG: {what}");
    }
    if json {
        println!("{value}");
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Drill { drill, why: wrong.join("; ") }) }
}

/// Says what is wrong unless `good`.
fn check(wrong: &mut Vec<String>, good: bool, what: impl FnOnce() -> String) {
    if !good {
        wrong.push(what());
    }
}
