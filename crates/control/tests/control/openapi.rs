//! The OpenAPI document, held to what the interface does.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_domain::{Money, Units, limits};

use crate::rig::{Rig, mugs};

async fn document() -> Value {
    Rig::new().ask_nobody("GET", "/openapi.json").expect(StatusCode::OK).await.json
}

#[tokio::test]
async fn the_document_changes_only_on_purpose() {
    let mut document = document().await;
    // Whether maps keep their order hangs on which crates are built together.
    document.sort_all_objects();
    let pretty = serde_json::to_string_pretty(&document).unwrap();
    insta::assert_snapshot!("openapi", pretty);
}

#[tokio::test]
async fn the_documented_ranges_are_those_of_the_domain() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    let units_max = u64::from(Units::MAX.get());
    for (schema, field, keyword, limit) in [
        ("Plan", "stream", "maxLength", limits::TEXT_ID_BYTES_MAX as u64),
        ("Plan", "title", "maxLength", limits::TITLE_BYTES_MAX as u64),
        ("Plan", "skus", "maxItems", limits::SKUS_PER_DROP_MAX as u64),
        ("Plan", "limit_per_viewer", "maximum", units_max),
        ("Plan", "holds_per_viewer_max", "maximum", limits::HOLDS_PER_VIEWER_MAX.into()),
        ("Plan", "holds_per_viewer_max", "default", limits::HOLDS_PER_VIEWER_DEFAULT.into()),
        ("Plan", "hold_ttl_ms", "minimum", limits::HOLD_TTL_MS_MIN),
        ("Plan", "hold_ttl_ms", "maximum", limits::HOLD_TTL_MS_MAX),
        ("Plan", "countdown_ms", "maximum", limits::COUNTDOWN_MS_MAX),
        ("Plan", "countdown_ms", "default", limits::COUNTDOWN_MS_DEFAULT),
        ("Plan", "starts_at_ms", "maximum", Money::MINOR_MAX),
        ("Plan", "reason", "maxLength", limits::REASON_BYTES_MAX as u64),
        ("Sku", "options", "maxItems", limits::OPTIONS_PER_SKU_MAX as u64),
        ("Sku", "image", "maxLength", limits::ADDRESS_BYTES_MAX as u64),
        ("Sku", "supply", "maximum", units_max),
        ("Money", "minor", "maximum", Money::MINOR_MAX),
        ("StockDisplay", "rounded_above", "maximum", units_max),
        ("StockDisplay", "round_to", "maximum", units_max),
        ("WhenOffline", "pause_after_ms", "maximum", limits::OFFLINE_MS_MAX),
        ("PaymentTerms", "grace_ms", "maximum", limits::PAYMENT_GRACE_MS_MAX),
        ("PaymentTerms", "grace_ms", "default", limits::PAYMENT_GRACE_MS_DEFAULT),
        ("PaymentTerms", "stretch_ms", "maximum", limits::PAYMENT_STRETCH_MS_MAX),
        ("PaymentTerms", "stretch_ms", "default", limits::PAYMENT_STRETCH_MS_DEFAULT),
        ("Charges", "shipping", "maximum", Money::MINOR_MAX),
        ("PaymentFact", "holds", "maxItems", limits::HOLDS_PER_PAYMENT_MAX as u64),
        ("PaymentFact", "payment", "maxLength", limits::PAYMENT_REFERENCE_BYTES_MAX as u64),
        ("Restock", "units", "maximum", units_max),
        ("Cancellation", "units", "maximum", units_max),
        ("Cancellation", "amount", "maximum", Money::MINOR_MAX),
        ("Cancellation", "reason", "maxLength", limits::REASON_BYTES_MAX as u64),
        ("Extension", "by_ms", "minimum", limits::EXTENSION_MS_MIN),
        ("Extension", "by_ms", "maximum", limits::EXTENSION_MS_MAX),
        ("Extension", "reason", "maxLength", limits::REASON_BYTES_MAX as u64),
        ("Reason", "reason", "maxLength", limits::REASON_BYTES_MAX as u64),
    ] {
        let found = &schemas[schema]["properties"][field][keyword];
        assert_eq!(found.as_u64(), Some(limit), "{schema}.{field} {keyword}");
    }
    let search = &document["paths"]["/v1/orders/search"]["get"]["parameters"];
    let text = search.as_array().unwrap().iter().find(|param| param["name"] == "text").unwrap();
    assert_eq!(text["schema"]["maxLength"], limits::ORDER_REFERENCE_CHARS_MAX as u64);
}

