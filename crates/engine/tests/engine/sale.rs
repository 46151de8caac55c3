//! One sale from plan to settlement, with what people report going wrong elsewhere.

use std::sync::Arc;

use crate::support::{ORDERED, World, due_back, plan, plan_with_countdown, wait_for};
use stampede_domain::{Phase, RefundReason, Refusal, Units};
use stampede_engine::{Action, Buy, CommandRefusal, DropAction, HoldLook, Role};
use stampede_ledger::Record;

#[test]
fn a_sale_runs_from_plan_to_settlement() {
    let mut world = World::new();
    let drop = world.open_drop(plan(2));
    let (ann, bob) = (world.viewer("ann"), world.viewer("bob"));
    let ann_hold = world.hold(&ann, drop, 1, "a1");
    let bob_hold = world.hold(&bob, drop, 1, "b1");
    assert_eq!(world.figures(drop), [2, 0, 2, 0]);
    let ordered = world.pay(ann_hold);
    assert_eq!(ordered, ORDERED);
    world.wait_ordered(ann_hold);
    world.ports[0].release(&bob, bob_hold, 7).unwrap();
    world.wait_released(bob_hold);
    assert_eq!(world.figures(drop), [2, 1, 0, 1]);
    world.give(DropAction::Close.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Settled);
}

#[test]
fn a_double_click_takes_one_unit() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a1");
    assert_eq!(world.buy(0, &ann, drop, 1, "a1"), Buy::Replay { hold });
    assert_eq!(world.buy(1, &ann, drop, 1, "a1"), Buy::Replay { hold });
    assert_eq!(world.buy(0, &ann, drop, 2, "a1"), Buy::Refused(Refusal::KeyReused));
    assert_eq!(world.figures(drop), [5, 4, 1, 0]);
}

#[test]
fn a_retry_on_another_core_waits_for_the_first_answer() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let ann = world.viewer("ann");
    world.ledger.order(world.ledger.commits() + 1, stampede_ledger::fake::Fault::Hang);
    let Buy::Pending { hold, position } = world.buy(0, &ann, drop, 1, "a1") else { panic!("held") };
    world.ledger.wait_until_hanging();
    assert_eq!(world.buy(1, &ann, drop, 1, "a1"), Buy::Awaiting { hold });
    assert!(world.ports[0].durable() < position, "nothing may leave before the commit");
    world.ledger.release();
    world.wait_durable(0, position);
    let mut events = Vec::new();
    wait_for("a recheck", || {
        world.ports[1].drain(&mut events);
        events.contains(&stampede_engine::CoreEvent::Recheck).then_some(())
    });
    assert_eq!(world.buy(1, &ann, drop, 1, "a1"), Buy::Replay { hold });
}

#[test]
fn while_another_program_locks_the_ledger_buys_are_shed_before_stock_moves() {
    let mut world = World::new();
    let drop = world.open_drop(plan(500));
    let ann = world.viewer("ann");
    world.ledger.order(world.ledger.commits() + 1, stampede_ledger::fake::Fault::Busy);
    let Buy::Pending { hold, position } = world.buy(0, &ann, drop, 1, "a1") else { panic!("held") };
    world.ledger.wait_until_hanging();
    let mut taken = 1;
    let refusal = wait_for("busy", || {
        let late = world.viewer(&format!("late-{taken}"));
        match world.buy(0, &late, drop, 1, "l1") {
            Buy::Pending { .. } => {
                taken += 1;
                None
            }
            other => Some(other),
        }
    });
    assert!(matches!(refusal, Buy::Refused(Refusal::Busy { .. })), "{refusal:?}");
    assert_eq!(world.figures(drop)[1], 500 - taken, "what is shed moves no unit");
    assert_eq!(world.buy(1, &ann, drop, 1, "a1"), Buy::Awaiting { hold });
    assert_eq!(world.engine.health(), stampede_engine::Health::Ready);
    world.ledger.release();
    world.wait_durable(0, position);
    assert_eq!(world.buy(1, &ann, drop, 1, "a1"), Buy::Replay { hold });
    let bob = world.viewer("bob");
    let bought = wait_for("the end of it", || match world.buy(0, &bob, drop, 1, "b1") {
        Buy::Refused(_) => None,
        other => Some(other),
    });
    assert!(matches!(bought, Buy::Pending { .. }), "{bought:?}");
}

