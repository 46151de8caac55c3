//! Planning, editing, cancelling.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_domain::limits;

use crate::rig::{Ask, NOON, Rig, lamps, mugs, until};

#[tokio::test]
async fn a_plan_gets_its_defaults() {
    let rig = Rig::new();
    let ask = rig.ask("acme", "POST", "/v1/drops").key("p1").json(&mugs());
    let answer = ask.expect(StatusCode::CREATED).await;
    assert_eq!(answer.json, json!({"drop": "d1", "action": "plan"}));
    assert_eq!(answer.header("location"), Some("/v1/drops/d1"));
    let state = rig.state("d1").await;
    let plan = json!({
        "stream": "show", "running_order": 0, "title": "Mugs", "merchant": "acme",
        "host": "nina", "mode": "live", "limit_per_viewer": 2, "holds_per_viewer_max": 16,
        "hold_ttl_ms": 60_000, "countdown_ms": 10_000,
        "payment": {"grace_ms": 3_000, "stretch_ms": 60_000},
        "skus": [{
            "id": "mug", "title": "Mug", "options": [], "merchant_sku": "mug",
            "price": {"minor": 1990, "currency": "EUR"}, "supply": 5, "reserve": 0, "limit_per_viewer": 2,
            "numbered": false,
        }],
        "hidden": false,
    });
    assert_eq!(state["plan"], plan);
    assert_eq!(state["phase"], "scheduled");
    assert_eq!((&state["revision"], &state["featured"]), (&json!(1), &json!(false)));
    assert_eq!(state["server_time_ms"], NOON);
}

#[tokio::test]
async fn what_is_read_can_be_planned_again() {
    let rig = Rig::new();
    let mut full = mugs();
    full["mode"] = json!("rehearsal");
    full["starts_at_ms"] = json!(NOON + 60_000);
    full["ends_at_ms"] = json!(NOON + 120_000);
    full["stock_display"] = json!({"rounded_above": 500, "round_to": 100});
    full["when_offline"] = json!({"pause_after_ms": 30_000, "resume_when_online": true});
    full["hidden"] = json!(true);
    full["skus"][0]["options"] = json!([{"name": "colour", "value": "red"}]);
    full["skus"][0]["image"] = json!("https://example.org/mug.png");
    full["skus"][0]["merchant_sku"] = json!("M-1");
    full["skus"][0]["limit_per_viewer"] = json!(1);
    let first = rig.plan(full).await;
    let plan = rig.state(&first).await["plan"].clone();
    let again = rig.ask("admin", "POST", "/v1/drops").key("again").json(&plan);
    let second = again.expect(StatusCode::CREATED).await.json["drop"].clone();
    assert_eq!(rig.state(second.as_str().unwrap()).await["plan"], plan);
}

#[tokio::test]
async fn staff_see_which_drops_viewers_have_not_heard_of() {
    let rig = Rig::new();
    let mut plan = mugs();
    (plan["hidden"], plan["countdown_ms"]) = (json!(true), json!(60_000));
    let drop = rig.plan(plan).await;
    let marks = async || {
        let state = rig.state(&drop).await;
        let list = rig.ask("admin", "GET", "/v1/streams/show").expect(StatusCode::OK).await.json;
        [&state["plan"]["hidden"], &state["hidden"], &list["drops"][0]["hidden"]]
            .map(|v| *v == true)
    };
    assert_eq!(marks().await, [true, true, true]);
    rig.command(&drop, "open", "o1").await;
    rig.until_phase(&drop, "countdown").await;
    assert_eq!(marks().await, [true, false, false]);
    rig.command(&drop, "cancel-countdown", "c1").await;
    assert_eq!(marks().await, [true, false, false], "viewers know it");
}

