//! The same bytes give the same frames however they are cut: those that tungstenite reads.
#![no_main]

use std::io::{self, Cursor, Read, Write};

use libfuzzer_sys::fuzz_target;
use stampede_wire::{
    frame::{Frame, FrameError, FrameReader, HEADER_BYTES_MAX},
    limits::CLIENT_FRAME_BYTES_MAX,
};
use tungstenite::{
    Error, Message, WebSocket,
    protocol::{Role, WebSocketConfig},
};

/// What was read, without parts of messages: `None` stands for a close.
type Heard = Vec<Option<Message>>;

/// Frames of `bytes`, which come in pieces of `step` bytes; up to a close or an error.
fn ours(bytes: &[u8], step: usize) -> (Heard, Option<FrameError>) {
    let mut reader = FrameReader::default();
    let (mut read, mut buffer) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(step) {
        buffer.extend_from_slice(piece);
        loop {
            let (used, frame) = match reader.next(&mut buffer) {
                Ok(None) => break,
                Ok(Some(found)) => found,
                Err(error) => return (read, Some(error)),
            };
            match frame {
                Frame::Text(text) => read.push(Some(Message::text(text.to_owned()))),
                Frame::Binary(bytes) => read.push(Some(Message::binary(bytes.to_vec()))),
                Frame::Ping(content) => read.push(Some(Message::Ping(content.to_vec().into()))),
                Frame::Part | Frame::Pong => {}
                Frame::Close(_) => {
                    read.push(None);
                    return (read, None);
                }
            }
            buffer.drain(..used);
        }
    }
    (read, None)
}

/// A socket that gives some bytes, takes everything.
struct Wire<'a>(Cursor<&'a [u8]>);

impl Read for Wire<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn theirs(bytes: &[u8]) -> (Heard, Option<Error>) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(CLIENT_FRAME_BYTES_MAX))
        .max_frame_size(Some(CLIENT_FRAME_BYTES_MAX));
    let wire = Wire(Cursor::new(bytes));
    let mut socket = WebSocket::from_raw_socket(wire, Role::Server, Some(config));
    let mut read = Vec::new();
    loop {
        match socket.read() {
            Ok(Message::Pong(_)) => {}
            Ok(Message::Close(_)) => {
                read.push(None);
                return (read, None);
            }
            Ok(message) => read.push(Some(message)),
            Err(Error::Io(why)) if why.kind() == io::ErrorKind::WouldBlock => return (read, None),
            Err(error) => return (read, Some(error)),
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (read, error) = ours(bytes, bytes.len().max(1));
    for step in [1, 2, 7, 64] {
        assert_eq!(ours(bytes, step), (read.clone(), error), "in pieces of {step}");
    }
    // We refuse a frame by its header, tungstenite looks at some rules when all of it is there: with
    // enough bytes behind them both come to an end.
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len() + CLIENT_FRAME_BYTES_MAX + 2 * HEADER_BYTES_MAX, 0);
    let (read, error) = ours(&bytes, bytes.len());
    let (other, other_error) = theirs(&bytes);
    match (error, other_error) {
        // It answers a close with a forbidden code, or one without a text, as a close.
        (Some(FrameError::BadClose | FrameError::NotUtf8), None) if other.last() == Some(&None) => {
            assert_eq!(read, other[..other.len() - 1]);
        }
        // It looks at a text's parts as they come, so it notices earlier that one is none.
        (_, Some(Error::Utf8(_))) => assert!(read.starts_with(&other)),
        (Some(_), Some(_)) => assert_eq!(read, other),
        (None, None) => assert_eq!(read, other),
        (error, other_error) => panic!("we say {error:?}, tungstenite says {other_error:?}"),
    }
});
