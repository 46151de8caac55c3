//! The page of one drop: everything that it shows, in the order in which it is read.

use super::{
    charts::{self, Medium},
    parts::{
        Changes, Channels, Chart, Download, Drops, Figure, Now, PhaseRow, Refused, Since, Sizes,
        Sound, State, grouped,
    },
    sound,
    story::Story,
    told::{Adjustments, Report, Running, ShowReport},
};
use crate::{
    answers::{Mode, Phase},
    live::Standing,
    numbers::{count, share, tenths},
    reader::Reader,
};

/// Where the parts of a report are found, and how many rows tables have.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) medium: Medium,
    /// Where the files are, without a slash at the end; `None` where none are offered.
    pub(crate) files: Option<String>,
    /// Where the workbook with the JSON are, with the query that asks for their kind.
    pub(crate) workbook: String,
    pub(crate) json: String,
    pub(crate) print: String,
    /// Where the orders are, for readers who may have them.
    pub(crate) orders: Option<String>,
    pub(crate) sizes_max: usize,
    pub(crate) channels_max: usize,
    /// Whether pages of other drops are open to the reader.
    pub(crate) links: bool,
}

/// A drop's report in words.
#[derive(Clone, Debug)]
pub(crate) struct DropView {
    pub(crate) title: String,
    /// Whether figures may still change by selling: whatever may come in has its place on the page.
    pub(crate) may_move: bool,
    pub(crate) stream: String,
    pub(crate) merchant: String,
    pub(crate) story: Story,
    pub(crate) state: State,
    pub(crate) is_rehearsal: bool,
    pub(crate) meta: Vec<String>,
    /// The day on which it opened; of the plan before.
    pub(crate) day: String,
    pub(crate) figures: Vec<Figure>,
    /// What is wrong, and what somebody has to look at.
    pub(crate) wrong: Option<String>,
    pub(crate) notes: Vec<String>,
    /// Beside figures that are frozen: what somebody has still to look at.
    pub(crate) now: Option<Now>,
    pub(crate) sizes: Sizes,
    pub(crate) channels: Option<Channels>,
    pub(crate) paid: Option<Chart>,
    pub(crate) flow: Option<Chart>,
    pub(crate) viewers: Option<Chart>,
    pub(crate) changes: Option<Changes>,
    pub(crate) show: Option<Drops>,
    pub(crate) since: Option<Since>,
    pub(crate) downloads: Vec<Download>,
    pub(crate) taken: Option<Chart>,
    pub(crate) refused: Refused,
    pub(crate) sound: Sound,
    pub(crate) phases: Vec<PhaseRow>,
    /// What stands at the foot of each printed page.
    pub(crate) foot: String,
}

impl DropView {
    pub(crate) fn new(
        report: &Report,
        show: Option<&ShowReport>,
        reader: &Reader,
        setting: &Setting,
    ) -> Self {
        let words = reader.words;
        let medium = setting.medium;
        let all_channels = setting.files.as_ref().map(|files| format!("{files}/channels.csv"));
        let show = show.filter(|show| show.drops.len() > 1);
        Self {
            title: report.title.clone(),
            may_move: report.running() != Running::Over,
            stream: report.stream.clone(),
            merchant: report.merchant.clone(),
            story: Story::of(report, words),
            state: state(report, reader),
            is_rehearsal: report.mode == Mode::Rehearsal,
            meta: meta(report, reader),
            day: report.opened_at_ms.map(|at| reader.long_day(at)).unwrap_or_default(),
            figures: figures(report, reader),
            wrong: (report.oversold > 0).then(|| words.report_oversold(count(report.oversold))),
            notes: notes(report, reader),
            now: now(report, reader),
            sizes: Sizes::of(report, reader, setting.sizes_max),
            channels: Channels::of(report, reader, setting.channels_max, all_channels),
            paid: charts::paid(report, words, medium),
            flow: charts::flow(report, words, medium),
            viewers: charts::viewers(report, words, medium),
            changes: Changes::of(report, reader),
            show: show.map(|show| Drops::of_show(show, Some(&report.drop), reader, setting)),
            since: since(report, reader),
            downloads: setting.downloads(reader),
            taken: charts::taken(report, words, medium),
            refused: sound::refused(report, words),
            sound: sound::sound(report, words),
            phases: sound::phases(report, reader),
            foot: foot(report, reader),
        }
    }
}

