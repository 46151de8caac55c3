//! The page of one channel: what came by it, and nothing else.

use super::{
    links::{ChannelReport, Worth},
    parts::{Figure, State, grouped},
};
use crate::{
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
    pub(crate) fn new(report: &ChannelReport, reader: &Reader) -> Self {
        let words = reader.words;
        let is_running = report.is_running();
        let state = if report.closing_hash.is_some() {
            State { glyph: "tick", text: words.report_settled_final().to_owned() }
        } else {
            let word = if is_running { words.reports_running() } else { words.report_show_over() };
            let glyph = if is_running { "play" } else { "square" };
            State { glyph, text: words.report_as_of(word, reader.time(report.as_of_ms)) }
        };
        let moment = |at| words.day_time(reader.long_day(at), reader.time(at));
        let opened = report.opened_at_ms.map(|at| words.report_opened(moment(at)));
        let began = report.began_ms.map(|at| words.report_began(moment(at)));
        Self {
            channel: report.channel.clone(),
            title: if report.title.is_empty() { &report.stream } else { &report.title }.clone(),
            is_running,
            story: if report.taken == 0 {
                words.story_channel_none(&report.channel)
            } else {
                words.story_channel(count(report.taken), &report.channel, count(report.sold))
            },
            state,
            meta: opened.into_iter().chain(began).chain([report.stream.clone()]).collect(),
            figures: figures(report, reader),
            drops: report.drops.iter().map(|drop| ChannelDrop::new(drop, reader)).collect(),
            hash: report.closing_hash.as_deref().map(grouped).unwrap_or_default(),
        }
    }
}

fn clicks(report: &ChannelReport, reader: &Reader) -> String {
    report.clicks.map_or_else(|| reader.words.unknown().to_owned(), count)
}

/// An amount in each currency.
fn amounts(report: &ChannelReport, reader: &Reader, figure: fn(&Worth) -> u64) -> String {
    let all = report.worth().map(|worth| reader.money(figure(worth), &worth.currency));
    let all: Vec<String> = all.collect();
    if all.is_empty() { reader.words.unknown().to_owned() } else { all.join(" + ") }
}

fn figures(report: &ChannelReport, reader: &Reader) -> Vec<Figure> {
    let words = reader.words;
    let orders = count(report.orders);
    let second = match share(report.sold, report.sold.saturating_add(report.came_back)) {
        Some(pays) => words.channel_paid_share(orders, tenths(words, pays)),
        None => words.channel_paid_second(orders),
    };
    // Before anything was sold there is no currency to say it in.
    let kept = report
        .worth()
        .next()
        .map(|_| words.channel_worth_second(amounts(report, reader, |worth| worth.net_minor)));
    let figure = |label, value, second: String| Figure { label, value, second };
    vec![
        figure(
            words.channel_clicks(),
            clicks(report, reader),
            words.channel_clicks_second().to_owned(),
        ),
        figure(words.channel_held(), count(report.taken), words.channel_held_second().to_owned()),
        figure(words.channel_paid(), count(report.sold), second),
        figure(
            words.channel_worth(),
            amounts(report, reader, |worth| worth.gross_minor),
            kept.unwrap_or_default(),
        ),
    ]
}

impl ChannelDrop {
    fn new(report: &ChannelReport, reader: &Reader) -> Self {
        Self {
            title: report.title.clone(),
            clicks: clicks(report, reader),
            held: count(report.taken),
            paid: count(report.sold),
            money: amounts(report, reader, |worth| worth.gross_minor),
        }
    }
}
