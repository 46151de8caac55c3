//! Reports on paper: two sheets of A4, whatever the data.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::{
    charts::Medium,
    drop_view::{DropView, Setting},
    page::{ToldDrop, ask_show, drop_setting, reader_of_reports, show_setting},
    parts::Drops,
    places::STAFF,
    show_view::ShowView,
    told::{Report, ShowReport},
};
use crate::{
    api::{Api, Refused, parsed},
    pages::{Frame, page, refused},
    reader::Reader,
    visitor::Visitor,
    words::Language,
};

/// Sizes that a sheet has a row for.
const SIZES_MAX: usize = 20;

/// Rows of both tables of the first sheet below which the drawings stand there as well.
const ROWS_BESIDE_CHARTS: usize = 10;

/// Rows of both tables that fill the first sheet.
const ROWS_MAX: usize = 26;

/// Drops, phases and goods that the second sheet has a row for.
const DROPS_MAX: usize = 6;
const PHASES_MAX: usize = 7;

/// The same of a drop in whose sale something was changed, with the rows of the changes.
const DROPS_BESIDE_CHANGES: usize = 4;
const PHASES_BESIDE_CHANGES: usize = 4;
const CHANGES_MAX: usize = 6;

/// Rows of a show's sheets.
const SHOW_DROPS_MAX: usize = 12;
const SHOW_BEST_MAX: usize = 6;
const SHOW_CHANNELS_MAX: usize = 12;
const SHOW_APART_MAX: usize = 3;

/// Rows of the first sheet of a show, and how many of them a table's title with its head and its sum take.
const SHOW_ROWS_MAX: usize = 30;
const ROWS_OF_A_HEAD: usize = 4;

#[derive(Template)]
#[template(path = "print.html")]
pub(super) struct PrintPage<T: Template> {
    pub(super) frame: Frame,
    pub(super) words: Language,
    /// The page that it prints.
    pub(super) back: String,
    pub(super) part: T,
}

/// A drop on paper.
#[derive(Template)]
#[template(path = "paper-drop.html")]
pub(super) struct DropPaper {
    words: Language,
    view: DropView,
    /// Whether there are so many rows that the drawings stand on the second sheet.
    is_dense: bool,
}

/// A show on paper.
#[derive(Template)]
#[template(path = "paper-show.html")]
pub(super) struct ShowPaper {
    words: Language,
    view: ShowView,
    /// Whether the first sheet has room for the channels.
    is_short: bool,
}

impl DropPaper {
    pub(super) fn new(
        report: &Report,
        show: Option<&ShowReport>,
        reader: &Reader,
        setting: &Setting,
    ) -> Self {
        let shown = report.skus.len().min(SIZES_MAX);
        // One with the rest, one with the sum.
        let sizes =
            shown + usize::from(report.skus.len() > SIZES_MAX) + usize::from(report.skus.len() > 1);
        let channels = report.channels.len() + usize::from(report.channels_left_out > 0) + 1;
        let is_dense = sizes + channels > ROWS_BESIDE_CHARTS;
        let channels_max = ROWS_MAX.saturating_sub(sizes + 2).max(2);
        let setting = Setting {
            medium: Medium::Paper,
            sizes_max: SIZES_MAX,
            channels_max,
            ..setting.clone()
        };
        let mut view = DropView::new(report, show, reader, &setting);
        let (drops_max, phases_max) = match view.changes {
            Some(_) => (DROPS_BESIDE_CHANGES, PHASES_BESIDE_CHANGES),
            None => (DROPS_MAX, PHASES_MAX),
        };
        view.changes = view.changes.map(|table| table.cut(CHANGES_MAX, reader));
        view.show = view.show.map(|table| this_and_others(table, drops_max).cut(drops_max, reader));
        if view.phases.len() > phases_max {
            // How it began, and how it ended.
            let last = view.phases.split_off(view.phases.len() - phases_max / 2);
            view.phases.truncate(phases_max - last.len());
            view.phases.extend(last);
        }
        Self { words: reader.words, view, is_dense }
    }
}