#[test]
fn clicks_before_opening_or_after_closing_move_nothing() {
    let mut world = World::new();
    let planned = world.give(Action::Plan { plan: Arc::new(plan_with_countdown(5)) }).get();
    let drop = planned.unwrap().drop;
    let ann = world.viewer("ann");
    assert_eq!(world.buy(0, &ann, drop, 1, "early"), Buy::Refused(Refusal::NotOpen));
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    assert_eq!(world.buy(0, &ann, drop, 1, "early"), Buy::Refused(Refusal::NotOpen));
    world.advance(10_000);
    world.wait_phase(drop, Phase::Open);
    let hold = world.hold(&ann, drop, 1, "early");
    world.give(DropAction::Pause.on(drop)).get().unwrap();
    let bob = world.viewer("bob");
    assert_eq!(world.buy(0, &bob, drop, 1, "b"), Buy::Refused(Refusal::Paused));
    assert_eq!(world.buy(0, &ann, drop, 1, "early"), Buy::Replay { hold }, "holds outlive a pause");
    world.give(DropAction::Close.on(drop)).get().unwrap();
    assert_eq!(world.buy(0, &bob, drop, 1, "b"), Buy::Refused(Refusal::Closed));
    let ordered = world.pay(hold);
    assert_eq!(ordered, ORDERED, "holds outlive a close");
}

#[test]
fn an_unpaid_hold_comes_back_and_is_sold_again() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let (ann, bob) = (world.viewer("ann"), world.viewer("bob"));
    let hold = world.hold(&ann, drop, 1, "a1");
    assert_eq!(world.buy(0, &bob, drop, 1, "b1"), Buy::Refused(Refusal::SoldOut));
    world.advance(59_999);
    assert!(matches!(world.look(hold), HoldLook::Known(_)));
    world.advance(1);
    world.wait_expired(hold);
    world.hold(&bob, drop, 1, "b1");
    assert_eq!(world.pay(hold), due_back(RefundReason::HoldEnded));
}

#[test]
fn a_payment_after_the_deadline_gives_nothing_and_says_so() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a1");
    world.give(DropAction::Pause.on(drop)).get().unwrap();
    world.advance(60_005);
    assert_eq!(world.pay(hold), due_back(RefundReason::HoldEnded));
    world.wait_expired(hold);
    assert_eq!(world.figures(drop), [1, 1, 0, 0]);
}

#[test]
fn limits_hold_per_request_and_per_viewer() {
    let mut world = World::new();
    let drop = world.open_drop(plan(100));
    let ann = world.viewer("ann");
    let max = Units::new(2).unwrap();
    for units in [0, 3, u64::MAX] {
        let refused = Buy::Refused(Refusal::UnitsOutOfRange { max });
        assert_eq!(world.buy(0, &ann, drop, units, "a0"), refused);
    }
    let first = world.hold(&ann, drop, 2, "a1");
    let over = Buy::Refused(Refusal::OverViewerLimit { limit: max, for_good: false });
    assert_eq!(world.buy(0, &ann, drop, 1, "a2"), over);
    for round in 2..5 {
        let hold = if round == 2 { first } else { world.hold(&ann, drop, 2, &format!("r{round}")) };
        world.ports[0].release(&ann, hold, 1).unwrap();
        world.wait_released(hold);
    }
    world.hold(&ann, drop, 1, "a5");
    let capped = Buy::Refused(Refusal::HoldsCapped { max: 4 });
    assert_eq!(world.buy(0, &ann, drop, 1, "a6"), capped);
}

#[test]
fn a_limit_that_orders_fill_is_told_apart_from_one_that_a_hold_may_leave() {
    let mut world = World::new();
    let drop = world.open_drop(plan(100));
    let ann = world.viewer("ann");
    let limit = Units::new(2).unwrap();
    let over = |for_good| Buy::Refused(Refusal::OverViewerLimit { limit, for_good });
    let hold = world.hold(&ann, drop, 2, "a1");
    assert_eq!(world.buy(0, &ann, drop, 1, "a2"), over(false));
    let ordered = world.pay(hold);
    assert_eq!(ordered, ORDERED, "{ordered:?}");
    assert_eq!(world.buy(0, &ann, drop, 1, "a2"), over(true));
}

#[test]
fn nobody_releases_somebody_elses_hold() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let (ann, bob) = (world.viewer("ann"), world.viewer("bob"));
    let hold = world.hold(&ann, drop, 1, "a1");
    world.ports[0].release(&bob, hold, 9).unwrap();
    let mut events = Vec::new();
    let refused = wait_for("a refusal", || {
        world.ports[0].drain(&mut events);
        events.iter().find_map(|event| match event {
            stampede_engine::CoreEvent::ReleaseRefused { token: 9, refusal, .. } => Some(*refusal),
            _ => None,
        })
    });
    assert_eq!(refused, Refusal::UnknownHold);
    assert_eq!(world.figures(drop), [1, 0, 1, 0]);
}

