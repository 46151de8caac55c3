//! Every racing pair, run by `loom` through all interleavings within a preemption bound.
//!
//! Run:
//!
//! ```text
//! RUSTFLAGS="--cfg stampede_loom" cargo test -p stampede-stock --lib --release races
//! ```
//!
//! Races of two go through all interleavings with three preemptions ([`PREEMPTIONS_MAX`]), races of
//! three with two; each test takes seconds at most. The model's first thread only joins. `loom` runs
//! the core's own atomics; the viewers' sharded map is a modelled lock per shard here, because
//! `loom` hangs on an atomic used under a lock that it does not know.
//!
//! The guard: the same command with `--cfg stampede_guard_off` added puts a load and a store in the
//! place of the word's compare-and-swap. Then every test named `word_…` must fail:
//!
//! ```text
//! RUSTFLAGS="--cfg stampede_loom --cfg stampede_guard_off" \
//!     cargo test -p stampede-stock --lib --release races::word
//! ```

mod growth;
mod pools;

use loom::{sync::Arc, thread};
use stampede_domain::{HoldId, SlotIndex, TakeNumber, Units};

use super::support::{config, open_stock, pool, request, taken, units, viewer};
use crate::{DropStock, End, GiveOutcome, HoldView, NotFree, PoolView, Take, WaitJoin};

/// Preemptions that `loom` explores in one execution of a race of two.
const PREEMPTIONS_MAX: usize = 3;
/// The same for a race of three, which has many more interleavings.
const PREEMPTIONS_OF_THREE_MAX: usize = 2;

fn explore(race: impl Fn() + Send + Sync + 'static) {
    explore_within(PREEMPTIONS_MAX, race);
}

fn explore_within(preemptions_max: usize, race: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions_max);
    model.max_branches = 10_000;
    model.check(race);
}

/// Lets `act` race on a thread of its own.
///
/// Every racer gets one: what the model's first thread does right after a spawn is not interleaved
/// with the spawned thread, so it only joins.
fn racer<T: 'static>(
    stock: &Arc<DropStock>,
    act: impl FnOnce(&DropStock) -> T + 'static,
) -> thread::JoinHandle<T> {
    let stock = Arc::clone(stock);
    thread::spawn(move || act(&stock))
}

/// A racer who takes, with a lane of its own.
fn taker(stock: &Arc<DropStock>, by: u64, with: u64, count: u32) -> thread::JoinHandle<Take> {
    let mut lane = stock.lane();
    racer(stock, move |stock| stock.take(&mut lane, &request(by, with, count), || true))
}

fn take_now(stock: &DropStock, by: u64, with: u64, count: u32) -> HoldId {
    taken(stock.take(&mut stock.lane(), &request(by, with, count), || true))
        .expect("units are there")
}

/// A hold that has ended and whose units are still out.
fn ended(stock: &DropStock, by: u64, with: u64) -> HoldId {
    let hold = take_now(stock, by, with, 1);
    stock.mark_held(hold);
    assert!(matches!(stock.end(hold), End::Won(_)));
    hold
}

fn look(stock: &DropStock) -> PoolView {
    stock.pools().next().expect("there is one pool")
}

/// Units out by the takes' own answers plus units available make the supply.
fn conserved(stock: &DropStock, takes: &[Take]) {
    let out = takes.iter().filter(|take| taken(**take).is_some()).count();
    let view = look(stock);
    let out = u32::try_from(out).expect("a few takes");
    assert_eq!(view.available.get() + out, view.supplied.get(), "{takes:?}");
}

#[test]
fn word_two_takes_of_the_last_unit_have_one_winner() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let racers = [taker(&stock, 1, 1, 1), taker(&stock, 2, 2, 1)];
        let takes = racers.map(|racer| racer.join().unwrap());
        conserved(&stock, &takes);
        assert_eq!(takes.iter().filter(|take| matches!(take, Take::SoldOut)).count(), 1);
    });
}

