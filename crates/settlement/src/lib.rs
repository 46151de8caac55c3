//! What becomes of money, as pure values: no threads, no I/O, no clock, no randomness.
//!
//! A [`PaymentBook`] knows the money of one drop's holds: what is owed, every payment, what is due back. It is
//! asked what follows from a fact, which a provider may report twice, late, in any order; the answer is records
//! and a [`PartOutcome`]. Units are not its matter: whoever asks shows how the hold stands, and ends it.
//! It changes by [`PaymentBook::apply`] alone, so a start is the same as a sale.

mod account;
mod book;
mod cancel;
mod facts;
mod matter;
mod part;
mod split;

pub use account::{HoldAccount, OrderGoods};
pub use book::PaymentBook;
pub use cancel::{CancelAsk, CancelRefusal, Cancellation};
pub use facts::{HoldStands, PartAsk, PartOutcome, PaymentRefusal};
pub use matter::{Matter, MatterKind};
pub use part::{Part, PartState};
pub use split::{Split, allocate, split};
