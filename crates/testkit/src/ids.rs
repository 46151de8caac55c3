//! Quantities, prices and holds from plain numbers.

use stampede_domain::{
    DropId, HoldId, Incarnation, Money, PoolIndex, SlotIndex, TakeNumber, Units,
};

/// So many units.
///
/// # Panics
/// There are more than [`Units::MAX`].
#[track_caller]
pub fn units(count: u32) -> Units {
    Units::new(count).expect("a count within range")
}

/// A price in euros, by its cents.
///
/// # Panics
/// It is more than [`Money::MINOR_MAX`].
#[track_caller]
pub fn euros(cents: u64) -> Money {
    Money::new(cents, "EUR".parse().expect("a currency")).expect("a price within range")
}

/// The hold of take `number` in the first pool of a drop; it lies in the slot of the same number.
///
/// # Panics
/// `number` is 0 or no slot's.
#[track_caller]
pub fn hold(drop: DropId, incarnation: Incarnation, number: u32) -> HoldId {
    let pool = PoolIndex::new(0).expect("every drop has a first pool");
    let slot = SlotIndex::new(number).expect("a slot's number");
    let take = TakeNumber::new(u64::from(number)).expect("a take's number");
    HoldId::new(drop, incarnation, pool, slot, take)
}
