//! Audit lines against the sale that they are about.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{collections::BTreeMap, ops::ControlFlow};

use serde_json::{Value, json};
use stampede_domain::{DropId, DurationMs, SkuIndex};
use stampede_ledger::{HoldRecord, Record, Room, RoomChange, RoomOwner};
use stampede_report::{FoldError, ReportError, audit::audit_ndjson};
use support::{
    busy::busy_sale,
    forge::forge,
    journal,
    money::{DROP, PRICE, money_sale},
    plan,
    sale::State,
    sim::{Sim, channel_of},
};

/// All lines of a drop, by type.
fn lines(path: &std::path::Path, drop: DropId) -> BTreeMap<String, Vec<Value>> {
    let mut bytes = Vec::new();
    let end = audit_ndjson(&journal(path), drop, 4_096, &mut |chunk| {
        assert!(chunk.len() <= 4_096, "a chunk of {} bytes", chunk.len());
        assert_eq!(chunk.last(), Some(&b'\n'), "chunks hold whole lines");
        bytes.extend(chunk);
        ControlFlow::Continue(())
    });
    assert!(end.unwrap().flow.is_continue());
    let mut by_type: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in String::from_utf8(bytes).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        by_type.entry(line["type"].as_str().unwrap().to_owned()).or_default().push(line);
    }
    by_type
}

/// The channel of a viewer's takes, as a line names it.
fn named(who: u64) -> Value {
    channel_of(who).map_or(Value::Null, |channel| Value::from(channel.as_str()))
}

#[test]
fn every_hold_and_order_has_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let sales = busy_sale(dir.path());
    for (drop, sale) in &sales {
        let lines = lines(dir.path(), *drop);
        let states: BTreeMap<&str, &str> = lines["hold"]
            .iter()
            .map(|line| (line["hold"].as_str().unwrap(), line["state"].as_str().unwrap()))
            .collect();
        assert_eq!(states.len(), sale.holds.len());
        let channels: BTreeMap<&str, &Value> = lines["hold"]
            .iter()
            .map(|line| (line["hold"].as_str().unwrap(), &line["channel"]))
            .collect();
        for hold in &sale.holds {
            let state = match hold.state {
                State::Confirmed => "confirmed",
                State::Released => "released",
                State::Expired => "expired",
                State::Held | State::Pending => "held",
            };
            assert_eq!(states[hold.id.to_string().as_str()], state);
            assert_eq!(*channels[hold.id.to_string().as_str()], named(hold.viewer));
        }
        let confirmed = sale.holds.iter().filter(|hold| hold.state == State::Confirmed);
        let orders: BTreeMap<&str, &Value> =
            lines["order"].iter().map(|line| (line["order"].as_str().unwrap(), line)).collect();
        assert_eq!(orders.len(), confirmed.clone().count());
        for hold in confirmed {
            let order = orders[hold.id.to_string().as_str()];
            assert_eq!(order["viewer"], format!("v{}", hold.viewer));
            assert_eq!(order["units"], hold.units);
            assert_eq!(order["channel"], named(hold.viewer));
        }
        let summary = &lines["summary"][0];
        assert_eq!(summary["holds"].as_u64(), Some(u64::try_from(sale.holds.len()).unwrap()));
        assert_eq!(
            (summary["orders_pending"].as_u64(), &summary["phase"]),
            (Some(0), &Value::from("settled"))
        );
    }
}

#[test]
fn a_tally_says_what_was_wanted_and_who_brought_the_clicks() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[1, 2]));
    for (who, number, count) in [(1, 0, 1), (2, 0, 1), (3, 1, 3), (4, 0, 1), (4, 0, 1)] {
        sim.buy(drop, who, number, count, "a");
    }
    let tally = &mut sim.sale(drop).tally;
    let sources = tally.sources.get_or_insert_default();
    sources.skus = [(0, 3), (1, 1)].map(|(sku, n)| (SkuIndex::new(sku).unwrap(), n)).into();
    sources.channels.named = vec![(channel_of(1).unwrap(), 2)];
    sources.channels.other = 3;
    sim.tally(drop, 9);
    sim.close();
    let tally = &lines(dir.path(), drop)["tally"][0];
    let refusals = json!({"sold_out": 3, "not_enough": 1});
    assert_eq!((&tally["held"], &tally["refusals"]), (&json!(1), &refusals));
    assert_eq!(tally["refused_for_want"], json!({"mug-0": 3, "mug-1": 1}));
    assert_eq!(tally["clicks_by_channel"], json!({"nina-tv": 2}));
    assert_eq!((&tally["clicks_by_channel_other"], &tally["connected"]), (&json!(3), &json!(9)));
}

#[test]
fn a_live_hold_shows_its_moved_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[3]));
    sim.buy(drop, 1, 0, 2, "a");
    sim.flush();
    sim.crash(1_500);
    let sales = sim.close();
    let hold = &sales[&drop].holds[0];
    let line = &lines(dir.path(), drop)["hold"][0];
    assert_eq!(line["state"], "held");
    assert_eq!(line["ended_at_ms"], Value::Null);
    assert_eq!(line["deadline_ms"], hold.deadline.get());
    assert_eq!(hold.deadline.since(hold.taken_at).get(), support::TTL_MS + 1_500);
}

#[test]
fn a_sink_that_stops_gets_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    let mut chunks = 0;
    let end = audit_ndjson(&journal(dir.path()), DropId::new(1), 1, &mut |_| {
        chunks += 1;
        ControlFlow::Break(())
    });
    assert!(end.unwrap().flow.is_break());
    assert_eq!(chunks, 1);
}

