//! What the drill measured, and what is wrong with it.

use std::collections::BTreeMap;

use serde::Serialize;
use stampede_loadtest::{Latency, LatencySummary};

use super::sender::Sent;
use crate::{figures::per_s, host::Presses};

/// 99 in 100 reports are to be answered within this time, in milliseconds, at the offered pace.
const CONFIRM_P99_MS: f64 = 50.0;
/// 99 in 100 presses of Pause are to be, beside anything.
pub(crate) const PAUSE_P99_MS: f64 = 100.0;

/// The outcome; one line of JSON.
#[derive(Clone, Debug, Serialize)]
pub struct FactsOutcome {
    /// Payments at an even pace beside a sale.
    pub confirms: ReportsRow,
    /// Units taken by viewers meanwhile.
    pub takes: u64,
    /// The same per second.
    pub takes_per_s: u64,
    /// The host's presses meanwhile.
    pub presses: PressesRow,
    /// Payments as fast as they go.
    pub flood: ReportsRow,
    /// The host's presses meanwhile.
    pub presses_in_flood: PressesRow,
    /// Holds whose payment was answered with an order.
    pub confirmed: u64,
    /// Orders that the ledger has.
    pub orders: u64,
    /// Orders that were answered and that the ledger has not, or not for this viewer and sum.
    pub orders_missing: u64,
    /// Orders beyond the first of one hold.
    pub orders_twice: u64,
    /// What the reports have as paid beyond what the drill paid, in minor units.
    pub paid_difference: i64,
    /// What the verifier says.
    pub verify: String,
    /// The load of the machine before the drill, over a minute.
    pub load_before: f64,
    /// What is expected of a machine like the one that the figures in the documents are of. A slower one misses a
    /// target and nothing is wrong.
    pub targets: Vec<Target>,
    /// Whether nothing is wrong.
    pub ok: bool,
    /// What is wrong, in words: answers, orders, money.
    pub wrong: Vec<String>,
}

/// A target for a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Target {
    /// Of what.
    pub what: &'static str,
    /// What was measured.
    pub p99_ms: f64,
    /// The time that 99 in 100 have to stay below.
    pub below_ms: f64,
    /// Whether they did, at the pace that was asked for.
    pub is_kept: bool,
}

/// Reports of payments.
#[derive(Clone, Debug, Serialize)]
pub struct ReportsRow {
    /// Reports that were due; in a flood, that were sent.
    pub offered: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Answers per second.
    pub answered_per_s: u64,
    /// Those that made an order.
    pub ordered: u64,
    /// Reports that were not sent, since no viewer had taken a unit that could be paid: the sale was too slow.
    pub starved: u64,
    /// Other answers, by what they say.
    pub others: BTreeMap<String, u64>,
    /// From the moment that a report was due, in a flood sent, to its answer.
    #[serde(flatten)]
    pub times: Times,
}

/// Presses of Pause and Resume.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PressesRow {
    /// Pauses.
    pub pauses: u64,
    /// From the moment that Pause was due to its answer.
    pub pause: Times,
    /// The same of Resume.
    pub resume: Times,
}

/// How long something took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "a name in JSON says its unit")]
pub struct Times {
    /// Half of them took at most this.
    pub p50_ms: f64,
    /// 99 in 100.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Times {
    fn of(latency: &Latency) -> Self {
        let LatencySummary { p50, p99, max, .. } = latency.summary();
        let [p50_ms, p99_ms, max_ms] = [p50, p99, max].map(ms);
        Self { p50_ms, p99_ms, max_ms }
    }
}

impl ReportsRow {
    pub(super) fn of(sent: &Sent, from_us: u64) -> Self {
        let answered = sent.latency.count();
        Self {
            offered: sent.offered,
            answered,
            answered_per_s: per_s(answered, sent.until_us.saturating_sub(from_us)),
            ordered: u64::try_from(sent.ordered.len()).unwrap_or(u64::MAX),
            starved: sent.starved,
            others: sent.others.clone(),
            times: Times::of(&sent.latency),
        }
    }
}

impl PressesRow {
    pub(crate) fn of(presses: &Presses) -> Self {
        let Presses { pause, resume, .. } = presses;
        Self { pauses: pause.count(), pause: Times::of(pause), resume: Times::of(resume) }
    }

    pub(crate) fn words(&self) -> String {
        let Self { pauses, pause: Times { p50_ms, p99_ms, max_ms }, .. } = self;
        format!("{pauses} Pauses p50 {p50_ms:.1}, p99 {p99_ms:.1}, max {max_ms:.1} ms")
    }
}

impl Target {
    pub(crate) fn of(what: &'static str, measured: Times, below_ms: f64) -> Self {
        let p99_ms = measured.p99_ms;
        Self { what, p99_ms, below_ms, is_kept: p99_ms < below_ms }
    }

    pub(crate) fn words(&self) -> String {
        let Self { what, p99_ms, below_ms, is_kept } = self;
        let verdict = if *is_kept { "kept" } else { "missed" };
        format!("target {verdict}: {what}, p99 {p99_ms:.1} ms of {below_ms} ms")
    }
}

