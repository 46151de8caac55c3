//! The server: every part wired, started in order, stopped in order.

use std::{
    convert::Infallible, fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::Path,
    process::ExitCode, sync::Arc,
};

use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::Mutex;
use stampede_control::{
    ControlConfig, ControlParts, DrainSignal, Interface, SessionLimits, Sessions, Shares, Site,
    StaffTokens,
};
use stampede_domain::{DurationMs, NodeId, RepeatedWarning, UnixMillis};
use stampede_engine::{Clock, Engine, EngineConfig, Health};
use stampede_gateway::{CoreSignals, Gateway, GatewayConfig, ViewerListeners};
use stampede_ledger::{DataDir, JournalSource, Reviewer, SqliteLedger, SqliteSource};
use stampede_payments::{Payments, Provider as PaymentProvider, SandboxConfig};
use stampede_wire::ticket::TicketVerifier;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::spawn_blocking,
};
use tracing::{info, warn};

use crate::{
    FOUND_WRONG,
    cli::ServeArgs,
    clock::SystemClock,
    config::{Config, TlsFiles},
    crowds::LocalCrowds,
    descriptors,
    failure::Failure,
    payment_settings::Provider,
    scrape::Scrape,
    staff, staged, telemetry, ticket_keys,
    tls::Certificates,
    warnings::{warn_if_held_back, warn_if_open},
    webhooks::{Secrets, Webhooks},
};

/// Time between two foldings of the metrics' samples.
const UPKEEP_EVERY: DurationMs = DurationMs::from_secs(5);

/// Time between two looks at the files of certificates and secrets.
const LOOK_EVERY: DurationMs = DurationMs::from_secs(5);

/// Connections that may wait to be accepted; the kernel caps it at its own limit. With the 128 of the standard library,
/// a platform that opens many at once makes the host's Pause wait a second: the kernel drops what finds no place, and
/// the client tries again.
const BACKLOG: i32 = 4_096;

/// Runs the server until it is told to stop.
pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode, Failure> {
    telemetry::log(args.log_json);
    let config = settings(args)?;
    let descriptors_max = prepare(&config);
    let metrics = telemetry::metrics()?;
    let demo = args.staged.then(|| staged::join(&config)).transpose()?;

    let clock = Arc::new(SystemClock::start());
    let certificates = certificates(&config, clock.wall())?;
    let secrets = Secrets::load(&config.payments)?;

    let data = lock(&args.data)?;
    // All ports are ours before anything is written: a start that fails leaves the ledger as it was.
    let at_doors = ViewerListeners::bind(config.viewers.listen, config.cores())?;
    let mut listeners = Listeners::bind(&config)?;
    let Staff { tokens, sessions, shares } = Staff::open(data.path())?;
    let (keys, own_key) = ticket_keys::load_or_make(data.path())?;
    info!(data = %data.path().display(), "opening the ledger; a long history takes a while");
    let ledger = SqliteLedger::open(&data, &NodeId::new(&config.node.name)?)?;

    let signals = CoreSignals::new(config.cores())?;
    let provider = provider(&config);
    let selling = engine_config(&config, &provider);
    let (engine, ports) =
        stampede_engine::start(selling, ledger, Arc::clone(&clock) as _, signals.wakes())?;
    let reviewer = review(&data, &clock)?;
    let payments = Payments::start(&engine, provider)?;
    let viewers = viewers(&config, certificates.0.as_ref());
    let port = viewers.clone();
    let gateway = Gateway::start(viewers, at_doors, ports, signals, TicketVerifier::new(keys))?;
    let (viewers_at, gateway) = (gateway.local_addr(), Arc::new(Mutex::new(Some(gateway))));
    let interface = interface(&config, certificates.1.as_ref());
    let stripe = listeners.webhooks.take();
    let webhooks = Webhooks::start(stripe, (&engine, ledger_source(&data)), &secrets, &interface)?;
    warn_if_held_back(engine.brake());
    // The last step: a start that fails must not swallow the token.
    let first_token = staff::first_token(&tokens)?;

    let crowds =
        own_key.map(|key| LocalCrowds::new(&engine, &gateway, (&port, descriptors_max), key) as _);
    let parts = ControlParts {
        engine: Arc::clone(&engine),
        staff: tokens,
        sessions: Arc::clone(&sessions),
        shares: Arc::clone(&shares),
        metrics: Scrape::of(&metrics, &engine, data.path()),
        ledger: ledger_source(&data),
        config: interface,
        draining: DrainSignal::default(),
        demo,
        settings: serde_json::to_value(&config)?,
        crowds,
    };
    let ready = |control, assets| {
        let at = (viewers_at, control, assets, webhooks.local_addr());
        announce(&config, at, (first_token.as_deref(), &engine));
    };
    let watched = watch_files((certificates, secrets), &clock);
    let leaving = (Arc::clone(&gateway), webhooks.stopper());
    let serving = control(&config, listeners, parts, leaving, ready);
    let served = run_all(serving, watched, upkeep(&metrics, (&sessions, &shares), &clock));
    // Asked before the stop, while nothing has ended yet: a supervisor should see the failure.
    let failed = engine.health() == Health::Poisoned;
    stop(reviewer, &gateway, (webhooks, &payments), &engine);
    write_last_uses((&sessions, &shares), clock.wall());
    served.map(|()| if failed { ExitCode::from(FOUND_WRONG) } else { ExitCode::SUCCESS })
}

