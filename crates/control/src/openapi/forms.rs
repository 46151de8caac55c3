//! The forms of texts and numbers that have the same name wherever they stand.
//!
//! What the server enforces about a field by itself is said here or beside the field; whatever else it may
//! refuse is in [`super::refusals`].

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use stampede_domain::limits::{
    ADDRESS_BYTES_MAX, KEY_BYTES_MAX, ORDER_REFERENCE_CHARS_MAX, PAYMENT_REFERENCE_BYTES_MAX,
    TEXT_ID_BYTES_MAX, TITLE_BYTES_MAX, VIDEO_DELAY_MS_MIN, VIEWER_ID_BYTES_MAX,
};

use super::operations;
use crate::SHARE_LABEL_BYTES_MAX;

/// An IPv4 address or range as a ban may have it, or what could be one of IPv6.
const ADDRESSES: &str = concat!(
    r"^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}",
    r"(/([89]|[12][0-9]|3[0-2]))?|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(/[0-9]{1,3})?)$"
);

/// Absolute with `https`, or a path of the server's own files.
const IMAGE: &str = concat!(
    r#"^([Hh][Tt][Tt][Pp][Ss]://[^/\s"<>\\^`{|}][^\s"<>\\^`{|}]*"#,
    r#"|/([^/\s"<>\\^`{|}][^\s"<>\\^`{|}]*)?)$"#
);

/// A letter, then a number without leading zeros. Ten digits would be more than any ledger can have.
fn numbered(letter: char) -> Value {
    json!({ "pattern": format!("^{letter}[1-9][0-9]{{0,8}}$") })
}

/// A request's id.
const REQUEST: &str = "^q[1-9][0-9]{0,8}-[1-9][0-9]{0,8}$";

/// An order's id, or its code.
const ORDER: &str = "^([0-9a-f]{32}|[1-9][0-9]*-[1-9][0-9]*-[0-9])$";

fn text_id(bytes_max: usize) -> Value {
    json!({ "pattern": "^[A-Za-z0-9._:-]+$", "minLength": 1, "maxLength": bytes_max })
}

fn hold_id() -> Value {
    json!({ "pattern": "^[0-9a-f]{32}$" })
}

/// A text for people: its bytes are counted, of which a character has one at least.
fn shown(bytes_max: usize) -> Value {
    json!({ "minLength": 1, "maxLength": bytes_max })
}

/// What a field of this name has everywhere.
fn of_field(schema: &str, field: &str) -> Option<Value> {
    Some(match (schema, field) {
        ("Sku", "id") | (_, "account") => text_id(TEXT_ID_BYTES_MAX),
        ("Sku" | "Plan" | "PlanPatch", "title") | ("Sku", "merchant_sku") | ("SkuOption", _) => {
            shown(TITLE_BYTES_MAX)
        }
        ("Sku", "image") => {
            json!({ "minLength": 1, "maxLength": ADDRESS_BYTES_MAX, "pattern": IMAGE })
        }
        ("NewInvitation" | "RoomOwner", "name") => shown(TEXT_ID_BYTES_MAX),
        ("BanBody", "viewer") => shown(VIEWER_ID_BYTES_MAX),
        ("BanBody", "addresses") => json!({ "pattern": ADDRESSES }),
        ("VideoDelay", "video_delay_ms") => {
            json!({ "not": { "minimum": 1, "maximum": VIDEO_DELAY_MS_MIN - 1 } })
        }
        (_, "hold" | "order" | "taken_again_by") | ("PaymentFact", "holds") => hold_id(),
        (_, "payment") | ("PaymentFact", "reason") => text_id(PAYMENT_REFERENCE_BYTES_MAX),
        (_, "order_reference") => shown(ORDER_REFERENCE_CHARS_MAX),
        (_, "drop" | "show") => numbered('d'),
        ("NewShare", "label") => shown(SHARE_LABEL_BYTES_MAX),
        (_, "ban") => numbered('b'),
        (_, "stream" | "streams" | "merchant" | "host" | "sku" | "channel" | "admitted") => {
            text_id(TEXT_ID_BYTES_MAX)
        }
        (_, "currency") => json!({ "pattern": "^[A-Z]{3}$" }),
        _ => return None,
    })
}

/// What a parameter of this name is.
fn of_parameter(path: &str, name: &str) -> Option<Value> {
    let form = match (path, name) {
        (_, "drop" | "show") | ("/v1/drops", "after") => numbered('d'),
        ("/v1/attention", "after") => json!({ "pattern": "^(over-)?[0-9a-f]{32}$" }),
        (_, "hold")
        | ("/v1/payments/todo" | "/v1/orders/search", "after")
        | ("/v1/drops/{drop}/orders/{order}/cancel", "order") => hold_id(),
        (_, "reference") => text_id(PAYMENT_REFERENCE_BYTES_MAX),
        (_, "ban") | ("/v1/bans", "after") => numbered('b'),
        (_, "request") => json!({ "pattern": REQUEST }),
        (_, "order") => json!({ "pattern": ORDER }),
        (_, "stream" | "account") | ("/v1/rooms", "after") | ("/v1/orders", "merchant") => {
            text_id(TEXT_ID_BYTES_MAX)
        }
        (_, "session" | "invitation" | "share" | "secret") => json!({ "minLength": 1 }),
        (_, "table") => json!({ "enum": ["sizes.csv", "channels.csv", "seconds.csv"] }),
        ("/shared/{secret}/{file}", "file") => {
            json!({ "enum": ["report.json", "report.xlsx", "sizes.csv", "channels.csv", "seconds.csv"] })
        }
        (_, "Idempotency-Key") => text_id(KEY_BYTES_MAX),
        (_, "If-Match") => json!({ "pattern": r#"^(\*|"r[1-9][0-9]{0,9}")$"# }),
        _ => return None,
    };
    Some(form)
}

/// Gives each field and each parameter its form.
pub(super) fn say_forms(document: &mut Value) {
    for (name, schema) in schemas(document) {
        each_object(schema, &mut |object| {
            let Some(fields) = object.get_mut("properties").and_then(Value::as_object_mut) else {
                return;
            };
            for (field, schema) in fields {
                if let Some(form) = of_field(name, field) {
                    let is_list = schema["type"] == "array";
                    let one = if is_list { &mut schema["items"] } else { schema };
                    add(one, form);
                }
            }
        });
    }
    for (path, _, operation) in operations(document) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            if let Some(form) = of_parameter(path, &name) {
                add(&mut parameter["schema"], form);
            }
        }
    }
}

