//! Tests that tallies count clicks.

use std::sync::Arc;

use stampede_domain::{DropId, RefusalCode};
use stampede_engine::{Action, Buy, DropAction};
use stampede_ledger::{AnswerTimes, Record, Tally};

use crate::support::{World, plan, wait_for};

/// The sum of a drop's tallies.
fn tallied(world: &World, drop: DropId) -> Tally {
    let mut sum = Tally::default();
    for row in world.ledger.rows().iter().filter(|row| row.drop == drop) {
        for record in row.decode() {
            let Ok(Record::Tally(tally)) = record else { continue };
            sum.held += tally.held;
            tally.refusals.iter().for_each(|(code, times)| sum.refusals.add(code, times));
            sum.answers.merge(&tally.answers);
        }
    }
    sum
}

#[test]
fn a_tally_has_the_time_that_answers_took() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let viewer = world.viewer("v1");
    let came_us = world.ports[0].micros();
    world.hold(&viewer, drop, 1, "first");
    world.advance(3);
    world.ports[0].answer_leaves(drop, came_us);
    world.ports[0].answers_left();
    let came_us = world.ports[1].micros();
    for key in ["second", "third"] {
        assert!(matches!(world.buy(1, &viewer, drop, 1, key), Buy::Refused(_)));
        world.ports[1].answer_leaves(drop, came_us);
    }
    world.ports[1].answers_left();
    world.ports[1].answers_left();
    let tally = wait_for("the tally", || {
        world.advance(1_000);
        Some(tallied(&world, drop)).filter(|tally| tally.answers.total() == 3)
    });
    let times = |us| tally.answers.get(AnswerTimes::bucket_of(us));
    assert_eq!((times(3_000), times(0)), (1, 2));
    assert_eq!((tally.held, tally.refusals.total()), (1, 2));
    let answered = wait_for("all answers", || {
        Some(world.engine.answered()).filter(|answered| answered.times.total() == 3)
    });
    assert_eq!((answered.times, answered.sum_us), (tally.answers, 3_000));
}

#[test]
fn clicks_before_an_edit_are_tallied_once_the_drop_is_live() {
    let mut world = World::new();
    let planned = world.give(Action::Plan { plan: Arc::new(plan(1)) });
    let drop = planned.get().unwrap().drop;
    wait_for("the plan", || world.engine.sale(drop));
    let viewer = world.viewer("v1");
    assert!(matches!(world.buy(0, &viewer, drop, 1, "early"), Buy::Refused(_)));
    world.give(DropAction::Edit { plan: Arc::new(plan(2)) }.on(drop)).get().unwrap();
    wait_for("the edit", || world.engine.sale(drop).filter(|sale| sale.revision() == 2));
    assert!(matches!(world.buy(0, &viewer, drop, 1, "early"), Buy::Refused(_)));
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    let refused = |world: &World| tallied(world, drop).refusals.get(RefusalCode::NotOpen);
    wait_for("both clicks", || {
        world.advance(1_000);
        (refused(&world) == 2).then_some(())
    });
}
