//! What was changed while a drop was on sale, as reports tell of it.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::io::Cursor;

use calamine::{Reader, Xlsx};
use serde_json::{Value, json};
use stampede_domain::{Amendment, DropId, DropPlan, DurationMs, IdempotencyKey, NewEnd};
use stampede_ledger::{
    Amended, Command, CorrectionRecord, DeadlineRecord, PhaseRecord, Record, RecordedOutcome,
    StreamRecord, Text,
};
use stampede_report::{
    DropReport, drop_report,
    fold::{CHANGES_MAX, Change, Changed},
};
use stampede_testkit::PastLedger;
use support::{START_MS, at, journal, money::cancelled, plan, sale::State, sim::Sim};

fn sold(act: impl FnOnce(&mut Sim, DropId)) -> DropReport {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let span = DurationMs::from_secs(600);
    let drop = sim.open(DropPlan { ends_after_opening: Some(span), ..plan(&[40, 4]) });
    act(&mut sim, drop);
    sim.close();
    drop_report(&journal(dir.path()), drop).unwrap()
}

/// A command that was carried out, in the commit of what it did.
fn asked(sim: &mut Sim, drop: DropId, action: &str) {
    sim.command(drop, action, RecordedOutcome::Accepted);
    sim.flush();
}

fn told(report: &DropReport) -> Vec<Value> {
    let mut told = serde_json::to_value(report.json()).unwrap()["changes"].take();
    // What is empty says nothing of these tests.
    for change in told.as_array_mut().unwrap() {
        change.as_object_mut().unwrap().retain(|_, value| !value.is_null() && *value != json!([]));
    }
    serde_json::from_value(told).unwrap()
}

/// Milliseconds since 1970.
const fn ms(after: u64) -> u64 {
    START_MS + after
}

#[test]
fn every_change_is_told_with_its_time_and_who_by_role() {
    let report = sold(|sim, drop| {
        sim.reserved(drop, 0, 300);
        sim.flush();
        sim.reserved(drop, 0, 0);
        sim.restock(drop, 0, 500);
        sim.now_ms += 1_000;
        sim.take_back(drop, 0, 200);
        sim.reserved(drop, 0, 200);
        asked(sim, drop, "take_back");
        sim.take_back(drop, 1, 1);
        asked(sim, drop, "take_back");
        sim.record_alone(
            drop,
            DeadlineRecord::Extended { span: DurationMs::new(9_000), until: at(0) }.into(),
        );
        sim.pause(drop);
        asked(sim, drop, "pause");
        sim.amend(drop, 3, 2);
        asked(sim, drop, "amend");
        let amendment = Amendment { limits: None, end: Some(NewEnd::At(at(900_000))) };
        let amended = Amended { amendment, last_takes: Vec::new() };
        sim.record_alone(drop, CorrectionRecord::Amended(Box::new(amended)).into());
        sim.pause(drop);
        sim.record_alone(drop, CorrectionRecord::WindsDown { until: at(60_000) }.into());
    });
    let expected = json!([
        { "what": "restocked", "at_ms": ms(1_000), "role": "host", "sku": "mug-0", "units": 500, "reserve_units": 300 },
        { "what": "taken_back", "at_ms": ms(2_000), "role": "host", "sku": "mug-0", "units": 200, "reserve_units": 200 },
        { "what": "taken_back", "at_ms": ms(2_000), "role": "host", "sku": "mug-1", "units": 1, "reserve_units": 0 },
        { "what": "holds_extended", "at_ms": ms(2_000), "extended_ms": 9_000 },
        { "what": "limits", "at_ms": ms(2_000), "role": "host", "limits": [
            { "limit_per_viewer": 3, "limit_per_viewer_before": 4, "sku": null },
            { "limit_per_viewer": 2, "limit_per_viewer_before": 3, "sku": "mug-0" },
        ] },
        { "what": "end", "at_ms": ms(2_000), "ends_at_ms": ms(900_000), "ends_at_before_ms": ms(601_000) },
        { "what": "wind_down", "at_ms": ms(2_000), "closes_by_ms": ms(60_000) },
    ]);
    assert_eq!(json!(told(&report)), expected);
    assert!(!report.changes.is_cut);
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("changed")).collect();
    let said = lines[1..8].iter().map(|line| line.split_once("UTC  ").unwrap().1);
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "host      Mug number 0: 500 units added, 300 from the reserve",
            "host      Mug number 0: 200 units taken back into the reserve",
            "host      Mug number 1: 1 unit taken back",
            "-         every hold 9.000 s longer",
            "host      limit of a viewer 3, was 4; limit of a viewer of Mug number 0 2, was 3",
            "-         ends at 2025-11-22 13:15:00 UTC, was to end at 2025-11-22 13:10:01 UTC",
            "-         winds down, until 2025-11-22 13:01:00 UTC",
        ]
    );
}

#[test]
fn nothing_is_told_where_nothing_was_changed() {
    let report = sold(|sim, drop| {
        sim.buy(drop, 1, 0, 1, "a");
        sim.flush();
        sim.pause(drop);
        asked(sim, drop, "pause");
        sim.pause(drop);
        sim.settle(drop);
    });
    assert_eq!(report.changes.listed, []);
    assert!(!report.to_string().contains("changed during"));
    assert_eq!(sheets(&report), ["Summary", "Sizes", "Channels", "Seconds"]);
}

