//! The page that answers whether anything is wrong.

mod alarms;
mod checks;
mod commands;
mod exposition;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use self::{
    alarms::{Alarm, alarms},
    checks::{Check, checks},
    commands::{Line, Named},
    exposition::Exposition,
};
use crate::{
    answers::{Brake, Commands, Rates, Session},
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
    /// The worst that is so.
    verdict: Alarm,
    /// What else is so, worst first.
    also: Vec<Alarm>,
    lead: String,
    checks: Vec<Check>,
    is_stopped: bool,
    limits: [(&'static str, String); 3],
    commands: Vec<Line>,
    keys_off: bool,
}

/// What the page is made of.
struct Told {
    session: Session,
    metrics: String,
    brake: Brake,
    commands: Commands,
    named: Named,
    /// The problem's code, if the server is not ready to sell.
    not_ready: Option<String>,
}

impl Told {
    async fn read(api: &Api, visitor: &Visitor) -> Result<Self, Refused> {
        let asker = &visitor.asker;
        let session = visitor.session(api).await?;
        let ready: Result<serde_json::Value, Refused> = api.get(asker, "/readyz").await;
        let commands: Commands = api.get(asker, "/v1/commands?limit=8").await?;
        Ok(Self {
            session,
            metrics: api.text(asker, "/metrics").await?,
            brake: api.get(asker, "/v1/brake").await?,
            named: Named::read(api, asker, &commands).await,
            commands,
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
        let mut also = alarms(&told, &checks, words);
        let verdict = if also.is_empty() { Alarm::none(words) } else { also.remove(0) };
        let counted = count(u64::try_from(checks.len()).unwrap_or_default());
        let lead = match (&told.brake.stopped, at(told.brake.server_time_ms)) {
            (Some(stop), _) => {
                let since = at(stop.since_ms).unwrap_or_else(|| words.unknown().to_owned());
                words.ops_stopped_by(&stop.actor, since)
            }
            (None, Some(now)) => words.ops_checks(counted, now),
            (None, None) => words.ops_checks_short(counted),
        };
        let Told { commands, named, .. } = &told;
        let line = |recorded| Line::new(recorded, named, visitor);
        let commands = commands.commands.iter().map(line).collect();
        Self {
            words,
            verdict,
            also,
            lead,
            checks,
            is_stopped: told.brake.stopped.is_some(),
            limits: limits(&told.brake.rates.unwrap_or_default(), words),
            commands,
            keys_off: visitor.choices.keys_off,
            frame: Frame::new(visitor, "ops", words.nav_ops())
                .signed_in(told.session)
                .runs("ops.mjs"),
        }
    }
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