#[tokio::test]
async fn an_edit_replaces_the_terms_while_scheduled() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let path = format!("/v1/drops/{drop}");
    let mut plan = mugs();
    plan["title"] = json!("Better mugs");
    plan["skus"][0]["supply"] = json!(7);
    let edit = || rig.ask("acme", "PUT", &path).header("if-match", "*");
    let answer = edit().key("e1").json(&plan).expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"drop": drop, "action": "edit"}));
    let state = rig.state(&drop).await;
    assert_eq!((&state["revision"], &state["plan"]["title"]), (&json!(2), &json!("Better mugs")));
    assert_eq!(state["phase_changes"], 1, "an edit is counted as well");
    assert_eq!(state["skus"][0]["supplied"], 7);

    plan["stream"] = json!("other");
    let fixed = edit().key("e2").json(&plan).refused(422, "fixed_field").await;
    assert!(fixed.detail().contains("stream"), "{}", fixed.text);
    rig.command(&drop, "open", "o1").await;
    edit().key("e3").json(&mugs()).refused(409, "wrong_phase").await;
}

#[tokio::test]
async fn of_two_who_edit_the_second_is_told() {
    let rig = Rig::new();
    let plan = || rig.ask("acme", "POST", "/v1/drops").key("plan").json(&mugs());
    let planned = plan().expect(StatusCode::CREATED).await;
    assert_eq!(planned.header("etag"), Some("\"r1\""), "the first edit needs no read");
    assert_eq!(plan().expect(StatusCode::CREATED).await.header("etag"), Some("\"r1\""));
    let read = || rig.ask("acme", "GET", "/v1/drops/d1").expect(StatusCode::OK);
    let tag = read().await.header("etag").unwrap().to_owned();
    assert_eq!(tag, "\"r1\"");
    let edit = |tag: &str, key: &str, minor: u64| {
        let mut plan = mugs();
        plan["skus"][0]["price"]["minor"] = json!(minor);
        rig.ask("acme", "PUT", "/v1/drops/d1").header("if-match", tag).key(key).json(&plan)
    };
    let first = edit(&tag, "nina", 2_500).expect(StatusCode::OK).await;
    assert_eq!(first.header("etag"), Some("\"r2\""));
    let stale = edit(&tag, "tom", 1_990).refused(412, "stale_terms").await;
    assert!(stale.detail().contains("as \"r1\""), "{}", stale.text);
    assert_eq!(stale.json["now"]["revision"], 2);
    assert_eq!(rig.state("d1").await["plan"]["skus"][0]["price"]["minor"], 2_500, "the new price");
    // The key comes first: the retry of what was accepted is no stale edit.
    let again = edit(&tag, "nina", 2_500).expect(StatusCode::OK).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.json, again.headers.get("etag")), (first.json, first.headers.get("etag")));
    edit("\"r2\"", "tom", 1_990).expect(StatusCode::OK).await;
    assert_eq!(edit("*", "tom-2", 1_980).expect(StatusCode::OK).await.header("etag"), None);
    assert_eq!(read().await.header("etag"), Some("\"r4\""));

    let bare = rig.ask("acme", "PUT", "/v1/drops/d1").key("bare").json(&mugs());
    bare.refused(428, "if_match_missing").await;
    for wrong in ["r4", "W/\"r4\"", "\"4\"", "\"r4\", \"r5\"", "\"r+4\"", ""] {
        let answer = edit(wrong, "w", 1).refused(400, "if_match_malformed").await;
        let told = answer.detail().starts_with(&format!("`If-Match` is `{wrong}`; "));
        assert!(told && answer.detail().contains("with its double quotes"), "{}", answer.text);
    }
    rig.command("d1", "open", "o").await;
    edit("\"r4\"", "late", 1).refused(409, "wrong_phase").await;
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let rig = Rig::new();
    let mut plan = mugs();
    plan["ends_at_ms"] = json!(NOON + 3_600_000);
    rig.plan(plan).await;
    let patch = |tag: &str, key: &str, changes: Value| patch(&rig, tag, key, &changes);
    let before = rig.state("d1").await["plan"].clone();
    let change =
        json!({"title": "Cups", "ends_at_ms": null, "when_offline": {"pause_after_ms": 5.0}});
    let first = patch("\"r1\"", "p1", change.clone()).expect(StatusCode::OK).await;
    assert_eq!((&first.json["action"], first.header("etag")), (&json!("edit"), Some("\"r2\"")));
    let after = rig.state("d1").await["plan"].clone();
    let mut expected = before;
    expected["title"] = json!("Cups");
    expected.as_object_mut().unwrap().remove("ends_at_ms");
    expected["when_offline"] =
        json!({"pause_after_ms": 5_000 / 1_000, "resume_when_online": false});
    assert_eq!(after, expected);
    let again = patch("\"r1\"", "p1", change).expect(StatusCode::OK).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    patch("\"r1\"", "p2", json!({"title": "Bowls"})).refused(412, "stale_terms").await;
    patch("\"r2\"", "p3", json!({"merchant": "zeta"})).refused(422, "fixed_field").await;
    patch("\"r2\"", "p3", json!({"colour": "red"})).refused(422, "bad_body").await;
    patch("\"r2\"", "p3", json!({"title": null})).refused(422, "bad_body").await;
    let bare = rig.ask("acme", "PATCH", "/v1/drops/d1").key("p3").json(&json!({}));
    bare.refused(428, "if_match_missing").await;
    let other = rig.ask("zeta", "PATCH", "/v1/drops/d1").header("if-match", "*").key("p3");
    other.json(&json!({"title": "x"})).refused(404, "unknown_drop").await;
}

