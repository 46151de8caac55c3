//! Rows as a table, as JSON.

use serde::Serialize;

use crate::drive::Measured;

/// A generator busier than this may be what limits the row.
const GENERATOR_BOUND: f64 = 0.95;

/// What was measured once.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) connections: u32,
    pub(crate) per_s: u64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    /// Share of the plain TCP echo's rate with as many connections.
    pub(crate) ratio_to_limit: Option<f64>,
    pub(crate) generator_busy: f64,
    pub(crate) generator_bound: bool,
    pub(crate) server_core_busy: f64,
    /// Time that the server's threads ran for each answer, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_us: Option<f64>,
    /// Promises that were received, each found in the server's ledger afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) promises_checked: Option<u64>,
    /// Requests that were refused as busy and sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) busy_refusals: Option<u64>,
    /// Size of the pool of database clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clients: Option<usize>,
}

/// A row that there is not.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MissingRow {
    pub(crate) name: &'static str,
    pub(crate) connections: u32,
    pub(crate) why: String,
}

/// What the rows are to show.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Aim {
    pub(crate) what: &'static str,
    pub(crate) connections: u32,
    pub(crate) ratio: f64,
    pub(crate) wanted: f64,
    /// Whether the generator may have limited the first row, so that the ratio may be higher.
    pub(crate) of_bound: bool,
    /// The same of the second row: the ratio may be lower.
    pub(crate) over_bound: bool,
    pub(crate) met: Met,
}

/// Whether an aim was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Met {
    Yes,
    No,
    /// The generator may have made the difference.
    Undecided,
}

/// Everything that one run found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) message_bytes: usize,
    pub(crate) seconds: u64,
    pub(crate) rows: Vec<Row>,
    pub(crate) missing: Vec<MissingRow>,
    pub(crate) aims: Vec<Aim>,
}

/// An aim: a rate over another one. A share of 1 less a cost is a ratio like the others.
struct Wanted {
    what: &'static str,
    of: &'static str,
    over: &'static str,
    /// With few connections, with many.
    at_least: [f64; 2],
}

const WANTED: [Wanted; 5] = [
    Wanted {
        what: "own echo against plain TCP",
        of: "ws_echo",
        over: "tcp_echo",
        at_least: [0.7, 0.7],
    },
    Wanted {
        what: "sold-out path against own echo",
        of: "sold_out",
        over: "ws_echo",
        at_least: [0.85, 0.85],
    },
    Wanted {
        what: "durable sell path against own echo",
        of: "sell_durable",
        over: "ws_echo",
        at_least: [0.85, 0.85],
    },
    Wanted {
        what: "sold-out path against Redis",
        of: "sold_out",
        over: "redis_lua_sold_out",
        at_least: [2.0, 2.0],
    },
    Wanted {
        what: "durable sell path against Redis",
        of: "sell_durable",
        over: "redis_lua_durable",
        at_least: [3.0, 2.0],
    },
];

impl Row {
    pub(crate) fn new(name: &'static str, connections: u32, measured: &Measured) -> Self {
        let Measured { per_s, p50_us, p99_us, generator_busy, server_core_busy, server_us } =
            *measured;
        Self {
            name,
            connections,
            per_s: whole(per_s),
            p50_us,
            p99_us,
            ratio_to_limit: None,
            generator_busy: digits(generator_busy),
            generator_bound: generator_busy > GENERATOR_BOUND,
            server_core_busy: digits(server_core_busy),
            server_us: server_us.map(digits),
            promises_checked: None,
            busy_refusals: None,
            clients: None,
        }
    }

    pub(crate) fn line(&self) -> String {
        let Self { name, connections, per_s, p50_us, p99_us, .. } = self;
        let ratio = self.ratio_to_limit.map_or_else(|| "-".to_owned(), |r| format!("{r:.2}"));
        let each = self.server_us.map_or_else(|| "-".to_owned(), |us| format!("{us:.1}"));
        let line = format!(
            "{name:20} {connections:6} {per_s:9} {p50_us:8} {p99_us:8} {ratio:>6} {each:>7} {:6.0}% \
             {:6.0}%",
            self.server_core_busy * 100.0,
            self.generator_busy * 100.0,
        );
        let notes = [
            self.generator_bound.then(|| "generator-bound".to_owned()),
            self.promises_checked.map(|count| format!("{count} promises found in the ledger")),
            self.clients.map(|count| format!("{count} database clients")),
            self.busy_refusals
                .filter(|count| *count > 0)
                .map(|count| format!("{count} times busy")),
        ];
        let notes = notes.into_iter().flatten().collect::<Vec<_>>().join(", ");
        format!("{line}  {notes}").trim_end().to_owned()
    }
}

/// The titles above [`Row::line`].
pub(crate) fn titles() -> String {
    format!(
        "{:20} {:>6} {:>9} {:>8} {:>8} {:>6} {:>7} {:>7} {:>7}",
        "row", "conns", "per s", "p50 us", "p99 us", "ratio", "us each", "server", "gener."
    )
}

