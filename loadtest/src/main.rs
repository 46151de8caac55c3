//! The tool's command line.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use stampede_loadtest::{CrashDrill, crowd_process, run_crash_drill};

/// Load tests and drills against a running Stampede.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play one process of a crowd: reads its plan, one line of JSON, from standard input
    Crowd,
    /// Kill a server again and again under load, then audit every promise that it made
    Crash(CrashArgs),
}

#[derive(Args)]
struct CrashArgs {
    /// The server's binary, `stampede`
    #[arg(long)]
    server: PathBuf,
    /// Seed of the moments of the kills, and of the crowd
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often the server is killed
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// Promises that must have been received before the drill ends
    #[arg(long, default_value_t = 10_000)]
    promises: u64,
    /// Four kills, a thousand promises
    #[arg(long, conflicts_with_all = ["kills", "promises"])]
    short: bool,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Crowd => crowd_process(),
        Command::Crash(args) => crash(args),
    }
}

fn crash(args: CrashArgs) -> ExitCode {
    let (kills, promises_min) = if args.short { (4, 1_000) } else { (args.kills, args.promises) };
    let drill = CrashDrill { server: args.server, seed: args.seed, kills, promises_min };
    match run_crash_drill(&drill, |line| println!("{line}")) {
        Ok(outcome) => {
            let json = || serde_json::to_string(&outcome).expect("an outcome is plain data");
            println!("{}", if args.json { json() } else { outcome.words() });
            if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
