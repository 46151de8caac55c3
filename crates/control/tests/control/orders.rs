//! Orders as merchants pull them.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_domain::HoldId;

use crate::rig::{Rig, lamps, mugs, until};

/// Every way to read orders.
const READS: [&str; 6] = [
    "/v1/orders",
    "/v1/orders?format=csv",
    "/v1/orders/1-1-9",
    "/v1/orders/1-1-9/timeline",
    "/v1/orders/search?text=1-1-9",
    "/v1/orders/search?text=R-1",
];

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
    rig.ask("acme", "GET", "/v1/orders/2-1-6").refused(404, "unknown_order").await;
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
    for query in ["limit=0", "limit=1001", "after=-1", "format=xlsx", "merchant=a%20b", "show=d1"] {
        let path = format!("/v1/orders?{query}");
        rig.ask("admin", "GET", &path).refused(400, "bad_query").await;
    }
}

#[tokio::test]
async fn whoever_may_not_know_viewers_reads_no_orders() {
    let rig = Rig::new();
    for path in READS {
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
    for path in READS {
        rig.ask("admin", "GET", path).refused(500, "internal").await;
    }
}

#[tokio::test]
async fn the_newest_orders_come_first_where_that_is_asked_for() {
    let mut rig = Rig::new();
    let none = rig.ask("admin", "GET", "/v1/orders?newest_first=true").expect(StatusCode::OK).await;
    assert_eq!(none.json, json!({ "orders": [], "cursor": 0, "more": false }));
    let [first, second, third] = sale(&mut rig).await;
    let page = async |query: &str| {
        let path = format!("/v1/orders?newest_first=true{query}");
        rig.ask("admin", "GET", &path).expect(StatusCode::OK).await
    };
    let newest = page("&limit=2").await.json;
    assert_eq!(ids(&newest), [third.as_str(), &second]);
    assert_eq!(newest["more"], true);
    let rest = page(&format!("&limit=2&after={}", newest["cursor"])).await.json;
    assert_eq!((ids(&rest), &rest["more"]), (vec![first.as_str()], &json!(false)));
    let file = page("&format=csv&limit=1").await.text;
    assert!(file.lines().nth(1).unwrap().starts_with("3,"), "{file}");
}

/// What a search finds: orders by their ids, then other holds.
async fn found(rig: &Rig, who: &str, query: &str) -> Vec<String> {
    let path = format!("/v1/orders/search?text={query}");
    let page = rig.ask(who, "GET", &path).expect(StatusCode::OK).await.json;
    let holds = page["holds"].as_array().unwrap().iter().map(|hold| hold["hold"].clone());
    let all = page["orders"].as_array().unwrap().iter().map(|order| order["order"].clone());
    all.chain(holds).map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_order_is_found_by_whatever_people_call_it() {
    let mut rig = Rig::new();
    let [first, second, _] = sale(&mut rig).await;
    let held = rig.buy("d1", "dan", "mug", 1).await.to_string();
    let fact = json!({ "payment": "pay-7", "event": "failed", "reason": "card_declined",
        "holds": [held], "order_reference": "#7 für Ann" });
    rig.ask("payments", "POST", "/v1/payments").key("f1").json(&fact).expect(StatusCode::OK).await;
    // Blanks at its ends are seen by nobody who types it.
    let blank = rig.buy("d1", "eve", "mug", 1).await.to_string();
    let fact = json!({ "payment": "pay-8", "event": "failed", "reason": "card_declined",
        "holds": [blank], "order_reference": " R 9\u{3000}" });
    rig.ask("payments", "POST", "/v1/payments").key("f2").json(&fact).expect(StatusCode::OK).await;
    for (who, text, wanted) in [
        ("acme", "R%209", vec![&blank]),
        ("acme", "%20R%209%E3%80%80", vec![&blank]),
        ("acme", "%20R%209", vec![&blank]),
        ("acme", "R9", vec![]),
        ("acme", "%201-1-9%20", vec![&first]),
        ("acme", "1-1-9", vec![&first]),
        ("acme", first.as_str(), vec![&first]),
        // The payment of an order has its id here.
        ("acme", &format!("{first}&as=reference"), vec![&first]),
        ("acme", &held, vec![&held]),
        ("acme", "pay-7", vec![&held]),
        ("acme", "platform/pay-7", vec![&held]),
        ("acme", "sandbox/pay-7", vec![]),
        ("acme", "%237%20f%C3%BCr%20Ann", vec![&held]),
        ("ops", "%237%20f%C3%BCr%20Ann", vec![&held]),
        ("admin", &second, vec![&second]),
        ("acme", "R-8", vec![]),
        ("acme", "9-9-4", vec![]),
        // Nobody finds what is another's.
        ("acme", &second, vec![]),
        ("acme", "2-1-6", vec![]),
        ("zeta", "%237%20f%C3%BCr%20Ann", vec![]),
        ("zeta", "1-1-9", vec![]),
    ] {
        assert_eq!(
            found(&rig, who, text).await,
            wanted.into_iter().cloned().collect::<Vec<_>>(),
            "{who} {text}"
        );
    }
    for text in ["%20", "a%07b"] {
        let told = rig.ask("acme", "GET", &format!("/v1/orders/search?text={text}"));
        told.refused(404, "unknown_order").await;
    }
    let told = rig.ask("acme", "GET", "/v1/orders/search?text=1-1-8");
    let told = told.refused(404, "unknown_order").await;
    assert!(told.detail().contains("check digit of 1-1-8"), "{}", told.text);
    // A platform may call an order as it likes.
    assert!(found(&rig, "acme", "1-1-8&as=reference").await.is_empty());
    let (whole, long) = ("x".repeat(128), format!("?text={}", "x".repeat(129)));
    assert!(found(&rig, "acme", &whole).await.is_empty());
    let blanks = format!("?text=R{}", "%20".repeat(128));
    for query in
        ["", "?text=", "?text=a&as=code", "?text=a&after=d1", "?text=a&limit=101", &long, &blanks]
    {
        let path = format!("/v1/orders/search{query}");
        rig.ask("acme", "GET", &path).refused(400, "bad_query").await;
    }
}

#[tokio::test]
async fn a_search_goes_on_where_it_stopped() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let mut orders = Vec::new();
    for viewer in ["ann", "ben", "cleo"] {
        let hold = rig.buy(&drop, viewer, "mug", 1).await;
        let fact = json!({ "payment": viewer, "event": "paid", "holds": [hold.to_string()],
            "amount": { "minor": 1_990, "currency": "EUR" }, "order_reference": "same" });
        let ask = rig.ask("payments", "POST", "/v1/payments").key(viewer).json(&fact);
        ask.expect(StatusCode::OK).await;
        orders.push(hold.to_string());
    }
    let (mut pulled, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/orders/search?text=same&limit=2{after}");
        let page = rig.ask("acme", "GET", &path).expect(StatusCode::OK).await.json;
        pulled.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    orders.reverse();
    assert_eq!(pulled, orders);
}

#[tokio::test]
async fn a_timeline_has_what_happened_and_when() {
    let mut rig = Rig::new();
    let [first, ..] = sale(&mut rig).await;
    let body = json!({ "units": 1, "reason": "broken in the box", "restock": true });
    let path = format!("/v1/drops/d1/orders/{first}/cancel");
    rig.ask("acme", "POST", &path).key("c1").json(&body).expect(StatusCode::OK).await;
    let told =
        rig.ask("acme", "GET", "/v1/orders/1-1-9/timeline").expect(StatusCode::OK).await.json;
    let by_id = rig.ask("acme", "GET", &format!("/v1/orders/{first}/timeline"));
    assert_eq!(by_id.expect(StatusCode::OK).await.json, told);
    let hold = &told["holds"][0];
    assert_eq!((&hold["hold"], &hold["stands"]), (&json!(first), &json!("ordered")));
    assert_eq!(
        (&hold["order"]["code"], &hold["order"]["viewer"]),
        (&json!("1-1-9"), &json!("ann"))
    );
    let events = hold["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["taken", "paid", "ordered", "cancelled", "refund_due"]);
    for (place, field, value) in [
        (0, "units", json!(2)),
        (0, "viewer", json!("ann")),
        (1, "account", json!("platform")),
        (1, "payment", json!(first)),
        (1, "amount", json!({ "minor": 3_980, "currency": "EUR" })),
        (2, "code", json!("1-1-9")),
        (3, "units", json!(1)),
        (3, "of_units", json!(2)),
        (3, "actor", json!("acme")),
        (3, "reason", json!("broken in the box")),
        (3, "lot", json!(2)),
        (4, "refund_reason", json!("cancelled")),
        (4, "amount", json!({ "minor": 1_990, "currency": "EUR" })),
    ] {
        assert_eq!(events[place][field], value, "{field} in {}", events[place]);
    }
    assert!(events.iter().all(|event| event["at_ms"].as_u64().unwrap() > 0));
    // A hold that is no order has one too.
    let held = rig.buy("d1", "dan", "mug", 1).await.to_string();
    let path = format!("/v1/orders/{held}/timeline");
    let told = rig.ask("acme", "GET", &path).expect(StatusCode::OK).await.json;
    let hold = &told["holds"][0];
    assert_eq!((&hold["stands"], hold.get("order")), (&json!("held"), None));
    assert_eq!(hold["until_ms"], hold["events"][0]["until_ms"]);
    for (who, name) in
        [("zeta", "1-1-9"), ("zeta", held.as_str()), ("acme", "9-9-4"), ("acme", "1-1-8")]
    {
        let path = format!("/v1/orders/{name}/timeline");
        rig.ask(who, "GET", &path).refused(404, "unknown_order").await;
    }
    let nobodys = format!("/v1/orders/{}/timeline", "0".repeat(32));
    rig.ask("acme", "GET", &nobodys).refused(404, "unknown_order").await;
    rig.ask("acme", "GET", "/v1/orders/d1/timeline").refused(400, "id_malformed").await;
}

#[tokio::test]
async fn the_orders_of_one_drop() {
    let mut rig = Rig::new();
    let [first, of_lamps, last] = sale(&mut rig).await;
    let read = |who: &str, query: &str| rig.ask(who, "GET", &format!("/v1/orders?{query}"));
    let page = read("admin", "drop=d1").expect(StatusCode::OK).await.json;
    assert_eq!((ids(&page), &page["more"]), (vec![first.as_str(), &last], &json!(false)));
    let page = read("admin", "drop=d1&newest_first=true").expect(StatusCode::OK).await.json;
    assert_eq!(ids(&page), [&last, &first]);
    let csv = read("admin", "drop=d2&format=csv").expect(StatusCode::OK).await;
    let name = csv.header("content-disposition");
    assert_eq!(name, Some("attachment; filename=\"d2-orders.csv\""));
    assert_eq!(csv.text.lines().count(), 2, "{}", csv.text);
    assert!(csv.text.contains(&of_lamps), "{}", csv.text);
    let none = read("admin", "drop=d1&merchant=zeta").expect(StatusCode::OK).await.json;
    assert_eq!(none["orders"], json!([]));
    for drop in ["d2", "d99"] {
        read("acme", &format!("drop={drop}")).refused(404, "unknown_drop").await;
    }
    read("admin", "drop=12").refused(400, "bad_query").await;
}
