//! Planning: the shows, a show's drops in running order, the form of one drop, a table that is pasted.
//!
//! What was typed and is not planned yet is the browser's alone: these pages are sent with what is planned.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;

use super::may_plan;
use crate::{
    answers::{Mode, Phase, Room, Sale, Session, Shows, Snapshot},
    api::{Api, Refused},
    goods::{picture, prices},
    live::Standing,
    numbers::count,
    pages::{Frame, go, page, page_with_pictures, refused},
    visitor::Visitor,
    words::Language,
};

/// Most characters of a stream's id.
const STREAM_CHARS_MAX: usize = 64;

/// Shows that are named to be chosen from.
const SHOWS_MAX: usize = 50;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Choice {
    /// The show that was named.
    #[serde(default)]
    stream: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Rest {
    /// The drop whose units that are left are to be planned anew.
    #[serde(default)]
    rest: Option<String>,
}

#[derive(Template)]
#[template(path = "plan-choose.html")]
struct ChoosePage {
    frame: Frame,
    words: Language,
    streams: Vec<String>,
    typed: String,
    wrong: Option<String>,
    /// A name like the one that was typed, where there is one.
    better: Option<String>,
}

#[derive(Template)]
#[template(path = "plan.html")]
struct ShowPage {
    frame: Frame,
    words: Language,
    show: Show,
    rows: Vec<Row>,
    blank: Row,
    /// Whether hosts may plan, where the reader says so for a merchant.
    lets_hosts: Option<bool>,
    /// Whether the stream belongs to somebody yet.
    has_room: bool,
}

#[derive(Template)]
#[template(path = "plan-drop.html")]
struct DropPage {
    frame: Frame,
    words: Language,
    show: Show,
    /// `new`, a draft's name or a drop's id.
    which: String,
    title: String,
    hosts: Vec<String>,
    /// Merchants whose drops the reader may plan, where these are told.
    merchants: Vec<String>,
    /// Whether the merchant has to be named.
    names_merchant: bool,
}

#[derive(Template)]
#[template(path = "plan-paste.html")]
struct PastePage {
    frame: Frame,
    words: Language,
    show: Show,
    /// Whether the merchant has to be named.
    names_merchant: bool,
}

/// The show that is planned, as the modules read it.
struct Show {
    stream: String,
    name: String,
    merchant: String,
    /// Whose drops the reader may plan here.
    plans: Plans,
    /// The interface's snapshot, without what planning does not look at.
    told: String,
}

/// Whose drops somebody may plan in a show.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Plans {
    /// Whoever they are sold for; the server says where not.
    All,
    /// Those of these merchants, who let hosts plan.
    For(Vec<String>),
}

impl Plans {
    fn new(session: &Session, room: Option<&Room>) -> Self {
        if session.role != "host" {
            return Self::All;
        }
        let bound = session.merchant.as_deref();
        let all = room.into_iter().flat_map(|room| room.hosts_plan(bound));
        Self::For(all.cloned().collect())
    }

    /// The merchants, where there are only these.
    fn merchants(&self) -> &[String] {
        match self {
            Self::All => &[],
            Self::For(merchants) => merchants,
        }
    }

    /// Whether drops of this merchant can be planned.
    fn has(&self, merchant: &str) -> bool {
        match self {
            Self::All => true,
            Self::For(merchants) => merchants.iter().any(|of| of == merchant),
        }
    }

    /// Whether anything can be planned.
    fn any(&self) -> bool {
        *self != Self::For(Vec::new())
    }

    /// As the modules read it.
    fn told(&self) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::For(merchants) => merchants.join(" "),
        }
    }
}

/// A drop in the running order.
struct Row {
    drop: String,
    place: usize,
    picture: String,
    title: String,
    about: String,
    starts: &'static str,
    is_by_hand: bool,
    mode: Mode,
    is_hidden: bool,
    glyph: &'static str,
    state: &'static str,
    is_fixed: bool,
}

/// Whether a text names a stream, a drop or a draft.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    !name.is_empty() && name.len() <= STREAM_CHARS_MAX && name.chars().all(plain)
}

