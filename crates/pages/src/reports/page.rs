//! The pages of a drop's and of a show's report, for staff.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::{
    charts::Medium,
    drop_view::{DropView, Setting},
    is_drop, may_read,
    places::STAFF,
    share::{Links, ShareDialog},
    show_view::ShowView,
    told::{Report, Running, ShowReport},
};
use crate::{
    answers::Session,
    api::{Api, Refused, parsed},
    orders,
    pages::{Frame, page, refused},
    reader::Reader,
    visitor::Visitor,
    words::Language,
};

/// Rows of a page's tables: a plan has no more sizes; further channels are summed.
const SIZES_MAX: usize = 64;
const CHANNELS_MAX: usize = 20;
const DROPS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<T: Template> {
    frame: Frame,
    words: Language,
    running: Running,
    /// Where it stands: links with their words.
    crumbs: Vec<(Option<String>, String)>,
    part: T,
    dialog: Option<ShareDialog>,
}

/// What is read of a drop.
#[derive(Template)]
#[template(path = "report-drop.html")]
pub(super) struct DropPart {
    pub(super) words: Language,
    pub(super) view: DropView,
    pub(super) print: String,
    /// Whether a link to it may be made.
    pub(super) shares: bool,
    /// Whether nothing above it says what it is of.
    pub(super) is_alone: bool,
}

/// What is read of a show.
#[derive(Template)]
#[template(path = "report-show.html")]
pub(super) struct ShowPart {
    pub(super) words: Language,
    pub(super) view: ShowView,
    pub(super) print: String,
    pub(super) shares: bool,
    pub(super) is_alone: bool,
}

/// Who asks, where they may read reports.
pub(super) async fn reader_of_reports(
    api: &Api,
    visitor: &Visitor,
    drop: &str,
) -> Result<Session, Refused> {
    let session = visitor.session(api).await?;
    if !may_read(&session.role) {
        return Err(Refused::of(StatusCode::FORBIDDEN));
    }
    if is_drop(drop) { Ok(session) } else { Err(Refused::of(StatusCode::NOT_FOUND)) }
}

/// What the interface answers of a drop, with its show; a drop stands for itself where its show cannot be read.
pub(super) struct ToldDrop {
    report: Vec<u8>,
    show: Option<Vec<u8>>,
}

impl ToldDrop {
    pub(super) async fn ask(api: &Api, visitor: &Visitor, drop: &str) -> Result<Self, Refused> {
        let path = format!("/v1/drops/{drop}/report?format=json&seconds=false");
        let report = api.bytes(&visitor.asker, &path).await?;
        Ok(Self { report, show: ask_show(api, visitor, drop).await.ok() })
    }

    pub(super) fn read(&self) -> Result<(Report, Option<ShowReport>), Refused> {
        let show = self.show.as_deref().and_then(|show| parsed(show).ok());
        Ok((parsed(&self.report)?, show))
    }
}

/// What the interface answers of a show.
pub(super) async fn ask_show(api: &Api, visitor: &Visitor, drop: &str) -> Result<Vec<u8>, Refused> {
    api.bytes(&visitor.asker, &format!("/v1/shows/{drop}/report?format=json")).await
}

/// How the page of a drop is set for this reader.
pub(super) fn drop_setting(drop: &str, role: &str, medium: Medium) -> Setting {
    let report = format!("/v1/drops/{drop}/report");
    Setting {
        medium,
        workbook: format!("{report}?format=xlsx"),
        json: format!("{report}?format=json"),
        files: Some(report),
        print: format!("/reports/{drop}/print"),
        orders: orders::may_read(role).then(|| format!("/v1/orders?drop={drop}&format=csv")),
        sizes_max: SIZES_MAX,
        channels_max: CHANNELS_MAX,
        links: true,
    }
}

/// How the page of a show is set.
pub(super) fn show_setting(show: &str, medium: Medium) -> Setting {
    let report = format!("/v1/shows/{show}/report");
    Setting {
        medium,
        files: None,
        workbook: format!("{report}?format=xlsx"),
        json: format!("{report}?format=json"),
        print: format!("/reports/shows/{show}/print"),
        orders: None,
        sizes_max: SIZES_MAX,
        channels_max: CHANNELS_MAX,
        links: true,
    }
}

impl ShowPart {
    pub(super) fn new(
        report: &ShowReport,
        reader: &Reader,
        setting: &Setting,
        shares: bool,
    ) -> Self {
        let view = ShowView::new(report, reader, setting, DROPS_MAX);
        Self {
            words: reader.words,
            view,
            print: setting.print.clone(),
            shares,
            is_alone: !setting.links,
        }
    }
}

impl DropPart {
    pub(super) fn new(
        report: &Report,
        show: Option<&ShowReport>,
        reader: &Reader,
        setting: &Setting,
        shares: bool,
    ) -> Self {
        let view = DropView::new(report, show, reader, setting);
        Self {
            words: reader.words,
            view,
            print: setting.print.clone(),
            shares,
            is_alone: !setting.links,
        }
    }
}

/// The report of a drop.
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
    let links = Links::ask(api, visitor, &session.role, "drop", &drop).await;
    let visitor = visitor.clone();
    let make = move || {
        let (report, show) = told.read()?;
        let words = visitor.language;
        let reader = Reader::new(&visitor);
        let setting = drop_setting(&drop, &session.role, Medium::Screen);
        let part = DropPart::new(&report, show.as_ref(), &reader, &setting, links.is_some());
        let to_show = show.as_ref().map(|show| {
            (Some(format!("/reports/shows/{}", show.show)), name_of_show(show, &reader))
        });
        let crumbs = to_show.into_iter().chain([(None, report.title.clone())]).collect();
        let frame = Frame::new(&visitor, "report", words.reports_of(&report.title))
            .signed_in(session)
            .runs("report.mjs");
        let running = report.running();
        let channels = report.channels.into_iter().filter_map(|channel| channel.name);
        let dialog = links.map(|links| links.dialog(&drop, channels.collect(), &reader));
        let shown = ReportPage { frame, words, running, crumbs, part, dialog };
        Ok(page(&visitor, StatusCode::OK, &shown))
    };
    STAFF.make(make).await
}

/// What a show is called: its stream with the day on which it began.
fn name_of_show(show: &ShowReport, reader: &Reader) -> String {
    match show.began_ms {
        Some(began) => reader.words.show_of_day(&show.stream, reader.day(began)),
        None => show.stream.clone(),
    }
}

/// The report of a show.
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
    // The links of a show are found by any of its drops.
    let links = Links::ask(api, visitor, &session.role, "show", &drop).await;
    let visitor = visitor.clone();
    let make = move || {
        let report: ShowReport = parsed(&told)?;
        let words = visitor.language;
        let reader = Reader::new(&visitor);
        let setting = show_setting(&report.show, Medium::Screen);
        let part = ShowPart::new(&report, &reader, &setting, links.is_some());
        let frame = Frame::new(&visitor, "report", words.reports_of(&report.stream))
            .signed_in(session)
            .runs("report.mjs");
        let running = report.running();
        let crumbs = vec![(None, name_of_show(&report, &reader))];
        let channels = report.channels.into_iter().filter_map(|channel| channel.name);
        let dialog = links.map(|links| links.dialog(&report.show, channels.collect(), &reader));
        let shown = ReportPage { frame, words, running, crumbs, part, dialog };
        Ok(page(&visitor, StatusCode::OK, &shown))
    };
    STAFF.make(make).await
}
