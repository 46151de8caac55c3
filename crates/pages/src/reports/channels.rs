//! The table of channels.

use super::{
    findings,
    parts::{ChannelRow, Channels, width},
    told::{Channel, InCurrency, Report, ShowChannel, ShowReport, Sums},
};
use crate::{
    numbers::{count, share, shares_of, tenths},
    reader::Reader,
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

    /// The sums of several lines; what one of them does not know is not in them.
    fn sum(lines: &[Self]) -> Self {
        lines.iter().fold(Self::default(), |sum, line| Self {
            clicks: match (sum.clicks, line.clicks) {
                (Some(one), Some(other)) => Some(one.saturating_add(other)),
                (known, None) | (None, known) => known,
            },
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
        let lines = report.channels.iter().map(|channel| Line::of(channel, &report.currency));
        let rest = report.channels_rest.as_ref().map(|rest| Line::of(rest, &report.currency));
        let beyond = report.clicks_by_channel_other.unwrap_or(0);
        let title = findings::channels(
            &report.channels,
            report.channels_left_out,
            report.sold,
            reader.words,
        );
        let money_head = reader.words.report_col_money(&report.currency);
        table(lines.collect(), (rest, report.channels_left_out, beyond), reader, rows_max).map(
            |(rows, total, is_cut)| {
                Self::new(title, money_head, rows, total, all.filter(|_| is_cut), reader)
            },
        )
    }

    /// The channels of a show.
    pub(super) fn of_show(report: &ShowReport, reader: &Reader, rows_max: usize) -> Option<Self> {
        let lines = report.channels.iter().map(Line::of_show);
        let rest = report.channels_rest.as_ref().map(Line::of_show);
        let alike: Vec<Channel> = report
            .channels
            .iter()
            .map(|channel| Channel {
                name: channel.name.clone(),
                clicks: channel.clicks,
                taken: channel.taken,
                came_back: channel.came_back,
                units: channel.units,
                money: Sums::default(),
            })
            .collect();
        let title = findings::channels(&alike, report.channels_left_out, report.sold, reader.words);
        let money_head = match report.money.as_slice() {
            [only] => reader.words.report_col_money(&only.currency),
            _ => reader.words.report_paid_money().to_owned(),
        };
        table(lines.collect(), (rest, report.channels_left_out, 0), reader, rows_max)
            .map(|(rows, total, _)| Self::new(title, money_head, rows, total, None, reader))
    }

    fn new(
        title: String,
        money_head: String,
        rows: Vec<ChannelRow>,
        total: ChannelRow,
        all: Option<String>,
        reader: &Reader,
    ) -> Self {
        Self { title, lead: reader.words.report_channels_lead(), money_head, rows, total, all }
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
        let clicks = summed
            .clicks
            .map_or((beyond > 0).then_some(beyond), |clicks| Some(clicks.saturating_add(beyond)));
        let called = Some(words.report_channels_rest(count(number)));
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
    use crate::words::Language;

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
        many.channels_rest = Some(Channel { name: None, clicks: None, units: 19_900, ..pattern });
        many.clicks_by_channel_other = Some(7);
        let table = channels(&many, 20).unwrap();
        assert_eq!(table.rows.len(), 21);
        let rest = &table.rows[20];
        assert_eq!(rest.name, "19,980 more channels");
        assert_eq!(number(&rest.paid), 19_900 + 80 * 279);
        assert_eq!(number(&rest.clicks), 80 * 6_665 + 7);
        assert_eq!(table.all.as_deref(), Some("/all"));
        let shares: u64 = table.rows.iter().map(|row| number(&row.share)).sum();
        assert_eq!(shares, 1_000);
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
