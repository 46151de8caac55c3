//! Who may come in, how much anybody may send: limits that all cores share.

mod addresses;
mod messages;
mod unfinished;

pub(crate) use addresses::{AddressLimits, Addresses, Arrival, Pass};
pub(crate) use messages::{Admission, MessageLimits, Sent};
pub(crate) use unfinished::Unfinished;
