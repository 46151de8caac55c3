//! Races of takes against memory that grows.

use loom::sync::Arc;

use super::{PREEMPTIONS_OF_THREE_MAX, explore, explore_within, racer, taker};
use crate::{
    DropStock, HoldView, Take,
    tests::support::{open_stock, request, taken, viewer},
};

/// A stock that has units to spare and has handed out every slot of its first segment.
fn out_of_slots() -> DropStock {
    let stock = open_stock(12);
    let mut lane = stock.lane();
    for by in 10..18 {
        assert!(taken(stock.take(&mut lane, &request(by, by, 1), || true)).is_some());
    }
    stock
}

#[test]
fn two_takers_that_find_no_slot_grow_the_table_and_get_one_each() {
    explore(|| {
        let stock = Arc::new(out_of_slots());
        let racers = [taker(&stock, 1, 1, 1), taker(&stock, 2, 2, 1)];
        let takes = racers.map(|racer| racer.join().unwrap());
        let [one, two] = takes.map(|take| taken(take).expect("the table grows"));
        assert_ne!(one.slot(), two.slot());
        for (hold, by) in [(one, 1), (two, 2)] {
            let HoldView::Pending(body) = stock.view(hold) else { panic!("{hold:?} was taken") };
            assert_eq!(body.viewer, viewer(by));
        }
    });
}

#[test]
fn growth_ahead_against_a_take_that_needs_it_gives_it_a_slot() {
    explore(|| {
        let stock = Arc::new(out_of_slots());
        let grower = racer(&stock, DropStock::grow_ahead);
        let hold = taken(taker(&stock, 1, 1, 1).join().unwrap()).expect("the table grows");
        grower.join().unwrap();
        let HoldView::Pending(body) = stock.view(hold) else { panic!("{hold:?} was taken") };
        assert_eq!(body.viewer, viewer(1));
    });
}

#[test]
fn retry_against_growth_of_the_filter_is_still_a_replay() {
    explore_within(PREEMPTIONS_OF_THREE_MAX, || {
        let stock = Arc::new(open_stock(1));
        let grower = racer(&stock, |stock| stock.viewers.grow_for(8));
        let racers = [taker(&stock, 1, 1, 1), taker(&stock, 1, 1, 1)];
        match racers.map(|racer| racer.join().unwrap()).into() {
            (Take::Taken(one), Take::Replay(two)) | (Take::Replay(two), Take::Taken(one)) => {
                assert_eq!(one, two);
            }
            answers => panic!("sold out to oneself: {answers:?}"),
        }
        grower.join().unwrap();
        let retry = stock.take(&mut stock.lane(), &request(1, 1, 1), || true);
        assert!(matches!(retry, Take::Replay(_)), "the grown filter forgot its winner");
    });
}
