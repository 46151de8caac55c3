//! A server that does what a test tells it.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use stampede_client::{
    ClientMessage, CloseCode, ConnectOptions, Held, ServerMessage, Subprotocol, Welcome,
};
use stampede_domain::{DropId, HoldId, IdempotencyKey, Mode, Money, Units};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::{HeaderValue, StatusCode},
        protocol::CloseFrame,
    },
};

pub(crate) struct Server {
    listener: TcpListener,
}

/// The server's end of one connection.
pub(crate) struct Peer {
    socket: WebSocketStream<TcpStream>,
    subprotocol: Subprotocol,
    pub(crate) from: SocketAddr,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn options(&self, subprotocol: Subprotocol) -> ConnectOptions {
        let url = format!("ws://{}/", self.listener.local_addr().unwrap());
        ConnectOptions::new(&url, subprotocol)
    }

    /// Takes a TCP connection and does not answer.
    pub(crate) async fn accept_mute(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }

    /// Refuses the next handshake.
    pub(crate) async fn refuse(&self, status: StatusCode, body: &str) {
        let (stream, _) = self.listener.accept().await.unwrap();
        #[expect(clippy::result_large_err, reason = "the library's callback has this form")]
        let refuse = |_: &Request, _: Response| -> Result<Response, ErrorResponse> {
            let mut response = ErrorResponse::new(Some(body.to_owned()));
            *response.status_mut() = status;
            Err(response)
        };
        assert!(accept_hdr_async(stream, refuse).await.is_err());
    }

    /// Agrees on the offered subprotocol, takes the hello, welcomes.
    pub(crate) async fn welcome(&self) -> Peer {
        let mut peer = self.hello().await;
        peer.send(&ServerMessage::Welcome(Box::new(welcome()))).await;
        peer
    }

    /// Agrees on the offered subprotocol and takes the hello.
    pub(crate) async fn hello(&self) -> Peer {
        let (stream, from) = self.listener.accept().await.unwrap();
        let mut chosen = None;
        #[expect(clippy::result_large_err, reason = "the library's callback has this form")]
        let agree =
            |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
                let offers = request.headers().get_all("sec-websocket-protocol");
                let offers = offers.iter().map(|offer| offer.to_str().unwrap());
                let subprotocol = Subprotocol::negotiate(offers).unwrap();
                chosen = Some(subprotocol);
                let name = HeaderValue::from_static(subprotocol.name());
                response.headers_mut().insert("sec-websocket-protocol", name);
                Ok(response)
            };
        let socket = Box::pin(accept_hdr_async(stream, agree)).await.unwrap();
        let mut peer = Peer { socket, subprotocol: chosen.unwrap(), from };
        peer.expect(&ClientMessage::Hello { ticket: "a ticket".into(), client: None }).await;
        peer
    }
}

impl Peer {
    pub(crate) async fn send(&mut self, message: &ServerMessage) {
        let bytes = self.subprotocol.encode_server(message);
        self.send_bytes(bytes).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: Vec<u8>) {
        let frame = match self.subprotocol {
            Subprotocol::MsgPack => Message::Binary(bytes.into()),
            Subprotocol::Json => Message::text(String::from_utf8(bytes).unwrap()),
        };
        self.send_frame(frame).await;
    }

    pub(crate) async fn send_frame(&mut self, frame: Message) {
        self.socket.send(frame).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Option<Message> {
        self.socket.next().await.transpose().unwrap_or(None)
    }

    /// The next frame is this message.
    pub(crate) async fn expect(&mut self, message: &ClientMessage<'_>) {
        let frame = self.next().await.unwrap();
        assert_eq!(frame.is_text(), self.subprotocol.is_text());
        let bytes = frame.into_data();
        assert_eq!(self.subprotocol.decode_client(&bytes).as_ref(), Ok(message));
    }

    pub(crate) async fn close(mut self, code: CloseCode, reason: &str) {
        let frame = CloseFrame { code: code.code().into(), reason: reason.to_owned().into() };
        self.socket.close(Some(frame)).await.unwrap();
    }
}

pub(crate) fn welcome() -> Welcome {
    Welcome {
        viewer: "v1".parse().unwrap(),
        stream: "show".parse().unwrap(),
        channel: None,
        mode: Mode::Live,
        server_time_ms: 5,
        heartbeat_ms: 20_000,
        ticket_expires_in_ms: 60_000,
        drops: Vec::new(),
        holds: Vec::new(),
        orders: Vec::new(),
    }
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    text.parse().unwrap()
}

pub(crate) fn hold() -> HoldId {
    "00000011000000c000000a400000002a".parse().unwrap()
}

pub(crate) fn drop_id() -> DropId {
    hold().drop_id()
}

pub(crate) fn held() -> Held {
    let amount = Money::new(500, "EUR".parse().unwrap()).unwrap();
    Held::new(hold(), "mug".parse().unwrap(), Units::ONE, amount, 9_000)
}

pub(crate) fn buy(name: &str) -> ClientMessage<'static> {
    ClientMessage::Buy { drop: drop_id(), sku: "mug".into(), units: 1, key: key(name) }
}
