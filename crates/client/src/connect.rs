//! From an address to a WebSocket.

use std::{net::SocketAddr, time::Duration};

use stampede_wire::{
    Subprotocol,
    limits::{CLIENT_FRAME_BYTES_MAX, SERVER_FRAME_BYTES_MAX},
};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, client::IntoClientRequest, handshake::client::Request, http::HeaderValue,
        protocol::WebSocketConfig,
    },
};

use crate::ClientError;

/// Bytes read at once: answers are smaller, and thousands of connections each own such a buffer.
const READ_BUFFER_BYTES: usize = 2 * 1024;
/// Bytes that may wait for a slow network before sending fails.
const WRITE_BUFFER_BYTES_MAX: usize = 4 * CLIENT_FRAME_BYTES_MAX;
/// Bytes of a refused handshake's body that are kept for the error.
const BODY_BYTES_MAX: usize = 200;

/// Where to connect to, and how.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Address of the server: `ws://host:port/`.
    pub url: String,
    /// How messages are encoded.
    pub subprotocol: Subprotocol,
    /// The local address to connect from, for machines with several; port 0 lets the system choose.
    pub local: Option<SocketAddr>,
    /// Name and version of the program, shown in the server's logs.
    pub client: Option<String>,
    /// Most time for connecting, handshake and welcome together.
    pub connect_timeout: Duration,
    /// Whether stock ticks are dropped unread; a crowd of buyers does not look at them.
    pub skip_stock_ticks: bool,
    /// Whether a silent server ends the connection. Costs one timer for each connection.
    pub watch_heartbeat: bool,
}

impl ConnectOptions {
    /// The usual: 10 s to connect, ticks are shown, the heartbeat is watched.
    pub fn new(url: &str, subprotocol: Subprotocol) -> Self {
        Self {
            url: url.to_owned(),
            subprotocol,
            local: None,
            client: None,
            connect_timeout: Duration::from_secs(10),
            skip_stock_ticks: false,
            watch_heartbeat: true,
        }
    }
}

/// Connects and upgrades.
pub(crate) async fn upgrade(
    options: &ConnectOptions,
) -> Result<WebSocketStream<TcpStream>, ClientError> {
    let mut request = request(&options.url)?;
    let name = HeaderValue::from_static(options.subprotocol.name());
    request.headers_mut().insert("Sec-WebSocket-Protocol", name);
    let stream = dial(&request, options).await?;
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
            Err(ClientError::HandshakeRefused {
                status: response.status().as_u16(),
                body: String::from_utf8_lossy(head).trim_end().to_owned(),
            })
        }
        Err(error) => Err(ClientError::Handshake { source: Box::new(error) }),
    }
}

fn request(url: &str) -> Result<Request, ClientError> {
    let wrong = |why| ClientError::Address { url: url.to_owned(), why };
    let request = url.into_client_request().map_err(|_| wrong("it does not parse"))?;
    match request.uri().scheme_str() {
        Some("ws") => Ok(request),
        _ => Err(wrong("its scheme is another one")),
    }
}

async fn dial(request: &Request, options: &ConnectOptions) -> Result<TcpStream, ClientError> {
    let uri = request.uri();
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let unresolved = |source| ClientError::Resolve { host: host.to_owned(), source };
    let found = tokio::net::lookup_host((host, uri.port_u16().unwrap_or(80))).await;
    let same_family = |to: &SocketAddr| options.local.is_none_or(|l| l.is_ipv4() == to.is_ipv4());
    let to = found
        .map_err(|error| unresolved(Some(error)))?
        .find(same_family)
        .ok_or_else(|| unresolved(None))?;
    let stream = dial_from(options.local, to).await;
    stream.map_err(|source| ClientError::Connect { to, source })
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
