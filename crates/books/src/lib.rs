//! Every decision that is no take, as pure values: no threads, no atomics, no I/O, no clock, no
//! randomness.
//!
//! [`Books`] is asked, with the time and what the shell shows; it answers with a [`Decision`]: what acts at
//! once, which records say so, what happens once they are durable. A decision ends by applying its own
//! records, so a start is the same as a sale: each row of the journal goes to [`Books::apply`].
//!
//! Stock owns units, holds, viewers' notes. A book is shown a hold inside of what it is asked, and keeps
//! no map of holds.

mod books;
pub mod brake;
pub mod command;
mod contradiction;
mod decision;
mod drop;
mod hold;
mod keys;
mod limits;
mod memory;
mod payment;
mod rehearsal;
mod seen;
mod sources;
mod stream;
mod stream_scope;
mod targets;
mod timers;
mod totals;
mod video;

pub use books::{
    Books, CommandContext, FreeUnits, OverDrop, ReopenedDrop, UnmatchedAsk, UnmatchedEntry,
    UnmatchedPage, Withdrawal,
};
pub use command::{
    Action, AmendRefusal, AmendTerms, AskedFor, BrakeAction, CancelOrder, CommandOutcome,
    CommandRefusal, Done, DropAction, RequestRefusal, Role, StaffCommand, StockRefusal,
    StreamAction, TakeBack, WindDownRefusal, patch_request,
};
pub use contradiction::Contradiction;
pub use decision::{Act, Decision, Effect, HoldEnd, NewRecord};
pub use drop::{DropBook, MissedWhy, RestockRequest, StreamWatch};
pub use hold::{HoldLook, HoldStatus};
pub use limits::Limits;
pub use memory::MemoryNeeds;
pub use payment::{Attempt, EndedLook, FactRefusal, HoldOutcome, PayingHold, PaymentOutcome};
pub use rehearsal::RehearsalRefusal;
pub use seen::SeenDrop;
pub use sources::{Counted, Sources};
pub use stream::{OnAir, Room, RoomView, Rooms};
pub use stream_scope::StreamScope;
pub use targets::{NoTargets, Targets};
pub use totals::Totals;
pub use video::VideoRefusal;
