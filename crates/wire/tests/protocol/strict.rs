//! The server refuses what the protocol does not have; clients skip it.

use stampede_domain::DropId;
use stampede_wire::{ClientMessage, DecodeError, NO_HOLD, ServerMessage, Subprotocol, limits};

fn json(text: &str) -> Result<ClientMessage<'_>, DecodeError> {
    Subprotocol::Json.decode_client(text.as_bytes())
}

/// The same value as a `MessagePack` frame.
fn packed(text: &str) -> Vec<u8> {
    rmp_serde::to_vec_named(&serde_json::from_str::<serde_json::Value>(text).unwrap()).unwrap()
}

/// Checks the error's text in both subprotocols.
fn refused(text: &str, expected: &str) {
    let found = json(text).unwrap_err().to_string();
    assert!(found.contains(expected), "json: {found}");
    let frame = packed(text);
    let found = Subprotocol::MsgPack.decode_client(&frame).unwrap_err().to_string();
    assert!(found.contains(expected), "msgpack: {found}");
}

#[test]
fn every_fault_of_a_message_is_named() {
    refused(r#"{"ticket":"t"}"#, "the field type is missing");
    refused(r#"{"type":"shout"}"#, "unknown type \"shout\"; send hello,");
    refused(r#"{"type":"release"}"#, "release needs the field hold");
    refused(r#"{"type":"buy","drop":"d1","sku":"a","units":1}"#, "buy needs the field key");
    refused(r#"{"type":"ping","ticket":"t"}"#, "ping has no field ticket");
    refused(r#"{"type":"ping","price":1}"#, "unknown field \"price\"");
    refused(r#"{"type":"ping","x":{"y":[1,2,{"z":3}]}}"#, "unknown field \"x\"");
    refused(r#"{"type":7}"#, "type: invalid type: integer `7`, expected a text");
    refused(r#"{"type":"hello","ticket":null}"#, "ticket: invalid type");
    refused(r#"{"type":"release","hold":["a"]}"#, "hold: invalid type: sequence");
    refused(r#"["type","ping"]"#, "a message: a map with the field type");
    refused(r#""ping""#, "a message: a map with the field type");
    for units in ["-1", "1.5", "-1.0", "9007199254740992.0", "1e300", "\"2\"", "true"] {
        let text = format!(r#"{{"type":"buy","drop":"d1","sku":"a","units":{units},"key":"k"}}"#);
        refused(&text, "units: invalid");
    }
    refused(
        r#"{"type":"buy","drop":"d1","sku":"a","units":1,"key":"a b"}"#,
        "idempotency key has the character ' '",
    );
    refused(
        r#"{"type":"buy","drop":"d1","sku":"a","units":1,"key":""}"#,
        "idempotency key has 0 bytes; 1 to 64 are allowed",
    );
}

#[test]
fn faults_of_the_encoding_are_named() {
    let twice = json(r#"{"type":"ping","type":"ping"}"#).unwrap_err().to_string();
    assert!(twice.contains("the field type appears twice"), "{twice}");
    for text in ["", "{", "{}{}", "nul", "{\"type\":\"ping\"} x", "{\"type\":\"\u{1}\"}"] {
        assert!(json(text).is_err(), "{text:?}");
    }
    let ping = packed(r#"{"type":"ping"}"#);
    let pack = |frame: &[u8]| Subprotocol::MsgPack.decode_client(frame).map(|_| ());
    assert_eq!(pack(&ping), Ok(()));
    for end in 0..ping.len() {
        assert!(pack(&ping[..end]).is_err(), "cut at {end}");
    }
    for tail in [0x00, 0xc0, 0x91, 0x80, 0xc1, 0xff] {
        let mut frame = ping.clone();
        frame.push(tail);
        assert!(pack(&frame).is_err(), "{tail:#x} follows");
    }
    // Declared lengths are not believed: a map of 2^32 - 1 entries, a text of 2^32 - 1 bytes.
    assert!(pack(&[0xdf, 0xff, 0xff, 0xff, 0xff]).is_err());
    assert!(pack(&[0x81, 0xdb, 0xff, 0xff, 0xff, 0xff]).is_err());
    assert!(pack(&[0x81; 4_000]).is_err(), "deep nesting");
    assert!(json(&"[".repeat(4_000)).is_err(), "deep nesting");
}

#[test]
fn a_frame_has_a_limit() {
    let long = format!(r#"{{"type":"hello","ticket":"{}"}}"#, "t".repeat(4_096));
    let (bytes, max) = (long.len(), limits::CLIENT_FRAME_BYTES_MAX);
    assert_eq!(json(&long), Err(DecodeError::TooLong { bytes, max }));
}

#[test]
fn the_longest_hello_fits_a_frame() {
    let hello = ClientMessage::Hello {
        ticket: "t".repeat(limits::TICKET_BYTES_MAX).into(),
        client: Some("\u{7}".repeat(limits::CLIENT_NAME_BYTES_MAX).into()),
    };
    for subprotocol in Subprotocol::ALL {
        let frame = subprotocol.encode_client(&hello);
        assert_eq!(subprotocol.decode_client(&frame), Ok(hello.clone()));
    }
}

#[test]
fn a_clients_name_has_a_limit() {
    let hello = |name: &str| format!(r#"{{"type":"hello","ticket":"t","client":"{name}"}}"#);
    let longest = "ü".repeat(limits::CLIENT_NAME_BYTES_MAX / 2);
    assert!(json(&hello(&longest)).is_ok());
    refused(&hello(&format!("{longest}!")), "client has 65 bytes; at most 64 are allowed");
}

#[test]
fn the_order_of_fields_does_not_matter_to_the_server() {
    let buy = json(r#"{"key":"k","units":3,"sku":"a","drop":"d9","type":"buy"}"#).unwrap();
    let expected = ClientMessage::Buy {
        drop: DropId::new(9),
        sku: "a".into(),
        units: 3,
        key: "k".parse().unwrap(),
    };
    assert_eq!(buy, expected);
    assert_eq!(json(r#"{"type":"p\u0069ng"}"#), Ok(ClientMessage::Ping), "escapes are read");
}

#[test]
fn a_whole_number_may_be_written_as_a_fraction() {
    let units = |message: ClientMessage<'_>| match message {
        ClientMessage::Buy { units, .. } => units,
        other => panic!("{other:?}"),
    };
    for three in ["3", "3.0", "3e0", "30E-1"] {
        let text = format!(r#"{{"type":"buy","drop":"d1","sku":"a","units":{three},"key":"k"}}"#);
        assert_eq!(units(json(&text).unwrap()), 3, "{three}");
        let frame = packed(&text);
        assert_eq!(units(Subprotocol::MsgPack.decode_client(&frame).unwrap()), 3, "{three}");
    }
    // A double and a single of MessagePack, as encoders of languages with one kind of number choose.
    let frame = packed(r#"{"type":"buy","drop":"d1","sku":"a","key":"k","units":3.0}"#);
    let (head, double) = frame.split_at(frame.len() - 9);
    assert_eq!(double[0], 0xcb);
    let single = [head, &[0xca], &3_f32.to_be_bytes()].concat();
    assert_eq!(units(Subprotocol::MsgPack.decode_client(&single).unwrap()), 3);
}

#[test]
fn ids_that_name_nothing_are_left_to_the_refusal() {
    let ClientMessage::Buy { drop, .. } =
        json(r#"{"type":"buy","drop":"nope","sku":"???","units":0,"key":"k"}"#).unwrap()
    else {
        panic!("a buy");
    };
    assert_eq!(drop, DropId::HOUSE);
    let pay = ClientMessage::Pay { hold: NO_HOLD, card: None };
    assert_eq!(json(r#"{"type":"pay","hold":"nope"}"#), Ok(pay));
}

#[test]
fn a_card_that_the_sandbox_does_not_have_is_refused_with_those_that_it_has() {
    for card in ["4242", "", "Declined"] {
        let text = format!(r#"{{"type":"pay","hold":"nope","card":"{card}"}}"#);
        for refused in [json(&text), Subprotocol::MsgPack.decode_client(&packed(&text))] {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.starts_with("card: not a test card; expected approved, declined, "));
        }
    }
    let foreign = json(r#"{"type":"release","hold":"nope","card":"declined"}"#).unwrap_err();
    assert_eq!(foreign.to_string(), "release has no field card");
}

#[test]
fn clients_skip_unknown_types_and_fields() {
    let unknown = r#"{"type":"zap","what":["red",{"deep":true}]}"#;
    assert_eq!(Subprotocol::Json.decode_server(unknown.as_bytes()), Ok(None));
    assert_eq!(Subprotocol::MsgPack.decode_server(&packed(unknown)), Ok(None));
    let grown = r#"{"type":"pong","server_time_ms":5,"load":{"now":[0.5]}}"#;
    assert!(matches!(
        Subprotocol::Json.decode_server(grown.as_bytes()),
        Ok(Some(ServerMessage::Pong(pong))) if pong.server_time_ms == 5
    ));
    let rounded = r#"{"type":"pong","server_time_ms":9007199254740992}"#;
    let error = Subprotocol::Json.decode_server(rounded.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("9007199254740992 is above 2^53 - 1"), "{error}");
}