#[test]
fn word_two_takes_get_two_numbers_and_two_slots() {
    explore(|| {
        let stock = Arc::new(open_stock(2));
        let racers = [taker(&stock, 1, 1, 1), taker(&stock, 2, 2, 1)];
        let takes = racers.map(|racer| racer.join().unwrap());
        conserved(&stock, &takes);
        let [one, two] = takes.map(|take| taken(take).expect("there is one for each"));
        assert_ne!(one.slot(), two.slot());
        assert_eq!(one.take().get() + two.take().get(), 3, "numbers 1 and 2");
        for (hold, by) in [(one, 1), (two, 2)] {
            let HoldView::Pending(body) = stock.view(hold) else { panic!("{hold:?} was taken") };
            assert_eq!(body.viewer, viewer(by));
        }
    });
}

#[test]
fn word_take_against_close_wins_before_it_or_is_shut_out() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let other = taker(&stock, 2, 2, 1);
        let host = racer(&stock, |stock| {
            stock.forbid_takes();
            look(stock)
        });
        let closed = host.join().unwrap();
        assert!(!closed.open, "close has returned");
        let take = other.join().unwrap();
        conserved(&stock, &[take]);
        assert_eq!(look(&stock), closed, "nothing moves once forbid_takes has returned");
        assert!(matches!(take, Take::Taken(_) | Take::Shut), "{take:?}");
    });
}

#[test]
fn word_take_against_give_loses_no_unit() {
    explore(|| {
        let stock = Arc::new(open_stock(2));
        let hold = ended(&stock, 1, 1);
        let other = taker(&stock, 2, 2, 1);
        let writer = racer(&stock, move |stock| stock.give(hold));
        let take = other.join().unwrap();
        assert!(matches!(writer.join().unwrap(), GiveOutcome::ToPublic(_)));
        assert!(matches!(take, Take::Taken(_)), "{take:?}");
        conserved(&stock, &[take]);
    });
}

#[test]
fn take_that_sees_returned_units_finds_their_slot() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let hold = ended(&stock, 1, 1);
        let other = taker(&stock, 2, 2, 1);
        let writer = racer(&stock, move |stock| stock.give(hold));
        let take = other.join().unwrap();
        assert!(matches!(writer.join().unwrap(), GiveOutcome::ToPublic(_)));
        conserved(&stock, &[take]);
        assert!(matches!(take, Take::Taken(_) | Take::SoldOut), "{take:?}");
        assert_eq!(stock.view(hold), HoldView::Ended);
    });
}

#[test]
fn word_take_against_waiting_bit_never_passes_the_waitlist() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let other = taker(&stock, 2, 2, 1);
        // Two units are wanted and one is there, so the bit is set whatever the take does.
        let steward = racer(&stock, |stock| {
            assert_eq!(stock.join_waiting(pool(0), units(2)), WaitJoin::Waiting);
            look(stock)
        });
        let joined = steward.join().unwrap();
        assert!(joined.waiting, "join has returned");
        let take = other.join().unwrap();
        conserved(&stock, &[take]);
        assert_eq!(look(&stock), joined, "nothing moves past the waitlist");
    });
}

#[test]
fn word_give_against_waiting_bit_goes_to_one_of_the_two() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let hold = ended(&stock, 1, 1);
        let writer = racer(&stock, move |stock| stock.give(hold));
        let steward = racer(&stock, |stock| stock.join_waiting(pool(0), units(1)));
        let (joined, given) = (steward.join().unwrap(), writer.join().unwrap());
        let view = look(&stock);
        match (joined, given) {
            (WaitJoin::Waiting, GiveOutcome::ToWaiting(_)) => assert_eq!(view.available, units(0)),
            (WaitJoin::Available { .. }, GiveOutcome::ToPublic(_)) => assert!(!view.waiting),
            other => panic!("a unit is lost between {other:?}, {view:?}"),
        }
    });
}

