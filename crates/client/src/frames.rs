//! Messages in WebSocket frames, with the watch over silence.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{Stream, StreamExt};
use stampede_wire::{ClientMessage, ErrorNotice, ServerMessage, Subprotocol};
use tokio::time::{Instant, Sleep, sleep};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::ClientError;

/// The reading side's state, apart from the socket so that both forms of a connection share it.
pub(crate) struct Reading {
    subprotocol: Subprotocol,
    skip_stock_ticks: bool,
    stock_ticks_skipped: u64,
    notice: Option<ErrorNotice>,
    silence: Option<Silence>,
}

/// Ends a connection on which nothing comes. One timer that is only moved when it fires: a busy
/// connection pays one flag for each frame.
struct Silence {
    heard: bool,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Reading {
    pub(crate) fn new(subprotocol: Subprotocol, skip_stock_ticks: bool) -> Self {
        Self { subprotocol, skip_stock_ticks, stock_ticks_skipped: 0, notice: None, silence: None }
    }

    /// Watches from now on. The server lets one heartbeat of silence pass before it pings, so one and
    /// a half more leave room for a slow network.
    pub(crate) fn watch(&mut self, heartbeat_ms: u64) {
        let limit = Duration::from_millis((heartbeat_ms / 2).saturating_mul(5).max(1));
        self.silence = Some(Silence { heard: false, limit, timer: Box::pin(sleep(limit)) });
    }

    pub(crate) const fn stock_ticks_skipped(&self) -> u64 {
        self.stock_ticks_skipped
    }

    /// The next message of `socket`.
    pub(crate) fn poll_next<S>(
        &mut self,
        socket: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ServerMessage, ClientError>>
    where
        S: Stream<Item = Result<Message, Error>> + Unpin,
    {
        loop {
            let Poll::Ready(frame) = socket.poll_next_unpin(cx) else {
                return self.poll_silence(cx);
            };
            if let Some(silence) = &mut self.silence {
                silence.heard = true;
            }
            let frame = match frame {
                None => return Poll::Ready(Err(ClientError::Broken { source: None })),
                Some(frame) => frame?,
            };
            if let Some(message) = self.read(&frame)? {
                return Poll::Ready(Ok(message));
            }
        }
    }

    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Result<ServerMessage, ClientError>> {
        let Some(silence) = &mut self.silence else { return Poll::Pending };
        loop {
            ready!(silence.timer.as_mut().poll(cx));
            if !silence.heard {
                let after_ms = u64::try_from(silence.limit.as_millis()).unwrap_or(u64::MAX);
                return Poll::Ready(Err(ClientError::Silent { after_ms }));
            }
            silence.heard = false;
            silence.timer.as_mut().reset(Instant::now() + silence.limit);
        }
    }

    /// The message in a frame; `None` for frames that the caller need not see.
    fn read(&mut self, frame: &Message) -> Result<Option<ServerMessage>, ClientError> {
        let bytes: &[u8] = match (frame, self.subprotocol) {
            (Message::Binary(bytes), Subprotocol::MsgPack) => bytes,
            (Message::Text(text), Subprotocol::Json) => text.as_bytes(),
            (Message::Close(close), _) => {
                return Err(ClientError::Closed {
                    code: close.as_ref().map(|close| close.code.into()),
                    reason: close.as_ref().map_or_else(String::new, |c| c.reason.to_string()),
                    notice: self.notice.take(),
                });
            }
            (Message::Ping(_) | Message::Pong(_) | Message::Frame(_), _) => return Ok(None),
            (Message::Binary(_) | Message::Text(_), subprotocol) => {
                return Err(ClientError::WrongFrame { subprotocol });
            }
        };
        if self.skip_stock_ticks && self.subprotocol.is_stock_tick(bytes) {
            self.stock_ticks_skipped += 1;
            return Ok(None);
        }
        let decoded = self.subprotocol.decode_server(bytes);
        match decoded.map_err(|source| ClientError::Decode { source })? {
            // Told with the close that follows it.
            Some(ServerMessage::Error(notice)) => {
                self.notice = Some(notice);
                Ok(None)
            }
            message => Ok(message),
        }
    }
}

/// The frame that carries `message`.
pub(crate) fn frame(subprotocol: Subprotocol, message: &ClientMessage<'_>) -> Message {
    let bytes = subprotocol.encode_client(message);
    match subprotocol {
        Subprotocol::MsgPack => Message::Binary(bytes.into()),
        Subprotocol::Json => Message::Text(Utf8Bytes::try_from(bytes).expect("JSON is UTF-8")),
    }
}
