//! The counts of a crowd, as lines of JSON that add up over processes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::recorder::Latency;

/// Counts of one process, or of several merged. Each is counted where it happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Buy frames written.
    pub clicks: u64,
    /// Clicks answered with new units.
    pub held: u64,
    /// Clicks answered with what an earlier click with the same key had got.
    pub retries: u64,
    /// Clicks refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Clicks that were double: the same key twice at once.
    pub double_clicks: u64,
    /// Clicks before the opening.
    pub early_clicks: u64,
    /// Clicks that repeat an unanswered one with its key on a new connection.
    pub reconnect_retries: u64,
    /// Planned clicks that were not made, because the viewer had got something or given up.
    pub clicks_spared: u64,
    /// Clicks by second from the opening.
    pub clicks_by_second: Vec<u64>,
    /// Distinct holds seen.
    pub holds: u64,
    /// Distinct holds of viewers that never pay or walk away.
    pub holds_unpaid: u64,
    /// Orders seen.
    pub orders: u64,
    /// Holds seen to expire.
    pub expired: u64,
    /// Holds seen to be released.
    pub released: u64,
    /// Payment attempts seen to fail.
    pub payments_failed: u64,
    /// Promises written to the log.
    pub promises: u64,
    /// Buys that never got an answer.
    pub buys_unanswered: u64,
    /// Planned clicks of viewers who had been let in before, and had no connection to the end.
    pub clicks_unsent: u64,
    /// Payments that the server refused, because it takes none.
    pub pays_not_offered: u64,
    /// Distinct viewers that began to connect.
    pub viewers_started: u64,
    /// Distinct viewers that were welcomed.
    pub viewers: u64,
    /// Connections that were welcomed.
    pub connections: u64,
    /// Connections open at once at most.
    pub connections_peak: u64,
    /// Connections that were lost without the viewer's doing.
    pub connections_lost: u64,
    /// Attempts to connect that failed.
    pub connects_failed: u64,
    /// Those among them that failed here, because this machine had no descriptor, port or memory left.
    pub connects_short: u64,
    /// Stock ticks received.
    pub stock_ticks: u64,
}

/// The end of a crowd.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrowdResult {
    /// What was counted.
    pub counts: Counts,
    /// From the planned moment of a click to its answer.
    pub latency: Latency,
    /// The same by the planned second of the click, from the opening.
    pub seconds: Vec<Latency>,
    /// From the planned moment of a click to the moment that the crowd came to it: what the crowd itself
    /// adds to a latency. Clicks whose connection was down meanwhile are left out.
    pub late: Latency,
    /// The largest share of a quarter of a second that a process of the crowd was on a core: 0 to 1.
    pub busy_share_max: f64,
    /// The first things that went wrong, in words.
    pub troubles: Vec<String>,
}

/// How far a crowd is; about four each second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Time since the opening; absent before it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_opening_ms: Option<i64>,
    /// Connections open now.
    pub connected: u64,
    /// Viewers of the first wave that have been welcomed or have failed for good.
    pub first_wave_settled: bool,
    /// What was counted so far.
    pub counts: Counts,
    /// Clicks without an answer so far.
    pub unanswered: u64,
    /// Length of the interval that the next two figures are about.
    pub interval_ms: u64,
    /// Clicks in the interval.
    pub interval_clicks: u64,
    /// The 99th percentile of the latencies in the interval.
    pub interval_us_p99: u64,
}

/// Troubles that are kept in words.
pub const TROUBLES_MAX: usize = 20;

impl Counts {
    /// Clicks that were answered.
    pub fn answered(&self) -> u64 {
        self.held + self.retries + self.refused_sum()
    }

    /// Clicks without an answer: their connection was gone before it came.
    pub fn unanswered(&self) -> u64 {
        self.clicks.saturating_sub(self.answered())
    }

