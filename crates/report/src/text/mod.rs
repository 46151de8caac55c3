//! The sell-out report for a terminal.

mod attention;
mod changes;
mod legend;
mod numbers;
mod refusals;
mod shows;

use std::fmt;

use stampede_domain::{DurationMs, Money, Phase, SkuPlan};

pub(crate) use self::numbers::grouped;
use self::{
    numbers::{change, money, seconds, share, shares, utc},
    refusals::meaning,
};
use crate::{
    fold::{Adjustments, DropReport, Ends, OrderMoney, Second},
    json,
    read::LedgerReport,
};

/// Characters of a SKU's name in its table, unless its id needs more.
const NAME_CHARS: usize = 29;
/// Characters of a title beside an id at least.
const TITLE_CHARS_MIN: usize = 9;
/// Columns of the chart at most.
const CHART_COLUMNS: u64 = 60;
/// Channels in the table at most.
const CHANNELS_SHOWN_MAX: usize = 20;
/// A column of the chart by its height in eighths.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl fmt::Display for DropReport {
    /// The report for people, with the meaning of its words; several lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.figures(f)?;
        writeln!(f)?;
        legend::write(f)
    }
}

/// What a whole ledger says, for people: one drop after the other, then the sums of each show, which leave out
/// rehearsals and cancelled drops, then money that somebody has to look at, then the meaning of the words.
#[derive(Clone, Copy, Debug)]
pub struct ReportSheet<'a>(pub &'a LedgerReport);

impl fmt::Display for ReportSheet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.0.drops {
            report.figures(f)?;
            writeln!(f)?;
        }
        shows::write(f, &self.0.drops)?;
        attention::write(f, self.0)?;
        writeln!(f)?;
        legend::write(f)
    }
}

