//! The dialog by which a link to a report is made and taken back.

use askama::Template;

use super::links::{Share, Shares};
use crate::{api::Api, numbers::count, reader::Reader, visitor::Visitor, words::Language};

#[derive(Template)]
#[template(path = "share.html")]
pub(super) struct ShareDialog {
    words: Language,
    /// `drop` or `show`.
    what: &'static str,
    drop: String,
    channels: Vec<String>,
    links: Vec<Link>,
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

impl ShareDialog {
    /// The links of a drop or a show; none where they cannot be read.
    pub(super) async fn read(
        api: &Api,
        visitor: &Visitor,
        what: &'static str,
        drop: &str,
        channels: Vec<String>,
    ) -> Self {
        let found: Result<Shares, _> =
            api.get(&visitor.asker, &format!("/v1/shares?{what}={drop}&limit=100")).await;
        let reader = Reader::new(visitor);
        let links = found.map(|found| found.shares).unwrap_or_default();
        let links = links.into_iter().map(|share| Link::new(share, &reader)).collect();
        Self { words: visitor.language, what, drop: drop.to_owned(), channels, links }
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
                Some(at) => words.share_used(count(share.uses.max(1)), reader.moment(at)),
                None => words.share_never_used().to_owned(),
            },
            by: words.share_by(share.by),
            id: share.id,
        }
    }
}
