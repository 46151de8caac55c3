//! Units that nobody has taken are taken back.

use stampede_domain::{DropId, Phase, Units, limits::SETTLED_KEPT_MS};
use stampede_engine::{
    Buy, CommandOutcome, CommandRefusal, DropAction, Role, StockRefusal, TakeBack,
};
use stampede_ledger::{CorrectionRecord, Record, fake::Fault};

use crate::support::{World, plan, wait_for};

fn take_back(count: u32) -> DropAction {
    take_back_to(count, false)
}

fn take_back_to(count: u32, to_reserve: bool) -> DropAction {
    let (sku, units) = ("mug".parse().unwrap(), Some(Units::new(count).unwrap()));
    DropAction::TakeBack(TakeBack { sku, units, to_reserve })
}

fn reserve(world: &World, drop: DropId) -> u32 {
    world.engine.sale(drop).unwrap().figures()[0].reserve.get()
}

fn give(world: &World, drop: DropId, key: &str, action: DropAction) -> CommandOutcome {
    world.give_as(Role::Admin, key, action.on(drop)).unwrap().get()
}

fn withdrawn(world: &World) -> usize {
    let rows = world.ledger.rows();
    let records = rows.iter().flat_map(|row| row.decode().map(Result::unwrap));
    let is_it =
        |record: &Record| matches!(record, Record::Correction(CorrectionRecord::Withdrawn { .. }));
    records.filter(is_it).count()
}

#[test]
fn free_units_are_taken_back_once_and_no_others() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let ann = world.viewer("ann");
    let held = world.hold(&ann, drop, 2, "a");
    match give(&world, drop, "too-much", take_back(4)) {
        Err(CommandRefusal::Stock(StockRefusal::NotFree { free, .. })) => assert_eq!(free.get(), 3),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.figures(drop), [5, 3, 2, 0], "a refusal moves nothing");
    let done = give(&world, drop, "three", take_back(3)).unwrap();
    assert!(!done.replayed);
    assert_eq!(world.figures(drop), [2, 0, 2, 0]);
    assert!(give(&world, drop, "three", take_back(3)).unwrap().replayed);
    let bob = world.viewer("bob");
    assert!(matches!(world.buy(0, &bob, drop, 1, "b"), Buy::Refused(_)));
    world.pay(held);
    let mut world = world.restart(100);
    assert_eq!(world.figures(drop), [2, 0, 0, 2]);
    assert!(give(&world, drop, "three", take_back(3)).unwrap().replayed, "also after a crash");
    let more = DropAction::Restock { sku: "mug".parse().unwrap(), units: Units::ONE };
    give(&world, drop, "one-more", more).unwrap();
    let bob = world.viewer("bob");
    world.hold(&bob, drop, 1, "b");
    assert_eq!((world.figures(drop), withdrawn(&world)), ([3, 0, 1, 2], 1));
}

#[test]
fn all_that_is_free_is_taken_back_and_counted() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let ann = world.viewer("ann");
    world.hold(&ann, drop, 2, "a");
    let all = || {
        DropAction::TakeBack(TakeBack {
            sku: "mug".parse().unwrap(),
            units: None,
            to_reserve: false,
        })
    };
    let done = give(&world, drop, "all", all()).unwrap();
    assert_eq!((done.units, world.figures(drop)), (Units::new(3), [2, 0, 2, 0]));
    match give(&world, drop, "again", all()) {
        Err(CommandRefusal::Stock(StockRefusal::NoneFree { sku })) => {
            assert_eq!(sku.as_str(), "mug");
        }
        other => panic!("{other:?}"),
    }
    let world = world.restart(100);
    let again = give(&world, drop, "all", all()).unwrap();
    assert_eq!((again.units, again.replayed), (Units::new(3), true));
}

