//! The page that answers whether anything is wrong.

mod checks;
mod exposition;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use self::{
    checks::{Check, checks},
    exposition::Exposition,
};
use crate::{
    answers::{Brake, Commands, Rates, Recorded, Session},
    api::{Api, Refused},
    numbers::{clock, count},
    pages::{Frame, page, refused},
    visitor::Visitor,
    words::Language,
};

#[derive(Template)]
#[template(path = "ops.html")]
struct OpsPage {
    frame: Frame,
    words: Language,
    verdict: String,
    /// `fine`, `attention` or `alarm`.
    level: &'static str,
    lead: String,
    checks: Vec<Check>,
    is_stopped: bool,
    limits: [(&'static str, String); 3],
    commands: Vec<Line>,
}

struct Line {
    at: String,
    what: String,
    actor: String,
    is_refused: bool,
}

/// What the page is made of.
struct Told {
    session: Session,
    metrics: String,
    brake: Brake,
    commands: Commands,
    /// The problem's code, if the server is not ready to sell.
    not_ready: Option<String>,
}

impl Told {
    async fn read(api: &Api, visitor: &Visitor) -> Result<Self, Refused> {
        let asker = &visitor.asker;
        let session = visitor.session(api).await?;
        let ready: Result<serde_json::Value, Refused> = api.get(asker, "/readyz").await;
        Ok(Self {
            session,
            metrics: api.text(asker, "/metrics").await?,
            brake: api.get(asker, "/v1/brake").await?,
            commands: api.get(asker, "/v1/commands?limit=8").await?,
            not_ready: ready.err().map(|why| why.problem.code),
        })
    }
}

/// The checks, the brake, the latest commands.
pub(crate) async fn ops(State(api): State<Api>, visitor: Visitor) -> Response {
    match Told::read(&api, &visitor).await {
        Ok(told) => page(&visitor, StatusCode::OK, &OpsPage::new(told, &visitor)),
        Err(why) => refused(&visitor, &why),
    }
}

impl OpsPage {
    fn new(told: Told, visitor: &Visitor) -> Self {
        let words = visitor.language;
        let at = |ms| visitor.ahead_min.map(|ahead| clock(ms, ahead));
        let checks = checks(&Exposition(&told.metrics), words);
        let (verdict, level) = verdict(&told, &checks, words);
        let counted = count(u64::try_from(checks.len()).unwrap_or_default());
        let lead = match (&told.brake.stopped, at(told.brake.server_time_ms)) {
            (Some(stop), _) => {
                let since = at(stop.since_ms).unwrap_or_else(|| words.unknown().to_owned());
                words.ops_stopped_by(&stop.actor, since)
            }
            (None, Some(now)) => words.ops_checks(counted, now),
            (None, None) => words.ops_checks_short(counted),
        };
        let line = |recorded: Recorded| Line {
            at: at(recorded.at_ms).unwrap_or_else(|| words.unknown().to_owned()),
            what: match recorded.drop {
                Some(drop) => format!("{} {drop}", recorded.action),
                None => recorded.action,
            },
            actor: recorded.actor,
            is_refused: recorded.refused.is_some(),
        };
        Self {
            words,
            verdict,
            level,
            lead,
            checks,
            is_stopped: told.brake.stopped.is_some(),
            limits: limits(&told.brake.rates.unwrap_or_default(), words),
            commands: told.commands.commands.into_iter().map(line).collect(),
            frame: Frame::new(visitor, "ops", words.nav_ops())
                .signed_in(told.session)
                .runs("ops.mjs"),
        }
    }
}

/// The worst that is so.
fn verdict(told: &Told, checks: &[Check], words: Language) -> (String, &'static str) {
    let bad = checks.iter().find(|check| !check.is_fine);
    let (said, level) = match told.not_ready.as_deref() {
        Some("poisoned") => (words.ops_poisoned(), "alarm"),
        Some(_) => (words.ops_stopping(), "attention"),
        None if told.brake.stopped.is_some() => (words.ops_stopped(), "alarm"),
        None => match bad {
            Some(check) => return (words.ops_look(check.label), "attention"),
            None => (words.ops_fine(), "fine"),
        },
    };
    (said.to_owned(), level)
}

fn limits(rates: &Rates, words: Language) -> [(&'static str, String); 3] {
    let configured = || words.ops_as_set().to_owned();
    let rate = |limit: Option<u64>| {
        limit.map_or_else(configured, |per_s| words.ops_each_second(count(per_s)))
    };
    let ticks = rates.tick_interval_ms.map(|ms| words.ops_each(count(ms)));
    [
        (words.ops_buys(), rate(rates.buys_per_s)),
        (words.ops_hellos(), rate(rates.hellos_per_s)),
        (words.ops_ticks(), ticks.unwrap_or_else(configured)),
    ]
}
