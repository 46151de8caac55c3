//! A client that waits for what it expects, over a plain blocking socket.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
};

use rustls::{ClientConnection, StreamOwned};
use stampede_domain::{DropId, HoldId, TestCard};
use stampede_wire::{
    ClientMessage, DropInfo, Held, Order, Refused, ServerMessage, Stock, Subprotocol, Welcome,
};
use tokio_tungstenite::tungstenite::{
    Error, Message, WebSocket, client::IntoClientRequest, http::HeaderValue, protocol::CloseFrame,
};

use crate::world::PATIENCE;

/// A socket with TLS or without.
pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Socket {
    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

pub(crate) struct Client {
    pub(crate) socket: WebSocket<Socket>,
    pub(crate) subprotocol: Subprotocol,
}

/// How a connection ended: what the error message said, then the close frame.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) error: Option<u16>,
    pub(crate) retry_after_ms: Option<u64>,
    pub(crate) code: u16,
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends a request as it is; gives the response's first line.
pub(crate) fn raw_request(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response.lines().next().unwrap_or_default().to_owned()
}

impl Client {
    pub(crate) fn dial(address: SocketAddr, subprotocol: Subprotocol) -> Self {
        Self::try_dial(address, subprotocol.name()).expect("the handshake is accepted")
    }

    pub(crate) fn try_dial(
        address: SocketAddr,
        offer: &str,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        Self::over(Socket::Plain(connect(address)), offer)
    }

    /// Shakes hands over an open socket.
    pub(crate) fn over(socket: Socket, offer: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let mut request = "ws://sale.example/".into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_str(offer)?);
        let (socket, response) = tokio_tungstenite::tungstenite::client(request, socket)
            .map_err(|error| error.to_string())?;
        let chosen = response.headers()["Sec-WebSocket-Protocol"].to_str()?;
        Ok(Self { socket, subprotocol: Subprotocol::from_name(chosen).unwrap() })
    }

    pub(crate) fn send(&mut self, message: &ClientMessage<'_>) {
        let bytes = self.subprotocol.encode_client(message);
        self.send_bytes(bytes);
    }

    pub(crate) fn send_bytes(&mut self, bytes: Vec<u8>) {
        let message = if self.subprotocol.is_text() {
            Message::text(String::from_utf8(bytes).unwrap())
        } else {
            Message::binary(bytes)
        };
        self.socket.send(message).unwrap();
    }

    pub(crate) fn hello(&mut self, ticket: &str) {
        self.send(&ClientMessage::Hello { ticket: ticket.into(), client: Some("test/1".into()) });
    }

    pub(crate) fn buy(&mut self, drop: DropId, sku: &str, units: u64, key: &str) {
        let key = key.parse().unwrap();
        self.send(&ClientMessage::Buy { drop, sku: sku.into(), units, key });
    }

    pub(crate) fn pay(&mut self, hold: HoldId) {
        self.send(&ClientMessage::Pay { hold, card: None });
    }

    pub(crate) fn pay_with(&mut self, hold: HoldId, card: TestCard) {
        self.send(&ClientMessage::Pay { hold, card: Some(card) });
    }

    pub(crate) fn release(&mut self, hold: HoldId) {
        self.send(&ClientMessage::Release { hold });
    }

    /// The next message, stock ticks included.
    pub(crate) fn next_any(&mut self) -> Result<ServerMessage, Closed> {
        let (mut error, mut retry_after_ms) = (None, None);
        loop {
            match self.socket.read() {
                Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                    assert_eq!(message.is_text(), self.subprotocol.is_text());
                    let bytes = message.into_data();
                    match self.subprotocol.decode_server(&bytes).unwrap().unwrap() {
                        ServerMessage::Error(notice) => {
                            (error, retry_after_ms) =
                                (Some(notice.close_code), notice.retry_after_ms);
                        }
                        message => return Ok(message),
                    }
                }
                Ok(Message::Close(Some(CloseFrame { code, .. }))) => {
                    // The answer to the close leaves with the next look.
                    while self.socket.read().is_ok() {}
                    return Err(Closed { error, retry_after_ms, code: code.into() });
                }
                Ok(_) => {}
                Err(Error::Io(why)) => panic!("no message, no close: {why}"),
                Err(why) => panic!("the connection broke: {why}"),
            }
        }
    }

    /// The next message that is neither a stock tick nor about a phase.
    pub(crate) fn next(&mut self) -> ServerMessage {
        loop {
            match self.next_any() {
                Ok(ServerMessage::Stock(_) | ServerMessage::Phase(_)) => {}
                Ok(message) => return message,
                Err(closed) => panic!("closed: {closed:?}"),
            }
        }
    }

    pub(crate) fn welcomed(&mut self) -> Welcome {
        match self.next() {
            ServerMessage::Welcome(welcome) => *welcome,
            other => panic!("no welcome: {other:?}"),
        }
    }

    pub(crate) fn held(&mut self) -> Held {
        match self.next() {
            ServerMessage::Held(held) => held,
            other => panic!("not held: {other:?}"),
        }
    }

    pub(crate) fn ordered(&mut self) -> Order {
        match self.next() {
            ServerMessage::Order(order) => order,
            other => panic!("not ordered: {other:?}"),
        }
    }

    pub(crate) fn refused(&mut self) -> Refused {
        match self.next() {
            ServerMessage::Refused(refused) => refused,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The code of the next refusal.
    pub(crate) fn refused_as(&mut self) -> String {
        self.refused().code.into_owned()
    }

    pub(crate) fn stock(&mut self) -> Stock {
        loop {
            match self.next_any() {
                Ok(ServerMessage::Stock(stock)) => return stock,
                Ok(_) => {}
                Err(closed) => panic!("closed: {closed:?}"),
            }
        }
    }

    pub(crate) fn drop_info(&mut self) -> DropInfo {
        match self.next() {
            ServerMessage::DropInfo(info) => (*info).clone(),
            other => panic!("no drop: {other:?}"),
        }
    }

    /// Reads to the end; the error message and the close frame must name the same code.
    pub(crate) fn closed(mut self) -> u16 {
        loop {
            if let Err(Closed { error, code, .. }) = self.next_any() {
                assert!(error.is_none_or(|error| error == code), "{error:?}, but {code}");
                return code;
            }
        }
    }

    /// Goes away without a word.
    pub(crate) fn vanish(self) {
        self.socket.get_ref().tcp().shutdown(Shutdown::Both).unwrap();
    }
}
