//! A connection from its first byte to its first frame: PROXY header, TLS, WebSocket handshake.

use std::{
    io::{self, Read},
    net::SocketAddr,
    sync::Arc,
};

use rustls::{ServerConfig, ServerConnection};
use stampede_domain::TooFast;
use stampede_engine::{Clock, Health};
use stampede_proxies::{CHECKED, ClientAddress, take_preamble};
use stampede_wire::Subprotocol;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::debug;

use super::handshake::{Handshake, HealthCheck, Rules, answer, banned, too_fast};
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
    pub(crate) fn new(from: SocketAddr, clock: Arc<dyn Clock>, shared: Arc<GatewayState>) -> Self {
        Self { from, entry: None, clock, shared }
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
        let peer = take_preamble(&mut stream, from, config.proxy_protocol, trusted).await;
        let peer = peer.map_err(|why| {
            debug!(%from, %why, "a connection was dropped");
            why.reason()
        })?;
        if !peer.is_trusted(trusted) {
            self.admit(peer.address)?;
        }
        let bytes_max = config.handshake_bytes_max;
        let rules = Rules { origins: &config.origins, trusted, peer, bytes_max };
        let Some(tls) = &config.tls else {
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
        let mut received = Vec::with_capacity(FIRST_BYTES);
        loop {
            match answer(&received, rules) {
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
                            let early = received.split_off(request_bytes);
                            return Ok(AcceptedRequest { subprotocol, early, client, pass });
                        }
                        Err(why) => return Err(refuse(stream, &too_fast(why)).await),
                    }
                }
                Handshake::Refused { response } => return Err(refuse(stream, &response).await),
            }
            self.read_on(stream, &mut received, rules).await?;
        }
    }

    /// Reads until it is worth another look at the request: a line without anything has ended it, or
    /// there is twice as much. A client that sends byte by byte costs little more than any other.
    async fn read_on(
        &self,
        stream: &mut (impl AsyncRead + Unpin),
        received: &mut Vec<u8>,
        rules: Rules<'_>,
    ) -> Result<(), &'static str> {
        let seen = received.len();
        let enough = rules.bytes_max.min(seen.saturating_mul(2));
        loop {
            let unread = received.len();
            let room = rules.bytes_max.saturating_sub(unread).max(1) as u64;
            let came = (&mut *stream).take(room).read_buf(received).await;
            match came {
                Ok(0) | Err(_) if received.is_empty() && rules.peer.is_proxy(rules.trusted) => {
                    return Err(CHECKED);
                }
                Ok(0) | Err(_) => return Err(BROKEN),
                Ok(_) => {}
            }
            if received.len() >= enough || has_blank_line(&received[unread.saturating_sub(2)..]) {
                return Ok(());
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
