//! Commands that are meant for a drop as their actor saw it.

use std::sync::Arc;

use stampede_domain::{DropId, Phase, Units};
use stampede_engine::{
    Action, CommandOutcome, CommandRefusal, Done, DropAction, Role, SeenDrop, StaffCommand,
    StreamScope,
};

use crate::support::{Waiting, World, plan, wait_for};

fn seen(world: &World, drop: DropId) -> SeenDrop {
    SeenDrop::from(&world.engine.sale(drop).unwrap().standing())
}

/// Gives a command that is meant for a drop as it was seen.
fn give(
    world: &World,
    key: &str,
    drop: DropId,
    action: DropAction,
    seen: SeenDrop,
) -> Waiting<CommandOutcome> {
    let command = StaffCommand {
        actor: "nina".into(),
        role: Role::Host,
        merchant: None,
        streams: StreamScope::All,
        key: key.parse().unwrap(),
        reason: None,
        action: action.on_seen(drop, Some(seen)),
    };
    world.engine.command(command).map(Waiting).unwrap()
}

fn others(world: &mut World, drop: DropId, action: DropAction) {
    world.give(action.on(drop)).get().unwrap();
}

fn restock() -> DropAction {
    DropAction::Restock { sku: "mug".parse().unwrap(), units: Units::new(3).unwrap() }
}

#[test]
fn a_resume_that_comes_late_does_not_undo_a_later_pause() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    others(&mut world, drop, DropAction::Pause);
    let before = seen(&world, drop);
    // Somebody else resumes, then pauses: the phase is what it was, yet it is another pause.
    others(&mut world, drop, DropAction::Resume);
    world.wait_phase(drop, Phase::Open);
    others(&mut world, drop, DropAction::Pause);
    let now = seen(&world, drop);
    assert_eq!((before.phase, before.revision), (now.phase, now.revision));
    let late = give(&world, "k1", drop, DropAction::Resume, before).get();
    assert_eq!(late, Err(CommandRefusal::Changed { seen: before, now }));
    assert_eq!(seen(&world, drop), now, "the pause stands");
    // A refusal binds nothing; over a restart the pause is still the one that was seen.
    let world = world.restart(1);
    assert_eq!(seen(&world, drop), now, "changes are counted over a restart");
    give(&world, "k1", drop, DropAction::Resume, now).get().unwrap();
    world.wait_phase(drop, Phase::Open);
}

#[test]
fn a_retry_gets_its_first_answer_whatever_happened_since() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    others(&mut world, drop, DropAction::Pause);
    let before = seen(&world, drop);
    let first = give(&world, "k1", drop, DropAction::Resume, before).get().unwrap();
    world.wait_phase(drop, Phase::Open);
    others(&mut world, drop, DropAction::Pause);
    let paused = seen(&world, drop);
    for again in [before, paused] {
        let again = give(&world, "k1", drop, DropAction::Resume, again).get();
        assert_eq!(again, Ok(Done { replayed: true, ..first }));
    }
    assert_eq!(seen(&world, drop), paused, "the retry undid nothing");
}

#[test]
fn whatever_is_not_a_stop_is_refused_once_the_drop_has_changed() {
    let mut world = World::new();
    let planned = world.give(Action::Plan { plan: Arc::new(plan(5)) }).get().unwrap().drop;
    let first = seen(&world, planned);
    others(&mut world, planned, DropAction::Edit { plan: Arc::new(plan(6)) });
    wait_for("the edit", || (seen(&world, planned).revision == 2).then_some(()));
    let edited = seen(&world, planned);
    let changed = |outcome: CommandOutcome| matches!(outcome, Err(CommandRefusal::Changed { .. }));
    assert!(changed(give(&world, "open", planned, DropAction::StartCountdown, first).get()));
    give(&world, "open", planned, DropAction::StartCountdown, edited).get().unwrap();
    world.wait_phase(planned, Phase::Open);
    others(&mut world, planned, DropAction::Pause);
    let paused = seen(&world, planned);
    others(&mut world, planned, DropAction::Resume);
    world.wait_phase(planned, Phase::Open);
    for action in [DropAction::Resume, DropAction::Feature, DropAction::Close, restock()] {
        let name = action.name();
        assert!(changed(give(&world, name, planned, action, paused).get()), "{name}");
    }
    // What tells no number of changes is compared by the rest.
    let roughly = SeenDrop { phase_changes: None, ..seen(&world, planned) };
    give(&world, "lot", planned, restock(), roughly).get().unwrap();
    // A stop is meant whatever was seen.
    give(&world, "pause", planned, DropAction::Pause, paused).get().unwrap();
    assert_eq!(seen(&world, planned).phase, Phase::Paused);
}

#[test]
fn of_two_who_press_on_the_same_sight_one_is_told_what_changed() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    others(&mut world, drop, DropAction::Pause);
    let before = seen(&world, drop);
    let both = ["k1", "k2"].map(|key| give(&world, key, drop, DropAction::Resume, before));
    let [first, second] = both.map(Waiting::get);
    first.unwrap();
    let now = SeenDrop { phase: Phase::Open, phase_changes: Some(4), ..before };
    assert_eq!(second, Err(CommandRefusal::Changed { seen: before, now }));
}