#[tokio::test]
async fn every_operation_says_what_can_go_wrong() {
    let document = document().await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            let free = matches!(path.as_str(), "/healthz" | "/readyz" | "/openapi.json");
            let lets_in =
                ["post /v1/sessions", "post /v1/invitations/look"].contains(&name.as_str());
            let is_shared = path.starts_with("/shared/");
            let is_public = free || lets_in || is_shared;
            let looks = path == "/v1/invitations/look" || is_shared;
            assert_eq!(responses.contains_key("401"), !free && !looks, "{name}");
            let ways = [json!({"staff": []}), json!({"session": []})];
            let expected = if is_public { &[][..] } else { &ways };
            assert_eq!(operation["security"].as_array().unwrap(), expected, "{name}");
            // Who is signed in is no command: nothing is recorded, nothing is done twice.
            let is_command = matches!(method.as_str(), "post" | "put" | "patch" | "delete")
                && !path.starts_with("/v1/sessions")
                && !path.starts_with("/v1/invitations")
                && !path.starts_with("/v1/tokens")
                && !path.starts_with("/v1/shares")
                && !path.ends_with("/stage-line")
                // What is owed is set, not added to: the same again changes nothing.
                && !path.ends_with("/charges")
                && !path.starts_with("/v1/demo");
            let params = || operation["parameters"].as_array().into_iter().flatten();
            let is_key = |param: &&Value| param["name"] == "Idempotency-Key";
            let keyed = params().filter(is_key).any(|param| param["required"] == true);
            assert_eq!(keyed, is_command, "{name}");
            let read = params().any(|param| param["in"] == "path" || param["in"] == "query");
            assert!(!read || responses.contains_key("400"), "{name} has parameters, but no 400");
            let errors = responses.iter().filter(|(status, _)| !status.starts_with('2'));
            for (status, response) in errors {
                let content = response["content"].as_object().unwrap();
                assert!(content.contains_key("application/problem+json"), "{name} {status}");
            }
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let text = document.to_string();
    let references = text.split("\"$ref\":\"").skip(1);
    let references: Vec<_> = references.map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// The fields of a value are those of its schema, no less and no more.
fn fits(document: &Value, schema: &Value, value: &Value, place: &str) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => schema,
    };
    let kinds = schema["oneOf"].as_array();
    if let Some(kinds) = kinds.filter(|_| !value.is_null()) {
        return fits(document, &kinds[0], value, place);
    }
    if let Some(items) = value.as_array() {
        return items.iter().for_each(|item| fits(document, &schema["items"], item, place));
    }
    let (Some(fields), Some(described)) = (value.as_object(), schema["properties"].as_object())
    else {
        return;
    };
    let required = schema["required"].as_array().unwrap();
    for name in required {
        assert!(fields.contains_key(name.as_str().unwrap()), "{place} lacks {name}");
    }
    for (name, value) in fields {
        assert!(described.contains_key(name), "{place}.{name} is not in the document");
        fits(document, &described[name], value, &format!("{place}.{name}"));
    }
}

#[tokio::test]
async fn a_report_has_the_fields_of_the_document() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    rig.buy(&drop, "v1", "mug", 1).await;
    rig.command(&drop, "close", "c1").await;
    let path = format!("/v1/drops/{drop}/report");
    let report = rig.ask("admin", "GET", &path).expect(StatusCode::OK).await.json;
    let document = document().await;
    let schema = json!({"$ref": "#/components/schemas/Report"});
    assert_eq!(report["sold"], 0);
    assert_eq!(report["held"], 1);
    fits(&document, &schema, &report, "report");
}

#[tokio::test]
async fn forms_are_those_of_the_domain() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    for (schema, field, bytes_max) in [
        ("Plan", "stream", limits::TEXT_ID_BYTES_MAX),
        ("Plan", "merchant", limits::TEXT_ID_BYTES_MAX),
        ("Plan", "host", limits::TEXT_ID_BYTES_MAX),
        ("Sku", "id", limits::TEXT_ID_BYTES_MAX),
        ("Restock", "sku", limits::TEXT_ID_BYTES_MAX),
        ("BanBody", "channel", limits::TEXT_ID_BYTES_MAX),
    ] {
        let form = &schemas[schema]["properties"][field];
        assert_eq!(form["pattern"], "^[A-Za-z0-9._:-]+$", "{schema}.{field}");
        assert_eq!((&form["minLength"], &form["maxLength"]), (&json!(1), &json!(bytes_max)));
    }
    assert_eq!(
        schemas["BanBody"]["properties"]["viewer"]["maxLength"],
        limits::VIEWER_ID_BYTES_MAX
    );
    let delay = &schemas["VideoDelay"]["properties"]["video_delay_ms"];
    assert_eq!(delay["not"]["maximum"], limits::VIDEO_DELAY_MS_MIN - 1);
    assert_eq!(delay["maximum"], limits::VIDEO_DELAY_MS_MAX);
    let open = &document["paths"]["/v1/drops/{drop}/open"]["post"];
    assert_eq!(open["parameters"][0]["schema"]["pattern"], "^d[1-9][0-9]{0,8}$");
    assert_eq!(open["parameters"][1]["schema"]["maxLength"], limits::KEY_BYTES_MAX);
    assert_eq!(open["requestBody"]["required"], false);
    assert_eq!(document["paths"]["/v1/drops"]["post"]["requestBody"]["required"], true);
    // What is planned can be patched, nothing else; what a plan needs cannot be taken out.
    let (plan, patch) = (&schemas["Plan"]["properties"], &schemas["PlanPatch"]["properties"]);
    let names = |fields: &Value| fields.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(plan), names(patch));
    assert_eq!(patch["title"]["type"], "string");
    assert_eq!(patch["countdown_ms"]["type"], json!(["integer", "null"]));
    assert_eq!(patch["mode"]["oneOf"][1], json!({"type": "null"}));
}

#[tokio::test]
async fn every_code_is_listed_somewhere() {
    let guide = include_str!("../../../../docs/control.md");
    let document = document().await.to_string();
    let rows = guide.split("## Errors").nth(1).unwrap().lines();
    let codes = rows.filter_map(|row| row.strip_prefix("| `")?.split('`').next());
    // Of paths and methods that the document does not have, or of a refusal without a code of its own.
    let beside = ["unknown_path", "method_not_allowed", "refused"];
    let mut found = 0;
    for code in codes.filter(|code| !beside.contains(code)) {
        assert!(document.contains(&format!("\"{code}\"")), "{code} is in no list");
        found += 1;
    }
    assert!(found > 70, "{found}");
}