#[test]
fn a_journal_that_contradicts_itself_still_gives_its_lines() {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    let drop = DropId::new(1);
    let sound = lines(dir.path(), drop);
    forge(dir.path(), |rows| {
        let last = rows.iter_mut().rfind(|row| row.row.drop == drop).unwrap();
        let hold = sound["hold"][0]["hold"].as_str().unwrap().parse().unwrap();
        last.records
            .push(Record::Hold(HoldRecord::Released { hold, units: support::units(9_999) }));
    });
    let damaged = lines(dir.path(), drop);
    assert_eq!(damaged["hold"], sound["hold"]);
    assert_eq!(damaged["order"], sound["order"]);
    for order in &sound["order"] {
        let code = order["sku"].as_str().unwrap().replace("mug-", "M-");
        assert_eq!(order["merchant_sku"], code, "the merchant's own code");
    }
    assert!(!damaged.contains_key("summary"), "its sums would be wrong");
    let damage = &damaged["damage"][0];
    assert!(damage["what"].as_str().unwrap().contains("ends more units of pool 0"), "{damage}");
    for count in ["holds", "orders", "payments", "orders_pending"] {
        assert_eq!(damage[count], sound["summary"][0][count], "{count}");
    }
    let end = audit_ndjson(&journal(dir.path()), drop, 4_096, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    assert!(matches!(end.damage, Some(FoldError::Unbalanced { .. })), "{end:?}");
}

#[test]
fn every_record_about_money_has_a_line() {
    let dir = tempfile::tempdir().unwrap();
    money_sale(dir.path());
    let lines = lines(dir.path(), DROP);
    let payments = &lines["payment"];
    let first = |what: &str| -> Value {
        let mut line = payments.iter().find(|line| line["what"] == what).unwrap().clone();
        let fields = line.as_object_mut().unwrap();
        assert!(fields.remove("at_ms").unwrap().as_u64() > Some(support::START_MS));
        assert_eq!(fields.remove("hold").unwrap().as_str().map(str::len), Some(32));
        assert_eq!(fields.remove("type"), Some("payment".into()));
        line
    };
    let of = |what: &str, reference: &str, more: Value| {
        let mut line = json!({"what": what, "account": "sandbox", "reference": reference});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let owed = 2 * PRICE + 528;
    let expected = [
        json!({"what": "charged", "shipping_minor": 490, "tax_minor": 38, "fee_minor": 0}),
        json!({"what": "referenced", "order_reference": "order-1"}),
        of("begun", "p1", json!({})),
        of("authorized", "p1", json!({"amount_minor": owed, "currency": "EUR"})),
        of("asked", "p1", json!({"request": "capture"})),
        of("paid", "p1", json!({"amount_minor": owed, "currency": "EUR"})),
        json!({
            "what": "cancelled", "units": 1, "amount_minor": PRICE, "currency": "EUR", "actor": "olga",
            "reason": "broken",
        }),
        of(
            "refund_due",
            "p1",
            json!({
                "amount_minor": PRICE, "currency": "EUR", "reason": "cancelled",
            }),
        ),
        of("declined", "p1", json!({"request": "refund", "reason": "too old"})),
        of("refunded", "p1", json!({"total_minor": 1_000, "currency": "EUR"})),
        of("failed", "p5", json!({"reason": "card_declined"})),
        of("voided", "p9", json!({})),
    ];
    for line in expected {
        assert_eq!(first(line["what"].as_str().unwrap()), line);
    }
    let retaken = first("retaken");
    assert!(lines["hold"].iter().any(|hold| hold["hold"] == retaken["into"]), "{retaken}");
    let summary = &lines["summary"][0];
    assert_eq!(summary["payments"].as_u64(), Some(u64::try_from(payments.len()).unwrap()));
}

#[test]
fn a_hold_shows_the_deadline_that_payments_and_staff_moved() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[3]));
    sim.buy(drop, 1, 0, 1, "a");
    sim.flush();
    let hold = sim.sale(drop).holds[0].id;
    sim.now_ms += support::TTL_MS - 100;
    sim.money(hold, support::money::begun("p1"));
    sim.stretch(hold);
    sim.extend(drop, DurationMs::new(500));
    let sales = sim.close();
    let deadline = sales[&drop].holds[0].deadline;
    let moved = support::STRETCH_MS - 100 + 500;
    assert_eq!(deadline.since(sales[&drop].holds[0].taken_at).get(), support::TTL_MS + moved);
    assert_eq!(lines(dir.path(), drop)["hold"][0]["deadline_ms"], deadline.get());
}

#[test]
fn an_unknown_drop_has_no_audit() {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    let drop = DropId::new(9);
    let refused =
        audit_ndjson(&journal(dir.path()), drop, 4_096, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(ReportError::NoDrop { .. })));
}

#[test]
fn the_summary_names_the_owners_of_the_stream() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let owned = |name: &str| {
        let change = RoomChange::Owner(RoomOwner::Merchant(name.parse().unwrap()));
        Record::Room(Box::new(Room { stream: "friday".parse().unwrap(), change }))
    };
    let early = sim.open(plan(&[1]));
    sim.house(owned("acme"));
    let late = sim.open(plan(&[1]));
    sim.house(owned("zeta"));
    sim.close();
    for (drop, when_planned) in [(early, Value::Null), (late, "merchant acme".into())] {
        let summary = &lines(dir.path(), drop)["summary"][0];
        assert_eq!(summary["stream"], "friday");
        assert_eq!(summary["owner_when_planned"], when_planned);
        assert_eq!(summary["owner"], "merchant zeta");
    }
}
