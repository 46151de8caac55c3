//! The till's side of the API for payments: reports that are repeated until they are answered.

use std::time::Duration;

use parking_lot::Mutex;
use rand::{SeedableRng, rngs::StdRng};
use reqwest::{RequestBuilder, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json};
use stampede_client::Backoff;
use tokio::{sync::Semaphore, time};

use crate::control::http;

/// Connections to the server, so reports under way. They are kept. An answer waits for a commit, which many reports
/// share: with fewer connections thousands of viewers at once would wait for each other.
const CONNECTIONS_MAX: usize = 64;
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_LONGEST: Duration = Duration::from_secs(1);
/// The largest page of the list.
const PAGE: u32 = 500;

#[derive(Debug)]
pub(super) struct Reports {
    http: reqwest::Client,
    base: String,
    token: String,
    currency: String,
    permits: Semaphore,
    rng: Mutex<StdRng>,
}

/// What a report was answered, as far as the till cares.
#[derive(Debug)]
pub(super) struct Told {
    /// The order that the payment makes.
    pub(super) order: Option<String>,
}

/// Something on the server's list.
#[derive(Debug)]
pub(super) struct Matter {
    pub(super) action: String,
    pub(super) payment: String,
    pub(super) minor: u64,
}

#[derive(Deserialize)]
struct Answer {
    holds: Vec<AnswerPart>,
}

#[derive(Deserialize)]
struct AnswerPart {
    outcome: String,
    order: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    holds: Vec<Listed>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    todo: Vec<Todo>,
}

#[derive(Deserialize)]
struct Todo {
    action: String,
    payment: String,
    amount: Option<Amount>,
}

#[derive(Deserialize)]
struct Amount {
    minor: u64,
}

impl Reports {
    pub(super) fn new(control: &str, token: &str, currency: &str) -> Self {
        Self {
            http: http(CONNECTIONS_MAX),
            base: control.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
            currency: currency.to_owned(),
            permits: Semaphore::new(CONNECTIONS_MAX),
            rng: Mutex::new(StdRng::from_rng(&mut rand::rng())),
        }
    }

    /// Reports a fact until it is answered.
    ///
    /// # Errors
    /// The server's words, if it will never take the report as it is.
    pub(super) async fn send(
        &self,
        payment: &str,
        event: &str,
        minor: Option<u64>,
        hold: &str,
    ) -> Result<Told, String> {
        let mut body = json!({ "payment": payment, "event": event, "holds": [hold] });
        if let Some(minor) = minor {
            body["amount"] = json!({ "minor": minor, "currency": self.currency });
        }
        if event == "failed" {
            body["reason"] = "card_declined".into();
        }
        // The same report has the same key; a refund may come again with a larger sum, which is another one.
        let key = format!("{payment}-{event}-{}", minor.unwrap_or_default());
        let url = format!("{}/v1/payments", self.base);
        let request = || self.http.post(&url).header("Idempotency-Key", &key).json(&body);
        let Answer { holds } = self.until_answered(request).await?;
        let ordered =
            |part: &AnswerPart| matches!(part.outcome.as_str(), "ordered" | "already_ordered");
        Ok(Told { order: holds.into_iter().find(ordered).and_then(|part| part.order) })
    }

    /// Everything that the server lists.
    ///
    /// # Errors
    /// The server's words, if it refuses.
    pub(super) async fn list(&self) -> Result<Vec<Matter>, String> {
        let (mut matters, mut after) = (Vec::new(), String::new());
        loop {
            let url = format!("{}/v1/payments/todo?limit={PAGE}{after}", self.base);
            let page: Page = self.until_answered(|| self.http.get(&url)).await?;
            for Todo { action, payment, amount } in
                page.holds.into_iter().flat_map(|listed| listed.todo)
            {
                let minor = amount.map_or(0, |amount| amount.minor);
                matters.push(Matter { action, payment, minor });
            }
            let Some(next) = page.next else { return Ok(matters) };
            after = format!("&after={next}");
        }
    }

    async fn until_answered<T: for<'de> Deserialize<'de>>(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<T, String> {
        let mut backoff = Backoff::new(BACKOFF_FIRST, BACKOFF_LONGEST);
        loop {
            let least = match self.once(&request).await {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::Refused(why) => return Err(why),
                Attempt::Again { least } => least,
            };
            let more = backoff.next_delay(&mut *self.rng.lock());
            time::sleep(least + more).await;
        }
    }

    async fn once<T: for<'de> Deserialize<'de>>(
        &self,
        request: &impl Fn() -> RequestBuilder,
    ) -> Attempt<T> {
        let _permit = self.permits.acquire().await.expect("nobody closes it");
        let again = Attempt::Again { least: Duration::ZERO };
        // No connection, none in time, or half an answer: nobody knows whether the report arrived.
        let Ok(response) = request().bearer_auth(&self.token).send().await else { return again };
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_or(again, Attempt::Answered);
        }
        if is_again(status) {
            let after = response.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok());
            let least_s = after.and_then(|after| after.parse().ok()).unwrap_or(0);
            return Attempt::Again { least: Duration::from_secs(least_s) };
        }
        let body: Value = response.json().await.unwrap_or_default();
        Attempt::Refused(format!("{status} {body}"))
    }
}

enum Attempt<T> {
    Answered(T),
    /// Nothing is wrong with the request: it is sent again, at the earliest after this time.
    Again {
        least: Duration,
    },
    Refused(String),
}

fn is_again(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}
