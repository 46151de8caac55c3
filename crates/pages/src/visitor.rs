//! Who visits a page, with what was chosen for this browser.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use stampede_proxies::Peer;

use crate::{
    answers::Session,
    api::{Api, Asker, Refused},
    words::Language,
};

/// How long a choice is kept, in seconds: a year.
const KEPT_S: u32 = 31_536_000;

/// Minutes that a clock may be ahead of UTC or behind it.
const AHEAD_MIN_MAX: i32 = 14 * 60;

/// The colours of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// What is switched in this browser.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choices {
    /// Amounts are not shown: the screen is on camera.
    pub(crate) hides_money: bool,
    /// Single keys do nothing.
    pub(crate) keys_off: bool,
    /// What is otherwise held needs two presses.
    pub(crate) two_presses: bool,
}

/// One request for a page.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) language: Language,
    /// `None` where nothing was chosen: each page has its own first colours.
    pub(crate) theme: Option<Theme>,
    pub(crate) choices: Choices,
    /// How many minutes the browser's clock is ahead of UTC, once it has told.
    pub(crate) ahead_min: Option<i32>,
    pub(crate) asker: Asker,
    pub(crate) takes_gzip: bool,
    /// The path with its query, to come back to.
    pub(crate) here: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let (headers, peer) = (&parts.headers, parts.extensions.get::<Peer>().copied());
        let chosen = |name| cookie(headers, name);
        let language = chosen("stampede_language").and_then(Language::from_tag);
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|list| list.to_str().ok());
        let here = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            language: language.unwrap_or_else(|| Language::preferred(headers)),
            theme: chosen("stampede_theme").and_then(Theme::from_name),
            choices: Choices {
                hides_money: chosen("stampede_money") == Some("hidden"),
                keys_off: chosen("stampede_keys") == Some("off"),
                two_presses: chosen("stampede_presses") == Some("two"),
            },
            ahead_min: chosen("stampede_ahead_min")
                .and_then(|minutes| minutes.parse().ok())
                .filter(|minutes: &i32| minutes.abs() <= AHEAD_MIN_MAX),
            asker: Asker::new(headers, peer),
            takes_gzip: accepted.is_some_and(|list| list.contains("gzip")),
            here: here.to_owned(),
        })
    }
}

impl Visitor {
    /// Who is signed in.
    pub(crate) async fn session(&self, api: &Api) -> Result<Session, Refused> {
        api.get(&self.asker, "/v1/sessions/current").await
    }
}

/// The value of a cookie that the browser sends.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// Keeps a choice of this browser.
pub(crate) fn keep(name: &str, value: &'static str) -> HeaderValue {
    let cookie = format!("{name}={value}; Path=/; Max-Age={KEPT_S}; SameSite=Lax");
    HeaderValue::try_from(cookie).expect("names with choices are plain ASCII")
}

/// A path of this server to go on to; anything that could lead elsewhere leads to the first page.
pub(crate) fn own_path(wanted: Option<&str>) -> &str {
    let is_own = |path: &&str| {
        let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        path.starts_with('/') && !path.starts_with("//") && plain
    };
    wanted.filter(is_own).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_gone_on_to() {
        for wanted in ["/live/friday-show", "/shows?page=2", "/"] {
            assert_eq!(own_path(Some(wanted)), wanted);
        }
        let elsewhere = [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "",
            "live",
            "/a\nb",
            "/\t/evil.example",
            "javascript:alert(1)",
        ];
        for wanted in elsewhere {
            assert_eq!(own_path(Some(wanted)), "/", "{wanted:?}");
        }
        assert_eq!(own_path(None), "/");
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; stampede_theme=dark"));
        headers.append(header::COOKIE, HeaderValue::from_static("stampede_money=hidden"));
        assert_eq!(cookie(&headers, "stampede_theme"), Some("dark"));
        assert_eq!(cookie(&headers, "stampede_money"), Some("hidden"));
        assert_eq!(cookie(&headers, "theme"), None);
    }
}
