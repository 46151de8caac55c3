//! The PROXY protocol's header, version 1 or 2, at the start of a connection.
//!
//! Where the header ends is found here, within bounds; what it says is read by the `ppp` crate, which
//! is only ever given a whole header.

use std::net::IpAddr;

use ppp::{v1, v2};

use crate::ClientAddress;

/// Whether a listener's connections begin with the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// They do not; a header is taken for the first bytes of a request, which it breaks.
    #[default]
    Off,
    /// They do, all of them, from trusted proxies; others are dropped.
    Required,
}

/// Bytes that the header may have, extensions included; longer ones are refused. The longest of
/// version 1 has 107, extensions of version 2 that are in use stay far below this.
pub const PREAMBLE_BYTES_MAX: usize = 1 << 10;

/// Bytes of version 1, the line's end included.
const LINE_BYTES_MAX: usize = 107;
/// Bytes of version 2 before the addresses.
const FIXED_BYTES: usize = 16;
/// Where version 2 has its version with the command, and the length of what follows.
const COMMAND_AT: usize = 12;
const LENGTH_AT: usize = 14;
/// Version 2 with the command of a connection that the proxy opened for itself.
const LOCAL: u8 = 0x20;

/// What the bytes so far are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preamble {
    /// The header goes on.
    Incomplete,
    /// The header is whole.
    Complete {
        /// Its length; what follows belongs to the connection.
        bytes: usize,
        /// Who connected to the proxy; `None` where it does not tell, or speaks for itself: then
        /// the socket's address counts.
        source: Option<ClientAddress>,
    },
}

/// Why a connection does not begin with a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreambleError {
    /// Something else came.
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    /// It has no end within bounds.
    #[error("the PROXY header is longer than {PREAMBLE_BYTES_MAX} bytes, or its line than 107")]
    TooLong,
    /// It says what it may not say.
    #[error("the PROXY header is malformed: {0}")]
    Malformed(String),
}

/// Reads the header as far as it has come.
///
/// # Errors
/// [`PreambleError`]; the connection is of no use.
pub fn read_preamble(received: &[u8]) -> Result<Preamble, PreambleError> {
    let begins = |with: &[u8]| {
        let common = received.len().min(with.len());
        received[..common] == with[..common]
    };
    if begins(v2::PROTOCOL_PREFIX) {
        binary(received)
    } else if begins(b"PROXY ") {
        line(received)
    } else {
        Err(PreambleError::Missing)
    }
}

fn line(received: &[u8]) -> Result<Preamble, PreambleError> {
    let within = &received[..received.len().min(LINE_BYTES_MAX)];
    let Some(end) = within.windows(2).position(|pair| pair == b"\r\n") else {
        let full = within.len() == LINE_BYTES_MAX;
        return if full { Err(PreambleError::TooLong) } else { Ok(Preamble::Incomplete) };
    };
    let bytes = end + 2;
    let header = v1::Header::try_from(&received[..bytes])
        .map_err(|why| PreambleError::Malformed(why.to_string()))?;
    let source: Option<IpAddr> = match header.addresses {
        v1::Addresses::Tcp4(pair) => Some(pair.source_address.into()),
        v1::Addresses::Tcp6(pair) => Some(pair.source_address.into()),
        v1::Addresses::Unknown => None,
    };
    Ok(Preamble::Complete { bytes, source: source.map(ClientAddress::new) })
}

