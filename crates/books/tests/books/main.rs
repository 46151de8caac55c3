//! What the books decide, as a table of all commands and as stories, without a thread and without a clock.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod actions;
mod show;
mod table;
mod words;
