//! Reports for whoever has a link: without signing in, without what belongs to staff alone.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    channel_view::ChannelView,
    charts::Medium,
    drop_view::Setting,
    links::{ChannelReport, Shared, SharedKind},
    page::{DropPart, ShowPart},
    print::{DropPaper, PrintPage, ShowPaper},
    told::{Report, Running, ShowReport},
};
use crate::{
    api::{Api, Refused},
    pages::{Frame, choices_in, go, page},
    reader::Reader,
    visitor::{Theme, Visitor},
    words::Language,
};

/// Characters of a secret at most.
const SECRET_CHARS_MAX: usize = 128;

/// Rows of the tables.
const SIZES_MAX: usize = 64;
const CHANNELS_MAX: usize = 20;

/// No search engine keeps the page.
const ROBOTS: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));

/// Chosen for this page alone: it keeps nothing in the browser.
#[derive(Deserialize)]
pub(crate) struct SharedQuery {
    language: Option<String>,
    theme: Option<String>,
}

#[derive(Template)]
#[template(path = "shared.html")]
struct SharedPage<T: Template> {
    frame: Frame,
    words: Language,
    running: Running,
    merchant: Option<String>,
    until: String,
    part: T,
}

#[derive(Template)]
#[template(path = "shared-over.html")]
struct OverPage {
    frame: Frame,
    words: Language,
    title: &'static str,
    lead: &'static str,
    code: String,
}

#[derive(Template)]
#[template(path = "report-channel.html")]
struct ChannelPart {
    words: Language,
    view: ChannelView,
}

/// What a link shows, read.
enum Read {
    Drop(Box<Report>),
    Show(Box<ShowReport>),
    Channel(Box<ChannelReport>),
}

impl SharedQuery {
    /// The visitor with what the link's address chooses.
    fn chosen(&self, visitor: Visitor) -> Visitor {
        let language = self.language.as_deref().and_then(Language::from_tag);
        let theme = self.theme.as_deref().and_then(Theme::from_name);
        Visitor {
            language: language.unwrap_or(visitor.language),
            theme: theme.or(visitor.theme),
            ..visitor
        }
    }
}

async fn read(api: &Api, visitor: &Visitor, secret: &str) -> Result<(Read, u64), Refused> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if secret.is_empty() || secret.len() > SECRET_CHARS_MAX || !secret.bytes().all(plain) {
        return Err(Refused::of(StatusCode::NOT_FOUND));
    }
    let Shared { share, report } =
        api.get(&visitor.asker, &format!("/shared/{secret}/report.json")).await?;
    let read = match share.kind {
        SharedKind::Drop => Read::Drop(parsed(report)?),
        SharedKind::Show => Read::Show(parsed(report)?),
        SharedKind::DropChannel | SharedKind::ShowChannel => Read::Channel(parsed(report)?),
    };
    Ok((read, share.ends_at_ms))
}

fn parsed<T: DeserializeOwned>(report: serde_json::Value) -> Result<Box<T>, Refused> {
    let report = serde_json::from_value(report).map(Box::new);
    report.map_err(|_| Refused::of(StatusCode::INTERNAL_SERVER_ERROR))
}

/// How a shared page is set: it offers the link's own files, and leads nowhere else.
fn setting(secret: &str, of_drop: bool, medium: Medium, query: &str) -> Setting {
    let at = format!("/shared/{secret}");
    Setting {
        medium,
        workbook: format!("{at}/report.xlsx"),
        json: format!("{at}/report.json"),
        print: format!("{at}/print{query}"),
        files: of_drop.then_some(at),
        orders: None,
        sizes_max: SIZES_MAX,
        channels_max: CHANNELS_MAX,
        links: false,
    }
}

