//! Tools that the tests of several crates share: terms of a drop, a clock set by hand, a patient wait.
//!
//! For tests, benches and examples alone: no program depends on it.

#[cfg(feature = "clock")]
mod clock;
mod ids;
#[cfg(feature = "clock")]
mod payments;
mod plan;
mod wait;

#[cfg(feature = "clock")]
pub use clock::{HandClock, at_next_reading};
pub use ids::{euros, hold, units};
#[cfg(feature = "clock")]
pub use payments::paid;
pub use plan::{plan, plan_of, sku};
pub use wait::{PATIENCE, wait_for};
