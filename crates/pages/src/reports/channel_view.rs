//! The page of one channel: what came by it, and nothing else.

use super::{
    drop_view::adjusted,
    links::{ChannelReport, Worth},
    parts::{Figure, State, grouped},
    sound::standing,
    told::Running,
};
use crate::{
    answers::{Mode, Phase},
    live::Standing,
    numbers::{count, share, tenths},
    reader::Reader,
};

/// What came by a channel, in words.
#[derive(Clone, Debug)]
pub(crate) struct ChannelView {
    pub(crate) channel: String,
    pub(crate) title: String,
    pub(crate) running: Running,
    pub(crate) is_rehearsal: bool,
    pub(crate) story: String,
    pub(crate) state: State,
    pub(crate) meta: Vec<String>,
    pub(crate) figures: Vec<Figure>,
    /// Of a show: its drops.
    pub(crate) drops: Vec<ChannelDrop>,
    /// What came after settlement.
    pub(crate) since: Vec<String>,
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
        let moment = |at| words.day_time(reader.long_day(at), reader.time(at));
        let opened = report.opened_at_ms.map(|at| words.report_opened(moment(at)));
        let began = report.began_ms.map(|at| words.report_began(moment(at)));
        Self {
            channel: report.channel.clone(),
            title: if report.title.is_empty() { &report.stream } else { &report.title }.clone(),
            running: report.running(),
            is_rehearsal: report.mode == Some(Mode::Rehearsal),
            story: if report.taken == 0 {
                match report.running() {
                    Running::Over => words.story_channel_never(&report.channel),
                    Running::Live | Running::Planned => words.story_channel_none(&report.channel),
                }
            } else {
                words.story_channel(count(report.taken), &report.channel, count(report.sold))
            },
            state: state(report, reader),
            meta: opened.into_iter().chain(began).chain([report.stream.clone()]).collect(),
            figures: figures(report, reader),
            drops: report.drops.iter().map(|drop| ChannelDrop::new(drop, reader)).collect(),
            since: since(report, reader),
            hash: report.closing_hash.as_deref().map(grouped).unwrap_or_default(),
        }
    }
}

fn state(report: &ChannelReport, reader: &Reader) -> State {
    match report.phase {
        Some(phase) => of_drop(phase, report.as_of_ms, reader),
        None => State::of_show(report.running(), report.as_of_ms, reader),
    }
}

fn of_drop(phase: Phase, as_of_ms: u64, reader: &Reader) -> State {
    let words = reader.words;
    let standing = standing(phase);
    let text = match phase {
        Phase::Settled => words.report_settled_final().to_owned(),
        Phase::Cancelled | Phase::Voided | Phase::Scheduled => standing.word(words).to_owned(),
        _ => words.report_as_of(standing.word(words), reader.time(as_of_ms)),
    };
    let glyph = if phase == Phase::Settled { "tick" } else { standing.glyph() };
    State { glyph, text }
}

impl State {
    /// Of a show.
    pub(super) fn of_show(running: Running, as_of_ms: u64, reader: &Reader) -> Self {
        let words = reader.words;
        match running {
            Running::Live => {
                let text = words.report_as_of(words.reports_running(), reader.time(as_of_ms));
                Self { glyph: "play", text }
            }
            Running::Planned => {
                let planned = Standing::Planned;
                Self { glyph: planned.glyph(), text: planned.word(words).to_owned() }
            }
            Running::Over => Self { glyph: "tick", text: words.report_show_over().to_owned() },
        }
    }
}

fn since(report: &ChannelReport, reader: &Reader) -> Vec<String> {
    let kept = |currency: &str| {
        report.worth().find(|worth| worth.currency == currency).map_or(0, |worth| worth.net_minor)
    };
    let later = report.later().into_iter();
    later.flat_map(|(currency, later)| adjusted(&later, kept(currency), currency, reader)).collect()
}