/// The query with what a page's address chooses, to go on with.
fn query_of(here: &str) -> String {
    let pairs: Vec<String> =
        choices_in(here).map(|(name, value)| format!("{name}={value}")).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// The page of a link.
pub(crate) async fn shared(
    State(api): State<Api>,
    visitor: Visitor,
    Path(secret): Path<String>,
    Query(query): Query<SharedQuery>,
) -> Response {
    let visitor = query.chosen(visitor);
    let (read, ends_at_ms) = match read(&api, &visitor, &secret).await {
        Ok(read) => read,
        Err(why) => return over(&visitor, &why),
    };
    let words = visitor.language;
    let reader = Reader::new(&visitor);
    let until = words.shared_until(reader.moment(ends_at_ms));
    let set = |of_drop| setting(&secret, of_drop, Medium::Screen, &query_of(&visitor.here));
    let frame = |title: String| Frame::new(&visitor, "shared", title).runs("shared.mjs");
    let answer = match read {
        Read::Drop(report) => {
            let part = DropPart::new(&report, None, &reader, &set(true), false);
            let frame = frame(words.reports_of(&report.title));
            let (running, merchant) = (report.running(), Some(report.merchant));
            page(
                &visitor,
                StatusCode::OK,
                &SharedPage { frame, words, running, merchant, until, part },
            )
        }
        Read::Show(report) => {
            let part = ShowPart::new(&report, &reader, &set(false), false);
            let frame = frame(words.reports_of(&report.stream));
            let running = report.running();
            page(
                &visitor,
                StatusCode::OK,
                &SharedPage { frame, words, running, merchant: None, until, part },
            )
        }
        Read::Channel(report) => {
            let view = ChannelView::new(&report, &reader);
            let frame = frame(words.reports_of(&view.title));
            let running = view.running;
            let part = ChannelPart { words, view };
            page(
                &visitor,
                StatusCode::OK,
                &SharedPage { frame, words, running, merchant: None, until, part },
            )
        }
    };
    ([ROBOTS], answer).into_response()
}

/// The same, to print. What is cut to a channel is one sheet as it stands.
pub(crate) async fn print(
    State(api): State<Api>,
    visitor: Visitor,
    Path(secret): Path<String>,
    Query(query): Query<SharedQuery>,
) -> Response {
    let visitor = query.chosen(visitor);
    let read = match read(&api, &visitor, &secret).await {
        Ok((read, _)) => read,
        Err(why) => return over(&visitor, &why),
    };
    let words = visitor.language;
    let reader = Reader::new(&visitor);
    let back = format!("/shared/{secret}{}", query_of(&visitor.here));
    let set = |of_drop| setting(&secret, of_drop, Medium::Paper, &query_of(&visitor.here));
    let frame = |title: String| Frame::new(&visitor, "print", title).runs("print.mjs");
    let answer = match read {
        Read::Drop(report) => {
            let part = DropPaper::new(&report, None, &reader, &set(true));
            let frame = frame(words.reports_of(&report.title));
            page(&visitor, StatusCode::OK, &PrintPage { frame, words, back, part })
        }
        Read::Show(report) => {
            let part = ShowPaper::new(&report, &reader, &set(false));
            let frame = frame(words.reports_of(&report.stream));
            page(&visitor, StatusCode::OK, &PrintPage { frame, words, back, part })
        }
        Read::Channel(_) => go(&back),
    };
    ([ROBOTS], answer).into_response()
}

/// Why a link shows nothing.
fn over(visitor: &Visitor, why: &Refused) -> Response {
    let words = visitor.language;
    let (title, lead) = match why.status {
        StatusCode::GONE => (words.shared_over(), words.shared_over_lead()),
        StatusCode::NOT_FOUND => (words.shared_unknown(), words.shared_unknown_lead()),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            (words.error_busy(), words.error_busy_lead())
        }
        _ => (words.error_server(), words.error_server_lead()),
    };
    let known = Some(why.problem.code.clone()).filter(|code| !code.is_empty());
    let code = known.unwrap_or_else(|| why.status.as_str().to_owned());
    let frame = Frame::new(visitor, "shared", title).runs("shared.mjs");
    let answer = page(visitor, why.status, &OverPage { frame, words, title, lead, code });
    ([ROBOTS], answer).into_response()
}
