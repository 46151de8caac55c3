//! The interface against a real engine, without a socket unless the socket is the point.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod amended;
mod assets;
mod attention;
mod brake;
mod browser;
mod cancellations;
mod commands;
mod crowds;
mod demo;
mod errors;
mod events;
mod extensions;
mod follow;
mod followers;
mod goods;
mod guesses;
mod invitations;
mod ledger;
mod listed;
mod openapi;
mod openings;
mod orders;
mod payments;
mod people;
mod plans;
mod prices;
mod reads;
mod rehearsals;
mod reports;
mod rig;
mod roles;
mod rooms;
mod scopes;
mod seen;
mod sessions;
mod shared;
mod shares;
mod shows;
mod sockets;
mod staff;
mod stage;
mod streams;
mod trouble;
mod undone;
