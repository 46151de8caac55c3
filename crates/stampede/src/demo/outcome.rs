//! The result of a demo, counted where it happened.

use std::collections::BTreeMap;

use serde::Serialize;
use stampede_loadtest::{
    AuditResult, CrowdResult, LatencySummary, Ledger, Reconciliation, TillAccount, TillFigures,
};
use stampede_report::{ReportJson, Verification};

use super::till;

/// Everything that the demo collected before it judges.
pub(crate) struct Evidence {
    pub(crate) crowd: CrowdResult,
    pub(crate) ledger: Ledger,
    pub(crate) audit: AuditResult,
    pub(crate) reconciliation: Reconciliation,
    pub(crate) report: ReportJson,
    pub(crate) verification: Verification,
    /// The shop's own books.
    pub(crate) till: TillAccount,
    /// Where they differ from the server's, in words.
    pub(crate) money: Vec<String>,
}

/// The demo's result as JSON has it. Crowd figures are counted by the crowd, sold units by the
/// ledger's orders, times by the journal.
#[derive(Debug, Serialize)]
pub(crate) struct DemoOutcome {
    scenario: &'static str,
    ok: bool,
    units_supplied: u64,
    units_sold: u64,
    oversold: u64,
    stranded: u64,
    viewers: u64,
    peak_connections: u64,
    clicks: u64,
    clicks_first_second: u64,
    double_clicks: u64,
    early_clicks: u64,
    reconnect_retries: u64,
    held: u64,
    retries: u64,
    refused: BTreeMap<String, u64>,
    clicks_unanswered: u64,
    clicks_tallied: u64,
    clicks_agree: bool,
    expired: u64,
    released: u64,
    unpaid_percent: f64,
    promises: u64,
    promises_lost: u64,
    duplicate_orders: u64,
    time_to_sell_out_ms: Option<u64>,
    time_to_settled_ms: Option<u64>,
    clicks_per_s: u64,
    decision_latency_us: LatencySummary,
    /// By the shop's own books.
    money: TillFigures,
    /// Whether the server's books say the same.
    money_agrees: bool,
    journal: Journal,
    verify: &'static str,
    /// What is wrong, in words; empty if the demo shows what it should.
    wrong: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Journal {
    records: u64,
    commits: u64,
}

impl DemoOutcome {
    pub(crate) fn judge(scenario: &'static str, collected: &Evidence) -> Self {
        let Evidence { crowd, ledger, audit, reconciliation, report, verification, till, money } =
            collected;
        let counts = &crowd.counts;
        let mut outcome = Self {
            scenario,
            ok: false,
            units_supplied: ledger.supplied(),
            units_sold: ledger.units_sold(),
            oversold: audit.oversold.max(report.oversold),
            stranded: report.stranded.unwrap_or(0),
            viewers: counts.viewers,
            peak_connections: report.connected_max,
            clicks: counts.clicks,
            clicks_first_second: counts.clicks_first_second(),
            double_clicks: counts.double_clicks,
            early_clicks: counts.early_clicks,
            reconnect_retries: counts.reconnect_retries,
            held: ledger.tallied().held,
            retries: ledger.tallied().retries,
            refused: ledger.tallied().refused.clone(),
            clicks_unanswered: counts.unanswered(),
            clicks_tallied: reconciliation.tallied,
            clicks_agree: reconciliation.agrees(),
            expired: report.taken.expired.holds,
            released: report.taken.released.holds,
            unpaid_percent: unpaid_percent(report),
            promises: audit.promises,
            promises_lost: audit.promises_lost,
            duplicate_orders: audit.duplicate_orders,
            time_to_sell_out_ms: report.sold_out_after_ms,
            time_to_settled_ms: report.settled_after_ms,
            clicks_per_s: counts.clicks_per_s_max(),
            decision_latency_us: crowd.latency.summary(),
            money: till.total(),
            money_agrees: money.is_empty() && till.wrong.is_empty(),
            journal: Journal { records: report.journal.records, commits: report.journal.commits },
            verify: verification.verdict(),
            wrong: Vec::new(),
        };
        outcome.wrong = outcome.faults(collected);
        outcome.ok = outcome.wrong.is_empty();
        outcome
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.ok
    }

    /// The verdict for people.
    pub(crate) fn words(&self) -> String {
        let LatencySummary { p50, p99, p999, max, .. } = self.decision_latency_us;
        let [p50, p99, p999, max] = [p50, p99, p999, max].map(ms);
        let figures = format!(
            "crowd        {} viewers, {} clicks, {} in the busiest second\n\
             latency      p50 {p50:.1}, p99 {p99:.1}, p99.9 {p999:.1}, max {max:.1} ms from planned \
             click; whatever else runs here adds to it\n{}",
            self.viewers,
            self.clicks,
            self.clicks_per_s,
            till::words(&self.money)
        );
        if self.ok {
            return format!(
                "{figures}\nproven       nothing oversold, nothing lost, every order once, the books agree"
            );
        }
        format!("{figures}\nWRONG        {}", self.wrong.join("\n             "))
    }

    fn faults(&self, collected: &Evidence) -> Vec<String> {
        let mut wrong = collected.audit.mismatches.clone();
        wrong.extend(collected.reconciliation.differences.iter().cloned());
        wrong.extend(collected.till.wrong.iter().chain(&collected.money).cloned());
        for (count, what) in [
            (self.oversold, "units oversold"),
            (self.stranded, "units stranded"),
            (self.promises_lost, "promises lost"),
            (self.duplicate_orders, "duplicate orders"),
            (collected.verification.found, "findings of the verifier"),
        ] {
            if count > 0 {
                wrong.push(format!("{count} {what}"));
            }
        }
        if self.units_sold != self.units_supplied {
            wrong.push(format!("{} of {} units sold", self.units_sold, self.units_supplied));
        }
        if !collected.audit.is_clean() && wrong.is_empty() {
            wrong.push("the audit of the promises found contradictions".into());
        }
        wrong
    }
}

#[allow(clippy::cast_precision_loss, reason = "holds are counted in thousands")]
fn unpaid_percent(report: &ReportJson) -> f64 {
    let taken = &report.taken;
    if taken.all.holds == 0 {
        return 0.0;
    }
    let share = taken.expired.holds as f64 / taken.all.holds as f64;
    (share * 1_000.0).round() / 10.0
}

#[expect(clippy::cast_precision_loss, reason = "an answer takes far less than 2^52 us")]
fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}
