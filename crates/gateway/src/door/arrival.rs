//! A connection from its first byte to its first frame: PROXY header, TLS, WebSocket handshake.

use std::{
    io::{self, Read},
    net::SocketAddr,
    sync::Arc,
};

use rustls::{ServerConfig, ServerConnection};
use stampede_domain::TooFast;
use stampede_engine::{Clock, Health};
use stampede_proxies::{CHECKED, ClientAddress, ProxyProtocol, take_preamble};
use stampede_wire::Subprotocol;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::debug;

use super::handshake::{Handshake, HealthCheck, Rules, answer, banned, too_fast, too_long};
use crate::{
    admission::{Entry, Pass},
    core::Newcomer,
    metrics::count_handshake,
    shared::GatewayState,
};

/// Bytes that are thrown away after a refusal before the connection is dropped.
const LINGER_BYTES_MAX: u64 = 64 << 10;

// Outcomes of a handshake, as they are counted.
const ACCEPTED: &str = "accepted";
const REFUSED: &str = "refused";
const BROKEN: &str = "broken";
const TIMED_OUT: &str = "timed_out";
const TLS_FAILED: &str = "tls_failed";
/// The address opened too many connections even to be told so, or all addresses together did.
pub(crate) const DROPPED: &str = "dropped";

/// A connection that has not finished its handshake.
pub(crate) struct Arrival {
    from: SocketAddr,
    /// What the client's address may do, once that is known.
    entry: Option<Result<Pass, TooFast>>,
    clock: Arc<dyn Clock>,
    shared: Arc<GatewayState>,
    /// How its first bytes are read.
    preamble: Preamble,
}

/// What a connection begins with, before its request.
#[derive(Clone)]
pub(crate) struct Preamble {
    /// TLS, unless a proxy speaks it.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Whether a PROXY header is in front.
    pub(crate) proxy: ProxyProtocol,
}

/// Bytes that most requests fit into.
const FIRST_BYTES: usize = 1 << 10;

/// What an accepted request makes known.
struct AcceptedRequest {
    subprotocol: Subprotocol,
    early: Vec<u8>,
    client: ClientAddress,
    pass: Pass,
}

impl Arrival {
    pub(crate) fn new(
        from: SocketAddr,
        clock: Arc<dyn Clock>,
        shared: Arc<GatewayState>,
        preamble: Preamble,
    ) -> Self {
        Self { from, entry: None, clock, shared, preamble }
    }

    /// Counts the connection for its address, unless that has been done.
    ///
    /// # Errors
    /// The address opened too many even to be told so.
    pub(crate) fn admit(&mut self, client: ClientAddress) -> Result<(), &'static str> {
        if self.entry.is_none() {
            let entry = self.shared.addresses.arrive(client.ip(), self.clock.now());
            self.entry = Some(match entry {
                Entry::In(pass) => Ok(pass),
                Entry::TooFast(why) => Err(why),
                Entry::Dropped => return Err(DROPPED),
            });
        }
        Ok(())
    }

    /// Takes the connection through its handshakes; `None` if nothing came of it.
    pub(crate) async fn run(self, stream: TcpStream) -> Option<Newcomer> {
        let time = self.shared.config.handshake_timeout.to_std();
        let (outcome, newcomer) = match timeout(time, self.shake_hands(stream)).await {
            Ok(Ok(newcomer)) => (ACCEPTED, Some(newcomer)),
            Ok(Err(outcome)) => (outcome, None),
            Err(_) => (TIMED_OUT, None),
        };
        count_handshake(outcome);
        newcomer
    }

    async fn shake_hands(mut self, mut stream: TcpStream) -> Result<Newcomer, &'static str> {
        let shared = Arc::clone(&self.shared);
        let (config, from) = (&shared.config, self.from);
        let trusted = &config.trusted_proxies;
        let Preamble { tls, proxy } = self.preamble.clone();
        let peer = take_preamble(&mut stream, from, proxy, trusted).await;
        let peer = peer.map_err(|why| {
            debug!(%from, %why, "a connection was dropped");
            why.reason()
        })?;
        if !peer.is_trusted(trusted) {
            self.admit(peer.address)?;
        }
        let bytes_max = config.handshake_bytes_max;
        let is_tls = tls.is_some();
        let rules = Rules { origins: &config.origins, is_tls, trusted, peer, bytes_max };
        let Some(tls) = &tls else {
            let accepted = self.upgrade(&mut stream, rules).await?;
            return newcomer(stream, None, accepted);
        };
        let mut sealed = seal(stream, tls, peer.address).await?;
        let mut accepted = self.upgrade(&mut sealed, rules).await?;
        let (stream, mut tls) = sealed.into_inner();
        take_decrypted(&mut tls, &mut accepted.early).map_err(|_| BROKEN)?;
        newcomer(stream, Some(Box::new(tls)), accepted)
    }

    /// Reads the request, writes the response.
    async fn upgrade(
        mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        rules: Rules<'_>,
    ) -> Result<AcceptedRequest, &'static str> {
        let mut received = Received::new();
        loop {
            match answer(&received.bytes, rules) {
                Handshake::Incomplete => {}
                Handshake::Check(check) => return Err(self.report(stream, check).await),
                Handshake::Accepted { response, subprotocol, request_bytes, client } => {
                    self.admit(client)?;
                    if self.shared.brake.is_banned_address(client.ip()) {
                        return Err(refuse(stream, &banned()).await);
                    }
                    match self.entry.expect("it was just admitted") {
                        Ok(pass) => {
                            write(stream, &response).await.map_err(|_| BROKEN)?;
                            let early = received.bytes.split_off(request_bytes);
                            return Ok(AcceptedRequest { subprotocol, early, client, pass });
                        }
                        Err(why) => return Err(refuse(stream, &too_fast(why)).await),
                    }
                }
                Handshake::Refused { response } => return Err(refuse(stream, &response).await),
            }
            received.read_on(stream, rules).await?;
            if received.empty_lines >= rules.bytes_max {
                return Err(refuse(stream, &too_long(rules.bytes_max)).await);
            }
        }
    }

    /// Answers a health check, says how it is counted.
    async fn report(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        check: HealthCheck,
    ) -> &'static str {
        let is_ready = self.shared.health.health() == Health::Ready;
        match refuse(stream, &check.response(is_ready)).await {
            REFUSED => CHECKED,
            broken => broken,
        }
    }
}

