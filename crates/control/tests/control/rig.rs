//! An engine with its router, asked as clients ask.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use serde_json::{Value, json};
use stampede_control::{
    ControlConfig, ControlParts, Demo, DrainSignal, Interface, NewStaff, SessionLimits, Sessions,
    Shares, StaffTokens, router, shared,
};
use stampede_domain::{HoldId, Mode, UnixMillis};
use stampede_engine::{
    Buy, BuyRequest, CorePort, Engine, EngineConfig, HoldOutcome, PartOutcome, Role, StreamScope,
    start,
};
use stampede_ledger::{DataDir, OpenLedger, SqliteLedger, SqliteSource};
use stampede_testkit::HandClock;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::crowds::FakeCrowds;
pub(crate) use crate::goods::{lamps, mugs, mugs_in_reserve};
use crate::listed::must_be_listed;

/// When every test begins.
pub(crate) const NOON: u64 = 1_700_000_000_000;

/// An engine with one core, its interface, a token for each role.
pub(crate) struct Rig {
    pub(crate) engine: Arc<Engine>,
    pub(crate) port: CorePort,
    pub(crate) router: Router,
    pub(crate) staff: Arc<StaffTokens>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) recorder: PrometheusRecorder,
    pub(crate) dir: Arc<TempDir>,
    clock: Arc<HandClock>,
    tokens: Vec<(&'static str, String)>,
    /// Where crowds come from.
    pub(crate) crowds: Arc<FakeCrowds>,
    /// Whether the server says that it stops.
    pub(crate) draining: DrainSignal,
}

impl Rig {
    /// On a new SQLite ledger in a temporary directory.
    pub(crate) fn new() -> Self {
        Self::on_dir(Arc::new(TempDir::new().unwrap()), ControlConfig::default())
    }

    /// The same with limits of the test's own.
    pub(crate) fn with(config: ControlConfig) -> Self {
        Self::on_dir(Arc::new(TempDir::new().unwrap()), config)
    }

    /// Starts again on the same ledger.
    pub(crate) fn restart(self) -> Self {
        self.restart_at(0)
    }

    /// Starts again so much later than the first start.
    pub(crate) fn restart_at(self, after_millis: u64) -> Self {
        self.restart_as(after_millis, ControlConfig::default())
    }

    /// Starts again with other settings.
    pub(crate) fn restart_with(self, config: ControlConfig) -> Self {
        self.restart_as(0, config)
    }

    fn restart_as(self, after_millis: u64, config: ControlConfig) -> Self {
        self.engine.shutdown();
        let dir = Arc::clone(&self.dir);
        drop(self);
        let ledger = open_ledger(&dir);
        Self::on_at(NOON + after_millis, ledger, dir, config)
    }

    fn on_dir(dir: Arc<TempDir>, config: ControlConfig) -> Self {
        Self::on_at(NOON, open_ledger(&dir), dir, config)
    }

    /// On a ledger of the test's own, beside an empty one in the directory.
    pub(crate) fn on(ledger: OpenLedger, dir: Arc<TempDir>, config: ControlConfig) -> Self {
        drop(open_ledger(&dir));
        Self::on_at(NOON, ledger, dir, config)
    }