impl DropReport {
    fn figures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        self.units(f)?;
        self.changed(f)?;
        self.holds(f)?;
        self.tables(f)?;
        self.since_settled(f)?;
        self.times(f)?;
        self.demand(f)?;
        self.chart(f)?;
        self.records(f)
    }

    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plan, mode) = (&self.plan, json::mode(self.plan.mode));
        writeln!(f, "{}  {}  ({mode}, {})", self.drop, plan.title, self.phase)?;
        writeln!(f, "    stream {}, merchant {}, host {}", plan.stream, plan.merchant, plan.host)?;
        match self.opened_at {
            Some(at) => writeln!(f, "    opened {} UTC", utc(at))?,
            None if self.phase.is_final() => writeln!(f, "    never opened")?,
            None => writeln!(f, "    not opened yet")?,
        }
        writeln!(f, "    as of {} UTC; all times are UTC", utc(self.as_of))?;
        if let Some(hash) = self.closing_hash {
            writeln!(f, "    closing hash {hash}")?;
        }
        writeln!(f)
    }

    fn units(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        number(f, "supplied", self.supplied, &self.supplied_words())?;
        number(f, "sold", self.sold, &format!("units, {}", share(self.sold, self.supplied)))?;
        number(f, "held", self.held, "units now")?;
        number(f, "left", self.left(), "units")?;
        number(f, "oversold", self.oversold, "units")?;
        match self.stranded {
            Some(units) => number(f, "stranded", units, "units")?,
            None => writeln!(f, "{:<22}{:>14}", "stranded", "not settled")?,
        }
        let buyers = counted(json::count(self.buyers.len()), "viewer");
        number(f, "orders", self.taken.confirmed.holds, &format!("by {buyers}"))?;
        writeln!(f, "{:<22}{:>14}", "gross", money(self.gross))?;
        self.money(f)?;
        writeln!(f)
    }

    /// What was taken; the rest only where there is any.
    fn money(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (orders, open) = (&self.money, &self.open_money);
        let line = |f: &mut fmt::Formatter<'_>, label: &str, amount: Money, words: &str| {
            let gap = if words.is_empty() { "" } else { " " };
            writeln!(f, "{label:<22}{:>14}{gap}{words}", money(amount))
        };
        if orders.charges.minor() > 0 {
            line(f, "charges", orders.charges, "beyond the goods")?;
        }
        line(f, "paid", orders.paid, "")?;
        if orders.refunded.minor() > 0 {
            line(f, "refunded", orders.refunded, "")?;
            line(f, "net", orders.net(), "paid and not refunded")?;
        }
        if self.cancelled.units > 0 {
            let orders = counted(self.cancelled.orders, "whole order");
            number(f, "cancelled", self.cancelled.units, &format!("units, {orders}"))?;
        }
        if open.authorized.minor() > 0 {
            line(f, "kept ready", open.authorized, "for orders, not taken yet")?;
        }
        if open.refunds_due > 0 {
            let payments = counted(open.refunds_due, "payment");
            line(f, "refund due", open.refund_due, &format!("of {payments}"))?;
        }
        if open.unpaid_orders > 0 {
            number(f, "unpaid", open.unpaid_orders, "of the orders: their money is gone")?;
        }
        if open.declined > 0 {
            number(f, "declined", open.declined, "requests to a payment provider")?;
        }
        Ok(())
    }

    /// Whether more or less than the price of the orders was taken, or some of it went back.
    fn has_own_money(&self) -> bool {
        self.money.paid != self.gross || self.money.refunded.minor() > 0
    }

    /// The plan's units go on sale as its first lots when the drop opens: until then there are none. All may be taken
    /// back after that.
    fn supplied_words(&self) -> String {
        let planned = self.planned();
        let ever: u64 = self.skus.iter().map(|sku| sku.lots).sum();
        if ever > self.supplied {
            return format!("units; {} taken back", grouped(ever - self.supplied));
        }
        if ever > 0 || planned == 0 {
            return "units".to_owned();
        }
        let ever = if self.phase.is_final() { "none was on sale" } else { "none on sale yet" };
        format!("units; {} planned, {ever}", grouped(planned))
    }

    /// What became of the holds; the shares of all that were made add up to 100.0 %.
    fn holds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.taken;
        let ended = [taken.confirmed, taken.released, taken.expired];
        let left = ended.iter().fold(taken.all.holds, |left, ends| left.saturating_sub(ends.holds));
        let live = Ends { holds: left, units: self.held };
        let parts = [taken.confirmed, taken.released, taken.expired, live];
        number(f, "holds", taken.all.holds, &format!("with {}", counted(taken.all.units, "unit")))?;
        let labels = ["  became orders", "  released", "  expired", "  not paid yet"];
        let shares = shares(&parts.map(|part| part.holds));
        for ((label, part), share) in labels.iter().zip(parts).zip(shares) {
            number(f, label, part.holds, &format!("{share:>7}, {}", counted(part.units, "unit")))?;
        }
        let back = self.came_back();
        number(f, "came back", back.holds, &format!("with {}", counted(back.units, "unit")))?;
        number(f, "taken again", self.taken_again, "units that had come back")
    }

    fn tables(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sku_table(f)?;
        if !self.channels.is_empty() {
            self.channel_table(f)?;
        }
        writeln!(f)
    }

    fn sku_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        write!(f, "    {:<30}{:>18}", "goods", "price")?;
        let heads = ["supplied", "held", "sold", "left", "taken", "came back", "orders"];
        heads.iter().try_for_each(|head| write!(f, "{head:>12}"))?;
        let knows_want = self.skus.iter().any(|sku| sku.refused_for_want.is_some());
        if knows_want {
            write!(f, "{:>12}", "refused")?;
        }
        write!(f, "{:>12}", "all taken")?;
        let net = if self.has_own_money() { format!("{:>20}", "net") } else { String::new() };
        writeln!(f, "{:>20}{net}  code", "gross")?;
        for sku in &self.skus {
            let plan = self.plan.sku(sku.sku).expect("the fold has the plan's SKUs");
            write!(f, "    {:<30}{:>18}", self.named(plan), money(plan.price))?;
            let (left, back) = (sku.left(), sku.came_back);
            for units in [sku.supplied, sku.held, sku.sold, left, sku.taken, back, sku.orders] {
                write!(f, "{:>12}", grouped(units))?;
            }
            if knows_want {
                write!(f, "{:>12}", known(sku.refused_for_want))?;
            }
            let all_taken = sku.sold_out_after.map_or_else(|| "-".to_owned(), seconds);
            let (gross, net) = (money(sku.gross), self.net_cell(&sku.money));
            writeln!(f, "{all_taken:>12}{gross:>20}{net}  {}", plan.merchant_sku)?;
        }
        Ok(())
    }

    /// A SKU by its title, as far as there is room; by its whole id as well where another one has a title that looks
    /// the same then.
    fn named(&self, sku: &SkuPlan) -> String {
        let title = short(&sku.title, NAME_CHARS);
        let is_alike =
            |other: &SkuPlan| other.id != sku.id && short(&other.title, NAME_CHARS) == title;
        if !self.plan.skus.iter().any(is_alike) {
            return title;
        }
        let id = format!(" ({})", sku.id);
        let room = NAME_CHARS.saturating_sub(id.len()).max(TITLE_CHARS_MIN);
        short(&sku.title, room) + &id
    }

    fn times(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let no_more_takes = self.phase.is_ending() || self.phase.is_final();
        for (label, span) in [
            ("half taken", self.half_after),
            ("90 % taken", self.nine_tenths_after),
            ("all taken first", self.sold_out_after),
            ("last take", self.last_taken_after),
        ] {
            milestone(f, label, span, no_more_takes)?;
        }
        for (label, span) in [
            ("half paid", self.half_paid_after),
            ("all paid first", self.all_paid_after),
            ("last paid", self.last_paid_after),
        ] {
            milestone(f, label, span, self.phase.is_final())?;
        }
        milestone(f, "settled", self.settled_after, self.phase.is_final())?;
        writeln!(f, "{:<22}{:>14}", "paused", seconds(self.paused))?;
        let outage = seconds(self.outage);
        // A machine that slept was away without a restart.
        let restarts = match self.restarts {
            0 => String::new(),
            some => format!(" in {}", counted(some, "restart")),
        };
        writeln!(f, "{:<22}{outage:>14}{restarts}", "outage")?;
        for (place, gap) in self.gaps.iter().enumerate() {
            let name = if place == 0 { "nobody could take" } else { "" };
            let (from, to) = (seconds(gap.from), seconds(gap.to));
            writeln!(f, "{name:<22}{from:>14} to {to}, {}", gap.kind.name())?;
        }
        if self.gaps_cut {
            writeln!(f, "    later times in which nobody could take are not listed")?;
        }
        for (place, begun) in self.phases.iter().enumerate() {
            let name = if place == 0 { "phases" } else { "" };
            let why = match (begun.by_stream, begun.phase) {
                (false, _) => "",
                (true, Phase::Open) => " (the stream was back)",
                (true, _) => " (the stream was offline)",
            };
            writeln!(f, "{name:<14}{} UTC  {}{why}", utc(begun.at), begun.phase)?;
        }
        writeln!(f)
    }

    /// The last cell of a row of money, in tables that have one.
    fn net_cell(&self, row: &OrderMoney) -> String {
        if self.has_own_money() { format!("{:>20}", money(row.net())) } else { String::new() }
    }

    fn channel_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        let net = if self.has_own_money() { format!("{:>20}", "net") } else { String::new() };
        write!(f, "    {:<42}", "channel")?;
        let knows_clicks = self.channels.iter().any(|channel| channel.figures.clicks.is_some());
        if knows_clicks {
            write!(f, "{:>12}", "clicks")?;
        }
        let heads = ["taken", "came back", "held", "orders", "sold"];
        heads.iter().try_for_each(|head| write!(f, "{head:>12}"))?;
        writeln!(f, "{:>20}{net}", "gross")?;
        for channel in self.channels.iter().take(CHANNELS_SHOWN_MAX) {
            let name = channel.channel.as_ref().map_or("(no channel)", |channel| channel.as_str());
            let figures = &channel.figures;
            write!(f, "    {:<42}", short(name, 41))?;
            if knows_clicks {
                write!(f, "{:>12}", known(figures.clicks))?;
            }
            let (taken, back, held) = (figures.taken, figures.came_back, figures.held);
            for count in [taken, back, held, figures.orders, figures.units] {
                write!(f, "{:>12}", grouped(count))?;
            }
            let (gross, net) = (money(figures.gross), self.net_cell(&figures.money));
            writeln!(f, "{gross:>20}{net}")?;
        }
        let more = json::count(self.channels.len().saturating_sub(CHANNELS_SHOWN_MAX));
        if more > 0 {
            writeln!(f, "    {}", counted(more, "more channel"))?;
        }
        Ok(())
    }

    /// What came after the drop's chain had ended, and changed none of the figures.
    fn since_settled(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Adjustments { as_of, records, cancelled, money }) = self.adjustments else {
            return Ok(());
        };
        let currency = self.gross.currency();
        let records = counted(records, "record");
        writeln!(f, "since it settled, as of {} UTC, by {records}", utc(as_of))?;
        for (label, minor) in [
            ("charges", money.charges_minor),
            ("paid", money.paid_minor),
            ("refunded", money.refunded_minor),
            ("net", money.net_minor()),
        ] {
            writeln!(f, "{:<22}{:>14}", format!("  {label}"), change(minor, currency))?;
        }
        let orders = counted(cancelled.orders, "whole order");
        number(f, "  cancelled", cancelled.units, &format!("units, {orders}"))?;
        writeln!(f)
    }

    /// What the counts lack, if a restart may have lost some.
    fn lost(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.counts_complete() {
            return Ok(());
        }
        let restarts = counted(self.restarts_live, "restart");
        writeln!(f, "    what was refused or answered again in the last second before")?;
        writeln!(f, "    {restarts} may not be counted; every hold is")
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
        let parts = [self.taken.all.holds, self.retries, self.refusals.total()];
        number(f, "clicks", self.clicks(), "requests to buy")?;
        if self.early.clicks > 0 {
            number(f, "  before the opening", self.early.clicks, "of them")?;
        }
        let labels = ["  held", "  answered again", "  refused"];
        for ((label, part), share) in labels.iter().zip(parts).zip(shares(&parts)) {
            number(f, label, part, &format!("{share:>7}"))?;
        }
        let (codes, times): (Vec<_>, Vec<_>) = self.refusals.iter().unzip();
        for ((code, times), share) in codes.iter().zip(&times).zip(shares(&times)) {
            number(f, &format!("    {code}"), *times, &format!("{share:>7}  {}", meaning(*code)))?;
        }
        let want = self.refused_for_want();
        number(f, "  refused for want", want, "of units: sold_out and not_enough")?;
        self.lost(f)?;
        self.answers(f)?;
        number(f, "peak clicks", self.tally_clicks_max, "between two tallies")?;
        number(f, "peak viewers", self.connected_max, "connected at a tally")?;
        writeln!(f)
    }

    fn chart(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.seconds.iter().rfind(|second| second.counts.taken > 0);
        let (Some(busiest), Some(last)) = (self.busiest_second(), last) else {
            return Ok(());
        };
        let (units, second) = (grouped(busiest.counts.taken), grouped(busiest.second));
        writeln!(f, "units taken per second, at most {units} in second {second}")?;
        let width = (last.second + 1).div_ceil(CHART_COLUMNS);
        writeln!(f, "    {}", bars(&self.seconds, width))?;
        writeln!(f, "    from opening, {} a column", counted(width, "second"))?;
        if self.seconds_cut {
            writeln!(f, "    later seconds are not kept")?;
        }
        writeln!(f)
    }

    fn records(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let journal = self.journal;
        let records = counted(journal.records, "record");
        let (commits, bytes) = (counted(journal.commits, "commit"), counted(journal.bytes, "byte"));
        writeln!(f, "journal                 {records} in {commits}, {bytes}")
    }
}

