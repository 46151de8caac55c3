//! Measures the memory of a drop with a counting allocator.

use std::alloc::System;

use cap::Cap;
use stampede_domain::{
    DropId, HoldId, Incarnation, KeyFingerprint, PoolIndex, PoolMap, SkuIndex, Units, UnixMillis,
    ViewerNumber,
};
use stampede_stock::{
    DropStock, End, GiveOutcome, Lane, SkuLimits, StockConfig, Take, TakeRequest, bytes_needed,
};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Holds of each part: enough for growth of every kind.
const HOLDS: u32 = 300_000;

fn allocated() -> u64 {
    ALLOCATOR.allocated().try_into().expect("64 bits")
}

fn units(count: u32) -> Units {
    Units::new(count).expect("below 2^24")
}

fn stock(supply: Units) -> DropStock {
    let stock = DropStock::new(StockConfig {
        drop: DropId::new(1),
        incarnation: Incarnation::new(1).expect("1 is small"),
        pools: PoolMap::new([SkuIndex::default()]).expect("one pool"),
        skus: vec![SkuLimits { limit_per_viewer: Units::ONE }],
        limit_per_viewer: Units::ONE,
        holds_per_viewer_max: 16,
    });
    stock.add_supply(PoolIndex::default(), supply).expect("the pool is empty");
    stock.permit_takes();
    stock
}

/// A take as the engine makes it: what it wishes for is grown before the next.
fn take(stock: &DropStock, lane: &mut Lane, by: u32) -> HoldId {
    let request = TakeRequest {
        viewer: ViewerNumber::new(u64::from(by).wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .expect("all 64 bits"),
        key: KeyFingerprint::from_bits(u128::from(by)),
        pool: PoolIndex::default(),
        units: Units::ONE,
        now: UnixMillis::new(1_000),
        deadline: UnixMillis::new(4_000),
    };
    let Take::Taken(hold) = stock.take(lane, &request, || true) else { panic!("there is stock") };
    if lane.take_growth_wish() {
        stock.grow_ahead();
    }
    hold
}

/// What the test's frame may allocate meanwhile: it keeps what is printed.
const FRAME_BYTES_MAX: u64 = 64 << 10;

/// One test, so that nothing else of size allocates beside it.
#[test]
fn memory_follows_takes_and_returns() {
    let before = allocated();
    let largest = stock(Units::MAX);
    let opened = allocated() - before;
    println!("the largest pool opens in {opened} bytes");
    assert!(opened <= bytes_needed([units(1)]), "a lot of any size costs the same: {opened} bytes");
    let mut lane = largest.lane();
    for made in 1..=HOLDS {
        take(&largest, &mut lane, made);
        if made >= 10_000 && made.is_multiple_of(1_000) {
            let (used, needed) = (allocated() - before, bytes_needed([units(made)]));
            // What stands ready ahead of need: thrice as many slots, 4 MiB with a segment at most.
            let ahead = (u64::from(made) * 64 * 3).min(8 << 20);
            assert!(used <= needed + ahead, "{used} bytes after {made} takes, {needed} expected");
        }
        if made.is_multiple_of(HOLDS / 10) {
            println!("{made} live holds: {} bytes each", (allocated() - before) / u64::from(made));
        }
    }
    drop((largest, lane));
    assert!(allocated().abs_diff(before) <= FRAME_BYTES_MAX, "all of it returns");

    let turning = stock(units(1));
    let mut lane = turning.lane();
    for made in 1..=HOLDS {
        let hold = take(&turning, &mut lane, made);
        turning.mark_held(hold);
        assert!(matches!(turning.end(hold), End::Won(_)));
        assert!(matches!(turning.give(hold), GiveOutcome::ToPublic(_)));
        let used = allocated() - before - opened;
        assert!(
            made < 10_000 || used <= 176 * u64::from(made),
            "{used} bytes for {made} ended holds"
        );
        if made.is_multiple_of(HOLDS / 10) {
            println!("{made} ended holds: {} bytes each", used / u64::from(made));
        }
    }
}
