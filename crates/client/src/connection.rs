//! One connection of a viewer.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use futures_util::{SinkExt, StreamExt};
use stampede_wire::{
    ClientMessage, ServerMessage, Subprotocol, Welcome, limits::CLIENT_NAME_BYTES_MAX,
};
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_tungstenite::WebSocketStream;

use crate::{
    ClientError, ConnectOptions, Receiver, Sender,
    connect::{Transport, abandon, upgrade},
    frames::{Reading, frame},
    requests::requests,
};

/// One welcomed connection: typed requests out, typed messages in.
///
/// Requests return once they are written; their answers come through [`Connection::next`], which
/// must be polled for the heartbeat to be answered.
pub struct Connection {
    socket: WebSocketStream<Transport>,
    subprotocol: Subprotocol,
    reading: Reading,
}

impl Connection {
    /// Connects, says hello and waits for the welcome.
    ///
    /// # Errors
    /// [`ClientError`]; its `reconnect` says whether to try again.
    pub async fn open(
        options: &ConnectOptions,
        ticket: &str,
    ) -> Result<(Self, Welcome), ClientError> {
        let limit = options.connect_timeout;
        let after_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        // Boxed: the handshake's state is large, and a caller's task would keep its room for ever.
        let opened = timeout(limit, Box::pin(Self::open_without_limit(options, ticket))).await;
        opened.map_err(|_| ClientError::ConnectTimeout { after_ms })?
    }

    async fn open_without_limit(
        options: &ConnectOptions,
        ticket: &str,
    ) -> Result<(Self, Welcome), ClientError> {
        let subprotocol = options.subprotocol;
        let bytes = options.client.as_ref().map_or(0, String::len);
        if bytes > CLIENT_NAME_BYTES_MAX {
            return Err(ClientError::ClientName { bytes, bytes_max: CLIENT_NAME_BYTES_MAX });
        }
        let mut connection = Self {
            socket: upgrade(options).await?,
            subprotocol,
            reading: Reading::new(subprotocol, options.skip_stock_ticks),
        };
        let client = options.client.as_deref().map(Into::into);
        connection.send(&ClientMessage::Hello { ticket: ticket.into(), client }).await?;
        let ServerMessage::Welcome(welcome) = connection.next().await? else {
            return Err(ClientError::NoWelcome);
        };
        if options.watch_heartbeat {
            connection.reading.watch(welcome.heartbeat_ms);
        }
        Ok((connection, *welcome))
    }

    requests!();

    /// Sends one message and flushes it.
    pub async fn send(&mut self, message: &ClientMessage<'_>) -> Result<(), ClientError> {
        let sent = self.socket.send(frame(self.subprotocol, message)).await;
        sent.map_err(|error| self.reading.broken(error.into()))
    }

    /// The next message. Cancelling loses nothing.
    ///
    /// # Errors
    /// The connection is over. An `error` message comes within [`ClientError::Closed`].
    pub async fn next(&mut self) -> Result<ServerMessage, ClientError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The same for callers that poll many connections themselves.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<ServerMessage, ClientError>> {
        self.reading.poll_next(&mut self.socket, cx)
    }

    /// Stock ticks that were dropped unread.
    pub const fn stock_ticks_skipped(&self) -> u64 {
        self.reading.stock_ticks_skipped()
    }

    /// Sends and receives apart, also on different tasks.
    pub fn split(self) -> (Sender, Receiver) {
        let (sink, stream) = self.socket.split();
        (Sender::new(sink, self.subprotocol), Receiver::new(stream, self.reading))
    }

    /// Says goodbye with a close frame.
    pub async fn close(mut self) -> Result<(), ClientError> {
        Ok(self.socket.close(None).await?)
    }

    /// Goes without a goodbye. What was sent still arrives; what the server answers is lost.
    pub async fn drop_connection(self) {
        abandon(self.socket).await;
    }

    /// Goes without a goodbye as well, but stays until the server has closed its half, which it does
    /// once it has read everything. Its answers are thrown away. A server that never closes its half
    /// keeps the caller waiting.
    pub async fn hang_up(self) {
        let mut socket = self.socket.into_inner();
        // A connection that breaks meanwhile is over too.
        if socket.shutdown().await.is_ok() {
            let _over = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
        }
    }
}