/// A request as far as it has come.
struct Received {
    bytes: Vec<u8>,
    /// Bytes of empty lines in front of it, which mean nothing and are not kept.
    empty_lines: usize,
}

impl Received {
    fn new() -> Self {
        Self { bytes: Vec::with_capacity(FIRST_BYTES), empty_lines: 0 }
    }

    /// Reads until it is worth another look at the request: a line without anything has ended it, or
    /// there is twice as much. A client that sends byte by byte costs little more than any other.
    async fn read_on(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        rules: Rules<'_>,
    ) -> Result<(), &'static str> {
        let enough = rules.bytes_max.min(self.bytes.len().saturating_mul(2));
        loop {
            let unread = self.bytes.len();
            let room = rules.bytes_max.saturating_sub(unread).max(1) as u64;
            let came = (&mut *stream).take(room).read_buf(&mut self.bytes).await;
            let nothing_came = self.bytes.is_empty() && self.empty_lines == 0;
            match came {
                Ok(0) | Err(_) if nothing_came && rules.peer.is_proxy(rules.trusted) => {
                    return Err(CHECKED);
                }
                Ok(0) | Err(_) => return Err(BROKEN),
                Ok(_) => {}
            }
            let is_ended = has_blank_line(&self.bytes[unread.saturating_sub(2)..]);
            self.drop_empty_lines();
            if is_ended || self.bytes.len() >= enough {
                return Ok(());
            }
        }
    }

    /// Forgets empty lines in front of the request, which RFC 9112 (2.2) has servers ignore. Kept, each of them would
    /// look like the end of a head.
    fn drop_empty_lines(&mut self) {
        let mut rest = self.bytes.as_slice();
        while let Some(after) = rest.strip_prefix(b"\n").or_else(|| rest.strip_prefix(b"\r\n")) {
            rest = after;
        }
        let empty = self.bytes.len() - rest.len();
        self.bytes.drain(..empty);
        self.empty_lines += empty;
    }
}

async fn seal(
    stream: TcpStream,
    config: &Arc<ServerConfig>,
    peer: ClientAddress,
) -> Result<TlsStream<TcpStream>, &'static str> {
    TlsAcceptor::from(Arc::clone(config)).accept(stream).await.map_err(|why| {
        debug!(%peer, %why, "a TLS handshake failed");
        TLS_FAILED
    })
}

fn newcomer(
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    accepted: AcceptedRequest,
) -> Result<Newcomer, &'static str> {
    let AcceptedRequest { subprotocol, early, client, pass } = accepted;
    let stream = stream.into_std().map_err(|_| BROKEN)?;
    Ok(Newcomer { stream, tls, early, subprotocol, client, pass })
}

/// Moves what is decrypted already, which would not make the socket ready again.
fn take_decrypted(tls: &mut ServerConnection, early: &mut Vec<u8>) -> io::Result<()> {
    let mut piece = [0; 1 << 10];
    loop {
        match tls.reader().read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => early.extend_from_slice(&piece[..length]),
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(why) => return Err(why),
        }
    }
}

/// Whether a head may end here, by either kind of line end.
fn has_blank_line(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    // TLS may keep the end of it back otherwise.
    stream.flush().await
}

