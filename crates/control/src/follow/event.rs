//! Server-sent events for followers.

use axum::body::Bytes;
use stampede_engine::Engine;

use crate::dto::{Encoded, StillThere};

/// One event of a stream of server-sent events. JSON has no line breaks of its own.
pub(super) fn event(name: &str, data: &Encoded) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {}\n\n", data.json()))
}

/// Says that the stream is still there.
pub(crate) fn alive(engine: &Engine) -> Bytes {
    event("alive", &Encoded::new(&StillThere { server_time_ms: engine.wall().get() }))
}
