//! The result of a crowd drill.

use serde::Serialize;
use stampede_loadtest::{Latency, LatencySummary};
use stampede_swarm::Memory;

use super::{Delivered, kernel::Cost, stampede::Stampede};
use crate::{
    figures::{FULL, per_s, ratio, rounded},
    viewers::{Ticks, ViewerSockets},
};

/// The outcome; one line of JSON.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CrowdOutcome {
    /// Connections, all joined, all at once.
    pub connections: u32,
    /// Bytes that each idle connection adds to the server's process.
    pub rss_per_connection_bytes: u64,
    /// Bytes of the kernel's objects for the server's end of each.
    pub kernel_per_connection_bytes: u64,
    /// Viewers per second that came in, from the request for a connection to the welcome.
    pub connects_per_s: u64,
    /// From the first viewer who got a figure to each one who did, at 10 ticks per second.
    pub tick_p99_ms: f64,
    /// Figures delivered per second by a full core of the server.
    pub deliveries_per_s: u64,
    /// Messages delivered per second by plain `send()` in a loop on a full core.
    pub send_loop_per_s: u64,
    /// The former as a share of the latter.
    pub deliveries_ratio: f64,
    /// What kept the server from delivering more; the ratio decides nothing unless it is the sender on
    /// both sides.
    pub deliveries_limit: Limit,
    /// The same of the send loop.
    pub send_loop_limit: Limit,
    /// From the planned moment of each click to its answer, in microseconds.
    pub stampede_p99_us: u64,
    /// The same.
    pub stampede_p999_us: u64,
    /// Clicks without an answer, answers too many, promises that the ledger does not keep.
    pub answers_lost: u64,
    /// Whether nothing is wrong.
    pub ok: bool,
    /// Whether the load had a core of its own; figures mean little otherwise.
    pub cores_apart: bool,
    /// Bytes of heap and stacks in `rss_per_connection_bytes`.
    pub anonymous_per_connection_bytes: u64,
    /// Bytes that the server's process had before the crowd came.
    pub rss_before_bytes: u64,
    /// Whether the kernel's objects were counted one cache after the other; otherwise all slabs.
    pub kernel_by_cache: bool,
    /// From the request for a connection to its welcome, with hundreds under way at once.
    pub join_p99_us: u64,
    /// Different figures that were shown.
    pub tick_figures: u64,
    /// Share of the figures that reached a reading viewer each; the rest was replaced on the way.
    pub tick_share: f64,
    /// From the planned moment of the click that made a figure to each viewer who got it, the wait
    /// for the next tick included.
    pub tick_age_p99_ms: f64,
    /// Bytes of a delivered figure, and of the send loop's messages.
    pub delivery_bytes: usize,
    /// Share of its core that the server used while it delivered.
    pub deliveries_server_busy: f64,
    /// Share of its core that the generator used meanwhile.
    pub deliveries_reader_busy: f64,
    /// The same of the send loop.
    pub send_loop_busy: f64,
    /// The same of its readers.
    pub send_loop_reader_busy: f64,
    /// Clicks of the stampede.
    pub clicks: u64,
    /// Those that got units.
    pub held: u64,
    /// Viewers that did not read from before the ticks to the end of the stampede.
    pub deaf: u64,
    /// Half of the clicks were answered within.
    pub stampede_p50_us: u64,
    /// The slowest answer.
    pub stampede_max_us: u64,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

/// What kept a part of the deliveries from being faster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The core of the one who sends.
    Sender,
    /// The core of the one who reads.
    Generator,
    /// Neither core was full: there was not enough to send.
    #[default]
    Load,
}

/// Memory before and after everybody came.
pub(super) struct Idle {
    pub(super) before: Memory,
    pub(super) after: Memory,
    pub(super) kernel: Cost,
}

/// What ticks did.
pub(super) struct Ticked {
    pub(super) ticks: Ticks,
    /// Viewers who read.
    pub(super) reading: u64,
}

impl CrowdOutcome {
    pub(super) fn new(connections: u32, cores_apart: bool) -> Self {
        Self { connections, cores_apart, ok: true, ..Self::default() }
    }

    /// Whether nothing is wrong.
    pub const fn is_ok(&self) -> bool {
        self.ok
    }

    fn check(&mut self, good: bool, what: impl FnOnce() -> String) {
        if !good {
            self.ok = false;
            self.wrong.push(what());
        }
    }

