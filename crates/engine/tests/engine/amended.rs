//! Terms of a drop that is on sale are put right.

use stampede_domain::{DropId, DropPlan, DurationMs, NewEnd, Phase, Refusal, Units, UnixMillis};
use stampede_engine::{
    AmendRefusal, AmendTerms, Buy, CommandOutcome, CommandRefusal, DropAction, Role,
};
use stampede_ledger::fake::Fault;

use crate::support::{World, plan};

fn units(count: u32) -> Units {
    Units::new(count).unwrap()
}

fn limit(count: u32) -> DropAction {
    let limit_per_viewer = Some(units(count));
    DropAction::Amend(AmendTerms { limit_per_viewer, ..AmendTerms::default() })
}

fn end(at: UnixMillis) -> DropAction {
    DropAction::Amend(AmendTerms { end: Some(NewEnd::At(at)), ..AmendTerms::default() })
}

fn give(world: &World, drop: DropId, key: &str, action: DropAction) -> CommandOutcome {
    world.give_as(Role::Host, key, action.on(drop)).unwrap().get()
}

/// The limit, the most units of one buy, the revision, as everybody is shown them.
fn shown(world: &World, drop: DropId) -> (u32, u32, u32) {
    let sale = world.engine.sale(drop).unwrap();
    let view = sale.view(world.engine.moment());
    let most = view.plan.units_per_buy_max(&view.plan.skus[0]);
    (view.plan.limit_per_viewer.get(), most.get(), view.standing.revision)
}

fn refusal(buy: Buy) -> Refusal {
    match buy {
        Buy::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_limit_binds_from_the_resume_on_and_over_a_restart() {
    let mut world = World::new();
    let drop = world.open_drop(plan(20));
    let ann = world.viewer("ann");
    world.hold(&ann, drop, 2, "a");
    let max = units(2);
    assert_eq!(refusal(world.buy(0, &ann, drop, 3, "b")), Refusal::UnitsOutOfRange { max });
    let open = give(&world, drop, "open", limit(5));
    assert_eq!(open, Err(CommandRefusal::Amend(AmendRefusal::NotPaused)));
    give(&world, drop, "pause", DropAction::Pause).unwrap();
    let version = world.engine.sale(drop).unwrap().version();
    give(&world, drop, "five", limit(5)).unwrap();
    assert_eq!(shown(&world, drop), (5, 5, 2));
    assert!(world.engine.sale(drop).unwrap().version() > version, "viewers are told");
    assert_eq!(refusal(world.buy(0, &ann, drop, 3, "b")), Refusal::Paused);
    give(&world, drop, "go", DropAction::Resume).unwrap();
    world.hold(&ann, drop, 3, "b");

    give(&world, drop, "pause2", DropAction::Pause).unwrap();
    give(&world, drop, "one", limit(1)).unwrap();
    give(&world, drop, "go2", DropAction::Resume).unwrap();
    assert_eq!(world.figures(drop), [20, 15, 5, 0], "nobody loses what they have");
    let bob = world.viewer("bob");
    assert_eq!(
        refusal(world.buy(0, &bob, drop, 2, "c")),
        Refusal::UnitsOutOfRange { max: units(1) }
    );
    let for_good = false;
    let refused = Refusal::OverViewerLimit { limit: units(1), for_good };
    assert_eq!(refusal(world.buy(0, &ann, drop, 1, "d")), refused);

    let mut world = world.restart(100);
    assert_eq!(shown(&world, drop), (1, 1, 3));
    world.wait_phase(drop, Phase::Open);
    let ann = world.viewer("ann");
    assert_eq!(refusal(world.buy(0, &ann, drop, 1, "d")), refused);
    assert!(give(&world, drop, "one", limit(1)).unwrap().replayed);
}

#[test]
fn terms_hold_once_their_record_is_durable() {
    let mut world = World::new();
    let drop = world.open_drop(plan(20));
    give(&world, drop, "pause", DropAction::Pause).unwrap();
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let waiting = world.give_as(Role::Host, "five", limit(5).on(drop)).unwrap();
    world.ledger.wait_until_hanging();
    assert_eq!(shown(&world, drop), (2, 2, 1));
    let world = world.restart(100);
    world.ledger.release();
    assert!(waiting.ends_unanswered());
    assert_eq!(shown(&world, drop), (2, 2, 1), "nobody was told");
    give(&world, drop, "five", limit(5)).unwrap();
    assert_eq!(shown(&world, drop), (5, 5, 2));
}

#[test]
fn an_end_moves_while_the_drop_sells() {
    let mut world = World::new();
    let in_ms = |world: &World, millis| world.engine.wall().plus(DurationMs::new(millis));
    let ends_at = Some(in_ms(&world, 60_000));
    let drop = world.open_drop(DropPlan { ends_at, ..plan(5) });
    let later = in_ms(&world, 120_000);
    give(&world, drop, "later", end(later)).unwrap();
    world.advance(60_000);
    // An answer shows that the steward has looked at its timers in the meantime.
    give(&world, drop, "soon", end(in_ms(&world, 999))).unwrap_err();
    let sale = world.engine.sale(drop).unwrap();
    assert_eq!((sale.phase(), sale.terms().ends_at), (Phase::Open, Some(later)));
    let left = sale.standing().closes_in(world.engine.moment());
    assert_eq!(left, Some(DurationMs::new(60_000)));
    let ann = world.viewer("ann");
    world.hold(&ann, drop, 1, "a");
    give(&world, drop, "sooner", end(in_ms(&world, 1_000))).unwrap();
    world.advance(1_000);
    world.wait_phase(drop, Phase::Closed);
}
