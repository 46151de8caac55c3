//! Audits of histories with lies in them.

use stampede_domain::IdempotencyKey;

use super::*;
use crate::recorder::{Counts, Promise, Promised};

const SUPPLY: u32 = 3;

/// One line of a ledger; tests change single words of it.
fn hold(id: &str, viewer: &str, key: &str, state: &str, times: [u64; 3]) -> String {
    let key = IdempotencyKey::new(key).unwrap().fingerprint();
    let [taken, deadline, ended] = times;
    let ended = if state == "held" { "null".to_owned() } else { ended.to_string() };
    format!(
        r#"{{"type":"hold","hold":"{id}","viewer":"{viewer}","sku":"mug","units":1,"key":"{key}","state":"{state}","taken_at_ms":{taken},"deadline_ms":{deadline},"ended_at_ms":{ended}}}"#
    )
}

fn order(id: &str, viewer: &str) -> String {
    format!(
        r#"{{"type":"order","order":"{id}","viewer":"{viewer}","sku":"mug","units":1,"amount_minor":499,"currency":"EUR","at_ms":20}}"#
    )
}

fn ledger(lines: &[String]) -> Ledger {
    let count = |kind: &str| lines.iter().filter(|line| line.contains(kind)).count();
    let (holds, orders) = (count(r#""type":"hold""#), count(r#""type":"order""#));
    let summary = format!(
        r#"{{"type":"summary","drop":"d1","phase":"open","supplied":{SUPPLY},"holds":{holds},"orders":{orders},"orders_pending":0}}"#
    );
    let mut ledger = Ledger::default();
    for line in lines.iter().chain([&summary]) {
        ledger.add(line.as_bytes()).unwrap();
    }
    ledger.check_whole().unwrap();
    ledger
}

fn promise(hold: &str, viewer: &str, what: Promised) -> Promise {
    Promise {
        at_ms: 10,
        asked_ms: Some(9),
        viewer: viewer.into(),
        hold: hold.into(),
        sku: "mug".into(),
        units: 1,
        what,
    }
}

fn held(key: &str) -> Promised {
    Promised::Held { key: Some(key.into()), retry: false, expires_in_ms: 90, amount_minor: 499 }
}

fn ordered(order: &str) -> Promised {
    Promised::Order { order: order.into(), key: None, amount_minor: 499 }
}

/// Two viewers: `a` bought, `b` let the hold expire.
fn sale() -> (Vec<Promise>, Vec<String>) {
    let promises = vec![
        promise("h1", "a", held("k1")),
        promise("h1", "a", ordered("h1")),
        promise("h2", "b", held("k1")),
        promise("h2", "b", Promised::Expired),
    ];
    let lines = vec![
        hold("h1", "a", "k1", "confirmed", [10, 100, 20]),
        hold("h2", "b", "k1", "expired", [10, 100, 101]),
        order("h1", "a"),
    ];
    (promises, lines)
}

/// Audits the sale after a change; the result must name `words`.
#[track_caller]
fn check(
    change: impl FnOnce(&mut Vec<Promise>, &mut Vec<String>),
    count: impl Fn(&AuditResult) -> u64,
    words: &str,
) {
    let (mut promises, mut lines) = sale();
    change(&mut promises, &mut lines);
    let result = audit_promises(&promises, &ledger(&lines));
    assert_eq!(count(&result), 1, "{result:?}");
    assert!(!result.is_clean());
    assert!(result.mismatches.iter().any(|said| said.contains(words)), "{result:?}");
}

#[test]
fn a_kept_sale_is_clean() {
    let (promises, lines) = sale();
    let result = audit_promises(&promises, &ledger(&lines));
    assert!(result.is_clean(), "{result:?}");
    assert_eq!((result.promises, result.holds, result.orders, result.units_sold), (4, 2, 1, 1));
}

#[test]
fn a_forgotten_hold_is_a_lost_promise() {
    let forget = |_: &mut _, lines: &mut Vec<String>| {
        lines[1] = hold("h3", "b", "k1", "expired", [10, 100, 101]);
    };
    let (mut promises, mut lines) = sale();
    promises.truncate(3);
    forget(&mut promises, &mut lines);
    let result = audit_promises(&promises, &ledger(&lines));
    assert_eq!(result.promises_lost, 1, "{result:?}");
    assert!(result.mismatches[0].contains("no such hold"), "{result:?}");
}

/// `b` paid too late, and got the units all the same.
fn paid_too_late() -> (Vec<Promise>, Vec<String>) {
    let (mut promises, mut lines) = sale();
    promises.push(promise("h2", "b", ordered("h9")));
    lines.push(hold("h9", "b", "of-the-payment", "confirmed", [120, 200, 130]));
    lines.push(order("h9", "b"));
    lines.push(r#"{"type":"payment","hold":"h2","what":"begun","at_ms":90}"#.to_owned());
    lines.push(r#"{"type":"payment","hold":"h2","what":"retaken","into":"h9","at_ms":130}"#.into());
    (promises, lines)
}

#[test]
fn an_order_of_units_that_were_taken_again_is_kept() {
    let (promises, mut lines) = paid_too_late();
    let result = audit_promises(&promises, &ledger(&lines));
    assert!(result.is_clean(), "{result:?}");
    // Nothing says that the units were taken again for that hold.
    lines.pop();
    let result = audit_promises(&promises, &ledger(&lines));
    assert_eq!(result.promises_lost, 1, "{result:?}");
    assert!(result.mismatches[0].contains("state is expired instead of confirmed"), "{result:?}");
}

#[test]
fn an_order_of_units_taken_again_must_be_there() {
    let (promises, mut lines) = paid_too_late();
    lines.retain(|line| !line.contains(r#""order":"h9""#));
    let result = audit_promises(&promises, &ledger(&lines));
    assert_eq!(result.promises_lost, 1, "{result:?}");
    assert!(result.mismatches[0].contains("no such order"), "{result:?}");
}

#[test]
fn another_viewers_hold_is_a_lost_promise() {
    check(
        |promises, _| promises[2].viewer = "c".into(),
        |result| result.promises_lost,
        "the ledger's viewer is b instead of c",
    );
}

#[test]
fn other_units_are_a_lost_promise() {
    check(|p, _| p[0].units = 2, |result| result.promises_lost, "units is 1 instead of 2");
}

#[test]
fn another_key_is_a_lost_promise() {
    check(|p, _| p[0].what = held("k2"), |result| result.promises_lost, "the ledger's key");
}

#[test]
fn a_hold_promised_as_expired_must_not_be_sold() {
    check(
        |promises, _| promises[1].what = Promised::Expired,
        |result| result.promises_lost,
        "state is confirmed instead of expired",
    );
}

#[test]
fn an_order_that_is_missing_is_lost_and_contradicts() {
    let change = |_: &mut Vec<Promise>, lines: &mut Vec<String>| {
        lines.pop();
    };
    check(change, |result| result.promises_lost, "no such order");
    check(change, |result| result.contradictions, "is confirmed, but has no order");
}

#[test]
fn an_order_for_another_amount_is_a_lost_promise() {
    let dearer = Promised::Order { order: "h1".into(), key: None, amount_minor: 500 };
    check(|p, _| p[1].what = dearer, |result| result.promises_lost, "amount is 499 instead of 500");
}

#[test]
fn a_second_row_of_an_order_is_a_duplicate() {
    check(|_, l| l.push(order("h1", "a")), |result| result.duplicate_orders, "one of 2");
}

#[test]
fn two_orders_of_one_key_are_duplicates() {
    check(
        |_, lines| {
            lines.push(hold("h4", "a", "k1", "confirmed", [11, 100, 21]));
            lines.push(order("h4", "a"));
        },
        |result| result.duplicate_orders,
        "a further hold",
    );
}

#[test]
fn a_second_hold_for_a_key_is_found_among_the_promises() {
    check(
        |promises, lines| {
            lines.push(hold("h4", "b", "k2", "held", [11, 100, 0]));
            promises.push(promise("h4", "b", held("k2")));
            promises.push(promise(
                "h2",
                "b",
                Promised::Held {
                    key: Some("k2".into()),
                    retry: true,
                    expires_in_ms: 1,
                    amount_minor: 499,
                },
            ));
        },
        |result| result.second_holds,
        "b's key k2 got the hold h4, later h2",
    );
}

#[test]
fn units_out_at_once_must_not_exceed_the_supply() {
    check(
        |_, lines| {
            for id in ["h5", "h6", "h7"] {
                lines.push(hold(id, id, "k1", "released", [50, 5_000, 4_000]));
            }
        },
        |result| result.oversold,
        "1 unit beyond the supply",
    );
}

#[test]
fn orders_must_not_exceed_the_supply_however_late_they_came() {
    check(
        |_, lines| {
            for (at, id) in (1..).zip(["h5", "h6", "h7"]) {
                lines.push(hold(id, id, "k1", "confirmed", [at * 5_000, at * 6_000, at * 5_500]));
                lines.push(order(id, id));
            }
        },
        |result| result.oversold,
        "1 unit beyond the supply",
    );
}

#[test]
fn a_unit_that_came_back_may_be_sold_again() {
    let (promises, mut lines) = sale();
    lines.push(hold("h4", "c", "k1", "released", [50, 5_000, 4_000]));
    lines.push(hold("h5", "d", "k1", "held", [3_200, 9_000, 0]));
    // The core looked at the clock before the unit came back, and took it after.
    lines.push(hold("h6", "e", "k1", "held", [3_900, 9_000, 0]));
    assert!(audit_promises(&promises, &ledger(&lines)).is_clean());
}

#[test]
fn a_hold_that_ended_before_its_deadline_is_early() {
    check(
        |_, lines| lines[1] = hold("h2", "b", "k1", "expired", [10, 100, 99]),
        |result| result.early_expiries,
        "expired at 99, due at 100",
    );
}

#[test]
fn viewers_see_when_an_outage_was_not_added() {
    let (mut promises, _) = sale();
    promises[3].at_ms = 150;
    let outage = |to_ms| [Outage { from_ms: 20, to_ms }];
    let count = |to_ms| {
        let mut result = AuditResult::default();
        early_expiries(&promises, &outage(to_ms), &mut result);
        result.early_expiries
    };
    assert_eq!(count(73), 0, "sent at 9 for 90 ms, 53 ms of outage: due at 152, cut to 150");
    assert_eq!(count(74), 1);
}

#[test]
fn a_stream_that_was_cut_off_is_no_account() {
    let mut cut = Ledger::default();
    cut.add(hold("h1", "a", "k1", "held", [1, 2, 0]).as_bytes()).unwrap();
    assert!(cut.check_whole().unwrap_err().to_string().contains("cut off"));
    let summary = r#"{"type":"summary","supplied":3,"holds":2,"orders":0,"orders_pending":0}"#;
    cut.add(summary.as_bytes()).unwrap();
    let error = cut.check_whole().unwrap_err().to_string();
    assert_eq!(error, "the summary says 2 holds, but 1 came");
    assert!(cut.add(b"{\"type\":\"hold\"}").is_err());
}

#[test]
fn lines_about_payments_are_read_past_and_unknown_ones_are_not() {
    let mut ledger = Ledger::default();
    let paid = r#"{"type":"payment","hold":"h1","what":"paid","account":"sandbox","reference":"p1","amount_minor":499,"currency":"EUR","at_ms":20}"#;
    ledger.add(paid.as_bytes()).unwrap();
    assert!(ledger.holds.is_empty() && ledger.orders.is_empty());
    assert!(ledger.add(br#"{"type":"promise","hold":"h1"}"#).is_err());
}

#[test]
fn clicks_agree_with_the_tally_or_the_difference_is_named() {
    let mut journal = ledger(&[]);
    for line in [
        r#"{"type":"tally","held":2,"retries":1,"refusals":{"sold_out":3}}"#,
        r#"{"type":"tally","held":0,"retries":0,"refusals":{"sold_out":1,"not_open":1}}"#,
    ] {
        journal.add(line.as_bytes()).unwrap();
    }
    let mut counts = Counts { clicks: 8, held: 2, retries: 1, ..Counts::default() };
    counts.refused.insert("sold_out".into(), 4);
    let lost_answer = reconcile(&counts, &journal);
    assert!(lost_answer.agrees(), "{lost_answer:?}");
    assert_eq!((lost_answer.tallied, lost_answer.answers_lost), (8, 1));
    counts.refused.insert("not_open".into(), 2);
    counts.clicks = 9;
    let wrong = reconcile(&counts, &journal);
    assert_eq!(
        wrong.differences,
        ["9 clicks were sent, 8 are tallied", "2 clicks were answered not_open, 1 tallied"]
    );
}

#[test]
fn a_ledger_that_contradicts_itself_is_no_good_ledger() {
    let (promises, lines) = sale();
    let mut ledger = Ledger::default();
    let damage = r#"{"type":"damage","what":"d1 commit 9 ends more units of pool 0 than were taken","holds":2,"orders":1,"orders_pending":0}"#;
    for line in lines.iter().map(String::as_str).chain([damage]) {
        ledger.add(line.as_bytes()).unwrap();
    }
    ledger.check_whole().unwrap();
    let result = audit_promises(&promises, &ledger);
    assert_eq!((result.contradictions, result.promises_lost, result.oversold), (1, 0, 0));
    assert!(result.mismatches[0].contains("d1 commit 9 ends more units"), "{result:?}");
}
