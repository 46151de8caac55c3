//! One order, or a hold that is none: what it is of, its money, what happened.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::{
    list::Find,
    reader::Pill,
    sentences::{Said, said},
    told::{DropPhase, Event, Order, Stands, Story, Timeline},
};
use crate::{
    answers::{Mode, Phase},
    api::Api,
    numbers::{count, money},
    pages::{Frame, in_query, page, refused},
    reader::Reader,
    visitor::Visitor,
    words::Language,
};

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    frame: Frame,
    words: Language,
    find: Find,
    story: Told,
    /// Holds whose units went by the same payment.
    others: Vec<Told>,
    cancel: Option<Cancel>,
    /// Whether it may be cancelled, but not on a screen that shows no amounts.
    is_hidden: bool,
    two_presses: bool,
}

/// What may be cancelled of an order, by a reader who may.
struct Cancel {
    drop: String,
    order: String,
    code: String,
    units_left: u64,
    unit_price_minor: u64,
    /// What goes back with the last unit, beyond its price.
    charges_minor: u64,
    /// The most that may go back.
    left_minor: u64,
    /// What went back before and counts towards it.
    ahead_minor: u64,
    /// Cancellations that the page shows: with another since, the server refuses what was decided here.
    seen: u64,
    currency: String,
    units_hint: String,
    amount_hint: String,
    /// Whether units can go back on sale.
    can_restock: bool,
}

