//! Frames from clients.

use std::io::Cursor;

use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{CloseCode as Rfc, Control, Data, OpCode},
};

use crate::{CloseCode, limits::CLIENT_FRAME_BYTES_MAX};

/// Bytes that a control frame carries at most (RFC 6455, section 5.5).
pub const CONTROL_BYTES_MAX: usize = 125;
/// Bytes of the longest header: two, eight of length, four of mask.
pub const HEADER_BYTES_MAX: usize = 14;
/// The close code of RFC 6455 for frames that break its rules.
const PROTOCOL_ERROR: u16 = 1002;

/// What a frame from a client brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole text message; it is UTF-8.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// A part of a message whose end has not come yet.
    Part,
    /// A ping with what its pong has to carry.
    Ping(&'a [u8]),
    /// A pong.
    Pong,
    /// The client closes, with its code if it gave one.
    Close(Option<u16>),
}

/// Why the bytes of a client are no frames of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A client must mask what it sends.
    #[error("the frame is not masked; clients must mask every frame")]
    Unmasked,
    /// A reserved bit is set although no extension was agreed on.
    #[error("a reserved bit is set; no extension was agreed on")]
    ReservedBit,
    /// An opcode that RFC 6455 does not know.
    #[error("opcode {opcode} is reserved")]
    ReservedOpcode {
        /// The opcode.
        opcode: u8,
    },
    /// A ping, pong or close frame in parts.
    #[error("a control frame must not be fragmented")]
    ControlInParts,
    /// A ping, pong or close frame that is too long.
    #[error("a control frame of {length} bytes; {CONTROL_BYTES_MAX} are allowed")]
    ControlTooLong {
        /// Bytes that the header announces.
        length: u64,
    },
    /// A part of a message that never began.
    #[error("a continuation frame came without a message that it continues")]
    NothingToContinue,
    /// A new message began in the middle of another.
    #[error("a new message began before the last one ended")]
    Interrupted,
    /// A close frame that RFC 6455 does not allow.
    #[error("the close frame is malformed")]
    BadClose,
    /// A message, or its parts together, longer than a client's may be.
    #[error("a message of {length} bytes or more; {CLIENT_FRAME_BYTES_MAX} are allowed")]
    TooBig {
        /// Bytes that are known to come.
        length: u64,
    },
    /// A text message, or a close frame's reason, that is not UTF-8.
    #[error("a text that is not UTF-8")]
    NotUtf8,
}

impl FrameError {
    /// The code of the close frame that answers it.
    pub const fn close_code(self) -> u16 {
        match self {
            Self::TooBig { .. } => CloseCode::TooBig.code(),
            Self::NotUtf8 => CloseCode::NotUtf8.code(),
            _ => PROTOCOL_ERROR,
        }
    }
}

/// The message that a connection is in the middle of.
#[derive(Debug)]
struct PartialMessage {
    is_text: bool,
    /// Ended by its last frame, handed out, forgotten with the next one.
    is_over: bool,
    bytes: Vec<u8>,
}

/// Reads one connection's frames.
#[derive(Debug, Default)]
pub struct FrameReader {
    unfinished: Option<Box<PartialMessage>>,
}

/// A header that obeys the rules, with where its payload lies.
struct Head {
    opcode: OpCode,
    is_final: bool,
    mask: [u8; 4],
    start: usize,
    end: usize,
}

