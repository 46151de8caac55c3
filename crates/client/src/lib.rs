//! The viewer protocol from the other side, for Rust programs.
//!
//! [`Connection`] is one WebSocket with typed messages; split it to send and receive apart.
//! [`Session`] stays with a stream: it reconnects with backoff, repeats what was not answered, renews
//! its ticket. A clock is never read; waiting goes through tokio's timer, randomness is passed in.
//!
//! ```no_run
//! # async fn example() -> Result<(), stampede_client::ClientError> {
//! use stampede_client::{ConnectOptions, Connection, ServerMessage, Subprotocol};
//!
//! let options = ConnectOptions::new("ws://127.0.0.1:7700", Subprotocol::MsgPack);
//! let (mut viewer, welcome) = Connection::open(&options, "a ticket").await?;
//! let drop = &welcome.drops[0];
//! let key = "order-1".parse().expect("letters, digits and - make a key");
//! viewer.buy(drop.drop, drop.skus[0].sku.as_str(), 1, &key).await?;
//! loop {
//!     match viewer.next().await? {
//!         ServerMessage::Held(held) => viewer.pay(held.hold).await?,
//!         ServerMessage::Order(_) => break viewer.close().await,
//!         _ => {}
//!     }
//! }
//! # }
//! ```

mod backoff;
mod connect;
mod connection;
mod error;
mod frames;
mod halves;
mod requests;
mod session;
mod tickets;
mod tls;
mod wishes;

pub use backoff::Backoff;
pub use connect::ConnectOptions;
pub use connection::Connection;
pub use error::{ClientError, RetryAfter};
pub use halves::{Receiver, Sender};
pub use session::{Event, Session};
pub use stampede_wire::{
    ClientMessage, CloseCode, DropInfo, Ended, Held, Order, PaymentFailed, PhaseNotice, Reconnect,
    Refused, Request, ServerMessage, Stock, Subprotocol, Welcome,
};
pub use tickets::{TicketSource, TicketSourceError};
pub use tls::{ClientTls, RootsError};
pub use wishes::PENDING_MAX;