/// How the drop stands.
fn standing(report: &Report) -> Standing {
    Standing::of_units(report.phase, report.supplied, report.left, report.held + report.reserve)
}

fn state(report: &Report, reader: &Reader) -> State {
    let words = reader.words;
    if report.is_settled() {
        return State { glyph: "tick", text: words.report_settled_final().to_owned() };
    }
    let standing = standing(report);
    let word = standing.word(words);
    let text = if report.is_running() {
        words.report_as_of(word, reader.time(report.as_of_ms))
    } else {
        word.to_owned()
    };
    State { glyph: standing.glyph(), text }
}

fn meta(report: &Report, reader: &Reader) -> Vec<String> {
    let words = reader.words;
    let opened = report.opened_at_ms.map(|at| {
        let moment = words.day_time(reader.long_day(at), reader.time(at));
        words.report_opened(moment)
    });
    let rest = [words.report_host(&report.host), report.drop.clone()];
    opened.into_iter().chain(rest).collect()
}

/// The four figures that a merchant asks for first, each with what it means.
fn figures(report: &Report, reader: &Reader) -> Vec<Figure> {
    let words = reader.words;
    let money = |minor| reader.money(minor, &report.currency);
    let orders = count(report.taken.confirmed.holds);
    let (paid, supplied) = (count(report.sold), count(report.on_sale()));
    let back = count(report.came_back.units);
    let mut figures = vec![
        Figure {
            label: words.report_paid_units(),
            value: paid,
            second: words.report_paid_units_second(supplied, orders),
        },
        Figure {
            label: words.report_paid_money(),
            value: money(report.paid_minor),
            second: match (report.refunded_minor, report.charges_minor) {
                (0, 0) => words.report_no_refunds().to_owned(),
                (0, charges) => words.report_with_charges(money(charges)),
                (refunded, _) => words.report_refunded(money(refunded), money(report.net_minor)),
            },
        },
    ];
    figures.push(still(report, reader));
    figures.push(Figure {
        label: words.report_paid_of_held(),
        value: report
            .paid_of_held()
            .map_or_else(|| words.unknown().to_owned(), |part| tenths(words, part)),
        second: match (report.came_back.units, report.taken_again()) {
            (0, _) => words.report_none_came_back().to_owned(),
            _ if report.is_all_taken_again() => words.report_came_back_all_again(back),
            (_, 0) => words.report_came_back(back),
            (_, again) => words.report_came_back_again(back, count(again)),
        },
    });
    figures
}

/// What is planned, then what is left, then how many wanted more.
fn still(report: &Report, reader: &Reader) -> Figure {
    let words = reader.words;
    if report.opened_at_ms.is_none() {
        let second = if report.phase.is_before() {
            words.report_planned_second()
        } else {
            words.report_planned_never()
        };
        let value = count(report.planned);
        Figure { label: words.report_planned(), value, second: second.to_owned() }
    } else if report.left > 0 {
        let part = if report.left.saturating_mul(1_000) < report.supplied {
            words.less_than(tenths(words, 1))
        } else {
            tenths(words, share(report.left, report.supplied).unwrap_or_default())
        };
        let second = match report.held {
            0 => words.report_left_second(part),
            held => words.report_left_now(count(held)),
        };
        Figure { label: words.report_left(), value: count(report.left), second }
    } else {
        let second = if report.counts_complete {
            words.report_refused_want_second()
        } else {
            words.report_refused_want_least()
        };
        Figure {
            label: words.report_refused_want(),
            value: count(report.refused_for_want),
            second: second.to_owned(),
        }
    }
}

