//! A load test against a running server: a crowd that buys, an audit of what it was promised, a verdict.
//!
//! The crowd clicks when it planned to, however slow the answers are, and latency counts from the planned
//! moment. A crowd that cannot keep its own plan proves nothing, so that has a verdict of its own.

mod args;
mod chart;
mod hint;
mod machine;
mod outcome;
mod page;
mod size;
mod target;
mod threshold;

use std::{
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use stampede_client::{ClientError, RootsError};
use stampede_domain::IdError;
use stampede_swarm::{Clock, raise_descriptor_limit};
use tokio::sync::watch;

pub use self::args::LoadArgs;
use self::{
    hint::with_hint,
    machine::MachineTime,
    outcome::{Audited, Evidence, LoadOutcome, Verdict},
    size::Size,
    target::{Goods, Reached, check_room, goods, put_away, resolve, roots, try_viewers},
    threshold::Threshold,
};
use crate::{
    audit::{audit_promises, early_expiries, reconcile},
    causes::in_full,
    control::{ControlClient, ControlError},
    crowd::{CrowdProcessError, CrowdProcesses},
    keys::{TicketKeyError, signing_ticket_key},
    plan::CrowdPlan,
    recorder::{CrowdResult, PromiseLogError, read_promises},
    screen::Screen,
};

/// How often the state is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Time for viewers to connect beyond what their rate needs, in milliseconds.
const CONNECT_MS_MORE: u64 = 15_000;
/// Longest time from the command to the first sign of the opening, beyond the countdown, in milliseconds.
const OPENING_MS_MORE: u64 = 20_000;
/// How long the crowd stays at least once its time is over, in milliseconds: whose connection dropped repeats
/// the last click within that time.
const STAY_MS: i64 = 1_000;
/// How long the last answers may take once the crowd's time is over, in milliseconds.
const ANSWERS_MS_MAX: i64 = 5_000;
/// Time until a closed drop is settled beyond its holds' lives, in milliseconds.
const SETTLE_MS_MORE: u64 = 15_000;

/// Why a load test could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("{url:?} is no {schemes} address: {why}")]
    Url { url: String, schemes: String, why: String },
    #[error("cannot resolve {url}: {source}")]
    Unresolved { url: String, source: io::Error },
    #[error("cannot use the server: {}", with_hint(&.0.to_string()))]
    NoAnswer(ControlError),
    #[error("{0}; the server is not ready to sell")]
    NotReady(ControlError),
    #[error("the server refuses what a load test needs: {0}")]
    Refused(ControlError),
    #[error("no viewer gets in at {url}: {}", with_hint(&in_full(.source)))]
    NoWelcome { url: String, source: Box<ClientError> },
    #[error(
        "the server lets nobody in at {url}: {}; check that --ticket-keys is the key file of this very \
         server",
        with_hint(&in_full(.source))
    )]
    NotLetIn { url: String, source: Box<ClientError> },
    #[error(transparent)]
    Keys(#[from] TicketKeyError),
    #[error("--roots: {0}")]
    Roots(RootsError),
    #[error("--roots: cannot read {}: {source}; `mozilla` and `system` are the other choices", path.display())]
    RootsFile { path: PathBuf, source: io::Error },
    #[error("{drop} is {phase}; a load test opens the drop itself, so name one that is scheduled")]
    NotScheduled { drop: String, phase: String },
    #[error("{drop} is a live drop, its units are real; add --live to sell them to the load test")]
    Live { drop: String },
    #[error("{drop} has no SKU {sku:?}; it has {skus}")]
    NoSku { sku: String, drop: String, skus: String },
    #[error("the server's drop is not one: {0}")]
    Id(IdError),
    #[error(
        "--connected is {connected}, but the server lets in {connections_max} viewers (its setting \
         viewers.connections_max)"
    )]
    ServerFull { connected: u32, connections_max: u64 },
    #[error("--viewers is {viewers}, fewer than the {connected} that are connected at once")]
    FewerViewers { viewers: u32, connected: u32 },
    #[error(
        "{connected} connections need {needed} processes, for a process may have {descriptors} descriptors; \
         the crowd has at most {processes}: use --processes, or raise the limit (ulimit -n)"
    )]
    Descriptors { connected: u32, descriptors: u64, processes: u32, needed: u32 },
    #[error(
        "{connected} connections need the ports of {more} local addresses, there is {sources}: name them \
         with --source"
    )]
    Ports { connected: u32, sources: u64, more: u64 },
    #[error(transparent)]
    Processes(#[from] CrowdProcessError),
    #[error(transparent)]
    Promises(#[from] PromiseLogError),
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
    #[error("the run was ended before it began")]
    Interrupted,
    #[error("cannot write the result: {0}")]
    Json(#[from] serde_json::Error),
}

impl LoadError {
    /// Tells a server that is not there from one that says no.
    fn from_control(error: ControlError) -> Self {
        match error {
            ControlError::NoAnswer { .. } => Self::NoAnswer(error),
            ControlError::Refused { status: 503, .. } => Self::NotReady(error),
            _ => Self::Refused(error),
        }
    }

    const fn exit_code(&self) -> u8 {
        match self {
            Self::Unresolved { .. }
            | Self::NoAnswer(_)
            | Self::NotReady(_)
            | Self::NoWelcome { .. } => 3,
            Self::Interrupted => Verdict::Interrupted.exit_code(),
            _ => 2,
        }
    }
}

/// Runs a load test and prints its result; the exit code says how it went. The processes of the crowd are
/// this very binary with the argument `crowd`, which must end up in [`crate::crowd_process`].
pub fn run_load(args: &LoadArgs) -> ExitCode {
    let mut screen = Screen::new();
    let done = load(args, &mut screen);
    screen.finish();
    let printed = done.and_then(|outcome| {
        let json = args.json.then(|| serde_json::to_string(&outcome)).transpose()?;
        println!("{}", json.unwrap_or_else(|| outcome.page()));
        if args.json {
            eprintln!("{}", outcome.verdict.words());
        }
        Ok(outcome.verdict.exit_code())
    });
    match printed {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn load(args: &LoadArgs, screen: &mut Screen) -> Result<LoadOutcome, LoadError> {
    let descriptors = raise_descriptor_limit();
    let cores = std::thread::available_parallelism()?.get();
    let ticket_key = signing_ticket_key(&args.ticket_keys)?;
    let roots = roots(&args.roots)?;
    let tls = roots.tls().map_err(LoadError::Roots)?;
    let logs = Logs::of(args.logs.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let evidence = runtime.block_on(async {
        let mut told = Told::listen()?;
        screen.step(&format!("reaching {} and {}", args.control, args.url));
        resolve(&args.control, ["http", "https"]).await?;
        let addresses = resolve(&args.url, ["ws", "wss"]).await?;
        let size = Size::fit(args, cores, descriptors, &addresses)?;
        let mut server = Reached { addresses, roots, ticket_key };
        let control = ControlClient::trusting(&args.control, &args.token, &tls);
        control.clone().once().ready().await.map_err(LoadError::from_control)?;
        check_room(&control, args.connected).await?;
        let goods = goods(args, &control).await?;
        let begun = MachineTime::now();
        let sold = sell(args, &mut server, &control, &goods, size, &logs, screen, &mut told).await;
        // Whatever has happened: a rehearsal of our own does not stay open.
        let machine_busy_share =
            begun.zip(MachineTime::now()).map(|(begun, ended)| ended.busy_share_since(begun));
        let put_away = put_away(&control, &goods).await;
        let crowd = sold?;
        screen.step("checking every promise that a viewer received against the ledger");
        let (audited, left_as) = match put_away {
            Ok(left_as) => {
                (audit(&control, &goods, &crowd, &size.logs(logs.path())).await, left_as)
            }
            Err(error) => {
                let left_as = goods.is_own.then(|| "open, as far as is known".to_owned());
                (Err(error.into()), left_as)
            }
        };
        let audited = audited.map_err(|error: AuditError| error.to_string());
        let was_interrupted = told.is_told();
        Ok::<_, LoadError>(Evidence {
            goods,
            size,
            crowd,
            audited,
            was_interrupted,
            left_as,
            machine_busy_share,
            logs: logs.path().to_owned(),
        })
    })?;
    let thresholds = Threshold::with_defaults(&args.thresholds);
    let outcome = LoadOutcome::judge(evidence, &thresholds, args.generator_late_ms_max);
    logs.leave(outcome.verdict);
    Ok(outcome)
}

/// Lets the crowd in, opens the drop, lets the crowd play to its end.
#[expect(clippy::too_many_arguments, reason = "the parts of one run, each used once")]
async fn sell(
    args: &LoadArgs,
    server: &mut Reached,
    control: &ControlClient,
    goods: &Goods,
    size: Size,
    logs: &Logs,
    screen: &mut Screen,
    told: &mut Told,
) -> Result<CrowdResult, LoadError> {
    try_viewers(args, server, goods).await?;
    screen.step(&format!(
        "{} viewers come and go, {} of them at once, in {} processes, to {} in {}",
        size.viewers, size.connected, size.processes, goods.drop, goods.stream
    ));
    let plans = size.plans(args, server, goods, logs.path());
    let mut processes = CrowdProcesses::spawn(processes(plans)?)?;
    connect(args, &processes, screen, told).await;
    if told.is_told() {
        return Err(LoadError::Interrupted);
    }
    screen.step("the drop is opened");
    control.open(&goods.drop).await.map_err(LoadError::from_control)?;
    watch(args, control, goods, &processes, screen, told).await;
    screen.step("the crowd goes home");
    processes.stop();
    let ended = tokio::task::spawn_blocking(|| processes.wait()).await;
    Ok(ended.expect("waiting does not panic")?)
}

/// Each process of the crowd is this very binary again. It has a process group of its own, so that Ctrl-C
/// ends the run in order instead of the crowd at once.
fn processes(plans: Vec<CrowdPlan>) -> Result<Vec<(Command, CrowdPlan)>, LoadError> {
    let binary = std::env::current_exe()?;
    let crowd = |plan| {
        let mut command = Command::new(&binary);
        command.arg("crowd").process_group(0);
        (command, plan)
    };
    Ok(plans.into_iter().map(crowd).collect())
}

/// Waits until everybody of the first wave is in or has given up, or for as long as that may take.
async fn connect(
    args: &LoadArgs,
    processes: &CrowdProcesses,
    screen: &mut Screen,
    told: &mut Told,
) {
    let clock = Clock::start();
    let ms_max =
        u64::from(args.connected) * 1_000 / u64::from(args.connects_per_s) + CONNECT_MS_MORE;
    loop {
        let progress = processes.progress();
        screen.connecting(progress.as_ref(), args.connected);
        let settled = progress.as_ref().is_some_and(|progress| progress.first_wave_settled);
        if settled || processes.any_over() || told.is_told() {
            return;
        }
        if clock.us() / 1_000 > ms_max {
            let connected = progress.map_or(0, |progress| progress.connected);
            screen.step(&format!("only {connected} of {} viewers are in", args.connected));
            return;
        }
        told.pause(LOOK_EVERY).await;
    }
}

/// Watches the sale until the crowd's time is over.
async fn watch(
    args: &LoadArgs,
    control: &ControlClient,
    goods: &Goods,
    processes: &CrowdProcesses,
    screen: &mut Screen,
    told: &mut Told,
) {
    let clock = Clock::start();
    let sale_ms = i64::from(args.sale_s) * 1_000;
    let mut looked_us = 0;
    let mut announced = false;
    while !processes.all_over() && !told.is_told() {
        let progress = processes.progress().unwrap_or_default();
        // A server that does not answer now is what a load test may be about: the crowd goes on.
        let state = tokio::select! {
            state = control.state(&goods.drop) => state.ok(),
            () = told.pause(LOOK_EVERY) => None,
        };
        let now_us = clock.us();
        match state {
            Some(state) => screen.selling(&state, &progress, (now_us - looked_us) / 1_000),
            None => screen.status(
                "no answer from control",
                &format!(
                    "{:>6} connected {:>6} unanswered",
                    progress.connected, progress.unanswered
                ),
            ),
        }
        looked_us = now_us;
        match progress.since_opening_ms {
            Some(since_ms) => {
                if !std::mem::replace(&mut announced, true) {
                    screen.step("the opening is announced: the crowd has begun to count");
                }
                let over_ms = since_ms - sale_ms;
                if over_ms > STAY_MS && (progress.unanswered == 0 || over_ms > ANSWERS_MS_MAX) {
                    return;
                }
            }
            None if now_us / 1_000 > goods.countdown_ms + OPENING_MS_MORE => return,
            None => {}
        }
        told.pause(LOOK_EVERY).await;
    }
}

/// Why the promises could not be checked.
#[derive(Debug, thiserror::Error)]
enum AuditError {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Promises(#[from] PromiseLogError),
}

async fn audit(
    control: &ControlClient,
    goods: &Goods,
    crowd: &CrowdResult,
    logs: &[PathBuf],
) -> Result<Audited, AuditError> {
    let clock = Clock::start();
    // A drop that others run goes on; its ledger holds what was promised so far.
    let ms_max = if goods.is_own { goods.hold_ttl_ms + SETTLE_MS_MORE } else { 0 };
    loop {
        let phase = control.state(&goods.drop).await?.phase;
        if ["settled", "cancelled"].contains(&phase.as_str()) || clock.us() / 1_000 >= ms_max {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let ledger = control.ledger(&goods.drop).await?;
    let mut promises = Vec::new();
    for log in logs {
        promises.append(&mut read_promises(log)?);
    }
    let mut audit = audit_promises(&promises, &ledger);
    early_expiries(&promises, &[], &mut audit);
    let reconciliation = goods.is_own.then(|| reconcile(&crowd.counts, &ledger));
    Ok(Audited { audit, reconciliation })
}

/// Where the logs of promises are; a temporary folder goes with a run that broke none.
struct Logs {
    path: PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Logs {
    fn of(named: Option<&Path>) -> io::Result<Self> {
        if let Some(path) = named {
            std::fs::create_dir_all(path)?;
            return Ok(Self { path: path.to_owned(), temporary: None });
        }
        let made = tempfile::Builder::new().prefix("stampede-load-").tempdir()?;
        Ok(Self { path: made.path().to_owned(), temporary: Some(made) })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps what proves a broken promise.
    fn leave(self, verdict: Verdict) {
        if let Some(temporary) = self.temporary.filter(|_| verdict.keeps_logs()) {
            let _kept = temporary.keep();
        }
    }
}

/// Whether somebody wants the run to end. The first signal ends it in order, the second at once.
struct Told {
    signals: watch::Receiver<bool>,
}

impl Told {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut term) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (tell, signals) = watch::channel(false);
        tokio::spawn(async move {
            for told_before in [false, true] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = term.recv() => {}
                }
                if told_before {
                    std::process::exit(Verdict::Interrupted.exit_code().into());
                }
                tell.send_replace(true);
            }
        });
        Ok(Self { signals })
    }

    fn is_told(&self) -> bool {
        *self.signals.borrow()
    }

    /// Waits so long, or until somebody wants the run to end.
    async fn pause(&mut self, pause: Duration) {
        // The sender lives as long as the process.
        let _told = tokio::time::timeout(pause, self.signals.wait_for(|told| *told)).await;
    }
}

/// Milliseconds for people.
#[expect(clippy::cast_precision_loss, reason = "an answer takes far less than 2^52 us")]
fn millis(us: u64) -> f64 {
    us as f64 / 1_000.0
}