/// A hold or an order as it is shown.
struct Told {
    heading: String,
    goods: String,
    state: Pill,
    is_test: bool,
    order: Option<Shown>,
    facts: Vec<(&'static str, String)>,
    /// What machines call it.
    id: (&'static str, String),
    /// Its events, by the days on which they happened.
    days: Vec<Day>,
    /// The path of its own page.
    path: String,
}

/// The figures of an order.
struct Shown {
    lines: Vec<(&'static str, String)>,
    /// What has to go back.
    due: Option<String>,
    payments: Vec<Paid>,
}

struct Paid {
    name: String,
    state: &'static str,
    amount: String,
}

struct Day {
    day: String,
    events: Vec<Line>,
}

struct Line {
    at: String,
    said: Said,
}

/// The page of one order, by its code, its id or the id of any hold.
pub(crate) async fn order(
    State(api): State<Api>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let session = match visitor.session(&api).await {
        Ok(session) => session,
        Err(why) => return refused(&visitor, &why),
    };
    let path = format!("/v1/orders/{}/timeline", in_query(&name).replace('/', "%2F"));
    let told: Timeline = match api.get(&visitor.asker, &path).await {
        Ok(told) => told,
        Err(why) => return refused(&visitor, &why),
    };
    let (words, reader) = (visitor.language, Reader::new(&visitor));
    let is_meant = |story: &Story| {
        story.hold == name || story.order.as_ref().is_some_and(|order| order.code == name)
    };
    let (own, others): (Vec<_>, Vec<_>) = told.holds.into_iter().partition(is_meant);
    let found = own.iter().chain(&others).next().and_then(|story| story.order.as_ref());
    let mut own = own.iter().chain(&others).map(|story| Told::new(&reader, story));
    let Some(story) = own.next() else {
        return refused(&visitor, &crate::api::Refused::of(StatusCode::NOT_FOUND));
    };
    let others: Vec<_> = own.collect();
    let cancel = match found {
        Some(order) if may_cancel(&session.role) => Cancel::new(&api, &visitor, order).await,
        _ => None,
    };
    let two_presses = visitor.choices.two_presses;
    let frame = Frame::new(&visitor, "orders", story.heading.clone());
    let frame = frame.signed_in(session).runs("orders.mjs");
    let find = Find::empty();
    let is_hidden = cancel.is_some() && visitor.choices.hides_money;
    let cancel = cancel.filter(|_| !is_hidden);
    let shown = OrderPage { frame, words, find, story, others, cancel, is_hidden, two_presses };
    page(&visitor, StatusCode::OK, &shown)
}

/// Roles that may cancel orders and give money back.
fn may_cancel(role: &str) -> bool {
    matches!(role, "admin" | "merchant")
}

impl Cancel {
    /// `None` where nothing is left to cancel.
    async fn new(api: &Api, visitor: &Visitor, order: &Order) -> Option<Self> {
        let words = visitor.language;
        let units_left = order.units.saturating_sub(order.cancelled_units);
        let left_minor = order.left_minor;
        if units_left == 0 && left_minor == 0 {
            return None;
        }
        // Whether units can go back on sale is the drop's matter; without an answer they cannot.
        let drop: Option<DropPhase> =
            api.get(&visitor.asker, &format!("/v1/drops/{}", order.drop)).await.ok();
        Some(Self {
            drop: order.drop.clone(),
            order: order.id.clone(),
            code: order.code.clone(),
            units_left,
            unit_price_minor: order.unit_price_minor,
            charges_minor: order.shipping_minor + order.tax_minor + order.fee_minor,
            left_minor,
            ahead_minor: order.refunded_ahead_minor,
            seen: order.cancellations,
            units_hint: words.cancel_units_hint(count(units_left)),
            amount_hint: words.cancel_amount_hint(money(left_minor, &order.currency)),
            currency: order.currency.clone(),
            can_restock: drop.is_some_and(|drop| matches!(drop.phase, Phase::Open | Phase::Paused)),
        })
    }
}

impl Told {
    fn new(reader: &Reader, story: &Story) -> Self {
        let words = reader.words;
        let order = story.order.as_ref();
        let title = order.map(|order| &order.title).or(story.title.as_ref());
        let options = order.map(Reader::options).unwrap_or_default();
        let title = title.map_or_else(|| words.unknown().to_owned(), Clone::clone);
        Self {
            heading: order.map_or_else(
                || words.hold_title().to_owned(),
                |order| words.order_title(&order.code),
            ),
            goods: if options.is_empty() { title } else { format!("{title}, {options}") },
            state: match order {
                Some(order) => reader.state(order.state),
                None => stands(reader, story.stands),
            },
            is_test: story.mode == Some(Mode::Rehearsal),
            order: order.map(|order| Shown::new(reader, order)),
            facts: facts(reader, story),
            id: (
                if order.is_some() { words.fact_order_id() } else { words.fact_hold_id() },
                story.hold.clone(),
            ),
            days: days(reader, &story.events),
            path: format!("/orders/{}", order.map_or(&story.hold, |order| &order.code)),
        }
    }
}

/// How a hold stands that is no order.
fn stands(reader: &Reader, stands: Stands) -> Pill {
    let words = reader.words;
    let (word, glyph) = match stands {
        Stands::Held => (words.held(), "ring"),
        Stands::Ordered => (words.order_paid(), "tick"),
        Stands::Ended => (words.hold_ended(), "square"),
        Stands::Unknown => (words.unknown(), "ring"),
    };
    Pill { word, glyph, needs: false }
}

/// What a hold or an order is of, and by which names it goes.
fn facts(reader: &Reader, story: &Story) -> Vec<(&'static str, String)> {
    let words = reader.words;
    let mut facts = Vec::new();
    let mut add = |label, value: Option<String>| {
        facts.extend(value.filter(|value| !value.is_empty()).map(|value| (label, value)));
    };
    if let Some(order) = &story.order {
        let erased = || words.viewer_erased().to_owned();
        add(words.fact_viewer(), Some(order.viewer.clone().unwrap_or_else(erased)));
        let cancelled = (order.cancelled_units > 0)
            .then(|| words.units_cancelled(count(order.units), count(order.cancelled_units)));
        add(words.fact_units(), Some(cancelled.unwrap_or_else(|| count(order.units))));
        add(words.fact_edition(), reader.edition(order));
        add(words.fact_merchant_sku(), Some(order.merchant_sku.clone()));
        add(words.fact_ordered(), Some(reader.moment(order.confirmed_at_ms)));
        add(words.fact_reference(), order.reference.clone());
        add(words.fact_channel(), order.channel.clone());
        add(words.fact_show(), Some(words.show_drop(&order.stream, &order.drop)));
        add(words.fact_merchant(), Some(order.merchant.clone()));
    } else {
        add(words.fact_until(), story.until_ms.map(|at| reader.moment(at)));
        add(words.fact_drop(), Some(story.drop.clone()));
    }
    facts
}

impl Shown {
    fn new(reader: &Reader, order: &Order) -> Self {
        let words = reader.words;
        let money = |minor| reader.money(minor, &order.currency);
        let goods = words.units_at(reader.units(order.units), money(order.unit_price_minor));
        let mut lines =
            vec![(words.money_price(), goods), (words.money_goods(), money(order.goods_minor))];
        for (label, minor) in [
            (words.money_shipping(), order.shipping_minor),
            (words.money_tax(), order.tax_minor),
            (words.money_fee(), order.fee_minor),
        ] {
            if minor > 0 {
                lines.push((label, money(minor)));
            }
        }
        lines.push((words.money_paid(), money(order.paid_minor)));
        if order.refunded_minor > 0 {
            lines.push((words.money_refunded(), money(order.refunded_minor)));
        }
        let payments = order.payments.iter().map(|part| Paid {
            name: format!("{}/{}", part.account, part.reference),
            state: reader.payment_state(part),
            amount: match (part.amount_minor, &part.currency) {
                (Some(minor), Some(currency)) => reader.money(minor, currency),
                _ => String::new(),
            },
        });
        Self {
            lines,
            due: (order.refund_due_minor > 0).then(|| money(order.refund_due_minor)),
            payments: payments.collect(),
        }
    }
}

/// Events by day, in the order in which they happened.
fn days(reader: &Reader, events: &[Event]) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for event in events {
        let day = reader.day(event.at_ms);
        let line = Line { at: reader.time(event.at_ms), said: said(reader, event) };
        match days.last_mut() {
            Some(last) if last.day == day => last.events.push(line),
            _ => days.push(Day { day, events: vec![line] }),
        }
    }
    days
}
