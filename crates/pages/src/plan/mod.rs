//! Planning by page: for whom it is, what its pages say.

mod page;

pub(crate) use self::page::{choose, drop, show};
use crate::{assets, words::Language};

/// Whether planning is for somebody with this role: a host reads a plan, and changes it where a merchant lets hosts.
pub(crate) fn may_plan(role: &str) -> bool {
    matches!(role, "admin" | "merchant" | "host")
}

/// Where the messages are that only these pages say.
pub(crate) fn words_path(words: Language) -> String {
    assets::path(&format!("words-plan-{}.mjs", words.tag()))
}
