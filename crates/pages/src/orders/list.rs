//! The newest orders, and what goes by a text.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use stampede_domain::{HoldId, OrderCode, OrderCodeError, limits::ORDER_REFERENCE_CHARS_MAX};

use super::{
    may_read,
    reader::Pill,
    told::{Found, Hold, List, Order},
};
use crate::{
    answers::Mode,
    api::{Api, Refused},
    numbers::count,
    pages::{Frame, go, in_query, page, refused},
    reader::Reader,
    visitor::Visitor,
    words::Language,
};

/// Orders of one page.
const SIZE: usize = 50;

#[derive(Deserialize)]
pub(crate) struct OrdersQuery {
    /// What is looked for.
    #[serde(default)]
    text: String,
    /// `reference`, if the text is one whatever it looks like.
    #[serde(default, rename = "as")]
    meant: String,
    /// Where the list or the search goes on.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    frame: Frame,
    words: Language,
    find: Find,
    shown: Shown,
}

/// The search field.
pub(super) struct Find {
    pub(super) text: String,
    /// What is wrong with the text.
    pub(super) wrong: Option<String>,
    /// Where the same text is looked for as a reference.
    pub(super) as_reference: Option<String>,
}

/// What stands below the search field.
#[derive(Default)]
struct Shown {
    rows: Vec<Row>,
    holds: Vec<HoldRow>,
    /// Where the rest is.
    further: Option<String>,
    is_search: bool,
    /// Whether it begins somewhere in the middle.
    is_later: bool,
}

/// One order in the list.
struct Row {
    code: String,
    title: String,
    options: String,
    units: String,
    /// What came in all payments, less what went back.
    kept: String,
    /// What has to go back.
    due: Option<String>,
    state: Pill,
    at: String,
    is_test: bool,
}

/// A hold that is no order.
struct HoldRow {
    hold: String,
    title: String,
    is_test: bool,
}

impl Row {
    fn new(reader: &Reader, order: &Order) -> Self {
        let money = |minor| reader.money(minor, &order.currency);
        Self {
            code: order.code.clone(),
            title: order.title.clone(),
            options: Reader::options(order),
            units: match order.cancelled_units {
                0 => count(order.units),
                cancelled => {
                    let left = order.units.saturating_sub(cancelled);
                    reader.words.units_left_of(count(left), count(order.units))
                }
            },
            kept: money(order.paid_minor.saturating_sub(order.refunded_minor)),
            due: (order.refund_due_minor > 0).then(|| money(order.refund_due_minor)),
            state: reader.state(order.state),
            at: reader.moment(order.confirmed_at_ms),
            is_test: order.mode == Mode::Rehearsal,
        }
    }
}

impl HoldRow {
    fn new(hold: &Hold) -> Self {
        let Hold { id, mode, title } = hold.clone();
        Self { hold: id, title, is_test: mode == Mode::Rehearsal }
    }
}

impl Find {
    /// An empty field.
    pub(super) const fn empty() -> Self {
        Self { text: String::new(), wrong: None, as_reference: None }
    }

    /// The field with what was typed; what is wrong with it is said before anything is looked for.
    fn new(words: Language, query: &OrdersQuery) -> Self {
        let text = query.text.trim().to_owned();
        let is_reference = query.meant == "reference";
        let wrong = if text.chars().count() > ORDER_REFERENCE_CHARS_MAX {
            let max = ORDER_REFERENCE_CHARS_MAX.try_into().unwrap_or_default();
            Some(words.find_too_long(count(max)))
        } else {
            let code: Result<OrderCode, OrderCodeError> = text.parse();
            let is_mistyped = matches!(code, Err(OrderCodeError::Mistyped { .. }));
            (is_mistyped && !is_reference).then(|| words.find_mistyped(&text))
        };
        let looks_like_a_name = text.parse::<OrderCode>().is_ok() || text.parse::<HoldId>().is_ok();
        let could_be_one = wrong.is_some() || looks_like_a_name;
        let as_reference = (could_be_one && !is_reference)
            .then(|| format!("/orders?text={}&as=reference", in_query(&text)));
        Self { text, wrong, as_reference }
    }
}

