//! Tests that followers are told of changes at once and see the last minute.

use std::sync::Arc;

use stampede_domain::{
    DropId, PaymentEvent, PaymentFact, PaymentId, PaymentReference, Phase, RefusalCode,
};
use stampede_engine::{
    Action, Buy, DropAction, HoldEnding, PAYING_WINDOW_MS, PayingFigures, SaleDrop, Second,
    StreamAction,
};

use crate::support::{Waiting, World, plan, wait_for};

fn sale(world: &World, drop: DropId) -> Arc<SaleDrop> {
    world.engine.sale(drop).unwrap()
}

fn seconds(world: &World, drop: DropId) -> Vec<Arc<Second>> {
    sale(world, drop).seconds_after(0, world.engine.moment())
}

#[test]
fn whoever_follows_is_told_of_every_change_while_the_clock_stands_still() {
    let mut world = World::new();
    let mut told = world.engine.follow();
    let mut is_told = move || {
        wait_for("the news", || told.has_changed().unwrap().then_some(()));
        *told.borrow_and_update()
    };
    let planned = world.give(Action::Plan { plan: Arc::new(plan(3)) });
    let drop = planned.get().unwrap().drop;
    wait_for("the plan", || world.engine.sale(drop));
    let first = wait_for("the news", || Some(is_told()).filter(|told| told.drops > 0));
    let stream = "show".parse().unwrap();
    let offline = StreamAction::Offline.on(stream);
    for (action, phase) in
        [(DropAction::StartCountdown, Phase::Open), (DropAction::Pause, Phase::Paused)]
    {
        world.give(action.on(drop)).get().unwrap();
        world.wait_phase(drop, phase);
        is_told();
    }
    world.give(offline).get().unwrap();
    let last = is_told();
    assert!(last.any > first.any);
    assert_eq!(last.drops, first.drops, "no drop came or left");
    world.give(Action::Plan { plan: Arc::new(plan(1)) }).get().unwrap();
    wait_for("another drop", || (is_told().drops > first.drops).then_some(()));
}

#[test]
fn the_last_minute_has_each_second_in_which_somebody_clicked() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    assert!(seconds(&world, drop).is_empty());
    let viewer = world.viewer("v1");
    world.hold(&viewer, drop, 1, "first");
    for key in ["second", "third"] {
        assert!(matches!(world.buy(1, &viewer, drop, 1, key), Buy::Refused(_)));
    }
    let came_us = world.ports[0].micros();
    world.ports[0].answer_leaves(drop, came_us);
    world.ports[0].answers_left();
    let first = wait_for("the second", || {
        world.advance(1_000);
        let found = seconds(&world, drop);
        (found.iter().map(|second| second.clicks).sum::<u64>() == 3).then_some(found)
    });
    let takes: u64 = first.iter().map(|second| second.takes).sum();
    let refused: Vec<_> = first.iter().flat_map(|second| second.refused.to_vec()).collect();
    assert_eq!(takes, 1);
    assert!(refused.iter().all(|(code, _)| *code == RefusalCode::SoldOut), "{refused:?}");
    assert!(first.iter().any(|second| second.answer_us_p99 == Some(64)), "{first:?}");
    let latest = first.last().unwrap().number;
    assert!(sale(&world, drop).seconds_after(latest, world.engine.moment()).is_empty());
    world.advance(60_000);
    assert!(seconds(&world, drop).is_empty(), "a minute later nothing is left to show");
}

#[test]
fn clicks_before_the_start_are_no_burst_of_the_start() {
    let mut world = World::new();
    let planned = world.give(Action::Plan { plan: Arc::new(plan(1)) });
    let drop = planned.get().unwrap().drop;
    wait_for("the plan", || world.engine.sale(drop));
    let viewer = world.viewer("v1");
    assert!(matches!(world.buy(0, &viewer, drop, 1, "early"), Buy::Refused(_)));
    wait_for("the early click", || {
        world.advance(1_000);
        (seconds(&world, drop).len() == 1).then_some(())
    });
    world.advance(120_000);
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Open);
    world.hold(&viewer, drop, 1, "late");
    let clicks = wait_for("the late click", || {
        world.advance(1_000);
        let found = seconds(&world, drop);
        (!found.is_empty()).then(|| found.iter().map(|second| second.clicks).sum::<u64>())
    });
    assert_eq!(clicks, 1, "the early click is over for long");
}

