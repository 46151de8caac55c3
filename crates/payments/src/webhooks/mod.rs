//! Where Stripe reports: `POST /v1/payments/stripe/{account}`.
//!
//! Whoever listens has this router alone on a port of its own. A 2xx says that what follows from the event is durable, or
//! that nothing ever will: Stripe sends all others again, for three days. So a refusal by the books is a 2xx, with a
//! warning in the log, and money that was taken is in the ledger in any case.
//!
//! An account that nobody has set, a body that nobody signed and an old one get the same answer, after a signature was
//! checked in any case.
//! No log line has a body or a secret.

mod accounts;
mod addresses;
mod config;
mod delivery;
pub(crate) mod outcome;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::StreamExt;
use stampede_domain::{IdError, Rate, UnixMillis};
use stampede_engine::Engine;
use stampede_ledger::JournalSource;
use stampede_proxies::{Claims, ClientAddress, Peer, client_address};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tracing::{debug, error, warn};

pub use accounts::{ACCOUNTS_MAX, StripeAccount, StripeAccounts};
pub use config::WebhookConfig;

use self::{
    accounts::Account,
    addresses::Addresses,
    delivery::Deliveries,
    outcome::{Answer, EventOutcome, OTHER, RequestRefusal, kind_of},
};
use crate::{
    metrics,
    stripe::{SignatureError, StripeEvent, StripeEventError, event, signature::HEADER},
};

/// The path; the last part is the account's name in the settings.
pub const PATH: &str = "/v1/payments/stripe/{account}";

/// What the listener is made of.
pub struct WebhookParts {
    /// Who decides.
    pub engine: Arc<Engine>,
    /// The ledger, for drops that have left memory.
    pub ledger: Arc<dyn JournalSource>,
    /// Whose events are taken.
    pub accounts: Arc<StripeAccounts>,
    /// Limits.
    pub config: WebhookConfig,
}

/// The one path, for a listener of its own. Whoever serves it says by [`Peer`] who is at the other side.
pub fn router(parts: WebhookParts) -> Router {
    Router::new()
        .route(PATH, post(receive))
        .fallback(async || (StatusCode::NOT_FOUND, "nothing is here\n"))
        .with_state(Arc::new(Receiver::new(parts)))
}

struct Receiver {
    engine: Arc<Engine>,
    accounts: Arc<StripeAccounts>,
    config: WebhookConfig,
    addresses: Addresses,
    bodies: Arc<Semaphore>,
    account_rate: Option<Rate>,
    deliveries: Deliveries,
}

/// Turns to read a body, which are held until it is checked.
type Turns = (Option<OwnedSemaphorePermit>, OwnedSemaphorePermit);

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    account: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let started = receiver.engine.micros();
    // What cannot be read is the name of no account.
    let account = account.map(|Path(name)| name).unwrap_or_default();
    let answer = receiver.answer(&account, request).await.unwrap_or_else(|refused| refused);
    metrics::count_answer(answer, receiver.engine.micros().saturating_sub(started));
    answer.into_response()
}

impl Receiver {
    fn new(parts: WebhookParts) -> Self {
        let WebhookParts { engine, ledger, accounts, config } = parts;
        let rate = Rate::new(config.requests_per_address_per_s, config.requests_per_address_burst);
        Self {
            addresses: Addresses::new(rate, config.bodies_per_address_max),
            bodies: Arc::new(Semaphore::new(config.bodies_max)),
            account_rate: Rate::new(
                config.events_per_account_per_s,
                config.events_per_account_burst,
            ),
            deliveries: Deliveries::new(Arc::clone(&engine), ledger, config.money_reads_max),
            engine,
            accounts,
            config,
        }
    }

    async fn answer(&self, name: &str, request: Request) -> Result<Answer, Answer> {
        let (parts, body) = request.into_parts();
        let turns_of = match self.client(&parts.extensions, &parts.headers) {
            None => None,
            Some(address) => {
                let counted = self.addresses.count(address, self.engine.now());
                Some(counted.map_err(|wait| Answer::Wait(RequestRefusal::AddressRate, wait))?)
            }
        };
        if content_length(&parts.headers).is_some_and(|bytes| bytes > self.config.body_bytes_max) {
            return Err(Answer::Refusal(RequestRefusal::TooLarge));
        }
        let (turns, body) = self.read(turns_of, body).await.map_err(Answer::Refusal)?;
        let account = self.accounts.find(name);
        self.check(account, parts.headers.get(HEADER), &body).map_err(Answer::Refusal)?;
        let account = account.ok_or(Answer::Refusal(RequestRefusal::UnknownAccount))?;
        account
            .count(self.account_rate, self.engine.now())
            .map_err(|wait| Answer::Wait(RequestRefusal::AccountRate, wait))?;
        let read = event::read(&account.name, &body);
        drop((turns, body));
        let event = match read {
            Ok(event) => event,
            Err(why) => {
                say_unreadable(account, &why);
                metrics::count_event(OTHER, EventOutcome::Unreadable);
                return Ok(Answer::Event(EventOutcome::Unreadable));
            }
        };
        if let Some(why) = &event.order_fault {
            say_unusable_order(account, (&event, why), self.engine.now());
        }
        let delivered = self.deliveries.deliver(account, &event);
        let outcome = timeout(self.config.answer_wait.to_std(), delivered).await;
        let outcome = outcome.unwrap_or(EventOutcome::Late);
        if outcome == EventOutcome::Late {
            warn!(account = %account.name, event = %event.id, "nothing was durable in time; Stripe sends it again");
        }
        metrics::count_event(kind_of(&event), outcome);
        Ok(Answer::Event(outcome))
    }

