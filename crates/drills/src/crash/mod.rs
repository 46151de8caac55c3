//! The crash drill: a server killed many times under load, then every promise audited.

mod kills;
mod last_buyers;
mod outcome;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use stampede_loadtest::{
    Behaviour, ControlClient, ControlError, CrowdError, CrowdPlan, CrowdResult, DropTerms, Live,
    PayAt, PaymentTimes, Price, Roots, SchedulePlan, SkuTerms, ViewerRange, read_promises,
    run_crowd,
};
use stampede_swarm::Clock;
use stampede_wire::ticket::KeySpec;
use tokio::{runtime::Runtime, sync::oneshot};

use self::{kills::Kills, outcome::Collected};
use crate::{
    error::DrillError,
    server::{Server, Setup, ticket_key, verify},
    waiting::{LOOK_EVERY, out_of_patience, patience_us, until},
};

pub use outcome::CrashOutcome;

const STREAM: &str = "crash-show";
pub(crate) const SKU: &str = "mug";
/// How long a hold lives: long enough to outlive some restarts, short enough to expire between others.
const HOLD_TTL_MS: u64 = 2_500;
/// Viewers that are connected at once.
const CONNECTED: u32 = 800;
/// Viewers that take the seats one after the other, per second of the script.
const VIEWERS_PER_S: u32 = 800;
/// Length of the script for each kill; what a run does not need is not played.
const SCRIPT_MS_PER_KILL: u64 = 4_000;
/// Part of the script that is there however few the kills.
const SCRIPT_MS_MIN: u64 = 40_000;
/// Payments take a moment, some fail; ticks are rare, because the crowd does not look at them.
const SETTINGS: &[&str] = &[
    "--payments",
    "sandbox",
    "--payment-delay-ms",
    "60",
    "--payment-failure-rate",
    "0.05",
    "--tick-interval-ms",
    "500",
];

/// What to do.
#[derive(Clone, Debug)]
pub struct CrashDrill {
    /// The server's binary.
    pub server: PathBuf,
    /// Seed of the moments of the kills, and of the crowd.
    pub seed: u64,
    /// How often the server is killed.
    pub kills: u32,
    /// Promises that must have been received before the drill ends.
    pub promises_min: u64,
}

/// Runs a drill. `say` gets one line for each kill and each step.
///
/// # Errors
/// [`DrillError`] if the drill could not be carried through; what it found wrong is in the outcome.
pub fn run_crash_drill(
    drill: &CrashDrill,
    mut say: impl FnMut(&str),
) -> Result<CrashOutcome, DrillError> {
    let folder = tempfile::Builder::new().prefix("stampede-crash-").tempdir();
    let folder = folder.map_err(|source| DrillError::System { what: "make a folder", source })?;
    let outcome = Drill::start(drill, folder.path())?.run(&mut say);
    if !outcome.as_ref().is_ok_and(CrashOutcome::is_ok) {
        say(&format!("ledger, promises, server log: {}", folder.keep().display()));
    }
    outcome
}

struct Drill<'a> {
    plan: &'a CrashDrill,
    folder: &'a Path,
    clock: Clock,
    runtime: Runtime,
    server: Server,
    control: ControlClient,
    drop: String,
    live: Arc<Live>,
    crowd: Crowd,
}

/// The crowd on its thread.
struct Crowd {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<CrowdResult, CrowdError>>,
    log: PathBuf,
    key: KeySpec,
}

