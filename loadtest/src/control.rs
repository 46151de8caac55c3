//! The control API from the other side: the few calls that a load test needs.

use std::{collections::BTreeMap, time::Duration};

use rustls::ClientConfig;
use serde::{Deserialize, Serialize};

use stampede_client::ClientTls;

use crate::{
    audit::{Ledger, LedgerError},
    causes::in_full,
};

/// Attempts of one call; a command keeps its idempotency key, so repeating it is safe.
const ATTEMPTS_MAX: u32 = 20;
/// Time between two attempts.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How often a drop that is to open is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longest time for a connection to come about.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Longest time that a server may keep silent.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// A client of the control API with one staff token. Its clones share connections, so they belong to one tokio runtime.
#[derive(Clone, Debug)]
pub struct ControlClient {
    http: reqwest::Client,
    base: String,
    token: String,
    attempts_max: u32,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No answer, or a broken one.
    #[error("{call} got no answer: {}", in_full(.source))]
    NoAnswer {
        /// Method with path.
        call: String,
        /// What the library met.
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("{call} was answered with status {status}: {body}")]
    Refused {
        /// Method with path.
        call: String,
        /// The HTTP status.
        status: u16,
        /// The body, which says why.
        body: String,
    },
    /// A drop did not open.
    #[error("{drop} did not open within {} ms, it is {phase}", within.as_millis())]
    NotOpen {
        /// The drop.
        drop: String,
        /// Where it stands.
        phase: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The audit's lines are not as they should be.
    #[error("the audit of {drop} is broken: {source}")]
    Audit {
        /// The drop.
        drop: String,
        /// What is wrong.
        source: LedgerError,
    },
}

/// The terms of a drop, as far as load tests set them.
#[derive(Clone, Debug, Serialize)]
pub struct DropTerms {
    /// The stream.
    pub stream: String,
    /// Title for viewers.
    pub title: String,
    /// Whose goods are sold.
    pub merchant: String,
    /// Who runs the drop.
    pub host: String,
    /// What is sold.
    pub skus: Vec<SkuTerms>,
    /// Units over all SKUs that one viewer may have.
    pub limit_per_viewer: u32,
    /// Holds that one viewer may make.
    pub holds_per_viewer_max: u16,
    /// How long a hold lives.
    pub hold_ttl_ms: u64,
    /// From the command to the opening.
    pub countdown_ms: u64,
    /// How holds wait for payments.
    pub payment: PaymentTimes,
}

/// How holds wait for payments. By default they do not: what is not paid in time is on sale again at once.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct PaymentTimes {
    /// How long a hold stays beyond the deadline that its viewer is shown.
    pub grace_ms: u64,
    /// By how much a first attempt to pay moves the deadline, at most.
    pub stretch_ms: u64,
}

/// One SKU of a drop.
#[derive(Clone, Debug, Serialize)]
pub struct SkuTerms {
    /// Name within the drop.
    pub id: String,
    /// Title for viewers.
    pub title: String,
    /// Price of one unit.
    pub price: Price,
    /// Units on sale.
    pub supply: u32,
}

/// An amount of money.
#[derive(Clone, Debug, Serialize)]
pub struct Price {
    /// In minor units.
    pub minor: u64,
    /// ISO 4217 code.
    pub currency: String,
}

/// A drop as it stands.
#[derive(Clone, Debug, Deserialize)]
pub struct DropState {
    /// Name of its phase.
    pub phase: String,
    /// Distinct viewers connected to its stream.
    pub viewers_connected: u64,
    /// Figures of its SKUs.
    pub skus: Vec<SkuState>,
    /// What viewers asked for since the server started.
    pub totals: Demand,
}

/// The terms that a drop was planned with, as far as load tests look at them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PlannedDrop {
    /// The stream.
    pub stream: String,
    /// `live` or `rehearsal`.
    pub mode: String,
    /// Units over all SKUs that one viewer may have.
    pub limit_per_viewer: u32,
    /// How long a hold lives.
    pub hold_ttl_ms: u64,
    /// From the command to the opening.
    pub countdown_ms: u64,
    /// What is sold.
    pub skus: Vec<PlannedSku>,
}

/// One SKU of a planned drop.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PlannedSku {
    /// Its name.
    pub id: String,
}

