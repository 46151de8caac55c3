//! Tests of the settlement book: what follows from each fact, money that is never lost, whatever the order.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod accounts;
mod given;
mod matters;
mod orders;
mod parts;
mod table;
mod twin;
