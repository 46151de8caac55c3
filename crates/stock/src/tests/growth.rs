//! What is made ahead of need: when a lane wishes for it, what comes of it.

use std::collections::BTreeSet;

use stampede_domain::ViewerNumber;

use super::support::{open_stock, pool, request, taken, units};
use crate::{DropStock, Lane, TakeRequest};

/// Viewers whose numbers are as random as those that are drawn.
fn somebody(number: u64) -> ViewerNumber {
    let mixed = (number ^ (number << 21)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    ViewerNumber::new(mixed ^ (mixed >> 32)).unwrap()
}

/// Takes one unit for the next viewer; tells the take's number.
fn take(stock: &DropStock, lane: &mut Lane, by: u64) -> u64 {
    let request = TakeRequest { viewer: somebody(by), ..request(0, by, 1) };
    taken(stock.take(lane, &request, || true)).unwrap().take().get()
}

/// Of 10,000 viewers who have taken nothing: whom the filter takes for winners.
fn strangers_let_through(stock: &DropStock) -> usize {
    (50_000..60_000).filter(|by| stock.viewers.filter_knows(somebody(*by))).count()
}

#[test]
fn a_lane_wishes_eight_times_while_takes_double_and_when_half_the_slots_are_out() {
    let stock = open_stock(10_000);
    let mut lane = stock.lane();
    let mut wished = BTreeSet::new();
    for by in 1..=2_000 {
        let number = take(&stock, &mut lane, by);
        if lane.take_growth_wish() {
            wished.insert(number);
            stock.grow_ahead();
        }
    }
    let eighths = |from: u64| (0..8).map(move |step| from + step * from / 8);
    let mut expected: BTreeSet<u64> =
        [64, 128, 256, 512, 1_024].into_iter().flat_map(eighths).collect();
    expected.extend([513, 1_025]);
    assert_eq!(wished, expected);
}

#[test]
fn two_reasons_at_once_are_one_wish() {
    let stock = open_stock(10_000);
    let (mut other, mut lane) = (stock.lane(), stock.lane());
    (1..=7).for_each(|by| assert_eq!(take(&stock, &mut other, by), by));
    (8..=511).for_each(|by| assert_eq!(take(&stock, &mut lane, by), by));
    let _ = lane.take_growth_wish();
    assert_eq!(take(&stock, &mut lane, 512), 512);
    assert!(lane.take_growth_wish(), "an eighth is made, and less than half of the slots is left");
    assert!(!lane.take_growth_wish(), "a wish is told once");
}

#[test]
fn notes_are_looked_after_as_takes_come() {
    let stock = open_stock(10_000);
    let mut lane = stock.lane();
    for by in 1..=5_000 {
        take(&stock, &mut lane, by);
        if lane.take_growth_wish() {
            stock.grow_ahead();
        }
    }
    let passed = strangers_let_through(&stock);
    assert!(passed < 400, "{passed} of 10,000 strangers pass");
}

#[test]
fn a_rush_that_is_known_ahead_finds_its_places() {
    let stock = open_stock(10_000);
    stock.grow_for(pool(0), units(4_000));
    let mut lane = stock.lane();
    for by in 1..=4_000 {
        let number = take(&stock, &mut lane, by);
        let wished = lane.take_growth_wish();
        assert!(number != 513 || !wished, "the slots are there");
    }
    let passed = strangers_let_through(&stock);
    assert!(passed < 400, "{passed} of 10,000 strangers pass");
}
