//! The page of a show: its drops, its money, what sold best, who came by which channel.

use super::{
    channels::amounts,
    drop_view::{Setting, adjusted},
    findings,
    parts::{Channels, Download, DropRow, Drops, Figure, State, grouped, width},
    story::who,
    told::{Best, InCurrency, Line, Running, ShowReport, Sums},
};
use crate::{
    numbers::{count, duration, share, tenths},
    reader::Reader,
};

/// A show's report in words.
#[derive(Clone, Debug)]
pub(crate) struct ShowView {
    pub(crate) stream: String,
    pub(crate) story: Vec<String>,
    pub(crate) second: Vec<String>,
    pub(crate) state: State,
    pub(crate) meta: Vec<String>,
    pub(crate) day: String,
    pub(crate) figures: Vec<Figure>,
    /// What came after drops had settled.
    pub(crate) since: Vec<String>,
    pub(crate) drops: Option<Drops>,
    pub(crate) best: Option<BestTable>,
    pub(crate) channels: Option<Channels>,
    pub(crate) rehearsals: Option<Drops>,
    pub(crate) called_off: Option<Drops>,
    /// The drops that are settled, with the hash of each.
    pub(crate) hashes: Vec<(String, String)>,
    pub(crate) downloads: Vec<Download>,
    pub(crate) foot: String,
}

/// What sold best.
#[derive(Clone, Debug)]
pub(crate) struct BestTable {
    pub(crate) title: String,
    pub(crate) rows: Vec<BestRow>,
}

/// Goods of one drop.
#[derive(Clone, Debug)]
pub(crate) struct BestRow {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) link: Option<String>,
    pub(crate) paid: String,
    pub(crate) supply: String,
    /// Length of its bar beside the longest.
    pub(crate) length: String,
    pub(crate) money: String,
}

impl ShowView {
    pub(crate) fn new(
        report: &ShowReport,
        reader: &Reader,
        setting: &Setting,
        rows_max: usize,
    ) -> Self {
        let words = reader.words;
        let apart = |lines: &[Line], title: &str, lead: &str| {
            (!lines.is_empty()).then(|| Drops::apart(lines, title, lead, reader, setting, rows_max))
        };
        let moment = |at| words.day_time(reader.long_day(at), reader.time(at));
        let began = report.began_ms.map(|at| words.report_began(moment(at)));
        Self {
            stream: report.stream.clone(),
            story: story(report, reader),
            second: second(report, reader),
            state: State::of_show(report.running(), report.as_of_ms, reader),
            meta: began.into_iter().chain([report.show.clone()]).collect(),
            day: report.began_ms.map(|at| reader.long_day(at)).unwrap_or_default(),
            figures: figures(report, reader),
            since: since(report, reader),
            drops: (!report.drops.is_empty()).then(|| {
                Drops { link: None, ..Drops::of_show(report, None, reader, setting) }
                    .cut(rows_max, reader)
            }),
            best: best(report, reader, setting),
            channels: Channels::of_show(report, reader, setting.channels_max),
            rehearsals: apart(
                &report.rehearsals,
                words.report_rehearsals(),
                words.report_rehearsals_lead(),
            ),
            called_off: apart(
                &report.cancelled,
                words.report_called_off(),
                words.report_called_off_lead(),
            ),
            hashes: hashes(report, rows_max),
            downloads: setting.downloads_of_show(reader),
            foot: words.report_printed_foot_show(&report.show, reader.time(report.as_of_ms)),
        }
    }
}