/// The list, or what a search finds; the page of the only order that it finds.
pub(crate) async fn orders(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<OrdersQuery>,
) -> Response {
    let session = match visitor.session(&api).await {
        Ok(session) => session,
        Err(why) => return refused(&visitor, &why),
    };
    if !may_read(&session.role) {
        return refused(&visitor, &Refused::of(StatusCode::FORBIDDEN));
    }
    let (words, reader) = (visitor.language, Reader::new(&visitor));
    let find = Find::new(words, &query);
    let is_later = !query.after.is_empty();
    let read = if find.wrong.is_some() {
        Ok(Shown::default())
    } else if find.text.is_empty() {
        List::newest(&api, &visitor, &query.after).await.map(|list| Shown::list(&reader, &list))
    } else {
        match Found::search(&api, &visitor, &query, &find.text).await {
            Ok(found) => match found.only().filter(|_| !is_later) {
                Some(name) => return go(&format!("/orders/{name}")),
                None => Ok(Shown::found(&reader, &found, &query, &find.text)),
            },
            Err(why) => Err(why),
        }
    };
    match read {
        Ok(shown) => {
            let frame = Frame::new(&visitor, "orders", words.orders_title());
            let frame = frame.signed_in(session).runs("orders.mjs");
            let shown = Shown { is_later, ..shown };
            page(&visitor, StatusCode::OK, &OrdersPage { frame, words, find, shown })
        }
        Err(why) => refused(&visitor, &why),
    }
}

impl List {
    async fn newest(api: &Api, visitor: &Visitor, after: &str) -> Result<Self, Refused> {
        let after: u64 = after.parse().unwrap_or_default();
        let path = format!("/v1/orders?newest_first=true&limit={SIZE}&after={after}");
        api.get(&visitor.asker, &path).await
    }
}

impl Found {
    async fn search(
        api: &Api,
        visitor: &Visitor,
        query: &OrdersQuery,
        text: &str,
    ) -> Result<Self, Refused> {
        let mut path = format!("/v1/orders/search?text={}&limit={SIZE}", in_query(text));
        if query.meant == "reference" {
            path.push_str("&as=reference");
        }
        if !query.after.is_empty() {
            path.push_str("&after=");
            path.push_str(&in_query(&query.after));
        }
        match api.get(&visitor.asker, &path).await {
            // What no order can be called, none is.
            Err(why) if matches!(why.problem.code.as_str(), "bad_query" | "unknown_order") => {
                Ok(Self { orders: Vec::new(), holds: Vec::new(), next: None })
            }
            found => found,
        }
    }

    /// The name of the only thing that was found, where nothing else can be.
    fn only(&self) -> Option<&str> {
        match (self.orders.as_slice(), self.holds.as_slice(), &self.next) {
            ([order], [], None) => Some(&order.code),
            ([], [hold], None) => Some(&hold.id),
            _ => None,
        }
    }
}

impl Shown {
    fn list(reader: &Reader, list: &List) -> Self {
        Self {
            rows: list.orders.iter().map(|order| Row::new(reader, order)).collect(),
            further: list.more.then(|| format!("/orders?after={}", list.cursor)),
            ..Self::default()
        }
    }

    fn found(reader: &Reader, found: &Found, query: &OrdersQuery, text: &str) -> Self {
        let meant = if query.meant == "reference" { "&as=reference" } else { "" };
        let further = found
            .next
            .as_ref()
            .map(|next| format!("/orders?text={}{meant}&after={}", in_query(text), in_query(next)));
        Self {
            rows: found.orders.iter().map(|order| Row::new(reader, order)).collect(),
            holds: found.holds.iter().map(HoldRow::new).collect(),
            further,
            is_search: true,
            ..Self::default()
        }
    }
}
