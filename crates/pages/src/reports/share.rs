//! The dialog by which a link to a report is made and taken back.

use askama::Template;

use super::{
    links::{Share, Shares},
    may_share,
};
use crate::{
    api::{Api, Refused},
    numbers::count,
    reader::Reader,
    visitor::Visitor,
    words::Language,
};

/// Links that the dialog lists: the newest.
const LINKS_MAX: u64 = 100;

#[derive(Template)]
#[template(path = "share.html")]
pub(super) struct ShareDialog {
    words: Language,
    /// `drop` or `show`.
    what: &'static str,
    drop: String,
    channels: Vec<String>,
    /// Whether the list could be read: links may be out otherwise.
    is_read: bool,
    links: Vec<Link>,
    /// What is said where there are more.
    cut: Option<String>,
}

/// What the interface answers of the links of a report, for a role that may make some.
pub(super) struct Links {
    what: &'static str,
    found: Result<Shares, Refused>,
}

/// A link that is out.
struct Link {
    id: String,
    label: String,
    what: String,
    until: String,
    used: String,
    by: String,
}

impl Links {
    /// The links of a drop or a show; `None` for a role that makes none.
    pub(super) async fn ask(
        api: &Api,
        visitor: &Visitor,
        role: &str,
        what: &'static str,
        drop: &str,
    ) -> Option<Self> {
        if !may_share(role) {
            return None;
        }
        let list = format!("/v1/shares?{what}={drop}&limit={LINKS_MAX}");
        Some(Self { what, found: api.get(&visitor.asker, &list).await })
    }

    /// The dialog for the report of this drop or show, which names these channels.
    pub(super) fn dialog(self, drop: &str, channels: Vec<String>, reader: &Reader) -> ShareDialog {
        let words = reader.words;
        let is_read = self.found.is_ok();
        let (found, total) =
            self.found.map(|found| (found.shares, found.total)).unwrap_or_default();
        let shown = u64::try_from(found.len()).unwrap_or(u64::MAX);
        ShareDialog {
            words,
            what: self.what,
            drop: drop.to_owned(),
            channels,
            is_read,
            links: found.into_iter().map(|share| Link::new(share, reader)).collect(),
            cut: (total > shown).then(|| words.share_list_cut(count(shown), count(total))),
        }
    }
}

impl Link {
    fn new(share: Share, reader: &Reader) -> Self {
        let words = reader.words;
        let what = match &share.channel {
            Some(channel) => words.share_of_channel(channel),
            None => words.share_whole().to_owned(),
        };
        let label = share.label.filter(|label| !label.is_empty());
        Self {
            label: label.unwrap_or_else(|| words.share_unlabelled().to_owned()),
            what,
            until: words.share_until(reader.moment(share.ends_at_ms)),
            used: match share.used_at_ms {
                Some(at) => words.share_used(reader.moment(at)),
                None => words.share_never_used().to_owned(),
            },
            by: words.share_by(share.by),
            id: share.id,
        }
    }
}