/// Runs three futures on this thread: what serves, what watches files, what keeps things up. Returns when it serves no
/// longer or cannot watch files; keeping things up never ends.
fn run_all(
    serving: impl Future<Output = Result<(), Failure>>,
    watched: impl Future<Output = Failure>,
    kept_up: impl Future<Output = Infallible>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            served = serving => served,
            failed = watched => Err(failed),
            never = kept_up => match never {},
        }
    })
}

/// What the viewers' listener is set to, with its certificate.
fn viewers(config: &Config, certificates: Option<&Certificates>) -> GatewayConfig {
    let tls = certificates.map(Certificates::config);
    GatewayConfig { tls, ..config.viewers.gateway() }
}

/// What the staff's interface is set to, with what it takes from other settings than its own.
fn interface(config: &Config, certificates: Option<&Certificates>) -> ControlConfig {
    ControlConfig {
        tls: certificates.map(Certificates::config),
        price_minima: config.payments.price_minima(),
        payment_accounts: config.payments.merchants(),
        ..config.control.interface()
    }
}

/// The certificates of the two listeners, viewers' first.
fn certificates(
    config: &Config,
    now: UnixMillis,
) -> Result<(Option<Certificates>, Option<Certificates>), Failure> {
    let load =
        |listener, files: &Option<TlsFiles>| Certificates::load(listener, files.as_ref(), now);
    Ok((load("viewers", &config.viewers.tls)?, load("control", &config.control.tls)?))
}

/// Reads the whole ledger again and again, slowly.
fn review(data: &DataDir, clock: &Arc<SystemClock>) -> Result<Reviewer, Failure> {
    let clock = Arc::clone(clock);
    Ok(Reviewer::spawn(ledger_source(data), Arc::new(move || clock.wall()))?)
}

/// The ledger, to be opened for reading.
fn ledger_source(data: &DataDir) -> Arc<dyn JournalSource> {
    Arc::new(SqliteSource::new(data.path().to_owned()))
}

/// Who may give commands, by token or by session, and what is shared with whoever has a link.
struct Staff {
    tokens: Arc<StaffTokens>,
    sessions: Arc<Sessions>,
    shares: Arc<Shares>,
}

impl Staff {
    fn open(data: &Path) -> Result<Self, Failure> {
        let tokens = Arc::new(StaffTokens::open(data)?);
        let sessions = Sessions::open(data, Arc::clone(&tokens), SessionLimits::default())?;
        let shares = Arc::new(Shares::open(data)?);
        Ok(Self { tokens, sessions: Arc::new(sessions), shares })
    }
}

/// Says where everything is, on standard output.
fn announce(
    config: &Config,
    (viewers, control, assets, webhooks): (
        SocketAddr,
        SocketAddr,
        Option<SocketAddr>,
        Option<SocketAddr>,
    ),
    (token, engine): (Option<&str>, &Engine),
) {
    let letter = |tls: &Option<TlsFiles>| if tls.is_some() { "s" } else { "" };
    let (ws, http) = (letter(&config.viewers.tls), letter(&config.control.tls));
    println!("viewers on ws{ws}://{viewers}/");
    println!("control on http{http}://{control}/");
    if let Some(token) = token {
        println!("staff token: {token}");
        info!("that token is shown only now; `stampede token add` makes others");
    }
    if let Some(assets) = assets {
        println!("assets on http{http}://{assets}/");
    }
    if let Some(webhooks) = webhooks {
        println!("webhooks on http{http}://{webhooks}/");
    }
    let (drops, over) = (engine.sales().len(), engine.all_over().len());
    info!(drops, over, incarnation = %engine.incarnation(), "ready");
}