/// Clicks, which may be more than are counted by the channel's name.
fn clicks(report: &ChannelReport, reader: &Reader) -> String {
    let words = reader.words;
    match (report.clicks, report.clicks_at_least) {
        (None, _) | (Some(0), true) => words.unknown().to_owned(),
        (Some(clicks), true) => words.at_least(count(clicks)),
        (Some(clicks), false) => count(clicks),
    }
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
    let kept = report.worth().next().map(|_| {
        let has_gone_back = report.worth().any(|worth| worth.net_minor != worth.gross_minor);
        let net = || amounts(report, reader, |worth| worth.net_minor);
        if has_gone_back {
            words.channel_worth_second(net())
        } else {
            words.report_no_refunds().to_owned()
        }
    });
    let figure = |label, value, second: String| Figure { label, value, second };
    let clicks_second = if report.clicks == Some(0) && report.clicks_at_least {
        words.channel_clicks_unnamed()
    } else {
        words.channel_clicks_second()
    };
    vec![
        figure(words.channel_clicks(), clicks(report, reader), clicks_second.to_owned()),
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::words::Language;

    fn told() -> Value {
        json!({ "title": "Eau de parfum", "stream": "friday-show", "channel": "tom", "mode": "live",
            "phase": "settled", "as_of_ms": 1_795_810_447_000_u64, "clicks": 37, "clicks_at_least": false,
            "taken": 12, "sold": 9, "came_back": 3, "orders": 8, "currency": "EUR", "gross_minor": 5_000,
            "net_minor": 5_000, "adjustments": null, "closing_hash": "7f3a91c4".repeat(8) })
    }

    fn view(changes: &[(&str, Value)]) -> ChannelView {
        let mut told = told();
        for (field, value) in changes {
            told[*field] = value.clone();
        }
        ChannelView::new(&serde_json::from_value(told).unwrap(), &Reader::of(Language::English))
    }

    #[test]
    fn clicks_that_are_not_counted_by_name_are_no_exact_number() {
        let said = |clicks: Value, at_least: bool| {
            let shown = view(&[("clicks", clicks), ("clicks_at_least", at_least.into())]);
            (shown.figures[0].value.clone(), shown.figures[0].second.clone())
        };
        let owned = |value: &str, second: &str| (value.to_owned(), second.to_owned());
        assert_eq!(said(37.into(), false), owned("37", "on Buy"));
        assert_eq!(said(37.into(), true), owned("at least 37", "on Buy"));
        assert_eq!(said(0.into(), true), owned("–", "not counted by name"));
        assert_eq!(said(0.into(), false), owned("0", "on Buy"));
        assert_eq!(said(Value::Null, false), owned("–", "on Buy"));
    }

    #[test]
    fn what_went_back_after_settlement_is_told() {
        assert!(view(&[]).since.is_empty());
        let later = json!({ "as_of_ms": 1_795_810_447_000_u64, "orders_cancelled": 1, "units_cancelled": 1,
            "paid_minor": 0, "refunded_minor": 1_000, "net_minor": -1_000 });
        let start = "1 order was cancelled, 1 unit of what was paid. €10.00 went back; €40.00 of the money is kept.";
        let said = view(&[("adjustments", later.clone())]).since.join(" ");
        assert!(said.starts_with(start), "{said}");
        // A show has them by currency.
        let mut one = later;
        one["currency"] = "EUR".into();
        let of_show = [
            ("phase", Value::Null),
            ("currency", Value::Null),
            ("money", json!([{ "currency": "EUR", "gross_minor": 5_000, "net_minor": 5_000 }])),
            ("adjustments", json!([one])),
        ];
        let said = view(&of_show).since.join(" ");
        assert!(said.starts_with(start), "{said}");
    }

    #[test]
    fn how_it_stands_goes_by_its_phase() {
        let said = |phase: &str| {
            let shown = view(&[("phase", phase.into())]);
            (shown.state.text, shown.running)
        };
        let owned = |text: &str, running| (text.to_owned(), running);
        assert_eq!(said("settled"), owned("Settled, figures are final", Running::Over));
        // A drop that was called off has a closing hash as well.
        assert_eq!(said("cancelled"), owned("Called off", Running::Over));
        assert_eq!(said("scheduled"), owned("Planned", Running::Planned));
        // What is held at the close is paid for after it.
        assert_eq!(said("closed"), owned("Closed, figures of 20:14:07 UTC", Running::Live));
        let show = |running: bool, phases: [&str; 2]| {
            let drop = |phase: &&str| {
                let mut drop = told();
                drop["phase"] = (*phase).into();
                drop
            };
            let drops: Vec<Value> = phases.iter().map(drop).collect();
            let shown = view(&[
                ("phase", Value::Null),
                ("running", running.into()),
                ("drops", drops.into()),
            ]);
            (shown.state.text, shown.running)
        };
        assert_eq!(show(false, ["settled", "cancelled"]), owned("Over", Running::Over));
        assert_eq!(show(true, ["settled", "scheduled"]), owned("Planned", Running::Planned));
        assert_eq!(
            show(true, ["settled", "closed"]),
            owned("goes on, figures of 20:14:07 UTC", Running::Live)
        );
    }

    #[test]
    fn a_rehearsal_is_not_taken_for_a_sale() {
        assert!(!view(&[]).is_rehearsal);
        assert!(view(&[("mode", "rehearsal".into())]).is_rehearsal);
    }
}
