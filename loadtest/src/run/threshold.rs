//! What must hold for a load test to pass.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::Serialize;

use crate::recorder::CrowdResult;

/// A figure of a run that can have a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Measure {
    /// Half of the answers came within.
    P50Ms,
    /// 90 in 100.
    P90Ms,
    /// 99 in 100.
    P99Ms,
    /// 999 in 1,000.
    P999Ms,
    /// The slowest.
    MaxMs,
    /// Clicks that never got an answer, those included that could not even be sent.
    Unanswered,
    /// Clicks that the server turned away because of its own limits, or because operations have stopped it.
    TurnedAway,
    /// Viewers that were never let in.
    KeptOut,
    /// Connections that ended without the viewer's doing.
    ConnectionsLost,
}

const MEASURES: [(&str, Measure); 9] = [
    ("p50_ms", Measure::P50Ms),
    ("p90_ms", Measure::P90Ms),
    ("p99_ms", Measure::P99Ms),
    ("p999_ms", Measure::P999Ms),
    ("max_ms", Measure::MaxMs),
    ("unanswered", Measure::Unanswered),
    ("turned_away", Measure::TurnedAway),
    ("kept_out", Measure::KeptOut),
    ("connections_lost", Measure::ConnectionsLost),
];

/// Those that hold unless another is named for the same figure.
const DEFAULTS: [Threshold; 5] = [
    Threshold { measure: Measure::P99Ms, limit: 250.0 },
    Threshold { measure: Measure::Unanswered, limit: 0.0 },
    Threshold { measure: Measure::TurnedAway, limit: 0.0 },
    Threshold { measure: Measure::KeptOut, limit: 0.0 },
    Threshold { measure: Measure::ConnectionsLost, limit: 0.0 },
];

/// The most that a figure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Threshold {
    measure: Measure,
    limit: f64,
}

/// How a figure compares with its limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Judgement {
    measure: Measure,
    limit: f64,
    /// `None` where nothing was measured: no click had an answer.
    value: Option<f64>,
    pub(super) kept: bool,
}

/// Why a text is no threshold.
#[derive(Debug, thiserror::Error)]
pub(super) enum ThresholdError {
    #[error("write it as NAME<=VALUE, like p99_ms<=100")]
    Form,
    #[error("{name:?} is no figure; there are {}", names())]
    Name { name: String },
    #[error("{value:?} is no number from 0")]
    Value { value: String },
}

fn names() -> String {
    MEASURES.map(|(name, _)| name).join(", ")
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let (name, value) = text.split_once("<=").ok_or(ThresholdError::Form)?;
        let (name, value) = (name.trim(), value.trim());
        let found = MEASURES.iter().find(|(known, _)| *known == name);
        let (_, measure) = found.ok_or_else(|| ThresholdError::Name { name: name.to_owned() })?;
        let limit = value.parse().ok().filter(|limit: &f64| limit.is_finite() && *limit >= 0.0);
        let limit = limit.ok_or_else(|| ThresholdError::Value { value: value.to_owned() })?;
        Ok(Self { measure: *measure, limit })
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            MEASURES.iter().find(|(_, measure)| measure == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measure, limit, value, kept } = self;
        let verdict = if *kept { "ok" } else { "FAILED" };
        match value {
            Some(value) => write!(f, "{verdict:<7}{measure} is {value}, at most {limit}"),
            None => {
                write!(f, "{verdict:<7}{measure} could not be measured, no click had an answer")
            }
        }
    }
}

impl Threshold {
    /// The thresholds that hold: those that were named, then the defaults of other figures.
    pub(super) fn with_defaults(named: &[Self]) -> Vec<Self> {
        let is_named = |one: &Self| named.iter().any(|other| other.measure == one.measure);
        let others = DEFAULTS.into_iter().filter(|one| !is_named(one));
        named.iter().copied().chain(others).collect()
    }

    /// Compares the run's figure with the limit.
    pub(super) fn judge(self, crowd: &CrowdResult) -> Judgement {
        let Self { measure, limit } = self;
        let value = measure.of(crowd);
        let kept = value.is_some_and(|value| value <= limit);
        Judgement { measure, limit, value, kept }
    }
}

