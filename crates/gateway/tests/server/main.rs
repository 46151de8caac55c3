//! The gateway as clients meet it: a whole server on loopback, real sockets, a real ledger.

#![cfg(test)]

mod abuse_crowds;
mod abuse_floods;
mod abuse_frames;
mod abuse_handshakes;
mod abuse_sale;
mod brake_bans;
mod brake_rates;
mod client;
mod drain;
mod entry;
mod faults;
mod health;
mod hidden;
mod limits;
mod payments;
mod raw;
mod sale;
mod several;
mod tickets;
mod ticks;
mod undone;
mod welcome;
mod world;
