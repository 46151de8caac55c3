//! WebSocket frames of the server's half, decoded from a buffer, encoded into one.
//!
//! Sans-IO, on top of tungstenite's frame header: whoever owns the socket reads into a buffer of its
//! own choice, which many connections may share, and frames are unmasked in place. A connection
//! between two messages keeps nothing here but one empty pointer.

mod read;
mod write;

pub use read::{CONTROL_BYTES_MAX, Frame, FrameError, FrameReader, HEADER_BYTES_MAX};
pub use write::{length, put_close, put_message, put_ping, put_pong};
