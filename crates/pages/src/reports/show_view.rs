//! The page of a show: its drops, its money, what sold best, who came by which channel.

use super::{
    channels::amounts,
    drop_view::Setting,
    findings,
    parts::{Channels, Download, DropRow, Drops, Figure, State, grouped, width},
    told::{Best, InCurrency, Line, ShowReport, Sums},
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
            state: state(report, reader),
            meta: began.into_iter().chain([report.show.clone()]).collect(),
            day: report.began_ms.map(|at| reader.long_day(at)).unwrap_or_default(),
            figures: figures(report, reader),
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
    let first = if report.running {
        words.story_show_running(paid, supplied, drops)
    } else {
        words.story_show(paid, supplied, drops)
    };
    let held = (report.held > 0).then(|| words.story_held(count(report.held)));
    let left = (report.left > 0).then(|| words.story_left(count(report.left)));
    std::iter::once(first).chain(held).chain(left).collect()
}

fn second(report: &ShowReport, reader: &Reader) -> Vec<String> {
    let words = reader.words;
    if report.drops.is_empty() {
        return Vec::new();
    }
    let bought = match report.buyers {
        0 => words.story_nobody_bought().to_owned(),
        buyers => words.story_bought(count(buyers)),
    };
    let refused =
        (report.refused_for_want > 0).then(|| words.story_refused(count(report.refused_for_want)));
    std::iter::once(bought).chain(refused).collect()
}

fn state(report: &ShowReport, reader: &Reader) -> State {
    let words = reader.words;
    let time = reader.time(report.as_of_ms);
    if report.running {
        return State { glyph: "play", text: words.report_as_of(words.reports_running(), time) };
    }
    let is_settled = report.drops.iter().all(|line| line.phase.is_over());
    if is_settled {
        State { glyph: "tick", text: words.report_show_over().to_owned() }
    } else {
        State { glyph: "square", text: words.report_as_of(words.report_show_over(), time) }
    }
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
        [first, ..] => words.finding_best_named(findings::brief(&name(first)), count(first.sold)),
        [] => return None,
    };
    let rows = shown.iter().map(|best| BestRow {
        name: name(best),
        title: best.merchant_sku.clone(),
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
            (Some(began), Some(ended)) if !show.running => {
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