/// What viewers asked for.
#[derive(Clone, Debug, Deserialize)]
pub struct Demand {
    /// Buys that took units.
    pub held: u64,
    /// Buys that were answered with what an earlier one had got.
    pub retries: u64,
    /// Buys refused, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// Figures of one SKU.
#[derive(Clone, Debug, Deserialize)]
pub struct SkuState {
    /// Its name.
    pub sku: String,
    /// Units of all lots.
    pub supplied: u64,
    /// Units that can be taken.
    pub available: u64,
    /// Units in holds.
    pub held: u64,
    /// Units in orders.
    pub sold: u64,
}

/// A client of a server on this machine that keeps so many connections.
pub(crate) fn http(connections: usize) -> reqwest::Client {
    built(client(&ClientTls::mozilla()).pool_max_idle_per_host(connections))
}

fn client(tls: &ClientTls) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(ClientConfig::clone(&tls.config()))
        .connect_timeout(CONNECT_MAX)
        .read_timeout(SILENCE_MAX)
        .no_proxy()
}

fn built(client: reqwest::ClientBuilder) -> reqwest::Client {
    client.build().expect("a client with its own roots needs nothing that could be missing")
}

#[derive(Deserialize)]
struct Accepted {
    drop: String,
}

impl DropState {
    /// Units of all lots.
    pub fn supplied(&self) -> u64 {
        self.skus.iter().map(|sku| sku.supplied).sum()
    }

    /// Units that can be taken.
    pub fn available(&self) -> u64 {
        self.skus.iter().map(|sku| sku.available).sum()
    }

    /// Units in holds.
    pub fn held(&self) -> u64 {
        self.skus.iter().map(|sku| sku.held).sum()
    }

    /// Units in orders.
    pub fn sold(&self) -> u64 {
        self.skus.iter().map(|sku| sku.sold).sum()
    }
}

impl ControlClient {
    /// A client of the server at `base`, like `http://127.0.0.1:7701`. An `https` server's certificate must
    /// lead to a root that Mozilla ships.
    pub fn new(base: &str, token: &str) -> Self {
        Self::trusting(base, token, &ClientTls::mozilla())
    }

    /// A client of the server at `base`, which may have a certificate of these roots.
    pub fn trusting(base: &str, token: &str, tls: &ClientTls) -> Self {
        Self {
            http: built(client(tls)),
            base: base.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
            attempts_max: ATTEMPTS_MAX,
        }
    }

    /// The same client, which tries each call once.
    #[must_use]
    pub fn once(self) -> Self {
        Self { attempts_max: 1, ..self }
    }

    /// Plans a drop; returns its id.
    pub async fn plan(&self, terms: &DropTerms) -> Result<String, ControlError> {
        self.plan_value(&serde_json::to_value(terms).expect("terms are plain data")).await
    }

    /// Plans a drop by terms of any kind; returns its id.
    pub async fn plan_value(&self, terms: &serde_json::Value) -> Result<String, ControlError> {
        self.command("/v1/drops", terms).await
    }

    /// Starts the countdown.
    pub async fn open(&self, drop: &str) -> Result<(), ControlError> {
        self.plain_command(drop, "open").await
    }

