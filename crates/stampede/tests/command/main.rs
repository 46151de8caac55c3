//! The `stampede` command from outside: real processes on folders of their own.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod audit;
mod clients;
mod copied;
#[path = "../../../report/tests/support/corrupt.rs"]
mod corrupt;
mod demo;
#[path = "../../../report/tests/support/dice.rs"]
mod dice;
mod documents;
mod invite;
mod load;
mod locked;
mod metrics;
mod old_ledger;
mod openapi;
mod reports;
mod running;
mod serve;
mod settings;
mod shop;
mod stage;
mod ticket;
mod tls;
mod token;
mod verify;
mod webhooks;

use dice::Dice;
