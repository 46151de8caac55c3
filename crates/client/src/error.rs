//! Errors of a connection.

use std::{io, net::SocketAddr, time::Duration};

use stampede_domain::IdempotencyKey;
use stampede_wire::{DecodeError, ErrorNotice, Reconnect, Subprotocol};
use tokio_tungstenite::tungstenite;

use crate::{TicketSourceError, tls::is_about_certificates};

/// Why a connection could not be made, or is over.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is no `ws://` or `wss://` URL.
    #[error("{url:?} is no ws:// or wss:// address: {why}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The name in [`crate::ConnectOptions::client`] is longer than a server takes.
    #[error("the client's name has {bytes} bytes; {bytes_max} are allowed: shorten it")]
    ClientName {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The host's name has no address.
    #[error("{host:?} cannot be resolved")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said, if anything.
        source: Option<io::Error>,
    },
    /// No TCP connection came about.
    #[error("cannot connect to {to}")]
    Connect {
        /// Where to.
        to: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The server answered the handshake with a plain HTTP status.
    #[error("the server answered the handshake with HTTP status {status}: {body}")]
    HandshakeRefused {
        /// The status.
        status: u16,
        /// The head of the body.
        body: String,
        /// What the server said about when to come back.
        retry_after_s: Option<u64>,
    },
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {source}")]
    Tls {
        /// What is wrong: mostly a certificate that leads to no root that is trusted.
        source: io::Error,
    },
    /// The source of tickets has none.
    #[error("no ticket could be had")]
    NoTicket {
        /// What the source said.
        source: TicketSourceError,
    },
    /// The handshake failed otherwise.
    #[error("the WebSocket handshake failed")]
    Handshake {
        /// What the library met; boxed because it is large.
        source: Box<tungstenite::Error>,
    },
    /// Connecting, handshake and welcome together took too long.
    #[error("no welcome within {after_ms} ms")]
    ConnectTimeout {
        /// The limit.
        after_ms: u64,
    },
    /// The first message was another one.
    #[error("the server's first message was not a welcome")]
    NoWelcome,
    /// The server closed the connection.
    #[error("the server closed the connection {}: {reason}", with_code(*code))]
    Closed {
        /// The close code; without one that of the `error` message before, `None` if none came.
        code: Option<u16>,
        /// The close frame's reason.
        reason: String,
        /// The `error` message that came before it.
        notice: Option<ErrorNotice>,
    },
    /// The connection broke without a close frame or an `error` message.
    #[error("the connection broke")]
    Broken {
        /// What the library met; `None` if the other side just went away.
        source: Option<Box<tungstenite::Error>>,
    },
    /// Nothing came from the server for two and a half heartbeats, not even a ping.
    #[error("nothing came from the server for {after_ms} ms")]
    Silent {
        /// The limit.
        after_ms: u64,
    },
    /// A frame from the server is no message.
    #[error("the server sent a frame that is no message")]
    Decode {
        /// What is wrong.
        #[source]
        source: DecodeError,
    },
    /// A frame of the wrong kind.
    #[error("the server sent a frame of the wrong kind for {subprotocol}")]
    WrongFrame {
        /// The subprotocol in use.
        subprotocol: Subprotocol,
    },
    /// More unanswered requests than a session keeps.
    #[error("{max} requests are unanswered already")]
    TooManyPending {
        /// The limit.
        max: usize,
    },
    /// A buy with the key of another buy that has no answer yet.
    #[error("the key {key} is that of another buy without an answer; make one for each purchase")]
    KeyPending {
        /// The key.
        key: IdempotencyKey,
    },
}

/// When to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// A time that this client alone was given: come back then.
    Own(Duration),
    /// A time that others were told as well: come back some random time later.
    Common(Duration),
}

impl ClientError {
    /// Whether to connect again.
    pub fn reconnect(&self) -> Reconnect {
        match self {
            Self::Closed { code, .. } => Reconnect::after(*code),
            Self::Tls { source } if is_about_certificates(source) => Reconnect::AfterFix,
            // A proxy answers with any status while the server behind it is being replaced.
            Self::HandshakeRefused { .. }
            | Self::Tls { .. }
            | Self::NoTicket { .. }
            | Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Handshake { .. }
            | Self::ConnectTimeout { .. }
            | Self::Broken { .. }
            | Self::Silent { .. } => Reconnect::WithBackoff,
            Self::Address { .. }
            | Self::ClientName { .. }
            | Self::NoWelcome
            | Self::Decode { .. }
            | Self::WrongFrame { .. }
            | Self::TooManyPending { .. }
            | Self::KeyPending { .. } => Reconnect::AfterFix,
        }
    }

    /// When the server asked to come back, if it did.
    pub fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::Closed { notice: Some(notice), .. } => {
                notice.retry_after_ms.map(Duration::from_millis).map(RetryAfter::Own)
            }
            Self::HandshakeRefused { retry_after_s, .. } => {
                retry_after_s.map(Duration::from_secs).map(RetryAfter::Common)
            }
            _ => None,
        }
    }
}

impl From<tungstenite::Error> for ClientError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
                Self::Broken { source: None }
            }
            error => Self::Broken { source: Some(Box::new(error)) },
        }
    }
}

fn with_code(code: Option<u16>) -> String {
    code.map_or_else(|| "without a code".to_owned(), |code| format!("with code {code}"))
}
