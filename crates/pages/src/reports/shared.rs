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
    links::{ChannelReport, Shared, SharedKind, SharedReport},
    page::{DropPart, ShowPart},
    places::PUBLIC,
    print::{DropPaper, PrintPage, ShowPaper},
    told::{Report, Running, ShowReport},
};
use crate::{
    api::{Api, Refused, parsed},
    pages::{Frame, asks_again, choices_in, go, page},
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

/// What the interface answers to a secret.
async fn ask(api: &Api, visitor: &Visitor, secret: &str) -> Result<Vec<u8>, Refused> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if secret.is_empty() || secret.len() > SECRET_CHARS_MAX || !secret.bytes().all(plain) {
        return Err(Refused::of(StatusCode::NOT_FOUND));
    }
    api.bytes(&visitor.asker, &format!("/shared/{secret}/report.json?seconds=false")).await
}

/// What was answered, and how long the link is good.
fn read(told: &[u8]) -> Result<(Read, u64), Refused> {
    let Shared { share } = parsed(told)?;
    let read = match share.kind {
        SharedKind::Drop => Read::Drop(report(told)?),
        SharedKind::Show => Read::Show(report(told)?),
        SharedKind::DropChannel | SharedKind::ShowChannel => Read::Channel(report(told)?),
    };
    Ok((read, share.ends_at_ms))
}

fn report<T: DeserializeOwned>(told: &[u8]) -> Result<Box<T>, Refused> {
    let SharedReport { report } = parsed(told)?;
    Ok(Box::new(report))
}

/// What is made of what was answered.
type Make = fn(&Visitor, &str, &[u8]) -> Result<Response, Refused>;

/// What a link shows, made at a place for the public.
async fn answer(api: &Api, visitor: Visitor, secret: String, make: Make) -> Response {
    let reader = visitor.clone();
    let made = match ask(api, &visitor, &secret).await {
        Ok(told) => PUBLIC.make(move || make(&reader, &secret, &told)).await,
        Err(why) => Err(why),
    };
    match made {
        Ok(made) => ([ROBOTS], made).into_response(),
        Err(why) => over(&visitor, &why),
    }
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
    answer(&api, query.chosen(visitor), secret, make_page).await
}

fn make_page(visitor: &Visitor, secret: &str, told: &[u8]) -> Result<Response, Refused> {
    let (read, ends_at_ms) = read(told)?;
    let words = visitor.language;
    let reader = Reader::new(visitor);
    let until = words.shared_until(reader.moment(ends_at_ms));
    let set = |of_drop| setting(secret, of_drop, Medium::Screen, &query_of(&visitor.here));
    let frame = |title: String| Frame::new(visitor, "shared", title).runs("shared.mjs");
    Ok(match read {
        Read::Drop(report) => {
            let part = DropPart::new(&report, None, &reader, &set(true), false);
            let frame = frame(words.reports_of(&report.title));
            let (running, merchant) = (report.running(), Some(report.merchant));
            page(
                visitor,
                StatusCode::OK,
                &SharedPage { frame, words, running, merchant, until, part },
            )
        }
        Read::Show(report) => {
            let part = ShowPart::new(&report, &reader, &set(false), false);
            let frame = frame(words.reports_of(&report.stream));
            let running = report.running();
            page(
                visitor,
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
                visitor,
                StatusCode::OK,
                &SharedPage { frame, words, running, merchant: None, until, part },
            )
        }
    })
}

/// The same, to print. What is cut to a channel is one sheet as it stands.
pub(crate) async fn print(
    State(api): State<Api>,
    visitor: Visitor,
    Path(secret): Path<String>,
    Query(query): Query<SharedQuery>,
) -> Response {
    answer(&api, query.chosen(visitor), secret, make_print).await
}

fn make_print(visitor: &Visitor, secret: &str, told: &[u8]) -> Result<Response, Refused> {
    let (read, _) = read(told)?;
    let words = visitor.language;
    let reader = Reader::new(visitor);
    let back = format!("/shared/{secret}{}", query_of(&visitor.here));
    let set = |of_drop| setting(secret, of_drop, Medium::Paper, &query_of(&visitor.here));
    let frame = |title: String| Frame::new(visitor, "print", title).runs("print.mjs");
    Ok(match read {
        Read::Drop(report) => {
            let part = DropPaper::new(&report, None, &reader, &set(true));
            let frame = frame(words.reports_of(&report.title));
            page(visitor, StatusCode::OK, &PrintPage { frame, words, back, part })
        }
        Read::Show(report) => {
            let part = ShowPaper::new(&report, &reader, &set(false));
            let frame = frame(words.reports_of(&report.stream));
            page(visitor, StatusCode::OK, &PrintPage { frame, words, back, part })
        }
        Read::Channel(_) => go(&back),
    })
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
    asks_again(([ROBOTS], answer).into_response())
}
