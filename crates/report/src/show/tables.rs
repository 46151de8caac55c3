//! The report of a show as a workbook.

use stampede_domain::ChannelId;

use super::{ShowMoney, ShowReport, ShowSums};
use crate::{
    fold::DropReport,
    json,
    tables::{
        Book, CHANNEL_COLUMNS, Cell, Column, Kind, Line, SIZE_COLUMNS, Table, XlsxError,
        adjustment_lines, channel_cells, money_cells, size_rows,
    },
};

const DROP_COLUMNS: [Column; 27] = [
    Column::new("drop", "Drop", Kind::Text),
    Column::new("title", "Title", Kind::Text),
    Column::new("merchant", "Merchant", Kind::Text),
    Column::new("host", "Host", Kind::Text),
    Column::new("mode", "Mode", Kind::Text),
    Column::new("phase", "Phase", Kind::Text),
    Column::new("running_order", "Running order", Kind::Number),
    Column::new("opened_at", "Opened at (UTC)", Kind::Time),
    Column::new("supplied", "Supplied", Kind::Number),
    Column::new("taken", "Taken", Kind::Number),
    Column::new("came_back", "Came back", Kind::Number),
    Column::new("held", "Held", Kind::Number),
    Column::new("sold", "Sold", Kind::Number),
    Column::new("left", "Left", Kind::Number),
    Column::new("orders", "Orders", Kind::Number),
    Column::new("buyers", "Buyers", Kind::Number),
    Column::new("clicks", "Clicks", Kind::Number),
    Column::new("refused_for_want", "Refused for want", Kind::Number),
    Column::new("sold_out_after", "All taken after (s)", Kind::Span),
    Column::new("all_paid_after", "All paid after (s)", Kind::Span),
    Column::new("currency", "Currency", Kind::Text),
    Column::new("gross", "Gross", Kind::Money),
    Column::new("charges", "Charges", Kind::Money),
    Column::new("paid", "Paid", Kind::Money),
    Column::new("refunded", "Refunded", Kind::Money),
    Column::new("net", "Net", Kind::Money),
    Column::new("closing_hash", "Closing hash", Kind::Text),
];

impl ShowReport {
    /// The report as a workbook with the sheets Summary, Sizes, Channels, Drops. A channel has a row for each currency
    /// that its drops were sold in. The same report gives the same bytes.
    ///
    /// # Errors
    /// [`XlsxError`].
    pub fn xlsx(&self) -> Result<Vec<u8>, XlsxError> {
        let mut book = Book::new(self.first().plan.stream.as_str(), self.as_of());
        book.lines("Summary", &self.summary())?;
        let sizes = self.counted().flat_map(|report| size_rows(report)).collect();
        book.table("Sizes", &Table { columns: SIZE_COLUMNS.to_vec(), rows: sizes })?;
        let channels = self.channels();
        let rows = channels.iter().flat_map(|channel| {
            let name = channel.channel.as_ref().map(ChannelId::as_str);
            channel.figures.values().map(move |figures| channel_cells(name, figures))
        });
        let channels = Table { columns: CHANNEL_COLUMNS.to_vec(), rows: rows.collect() };
        book.table("Channels", &channels)?;
        let rows = self.drops.iter().map(|report| drop_cells(report)).collect();
        book.table("Drops", &Table { columns: DROP_COLUMNS.to_vec(), rows })?;
        book.finish()
    }

    fn summary(&self) -> Vec<Line> {
        let ShowSums { planned, supplied, taken, held, sold, left, .. } = self.sums();
        let ShowSums { came_back, clicks, refused_for_want, orders, .. } = self.sums();
        let mut lines = vec![
            Line::new("Show", Cell::text(&self.id())),
            Line::new("Stream", Cell::text(&self.first().plan.stream)),
            Line::new("Began at (UTC)", self.began_at().into()),
            Line::new("Ended at (UTC)", self.ended_at().into()),
            Line::new("As of (UTC)", Cell::Time(self.as_of())),
            Line::new("Drops", Cell::count(self.counted().count())),
            Line::new("Rehearsals, not counted", Cell::count(self.rehearsals().count())),
            Line::new(
                "Cancelled and voided drops, not counted",
                Cell::count(self.called_off().count()),
            ),
            Line::new("Planned units", Cell::Number(planned)),
            Line::new("Supplied", Cell::Number(supplied)),
            Line::new("Taken", Cell::Number(taken)),
            Line::new("Held", Cell::Number(held)),
            Line::new("Sold", Cell::Number(sold)),
            Line::new("Left", Cell::Number(left)),
            Line::new("Came back", Cell::Number(came_back)),
            Line::new("Orders", Cell::Number(orders)),
            Line::new("Buyers", Cell::count(self.buyers())),
            Line::new("Clicks", Cell::Number(clicks)),
            Line::new("Refused for want", Cell::Number(refused_for_want)),
        ];
        for ShowMoney { gross, money } in self.money().values() {
            let names = ["Gross", "Charges", "Paid", "Refunded", "Net"];
            let cells = names.into_iter().zip(money_cells(*gross, money));
            lines.extend(cells.map(|(name, cell)| Line::new(name, cell)));
        }
        for (currency, later) in self.adjustments() {
            lines.extend(adjustment_lines(later, currency));
        }
        lines
    }
}

fn drop_cells(report: &DropReport) -> Vec<Cell> {
    let plan = &report.plan;
    let mut cells = vec![
        Cell::text(&report.drop),
        Cell::text(&plan.title),
        Cell::text(&plan.merchant),
        Cell::text(&plan.host),
        Cell::text(json::mode(plan.mode)),
        Cell::text(&report.phase),
        Cell::Number(plan.running_order.into()),
        report.opened_at.into(),
        Cell::Number(report.supplied),
        Cell::Number(report.taken.all.units),
        Cell::Number(report.came_back().units),
        Cell::Number(report.held),
        Cell::Number(report.sold),
        Cell::Number(report.left()),
        Cell::Number(report.taken.confirmed.holds),
        Cell::count(report.buyers.len()),
        Cell::Number(report.clicks()),
        Cell::Number(report.refused_for_want()),
        report.sold_out_after.into(),
        report.all_paid_after.into(),
        Cell::text(&report.gross.currency()),
    ];
    cells.extend(money_cells(report.gross, &report.money));
    cells.push(report.closing_hash.as_ref().map_or(Cell::Nothing, Cell::text));
    cells
}