impl<'a> Drill<'a> {
    fn start(plan: &'a CrashDrill, folder: &'a Path) -> Result<Self, DrillError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|source| DrillError::System { what: "make a runtime", source })?;
        let server = Server::first(&plan.server, folder, Setup::new(SETTINGS))?;
        let control = ControlClient::new(server.control_url(), server.staff_token());
        let drop = runtime.block_on(async {
            let drop = control.plan(&terms()).await?;
            control.open(&drop).await?;
            Ok::<_, ControlError>(drop)
        })?;
        let live = Arc::new(Live::default());
        let key = ticket_key(folder)?;
        let log = folder.join("promises.jsonl");
        let crowd = crowd_plan(plan, server.viewers_url(), &drop, key.clone(), log.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let figures = Arc::clone(&live);
        let play = move || {
            let stop = async {
                let _dropped = stopped.await;
            };
            run_crowd(crowd, figures, |_| (), stop)
        };
        let thread = thread::Builder::new().name("crowd".to_owned()).spawn(play);
        let thread =
            thread.map_err(|source| DrillError::System { what: "start a thread", source })?;
        let crowd = Crowd { stop, thread, log, key };
        let clock = Clock::start();
        Ok(Self { plan, folder, clock, runtime, server, control, drop, live, crowd })
    }

    fn run(mut self, say: &mut impl FnMut(&str)) -> Result<CrashOutcome, DrillError> {
        let kills = Kills::carry_out(&mut self, say)?;
        let (live, promises_min) = (Arc::clone(&self.live), self.plan.promises_min);
        self.wait("enough promises", move || live.promises() >= promises_min)?;
        say("the crowd goes home; waiting until every hold has ended");
        let Crowd { stop, thread, log, key } = self.crowd;
        drop(stop);
        let joined = thread.join();
        let crowd = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let mut promises = read_promises(&log)?;

        let (control, drop) = (&self.control, self.drop.as_str());
        let (ledger, unsold) = self.runtime.block_on(async {
            let rest = rest_of(control, drop).await?;
            let say_rest = format!("{rest} units are left; buyers take all that the server offers");
            say(&say_rest);
            let (viewers_url, clock) = (self.server.viewers_url(), &self.clock);
            let buyers = last_buyers::Buyers { viewers_url, key: &key, drop, clock };
            promises.append(&mut buyers.buy_all(rest).await?);
            let unsold = rest_of(control, drop).await?;
            control.close(drop).await?;
            until(control, drop, "settling", |state| state.phase == "settled").await?;
            Ok::<_, DrillError>((control.ledger(drop).await?, unsold))
        })?;
        self.server.stop()?;
        let verify = verify(&self.plan.server, self.folder)?;
        let seed = self.plan.seed;
        Ok(CrashOutcome::judge(Collected { seed, kills, crowd, promises, ledger, unsold, verify }))
    }

    /// Looks until `done`.
    fn wait(&self, what: &'static str, done: impl Fn() -> bool) -> Result<(), DrillError> {
        let until_us = self.clock.us() + patience_us();
        while !done() {
            if self.clock.us() > until_us {
                return Err(out_of_patience(what));
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

/// Units that can be bought once no hold is left.
async fn rest_of(control: &ControlClient, drop: &str) -> Result<u64, DrillError> {
    let state = until(control, drop, "the end of every hold", |state| state.held() == 0).await?;
    Ok(state.available())
}

fn terms() -> DropTerms {
    let sku = SkuTerms {
        id: SKU.into(),
        title: "Mug".into(),
        price: Price { minor: 499, currency: "EUR".into() },
        supply: 200_000,
    };
    DropTerms {
        stream: STREAM.into(),
        title: "Mugs that must not break".into(),
        merchant: "drill".into(),
        host: "drill".into(),
        skus: vec![sku],
        limit_per_viewer: last_buyers::UNITS_PER_BUYER,
        holds_per_viewer_max: last_buyers::BUYS_PER_BUYER,
        hold_ttl_ms: HOLD_TTL_MS,
        countdown_ms: 1_000,
        payment: PaymentTimes::default(),
    }
}

fn crowd_plan(
    drill: &CrashDrill,
    url: &str,
    drop: &str,
    ticket_key: KeySpec,
    promise_log: PathBuf,
) -> CrowdPlan {
    let sale_ms = SCRIPT_MS_MIN + SCRIPT_MS_PER_KILL * u64::from(drill.kills);
    let seconds = u32::try_from(sale_ms / 1000).unwrap_or(u32::MAX);
    CrowdPlan {
        seed: drill.seed,
        url: url.to_owned(),
        addresses: Vec::new(),
        roots: Roots::Mozilla,
        subprotocol: "stampede.v1.msgpack".into(),
        sources: (2..6).map(|last| std::net::Ipv4Addr::new(127, 0, 0, last).into()).collect(),
        stream: STREAM.into(),
        drop: drop.to_owned(),
        sku: SKU.into(),
        ticket_key,
        rehearsal: false,
        name_prefix: "v".into(),
        viewers: ViewerRange { from: 0, to: CONNECTED + seconds.saturating_mul(VIEWERS_PER_S) },
        connected: CONNECTED,
        connects_per_s: 1_000,
        schedule: SchedulePlan {
            early_ms: 500,
            rush_ms: 1_000,
            rush_share: 0.5,
            again_every_ms: 600,
            turnover_from_ms: 500,
            turnover_to_ms: sale_ms,
            sale_ms,
        },
        behaviour: Behaviour {
            early_share: 0.05,
            double_share: 0.2,
            dropped_share: 0.05,
            retry_after_ms: 100,
            pay_later_share: 0.3,
            pay_later_ms_max: 1_800,
            never_pay_share: 0.1,
            walk_away_share: 0.03,
            release_share: 0.15,
            change_mind_ms_max: 1_000,
            units_weights: vec![3, 1, 1],
        },
        pay_at: PayAt::Server,
        promise_log,
    }
}