/// A patch of the drop d1.
fn patch(rig: &Rig, tag: &str, key: &str, patch: &Value) -> Ask {
    let ask = rig.ask("acme", "PATCH", "/v1/drops/d1").header("if-match", tag).key(key);
    ask.body("application/merge-patch+json", &patch.to_string())
}

#[tokio::test]
async fn the_retry_of_a_patch_gets_its_first_answer_whatever_was_edited_since() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let title = json!({"title": "Cups", "reason": "nicer"});
    let send = || patch(&rig, "\"r1\"", "a", &title);
    let first = send().expect(StatusCode::OK).await;
    let price = json!({"hold_ttl_ms": 90_000});
    patch(&rig, "\"r2\"", "b", &price).expect(StatusCode::OK).await;
    let again = send().expect(StatusCode::OK).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((&again.json, again.header("etag")), (&first.json, first.header("etag")));
    assert_eq!(rig.state("d1").await["revision"], 3, "nothing was done twice");

    // The same key names no other changes, and none of other terms.
    for (tag, changes) in [("\"r1\"", &price), ("\"r3\"", &title), ("*", &title)] {
        patch(&rig, tag, "a", changes).refused(422, "key_reused").await;
    }
    patch(&rig, "\"r9\"", "c", &title).refused(412, "stale_terms").await;
}

#[tokio::test]
async fn the_retry_of_a_patch_gets_its_first_answer_when_the_drop_has_left_memory() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let change = json!({"title": "Cups"});
    let first = patch(&rig, "\"r1\"", "a", &change).expect(StatusCode::OK).await;
    rig.command("d1", "cancel", "c").await;
    rig.advance(limits::SETTLED_KEPT_MS);
    rig.wake_steward().await;
    until(async || rig.engine.over("d1".parse().unwrap()).is_some()).await;
    let again = patch(&rig, "\"r1\"", "a", &change).expect(StatusCode::OK).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((&again.json, again.header("etag")), (&first.json, first.header("etag")));
    patch(&rig, "\"r2\"", "b", &change).refused(409, "wrong_phase").await;
}

#[tokio::test]
async fn patches_of_whichever_terms_bring_no_older_term_back() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let changes = [
        json!({"title": "Cups"}),
        json!({"hold_ttl_ms": 90_000}),
        json!({"running_order": 7}),
        json!({"countdown_ms": 20_000}),
        json!({"ends_at_ms": NOON + 3_600_000}),
        json!({"holds_per_viewer_max": 3}),
    ];
    let at_once = changes.iter().enumerate().map(|(number, change)| {
        tokio::spawn(patch(&rig, "*", &format!("p{number}"), change).send())
    });
    for sent in at_once.collect::<Vec<_>>() {
        let answer = sent.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    let state = rig.state("d1").await;
    assert_eq!(state["revision"], 7);
    for change in changes {
        for (field, value) in change.as_object().unwrap() {
            assert_eq!(&state["plan"][field], value, "{field}");
        }
    }
}

