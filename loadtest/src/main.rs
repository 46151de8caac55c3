//! The tool's command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Crowd => stampede_loadtest::crowd_process(),
    }
}
