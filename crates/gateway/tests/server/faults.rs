//! Bad input: each kind has a refusal or a close code, nobody else is harmed.

use stampede_wire::Subprotocol;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::{Client, raw_request},
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
fn a_text_frame_on_message_pack() {
    let world = World::new();
    let mut client = world.dial(Subprotocol::MsgPack);
    client.socket.send(Message::text("{}")).unwrap();
    assert_eq!(client.closed(), 1003);
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
    assert_eq!(status("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 426 Upgrade Required");
    assert_eq!(status("\u{16}\u{3}\u{1}\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    let headers = "X-Some: 1\r\n".repeat(1_000);
    let long = format!("GET / HTTP/1.1\r\n{headers}");
    assert_eq!(status(&long), "HTTP/1.1 431 Request Header Fields Too Large");
}
