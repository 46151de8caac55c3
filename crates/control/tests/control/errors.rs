//! Requests that make no sense, each refused in the one shape.

use axum::http::StatusCode;
use serde_json::json;
use stampede_control::ControlConfig;
use stampede_engine::Action;

use crate::rig::{Rig, mugs};

#[tokio::test]
async fn every_command_needs_a_key() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let ban = rig.ask("admin", "POST", "/v1/bans").key("ban").json(&json!({"viewer": "v1"}));
    let ban = ban.expect(StatusCode::CREATED).await.json["ban"].as_str().unwrap().to_owned();
    let seen = rig.state(&drop).await;
    // A command is what says that it takes a key; another test holds the document to that.
    let document = rig.ask_nobody("GET", "/openapi.json").expect(StatusCode::OK).await.json;
    let mut asked = 0;
    for (template, methods) in document["paths"].as_object().unwrap() {
        let path = template.replace("{drop}", &drop).replace("{ban}", &ban);
        let path = path.replace("{stream}", mugs()["stream"].as_str().unwrap());
        for (method, operation) in methods.as_object().unwrap() {
            let mut params = operation["parameters"].as_array().into_iter().flatten();
            if !params.any(|param| param["name"] == "Idempotency-Key" && param["required"] == true)
            {
                continue;
            }
            let ask = rig.ask("admin", &method.to_uppercase(), &path).json(&json!({}));
            let answer = ask.refused(400, "key_missing").await;
            assert!(answer.detail().contains("`Idempotency-Key`"), "{template}: {}", answer.text);
            asked += 1;
        }
    }
    // Terms are edited as a whole or by a patch; a report about a payment is no command, but has a key.
    assert_eq!(asked, Action::NAMES.len() + 2, "each action has its path");
    assert_eq!(rig.state(&drop).await, seen);
}

#[tokio::test]
async fn a_key_has_its_form() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let ask = || rig.ask("admin", "POST", &format!("/v1/drops/{drop}/open"));
    for bad in ["", "a b", "ä", &"k".repeat(65)] {
        ask().key(bad).refused(400, "key_malformed").await;
    }
    ask().key("one").key("two").refused(400, "key_malformed").await;
    ask().key(&"k".repeat(64)).expect(StatusCode::OK).await;
}

#[tokio::test]
async fn a_body_has_its_form() {
    let rig = Rig::new();
    let ask = || rig.ask("admin", "POST", "/v1/drops").key("k");
    let syntax = ask().body("application/json", "{\"stream\": }").refused(400, "bad_json").await;
    assert!(syntax.detail().contains("line 1 column 12"), "{}", syntax.text);
    let more = format!("{} {{}}", mugs());
    ask().body("application/json", &more).refused(400, "bad_json").await;
    ask().body("application/json", "").refused(400, "bad_json").await;
    ask().body("application/json", "[]").refused(422, "bad_body").await;
    ask().body("text/plain", &mugs().to_string()).refused(415, "not_json").await;
    ask().refused(415, "not_json").await;
    let twice = mugs().to_string().replacen('{', "{\"title\":\"Cups\",", 1);
    ask().body("application/json", &twice).refused(422, "bad_body").await;
    let deep = "[".repeat(100_000);
    let answer = ask().body("application/json", &deep).send().await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    let list = rig.ask("admin", "GET", "/v1/drops").expect(StatusCode::OK).await;
    assert_eq!(list.json["drops"], json!([]), "nothing came of it");
}