fn hashes(report: &ShowReport, rows_max: usize) -> Vec<(String, String)> {
    let hash =
        |line: &Line| Some((line.title.clone(), grouped(line.closing_hash.as_deref()?).join(" ")));
    report.drops.iter().filter_map(hash).take(rows_max).collect()
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn story(report: &ShowReport, reader: &Reader) -> Vec<String> {
    let words = reader.words;
    if report.drops.is_empty() {
        return vec![words.story_show_none().to_owned()];
    }
    let (paid, supplied) = (count(report.sold), count(report.supplied));
    let drops = count(number(report.drops.len()));
    if is_planned(report) {
        return vec![words.story_show_planned(count(report.planned), drops)];
    }
    let first = match report.running() {
        Running::Over => words.story_show(paid, supplied, drops),
        Running::Live | Running::Planned => words.story_show_running(paid, supplied, drops),
    };
    let held = (report.held > 0).then(|| words.story_held(count(report.held)));
    let left = (report.left > 0).then(|| words.story_left(count(report.left)));
    std::iter::once(first).chain(held).chain(left).collect()
}

/// Whether nothing has opened yet.
fn is_planned(report: &ShowReport) -> bool {
    report.drops.iter().all(|line| line.phase.is_before())
}

fn second(report: &ShowReport, reader: &Reader) -> Vec<String> {
    if report.drops.is_empty() || is_planned(report) {
        return Vec::new();
    }
    let is_over = report.running() == Running::Over;
    let refused = report.refused_for_want;
    who(report.buyers, is_over, (refused, report.clicks, report.counts_complete), reader.words)
}

/// What came after drops had settled.
fn since(report: &ShowReport, reader: &Reader) -> Vec<String> {
    let kept = |currency: &str| {
        let found = report.money.iter().find(|sum| sum.currency == currency);
        found.map_or(0, |sum| sum.sums.net)
    };
    let all = report.adjustments.iter().flatten();
    all.flat_map(|one| adjusted(&one.later, kept(&one.currency), &one.currency, reader)).collect()
}

fn figures(report: &ShowReport, reader: &Reader) -> Vec<Figure> {
    let words = reader.words;
    let orders = count(report.orders);
    let refunded: Vec<String> = report
        .money
        .iter()
        .filter(|sum| sum.sums.refunded > 0)
        .map(|sum| {
            words.report_refunded(
                reader.money(sum.sums.refunded, &sum.currency),
                reader.money(sum.sums.net, &sum.currency),
            )
        })
        .collect();
    let pays = share(report.sold, report.sold.saturating_add(report.came_back));
    vec![
        Figure {
            label: words.report_paid_units(),
            value: count(report.sold),
            second: words.report_paid_units_second(count(report.supplied), &orders),
        },
        Figure {
            label: words.report_paid_money(),
            value: amounts(&report.money, reader),
            second: if refunded.is_empty() {
                words.report_no_refunds().to_owned()
            } else {
                refunded.join("; ")
            },
        },
        Figure {
            label: words.report_buyers(),
            value: count(report.buyers),
            second: words.report_buyers_second(orders),
        },
        Figure {
            label: words.report_paid_of_held(),
            value: pays.map_or_else(|| words.unknown().to_owned(), |pays| tenths(words, pays)),
            second: match report.came_back {
                0 => words.report_none_came_back().to_owned(),
                back => words.report_came_back(count(back)),
            },
        },
    ]
}

fn best(report: &ShowReport, reader: &Reader, setting: &Setting) -> Option<BestTable> {
    let shown: Vec<&Best> = report.best.iter().filter(|best| best.sold > 0).collect();
    let longest = shown.iter().map(|best| best.sold).max()?;
    let words = reader.words;
    let name = |best: &Best| {
        let options: Vec<&str> = best.options.iter().map(|option| option.value.as_str()).collect();
        match (options.is_empty(), best.sku_title == best.title) {
            (false, _) => format!("{}, {}", best.sku_title, options.join(", ")),
            (true, true) => best.title.clone(),
            (true, false) => format!("{}, {}", best.title, best.sku_title),
        }
    };
    let title = match shown.as_slice() {
        [first, second, ..] if first.sold == second.sold => words.finding_best().to_owned(),
        [first, rest @ ..] => {
            // Another drop may have goods of the same name.
            let is_alike = rest.iter().any(|other| name(other) == name(first));
            let mark = if is_alike { first.code().map(|code| format!(", {code}")) } else { None };
            let mark = mark.unwrap_or_default();
            let called = findings::brief(&format!("{}{mark}", name(first)));
            words.finding_best_named(called, count(first.sold))
        }
        [] => return None,
    };
    let rows = shown.iter().map(|best| BestRow {
        name: name(best),
        title: best.code().unwrap_or_default().to_owned(),
        link: setting.links.then(|| format!("/reports/{}", best.drop)),
        paid: count(best.sold),
        supply: count(best.supplied),
        length: width(
            u64::try_from(u128::from(best.sold) * 1_000 / u128::from(longest)).unwrap_or(1_000),
        ),
        money: reader.money(best.gross_minor, &best.currency),
    });
    Some(BestTable { title, rows: rows.collect() })
}

impl Drops {
    /// The drops of a show that count, the one of this page marked.
    pub(super) fn of_show(
        show: &ShowReport,
        this: Option<&str>,
        reader: &Reader,
        setting: &Setting,
    ) -> Self {
        let words = reader.words;
        let paid = amounts(&show.money, reader);
        let clock = |at| reader.short_time(at);
        let lead = match (show.began_ms, show.ended_ms) {
            (Some(began), Some(ended)) if show.running() == Running::Over => {
                words.report_show_lead(&show.stream, clock(began), clock(ended))
            }
            (Some(began), _) => words.report_show_lead_running(&show.stream, clock(began)),
            (None, _) => show.stream.clone(),
        };
        let rows = show.drops.iter().map(|line| row(line, this, reader, setting));
        let total = DropRow {
            title: words.report_total().to_owned(),
            link: None,
            is_this: false,
            supply: count(show.supplied),
            paid: count(show.sold),
            left: count(show.left),
            all_taken: String::new(),
            refused: count(show.refused_for_want),
            money: paid.clone(),
        };
        Self {
            title: findings::show(show, &paid, words),
            lead,
            money_head: money_head(&show.money, reader),
            rows: rows.collect(),
            total: (show.drops.len() > 1).then_some(total),
            link: setting.links.then(|| format!("/reports/shows/{}", show.show)),
            left_out: None,
        }
    }

    /// Drops that count in no sum.
    fn apart(
        lines: &[Line],
        title: &str,
        lead: &str,
        reader: &Reader,
        setting: &Setting,
        rows_max: usize,
    ) -> Self {
        let rows = lines.iter().map(|line| row(line, None, reader, setting)).collect();
        let table = Self {
            title: title.to_owned(),
            lead: lead.to_owned(),
            money_head: reader.words.report_paid_money().to_owned(),
            rows,
            total: None,
            link: None,
            left_out: None,
        };
        table.cut(rows_max, reader)
    }

    /// The same with so many rows at most.
    pub(super) fn cut(mut self, rows_max: usize, reader: &Reader) -> Self {
        if self.rows.len() > rows_max {
            let hidden = number(self.rows.len() - rows_max);
            self.rows.truncate(rows_max);
            self.left_out = Some(reader.words.report_rows_in_download(count(hidden)));
        }
        self
    }
}

fn money_head(money: &[InCurrency], reader: &Reader) -> String {
    match money {
        [only] => reader.words.report_col_money(&only.currency),
        _ => reader.words.report_paid_money().to_owned(),
    }
}

fn row(line: &Line, this: Option<&str>, reader: &Reader, setting: &Setting) -> DropRow {
    let is_this = this == Some(line.drop.as_str());
    let Sums { paid, .. } = line.money;
    DropRow {
        title: line.title.clone(),
        link: (setting.links && !is_this).then(|| format!("/reports/{}", line.drop)),
        is_this,
        supply: count(line.supplied),
        paid: count(line.sold),
        left: count(line.left),
        all_taken: line
            .sold_out_after_ms
            .map_or_else(|| reader.words.unknown().to_owned(), |ms| duration(reader.words, ms)),
        refused: count(line.refused_for_want),
        money: reader.money(paid, &line.currency),
    }
}

impl Setting {
    fn downloads_of_show(&self, reader: &Reader) -> Vec<Download> {
        let words = reader.words;
        let file = |path: &str, name, second, is_page| Download {
            path: path.to_owned(),
            name,
            second,
            is_page,
        };
        vec![
            file(
                &self.workbook,
                words.download_workbook(),
                words.download_workbook_second(),
                false,
            ),
            file(&self.json, words.download_whole(), words.download_json(), false),
            file(&self.print, words.download_print(), words.download_print_second(), true),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::words::Language;

    fn told() -> Value {
        let line = |drop: &str, phase: &str| {
            json!({ "drop": drop, "title": drop, "phase": phase, "supplied": 100, "sold": 60, "left": 40,
                "currency": "EUR", "paid_minor": 6_000, "net_minor": 6_000 })
        };
        json!({ "show": "d1", "stream": "friday-show", "began_ms": 1_795_810_447_000_u64, "ended_ms": null,
            "as_of_ms": 1_795_810_447_000_u64, "running": false, "planned": 200, "clicks": 300,
            "counts_complete": true, "money": [{ "currency": "EUR", "paid_minor": 12_000, "net_minor": 12_000 }],
            "supplied": 200, "held": 0, "sold": 120, "left": 80, "came_back": 0, "refused_for_want": 7,
            "buyers": 110, "orders": 115, "drops": [line("d1", "settled"), line("d2", "settled")] })
    }

    fn view(change: impl FnOnce(&mut Value)) -> ShowView {
        let mut told = told();
        change(&mut told);
        let reader = Reader::of(Language::English);
        let setting = super::super::page::show_setting("d1", super::super::charts::Medium::Screen);
        ShowView::new(&serde_json::from_value(told).unwrap(), &reader, &setting, 200)
    }

    #[test]
    fn it_is_over_only_if_every_drop_is() {
        assert_eq!(view(|_| {}).state.text, "Over");
        // Between two drops the second one is still to come.
        let between = view(|told| {
            told["running"] = true.into();
            told["drops"][1]["phase"] = "scheduled".into();
        });
        assert_eq!(between.state.text, "Planned");
        assert!(between.story[0].contains("paid so far"), "{:?}", between.story);
        let closed = view(|told| told["drops"][1]["phase"] = "closed".into());
        assert_eq!(closed.state.text, "goes on, figures of 20:14:07 UTC");
        let planned = view(|told| {
            for drop in told["drops"].as_array_mut().unwrap() {
                drop["phase"] = "scheduled".into();
            }
        });
        assert_eq!(planned.story, ["200 units are planned in 2 drops. Nothing has opened yet."]);
        assert!(planned.second.is_empty());
    }

    #[test]
    fn who_bought_and_was_refused_is_said_as_of_a_drop() {
        let second = |change: fn(&mut Value)| view(change).second.join(" ");
        let whole = "110 people bought. 7 clicks were refused for want of units.";
        assert_eq!(second(|_| {}), whole);
        assert_eq!(
            second(|told| told["counts_complete"] = false.into()),
            "110 people bought. At least 7 clicks were refused for want of units."
        );
        let early = |told: &mut Value| {
            told["buyers"] = 0.into();
            told["refused_for_want"] = 0.into();
            told["drops"][1]["phase"] = "open".into();
        };
        assert_eq!(second(early), "Nobody has bought yet. No click was refused for want of units.");
    }

    #[test]
    fn what_came_after_settlement_is_told() {
        assert!(view(|_| {}).since.is_empty());
        let later = view(|told| {
            told["adjustments"] = json!([{ "currency": "EUR", "as_of_ms": 1_795_810_447_000_u64,
                "orders_cancelled": 2, "units_cancelled": 2, "refunded_minor": 2_000, "net_minor": -2_000 }]);
        });
        let said = later.since.join(" ");
        assert!(
            said.starts_with("2 orders were cancelled, 2 units of what was paid. €20.00 went back; €100.00 of the money is kept."),
            "{said}"
        );
    }
}
