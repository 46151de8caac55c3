//! Frames to clients.

use std::io::Cursor;

use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

use crate::{CloseCode, Subprotocol};

/// Appends a whole message as one frame, text or binary as the subprotocol says.
pub fn put_message(out: &mut Vec<u8>, subprotocol: Subprotocol, message: &[u8]) {
    let data = if subprotocol.is_text() { Data::Text } else { Data::Binary };
    put(out, OpCode::Data(data), message);
}

/// Appends a ping without content.
pub fn put_ping(out: &mut Vec<u8>) {
    put(out, OpCode::Control(Control::Ping), &[]);
}

/// Appends the pong to a ping with this content.
pub fn put_pong(out: &mut Vec<u8>, content: &[u8]) {
    put(out, OpCode::Control(Control::Pong), content);
}

/// Appends a close frame; a reason that is too long for one is cut. `None` leaves the code out, as
/// the answer to a close without one does.
pub fn put_close(out: &mut Vec<u8>, code: Option<u16>, reason: &str) {
    let mut content = Vec::new();
    if let Some(code) = code {
        content.extend(code.to_be_bytes());
        content.extend(CloseCode::reason(reason).as_bytes());
    }
    put(out, OpCode::Control(Control::Close), &content);
}

/// Bytes of the frame to a client at the start of `bytes`, header included.
///
/// # Panics
/// If `bytes` does not begin with a whole header that this module wrote.
pub fn length(bytes: &[u8]) -> usize {
    let (header, payload) = FrameHeader::parse(&mut Cursor::new(bytes))
        .expect("an opcode that was written here")
        .expect("a whole header");
    header.len(payload) + usize::try_from(payload).expect("it was the length of a slice")
}

fn put(out: &mut Vec<u8>, opcode: OpCode, payload: &[u8]) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    out.reserve(header.len(payload.len() as u64) + payload.len());
    header.format(payload.len() as u64, out).expect("a vector takes everything");
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_to_clients_are_not_masked() {
        let mut out = Vec::new();
        put_message(&mut out, Subprotocol::Json, b"{}");
        put_message(&mut out, Subprotocol::MsgPack, &[0x80]);
        put_ping(&mut out);
        put_pong(&mut out, b"x");
        put_close(&mut out, Some(4000), "over");
        put_close(&mut out, None, "");
        let expected: &[&[u8]] = &[
            b"\x81\x02{}",
            b"\x82\x01\x80",
            b"\x89\x00",
            b"\x8a\x01x",
            b"\x88\x06\x0f\xa0over",
            b"\x88\x00",
        ];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn a_length_takes_as_many_bytes_as_it_needs() {
        for (length, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let mut out = Vec::new();
            put_message(&mut out, Subprotocol::MsgPack, &vec![0; length]);
            assert_eq!(out.len(), header + length);
            out.push(0);
            assert_eq!(super::length(&out), header + length);
        }
    }
}
