//! Tools that the targets share: keys, times, a sale that is driven step by step.

mod client;
pub mod sale;
pub mod step;
mod terms;
mod time;

use stampede_domain::UnixMillis;
use stampede_wire::{Subprotocol, ticket::KeySpec};

/// The time of everything that has no time of its own.
pub const NOW: UnixMillis = UnixMillis::new(1_790_000_000_000);

/// A frame with its subprotocol, which the first byte chooses: even for MessagePack, odd for JSON.
pub fn split(bytes: &[u8]) -> Option<(Subprotocol, &[u8])> {
    let (choice, frame) = bytes.split_first()?;
    let subprotocol = if choice % 2 == 0 { Subprotocol::MsgPack } else { Subprotocol::Json };
    Some((subprotocol, frame))
}

/// The platform's key: 32 bytes of 7.
pub fn key() -> KeySpec {
    KeySpec {
        kid: "k1".into(),
        kty: "oct".into(),
        alg: "HS256".into(),
        crv: None,
        k: Some("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc".into()),
        x: None,
        y: None,
        d: None,
    }
}