impl FrameReader {
    /// Decodes the frame at the start of `bytes`, in place; gives it with its length.
    ///
    /// `None` if the frame goes on beyond `bytes`: call again with the same bytes and more behind
    /// them. At most [`HEADER_BYTES_MAX`] + [`CLIENT_FRAME_BYTES_MAX`] bytes are ever needed.
    ///
    /// # Errors
    /// [`FrameError`], as soon as the header shows it; the connection must be closed then.
    pub fn next<'a>(
        &'a mut self,
        bytes: &'a mut [u8],
    ) -> Result<Option<(usize, Frame<'a>)>, FrameError> {
        let Some(head) = self.head(bytes)? else { return Ok(None) };
        let Some(payload) = bytes.get_mut(head.start..head.end) else { return Ok(None) };
        unmask(payload, head.mask);
        let frame = match head.opcode {
            OpCode::Control(control) => control_frame(control, payload)?,
            OpCode::Data(data) => self.data_frame(data, head.is_final, payload)?,
        };
        Ok(Some((head.end, frame)))
    }

    /// Parses the header and holds it against the rules.
    fn head(&mut self, bytes: &[u8]) -> Result<Option<Head>, FrameError> {
        if self.unfinished.as_ref().is_some_and(|message| message.is_over) {
            self.unfinished = None;
        }
        let mut cursor = Cursor::new(bytes);
        let (header, length) = match FrameHeader::parse(&mut cursor) {
            Ok(None) => return Ok(None),
            Ok(Some(parsed)) => parsed,
            // Reading from memory fails for nothing else.
            Err(_) => {
                let opcode = bytes.first().map_or(0, |first| first & 0x0f);
                return Err(FrameError::ReservedOpcode { opcode });
            }
        };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(FrameError::ReservedBit);
        }
        let mask = header.mask.ok_or(FrameError::Unmasked)?;
        self.check_length(&header, length)?;
        let wide = |place: u64| usize::try_from(place).expect("bounded above");
        let start = wide(cursor.position());
        let end = start + wide(length);
        Ok(Some(Head { opcode: header.opcode, is_final: header.is_final, mask, start, end }))
    }

    fn check_length(&self, header: &FrameHeader, length: u64) -> Result<(), FrameError> {
        let before = match (header.opcode, &self.unfinished) {
            (OpCode::Control(_), _) if length > CONTROL_BYTES_MAX as u64 => {
                return Err(FrameError::ControlTooLong { length });
            }
            (OpCode::Control(_), _) if !header.is_final => return Err(FrameError::ControlInParts),
            (OpCode::Control(_), _) => return Ok(()),
            (OpCode::Data(Data::Continue), None) => return Err(FrameError::NothingToContinue),
            (OpCode::Data(Data::Continue), Some(message)) => message.bytes.len() as u64,
            (OpCode::Data(_), None) => 0,
            (OpCode::Data(_), Some(_)) => return Err(FrameError::Interrupted),
        };
        let length = before.saturating_add(length);
        if length > CLIENT_FRAME_BYTES_MAX as u64 {
            return Err(FrameError::TooBig { length });
        }
        Ok(())
    }

    fn data_frame<'a>(
        &'a mut self,
        data: Data,
        is_final: bool,
        payload: &'a [u8],
    ) -> Result<Frame<'a>, FrameError> {
        if is_final && data != Data::Continue {
            return message(data == Data::Text, payload);
        }
        let unfinished = self.unfinished.get_or_insert_with(|| {
            Box::new(PartialMessage {
                is_text: data == Data::Text,
                is_over: false,
                bytes: Vec::new(),
            })
        });
        unfinished.bytes.extend_from_slice(payload);
        unfinished.is_over = is_final;
        if is_final { message(unfinished.is_text, &unfinished.bytes) } else { Ok(Frame::Part) }
    }
}

fn message(is_text: bool, bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    if is_text {
        std::str::from_utf8(bytes).map(Frame::Text).map_err(|_| FrameError::NotUtf8)
    } else {
        Ok(Frame::Binary(bytes))
    }
}

fn control_frame(control: Control, payload: &[u8]) -> Result<Frame<'_>, FrameError> {
    match control {
        Control::Ping => Ok(Frame::Ping(payload)),
        Control::Pong => Ok(Frame::Pong),
        Control::Close => match payload {
            [] => Ok(Frame::Close(None)),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                std::str::from_utf8(reason).map_err(|_| FrameError::NotUtf8)?;
                let may = Rfc::from(code).is_allowed();
                may.then_some(Frame::Close(Some(code))).ok_or(FrameError::BadClose)
            }
            [_] => Err(FrameError::BadClose),
        },
        // The header's parser refuses these before.
        Control::Reserved(opcode) => Err(FrameError::ReservedOpcode { opcode }),
    }
}