#[tokio::test]
async fn a_patch_of_the_limit_is_one_of_the_skus_that_have_it() {
    let rig = Rig::new();
    let mut plan = mugs();
    let mut cup = plan["skus"][0].clone();
    cup["id"] = json!("cup");
    cup["limit_per_viewer"] = json!(1);
    plan["skus"].as_array_mut().unwrap().push(cup);
    rig.plan(plan).await;
    let raised = json!({"limit_per_viewer": 4});
    patch(&rig, "*", "a", &raised).expect(StatusCode::OK).await;
    let plan = rig.state("d1").await["plan"].clone();
    assert_eq!(plan["limit_per_viewer"], 4);
    assert_eq!((&plan["skus"][0]["limit_per_viewer"]), 4, "it was left out");
    assert_eq!((&plan["skus"][1]["limit_per_viewer"]), 1, "its own");
}

#[tokio::test]
async fn no_way_to_send_terms_takes_a_field_twice() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let twice = mugs().to_string().replacen('{', "{\"title\": \"Cups\",", 1);
    for (method, path, body) in [
        ("POST", "/v1/drops", &*twice),
        ("PUT", "/v1/drops/d1", &twice),
        ("PATCH", "/v1/drops/d1", r#"{"title": "Cups", "title": "Mugs"}"#),
        (
            "PATCH",
            "/v1/drops/d1",
            r#"{"when_offline": {"pause_after_ms": 1, "pause_after_ms": 2}}"#,
        ),
    ] {
        let ask = rig.ask("acme", method, path).header("if-match", "*").key("k");
        let answer = ask.body("application/json", body).refused(422, "bad_body").await;
        assert!(answer.detail().contains("duplicate field `"), "{}", answer.text);
    }
}

