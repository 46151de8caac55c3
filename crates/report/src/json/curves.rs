//! What happened when, as JSON has it.

use serde::Serialize;

use super::{exact, span};
use crate::fold::{Counts, Curve, DropReport, EarlyClicks, Gap, Second};

/// When most of the units had been taken, and paid for.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `DropReport`")]
pub struct MarksJson {
    #[serde(rename = "half_after_ms")]
    pub half: Option<u64>,
    #[serde(rename = "nine_tenths_after_ms")]
    pub nine_tenths: Option<u64>,
    #[serde(rename = "last_taken_after_ms")]
    pub last_taken: Option<u64>,
    #[serde(rename = "half_paid_after_ms")]
    pub half_paid: Option<u64>,
    #[serde(rename = "all_paid_after_ms")]
    pub all_paid: Option<u64>,
    #[serde(rename = "last_paid_after_ms")]
    pub last_paid: Option<u64>,
}

/// What happened when.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `DropReport`")]
pub struct CurvesJson {
    pub pace: PaceJson,
    pub course: CourseJson,
    pub before_opening: EarlyJson,
    pub busiest_second: Option<BusiestJson>,
    pub seconds: Vec<SecondJson>,
    pub seconds_cut: bool,
}

/// A time in which nobody could take, from the opening on.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `Gap`")]
pub struct GapJson {
    pub kind: &'static str,
    pub from_ms: u64,
    pub to_ms: u64,
}

/// Units taken over time.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `DropReport::pace`")]
pub struct PaceJson {
    pub step_ms: u64,
    pub units: Vec<u64>,
}

/// What happened over time.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `DropReport::course`")]
pub struct CourseJson {
    pub step_ms: u64,
    pub steps: Vec<CountsJson>,
}

/// What happened in a span of time.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "see `Counts`")]
pub struct CountsJson {
    pub taken: u64,
    pub paid: u64,
    pub came_back: u64,
    pub clicks: u64,
    pub refused: u64,
    pub connected: Option<u64>,
}

/// Clicks before the opening.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `EarlyClicks`")]
pub struct EarlyJson {
    pub clicks: u64,
    pub refused: u64,
}

/// The second after the opening with the most units.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `DropReport::busiest_second`")]
pub struct BusiestJson {
    pub second: u64,
    pub units: u64,
}

/// What happened in one second after the opening.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `Second`")]
pub struct SecondJson {
    pub second: u64,
    #[serde(flatten)]
    pub counts: CountsJson,
}

impl MarksJson {
    pub(super) fn of(report: &DropReport) -> Self {
        Self {
            half: report.half_after.map(span),
            nine_tenths: report.nine_tenths_after.map(span),
            last_taken: report.last_taken_after.map(span),
            half_paid: report.half_paid_after.map(span),
            all_paid: report.all_paid_after.map(span),
            last_paid: report.last_paid_after.map(span),
        }
    }
}

impl CurvesJson {
    pub(super) fn of(report: &DropReport) -> Self {
        Self {
            pace: PaceJson::of(&report.pace),
            course: CourseJson::of(&report.course),
            before_opening: EarlyJson::of(report.early),
            busiest_second: report.busiest_second().map(BusiestJson::of),
            seconds: report.seconds.iter().map(SecondJson::of).collect(),
            seconds_cut: report.seconds_cut,
        }
    }
}

impl GapJson {
    pub(super) const fn of(gap: &Gap) -> Self {
        Self { kind: gap.kind.name(), from_ms: span(gap.from), to_ms: span(gap.to) }
    }
}

impl PaceJson {
    pub(super) fn of(pace: &Curve<u64>) -> Self {
        let units = pace.steps().iter().copied().map(exact).collect();
        Self { step_ms: exact(pace.step_ms()), units }
    }
}

impl CourseJson {
    pub(super) fn of(course: &Curve<Counts>) -> Self {
        let steps = course.steps().iter().map(CountsJson::of).collect();
        Self { step_ms: exact(course.step_ms()), steps }
    }
}

impl CountsJson {
    pub(super) fn of(counts: &Counts) -> Self {
        Self {
            taken: exact(counts.taken),
            paid: exact(counts.paid),
            came_back: exact(counts.came_back),
            clicks: exact(counts.clicks),
            refused: exact(counts.refused),
            connected: counts.connected.map(exact),
        }
    }
}

impl EarlyJson {
    pub(super) const fn of(early: EarlyClicks) -> Self {
        Self { clicks: exact(early.clicks), refused: exact(early.refused) }
    }
}

impl BusiestJson {
    pub(super) const fn of(second: Second) -> Self {
        Self { second: exact(second.second), units: exact(second.counts.taken) }
    }
}

impl SecondJson {
    pub(super) fn of(second: &Second) -> Self {
        Self { second: exact(second.second), counts: CountsJson::of(&second.counts) }
    }
}
