//! What was changed during the sale, in words.

use super::{
    parts::{ChangeRow, Changes},
    sizes,
    told::{Change, PhaseTime, Report},
};
use crate::{
    numbers::{count, duration},
    reader::Reader,
};

impl Changes {
    /// The changes of a drop; nothing where nothing was changed.
    pub(super) fn of(report: &Report, reader: &Reader) -> Option<Self> {
        let names = sizes::told_apart(report);
        let named = |id: &str| {
            let place = report.skus.iter().position(|sku| sku.id == id);
            place.and_then(|place| names.get(place)).map_or(id, String::as_str).to_owned()
        };
        let rows = report.changes.iter().flat_map(|change| {
            let by = by(change, report, reader);
            said(change, &named, reader).into_iter().map(move |what| ChangeRow {
                what,
                at: reader.time(change.at_ms),
                by: by.clone(),
            })
        });
        let rows: Vec<ChangeRow> = rows.collect();
        (!rows.is_empty()).then(|| Self {
            lead: lead(report, reader),
            rows,
            left_out: report.changes_cut.then(|| reader.words.report_changes_cut().to_owned()),
        })
    }

    /// The same with so many rows at most.
    pub(super) fn cut(mut self, rows_max: usize, reader: &Reader) -> Self {
        if self.rows.len() > rows_max {
            let hidden = u64::try_from(self.rows.len() - rows_max).unwrap_or(u64::MAX);
            self.rows.truncate(rows_max);
            let hidden = reader.words.report_rows_in_download(count(hidden));
            // The download lacks the later ones as well.
            self.left_out = Some(match self.left_out.take() {
                Some(later) => format!("{hidden}. {later}"),
                None => hidden,
            });
        }
        self
    }
}

/// How the units of the plan became those that were on sale.
fn lead(report: &Report, reader: &Reader) -> String {
    let words = reader.words;
    let sum = |of: &[&str]| {
        let changes = report.changes.iter().filter(|change| of.contains(&change.what.as_str()));
        changes.filter_map(|change| change.units).fold(0_u64, u64::saturating_add)
    };
    let (more, less) = (sum(&["restocked", "sold_again"]), sum(&["taken_back"]));
    let planned = words.units_in(count(report.planned));
    let all = count(report.supplied);
    match (more, less) {
        _ if report.changes_cut => words.report_changes_lead().to_owned(),
        (0, 0) => words.report_changes_lead().to_owned(),
        (more, 0) => words.report_changes_more(planned, count(more), all),
        (0, less) => words.report_changes_less(planned, count(less), all),
        (more, less) => words.report_changes_both(planned, count(more), count(less), all),
    }
}

/// Who did it, by role.
fn by(change: &Change, report: &Report, reader: &Reader) -> String {
    // A countdown also ends without a command when its time has passed, or the server was down: the stream did not do that.
    let by_stream = || {
        let lost = |time: &PhaseTime| time.by_stream && time.at_ms == change.at_ms;
        report.phases.iter().any(lost)
    };
    match &change.role {
        Some(role) => reader.words.role(role).to_owned(),
        None if change.what == "countdown_cancelled" && by_stream() => {
            reader.words.report_by_stream().to_owned()
        }
        None if change.what == "countdown_cancelled" => reader.words.report_by_itself().to_owned(),
        None => reader.words.unknown().to_owned(),
    }
}

