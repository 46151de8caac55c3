//! The result of a load test as one JSON object, and its verdict.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

use super::{
    chart::Second,
    size::Size,
    target::Goods,
    threshold::{Judgement, Threshold},
};
use crate::{
    audit::{AuditResult, Reconciliation},
    recorder::{CrowdResult, Latency, LatencySummary},
};

/// Everything that a run brought.
pub(super) struct Evidence {
    pub(super) goods: Goods,
    pub(super) size: Size,
    pub(super) crowd: CrowdResult,
    /// The audit, or why there is none.
    pub(super) audited: Result<Audited, String>,
    pub(super) was_interrupted: bool,
    /// How the drop was left, if it can still sell.
    pub(super) left_as: Option<String>,
    /// The share of the time of all cores that this machine was busy during the sale; `None` if the system
    /// does not say.
    pub(super) machine_busy_share: Option<f64>,
    /// Where the logs of promises are.
    pub(super) logs: PathBuf,
}

/// What the ledger says about the promises.
pub(super) struct Audited {
    pub(super) audit: AuditResult,
    /// Only where the crowd was the drop's only audience.
    pub(super) reconciliation: Option<Reconciliation>,
}

/// What a run has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Every promise was kept, every threshold holds.
    Passed,
    /// The ledger does not keep what a viewer was promised.
    PromisesBroken,
    /// The server could not be asked for its ledger, so the promises are not checked.
    PromisesUnchecked,
    /// Somebody ended the run early; what had been promised was kept.
    Interrupted,
    /// The crowd itself was too slow, so its figures say nothing about the server.
    GeneratorSaturated,
    /// A threshold does not hold.
    ThresholdsFailed,
}

impl Verdict {
    /// The gravest of what was found.
    fn of(
        audited: &Result<Audited, String>,
        was_interrupted: bool,
        saturated: bool,
        thresholds_hold: bool,
    ) -> Self {
        match audited {
            Ok(audited) if !audited.audit.is_clean() => Self::PromisesBroken,
            Err(_) => Self::PromisesUnchecked,
            Ok(_) if was_interrupted => Self::Interrupted,
            Ok(_) if saturated => Self::GeneratorSaturated,
            Ok(_) if !thresholds_hold => Self::ThresholdsFailed,
            Ok(_) => Self::Passed,
        }
    }

    /// Whether the logs of promises are evidence that is still needed.
    pub(super) const fn keeps_logs(self) -> bool {
        matches!(self, Self::PromisesBroken | Self::PromisesUnchecked)
    }

    /// The exit code, as the documents have it.
    pub(super) const fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::PromisesBroken => 1,
            Self::PromisesUnchecked => 3,
            Self::GeneratorSaturated => 4,
            Self::ThresholdsFailed => 99,
            Self::Interrupted => 130,
        }
    }
}

/// A run's result as JSON has it.
#[derive(Debug, Serialize)]
pub(super) struct LoadOutcome {
    pub(super) verdict: Verdict,
    exit_code: u8,
    pub(super) run: String,
    pub(super) drop: String,
    pub(super) stream: String,
    pub(super) sku: String,
    /// The phase in which the drop was left, where it can still sell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) left_as: Option<String>,
    pub(super) rehearsal: bool,
    pub(super) connected: u32,
    pub(super) viewers_planned: u32,
    /// Viewers that were let in.
    pub(super) viewers: u64,
    pub(super) connections_peak: u64,
    pub(super) connections_lost: u64,
    pub(super) connects_failed: u64,
    pub(super) clicks: u64,
    pub(super) clicks_first_second: u64,
    pub(super) clicks_per_s_max: u64,
    pub(super) clicks_unanswered: u64,
    /// Clicks of viewers who had lost their connection for good.
    pub(super) clicks_unsent: u64,
    pub(super) held: u64,
    pub(super) retries: u64,
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) orders: u64,
    pub(super) payments_failed: u64,
    pub(super) payments_not_offered: u64,
    /// From the planned moment of a click to its answer, in microseconds.
    pub(super) latency_us: LatencySummary,
    /// By the second of the planned click, from the opening.
    pub(super) seconds: Vec<Second>,
    pub(super) generator: Generator,
    pub(super) thresholds: Vec<Judgement>,
    pub(super) promises: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audit: Option<AuditResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) clicks_reconciled: Option<Reconciliation>,
    /// Where the logs of promises are, if they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logs: Option<PathBuf>,
    /// Why there is no audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unchecked: Option<String>,
    /// The first things that went wrong on a connection, in words.
    pub(super) troubles: Vec<String>,
}

/// What the crowd cost itself.
#[derive(Debug, Serialize)]
pub(super) struct Generator {
    pub(super) processes: u32,
    pub(super) saturated: bool,
    /// From the planned moment of a click to the moment that the crowd came to it, in microseconds.
    pub(super) late_us: LatencySummary,
    pub(super) late_ms_max: u32,
    /// The largest share of a quarter of a second that one process was on a core.
    pub(super) busy_share_max: f64,
    /// The share of the time of all cores that this machine was busy during the sale, with whatever ran on
    /// it.
    pub(super) machine_busy_share: Option<f64>,
    /// Connections for which this machine had no descriptor, port or memory.
    pub(super) connects_short: u64,
}

impl Generator {
    fn judge(
        crowd: &CrowdResult,
        size: Size,
        late_ms_max: u32,
        machine_busy_share: Option<f64>,
    ) -> Self {
        let late_us = crowd.late.summary();
        let connects_short = crowd.counts.connects_short;
        Self {
            processes: size.processes,
            saturated: late_us.p99 > u64::from(late_ms_max) * 1_000 || connects_short > 0,
            late_us,
            late_ms_max,
            busy_share_max: thousandths(crowd.busy_share_max),
            machine_busy_share: machine_busy_share.map(thousandths),
            connects_short,
        }
    }
}