    /// Who sends a request; nobody for a trusted proxy's own, or for one without a socket.
    fn client(
        &self,
        extensions: &axum::http::Extensions,
        headers: &HeaderMap,
    ) -> Option<ClientAddress> {
        let &peer = extensions.get::<Peer>()?;
        let lines = |name| -> Vec<&[u8]> {
            headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
        };
        let claims = Claims {
            x_forwarded_for: lines("x-forwarded-for"),
            forwarded: lines(header::FORWARDED.as_str()),
        };
        let trusted = &self.config.trusted_proxies;
        // A proxy that writes no address stands for all who come through it.
        let client = client_address(peer, trusted, &claims).unwrap_or(peer.address);
        Some(client).filter(|client| !trusted.contains(*client))
    }

    /// Reads the whole body, once there is a turn for it.
    async fn read(
        &self,
        turns_of_address: Option<Arc<Semaphore>>,
        body: Body,
    ) -> Result<(Turns, Bytes), RequestRefusal> {
        let WebhookConfig { turn_wait, body_wait, body_bytes_max, .. } = self.config;
        let turns = async {
            let of_address = match turns_of_address {
                Some(turns) => Some(turn(turns).await),
                None => None,
            };
            (of_address, turn(Arc::clone(&self.bodies)).await)
        };
        let turns = timeout(turn_wait.to_std(), turns).await;
        let turns = turns.map_err(|_| RequestRefusal::BodiesFull)?;
        let body = timeout(body_wait.to_std(), whole(body, body_bytes_max)).await;
        Ok((turns, body.map_err(|_| RequestRefusal::BodyLate)??))
    }

    /// Whether the account's Stripe signed the body. For an account that is not there, nobody did.
    fn check(
        &self,
        account: Option<&Account>,
        header: Option<&HeaderValue>,
        body: &[u8],
    ) -> Result<(), RequestRefusal> {
        let (header, now) = (header.map(HeaderValue::as_bytes), self.engine.wall());
        let Some(account) = account else {
            let checked = self.accounts.nobody().check(header, body, now);
            debug!(is_signed = checked.is_ok(), "an event came for an account that is not set");
            return Err(RequestRefusal::UnknownAccount);
        };
        match account.rules().check(header, body, now) {
            Ok(signed) => {
                debug!(account = %account.name, secret = signed.secret, "an event is signed");
                Ok(())
            }
            Err(why) => {
                say_refused(account, &why, self.engine.now());
                Err((&why).into())
            }
        }
    }
}

async fn turn(turns: Arc<Semaphore>) -> OwnedSemaphorePermit {
    turns.acquire_owned().await.expect("nobody closes the semaphore")
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn whole(body: Body, bytes_max: usize) -> Result<Bytes, RequestRefusal> {
    let mut chunks = body.into_data_stream();
    let mut read = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| RequestRefusal::BodyBroken)?;
        if read.len() + chunk.len() > bytes_max {
            return Err(RequestRefusal::TooLarge);
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read.into())
}

/// Forged events may come by the thousand; a wrong secret looks the same.
fn say_refused(account: &Account, why: &SignatureError, now: UnixMillis) {
    if let Some(times) = account.note(RequestRefusal::from(why).name(), now) {
        warn!(
            account = %account.name, %why, times,
            "an event was not Stripe's: forged, or the account's secrets are not those of its endpoint in Stripe"
        );
    }
}

/// The payment counts all the same.
fn say_unusable_order(account: &Account, (event, why): (&StripeEvent, &IdError), now: UnixMillis) {
    if let Some(times) = account.note("order_reference", now) {
        warn!(
            account = %account.name, event = %event.id, %why, times,
            "`stampede_order` cannot be used: the payment counts without a name for its order"
        );
    }
}

fn say_unreadable(account: &Account, why: &StripeEventError) {
    // The sources of these errors quote the body.
    error!(account = %account.name, %why, "an event that Stripe signed cannot be read; Stripe sends it again");
}
