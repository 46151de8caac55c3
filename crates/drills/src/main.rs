//! The command line of the drills.

use std::{error::Error, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use stampede_drills::{
    Abuse, ClockDrill, CrashDrill, CrowdDrill, FactsDrill, OpenLoop, Probe, SECONDS_MAX,
    SettlementDrill, UndoDrill, run_abuse, run_clock_drill, run_crash_drill, run_crowd_drill,
    run_facts, run_open_loop, run_probe, run_send_loop, run_settlement_drill, run_undo_drill,
};
use stampede_loadtest::signing_ticket_key;

/// Drills that a Stampede is put through: kills, crowds, wrong clocks, abuse.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Kill a server again and again under load, then audit every promise that it made
    Crash(CrashArgs),
    /// Report payments twice, late, in any order, kill the server meanwhile, then compare the books
    Settlement(SettlementArgs),
    /// Undo the opening of a drop with many holds, kill the server in the middle of it; prints one JSON object
    Undo(UndoArgs),
    /// Measure payments that are reported beside a sale, and the host's Pause beside a flood of them
    Facts(FactsArgs),
    /// Measure what a server's viewers cost it, how fast it reaches all of them
    CrowdDrill(CrowdDrillArgs),
    /// Find the peak of the sell path, of the sold-out path, then offer half of it by a schedule
    OpenLoop(OpenLoopArgs),
    /// Send small messages over many connections by plain `send()`: what the machine can do
    SendLoop(SendLoopArgs),
    /// Set the wall clock of a server wrong, right and back while it sells; prints one JSON object
    Clocks(ClocksArgs),
    /// Send few buyers one after the other, write down every promise; prints one JSON object
    Probe(ProbeArgs),
    /// Play a sale beside hostile clients of every kind; prints one JSON object
    Abuse(AbuseArgs),
}

#[derive(Args)]
struct ClocksArgs {
    /// The server's binary
    #[arg(long)]
    server: PathBuf,
    /// The library of faketime: libfaketimeMT.so.1
    #[arg(long)]
    faketime: PathBuf,
}

#[derive(Args)]
struct ProbeArgs {
    /// Where viewers connect, like `ws://127.0.0.1:7700/`
    #[arg(long)]
    url: String,
    /// The control API, like `http://127.0.0.1:7701/`
    #[arg(long)]
    control: String,
    /// A staff token of the role admin
    #[arg(long, env = "STAMPEDE_TOKEN", hide_env_values = true)]
    token: String,
    /// The server's file of ticket keys
    #[arg(long)]
    keys: PathBuf,
    /// How many buyers come
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    buyers: u32,
    /// Where the promises go
    #[arg(long)]
    log: PathBuf,
}

#[derive(Args)]
struct AbuseArgs {
    /// Where viewers connect, like `127.0.0.1:7700`
    #[arg(long)]
    viewers: SocketAddr,
    /// The control API, like `http://127.0.0.1:7701/`
    #[arg(long)]
    control: String,
    /// A staff token of the role admin
    #[arg(long, env = "STAMPEDE_TOKEN", hide_env_values = true)]
    token: String,
    /// The server's file of ticket keys
    #[arg(long)]
    keys: PathBuf,
    /// Seconds of the sale alone, then beside the abuse
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(SECONDS_MAX)))]
    seconds: u32,
}

#[derive(Args)]
struct CrowdDrillArgs {
    /// The server's binary, `stampede`
    #[arg(long)]
    server: PathBuf,
    /// Connections of the crowd
    #[arg(long, default_value_t = 15_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    connections: u32,
    /// Seed of the moments of the clicks
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A few seconds in all: for correctness, not for figures
    #[arg(long)]
    short: bool,
}

#[derive(Args)]
struct UndoArgs {
    /// The server's binary, `stampede`
    #[arg(long)]
    server: PathBuf,
    /// Viewers, who take 64 units each
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(4..=100_000))]
    viewers: u32,
    /// Undos that are measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Kills in the middle of an undo
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=30))]
    kills: u32,
    /// Seed of the moments of the kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Args)]
struct FactsArgs {
    /// The server's binary, `stampede`
    #[arg(long)]
    server: PathBuf,
    /// Payments reported per second
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    per_s: u64,
    /// How long each part runs, in seconds
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
}