impl Measure {
    fn of(self, crowd: &CrowdResult) -> Option<f64> {
        let counts = &crowd.counts;
        let latency = |share: f64| {
            (crowd.latency.count() > 0).then(|| super::millis(crowd.latency.quantile_us(share)))
        };
        match self {
            Self::P50Ms => latency(0.5),
            Self::P90Ms => latency(0.9),
            Self::P99Ms => latency(0.99),
            Self::P999Ms => latency(0.999),
            Self::MaxMs => latency(1.0),
            Self::Unanswered => Some(count(counts.buys_unanswered + counts.clicks_unsent)),
            Self::TurnedAway => Some(count(turned_away(&counts.refused))),
            Self::KeptOut => Some(count(counts.viewers_started.saturating_sub(counts.viewers))),
            Self::ConnectionsLost => Some(count(counts.connections_lost)),
        }
    }
}

/// Refusals that say nothing about the goods.
pub(super) fn turned_away(refused: &BTreeMap<String, u64>) -> u64 {
    ["busy", "rate_limited"].iter().filter_map(|reason| refused.get(*reason)).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^52 clicks")]
fn count(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        text.parse::<Threshold>().unwrap_err().to_string()
    }

    #[test]
    fn a_threshold_is_a_name_and_a_number() {
        let read: Threshold = "p99_ms<=100".parse().unwrap();
        assert_eq!(read, Threshold { measure: Measure::P99Ms, limit: 100.0 });
        assert_eq!(" max_ms <= 1.5".parse::<Threshold>().unwrap().limit.to_string(), "1.5");
        assert!(error("p99_ms<100").contains("NAME<=VALUE"));
        assert!(error("p98<=1").contains("p50_ms, p90_ms"), "{}", error("p98<=1"));
        for value in ["", "-1", "NaN", "inf", "1s"] {
            assert!(error(&format!("max_ms<={value}")).contains("no number from 0"), "{value}");
        }
    }

    #[test]
    fn a_named_threshold_replaces_the_default_of_its_figure() {
        let named = ["p99_ms<=10".parse().unwrap(), "max_ms<=20".parse().unwrap()];
        let all = Threshold::with_defaults(&named);
        let limits: Vec<_> = all.iter().map(|one| (one.measure.to_string(), one.limit)).collect();
        let owned = |(name, limit): (&str, f64)| (name.to_owned(), limit);
        let zeros = ["unanswered", "turned_away", "kept_out", "connections_lost"];
        let expected = [("p99_ms", 10.0), ("max_ms", 20.0)];
        let expected = expected.into_iter().chain(zeros.map(|name| (name, 0.0)));
        assert_eq!(limits, expected.map(owned).collect::<Vec<_>>());
    }

    #[test]
    fn figures_are_held_against_their_limits() {
        let mut crowd = CrowdResult::default();
        let judge =
            |text: &str, crowd: &CrowdResult| text.parse::<Threshold>().unwrap().judge(crowd);
        assert!(!judge("p99_ms<=100", &crowd).kept, "nothing was measured");
        crowd.latency.record_us(90_000);
        crowd.counts.viewers_started = 5;
        crowd.counts.viewers = 4;
        crowd.counts.buys_unanswered = 1;
        crowd.counts.refused = [("busy".into(), 2), ("sold_out".into(), 9)].into();
        assert!(judge("p99_ms<=100", &crowd).kept);
        assert!(!judge("max_ms<=89", &crowd).kept);
        assert!(!judge("kept_out<=0", &crowd).kept);
        assert!(judge("kept_out<=1", &crowd).kept);
        assert!(!judge("unanswered<=0", &crowd).kept);
        assert!(!judge("turned_away<=1", &crowd).kept);
        assert!(judge("turned_away<=2", &crowd).kept, "sold out is an answer");
        let words = judge("kept_out<=0", &crowd).to_string();
        assert_eq!(words, "FAILED kept_out is 1, at most 0");
    }
}
