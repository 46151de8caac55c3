//! Frames that break the rules, one viewer after the other, each with its close code.

use stampede_wire::limits::CLIENT_FRAME_BYTES_MAX;

use crate::{
    abuse_sale::during_a_sale,
    raw::{Raw, declared, frame},
    world::World,
};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// Beginnings and parts of messages: the same without the bit that says that it is the last one.
const TEXT_BEGINS: u8 = 0x01;
const GOES_ON: u8 = 0x00;
const ENDS: u8 = 0x80;

fn ended(world: &World, bytes: &[u8]) -> u16 {
    let mut raw = Raw::hello(world.address, &world.ticket("hostile"));
    raw.send(bytes);
    raw.closed()
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    let mut content = code.to_be_bytes().to_vec();
    content.extend(reason);
    frame(CLOSE, &content)
}

fn check(cases: &[(&str, Vec<u8>, u16)]) {
    during_a_sale(
        |_| {},
        |world, _| {
            for (what, bytes, code) in cases {
                assert_eq!(ended(world, bytes), *code, "{what}");
            }
        },
    );
}

#[test]
fn frames_that_are_none() {
    check(&[
        ("not masked", vec![TEXT, 1, b' '], 1002),
        ("a long one that is not masked", vec![TEXT, 127, 0, 0, 0, 0, 0, 0, 255, 255], 1002),
        ("first reserved bit", frame(TEXT | 0x40, b" "), 1002),
        ("second reserved bit", frame(TEXT | 0x20, b" "), 1002),
        ("third reserved bit", frame(TEXT | 0x10, b" "), 1002),
        ("reserved kind of data", frame(0x83, b" "), 1002),
        ("last reserved kind of data", frame(0x87, b" "), 1002),
        ("reserved kind of control", frame(0x8b, b" "), 1002),
        ("last reserved kind of control", frame(0x8f, b" "), 1002),
        ("not masked, in the middle of others", [frame(PONG, b""), vec![TEXT, 0]].concat(), 1002),
    ]);
}

#[test]
fn lengths_that_are_too_long() {
    let over = CLIENT_FRAME_BYTES_MAX + 1;
    check(&[
        ("one byte too many", frame(TEXT, &vec![b' '; over]), 1009),
        ("64 KiB declared", declared(TEXT, 64 << 10), 1009),
        ("2^62 declared", declared(TEXT, 1 << 62), 1009),
        ("2^63 - 1 declared", declared(TEXT, (1 << 63) - 1), 1009),
        ("2^63 declared, which is no length", declared(TEXT, 1 << 63), 1009),
        ("all bits declared", declared(TEXT, u64::MAX), 1009),
        ("binary of the same length", declared(BINARY, 1 << 40), 1009),
    ]);
}

#[test]
fn control_frames_that_are_none() {
    check(&[
        ("a ping of 126 bytes", frame(PING, &[0; 126]), 1002),
        ("a ping of 2^62 bytes", declared(PING, 1 << 62), 1002),
        ("a pong of 126 bytes", frame(PONG, &[0; 126]), 1002),
        ("a ping in parts", frame(PING & 0x0f, b"x"), 1002),
        ("a close in parts", frame(CLOSE & 0x0f, b""), 1002),
        ("a close of 126 bytes", close(1000, &[b'x'; 124]), 1002),
    ]);
}

#[test]
fn closes() {
    check(&[
        ("without a code", frame(CLOSE, b""), 1005),
        ("in order", close(1000, b"bye"), 1000),
        ("with a code of an application", close(4321, b""), 4321),
        ("half a code", frame(CLOSE, &[3]), 1002),
        ("a code below all", close(999, b""), 1002),
        ("a code that is never sent", close(1005, b""), 1002),
        ("another one", close(1006, b""), 1002),
        ("a code that is free", close(1016, b""), 1002),
        ("a code above all", close(5000, b""), 1002),
        ("a reason that is not UTF-8", close(1000, &[0xff, 0xfe]), 1007),
    ]);
}

#[test]
fn messages_of_the_wrong_kind() {
    check(&[
        ("binary on JSON", frame(BINARY, b"{}"), 1003),
        ("text that is not UTF-8", frame(TEXT, &[0xff]), 1007),
        ("half a character", frame(TEXT, &[b'"', 0xc3]), 1007),
        ("surrogates", frame(TEXT, &[0xed, 0xa0, 0x80]), 1007),
        ("no message", frame(TEXT, b""), 4104),
        ("nesting", frame(TEXT, &[b'['; CLIENT_FRAME_BYTES_MAX]), 4104),
        ("zeros", frame(TEXT, &[0; 64]), 4104),
        (
            "a name that is too long",
            frame(TEXT, format!(r#"{{"type":"hello","client":"{}"}}"#, "x".repeat(65)).as_bytes()),
            4104,
        ),
    ]);
}

#[test]
fn parts_that_do_not_fit() {
    let begins = frame(TEXT_BEGINS, b" ");
    check(&[
        ("a part of nothing", frame(GOES_ON, b" "), 1002),
        ("an end of nothing", frame(ENDS, b" "), 1002),
        ("a second beginning", [begins.clone(), begins.clone()].concat(), 1002),
        ("a whole one in between", [begins.clone(), frame(TEXT, b" ")].concat(), 1002),
        ("not UTF-8 across parts", [frame(TEXT_BEGINS, &[0xc3]), frame(ENDS, b"x")].concat(), 1007),
        ("together nothing", [begins, frame(ENDS, b" ")].concat(), 4104),
    ]);
}

#[test]
fn parts_without_end() {
    let parts = |part: Vec<u8>, count| [frame(TEXT_BEGINS, b" "), part.repeat(count)].concat();
    check(&[
        ("too long together", parts(frame(GOES_ON, &[b' '; 512]), 8), 1009),
        ("empty ones", parts(frame(GOES_ON, b""), 1_000), 4105),
        ("tiny ones", parts(frame(GOES_ON, b" "), 1_000), 4105),
        ("with pings between", parts([frame(GOES_ON, b""), frame(PING, b"")].concat(), 500), 4105),
    ]);
}