/// Sends the response, closes, returns the outcome for the counter.
async fn refuse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    response: &[u8],
) -> &'static str {
    if write(stream, response).await.is_err() {
        return BROKEN;
    }
    let farewell = async {
        stream.shutdown().await?;
        // What the client still sends is taken, so that the response is not cut off.
        tokio::io::copy(&mut stream.take(LINGER_BYTES_MAX), &mut tokio::io::sink()).await
    };
    // It has been told; few clients of TLS say goodbye after that.
    let _unsaid = farewell.await;
    REFUSED
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use stampede_proxies::TrustedProxies;
    use tokio::io::ReadBuf;

    use super::*;

    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: sale.example\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: stampede.v1.json\r\n";

    /// A client that sends its bytes in packets, then hangs up.
    struct Packets<'a>(Vec<&'a [u8]>);

    impl<'a> Packets<'a> {
        fn of(bytes: &'a [u8], length: usize) -> Self {
            Self(bytes.chunks(length).rev().collect())
        }
    }

    impl AsyncRead for Packets<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            into: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if let Some(packet) = self.0.pop() {
                let (now, later) = packet.split_at(packet.len().min(into.remaining()));
                into.put_slice(now);
                if !later.is_empty() {
                    self.0.push(later);
                }
            }
            Poll::Ready(Ok(()))
        }
    }

    /// What becomes of a client's bytes: the end of the request in what was kept or else how it failed, and how many
    /// bytes were looked at on the way.
    fn shake_hands(mut client: Packets<'_>, bytes_max: usize) -> (Result<usize, String>, usize) {
        let trusted = TrustedProxies::default();
        let peer = ClientAddress::new([198, 51, 100, 7].into()).into();
        let rules = Rules { origins: &[], is_tls: false, trusted: &trusted, peer, bytes_max };
        let (mut received, mut looked_at) = (Received::new(), 0);
        let shaking = async {
            loop {
                looked_at += received.bytes.len();
                match answer(&received.bytes, rules) {
                    Handshake::Incomplete => {}
                    Handshake::Accepted { request_bytes, .. } => return Ok(request_bytes),
                    Handshake::Refused { response } => {
                        return Err(String::from_utf8(response).unwrap());
                    }
                    Handshake::Check(_) => panic!("it asks for /"),
                }
                received.read_on(&mut client, rules).await.map_err(str::to_owned)?;
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        (runtime.block_on(shaking), looked_at)
    }

    #[test]
    fn a_request_is_read_however_it_is_cut() {
        for line_end in ["\r\n", "\n"] {
            let whole = format!("{REQUEST}\r\n").replace("\r\n", line_end).into_bytes();
            for length in 1..=whole.len() {
                let (came, looked_at) = shake_hands(Packets::of(&whole, length), 16 << 10);
                assert_eq!(came, Ok(whole.len()), "in packets of {length}");
                assert!(looked_at <= 4 * whole.len(), "{looked_at} bytes in packets of {length}");
            }
            for cut in 1..whole.len() {
                let (first, second) = whole.split_at(cut);
                let (came, _) = shake_hands(Packets(vec![second, first]), 16 << 10);
                assert_eq!(came, Ok(whole.len()), "cut at {cut}");
            }
        }
    }

    #[test]
    fn empty_lines_in_front_cost_as_much_as_they_are_long() {
        let whole = format!("{REQUEST}\r\n");
        for (lines, length) in [("\n", 1), ("\r\n", 1), ("\r\n", 2), ("\r\n", 3), ("\n\r\n", 1_000)]
        {
            let bytes = format!("{}{whole}", lines.repeat(4_000 / lines.len())).into_bytes();
            let (came, looked_at) = shake_hands(Packets::of(&bytes, length), 16 << 10);
            assert!(looked_at <= 2 * bytes.len(), "{looked_at} bytes, {lines:?} by {length}");
            assert_eq!(came, Ok(whole.len()), "{lines:?} in packets of {length}");
        }
        let lone = format!("\r{whole}");
        let (came, _) = shake_hands(Packets::of(lone.as_bytes(), 1), 16 << 10);
        assert!(came.unwrap_err().starts_with("HTTP/1.1 400 "), "no line end at all");
    }

    #[test]
    fn a_request_has_as_many_bytes_as_it_may() {
        let of = |bytes: usize| {
            let filler = "x".repeat(bytes - REQUEST.len() - "Cookie: \r\n\r\n".len());
            format!("{REQUEST}Cookie: {filler}\r\n\r\n").into_bytes()
        };
        for (bytes_max, bytes) in [
            (16 << 10, 9 << 10),
            (16 << 10, 12_345),
            (16 << 10, 16 << 10),
            (1 << 10, 1 << 10),
            (64 << 10, 40_000),
        ] {
            for length in [1, 1_000, usize::MAX] {
                let whole = of(bytes);
                assert_eq!(whole.len(), bytes);
                let (came, _) = shake_hands(Packets::of(&whole, length), bytes_max);
                assert_eq!(came, Ok(bytes), "of {bytes_max} in packets of {length}");
                let (came, _) = shake_hands(Packets::of(&of(bytes_max + 1), length), bytes_max);
                assert!(came.unwrap_err().starts_with("HTTP/1.1 431 "), "one too many");
            }
        }
    }
}
