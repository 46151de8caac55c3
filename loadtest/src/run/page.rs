//! The result of a load test as a page of text for people.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    chart::seconds_chart,
    millis,
    outcome::{Generator, LoadOutcome, Verdict},
};
use crate::{audit::AuditResult, recorder::LatencySummary};

/// A process of the crowd that was on a core for more than this share was slow by itself, not for others.
const ALONE_SHARE_MIN: f64 = 0.7;
/// Troubles that the page shows; the JSON has more.
const TROUBLES_MAX: usize = 3;

impl Verdict {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed: every promise was kept, every threshold holds",
            Self::PromisesBroken => {
                "PROMISES BROKEN: the ledger does not keep what viewers were promised"
            }
            Self::PromisesUnchecked => "PROMISES NOT CHECKED: the server did not give its ledger",
            Self::GeneratorSaturated => {
                "THE CROWD WAS TOO SLOW: it came late to its clicks, so the load was lighter than \
                 planned and the latencies hold the crowd's own delay"
            }
            Self::ThresholdsFailed => "FAILED: a threshold does not hold",
            Self::Interrupted => "interrupted: what had been promised until then was kept",
        }
    }
}

impl LoadOutcome {
    /// A chart of the sale, then one line for each subject, the verdict last.
    pub(super) fn page(&self) -> String {
        let mut text = seconds_chart(&self.seconds);
        let mut line = |subject: &str, words: &str| {
            if !words.is_empty() {
                let _infallible = writeln!(text, "{subject:<12} {words}");
            }
        };
        let kind = if self.rehearsal { "a rehearsal" } else { "live" };
        line("drop", &format!("{} in {}, {kind}; run {}", self.drop, self.stream, self.run));
        line(
            "crowd",
            &format!(
                "{} of {} viewers were let in, {} connected at once, {} connections lost",
                self.viewers, self.viewers_planned, self.connections_peak, self.connections_lost
            ),
        );
        line("clicks", &self.clicks_words());
        line("refused", &refusals(&self.refused));
        line(
            "latency",
            &format!("{} from the planned click to its answer", quantiles(self.latency_us)),
        );
        line("generator", &self.generator_words());
        let unchecked =
            || format!("not checked: {}", self.unchecked.as_deref().unwrap_or_default());
        line("promises", &self.audit.as_ref().map_or_else(unchecked, promises_words));
        for judgement in &self.thresholds {
            line("threshold", &judgement.to_string());
        }
        for broken in self.audit.iter().flat_map(|audit| &audit.mismatches) {
            line("broken", broken);
        }
        for note in self.notes() {
            line("note", &note);
        }
        if let Some(logs) = &self.logs {
            line("logs", &format!("the promises are kept in {}", logs.display()));
        }
        line("verdict", self.verdict.words());
        text
    }

    /// The parts add up to the clicks.
    fn clicks_words(&self) -> String {
        let refused: u64 = self.refused.values().sum();
        let answered = self.held + self.retries + refused;
        let lost = self.clicks.saturating_sub(answered);
        format!(
            "{}, {} of them in the busiest second: {} held, {} answered as before, {refused} refused, \
             {lost} whose connection ended before the answer; {} never answered, {} never sent",
            self.clicks,
            self.clicks_per_s_max,
            self.held,
            self.retries,
            self.clicks_unanswered,
            self.clicks_unsent
        )
    }

    fn generator_words(&self) -> String {
        let Generator { processes, busy_share_max, machine_busy_share, late_us, .. } =
            self.generator;
        let machine = machine_busy_share.map_or_else(String::new, |share| {
            format!(", with everything else on this machine {:.0} % of all cores", share * 100.0)
        });
        format!(
            "{processes} {}, at most {:.0} % of a core each{machine}; it came to its clicks {} late",
            if processes == 1 { "process" } else { "processes" },
            busy_share_max * 100.0,
            quantiles(late_us)
        )
    }

    /// What somebody should know before they believe the figures.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.generator.saturated {
            notes.push(self.generator.advice().to_owned());
        }
        // The server counts what it decided; the last second before a restart is not in its counts.
        if self.connections_lost == 0 {
            notes.extend(self.clicks_reconciled.iter().flat_map(|both| both.differences.clone()));
        }
        if let Some(phase) = &self.left_as {
            notes.push(format!(
                "{} is still {phase}: close it when you are done with it",
                self.drop
            ));
        }
        if self.payments_not_offered > 0 {
            notes.push(format!(
                "the server takes no payments from viewers and refused {}: use --unpaid, or start it with \
                 --payments sandbox",
                self.payments_not_offered
            ));
        }
        if self.generator.connects_short > 0 {
            notes.push(format!(
                "this machine had no descriptor, port or memory for {} connections: raise its limits \
                 (ulimit -n), add --processes or --source",
                self.generator.connects_short
            ));
        }
        if self.refused.contains_key("busy") {
            notes.push(
                "the server was busy, or operations have stopped it or limited its rate: GET /v1/brake says \
                 which"
                    .to_owned(),
            );
        }
        if self.refused.contains_key("rate_limited") {
            notes.push(
                "the server limited the crowd as one address: add this machine's address to \
                 viewers.unlimited_addresses of the server"
                    .to_owned(),
            );
        }
        notes.extend(self.troubles.iter().take(TROUBLES_MAX).cloned());
        notes
    }
}

impl Generator {
    fn advice(&self) -> &'static str {
        let alone = self.busy_share_max > ALONE_SHARE_MIN;
        if self.connects_short > 0 {
            "the crowd could not open all its connections"
        } else if alone {
            "a process of the crowd had no time left: use more --processes, more cores, or a smaller crowd"
        } else {
            "other programs, or the server itself, had the cores of this machine: let the crowd run on \
             another machine, or try again when this one is quiet"
        }
    }
}

fn promises_words(audit: &AuditResult) -> String {
    format!(
        "{} received, {} lost, {} units oversold, {} duplicate orders, {} second holds, {} early \
         expiries, {} contradictions",
        audit.promises,
        audit.promises_lost,
        audit.oversold,
        audit.duplicate_orders,
        audit.second_holds,
        audit.early_expiries,
        audit.contradictions
    )
}

fn refusals(refused: &BTreeMap<String, u64>) -> String {
    let each: Vec<String> =
        refused.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    each.join(", ")
}

fn quantiles(summary: LatencySummary) -> String {
    let LatencySummary { p50, p99, p999, max, .. } = summary;
    let [p50, p99, p999, max] = [p50, p99, p999, max].map(millis);
    format!("p50 {p50:.1}, p99 {p99:.1}, p99.9 {p999:.1}, max {max:.1} ms")
}
