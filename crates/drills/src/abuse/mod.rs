//! A sale with hostile clients beside it: what they get, what the sale notices.
//!
//! Buyers keep to a schedule whatever the answers, first alone, then beside every kind of abuse at
//! once. Each kind has an address of its own, so that one's limits are not another's excuse.

mod hostile;
mod kinds;
mod sale;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serde::Serialize;
use stampede_domain::{DropId, DurationMs, Mode, ViewerId};
use stampede_loadtest::{ControlClient, ControlError, DropTerms, PaymentTimes, Price, SkuTerms};
use stampede_swarm::Clock;
use stampede_wire::ticket::{KeySpec, Ticket, TicketMinter};

use self::kinds::{KINDS, Kind};

const STREAM: &str = "abuse-show";
const SKU: &str = "mug";
/// Buyers of the sale; each buys once a second.
const BUYERS: u32 = 200;
/// More seconds would be more holds than one viewer may make.
pub const SECONDS_MAX: u32 = 30;
const PATIENCE: Duration = Duration::from_secs(10);
const TICKET_LIFETIME: DurationMs = DurationMs::from_secs(600);

/// What an abuse drill needs to know.
#[derive(Clone, Debug)]
pub struct Abuse {
    /// Where viewers connect.
    pub viewers: SocketAddr,
    /// The control API: `http://host:port`.
    pub control: String,
    /// A staff token that may plan and open.
    pub token: String,
    /// The key that signs tickets.
    pub key: KeySpec,
    /// How long the sale goes on alone, in seconds, then beside the abuse.
    pub seconds: u32,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct AbuseOutcome {
    /// Buys of the sale.
    pub buys: u64,
    /// Of them those that were never answered.
    pub answers_lost: u64,
    /// Of them those that were refused; there is stock for all.
    pub refused: u64,
    /// From the planned moment of a buy to its answer, while the sale was alone, in microseconds.
    pub p50_us_before: u64,
    /// The slowest in a hundred of these.
    pub p99_us_before: u64,
    /// From the planned moment of a buy to its answer, beside the abuse, in microseconds.
    pub p50_us_during: u64,
    /// The slowest in a hundred of these.
    pub p99_us_during: u64,
    /// What became of each kind of abuse.
    pub abuses: Vec<AbuseTally>,
}

/// What became of one kind of abuse.
#[derive(Clone, Debug, Serialize)]
pub struct AbuseTally {
    /// Its name.
    pub kind: &'static str,
    /// How often it was tried.
    pub attempts: u64,
    /// How the attempts ended: close codes, HTTP statuses, or words, the most frequent first.
    pub ended_with: String,
    /// How the attempts may end.
    pub expected: &'static [&'static str],
    /// Attempts by how they ended.
    pub counts: BTreeMap<String, u64>,
}

/// Why a drill could not be carried through.
#[derive(Debug, thiserror::Error)]
pub enum AbuseError {
    /// The system refused something.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The drop's id is none.
    #[error(transparent)]
    Id(#[from] stampede_domain::IdError),
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] stampede_wire::ticket::KeyError),
    /// A call of the control API failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A buyer was not let in.
    #[error("a buyer cannot connect: {0}")]
    Buyer(#[from] stampede_client::ClientError),
}

/// Who everybody talks to, with what.
pub(super) struct Target {
    viewers: SocketAddr,
    drop: DropId,
    clock: Clock,
    minter: TicketMinter,
    over: AtomicBool,
}

impl Target {
    fn ticket(&self, viewer: &str) -> String {
        let now = self.clock.unix_now();
        let ticket = Ticket {
            viewer: ViewerId::new(viewer).expect("letters with numbers are an id"),
            stream: STREAM.parse().expect("a word is an id"),
            channel: None,
            mode: Mode::Live,
            expires_at: now.plus(TICKET_LIFETIME),
        };
        self.minter.mint(&ticket, now)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

/// Plays the sale, then the sale beside the abuse.
///
/// # Errors
/// [`AbuseError`]; what the server does to anybody is no error, it is in the outcome.
pub fn run_abuse(abuse: &Abuse) -> Result<AbuseOutcome, AbuseError> {
    let failed = |source| AbuseError::System { what: "make a runtime", source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let drop = runtime.block_on(opened(abuse))?;
    let target = Arc::new(Target {
        viewers: abuse.viewers,
        drop,
        clock: Clock::start(),
        minter: TicketMinter::new(&abuse.key)?,
        over: AtomicBool::new(false),
    });
    let mut threads = Vec::new();
    let sale = runtime.block_on(sale::play(&target, abuse.seconds, || {
        threads = start(&target);
    }));
    target.over.store(true, Ordering::Release);
    let abuses = threads.into_iter().map(|one| one.join().expect("no kind panics")).collect();
    let sale = sale?;
    Ok(AbuseOutcome {
        buys: sale.buys,
        answers_lost: sale.lost,
        refused: sale.refused,
        p50_us_before: sale.before.quantile_us(0.5),
        p99_us_before: sale.before.quantile_us(0.99),
        p50_us_during: sale.during.quantile_us(0.5),
        p99_us_during: sale.during.quantile_us(0.99),
        abuses,
    })
}

/// Every kind of abuse at once, each from an address of its own.
fn start(target: &Arc<Target>) -> Vec<thread::JoinHandle<AbuseTally>> {
    let addresses = (1..).map(|number| Ipv4Addr::new(127, 0, 1, number));
    let spawn = |(kind, from): (&'static Kind, Ipv4Addr)| {
        let target = Arc::clone(target);
        thread::spawn(move || repeat(kind, from, &target))
    };
    KINDS.iter().zip(addresses).map(spawn).collect()
}

/// Tries one kind again and again until the sale is over.
fn repeat(kind: &'static Kind, from: Ipv4Addr, target: &Target) -> AbuseTally {
    let mut counts = BTreeMap::<String, u64>::new();
    let mut attempts = 0;
    while !target.is_over() {
        attempts += 1;
        let ended = (kind.play)(&kinds::Attempt { target, kind, from, number: attempts });
        let ended = ended.unwrap_or_else(|why| format!("error: {why}"));
        *counts.entry(ended).or_default() += 1;
        thread::sleep(kind.pause);
    }
    let mut ends: Vec<_> = counts.iter().collect();
    ends.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let ended_with = ends.iter().map(|(end, _)| end.as_str()).collect::<Vec<_>>().join(", ");
    AbuseTally { kind: kind.name, attempts, ended_with, expected: kind.expected, counts }
}

async fn opened(abuse: &Abuse) -> Result<DropId, AbuseError> {
    let control = ControlClient::new(&abuse.control, &abuse.token);
    let terms = DropTerms {
        stream: STREAM.into(),
        title: "A sale in bad company".into(),
        merchant: "drill".into(),
        host: "drill".into(),
        skus: vec![SkuTerms {
            id: SKU.into(),
            title: "Mug".into(),
            price: Price { minor: 499, currency: "EUR".into() },
            supply: 100_000,
        }],
        limit_per_viewer: 64,
        holds_per_viewer_max: 64,
        hold_ttl_ms: 600_000,
        countdown_ms: 0,
        payment: PaymentTimes::default(),
    };
    let drop = control.plan(&terms).await?;
    control.open(&drop).await?;
    control.wait_open(&drop, PATIENCE).await?;
    Ok(drop.parse()?)
}
