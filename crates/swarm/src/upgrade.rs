//! The HTTP request that opens a WebSocket, with the check of its answer.

use std::net::SocketAddr;

/// Longest answer to the handshake.
pub const ANSWER_BYTES_MAX: usize = 4_096;
/// Every connection asks with the key of RFC 6455's example, so the right answer is known.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Why no WebSocket came about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// The server said no.
    #[error("the handshake was answered with {status:?}")]
    Refused {
        /// The status line.
        status: String,
    },
    /// The server does not speak WebSocket.
    #[error("the handshake's answer lacks the right Sec-WebSocket-Accept")]
    NoAccept,
    /// The answer does not end.
    #[error("the handshake's answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}

/// The request, for every connection the same.
pub fn request(target: SocketAddr, subprotocol: Option<&str>) -> Vec<u8> {
    let offer = subprotocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
    format!(
        "GET / HTTP/1.1\r\nHost: {target}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{}\r\n",
        offer.unwrap_or_default()
    )
    .into_bytes()
}

/// Length of the answer that `bytes` begin with; `None` if more bytes are needed.
///
/// # Errors
/// [`UpgradeError`] if it is no consent.
pub fn upgraded(bytes: &[u8]) -> Result<Option<usize>, UpgradeError> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() > ANSWER_BYTES_MAX { Err(UpgradeError::TooLong) } else { Ok(None) };
    };
    let answer = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = answer.lines();
    let status = lines.next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 101") {
        return Err(UpgradeError::Refused { status: status.to_owned() });
    }
    let accepted = |line: &str| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT
        })
    };
    if lines.any(accepted) { Ok(Some(end + 4)) } else { Err(UpgradeError::NoAccept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSENT: &str = "HTTP/1.1 101 Switching Protocols\r\n\
        upgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    #[test]
    fn consent_may_come_in_parts_with_frames_behind_it() {
        assert_eq!(upgraded(&CONSENT.as_bytes()[..CONSENT.len() - 1]), Ok(None));
        let with_frame = format!("{CONSENT}frame");
        assert_eq!(upgraded(with_frame.as_bytes()), Ok(Some(CONSENT.len())));
    }

    #[test]
    fn anything_else_says_why() {
        let refused = upgraded(b"HTTP/1.1 403 Forbidden\r\n\r\n");
        let status = "HTTP/1.1 403 Forbidden".to_owned();
        assert_eq!(refused, Err(UpgradeError::Refused { status }));
        let wrong = CONSENT.replace("s3pP", "xxxx");
        assert_eq!(upgraded(wrong.as_bytes()), Err(UpgradeError::NoAccept));
        assert_eq!(upgraded(&[b'x'; ANSWER_BYTES_MAX + 1]), Err(UpgradeError::TooLong));
    }

    #[test]
    fn the_request_names_what_is_offered() {
        let target = SocketAddr::from(([127, 0, 0, 1], 7700));
        let text = String::from_utf8(request(target, Some("stampede.v1.msgpack"))).unwrap();
        assert!(text.contains("\r\nHost: 127.0.0.1:7700\r\n"));
        assert!(text.contains("\r\nSec-WebSocket-Protocol: stampede.v1.msgpack\r\n\r\n"));
    }
}
