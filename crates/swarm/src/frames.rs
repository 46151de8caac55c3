//! WebSocket frames from the client's side.
//!
//! Only what a generator needs: whole messages, no extensions. Client frames are masked with any key;
//! an unpredictable one protects proxies from scripts in browsers, of which there are none here.

/// Longest payload that a generator reads: more than any message of the server.
const PAYLOAD_BYTES_MAX: u64 = 2 << 20;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// A message in UTF-8.
    Text,
    /// A message in bytes.
    Binary,
    /// The end of the connection.
    Close,
    /// Asks for a pong.
    Ping,
    /// Answers a ping.
    Pong,
}

/// Why bytes are no frame that a server sends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Masked, of unknown kind, in parts, or with reserved bits.
    #[error("a frame begins with {first:#04x} {second:#04x}; whole unmasked frames are read")]
    Head {
        /// Its first byte.
        first: u8,
        /// Its second byte.
        second: u8,
    },
    /// Longer than anything that is read.
    #[error("a frame has {bytes} bytes; at most {PAYLOAD_BYTES_MAX} are read")]
    TooLong {
        /// Its length.
        bytes: u64,
    },
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            1 => Some(Self::Text),
            2 => Some(Self::Binary),
            8 => Some(Self::Close),
            9 => Some(Self::Ping),
            10 => Some(Self::Pong),
            _ => None,
        }
    }
}

/// Appends a client's frame to `out`.
pub fn append_masked(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], mask: u32) {
    append_head(out, opcode, payload.len(), 0x80);
    let mask = mask.to_ne_bytes();
    out.extend_from_slice(&mask);
    let from = out.len();
    out.extend_from_slice(payload);
    // Whole words first: the compiler makes vectors of them.
    let word = u32::from_ne_bytes(mask);
    let mut words = out[from..].chunks_exact_mut(4);
    for four in &mut words {
        let masked = u32::from_ne_bytes([four[0], four[1], four[2], four[3]]) ^ word;
        four.copy_from_slice(&masked.to_ne_bytes());
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

/// Appends a server's frame to `out`: for echo servers and tests.
pub fn append_server(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    append_head(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

fn append_head(out: &mut Vec<u8>, opcode: Opcode, len: usize, masked: u8) {
    out.push(0x80 | opcode.bits());
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ 0..126), _) => out.push(masked | short),
        (_, Ok(medium)) => {
            out.push(masked | 0x7e);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(masked | 0x7f);
            out.extend_from_slice(&u64::try_from(len).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
}

/// The frame that `bytes` begin with: its kind, where its payload begins and ends. `None` if more
/// bytes are needed.
///
/// # Errors
/// [`FrameError`] if the connection cannot go on.
pub fn server_frame(bytes: &[u8]) -> Result<Option<(Opcode, usize, usize)>, FrameError> {
    let [first, second, ..] = *bytes else { return Ok(None) };
    let opcode = if first & 0xf0 == 0x80 { Opcode::from_bits(first & 0x0f) } else { None };
    let Some(opcode) = opcode.filter(|_| second < 0x80) else {
        return Err(FrameError::Head { first, second });
    };
    let (len, from) = match second {
        126 => {
            let Some(len) = bytes.get(2..4) else { return Ok(None) };
            (u64::from(u16::from_be_bytes([len[0], len[1]])), 4)
        }
        127 => {
            let Some(len) = bytes.get(2..10).and_then(|len| len.try_into().ok()) else {
                return Ok(None);
            };
            (u64::from_be_bytes(len), 10)
        }
        short => (u64::from(short), 2),
    };
    let too_long = FrameError::TooLong { bytes: len };
    let len = if len > PAYLOAD_BYTES_MAX { None } else { usize::try_from(len).ok() };
    let to = from + len.ok_or(too_long)?;
    Ok((bytes.len() >= to).then_some((opcode, from, to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_are_read_back() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![7; len];
            let mut frame = Vec::new();
            append_server(&mut frame, Opcode::Binary, &payload);
            let short = frame.len() - 1;
            assert_eq!(server_frame(&frame[..short]), Ok(None), "{len}: not all is there");
            frame.push(0x81);
            let (opcode, from, to) = server_frame(&frame).unwrap().unwrap();
            assert_eq!((opcode, &frame[from..to]), (Opcode::Binary, &payload[..]));
            assert_eq!(to, frame.len() - 1, "the next frame begins there");
        }
    }

    #[test]
    fn a_masked_frame_is_the_payload_under_its_key() {
        let payload = b"seven bytes, not a multiple of four";
        let mut frame = Vec::new();
        append_masked(&mut frame, Opcode::Text, payload, 0x1234_5678);
        assert_eq!(frame[0], 0x81);
        assert_eq!(usize::from(frame[1]), 0x80 | payload.len());
        let key: [u8; 4] = frame[2..6].try_into().unwrap();
        let read: Vec<u8> = frame[6..].iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k).collect();
        assert_eq!(read, payload);
    }

    #[test]
    fn what_no_server_sends_is_refused() {
        for head in [[0x01, 0], [0x82, 0x80], [0xc2, 0], [0x83, 0]] {
            let [first, second] = head;
            assert_eq!(server_frame(&head), Err(FrameError::Head { first, second }));
        }
        let huge = [0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0];
        assert_eq!(server_frame(&huge), Err(FrameError::TooLong { bytes: 1 << 40 }));
    }
}