    /// Looks at the drop until it is open, at least once.
    pub async fn wait_open(&self, drop: &str, within: Duration) -> Result<(), ControlError> {
        let mut looks_left = within.as_millis() / LOOK_EVERY.as_millis();
        loop {
            let DropState { phase, .. } = self.state(drop).await?;
            if phase == "open" {
                return Ok(());
            }
            if looks_left == 0 {
                return Err(ControlError::NotOpen { drop: drop.to_owned(), phase, within });
            }
            looks_left -= 1;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Ends takes for good.
    pub async fn close(&self, drop: &str) -> Result<(), ControlError> {
        self.plain_command(drop, "close").await
    }

    /// Calls a drop off that is still scheduled.
    pub async fn cancel(&self, drop: &str) -> Result<(), ControlError> {
        self.plain_command(drop, "cancel").await
    }

    /// A command about a drop that needs no more than a reason, which is recorded with it: `open`,
    /// `pause`, `resume`, `close`.
    pub async fn command_with_reason(
        &self,
        drop: &str,
        action: &str,
        reason: &str,
    ) -> Result<(), ControlError> {
        let path = format!("/v1/drops/{drop}/{action}");
        self.command(&path, &serde_json::json!({ "reason": reason })).await.map(|_| ())
    }

    /// How the drop stands.
    pub async fn state(&self, drop: &str) -> Result<DropState, ControlError> {
        self.get(&format!("/v1/drops/{drop}")).await
    }

    /// What the drop was planned with, and its phase.
    pub async fn planned(&self, drop: &str) -> Result<(PlannedDrop, String), ControlError> {
        #[derive(Deserialize)]
        struct State {
            phase: String,
            plan: PlannedDrop,
        }
        let State { phase, plan } = self.get(&format!("/v1/drops/{drop}")).await?;
        Ok((plan, phase))
    }

    /// The sell-out report.
    pub async fn report(&self, drop: &str) -> Result<serde_json::Value, ControlError> {
        self.get(&format!("/v1/drops/{drop}/report")).await
    }

    /// Whether the engine sells; otherwise the problem in the server's words.
    pub async fn ready(&self) -> Result<serde_json::Value, ControlError> {
        self.get("/readyz").await
    }

    /// The server's metrics as text.
    pub async fn metrics(&self) -> Result<String, ControlError> {
        let call = "GET /metrics";
        let response = self.send(call, || self.http.get(format!("{}/metrics", self.base))).await?;
        let failed = |source| ControlError::NoAnswer { call: call.to_owned(), source };
        response.text().await.map_err(failed)
    }

    /// What the ledger says about a drop, read line by line.
    pub async fn ledger(&self, drop: &str) -> Result<Ledger, ControlError> {
        let path = format!("/v1/drops/{drop}/audit");
        let call = format!("GET {path}");
        let request = || self.http.get(format!("{}{path}", self.base));
        let mut response = self.send(&call, request).await?;
        let broken = |source| ControlError::Audit { drop: drop.to_owned(), source };
        let (mut ledger, mut rest) = (Ledger::default(), Vec::new());
        let failed = |source| ControlError::NoAnswer { call: call.clone(), source };
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            rest.extend_from_slice(&chunk);
            let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
            for line in rest[..end].split(|byte| *byte == b'\n') {
                ledger.add(line).map_err(broken)?;
            }
            rest.drain(..=end);
        }
        ledger.add(&rest).map_err(broken)?;
        ledger.check_whole().map_err(broken)?;
        Ok(ledger)
    }

    async fn plain_command(&self, drop: &str, action: &str) -> Result<(), ControlError> {
        let path = format!("/v1/drops/{drop}/{action}");
        self.command(&path, &serde_json::json!({})).await.map(|_| ())
    }

    async fn command(&self, path: &str, body: &serde_json::Value) -> Result<String, ControlError> {
        let call = format!("POST {path}");
        let key = format!("{:032x}", rand::random::<u128>());
        let request = || {
            let request = self.http.post(format!("{}{path}", self.base));
            request.header("Idempotency-Key", &key).json(body)
        };
        let accepted: Accepted = self.read(&call, self.send(&call, request).await?).await?;
        Ok(accepted.drop)
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, ControlError> {
        let call = format!("GET {path}");
        let request = || self.http.get(format!("{}{path}", self.base));
        self.read(&call, self.send(&call, request).await?).await
    }

    async fn read<T: for<'de> Deserialize<'de>>(
        &self,
        call: &str,
        response: reqwest::Response,
    ) -> Result<T, ControlError> {
        let failed = |source| ControlError::NoAnswer { call: call.to_owned(), source };
        response.json().await.map_err(failed)
    }

    /// Sends a request, again while the server cannot be reached or asks to wait.
    async fn send(
        &self,
        call: &str,
        request: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, ControlError> {
        let mut attempt = 1;
        loop {
            let sent = request().bearer_auth(&self.token).send().await;
            let last = attempt >= self.attempts_max;
            match sent {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) if response.status() != 503 || last => {
                    let status = response.status().as_u16();
                    let body = response.text().await.unwrap_or_default();
                    return Err(ControlError::Refused { call: call.to_owned(), status, body });
                }
                Err(source) if last => {
                    return Err(ControlError::NoAnswer { call: call.to_owned(), source });
                }
                Ok(_) | Err(_) => {}
            }
            attempt += 1;
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}
