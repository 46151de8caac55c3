//! Tests of the whole core, by kind.

#[cfg(not(any(stampede_loom, stampede_guard_off)))]
mod growth;
#[cfg(not(any(stampede_loom, stampede_guard_off)))]
mod histories;
#[cfg(not(any(stampede_loom, stampede_guard_off)))]
mod limits;
#[cfg(stampede_loom)]
mod races;
#[cfg(not(any(stampede_loom, stampede_guard_off)))]
mod scripts;
#[cfg(not(any(stampede_loom, stampede_guard_off)))]
mod story;
#[cfg(not(stampede_loom))]
mod stress;
mod support;
#[cfg(not(any(stampede_loom, stampede_guard_off)))]
mod twin;
