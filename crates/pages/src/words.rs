//! The texts of the pages, in the reader's language.
//!
//! The message files are turned into one method for each message by the build script, so a key that a
//! language lacks is no build.

#[cfg(test)]
#[path = "../build/forms.rs"]
mod forms;

use axum::http::{HeaderMap, header};

/// A language that every page speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// Every language.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The tag of BCP 47.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// Its own name for itself.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
        }
    }

    /// The language with this tag.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The language that a browser prefers: the first of its list that there is.
    pub(crate) fn preferred(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|list| list.to_str().ok());
        let mut best = (Self::English, 0.0);
        for part in accepted.unwrap_or_default().split(',') {
            let mut fields = part.split(';').map(str::trim);
            let tag = fields.next().unwrap_or_default().to_ascii_lowercase();
            let quality = fields.find_map(|field| field.strip_prefix("q="));
            let quality: f32 = quality.map_or(1.0, |number| number.parse().unwrap_or(0.0));
            let language = match tag.split('-').next() {
                Some("zh") => Self::Chinese,
                Some("en") => Self::English,
                _ => continue,
            };
            if quality > best.1 {
                best = (language, quality);
            }
        }
        best.0
    }

    /// What stands between two sentences.
    pub(crate) const fn gap(self) -> &'static str {
        match self {
            Self::English => " ",
            Self::Chinese => "",
        }
    }

    /// What a choice of colours is called.
    pub(crate) fn theme_name(self, theme: &str) -> &'static str {
        match theme {
            "light" => self.theme_light(),
            "dark" => self.theme_dark(),
            _ => self.theme_system(),
        }
    }

    /// What a role is called.
    pub(crate) fn role(self, role: &str) -> &str {
        match role {
            "admin" => self.role_admin(),
            "host" => self.role_host(),
            "merchant" => self.role_merchant(),
            "ops" => self.role_ops(),
            "platform" => self.role_platform(),
            "creator" => self.role_creator(),
            "stage" => self.role_stage(),
            "payments" => self.role_payments(),
            other => other,
        }
    }
}

/// The form of a number as it is written: the first of 1, the second of any other; `#` is the number.
fn form(number: &str, one: &str, other: &str) -> String {
    let form = if number == "1" { one } else { other };
    form.replace('#', number)
}

// The modules in the browser use some of the messages alone.
#[allow(dead_code, reason = "one list of messages serves the server with the browser")]
mod generated {
    use super::{Language, form};

    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

/// The messages of a language as a JavaScript module.
pub(crate) const fn module(language: Language) -> &'static str {
    match language {
        Language::English => include_str!(concat!(env!("OUT_DIR"), "/words-en.mjs")),
        Language::Chinese => include_str!(concat!(env!("OUT_DIR"), "/words-zh-CN.mjs")),
    }
}

/// The messages that only the pages for planning say.
pub(crate) const fn plan_module(language: Language) -> &'static str {
    match language {
        Language::English => include_str!(concat!(env!("OUT_DIR"), "/words-plan-en.mjs")),
        Language::Chinese => include_str!(concat!(env!("OUT_DIR"), "/words-plan-zh-CN.mjs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accepted: &str, wanted: Language) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().unwrap());
        assert_eq!(Language::preferred(&headers), wanted, "{accepted}");
    }

    #[test]
    fn one_has_a_form_of_its_own_where_the_language_has_one() {
        let (english, chinese) = (Language::English, Language::Chinese);
        let units = ["0", "1", "2", "11", "1,001"].map(|n| english.units_in(n));
        assert_eq!(units, ["0 units", "1 unit", "2 units", "11 units", "1,001 units"]);
        assert_eq!(chinese.units_in("1"), "1 件");
        let bar = english.stock_bar("3", "1", "0", "2");
        assert_eq!(bar, "Of 3 units 1 is paid, 0 are held, 2 are left.");
        assert_eq!(english.units_in_skus(1, 3), "1 unit in 3 kinds");
    }

    #[test]
    fn the_first_language_that_there_is_wins() {
        check("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese);
        check("de-DE,de;q=0.9,en;q=0.5,zh;q=0.6", Language::Chinese);
        check("en-GB, zh;q=0.5", Language::English);
        check("fr", Language::English);
        check("", Language::English);
        check("zh;q=0, *", Language::English);
        check("zh;q=x", Language::English);
    }
}
