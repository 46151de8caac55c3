//! Orders as merchants pull them.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_domain::HoldId;

use crate::rig::{Rig, lamps, mugs, until};

async fn order(rig: &mut Rig, drop: &str, viewer: &str, sku: &str, units: u64) -> HoldId {
    let hold = rig.buy(drop, viewer, sku, units).await;
    rig.pay(hold).await;
    hold
}

/// Three orders: two of acme's mugs, one of zeta's lamps between them.
async fn sale(rig: &mut Rig) -> [String; 3] {
    let mugs = rig.open(mugs()).await;
    let mut goods = lamps();
    (goods["merchant"], goods["stream"]) = (json!("zeta"), json!("show"));
    let room = json!({ "merchant": "zeta" });
    let admit = rig.ask("admin", "POST", "/v1/rooms/show/admit").key("admit").json(&room);
    admit.send().await;
    let sku = goods["skus"][0]["id"].as_str().unwrap().to_owned();
    let lamps = rig.open(goods).await;
    let holds = [
        order(rig, &mugs, "ann", "mug", 2).await,
        order(rig, &lamps, "ben", &sku, 1).await,
        order(rig, &mugs, "cleo", "mug", 1).await,
    ];
    // The table of orders may be a commit behind.
    rig.advance(1_000);
    until(async || {
        let page = rig.ask("admin", "GET", "/v1/orders").expect(StatusCode::OK).await;
        page.json["orders"].as_array().unwrap().len() == 3
    })
    .await;
    holds.map(|hold| hold.to_string())
}

