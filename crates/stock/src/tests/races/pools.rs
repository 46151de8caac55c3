//! Races between two pools of one SKU: a viewer's keys and limits hold over both.

use loom::{sync::Arc, thread};

use super::{ended, explore, racer};
use crate::{
    DropStock, GiveOutcome, Take, TakeRequest,
    tests::support::{config_of, open, pool, request, taken, units},
};

/// An open drop with two units of one SKU in each of two pools.
fn two_pools(limit: u32) -> Arc<DropStock> {
    Arc::new(open(config_of(&[0, 0], &[limit], 9), 2))
}

/// Viewer 1 takes a unit from this pool, with a lane of its own.
fn taker(stock: &Arc<DropStock>, with: u64, from: u8) -> thread::JoinHandle<Take> {
    let mut lane = stock.lane();
    let request = TakeRequest { pool: pool(from), ..request(1, with, 1) };
    racer(stock, move |stock| stock.take(&mut lane, &request, || true))
}

fn available(stock: &DropStock) -> [u32; 2] {
    let mut pools = stock.pools();
    [(); 2].map(|()| pools.next().expect("there are two").available.get())
}

#[test]
fn takes_from_two_pools_pass_the_limit_of_their_sku_once() {
    explore(|| {
        let stock = two_pools(1);
        let racers = [taker(&stock, 1, 0), taker(&stock, 2, 1)];
        let expected = match racers.map(|racer| racer.join().unwrap()) {
            [Take::Taken(_), Take::OverViewerLimit { limit, for_good: false }]
                if limit == units(1) =>
            {
                [1, 2]
            }
            [Take::OverViewerLimit { limit, for_good: false }, Take::Taken(_)]
                if limit == units(1) =>
            {
                [2, 1]
            }
            answers => panic!("{answers:?}"),
        };
        assert_eq!(available(&stock), expected);
    });
}

#[test]
fn one_key_takes_once_from_two_pools() {
    explore(|| {
        let stock = two_pools(9);
        let racers = [taker(&stock, 1, 0), taker(&stock, 1, 1)];
        match racers.map(|racer| racer.join().unwrap()) {
            [Take::Taken(one), Take::Replay(two)] | [Take::Replay(two), Take::Taken(one)] => {
                assert_eq!(one, two);
            }
            answers => panic!("{answers:?}"),
        }
        assert_eq!(available(&stock).iter().sum::<u32>(), 3);
    });
}

#[test]
fn take_from_one_pool_against_give_to_the_other_meets_the_limit_before_it_or_not() {
    explore(|| {
        let stock = two_pools(1);
        let hold = ended(&stock, 1, 1);
        let other = taker(&stock, 2, 1);
        let writer = racer(&stock, move |stock| stock.give(hold));
        let take = other.join().unwrap();
        assert!(matches!(writer.join().unwrap(), GiveOutcome::ToPublic(_)));
        match take {
            Take::Taken(hold) => assert_eq!(hold.pool(), pool(1)),
            refused => {
                assert_eq!(refused, Take::OverViewerLimit { limit: units(1), for_good: false })
            }
        }
        let left = if taken(take).is_some() { 1 } else { 2 };
        assert_eq!(available(&stock), [2, left]);
    });
}
