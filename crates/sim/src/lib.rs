//! A simulation of a node from seeds, in one thread: the engine that serves, on a ledger in memory that
//! fails before, fails after, hangs, or loses what was on its way.
//!
//! While nothing is under way, and once a start has recovered, the node's books are compared with books that
//! follow the rows, its holds with what was promised, its units with those supplied.
//!
//! The world pays at a provider with books of its own, which says what it took late, twice, in any order, until it is
//! heard. What it has is held against the rows: orders' money, what is due back, what went back.
//!
//! A seed makes two drops of two SKUs, viewers, staff, clocks that jump, faults with restarts. After each
//! step the books, the stock and what was promised are held against the rows of the ledger, which are
//! counted here by rules of their own.

mod corrections;
mod durable;
mod durable_money;
mod provider;
mod random;
mod run;
mod violation;
mod world;

pub use corrections::Corrections;
pub use run::{Faults, MoneyCounts, Report, Seed, run_seed, run_seeds};
pub use world::Compared;