#[test]
fn what_is_refused_for_other_reasons_takes_nothing_out() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    give(&world, drop, "two", take_back(2)).unwrap();
    let forbidden = world.give_as(Role::Ops, "ops", take_back(1).on(drop)).unwrap().get();
    assert!(matches!(forbidden, Err(CommandRefusal::Forbidden { .. })));
    assert_eq!(give(&world, drop, "two", take_back(1)), Err(CommandRefusal::KeyReused));
    give(&world, drop, "end", DropAction::Close).unwrap();
    let late = give(&world, drop, "late", take_back(1));
    assert!(matches!(late, Err(CommandRefusal::WrongPhase { .. })), "{late:?}");
    assert_eq!((world.figures(drop), withdrawn(&world)), ([3, 3, 0, 0], 1));
}

#[test]
fn units_leave_the_sale_before_the_record_and_come_back_with_a_crash() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let waiting = world.give_as(Role::Admin, "three", take_back(3).on(drop)).unwrap();
    world.ledger.wait_until_hanging();
    assert_eq!(world.figures(drop), [2, 2, 0, 0], "nobody can take them any more");
    let ann = world.viewer("ann");
    assert!(matches!(world.buy(0, &ann, drop, 3, "a"), Buy::Refused(_)));
    let world = world.restart(100);
    world.ledger.release();
    assert!(waiting.ends_unanswered());
    assert_eq!((world.figures(drop), withdrawn(&world)), ([5, 5, 0, 0], 0), "nobody was told");
    give(&world, drop, "three", take_back(3)).unwrap();
    assert_eq!((world.figures(drop), withdrawn(&world)), ([2, 2, 0, 0], 1));
}

#[test]
fn the_reserve_shows_what_may_still_go_on_sale() {
    let mut world = World::new();
    let mut plan = plan(5);
    plan.skus[0].reserve = Units::new(10).unwrap();
    let drop = world.open_drop(plan);
    assert_eq!((world.figures(drop), reserve(&world, drop)), ([5, 5, 0, 0], 10));
    let more = |count| DropAction::Restock {
        sku: "mug".parse().unwrap(),
        units: Units::new(count).unwrap(),
    };
    give(&world, drop, "more", more(4)).unwrap();
    give(&world, drop, "back", take_back_to(3, true)).unwrap();
    assert_eq!((world.figures(drop), reserve(&world, drop)), ([6, 6, 0, 0], 9));
    // What is drawn shows on sale before it shows as drawn; what goes back shows at once.
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let drawn = world.give_as(Role::Admin, "draw", more(5).on(drop)).unwrap();
    world.ledger.wait_until_hanging();
    let back = world.give_as(Role::Admin, "back-2", take_back_to(2, true).on(drop)).unwrap();
    wait_for("the reserve", || (reserve(&world, drop) == 11).then_some(()));
    assert_eq!(world.figures(drop), [4, 4, 0, 0]);
    world.ledger.release();
    drawn.get().unwrap();
    back.get().unwrap();
    wait_for("the lot", || (reserve(&world, drop) == 6).then_some(()));
    let world = world.restart(100);
    assert_eq!((world.figures(drop), reserve(&world, drop)), ([9, 9, 0, 0], 6));
    give(&world, drop, "all", more(8)).unwrap();
    assert_eq!((world.figures(drop), reserve(&world, drop)), ([17, 17, 0, 0], 0));
}

#[test]
fn a_drop_that_is_over_says_what_was_in_reserve_to_the_end() {
    let mut world = World::new();
    let mut plan = plan(5);
    plan.skus[0].reserve = Units::new(7).unwrap();
    let drop = world.open_drop(plan);
    give(&world, drop, "end", DropAction::Close).unwrap();
    world.wait_phase(drop, Phase::Settled);
    let left = |world: &World| world.engine.over(drop).map(|over| over.skus[0].reserve.get());
    world.advance(SETTLED_KEPT_MS);
    wait_for("the drop to be over", || left(&world));
    assert_eq!(left(&world), Some(7));
    // From the rows, then from the seal alone.
    for outage in [100, SETTLED_KEPT_MS] {
        world = world.restart(outage);
        assert_eq!(left(&world), Some(7), "after {outage} ms");
    }
}