fn binary(received: &[u8]) -> Result<Preamble, PreambleError> {
    if received.len() < FIXED_BYTES {
        return Ok(Preamble::Incomplete);
    }
    let rest = u16::from_be_bytes([received[LENGTH_AT], received[LENGTH_AT + 1]]);
    let bytes = FIXED_BYTES + usize::from(rest);
    if bytes > PREAMBLE_BYTES_MAX {
        return Err(PreambleError::TooLong);
    }
    let Some(header) = received.get(..bytes) else { return Ok(Preamble::Incomplete) };
    // The addresses of such a connection are skipped unread, whatever they look like.
    if header[COMMAND_AT] == LOCAL {
        return Ok(Preamble::Complete { bytes, source: None });
    }
    let header =
        v2::Header::try_from(header).map_err(|why| PreambleError::Malformed(why.to_string()))?;
    let source: Option<IpAddr> = match header.addresses {
        v2::Addresses::IPv4(pair) => Some(pair.source_address.into()),
        v2::Addresses::IPv6(pair) => Some(pair.source_address.into()),
        v2::Addresses::Unix(_) | v2::Addresses::Unspecified => None,
    };
    Ok(Preamble::Complete { bytes, source: source.map(ClientAddress::new) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> ClientAddress {
        ClientAddress::new(text.parse().unwrap())
    }

    /// Version 2 with this command, family, body.
    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut header = v2::PROTOCOL_PREFIX.to_vec();
        header.extend([command, family]);
        header.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        header.extend(body);
        header
    }

    fn v4_body() -> Vec<u8> {
        vec![203, 0, 113, 9, 10, 0, 0, 1, 0xc0, 0x01, 0x1e, 0x14]
    }

    fn v6_body() -> Vec<u8> {
        let mut body = vec![0; 36];
        (body[0], body[1], body[2], body[3], body[15]) = (0x20, 0x01, 0x0d, 0xb8, 7);
        body
    }

    fn sound() -> Vec<(Vec<u8>, Option<ClientAddress>)> {
        let mut extended = v4_body();
        extended.extend([0x04, 0, 3, 1, 2, 3]);
        vec![
            (
                b"PROXY TCP4 203.0.113.9 10.0.0.1 49153 7700\r\n".to_vec(),
                Some(address("203.0.113.9")),
            ),
            (b"PROXY TCP6 2001:db8::7 ::1 49153 7700\r\n".to_vec(), Some(address("2001:db8::7"))),
            (b"PROXY TCP6 ::ffff:203.0.113.9 ::1 1 2\r\n".to_vec(), Some(address("203.0.113.9"))),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n".to_vec(), None),
            (v2(0x21, 0x11, &v4_body()), Some(address("203.0.113.9"))),
            (v2(0x21, 0x21, &v6_body()), Some(address("2001:db8::7"))),
            (v2(0x21, 0x11, &extended), Some(address("203.0.113.9"))),
            (v2(0x21, 0x31, &[0; 216]), None),
            (v2(0x21, 0x00, &[]), None),
            (v2(0x20, 0x00, &[]), None),
            // The health check of a proxy: its addresses are not looked at.
            (v2(0x20, 0x11, &[1, 2, 3]), None),
            (v2(0x20, 0x99, &v4_body()), None),
        ]
    }

    #[test]
    fn a_sound_header_is_read_wherever_it_is_cut() {
        for (header, source) in sound() {
            for cut in 0..header.len() {
                assert_eq!(read_preamble(&header[..cut]), Ok(Preamble::Incomplete), "{header:?}");
            }
            let bytes = header.len();
            let mut stream = header;
            stream.extend(b"GET / HTTP/1.1\r\n\r\n");
            assert_eq!(read_preamble(&stream), Ok(Preamble::Complete { bytes, source }));
        }
    }

    #[test]
    fn what_is_no_header_is_refused_at_once() {
        let request: &[u8] = b"GET / HTTP/1.1\r\n";
        for other in [request, b"P ", b"PROXYTCP4", b"\r\n\r\nGET", b"proxy TCP4"] {
            assert_eq!(read_preamble(other), Err(PreambleError::Missing), "{other:?}");
        }
    }

    #[test]
    fn malformed_headers_are_refused() {
        let lines: [&[u8]; 7] = [
            b"PROXY \r\n",
            b"PROXY UDP4 203.0.113.9 10.0.0.1 1 2\r\n",
            b"PROXY TCP4 203.0.113.9 10.0.0.1 1\r\n",
            b"PROXY TCP4 203.0.113.256 10.0.0.1 1 2\r\n",
            b"PROXY TCP4 203.0.113.9 10.0.0.1 1 65536\r\n",
            b"PROXY TCP4 203.0.113.9 10.0.0.1 01 2\r\n",
            b"PROXY TCP6 203.0.113.9 10.0.0.1 1 2\r\n",
        ];
        let binaries = [
            v2(0x31, 0x11, &v4_body()),
            v2(0x22, 0x11, &v4_body()),
            v2(0x21, 0x41, &v4_body()),
            v2(0x21, 0x13, &v4_body()),
            v2(0x21, 0x11, &v4_body()[..11]),
            v2(0x21, 0x21, &v4_body()),
        ];
        for header in lines.into_iter().map(<[u8]>::to_vec).chain(binaries) {
            let read = read_preamble(&header);
            assert!(matches!(read, Err(PreambleError::Malformed(_))), "{header:?}: {read:?}");
        }
    }

    #[test]
    fn a_header_has_an_end_or_is_refused() {
        let endless = format!("PROXY TCP4 {}", "1".repeat(200));
        assert_eq!(read_preamble(&endless.as_bytes()[..106]), Ok(Preamble::Incomplete));
        assert_eq!(read_preamble(endless.as_bytes()), Err(PreambleError::TooLong));
        let longest = v2(0x21, 0x00, &vec![0; PREAMBLE_BYTES_MAX - FIXED_BYTES]);
        assert!(read_preamble(&longest).is_ok());
        let longer = v2(0x21, 0x00, &vec![0; PREAMBLE_BYTES_MAX - FIXED_BYTES + 1]);
        assert_eq!(read_preamble(&longer[..FIXED_BYTES]), Err(PreambleError::TooLong));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(
            start in 0_usize..4, rest in proptest::collection::vec(any::<u8>(), 0..300)
        ) {
            let starts: [&[u8]; 4] = [b"", b"PROXY ", b"PROXY TCP4 ", v2::PROTOCOL_PREFIX];
            let mut bytes = starts[start].to_vec();
            bytes.extend(rest);
            if let Ok(Preamble::Complete { bytes: length, .. }) = read_preamble(&bytes) {
                prop_assert!(length <= bytes.len() && length <= PREAMBLE_BYTES_MAX);
            }
        }
    }
}
