//! What a load test is asked to do.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, value_parser};

use super::threshold::Threshold;

/// What the help ends with.
const EXIT_CODES: &str = "\
Exit codes: 0 passed, 99 a threshold does not hold, 1 a promise was broken, 3 the server cannot be
reached or did not give its ledger, 4 the crowd was too slow, 2 it could not be carried out,
130 interrupted.";

/// The options of a load test, for every binary that offers one.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct LoadArgs {
    /// Where viewers connect, like `wss://sale.example/`
    #[arg(long, default_value = "ws://127.0.0.1:7700/", help_heading = "Server")]
    pub(super) url: String,
    /// The control API, like `https://control.example/`
    #[arg(long, default_value = "http://127.0.0.1:7701/", help_heading = "Server")]
    pub(super) control: String,
    /// A staff token that may plan, open and close a drop and read its audit; an admin's may
    #[arg(long, env = "STAMPEDE_TOKEN", hide_env_values = true, help_heading = "Server")]
    pub(super) token: String,
    /// A file with a key that signs tickets: the server's own `ticket-keys.json`, or the platform's private
    /// key as a JSON Web Key
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    pub(super) ticket_keys: PathBuf,
    /// Which certificates to believe: `mozilla` (the roots that browsers ship), `system` (those of this
    /// machine), or a PEM file
    #[arg(long, value_name = "WHICH", default_value = "mozilla", help_heading = "Server")]
    pub(super) roots: String,

    /// Sell this scheduled drop instead of a rehearsal that the load test plans for itself
    #[arg(long, value_name = "DROP", help_heading = "What is sold")]
    pub(super) drop: Option<String>,
    /// Allow --drop to name a live drop, whose units are real
    #[arg(long, requires = "drop", help_heading = "What is sold")]
    pub(super) live: bool,
    /// With --drop: the SKU to buy [default: the first]
    #[arg(long, requires = "drop", help_heading = "What is sold")]
    pub(super) sku: Option<String>,
    /// The stream of the rehearsal [default: a new one for each run]
    #[arg(long, conflicts_with = "drop", help_heading = "What is sold")]
    pub(super) stream: Option<String>,
    /// The merchant of the rehearsal; a token that is bound to a merchant plans for that one alone
    #[arg(
        long,
        conflicts_with = "drop",
        default_value = "load-test",
        help_heading = "What is sold"
    )]
    pub(super) merchant: String,
    /// Units of the rehearsal
    #[arg(
        long,
        conflicts_with = "drop",
        default_value_t = 1_000,
        value_parser = value_parser!(u32).range(1..=16_777_215),
        help_heading = "What is sold"
    )]
    pub(super) units: u32,
    /// How long a hold of the rehearsal lives, in seconds
    #[arg(
        long,
        conflicts_with = "drop",
        default_value_t = 10,
        value_parser = value_parser!(u32).range(1..=3_600),
        help_heading = "What is sold"
    )]
    pub(super) hold_ttl_s: u32,

    /// Viewers connected at once
    #[arg(
        long,
        default_value_t = 1_000,
        value_parser = value_parser!(u32).range(1..=1_000_000),
        help_heading = "Crowd"
    )]
    pub(super) connected: u32,
    /// Viewers in all; those beyond --connected come while others leave [default: twice as many]
    #[arg(
        long,
        value_parser = value_parser!(u32).range(1..=4_000_000),
        help_heading = "Crowd"
    )]
    pub(super) viewers: Option<u32>,
    /// New connections per second before the opening
    #[arg(
        long,
        default_value_t = 1_000,
        value_parser = value_parser!(u32).range(1..=100_000),
        help_heading = "Crowd"
    )]
    pub(super) connects_per_s: u32,
    /// The first clicks come within so many milliseconds of the opening
    #[arg(
        long,
        default_value_t = 1_000,
        value_parser = value_parser!(u32).range(1..=600_000),
        help_heading = "Crowd"
    )]
    pub(super) rush_ms: u32,
    /// Mean time between two clicks of a viewer who has nothing yet, in milliseconds
    #[arg(
        long,
        default_value_t = 1_500,
        value_parser = value_parser!(u32).range(150..=600_000),
        help_heading = "Crowd"
    )]
    pub(super) again_every_ms: u32,
    /// How long the crowd clicks after the opening, in seconds
    #[arg(
        long,
        default_value_t = 20,
        value_parser = value_parser!(u32).range(1..=1_800),
        help_heading = "Crowd"
    )]
    pub(super) sale_s: u32,
    /// Nobody pays: for a server that takes no payments
    #[arg(long, help_heading = "Crowd")]
    pub(super) unpaid: bool,
    /// Seed of everything that the crowd does by chance
    #[arg(long, default_value_t = 1, help_heading = "Crowd")]
    pub(super) seed: u64,
    /// Processes that play the crowd [default: one for each core, more if descriptors are short]
    #[arg(
        long,
        value_parser = value_parser!(u32).range(1..=256),
        help_heading = "Crowd"
    )]
    pub(super) processes: Option<u32>,
    /// A local address to connect from; several are used in turn, for each has ports for some 28,000
    /// connections [default: the system's choice; four for each process where the server is on loopback]
    #[arg(long = "source", value_name = "ADDRESS", help_heading = "Crowd")]
    pub(super) sources: Vec<IpAddr>,

    /// What must hold, like `p99_ms<=100`; may be given several times. Latencies count from the planned click
    /// to its answer: `p50_ms`, `p90_ms`, `p99_ms`, `p999_ms`, `max_ms`. Counts: `unanswered` (clicks that
    /// never got an answer), `turned_away` (clicks refused as `busy` or `rate_limited`), `kept_out` (viewers
    /// that were never let in), `connections_lost` [default: `p99_ms<=250`, and 0 for each count]
    #[arg(long = "threshold", value_name = "NAME<=VALUE", help_heading = "Verdict")]
    pub(super) thresholds: Vec<Threshold>,
    /// The crowd must come to 99 in 100 of its clicks within so many milliseconds of their planned moment;
    /// otherwise it was the crowd that was too slow, and the run proves nothing
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 25,
        value_parser = value_parser!(u32).range(1..=60_000),
        help_heading = "Verdict"
    )]
    pub(super) generator_late_ms_max: u32,
    /// Print one JSON object as the last line
    #[arg(long, help_heading = "Verdict")]
    pub(super) json: bool,
    /// Keep the log of every promise in this folder [default: kept only if one was broken]
    #[arg(long, value_name = "FOLDER", help_heading = "Verdict")]
    pub(super) logs: Option<PathBuf>,
}
