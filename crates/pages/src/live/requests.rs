//! What hosts have asked for beyond the reserve: whoever grants it has it on the alarm line, whoever asks sees it wait.

use super::{
    Reader,
    air::sku_name,
    buttons::may,
    need::{Act, Need},
};
use crate::{
    answers::{Sale, Snapshot},
    asked::Request,
    numbers::count,
};

/// The open requests of all drops, the oldest first, each with its drop.
fn open(snapshot: &Snapshot) -> Vec<(&Sale, &Request)> {
    let of = |sale| move |request| (sale, request);
    let all = snapshot.drops.iter().flat_map(|sale| sale.requests.iter().map(of(sale)));
    let mut open: Vec<_> = all.filter(|(_, request)| request.is_open()).collect();
    open.sort_by_key(|(_, request)| request.asked_at_ms);
    open
}

/// The goods that a request names.
fn goods(sale: &Sale, request: &Request) -> String {
    let place = sale.skus.iter().position(|figures| figures.sku == request.sku);
    let goods = place.and_then(|place| sale.plan.skus.get(place));
    goods.map_or_else(|| request.sku.clone(), sku_name)
}

/// The requests that the reader may grant.
pub(super) fn to_answer(snapshot: &Snapshot, reader: Reader<'_>) -> Vec<Need> {
    if !may(reader.role, "grant") {
        return Vec::new();
    }
    let words = reader.language;
    let need = |(sale, request): (&Sale, &Request)| {
        let units = count(request.units);
        let act = |kind, label| Act { kind, label, sku: request.id.clone() };
        Need {
            level: "attention",
            text: words.asks_for(&request.asked_by, &units, goods(sale, request)),
            act: Some(act("grant", words.grant(units))),
            also: Some(act("decline", words.decline().to_owned())),
        }
    };
    open(snapshot).into_iter().map(need).collect()
}

/// The requests that the reader sees wait, and may withdraw.
pub(super) fn waiting(snapshot: &Snapshot, reader: Reader<'_>) -> Vec<Need> {
    if may(reader.role, "grant") || !may(reader.role, "withdraw") {
        return Vec::new();
    }
    let words = reader.language;
    let need = |(sale, request): (&Sale, &Request)| Need {
        level: "calm",
        text: words.request_waits(count(request.units), goods(sale, request)),
        act: Some(Act {
            kind: "withdraw",
            label: words.withdraw().to_owned(),
            sku: request.id.clone(),
        }),
        also: None,
    };
    open(snapshot).into_iter().map(need).collect()
}
