//! The one value that says how a drop stands.

use std::sync::Arc;

use stampede_domain::{DropPlan, DurationMs, Mode, Phase, UnixMillis, limits::SETTLED_KEPT_MS};
use stampede_engine::{Action, DropAction, DropView};

use crate::support::{World, plan_with_countdown, wait_for};

#[test]
fn a_view_shows_the_times_that_belong_to_its_phase() {
    let mut world = World::new();
    let mut terms = plan_with_countdown(3);
    let now = world.engine.wall();
    terms.starts_at = Some(now.plus(DurationMs::new(30_000)));
    terms.ends_at = Some(now.plus(DurationMs::new(90_000)));
    let planned = world.give(Action::Plan { plan: Arc::new(terms) });
    let drop = planned.get().unwrap().drop;
    let sale = wait_for("the plan", || world.engine.sale(drop));
    // A correction of the wall clock moves what was planned, not the countdown.
    world.set_wall(2_000);
    let shown = |world: &World| {
        let view = sale.view(world.engine.moment());
        let millis = |span: Option<DurationMs>| span.map(DurationMs::get);
        (view.standing.phase, millis(view.opens_in()), millis(view.closes_in()))
    };
    assert_eq!(shown(&world), (Phase::Scheduled, Some(28_000), Some(88_000)));
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    let countdown = sale.plan().countdown.get();
    assert_eq!(shown(&world), (Phase::Countdown, Some(countdown), Some(88_000)));
    world.set_wall(3_000);
    assert_eq!(shown(&world), (Phase::Countdown, Some(countdown), Some(85_000)));
    world.advance(countdown);
    world.wait_phase(drop, Phase::Open);
    assert_eq!(shown(&world), (Phase::Open, None, Some(85_000 - countdown)));
    world.give(DropAction::Close.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Settled);
    assert_eq!(shown(&world), (Phase::Settled, None, None));
}

#[test]
fn the_crowd_of_a_rehearsal_is_in_no_figure_of_a_live_drop() {
    let mut world = World::new();
    let live = world.open_drop(crate::support::plan(3));
    let tried = DropPlan { mode: Mode::Rehearsal, ..crate::support::plan(3) };
    let tried = world.open_drop(tried);
    let stream = world.engine.sale(live).unwrap().plan().stream.clone();
    for name in ["c1", "c2"] {
        world.ports[0].join(&name.parse().unwrap(), (&stream, Mode::Rehearsal), 1);
    }
    world.viewer("ann");
    let connected = |drop| {
        let sale = world.engine.sale(drop).unwrap();
        sale.view(world.engine.moment()).viewers_connected
    };
    assert_eq!((connected(live), connected(tried)), (1, 2));
    let of_mode = |mode| world.engine.viewers_connected(&stream, mode);
    assert_eq!((of_mode(Mode::Live), of_mode(Mode::Rehearsal)), (1, 2));
}

#[test]
fn a_drop_that_has_left_memory_has_the_view_of_before() {
    let mut world = World::new();
    let drop = world.open_drop(crate::support::plan(3));
    let viewer = world.viewer("v1");
    let hold = world.hold(&viewer, drop, 1, "a");
    world.start_to_pay(hold);
    world.wait_ordered(hold);
    world.give(DropAction::Close.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Settled);
    let now = world.engine.moment();
    let mut before = world.engine.sale(drop).unwrap().view(now);
    assert_eq!(before.skus[0].last_take, Some(1));
    world.advance(SETTLED_KEPT_MS);
    let over = wait_for("the summary", || world.engine.over(drop));
    let after = DropView::over(&over, Arc::clone(&before.plan), before.viewers_connected, now);
    // It is on air no more, its last take is the ledger's to tell, and nobody pays any more.
    before.standing.featured = false;
    before.standing.phase_changes = None;
    before.skus[0].last_take = None;
    assert!(before.paying.take().is_some());
    assert_eq!(after, before);
}

#[test]
fn what_changes_raises_the_version() {
    let mut world = World::new();
    let drop = world.open_drop(crate::support::plan(3));
    let sale = world.engine.sale(drop).unwrap();
    let open = sale.standing();
    world.give(DropAction::Pause.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Paused);
    let paused = sale.standing();
    assert!(paused.version > open.version && paused != open);
    let viewer = world.viewer("v1");
    world.ports[0].leave(&viewer, 1);
    world.advance(1);
    assert_eq!(sale.standing(), paused, "neither viewers nor time change where a drop stands");
    assert_eq!(paused.stream_offline_since(world.engine.moment()), None::<UnixMillis>);
}