/// When something first was so; where it has not been, whether it can be one day.
fn milestone(
    f: &mut fmt::Formatter<'_>,
    label: &str,
    after: Option<DurationMs>,
    is_over: bool,
) -> fmt::Result {
    let (span, words) = match after {
        Some(span) => (seconds(span), " after opening"),
        None if is_over => ("never".to_owned(), ""),
        None => ("not yet".to_owned(), ""),
    };
    writeln!(f, "{label:<22}{span:>14}{words}")
}

fn number(f: &mut fmt::Formatter<'_>, label: &str, number: u64, words: &str) -> fmt::Result {
    let gap = if words.is_empty() { "" } else { " " };
    writeln!(f, "{label:<22}{:>14}{gap}{words}", grouped(number))
}

/// One character for each `width` seconds, as high as its units are to the highest column.
fn bars(seconds: &[Second], width: u64) -> String {
    let mut columns: Vec<u64> = Vec::new();
    for Second { second, counts } in seconds.iter().filter(|second| second.counts.taken > 0) {
        let column = usize::try_from(second / width).expect("the chart is narrow");
        columns.resize(columns.len().max(column + 1), 0);
        columns[column] += counts.taken;
    }
    let highest = columns.iter().copied().max().unwrap_or(0).max(1);
    let bar = |units: &u64| {
        // Rounded up: a column with anything in it shows.
        let eighths = (units * 8).div_ceil(highest);
        BARS[usize::try_from(eighths).expect("at most 8")]
    };
    columns.iter().map(bar).collect()
}

