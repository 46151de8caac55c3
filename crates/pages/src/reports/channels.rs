//! The table of channels.

use super::{
    findings,
    parts::{ChannelRow, Channels, width},
    told::{Channel, InCurrency, Report, ShowChannel, ShowReport, Sums},
};
use crate::{
    numbers::{count, share, shares_of, tenths},
    reader::Reader,
    words::Language,
};

/// What a row of any report has.
#[derive(Clone, Debug, Default)]
struct Line {
    name: Option<String>,
    /// A row of several channels, or of those that name none.
    called: Option<String>,
    clicks: Option<u64>,
    taken: u64,
    came_back: u64,
    units: u64,
    money: Vec<InCurrency>,
}

impl Line {
    fn of(channel: &Channel, currency: &str) -> Self {
        let Channel { name, clicks, taken, came_back, units, money } = channel.clone();
        let money = vec![InCurrency { currency: currency.to_owned(), sums: money }];
        Self { name, called: None, clicks, taken, came_back, units, money }
    }

    fn of_show(channel: &ShowChannel) -> Self {
        let ShowChannel { name, clicks, taken, came_back, units, money } = channel.clone();
        Self { name, called: None, clicks, taken, came_back, units, money }
    }

    /// What a finding goes by.
    fn brought(&self) -> findings::Brought<'_> {
        findings::Brought {
            name: self.name.as_deref(),
            paid: self.units,
            came_back: self.came_back,
        }
    }

    /// The sums of several lines; what one of them does not know, nobody knows of all.
    fn sum(lines: &[Self]) -> Self {
        let nothing = Self { clicks: Some(0), ..Self::default() };
        lines.iter().fold(nothing, |sum, line| Self {
            clicks: sum.clicks.zip(line.clicks).map(|(one, other)| one.saturating_add(other)),
            taken: sum.taken.saturating_add(line.taken),
            came_back: sum.came_back.saturating_add(line.came_back),
            units: sum.units.saturating_add(line.units),
            money: added(sum.money, &line.money),
            ..sum
        })
    }
}

/// Amounts with others added, by currency.
fn added(mut sums: Vec<InCurrency>, others: &[InCurrency]) -> Vec<InCurrency> {
    for other in others {
        if let Some(known) = sums.iter_mut().find(|known| known.currency == other.currency) {
            known.sums.paid = known.sums.paid.saturating_add(other.sums.paid);
        } else {
            let paid = Sums { paid: other.sums.paid, ..Sums::default() };
            sums.push(InCurrency { currency: other.currency.clone(), sums: paid });
        }
    }
    sums
}

impl Channels {
    /// The channels of a drop, `rows_max` of them at most; `None` if no viewer's ticket named one.
    pub(super) fn of(
        report: &Report,
        reader: &Reader,
        rows_max: usize,
        all: Option<String>,
    ) -> Option<Self> {
        let of = |channel: &Channel| Line::of(channel, &report.currency);
        let found = Found {
            lines: report.channels.iter().map(of).collect(),
            rest: report.channels_rest.as_ref().map(of),
            left_out: report.channels_left_out,
            beyond: report.clicks_by_channel_other.unwrap_or(0),
            sold: report.sold,
        };
        let money_head = reader.words.report_col_money(&report.currency);
        found.table(reader, rows_max, money_head, all)
    }

    /// The channels of a show.
    pub(super) fn of_show(report: &ShowReport, reader: &Reader, rows_max: usize) -> Option<Self> {
        let money_head = match report.money.as_slice() {
            [only] => reader.words.report_col_money(&only.currency),
            _ => reader.words.report_paid_money().to_owned(),
        };
        let found = Found {
            lines: report.channels.iter().map(Line::of_show).collect(),
            rest: report.channels_rest.as_ref().map(Line::of_show),
            left_out: report.channels_left_out,
            beyond: report.clicks_by_channel_other.unwrap_or(0),
            sold: report.sold,
        };
        found.table(reader, rows_max, money_head, None)
    }
}

/// The channels of any report.
struct Found {
    lines: Vec<Line>,
    /// Those that are not listed, together.
    rest: Option<Line>,
    left_out: u64,
    /// Clicks that were not counted by name.
    beyond: u64,
    sold: u64,
}