#[test]
fn word_give_against_lot_adds_both() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let hold = ended(&stock, 1, 1);
        let writer = racer(&stock, move |stock| stock.give(hold));
        let steward = racer(&stock, |stock| stock.add_supply(pool(0), units(1)));
        steward.join().unwrap().unwrap();
        assert!(matches!(writer.join().unwrap(), GiveOutcome::ToPublic(_)));
        conserved(&stock, &[]);
    });
}

#[test]
fn word_withdraw_against_take_of_the_last_unit_has_one_winner() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let other = taker(&stock, 1, 1, 1);
        let steward = racer(&stock, |stock| stock.withdraw(pool(0), units(1)));
        let (withdrawn, take) = (steward.join().unwrap(), other.join().unwrap());
        conserved(&stock, &[take]);
        match (withdrawn, take) {
            (Ok(()), Take::SoldOut) => assert_eq!(look(&stock).supplied, units(0)),
            (Err(NotFree { free, .. }), Take::Taken(_)) => assert_eq!(free, units(0)),
            both => panic!("{both:?}"),
        }
    });
}

#[test]
fn word_withdraw_against_give_loses_no_unit() {
    explore(|| {
        let stock = Arc::new(open_stock(2));
        let hold = ended(&stock, 1, 1);
        let writer = racer(&stock, move |stock| stock.give(hold));
        let steward = racer(&stock, |stock| stock.withdraw(pool(0), units(1)));
        assert_eq!(steward.join().unwrap(), Ok(()), "one was free all the time");
        assert!(matches!(writer.join().unwrap(), GiveOutcome::ToPublic(_)));
        conserved(&stock, &[]);
        assert_eq!(look(&stock).supplied, units(1));
    });
}

#[test]
fn word_withdraw_between_give_and_lot_against_take_loses_no_unit() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let hold = ended(&stock, 1, 1);
        let other = taker(&stock, 2, 2, 1);
        // The steward alone does all three, in any order; buyers come between.
        let steward = racer(&stock, move |stock| {
            let given = stock.give(hold);
            assert!(matches!(given, GiveOutcome::ToPublic(_)));
            let withdrawn = stock.withdraw(pool(0), units(1));
            stock.add_supply(pool(0), units(1)).unwrap();
            withdrawn
        });
        let (withdrawn, take) = (steward.join().unwrap(), other.join().unwrap());
        conserved(&stock, &[take]);
        let supplied = if withdrawn.is_ok() { 1 } else { 2 };
        assert_eq!(look(&stock).supplied, units(supplied), "{withdrawn:?}, {take:?}");
    });
}

#[test]
fn word_withdraw_of_all_against_a_take_shares_the_units() {
    explore(|| {
        let stock = Arc::new(open_stock(2));
        let buyer = taker(&stock, 1, 1, 1);
        let host = racer(&stock, |stock| stock.withdraw_all(pool(0)));
        let withdrawn = host.join().unwrap().map_or(0, Units::get);
        let take = buyer.join().unwrap();
        let out = u32::from(taken(take).is_some());
        let view = look(&stock);
        assert_eq!(view.supplied.get() + withdrawn, 2);
        assert_eq!(view.available.get() + out, view.supplied.get(), "{take:?}");
        assert_eq!(withdrawn + out, 2, "nothing is left over");
    });
}

#[test]
fn word_two_takes_and_a_withdraw_of_two_units_share_them() {
    explore_within(PREEMPTIONS_OF_THREE_MAX, || {
        let stock = Arc::new(open_stock(2));
        let others = [taker(&stock, 1, 1, 1), taker(&stock, 2, 2, 1)];
        let steward = racer(&stock, |stock| stock.withdraw(pool(0), units(1)));
        let withdrawn = steward.join().unwrap();
        let takes = others.map(|other| other.join().unwrap());
        conserved(&stock, &takes);
        let winners = takes.iter().filter(|take| taken(**take).is_some()).count();
        assert_eq!(winners + usize::from(withdrawn.is_ok()), 2, "{withdrawn:?}, {takes:?}");
    });
}

