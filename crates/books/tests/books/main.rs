//! Tests of the books' decisions: a table of all commands, and stories, without a thread or a clock.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod actions;
mod carry;
mod check;
mod journal;
mod log;
mod money;
mod requests;
mod restart;
mod script;
mod shell;
mod show;
mod stock;
mod table;
mod words;