#[test]
fn a_retried_restock_adds_nothing() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let lot = |units| DropAction::Restock {
        sku: "mug".parse().unwrap(),
        units: Units::new(units).unwrap(),
    };
    let give = |world: &World, units| {
        world.give_as(Role::Admin, "lot-1", lot(units).on(drop)).unwrap().get()
    };
    let first = give(&world, 5).unwrap();
    let again = give(&world, 5).unwrap();
    assert_eq!((first.lot, first.replayed), (Some(2), false));
    assert_eq!((again.lot, again.replayed), (Some(2), true));
    assert_eq!(give(&world, 6), Err(CommandRefusal::KeyReused));
    assert_eq!(world.figures(drop), [6, 6, 0, 0]);
    let world = world.restart(100);
    let after = give(&world, 5).unwrap();
    assert_eq!((after.lot, after.replayed), (Some(2), true), "also after a crash");
    assert_eq!(world.figures(drop), [6, 6, 0, 0]);
}

#[test]
fn a_lot_is_never_durable_without_its_command() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let lot = || DropAction::Restock { sku: "mug".parse().unwrap(), units: Units::ONE };
    let given: Vec<_> = (0..500).map(|_| world.give(lot().on(drop))).collect();
    for waiting in given {
        assert!(waiting.get().is_ok());
    }
    let mut lots = 0;
    for row in world.ledger.rows() {
        let records: Vec<Record> = row.decode().map(Result::unwrap).collect();
        for (place, record) in records.iter().enumerate() {
            if matches!(record, Record::Lot { lot: 2.., .. }) {
                let next = records.get(place + 1);
                assert!(matches!(next, Some(Record::Command(_))), "a crash could part them");
                lots += 1;
            }
        }
    }
    assert_eq!(lots, 500);
}

#[test]
fn a_refused_command_binds_no_key_also_after_a_crash() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let give = |world: &World, key: &str, action: DropAction| {
        world.give_as(Role::Host, key, action.on(drop)).unwrap().get()
    };
    let refused = give(&world, "again", DropAction::Resume);
    assert!(matches!(refused, Err(CommandRefusal::WrongPhase { .. })), "{refused:?}");
    let world = world.restart(100);
    give(&world, "pause", DropAction::Pause).unwrap();
    let done = give(&world, "again", DropAction::Resume).unwrap();
    assert!(!done.replayed, "the retry was decided anew");
    assert_eq!(give(&world, "again", DropAction::Close), Err(CommandRefusal::KeyReused));
}

#[test]
fn commands_are_refused_by_phase_and_by_role() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let wrong = world.give(DropAction::StartCountdown.on(drop)).get();
    assert_eq!(wrong, Err(CommandRefusal::WrongPhase { action: "open", phase: Phase::Open }));
    let forbidden = world.give_as(Role::Ops, "k", DropAction::Resume.on(drop)).unwrap().get();
    let forbidden = forbidden.unwrap_err().to_string();
    assert_eq!(forbidden, "role ops may not resume; admin, host, merchant and creator may");
    world.give_as(Role::Ops, "k2", DropAction::Pause.on(drop)).unwrap().get().unwrap();
    world.give_as(Role::Host, "k3", DropAction::Resume.on(drop)).unwrap().get().unwrap();
    world.wait_phase(drop, Phase::Open);
    let unknown = stampede_domain::DropId::new(99);
    assert_eq!(world.give(DropAction::Pause.on(unknown)).get(), Err(CommandRefusal::UnknownDrop));
}

#[test]
fn a_plan_is_edited_and_cancelled_only_while_scheduled() {
    let mut world = World::new();
    let planned = world.give(Action::Plan { plan: Arc::new(plan_with_countdown(5)) }).get();
    let drop = planned.unwrap().drop;
    let mut bigger = plan_with_countdown(50);
    bigger.title = "More mugs".into();
    world.give(DropAction::Edit { plan: Arc::new(bigger) }.on(drop)).get().unwrap();
    let sale = world.engine.sale(drop).unwrap();
    assert_eq!((sale.revision(), sale.plan().title.as_str()), (2, "More mugs"));
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    let edit = world.give(DropAction::Edit { plan: Arc::new(plan(1)) }.on(drop)).get();
    assert!(matches!(edit, Err(CommandRefusal::WrongPhase { .. })));
    world.give(DropAction::CancelCountdown.on(drop)).get().unwrap();
    assert_eq!(world.engine.sale(drop).unwrap().phase(), Phase::Scheduled);
    world.give(DropAction::Cancel.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Cancelled);
}
