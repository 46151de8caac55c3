//! Running a drop: phases, roles, keys, restocks.

use axum::http::StatusCode;
use serde_json::json;
use stampede_control::ControlConfig;

use crate::rig::{NOON, Rig, mugs, mugs_in_reserve, until};

#[tokio::test]
async fn a_drop_runs_through_its_phases() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let answer = rig.command(&drop, "open", "o1").await;
    assert_eq!(answer.json, json!({"drop": drop, "action": "open"}));
    let state = rig.state(&drop).await;
    assert_eq!((&state["phase"], &state["opens_in_ms"]), (&json!("countdown"), &json!(10_000)));
    rig.advance(4_000);
    assert_eq!(rig.state(&drop).await["opens_in_ms"], 6_000);

    rig.command(&drop, "cancel-countdown", "cc1").await;
    let state = rig.state(&drop).await;
    assert_eq!((&state["phase"], state.get("opens_in_ms")), (&json!("scheduled"), None));
    rig.command(&drop, "open", "o2").await;
    rig.advance(10_000);
    rig.until_phase(&drop, "open").await;
    let state = rig.state(&drop).await;
    assert_eq!(state["featured"], true);
    let mug = json!({
        "sku": "mug", "supplied": 5, "available": 5, "held": 0, "sold": 0, "reserve": 0, "last_take": 0,
    });
    assert_eq!(state["skus"], json!([mug]));

    rig.command(&drop, "pause", "p1").await;
    assert_eq!(rig.state(&drop).await["phase"], "paused");
    rig.command(&drop, "resume", "r1").await;
    rig.until_phase(&drop, "open").await;
    rig.command(&drop, "close", "c1").await;
    rig.until_phase(&drop, "settled").await;
}

#[tokio::test]
async fn a_step_that_the_phase_does_not_have_is_refused() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    for name in ["pause", "resume", "close", "cancel-countdown"] {
        let ask = rig.ask("admin", "POST", &format!("/v1/drops/{drop}/{name}")).key(name);
        let answer = ask.refused(409, "wrong_phase").await;
        assert!(answer.detail().ends_with("while the drop is scheduled"), "{}", answer.text);
    }
    let lot = json!({"sku": "mug", "units": 1});
    let ask = rig.ask("admin", "POST", &format!("/v1/drops/{drop}/lots")).key("lot");
    ask.json(&lot).refused(409, "wrong_phase").await;
    let ask = rig.ask("admin", "POST", &format!("/v1/drops/{drop}/take-back")).key("back");
    let answer = ask.json(&lot).refused(409, "wrong_phase").await;
    assert!(answer.detail().ends_with("edit the supply of its plan instead"), "{}", answer.text);
}

#[tokio::test]
async fn a_retried_restock_adds_nothing() {
    let rig = Rig::new();
    let drop = rig.open(mugs_in_reserve()).await;
    let path = format!("/v1/drops/{drop}/lots");
    let lot = json!({"sku": "mug", "units": 3, "reason": "found a box"});
    let ask = || rig.ask("host", "POST", &path).key("lot1").json(&lot);
    let first = ask().expect(StatusCode::OK).await;
    assert_eq!(first.json, json!({"drop": drop, "action": "restock", "lot": 2}));
    assert_eq!(first.header("idempotency-replayed"), None);
    for _ in 0..3 {
        let again = ask().expect(StatusCode::OK).await;
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }
    assert_eq!(rig.state(&drop).await["skus"][0]["supplied"], 8);

    let other = json!({"sku": "mug", "units": 4, "reason": "found a box"});
    rig.ask("host", "POST", &path).key("lot1").json(&other).refused(422, "key_reused").await;
    // Keys belong to the actor: somebody else's same key is another command.
    rig.ask("admin", "POST", &path).key("lot1").json(&lot).expect(StatusCode::OK).await;
    assert_eq!(rig.state(&drop).await["skus"][0]["supplied"], 11);
}

