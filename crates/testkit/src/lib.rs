//! Tools that the tests of several crates share: terms of a drop, a clock set by hand, sales of the past, a patient
//! wait.
//!
//! For tests, benches and examples alone: no program depends on it.

#[cfg(feature = "clock")]
mod clock;
mod ids;
#[cfg(feature = "past")]
mod past;
#[cfg(feature = "clock")]
mod payments;
mod plan;
#[cfg(feature = "past")]
mod rig;
mod wait;

#[cfg(feature = "clock")]
pub use clock::{HandClock, at_next_reading};
pub use ids::{euros, hold, units};
#[cfg(feature = "past")]
pub use past::{PastDrop, PastHold, PastLedger};
#[cfg(feature = "clock")]
pub use payments::paid;
pub use plan::{plan, plan_of, sku};
#[cfg(feature = "past")]
pub use rig::Rig;
pub use wait::{PATIENCE, wait_for};
