//! The frame that all pages stand in.

use std::fmt::Write as _;

use askama::Template;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use flate2::Compression;

use crate::{
    answers::Session,
    api::Refused,
    assets, orders, plan, reports,
    visitor::{Theme, Visitor},
    words::Language,
};

/// What every page is sent with: it runs only our own files, stands in no other page, is kept nowhere.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
    ),
];

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
    require-trusted-types-for 'script'; trusted-types stampede";

/// The same with pictures from elsewhere.
const POLICY_WITH_PICTURES: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: https:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
    require-trusted-types-for 'script'; trusted-types stampede";

/// What every template needs.
pub(crate) struct Frame {
    pub(crate) words: Language,
    /// The browser's title.
    pub(crate) title: String,
    /// Which page it is, for the navigation.
    pub(crate) page: &'static str,
    /// `dark` or `light`; empty for the system's.
    pub(crate) theme: &'static str,
    /// What was chosen, to mark it.
    pub(crate) chosen: Theme,
    pub(crate) who: Option<Session>,
    pub(crate) hides_money: bool,
    /// Where a choice leads back to.
    pub(crate) here: String,
    /// The stream to lead to from the navigation.
    pub(crate) stream: Option<String>,
    /// The module that the page runs.
    pub(crate) module: &'static str,
}

/// The links to the other pages: a template of its own, so that no page's has a large frame.
#[derive(Template)]
#[template(path = "navigation.html")]
struct Navigation<'a> {
    frame: &'a Frame,
    words: Language,
}

impl Frame {
    pub(crate) fn new(visitor: &Visitor, page: &'static str, title: impl Into<String>) -> Self {
        // Whoever runs a show sits in a dark room until they choose otherwise.
        let first = match page {
            "live" | "ops" | "stage" => Theme::Dark,
            _ => Theme::System,
        };
        let chosen = visitor.theme.unwrap_or(first);
        let theme = match chosen {
            _ if page == "stage" => "dark",
            Theme::System => "",
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        Self {
            words: visitor.language,
            title: title.into(),
            page,
            theme,
            chosen,
            who: None,
            hides_money: visitor.choices.hides_money,
            here: visitor.here.clone(),
            stream: None,
            module: "frame.mjs",
        }
    }

    pub(crate) fn signed_in(self, who: Session) -> Self {
        Self { who: Some(who), ..self }
    }

    pub(crate) fn runs(self, module: &'static str) -> Self {
        Self { module, ..self }
    }

    pub(crate) fn in_stream(self, stream: &str) -> Self {
        Self { stream: Some(stream.to_owned()), ..self }
    }

    /// The links to the pages that are for this visitor.
    pub(crate) fn navigation(&self) -> String {
        let navigation = Navigation { frame: self, words: self.words };
        navigation.render().expect("links are written into a string")
    }

    /// Whether the server's own page is for this visitor.
    pub(crate) fn sees_ops(&self) -> bool {
        self.who.as_ref().is_some_and(|who| matches!(who.role.as_str(), "ops" | "admin"))
    }

    /// Whether accounts are for this visitor: whoever is bound lets nobody in for the others.
    pub(crate) fn sees_accounts(&self) -> bool {
        let is_free = |who: &Session| who.merchant.is_none() && who.streams.is_empty();
        self.who.as_ref().is_some_and(|who| who.role == "admin" && is_free(who))
    }

    /// Whether orders are for this visitor.
    pub(crate) fn sees_orders(&self) -> bool {
        self.who.as_ref().is_some_and(|who| orders::may_read(&who.role))
    }

    /// Whether planning is for this visitor.
    pub(crate) fn sees_plan(&self) -> bool {
        self.who.as_ref().is_some_and(|who| plan::may_plan(&who.role))
    }

    /// Whether reports are for this visitor.
    pub(crate) fn sees_reports(&self) -> bool {
        self.who.as_ref().is_some_and(|who| reports::may_read(&who.role))
    }

    /// The messages that the page's script asks for.
    pub(crate) fn messages(&self) -> Option<String> {
        assets::messages(self.module, self.words)
    }

    /// A link that keeps a choice, then comes back. A page whose path is a secret takes the choice itself.
    pub(crate) fn choose(&self, what: &str, value: &str) -> String {
        match secret_path(&self.here) {
            Some(path) => {
                // What was chosen before stays in the address of a page that keeps nothing.
                let kept = choices_in(&self.here).filter(|(name, _)| *name != what);
                let pairs =
                    kept.chain([(what, value)]).map(|(name, value)| format!("{name}={value}"));
                format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
            }
            None => format!("/choose?{what}={value}&to={}", in_query(&self.here)),
        }
    }
}

/// The choices that a page's address has: their names with their values.
pub(crate) fn choices_in(here: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = here.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, value)| match *name {
        "language" => Language::from_tag(value).is_some(),
        "theme" => Theme::from_name(value).is_some(),
        _ => false,
    })
}

