//! The figures under the stock bar, with the chart of the last minute.

use serde::Serialize;

use super::standing::Sum;
use crate::{
    answers::{Sale, Second, Snapshot},
    chart::live::{self as chart, SECONDS},
    numbers::{count, live_money},
    words::Language,
};

/// Silence after which the seconds since brought nothing, in milliseconds.
const QUIET_MS: u64 = 2_500;

/// One figure.
#[derive(Debug, Serialize)]
pub(crate) struct Tile {
    /// Its name for styles.
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) unit: &'static str,
    /// The second line.
    pub(crate) second: String,
    /// Thousandths of the gauge that are full, if it has one.
    pub(crate) gauge: Option<u64>,
    /// Whether the server tells it; what it does not tell is left out, never shown as zero.
    pub(crate) known: bool,
    /// Whether it is an amount of money, which can be hidden.
    pub(crate) is_money: bool,
}

/// The last 60 seconds of a drop, one entry for each, the newest last.
#[derive(Debug)]
pub(crate) struct Recent {
    pub(crate) takes: [u64; SECONDS],
    pub(crate) refused: [u64; SECONDS],
    pub(crate) clicks: [u64; SECONDS],
    /// Refused clicks of all of them, by [`Why`].
    why: [u64; Why::ALL.len()],
}

/// Why clicks are refused, in few words.
#[derive(Clone, Copy, Debug)]
enum Why {
    Want,
    Limit,
    Rate,
    Shut,
    Other,
}

impl Why {
    const ALL: [Self; 5] = [Self::Want, Self::Limit, Self::Rate, Self::Shut, Self::Other];

    /// The kind of a refusal's code.
    fn of(code: &str) -> Self {
        match code {
            "sold_out" | "not_enough" => Self::Want,
            "over_viewer_limit" | "holds_capped" => Self::Limit,
            "rate_limited" | "busy" => Self::Rate,
            "not_open" | "paused" | "closed" => Self::Shut,
            _ => Self::Other,
        }
    }

    fn said(self, times: u64, words: Language) -> String {
        let n = count(times);
        match self {
            Self::Want => words.why_want(n),
            Self::Limit => words.why_limit(n),
            Self::Rate => words.why_rate(n),
            Self::Shut => words.why_shut(n),
            Self::Other => words.why_other(n),
        }
    }
}

impl Recent {
    /// Ends with the last second that was told: one is told a little after its end, and one in which
    /// nothing was counted is not told.
    pub(crate) fn of(snapshot: &Snapshot, drop: &str) -> Self {
        let told: &[Second] = snapshot.seconds.get(drop).map_or(&[], Vec::as_slice);
        let newest = told.iter().map(|second| second.at_ms).max().unwrap_or_default();
        let late = snapshot.server_time_ms.saturating_sub(newest);
        let quiet = if late < QUIET_MS { 0 } else { late / 1_000 };
        let [takes, refused, clicks] = [[0; SECONDS]; 3];
        let mut recent = Self { takes, refused, clicks, why: [0; Why::ALL.len()] };
        for second in told {
            let ago = (newest - second.at_ms + 500) / 1_000 + quiet;
            let place = usize::try_from(ago).ok().and_then(|ago| (SECONDS - 1).checked_sub(ago));
            let Some(place) = place else { continue };
            recent.takes[place] = second.takes;
            recent.refused[place] = second.refused.values().sum();
            recent.clicks[place] = second.clicks;
            for (code, times) in &second.refused {
                recent.why[Why::of(code) as usize] += times;
            }
        }
        recent
    }

    /// Why they were refused, the reason with the most first; empty if none was.
    fn why(&self, words: Language) -> String {
        let mut told: Vec<(u64, Why)> = self.why.into_iter().zip(Why::ALL).collect();
        told.retain(|(times, _)| *times > 0);
        // A stable sort: of equals the one that is named first.
        told.sort_by_key(|(times, _)| std::cmp::Reverse(*times));
        let said = told.iter().map(|(times, why)| why.said(*times, words));
        let list = said.reduce(|first, second| words.list_two(first, second));
        list.map(|list| words.why_refused(list)).unwrap_or_default()
    }
}

fn last(values: &[u64; SECONDS]) -> u64 {
    values[SECONDS - 1]
}