    /// Clicks that were refused.
    pub fn refused_sum(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Clicks in the first second after the opening.
    pub fn clicks_first_second(&self) -> u64 {
        self.clicks_by_second.first().copied().unwrap_or(0)
    }

    /// Clicks in the busiest second, counted from the opening in whole seconds.
    pub fn clicks_per_s_max(&self) -> u64 {
        self.clicks_by_second.iter().copied().max().unwrap_or(0)
    }

    /// Adds what another process counted. Peaks add up too: processes run at the same time.
    pub fn merge(&mut self, other: &Self) {
        for (reason, count) in &other.refused {
            *self.refused.entry(reason.clone()).or_default() += count;
        }
        let seconds = self.clicks_by_second.len().max(other.clicks_by_second.len());
        self.clicks_by_second.resize(seconds, 0);
        for (sum, count) in self.clicks_by_second.iter_mut().zip(&other.clicks_by_second) {
            *sum += count;
        }
        let sums = [
            (&mut self.clicks, other.clicks),
            (&mut self.held, other.held),
            (&mut self.retries, other.retries),
            (&mut self.double_clicks, other.double_clicks),
            (&mut self.early_clicks, other.early_clicks),
            (&mut self.reconnect_retries, other.reconnect_retries),
            (&mut self.clicks_spared, other.clicks_spared),
            (&mut self.holds, other.holds),
            (&mut self.holds_unpaid, other.holds_unpaid),
            (&mut self.orders, other.orders),
            (&mut self.expired, other.expired),
            (&mut self.released, other.released),
            (&mut self.payments_failed, other.payments_failed),
            (&mut self.promises, other.promises),
            (&mut self.buys_unanswered, other.buys_unanswered),
            (&mut self.clicks_unsent, other.clicks_unsent),
            (&mut self.pays_not_offered, other.pays_not_offered),
            (&mut self.viewers_started, other.viewers_started),
            (&mut self.viewers, other.viewers),
            (&mut self.connections, other.connections),
            (&mut self.connections_peak, other.connections_peak),
            (&mut self.connections_lost, other.connections_lost),
            (&mut self.connects_failed, other.connects_failed),
            (&mut self.connects_short, other.connects_short),
            (&mut self.stock_ticks, other.stock_ticks),
        ];
        for (sum, count) in sums {
            *sum += count;
        }
    }

    /// Counts a click `since_us` after the opening.
    pub(crate) fn click_at(&mut self, since_us: u64) {
        let second = usize::try_from(since_us / 1_000_000).unwrap_or(usize::MAX);
        if second >= self.clicks_by_second.len() {
            self.clicks_by_second.resize(second + 1, 0);
        }
        self.clicks_by_second[second] += 1;
    }
}

impl CrowdResult {
    /// Adds the result of another process.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.latency.merge(&other.latency);
        if other.seconds.len() > self.seconds.len() {
            self.seconds.resize_with(other.seconds.len(), Latency::coarse);
        }
        for (sum, second) in self.seconds.iter_mut().zip(&other.seconds) {
            sum.merge(second);
        }
        self.late.merge(&other.late);
        self.busy_share_max = self.busy_share_max.max(other.busy_share_max);
        let room = TROUBLES_MAX.saturating_sub(self.troubles.len());
        self.troubles.extend(other.troubles.iter().take(room).cloned());
    }
}

impl Progress {
    /// Adds how far another process is; a percentile of both is at most the larger one.
    pub fn merge(&mut self, other: &Self) {
        self.since_opening_ms = self.since_opening_ms.max(other.since_opening_ms);
        self.connected += other.connected;
        self.first_wave_settled &= other.first_wave_settled;
        self.counts.merge(&other.counts);
        self.unanswered += other.unanswered;
        self.interval_ms = self.interval_ms.max(other.interval_ms);
        self.interval_clicks += other.interval_clicks;
        self.interval_us_p99 = self.interval_us_p99.max(other.interval_us_p99);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_processes_add_up() {
        let part = |refused: &str, second: u64| {
            let mut part = CrowdResult::default();
            part.counts.clicks = 3;
            part.counts.held = 1;
            part.counts.retries = 1;
            part.counts.refused.insert(refused.to_owned(), 1);
            part.counts.connections_peak = 7;
            part.counts.click_at(second * 1_000_000);
            part.latency.record_us(second * 100);
            part
        };
        let mut sum = part("sold_out", 0);
        sum.merge(&part("busy", 2));
        sum.merge(&part("sold_out", 2));
        assert_eq!(sum.counts.clicks, 9);
        assert_eq!(sum.counts.answered(), 9);
        assert_eq!(sum.counts.unanswered(), 0);
        assert_eq!(sum.counts.refused["sold_out"], 2);
        assert_eq!(sum.counts.connections_peak, 21);
        assert_eq!(sum.counts.clicks_by_second, [1, 0, 2]);
        assert_eq!((sum.counts.clicks_first_second(), sum.counts.clicks_per_s_max()), (1, 2));
        assert_eq!(sum.latency.count(), 3);
    }

    #[test]
    fn a_result_survives_json() {
        let mut result = CrowdResult::default();
        result.counts.click_at(1);
        result.latency.record_us(77);
        result.troubles.push("a connection broke".to_owned());
        let json = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<CrowdResult>(&json).unwrap(), result);
    }
}
