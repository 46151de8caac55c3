//! One stream: the control room, the stage.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use crate::{
    answers::{Demo, Room as RoomTold, Running, Session, Shows, Snapshot},
    api::{Api, Refused},
    demo::Strip,
    live::{
        Air, Alarm, Button, Buttons, Ended, LeftOver, Live, Next, Other, Reader, Row, SkuRow,
        Stage, all_over, may_invite, may_write,
    },
    pages::{Frame, go, in_query, page, refused},
    past_shows::{PastShow, PastShows},
    visitor::{Choices, Visitor},
    words::Language,
};

/// Most characters of a stream's id.
const STREAM_CHARS_MAX: usize = 64;

/// Shows that are named where nothing is planned: a reader who mistyped one finds it among them, or in the list.
const YOURS_MAX: usize = 6;

/// Shows among which that of the stream is looked for, the newest that go by its name.
const SHOWS_READ: usize = 20;

#[derive(Template)]
#[template(path = "live.html")]
struct LivePage {
    frame: Frame,
    words: Language,
    live: Live,
    alarm: AlarmLine,
    air: Air,
    has_air: bool,
    preview: Preview,
    answer: Answer,
    blank_sku: SkuRow,
    blank_row: Row,
    /// The streams that the reader may see, where this one has nothing to show.
    yours: Vec<String>,
    sheet: Sheet,
    dialogs: Dialogs,
    writes: bool,
    plans: bool,
    role: String,
    choices: Choices,
    strip: Option<StripPart>,
}

/// What can go on air next.
#[derive(Template)]
#[template(path = "next.html")]
struct Preview {
    words: Language,
    next: Next,
    has_next: bool,
    ended: Option<Ended>,
    /// Whether the reader may read the report of the show.
    reads_reports: bool,
    left_over: Option<LeftOver>,
}

/// What came of the last command, with what takes an opening back.
#[derive(Template)]
#[template(path = "result.html")]
struct Answer {
    words: Language,
    undo: Button,
}

/// The line that says what needs the reader.
#[derive(Template)]
#[template(path = "alarm.html")]
struct AlarmLine {
    words: Language,
    alarm: Alarm,
}

/// The strip of a demo, a part of the control room.
#[derive(Template)]
#[template(path = "demo.html")]
struct StripPart {
    words: Language,
    strip: Strip,
}

/// What is asked before something is done.
#[derive(Template)]
#[template(path = "dialogs.html")]
struct Dialogs {
    words: Language,
    keys: [(&'static str, &'static str); 15],
    invites: bool,
    writes: bool,
    choices: Choices,
}

/// What More opens, with the rows that the browser copies.
#[derive(Template)]
#[template(path = "sheet.html")]
struct Sheet {
    words: Language,
    take_back: Button,
    extend: Button,
    wind_down: Button,
    limits: Button,
    airs: Vec<Button>,
    close: Button,
    blank_air: Button,
    blank_other: Other,
}

#[derive(Template)]
#[template(path = "stage.html")]
struct StagePage {
    frame: Frame,
    words: Language,
    stream: String,
    stage: Stage,
    role: String,
}

/// What both pages are made of.
struct Room {
    session: Session,
    snapshot: Snapshot,
    running: Running,
    /// Whether the reader may plan drops of the stream.
    plans: bool,
    /// Streams that the reader may see, asked for where this one has no drop.
    yours: Vec<String>,
    /// The demo that runs the server, if one does.
    demo: Option<Demo>,
}

impl Room {
    /// Somebody at the control room, with the list of all its drops, which a stage may not read.
    async fn read_whole(api: &Api, visitor: &Visitor, stream: &str) -> Result<Self, Refused> {
        let room = Self::read(api, visitor, stream, "?present=true").await?;
        let running: Running = match api.get(&visitor.asker, &format!("/v1/streams/{stream}")).await
        {
            Ok(running) => running,
            // Nothing is planned there yet, which the page says.
            Err(why) if why.problem.code == "unknown_stream" => {
                Running { drops: Vec::new(), show: None }
            }
            Err(why) => return Err(why),
        };
        let running = Self::with_show(api, visitor, stream, running).await;
        let is_empty = room.snapshot.drops.is_empty() && running.drops.is_empty();
        let yours = if is_empty { room.yours(api, visitor, stream).await } else { Vec::new() };
        let plans = plans(api, visitor, &room.session, stream).await;
        Ok(Self { running, plans, yours, ..room })
    }

    /// The list with the show that its last drops were of, once all are over.
    async fn with_show(api: &Api, visitor: &Visitor, stream: &str, running: Running) -> Running {
        if running.drops.is_empty() || !all_over(running.drops.iter().map(|drop| drop.phase)) {
            return running;
        }
        let list = format!("/v1/shows?limit={SHOWS_READ}&q={stream}");
        let listed: Result<PastShows, Refused> = api.get(&visitor.asker, &list).await;
        let shows = listed.map(|found| found.shows).unwrap_or_default();
        let of_stream = |show: &PastShow| show.stream == stream && show.had_sale();
        Running { show: shows.into_iter().find(of_stream), ..running }
    }

    /// The streams that the reader is bound to, then what the interface lists for them; never this one.
    async fn yours(&self, api: &Api, visitor: &Visitor, stream: &str) -> Vec<String> {
        let list = format!("/v1/streams?limit={}", YOURS_MAX + 1);
        let listed: Result<Shows, Refused> = api.get(&visitor.asker, &list).await;
        let listed = listed.map(|found| found.shows).unwrap_or_default();
        let mut yours = Vec::new();
        let bound = self.session.streams.iter().cloned();
        for found in bound.chain(listed.into_iter().map(|show| show.stream)) {
            if found != stream && !yours.contains(&found) && yours.len() < YOURS_MAX {
                yours.push(found);
            }
        }
        yours
    }