/// The figures of the drop on air; what the server does not tell is left out.
pub(crate) fn tiles(sale: &Sale, sum: Sum, recent: &Recent, words: Language) -> Vec<Tile> {
    let (clicks, refused) = (last(&recent.clicks), last(&recent.refused));
    let refusals = match refused {
        0 => words.none_refused().to_owned(),
        all if all >= clicks => words.all_refused().to_owned(),
        some => words.n_refused(count(some)),
    };
    let plain = |key, label, value, unit, second| Tile {
        key,
        label,
        value,
        unit,
        second,
        gauge: None,
        known: true,
        is_money: false,
    };
    let rate = words.per_second();
    vec![
        plain("clicks", words.tile_clicks(), count(clicks), rate, refusals),
        plain(
            "holds",
            words.tile_holds(),
            count(last(&recent.takes)),
            rate,
            words.each_second().to_owned(),
        ),
        Tile {
            is_money: true,
            ..plain(
                "paid",
                words.tile_paid(),
                paid_money(sale, words),
                "",
                words.paid_units(count(sum.paid)),
            )
        },
        plain(
            "viewers",
            words.tile_viewers(),
            count(sale.viewers_connected),
            "",
            words.connected_now().to_owned(),
        ),
        ending(sale, sum, words),
        paying(sale, words),
    ]
}

/// Held units that soon end.
fn ending(sale: &Sale, sum: Sum, words: Language) -> Tile {
    let told = sale.held_ending.as_ref().map(|held| held.soon_units);
    let units = told.unwrap_or_default();
    Tile {
        key: "ending",
        label: words.tile_ending(),
        value: count(units),
        unit: "",
        second: words.of_held(count(sum.held)),
        gauge: Some(units.min(sum.held) * 1_000 / sum.held.max(1)),
        known: told.is_some(),
        is_money: false,
    }
}

/// Of the units that are held no more, the share that was paid for; below it what came back or, if there are any,
/// the payments that failed of late.
fn paying(sale: &Sale, words: Language) -> Tile {
    let (ordered, returned) =
        sale.paying.map_or((0, 0), |paying| (paying.ordered_units, paying.returned_units));
    let failed = sale.paying.map_or(0, |paying| paying.recent_failed);
    let all = ordered.saturating_add(returned);
    let share = ordered.saturating_mul(1_000).checked_div(all);
    Tile {
        key: "paying",
        label: words.tile_paying(),
        value: share.map_or_else(|| words.unknown().to_owned(), |share| count(share / 10)),
        unit: if share.is_some() { "%" } else { "" },
        second: match failed {
            0 => words.came_back(count(returned)),
            failed => words.failed_of_late(count(failed)),
        },
        gauge: Some(share.unwrap_or_default()),
        known: sale.paying.is_some(),
        is_money: false,
    }
}

/// What was paid, by the plan's prices.
fn paid_money(sale: &Sale, words: Language) -> String {
    let priced = sale.skus.iter().zip(&sale.plan.skus);
    let minor = priced.fold(0_u64, |sum, (figures, goods)| {
        sum.saturating_add(figures.sold.saturating_mul(goods.price.minor))
    });
    let currency = sale.plan.skus.first().map_or("", |goods| goods.price.currency.as_str());
    live_money(words, minor, currency)
}

/// Clicks of the last minute: holds up, refusals down.
#[derive(Debug, Serialize)]
pub(crate) struct Chart {
    /// Path of the upper bars.
    pub(crate) up: String,
    /// Path of the lower bars.
    pub(crate) down: String,
    pub(crate) up_scale: String,
    pub(crate) down_scale: String,
    pub(crate) holds: String,
    pub(crate) refused: String,
    /// Why clicks of this minute were refused.
    pub(crate) why: String,
    /// The finding, for who does not see it.
    pub(crate) label: String,
}

impl Chart {
    pub(crate) fn new(recent: &Recent, words: Language) -> Self {
        let most = |values: &[u64; SECONDS]| values.iter().copied().max().unwrap_or_default();
        let (up, down) = (chart::scale(most(&recent.takes)), chart::scale(most(&recent.refused)));
        let (holds, refused) = (count(last(&recent.takes)), count(last(&recent.refused)));
        Self {
            up: chart::bars(&recent.takes, up, true),
            down: chart::bars(&recent.refused, down, false),
            up_scale: count(up),
            down_scale: count(down),
            label: words.chart_label(&holds, &refused),
            holds,
            refused,
            why: recent.why(words),
        }
    }
}
