//! The sell-out report for a terminal.

use std::fmt;

use stampede_domain::{DurationMs, Phase, UnixMillis};

use crate::{
    fold::{DropReport, Ends, Second},
    json,
};

/// Columns of the chart at most.
const CHART_COLUMNS: u64 = 60;
/// Channels in the table at most.
const CHANNELS_SHOWN_MAX: usize = 20;
/// A column of the chart by its height in eighths.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl fmt::Display for DropReport {
    /// The report for people; several lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        self.units(f)?;
        self.times(f)?;
        self.demand(f)?;
        self.chart(f)?;
        self.records(f)
    }
}

impl DropReport {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plan, mode) = (&self.plan, json::mode(self.plan.mode));
        writeln!(f, "{}  {}  ({mode}, {})", self.drop, plan.title, self.phase)?;
        writeln!(f, "    stream {}, merchant {}, host {}", plan.stream, plan.merchant, plan.host)?;
        writeln!(f)
    }

    fn units(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = share(self.sold, self.supplied);
        number(f, "supplied", self.supplied, "units")?;
        let buyers = grouped(self.buyers);
        number(f, "sold", self.sold, &format!("units, {share}, to {buyers} viewers"))?;
        number(f, "held", self.held, "units now")?;
        let ends = [("released", self.taken.released), ("expired", self.taken.expired)];
        for (label, Ends { holds, units }) in ends {
            number(f, label, units, &format!("units of {} holds", grouped(holds)))?;
        }
        number(f, "oversold", self.oversold, "units")?;
        match self.stranded {
            Some(units) => number(f, "stranded", units, "units")?,
            None => writeln!(f, "{:<22}{:>14}", "stranded", "not settled")?,
        }
        writeln!(f, "{:<22}{:>14}", "gross", self.gross.to_string())?;
        writeln!(f, "{:<22}{:>14}", "paid", self.paid.to_string())?;
        if self.skus.len() > 1 {
            self.sku_table(f)?;
        }
        if !self.channels.is_empty() {
            self.channel_table(f)?;
        }
        writeln!(f)
    }

    fn sku_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        let heads = ["supplied", "held", "sold", "sold out", "gross"];
        write!(f, "    {:<20}", "SKU")?;
        heads.iter().try_for_each(|head| write!(f, "{head:>14}"))?;
        writeln!(f)?;
        for sku in &self.skus {
            let id = self.plan.sku(sku.sku).map_or_else(String::new, |plan| plan.id.to_string());
            write!(f, "    {id:<20}")?;
            for units in [sku.supplied, sku.held, sku.sold] {
                write!(f, "{:>14}", grouped(units))?;
            }
            let sold_out = sku.sold_out_after.map_or_else(|| "-".to_owned(), seconds);
            writeln!(f, "{sold_out:>14}{:>14}", sku.gross.to_string())?;
        }
        Ok(())
    }

    fn times(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spans = [
            ("half taken", self.half_after),
            ("90 % taken", self.nine_tenths_after),
            ("sold out", self.sold_out_after),
            ("settled", self.settled_after),
        ];
        for (label, span) in spans {
            let (span, words) = match span {
                Some(span) => (seconds(span), " after opening"),
                None => ("never".to_owned(), ""),
            };
            writeln!(f, "{label:<22}{span:>14}{words}")?;
        }
        writeln!(f, "{:<22}{:>14}", "paused", seconds(self.paused))?;
        let restarts = grouped(self.restarts);
        let outage = seconds(self.outage);
        writeln!(f, "{:<22}{outage:>14} in {restarts} restarts", "outage")?;
        let start = self.phases.first().map_or_else(UnixMillis::default, |begun| begun.at);
        for (place, begun) in self.phases.iter().enumerate() {
            let name = if place == 0 { "phases" } else { "" };
            let at = seconds(begun.at.since(start));
            let why = match (begun.by_stream, begun.phase) {
                (false, _) => "",
                (true, Phase::Open) => " (the stream was back)",
                (true, _) => " (the stream was offline)",
            };
            let from = if place == 0 { "" } else { " after planning" };
            writeln!(f, "{name:<22}{at:>14}{from}: {}{why}", begun.phase)?;
        }
        writeln!(f)
    }

    fn channel_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        writeln!(f, "    {:<34}{:>14}{:>14}{:>14}", "channel", "orders", "sold", "gross")?;
        for channel in self.channels.iter().take(CHANNELS_SHOWN_MAX) {
            let name = channel.channel.as_ref().map_or("(none)", |channel| channel.as_str());
            let (orders, units) = (grouped(channel.orders), grouped(channel.units));
            writeln!(f, "    {name:<34}{orders:>14}{units:>14}{:>14}", channel.gross.to_string())?;
        }
        let listed = u64::try_from(self.channels.len()).expect("the list is short");
        let shown = u64::try_from(CHANNELS_SHOWN_MAX).expect("the list is short");
        let more = listed.saturating_sub(shown).saturating_add(self.channels_left_out);
        if more > 0 {
            writeln!(f, "    {} more channels", grouped(more))?;
        }
        Ok(())
    }

    /// What the counts lack, if a restart may have lost some.
    fn lost(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.restarts_live == 0 {
            return Ok(());
        }
        let plural = if self.restarts_live == 1 { "" } else { "s" };
        let restarts = grouped(self.restarts_live);
        writeln!(f, "    what was refused or answered again in the last second before {restarts}")?;
        writeln!(f, "    restart{plural} may not be counted; every hold is")
    }

    fn answers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (label, per_mille) in [("answers p50", 500), ("p99", 990), ("p99.9", 999)] {
            if let Some(us) = self.answers.quantile_us(per_mille) {
                let millis = format!("{}.{:03} ms", grouped(us / 1_000), us % 1_000);
                writeln!(f, "{label:<22}{millis:>14} at most")?;
            }
        }
        Ok(())
    }

    fn demand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = self.refusals.total();
        number(f, "clicks", self.clicks(), "decided")?;
        number(f, "  held", self.taken.all.holds, "")?;
        number(f, "  answered again", self.retries, "")?;
        number(f, "  refused", refused, "")?;
        for (code, times) in self.refusals.iter() {
            number(f, &format!("    {code}"), times, &share(times, refused))?;
        }
        self.lost(f)?;
        self.answers(f)?;
        number(f, "peak clicks", self.tally_clicks_max, "between two tallies")?;
        number(f, "peak viewers", self.connected_max, "connected")?;
        writeln!(f)
    }

    fn chart(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(busiest), Some(last)) = (self.busiest_second(), self.seconds.last()) else {
            return Ok(());
        };
        let (units, second) = (grouped(busiest.units), grouped(busiest.second));
        writeln!(f, "units per second, at most {units} in second {second}")?;
        let width = (last.second + 1).div_ceil(CHART_COLUMNS);
        writeln!(f, "    {}", bars(&self.seconds, width))?;
        let plural = if width == 1 { "" } else { "s" };
        writeln!(f, "    from opening, {width} second{plural} a column")?;
        if self.seconds_cut {
            writeln!(f, "    later seconds are not kept")?;
        }
        writeln!(f)
    }

    fn records(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let journal = self.journal;
        let (records, commits) = (grouped(journal.records), grouped(journal.commits));
        let bytes = grouped(journal.bytes);
        writeln!(f, "journal                 {records} records in {commits} commits, {bytes} bytes")
    }
}