/// The word is the same before a pause and behind it: only the wait for bookings keeps a take that slept meanwhile from
/// going by the old limits.
#[test]
fn a_take_goes_by_the_limits_that_hold_when_it_wins() {
    explore(|| {
        let stock = Arc::new(open_stock(2));
        let buyer = taker(&stock, 1, 1, 2);
        let host = racer(&stock, |stock| {
            stock.forbid_takes();
            let before = look(stock).last_take;
            stock.set_limits(units(1), &[units(1)]);
            stock.permit_takes();
            before
        });
        let before = host.join().unwrap();
        let take = buyer.join().unwrap();
        let out = taken(take).map_or(0, |_| 2);
        assert_eq!(look(&stock).available.get() + out, 2, "{take:?}");
        if let Some(hold) = taken(take) {
            assert!(hold.take() <= before, "two units were allowed before the pause alone");
        }
    });
}

#[test]
fn same_viewer_and_key_from_two_connections_take_once() {
    explore(|| {
        let stock = Arc::new(open_stock(2));
        let racers = [taker(&stock, 1, 1, 1), taker(&stock, 1, 1, 1)];
        match racers.map(|racer| racer.join().unwrap()).into() {
            (Take::Taken(one), Take::Replay(two)) | (Take::Replay(two), Take::Taken(one)) => {
                assert_eq!(one, two);
            }
            answers => panic!("{answers:?}"),
        }
        assert_eq!(look(&stock).available, units(1));
    });
}

#[test]
fn retry_that_meets_its_own_sell_out_is_a_replay() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let racers = [taker(&stock, 1, 1, 1), taker(&stock, 1, 1, 1)];
        match racers.map(|racer| racer.join().unwrap()).into() {
            (Take::Taken(one), Take::Replay(two)) | (Take::Replay(two), Take::Taken(one)) => {
                assert_eq!(one, two);
            }
            answers => panic!("sold out to oneself: {answers:?}"),
        }
    });
}

#[test]
fn stale_id_against_slot_reuse_never_shows_another_hold() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let stale = ended(&stock, 1, 1);
        let reader =
            racer(&stock, move |stock| (stock.view(stale), stock.end(stale), stock.give(stale)));
        let mut lane = stock.lane();
        let writer = racer(&stock, move |stock| {
            (stock.give(stale), stock.take(&mut lane, &request(2, 2, 1), || true))
        });
        let (view, end, second) = reader.join().unwrap();
        let (given, next) = writer.join().unwrap();
        assert_eq!((view, end), (HoldView::Ended, End::Ended));
        let wins = [given, second].iter().filter(|given| **given != GiveOutcome::Refused).count();
        assert_eq!(wins, 1, "the unit goes back once");
        if let Take::Taken(next) = next {
            assert_eq!(next.slot(), stale.slot(), "the slot is used again");
            let HoldView::Pending(body) = stock.view(next) else { panic!("it lives") };
            assert_eq!(body.viewer, viewer(2));
        }
        conserved(&stock, &[next]);
    });
}

#[test]
fn reader_of_a_live_hold_never_sees_a_torn_body() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let hold = take_now(&stock, 1, 1, 1);
        stock.mark_held(hold);
        let reader = racer(&stock, move |stock| stock.view(hold));
        let writer = racer(&stock, move |stock| {
            assert!(matches!(stock.end(hold), End::Won(_)));
            assert!(matches!(stock.give(hold), GiveOutcome::ToPublic(_)));
            take_now(stock, 2, 2, 1)
        });
        writer.join().unwrap();
        match reader.join().unwrap() {
            HoldView::Held(body) => assert_eq!(body.viewer, viewer(1)),
            HoldView::Ended => {}
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn confirm_against_end_has_one_winner() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let hold = take_now(&stock, 1, 1, 1);
        stock.mark_held(hold);
        let payment = racer(&stock, move |stock| stock.confirm(hold));
        let expiry = racer(&stock, move |stock| stock.end(hold));
        match (expiry.join().unwrap(), payment.join().unwrap()) {
            (End::Won(_), End::Ended) => assert_eq!(stock.view(hold), HoldView::Ended),
            (End::Confirmed, End::Won(_)) => {
                assert!(matches!(stock.view(hold), HoldView::Confirmed(_)));
            }
            ends => panic!("{ends:?}"),
        }
    });
}