/// A name like a text that is none, with a hyphen for what names have none of; `None` where letters would be lost.
/// `assets/plan-typed.mjs` makes the same of ASCII; it also reads characters of full width. Points alone are no name: an address
/// would lead elsewhere.
fn name_like(text: &str) -> Option<String> {
    let is_lost = |c: char| {
        // A letter may have its accent behind it.
        (c.is_alphanumeric() && !c.is_ascii()) || ('\u{300}'..='\u{36f}').contains(&c)
    };
    if text.chars().any(is_lost) {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:".contains(c);
    let parts = text.split(|c| !plain(c)).filter(|part| !part.is_empty());
    let name: String = parts.collect::<Vec<_>>().join("-").chars().take(STREAM_CHARS_MAX).collect();
    let name = name.trim_end_matches('-');
    name.contains(|c| c != '.').then(|| name.to_owned())
}

/// Somebody who may plan.
async fn planner(api: &Api, visitor: &Visitor) -> Result<Session, Refused> {
    let session = visitor.session(api).await?;
    if may_plan(&session.role) { Ok(session) } else { Err(Refused::of(StatusCode::FORBIDDEN)) }
}

/// Chooses a show, or leads to the one that was named.
pub(crate) async fn choose(
    State(api): State<Api>,
    visitor: Visitor,
    Query(choice): Query<Choice>,
) -> Response {
    let session = match planner(&api, &visitor).await {
        Ok(session) => session,
        Err(why) => return refused(&visitor, &why),
    };
    let typed = choice.stream.unwrap_or_default().trim().to_owned();
    if is_plain(&typed) {
        return go(&format!("/plan/{typed}"));
    }
    let list = format!("/v1/streams?limit={SHOWS_MAX}");
    let listed: Shows = match api.get(&visitor.asker, &list).await {
        Ok(listed) => listed,
        Err(why) => return refused(&visitor, &why),
    };
    let words = visitor.language;
    let mut streams = session.streams.clone();
    for show in listed.shows {
        if !streams.contains(&show.stream) {
            streams.push(show.stream);
        }
    }
    let wrong = (!typed.is_empty()).then(|| words.plan_choose_wrong(&typed));
    let better = name_like(&typed);
    let frame = Frame::new(&visitor, "plan", words.plan_title_page()).signed_in(session);
    page(&visitor, StatusCode::OK, &ChoosePage { frame, words, streams, typed, wrong, better })
}

/// A show as it is planned.
struct Planned {
    session: Session,
    snapshot: Snapshot,
    told: Value,
    room: Option<Room>,
}

impl Planned {
    async fn read(api: &Api, visitor: &Visitor, stream: &str) -> Result<Self, Refused> {
        if !is_plain(stream) {
            return Err(Refused::of(StatusCode::NOT_FOUND));
        }
        let session = planner(api, visitor).await?;
        let path = format!("/v1/streams/{stream}/follow");
        let mut told: Value = api.get(&visitor.asker, &path).await?;
        for field in ["seconds", "people"] {
            if let Some(fields) = told.as_object_mut() {
                fields.remove(field);
            }
        }
        let snapshot = serde_json::from_value(told.clone());
        let snapshot = snapshot.map_err(|_| Refused::of(StatusCode::INTERNAL_SERVER_ERROR))?;
        // A show that is nobody's yet, or of nobody whom the reader works with, has no room to tell of.
        let room = api.get(&visitor.asker, &format!("/v1/rooms/{stream}")).await.ok();
        Ok(Self { session, snapshot, told, room })
    }

    /// Adds a drop that has left memory.
    async fn with(&mut self, api: &Api, visitor: &Visitor, drop: &str) -> Result<(), Refused> {
        if self.snapshot.drops.iter().any(|sale| sale.drop == drop) {
            return Ok(());
        }
        let found: Value = api.get(&visitor.asker, &format!("/v1/drops/{drop}")).await?;
        if found["plan"]["stream"].as_str() != Some(self.snapshot.stream.as_str()) {
            return Err(Refused::of(StatusCode::NOT_FOUND));
        }
        if let Ok(sale) = serde_json::from_value(found.clone()) {
            self.snapshot.drops.push(sale);
        }
        self.told["over"] = found;
        Ok(())
    }

    fn plans(&self) -> Plans {
        Plans::new(&self.session, self.room.as_ref())
    }

    /// The merchant whose drops are planned, where it is only one.
    fn merchant(&self) -> Option<String> {
        let only = match self.plans().merchants() {
            [only] => Some(only.clone()),
            _ => None,
        };
        self.session.merchant.clone().or(only)
    }

    /// Whether hosts may plan for the merchant whose staff the reader is; `None` for whoever does not say so.
    fn lets_hosts(&self) -> Option<bool> {
        let own = self.session.merchant.as_ref().filter(|_| self.session.role != "host")?;
        Some(self.room.as_ref().is_some_and(|room| room.hosts_plan_for.contains(own)))
    }

    fn show(&self) -> Show {
        Show {
            stream: self.snapshot.stream.clone(),
            name: self.session.name.clone(),
            merchant: self.merchant().unwrap_or_default(),
            plans: self.plans(),
            told: self.told.to_string(),
        }
    }

    fn frame(&self, visitor: &Visitor, title: String, module: &'static str) -> Frame {
        let frame = Frame::new(visitor, "plan", title).signed_in(self.session.clone());
        frame.in_stream(&self.snapshot.stream).runs(module)
    }
}

/// A show's drops in running order.
pub(crate) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(stream): Path<String>,
) -> Response {
    let planned = match Planned::read(&api, &visitor, &stream).await {
        Ok(planned) => planned,
        Err(why) => return refused(&visitor, &why),
    };
    let words = visitor.language;
    // Copies for a rehearsal are none of what is planned.
    let drops = planned.snapshot.drops.iter().filter(|sale| sale.rehearses.is_none()).enumerate();
    let rows = drops.map(|(at, sale)| Row::new(at + 1, sale, words)).collect();
    let title = format!("{} · {stream}", words.plan_title_page());
    let frame = planned.frame(&visitor, title, "plan-show.mjs");
    let show = planned.show();
    let blank = Row::new(0, &Sale::none(), words);
    let (lets_hosts, has_room) = (planned.lets_hosts(), planned.room.is_some());
    page_with_pictures(
        &visitor,
        &ShowPage { frame, words, show, rows, blank, lets_hosts, has_room },
    )
}