#[tokio::test]
async fn units_that_nobody_has_taken_are_taken_back() {
    let mut rig = Rig::new();
    let path = |drop: &str| format!("/v1/drops/{drop}/take-back");
    let of =
        |units: u32| json!({"sku": "mug", "units": units, "reason": "typed a nought too many"});
    let drop = rig.open(mugs()).await;
    rig.buy(&drop, "ann", "mug", 2).await;
    let ask = rig.ask("host", "POST", &path(&drop)).key("back").json(&of(4));
    let refused = ask.refused(409, "not_free").await;
    assert_eq!(refused.json["free"], 3);
    assert!(refused.detail().contains("3 units of mug are free, not 4"), "{}", refused.detail());
    let ask = || rig.ask("host", "POST", &path(&drop)).key("back").json(&of(3));
    let first = ask().expect(StatusCode::OK).await;
    assert_eq!(first.json, json!({"drop": drop, "action": "take_back", "units": 3}));
    let again = ask().expect(StatusCode::OK).await;
    assert_eq!(
        (again.text, again.headers.get("idempotency-replayed").is_some()),
        (first.text, true)
    );
    let mug = &rig.state(&drop).await["skus"][0];
    let figures = ["supplied", "available", "held", "sold"].map(|name| mug[name].clone());
    assert_eq!(figures, [2, 0, 2, 0].map(serde_json::Value::from));

    let all = json!({"sku": "mug"});
    let none = rig.ask("host", "POST", &path(&drop)).key("all").json(&all);
    assert_eq!(none.refused(409, "not_free").await.json["free"], 0);
    let nothing = rig.ask("host", "POST", &path(&drop)).key("none").json(&of(0));
    nothing.refused(422, "lot_out_of_range").await;
    let cup = json!({"sku": "cup", "units": 1});
    rig.ask("host", "POST", &path(&drop)).key("cup").json(&cup).refused(422, "unknown_sku").await;
    rig.ask("ops", "POST", &path(&drop)).key("ops").json(&of(1)).refused(403, "forbidden").await;
    let list = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await;
    let commands = list.json["commands"].as_array().unwrap();
    let is_it =
        |line: &&serde_json::Value| line["action"] == "take_back" && line.get("refused").is_none();
    let told: Vec<_> = commands.iter().filter(is_it).collect();
    let [told] = told[..] else { panic!("carried out once: {told:?}") };
    assert_eq!((&told["sku"], &told["units"], told.get("lot")), (&json!("mug"), &json!(3), None));
}

#[tokio::test]
async fn a_restock_draws_on_the_reserve_and_a_take_back_may_fill_it() {
    let rig = Rig::new();
    let mut plan = mugs();
    plan["skus"][0]["reserve"] = json!(6);
    let drop = rig.open(plan).await;
    let figures = async || {
        let mug = &rig.state(&drop).await["skus"][0];
        ["supplied", "available", "reserve"].map(|name| mug[name].as_u64().unwrap())
    };
    assert_eq!(figures().await, [5, 5, 6]);
    assert_eq!(rig.state(&drop).await["plan"]["skus"][0]["reserve"], 6);
    let lot = json!({"sku": "mug", "units": 4});
    let ask = rig.ask("host", "POST", &format!("/v1/drops/{drop}/lots")).key("l").json(&lot);
    ask.expect(StatusCode::OK).await;
    until(async || figures().await == [9, 9, 2]).await;
    let back = json!({"sku": "mug", "units": 3, "to_reserve": true});
    let ask = rig.ask("host", "POST", &format!("/v1/drops/{drop}/take-back")).key("b").json(&back);
    ask.expect(StatusCode::OK).await;
    assert_eq!(figures().await, [6, 6, 5]);
    let list = rig.ask("admin", "GET", "/v1/drops").expect(StatusCode::OK).await;
    assert_eq!(list.json["drops"][0]["reserve"], 5);
    let list = rig.ask("platform", "GET", "/v1/drops").expect(StatusCode::OK).await;
    assert_eq!(list.json["drops"][0].get("reserve"), None);
    let list = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await;
    let told = &list.json["commands"][0];
    assert_eq!((&told["action"], &told["to_reserve"]), (&json!("take_back"), &json!(true)));
    let report = rig.ask("admin", "GET", &format!("/v1/drops/{drop}/report")).send().await;
    assert_eq!(
        (&report.json["reserve"], &report.json["skus"][0]["reserve"]),
        (&json!(5), &json!(5))
    );
}

#[tokio::test]
async fn supply_and_reserve_together_are_what_a_sku_can_have() {
    let rig = Rig::new();
    let mut plan = mugs();
    plan["skus"][0]["reserve"] = json!(16_777_215);
    let much = rig.ask("admin", "POST", "/v1/drops").key("much").json(&plan);
    let answer = much.refused(422, "invalid_plan").await;
    assert!(answer.detail().contains("supply 5 and reserve 16777215"), "{}", answer.text);
}

#[tokio::test]
async fn an_answer_is_the_same_after_a_restart() {
    let rig = Rig::new();
    let drop = rig.open(mugs_in_reserve()).await;
    let path = format!("/v1/drops/{drop}/lots");
    let lot = json!({"sku": "mug", "units": 3});
    let none = json!({"sku": "cup", "units": 3});
    let first = rig.ask("host", "POST", &path).key("lot1").json(&lot).send().await;
    let refused = rig.ask("host", "POST", &path).key("lot2").json(&none).send().await;
    assert_eq!((first.status, refused.status.as_u16()), (StatusCode::OK, 422));

    let rig = rig.restart();
    let again = rig.ask("host", "POST", &path).key("lot1").json(&lot).send().await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let again = rig.ask("host", "POST", &path).key("lot2").json(&none).send().await;
    assert_eq!((again.status, &again.text), (refused.status, &refused.text));
    assert_eq!(rig.state(&drop).await["skus"][0]["supplied"], 8);
    let ask = rig.ask("host", "POST", &path).key("lot2").json(&lot);
    let mended = ask.expect(StatusCode::OK).await;
    assert_eq!(mended.json["lot"], 3, "a refusal binds nothing");
}