#[test]
fn how_paying_goes_is_known() {
    let mut world = World::new();
    let drop = world.open_drop(plan(9));
    let figures = |world: &World| sale(world, drop).view(world.engine.moment()).paying.unwrap();
    let wait = |world: &World, wanted: PayingFigures| {
        wait_for("how paying goes", || Some(figures(world)).filter(|found| *found == wanted))
    };
    assert_eq!(figures(&world), PayingFigures::default());
    let viewers = ["v1", "v2", "v3"].map(|name| world.viewer(name));
    let paid = world.hold(&viewers[0], drop, 2, "a");
    let released = world.hold(&viewers[1], drop, 1, "b");
    let expired = world.hold(&viewers[2], drop, 2, "c");
    let reason = PaymentReference::new("card_declined").unwrap();
    let fact = PaymentFact {
        payment: PaymentId::new("platform", "p-failed").unwrap(),
        event: PaymentEvent::Failed { reason, is_final: false },
        holds: vec![expired],
        mode: None,
        order_reference: None,
    };
    Waiting(world.engine.payment(fact).unwrap()).get().unwrap();
    world.pay(paid);
    world.ports[0].release(&viewers[1], released, 7).unwrap();
    let told =
        PayingFigures { ordered_units: 2, returned_units: 1, recent_orders: 1, recent_failed: 1 };
    wait(&world, told);
    // What is not paid for in time comes back, attempts are of late.
    world.advance(PAYING_WINDOW_MS);
    wait(&world, PayingFigures { returned_units: 3, recent_orders: 0, recent_failed: 0, ..told });
}

#[test]
fn what_is_held_is_known_by_when_it_ends() {
    let mut world = World::new();
    let drop = world.open_drop(plan(9));
    let ending = |world: &World| sale(world, drop).view(world.engine.moment()).ending;
    let wait = |world: &World, what: &str, wanted: &dyn Fn(&HoldEnding) -> bool| {
        wait_for(what, || Some(ending(world)).filter(|found| wanted(found)))
    };
    assert_eq!(ending(&world), HoldEnding::default());
    let viewers = ["v1", "v2", "v3"].map(|name| world.viewer(name));
    let paid = world.hold(&viewers[0], drop, 2, "a");
    let released = world.hold(&viewers[1], drop, 1, "b");
    world.advance(20_000);
    world.hold(&viewers[2], drop, 1, "c");
    // The steward counts takes when it wakes.
    let found = wait(&world, "three holds", &|found| {
        found.last.zip(found.first).is_some_and(|(last, first)| last.since(first).get() >= 20_000)
    });
    assert_eq!(found.soon_holds, 0, "they have a minute");
    world.advance(15_000);
    let found = ending(&world);
    assert_eq!((found.soon_holds, found.soon_units), (2, 3));
    world.start_to_pay(paid);
    world.ports[0].release(&viewers[1], released, 7).unwrap();
    let found = wait(&world, "the ends", &|found| found.soon_holds == 0);
    assert_eq!((found.soon_units, found.first), (0, found.last));
    // A sleep of the machine gives the time back.
    world.advance(16_000);
    assert_eq!(ending(&world).soon_units, 1);
    world.sleep(30_000);
    let now = world.engine.now();
    let found = wait(&world, "the deadline to move", &|found| {
        found.first.is_some_and(|at| at.since(now).get() >= 28_000)
    });
    assert_eq!(found.soon_units, 1, "as much time is left as before");
    let mut world = world.restart(5_000);
    world.wait_phase(drop, Phase::Open);
    let found = ending(&world);
    assert_eq!(found.first.map(|at| at.get() / 1_000), found.last.map(|at| at.get() / 1_000));
    assert!(found.first.is_some(), "a restart knows what is held");
    world.advance(120_000);
    wait(&world, "nothing held", &|found| *found == HoldEnding::default());
    world.give(DropAction::Close.on(drop)).get().unwrap();
}
