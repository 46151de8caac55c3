//! The crowd against a small server made of the viewer protocol.
#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod fake;
mod processes;
mod sale;
