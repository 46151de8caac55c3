//! The page of one channel: what came by it, and nothing else.

use super::{
    charts::{Medium, moments},
    parts::{Chart, Figure, State, grouped},
    told::ChannelReport,
};
use crate::{
    answers::Phase,
    chart::{Paid, each_width},
    numbers::{count, share, tenths},
    reader::Reader,
};

/// What came by a channel, in words.
#[derive(Clone, Debug)]
pub(crate) struct ChannelView {
    pub(crate) channel: String,
    pub(crate) title: String,
    pub(crate) is_running: bool,
    pub(crate) story: String,
    pub(crate) state: State,
    pub(crate) meta: Vec<String>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) paid: Option<Chart>,
    /// Of a show: its drops.
    pub(crate) drops: Vec<ChannelDrop>,
    pub(crate) hash: Vec<String>,
}

/// One drop of a show.
#[derive(Clone, Debug)]
pub(crate) struct ChannelDrop {
    pub(crate) title: String,
    pub(crate) clicks: String,
    pub(crate) held: String,
    pub(crate) paid: String,
    pub(crate) money: String,
}

impl ChannelView {
    pub(crate) fn new(report: &ChannelReport, reader: &Reader, medium: Medium) -> Self {
        let words = reader.words;
        let is_over = |phase: Option<Phase>| phase.is_some_and(Phase::is_over);
        let is_running = match report.drops.as_slice() {
            [] => !is_over(report.phase),
            drops => drops.iter().any(|drop| !is_over(drop.phase)),
        };
        let is_settled = !is_running && report.closing_hash.is_some();
        let state = if is_settled {
            State { glyph: "tick", text: words.report_settled_final().to_owned() }
        } else {
            let word = if is_running { words.reports_running() } else { words.state_closed() };
            let glyph = if is_running { "play" } else { "square" };
            State { glyph, text: words.report_as_of(word, reader.time(report.as_of_ms)) }
        };
        let opened = report
            .opened_at_ms
            .map(|at| words.report_opened(words.day_time(reader.long_day(at), reader.time(at))));
        Self {
            channel: report.channel.clone(),
            title: if report.title.is_empty() {
                report.stream.clone()
            } else {
                report.title.clone()
            },
            is_running,
            story: if report.taken == 0 {
                words.story_channel_none(&report.channel)
            } else {
                words.story_channel(count(report.taken), &report.channel, count(report.sold))
            },
            state,
            meta: opened.into_iter().chain([report.stream.clone()]).collect(),
            figures: figures(report, reader),
            paid: chart(report, reader, medium),
            drops: report.drops.iter().map(|drop| ChannelDrop::new(drop, reader)).collect(),
            hash: report.closing_hash.as_deref().map(grouped).unwrap_or_default(),
        }
    }
}

fn clicks(report: &ChannelReport, reader: &Reader) -> String {
    report.clicks.map_or_else(|| reader.words.unknown().to_owned(), count)
}

fn worth(report: &ChannelReport, minor: u64, reader: &Reader) -> String {
    let currency = report.currency.as_deref();
    currency
        .map_or_else(|| reader.words.unknown().to_owned(), |currency| reader.money(minor, currency))
}

fn figures(report: &ChannelReport, reader: &Reader) -> Vec<Figure> {
    let words = reader.words;
    let pays = share(report.sold, report.sold.saturating_add(report.came_back));
    let figure = |label, value, second: String| Figure { label, value, second };
    vec![
        figure(
            words.channel_clicks(),
            clicks(report, reader),
            words.channel_clicks_second().to_owned(),
        ),
        figure(words.channel_held(), count(report.taken), words.channel_held_second().to_owned()),
        figure(
            words.channel_paid(),
            count(report.sold),
            match pays {
                Some(pays) => words.channel_paid_share(count(report.orders), tenths(words, pays)),
                None => words.channel_paid_second(count(report.orders)),
            },
        ),
        figure(
            words.channel_worth(),
            worth(report, report.gross_minor, reader),
            words.channel_worth_second(worth(report, report.net_minor, reader)),
        ),
    ]
}

/// Held and paid over time; how much there was of the goods is not this reader's to know.
fn chart(report: &ChannelReport, reader: &Reader, medium: Medium) -> Option<Chart> {
    let course = report.course.as_ref()?;
    let moments = moments(course);
    let most =
        moments.iter().map(|moment| moment.paid + moment.held).max().filter(|most| *most > 0)?;
    let words = reader.words;
    let drawn = Paid {
        words,
        supplied: most,
        moments: &moments,
        end_ms: moments.last().map_or(0, |moment| moment.at_ms),
        half_ms: None,
        all_ms: None,
        gaps: &[],
        is_whole: false,
    };
    let title = words.channel_over_time();
    let svg = match medium {
        Medium::Screen => each_width(|width| drawn.draw(width, title)),
        Medium::Paper => drawn.draw(crate::chart::Width::Paper, title),
    };
    Some(Chart {
        name: "paid",
        title: title.to_owned(),
        lead: words.channel_over_time_lead().to_owned(),
        svg,
    })
}

impl ChannelDrop {
    fn new(report: &ChannelReport, reader: &Reader) -> Self {
        Self {
            title: report.title.clone(),
            clicks: clicks(report, reader),
            held: count(report.taken),
            paid: count(report.sold),
            money: worth(report, report.gross_minor, reader),
        }
    }
}