impl Report {
    /// Fills in what follows from the rows.
    pub(crate) fn finish(&mut self) {
        let limits: Vec<(u32, u64)> = self
            .rows
            .iter()
            .filter(|row| row.name == "tcp_echo")
            .map(|row| (row.connections, row.per_s))
            .collect();
        for row in &mut self.rows {
            let limit = limits.iter().find(|(connections, _)| *connections == row.connections);
            row.ratio_to_limit = limit.and_then(|(_, limit)| ratio(row.per_s, *limit));
        }
        let mut counts: Vec<u32> = self.rows.iter().map(|row| row.connections).collect();
        counts.dedup();
        for wanted in &WANTED {
            for (place, connections) in counts.iter().enumerate() {
                let row = |name| {
                    let mut rows = self.rows.iter();
                    rows.find(|row| row.name == name && row.connections == *connections)
                };
                let (Some(of), Some(over)) = (row(wanted.of), row(wanted.over)) else { continue };
                let Some(ratio) = ratio(of.per_s, over.per_s) else { continue };
                let at_least = wanted.at_least[place.min(1)];
                let (of_bound, over_bound) = (of.generator_bound, over.generator_bound);
                self.aims.push(Aim {
                    what: wanted.what,
                    connections: *connections,
                    ratio,
                    wanted: at_least,
                    of_bound,
                    over_bound,
                    met: met(ratio >= at_least, of_bound, over_bound),
                });
            }
        }
    }

    /// The tables for people.
    pub(crate) fn words(&self) -> String {
        let Self { message_bytes, seconds, rows, missing, aims } = self;
        let mut lines = vec![
            format!("one core for the server, one for the generator; {seconds} s each row"),
            format!("echoes carry the {message_bytes} bytes of a buy"),
            String::new(),
            titles(),
        ];
        lines.extend(rows.iter().map(Row::line));
        lines.extend(missing.iter().map(|MissingRow { name, connections, why }| {
            format!("{name:20} {connections:6} MISSING: {why}")
        }));
        lines.extend([String::new(), "aims".to_owned()]);
        lines.extend(aims.iter().map(Aim::line));
        lines.join("\n")
    }
}

impl Aim {
    fn line(&self) -> String {
        let Self { what, connections, ratio, wanted, of_bound, over_bound, met } = self;
        let met = match met {
            Met::Yes => "yes",
            Met::No => "no",
            Met::Undecided => "undecided",
        };
        let bound = match (of_bound, over_bound) {
            (false, false) => "",
            (true, false) => " (the first is generator-bound)",
            (false, true) => " (the second is generator-bound)",
            (true, true) => " (both are generator-bound)",
        };
        format!("  {what:36} {connections:6} {ratio:6.2} of {wanted:.2} wanted: {met}{bound}")
    }
}

/// A row that the generator limits has at least its rate, so it decides only what a higher rate would
/// not change.
fn met(reached: bool, of_bound: bool, over_bound: bool) -> Met {
    match (reached, of_bound, over_bound) {
        (true, _, false) => Met::Yes,
        (false, false, _) => Met::No,
        _ => Met::Undecided,
    }
}

#[expect(clippy::cast_precision_loss, reason = "rates stay far below 2^52")]
fn ratio(of: u64, over: u64) -> Option<f64> {
    (over > 0).then(|| digits(of as f64 / over as f64))
}

/// Three digits behind the point.
fn digits(share: f64) -> f64 {
    (share * 1000.0).round() / 1000.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are small and positive"
)]
fn whole(rate: f64) -> u64 {
    rate.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, connections: u32, per_s: f64, generator_busy: f64) -> Row {
        let (p50_us, p99_us) = (1, 2);
        let server_core_busy = 1.0;
        let server_us = Some(4.0);
        let measured =
            Measured { per_s, p50_us, p99_us, generator_busy, server_core_busy, server_us };
        Row::new(name, connections, &measured)
    }

    #[test]
    fn rows_are_held_against_the_limit_and_the_aims() {
        let rows = vec![
            row("tcp_echo", 200, 300_000.0, 0.9),
            row("ws_echo", 200, 240_000.0, 0.96),
            row("sell_durable", 200, 150_000.0, 0.9),
            row("redis_lua_durable", 200, 60_000.0, 0.9),
        ];
        let mut report = Report { rows, ..Report::default() };
        report.finish();
        assert_eq!(report.rows[1].ratio_to_limit, Some(0.8));
        assert!(report.rows[1].generator_bound);
        let met: Vec<_> = report.aims.iter().map(|aim| (aim.ratio, aim.met)).collect();
        assert_eq!(met, [(0.8, Met::Yes), (0.625, Met::No), (2.5, Met::No)]);
        assert!(report.words().contains("2.50 of 3.00 wanted: no"));
    }

    #[test]
    fn what_the_generator_may_have_decided_is_undecided() {
        assert_eq!(met(true, true, false), Met::Yes, "the first would only be faster");
        assert_eq!(met(false, false, true), Met::No, "the second would only be faster");
        for (reached, of_bound, over_bound) in
            [(true, false, true), (false, true, false), (true, true, true), (false, true, true)]
        {
            assert_eq!(met(reached, of_bound, over_bound), Met::Undecided);
        }
        let rows = vec![row("tcp_echo", 200, 100.0, 0.99), row("ws_echo", 200, 90.0, 0.5)];
        let mut report = Report { rows, ..Report::default() };
        report.finish();
        let line = "0.90 of 0.70 wanted: undecided (the second is generator-bound)";
        assert!(report.words().contains(line), "{}", report.words());
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["aims"][0]["met"], "undecided");
    }
}
