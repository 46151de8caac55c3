//! The viewer protocol from the other side, for Rust programs.