/// The path of a page whose path is a secret: it stands in no query, for logs and other pages to read.
pub(crate) fn secret_path(here: &str) -> Option<&str> {
    let path = here.split('?').next().unwrap_or_default();
    ["/join/", "/shared/"].iter().any(|start| path.starts_with(start)).then_some(path)
}

/// A path as part of a query.
pub(crate) fn in_query(path: &str) -> String {
    let mut written = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~:".contains(&byte) {
            written.push(char::from(byte));
        } else {
            write!(written, "%{byte:02X}").expect("a string takes what is written");
        }
    }
    written
}

/// Sends a page that shows pictures from elsewhere: the browser loads them, and tells nobody who looks at them.
pub(crate) fn page_with_pictures(visitor: &Visitor, template: &impl Template) -> Response {
    let mut sent = page(visitor, StatusCode::OK, template);
    if sent.status() == StatusCode::OK {
        let policy = HeaderValue::from_static(POLICY_WITH_PICTURES);
        sent.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    sent
}

/// Sends a page.
pub(crate) fn page(visitor: &Visitor, status: StatusCode, template: &impl Template) -> Response {
    let Ok(html) = template.render() else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "a page could not be written\n")
            .into_response();
    };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
    if visitor.takes_gzip {
        let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        let bytes = assets::gzip(html.as_bytes(), Compression::default());
        return (status, HEADERS, kind, encoding, Body::from(bytes)).into_response();
    }
    (status, HEADERS, kind, html).into_response()
}

/// The code of a ledger that contradicts itself.
const DAMAGED: &str = "ledger_damaged";

/// A page that says why another one cannot be shown.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    words: Language,
    title: &'static str,
    lead: &'static str,
    code: String,
    /// What the server found, where it helps whoever mends it.
    detail: Option<String>,
}

/// When to ask again where there is no room, in seconds.
const RETRY_AFTER: (HeaderName, HeaderValue) = (header::RETRY_AFTER, HeaderValue::from_static("2"));

/// The same answer, with when to ask again where that is all that it takes.
pub(crate) fn asks_again(mut answer: Response) -> Response {
    if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
        let (name, value) = RETRY_AFTER;
        answer.headers_mut().insert(name, value);
    }
    answer
}

/// What a visitor gets where the interface refused: a visitor who is not signed in is asked to sign in.
pub(crate) fn refused(visitor: &Visitor, refused: &Refused) -> Response {
    let words = visitor.language;
    let (title, lead) = match refused.status {
        StatusCode::UNAUTHORIZED => return to_sign_in(visitor),
        StatusCode::FORBIDDEN => (words.error_forbidden(), words.error_forbidden_lead()),
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND if visitor.here.starts_with("/orders") => {
            (words.error_no_order(), words.error_no_order_lead())
        }
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND if visitor.here.starts_with("/reports") => {
            (words.error_no_report(), words.error_no_report_lead())
        }
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => {
            (words.error_not_found(), words.error_not_found_lead())
        }
        _ if refused.problem.code == DAMAGED => {
            (words.report_damaged(), words.report_damaged_lead())
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            (words.error_busy(), words.error_busy_lead())
        }
        _ => (words.error_server(), words.error_server_lead()),
    };
    let status = match refused.status {
        // A malformed id is a show that there cannot be.
        StatusCode::BAD_REQUEST => StatusCode::NOT_FOUND,
        status => status,
    };
    let code = if refused.problem.code.is_empty() {
        status.as_str().to_owned()
    } else {
        refused.problem.code.clone()
    };
    let frame = Frame::new(visitor, "error", title);
    let detail = (code == DAMAGED).then(|| refused.problem.detail.clone());
    let detail = detail.filter(|detail| !detail.is_empty());
    asks_again(page(visitor, status, &ErrorPage { frame, words, title, lead, code, detail }))
}

/// Asks to sign in, then comes back.
fn to_sign_in(visitor: &Visitor) -> Response {
    let here = if secret_path(&visitor.here).is_some() { "/" } else { visitor.here.as_str() };
    let to = format!("/sign-in?to={}", in_query(here));
    (HEADERS, Redirect::to(&to)).into_response()
}

/// Leads to another page of ours.
pub(crate) fn go(to: &str) -> Response {
    (HEADERS, Redirect::to(to)).into_response()
}
