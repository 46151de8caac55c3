//! The tables of one drop.

use stampede_domain::{ChannelId, Currency, DurationMs, Money};

use super::{Book, Cell, Column, Kind, Line, Table, XlsxError};
use crate::{
    fold::{Adjustments, ChannelFigures, ChannelReport, Counts, DropReport, OrderMoney, Second},
    json,
};

/// The columns of a table by size; each row begins with its drop.
pub(crate) const SIZE_COLUMNS: [Column; 21] = [
    Column::new("drop", "Drop", Kind::Text),
    Column::new("sku", "SKU", Kind::Text),
    Column::new("merchant_sku", "Merchant SKU", Kind::Text),
    Column::new("title", "Title", Kind::Text),
    Column::new("options", "Options", Kind::Text),
    Column::new("currency", "Currency", Kind::Text),
    Column::new("price", "Price", Kind::Money),
    Column::new("supplied", "Supplied", Kind::Number),
    Column::new("taken", "Taken", Kind::Number),
    Column::new("came_back", "Came back", Kind::Number),
    Column::new("held", "Held", Kind::Number),
    Column::new("sold", "Sold", Kind::Number),
    Column::new("left", "Left", Kind::Number),
    Column::new("orders", "Orders", Kind::Number),
    Column::new("refused_for_want", "Refused for want", Kind::Number),
    Column::new("sold_out_after", "All taken after (s)", Kind::Span),
    Column::new("gross", "Gross", Kind::Money),
    Column::new("charges", "Charges", Kind::Money),
    Column::new("paid", "Paid", Kind::Money),
    Column::new("refunded", "Refunded", Kind::Money),
    Column::new("net", "Net", Kind::Money),
];

/// The columns of a table by channel; each row of a drop begins with it, those of a show do not.
pub(crate) const CHANNEL_COLUMNS: [Column; 13] = [
    Column::new("channel", "Channel", Kind::Text),
    Column::new("clicks", "Clicks", Kind::Number),
    Column::new("taken", "Taken", Kind::Number),
    Column::new("came_back", "Came back", Kind::Number),
    Column::new("held", "Held", Kind::Number),
    Column::new("orders", "Orders", Kind::Number),
    Column::new("units", "Sold", Kind::Number),
    Column::new("currency", "Currency", Kind::Text),
    Column::new("gross", "Gross", Kind::Money),
    Column::new("charges", "Charges", Kind::Money),
    Column::new("paid", "Paid", Kind::Money),
    Column::new("refunded", "Refunded", Kind::Money),
    Column::new("net", "Net", Kind::Money),
];

const SECOND_COLUMNS: [Column; 9] = [
    Column::new("drop", "Drop", Kind::Text),
    Column::new("second", "Second", Kind::Number),
    Column::new("at", "Began at (UTC)", Kind::Time),
    Column::new("taken", "Taken", Kind::Number),
    Column::new("paid", "Paid units", Kind::Number),
    Column::new("came_back", "Came back", Kind::Number),
    Column::new("clicks", "Clicks", Kind::Number),
    Column::new("refused", "Refused", Kind::Number),
    Column::new("connected", "Viewers connected", Kind::Number),
];

/// Gross, charges, paid, refunded, net.
pub(crate) fn money_cells(gross: Money, money: &OrderMoney) -> [Cell; 5] {
    [gross, money.charges, money.paid, money.refunded, money.net()].map(Cell::Money)
}