/// The same with this page's drop among the first rows.
fn this_and_others(mut table: Drops, rows_max: usize) -> Drops {
    if let Some(place) = table.rows.iter().position(|row| row.is_this)
        && place >= rows_max
    {
        let this = table.rows.remove(place);
        table.rows.insert(rows_max - 1, this);
    }
    table
}

impl ShowPaper {
    pub(super) fn new(report: &ShowReport, reader: &Reader, setting: &Setting) -> Self {
        let setting =
            Setting { medium: Medium::Paper, channels_max: SHOW_CHANNELS_MAX, ..setting.clone() };
        let mut view = ShowView::new(report, reader, &setting, SHOW_DROPS_MAX);
        view.rehearsals = view.rehearsals.map(|table| table.cut(SHOW_APART_MAX, reader));
        view.called_off = view.called_off.map(|table| table.cut(SHOW_APART_MAX, reader));
        if let Some(best) = &mut view.best {
            best.rows.truncate(SHOW_BEST_MAX);
        }
        let rows = |length: usize| if length == 0 { 0 } else { length + ROWS_OF_A_HEAD };
        let drops = view.drops.as_ref().map_or(0, |table| table.rows.len());
        let best = view.best.as_ref().map_or(0, |table| table.rows.len());
        let channels = view.channels.as_ref().map_or(0, |table| table.rows.len());
        let is_short = rows(drops) + rows(best) + rows(channels) <= SHOW_ROWS_MAX;
        Self { words: reader.words, view, is_short }
    }
}

/// A drop's report, to print.
pub(crate) async fn drop(
    State(api): State<Api>,
    visitor: Visitor,
    Path(drop): Path<String>,
) -> Response {
    drop_page(&api, &visitor, drop).await.unwrap_or_else(|why| refused(&visitor, &why))
}

async fn drop_page(api: &Api, visitor: &Visitor, drop: String) -> Result<Response, Refused> {
    let session = reader_of_reports(api, visitor, &drop).await?;
    let told = ToldDrop::ask(api, visitor, &drop).await?;
    let visitor = visitor.clone();
    let make = move || {
        let (report, show) = told.read()?;
        let words = visitor.language;
        let setting = drop_setting(&drop, &session.role, Medium::Paper);
        let part = DropPaper::new(&report, show.as_ref(), &Reader::new(&visitor), &setting);
        let frame = Frame::new(&visitor, "print", words.reports_of(&report.title))
            .signed_in(session)
            .runs("print.mjs");
        let shown = PrintPage { frame, words, back: format!("/reports/{drop}"), part };
        Ok(page(&visitor, StatusCode::OK, &shown))
    };
    STAFF.make(make).await
}

/// A show's report, to print.
pub(crate) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(drop): Path<String>,
) -> Response {
    show_page(&api, &visitor, drop).await.unwrap_or_else(|why| refused(&visitor, &why))
}

async fn show_page(api: &Api, visitor: &Visitor, drop: String) -> Result<Response, Refused> {
    let session = reader_of_reports(api, visitor, &drop).await?;
    let told = ask_show(api, visitor, &drop).await?;
    let visitor = visitor.clone();
    let make = move || {
        let report: ShowReport = parsed(&told)?;
        let words = visitor.language;
        let setting = show_setting(&report.show, Medium::Paper);
        let part = ShowPaper::new(&report, &Reader::new(&visitor), &setting);
        let frame = Frame::new(&visitor, "print", words.reports_of(&report.stream))
            .signed_in(session)
            .runs("print.mjs");
        let back = format!("/reports/shows/{}", report.show);
        Ok(page(&visitor, StatusCode::OK, &PrintPage { frame, words, back, part }))
    };
    STAFF.make(make).await
}