/// The form of a drop that is planned or a draft; or a table to paste.
pub(crate) async fn drop(
    State(api): State<Api>,
    visitor: Visitor,
    Path((stream, which)): Path<(String, String)>,
    Query(query): Query<Rest>,
) -> Response {
    match read_drop(&api, &visitor, &stream, (which, query.rest)).await {
        Ok(sent) => sent,
        Err(why) => refused(&visitor, &why),
    }
}

async fn read_drop(
    api: &Api,
    visitor: &Visitor,
    stream: &str,
    (which, rest): (String, Option<String>),
) -> Result<Response, Refused> {
    let mut planned = Planned::read(api, visitor, stream).await?;
    let words = visitor.language;
    if which == "paste" {
        if !planned.plans().any() {
            return Ok(go(&format!("/plan/{stream}")));
        }
        let title = format!("{} · {stream}", words.plan_paste_title());
        let frame = planned.frame(visitor, title, "plan-paste.mjs");
        let names_merchant = planned.merchant().is_none();
        let show = planned.show();
        let paste = PastePage { frame, words, show, names_merchant };
        return Ok(page_with_pictures(visitor, &paste));
    }
    let is_drop = which.starts_with('d');
    if !is_plain(&which) || !(is_drop || which.starts_with('n')) {
        return Err(Refused::of(StatusCode::NOT_FOUND));
    }
    if is_drop {
        planned.with(api, visitor, &which).await?;
    }
    if let Some(rest) = rest.filter(|rest| is_plain(rest)) {
        planned.with(api, visitor, &rest).await?;
    }
    let sale = planned.snapshot.drops.iter().find(|sale| sale.drop == which);
    let title = match sale {
        None => words.plan_new(),
        Some(sale)
            if sale.phase == Phase::Scheduled && planned.plans().has(&sale.plan.merchant) =>
        {
            words.plan_edit_title()
        }
        Some(_) => words.plan_read_title(),
    };
    let mut hosts: Vec<String> = Vec::new();
    for drop in planned.told["drops"].as_array().into_iter().flatten() {
        let host = drop["plan"]["host"].as_str().unwrap_or_default();
        if !host.is_empty() && !hosts.iter().any(|known| known == host) {
            hosts.push(host.to_owned());
        }
    }
    let title = title.to_owned();
    let frame = planned.frame(visitor, format!("{title} · {stream}"), "plan-drop.mjs");
    let names_merchant = planned.merchant().is_none();
    let show = planned.show();
    let merchants = show.plans.merchants().to_vec();
    let form = DropPage { frame, words, show, which, title, hosts, merchants, names_merchant };
    Ok(page_with_pictures(visitor, &form))
}

impl Row {
    fn new(place: usize, sale: &Sale, words: Language) -> Self {
        let standing = Standing::of(sale);
        let supplied = sale.skus.iter().map(|sku| sku.supplied).sum();
        let units = words.units_in(count(supplied));
        let about = if sale.plan.skus.is_empty() {
            String::new()
        } else {
            words.plan_row_about(units, prices(&sale.plan.skus, words))
        };
        let is_fixed = sale.phase != Phase::Scheduled;
        // A time is left to the browser: it alone knows what the planner's clock shows on that day.
        let is_by_hand = sale.plan.starts_at_ms.is_none();
        let starts = if is_by_hand && !is_fixed { words.plan_by_hand_short() } else { "" };
        Self {
            drop: sale.drop.clone(),
            place,
            picture: picture(&sale.plan.skus),
            title: sale.plan.title.clone(),
            about,
            starts,
            is_by_hand,
            is_hidden: sale.hidden,
            mode: sale.plan.mode,
            glyph: standing.glyph(),
            state: standing.word(words),
            is_fixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_has_one_like_it() {
        for (typed, like) in [
            ("friday show", Some("friday-show")),
            ("  Friday,  27 November! ", Some("Friday-27-November")),
            ("a/b -- c", Some("a-b-c")),
            ("周五 show", None),
            ("caf\u{e9} live", None),
            ("cafe\u{301} live", None),
            ("/..", None),
            (".", None),
            ("!?", None),
            ("", None),
        ] {
            assert_eq!(name_like(typed).as_deref(), like, "{typed:?}");
        }
        let long = name_like(&format!("a{} b", "x".repeat(62))).unwrap();
        assert_eq!((long.len(), is_plain(&long)), (63, true));
    }
}
