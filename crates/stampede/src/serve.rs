//! The server: every part wired, started in order, stopped in order.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use metrics_exporter_prometheus::PrometheusHandle;
use stampede_control::{ControlConfig, ControlParts, StaffTokens};
use stampede_domain::{DurationMs, NodeId};
use stampede_engine::{Engine, EngineConfig, Health};
use stampede_gateway::{CoreSignals, Gateway};
use stampede_ledger::{DataDir, SqliteLedger};
use stampede_settlement::{Provider as SettlementProvider, SandboxConfig, Settlement};
use stampede_wire::ticket::TicketVerifier;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing::{info, warn};

use crate::{
    FOUND_WRONG,
    cli::ServeArgs,
    clock::SystemClock,
    config::{Config, Provider},
    descriptors,
    failure::Failure,
    staff, telemetry, ticket_keys,
};

/// Time between two foldings of the metrics' samples.
const UPKEEP_EVERY: DurationMs = DurationMs::from_secs(5);

/// Runs the server until it is told to stop.
pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode, Failure> {
    telemetry::log(args.log_json);
    let config = settings(args)?;
    info!(config = %toml::to_string(&config).unwrap_or_default().replace('\n', " "), "settings");
    let descriptors = descriptors::raise();
    info!(descriptors, "open descriptors allowed");
    let connections_max = config.viewers.connections_max;
    if u64::try_from(connections_max).is_ok_and(|max| max > descriptors) {
        warn!(connections_max, descriptors, "viewers.connections_max cannot be reached");
    }
    warn_if_open(&config);
    let metrics = telemetry::metrics()?;

    let data = DataDir::lock(&args.data)?;
    let tokens = Arc::new(StaffTokens::open(data.path())?);
    let tickets = TicketVerifier::new(ticket_keys::load_or_make(data.path())?);
    let node = NodeId::new(&config.node.name)?;
    info!(data = %data.path().display(), "opening the ledger; a long history takes a while");
    let ledger = SqliteLedger::open(&data, &node)?;

    let clock = Arc::new(SystemClock::start());
    let signals = CoreSignals::new(config.cores())?;
    let engine_config = EngineConfig {
        cores: config.cores(),
        connections_per_viewer_max: config.viewers.connections_per_viewer_max,
        halt_retry_after: DurationMs::new(config.viewers.stopped_retry_ms),
        admission_retry_after: DurationMs::new(config.viewers.limited_retry_ms),
        ..EngineConfig::default()
    };
    let (engine, ports) = stampede_engine::start(engine_config, ledger, clock, signals.wakes())?;
    let settlement = Settlement::start(Arc::clone(&engine), provider(&config))?;
    let gateway =
        Gateway::start(config.viewers.gateway(), ports, signals, Arc::clone(&settlement), tickets)?;
    let listeners = Listeners {
        control: listen(config.control.listen)?,
        assets: config.assets.listen.map(listen).transpose()?,
    };
    // All ports are ours by now: a start that fails must not swallow the token.
    let first_token = staff::first_token(&tokens)?;

    let parts = ControlParts {
        engine: Arc::clone(&engine),
        staff: tokens,
        metrics,
        data_dir: data.path().to_owned(),
        config: ControlConfig::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(control(listeners, parts, |control, assets| {
        println!("viewers on ws://{}/", gateway.local_addr());
        println!("control on http://{control}/");
        if let Some(token) = first_token {
            println!("staff token: {token}");
            info!("that token is shown only now; `stampede token add` makes others");
        }
        if let Some(assets) = assets {
            println!("assets on http://{assets}/");
        }
        info!(drops = engine.sales().len(), incarnation = %engine.incarnation(), "ready");
    }));
    // Asked before the stop, while nothing has ended yet: a supervisor should see the failure.
    let failed = engine.health() == Health::Poisoned;
    stop(gateway, &settlement, &engine);
    served.map(|()| if failed { ExitCode::from(FOUND_WRONG) } else { ExitCode::SUCCESS })
}

/// The file's settings with those of the command line on top.
fn settings(args: &ServeArgs) -> Result<Config, Failure> {
    let mut config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    let Config { viewers, control, payments, .. } = &mut config;
    set(&mut viewers.listen, args.viewers);
    set(&mut viewers.cores, args.cores);
    set(&mut viewers.tick_interval_ms, args.tick_interval_ms);
    set(&mut control.listen, args.control);
    set(&mut payments.provider, args.payments);
    set(&mut payments.delay_ms, args.payment_delay_ms);
    set(&mut payments.failure_rate, args.payment_failure_rate);
    config.validate()?;
    Ok(config)
}

/// Only a browser says which page it runs, so this matters where pages may connect at all.
fn warn_if_open(config: &Config) {
    let viewers = &config.viewers;
    if viewers.origins.is_empty() && !viewers.listen.ip().is_loopback() {
        warn!(listen = %viewers.listen, "viewers.origins is empty: every web page may connect");
    }
}

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

fn provider(config: &Config) -> SettlementProvider {
    match config.payments.provider {
        Provider::None => SettlementProvider::External,
        Provider::Sandbox => SettlementProvider::Sandbox(SandboxConfig {
            delay: DurationMs::new(config.payments.delay_ms),
            failure_rate: config.payments.failure_rate,
            ..SandboxConfig::default()
        }),
    }
}

fn listen(address: SocketAddr) -> Result<std::net::TcpListener, Failure> {
    let at = |source| Failure::Listen { address, source };
    let listener = std::net::TcpListener::bind(address).map_err(at)?;
    listener.set_nonblocking(true).map_err(at)?;
    Ok(listener)
}

/// Where HTTP is answered.
struct Listeners {
    control: std::net::TcpListener,
    /// The public files alone, where that is wanted.
    assets: Option<std::net::TcpListener>,
}

/// Serves the control interface until a signal comes; `ready` is told the addresses.
async fn control(
    listeners: Listeners,
    parts: ControlParts,
    ready: impl FnOnce(SocketAddr, Option<SocketAddr>),
) -> Result<(), Failure> {
    let listener = TcpListener::from_std(listeners.control)?;
    let public = listeners.assets.map(TcpListener::from_std).transpose()?;
    let address = listener.local_addr()?;
    let public_address = public.as_ref().map(TcpListener::local_addr).transpose()?;
    let (mut term, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (config, recorder) = (parts.config.clone(), parts.metrics.clone());
    let router = stampede_control::router(parts);
    ready(address, public_address);
    let (stop, told) = watch::channel(());
    let stopping = async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
        drop(stop);
    };
    let ended =
        |mut told: watch::Receiver<()>| async move { while told.changed().await.is_ok() {} };
    let assets = async {
        if let Some(public) = public {
            let told = ended(told.clone());
            stampede_control::serve(public, stampede_control::assets(), &config, told).await;
        }
    };
    let control = stampede_control::serve(listener, router, &config, ended(told.clone()));
    tokio::select! {
        ((), (), ()) = async { tokio::join!(control, assets, stopping) } => {}
        () = upkeep(&recorder) => {}
    }
    Ok(())
}

/// Folds the samples of histograms now and then, so that they do not pile up while nobody scrapes.
async fn upkeep(recorder: &PrometheusHandle) {
    let mut due = tokio::time::interval(UPKEEP_EVERY.to_std());
    loop {
        due.tick().await;
        recorder.run_upkeep();
    }
}

/// Viewers first, so that durable answers leave; the ledger last, so that nothing is lost.
fn stop(gateway: Gateway, settlement: &Settlement, engine: &Engine) {
    gateway.shutdown();
    settlement.shutdown();
    engine.shutdown();
    info!("stopped");
}
