//! A new connection up to the end of its PROXY header.

use std::{io, net::SocketAddr};

use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::{
    ClientAddress, PREAMBLE_BYTES_MAX, Peer, Preamble, PreambleError, ProxyProtocol,
    TrustedProxies, read_preamble,
};

/// How a health check is counted, wherever it ends.
pub const CHECKED: &str = "checked";

/// Why a connection is dropped before its first request.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Only trusted proxies may connect where the header is required.
    #[error("{peer} is no trusted proxy; the PROXY protocol is required here")]
    Untrusted {
        /// The socket's other side.
        peer: ClientAddress,
    },
    /// The connection does not begin with a header.
    #[error(transparent)]
    Preamble(#[from] PreambleError),
    /// A trusted proxy's own connection ended before its first byte: it looked whether somebody
    /// listens.
    #[error("a proxy's health check")]
    Check,
    /// The connection ended, or failed.
    #[error("the connection ended within its PROXY header: {0}")]
    Broken(#[from] io::Error),
}

impl IntakeError {
    /// Everything that [`IntakeError::reason`] says.
    pub const REASONS: [&str; 6] = [
        "proxy_untrusted",
        "proxy_missing",
        "proxy_too_long",
        "proxy_malformed",
        "proxy_broken",
        CHECKED,
    ];

    /// A few words for a counter's label.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Untrusted { .. } => "proxy_untrusted",
            Self::Preamble(PreambleError::Missing) => "proxy_missing",
            Self::Preamble(PreambleError::TooLong) => "proxy_too_long",
            Self::Preamble(PreambleError::Malformed(_)) => "proxy_malformed",
            Self::Broken(_) => "proxy_broken",
            Self::Check => CHECKED,
        }
    }
}

/// Takes the PROXY header off a connection, if the listener requires one, says who connected.
///
/// Not a byte behind the header is taken, so what follows reads the bare stream. On a proxy's own
/// connection this waits for the first such byte, because many proxies check a server by connecting
/// and hanging up. The caller has the deadline.
///
/// # Errors
/// [`IntakeError`]; the connection is of no use.
pub async fn take_preamble(
    stream: &mut TcpStream,
    peer: SocketAddr,
    expects: ProxyProtocol,
    trusted: &TrustedProxies,
) -> Result<Peer, IntakeError> {
    let socket = ClientAddress::new(peer.ip());
    let peer = match expects {
        ProxyProtocol::Off => socket.into(),
        ProxyProtocol::Required if !trusted.contains(socket) => {
            return Err(IntakeError::Untrusted { peer: socket });
        }
        ProxyProtocol::Required => take_header(stream, socket).await?,
    };
    if peer.is_proxy(trusted) && matches!(stream.peek(&mut [0]).await, Ok(0) | Err(_)) {
        return Err(IntakeError::Check);
    }
    Ok(peer)
}

async fn take_header(stream: &mut TcpStream, socket: ClientAddress) -> Result<Peer, IntakeError> {
    // Boxed: a connection's task would keep the room long after.
    let mut header = vec![0; PREAMBLE_BYTES_MAX].into_boxed_slice();
    let mut taken = 0;
    loop {
        let seen = match stream.peek(&mut header[taken..]).await {
            Ok(0) | Err(_) if taken == 0 => return Err(IntakeError::Check),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            came => taken + came?,
        };
        let read = read_preamble(&header[..seen])?;
        // Bytes of a header that goes on are all its own, so the next look waits for new ones.
        let end = if let Preamble::Complete { bytes, .. } = read { bytes } else { seen };
        stream.read_exact(&mut header[taken..end]).await?;
        taken = end;
        if let Preamble::Complete { source, .. } = read {
            return Ok(source.map_or(Peer { address: socket, is_final: true }, Peer::from));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;
    use crate::{Claims, client_address};

    /// What becomes of a connection from loopback that sends `pieces`, each by itself; with what
    /// follows its header.
    async fn intake(pieces: &[&[u8]], trusted: &[&str]) -> Result<(Peer, Vec<u8>), IntakeError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.set_nodelay(true).unwrap();
        let (mut stream, peer) = listener.accept().await.unwrap();
        let trusted = TrustedProxies::parse(trusted).unwrap();
        let sending = async {
            for piece in pieces {
                // A connection that was dropped in the middle takes no more.
                let _refused = client.write_all(piece).await;
                tokio::task::yield_now().await;
            }
            client.shutdown().await
        };
        let taking = async {
            let peer = take_preamble(&mut stream, peer, ProxyProtocol::Required, &trusted).await?;
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await?;
            Ok((peer, rest))
        };
        tokio::join!(sending, taking).1
    }

    #[tokio::test]
    async fn the_header_is_taken_with_not_a_byte_behind_it() {
        let whole: &[u8] = b"PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\nGET / ";
        let named = Peer::from(ClientAddress::new("203.0.113.9".parse().unwrap()));
        let (peer, rest) = intake(&[whole], &["127.0.0.1"]).await.unwrap();
        assert_eq!((peer, rest.as_slice()), (named, &b"GET / "[..]));
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        let (peer, rest) = intake(&bytes, &["127.0.0.0/8"]).await.unwrap();
        assert_eq!((peer, rest.as_slice()), (named, &b"GET / "[..]));
    }

    #[tokio::test]
    async fn a_proxy_that_speaks_for_itself_is_the_client_whatever_is_forwarded() {
        let trusted = ["127.0.0.1"];
        let (peer, _) = intake(&[b"PROXY UNKNOWN\r\nGET"], &trusted).await.unwrap();
        let claims = Claims { x_forwarded_for: vec![b"203.0.113.9"], ..Claims::default() };
        let trusted = TrustedProxies::parse(&trusted).unwrap();
        let client = client_address(peer, &trusted, &claims).unwrap();
        assert_eq!(client.to_string(), "127.0.0.1");
        let direct = client_address(client.into(), &trusted, &claims).unwrap();
        assert_eq!(direct.to_string(), "203.0.113.9", "without a header the claim counts");
    }

    #[tokio::test]
    async fn a_proxy_that_hangs_up_without_a_word_only_looked() {
        let trusted = ["127.0.0.1"];
        let local: &[u8] = b"PROXY UNKNOWN\r\n";
        let named: &[u8] = b"PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n";
        for sent in [&[][..], &[local]] {
            assert_eq!(intake(sent, &trusted).await.unwrap_err().reason(), CHECKED);
        }
        let (peer, rest) = intake(&[named], &trusted).await.unwrap();
        assert_eq!((peer.address.to_string(), rest.len()), ("203.0.113.9".into(), 0), "a client");
    }

    #[tokio::test]
    async fn others_are_dropped_with_a_reason() {
        let header: &[u8] = b"PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n";
        let cases: [(&[u8], &[&str], &str); 5] = [
            (header, &[], "proxy_untrusted"),
            (header, &["10.0.0.0/8"], "proxy_untrusted"),
            (b"GET / HTTP/1.1\r\n\r\n", &["127.0.0.1"], "proxy_missing"),
            (b"PROXY TCP9 \r\n", &["127.0.0.1"], "proxy_malformed"),
            (b"PROXY TCP4 203.", &["127.0.0.1"], "proxy_broken"),
        ];
        for (sent, trusted, reason) in cases {
            assert_eq!(intake(&[sent], trusted).await.unwrap_err().reason(), reason);
        }
    }
}