#[tokio::test]
async fn a_replayed_plan_makes_no_second_drop() {
    let rig = Rig::new();
    let ask = || rig.ask("acme", "POST", "/v1/drops").key("p1").json(&mugs());
    let first = ask().expect(StatusCode::CREATED).await;
    let again = ask().expect(StatusCode::CREATED).await;
    assert_eq!(
        (first.text, first.headers["location"].clone()),
        (again.text.clone(), again.headers["location"].clone())
    );
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let list = rig.ask("admin", "GET", "/v1/drops").expect(StatusCode::OK).await;
    assert_eq!(list.json["drops"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_lot_has_its_bounds() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let path = format!("/v1/drops/{drop}/lots");
    for (key, sku, units, code) in [
        ("l1", "mug", 0, "lot_out_of_range"),
        ("l2", "mug", (1 << 24) - 1, "lot_out_of_range"),
        ("l3", "mug", 1 << 24, "bad_body"),
        ("l4", "cup", 1, "unknown_sku"),
        ("l5", "a cup", 1, "bad_body"),
    ] {
        let lot = json!({"sku": sku, "units": units});
        rig.ask("admin", "POST", &path).key(key).json(&lot).refused(422, code).await;
    }
    assert_eq!(rig.state(&drop).await["skus"][0]["supplied"], 5);
}

#[tokio::test]
async fn a_reason_may_come_with_every_command() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let path = format!("/v1/drops/{drop}/open");
    let ask = |key: &str, body| rig.ask("host", "POST", &path).key(key).json(&body);
    let long = json!({"reason": "x".repeat(501)});
    ask("o1", long).refused(422, "invalid_reason").await;
    ask("o2", json!({"reason": "a\nb"})).refused(422, "invalid_reason").await;
    ask("o3", json!({"why": "so"})).refused(422, "bad_body").await;
    ask("o4", json!(null)).expect(StatusCode::OK).await;
    rig.command(&drop, "cancel-countdown", "c1").await;
    ask("o5", json!({"reason": "the host is ready"})).expect(StatusCode::OK).await;
}

#[tokio::test]
async fn roles_may_what_they_are_trusted_with() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let ask = |who: &str, name: &str| {
        rig.ask(who, "POST", &format!("/v1/drops/{drop}/{name}")).key(&format!("{who}-{name}"))
    };
    let lot = json!({"sku": "mug", "units": 1});
    let answer = ask("ops", "lots").json(&lot).refused(403, "forbidden").await;
    assert_eq!(answer.detail(), "role ops may not restock; admin, host and merchant may");
    ask("ops", "resume").refused(403, "forbidden").await;
    ask("ops", "pause").expect(StatusCode::OK).await;
    ask("host", "cancel").refused(403, "hosts_not_allowed").await;
    ask("host", "resume").expect(StatusCode::OK).await;
    for (who, code) in [("host", "hosts_not_allowed"), ("ops", "forbidden")] {
        let plan = rig.ask(who, "POST", "/v1/drops").key("p").json(&mugs());
        plan.refused(403, code).await;
        let edit = rig
            .ask(who, "PUT", &format!("/v1/drops/{drop}"))
            .header("if-match", "*")
            .key("e")
            .json(&mugs());
        edit.refused(403, code).await;
    }
    ask("acme", "close").expect(StatusCode::OK).await;
}

#[tokio::test]
async fn a_merchant_commands_its_own_drops_alone() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let own = rig.ask("zeta", "POST", "/v1/drops").key("p").json(&mugs());
    own.refused(403, "forbidden").await;
    for name in ["open", "cancel", "pause"] {
        let ask = rig.ask("zeta", "POST", &format!("/v1/drops/{drop}/{name}")).key(name);
        let theirs = ask.refused(404, "unknown_drop").await;
        let ask =
            rig.ask("zeta", "POST", &format!("/v1/drops/d99/{name}")).key(&format!("{name}9"));
        assert_eq!(
            ask.refused(404, "unknown_drop").await.text,
            theirs.text,
            "told apart from none"
        );
    }
    rig.ask("acme", "POST", &format!("/v1/drops/{drop}/open"))
        .key("o")
        .expect(StatusCode::OK)
        .await;
}