/// A patch names fields of a plan; what a plan can do without may be taken out by `null`.
pub(super) fn add_patch(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let mut patch = schemas["Plan"].clone();
    let required = patch.as_object_mut().and_then(|plan| plan.remove("required"));
    let required: Vec<Value> =
        required.and_then(|list| list.as_array().cloned()).unwrap_or_default();
    patch["description"] = json!(
        "Fields of a `Plan` as a JSON merge patch (RFC 7396): what is named is replaced, `null` takes a field out, \
         the list `skus` is replaced as a whole, of an object only what is named."
    );
    let fields = patch["properties"].as_object_mut().into_iter().flatten();
    for (field, schema) in fields {
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("default");
        }
        if !required.contains(&json!(field)) {
            allow_null(schema);
        }
    }
    // An object within is patched as well, so it may be named in part.
    let inner = [
        ("StockDisplay", "stock_display"),
        ("WhenOffline", "when_offline"),
        ("PaymentTerms", "payment"),
    ];
    for (inner, name) in inner {
        let mut part = schemas[inner].clone();
        if let Some(part) = part.as_object_mut() {
            part.remove("required");
        }
        for field in part["properties"].as_object_mut().into_iter().flatten() {
            if let Some(schema) = field.1.as_object_mut()
                && schema.remove("default").is_some()
            {
                allow_null(field.1);
            }
        }
        let named = format!("{inner}Patch");
        patch["properties"][name] = json!({ "oneOf": [{ "$ref": format!("#/components/schemas/{named}") }, { "type": "null" }] });
        schemas[named] = part;
    }
    schemas["PlanPatch"] = patch;
    let body = &mut document["paths"]["/v1/drops/{drop}"]["patch"]["requestBody"];
    body["content"]["application/merge-patch+json"]["schema"] =
        json!({ "$ref": "#/components/schemas/PlanPatch" });
}

fn allow_null(schema: &mut Value) {
    match &schema["type"] {
        Value::String(kind) => schema["type"] = json!([kind, "null"]),
        Value::Null if schema.get("oneOf").is_none() => {
            *schema = json!({ "oneOf": [schema.take(), { "type": "null" }] });
        }
        _ => {}
    }
}

/// What an answer or a query does not have is left out, never `null`: only a body may have it.
pub(super) fn answers_have_no_null(document: &mut Value) {
    let mut sent = BTreeSet::new();
    for (_, _, operation) in operations(document) {
        references(&operation["requestBody"], &mut sent);
    }
    loop {
        let mut more = sent.clone();
        for name in &sent {
            references(&document["components"]["schemas"][name], &mut more);
        }
        if more.len() == sent.len() {
            break;
        }
        sent = more;
    }
    for (_, _, operation) in operations(document) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        parameters.into_iter().flatten().for_each(|one| forbid_null(&mut one["schema"]));
    }
    for (name, schema) in schemas(document) {
        if !sent.contains(name) {
            each_object(schema, &mut |object| {
                for field in object
                    .get_mut("properties")
                    .and_then(Value::as_object_mut)
                    .into_iter()
                    .flatten()
                {
                    forbid_null(field.1);
                }
            });
        }
    }
}

fn forbid_null(schema: &mut Value) {
    let is_null = |kind: &Value| kind == "null" || kind["type"] == "null";
    for list in ["type", "oneOf"] {
        let Some(kinds) = schema.get_mut(list).and_then(Value::as_array_mut) else { continue };
        kinds.retain(|kind| !is_null(kind));
        let only = (kinds.len() == 1).then(|| kinds.remove(0));
        match (list, only) {
            ("type", Some(kind)) => schema["type"] = kind,
            (_, Some(one)) => *schema = one,
            _ => {}
        }
    }
}

/// Names of schemas that a value refers to.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                found.extend(name.rsplit('/').next().map(str::to_owned));
            }
            fields.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

fn schemas(document: &mut Value) -> impl Iterator<Item = (&str, &mut Value)> {
    let all = document["components"]["schemas"].as_object_mut();
    all.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
}

/// The object that a schema is, or those that it is made of.
fn each_object(schema: &mut Value, act: &mut impl FnMut(&mut Map<String, Value>)) {
    if let Some(object) = schema.as_object_mut() {
        act(object);
        for part in object.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
            each_object(part, act);
        }
    }
}

fn add(schema: &mut Value, form: Value) {
    // Of a field that may be null, the form is of what is not.
    if let (Some(schema), Value::Object(form)) = (schema.as_object_mut(), form) {
        schema.extend(form);
    }
}