/// A count, or a dash where nobody counted.
fn known(count: Option<u64>) -> String {
    count.map_or_else(|| "-".to_owned(), grouped)
}

/// `1 unit`, `2 units`.
fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// The text, cut so that it has at most this many characters.
fn short(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max - 1).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_by_characters() {
        assert_eq!(short("Eau de Nuit", 11), "Eau de Nuit");
        assert_eq!(short("Eau de Nuit", 10), "Eau de Nu…");
        assert_eq!(short("香水五十毫升", 4), "香水五…");
    }

    #[test]
    fn what_is_counted_is_one_or_several() {
        assert_eq!(
            [0, 1, 1_000].map(|n| counted(n, "commit")),
            ["0 commits", "1 commit", "1,000 commits"]
        );
    }

    #[test]
    fn a_chart_shows_every_second_with_a_take() {
        let second = |second, taken| {
            let counts = crate::fold::Counts { taken, ..crate::fold::Counts::default() };
            Second { second, counts }
        };
        let with_payments = [second(0, 800), second(2, 1), second(3, 400), second(90, 0)];
        assert_eq!(bars(&with_payments, 1), "█ ▁▄");
        assert_eq!(bars(&[second(0, 800), second(2, 1), second(3, 400)], 2), "█▅");
    }
}