#[derive(Args)]
struct OpenLoopArgs {
    /// The server's binary, `stampede`
    #[arg(long)]
    server: PathBuf,
    /// Connections that the clicks come from
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    connections: u32,
    /// How long the peak is measured, in seconds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    peak_s: u64,
    /// How long the open loop runs, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    open_s: u64,
    /// Seed of the moments of the clicks
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Args)]
struct SendLoopArgs {
    /// Connections to wait for
    #[arg(long)]
    connections: u32,
    /// Bytes of a message
    #[arg(long)]
    bytes: usize,
    /// How long to send, in milliseconds
    #[arg(long)]
    ms: u64,
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

#[derive(Args)]
struct SettlementArgs {
    /// The server's binary, `stampede`
    #[arg(long)]
    server: PathBuf,
    /// Seed of what happens to holds, and of the moments of the kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Holds that are made; one kill for each 2,000 of them, and two more
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(200..=1_000_000))]
    holds: u64,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Crash(args) => crash(args),
        Command::Settlement(args) => settlement(args),
        Command::Undo(args) => printed(undo(args)),
        Command::Facts(args) => printed(facts(args)),
        Command::CrowdDrill(args) => printed(crowd_drill(args)),
        Command::OpenLoop(args) => printed(open_loop(args)),
        Command::SendLoop(args) => send_loop(&args),
        Command::Clocks(args) => printed(clocks(args)),
        Command::Probe(args) => printed(probe(args)),
        Command::Abuse(args) => printed(abuse(args)),
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

fn settlement(args: SettlementArgs) -> ExitCode {
    let SettlementArgs { server, seed, holds, json } = args;
    let drill = SettlementDrill { server, seed, holds };
    match run_settlement_drill(&drill, |line| println!("{line}")) {
        Ok(outcome) => {
            let as_json = || serde_json::to_string(&outcome).expect("an outcome is plain data");
            println!("{}", if json { as_json() } else { outcome.words() });
            if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error} (seed {seed})");
            ExitCode::from(2)
        }
    }
}

fn crowd_drill(args: CrowdDrillArgs) -> Result<(bool, String), Box<dyn Error>> {
    let CrowdDrillArgs { server, connections, seed, short } = args;
    let program = std::env::current_exe()?;
    let drill = CrowdDrill { server, program, connections, seed, short };
    let outcome = run_crowd_drill(&drill, |line| println!("{line}"))?;
    Ok((outcome.is_ok(), serde_json::to_string(&outcome)?))
}

fn undo(args: UndoArgs) -> Result<(bool, String), Box<dyn Error>> {
    let UndoArgs { server, viewers, rounds, kills, seed } = args;
    let drill = UndoDrill { server, viewers, rounds, kills, seed };
    let outcome = run_undo_drill(&drill, |line| println!("{line}"))?;
    Ok((outcome.ok, serde_json::to_string(&outcome)?))
}

fn facts(args: FactsArgs) -> Result<(bool, String), Box<dyn Error>> {
    let FactsArgs { server, per_s, seconds } = args;
    let drill = FactsDrill { server, per_s, time: Duration::from_secs(seconds) };
    let outcome = run_facts(&drill, |line| println!("{line}"))?;
    Ok((outcome.ok, serde_json::to_string(&outcome)?))
}

fn open_loop(args: OpenLoopArgs) -> Result<(bool, String), Box<dyn Error>> {
    let OpenLoopArgs { server, connections, peak_s, open_s, seed } = args;
    let (peak, open) = (Duration::from_secs(peak_s), Duration::from_secs(open_s));
    let plan = OpenLoop { server, connections, peak, open, seed };
    let outcome = run_open_loop(&plan, |line| println!("{line}"))?;
    Ok((outcome.ok, serde_json::to_string(&outcome)?))
}

fn clocks(args: ClocksArgs) -> Result<(bool, String), Box<dyn Error>> {
    let drill = ClockDrill { server: args.server, faketime: args.faketime };
    let outcome = run_clock_drill(&drill, |line| println!("{line}"))?;
    Ok((outcome.is_ok(), serde_json::to_string(&outcome)?))
}

fn send_loop(args: &SendLoopArgs) -> ExitCode {
    match run_send_loop(args.connections, args.bytes, Duration::from_millis(args.ms)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
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

/// What the server refuses is an answer like any other: whether it should have is the caller's
/// business.
fn probe(args: ProbeArgs) -> Result<(bool, String), Box<dyn Error>> {
    let ProbeArgs { url, control, token, keys, buyers, log } = args;
    let key = signing_ticket_key(&keys)?;
    let probe = Probe { url, control, token, key, buyers, promise_log: log };
    Ok((true, serde_json::to_string(&run_probe(&probe)?)?))
}

fn abuse(args: AbuseArgs) -> Result<(bool, String), Box<dyn Error>> {
    let AbuseArgs { viewers, control, token, keys, seconds } = args;
    let abuse = Abuse { viewers, control, token, key: signing_ticket_key(&keys)?, seconds };
    Ok((true, serde_json::to_string(&run_abuse(&abuse)?)?))
}