/// What was taken back before the figures froze; while they can change, what about the money needs somebody as well.
fn notes(report: &Report, reader: &Reader) -> Vec<String> {
    let words = reader.words;
    let back = (report.cancelled_units > 0)
        .then(|| words.report_cancelled_units(count(report.cancelled_units)));
    let open = if report.is_settled() { Vec::new() } else { open(report, reader) };
    back.into_iter().chain(open).collect()
}

/// What is still open of a drop whose figures are frozen.
fn now(report: &Report, reader: &Reader) -> Option<Now> {
    let notes = open(report, reader);
    if !report.is_settled() || notes.is_empty() {
        return None;
    }
    let as_of_ms = report.adjustments.map_or(report.as_of_ms, |later| later.as_of_ms);
    Some(Now { lead: reader.words.report_now_lead(reader.moment(as_of_ms)), notes })
}

/// What about the money needs somebody.
fn open(report: &Report, reader: &Reader) -> Vec<String> {
    let words = reader.words;
    let money = |minor| reader.money(minor, &report.currency);
    let mut notes = Vec::new();
    if report.refund_due_minor > 0 {
        notes.push(words.report_money_note_due(money(report.refund_due_minor)));
    }
    if report.authorized_minor > 0 {
        notes.push(words.report_money_note_authorized(money(report.authorized_minor)));
    }
    if report.unpaid_orders > 0 {
        notes.push(words.report_money_note_unpaid(count(report.unpaid_orders)));
    }
    notes
}

/// When the figures were settled, by the clock.
fn settled_at(report: &Report) -> u64 {
    let settled = report.phases.iter().find(|begun| begun.phase == Phase::Settled);
    settled.map_or(report.as_of_ms, |begun| begun.at_ms)
}

fn since(report: &Report, reader: &Reader) -> Option<Since> {
    if !report.is_settled() {
        return None;
    }
    let words = reader.words;
    let time = words.day_time(reader.day(settled_at(report)), reader.time(settled_at(report)));
    let hash = report.closing_hash.as_deref().map(grouped).unwrap_or_default();
    let sentences = report
        .adjustments
        .map(|later| adjusted(&later, report.net_minor, &report.currency, reader))
        .unwrap_or_default();
    let hash_lead = words.report_hash_of(&time, count(report.journal.records));
    Some(Since {
        is_unchanged: report.adjustments.is_none(),
        sentences,
        lead: words.report_since_lead(&time),
        hash,
        hash_lead,
    })
}

/// What came after a settlement with so much money kept.
pub(super) fn adjusted(
    later: &Adjustments,
    settled_net: u64,
    currency: &str,
    reader: &Reader,
) -> Vec<String> {
    let words = reader.words;
    let money = |minor| reader.money(minor, currency);
    // What stays: as it was settled, and what came since.
    let net = i128::from(settled_net) + i128::from(later.net_minor);
    let net = money(u64::try_from(net.max(0)).unwrap_or(u64::MAX));
    let mut said = Vec::new();
    if later.orders_cancelled > 0 {
        said.push(
            words.report_since_cancelled(
                count(later.orders_cancelled),
                count(later.units_cancelled),
            ),
        );
    } else if later.units_cancelled > 0 {
        said.push(words.report_since_units(count(later.units_cancelled)));
    }
    if later.refunded_minor > 0 {
        said.push(words.report_since_back(money(later.refunded_minor.unsigned_abs()), &net));
    }
    if later.paid_minor > 0 {
        said.push(words.report_since_paid(money(later.paid_minor.unsigned_abs()), &net));
    }
    if said.is_empty() && later.net_minor != 0 {
        said.push(words.report_since_net(net));
    }
    if let Some(last) = said.last_mut() {
        let at = words.day_time(reader.day(later.as_of_ms), reader.time(later.as_of_ms));
        *last = words.report_since_as_of(&*last, at);
    }
    said
}