    /// Reads a stream; `query` says how it is followed.
    async fn read(
        api: &Api,
        visitor: &Visitor,
        stream: &str,
        query: &str,
    ) -> Result<Self, Refused> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
        if stream.is_empty() || stream.len() > STREAM_CHARS_MAX || !stream.chars().all(plain) {
            return Err(Refused::of(StatusCode::NOT_FOUND));
        }
        let asker = &visitor.asker;
        let session = visitor.session(api).await?;
        let running = Running { drops: Vec::new(), show: None };
        let followed = format!("/v1/streams/{stream}/follow{query}");
        let snapshot = api.get(asker, &followed).await?;
        // A server of no demo says so.
        let demo = api.get(asker, "/v1/demo").await.ok();
        Ok(Self { session, snapshot, running, plans: false, yours: Vec::new(), demo })
    }

    fn reader<'a>(&'a self, visitor: &Visitor) -> Reader<'a> {
        let Session { role, name, .. } = &self.session;
        let plans = self.plans;
        Reader { language: visitor.language, ahead_min: visitor.ahead_min, role, name, plans }
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
        let left_over = live.left_over.take();
        let title = if has_air { air.title.clone() } else { stream.to_owned() };
        let strip = room.demo.as_ref().map(|demo| Strip::new(demo, room.reader(visitor)));
        let strip = strip.map(|strip| StripPart { words, strip });
        let sheet = Sheet::new(&live.buttons, visitor);
        let answer = Answer { words, undo: live.buttons.undo.clone() };
        let role = room.session.role.clone();
        let (writes, invites, plans) = (may_write(&role), may_invite(&role), room.plans);
        let yours = room.yours;
        let frame = Frame::new(visitor, "live", title)
            .signed_in(room.session)
            .in_stream(stream)
            .runs(if strip.is_some() { "demo.mjs" } else { "live.mjs" });
        let reads_reports = frame.sees_reports();
        let ended = live.ended.take();
        let alarm = AlarmLine { words, alarm: live.alarm.clone() };
        Self {
            frame,
            words,
            live,
            alarm,
            air,
            has_air,
            preview: Preview { words, next, has_next, ended, reads_reports, left_over },
            answer,
            blank_sku: SkuRow::blank(),
            blank_row: Row::blank(),
            yours,
            sheet,
            dialogs: Dialogs {
                words,
                keys: keys(words),
                invites,
                writes,
                choices: visitor.choices,
            },
            writes,
            plans,
            role,
            choices: visitor.choices,
            strip,
        }
    }
}

impl Sheet {
    fn new(buttons: &Buttons, visitor: &Visitor) -> Self {
        let words = visitor.language;
        Self {
            words,
            take_back: buttons.take_back.clone(),
            extend: buttons.extend.clone(),
            wind_down: buttons.wind_down.clone(),
            limits: buttons.limits.clone(),
            airs: buttons.airs.clone(),
            close: buttons.close.clone(),
            blank_air: Button::blank_air(words),
            blank_other: Other::blank(),
        }
    }
}

/// Whether somebody may plan drops of a stream: a host where a merchant lets hosts.
async fn plans(api: &Api, visitor: &Visitor, session: &Session, stream: &str) -> bool {
    match session.role.as_str() {
        "admin" | "merchant" => true,
        "host" => {
            let room: Result<RoomTold, Refused> =
                api.get(&visitor.asker, &format!("/v1/rooms/{stream}")).await;
            room.is_ok_and(|room| room.hosts_plan(session.merchant.as_deref()).next().is_some())
        }
        _ => false,
    }
}

/// What each key does.
fn keys(words: Language) -> [(&'static str, &'static str); 15] {
    [
        ("P", words.key_pause()),
        ("Esc", words.key_escape()),
        ("O", words.key_open()),
        ("R", words.key_restock()),
        ("M", words.key_more()),
        ("C", words.key_close()),
        ("N", words.key_next()),
        ("J", words.key_order()),
        ("U", words.key_undo()),
        ("T", words.key_line()),
        ("V", words.key_video()),
        ("H", words.key_money()),
        ("1", words.key_alarm()),
        ("2", words.key_alarm_also()),
        ("?", words.key_help()),
    ]
}

/// The control room. A reader who is told no figures of money is sent to the stage.
pub(crate) async fn live(
    State(api): State<Api>,
    visitor: Visitor,
    Path(stream): Path<String>,
) -> Response {
    match visitor.session(&api).await {
        Ok(session) if matches!(session.role.as_str(), "stage" | "platform") => {
            return go(&format!("/stage/{}", in_query(&stream)));
        }
        Ok(_) => {}
        Err(why) => return refused(&visitor, &why),
    }
    match Room::read_whole(&api, &visitor, &stream).await {
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
    match Room::read(&api, &visitor, &stream, "").await {
        Ok(room) => page(&visitor, StatusCode::OK, &StagePage::new(room, &visitor, &stream)),
        Err(why) => refused(&visitor, &why),
    }
}

impl StagePage {
    fn new(room: Room, visitor: &Visitor, stream: &str) -> Self {
        let words = visitor.language;
        let stage = Stage::new(&room.snapshot, room.reader(visitor));
        let role = room.session.role.clone();
        let frame = Frame::new(visitor, "stage", words.stage_title(stream))
            .signed_in(room.session)
            .in_stream(stream)
            .runs("stage.mjs");
        Self { frame, words, stream: stream.to_owned(), stage, role }
    }
}
