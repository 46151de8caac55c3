//! The list of reports: shows, then drops that are over, with a search over both.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::may_read;
use crate::{
    answers::{Drops, Mode, Summary},
    api::{Api, Refused},
    lists::{Pages, number, part},
    live::Standing,
    numbers::count,
    pages::{Frame, in_query, page, refused},
    past_shows::{Gross, PastShow, PastShows},
    reader::Reader,
    visitor::Visitor,
    words::Language,
};

/// Characters of a search at most.
const TEXT_CHARS_MAX: usize = 200;

/// Drops of a show that its row names.
const TITLES_MAX: usize = 2;

#[derive(Deserialize)]
pub(crate) struct ReportsQuery {
    /// What is looked for.
    #[serde(default)]
    q: String,
    /// The page of shows, from 1.
    #[serde(default)]
    shows: usize,
    /// The page of drops, from 1.
    #[serde(default)]
    drops: usize,
}

#[derive(Template)]
#[template(path = "reports.html")]
struct ReportsPage {
    frame: Frame,
    words: Language,
    text: String,
    /// This page, up to where the number of a page stands.
    at: String,
    shows: Vec<ShowRow>,
    shows_pages: Pages,
    drops: Vec<DropRow>,
    drops_pages: Pages,
}

struct ShowRow {
    link: String,
    stream: String,
    host: String,
    is_running: bool,
    began: String,
    drops: Vec<String>,
    more: Option<String>,
    paid: String,
    money: String,
}

struct DropRow {
    drop: String,
    title: String,
    stream: String,
    state: &'static str,
    glyph: &'static str,
    paid: String,
    rehearsal: bool,
}

pub(crate) async fn reports(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<ReportsQuery>,
) -> Response {
    match read(&api, &visitor, &query).await {
        Ok(read) => page(&visitor, StatusCode::OK, &read),
        Err(why) => refused(&visitor, &why),
    }
}

async fn read(api: &Api, visitor: &Visitor, query: &ReportsQuery) -> Result<ReportsPage, Refused> {
    let session = visitor.session(api).await?;
    if !may_read(&session.role) {
        return Err(Refused::of(StatusCode::FORBIDDEN));
    }
    let text: String = query.q.trim().chars().take(TEXT_CHARS_MAX).collect();
    let words = visitor.language;
    let reader = Reader::new(visitor);
    let asked = if text.is_empty() { String::new() } else { format!("q={}&", in_query(&text)) };
    let list = format!("/v1/shows?{asked}");
    let (found, at): (PastShows, _) = part(api, &visitor.asker, &list, query.shows).await?;
    let over = format!("/v1/drops?over=true&newest_first=true&{asked}");
    let (gone, gone_at): (Drops, _) = part(api, &visitor.asker, &over, query.drops).await?;
    Ok(ReportsPage {
        frame: Frame::new(visitor, "reports", words.reports_title()).signed_in(session),
        words,
        text,
        at: format!("/reports?{asked}"),
        shows_pages: Pages::new(at, found.shows.len(), found.total, words),
        shows: found.shows.into_iter().map(|show| ShowRow::new(show, &reader)).collect(),
        drops_pages: Pages::new(gone_at, gone.drops.len(), gone.total, words),
        drops: gone.drops.iter().map(|drop| DropRow::new(drop, words)).collect(),
    })
}

impl ShowRow {
    fn new(show: PastShow, reader: &Reader) -> Self {
        let words = reader.words;
        let more = show.drops_total.saturating_sub(show.drops.len().min(TITLES_MAX));
        let money = |gross: &Gross| reader.money(gross.minor, &gross.currency);
        Self {
            link: format!("/reports/shows/{}", show.show),
            is_running: show.running,
            began: show
                .began_ms
                .map_or_else(|| words.unknown().to_owned(), |began| reader.moment(began)),
            drops: show.drops.into_iter().take(TITLES_MAX).map(|drop| drop.title).collect(),
            more: (more > 0).then(|| words.reports_more_drops(count(number(more)))),
            paid: words.paid_of(count(show.sold), count(show.supplied)),
            money: show.gross.iter().map(money).collect::<Vec<_>>().join(" + "),
            stream: show.stream,
            host: show.host,
        }
    }
}

impl DropRow {
    fn new(drop: &Summary, words: Language) -> Self {
        let standing = Standing::of_summary(drop);
        Self {
            drop: drop.drop.clone(),
            title: drop.title.clone(),
            stream: drop.stream.clone(),
            state: standing.word(words),
            glyph: standing.glyph(),
            paid: words.paid_of(count(drop.sold.unwrap_or_default()), count(drop.supplied)),
            rehearsal: drop.mode == Mode::Rehearsal,
        }
    }
}
