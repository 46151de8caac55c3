//! The settlement drill: payments that come twice, late, in the wrong order, while the server is killed.

mod between;
mod books;
mod closing;
mod crowd;
mod http;
mod kills;
mod outcome;
mod stories;
mod till;
mod viewer;
mod waiting_holds;

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::{Value, json};
use stampede_domain::{DropId, DurationMs};
use stampede_loadtest::{ControlClient, ControlError};
use stampede_swarm::Clock;

use self::{
    books::Books,
    crowd::{Crowd, Shop},
    http::Http,
    kills::Killer,
    outcome::{Collected, KillCounts, Ledger, Thresholds},
    till::Till,
    waiting_holds::WaitingHolds,
};
use crate::{
    error::DrillError,
    server::{Server, Setup, data, findings, payments_token, ticket_key},
};

pub use outcome::SettlementOutcome;

const SKU: &str = "mug";
const MERCHANT: &str = "drill";
const PRICE: u64 = 499;
const CURRENCY: &str = "EUR";
/// Streams, each with two drops of which there is enough and a scarce one.
const STREAMS: usize = 3;
const DROPS_OF_PLENTY: usize = 2;
/// How long a hold lives: many expire, and a restart fits in.
const HOLD_TTL_MS: u64 = 2_500;
const TICKET_LIFETIME: DurationMs = DurationMs::from_secs(3_600);
/// Longest time without any progress; a debug build on a busy machine is slow.
const PATIENCE: Duration = Duration::from_mins(2);
/// One kill for so many holds, and two more.
const HOLDS_PER_KILL: u64 = 2_000;
/// The drill's viewers share an address.
const SETTINGS: &str = "[viewers]\nunlimited_addresses = [\"127.0.0.1/32\"]\n";
const NO_PROVIDER: &[&str] = &["--payments", "none", "--tick-interval-ms", "500"];
const SANDBOX: &[&str] = &[
    "--payments",
    "sandbox",
    "--payment-delay-ms",
    "60",
    "--payment-failure-rate",
    "0.1",
    "--tick-interval-ms",
    "500",
];

/// What to do.
#[derive(Clone, Debug)]
pub struct SettlementDrill {
    /// The server's binary.
    pub server: PathBuf,
    /// Seed of what happens to holds, and of the moments of the kills.
    pub seed: u64,
    /// Holds that are made; the number of kills follows.
    pub holds: u64,
}

/// What the threads of the drill tell each other.
#[derive(Debug, Default)]
struct Live {
    /// Holds that viewers were told of.
    holds: AtomicU64,
    /// Requests that were sent and have no answer.
    in_flight: AtomicU64,
    has_sandbox: AtomicBool,
    /// Whether a kill waits for holds, so that the crowd must not go home.
    needs_holds: AtomicBool,
    /// Whether the crowd has gone home.
    is_over: AtomicBool,
    waiting: Mutex<WaitingHolds>,
}

/// Runs a drill. `say` gets one line for each kill and each step.
///
/// # Errors
/// [`DrillError`] if the drill could not be carried through; what it found wrong is in the outcome.
pub fn run_settlement_drill(
    drill: &SettlementDrill,
    mut say: impl FnMut(&str),
) -> Result<SettlementOutcome, DrillError> {
    let folder = tempfile::Builder::new().prefix("stampede-settlement-").tempdir();
    let folder = folder.map_err(|source| DrillError::System { what: "make a folder", source })?;
    let mut outcome = run(drill, folder.path(), &mut say);
    if !outcome.as_ref().is_ok_and(SettlementOutcome::is_ok) {
        let wrong = outcome.as_mut().map(SettlementOutcome::cut).unwrap_or_default();
        let written = std::fs::write(folder.path().join("wrong.txt"), wrong.join("\n"));
        written.map_err(|source| DrillError::System { what: "write what is wrong", source })?;
        let kept = folder.keep();
        say(&format!("seed {}; ledger, server log, wrong.txt: {}", drill.seed, kept.display()));
    }
    outcome
}

fn run(
    drill: &SettlementDrill,
    folder: &Path,
    say: &mut impl FnMut(&str),
) -> Result<SettlementOutcome, DrillError> {
    let runtime = runtime()?;
    let setup = Setup::new(NO_PROVIDER).with_settings(SETTINGS.to_owned());
    let mut server = Server::first(&drill.server, folder, setup)?;
    let token = payments_token(&drill.server, folder, MERCHANT)?;
    let control = ControlClient::new(server.control_url(), server.staff_token());
    let (shops, drops) = runtime.block_on(plan(&control, drill.holds, say))?;
    let (live, books) = (Arc::<Live>::default(), Arc::<Mutex<Books>>::default());
    let tills = Tills::new(&server, &token, (&live, &books));

    let crowd = play_crowd(drill, (folder, &server), shops, &tills)?;
    let kills = kills(drill.holds);
    let killer = Killer {
        seed: drill.seed,
        holds: drill.holds,
        kills,
        server: &mut server,
        live: Arc::clone(&live),
        till: tills.make(),
        runtime: &runtime,
        data: data(folder),
    };
    let killed = killer.carry_out(say);
    live.needs_holds.store(false, Ordering::Relaxed);
    let played = crowd.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    // What stopped the crowd is why there were no more moments for kills.
    played?;
    let mut killed = killed?;
    say(
        "every story has its end; the server is killed a last time, then everything that it lists is done",
    );
    server.kill()?;
    killed.all += 1;
    server.restart()?;
    server.wait_serving()?;
    let till = tills.make();
    let ledger = runtime.block_on(close(&till, &drops, say))?;
    server.stop()?;
    let findings = findings(&drill.server, folder)?;
    if till.books.lock().no_cancel {
        say("no order was cancelled: the server does not know the command yet");
    }
    Ok(judge(drill, &till, &ledger, (kills, killed), findings))
}