impl LoadOutcome {
    pub(super) fn judge(evidence: Evidence, thresholds: &[Threshold], late_ms_max: u32) -> Self {
        let Evidence {
            goods,
            size,
            crowd,
            audited,
            was_interrupted,
            left_as,
            machine_busy_share,
            logs,
        } = evidence;
        let generator = Generator::judge(&crowd, size, late_ms_max, machine_busy_share);
        let thresholds: Vec<Judgement> =
            thresholds.iter().map(|threshold| threshold.judge(&crowd)).collect();
        let kept = thresholds.iter().all(|judgement| judgement.kept);
        let verdict = Verdict::of(&audited, was_interrupted, generator.saturated, kept);
        let (audit, clicks_reconciled, unchecked) = match audited {
            Ok(Audited { audit, reconciliation }) => (Some(audit), reconciliation, None),
            Err(why) => (None, None, Some(why)),
        };
        let counts = crowd.counts;
        Self {
            verdict,
            exit_code: verdict.exit_code(),
            run: goods.run,
            drop: goods.drop,
            stream: goods.stream,
            sku: goods.sku,
            left_as,
            rehearsal: goods.is_rehearsal,
            connected: size.connected,
            viewers_planned: size.viewers,
            viewers: counts.viewers,
            connections_peak: counts.connections_peak,
            connections_lost: counts.connections_lost,
            connects_failed: counts.connects_failed,
            clicks: counts.clicks,
            clicks_first_second: counts.clicks_first_second(),
            clicks_per_s_max: counts.clicks_per_s_max(),
            clicks_unanswered: counts.buys_unanswered,
            clicks_unsent: counts.clicks_unsent,
            held: counts.held,
            retries: counts.retries,
            refused: counts.refused,
            orders: counts.orders,
            payments_failed: counts.payments_failed,
            payments_not_offered: counts.pays_not_offered,
            latency_us: crowd.latency.summary(),
            seconds: (0..).zip(&crowd.seconds).map(|(from_s, one)| row(from_s, one)).collect(),
            generator,
            thresholds,
            promises: counts.promises,
            audit,
            clicks_reconciled,
            logs: verdict.keeps_logs().then_some(logs),
            unchecked,
            troubles: crowd.troubles,
        }
    }
}

fn thousandths(share: f64) -> f64 {
    (share * 1_000.0).round() / 1_000.0
}

fn row(from_s: u64, latency: &Latency) -> Second {
    let summary = latency.summary();
    Second {
        from_s,
        answered: latency.count(),
        p50_us: summary.p50,
        p99_us: summary.p99,
        max_us: summary.max,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(change: impl FnOnce(&mut Evidence)) -> LoadOutcome {
        let goods = Goods::example();
        let mut crowd = CrowdResult::default();
        crowd.latency.record_us(1_000);
        crowd.late.record_us(100);
        crowd.seconds = vec![Latency::coarse()];
        crowd.seconds[0].record_us(1_000);
        let audited = Ok(Audited { audit: AuditResult::default(), reconciliation: None });
        let size = Size { connected: 1, viewers: 1, processes: 1 };
        let mut evidence = Evidence {
            goods,
            size,
            crowd,
            audited,
            was_interrupted: false,
            left_as: None,
            machine_busy_share: None,
            logs: "logs".into(),
        };
        change(&mut evidence);
        LoadOutcome::judge(evidence, &Threshold::with_defaults(&[]), 25)
    }

    fn lose(evidence: &mut Evidence) {
        if let Ok(audited) = &mut evidence.audited {
            audited.audit.promises_lost = 1;
        }
    }

    #[test]
    fn the_gravest_finding_is_the_verdict() {
        let verdict = |change: fn(&mut Evidence)| {
            let outcome = evidence(change);
            (outcome.verdict, outcome.exit_code)
        };
        assert_eq!(verdict(|_| ()), (Verdict::Passed, 0));
        let slow = |one: &mut Evidence| (0..200).for_each(|_| one.crowd.latency.record_us(400_000));
        assert_eq!(verdict(slow), (Verdict::ThresholdsFailed, 99));
        let late = |one: &mut Evidence| {
            one.crowd.latency.record_us(400_000);
            one.crowd.late.record_us(26_000);
        };
        assert_eq!(verdict(late), (Verdict::GeneratorSaturated, 4));
        let short = |one: &mut Evidence| one.crowd.counts.connects_short = 1;
        assert_eq!(verdict(short), (Verdict::GeneratorSaturated, 4));
        let told = |one: &mut Evidence| one.was_interrupted = true;
        assert_eq!(verdict(told), (Verdict::Interrupted, 130));
        let unchecked = |one: &mut Evidence| one.audited = Err("no answer".to_owned());
        assert_eq!(verdict(unchecked), (Verdict::PromisesUnchecked, 3));
        let all = |one: &mut Evidence| {
            one.was_interrupted = true;
            one.crowd.late.record_us(90_000);
            lose(one);
        };
        assert_eq!(verdict(all), (Verdict::PromisesBroken, 1));
    }

    #[test]
    fn the_page_says_what_to_do() {
        let outcome = evidence(|one| {
            one.crowd.counts.pays_not_offered = 7;
            one.crowd.counts.connects_short = 2;
            one.crowd.counts.refused.insert("rate_limited".into(), 3);
        });
        let words = outcome.page();
        for part in ["--unpaid", "ulimit -n", "unlimited_addresses", "THE CROWD WAS TOO SLOW"] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
}
