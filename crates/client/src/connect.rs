//! From an address to a WebSocket.

use std::{net::SocketAddr, time::Duration};

use rustls::pki_types::ServerName;
use stampede_wire::{
    Subprotocol,
    limits::{CLIENT_FRAME_BYTES_MAX, SERVER_FRAME_BYTES_MAX},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, client::IntoClientRequest, handshake::client::Request, http::HeaderValue,
        protocol::WebSocketConfig,
    },
};
use tokio_util::either::Either;

use crate::{ClientError, ClientTls};

/// The bytes of a connection; what TLS needs is boxed, so that plain connections stay small.
pub(crate) type Transport = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Bytes read at once: answers are smaller, and thousands of connections each own such a buffer.
const READ_BUFFER_BYTES: usize = 2 * 1024;
/// Bytes that may wait for a slow network before sending fails.
const WRITE_BUFFER_BYTES_MAX: usize = 4 * CLIENT_FRAME_BYTES_MAX;
/// Bytes of a refused handshake's body that are kept for the error.
const BODY_BYTES_MAX: usize = 200;

/// Where to connect to, and how.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Address of the server: `wss://host/`, or `ws://host:port/` in the open.
    pub url: String,
    /// How messages are encoded.
    pub subprotocol: Subprotocol,
    /// The address to dial instead of asking the name service for the URL's host. The request and the
    /// certificate still name that host.
    pub address: Option<SocketAddr>,
    /// The local address to connect from, for machines with several; port 0 lets the system choose.
    pub local: Option<SocketAddr>,
    /// Name and version of the program, shown in the server's logs; at most 64 bytes.
    pub client: Option<String>,
    /// Most time for connecting, handshake and welcome together.
    pub connect_timeout: Duration,
    /// Whether stock ticks are dropped unread; a crowd of buyers does not look at them.
    pub skip_stock_ticks: bool,
    /// Which certificates a `wss://` server may have; `None` takes [`ClientTls::mozilla`].
    pub tls: Option<ClientTls>,
    /// Whether a silent server ends the connection. Costs one timer for each connection.
    pub watch_heartbeat: bool,
}

impl ConnectOptions {
    /// The usual: 20 s to connect, ticks are shown, the heartbeat is watched.
    pub fn new(url: &str, subprotocol: Subprotocol) -> Self {
        Self {
            url: url.to_owned(),
            subprotocol,
            address: None,
            local: None,
            client: None,
            connect_timeout: Duration::from_secs(20),
            skip_stock_ticks: false,
            tls: None,
            watch_heartbeat: true,
        }
    }
}

/// Connects and upgrades.
pub(crate) async fn upgrade(
    options: &ConnectOptions,
) -> Result<WebSocketStream<Transport>, ClientError> {
    let (mut request, tls) = request(&options.url)?;
    let name = HeaderValue::from_static(options.subprotocol.name());
    request.headers_mut().insert("Sec-WebSocket-Protocol", name);
    let host = request.uri().host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = request.uri().port_u16().unwrap_or(if tls { 443 } else { 80 });
    let stream = dial(&host, port, options).await?;
    let stream = if tls { seal(stream, host, options).await? } else { Either::Left(stream) };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_message_size(Some(SERVER_FRAME_BYTES_MAX))
        .max_frame_size(Some(SERVER_FRAME_BYTES_MAX));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            let head = &body[..body.len().min(BODY_BYTES_MAX)];
            let after = response.headers().get("retry-after");
            Err(ClientError::HandshakeRefused {
                retry_after_s: after.and_then(|after| after.to_str().ok()?.trim().parse().ok()),
                status: response.status().as_u16(),
                body: String::from_utf8_lossy(head).trim_end().to_owned(),
            })
        }
        Err(error) => Err(ClientError::Handshake { source: Box::new(error) }),
    }
}

/// The request with whether it travels by TLS.
fn request(url: &str) -> Result<(Request, bool), ClientError> {
    let wrong = |why| ClientError::Address { url: url.to_owned(), why };
    let request = url.into_client_request().map_err(|_| wrong("it does not parse"))?;
    match request.uri().scheme_str() {
        Some("ws") => Ok((request, false)),
        Some("wss") => Ok((request, true)),
        _ => Err(wrong("its scheme is another one")),
    }
}

async fn seal(
    stream: TcpStream,
    host: String,
    options: &ConnectOptions,
) -> Result<Transport, ClientError> {
    let tls = options.tls.clone().unwrap_or_else(ClientTls::mozilla);
    let why = "its host can have no certificate";
    let name = ServerName::try_from(host)
        .map_err(|_| ClientError::Address { url: options.url.clone(), why })?;
    let sealed = TlsConnector::from(tls.config()).connect(name, stream).await;
    sealed
        .map(|sealed| Either::Right(Box::new(sealed)))
        .map_err(|source| ClientError::Tls { source })
}

async fn dial(host: &str, port: u16, options: &ConnectOptions) -> Result<TcpStream, ClientError> {
    let to = match options.address {
        Some(address) => address,
        None => resolve(host, port, options).await?,
    };
    let stream = dial_from(options.local, to).await;
    stream.map_err(|source| ClientError::Connect { to, source })
}

async fn resolve(
    host: &str,
    port: u16,
    options: &ConnectOptions,
) -> Result<SocketAddr, ClientError> {
    let unresolved = |source| ClientError::Resolve { host: host.to_owned(), source };
    let found = tokio::net::lookup_host((host, port)).await;
    let same_family = |to: &SocketAddr| options.local.is_none_or(|l| l.is_ipv4() == to.is_ipv4());
    found
        .map_err(|error| unresolved(Some(error)))?
        .find(same_family)
        .ok_or_else(|| unresolved(None))
}

async fn dial_from(local: Option<SocketAddr>, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(local) = local {
        socket.set_reuseaddr(true)?;
        socket.bind(local)?;
    }
    socket.set_nodelay(true)?;
    socket.connect(to).await
}

/// Ends the outgoing half after what was written, then drops the socket.
pub(crate) async fn abandon(socket: WebSocketStream<Transport>) {
    // A connection that is gone already is what the caller asks for.
    let _gone = socket.into_inner().shutdown().await;
}
