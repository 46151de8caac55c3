//! The list of shows, with the drops that are over.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use crate::{
    answers::{Drops, Mode, Summary},
    api::{Api, Asker, Refused},
    live::Standing,
    numbers::count,
    pages::{Frame, go, page, refused},
    visitor::Visitor,
    words::Language,
};

/// Shows of one page.
const SHOWS: usize = 50;

/// Past drops of one page.
const PAST: usize = 50;

/// Drops that are asked for at once.
const ASKED: usize = 1_000;

/// Drops that a page reads at most, the newest of them last.
const READ_MAX: usize = 100_000;

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
    paid: String,
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
    paid: String,
    rehearsal: bool,
}

/// Which part of a list is shown.
struct Pages {
    range: String,
    previous: Option<usize>,
    next: Option<usize>,
}

/// Drops of a show that its row names.
const CHIPS: usize = 6;

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
    let drops = match all(&api, &visitor.asker).await {
        Ok(drops) => drops,
        Err(why) => return refused(&visitor, &why),
    };
    let words = visitor.language;
    let frame = Frame::new(&visitor, "shows", words.shows_title()).signed_in(session);
    page(&visitor, StatusCode::OK, &ShowsPage::new(frame, words, drops, &query))
}

async fn all(api: &Api, asker: &Asker) -> Result<Vec<Summary>, Refused> {
    let mut drops: Vec<Summary> = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/drops?limit={ASKED}{after}");
        let answer: Drops = api.get(asker, &path).await?;
        drops.extend(answer.drops);
        match answer.next {
            Some(next) if drops.len() < READ_MAX => after = format!("&after={next}"),
            _ => return Ok(drops),
        }
    }
}

impl ShowsPage {
    fn new(frame: Frame, words: Language, drops: Vec<Summary>, query: &ShowsQuery) -> Self {
        let mut streams: BTreeMap<String, Vec<Summary>> = BTreeMap::new();
        let mut past = Vec::new();
        for drop in drops {
            if drop.phase.is_over() {
                past.push(Past::new(&drop, words));
            }
            streams.entry(drop.stream.clone()).or_default().push(drop);
        }
        past.reverse();
        let mut shows: Vec<Show> = streams
            .into_iter()
            .filter(|(_, drops)| drops.iter().any(|drop| !drop.phase.is_over()))
            .map(|(stream, drops)| Show::new(stream, &drops, words))
            .collect();
        // What is on air stands first; the rest by name, as it came.
        shows.sort_by_key(|show| !show.on_air);
        let counted = match shows.len() {
            1 => words.shows_one().to_owned(),
            n => words.shows_count(count(number(n))),
        };
        let (shows, shows_pages) = cut(shows, query.shows, SHOWS, words);
        let (past, past_pages) = cut(past, query.past, PAST, words);
        Self { frame, words, shows, counted, shows_pages, past, past_pages }
    }
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// One page of a list.
fn cut<T>(all: Vec<T>, wanted: usize, size: usize, words: Language) -> (Vec<T>, Pages) {
    let whole = all.len();
    let last = whole.div_ceil(size).max(1);
    let wanted = wanted.clamp(1, last);
    let first = (wanted - 1) * size;
    let shown: Vec<T> = all.into_iter().skip(first).take(size).collect();
    let said = |place: usize| count(number(place));
    let range = words.shows_range(said(first + 1), said(first + shown.len()), said(whole));
    let pages = Pages {
        range: if whole > size { range } else { String::new() },
        previous: (wanted > 1).then(|| wanted - 1),
        next: (wanted < last).then(|| wanted + 1),
    };
    (shown, pages)
}

impl Show {
    fn new(stream: String, drops: &[Summary], words: Language) -> Self {
        let live: Vec<&Summary> = drops.iter().filter(|drop| drop.mode == Mode::Live).collect();
        let shown: Vec<&Summary> = if live.is_empty() { drops.iter().collect() } else { live };
        let sum = |of: fn(&Summary) -> u64| shown.iter().map(|drop| of(drop)).sum();
        let on_air = shown.iter().any(|drop| drop.featured);
        Self {
            host: shown.first().map(|drop| drop.host.clone()).unwrap_or_default(),
            on_air,
            drops: shown.iter().take(CHIPS).map(|drop| Chip::new(drop, words)).collect(),
            more: shown.len().saturating_sub(CHIPS),
            paid: words.n_paid(count(sum(|drop| drop.sold))),
            left: words.units_in(count(sum(|drop| drop.supplied))),
            stream,
        }
    }
}

impl Chip {
    fn new(drop: &Summary, words: Language) -> Self {
        let standing = standing(drop);
        let second = match standing {
            Standing::Planned => words.units_in(count(drop.supplied)),
            Standing::Open => words.sku_left(count(drop.available)),
            Standing::SoldOut => words.all_paid(count(drop.sold)),
            Standing::Closed | Standing::Settled => words.n_paid(count(drop.sold)),
            Standing::AllTaken => words.all_taken_for_now().to_owned(),
            other => other.word(words).to_owned(),
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
            paid: words.paid_of(count(drop.sold), count(drop.supplied)),
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
    fn a_page_beyond_the_end_is_the_last_one() {
        let (shown, pages) = cut((0..120).collect(), 9, 50, Language::English);
        assert_eq!((shown.first(), shown.len()), (Some(&100), 20));
        assert_eq!((pages.previous, pages.next), (Some(2), None));
        assert_eq!(pages.range, "101 to 120 of 120");
    }

    #[test]
    fn a_short_list_has_no_pages() {
        let (shown, pages) = cut(vec![1, 2], 0, 50, Language::English);
        assert_eq!(shown, [1, 2]);
        assert_eq!((pages.previous, pages.next, pages.range.as_str()), (None, None, ""));
    }
}
