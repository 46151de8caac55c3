//! The tool's command line.

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use stampede_loadtest::{
    ControlClient, LoadArgs, audit_promises, crowd_process, read_promises, run_load,
};

/// Load tests against a running Stampede.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sell a rehearsal of a running server to a crowd; check latencies and every promise
    Run(Box<LoadArgs>),
    /// Play one process of a crowd: reads its plan, one line of JSON, from standard input
    #[command(hide = true)]
    Crowd,
    /// Hold a log of promises against the ledger of a running server; prints one JSON object
    Audit(AuditArgs),
}

#[derive(Args)]
struct AuditArgs {
    /// The control API, like `http://127.0.0.1:7701/`
    #[arg(long)]
    control: String,
    /// A staff token that may read the audit
    #[arg(long, env = "STAMPEDE_TOKEN", hide_env_values = true)]
    token: String,
    /// The drop, like d1
    #[arg(long)]
    drop: String,
    /// The log of promises
    #[arg(long)]
    log: PathBuf,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run_load(&args),
        Command::Crowd => crowd_process(),
        Command::Audit(args) => printed(audit(&args)),
    }
}

/// Prints the result; its flag says whether it is a good one.
fn printed(result: Result<(bool, String), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok((good, line)) => {
            println!("{line}");
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn audit(args: &AuditArgs) -> Result<(bool, String), Box<dyn Error>> {
    let promises = read_promises(&args.log)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let control = ControlClient::new(&args.control, &args.token);
    let ledger = runtime.block_on(control.ledger(&args.drop))?;
    let found = audit_promises(&promises, &ledger);
    Ok((found.is_clean(), serde_json::to_string(&found)?))
}