impl FactsOutcome {
    /// Judges what was measured. Slowness is a target missed, never something wrong.
    pub(super) fn judge(mut self, mut wrong: Vec<String>) -> Self {
        for (what, row) in [("confirms", &self.confirms), ("reports of the flood", &self.flood)] {
            let ReportsRow { offered, ordered, starved, others, .. } = row;
            if ordered + starved != *offered || *ordered == 0 {
                wrong.push(format!(
                    "{ordered} of {offered} {what} became orders, {starved} were not sent: {others:?}"
                ));
            }
        }
        let Self { confirmed, orders, orders_missing, orders_twice, paid_difference, .. } = self;
        if confirmed != orders || orders_missing + orders_twice > 0 || paid_difference != 0 {
            wrong.push(format!(
                "{confirmed} confirmed, {orders} orders, {orders_missing} missing, {orders_twice} \
                 twice, {paid_difference} minor units too much"
            ));
        }
        if self.verify != "ok" {
            wrong.push(format!("the verifier says {}", self.verify));
        }
        let confirms = Target::of("confirms beside the sale", self.confirms.times, CONFIRM_P99_MS);
        let is_kept = confirms.is_kept && self.confirms.starved == 0;
        self.targets = vec![
            Target { is_kept, ..confirms },
            Target::of("Pause beside the sale", self.presses.pause, PAUSE_P99_MS),
            Target::of("Pause beside the flood", self.presses_in_flood.pause, PAUSE_P99_MS),
        ];
        self.ok = wrong.is_empty();
        self.wrong = wrong;
        self
    }

    /// Both parts and every target, a line each.
    pub(super) fn words(&self) -> Vec<String> {
        let row = |row: &ReportsRow| {
            let ReportsRow { offered, ordered, answered_per_s, .. } = row;
            let Times { p50_ms, p99_ms, max_ms } = row.times;
            format!(
                "{offered} paid, {ordered} orders, {answered_per_s} answered per second: p50 \
                 {p50_ms:.1}, p99 {p99_ms:.1}, max {max_ms:.1} ms"
            )
        };
        let (confirms, flood) = (row(&self.confirms), row(&self.flood));
        let (takes, pauses) = (self.takes_per_s, self.presses.words());
        let parts = [
            format!("beside a sale of {takes} takes per second: {confirms}; {pauses}"),
            format!("as fast as they go: {flood}; {}", self.presses_in_flood.words()),
        ];
        parts.into_iter().chain(self.targets.iter().map(Target::words)).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "an answer takes far less than 2^52 us")]
fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(p99_ms: f64) -> Times {
        Times { p50_ms: 1.0, p99_ms, max_ms: 200.0 }
    }

    fn reports(p99_ms: f64) -> ReportsRow {
        ReportsRow {
            offered: 10,
            answered: 10,
            answered_per_s: 5,
            ordered: 10,
            starved: 0,
            others: BTreeMap::new(),
            times: times(p99_ms),
        }
    }

    fn presses(p99_ms: f64) -> PressesRow {
        PressesRow { pauses: 9, pause: times(p99_ms), resume: times(1.0) }
    }

    fn outcome() -> FactsOutcome {
        FactsOutcome {
            confirms: reports(49.9),
            takes: 40,
            takes_per_s: 20,
            presses: presses(99.9),
            flood: reports(5_000.0),
            presses_in_flood: presses(99.9),
            confirmed: 20,
            orders: 20,
            orders_missing: 0,
            orders_twice: 0,
            paid_difference: 0,
            verify: "ok".into(),
            load_before: 0.5,
            targets: Vec::new(),
            ok: false,
            wrong: Vec::new(),
        }
    }

    fn kept(outcome: &FactsOutcome) -> Vec<bool> {
        outcome.targets.iter().map(|target| target.is_kept).collect()
    }

    #[test]
    fn a_target_that_is_missed_is_said_and_nothing_is_wrong() {
        let good = outcome().judge(Vec::new());
        assert!(good.ok, "a flood's own answers may take long: {good:?}");
        assert_eq!(kept(&good), [true; 3]);
        let starved = ReportsRow { ordered: 9, starved: 1, ..reports(1.0) };
        let slow = [
            (FactsOutcome { confirms: reports(50.0), ..outcome() }, [false, true, true]),
            (FactsOutcome { confirms: starved, ..outcome() }, [false, true, true]),
            (FactsOutcome { presses: presses(100.0), ..outcome() }, [true, false, true]),
            (FactsOutcome { presses_in_flood: presses(100.0), ..outcome() }, [true, true, false]),
        ];
        for (slow, expected) in slow {
            let slow = slow.judge(Vec::new());
            assert!(slow.ok && slow.wrong.is_empty(), "{slow:?}");
            assert_eq!(kept(&slow), expected);
            let said = slow.words().iter().filter(|line| line.contains("missed")).count();
            assert_eq!(said, 1, "{:?}", slow.words());
        }
    }

    #[test]
    fn an_order_money_or_an_answer_that_is_off_is_wrong() {
        let broken = [
            FactsOutcome { orders: 21, ..outcome() },
            FactsOutcome { orders_missing: 1, ..outcome() },
            FactsOutcome { orders_twice: 1, ..outcome() },
            FactsOutcome { paid_difference: -499, ..outcome() },
            FactsOutcome { verify: "exit 1".into(), ..outcome() },
            FactsOutcome { flood: ReportsRow { ordered: 9, ..reports(1.0) }, ..outcome() },
            FactsOutcome {
                flood: ReportsRow { offered: 0, ordered: 0, ..reports(1.0) },
                ..outcome()
            },
        ];
        for broken in broken.map(|broken| broken.judge(Vec::new())) {
            assert!(!broken.ok && broken.wrong.len() == 1, "{broken:?}");
        }
        assert!(!outcome().judge(vec!["a viewer was lost".into()]).ok);
    }
}
