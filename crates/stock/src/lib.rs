//! The lock-free core: who gets a unit, decided by compare-and-swap on one word.
//!
//! A [`DropStock`] holds, for each pool, a stock word (open bit, waiting bit, available units, take
//! number) with the slots of its holds, and for all pools the winners' keys and limits. Takes run
//! on any core at once; every other change is decided by one steward, and units go back only after
//! the record of their return is durable.
//!
//! It never does I/O, never awaits, reads no clock, draws no random number: time is an argument,
//! order is the order of the stock word.

mod cell;
mod drop_stock;
mod filter;
mod hold;
mod lane;
mod memory;
mod restore;
mod slot;
mod slot_table;
mod sync;
mod take;
#[cfg(test)]
mod tests;
mod viewers;
mod word;

pub use drop_stock::{DropStock, SkuLimits, StockConfig};
pub use hold::{
    End, GiveOutcome, HoldBody, HoldView, NotFree, PoolView, RestoreError, RestoredHold,
    RestoredState, SupplyError, Take, TakeRequest, WaitJoin,
};
pub use lane::Lane;
pub use memory::bytes_needed;
