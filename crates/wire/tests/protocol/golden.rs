//! The bytes of every message stay what they are: golden files for both subprotocols.

use std::fmt::Write;

use crate::samples::{client_messages, server_messages};
use stampede_wire::Subprotocol;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}

fn golden(subprotocol: Subprotocol, show: impl Fn(Vec<u8>) -> String) -> String {
    let client = client_messages().into_iter().map(|(name, message)| {
        let frame = subprotocol.encode_client(&message);
        assert_eq!(subprotocol.decode_client(&frame), Ok(message), "{name}");
        format!("> {name}\n{}\n", show(frame))
    });
    let server = server_messages().into_iter().map(|(name, message)| {
        let frame = subprotocol.encode_server(&message);
        assert_eq!(subprotocol.decode_server(&frame), Ok(Some(message)), "{name}");
        format!("< {name}\n{}\n", show(frame))
    });
    client.chain(server).collect()
}

#[test]
fn json_bytes_are_golden() {
    let show = |frame| String::from_utf8(frame).unwrap();
    insta::assert_snapshot!("json", golden(Subprotocol::Json, show));
}

#[test]
fn msgpack_bytes_are_golden() {
    insta::assert_snapshot!("msgpack", golden(Subprotocol::MsgPack, |frame| hex(&frame)));
}

#[test]
fn ticks_are_told_from_their_first_bytes() {
    for subprotocol in Subprotocol::ALL {
        for (name, message) in server_messages() {
            let frame = subprotocol.encode_server(&message);
            assert_eq!(
                subprotocol.is_stock_tick(&frame),
                name.starts_with("stock"),
                "{subprotocol} {name}"
            );
        }
    }
}

#[test]
fn each_type_is_the_first_field() {
    for (name, message) in server_messages() {
        let frame = String::from_utf8(Subprotocol::Json.encode_server(&message)).unwrap();
        assert!(frame.starts_with("{\"type\":\""), "{name}: {frame}");
    }
}