fn ids(page: &Value) -> Vec<&str> {
    page["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["order"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn every_order_comes_once_whatever_the_pages_are() {
    let mut rig = Rig::new();
    let orders = sale(&mut rig).await;
    let (mut cursor, mut pulled) = (0, Vec::new());
    loop {
        let path = format!("/v1/orders?after={cursor}&limit=1");
        let page = rig.ask("admin", "GET", &path).expect(StatusCode::OK).await.json;
        pulled.extend(ids(&page).into_iter().map(str::to_owned));
        cursor = page["cursor"].as_u64().unwrap();
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(pulled, orders);
    let none = rig.ask("admin", "GET", &format!("/v1/orders?after={cursor}"));
    let none = none.expect(StatusCode::OK).await.json;
    assert_eq!(none, json!({ "orders": [], "cursor": cursor, "more": false }));
}

#[tokio::test]
async fn an_order_has_what_delivers_and_settles_it() {
    let mut rig = Rig::new();
    let [first, ..] = sale(&mut rig).await;
    let page = rig.ask("acme", "GET", "/v1/orders").expect(StatusCode::OK).await.json;
    let order = &page["orders"][0];
    for (field, value) in [
        ("place", json!(1)),
        ("order", json!(first)),
        ("code", json!("1-1-9")),
        ("drop", json!("d1")),
        ("stream", json!("show")),
        ("merchant", json!("acme")),
        ("mode", json!("live")),
        ("state", json!("paid")),
        ("sku", json!("mug")),
        ("units", json!(2)),
        ("cancelled_units", json!(0)),
        ("currency", json!("EUR")),
        ("unit_price_minor", json!(1_990)),
        ("goods_minor", json!(3_980)),
        ("shipping_minor", json!(0)),
        ("paid_minor", json!(3_980)),
        ("refunded_minor", json!(0)),
        ("refund_due_minor", json!(0)),
        ("viewer", json!("ann")),
    ] {
        assert_eq!(order[field], value, "{field} in {order}");
    }
    let payment = json!({
        "account": "platform", "reference": first, "state": "paid", "amount_minor": 3_980,
        "refunded_minor": 0, "refund_due_minor": 0, "currency": "EUR", "makes_order": true,
    });
    assert_eq!(order["payments"], json!([payment]));
    assert_eq!(order.get("changed_at_ms"), None);
    for name in [first.as_str(), "1-1-9"] {
        let path = format!("/v1/orders/{name}");
        let mut one = rig.ask("acme", "GET", &path).expect(StatusCode::OK).await.json;
        assert_eq!(one.get("place"), None);
        one["place"] = json!(1);
        assert_eq!(&one, order);
    }
}

#[tokio::test]
async fn a_merchant_sees_its_own_orders_alone() {
    let mut rig = Rig::new();
    let [first, second, third] = sale(&mut rig).await;
    for (who, query, expected) in [
        ("acme", "", vec![&first, &third]),
        ("zeta", "", vec![&second]),
        ("zeta", "?merchant=acme", vec![]),
        ("admin", "?merchant=zeta", vec![&second]),
        ("ops", "?merchant=acme", vec![&first, &third]),
        ("ops", "?merchant=nobody", vec![]),
    ] {
        let path = format!("/v1/orders{query}");
        let page = rig.ask(who, "GET", &path).expect(StatusCode::OK).await.json;
        assert_eq!(ids(&page), expected, "{who} {query}");
        assert_eq!((&page["cursor"], &page["more"]), (&json!(3), &json!(false)));
    }
    rig.ask("zeta", "GET", &format!("/v1/orders/{first}")).refused(404, "unknown_order").await;
    rig.ask("zeta", "GET", "/v1/orders/1-1-9").refused(404, "unknown_order").await;
    rig.ask("zeta", "GET", "/v1/orders/2-1-7").refused(404, "unknown_order").await;
}

#[tokio::test]
async fn orders_come_as_a_file_for_spreadsheets() {
    let mut rig = Rig::new();
    let orders = sale(&mut rig).await;
    for ask in [
        rig.ask("acme", "GET", "/v1/orders?format=csv"),
        rig.ask("acme", "GET", "/v1/orders").header("accept", "text/html, text/csv;q=0.9, */*"),
    ] {
        let file = ask.expect(StatusCode::OK).await;
        assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
        let lines: Vec<_> = file.text.split("\r\n").collect();
        assert!(lines[0].starts_with("place,order,code,"), "{}", lines[0]);
        assert!(lines[1].starts_with(&format!("1,\"{}\",\"1-1-9\"", orders[0])), "{}", lines[1]);
        assert!(lines[2].starts_with(&format!("3,\"{}\",", orders[2])), "{}", lines[2]);
        assert_eq!(&lines[3..], [""]);
    }
    let rest = rig.ask("admin", "GET", "/v1/orders?format=csv&after=1&limit=1");
    let rest = rest.expect(StatusCode::OK).await.text;
    assert!(rest.lines().nth(1).unwrap().starts_with("2,"), "{rest}");
    assert_eq!(rest.lines().count(), 2);
    let json = rig.ask("admin", "GET", "/v1/orders?format=json").header("accept", "text/csv");
    assert_eq!(ids(&json.expect(StatusCode::OK).await.json), orders);
}

#[tokio::test]
async fn what_was_cancelled_shows_in_the_order_as_it_stands() {
    let mut rig = Rig::new();
    let [first, ..] = sale(&mut rig).await;
    let path = format!("/v1/drops/d1/orders/{first}/cancel");
    let body = json!({ "units": 1, "reason": "broken in the box", "restock": true });
    rig.ask("acme", "POST", &path).key("c1").json(&body).expect(StatusCode::OK).await;
    let one = rig.ask("acme", "GET", "/v1/orders/1-1-9").expect(StatusCode::OK).await.json;
    assert_eq!((&one["units"], &one["cancelled_units"]), (&json!(2), &json!(1)));
    assert_eq!((&one["state"], &one["refund_due_minor"]), (&json!("paid"), &json!(1_990)));
    assert!(one["changed_at_ms"].is_u64());
    let body = json!({ "units": 1, "reason": "the other one too" });
    rig.ask("acme", "POST", &path).key("c2").json(&body).expect(StatusCode::OK).await;
    let one = rig.ask("acme", "GET", "/v1/orders/1-1-9").expect(StatusCode::OK).await.json;
    assert_eq!((&one["state"], &one["refund_due_minor"]), (&json!("cancelled"), &json!(3_980)));
    // It does not come again.
    let rest = rig.ask("acme", "GET", "/v1/orders?after=1").expect(StatusCode::OK).await.json;
    assert!(!ids(&rest).contains(&first.as_str()));
}

#[tokio::test]
async fn what_is_no_order_or_no_query_is_refused() {
    let mut rig = Rig::new();
    sale(&mut rig).await;
    for (name, says) in [
        ("1-1-8", "the check digit of 1-1-8 does not fit"),
        ("2-1-1", "check digit"),
        ("99999999999-1-1", "a number from 1 to 2147483647"),
        ("9-9-4", "there is no order 9-9-4"),
    ] {
        let path = format!("/v1/orders/{name}");
        let told = rig.ask("admin", "GET", &path).refused(404, "unknown_order").await;
        assert!(told.detail().contains(says), "{}", told.text);
    }
    for name in ["d1", "1-1", "01-1-9", "1-1-99", "ABCDEF"] {
        let path = format!("/v1/orders/{name}");
        rig.ask("admin", "GET", &path).refused(400, "id_malformed").await;
    }
    for query in ["limit=0", "limit=1001", "after=-1", "format=xlsx", "merchant=a%20b", "drop=d1"] {
        let path = format!("/v1/orders?{query}");
        rig.ask("admin", "GET", &path).refused(400, "bad_query").await;
    }
}

#[tokio::test]
async fn whoever_may_not_know_viewers_reads_no_orders() {
    let rig = Rig::new();
    for path in ["/v1/orders", "/v1/orders?format=csv", "/v1/orders/1-1-9"] {
        rig.ask_nobody("GET", path).refused(401, "token_missing").await;
        for who in ["host", "platform", "nina", "payments"] {
            rig.ask(who, "GET", path).refused(403, "forbidden").await;
        }
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_gives_no_orders() {
    let mut rig = Rig::new();
    rig.plan(mugs()).await;
    rig.forget_ledger();
    for path in ["/v1/orders", "/v1/orders?format=csv", "/v1/orders/1-1-9"] {
        rig.ask("admin", "GET", path).refused(500, "internal").await;
    }
}
