//! Bad input: each kind has a refusal or a close code, nobody else is harmed.

use stampede_domain::DurationMs;
use stampede_wire::{Subprotocol, limits::CLIENT_FRAME_BYTES_MAX};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::{Client, connect, raw_request},
    world::{World, plan},
};

/// Sends one thing after the welcome; gives the close code.
fn check(send: impl FnOnce(&mut Client)) -> u16 {
    let world = World::new();
    let drop = world.open(plan(2));
    let mut client = world.join("v1");
    send(&mut client);
    let code = client.closed();
    assert_eq!(world.available(drop), 2, "no unit moved");
    world.check_unharmed(drop);
    code
}

#[test]
fn a_malformed_message() {
    assert_eq!(check(|client| client.send_bytes(b"{".to_vec())), 4104);
}

#[test]
fn a_message_that_is_no_map() {
    assert_eq!(check(|client| client.send_bytes(b"[1,2]".to_vec())), 4104);
}

#[test]
fn an_unknown_message() {
    assert_eq!(check(|client| client.send_bytes(br#"{"type":"bye"}"#.to_vec())), 4104);
}

#[test]
fn an_unknown_field() {
    assert_eq!(check(|client| client.send_bytes(br#"{"type":"ping","x":1}"#.to_vec())), 4104);
}

#[test]
fn a_negative_number_of_units() {
    let buy = br#"{"type":"buy","drop":"d1","sku":"mug","units":-1,"key":"a"}"#;
    assert_eq!(check(|client| client.send_bytes(buy.to_vec())), 4104);
}

#[test]
fn a_key_that_is_none() {
    let buy = br#"{"type":"buy","drop":"d1","sku":"mug","units":1,"key":"a b"}"#;
    assert_eq!(check(|client| client.send_bytes(buy.to_vec())), 4104);
}

#[test]
fn a_binary_frame_on_json() {
    assert_eq!(check(|client| client.socket.send(Message::binary(vec![1, 2])).unwrap()), 1003);
}

#[test]
fn a_text_frame_on_message_pack() {
    let world = World::new();
    let mut client = world.dial(Subprotocol::MsgPack);
    client.socket.send(Message::text("{}")).unwrap();
    assert_eq!(client.closed(), 1003);
}

#[test]
fn text_that_is_not_utf8() {
    // FIN and text, masked with zeros, two bytes.
    assert_eq!(check(|client| client.send_raw(&[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe])), 1007);
}

#[test]
fn an_oversized_frame() {
    let size = CLIENT_FRAME_BYTES_MAX + 1;
    assert_eq!(check(|client| client.send_bytes(vec![b' '; size])), 1009);
}

#[test]
fn a_huge_declared_length() {
    let head = [0x81, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert_eq!(check(|client| client.send_raw(&head)), 1009);
}

#[test]
fn fragments_without_end() {
    let code = check(|client| {
        // Text without FIN, then continuations without FIN.
        client.send_raw(&[0x01, 0x81, 0, 0, 0, 0, b' ']);
        let mut continuation = vec![0x00, 0xfe, 0x02, 0x00, 0, 0, 0, 0];
        continuation.extend([b' '; 512]);
        for _ in 0..=CLIENT_FRAME_BYTES_MAX / 512 {
            client.send_raw(&continuation);
        }
    });
    assert_eq!(code, 1009);
}

#[test]
fn an_unmasked_frame() {
    assert_eq!(check(|client| client.send_raw(&[0x81, 0x01, b' '])), 1002);
}

#[test]
fn reserved_bits() {
    assert_eq!(check(|client| client.send_raw(&[0xc1, 0x81, 0, 0, 0, 0, b' '])), 1002);
}

#[test]
fn a_ping_that_is_too_long() {
    let mut ping = vec![0x89, 0xfe, 0, 126, 0, 0, 0, 0];
    ping.extend([0; 126]);
    assert_eq!(check(|client| client.send_raw(&ping)), 1002);
}

#[test]
fn a_second_hello() {
    assert_eq!(check(|client| client.hello("rubbish")), 4103);
}

#[test]
fn a_buy_before_the_hello() {
    let world = World::new();
    let drop = world.open(plan(2));
    let mut client = world.dial(Subprotocol::Json);
    client.buy(drop, "mug", 1, "a");
    assert_eq!(client.closed(), 4103);
    assert_eq!(world.available(drop), 2);
}

#[test]
fn a_wrong_subprotocol() {
    let world = World::new();
    for offer in ["chat", "stampede.v9.json"] {
        let refused = Client::try_dial(world.address, offer).err().unwrap().to_string();
        assert!(refused.contains("400"), "{refused}");
    }
    let both = Client::try_dial(world.address, "stampede.v1.json, stampede.v1.msgpack").unwrap();
    assert_eq!(both.subprotocol, Subprotocol::MsgPack);
}

#[test]
fn a_request_that_is_no_handshake() {
    let world = World::new();
    let status = |request: &str| raw_request(world.address, request);
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 426 Upgrade Required");
    assert_eq!(status("\u{16}\u{3}\u{1}\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    let headers = "X-Some: 1\r\n".repeat(1_000);
    let long = format!("GET / HTTP/1.1\r\n{headers}");
    assert_eq!(status(&long), "HTTP/1.1 431 Request Header Fields Too Large");
}

#[test]
fn a_handshake_that_dribbles() {
    let world = World::with(|config| config.handshake_timeout = DurationMs::new(500));
    let mut stream = connect(world.address);
    let mut end = String::new();
    // Nothing is sent; the server hangs up by itself.
    std::io::Read::read_to_string(&mut stream, &mut end).unwrap();
    assert_eq!(end, "");
}

#[test]
fn an_origin_that_is_not_let_in() {
    let world = World::with(|config| config.origins = vec!["https://shop.example".into()]);
    let request = |origin: &str| {
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: stampede.v1.json\r\nOrigin: {origin}\r\n\r\n"
        )
    };
    let evil = raw_request(world.address, &request("https://evil.example"));
    assert_eq!(evil, "HTTP/1.1 403 Forbidden");
    world.dial(Subprotocol::Json);
}
