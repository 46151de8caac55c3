//! The checks of the server, each figure with its limit.

use super::exposition::Exposition;
use crate::{numbers::count, words::Language};

/// Bytes of a mebibyte.
const MIB: f64 = 1_048_576.0;

/// Times of which a 99th percentile is worth showing.
const TIMES_MIN: f64 = 200.0;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// One figure beside its limit.
pub(crate) struct Check {
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    pub(crate) now: String,
    pub(crate) limit: String,
    /// Thousandths of the bar that are full.
    pub(crate) share: u64,
    /// Where on the bar the limit stands, in thousandths.
    pub(crate) mark: u64,
    /// Thousandths of its limit that are used up: 1,000 and more needs a look, the more the worse.
    pub(crate) used: u64,
    pub(crate) is_fine: bool,
}

/// Numbers as whole ones; metrics are never negative here.
fn whole(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the conversion saturates, and figures are shown in whole ones"
    )]
    let whole = value.max(0.0).round() as u64;
    whole
}

/// A figure that has to stay below this many thousandths of `most`.
struct Below {
    key: &'static str,
    label: &'static str,
    value: Option<f64>,
    most: Option<f64>,
    mark: u64,
}

impl Below {
    fn check(
        self,
        shown: impl Fn(f64) -> String,
        limit: impl Fn(String) -> String,
    ) -> Option<Check> {
        let (value, most) = (self.value?, self.most?);
        let whole_share = if most > 0.0 { whole(value * 1_000.0 / most) } else { 0 };
        let share = whole_share.min(1_000);
        Some(Check {
            key: self.key,
            label: self.label,
            now: shown(value),
            limit: limit(shown(most)),
            share,
            mark: self.mark,
            used: whole_share.saturating_mul(1_000) / self.mark,
            is_fine: share < self.mark,
        })
    }
}

/// Every check whose figures the server tells.
pub(super) fn checks(told: &Exposition<'_>, words: Language) -> Vec<Check> {
    let plain = |value: f64| count(whole(value));
    let ms = |value: f64| words.ops_ms(format!("{:.1}", value * 1_000.0));
    let mib = |value: f64| words.ops_mib(count(whole(value / MIB)));
    let below = |key, label, value, most, mark| Below { key, label, value, most, mark };
    let max = |name: &str| told.sum(&format!("{name}_max"));
    let of_max = |key, label, name: &str| {
        below(key, label, told.sum(name), max(name), 900).check(plain, |most| words.ops_of(most))
    };
    // Of a few the slowest says nothing.
    let enough = |name: &str| told.sum(&format!("{name}_count")) >= Some(TIMES_MIN);
    let (answers, commits) = ("stampede_engine_answer_seconds", "stampede_ledger_commit_seconds");
    let answer = told.p99_of_histogram(answers).filter(|_| enough(answers));
    let commit = told.p99_of_summary(commits).filter(|_| enough(commits));
    let clock = told.sum("stampede_engine_clock_ahead_seconds").map(f64::abs);
    let at_most = |most| words.ops_at_most(most);
    let wal = "stampede_ledger_wal_bytes";
    let orders = told.sum("stampede_ledger_orders_behind");
    let found = [
        of_max("connections", words.ops_connections(), "stampede_gateway_connections"),
        below("answer", words.ops_answer(), answer, Some(0.05), 1_000).check(ms, at_most),
        below("commit", words.ops_commit(), commit, Some(0.02), 1_000).check(ms, at_most),
        below("clock", words.ops_clock(), clock, Some(1.0), 1_000).check(ms, at_most),
        below("log", words.ops_log(), told.sum(wal), max(wal), 1_000).check(mib, at_most),
        below("orders", words.ops_orders(), orders, Some(10_000.0), 1_000).check(plain, at_most),
        disk(told, words),
        of_max("bans", words.ops_bans(), "stampede_engine_bans"),
        certificate(told, words),
    ];
    found.into_iter().flatten().collect()
}

/// A tenth of the disk has to be free.
fn disk(told: &Exposition<'_>, words: Language) -> Option<Check> {
    let free = told.sum("stampede_ledger_disk_free_bytes")?;
    let whole_disk = told.sum("stampede_ledger_disk_bytes").filter(|bytes| *bytes > 0.0)?;
    let gib = |bytes: f64| words.ops_gib(count(whole(bytes / MIB / 1_024.0)));
    let share = whole(free * 1_000.0 / whole_disk).min(1_000);
    Some(Check {
        key: "disk",
        label: words.ops_disk(),
        now: gib(free),
        limit: words.ops_at_least(gib(whole_disk / 10.0)),
        share,
        mark: 100,
        used: 100_000 / share.max(1),
        is_fine: share >= 100,
    })
}

/// A certificate has to be good for two more weeks; the bar ends at 90 days.
fn certificate(told: &Exposition<'_>, words: Language) -> Option<Check> {
    let days = told.least("stampede_tls_certificate_expires_in_seconds")? / DAY_S;
    Some(Check {
        key: "tls",
        label: words.ops_tls(),
        now: words.ops_days(whole(days)),
        limit: words.ops_at_least(words.ops_days(14)),
        share: whole(days * 1_000.0 / 90.0).min(1_000),
        mark: 156,
        used: whole(14_000.0 / days.max(0.001)),
        is_fine: days >= 14.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, key: &str, now: &str, is_fine: bool) {
        let checks = checks(&Exposition(text), Language::English);
        let found = checks.iter().find(|check| check.key == key).unwrap();
        assert_eq!((found.now.as_str(), found.is_fine), (now, is_fine));
    }

    #[test]
    fn a_figure_near_its_limit_needs_a_look() {
        let of_sixty = |now| {
            format!("stampede_gateway_connections {now}\nstampede_gateway_connections_max 60\n")
        };
        check(&of_sixty(53), "connections", "53", true);
        check(&of_sixty(54), "connections", "54", false);
        let free = |gib: u64| {
            let bytes = gib << 30;
            format!(
                "stampede_ledger_disk_free_bytes {bytes}\nstampede_ledger_disk_bytes 107374182400\n"
            )
        };
        check(&free(11), "disk", "11 GiB", true);
        check(&free(9), "disk", "9 GiB", false);
        check("stampede_engine_clock_ahead_seconds -1.5\n", "clock", "1500.0 ms", false);
        let commits = |times| {
            format!(
                "stampede_ledger_commit_seconds{{quantile=\"0.99\"}} 0.021\n\
                 stampede_ledger_commit_seconds_count {times}\n"
            )
        };
        check(&commits(200), "commit", "21.0 ms", false);
        let few = commits(199);
        assert!(checks(&Exposition(&few), Language::English).is_empty(), "a few say nothing");
    }

    #[test]
    fn what_the_server_does_not_tell_is_left_out() {
        assert!(checks(&Exposition(""), Language::English).is_empty());
    }
}
