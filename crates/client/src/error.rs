//! What can go wrong on a connection.

use std::{io, net::SocketAddr};

use stampede_wire::{DecodeError, ErrorNotice, Reconnect, Subprotocol};
use tokio_tungstenite::tungstenite;

/// Why a connection could not be made, or is over.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is no `ws://` URL.
    #[error("{url:?} is no ws:// address: {why}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
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
    #[error("the server closed the connection with code {code:?}: {reason}")]
    Closed {
        /// The close code; `None` if the close frame had none.
        code: Option<u16>,
        /// The close frame's reason.
        reason: String,
        /// The `error` message that came before it.
        notice: Option<ErrorNotice>,
    },
    /// The connection broke without a close frame.
    #[error("the connection broke")]
    Broken {
        /// What the library met; `None` if the other side just went away.
        source: Option<Box<tungstenite::Error>>,
    },
    /// Nothing came from the server for two and a half heartbeats at least, not even a ping.
    #[error("nothing came from the server for at least {after_ms} ms")]
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
    /// More unanswered buys than a session keeps.
    #[error("{max} buys are unanswered already")]
    TooManyPending {
        /// The limit.
        max: usize,
    },
}

impl ClientError {
    /// Whether to connect again.
    pub fn reconnect(&self) -> Reconnect {
        match self {
            Self::Closed { code, .. } => Reconnect::after(*code),
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Handshake { .. }
            | Self::ConnectTimeout { .. }
            | Self::Broken { .. }
            | Self::Silent { .. } => Reconnect::WithBackoff,
            Self::HandshakeRefused { status, .. } if *status >= 500 || *status == 429 => {
                Reconnect::WithBackoff
            }
            Self::Address { .. }
            | Self::HandshakeRefused { .. }
            | Self::NoWelcome
            | Self::Decode { .. }
            | Self::WrongFrame { .. }
            | Self::TooManyPending { .. } => Reconnect::AfterFix,
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