#[tokio::test]
async fn new_plans_have_payment_terms() {
    let rig = Rig::new();
    let defaults = json!({
        "grace_ms": limits::PAYMENT_GRACE_MS_DEFAULT, "stretch_ms": limits::PAYMENT_STRETCH_MS_DEFAULT,
    });
    let drop = rig.plan(mugs()).await;
    assert_eq!(rig.state(&drop).await["plan"]["payment"], defaults);
    assert_eq!(rig.state(&drop).await["plan"]["skus"][0]["numbered"], false);
    let own = |grace: u64, stretch: u64| json!({ "grace_ms": grace, "stretch_ms": stretch });
    let mut plan = mugs();
    (plan["payment"], plan["skus"][0]["numbered"]) = (own(0, 5_000), json!(true));
    let edit = rig.ask("acme", "PUT", "/v1/drops/d1").header("if-match", "*").key("e").json(&plan);
    edit.expect(StatusCode::OK).await;
    let kept = rig.state(&drop).await["plan"].clone();
    assert_eq!((&kept["payment"], &kept["skus"][0]["numbered"]), (&own(0, 5_000), &json!(true)));

    let partly = json!({ "payment": { "grace_ms": 1_000 } });
    patch(&rig, "*", "p1", &partly).expect(StatusCode::OK).await;
    assert_eq!(rig.state(&drop).await["plan"]["payment"], own(1_000, 5_000));
    patch(&rig, "*", "p2", &json!({ "title": "Cups" })).expect(StatusCode::OK).await;
    assert_eq!(rig.state(&drop).await["plan"]["payment"], own(1_000, 5_000));
    patch(&rig, "*", "p3", &json!({ "payment": null })).expect(StatusCode::OK).await;
    assert_eq!(rig.state(&drop).await["plan"]["payment"], defaults);
    for (terms, detail) in [
        (json!({ "grace_ms": 60_001 }), "payment.grace_ms is 60001"),
        (json!({ "stretch_ms": 3_600_001 }), "payment.stretch_ms is 3600001"),
    ] {
        let refused = patch(&rig, "*", "p4", &json!({ "payment": terms }));
        let refused = refused.refused(422, "invalid_plan").await;
        assert!(refused.detail().contains(detail), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_plan_may_end_some_time_after_the_opening() {
    let rig = Rig::new();
    let mut plan = mugs();
    plan["ends_after_opening_ms"] = json!(900_000);
    let drop = rig.open(plan).await;
    rig.advance(1_000);
    let told = rig.state(&drop).await;
    assert_eq!(told["plan"]["ends_after_opening_ms"], 900_000);
    assert_eq!(told["closes_in_ms"], 899_000);
    let never = json!({"ends_at_ms": null});
    let ask = rig.ask("host", "POST", &format!("/v1/drops/{drop}/amend")).key("never").json(&never);
    ask.expect(StatusCode::OK).await;
    let told = rig.state(&drop).await;
    assert_eq!((told["plan"].get("ends_after_opening_ms"), told.get("closes_in_ms")), (None, None));
}

#[tokio::test]
async fn a_cancelled_drop_is_over() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    rig.command(&drop, "cancel", "c1").await;
    assert_eq!(rig.state(&drop).await["phase"], "cancelled");
    let open = rig.ask("admin", "POST", &format!("/v1/drops/{drop}/open"));
    open.key("o1").refused(409, "wrong_phase").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_plan_is_named() {
    let rig = Rig::new();
    let refusals = [
        ("/title", json!(" "), "invalid_plan", "title is blank to the eye"),
        ("/skus", json!({}), "bad_body", "invalid type: an object, expected a list"),
        ("/skus/0/title", json!({}), "bad_body", "invalid type: an object, expected a string"),
        ("/skus/0/title", json!([]), "bad_body", "invalid type: a list, expected a string"),
        ("/skus", json!([]), "invalid_plan", "skus has 0 entries; 1 to 64 are allowed"),
        ("/hold_ttl_ms", json!(10), "invalid_plan", "hold_ttl_ms is 10; 1000 to 86400000"),
        ("/limit_per_viewer", json!(0), "invalid_plan", "limit_per_viewer is 0"),
        ("/starts_at_ms", json!(NOON), "in_the_past", "starts_at_ms 1700000000000 is not after"),
        ("/starts_at_ms", json!("2030-01-01"), "bad_body", "; times are milliseconds since 1970"),
        ("/starts_at_ms", json!(1_u64 << 53), "bad_body", "starts_at_ms is 9007199254740992"),
        ("/stream", json!("a b"), "bad_body", "stream: stream id has the character ' '"),
        ("/skus/0/id", json!(""), "bad_body", "skus[0].id: SKU id has 0 bytes"),
        ("/skus/0/supply", json!(1 << 24), "bad_body", "skus[0].supply is 16777216"),
        ("/skus/0/supply", json!(-1), "bad_body", "skus[0].supply: invalid value: integer `-1`"),
        ("/skus/0/price/currency", json!("EUX"), "unknown_currency", "price.currency: not a"),
        ("/skus/0/price/minor", json!(1_u64 << 53), "bad_body", "skus[0].price.minor is"),
        ("/skus/0/price/minor", json!(19.9), "bad_body", "skus[0].price.minor: invalid value"),
        ("/mode", json!("dry"), "bad_body", "unknown variant `dry`"),
        ("/countdown", json!(1), "bad_body", "countdown: unknown field `countdown`"),
        ("/host", json!(null), "bad_body", "host: invalid type: null"),
    ];
    for (number, (pointer, value, code, detail)) in refusals.into_iter().enumerate() {
        let mut plan = mugs();
        match plan.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => plan[&pointer[1..]] = value,
        }
        let ask = rig.ask("admin", "POST", "/v1/drops").key(&format!("bad{number}"));
        let answer = ask.json(&plan).refused(422, code).await;
        assert!(answer.detail().contains(detail), "{pointer}: {}", answer.text);
    }
    let empty = rig.ask("admin", "GET", "/v1/drops").expect(StatusCode::OK).await;
    assert_eq!(empty.json["drops"], json!([]));
}

#[tokio::test]
async fn what_people_read_is_kept_composed_and_seen() {
    let rig = Rig::new();
    let mut plan = mugs();
    plan["title"] = json!("Cafe\u{301} 👩\u{200d}👧");
    plan["skus"][0]["options"] = json!([{"name": "Gro\u{308}ße", "value": "می\u{200c}خواهم"}]);
    plan["skus"][0]["merchant_sku"] = json!("e\u{301}-1");
    plan["skus"][0]["image"] = json!("/goods/candle.svg");
    let ask = rig.ask("admin", "POST", "/v1/drops").key("k1").json(&plan);
    ask.expect(StatusCode::CREATED).await;
    let kept = &rig.state("d1").await["plan"];
    assert_eq!(kept["title"], "Café 👩\u{200d}👧");
    assert_eq!(kept["skus"][0]["options"][0]["name"], "Größe");
    assert_eq!(kept["skus"][0]["merchant_sku"], "e\u{301}-1", "the merchant's own, byte by byte");

    let sku = |field: &str, text: &str| {
        let mut plan = mugs();
        plan["skus"][0][field] = json!(text);
        plan
    };
    for (plan, why) in [
        (sku("title", "\u{3164}"), "skus[0].title has U+3164 as its character 1"),
        (sku("title", "Mug \u{202e}x"), "skus[0].title has U+202E as its character 5"),
        (sku("image", "javascript:alert(1)"), "skus[0].image is no address"),
        (sku("image", "//img.example/a.jpg"), "skus[0].image is no address"),
        (sku("image", "https://img.example/a b.jpg"), "skus[0].image has ' '"),
    ] {
        let ask = rig.ask("admin", "POST", "/v1/drops").key("k2").json(&plan);
        let answer = ask.refused(422, "invalid_plan").await;
        assert!(answer.detail().contains(why), "{}", answer.text);
    }
    let pause = |reason: &str| {
        rig.ask("admin", "POST", "/v1/brake/stop").key("k3").json(&json!({"reason": reason}))
    };
    let answer = pause("\u{2066}x").refused(422, "invalid_reason").await;
    assert!(
        answer.detail().contains("the reason has U+2066 as its character 1"),
        "{}",
        answer.text
    );
    pause("cafe\u{301}").expect(StatusCode::OK).await;
    let brake = rig.ask("admin", "GET", "/v1/brake").expect(StatusCode::OK).await;
    assert_eq!(brake.json["stopped"]["reason"], "café");
    let room = json!({"stream": "late", "owner": {"kind": "creator", "name": "ni\u{200b}na"}});
    let ask = rig.ask("admin", "POST", "/v1/rooms").key("k4").json(&room);
    let answer = ask.refused(422, "invalid_account").await;
    assert!(answer.detail().contains("owner.name"), "{}", answer.text);
}

#[tokio::test]
async fn a_stream_has_room_for_so_many_drops() {
    let rig = Rig::new();
    for number in 0..64 {
        let mut plan = mugs();
        plan["title"] = json!(number.to_string());
        rig.plan(plan).await;
    }
    let ask = rig.ask("admin", "POST", "/v1/drops").key("one-more").json(&mugs());
    ask.refused(409, "stream_full").await;
    let mut elsewhere = lamps();
    elsewhere["stream"] = json!("other");
    rig.plan(elsewhere).await;
}

#[tokio::test]
async fn a_start_that_the_server_missed_is_told() {
    let rig = Rig::new();
    let mut plan = mugs();
    plan["starts_at_ms"] = json!(NOON + 60_000);
    let drop = rig.plan(plan).await;
    let state = rig.state(&drop).await;
    assert_eq!((&state["opens_in_ms"], state.get("start_missed_ms")), (&json!(60_000), None));
    let rig = rig.restart_at(70_000);
    let state = rig.state(&drop).await;
    assert_eq!(state["phase"], "scheduled");
    assert_eq!(
        (state.get("opens_in_ms"), &state["start_missed_ms"]),
        (None, &json!(NOON + 60_000))
    );
    let list = rig.ask("admin", "GET", "/v1/drops").expect(StatusCode::OK).await;
    assert_eq!(list.json["drops"][0]["start_missed_ms"], NOON + 60_000);
    rig.command(&drop, "open", "o").await;
    rig.until_phase(&drop, "countdown").await;
    let state = rig.state(&drop).await;
    assert_eq!((&state["opens_in_ms"], state.get("start_missed_ms")), (&json!(10_000), None));
}