#[tokio::test]
async fn a_list_is_no_object_anywhere() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    // Every operation with a body, those to come included.
    let document = rig.ask_nobody("GET", "/openapi.json").expect(StatusCode::OK).await.json;
    let mut asked = 0;
    for (template, methods) in document["paths"].as_object().unwrap() {
        let path =
            template.replace("{drop}", &drop).replace("{ban}", "b1").replace("{request}", "q1-1");
        let no_hold = "0".repeat(32);
        let path = path.replace("{stream}", "show").replace("{hold}", &no_hold);
        let path = path.replace("{order}", &no_hold).replace("{account}/{reference}", "a/r");
        for (method, operation) in methods.as_object().unwrap() {
            if operation.get("requestBody").is_none() {
                continue;
            }
            for list in ["[]", "[null]", "[1, 2]"] {
                let ask = rig.ask("admin", &method.to_uppercase(), &path).key("k");
                let ask = ask.header("if-match", "*");
                let answer = ask.body("application/json", list).refused(422, "bad_body").await;
                let why = "a list, expected an object with fields by name";
                assert!(answer.detail().contains(why), "{method} {template}: {}", answer.text);
            }
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
    let brake = rig.ask("ops", "GET", "/v1/brake").expect(StatusCode::OK).await;
    assert_eq!(brake.json["stopped"], json!(null), "takes go on");
    let mut plan = mugs();
    plan["skus"][0]["price"] = json!([100, "EUR"]);
    let ask = rig.ask("admin", "POST", "/v1/drops").key("k").json(&plan);
    let answer = ask.refused(422, "bad_body").await;
    assert!(answer.detail().starts_with("skus[0].price: invalid type: a list"), "{}", answer.text);
}

#[tokio::test]
async fn a_whole_number_may_be_written_as_a_fraction() {
    let rig = Rig::new();
    let plan = mugs().to_string();
    let ask =
        |text: &str| rig.ask("admin", "POST", "/v1/drops").key("k").body("application/json", text);
    for (written, with) in [("\"limit_per_viewer\":", "2.0"), ("\"hold_ttl_ms\":", "6e4")] {
        let (before, after) = plan.split_once(written).unwrap();
        let rest = &after[after.find([',', '}']).unwrap()..];
        let broken = format!("{before}{written}0.5{rest}");
        let answer = ask(&broken).refused(422, "bad_body").await;
        assert!(answer.detail().contains("expected a whole number"), "{}", answer.text);
        let key = format!("whole-{with}");
        let body = format!("{before}{written}{with}{rest}");
        let ask = rig.ask("admin", "POST", "/v1/drops").key(&key).body("application/json", &body);
        ask.expect(StatusCode::CREATED).await;
    }
    assert_eq!(rig.state("d1").await["plan"]["limit_per_viewer"], 2);
    assert_eq!(rig.state("d2").await["plan"]["hold_ttl_ms"], 60_000);
}

#[tokio::test]
async fn a_body_has_its_size() {
    let rig = Rig::with(ControlConfig { body_bytes_max: 2_000, ..ControlConfig::default() });
    rig.plan(mugs()).await;
    let mut plan = mugs();
    plan["title"] = json!("x".repeat(2_000));
    let ask = || rig.ask("admin", "POST", "/v1/drops").key("k").json(&plan);
    ask().header("content-length", "2300").refused(413, "body_too_large").await;
    // Without a declared length the body is cut off while it is read.
    ask().refused(413, "body_too_large").await;
    let open = rig.ask("admin", "POST", "/v1/drops/d1/open").key("o");
    open.json(&json!({"reason": "x".repeat(2_000)})).refused(413, "body_too_large").await;
}

#[tokio::test]
async fn the_largest_plan_fits() {
    let rig = Rig::new();
    let sku = |number: usize| {
        json!({
            "id": format!("{number:064}"),
            "title": "\u{e9}".repeat(100),
            "merchant_sku": "\u{e9}".repeat(100),
            "image": format!("https://img.example/{}", "\u{e9}".repeat(1_014)),
            "options": vec![json!({"name": "\u{e9}".repeat(100), "value": "\u{e9}".repeat(100)}); 8],
            "price": {"minor": 100, "currency": "EUR"},
            "supply": 10,
        })
    };
    let mut plan = mugs();
    plan["skus"] = (0..64).map(sku).collect();
    // Escaped, each of these characters takes six bytes instead of two.
    let escaped = plan.to_string().replace('\u{e9}', "\\u00e9");
    let ask = rig.ask("admin", "POST", "/v1/drops").key("k").body("application/json", &escaped);
    ask.expect(StatusCode::CREATED).await;
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist() {
    let rig = Rig::new();
    for path in ["/", "/v1", "/v2/drops", "/v1/drops/d1/sell", "/v1/drops/d1/open/now", "/V1/drops"]
    {
        rig.ask("admin", "GET", path).refused(404, "unknown_path").await;
    }
    let answer = rig.ask("admin", "DELETE", "/v1/drops").refused(405, "method_not_allowed").await;
    let mut allowed: Vec<_> = answer.header("allow").unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    rig.ask("admin", "GET", "/v1/drops/d1/open").refused(405, "method_not_allowed").await;
    rig.ask("admin", "POST", "/healthz").refused(405, "method_not_allowed").await;
}

#[tokio::test]
async fn an_unknown_field_of_a_query_is_refused_everywhere() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let document = rig.ask_nobody("GET", "/openapi.json").expect(StatusCode::OK).await.json;
    for (template, methods) in document["paths"].as_object().unwrap() {
        let path = template.replace("{drop}", &drop).replace("{ban}", "b1");
        let no_hold = "0".repeat(32);
        let path = path.replace("{stream}", "show").replace("{hold}", &no_hold);
        let path = path.replace("{order}", &no_hold);
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["responses"].get("400").is_some(), "{method} {template}");
            for query in ["nowhere=1", "nowhere", "%6eowhere=1&nowhere=2"] {
                let method = method.to_uppercase();
                let ask = rig.ask("admin", &method, &format!("{path}?{query}")).key("k");
                let answer = ask.json(&json!({})).refused(400, "bad_query").await;
                let why = format!("unknown field `nowhere`; {method} {template} takes ");
                assert!(answer.detail().starts_with(&why), "{}", answer.text);
            }
        }
    }
    let audit = format!("/v1/drops/{drop}/audit");
    let answer =
        rig.ask("admin", "GET", &format!("{audit}?after=5")).refused(400, "bad_query").await;
    let why = "unknown field `after`; GET /v1/drops/{drop}/audit takes no query: leave it out";
    assert_eq!(answer.detail(), why);
    rig.ask("admin", "GET", &format!("{audit}?")).expect(StatusCode::OK).await;
    let head = rig.ask("admin", "HEAD", "/v1/drops?nowhere=1").send().await;
    assert_eq!(head.status, StatusCode::BAD_REQUEST);
    rig.ask("admin", "GET", "/v1/drops?limit=2&limit=3").refused(400, "bad_query").await;
    rig.ask("admin", "POST", "/v1/drops?limit=2").key("k").refused(400, "bad_query").await;
}

#[tokio::test]
async fn a_drop_id_has_its_form() {
    let rig = Rig::new();
    for bad in ["1", "d", "d0", "d01", "d4294967296", "d-1", "D1", "%ff", "d1%00"] {
        for (method, path) in [("GET", ""), ("POST", "/open")] {
            let ask = rig.ask("admin", method, &format!("/v1/drops/{bad}{path}"));
            let answer = ask.key("k").refused(400, "id_malformed").await;
            assert!(bad.contains('%') || answer.detail().contains("d17"), "{}", answer.text);
        }
    }
    rig.ask("admin", "GET", "/v1/drops/d2147483647").refused(404, "unknown_drop").await;
}

#[tokio::test]
async fn errors_of_the_interface_are_not_cached() {
    let rig = Rig::new();
    let answer = rig.ask("admin", "GET", "/nowhere").refused(404, "unknown_path").await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}
