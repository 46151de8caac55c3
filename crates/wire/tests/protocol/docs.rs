//! The documents say what the program does.

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;
use stampede_domain::{RefusalCode, UnixMillis};
use stampede_wire::{
    CloseCode, Reconnect, Subprotocol,
    limits::{
        CLIENT_FRAME_BYTES_MAX, CLIENT_NAME_BYTES_MAX, CLOSE_REASON_BYTES_MAX,
        SERVER_FRAME_BYTES_MAX, TICKET_BYTES_MAX,
    },
    ticket::{self, KeySpec, TicketKeys, TicketVerifier},
};

use crate::samples::{client_messages, server_messages};

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(path).unwrap()
}

/// The fenced blocks of one language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let after = document.split(&opening).skip(1);
    after.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn types<T>(messages: &[(&str, T)], encode: impl Fn(&T) -> Vec<u8>) -> BTreeSet<String> {
    let kind = |message: &T| {
        let value: Value = serde_json::from_slice(&encode(message)).unwrap();
        value["type"].as_str().unwrap().to_owned()
    };
    messages.iter().map(|(_, message)| kind(message)).collect()
}

#[test]
fn every_example_is_a_message_and_every_message_has_one() {
    let json = Subprotocol::Json;
    let client = types(&client_messages(), |message| json.encode_client(message));
    let server = types(&server_messages(), |message| json.encode_server(message));
    let mut seen = BTreeSet::new();
    for block in blocks(&document("protocol.md"), "json") {
        let example: Value = serde_json::from_str(&block).expect(&block);
        let kind = example["type"].as_str().expect(&block).to_owned();
        let encoded = if client.contains(&kind) {
            json.encode_client(&json.decode_client(block.as_bytes()).expect(&block))
        } else {
            let message = json.decode_server(block.as_bytes()).expect(&block);
            json.encode_server(&message.expect(&block))
        };
        // Nothing in the example is unknown to the decoder, and nothing is missing.
        assert_eq!(serde_json::from_slice::<Value>(&encoded).unwrap(), example);
        seen.insert(kind);
    }
    let all: BTreeSet<String> = client.union(&server).cloned().collect();
    assert_eq!(seen, all);
}

#[test]
fn every_field_has_a_row() {
    let text = document("protocol.md");
    let mut missing = Vec::new();
    let mut note = |name: &str| {
        if !text.contains(&format!("`{name}`")) {
            missing.push(name.to_owned());
        }
    };
    let mut check = |value: Value| each_name(&value, &mut note);
    for (_, message) in server_messages() {
        check(serde_json::from_slice(&Subprotocol::Json.encode_server(&message)).unwrap());
    }
    for (_, message) in client_messages() {
        check(serde_json::from_slice(&Subprotocol::Json.encode_client(&message)).unwrap());
    }
    // The two fields of an option stand together in their row.
    missing.retain(|name| name != "name" && name != "value");
    assert_eq!(missing, Vec::<String>::new());
}

fn each_name(value: &Value, tell: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            tell(name);
            each_name(value, tell);
        }),
        Value::Array(values) => values.iter().for_each(|value| each_name(value, tell)),
        _ => {}
    }
}

#[test]
fn every_code_has_a_row_in_its_order() {
    let text = document("protocol.md");
    let mut end = 0;
    for code in RefusalCode::ALL {
        let temporary = match code.is_temporary() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unless no hold that ends helps",
        };
        let row = format!("| `{code}` | {temporary} |");
        let at = text.find(&row).unwrap_or_else(|| panic!("{row} is missing"));
        assert!(at > end, "{row} is out of the order of precedence");
        end = at;
    }
    for code in CloseCode::ALL {
        let row = format!("| {} | `{}` |", code.code(), code.name());
        let at = text.find(&row).unwrap_or_else(|| panic!("{row} is missing"));
        if code.code() < 4000 {
            assert_eq!(code.reconnect(), Reconnect::AfterFix);
            assert!(text[at..].lines().next().unwrap().contains("fix the cause first"), "{row}");
        }
    }
}

#[test]
fn limits_are_the_programs() {
    let text = document("protocol.md");
    for row in [
        format!("| message from a client | {CLIENT_FRAME_BYTES_MAX} bytes"),
        format!("| message from the server | {SERVER_FRAME_BYTES_MAX} bytes"),
        format!("| ticket | {TICKET_BYTES_MAX} bytes"),
        format!("| `client` in `hello` | {CLIENT_NAME_BYTES_MAX} bytes"),
        format!("at most {CLOSE_REASON_BYTES_MAX} bytes"),
    ] {
        assert!(text.contains(&row), "{row}");
    }
    let tickets = document("tickets.md");
    for row in [
        format!("at most {TICKET_BYTES_MAX} bytes"),
        format!("up to {} in one set", ticket::KEYS_MAX),
        format!("at least {} random bytes", ticket::SECRET_BYTES_MIN),
        format!("allows {} ms", ticket::LEEWAY_MS_DEFAULT),
        format!("longer than {} hours", ticket::LIFETIME_MS_MAX_DEFAULT / 3_600_000),
    ] {
        assert!(tickets.contains(&row), "{row}");
    }
}

#[test]
fn the_documented_keys_check_the_documented_claims() {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<KeySpec>,
    }
    let blocks = blocks(&document("tickets.md"), "json");
    let [claims, keys] = blocks.as_slice() else { panic!("claims and keys") };
    let claims: Value = serde_json::from_str(claims).unwrap();
    let keys: Set = serde_json::from_str(keys).unwrap();
    let verifier = TicketVerifier::new(TicketKeys::new(&keys.keys).unwrap());
    let header =
        jsonwebtoken::Header { kid: Some("shared-1".into()), ..jsonwebtoken::Header::default() };
    let key = jsonwebtoken::EncodingKey::from_secret(&[7; 32]);
    let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    let now = UnixMillis::new(claims["iat"].as_u64().unwrap() * 1000);
    assert_eq!(verifier.verify(&token, now).unwrap().channel.unwrap().as_str(), "creator-9");
}