#[test]
fn end_against_commit_waits_for_the_commit() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let hold = take_now(&stock, 1, 1, 1);
        let writer = racer(&stock, move |stock| stock.mark_held(hold));
        let steward = racer(&stock, move |stock| stock.end(hold));
        let end = steward.join().unwrap();
        writer.join().unwrap();
        match end {
            End::Pending => assert!(matches!(stock.view(hold), HoldView::Held(_))),
            End::Won(_) => assert_eq!(stock.view(hold), HoldView::Ended),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn two_lanes_that_reuse_slots_never_share_one() {
    explore(|| {
        let stock = Arc::new(open_stock(2));
        let (one, two) = (ended(&stock, 1, 1), ended(&stock, 2, 2));
        assert!(matches!(stock.give(one), GiveOutcome::ToPublic(_)));
        assert!(matches!(stock.give(two), GiveOutcome::ToPublic(_)));
        let racers = [taker(&stock, 3, 3, 1), taker(&stock, 4, 4, 1)];
        let [mine, other] = racers.map(|racer| taken(racer.join().unwrap()).unwrap());
        assert_ne!(mine.slot(), other.slot());
    });
}

#[test]
fn three_threads_give_take_and_read_one_slot() {
    explore_within(PREEMPTIONS_OF_THREE_MAX, || {
        let stock = Arc::new(open_stock(1));
        let stale = ended(&stock, 1, 1);
        let reader = racer(&stock, move |stock| stock.view(stale));
        let writer = racer(&stock, move |stock| stock.give(stale));
        let take = taker(&stock, 2, 2, 1).join().unwrap();
        assert!(matches!(writer.join().unwrap(), GiveOutcome::ToPublic(_)));
        assert_eq!(reader.join().unwrap(), HoldView::Ended);
        conserved(&stock, &[take]);
    });
}

#[test]
fn word_two_takes_of_a_single_unit_and_a_give_lose_nothing() {
    explore_within(PREEMPTIONS_OF_THREE_MAX, || {
        let stock = Arc::new(open_stock(2));
        let hold = ended(&stock, 4, 4);
        let others = [taker(&stock, 1, 1, 1), taker(&stock, 2, 2, 1)];
        let writer = racer(&stock, move |stock| stock.give(hold));
        let takes = others.map(|other| other.join().unwrap());
        assert!(matches!(writer.join().unwrap(), GiveOutcome::ToPublic(_)));
        conserved(&stock, &takes);
        let holds = takes.map(taken);
        assert!(holds.iter().any(Option::is_some), "a unit was there all the time");
        if let [Some(one), Some(two)] = holds {
            assert_ne!(one.slot(), two.slot());
        }
    });
}

#[test]
fn reader_that_guesses_an_id_sees_the_whole_body_or_none() {
    explore(|| {
        let stock = Arc::new(open_stock(1));
        let first = TakeNumber::new(1).unwrap();
        let config = config(1);
        let guess =
            HoldId::new(config.drop, config.incarnation, pool(0), SlotIndex::default(), first);
        let other = taker(&stock, 1, 1, 1);
        let reader = racer(&stock, move |stock| stock.view(guess));
        let view = reader.join().unwrap();
        assert_eq!(taken(other.join().unwrap()), Some(guess));
        match view {
            // `Ended` comes between the swap and the publication of the slot.
            HoldView::Unknown | HoldView::Ended => {}
            HoldView::Pending(body) => {
                assert_eq!((body.viewer, body.units), (viewer(1), units(1)));
            }
            other => panic!("{other:?}"),
        }
    });
}