fn sheets(report: &DropReport) -> Vec<String> {
    let book: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(report.xlsx().unwrap())).unwrap();
    book.sheet_names()
}

#[test]
fn a_workbook_has_a_row_for_each_change() {
    let report = sold(|sim, drop| {
        sim.restock(drop, 0, 5);
        sim.pause(drop);
        sim.amend(drop, 3, 2);
        asked(sim, drop, "amend");
    });
    assert_eq!(sheets(&report), ["Summary", "Sizes", "Channels", "Seconds", "Changes"]);
    let bytes = report.xlsx().unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let rows = book.worksheet_range("Changes").unwrap();
    let row = |at: usize| -> Vec<String> {
        let picked =
            [2, 3, 4, 5, 7, 8].map(|column| rows.rows().nth(at).unwrap()[column].to_string());
        picked.to_vec()
    };
    let head = rows.rows().next().unwrap();
    assert_eq!(
        [9, 10].map(|column| head[column].to_string()),
        ["Ends at (UTC)", "Ended at before (UTC)"]
    );
    assert_eq!(rows.rows().count(), 4);
    assert_eq!(row(1), ["restocked", "host", "mug-0", "5", "", ""]);
    assert_eq!(row(2), ["limits", "host", "", "", "3", "4"]);
    assert_eq!(row(3), ["limits", "host", "mug-0", "", "2", "3"]);
}

#[test]
fn a_countdown_that_nobody_cancelled_is_told_without_a_role() {
    let changes = |record: Record| {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = PastLedger::create(dir.path(), at(0));
        let mut planned = ledger.plan(plan(&[4]));
        planned.phase(&mut ledger, PhaseRecord::Countdown { opens_at: at(9_000) });
        ledger.push(DropId::new(1), record);
        // What is asked for behind it is none of its doing.
        ledger.push(DropId::new(1), command("open"));
        ledger.finish();
        drop_report(&journal(dir.path()), DropId::new(1)).unwrap().changes.listed
    };
    let by_stream = changes(Record::Stream(StreamRecord::OfflineLapsed));
    let by_host = changes(PhaseRecord::CountdownCancelled.into());
    for (found, role) in [(by_stream, None), (by_host, Some("host"))] {
        let [Change { role: by, what: Changed::CountdownCancelled, .. }] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(by.as_ref().map(Text::as_str), role);
    }
}

fn command(action: &str) -> Record {
    let key = IdempotencyKey::new(action).unwrap().fingerprint();
    Record::Command(Box::new(Command {
        actor: "nina".into(),
        role: "host".into(),
        action: action.into(),
        key,
        request: key,
        reason: "".into(),
        outcome: RecordedOutcome::Accepted,
    }))
}

#[test]
fn units_of_a_cancelled_order_are_told_as_such() {
    let report = sold(|sim, drop| {
        sim.buy(drop, 1, 0, 2, "a");
        sim.flush();
        sim.end(drop, 0, State::Confirmed);
        sim.flush();
        let order = sim.sale(drop).holds[0].id;
        sim.sell_again(drop, order, cancelled(2, 3_980));
    });
    let expected = json!([{ "what": "sold_again", "at_ms": ms(1_000), "role": "host", "sku": "mug-0", "units": 2 }]);
    assert_eq!(json!(told(&report)), expected);
}

#[test]
fn an_undone_opening_names_its_copy() {
    for (terms, copy) in [(Some(plan(&[40, 4])), json!("d2")), (None, Value::Null)] {
        let report = sold(|sim, drop| sim.undo(drop, terms));
        let json = serde_json::to_value(report.json()).unwrap();
        let change = &json["changes"][0];
        assert_eq!(
            (&change["what"], &change["role"], &change["copy"]),
            (&json!("opening_undone"), &json!("host"), &copy)
        );
    }
}

#[test]
fn so_many_changes_are_kept_and_no_more() {
    let report = sold(|sim, drop| {
        for _ in 0..=CHANGES_MAX {
            sim.restock(drop, 0, 1);
        }
    });
    assert_eq!((report.changes.listed.len(), report.changes.is_cut), (CHANGES_MAX, true));
    let by_host =
        |change: &Change| change.role.as_ref().is_some_and(|role| role.as_str() == "host");
    assert!(report.changes.listed.iter().all(by_host));
}

#[test]
fn what_was_on_sale_and_is_taken_back_was_on_sale() {
    let report = sold(|sim, drop| {
        sim.take_back(drop, 0, 40);
        sim.take_back(drop, 1, 4);
    });
    let supplied = |report: &DropReport| {
        let text = report.to_string();
        let line = text.lines().find(|line| line.starts_with("supplied")).unwrap();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(supplied(&report), "0 units; 44 taken back");
    let part = sold(|sim, drop| sim.take_back(drop, 0, 10));
    assert_eq!(supplied(&part), "34 units; 10 taken back");
    assert_eq!(supplied(&sold(|_, _| {})), "44 units");
}