/// A row of [`SIZE_COLUMNS`] for each SKU.
pub(crate) fn size_rows(report: &DropReport) -> Vec<Vec<Cell>> {
    let row = |sku: &crate::fold::SkuReport| {
        let plan = report.plan.sku(sku.sku).expect("the fold has the plan's SKUs");
        let options =
            plan.options.iter().map(|option| format!("{}: {}", option.name, option.value));
        let mut row = vec![
            Cell::text(&report.drop),
            Cell::text(&plan.id),
            Cell::text(&plan.merchant_sku),
            Cell::text(&plan.title),
            Cell::Text(options.collect::<Vec<_>>().join("; ")),
            Cell::text(&plan.price.currency()),
            Cell::Money(plan.price),
            Cell::Number(sku.supplied),
            Cell::Number(sku.taken),
            Cell::Number(sku.came_back),
            Cell::Number(sku.held),
            Cell::Number(sku.sold),
            Cell::Number(sku.left()),
            Cell::Number(sku.orders),
            sku.refused_for_want.into(),
            sku.sold_out_after.into(),
        ];
        row.extend(money_cells(sku.gross, &sku.money));
        row
    };
    report.skus.iter().map(row).collect()
}

/// The cells of [`CHANNEL_COLUMNS`].
pub(crate) fn channel_cells(channel: Option<&str>, figures: &ChannelFigures) -> Vec<Cell> {
    let mut cells = vec![
        channel.map_or(Cell::Unnamed("(no channel)"), Cell::text),
        figures.clicks.into(),
        Cell::Number(figures.taken),
        Cell::Number(figures.came_back),
        Cell::Number(figures.held),
        Cell::Number(figures.orders),
        Cell::Number(figures.units),
        Cell::text(&figures.gross.currency()),
    ];
    cells.extend(money_cells(figures.gross, &figures.money));
    cells
}

impl DropReport {
    /// Appends the figures of each SKU as CSV; `docs/control.md` says what the columns are.
    pub fn sizes_csv(&self, out: &mut Vec<u8>) {
        self.by_size().csv(out);
    }

    /// Appends the figures of every channel as CSV.
    pub fn channels_csv(&self, out: &mut Vec<u8>) {
        self.by_channel().csv(out);
    }

    /// Appends what happened in each second as CSV.
    pub fn seconds_csv(&self, out: &mut Vec<u8>) {
        self.by_second().csv(out);
    }

    /// The report as a workbook with the sheets Summary, Sizes, Channels, Seconds, then Changes where something was
    /// changed during the sale. The same report gives the same bytes.
    ///
    /// # Errors
    /// [`XlsxError`].
    pub fn xlsx(&self) -> Result<Vec<u8>, XlsxError> {
        let mut book = Book::new(&self.plan.title, self.as_of);
        book.lines("Summary", &self.summary())?;
        book.table("Sizes", &self.by_size())?;
        book.table("Channels", &self.by_channel())?;
        book.table("Seconds", &self.by_second())?;
        if !self.changes.listed.is_empty() {
            book.table("Changes", &self.by_change())?;
        }
        book.finish()
    }

    fn by_size(&self) -> Table {
        Table { columns: SIZE_COLUMNS.to_vec(), rows: size_rows(self) }
    }

    fn by_channel(&self) -> Table {
        let drop = Column::new("drop", "Drop", Kind::Text);
        let columns = [drop].into_iter().chain(CHANNEL_COLUMNS).collect();
        let row = |ChannelReport { channel, figures, .. }: &ChannelReport| {
            let channel = channel.as_ref().map(ChannelId::as_str);
            let cells = channel_cells(channel, figures);
            [Cell::text(&self.drop)].into_iter().chain(cells).collect()
        };
        Table { columns, rows: self.channels.iter().map(row).collect() }
    }

    fn by_second(&self) -> Table {
        let row = |Second { second, counts }: &Second| {
            let Counts { taken, paid, came_back, clicks, refused, connected } = *counts;
            let after = DurationMs::new(second.saturating_mul(1_000));
            vec![
                Cell::text(&self.drop),
                Cell::Number(*second),
                self.opened_at.map(|opened_at| opened_at.plus(after)).into(),
                Cell::Number(taken),
                Cell::Number(paid),
                Cell::Number(came_back),
                Cell::Number(clicks),
                Cell::Number(refused),
                connected.into(),
            ]
        };
        Table { columns: SECOND_COLUMNS.to_vec(), rows: self.seconds.iter().map(row).collect() }
    }