    pub(super) fn joined(&mut self, took_us: u64, joining: &Latency) -> String {
        self.connects_per_s = per_s(self.connections.into(), took_us);
        self.join_p99_us = joining.summary().p99;
        format!(
            "{} connections in {:.2} s: {} joins per second, p99 {:.1} ms with hundreds under way",
            self.connections,
            ratio(took_us, 1_000_000),
            self.connects_per_s,
            ms(self.join_p99_us)
        )
    }

    pub(super) fn idled(&mut self, idle: &Idle) -> String {
        let Idle { before, after, kernel } = idle;
        let each =
            |now: u64, then: u64| now.saturating_sub(then) / u64::from(self.connections.max(1));
        let (resident, anonymous) =
            (each(after.resident, before.resident), each(after.anonymous, before.anonymous));
        self.rss_before_bytes = before.resident;
        self.rss_per_connection_bytes = resident;
        self.anonymous_per_connection_bytes = anonymous;
        self.kernel_per_connection_bytes = kernel.bytes;
        self.kernel_by_cache = kernel.exact;
        let caches = kernel.by_cache.iter().map(|(name, bytes)| format!("{name} {bytes}"));
        format!(
            "idle: {resident} bytes of the process for each ({anonymous} of its own pages), {} of \
             the kernel ({})",
            kernel.bytes,
            caches.collect::<Vec<_>>().join(", ")
        )
    }

    pub(super) fn ticked(&mut self, ticked: &Ticked) -> String {
        let Ticked { ticks, reading } = ticked;
        let (spread, age) = (ticks.spread.summary(), ticks.age.summary());
        self.tick_p99_ms = ms(spread.p99);
        self.tick_age_p99_ms = ms(age.p99);
        self.tick_figures = ticks.figures;
        self.tick_share = ratio(ticks.deliveries, ticks.figures * reading);
        self.check(ticks.figures > 0, || "no figure reached anybody".to_owned());
        format!(
            "ticks: {} figures to {reading} viewers, each within {:.1} ms (p99) of the first, {:.1} \
             ms (p99) of its click; {:.1} % of them reached everybody",
            ticks.figures,
            self.tick_p99_ms,
            self.tick_age_p99_ms,
            self.tick_share * 100.0
        )
    }

    pub(super) fn stampeded(&mut self, stampede: Stampede) -> String {
        let Stampede { clicks, supply, deaf, answers, latency, audit } = stampede;
        let LatencySummary { p50, p99, p999, max, .. } = latency;
        (self.stampede_p50_us, self.stampede_p99_us) = (p50, p99);
        (self.stampede_p999_us, self.stampede_max_us) = (p999, max);
        (self.clicks, self.held, self.deaf) = (clicks, answers.held, deaf);
        self.answers_lost = answers.unanswered + answers.repeated + audit.promises_lost;
        let lost = self.answers_lost;
        self.check(lost == 0, || {
            let (none, twice, broken) = (answers.unanswered, answers.repeated, audit.promises_lost);
            format!("{none} clicks without an answer, {twice} answers too many, {broken} broken")
        });
        self.check(audit.is_clean(), || audit.mismatches.join("; "));
        let held = answers.held;
        self.check(held == u64::from(supply) && audit.holds == held, || {
            format!("{supply} units, {held} promises, {} holds in the ledger", audit.holds)
        });
        let refused: Vec<_> =
            answers.refused.iter().map(|(code, count)| format!("{count} {code}")).collect();
        format!(
            "stampede: {clicks} clicks in one second, {deaf} of them by viewers who do not read; \
             {held} held, {}; p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms; {lost} lost",
            refused.join(", "),
            ms(p50),
            ms(p99),
            ms(p999),
            ms(max)
        )
    }