    fn on_at(at: u64, ledger: OpenLedger, dir: Arc<TempDir>, config: ControlConfig) -> Self {
        let clock = Arc::new(HandClock::at(at));
        let wake = Arc::new(|| ()) as stampede_engine::Wake;
        let settings = EngineConfig { cores: 1, ..EngineConfig::default() };
        let (engine, mut ports) = start(settings, ledger, clock.clone(), vec![wake]).unwrap();
        let staff = Arc::new(StaffTokens::open(dir.path()).unwrap());
        let limits = SessionLimits { per_name_max: 3, max: 5, ..SessionLimits::default() };
        let sessions = Sessions::open(dir.path(), Arc::clone(&staff), limits).unwrap();
        let token = |name: &'static str, role, merchant: Option<&str>| {
            let merchant = merchant.map(|id| id.parse().unwrap());
            let new = NewStaff { name: name.into(), role, merchant, streams: StreamScope::All };
            (name, staff.add(new, UnixMillis::new(NOON)).unwrap().secret.reveal().to_owned())
        };
        let tokens = vec![
            token("admin", Role::Admin, None),
            token("host", Role::Host, None),
            token("ops", Role::Ops, None),
            token("platform", Role::Platform, None),
            token("payments", Role::Payments, Some("acme")),
            token("nina", Role::Creator, None),
            token("acme", Role::Merchant, Some("acme")),
            token("zeta", Role::Merchant, Some("zeta")),
        ];
        let recorder = PrometheusBuilder::new().build_recorder();
        let port = ports.pop().unwrap();
        let router = Router::new();
        let mut rig = Self {
            engine,
            port,
            router,
            staff,
            sessions: Arc::new(sessions),
            recorder,
            dir,
            clock,
            tokens,
            crowds: Arc::default(),
            draining: DrainSignal::default(),
        };
        rig.router = rig.router_on(rig.dir.path().to_owned(), config);
        rig
    }

    pub(crate) fn token(&self, name: &str) -> &str {
        &self.tokens.iter().find(|(known, _)| *known == name).unwrap().1
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.clock.advance(millis);
    }

    /// The same engine behind the interface of a server that has no crowds.
    pub(crate) fn router_without_crowds(&self) -> Router {
        let data_dir = self.dir.path().to_owned();
        router(ControlParts { crowds: None, ..self.parts(data_dir, ControlConfig::default()) })
    }

    /// Lets the interface look for the ledger where there is none.
    pub(crate) fn forget_ledger(&mut self) {
        let data_dir = self.dir.path().join("nowhere");
        self.router = self.router_on(data_dir, ControlConfig::default());
    }

    /// Lets the interface look for the ledger where another engine's is.
    pub(crate) fn read_ledger_of(&mut self, other: &Self) {
        self.router = self.router_on(other.dir.path().to_owned(), ControlConfig::default());
    }

    /// The same engine behind an interface with other limits.
    pub(crate) fn router_with(&self, config: ControlConfig) -> Router {
        self.router_on(self.dir.path().to_owned(), config)
    }

    /// The same engine behind the interface of a server that a demo runs.
    pub(crate) fn router_of(&self, demo: Arc<Demo>) -> Router {
        let data_dir = self.dir.path().to_owned();
        router(ControlParts { demo: Some(demo), ..self.parts(data_dir, ControlConfig::default()) })
    }

    /// What the same engine shows to anybody.
    pub(crate) fn shared_with(&self, config: ControlConfig) -> Router {
        shared(&Interface::new(self.parts(self.dir.path().to_owned(), config)))
    }

    fn router_on(&self, data_dir: PathBuf, config: ControlConfig) -> Router {
        router(self.parts(data_dir, config))
    }

    fn parts(&self, data_dir: PathBuf, config: ControlConfig) -> ControlParts {
        ControlParts {
            engine: Arc::clone(&self.engine),
            staff: Arc::clone(&self.staff),
            sessions: Arc::clone(&self.sessions),
            shares: Arc::new(Shares::open(self.dir.path()).unwrap()),
            metrics: {
                let recorder = self.recorder.handle();
                Arc::new(move || recorder.render())
            },
            ledger: Arc::new(SqliteSource::new(data_dir)),
            config,
            draining: self.draining.clone(),
            demo: None,
            settings: json!({ "viewers": { "connections_max": 18_000 } }),
            crowds: Some(Arc::clone(&self.crowds) as _),
        }
    }

    /// A request by the owner of a token.
    pub(crate) fn ask(&self, who: &str, method: &str, path: &str) -> Ask {
        self.ask_nobody(method, path)
            .header("authorization", &format!("Bearer {}", self.token(who)))
    }

    /// A request without a token.
    pub(crate) fn ask_nobody(&self, method: &str, path: &str) -> Ask {
        Ask {
            router: self.router.clone(),
            described_by: self.router.clone(),
            request: Request::builder().method(method).uri(path),
            body: Vec::new(),
        }
    }

    /// A command by the admin that must succeed.
    pub(crate) async fn command(&self, drop: &str, name: &str, key: &str) -> Answer {
        let path = format!("/v1/drops/{drop}/{name}");
        self.ask("admin", "POST", &path).key(key).expect(StatusCode::OK).await
    }

    /// Has the steward look around, which it does by itself within a second.
    pub(crate) async fn wake_steward(&self) {
        let path = "/v1/drops/d999/pause";
        self.ask("ops", "POST", path).key("wake").refused(404, "unknown_drop").await;
    }

    /// Plans a drop by the admin; returns its id.
    pub(crate) async fn plan(&self, plan: Value) -> String {
        let key = format!("plan-{}", plan["title"].as_str().unwrap());
        let ask = self.ask("admin", "POST", "/v1/drops").key(&key).json(&plan);
        let answer = ask.expect(StatusCode::CREATED).await;
        answer.json["drop"].as_str().unwrap().to_owned()
    }

    /// Plans a drop without a countdown, opens it, waits until viewers can take.
    pub(crate) async fn open(&self, plan: Value) -> String {
        let mut plan = plan;
        plan["countdown_ms"] = json!(0);
        let drop = self.plan(plan).await;
        self.command(&drop, "open", &format!("open-{drop}")).await;
        self.until_phase(&drop, "open").await;
        drop
    }

    pub(crate) async fn state(&self, drop: &str) -> Value {
        self.ask("admin", "GET", &format!("/v1/drops/{drop}")).expect(StatusCode::OK).await.json
    }

    pub(crate) async fn until_phase(&self, drop: &str, phase: &str) {
        until(async || self.state(drop).await["phase"] == phase).await;
    }

    /// A viewer's buy of one SKU, durable when it returns.
    pub(crate) async fn buy(&mut self, drop: &str, viewer: &str, sku: &str, units: u64) -> HoldId {
        let stream = "show".parse().unwrap();
        let key = format!("{viewer}-{sku}").parse().unwrap();
        let joined = self.port.join(&viewer.parse().unwrap(), (&stream, Mode::Live), 1);
        let request =
            BuyRequest { drop: drop.parse().unwrap(), sku, units, key: &key, channel: None };
        let bought = self.port.buy(&joined, &stream, Mode::Live, request);
        let Buy::Pending { hold, position } = bought else { panic!("{viewer}: {bought:?}") };
        self.port.flush();
        until(async || self.port.durable() >= position).await;
        hold
    }

    /// A platform reports that a hold was paid for.
    pub(crate) async fn pay(&self, hold: HoldId) {
        let reported = self.engine.payment(stampede_testkit::paid(&self.engine, hold)).unwrap();
        let outcome = reported.await.unwrap().unwrap();
        assert_eq!(outcome.holds, [(hold, HoldOutcome::Part(PartOutcome::Ordered))]);
    }

    /// One unit each for this many viewers, all durable when it returns.
    pub(crate) async fn buy_many(&mut self, drop: &str, sku: &str, viewers: u32) {
        let stream = "show".parse().unwrap();
        let drop = drop.parse().unwrap();
        for number in 0..viewers {
            let (viewer, key) = (format!("v{number}"), format!("k{number}").parse().unwrap());
            let joined =
                self.port.join(&viewer.parse().unwrap(), (&stream, Mode::Live), u64::from(number));
            let bought = loop {
                let request = BuyRequest { drop, sku, units: 1, key: &key, channel: None };
                match self.port.buy(&joined, &stream, Mode::Live, request) {
                    Buy::Refused(stampede_domain::Refusal::Busy { .. }) => {
                        self.port.flush();
                        tokio::task::yield_now().await;
                    }
                    other => break other,
                }
            };
            let Buy::Pending { position, .. } = bought else { panic!("{viewer}: {bought:?}") };
            if number + 1 == viewers {
                self.port.flush();
                until(async || self.port.durable() >= position).await;
            }
        }
    }

    /// A viewer's buy of one unit, whatever comes of it.
    pub(crate) fn click(&mut self, drop: &str, viewer: &str, sku: &str) -> Buy {
        let stream = "show".parse().unwrap();
        let key = format!("{viewer}-{sku}").parse().unwrap();
        let joined = self.port.join(&viewer.parse().unwrap(), (&stream, Mode::Live), 1);
        let drop = drop.parse().unwrap();
        let request = BuyRequest { drop, sku, units: 1, key: &key, channel: None };
        let bought = self.port.buy(&joined, &stream, Mode::Live, request);
        self.port.flush();
        bought
    }

    /// A viewer's buy that is refused.
    pub(crate) fn buy_in_vain(&mut self, drop: &str, viewer: &str, sku: &str) {
        let bought = self.click(drop, viewer, sku);
        assert!(matches!(bought, Buy::Refused(_)), "{viewer}: {bought:?}");
    }
}

