//! Requests for more units than a drop has in reserve.

use stampede_domain::{PoolIndex, Units, UnixMillis};

use super::Text;

/// A request for more units than a drop has in reserve was made, or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestRecord {
    /// Somebody asked, and nothing moved.
    Asked(Box<RequestAsked>),
    /// It ended. Those that are open when takes end for good have no such record.
    Ended(Box<RequestEnded>),
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestAsked {
    /// Which of the drop's requests, from 1.
    pub number: u32,
    /// The pool that the SKU's lots go to.
    pub pool: PoolIndex,
    /// How many units.
    pub units: Units,
    /// Units of the SKU that were in reserve, which is fewer.
    pub reserve: Units,
    /// Who asked, and why.
    pub by: Signature,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestEnded {
    /// Which of the drop's requests, from 1.
    pub number: u32,
    /// The pool that was asked for.
    pub pool: PoolIndex,
    /// How many units were.
    pub units: Units,
    /// How it ended.
    pub end: RequestEnd,
    /// Who ended it, and why.
    pub by: Signature,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestEnd {
    /// Its units went on sale.
    Granted {
        /// By this lot, which stands right before.
        lot: u32,
    },
    /// The units stay where they are.
    Declined,
    /// Nobody asks any more.
    Withdrawn,
}

/// Who said something, why and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Who, by the token's name.
    pub actor: Text,
    /// Why, in the actor's words; may be empty.
    pub reason: Text,
    /// When, by the wall clock.
    pub at: UnixMillis,
}
