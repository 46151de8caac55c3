//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use stampede_domain::DurationMs;
use stampede_loadtest::LoadArgs;

use crate::payment_settings::Provider;

/// Viewers of a staged demo: as many as a server lets in by default.
pub(crate) const VIEWERS_DEFAULT: u32 = 18_000;

/// A live-stream flash-sale inventory engine.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sell 15,000 units to a simulated crowd, then prove the report; with --stage you are the host
    Demo(DemoArgs),
    /// Run the server
    Serve(ServeArgs),
    /// Replay a ledger and check every rule; exits with 1 if something is wrong
    Verify(VerifyArgs),
    /// Print the sell-out report of a drop, or of every drop
    Report(ReportArgs),
    /// Tell what became of a hold, of an order, or of everything that a viewer took, a sentence for each record
    Audit(AuditArgs),
    /// Load-test a running server: sell a rehearsal to a crowd, check latencies and every promise
    Load(Box<LoadArgs>),
    /// Make, list or revoke staff tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Invite a person by a one-time link, shown with its QR code
    Invite(InviteArgs),
    /// Sign tickets for trials
    #[command(subcommand)]
    Ticket(TicketCommand),
    /// One process of a simulated crowd: reads its plan from standard input
    #[command(hide = true)]
    Crowd,
    /// A simulated audience: reads its plan from standard input
    #[command(hide = true)]
    Audience,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct DemoArgs {
    /// Run a show of five drops yourself, in a browser, with a crowd that waits; the ledger is kept
    #[arg(long)]
    pub(crate) stage: bool,
    /// With --stage: number of viewers; scaled down if descriptors or memory are short
    #[arg(long, requires = "stage", default_value_t = VIEWERS_DEFAULT, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub(crate) viewers: u32,
    /// With --stage: port of the pages; port 0 takes any free one
    #[arg(long, requires = "stage", default_value_t = 0)]
    pub(crate) port: u16,
    /// With --stage: only print the link
    #[arg(long, requires = "stage")]
    pub(crate) no_browser: bool,
    /// Print one JSON object as the last line
    #[arg(long, conflicts_with = "stage")]
    pub(crate) json: bool,
    /// Where the ledger goes; a temporary directory by default
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Keep the ledger afterwards
    #[arg(long, conflicts_with = "stage")]
    pub(crate) keep: bool,
    /// Viewers connected at once; scaled down if descriptors are short
    #[arg(long, conflicts_with = "stage", default_value_t = 15_400, value_parser = clap::value_parser!(u32).range(10..=30_000))]
    pub(crate) connected: u32,
    /// Units on sale; at most one for each viewer connected at once
    #[arg(long, conflicts_with = "stage", default_value_t = 15_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) units: u32,
    /// Seed of everything that the crowd does by chance
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The data directory: ledger, staff tokens, ticket keys
    #[arg(long, env = "STAMPEDE_DATA")]
    pub(crate) data: PathBuf,
    /// A file of settings in TOML
    #[arg(long, env = "STAMPEDE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where viewers connect; port 0 takes any free one [default: 127.0.0.1:7700]
    #[arg(long)]
    pub(crate) viewers: Option<SocketAddr>,
    /// Where staff and tools connect; port 0 takes any free one [default: 127.0.0.1:7701]
    #[arg(long)]
    pub(crate) control: Option<SocketAddr>,
    /// Threads that serve viewers [default: one for each core]
    #[arg(long)]
    pub(crate) cores: Option<usize>,
    /// Time between two stock ticks of a drop, in milliseconds [default: 100]
    #[arg(long)]
    pub(crate) tick_interval_ms: Option<u64>,
    /// The payment provider [default: none]
    #[arg(long)]
    pub(crate) payments: Option<Provider>,
    /// How long a sandbox payment takes, in milliseconds [default: 500]
    #[arg(long)]
    pub(crate) payment_delay_ms: Option<u64>,
    /// Share of sandbox attempts that fail, 0 to 1 [default: 0]
    #[arg(long)]
    pub(crate) payment_failure_rate: Option<f64>,
    /// Log lines as JSON
    #[arg(long)]
    pub(crate) log_json: bool,
    /// A demo runs this server: standard input is its socket
    #[arg(long, hide = true)]
    pub(crate) staged: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The data directory
    #[arg(long, env = "STAMPEDE_DATA")]
    pub(crate) data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The data directory
    #[arg(long, env = "STAMPEDE_DATA")]
    pub(crate) data: PathBuf,
    /// The drop, like d1; every drop by default
    #[arg(long)]
    pub(crate) drop: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The data directory
    #[arg(long, env = "STAMPEDE_DATA")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) of: AuditOf,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct AuditOf {
    /// A hold, by its id
    #[arg(long)]
    pub(crate) hold: Option<String>,
    /// An order, by its id or its code, like 17-4211-0
    #[arg(long)]
    pub(crate) order: Option<String>,
    /// A viewer, by the platform's id
    #[arg(long)]
    pub(crate) viewer: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token; it is shown once
    Add {
        /// The data directory
        #[arg(long, env = "STAMPEDE_DATA")]
        data: PathBuf,
        /// The name of its user; every record of a command shows it
        #[arg(long)]
        name: String,
        /// Its role
        #[arg(long)]
        role: StaffRole,
        /// Bind it to one merchant's drops
        #[arg(long)]
        merchant: Option<String>,
        /// Bind it to a stream's drops; may be given several times
        #[arg(long = "stream")]
        streams: Vec<String>,
    },
    /// List tokens without their secrets
    List {
        /// The data directory
        #[arg(long, env = "STAMPEDE_DATA")]
        data: PathBuf,
    },
    /// Revoke a token; works at once, even while the server runs
    Revoke {
        /// The data directory
        #[arg(long, env = "STAMPEDE_DATA")]
        data: PathBuf,
        /// The token's id, as `token list` shows it
        #[arg(long)]
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct InviteArgs {
    /// The data directory
    #[arg(long, env = "STAMPEDE_DATA")]
    pub(crate) data: PathBuf,
    /// The server's file of settings, which says where browsers find it
    #[arg(long, env = "STAMPEDE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The person's name; every record of a command shows it
    #[arg(long)]
    pub(crate) name: String,
    /// Their role
    #[arg(long)]
    pub(crate) role: StaffRole,
    /// Bind them to one merchant's drops
    #[arg(long)]
    pub(crate) merchant: Option<String>,
    /// Bind them to a stream's drops; may be given several times
    #[arg(long = "stream")]
    pub(crate) streams: Vec<String>,
    /// How long the link and the session that it opens are good: like 90m, 24h or 7d
    #[arg(long, default_value = "24h", value_parser = span)]
    pub(crate) valid: DurationMs,
    /// Make a link that only a browser on this machine can open
    #[arg(long)]
    pub(crate) here: bool,
}

/// A span of time as people write it: a whole number with s, m, h or d.
fn span(text: &str) -> Result<DurationMs, String> {
    let wrong = || format!("{text:?} is no span like 90m, 24h or 7d");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(DurationMs::from_secs(count.saturating_mul(seconds)))
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StaffRole {
    Admin,
    Host,
    Merchant,
    Ops,
    Platform,
    Creator,
    Stage,
    Payments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TicketCommand {
    /// Sign a ticket with the data directory's key and print it
    Mint {
        /// The data directory
        #[arg(long, env = "STAMPEDE_DATA")]
        data: PathBuf,
        /// The stream to join
        #[arg(long)]
        stream: String,
        /// The viewer's id on the platform
        #[arg(long)]
        viewer: String,
        /// The channel that gets the credit
        #[arg(long)]
        channel: Option<String>,
        /// A rehearsal ticket
        #[arg(long)]
        rehearsal: bool,
        /// How long the ticket is good, in seconds
        #[arg(long, default_value_t = 3_600)]
        lifetime_s: u64,
    },
}