async fn close(
    till: &Till,
    drops: &[(DropId, u64)],
    say: &mut impl FnMut(&str),
) -> Result<Ledger, DrillError> {
    closing::work_off(till, say).await?;
    let ledger = closing::read_ledger(till, drops).await?;
    closing::note_sandbox(till).await?;
    Ok(ledger)
}

fn judge(
    drill: &SettlementDrill,
    till: &Till,
    ledger: &Ledger,
    (planned, kills): (u64, KillCounts),
    findings: Option<(u64, String)>,
) -> SettlementOutcome {
    let thresholds = Thresholds {
        holds: drill.holds,
        orders: drill.holds / 4,
        kills: planned,
        kills_between: kills_between(planned),
    };
    let books = till.books.lock();
    SettlementOutcome::judge(Collected {
        seed: drill.seed,
        books: &books,
        ledger,
        thresholds,
        kills,
        findings,
    })
}

/// Kills of a run.
const fn kills(holds: u64) -> u64 {
    2 + holds / HOLDS_PER_KILL
}

/// Kills of so many that are to fall between a record and its answer.
const fn kills_between(kills: u64) -> u64 {
    if kills < 10 { 1 } else { 3 }
}

/// Makes tills for each thread; they share the books.
struct Tills {
    control: std::net::SocketAddr,
    tokens: (String, String),
    live: Arc<Live>,
    books: Arc<Mutex<Books>>,
}

impl Tills {
    fn new(
        server: &Server,
        payments: &str,
        (live, books): (&Arc<Live>, &Arc<Mutex<Books>>),
    ) -> Self {
        let tokens = (payments.to_owned(), server.staff_token().to_owned());
        let (live, books) = (Arc::clone(live), Arc::clone(books));
        Self { control: server.control(), tokens, live, books }
    }

    fn make(&self) -> Till {
        let http = |token| Http::new(self.control, token, Arc::clone(&self.live));
        Till::new(Arc::clone(&self.books), http(&self.tokens.0), http(&self.tokens.1))
    }
}

/// Lets the crowd play on a thread of its own.
fn play_crowd(
    drill: &SettlementDrill,
    (folder, server): (&Path, &Server),
    shops: Vec<Shop>,
    tills: &Tills,
) -> Result<thread::JoinHandle<Result<(), DrillError>>, DrillError> {
    let (seed, holds, url) = (drill.seed, drill.holds, server.viewers_url().to_owned());
    let (key, till, live) = (ticket_key(folder)?, tills.make(), Arc::clone(&tills.live));
    let play = move || {
        let (clock, till, over) = (Clock::start(), Rc::new(till), Arc::clone(&live));
        let crowd = Crowd { seed, url, key, shops, till, live, clock, holds };
        let played = runtime().and_then(|runtime| runtime.block_on(crowd.play()));
        over.is_over.store(true, Ordering::Relaxed);
        played
    };
    let thread = thread::Builder::new().name("crowd".to_owned()).spawn(play);
    thread.map_err(|source| DrillError::System { what: "start a thread", source })
}

fn runtime() -> Result<tokio::runtime::Runtime, DrillError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| DrillError::System { what: "make a runtime", source })
}

/// Plans and opens every drop; each with its supply.
async fn plan(
    control: &ControlClient,
    holds: u64,
    say: &mut impl FnMut(&str),
) -> Result<(Vec<Shop>, Vec<(DropId, u64)>), DrillError> {
    let (mut shops, mut drops) = (Vec::new(), Vec::new());
    let (plenty, scarce) = (holds * 4, (holds / 60).max(30));
    let mut has_terms = true;
    for number in 0..STREAMS {
        let stream = format!("show-{number}");
        let mut made = Vec::new();
        for place in 0..=DROPS_OF_PLENTY {
            let supply = if place < DROPS_OF_PLENTY { plenty } else { scarce };
            let mut terms = terms(&stream, supply);
            if has_terms {
                terms["payment"] = json!({ "grace_ms": 500, "stretch_ms": 3_000 });
            }
            let mut planned = control.plan_value(&terms).await;
            if let (true, Err(ControlError::Refused { body, .. })) = (has_terms, &planned) {
                say(&format!(
                    "drops are planned without a grace: the server knows no `payment` terms ({body})"
                ));
                has_terms = false;
                terms.as_object_mut().expect("terms have fields").remove("payment");
                planned = control.plan_value(&terms).await;
            }
            let drop = planned?;
            control.open(&drop).await?;
            control.wait_open(&drop, PATIENCE).await?;
            made.push(drop.parse()?);
            drops.push((drop.parse()?, supply));
        }
        let scarce = made.pop().expect("a scarce drop comes last");
        shops.push(Shop { stream, plenty: made, scarce });
    }
    Ok((shops, drops))
}

fn terms(stream: &str, supply: u64) -> Value {
    json!({
        "stream": stream,
        "title": "Mugs on credit",
        "merchant": MERCHANT,
        "host": "drill",
        "skus": [{
            "id": SKU, "title": "Mug", "price": { "minor": PRICE, "currency": CURRENCY }, "supply": supply,
        }],
        "limit_per_viewer": 64,
        "holds_per_viewer_max": 64,
        "hold_ttl_ms": HOLD_TTL_MS,
        "countdown_ms": 0,
    })
}
