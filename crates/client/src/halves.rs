//! The two halves of a split connection.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use futures_util::{
    SinkExt,
    stream::{SplitSink, SplitStream},
};
use stampede_wire::{ClientMessage, ServerMessage, Subprotocol};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use crate::{
    ClientError,
    connect::{Transport, abandon},
    frames::{Reading, frame},
    requests::requests,
};

type Socket = WebSocketStream<Transport>;

/// The sending half.
pub struct Sender {
    sink: SplitSink<Socket, Message>,
    subprotocol: Subprotocol,
}

/// The receiving half; poll it for the heartbeat to be answered.
pub struct Receiver {
    stream: SplitStream<Socket>,
    reading: Reading,
}

impl Sender {
    pub(crate) const fn new(sink: SplitSink<Socket, Message>, subprotocol: Subprotocol) -> Self {
        Self { sink, subprotocol }
    }

    requests!();

    /// Sends one message and flushes it.
    pub async fn send(&mut self, message: &ClientMessage<'_>) -> Result<(), ClientError> {
        Ok(self.sink.send(frame(self.subprotocol, message)).await?)
    }

    /// Says goodbye with a close frame.
    pub async fn close(mut self) -> Result<(), ClientError> {
        Ok(self.sink.close().await?)
    }

    /// Goes without a goodbye; see [`crate::Connection::drop_connection`].
    ///
    /// # Panics
    /// If `receiver` is the half of another connection.
    pub async fn drop_connection(self, receiver: Receiver) {
        let socket = receiver.stream.reunite(self.sink);
        abandon(socket.expect("both halves are of one connection")).await;
    }
}

impl Receiver {
    pub(crate) const fn new(stream: SplitStream<Socket>, reading: Reading) -> Self {
        Self { stream, reading }
    }

    /// See [`crate::Connection::next`].
    pub async fn next(&mut self) -> Result<ServerMessage, ClientError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// See [`crate::Connection::poll_next`].
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<ServerMessage, ClientError>> {
        self.reading.poll_next(&mut self.stream, cx)
    }

    /// Stock ticks that were dropped unread.
    pub const fn stock_ticks_skipped(&self) -> u64 {
        self.reading.stock_ticks_skipped()
    }
}
