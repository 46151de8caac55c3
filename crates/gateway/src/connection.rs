//! One connection's task: frames from its socket to its session, output back again.
//!
//! This is the first frame layer, on tokio-tungstenite. It decides nothing: what was read goes to
//! the session, what the session wants written goes out, answers of one turn in one write.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use futures_util::{Sink, Stream};
use stampede_wire::{
    CloseCode, Subprotocol,
    limits::{CLIENT_FRAME_BYTES_MAX, SERVER_FRAME_BYTES_MAX},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        error::CapacityError,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};

use crate::{
    config::GatewayConfig,
    handshake::{Handshake, REQUEST_BYTES_MAX, answer},
    metrics::count_handshake,
    outbox::Output,
    sessions::{Input, Sessions},
    slab::Token,
};

/// Frames that one connection may hand in before others have their turn.
const FRAMES_PER_TURN_MAX: usize = 32;
/// Bytes that are thrown away after a close before the connection is dropped.
const LINGER_BYTES_MAX: usize = 64 << 10;
/// Room above a whole frame for what the library itself sends: pongs.
const CONTROL_BYTES: usize = 4 << 10;

/// A connection past its handshake.
pub(crate) struct Opened {
    socket: WebSocketStream<TcpStream>,
    subprotocol: Subprotocol,
}

/// Reads the request, writes the response; `None` if no connection came of it.
pub(crate) async fn open(mut stream: TcpStream, config: &GatewayConfig) -> Option<Opened> {
    let deadline = config.handshake_timeout.to_std();
    match tokio::time::timeout(deadline, shake_hands(&mut stream, config)).await {
        Ok(Ok(Some((subprotocol, rest)))) => {
            count_handshake("accepted");
            let settings = Some(settings(config));
            let socket =
                WebSocketStream::from_partially_read(stream, rest, Role::Server, settings).await;
            Some(Opened { socket, subprotocol })
        }
        Ok(Ok(None)) => {
            count_handshake("refused");
            None
        }
        Ok(Err(_)) => {
            count_handshake("broken");
            None
        }
        Err(_) => {
            count_handshake("timed_out");
            None
        }
    }
}