fn foot(report: &Report, reader: &Reader) -> String {
    let words = reader.words;
    if !report.is_settled() {
        return words.report_printed_foot_open(&report.drop, reader.time(report.as_of_ms));
    }
    let hash = report.closing_hash.as_deref().map(grouped).unwrap_or_default();
    let hash = hash.first().map_or_else(
        || words.unknown().to_owned(),
        |line| format!("{} …", &line[..line.len().min(19)]),
    );
    words.report_printed_foot(&report.drop, reader.time(settled_at(report)), hash)
}

impl Setting {
    fn downloads(&self, reader: &Reader) -> Vec<Download> {
        let words = reader.words;
        let file = |path: String, name, second| Download { path, name, second, is_page: false };
        let mut all = Vec::new();
        if let Some(orders) = &self.orders {
            all.push(file(orders.clone(), words.download_orders(), words.download_orders_second()));
        }
        if let Some(files) = &self.files {
            let csv = |table: &str, name| {
                file(format!("{files}/{table}.csv"), name, words.download_csv())
            };
            all.push(csv("sizes", words.download_sizes()));
            all.push(csv("channels", words.download_channels()));
            all.push(csv("seconds", words.download_seconds()));
        }
        all.push(file(
            self.workbook.clone(),
            words.download_workbook(),
            words.download_workbook_second(),
        ));
        all.push(file(self.json.clone(), words.download_whole(), words.download_json()));
        all.push(Download {
            path: self.print.clone(),
            name: words.download_print(),
            second: words.download_print_second(),
            is_page: true,
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{report, with};
    use super::*;
    use crate::words::Language;

    fn view(report: &Report) -> DropView {
        let setting = Setting {
            medium: Medium::Screen,
            files: Some("/v1/drops/d42/report".to_owned()),
            workbook: "/v1/drops/d42/report?format=xlsx".to_owned(),
            json: "/v1/drops/d42/report?format=json".to_owned(),
            print: "/reports/d42/print".to_owned(),
            orders: None,
            sizes_max: 64,
            channels_max: 20,
            links: true,
        };
        DropView::new(report, None, &Reader::of(Language::English), &setting)
    }

    fn figures(report: &Report) -> Vec<(String, String)> {
        view(report)
            .figures
            .into_iter()
            .map(|figure| (figure.value, figure.second.replace('\u{a0}', " ")))
            .collect()
    }

    #[track_caller]
    fn check(report: &Report, expected: [(&str, &str); 4]) {
        let expected = expected.map(|(value, second)| (value.to_owned(), second.to_owned()));
        assert_eq!(figures(report), expected);
    }

    #[test]
    fn four_figures_say_what_they_mean() {
        check(
            &report(),
            [
                ("15,000", "units of 15,000, in 13,063 orders"),
                ("€728,500.00", "nothing went back"),
                ("184,609", "clicks; one person may click often"),
                ("85.8\u{a0}%", "2,489 units came back, all taken again"),
            ],
        );
        let slow = with(|told| {
            told["left"] = 388.into();
            told["sold"] = 14_612.into();
            told["refunded_minor"] = 4_990.into();
            told["net_minor"] = 72_845_010.into();
            told["taken_again"] = 100.into();
        });
        check(
            &slow,
            [
                ("14,612", "units of 15,000, in 13,063 orders"),
                ("€728,500.00", "€49.90 went back, €728,450.10 is kept"),
                ("388", "2.6 % of the supply"),
                ("85.8\u{a0}%", "2,489 units came back, at least 100 taken again"),
            ],
        );
        let taken_back = with(|told| told["supplied"] = 14_800.into());
        assert_eq!(figures(&taken_back)[0].1, "units of 14,800, in 13,063 orders");
        let planned = with(|told| {
            told["phase"] = "scheduled".into();
            told["opened_at_ms"] = None::<u64>.into();
            for (path, value) in [("supplied", 0), ("sold", 0), ("paid_minor", 0)] {
                told[path] = value.into();
            }
            told["taken"]["confirmed"] = serde_json::json!({ "holds": 0, "units": 0 });
            told["came_back"] = serde_json::json!({ "holds": 0, "units": 0 });
        });
        check(
            &planned,
            [
                ("0", "units of 15,000, in 0 orders"),
                ("€0.00", "nothing went back"),
                ("15,000", "units, on sale from the opening on"),
                ("–", "nothing came back"),
            ],
        );
        assert_eq!(view(&planned).figures[2].label, "Planned");
        let off = Report { phase: Phase::Cancelled, ..planned };
        assert_eq!(view(&off).figures[2].second, "units, never on sale");
        // Nobody knows whether all was taken again while something is left.
        let left = with(|told| told["left"] = 5.into());
        assert_eq!(
            view(&left).figures[3].second,
            "2,489 units came back, at least 2,489 taken again"
        );
    }

    #[test]
    fn what_came_after_the_settlement_stands_beside_figures_that_stay() {
        let settled = view(&report());
        assert!(
            settled
                .since
                .as_ref()
                .is_some_and(|since| since.sentences.is_empty() && since.hash.len() == 2)
        );
        let later = with(|told| {
            told["adjustments"] = serde_json::json!({ "as_of_ms": super::super::fixtures::OPENED_MS, "records": 3,
                "orders_cancelled": 3, "units_cancelled": 4, "charges_minor": 0, "paid_minor": 0,
                "refunded_minor": 12_000, "net_minor": -12_000 });
        });
        let shown = view(&later);
        assert_eq!(shown.figures[1].value, "€728,500.00");
        let said = shown.since.unwrap().sentences.join(" ");
        assert!(said.starts_with("3 orders were cancelled, 4 units of what was paid. €120.00 went back; €728,380.00 of the money is kept."), "{said}");
        // A part of an order is a change as well.
        let part = with(|told| {
            told["adjustments"] = serde_json::json!({ "as_of_ms": super::super::fixtures::OPENED_MS,
                "orders_cancelled": 0, "units_cancelled": 1 });
        });
        let said = view(&part).since.unwrap().sentences.join(" ");
        assert!(
            said.starts_with("1 unit of what was paid was cancelled; the order stays."),
            "{said}"
        );
        let open = with(|told| told["phase"] = "open".into());
        assert!(view(&open).since.is_none());
    }

    #[test]
    fn the_state_is_said_with_its_age_while_it_can_change() {
        assert_eq!(view(&report()).state.text, "Settled, figures are final");
        let open = with(|told| {
            told["phase"] = "open".into();
            told["held"] = 1.into();
        });
        assert_eq!(view(&open).state.text, "Open, all taken for now, figures of 20:18:20 UTC");
        // "Sold out" is said only if nothing can come back.
        let out = with(|told| told["phase"] = "open".into());
        assert!(view(&out).state.text.starts_with("Sold out, figures of"));
        let off = with(|told| told["phase"] = "cancelled".into());
        assert_eq!(view(&off).state.text, "Called off");
    }

    #[test]
    fn what_needs_somebody_is_said() {
        let due = with(|told| {
            told["refund_due_minor"] = 4_990.into();
            told["unpaid_orders"] = 1.into();
            told["oversold"] = 1.into();
        });
        let shown = view(&due);
        let open = [
            "€49.90 has still to go back.",
            "1 order has units to deliver and no money that stays.",
        ];
        // Figures of the settlement stand apart from what is so now.
        let now = shown.now.unwrap();
        assert_eq!(now.notes, open);
        assert_eq!(now.lead, "What is still to be done, as of 27 November 2026, 20:18:20 UTC.");
        assert!(shown.notes.is_empty());
        let running = view(&Report { phase: Phase::Closed, ..due });
        assert!(running.now.is_none() && running.notes == open);
        assert_eq!(shown.wrong.as_deref(), Some("Oversold by 1 unit: the sale was not sound."));
    }

    #[test]
    fn the_foot_of_a_page_has_the_hash() {
        assert_eq!(
            view(&report()).foot,
            "d42, settled 20:18:21 UTC. Closing hash 7f3a 91c4 7f3a 91c4 …"
        );
    }
}
