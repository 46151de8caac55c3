//! The list of shows, with the drops that are over.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    answers::{self, Drops, Mode, Shows, Summary},
    api::{Api, Asker, Refused},
    live::Standing,
    numbers::count,
    pages::{Frame, go, page, refused},
    visitor::Visitor,
    words::Language,
};

/// Shows of one page, past drops of one page: what is asked for at once, however many there are.
const SIZE: usize = 50;

#[derive(Deserialize)]
pub(crate) struct ShowsQuery {
    /// The page of shows, from 1.
    #[serde(default)]
    shows: usize,
    /// The page of past drops, from 1.
    #[serde(default)]
    past: usize,
}

#[derive(Template)]
#[template(path = "shows.html")]
struct ShowsPage {
    frame: Frame,
    words: Language,
    shows: Vec<Show>,
    counted: String,
    shows_pages: Pages,
    past: Vec<Past>,
    past_pages: Pages,
}

/// A stream with drops that are not all over.
struct Show {
    stream: String,
    host: String,
    on_air: bool,
    drops: Vec<Chip>,
    more: usize,
    /// Left out for whoever is told no figures of money.
    paid: Option<String>,
    left: String,
}

struct Chip {
    title: String,
    kind: &'static str,
    second: String,
}

struct Past {
    title: String,
    stream: String,
    state: &'static str,
    glyph: &'static str,
    paid: Option<String>,
    rehearsal: bool,
}

/// Which part of a list is shown.
struct Pages {
    range: String,
    previous: Option<usize>,
    next: Option<usize>,
}

pub(crate) async fn shows(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<ShowsQuery>,
) -> Response {
    let session = match visitor.session(&api).await {
        Ok(session) => session,
        Err(why) => return refused(&visitor, &why),
    };
    // It sees its stage, and nothing of other shows.
    if let ("stage", Some(stream)) = (session.role.as_str(), session.streams.first()) {
        return go(&format!("/stage/{stream}"));
    }
    let words = visitor.language;
    let frame = Frame::new(&visitor, "shows", words.shows_title()).signed_in(session);
    match ShowsPage::read(frame, &api, &visitor.asker, &query).await {
        Ok(read) => page(&visitor, StatusCode::OK, &read),
        Err(why) => refused(&visitor, &why),
    }
}

/// Part of a list, with how long the whole is.
trait Listed {
    fn total(&self) -> usize;
}

impl Listed for Shows {
    fn total(&self) -> usize {
        self.total
    }
}

impl Listed for Drops {
    fn total(&self) -> usize {
        self.total
    }
}

/// One page of a list; the last one instead of one that there is not.
async fn part<T: Listed + DeserializeOwned>(
    api: &Api,
    asker: &Asker,
    list: &str,
    wanted: usize,
) -> Result<(T, usize), Refused> {
    let ask = async |place: usize| {
        let skip = place.saturating_sub(1).saturating_mul(SIZE);
        // Lists are answered without waiting for anything: whoever has a press to make comes in between.
        tokio::task::yield_now().await;
        api.get::<T>(asker, &format!("{list}limit={SIZE}&skip={skip}")).await
    };
    let wanted = wanted.max(1);
    let found = ask(wanted).await?;
    let last = found.total().div_ceil(SIZE).max(1);
    if wanted <= last { Ok((found, wanted)) } else { Ok((ask(last).await?, last)) }
}

impl ShowsPage {
    async fn read(
        frame: Frame,
        api: &Api,
        asker: &Asker,
        query: &ShowsQuery,
    ) -> Result<Self, Refused> {
        let words = frame.words;
        let (found, at): (Shows, _) = part(api, asker, "/v1/streams?", query.shows).await?;
        let over = "/v1/drops?over=true&newest_first=true&";
        let (gone, gone_at): (Drops, _) = part(api, asker, over, query.past).await?;
        let counted = words.shows_count(count(number(found.total)));
        Ok(Self {
            frame,
            words,
            counted,
            shows_pages: Pages::new(at, found.shows.len(), found.total, words),
            shows: found.shows.into_iter().map(|show| Show::new(show, words)).collect(),
            past_pages: Pages::new(gone_at, gone.drops.len(), gone.total, words),
            past: gone.drops.iter().map(|drop| Past::new(drop, words)).collect(),
        })
    }
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Pages {
    /// The page with this number, from 1, of which this many lines are shown.
    fn new(place: usize, shown: usize, whole: usize, words: Language) -> Self {
        let first = (place - 1) * SIZE;
        let said = |place: usize| count(number(place));
        let range = words.shows_range(said(first + 1), said(first + shown), said(whole));
        Self {
            range: if whole > SIZE { range } else { String::new() },
            previous: (place > 1).then(|| place - 1),
            next: (first + shown < whole).then(|| place + 1),
        }
    }
}

impl Show {
    fn new(show: answers::Show, words: Language) -> Self {
        Self {
            host: show.host,
            on_air: show.featured,
            more: show.drops_total.saturating_sub(show.drops.len()),
            drops: show.drops.iter().map(|drop| Chip::new(drop, words)).collect(),
            paid: show.sold.map(|sold| words.n_paid(count(sold))),
            left: words.units_in(count(show.supplied)),
            stream: show.stream,
        }
    }
}

impl Chip {
    fn new(drop: &Summary, words: Language) -> Self {
        let standing = standing(drop);
        let second = match standing {
            Standing::Planned => words.units_in(count(drop.supplied)),
            Standing::Open => words.sku_left(count(drop.available)),
            Standing::AllTaken => words.all_taken_for_now().to_owned(),
            other => match (other, drop.sold) {
                (Standing::SoldOut, Some(sold)) => words.all_paid(count(sold)),
                (Standing::Closed | Standing::Settled, Some(sold)) => words.n_paid(count(sold)),
                _ => other.word(words).to_owned(),
            },
        };
        let kind = if drop.featured { "air" } else { "plain" };
        Self { title: drop.title.clone(), kind, second }
    }
}

impl Past {
    fn new(drop: &Summary, words: Language) -> Self {
        let standing = standing(drop);
        Self {
            title: drop.title.clone(),
            stream: drop.stream.clone(),
            state: standing.word(words),
            glyph: standing.glyph(),
            paid: drop.sold.map(|sold| words.paid_of(count(sold), count(drop.supplied))),
            rehearsal: drop.mode == Mode::Rehearsal,
        }
    }
}

fn standing(drop: &Summary) -> Standing {
    Standing::of_summary(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lead_to_those_beside_them() {
        let pages = |place, shown| Pages::new(place, shown, 120, Language::English);
        let last = pages(3, 20);
        assert_eq!((last.previous, last.next), (Some(2), None));
        assert_eq!(last.range, "101 to 120 of 120");
        let first = pages(1, 50);
        assert_eq!(
            (first.previous, first.next, first.range.as_str()),
            (None, Some(2), "1 to 50 of 120")
        );
    }

    #[test]
    fn a_short_list_has_no_pages() {
        let pages = Pages::new(1, 2, 2, Language::English);
        assert_eq!((pages.previous, pages.next, pages.range.as_str()), (None, None, ""));
    }
}
