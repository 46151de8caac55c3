//! Real threads that start together, then one count of everything.

use std::{collections::HashSet, sync::Barrier, thread};

use stampede_domain::HoldId;

use super::support::{open_stock, pool, request, taken, units};
use crate::{End, GiveOutcome, HoldView, NotFree, Take};

const THREADS: u64 = 4;
const CLICKS_PER_THREAD: u64 = 20_000;
const SUPPLY: u32 = 10_000;

/// Counts what the threads were told against what the stock says.
///
/// With `--cfg stampede_guard_off` the word loses changes, so this test must fail then:
/// `RUSTFLAGS="--cfg stampede_guard_off" cargo test -p stampede-stock --release --lib stress`.
#[test]
fn threads_that_take_end_and_give_lose_no_unit() {
    let stock = open_stock(SUPPLY);
    let start = Barrier::new(usize::try_from(THREADS).unwrap());
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (stock, start) = (&stock, &start);
                let mut lane = stock.lane();
                scope.spawn(move || {
                    start.wait();
                    let mut outcome = Outcome::default();
                    for click in 0..CLICKS_PER_THREAD {
                        let by = click * THREADS + thread;
                        match stock.take(&mut lane, &request(by, by, 1), || true) {
                            Take::Taken(hold) => outcome.settle(stock, hold, by),
                            Take::SoldOut => outcome.refused += 1,
                            other => panic!("{other:?}"),
                        }
                    }
                    outcome
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let confirmed: Vec<HoldId> = outcomes.iter().flat_map(|o| o.confirmed.clone()).collect();
    let given: u32 = outcomes.iter().map(|outcome| outcome.given).sum();
    let view = stock.pools().next().unwrap();
    let sold = u32::try_from(confirmed.len()).unwrap();
    assert_eq!(view.available.get() + sold, SUPPLY, "every unit is sold or available");
    assert_eq!(view.last_take.get(), u64::from(sold + given), "every take has its number");
    let slots: HashSet<_> = confirmed.iter().map(|hold| hold.slot()).collect();
    assert_eq!(slots.len(), confirmed.len(), "no slot holds two orders");
    assert!(confirmed.iter().all(|hold| matches!(stock.view(*hold), HoldView::Confirmed(_))));
}

#[derive(Default)]
struct Outcome {
    confirmed: Vec<HoldId>,
    given: u32,
    refused: u32,
}

impl Outcome {
    /// Orders every third hold, gives the others back at once.
    fn settle(&mut self, stock: &crate::DropStock, hold: HoldId, by: u64) {
        stock.mark_held(hold);
        if by.is_multiple_of(3) {
            assert!(matches!(stock.confirm(hold), End::Won(_)));
            self.confirmed.push(hold);
        } else {
            assert!(matches!(stock.end(hold), End::Won(_)));
            assert!(matches!(stock.give(hold), GiveOutcome::ToPublic(_)));
            self.given += 1;
        }
    }
}

/// A host who takes stock back and adds some again while everyone clicks.
#[test]
fn what_is_withdrawn_under_load_is_sold_to_nobody() {
    let stock = open_stock(SUPPLY);
    let start = Barrier::new(3);
    let (withdrawn, sold): (u32, usize) = thread::scope(|scope| {
        let buyers: Vec<_> = (0..2)
            .map(|thread| {
                let (stock, start) = (&stock, &start);
                let mut lane = stock.lane();
                scope.spawn(move || {
                    start.wait();
                    let clicks = (0..CLICKS_PER_THREAD).map(|click| click * 2 + thread);
                    clicks
                        .filter(|by| {
                            let take = stock.take(&mut lane, &request(*by, *by, 1), || true);
                            taken(take).is_some()
                        })
                        .count()
                })
            })
            .collect();
        start.wait();
        let mut withdrawn = 0;
        for _ in 0..200 {
            match stock.withdraw(pool(0), units(7)) {
                Ok(()) => withdrawn += 7,
                Err(NotFree { free, .. }) => assert!(free.get() < 7),
            }
            stock.add_supply(pool(0), units(3)).unwrap();
        }
        (withdrawn, buyers.into_iter().map(|buyer| buyer.join().unwrap()).sum())
    });
    let view = stock.pools().next().unwrap();
    let sold = u32::try_from(sold).unwrap();
    assert_eq!(view.supplied.get(), SUPPLY + 200 * 3 - withdrawn);
    assert_eq!(view.available.get() + sold, view.supplied.get());
    assert_eq!(view.last_take.get(), u64::from(sold));
}

/// A host who pauses, resumes and restocks while everyone clicks.
#[test]
fn restocks_and_pauses_under_load_lose_no_unit() {
    let stock = open_stock(100);
    let start = Barrier::new(3);
    let lots = 50;
    let sold: usize = thread::scope(|scope| {
        let buyers: Vec<_> = (0..2)
            .map(|thread| {
                let (stock, start) = (&stock, &start);
                let mut lane = stock.lane();
                scope.spawn(move || {
                    start.wait();
                    let clicks = (0..CLICKS_PER_THREAD).map(|click| click * 2 + thread);
                    clicks
                        .filter(|by| {
                            let take = stock.take(&mut lane, &request(*by, *by, 2), || true);
                            taken(take).is_some()
                        })
                        .count()
                })
            })
            .collect();
        start.wait();
        for _ in 0..lots {
            stock.forbid_takes();
            let before = stock.pools().next().unwrap();
            stock.add_supply(pool(0), units(100)).unwrap();
            let after = stock.pools().next().unwrap();
            assert_eq!(after.available.get(), before.available.get() + 100, "shut means still");
            assert_eq!(after.last_take, before.last_take);
            stock.permit_takes();
        }
        buyers.into_iter().map(|buyer| buyer.join().unwrap()).sum()
    });
    let view = stock.pools().next().unwrap();
    let sold = u32::try_from(sold).unwrap();
    assert_eq!(view.available.get() + 2 * sold, 100 + lots * 100);
    assert_eq!(view.last_take.get(), u64::from(sold));
}