impl Found {
    /// The table of at most so many rows; `all` is the file that has every channel.
    fn table(
        self,
        reader: &Reader,
        rows_max: usize,
        money_head: String,
        all: Option<String>,
    ) -> Option<Channels> {
        let Self { lines, rest, left_out, beyond, sold } = self;
        let brought = lines.iter().map(Line::brought);
        let title = findings::channels(brought, left_out, sold, reader.words);
        let (rows, total, is_cut) = table(lines, (rest, left_out, beyond), reader, rows_max)?;
        let (lead, all) = (lead(beyond, reader.words), all.filter(|_| is_cut));
        Some(Channels { title, lead, money_head, rows, total, all })
    }
}

/// What the table shows, and how many clicks stand in no row of their channel.
fn lead(beyond: u64, words: Language) -> String {
    let lead = words.report_channels_lead().to_owned();
    match beyond {
        0 => lead,
        clicks => lead + words.gap() + &words.report_channels_beyond(count(clicks)),
    }
}

/// The rows with their sum, and whether some channels are in no row of their own.
fn table(
    mut lines: Vec<Line>,
    (rest, left_out, beyond): (Option<Line>, u64, u64),
    reader: &Reader,
    rows_max: usize,
) -> Option<(Vec<ChannelRow>, ChannelRow, bool)> {
    let words = reader.words;
    if lines.iter().all(|line| line.name.is_none()) && left_out == 0 {
        return None;
    }
    let mut hidden = lines.split_off(rows_max.min(lines.len()));
    let number = left_out.saturating_add(u64::try_from(hidden.len()).unwrap_or(u64::MAX));
    hidden.extend(rest);
    if number > 0 || beyond > 0 {
        let summed = Line::sum(&hidden);
        let clicks = summed.clicks.map(|clicks| clicks.saturating_add(beyond));
        let called = Some(match number {
            0 => words.report_channels_unnamed().to_owned(),
            number => words.report_channels_rest(count(number)),
        });
        lines.push(Line { called, clicks, ..summed });
    }
    let total = Line { called: Some(words.report_total().to_owned()), ..Line::sum(&lines) };
    let parts: Vec<u64> = lines.iter().map(|line| line.units).collect();
    let rows = lines
        .iter()
        .zip(shares_of(&parts))
        .map(|(line, part)| row(line, part, total.units, reader));
    let rows: Vec<ChannelRow> = rows.collect();
    let whole = if total.units > 0 { 1_000 } else { 0 };
    let total = row(&total, whole, total.units, reader);
    Some((rows, total, number > 0))
}

fn row(line: &Line, part: u64, whole: u64, reader: &Reader) -> ChannelRow {
    let words = reader.words;
    let unknown = || words.unknown().to_owned();
    let pays = share(line.units, line.units.saturating_add(line.came_back));
    let (name, is_named) = match (&line.called, &line.name) {
        (Some(called), _) => (called.clone(), false),
        (None, Some(name)) => (name.clone(), true),
        (None, None) => (words.report_no_channel().to_owned(), false),
    };
    ChannelRow {
        name,
        is_named,
        clicks: line.clicks.map_or_else(unknown, count),
        held: count(line.taken),
        paid: count(line.units),
        share: if whole == 0 { unknown() } else { tenths(words, part) },
        pays: pays.map_or_else(unknown, |pays| tenths(words, pays)),
        gauge: pays.map(width),
        money: amounts(&line.money, reader),
    }
}