fn number(f: &mut fmt::Formatter<'_>, label: &str, number: u64, words: &str) -> fmt::Result {
    let gap = if words.is_empty() { "" } else { " " };
    writeln!(f, "{label:<22}{:>14}{gap}{words}", grouped(number))
}

/// One character for each `width` seconds, as high as its units are to the highest column.
fn bars(seconds: &[Second], width: u64) -> String {
    let mut columns: Vec<u64> = Vec::new();
    for Second { second, units } in seconds {
        let column = usize::try_from(second / width).expect("the chart is narrow");
        columns.resize(columns.len().max(column + 1), 0);
        columns[column] += units;
    }
    let highest = columns.iter().copied().max().unwrap_or(0).max(1);
    let bar = |units: &u64| {
        // Rounded up: a column with anything in it shows.
        let eighths = (units * 8).div_ceil(highest);
        BARS[usize::try_from(eighths).expect("at most 8")]
    };
    columns.iter().map(bar).collect()
}

/// `12,345,678`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.345 s`.
fn seconds(span: DurationMs) -> String {
    let millis = span.get();
    format!("{}.{:03} s", grouped(millis / 1_000), millis % 1_000)
}

/// `99.9 %`, rounded down so that only all of it reads 100.
fn share(part: u64, whole: u64) -> String {
    let thousandths = u128::from(part) * 1_000 / u128::from(whole.max(1));
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn all_of_it_alone_reads_as_all() {
        assert_eq!(share(14_999, 15_000), "99.9 %");
        assert_eq!(share(15_000, 15_000), "100.0 %");
        assert_eq!(share(0, 0), "0.0 %");
    }

    #[test]
    fn a_chart_shows_every_second_with_a_take() {
        let second = |second, units| Second { second, units };
        assert_eq!(bars(&[second(0, 800), second(2, 1), second(3, 400)], 1), "█ ▁▄");
        assert_eq!(bars(&[second(0, 800), second(2, 1), second(3, 400)], 2), "█▅");
    }
}
