//! The `AsyncAPI` description, held to what the program does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;
use stampede_domain::{
    RefusalCode, TestCard,
    limits::{KEY_BYTES_MAX, TEXT_ID_BYTES_MAX},
};
use stampede_wire::{
    CloseCode, Reconnect, Subprotocol,
    limits::{
        CLIENT_FRAME_BYTES_MAX, CLIENT_NAME_BYTES_MAX, CLOSE_REASON_BYTES_MAX, INTEGER_MAX,
        SERVER_FRAME_BYTES_MAX, TICKET_BYTES_MAX,
    },
};

use crate::samples::{client_messages, server_messages};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(path).unwrap()
}

/// The description with what its references point to.
struct Description(Value);

impl Description {
    fn read() -> Self {
        Self(serde_json::from_str(&read("asyncapi.json")).unwrap())
    }

    fn messages(&self) -> &serde_json::Map<String, Value> {
        self.0["components"]["messages"].as_object().unwrap()
    }

    /// The named schema of a message.
    fn payload(&self, kind: &str) -> &Value {
        let payload = &self.messages()[kind]["payload"];
        assert!(payload["$ref"].is_string(), "{kind} has no schema of its own");
        self.resolve(payload)
    }

    /// The schema that another one refers to, straight or as its only part.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        reference.map_or(schema, |reference| {
            let pointer = reference.strip_prefix('#').expect("references stay in the file");
            self.resolve(self.0.pointer(pointer).expect(reference))
        })
    }

    /// Each field of an object that may be left out or not.
    fn fields(&self, schema: &Value) -> BTreeMap<String, bool> {
        let schema = self.resolve(schema);
        let required: BTreeSet<&str> =
            schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let names = schema["properties"].as_object().unwrap().keys();
        names.map(|name| (name.clone(), !required.contains(name.as_str()))).collect()
    }

    /// Fails unless `value` has every required field and no unknown one, in its depth.
    fn check(&self, schema: &Value, value: &Value, place: &str) {
        let schema = self.resolve(schema);
        match value {
            Value::Object(fields) => {
                let known = self.fields(schema);
                for (name, optional) in &known {
                    assert!(*optional || fields.contains_key(name), "{place}: {name} is missing");
                }
                for (name, value) in fields {
                    assert!(known.contains_key(name), "{place}: {name} is not described");
                    let place = format!("{place}.{name}");
                    self.check(&schema["properties"][name.as_str()], value, &place);
                }
            }
            Value::Array(values) => {
                for value in values {
                    self.check(&schema["items"], value, place);
                }
            }
            _ => assert!(!schema["properties"].is_object(), "{place} is no object"),
        }
    }
}

fn encoded() -> Vec<Value> {
    let json = Subprotocol::Json;
    let client = client_messages().into_iter().map(|(_, message)| json.encode_client(&message));
    let server = server_messages().into_iter().map(|(_, message)| json.encode_server(&message));
    client.chain(server).map(|bytes| serde_json::from_slice(&bytes).unwrap()).collect()
}

#[test]
fn what_the_program_writes_is_described() {
    let description = Description::read();
    let mut written = BTreeSet::new();
    for message in encoded() {
        let kind = message["type"].as_str().unwrap().to_owned();
        assert!(description.messages().contains_key(&kind), "{kind} is not described");
        let described = description.payload(&kind);
        assert_eq!(described["properties"]["type"]["const"], kind.as_str());
        description.check(described, &message, &kind);
        written.insert(kind);
    }
    let described: BTreeSet<String> = description.messages().keys().cloned().collect();
    assert_eq!(described, written);
}

/// The fields of a table in the protocol document, each with whether it is optional.
fn rows(section: &str) -> BTreeMap<String, bool> {
    let (_, table) = section.split_once("| field | type | meaning |\n|---|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| {
        let mut cells = row.split(" | ");
        let names = cells.next().unwrap();
        let optional = cells.next().unwrap().contains("optional");
        names.split('`').skip(1).step_by(2).map(move |name| (name.to_owned(), optional))
    })
    .collect()
}

