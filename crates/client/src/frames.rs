//! Messages in WebSocket frames, with the watch over silence.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{Stream, StreamExt};
use stampede_wire::{ClientMessage, CloseCode, ErrorNotice, ServerMessage, Subprotocol};
use tokio::time::{Instant, Sleep, sleep};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes, protocol::CloseFrame};

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
/// connection pays one look at the clock for each frame.
struct Silence {
    heard_at: Instant,
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
        let (heard_at, timer) = (Instant::now(), Box::pin(sleep(limit)));
        self.silence = Some(Silence { heard_at, limit, timer });
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
                silence.heard_at = Instant::now();
            }
            let frame = match frame {
                None => return Poll::Ready(Err(self.broken(ClientError::Broken { source: None }))),
                Some(frame) => frame.map_err(|error| self.broken(error.into()))?,
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
            let end = silence.heard_at + silence.limit;
            if end <= Instant::now() {
                let after_ms = u64::try_from(silence.limit.as_millis()).unwrap_or(u64::MAX);
                return Poll::Ready(Err(self.broken(ClientError::Silent { after_ms })));
            }
            silence.timer.as_mut().reset(end);
        }
    }

    /// The end of a connection that has no close code: that of the `error` message before it, if one
    /// came.
    pub(crate) fn broken(&mut self, error: ClientError) -> ClientError {
        let Some(notice) = self.notice.take() else { return error };
        let (code, reason) = (Some(notice.close_code), notice.message.clone());
        ClientError::Closed { code, reason, notice: Some(notice) }
    }

    fn closed(&mut self, close: Option<&CloseFrame>) -> ClientError {
        let code = close.map(|close| u16::from(close.code));
        let reason = close.map_or_else(String::new, |close| close.reason.to_string());
        match code {
            Some(code) if CloseCode::is_servers(code) => {
                ClientError::Closed { code: Some(code), reason, notice: self.notice.take() }
            }
            // No code, or one that a proxy has put in the place of the server's.
            _ => self.broken(ClientError::Closed { code, reason, notice: None }),
        }
    }

    /// The message in a frame; `None` for frames that the caller need not see.
    fn read(&mut self, frame: &Message) -> Result<Option<ServerMessage>, ClientError> {
        let bytes: &[u8] = match (frame, self.subprotocol) {
            (Message::Binary(bytes), Subprotocol::MsgPack) => bytes,
            (Message::Text(text), Subprotocol::Json) => text.as_bytes(),
            (Message::Close(close), _) => return Err(self.closed(close.as_ref())),
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

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, io};

    use futures_util::{future::join, stream};
    use stampede_wire::Reconnect;
    use tokio::sync::mpsc;

    use super::*;

    type Frame = Result<Message, Error>;

    /// A socket without a network: no paused clock runs ahead of what is still on its way.
    fn socket() -> (mpsc::Sender<Frame>, impl Stream<Item = Frame> + Unpin) {
        let (peer, mut frames) = mpsc::channel(2);
        (peer, stream::poll_fn(move |cx| frames.poll_recv(cx)))
    }

    #[tokio::test(start_paused = true)]
    async fn silence_counts_from_the_last_frame() {
        let (peer, mut socket) = socket();
        let mut reading = Reading::new(Subprotocol::Json, false);
        let begun = Instant::now();
        reading.watch(100);
        let serve = async {
            sleep(Duration::from_millis(200)).await;
            peer.send(Ok(Message::Ping("beat".into()))).await.unwrap();
        };
        let (end, ()) = join(poll_fn(|cx| reading.poll_next(&mut socket, cx)), serve).await;
        assert!(matches!(end, Err(ClientError::Silent { after_ms: 250 })), "{end:?}");
        let after = begun.elapsed();
        assert!((450..455).contains(&after.as_millis()), "{after:?}");
    }

    /// How a connection ends with `end`, after an `error` message about a ban.
    async fn end_after_notice(end: Option<Frame>) -> ClientError {
        let (peer, mut socket) = socket();
        let notice =
            ServerMessage::Error(ErrorNotice::new(CloseCode::Banned, "the viewer is banned"));
        let notice = String::from_utf8(Subprotocol::Json.encode_server(&notice)).unwrap();
        peer.send(Ok(Message::text(notice))).await.unwrap();
        if let Some(frame) = end {
            peer.send(frame).await.unwrap();
        }
        drop(peer);
        let mut reading = Reading::new(Subprotocol::Json, false);
        poll_fn(|cx| reading.poll_next(&mut socket, cx)).await.unwrap_err()
    }

    #[tokio::test]
    async fn the_error_message_stands_in_for_a_close_code_that_is_missing_or_a_proxys() {
        let reset = Error::Io(io::Error::from(io::ErrorKind::ConnectionReset));
        let coded = |code: u16| {
            Some(Ok(Message::Close(Some(CloseFrame { code: code.into(), reason: "".into() }))))
        };
        let none = Some(Ok(Message::Close(None)));
        let proxys = [coded(1000), coded(1001), coded(1011)];
        for end in
            [None, Some(Err(reset)), none, coded(1005), coded(1006)].into_iter().chain(proxys)
        {
            let error = end_after_notice(end).await;
            assert_eq!(error.reconnect(), Reconnect::Never, "{error:?}");
            let text = "the server closed the connection with code 4201: the viewer is banned";
            assert_eq!(error.to_string(), text);
        }
        let told = end_after_notice(coded(4002)).await;
        assert!(matches!(told, ClientError::Closed { code: Some(4002), notice: Some(_), .. }));
    }
}