/// Looks at the files of certificates and secrets now and then, at once on `SIGHUP`; ends only if it cannot.
async fn watch_files(
    (certificates, mut secrets): ((Option<Certificates>, Option<Certificates>), Secrets),
    clock: &SystemClock,
) -> Failure {
    let mut certificates: Vec<_> = [certificates.0, certificates.1].into_iter().flatten().collect();
    let mut told = match signal(SignalKind::hangup()) {
        Ok(told) => told,
        Err(why) => return why.into(),
    };
    let mut due = tokio::time::interval(LOOK_EVERY.to_std());
    loop {
        tokio::select! {
            _ = told.recv() => info!(certificates = certificates.len(), "told to look for new ones"),
            _ = due.tick() => {}
        }
        let now = clock.wall();
        // The file system may hang, and control answers on this thread.
        let look = spawn_blocking(move || {
            for one in &mut certificates {
                one.look(now);
            }
            secrets.look();
            (certificates, secrets)
        });
        (certificates, secrets) = look.await.expect("a look neither panics nor is cancelled");
    }
}

fn engine_config(config: &Config, provider: &PaymentProvider) -> EngineConfig {
    EngineConfig {
        viewers_pay_at: provider.viewers_pay_at(),
        cores: config.cores(),
        connections_per_viewer_max: config.viewers.connections_per_viewer_max,
        halt_retry_after: DurationMs::new(config.viewers.stopped_retry_ms),
        admission_retry_after: DurationMs::new(config.viewers.limited_retry_ms),
        sale_bytes_max: config.node.sale_memory_mib_max << 20,
        merchant_bytes_max: config.node.merchant_memory_mib_max << 20,
        ..EngineConfig::default()
    }
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

/// Says what is set, makes room for connections, says what looks wrong. Returns how many descriptors may be open.
fn prepare(config: &Config) -> u64 {
    info!(config = %toml::to_string(config).unwrap_or_default().replace('\n', " "), "settings");
    let descriptors = raise_descriptors(config);
    warn_if_open(config);
    descriptors
}

/// Each connection needs a descriptor.
fn raise_descriptors(config: &Config) -> u64 {
    let descriptors = descriptors::raise();
    info!(descriptors, "open descriptors allowed");
    let connections_max = config.viewers.connections_max;
    if u64::try_from(connections_max).is_ok_and(|max| max > descriptors) {
        warn!(connections_max, descriptors, "viewers.connections_max cannot be reached");
    }
    descriptors
}

/// Locks the data directory, which may have been there before with a mode of its own.
fn lock(path: &Path) -> Result<DataDir, Failure> {
    let data = DataDir::lock(path)?;
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let (data, mode) = (path.display(), format!("{mode:o}"));
        warn!(%data, mode, "other accounts may read the data directory; chmod 700");
    }
    Ok(data)
}

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

fn provider(config: &Config) -> PaymentProvider {
    match config.payments.provider {
        Provider::None => PaymentProvider::External,
        Provider::Sandbox => PaymentProvider::Sandbox(SandboxConfig {
            delay: DurationMs::new(config.payments.delay_ms),
            failure_rate: config.payments.failure_rate,
            ..SandboxConfig::default()
        }),
    }
}

fn listen(address: SocketAddr) -> Result<std::net::TcpListener, Failure> {
    let at = |source| Failure::Listen { address, source };
    let listener = std::net::TcpListener::bind(address).map_err(at)?;
    socket2::SockRef::from(&listener).listen(BACKLOG).map_err(at)?;
    listener.set_nonblocking(true).map_err(at)?;
    Ok(listener)
}

/// Where HTTP is answered.
struct Listeners {
    control: std::net::TcpListener,
    /// The public files alone, where that is wanted.
    assets: Option<std::net::TcpListener>,
    /// Stripe's webhooks, where that is wanted.
    webhooks: Option<std::net::TcpListener>,
}

impl Listeners {
    fn bind(config: &Config) -> Result<Self, Failure> {
        let control = listen(config.control.listen)?;
        let assets = config.assets.listen.map(listen).transpose()?;
        let webhooks = config.payments.webhooks.map(listen).transpose()?;
        Ok(Self { control, assets, webhooks })
    }
}

