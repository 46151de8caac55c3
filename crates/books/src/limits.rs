//! The limits of decisions, each with its policy when full.

use stampede_domain::{DurationMs, Units};

/// Limits that books hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that all live drops may come to need. When full: plans and lots are refused.
    pub sale_bytes_max: u64,
    /// The same for the live drops of one merchant.
    pub merchant_bytes_max: u64,
    /// Bytes that a drop with this many units in each pool may come to need.
    pub bytes_needed: fn(&mut dyn Iterator<Item = Units>) -> u64,
    /// Streams that belong to somebody. When full: the merchant's room that has been idle for the longest
    /// time ends; without one, plans into new streams are refused.
    pub rooms_max: usize,
    /// The same for the streams of one owner, the house apart.
    pub rooms_per_owner_max: usize,
    /// Merchants admitted to one stream besides its owner. When full: one more is refused.
    pub admitted_per_room_max: usize,
    /// Time between two tallies of a drop, in milliseconds.
    pub tally_interval: DurationMs,
}