async fn shake_hands(
    stream: &mut TcpStream,
    config: &GatewayConfig,
) -> io::Result<Option<(Subprotocol, Vec<u8>)>> {
    let mut received = Vec::with_capacity(1 << 10);
    loop {
        match answer(&received, &config.origins) {
            Handshake::Incomplete => {}
            Handshake::Accepted { response, subprotocol, request_bytes } => {
                stream.write_all(&response).await?;
                return Ok(Some((subprotocol, received.split_off(request_bytes))));
            }
            Handshake::Refused { response } => {
                stream.write_all(&response).await?;
                stream.shutdown().await?;
                // What the client still sends is taken, so that the response is not cut off.
                tokio::io::copy(&mut stream.take(LINGER_BYTES_MAX as u64), &mut tokio::io::sink())
                    .await?;
                return Ok(None);
            }
        }
        let room = REQUEST_BYTES_MAX.saturating_sub(received.len()).max(1) as u64;
        if (&mut *stream).take(room).read_buf(&mut received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn settings(config: &GatewayConfig) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(config.read_buffer_bytes)
        .write_buffer_size(config.write_buffer_bytes)
        .max_write_buffer_size(config.write_buffer_bytes + SERVER_FRAME_BYTES_MAX + CONTROL_BYTES)
        .max_frame_size(Some(CLIENT_FRAME_BYTES_MAX))
        .max_message_size(Some(CLIENT_FRAME_BYTES_MAX))
}

/// Serves a connection until it is over.
pub(crate) async fn serve(opened: Opened, sessions: Rc<RefCell<Sessions>>) {
    let Opened { socket, subprotocol } = opened;
    let token = sessions.borrow_mut().open(subprotocol);
    let opcode = OpCode::Data(if subprotocol.is_text() { Data::Text } else { Data::Binary });
    let link = Link { sessions, token };
    let mut pump = Pump { socket, link: &link, opcode, ended: false, over: false };
    if poll_fn(|cx| pump.turn(cx)).await == Over::Closed {
        linger(pump.socket.into_inner(), &link).await;
    }
}

/// A session that is gone with this value.
struct Link {
    sessions: Rc<RefCell<Sessions>>,
    token: Token,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.sessions.borrow_mut().gone(self.token);
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// The other side is gone, or has to be dropped.
    Gone,
    /// Our close frame is written.
    Closed,
}

struct Pump<'a> {
    socket: WebSocketStream<TcpStream>,
    link: &'a Link,
    opcode: OpCode,
    /// Nothing more is read as frames: the peer has closed, or broke the rules.
    ended: bool,
    /// The close frame is among what was handed to the socket.
    over: bool,
}

impl Pump<'_> {
    /// Reads what is there, writes what waits, sleeps until either side has more.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Over> {
        let Link { sessions, token } = self.link;
        if sessions.borrow().is_doomed(*token) {
            return Poll::Ready(Over::Gone);
        }
        let again = match self.read(cx) {
            Ok(again) => again,
            Err(over) => return Poll::Ready(over),
        };
        match self.write(cx) {
            Poll::Ready(Err(_)) => return Poll::Ready(Over::Gone),
            Poll::Ready(Ok(())) if self.over => return Poll::Ready(Over::Closed),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if again {
            cx.waker().wake_by_ref();
        }
        sessions.borrow_mut().park(*token, cx.waker());
        Poll::Pending
    }

    /// Hands frames in; `true` if there may be more at once.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<bool, Over> {
        let Link { sessions, token } = self.link;
        for _ in 0..FRAMES_PER_TURN_MAX {
            if self.ended || self.over {
                return Ok(false);
            }
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(None) => return Err(Over::Gone),
                Poll::Ready(Some(Ok(message))) => {
                    let input = match &message {
                        Message::Text(text) => Input::Text(text.as_str().as_bytes()),
                        Message::Binary(bytes) => Input::Binary(bytes),
                        Message::Ping(_) | Message::Pong(_) => Input::Control,
                        // The library answers it with the next read, which then ends.
                        Message::Close(_) | Message::Frame(_) => continue,
                    };
                    sessions.borrow_mut().receive(*token, input);
                }
                Poll::Ready(Some(Err(error))) => self.broken(&error)?,
            }
        }
        Ok(true)
    }

    /// The library gave up on what it read.
    fn broken(&mut self, error: &Error) -> Result<(), Over> {
        let Link { sessions, token } = self.link;
        let mut sessions = sessions.borrow_mut();
        let why = error.to_string();
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                sessions.close(*token, CloseCode::TooBig, &why);
            }
            Error::Utf8(_) => sessions.close(*token, CloseCode::NotUtf8, &why),
            Error::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )
            | Error::Io(_) => return Err(Over::Gone),
            _ => sessions.fail(*token, &why),
        }
        self.ended = true;
        Ok(())
    }

    /// Ready once nothing waits any more.
    fn write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Link { sessions, token } = self.link;
        let mut socket = Pin::new(&mut self.socket);
        while !self.over {
            ready!(socket.as_mut().poll_ready(cx))?;
            let Some(output) = sessions.borrow_mut().output(*token) else { break };
            let message = match output {
                Output::Message(bytes) => Message::Frame(Frame::message(bytes, self.opcode, true)),
                Output::Ping => Message::Ping(bytes::Bytes::new()),
                Output::Close(closing) => {
                    self.over = true;
                    let reason = closing.reason.into();
                    Message::Close(Some(CloseFrame { code: closing.code.into(), reason }))
                }
            };
            socket.as_mut().start_send(message)?;
        }
        socket.poll_flush(cx)
    }
}

/// Waits until the other side has closed too. Closing with unread bytes would reset the connection,
/// which can cost the client the close frame.
async fn linger(mut stream: TcpStream, link: &Link) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut thrown_away = 0;
    poll_fn(|cx| {
        let mut bytes = [0; 512];
        loop {
            if link.sessions.borrow().is_doomed(link.token) || thrown_away > LINGER_BYTES_MAX {
                return Poll::Ready(());
            }
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    thrown_away += buffer.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    link.sessions.borrow_mut().park(link.token, cx.waker());
                    return Poll::Pending;
                }
            }
        }
    })
    .await;
}