/// Serves the control interface until a signal comes; `ready` is told the addresses.
async fn control(
    settings: &Config,
    listeners: Listeners,
    mut parts: ControlParts,
    (gateway, webhooks): (Arc<Mutex<Option<Gateway>>>, Option<watch::Sender<()>>),
    ready: impl FnOnce(SocketAddr, Option<SocketAddr>),
) -> Result<(), Failure> {
    let listener = TcpListener::from_std(listeners.control)?;
    let public = listeners.assets.map(TcpListener::from_std).transpose()?;
    let address = listener.local_addr()?;
    let public_address = public.as_ref().map(TcpListener::local_addr).transpose()?;
    let (mut term, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    parts.config.site =
        Site::of(settings.control.public_url()?, address, parts.config.tls.is_some());
    parts.config.shared_at = settings.assets.public_url()?;
    let config = parts.config.clone();
    let draining = parts.draining.clone();
    let interface = Interface::new(parts);
    let router = stampede_pages::router(interface.router());
    let shared = stampede_pages::shared_router(stampede_control::shared(&interface));
    ready(address, public_address);
    let (stop, told) = watch::channel(());
    let stopping = async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
        // Probes, hosts, payments of the platform are answered while the viewers leave.
        draining.begin();
        let left = spawn_blocking(move || shut(&gateway)).await;
        left.expect("the gateway's stop does not panic");
        drop(stop);
        if let Some(webhooks) = webhooks {
            webhooks.send_replace(());
        }
    };
    let ended =
        |mut told: watch::Receiver<()>| async move { while told.changed().await.is_ok() {} };
    let assets = async {
        if let Some(public) = public {
            let told = ended(told.clone());
            stampede_control::serve(public, shared, &config, told).await;
        }
    };
    let control = stampede_control::serve(listener, router, &config, ended(told.clone()));
    let ((), (), ()) = tokio::join!(control, assets, stopping);
    Ok(())
}

/// Folds the samples of histograms now and then, so that they do not pile up while nobody scrapes; once a
/// minute writes down when sessions and shares were used.
async fn upkeep(
    recorder: &PrometheusHandle,
    (sessions, shares): (&Arc<Sessions>, &Arc<Shares>),
    clock: &SystemClock,
) -> Infallible {
    let mut due = tokio::time::interval(UPKEEP_EVERY.to_std());
    let mut failed = RepeatedWarning::default();
    loop {
        due.tick().await;
        recorder.run_upkeep();
        let now = clock.wall();
        let (with_sessions, with_shares) = (sessions.are_uses_due(now), shares.are_reads_due(now));
        if !with_sessions && !with_shares {
            continue;
        }
        let (sessions, shares) = (Arc::clone(sessions), Arc::clone(shares));
        let written = spawn_blocking(move || {
            let sessions = if with_sessions { sessions.write_uses(now) } else { Ok(()) };
            let shares = if with_shares { shares.write_reads(now) } else { Ok(()) };
            sessions.and(shares)
        });
        if let Err(error) = written.await.expect("a writing neither panics nor is cancelled")
            && let Some(times) = failed.note(clock.now())
        {
            warn!(%error, times, "when browsers and links were last seen could not be written");
        }
    }
}

/// Writes when sessions and shares were used since the last minute, before the end.
fn write_last_uses((sessions, shares): (&Sessions, &Shares), now: UnixMillis) {
    if let Err(error) = sessions.write_uses(now) {
        warn!(%error, "when browsers were last seen is not written; some may have to sign in again");
    }
    if let Err(error) = shares.write_reads(now) {
        warn!(%error, "when links were last read is not written");
    }
}

/// Sends the viewers away, once.
fn shut(gateway: &Mutex<Option<Gateway>>) {
    let running = gateway.lock().take();
    if let Some(gateway) = running {
        gateway.shutdown();
    }
}

/// Viewers first, so that durable answers leave; the ledger last, so that nothing is lost.
fn stop(
    reviewer: Reviewer,
    gateway: &Mutex<Option<Gateway>>,
    (webhooks, payments): (Webhooks, &Payments),
    engine: &Engine,
) {
    // It reads the ledger: the last of the log goes into the database once nobody does.
    drop(reviewer);
    shut(gateway);
    webhooks.shutdown();
    payments.shutdown();
    engine.shutdown();
    info!("stopped");
}

#[cfg(test)]
mod tests {
    use std::{net::TcpStream, time::Duration};

    use super::*;

    #[test]
    fn connections_find_a_place_however_many_come_at_once() {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        // Nobody accepts, so one that finds no place never does.
        let waits = |_| TcpStream::connect_timeout(&address, Duration::from_secs(5));
        let waiting = (0..300).map(waits).collect::<Result<Vec<_>, _>>();
        assert_eq!(waiting.unwrap().len(), 300);
    }
}