    fn summary(&self) -> Vec<Line> {
        let plan = &self.plan;
        let mut lines = vec![
            Line::new("Title", Cell::text(&plan.title)),
            Line::new("Drop", Cell::text(&self.drop)),
            Line::new("Stream", Cell::text(&plan.stream)),
            Line::new("Merchant", Cell::text(&plan.merchant)),
            Line::new("Host", Cell::text(&plan.host)),
            Line::new("Mode", Cell::text(json::mode(plan.mode))),
            Line::new("Phase", Cell::text(&self.phase)),
            Line::new("Opened at (UTC)", self.opened_at.into()),
            Line::new("As of (UTC)", Cell::Time(self.as_of)),
            Line::new("Closing hash", self.closing_hash.as_ref().map_or(Cell::Nothing, Cell::text)),
            Line::new("Planned units", Cell::Number(self.planned())),
            Line::new("Supplied", Cell::Number(self.supplied)),
            Line::new("Taken", Cell::Number(self.taken.all.units)),
            Line::new("Held", Cell::Number(self.held)),
            Line::new("Sold", Cell::Number(self.sold)),
            Line::new("Left", Cell::Number(self.left())),
            Line::new("Came back", Cell::Number(self.came_back().units)),
            Line::new("Taken again", Cell::Number(self.taken_again)),
            Line::new("Orders", Cell::Number(self.taken.confirmed.holds)),
            Line::new("Buyers", Cell::count(self.buyers.len())),
            Line::new("Clicks", Cell::Number(self.clicks())),
            Line::new("Refused for want", Cell::Number(self.refused_for_want())),
        ];
        let refused = |(code, times)| Line::named(format!("Refused: {code}"), Cell::Number(times));
        lines.extend(self.refusals.iter().map(refused));
        lines.extend([
            Line::new("Half taken after (s)", self.half_after.into()),
            Line::new("90 % taken after (s)", self.nine_tenths_after.into()),
            Line::new("All taken after (s)", self.sold_out_after.into()),
            Line::new("Half paid after (s)", self.half_paid_after.into()),
            Line::new("All paid after (s)", self.all_paid_after.into()),
            Line::new("Last paid after (s)", self.last_paid_after.into()),
            Line::new("Settled after (s)", self.settled_after.into()),
            Line::new("Paused (s)", Cell::Span(self.paused)),
            Line::new("Outage (s)", Cell::Span(self.outage)),
            Line::new("Currency", Cell::text(&self.gross.currency())),
        ]);
        let money = ["Gross", "Charges", "Paid", "Refunded", "Net"].into_iter();
        let money = money.zip(money_cells(self.gross, &self.money));
        lines.extend(money.map(|(name, cell)| Line::new(name, cell)));
        lines.extend([
            Line::new("Cancelled orders", Cell::Number(self.cancelled.orders)),
            Line::new("Cancelled units", Cell::Number(self.cancelled.units)),
            Line::new("Refund due now", Cell::Money(self.open_money.refund_due)),
        ]);
        let later = self.adjustments.map(|later| adjustment_lines(later, self.gross.currency()));
        lines.extend(later.into_iter().flatten());
        lines
    }
}

/// What came after settlement.
pub(crate) fn adjustment_lines(
    Adjustments { as_of, records, cancelled, money }: Adjustments,
    currency: Currency,
) -> Vec<Line> {
    let change = |name, minor| Line::change(name, minor, currency);
    vec![
        Line::new("Since it settled, as of (UTC)", Cell::Time(as_of)),
        Line::new("Since it settled: records", Cell::Number(records)),
        change("Since it settled: charges", money.charges_minor),
        change("Since it settled: paid", money.paid_minor),
        change("Since it settled: refunded", money.refunded_minor),
        change("Since it settled: net", money.net_minor()),
        Line::new("Since it settled: cancelled orders", Cell::Number(cancelled.orders)),
        Line::new("Since it settled: cancelled units", Cell::Number(cancelled.units)),
    ]
}
