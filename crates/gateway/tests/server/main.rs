//! The gateway as clients meet it: a whole server on loopback, real sockets, a real ledger.

#![cfg(test)]

mod client;
mod faults;
mod limits;
mod payments;
mod sale;
mod several;
mod tickets;
mod ticks;
mod world;
