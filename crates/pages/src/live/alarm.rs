//! The line that says what needs the reader.

use serde::Serialize;

use super::{
    Cast, Reader, Standing,
    air::sku_name,
    buttons::may,
    need::{Act, Need},
    requests,
    standing::Sum,
};
use crate::{
    answers::{Block, Mode, Phase, Sale, Snapshot},
    numbers::{clock, count, duration},
    words::Language,
};

/// Fewer payments that failed within five minutes are nobody's alarm.
const FAILED_MIN: u64 = 10;

/// The worst of what needs the reader.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Alarm {
    /// `calm`, `attention`, or `alarm` where nothing is sold.
    pub(crate) level: &'static str,
    pub(crate) text: String,
    /// How many there are, if more than one.
    pub(crate) count: String,
    /// The button that mends it.
    pub(crate) act: Option<Act>,
    /// The other answer, where there are two.
    pub(crate) also: Option<Act>,
}

impl Alarm {
    pub(crate) fn new(snapshot: &Snapshot, cast: &Cast<'_>, reader: Reader<'_>) -> Self {
        let words = reader.language;
        if let Some(block) = snapshot.blocked {
            let text = match block {
                Block::Poisoned => words.problem_poisoned().to_owned(),
                Block::Stopped => words.takes_stopped().to_owned(),
            };
            return Self { level: "alarm", text, count: String::new(), act: None, also: None };
        }
        let mut found: Vec<Need> = Vec::new();
        found.extend(offline(cast, reader).map(Need::from));
        let missed = snapshot.drops.iter().filter_map(|sale| missed(sale, cast, reader));
        found.extend(missed.map(Need::from));
        found.extend(failing(cast, words).map(Need::from));
        // Somebody waits for the answer.
        found.extend(requests::to_answer(snapshot, reader));
        if let Some(air) = cast.air.filter(|sale| Standing::of(sale) == Standing::Open) {
            found.extend(taken(air, reader).into_iter().map(Need::from));
        }
        // Nothing has to be done about it.
        found.extend(requests::waiting(snapshot, reader));
        let many = found.len();
        let is_calm = found.iter().all(|need| need.level == "calm");
        let Some(Need { text, act, also, .. }) = found.into_iter().next() else {
            let (text, act) = rest(cast, reader).unwrap_or_else(|| (calm(cast, words), None));
            return Self { level: "calm", text, count: String::new(), act, also: None };
        };
        let count = if many > 1 { words.of_alarms(many) } else { String::new() };
        Self { level: if is_calm { "calm" } else { "attention" }, text, count, act, also }
    }
}

fn calm(cast: &Cast<'_>, words: Language) -> String {
    let Some(air) = cast.air else { return words.calm().to_owned() };
    match Standing::of(air) {
        Standing::AllTaken => words.calm_all_taken().to_owned(),
        Standing::SoldOut => words.calm_sold_out(&air.plan.title),
        Standing::Paused => words.calm_paused().to_owned(),
        _ => words.calm().to_owned(),
    }
}

/// What nobody has bought of a drop that is over, with who can plan it anew.
fn rest(cast: &Cast<'_>, reader: Reader<'_>) -> Option<(String, Option<Act>)> {
    let words = reader.language;
    let air = cast.air.filter(|air| air.plan.mode == Mode::Live)?;
    let is_over = matches!(air.phase, Phase::Closed | Phase::Settled);
    let sum = Sum::of(&air.skus);
    let left = Some(sum.left + sum.reserve).filter(|left| is_over && *left > 0)?;
    let (title, left) = (&air.plan.title, count(left));
    if !reader.plans {
        return Some((words.rest_left_ask(left, title), None));
    }
    let label = words.plan_rest().to_owned();
    let act = Act { kind: "plan-rest", label, sku: String::new() };
    Some((words.rest_left(left, title), Some(act)))
}

fn at(time_ms: u64, reader: Reader<'_>) -> String {
    let unknown = || reader.language.unknown().to_owned();
    reader.ahead_min.map_or_else(unknown, |ahead| clock(time_ms, ahead))
}

fn offline(cast: &Cast<'_>, reader: Reader<'_>) -> Option<(String, Option<Act>)> {
    let air = cast.air?;
    let since = at(air.stream_offline_since_ms?, reader);
    let words = reader.language;
    let text = match &air.plan.when_offline {
        Some(then) => words.stream_offline_pauses(since, duration(words, then.pause_after_ms)),
        None => words.stream_offline(since),
    };
    Some((text, None))
}

fn missed(sale: &Sale, cast: &Cast<'_>, reader: Reader<'_>) -> Option<(String, Option<Act>)> {
    let words = reader.language;
    let text = words.start_missed(&sale.plan.title, at(sale.start_missed_ms?, reader));
    let is_next = cast.next.is_some_and(|next| next.drop == sale.drop);
    let act = (is_next && may(reader.role, "open")).then(|| Act {
        kind: "start",
        label: words.start_next().to_owned(),
        sku: String::new(),
    });
    Some((text, act))
}

/// Payments that fail: at least as many as come through, and not a few.
fn failing(cast: &Cast<'_>, words: Language) -> Option<(String, Option<Act>)> {
    let paying = cast.air?.paying?;
    let is_alarming =
        paying.recent_failed >= FAILED_MIN && paying.recent_failed >= paying.recent_orders;
    let text = || words.payments_fail(count(paying.recent_failed), count(paying.recent_orders));
    is_alarming.then(|| (text(), None))
}

/// SKUs of which nothing is left while others are.
fn taken(sale: &Sale, reader: Reader<'_>) -> Vec<(String, Option<Act>)> {
    let words = reader.language;
    let rows = sale.skus.iter().zip(&sale.plan.skus);
    let out = rows.filter(|(figures, _)| figures.available == 0 && figures.supplied > 0);
    out.map(|(figures, goods)| {
        let name = sku_name(goods);
        let text = match (figures.held, figures.reserve) {
            (0, 0) => words.sku_taken_none_held(&name),
            (0, reserve) => words.sku_taken_only_reserve(&name, count(reserve)),
            (held, 0) => words.sku_taken(&name, count(held)),
            (held, reserve) => words.sku_taken_reserve(&name, count(held), count(reserve)),
        };
        let act = may(reader.role, "restock").then(|| Act {
            kind: "restock",
            label: words.restock_sku(&name),
            sku: figures.sku.clone(),
        });
        (text, act)
    })
    .collect()
}