/// Takes the mask off (RFC 6455, section 5.3), eight bytes at a time.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = payload.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let eight = <[u8; 8]>::try_from(&*chunk).expect("a chunk has eight bytes");
        chunk.copy_from_slice(&(u64::from_ne_bytes(eight) ^ wide).to_ne_bytes());
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A client's frame: first byte, payload; masked.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..=125 => bytes.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                bytes.push(0xfe);
                bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
            }
        }
        let mask = [0x5a, 0x01, 0xff, 0x3c];
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    /// All frames of `bytes` as text, handed over in pieces of `step` bytes, up to an error.
    fn read(bytes: &[u8], step: usize) -> Vec<String> {
        let mut reader = FrameReader::default();
        let (mut told, mut buffer) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(step) {
            buffer.extend_from_slice(piece);
            loop {
                let used = match reader.next(&mut buffer) {
                    Ok(None) => break,
                    Ok(Some((used, frame))) => {
                        told.push(format!("{frame:?}"));
                        used
                    }
                    Err(error) => {
                        told.push(format!("{} {error}", error.close_code()));
                        return told;
                    }
                };
                buffer.drain(..used);
            }
        }
        told
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: &[&str]) {
        for step in [1, 3, bytes.len()] {
            assert_eq!(read(bytes, step), expected, "in pieces of {step}");
        }
    }

    #[test]
    fn whole_messages_come_wherever_they_are_cut() {
        let bytes =
            [frame(0x81, b"{\"a\":1}"), frame(0x82, &[7; 200]), frame(0x89, b"hi")].concat();
        let binary = format!("Binary({:?})", [7; 200]);
        check(&bytes, &["Text(\"{\\\"a\\\":1}\")", &binary, "Ping([104, 105])"]);
    }

    #[test]
    fn parts_become_one_message_with_control_frames_between_them() {
        let parts =
            [frame(0x01, b"a"), frame(0x8a, b""), frame(0x00, b"b"), frame(0x80, b"c")].concat();
        let again = frame(0x82, b"d");
        check(
            &[parts, again].concat(),
            &["Part", "Pong", "Part", "Text(\"abc\")", "Binary([100])"],
        );
    }

    #[test]
    fn what_breaks_the_rules_has_its_code() {
        let unmasked = [0x82, 0x01, 0x00];
        check(&unmasked, &["1002 the frame is not masked; clients must mask every frame"]);
        for first in [0xc2, 0xa2, 0x92] {
            let told = "1002 a reserved bit is set; no extension was agreed on";
            check(&frame(first, b""), &[told]);
        }
        check(&frame(0x83, b""), &["1002 opcode 3 is reserved"]);
        check(&frame(0x8b, b""), &["1002 opcode 11 is reserved"]);
        check(&frame(0x09, b""), &["1002 a control frame must not be fragmented"]);
        let long = "1002 a control frame of 126 bytes; 125 are allowed";
        check(&frame(0x89, &[0; 126]), &[long]);
        let alone = "1002 a continuation frame came without a message that it continues";
        check(&frame(0x80, b"x"), &[alone]);
        let twice = [frame(0x01, b"a"), frame(0x81, b"b")].concat();
        check(&twice, &["Part", "1002 a new message began before the last one ended"]);
        check(&frame(0x81, &[0xff]), &["1007 a text that is not UTF-8"]);
        check(&frame(0x88, &[0x03]), &["1002 the close frame is malformed"]);
        check(&frame(0x88, &[0x03, 0xed]), &["1002 the close frame is malformed"]);
        check(&frame(0x88, &[0x03, 0xe8, 0xff]), &["1007 a text that is not UTF-8"]);
        check(&frame(0x88, &[0x03, 0xe8]), &["Close(Some(1000))"]);
        check(&frame(0x88, &[]), &["Close(None)"]);
    }

    #[test]
    fn a_length_is_refused_before_its_bytes_come() {
        for length in [4_097_u64, 65_536, 1 << 62, u64::MAX >> 1, u64::MAX] {
            let bytes = [&[0x82, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
            let told = format!("1009 a message of {length} bytes or more; 4096 are allowed");
            check(&bytes, &[&told]);
        }
        let parts = [frame(0x02, &[0; 4_000]), frame(0x00, &[0; 97])].concat();
        check(&parts, &["Part", "1009 a message of 4097 bytes or more; 4096 are allowed"]);
    }

    #[test]
    fn an_idle_connection_keeps_a_pointer() {
        assert_eq!(size_of::<FrameReader>(), size_of::<usize>());
        let mut reader = FrameReader::default();
        for (first, payload) in [(0x02, b"a"), (0x80, b"b"), (0x82, b"c")] {
            assert!(reader.next(&mut frame(first, payload)).unwrap().is_some());
        }
        assert!(reader.unfinished.is_none());
    }

    proptest! {
        #[test]
        fn the_mask_comes_off_at_any_length(payload in prop::collection::vec(any::<u8>(), 0..70)) {
            let mut bytes = frame(0x82, &payload);
            let mut reader = FrameReader::default();
            let (used, read) = reader.next(&mut bytes).unwrap().unwrap();
            prop_assert_eq!(used, payload.len() + 6);
            prop_assert_eq!(read, Frame::Binary(&payload));
        }

        #[test]
        fn cutting_changes_nothing(bytes in prop::collection::vec(any::<u8>(), 0..300), step in 1_usize..40) {
            prop_assert_eq!(read(&bytes, step), read(&bytes, bytes.len().max(1)));
        }
    }
}
