//! The viewer protocol as bytes: messages, codecs, tickets, close codes.
//!
//! Sans-IO: nothing here opens a socket or reads a clock. The gateway speaks the server's half, the
//! client crate the other one; `docs/protocol.md` describes both for other languages, and a test
//! reads every example in it.
//!
//! The server decodes strictly: an unknown message type, an unknown field or a field of another
//! message is an error. Clients decode leniently: unknown types and fields are skipped, so that a
//! server can grow without breaking them.

mod by_type;
mod client_message;
mod close;
mod codec;
mod convert;
mod decode_error;
pub mod frame;
pub mod limits;
mod server_message;
mod subprotocol;
mod text;
pub mod ticket;

pub use client_message::{ClientMessage, NO_HOLD};
pub use close::{CloseCode, Reconnect};
pub use convert::DropState;
pub use decode_error::DecodeError;
pub use server_message::{
    DropInfo, Ended, ErrorNotice, Held, Order, PaymentFailed, PhaseNotice, Pong, Refreshed,
    Refused, Request, ServerMessage, SkuInfo, SkuOptionInfo, SkuStock, Stock, Welcome,
};
pub use subprotocol::{NegotiateError, Subprotocol};