/// What was done; of limits a sentence for each.
fn said(change: &Change, named: &impl Fn(&str) -> String, reader: &Reader) -> Vec<String> {
    let words = reader.words;
    let sku = change.sku.as_deref().map(named).unwrap_or_default();
    let (units, reserve) = (change.units.unwrap_or(0), change.reserve_units.unwrap_or(0));
    let n = count(units);
    let one = match change.what.as_str() {
        "restocked" if reserve == 0 => words.change_restocked(sku, n),
        "restocked" if reserve == units => words.change_restocked_reserve(sku, n),
        "restocked" => words.change_restocked_part(sku, n, count(reserve)),
        "sold_again" => words.change_sold_again(sku, n),
        "taken_back" if reserve == 0 => words.change_taken_back(sku, n),
        "taken_back" => words.change_taken_back_reserve(sku, n),
        "limits" => {
            let limits = change.limits.iter().map(|limit| {
                let n = count(limit.units);
                let before = count(limit.before);
                match &limit.sku {
                    Some(sku) => words.change_limit_of(named(sku), n, before),
                    None => words.change_limit(n, before),
                }
            });
            return limits.collect();
        }
        "end" => match (change.ends_at_ms, change.ends_at_before_ms) {
            (Some(at), Some(before)) => {
                words.change_end_moved(reader.time(before), reader.time(at))
            }
            (Some(at), None) => words.change_end(reader.time(at)),
            (None, _) => words.change_end_never().to_owned(),
        },
        "holds_extended" => words.change_extended(duration(words, change.extended_ms.unwrap_or(0))),
        "countdown_cancelled" => words.change_countdown().to_owned(),
        "wind_down" => {
            let until = change.closes_by_ms.map(|at| reader.time(at));
            words.change_wind_down(until.unwrap_or_else(|| words.unknown().to_owned()))
        }
        "opening_undone" => match &change.copy {
            Some(copy) => words.change_undone(copy),
            None => words.change_undone_no_copy().to_owned(),
        },
        // What a later server tells is no part of these pages yet.
        other => other.to_owned(),
    };
    vec![one]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::{OPENED_MS, with};
    use super::*;
    use crate::words::Language;

    fn changed(changes: Value) -> Option<Changes> {
        let mut report = with(|told| told["changes"] = changes);
        report.supplied = 15_300;
        Changes::of(&report, &Reader::of(Language::English))
    }

    fn said_of(change: &Value) -> Vec<String> {
        let mut whole = json!({ "at_ms": OPENED_MS + 61_000, "role": "host" });
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let rows = changed(json!([whole])).unwrap().rows;
        let plain =
            |text: String| text.replace(['\u{2068}', '\u{2069}'], "").replace('\u{a0}', " ");
        rows.into_iter().map(|row| plain(row.what)).collect()
    }

    #[test]
    fn nothing_is_said_where_nothing_was_changed() {
        assert!(changed(json!([])).is_none());
    }

    #[test]
    fn every_change_has_words() {
        for (change, words) in [
            (
                json!({ "what": "restocked", "sku": "50 ml", "units": 500, "reserve_units": 0 }),
                "50 ml: 500 units added, beyond the plan",
            ),
            (
                json!({ "what": "restocked", "sku": "50 ml", "units": 1, "reserve_units": 1 }),
                "50 ml: 1 unit added from the reserve",
            ),
            (
                json!({ "what": "restocked", "sku": "50 ml", "units": 500, "reserve_units": 300 }),
                "50 ml: 500 units added, 300 of them from the reserve",
            ),
            (
                json!({ "what": "sold_again", "sku": "50 ml", "units": 2 }),
                "50 ml: 2 units of a cancelled order on sale again",
            ),
            (
                json!({ "what": "taken_back", "sku": "50 ml", "units": 200, "reserve_units": 0 }),
                "50 ml: 200 units taken back",
            ),
            (
                json!({ "what": "taken_back", "sku": "x", "units": 200, "reserve_units": 200 }),
                "x: 200 units taken back into the reserve",
            ),
            (
                json!({ "what": "end", "ends_at_ms": OPENED_MS + 600_000, "ends_at_before_ms": OPENED_MS + 300_000 }),
                "End moved from 20:19:07 UTC to 20:24:07 UTC",
            ),
            (
                json!({ "what": "end", "ends_at_ms": OPENED_MS + 600_000 }),
                "End set to 20:24:07 UTC",
            ),
            (json!({ "what": "end", "ends_at_before_ms": OPENED_MS }), "End by time taken away"),
            (
                json!({ "what": "holds_extended", "extended_ms": 120_000 }),
                "2 min 0 s more to pay for every hold",
            ),
            (json!({ "what": "countdown_cancelled" }), "Countdown cancelled"),
            (
                json!({ "what": "wind_down", "closes_by_ms": OPENED_MS + 600_000 }),
                "Wound down: closed by 20:24:07 UTC at the latest",
            ),
            (
                json!({ "what": "opening_undone", "copy": "d7" }),
                "Opening undone; d7 was planned in its place",
            ),
            (json!({ "what": "opening_undone" }), "Opening undone; no copy was planned"),
        ] {
            assert_eq!(said_of(&change), [words]);
        }
        let limits = json!({ "what": "limits", "limits": [
            { "sku": null, "limit_per_viewer": 4, "limit_per_viewer_before": 2 },
            { "sku": "30 ml", "limit_per_viewer": 1, "limit_per_viewer_before": 2 },
        ] });
        assert_eq!(
            said_of(&limits),
            ["Each viewer may have 4, no longer 2", "30 ml: each viewer may have 1, no longer 2"]
        );
    }

    #[test]
    fn a_change_has_its_time_and_a_role() {
        let told = |role: Value, by_stream: bool| {
            let change = json!({ "what": "countdown_cancelled", "at_ms": OPENED_MS, "role": role });
            let phase = json!({ "phase": "scheduled", "at_ms": OPENED_MS, "by_stream": by_stream });
            let report = with(|told| {
                told["phases"] = json!([phase]);
                told["changes"] = json!([change]);
            });
            let row = Changes::of(&report, &Reader::of(Language::English)).unwrap().rows.remove(0);
            (row.at, row.by)
        };
        let merchant = told("merchant".into(), false);
        assert_eq!(merchant, ("20:14:07 UTC".to_owned(), "merchant".to_owned()));
        assert_eq!(told(Value::Null, true).1, "the stream");
        assert_eq!(told(Value::Null, false).1, "by itself");
    }

    #[test]
    fn the_plan_and_the_changes_give_what_was_on_sale() {
        let units = |what: &str, units: u64| json!({ "what": what, "at_ms": OPENED_MS, "sku": "50 ml", "units": units, "reserve_units": 0 });
        let lead = |changes: Vec<Value>| changed(json!(changes)).unwrap().lead;
        let (more, less) = (units("restocked", 500), units("taken_back", 200));
        assert_eq!(
            lead(vec![more.clone(), less.clone()]),
            "15,000 units planned, 500 added, 200 taken back: 15,300 were on sale."
        );
        assert_eq!(lead(vec![more]), "15,000 units planned, 500 added: 15,300 were on sale.");
        assert_eq!(lead(vec![less]), "15,000 units planned, 200 taken back: 15,300 were on sale.");
        let other = json!({ "what": "countdown_cancelled", "at_ms": OPENED_MS });
        assert_eq!(lead(vec![other]), "By staff, told by role.");
    }

    #[test]
    fn paper_has_room_for_some() {
        let one = json!({ "what": "countdown_cancelled", "at_ms": OPENED_MS });
        let all =
            changed(json!(vec![one.clone(); 9])).unwrap().cut(6, &Reader::of(Language::English));
        assert_eq!(
            (all.rows.len(), all.left_out.as_deref()),
            (6, Some("3 more stand in the download"))
        );
        let cut = with(|told| {
            told["changes"] = json!(vec![one; 9]);
            told["changes_cut"] = true.into();
        });
        let reader = Reader::of(Language::English);
        let cut = Changes::of(&cut, &reader).unwrap().cut(6, &reader);
        let both = "3 more stand in the download. Later changes are not listed";
        assert_eq!(cut.left_out.as_deref(), Some(both));
    }
}