    pub(super) fn delivered(&mut self, server: &Delivered, plain: &Delivered) -> String {
        self.deliveries_per_s = per_s(server.count, server.us);
        self.send_loop_per_s = per_s(plain.count, plain.us);
        self.deliveries_ratio = rounded(ratio(self.deliveries_per_s, self.send_loop_per_s));
        self.delivery_bytes = server.bytes;
        self.deliveries_server_busy = rounded(server.sender_busy);
        self.deliveries_reader_busy = rounded(server.reader_busy);
        self.send_loop_busy = rounded(plain.sender_busy);
        self.send_loop_reader_busy = rounded(plain.reader_busy);
        (self.deliveries_limit, self.send_loop_limit) = (Limit::of(server), Limit::of(plain));
        let limits = [self.deliveries_limit, self.send_loop_limit];
        let decided = if limits == [Limit::Sender; 2] { "" } else { ", undecided" };
        self.check(server.count > 0, || "no figure was delivered".to_owned());
        format!(
            "deliveries: {} per second of {} bytes ({}); plain send() {} per second ({}); ratio \
             {:.2}{decided}",
            self.deliveries_per_s,
            server.bytes,
            self.deliveries_limit.words(server),
            self.send_loop_per_s,
            self.send_loop_limit.words(plain),
            self.deliveries_ratio
        )
    }

    /// What became of the connections of one server.
    pub(super) fn left(&mut self, mut sockets: ViewerSockets) {
        let viewers = sockets.viewers();
        let (lost, troubles) = (viewers.lost, viewers.troubles.join("; "));
        self.check(lost == 0, || format!("{lost} connections were lost: {troubles}"));
    }

    pub(super) fn verified(&mut self, verify: &str) {
        self.check(verify == "ok", || format!("the verifier says {verify}"));
    }
}

impl Limit {
    fn of(part: &Delivered) -> Self {
        if part.reader_busy > FULL {
            Self::Generator
        } else if part.sender_busy < FULL {
            Self::Load
        } else {
            Self::Sender
        }
    }

    fn words(self, part: &Delivered) -> String {
        let busy = format!("its core {:.0} % busy", part.sender_busy * 100.0);
        match self {
            Self::Sender => busy,
            Self::Generator => "generator-bound".to_owned(),
            Self::Load => format!("{busy}: not at its limit"),
        }
    }
}

fn ms(us: u64) -> f64 {
    ratio(us, 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewers::Answers;
    use stampede_loadtest::AuditResult;

    #[test]
    fn the_last_line_has_the_fields_that_are_promised() {
        let json = serde_json::to_value(CrowdOutcome::new(3, true)).unwrap();
        for field in [
            "connections",
            "rss_per_connection_bytes",
            "kernel_per_connection_bytes",
            "connects_per_s",
            "tick_p99_ms",
            "deliveries_per_s",
            "send_loop_per_s",
            "deliveries_ratio",
            "stampede_p99_us",
            "stampede_p999_us",
            "answers_lost",
        ] {
            assert!(json[field].is_number(), "{field}");
        }
    }

    #[test]
    fn a_lost_answer_is_told() {
        let mut outcome = CrowdOutcome::new(3, true);
        let stampede = |unanswered| Stampede {
            clicks: 3,
            supply: 1,
            deaf: 0,
            answers: Answers { unanswered, held: 1, ..Answers::default() },
            latency: Latency::new().summary(),
            audit: AuditResult { promises: 1, holds: 1, ..AuditResult::default() },
        };
        outcome.stampeded(stampede(0));
        assert!(outcome.is_ok(), "{:?}", outcome.wrong);
        outcome.stampeded(stampede(2));
        assert_eq!((outcome.is_ok(), outcome.answers_lost), (false, 2));
        assert_eq!(outcome.wrong, ["2 clicks without an answer, 0 answers too many, 0 broken"]);
    }

    #[test]
    fn a_part_whose_sender_is_not_the_limit_decides_nothing() {
        let part = |sender_busy, reader_busy| Delivered {
            count: 600_000,
            us: 2_000_000,
            bytes: 70,
            sender_busy,
            reader_busy,
        };
        let mut outcome = CrowdOutcome::new(3, true);
        let words = outcome.delivered(&part(1.0, 0.99), &part(0.5, 0.2));
        assert!(words.contains("300000 per second of 70 bytes (generator-bound)"), "{words}");
        let idle = "send() 300000 per second (its core 50 % busy: not at its limit)";
        assert!(words.contains(idle), "{words}");
        assert!(words.ends_with("ratio 1.00, undecided"), "{words}");
        assert_eq!(
            (outcome.deliveries_limit, outcome.send_loop_limit),
            (Limit::Generator, Limit::Load)
        );
        let words = outcome.delivered(&part(0.99, 0.5), &part(1.0, 0.6));
        assert!(words.ends_with("ratio 1.00"), "{words}");
    }
}
