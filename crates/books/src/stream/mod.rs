//! Streams: whose they are, what is on air.

mod on_air;
mod rooms;

pub use on_air::OnAir;
pub use rooms::{Room, RoomView, Rooms};
