//! The demo: a real server, a real crowd, a report with its proof.

mod outcome;
mod scale;
mod server;
mod stage;
mod till;

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
    time::Duration,
};

use stampede_ledger::SqliteJournal;
use stampede_loadtest::{
    ControlClient, ControlError, CrowdPlan, CrowdProcessError, CrowdProcesses, DropState,
    PromiseLogError, ReportedMoney, Screen, Till, TillAccount, audit_promises, read_promises,
    reconcile,
};

use tokio::signal::unix::{SignalKind, signal};

use self::{
    outcome::{DemoOutcome, Evidence},
    scale::Scale,
    server::ServerProcess,
};
use crate::{
    FOUND_WRONG, cli::DemoArgs, clock::SystemClock, descriptors, failure::Failure, ticket_keys,
};

/// How often the state is looked at, in milliseconds.
const LOOK_EVERY_MS: u64 = 200;
/// Longest time for all viewers to connect, in milliseconds.
const CONNECT_MS_MAX: u64 = 60_000;
/// Longest time from the opening until everything is sold, in milliseconds.
const SALE_MS_MAX: u64 = 180_000;
/// Longest time from closing until settled, in milliseconds.
const SETTLE_MS_MAX: u64 = 20_000;

/// Why a demo breaks off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("cannot run the server: {0}")]
    Start(io::Error),
    #[error("the server ended before it said \"{missing}\"; its log says why")]
    Silent { missing: &'static str },
    #[error("the server did not stop cleanly: {status}")]
    ServerFailed { status: ExitStatus },
    #[error("the server did not start: {said}")]
    NoStart { said: String },
    #[error("there is no room for a crowd on this machine: {why}")]
    NoRoom { why: String },
    #[error(
        "{} has {free_mib} MiB of free space, a show needs {needed_mib}; name another place with --data",
        path.display()
    )]
    NoSpace { path: PathBuf, free_mib: u64, needed_mib: u64 },
    #[error("the crowd's process gave up: {why}")]
    AudienceEnded { why: String },
    #[error("{} is not empty; name a new directory", path.display())]
    NotEmpty { path: PathBuf },
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Processes(#[from] CrowdProcessError),
    #[error("a crowd process ended in the middle of the sale; its words stand above")]
    CrowdEnded,
    #[error(transparent)]
    Promises(#[from] PromiseLogError),
    #[error("{what} took longer than {millis} ms")]
    TooSlow { what: &'static str, millis: u64 },
}

/// Where the ledger and the promise logs are; a temporary one goes with the demo.
struct Place {
    path: PathBuf,
    temporary: Option<tempfile::TempDir>,
    keep: bool,
}

impl Place {
    fn of(args: &DemoArgs) -> Result<Self, Failure> {
        let Some(path) = &args.data else {
            let made = tempfile::Builder::new().prefix("stampede-demo-").tempdir()?;
            let path = made.path().to_owned();
            let temporary = if args.keep {
                let _kept = made.keep();
                None
            } else {
                Some(made)
            };
            return Ok(Self { path, temporary, keep: args.keep });
        };
        std::fs::create_dir_all(path)?;
        if std::fs::read_dir(path)?.next().is_some() {
            return Err(DemoError::NotEmpty { path: path.clone() }.into());
        }
        Ok(Self { path: path.clone(), temporary: None, keep: args.keep })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    fn logs(&self) -> PathBuf {
        self.path.join("crowd")
    }

    /// The file of settings of a staged demo's server.
    fn settings(&self) -> PathBuf {
        self.path.join("stampede.toml")
    }

    /// What a staged demo's server logs.
    fn server_log(&self) -> PathBuf {
        self.path.join("server.log")
    }

    /// Removes what the demo wrote, unless it is to be kept.
    fn leave(self) -> io::Result<()> {
        if self.keep { Ok(()) } else { self.clear() }
    }

    /// Removes what the demo wrote.
    fn clear(self) -> io::Result<()> {
        for made in [self.ledger(), self.logs()] {
            unless_missing(std::fs::remove_dir_all(made))?;
        }
        for made in [self.settings(), self.server_log()] {
            unless_missing(std::fs::remove_file(made))?;
        }
        Ok(())
    }

    /// Leaves everything there, also in a temporary directory.
    fn keep(self) {
        if let Some(temporary) = self.temporary {
            let _kept = temporary.keep();
        }
    }
}

/// What is removed may never have been made.
fn unless_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Runs the demo; exits with 1 if it does not show what it should.
pub(crate) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    if args.stage {
        return stage::run(args);
    }
    let scale = Scale::fit(args, descriptors::raise());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Heard before anything is made: who breaks off finds nothing left behind.
    let (mut term, mut interrupt) = {
        let _entered = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let place = Place::of(args)?;
    std::fs::create_dir_all(place.logs())?;
    let mut screen = Screen::new();
    let collected = runtime.block_on(async {
        tokio::select! {
            collected = sell(&scale, &place, &mut screen) => collected.map(Ok),
            _ = interrupt.recv() => Ok(Err(SignalKind::interrupt())),
            _ = term.recv() => Ok(Err(SignalKind::terminate())),
        }
    })?;
    // The server and the crowd have ended with the sale.
    let collected = match collected {
        Ok(collected) => collected,
        Err(told) => {
            screen.finish();
            place.leave()?;
            // As a shell says it: 128 and the signal's number.
            return Ok(ExitCode::from(
                u8::try_from(128 + told.as_raw_value()).unwrap_or(FOUND_WRONG),
            ));
        }
    };
    screen.finish();
    let outcome = DemoOutcome::judge("demo", &collected);
    print_result(args, &place, &collected, &outcome)?;
    place.leave()?;
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(FOUND_WRONG) })
}

async fn sell(scale: &Scale, place: &Place, screen: &mut Screen) -> Result<Evidence, Failure> {
    if let Some(wanted) = scale.wanted {
        screen.step(&format!(
            "the limit of open descriptors allows {} viewers at once instead of {wanted}",
            scale.connected
        ));
    }
    if let Some(wanted) = scale.units_wanted {
        screen.step(&format!(
            "{} units are on sale instead of {wanted}: {} viewers at once buy no more",
            scale.units, scale.connected
        ));
    }
    screen.step("starting the server");
    let settings = [("--payments", "none".to_owned()), ("--tick-interval-ms", "1000".to_owned())];
    let server = ServerProcess::start(&place.ledger(), &settings)?;
    let (key, _) = ticket_keys::signer(&place.ledger())?;
    let control = ControlClient::new(&server.control_url, &server.staff_token);
    let drop = control.plan(&scale.terms()).await.map_err(DemoError::from)?;
    let till = till::open(&place.ledger(), &server.control_url, scale.seed, scale::SLOW_PAYMENT)?;
    let plans = scale.crowds(&server, &drop, &key, &place.logs());
    let logs: Vec<PathBuf> = plans.iter().map(|plan| plan.promise_log.clone()).collect();

    screen.step(&format!(
        "{} viewers come and go, {} of them at once, in {} processes over loopback",
        scale.viewers,
        scale.connected,
        scale::CROWDS
    ));
    let spawned = CrowdProcesses::spawn_paying_at(Some(&till.door()), processes(plans)?);
    let mut processes = spawned.map_err(DemoError::from)?;
    connect(&processes, scale, screen).await?;
    screen.step(&format!("countdown, then {} units are on sale", scale.units));
    control.open(&drop).await.map_err(DemoError::from)?;
    watch_sale(&control, &drop, &processes, scale, screen).await?;
    screen.step("the crowd goes home");
    processes.stop();
    let crowd = processes.wait().map_err(DemoError::from)?;
    let till = settle_money(till, screen).await;
    control.close(&drop).await.map_err(DemoError::from)?;
    wait_settled(&control, &drop).await?;
    screen.step("settled; checking every promise that a viewer received against the ledger");
    let ledger = control.ledger(&drop).await.map_err(DemoError::from)?;
    server.stop()?;
    screen.step("replaying the journal");
    collect(place, &drop, crowd, (ledger, till), &logs)
}

fn collect(
    place: &Place,
    drop: &str,
    crowd: stampede_loadtest::CrowdResult,
    (ledger, till): (stampede_loadtest::Ledger, TillAccount),
    logs: &[PathBuf],
) -> Result<Evidence, Failure> {
    let mut promises = Vec::new();
    for log in logs {
        promises.append(&mut read_promises(log).map_err(DemoError::from)?);
    }
    let audit = audit_promises(&promises, &ledger);
    let reconciliation = reconcile(&crowd.counts, &ledger);
    let journal = SqliteJournal::open(&place.ledger())?;
    let report = stampede_report::drop_report(&journal, drop.parse()?)?.json();
    let verification = stampede_report::verify_journal(&journal)?;
    let money = till.differences(drop, &ledger, reported(&report));
    Ok(Evidence { crowd, ledger, audit, reconciliation, report, verification, till, money })
}

/// What a report says about money.
fn reported(report: &stampede_report::ReportJson) -> ReportedMoney {
    ReportedMoney {
        paid_minor: report.money.paid,
        refunded_minor: report.money.refunded,
        refund_due_minor: report.open_money.refund_due_minor,
    }
}

/// Closes the till once the crowd has gone: late money comes and goes back.
async fn settle_money(till: Till, screen: &mut Screen) -> TillAccount {
    screen.step("the shop closes its till: what came too late goes back");
    till.close().await
}

/// Each crowd is this very binary again.
fn processes(plans: Vec<CrowdPlan>) -> Result<Vec<(Command, CrowdPlan)>, Failure> {
    let binary = std::env::current_exe()?;
    let crowd = |plan| {
        let mut command = Command::new(&binary);
        command.arg("crowd");
        (command, plan)
    };
    Ok(plans.into_iter().map(crowd).collect())
}

async fn connect(
    processes: &CrowdProcesses,
    scale: &Scale,
    screen: &mut Screen,
) -> Result<(), DemoError> {
    let clock = SystemClock::start();
    loop {
        let progress = processes.progress();
        screen.connecting(progress.as_ref(), scale.connected);
        if progress.is_some_and(|progress| progress.first_wave_settled) {
            return Ok(());
        }
        if processes.any_over() {
            return Err(DemoError::CrowdEnded);
        }
        in_time(&clock, "connecting", CONNECT_MS_MAX).await?;
    }
}

async fn watch_sale(
    control: &ControlClient,
    drop: &str,
    processes: &CrowdProcesses,
    scale: &Scale,
    screen: &mut Screen,
) -> Result<(), DemoError> {
    let clock = SystemClock::start();
    let mut looked_ms = clock.elapsed_ms();
    let mut announced = false;
    loop {
        let state = control.state(drop).await?;
        let now_ms = clock.elapsed_ms();
        let progress = processes.progress().unwrap_or_default();
        screen.selling(&state, &progress, now_ms - looked_ms);
        looked_ms = now_ms;
        if is_sold_out(&state) {
            if progress.counts.clicks >= scale.clicks_min() {
                return Ok(());
            }
            if !std::mem::replace(&mut announced, true) {
                let clicks = scale.clicks_min();
                screen
                    .step(&format!("everything is sold; the crowd clicks on, to {clicks} clicks"));
            }
        }
        if processes.any_over() {
            return Err(DemoError::CrowdEnded);
        }
        in_time(&clock, "selling everything", SALE_MS_MAX).await?;
    }
}

fn is_sold_out(state: &DropState) -> bool {
    state.phase == "open" && state.sold() == state.supplied()
}

async fn wait_settled(control: &ControlClient, drop: &str) -> Result<(), DemoError> {
    let clock = SystemClock::start();
    while control.state(drop).await?.phase != "settled" {
        in_time(&clock, "settling", SETTLE_MS_MAX).await?;
    }
    Ok(())
}

/// Waits for the next look, as long as there is time left.
async fn in_time(clock: &SystemClock, what: &'static str, millis: u64) -> Result<(), DemoError> {
    if clock.elapsed_ms() > millis {
        return Err(DemoError::TooSlow { what, millis });
    }
    tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
    Ok(())
}

fn print_result(
    args: &DemoArgs,
    place: &Place,
    collected: &Evidence,
    outcome: &DemoOutcome,
) -> Result<(), Failure> {
    let drop = collected.report.drop.parse()?;
    let journal = SqliteJournal::open(&place.ledger())?;
    println!("\n{}", stampede_report::drop_report(&journal, drop)?);
    println!("{}", collected.verification);
    println!(
        "promises     {} received, {} lost",
        collected.audit.promises, collected.audit.promises_lost
    );
    println!("{}", whereabouts(place));
    if args.json {
        println!("{}", serde_json::to_string(outcome)?);
    } else {
        println!("{}", outcome.words());
    }
    Ok(())
}

fn whereabouts(place: &Place) -> String {
    let show = |path: &Path| path.display().to_string();
    if place.keep {
        let (ledger, logs) = (show(&place.ledger()), show(&place.logs()));
        format!(
            "ledger       {ledger}\ncrowd        {logs}\nagain        stampede verify --data {ledger}"
        )
    } else {
        "ledger       removed; --keep leaves it".into()
    }
}