#[test]
fn the_protocol_document_has_the_same_fields() {
    let description = Description::read();
    let text = read("protocol.md");
    let sections: Vec<(&str, &str)> = text
        .split("\n### ")
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
        .filter(|(title, _)| title.starts_with('`'))
        .collect();
    let mut seen = BTreeSet::new();
    for (title, section) in sections {
        for kind in title.split('`').skip(1).step_by(2) {
            let mut described = description.fields(description.payload(kind));
            described.remove("type");
            let documented =
                if section.contains("| field |") { rows(section) } else { BTreeMap::new() };
            assert_eq!(described, documented, "{kind}");
            seen.insert(kind.to_owned());
        }
    }
    assert_eq!(seen, description.messages().keys().cloned().collect());
    let (_, skus) = text.split_once("\nEach SKU:\n").unwrap();
    let sku = &description.0["components"]["schemas"]["sku"];
    assert_eq!(description.fields(sku), rows(skus));
}

#[test]
fn codes_are_the_programs() {
    let description = Description::read();
    let refusals: Vec<(String, Option<bool>)> = description.0["x-refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["code"].as_str().unwrap().to_owned(), one["temporary"].as_bool()))
        .collect();
    let known = RefusalCode::ALL.map(|code| (code.name().to_owned(), code.is_temporary()));
    assert_eq!(refusals, known);

    let cards: Vec<&str> = description.0["components"]["schemas"]["test_card"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(cards, TestCard::ALL.map(TestCard::name));

    let described = description.0["x-close-codes"].as_array().unwrap();
    for code in CloseCode::ALL {
        let one = described.iter().find(|one| one["code"] == code.code());
        let one = one.unwrap_or_else(|| panic!("{code} is not described"));
        let then = match code.reconnect() {
            Reconnect::WithBackoff => "again",
            Reconnect::AfterFix => "mend",
            Reconnect::Never => "never",
        };
        assert_eq!((one["name"].as_str(), one["then"].as_str()), (Some(code.name()), Some(then)));
    }
    // 1002 answers what breaks the WebSocket's own rules. No `error` comes before it.
    let (websockets, ours): (Vec<&Value>, Vec<&Value>) =
        described.iter().partition(|one| one["code"] == 1002);
    assert_eq!(ours.len(), CloseCode::ALL.len(), "a code is described that nobody sends");
    assert_eq!(websockets.len(), 1);
    assert_eq!(websockets[0]["then"], "mend");
    assert_eq!(Reconnect::after(Some(1002)), Reconnect::AfterFix);
}

#[test]
fn limits_are_the_programs() {
    let description = Description::read();
    let limits = &description.0["x-limits"];
    let schemas = &description.0["components"]["schemas"];
    let client = &description.payload("hello")["properties"]["client"];
    let reason = &description.payload("error")["properties"]["message"];
    for (described, limit) in [
        (&limits["client_message_bytes_max"], CLIENT_FRAME_BYTES_MAX),
        (&limits["server_message_bytes_max"], SERVER_FRAME_BYTES_MAX),
        (&limits["ticket_bytes_max"], TICKET_BYTES_MAX),
        (&limits["client_name_bytes_max"], CLIENT_NAME_BYTES_MAX),
        (&limits["key_bytes_max"], KEY_BYTES_MAX),
        (&limits["close_reason_bytes_max"], CLOSE_REASON_BYTES_MAX),
        (&schemas["ticket"]["maxLength"], TICKET_BYTES_MAX),
        (&schemas["id"]["maxLength"], TEXT_ID_BYTES_MAX),
        (&client["maxLength"], CLIENT_NAME_BYTES_MAX),
        (&reason["maxLength"], CLOSE_REASON_BYTES_MAX),
    ] {
        assert_eq!(described.as_u64(), Some(limit as u64), "{described}");
    }
    assert_eq!(schemas["key"]["pattern"], format!("^[A-Za-z0-9._:-]{{1,{KEY_BYTES_MAX}}}$"));
    for described in [&limits["integer_max"], &schemas["integer"]["maximum"]] {
        assert_eq!(described.as_u64(), Some(INTEGER_MAX));
    }
}

#[test]
fn subprotocols_are_the_programs() {
    let description = Description::read();
    let header = "/channels/viewer/bindings/ws/headers/properties/Sec-WebSocket-Protocol/enum";
    let described = description.0.pointer(header).unwrap().as_array().unwrap().clone();
    assert_eq!(described, Subprotocol::ALL.map(|one| Value::from(one.name())));
}
