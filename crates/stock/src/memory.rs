//! The memory that a drop's stock needs.

use stampede_domain::Units;

/// Bytes of a stock before its first lot, pools apart.
const STOCK_BYTES: u64 = 24 << 10;
/// Bytes of a supplied pool before its first take.
const POOL_BYTES: u64 = 66 << 10;
/// Bytes of a live hold: its slot, which serves again after it.
const LIVE_HOLD_BYTES: u64 = 64;
/// Bytes of a hold ever made, live or not, at most: what its viewer's retries and limits go by.
const HOLD_BYTES_MAX: u64 = 176;

/// Bytes that a drop with these units in each pool may come to need: one hold lives for each unit,
/// none has ended. Each hold that ends adds 176 bytes at most, until the drop is over.
pub fn bytes_needed(supplied: impl IntoIterator<Item = Units>) -> u64 {
    let pool = |units: Units| match u64::from(units.get()) {
        0 => 0,
        units => POOL_BYTES + units * (LIVE_HOLD_BYTES + HOLD_BYTES_MAX),
    };
    supplied.into_iter().map(pool).fold(STOCK_BYTES, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_costs_its_pools_and_a_hold_for_each_unit() {
        let needed = |supplied: &[u32]| {
            bytes_needed(supplied.iter().map(|count| Units::new(*count).unwrap()))
        };
        assert_eq!([needed(&[]), needed(&[0, 0])], [24_576; 2], "pools without units cost nothing");
        assert_eq!(needed(&[1]), 24_576 + 67_584 + 240);
        assert_eq!(needed(&[10, 0, 3]), 24_576 + 2 * 67_584 + 13 * 240);
    }
}