#[tokio::test]
async fn a_planned_end_closes_the_drop() {
    let rig = Rig::new();
    let mut plan = mugs();
    plan["ends_at_ms"] = json!(NOON + 5_000);
    let drop = rig.open(plan).await;
    assert_eq!(rig.state(&drop).await["closes_in_ms"], 5_000);
    rig.advance(5_000);
    rig.until_phase(&drop, "settled").await;
    assert_eq!(rig.state(&drop).await.get("closes_in_ms"), None);
}

#[tokio::test]
async fn a_command_is_carried_out_though_nobody_waits() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let ask = rig.ask("admin", "POST", &format!("/v1/drops/{drop}/pause")).key("p1");
    // The client goes as soon as the command has been handed over.
    let mut sent = Box::pin(ask.send());
    tokio::select! {
        biased;
        answer = &mut sent => panic!("answered before the commit: {answer:?}"),
        () = std::future::ready(()) => {}
    }
    std::mem::drop(sent);
    until(async || rig.state(&drop).await["phase"] == "paused").await;
}

#[tokio::test]
async fn staff_choose_what_is_on_air() {
    let rig = Rig::new();
    let first = rig.open(mugs()).await;
    let mut plan = mugs();
    plan["title"] = json!("Plates");
    let second = rig.open(plan).await;
    until(async || rig.state(&second).await["featured"] == true).await;
    let path = format!("/v1/drops/{first}/feature");
    rig.ask("ops", "POST", &path).key("f").refused(403, "forbidden").await;
    let answer = rig.ask("host", "POST", &path).key("f").expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"drop": first, "action": "feature"}));
    until(async || rig.state(&first).await["featured"] == true).await;
    assert_eq!(rig.state(&second).await["featured"], false);
}

#[tokio::test]
async fn a_retry_is_answered_from_the_ledger_when_the_engine_has_forgotten_the_drop() {
    let past = Rig::new();
    let drop = past.open(mugs_in_reserve()).await;
    let path = format!("/v1/drops/{drop}/lots");
    let lot = json!({"sku": "mug", "units": 3});
    past.ask("host", "POST", &path).key("lot1").json(&lot).expect(StatusCode::OK).await;
    // An engine that knows nothing of it, with the ledger that does.
    let mut rig = Rig::new();
    rig.read_ledger_of(&past);
    let again = rig.ask("host", "POST", &path).key("lot1").json(&lot).expect(StatusCode::OK).await;
    assert_eq!(again.json, json!({"drop": drop, "action": "restock", "lot": 2}));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let title = mugs_in_reserve()["title"].as_str().unwrap().to_owned();
    let mut planned = mugs_in_reserve();
    planned["countdown_ms"] = json!(0);
    let key = format!("plan-{title}");
    let again = rig.ask("admin", "POST", "/v1/drops").key(&key).json(&planned);
    let again = again.expect(StatusCode::CREATED).await;
    assert_eq!(again.json["drop"], json!(drop));
    assert_eq!(again.headers["location"], format!("/v1/drops/{drop}"));
    let other = json!({"sku": "mug", "units": 4});
    rig.ask("host", "POST", &path).key("lot1").json(&other).refused(422, "key_reused").await;
    // Another name's key is another key.
    rig.ask("admin", "POST", &path).key("lot1").json(&lot).refused(404, "unknown_drop").await;
}

#[tokio::test]
async fn a_drop_can_be_paused_when_the_ledger_cannot_be_read() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    rig.forget_ledger();
    let lot = json!({"sku": "mug", "units": 1});
    let path = format!("/v1/drops/{drop}/lots");
    rig.ask("admin", "POST", &path).key("lot").json(&lot).refused(503, "busy").await;
    rig.command(&drop, "pause", "p1").await;
    assert_eq!(rig.state(&drop).await["phase"], "paused");
}

#[tokio::test]
async fn commands_have_a_pace_but_a_sale_can_always_be_stopped() {
    let config = ControlConfig { commands_per_s: 1, commands_burst: 5, ..ControlConfig::default() };
    let rig = Rig::with(config);
    let drop = rig.open(mugs()).await;
    let path = format!("/v1/drops/{drop}/resume");
    // Refused ones count as well: they cost as much.
    for key in ["a", "b", "c", "d", "e"] {
        rig.ask("host", "POST", &path).key(key).refused(409, "wrong_phase").await;
    }
    let early = rig.ask("host", "POST", &path).key("f").refused(429, "too_many_commands").await;
    assert_eq!(
        (&early.json["retry_after_ms"], &early.headers["retry-after"]),
        (&json!(1_000), &"1".parse().unwrap())
    );
    let pause = format!("/v1/drops/{drop}/pause");
    rig.ask("host", "POST", &pause).key("stop").expect(StatusCode::OK).await;
    rig.advance(1_000);
    rig.ask("host", "POST", &path).key("f").expect(StatusCode::OK).await;
    rig.until_phase(&drop, "open").await;
    // Another name has its own.
    rig.command(&drop, "pause", "p").await;
}
