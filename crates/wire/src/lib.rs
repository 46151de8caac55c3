//! The viewer protocol as bytes: messages, codecs, tickets, close codes.