fn open_ledger(dir: &TempDir) -> OpenLedger {
    let data = DataDir::lock(dir.path()).unwrap();
    SqliteLedger::open(&data, &"n1".parse().unwrap()).unwrap()
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.engine.shutdown();
    }
}

/// A request in the making.
pub(crate) struct Ask {
    router: Router,
    /// Has the document, which what is shown to anybody has not.
    described_by: Router,
    pub(crate) request: axum::http::request::Builder,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Goes to another interface of the same engine.
    pub(crate) fn to(self, router: Router) -> Self {
        Self { router, ..self }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    pub(crate) fn body(mut self, kind: &str, body: &str) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    pub(crate) async fn send(self) -> Answer {
        let request = self.request.body(Body::from(self.body)).unwrap();
        let response = self.router.oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        // What is no text, like a workbook, is read as far as it is.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, headers, json, text, bytes: bytes.into() }
    }

    pub(crate) async fn expect(self, status: StatusCode) -> Answer {
        let answer = self.send().await;
        assert_eq!(answer.status, status, "{}", answer.text);
        answer
    }

    /// Must be refused with this code, in the one shape of errors.
    pub(crate) async fn refused(self, status: u16, code: &str) -> Answer {
        let asked = self.request.method_ref().cloned().zip(self.request.uri_ref().cloned());
        let (router, (method, uri)) = (self.described_by.clone(), asked.unwrap());
        let answer = self.send().await;
        must_be_listed(&router, (&method, &uri), (status, code)).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let body = &answer.json;
        assert_eq!(body["type"], format!("/problems/{code}"), "{}", answer.text);
        assert_eq!(body["code"], code);
        assert_eq!(body["status"], status);
        for field in ["title", "detail"] {
            assert!(body[field].as_str().is_some_and(|text| text.len() > 5), "{}", answer.text);
        }
        answer
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn detail(&self) -> &str {
        self.json["detail"].as_str().unwrap()
    }
}

/// Waits for a condition; fails after ten seconds.
pub(crate) async fn until(condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("the condition never came");
}
