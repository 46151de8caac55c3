//! The list of shows, with the drops that are over.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use crate::{
    answers::{self, Drops, Mode, Shows, Summary},
    api::{Api, Asker, Refused},
    asked::{ListedRequest, Requests},
    lists::{Pages, number, part},
    live::{Standing, may},
    numbers::count,
    pages::{Frame, go, page, refused},
    past_shows::{Gross, PastShow, PastShows},
    reader::Reader,
    visitor::Visitor,
    words::Language,
};

/// Shows that are over on the page, among so many that were the latest.
const ENDED_MAX: usize = 4;
const SHOWS_READ: usize = 20;
/// Requests that the page reads.
const REQUESTS_MAX: usize = 1_000;

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
    /// For more units than are in reserve; `None` for whoever does not answer them.
    asked: Option<Vec<Asked>>,
    asked_count: String,
    shows_pages: Pages,
    /// The latest shows that are over, for readers of reports.
    ended: Vec<EndedShow>,
    past: Vec<Past>,
    past_pages: Pages,
}

/// A show all of whose drops are over.
struct EndedShow {
    stream: String,
    link: String,
    began: String,
    totals: String,
    money: String,
}

/// A stream with drops that are not all over.
struct Show {
    stream: String,
    host: String,
    on_air: bool,
    rehearsing: bool,
    drops: Vec<Chip>,
    more: usize,
    /// Left out for whoever is told no figures of money.
    paid: Option<String>,
    left: String,
    /// How many requests nobody has answered; empty if none.
    asked: String,
}

/// A request that nobody has answered.
struct Asked {
    request: String,
    text: String,
    /// Of which drop, in which show, and why.
    place: String,
    grant: String,
    granted: String,
    declined: String,
}

struct Chip {
    title: String,
    kind: &'static str,
    second: String,
}

struct Past {
    drop: String,
    title: String,
    stream: String,
    state: &'static str,
    glyph: &'static str,
    paid: Option<String>,
    rehearsal: bool,
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
    let answers = may(&session.role, "grant");
    let frame = Frame::new(&visitor, "shows", words.shows_title()).signed_in(session);
    let frame = if answers { frame.runs("shows.mjs") } else { frame };
    match ShowsPage::read(frame, &api, &visitor, &query).await {
        Ok(read) => page(&visitor, StatusCode::OK, &read),
        Err(why) => refused(&visitor, &why),
    }
}

impl ShowsPage {
    async fn read(
        frame: Frame,
        api: &Api,
        visitor: &Visitor,
        query: &ShowsQuery,
    ) -> Result<Self, Refused> {
        let (words, asker) = (frame.words, &visitor.asker);
        let (found, at): (Shows, _) = part(api, asker, "/v1/streams?", query.shows).await?;
        let over = "/v1/drops?over=true&newest_first=true&";
        let (gone, gone_at): (Drops, _) = part(api, asker, over, query.past).await?;
        let ended = if frame.sees_reports() { ended(api, visitor).await } else { Vec::new() };
        let counted = words.shows_count(count(number(found.total)));
        let role = frame.who.as_ref().map_or("", |who| who.role.as_str()).to_owned();
        let open = open_requests(api, asker, &role).await?;
        let of_stream = |stream: &str| open.iter().filter(|one| one.stream == stream).count();
        let mark = |stream: &str| match of_stream(stream) {
            0 => String::new(),
            some => words.shows_asked(count(number(some))),
        };
        let answers = may(&role, "grant");
        Ok(Self {
            asked_count: words.shows_asked(count(number(open.len()))),
            asked: answers.then(|| open.iter().map(|one| Asked::new(one, words)).collect()),
            frame,
            words,
            counted,
            shows_pages: Pages::new(at, found.shows.len(), found.total, words),
            shows: found
                .shows
                .into_iter()
                .map(|show| Show { asked: mark(&show.stream), ..Show::new(show, words) })
                .collect(),
            ended,
            past_pages: Pages::new(gone_at, gone.drops.len(), gone.total, words),
            past: gone.drops.iter().map(|drop| Past::new(drop, words)).collect(),
        })
    }
}

/// The latest shows that are over; none if they cannot be read, for the page leads to those that go on.
async fn ended(api: &Api, visitor: &Visitor) -> Vec<EndedShow> {
    let list = format!("/v1/shows?limit={SHOWS_READ}");
    let found: Result<PastShows, Refused> = api.get(&visitor.asker, &list).await;
    let shows = found.map(|found| found.shows).unwrap_or_default();
    let reader = Reader::new(visitor);
    let over = shows.into_iter().filter(PastShow::is_over).take(ENDED_MAX);
    over.map(|show| EndedShow::new(show, &reader)).collect()
}

impl EndedShow {
    fn new(show: PastShow, reader: &Reader) -> Self {
        let money = |gross: &Gross| reader.money(gross.minor, &gross.currency);
        Self {
            link: format!("/reports/shows/{}", show.show),
            began: show.began_ms.map(|at| reader.moment(at)).unwrap_or_default(),
            totals: reader.words.show_over_totals(count(show.sold), count(show.supplied)),
            money: show.gross.iter().map(money).collect::<Vec<_>>().join(" + "),
            stream: show.stream,
        }
    }
}

impl Show {
    fn new(show: answers::Show, words: Language) -> Self {
        Self {
            host: show.host,
            on_air: show.featured,
            rehearsing: show.rehearsing,
            more: show.drops_total.saturating_sub(show.drops.len()),
            drops: show.drops.iter().map(|drop| Chip::new(drop, words)).collect(),
            paid: show.sold.map(|sold| words.n_paid(count(sold))),
            left: words.units_in(count(show.supplied)),
            stream: show.stream,
            asked: String::new(),
        }
    }
}

impl Asked {
    fn new(listed: &ListedRequest, words: Language) -> Self {
        let ListedRequest { stream, title, goods, reason, request } = listed;
        let units = count(request.units);
        let place = words.shows_asked_place(title, stream);
        Self {
            request: request.id.clone(),
            text: words.asks_for(&request.asked_by, &units, goods),
            place: match reason {
                Some(why) => words.shows_asked_why(place, why),
                None => place,
            },
            grant: words.grant(&units),
            granted: words.result_grant(&units, goods),
            declined: words.result_decline(&units, goods),
        }
    }
}

/// The requests that nobody has answered, for those who run sales or own goods.
async fn open_requests(
    api: &Api,
    asker: &Asker,
    role: &str,
) -> Result<Vec<ListedRequest>, Refused> {
    if !may(role, "grant") && !may(role, "withdraw") {
        return Ok(Vec::new());
    }
    let found: Requests = api.get(asker, &format!("/v1/requests?limit={REQUESTS_MAX}")).await?;
    Ok(found.requests.into_iter().filter(|one| one.request.is_open()).collect())
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
            drop: drop.drop.clone(),
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