/// Amounts of several currencies in one text.
pub(super) fn amounts(money: &[InCurrency], reader: &Reader) -> String {
    let all = money.iter().map(|sum| reader.money(sum.sums.paid, &sum.currency));
    let all: Vec<String> = all.collect();
    if all.is_empty() { reader.words.unknown().to_owned() } else { all.join(" + ") }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::report;
    use super::*;

    fn channels(report: &Report, rows_max: usize) -> Option<Channels> {
        Channels::of(report, &Reader::of(Language::English), rows_max, Some("/all".to_owned()))
    }

    fn number(text: &str) -> u64 {
        text.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
    }

    #[test]
    fn rows_add_up_and_their_shares_to_all() {
        let table = channels(&report(), 100).unwrap();
        assert_eq!(table.rows.len(), 5);
        let shares: u64 = table.rows.iter().map(|row| number(&row.share)).sum();
        assert_eq!(shares, 1_000);
        let last = &table.rows[4];
        assert_eq!((last.name.as_str(), last.is_named), ("No channel named", false));
        let total = &table.total;
        assert_eq!(
            (total.clicks.as_str(), total.held.as_str(), total.paid.as_str(), total.money.as_str()),
            ("201,372", "17,489", "15,000", "€728,500.00")
        );
        assert_eq!(table.all, None);
    }

    #[test]
    fn of_twenty_thousand_the_rest_is_one_row() {
        let mut many = report();
        let pattern = many.channels[4].clone();
        many.channels = (0..100)
            .map(|place| Channel { name: Some(format!("c{place}")), ..pattern.clone() })
            .collect();
        many.channels_left_out = 19_900;
        many.channels_rest = Some(Channel { name: None, units: 19_900, ..pattern });
        many.clicks_by_channel_other = Some(7);
        let table = channels(&many, 20).unwrap();
        assert_eq!(table.rows.len(), 21);
        let rest = &table.rows[20];
        assert_eq!(rest.name, "19,980 more channels");
        assert_eq!(number(&rest.paid), 19_900 + 80 * 279);
        assert_eq!(number(&rest.clicks), 81 * 6_665 + 7);
        assert!(table.lead.contains("7 clicks were not counted by name"), "{}", table.lead);
        assert_eq!(number(&table.total.clicks), 101 * 6_665 + 7);
        assert_eq!(table.all.as_deref(), Some("/all"));
        let shares: u64 = table.rows.iter().map(|row| number(&row.share)).sum();
        assert_eq!(shares, 1_000);
        // What one addend does not know, nobody knows of all.
        many.channels_rest.as_mut().unwrap().clicks = None;
        let table = channels(&many, 20).unwrap();
        assert_eq!((table.rows[20].clicks.as_str(), table.total.clicks.as_str()), ("–", "–"));
    }

    #[test]
    fn clicks_without_a_channel_of_their_own_are_in_the_sum() {
        let mut told = report();
        told.clicks_by_channel_other = Some(9);
        let table = channels(&told, 20).unwrap();
        let last = table.rows.last().unwrap();
        assert_eq!((last.name.as_str(), last.clicks.as_str()), ("Not counted by name", "9"));
        assert_eq!(table.total.clicks, "201,381");
        let show: ShowReport = serde_json::from_value(serde_json::json!({ "show": "d1", "stream": "s",
            "began_ms": null, "ended_ms": null, "as_of_ms": 0, "running": false, "money": [], "supplied": 3,
            "held": 0, "sold": 1, "left": 2, "came_back": 0, "refused_for_want": 0, "buyers": 1, "orders": 1,
            "drops": [], "channels": [{ "channel": "lea", "clicks": 5, "units": 1 }],
            "clicks_by_channel_other": 4 }))
        .unwrap();
        let table = Channels::of_show(&show, &Reader::of(Language::English), 20).unwrap();
        assert_eq!((table.rows.len(), table.total.clicks.as_str()), (2, "9"));
    }

    #[test]
    fn a_sale_of_no_named_channel_has_no_table() {
        let mut plain = report();
        plain.channels.drain(..4);
        assert!(channels(&plain, 20).is_none());
        plain.channels.clear();
        assert!(channels(&plain, 20).is_none());
    }

    #[test]
    fn what_is_not_known_is_no_zero() {
        let mut unsold = report();
        for channel in &mut unsold.channels {
            (channel.clicks, channel.units, channel.came_back) = (None, 0, 0);
        }
        let table = channels(&unsold, 20).unwrap();
        let first = &table.rows[0];
        assert_eq!(
            (first.clicks.as_str(), first.share.as_str(), first.pays.as_str()),
            ("–", "–", "–")
        );
        assert_eq!(table.total.clicks, "–");
    }
}
