//! The fuzzer starts from what the samples hold, on both sides of each limit.
//!
//! `STAMPEDE_SEEDS=write cargo test -p stampede-wire seeds` makes the files anew.

use std::{collections::BTreeMap, fs, path::Path};

use stampede_wire::{Subprotocol, frame::CONTROL_BYTES_MAX, limits::CLIENT_FRAME_BYTES_MAX};

use crate::samples::{client_messages, server_messages};

/// Frames by file name, each behind the byte that chooses its subprotocol.
fn frames<T>(
    messages: &[(&str, T)],
    encode: impl Fn(Subprotocol, &T) -> Vec<u8>,
) -> BTreeMap<String, Vec<u8>> {
    let each = messages.iter().flat_map(|(name, message)| {
        let encode = &encode;
        [(0, Subprotocol::MsgPack, "msgpack"), (1, Subprotocol::Json, "json")].map(
            |(choice, subprotocol, kind)| {
                let mut seed = vec![choice];
                seed.extend(encode(subprotocol, message));
                (format!("{name}-{kind}"), seed)
            },
        )
    });
    each.collect()
}

/// One masked frame from a client.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x5a, 0x01, 0xff, 0x3c];
    let mut frame = vec![first];
    if let Ok(short @ 0..=125) = u8::try_from(payload.len()) {
        frame.push(0x80 | short);
    } else {
        frame.push(0xfe);
        frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

fn streams() -> BTreeMap<String, Vec<u8>> {
    let whole = client_messages().into_iter().map(|(name, message)| {
        (name.to_owned(), masked(0x81, &Subprotocol::Json.encode_client(&message)))
    });
    let parts = [
        masked(0x01, b"a"),
        masked(0x89, b"ping"),
        masked(0x00, b"b"),
        masked(0x8a, b""),
        masked(0x80, b"c"),
        masked(0x82, &[7; 200]),
        masked(0x88, b"\x03\xe8bye"),
    ];
    let longest = CLIENT_FRAME_BYTES_MAX;
    let at_the_limit = [
        ("parts", parts.concat()),
        ("longest", masked(0x81, &vec![b'x'; longest])),
        ("too-long", masked(0x81, &vec![b'x'; longest + 1])),
        ("longest-in-parts", [masked(0x01, &vec![b'x'; longest - 1]), masked(0x80, b"x")].concat()),
        ("too-long-in-parts", [masked(0x01, &vec![b'x'; longest]), masked(0x80, b"x")].concat()),
        ("longest-ping", masked(0x89, &[b'x'; CONTROL_BYTES_MAX])),
        ("too-long-ping", masked(0x89, &[b'x'; CONTROL_BYTES_MAX + 1])),
    ];
    whole.chain(at_the_limit.map(|(name, bytes)| (name.to_owned(), bytes))).collect()
}

/// Integers at the bound of what every reader keeps exact.
fn bounds(server: &mut BTreeMap<String, Vec<u8>>) {
    for (name, value) in [("exact", (1_u64 << 53) - 1), ("inexact", 1 << 53)] {
        let json = format!("\u{1}{{\"type\":\"pong\",\"server_time_ms\":{value}}}");
        server.insert(format!("{name}-json"), json.into_bytes());
        let mut msgpack = b"\0\x82\xa4type\xa4pong\xaeserver_time_ms\xcf".to_vec();
        msgpack.extend(value.to_be_bytes());
        server.insert(format!("{name}-msgpack"), msgpack);
    }
}

fn requests() -> BTreeMap<String, Vec<u8>> {
    let request = |more: &str| {
        format!(
            "GET / HTTP/1.1\r\nHost: localhost:7700\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
        )
        .into_bytes()
    };
    let protocols = "Sec-WebSocket-Protocol: stampede.v1.msgpack, stampede.v1.json\r\n";
    let origin = format!("{protocols}Origin: https://shop.example\r\n");
    let mut early = request(protocols);
    early.extend(masked(0x81, b"{}"));
    BTreeMap::from([
        ("plain".to_owned(), request(protocols)),
        ("origin".to_owned(), request(&origin)),
        ("no-subprotocol".to_owned(), request("")),
        ("frame-behind-it".to_owned(), early),
    ])
}

#[test]
fn seeds_are_what_the_program_writes_today() {
    let client =
        frames(&client_messages(), |subprotocol, message| subprotocol.encode_client(message));
    let mut server = frames(&server_messages(), Subprotocol::encode_server);
    bounds(&mut server);
    let seeds = [
        ("client_message", client),
        ("server_message", server),
        ("frames", streams()),
        ("handshake", requests()),
    ];
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let writes = std::env::var("STAMPEDE_SEEDS").is_ok_and(|what| what == "write");
    for (target, files) in seeds {
        for (name, bytes) in files {
            let path = dir.join(target).join(name);
            if writes {
                fs::create_dir_all(dir.join(target)).unwrap();
                fs::write(&path, &bytes).unwrap();
            }
            assert_eq!(fs::read(&path).ok(), Some(bytes), "{}", path.display());
        }
    }
}
