//! Who may come in, how much anybody may send: limits that all cores share.

mod addresses;
mod messages;

pub(crate) use addresses::{AddressLimits, Addresses, Entry, Pass};
pub(crate) use messages::{Admission, MessageLimits, Sent};
