//! One stream: the control room, the stage.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use crate::{
    answers::{Running, Session, Snapshot},
    api::{Api, Refused},
    live::{Air, Live, Next, Reader, Row, SkuRow, Stage},
    pages::{Frame, page, refused},
    visitor::{Choices, Visitor},
    words::Language,
};

/// Most characters of a stream's id.
const STREAM_CHARS_MAX: usize = 64;

#[derive(Template)]
#[template(path = "live.html")]
struct LivePage {
    frame: Frame,
    words: Language,
    live: Live,
    air: Air,
    has_air: bool,
    next: Next,
    has_next: bool,
    blank_sku: SkuRow,
    blank_row: Row,
    keys: [(&'static str, &'static str); 9],
    role: String,
    choices: Choices,
}

#[derive(Template)]
#[template(path = "stage.html")]
struct StagePage {
    frame: Frame,
    words: Language,
    live: Live,
    air: Air,
    price: String,
    under: String,
    taken: String,
    role: String,
}

/// What both pages are made of.
struct Room {
    session: Session,
    snapshot: Snapshot,
    running: Running,
}

impl Room {
    async fn read(api: &Api, visitor: &Visitor, stream: &str) -> Result<Self, Refused> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
        if stream.is_empty() || stream.len() > STREAM_CHARS_MAX || !stream.chars().all(plain) {
            return Err(Refused::of(StatusCode::NOT_FOUND));
        }
        let asker = &visitor.asker;
        let session = visitor.session(api).await?;
        let running = match api.get(asker, &format!("/v1/streams/{stream}")).await {
            Ok(running) => running,
            // Nothing is planned there yet, which the page says.
            Err(why) if why.problem.code == "unknown_stream" => Running { drops: Vec::new() },
            Err(why) => return Err(why),
        };
        let snapshot = api.get(asker, &format!("/v1/streams/{stream}/follow")).await?;
        Ok(Self { session, snapshot, running })
    }

    fn reader<'a>(&'a self, visitor: &Visitor) -> Reader<'a> {
        let Session { role, .. } = &self.session;
        Reader { language: visitor.language, ahead_min: visitor.ahead_min, role }
    }

    fn live(&self, visitor: &Visitor) -> Live {
        Live::new(&self.snapshot, &self.running, self.reader(visitor))
    }

    /// The drop on air with whether there is one, in the place that it has on the page either way.
    fn air(&self, live: &mut Live, visitor: &Visitor) -> (Air, bool) {
        match live.air.take() {
            Some(air) => (air, true),
            None => (Air::none(&self.snapshot, self.reader(visitor)), false),
        }
    }
}

impl LivePage {
    fn new(room: Room, visitor: &Visitor, stream: &str) -> Self {
        let words = visitor.language;
        let mut live = room.live(visitor);
        let (air, has_air) = room.air(&mut live, visitor);
        let (next, has_next) = match live.next.take() {
            Some(next) => (next, true),
            None => (Next::none(room.reader(visitor)), false),
        };
        let title = if has_air { air.title.clone() } else { stream.to_owned() };
        let role = room.session.role.clone();
        let frame = Frame::new(visitor, "live", title)
            .signed_in(room.session)
            .in_stream(stream)
            .runs("live.mjs");
        Self {
            frame,
            words,
            live,
            air,
            has_air,
            next,
            has_next,
            blank_sku: SkuRow::blank(),
            blank_row: Row::blank(),
            keys: keys(words),
            role,
            choices: visitor.choices,
        }
    }
}

/// What each key does.
fn keys(words: Language) -> [(&'static str, &'static str); 9] {
    [
        ("P", words.key_pause()),
        ("Esc", words.key_escape()),
        ("O", words.key_open()),
        ("R", words.key_restock()),
        ("C", words.key_close()),
        ("N", words.key_next()),
        ("H", words.key_money()),
        ("1", words.key_alarm()),
        ("?", words.key_help()),
    ]
}

/// The control room.
pub(crate) async fn live(
    State(api): State<Api>,
    visitor: Visitor,
    Path(stream): Path<String>,
) -> Response {
    match Room::read(&api, &visitor, &stream).await {
        Ok(room) => page(&visitor, StatusCode::OK, &LivePage::new(room, &visitor, &stream)),
        Err(why) => refused(&visitor, &why),
    }
}

/// The page for the person on camera.
pub(crate) async fn stage(
    State(api): State<Api>,
    visitor: Visitor,
    Path(stream): Path<String>,
) -> Response {
    match Room::read(&api, &visitor, &stream).await {
        Ok(room) => page(&visitor, StatusCode::OK, &StagePage::new(room, &visitor, &stream)),
        Err(why) => refused(&visitor, &why),
    }
}

impl StagePage {
    fn new(room: Room, visitor: &Visitor, stream: &str) -> Self {
        let words = visitor.language;
        let mut live = room.live(visitor);
        let (mut air, has_air) = room.air(&mut live, visitor);
        let stage = Stage::new(&air, has_air, live.next.as_ref(), words);
        if !has_air {
            words.stage_wait().clone_into(&mut air.hero.text);
            air.hero.kind = "words";
        }
        let role = room.session.role.clone();
        let frame = Frame::new(visitor, "stage", words.stage_title(stream))
            .signed_in(room.session)
            .in_stream(stream)
            .runs("stage.mjs");
        let Stage { title, price, under, taken } = stage;
        air.title = title;
        Self { frame, words, live, air, price, under, taken, role }
    }
}
