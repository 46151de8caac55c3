//! What about money needs somebody, the most urgent first.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    sentences::refund_reason,
    told::{Attention, Matter},
};
use crate::{
    answers::Mode,
    api::{Api, Refused},
    numbers::whole_seconds,
    pages::{Frame, in_query, page, refused},
    reader::Reader,
    visitor::Visitor,
    words::Language,
};

/// Matters of one kind where all kinds are shown, and where one is.
const FEW: usize = 10;
const SIZE: usize = 50;

/// Kinds of matters, the most urgent first.
const KINDS: [&str; 7] =
    ["unmatched", "unpaid", "wrong_amount", "refund", "void", "capture", "unnamed"];

#[derive(Deserialize)]
pub(crate) struct AttentionQuery {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "attention.html")]
struct AttentionPage {
    frame: Frame,
    words: Language,
    chips: Vec<Chip>,
    groups: Vec<Group>,
    /// Whether one kind is shown.
    is_filtered: bool,
}

/// A choice of what is shown.
struct Chip {
    label: &'static str,
    to: String,
    is_chosen: bool,
}

/// The matters of one kind.
struct Group {
    key: &'static str,
    title: &'static str,
    /// When it has to be done.
    when: &'static str,
    /// What to do about each.
    what_to_do: &'static str,
    is_urgent: bool,
    rows: Vec<Row>,
    /// Where the rest is.
    more: Option<String>,
}

/// One matter.
struct Row {
    amount: String,
    said: String,
    /// What the provider answered.
    declined: Option<String>,
    /// Whether the server sees to it.
    is_asked: bool,
    goods: String,
    is_test: bool,
    /// The page of the order or the hold, with its name.
    link: Option<(String, String)>,
    payment: String,
    /// Its account and its name there, of a payment that staff may say was seen to.
    closes: Option<(String, String)>,
    since: String,
    age: String,
}

/// What needs somebody: a few of each kind, or one kind, page by page.
pub(crate) async fn attention(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<AttentionQuery>,
) -> Response {
    let session = match visitor.session(&api).await {
        Ok(session) => session,
        Err(why) => return refused(&visitor, &why),
    };
    let (words, reader) = (visitor.language, Reader::new(&visitor));
    let chosen = KINDS.into_iter().find(|kind| *kind == query.kind);
    match groups(&api, &visitor, &reader, (chosen, &query.after)).await {
        Ok(groups) => {
            let frame = Frame::new(&visitor, "attention", words.attention_title());
            let frame = frame.signed_in(session).runs("orders.mjs");
            let chips = chips(words, chosen);
            let is_filtered = chosen.is_some();
            let shown = AttentionPage { frame, words, chips, groups, is_filtered };
            page(&visitor, StatusCode::OK, &shown)
        }
        Err(why) => refused(&visitor, &why),
    }
}

async fn groups(
    api: &Api,
    visitor: &Visitor,
    reader: &Reader,
    (chosen, after): (Option<&'static str>, &str),
) -> Result<Vec<Group>, Refused> {
    let mut groups = Vec::new();
    for kind in KINDS.into_iter().filter(|kind| chosen.is_none_or(|chosen| chosen == *kind)) {
        let size = if chosen.is_some() { SIZE } else { FEW };
        let behind = if after.is_empty() { "" } else { "&after=" };
        let path = format!("/v1/attention?kind={kind}&limit={size}{behind}{}", in_query(after));
        let told: Attention = api.get(&visitor.asker, &path).await?;
        let more = told.next.map(|next| match chosen {
            Some(_) => format!("/attention?kind={kind}&after={}", in_query(&next)),
            None => format!("/attention?kind={kind}"),
        });
        if !told.matters.is_empty() || more.is_some() {
            let rows = told.matters.iter();
            let rows = rows.map(|matter| Row::new(reader, matter, told.server_time_ms)).collect();
            groups.push(Group::new(reader.words, kind, rows, more));
        }
    }
    Ok(groups)
}

fn chips(words: Language, chosen: Option<&str>) -> Vec<Chip> {
    let all = Chip {
        label: words.attention_all(),
        to: "/attention".to_owned(),
        is_chosen: chosen.is_none(),
    };
    let kinds = KINDS.into_iter().map(|kind| Chip {
        label: title(words, kind),
        to: format!("/attention?kind={kind}"),
        is_chosen: chosen == Some(kind),
    });
    std::iter::once(all).chain(kinds).collect()
}

fn title(words: Language, kind: &str) -> &'static str {
    match kind {
        "unmatched" => words.attention_unmatched(),
        "unpaid" => words.attention_unpaid(),
        "wrong_amount" => words.attention_wrong_amount(),
        "refund" => words.attention_refund(),
        "void" => words.attention_void(),
        "unnamed" => words.attention_unnamed(),
        _ => words.attention_capture(),
    }
}

impl Group {
    fn new(words: Language, key: &'static str, rows: Vec<Row>, more: Option<String>) -> Self {
        let (what_to_do, when) = match key {
            "unmatched" => (words.todo_unmatched(), words.when_now()),
            "unpaid" => (words.todo_unpaid(), words.when_now()),
            "wrong_amount" => (words.todo_wrong_amount(), words.when_today()),
            "refund" => (words.todo_refund(), words.when_today()),
            "void" => (words.todo_void(), words.when_today()),
            "unnamed" => (words.todo_unnamed(), words.when_at_leisure()),
            _ => (words.todo_capture(), words.when_in_time()),
        };
        let is_urgent = matches!(key, "unmatched" | "unpaid");
        Self { key, title: title(words, key), when, what_to_do, is_urgent, rows, more }
    }
}

impl Row {
    fn new(reader: &Reader, matter: &Matter, now_ms: u64) -> Self {
        let words = reader.words;
        let amount = matter.amount.as_ref();
        let link = match (&matter.order, &matter.hold) {
            (Some(code), _) => Some((format!("/orders/{code}"), words.order_title(code))),
            (None, Some(hold)) => Some((format!("/orders/{hold}"), words.hold_title().to_owned())),
            (None, None) => None,
        };
        let said = match matter.kind.as_str() {
            "unmatched" => words.matter_unmatched(matter.named.as_deref().unwrap_or_default()),
            "unnamed" => words.matter_unnamed().to_owned(),
            "unpaid" => words.matter_unpaid().to_owned(),
            "void" => words.matter_void().to_owned(),
            "capture" => words.matter_capture().to_owned(),
            _ => words.matter_refund(refund_reason(reader, &matter.reason)),
        };
        Self {
            amount: amount
                .map(|amount| reader.money(amount.minor, &amount.currency))
                .unwrap_or_default(),
            said,
            declined: matter.declined.clone(),
            is_asked: matter.is_asked && matter.declined.is_none(),
            goods: matter.title.clone().unwrap_or_default(),
            is_test: matter.mode == Some(Mode::Rehearsal),
            link,
            payment: format!("{}/{}", matter.account, matter.payment),
            closes: matches!(matter.kind.as_str(), "unmatched" | "unnamed")
                .then(|| (matter.account.clone(), matter.payment.clone())),
            since: matter.since_ms.map(|since| reader.moment(since)).unwrap_or_default(),
            age: matter
                .since_ms
                .map(|since| whole_seconds(words, now_ms.saturating_sub(since)))
                .map(|age| words.since_for(age))
                .unwrap_or_default(),
        }
    }
}
