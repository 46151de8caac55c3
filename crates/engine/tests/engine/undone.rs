//! A drop that was opened by mistake: its opening is undone, its holds end in portions, a copy stands in its place.

use std::sync::{Arc, Barrier};

use stampede_domain::{
    DropId, DropPlan, HoldId, PaymentEvent, Phase, RefundReason, Units, limits::SETTLED_KEPT_MS,
};
use stampede_engine::{
    Action, Buy, CommandOutcome, CommandRefusal, CoreEvent, DropAction, Health, HoldLook,
    HoldOutcome, PartOutcome, PlannedCopy, Position, Role, ViewerEvent,
};
use stampede_ledger::{HoldRecord, PhaseRecord, Record, fake::Fault};
use stampede_testkit::euros;

use crate::{
    payments::{fact, paid, terms},
    support::{ORDERED, Waiting, World, due_back, plan, wait_for},
};

/// Holds that end in one portion at most.
const PORTION: usize = 1_024;
/// As many as a viewer may have.
const HOLDS_PER_VIEWER: u16 = 64;

fn undo(world: &World, drop: DropId, key: &str) -> Waiting<CommandOutcome> {
    world.give_as(Role::Host, key, DropAction::Undo.on(drop)).unwrap()
}

fn copy(outcome: &CommandOutcome) -> DropId {
    outcome.as_ref().unwrap().copy.and_then(PlannedCopy::drop).unwrap()
}

/// An open drop with so many holds of one unit, all durable.
fn held(world: &mut World, count: usize) -> (DropId, Vec<HoldId>) {
    let units = Units::new(u32::try_from(count).unwrap() + 1).unwrap();
    let mut terms = DropPlan {
        holds_per_viewer_max: HOLDS_PER_VIEWER,
        limit_per_viewer: units,
        ..plan(units.get())
    };
    terms.skus[0].limit_per_viewer = units;
    let drop = world.open_drop(terms);
    let (mut holds, mut last) = (Vec::new(), Position::default());
    for number in 0..count {
        let who = number / usize::from(HOLDS_PER_VIEWER);
        let viewer = world.viewer(&format!("v{who}"));
        match world.buy(0, &viewer, drop, 1, &format!("k{number}")) {
            Buy::Pending { hold, position } => {
                holds.push(hold);
                last = position;
            }
            other => panic!("expected a hold, got {other:?}"),
        }
    }
    world.wait_durable(0, last);
    (drop, holds)
}

/// The records of a drop's chain, as they became durable.
fn records(world: &World, drop: DropId) -> Vec<Record> {
    let rows = world.ledger.rows();
    let of_drop = rows.iter().filter(|row| row.drop == drop);
    of_drop.flat_map(|row| row.decode().map(Result::unwrap).collect::<Vec<_>>()).collect()
}

fn ends(records: &[Record]) -> (usize, usize) {
    let count = |of: fn(&HoldRecord) -> bool| {
        let holds = records.iter().filter_map(|record| match record {
            Record::Hold(hold) => Some(hold),
            _ => None,
        });
        holds.filter(|hold| of(hold)).count()
    };
    (
        count(|hold| matches!(hold, HoldRecord::Released { .. })),
        count(|hold| matches!(hold, HoldRecord::Confirmed { .. })),
    )
}

#[test]
fn every_holder_is_told_and_the_copy_sells_anew() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let [ann, bob] = ["ann", "bob"].map(|name| world.viewer(name));
    let holds = [world.hold(&ann, drop, 2, "a"), world.hold(&bob, drop, 1, "b")];
    let outcome = undo(&world, drop, "u").get();
    let copy = copy(&outcome);
    world.wait_phase(drop, Phase::Voided);
    let mut events = Vec::new();
    world.ports[0].drain(&mut events);
    for (viewer, hold, count) in [(&ann, holds[0], 2), (&bob, holds[1], 1)] {
        let units = Units::new(count).unwrap();
        let (viewer, event) = (viewer.number(), ViewerEvent::CalledOff { hold, units });
        assert!(events.contains(&CoreEvent::Viewer { viewer, event }), "{events:?}");
        assert_eq!(world.look(hold), HoldLook::Ended);
    }
    assert_eq!(world.figures(drop), [5, 5, 0, 0]);
    assert!(matches!(world.buy(0, &ann, drop, 1, "c"), Buy::Refused(_)));
    assert_eq!(world.engine.sale(copy).unwrap().phase(), Phase::Scheduled);
    world.give(DropAction::StartCountdown.on(copy)).get().unwrap();
    world.wait_phase(copy, Phase::Open);
    let hold = world.hold(&ann, copy, 2, "d");
    assert_eq!(world.pay(hold), ORDERED);
    assert_eq!(world.figures(copy), [5, 3, 0, 2]);
    // What is over leaves memory; whoever undid it is told the same again until then.
    assert!(undo(&world, drop, "u").get().unwrap().replayed);
    world.advance(SETTLED_KEPT_MS + 1);
    let over = wait_for("the summary", || world.engine.over(drop));
    assert_eq!((over.phase, over.figures().next().unwrap().supplied.get()), (Phase::Voided, 5));
    let late = undo(&world, drop, "late").get();
    assert!(matches!(late, Err(CommandRefusal::WrongPhase { phase: Phase::Voided, .. })));
}

#[test]
fn one_order_keeps_the_opening() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    assert_eq!(world.pay(hold), ORDERED);
    let refused = Err(CommandRefusal::AlreadyPaid { orders: 1 });
    assert_eq!(undo(&world, drop, "u").get(), refused);
    let world = world.restart(100);
    world.wait_phase(drop, Phase::Open);
    assert_eq!(undo(&world, drop, "again").get(), refused, "also after a crash");
}

#[test]
fn a_pause_of_another_drop_acts_while_holds_end() {
    let mut world = World::new();
    let other = world.open_drop(plan(5));
    let (drop, holds) = held(&mut world, 2 * PORTION + 5);
    let count = u32::try_from(holds.len()).unwrap();
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let undone = undo(&world, drop, "u");
    world.ledger.wait_until_hanging();
    world.wait_phase(drop, Phase::Voiding);
    let ann = world.viewer("ann");
    assert!(matches!(world.buy(0, &ann, drop, 1, "late"), Buy::Refused(_)), "takes stop at once");
    let paused = world.give_as(Role::Host, "p", DropAction::Pause.on(other)).unwrap();
    world.wait_phase(other, Phase::Paused);
    let live = holds.iter().filter(|hold| world.look(**hold) != HoldLook::Ended).count();
    assert_eq!(live, holds.len(), "no end is durable");
    world.ledger.release();
    paused.get().unwrap();
    copy(&undone.get());
    world.wait_phase(drop, Phase::Voided);
    assert_eq!(world.figures(drop), [count + 1, count + 1, 0, 0]);
    assert_eq!(ends(&records(&world, drop)), (holds.len(), 0));
    // A commit has no more ends than a portion, so nobody waits for more.
    for row in world.ledger.rows().iter().filter(|row| row.drop == drop) {
        let of_row: Vec<_> = row.decode().map(Result::unwrap).collect();
        assert!(ends(&of_row).0 <= PORTION, "{} ends in one commit", ends(&of_row).0);
    }
}

#[test]
fn a_take_on_its_way_is_called_off_once_it_is_durable() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let ann = world.viewer("ann");
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let Buy::Pending { hold, .. } = world.buy(0, &ann, drop, 2, "a") else { panic!("held") };
    world.ledger.wait_until_hanging();
    let undone = undo(&world, drop, "u");
    world.wait_phase(drop, Phase::Voiding);
    world.ledger.release();
    copy(&undone.get());
    world.wait_called_off(hold);
    world.wait_phase(drop, Phase::Voided);
    assert_eq!(world.figures(drop), [5, 5, 0, 0]);
}

#[test]
fn units_that_a_late_payment_has_taken_again_are_called_off_and_the_money_is_due_back() {
    let mut world = World::new();
    let drop = world.open_drop(terms(0, 0));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    world.advance(plan(1).hold_ttl.get());
    world.wait_expired(hold);
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    // Its units are taken again; the take is on its way.
    let late = Waiting(world.engine.payment(fact("p1", paid(1_990), &[hold])).unwrap());
    world.ledger.wait_until_hanging();
    let undone = undo(&world, drop, "u");
    world.wait_phase(drop, Phase::Voiding);
    world.ledger.release();
    copy(&undone.get());
    let [(_, HoldOutcome::Moved { part, .. })] = late.get().unwrap().holds[..] else {
        panic!("the units were taken again")
    };
    let due = PartOutcome::RefundDue { amount: euros(1_990), reason: RefundReason::HoldEnded };
    assert_eq!(part, due);
    world.wait_phase(drop, Phase::Voided);
    let [_, available, held, sold] = world.figures(drop);
    assert_eq!((available, held, sold), (3, 0, 0));
}

/// A crash at each commit of an undo, which was durable or was not: all of it goes on by itself.
#[test]
fn a_crash_at_every_point_goes_on_after_the_restart() {
    for commit in 1.. {
        for fault in [Fault::Before, Fault::After] {
            let mut world = World::new();
            let (drop, holds) = held(&mut world, PORTION + 70);
            world.ledger.order(world.ledger.commits() + commit, fault);
            let undone = undo(&world, drop, "u");
            let is_over = wait_for("the crash, or the end without one", || {
                let is_poisoned = world.engine.health() == Health::Poisoned;
                let is_voided = world.engine.sale(drop)?.phase() == Phase::Voided;
                (is_poisoned || is_voided).then_some(!is_poisoned)
            });
            if is_over {
                assert!(undone.get().is_ok());
                assert!(commit > 3, "the decision and two portions stand in a commit each");
                return;
            }
            let was_undone = commit > 1 || fault == Fault::After;
            goes_on(&world.restart(10), (drop, &holds), was_undone);
        }
    }
}

/// A restart in the middle of an undo, whose decision was durable or was not.
fn goes_on(world: &World, (drop, holds): (DropId, &[HoldId]), was_undone: bool) {
    let count = u32::try_from(holds.len()).unwrap();
    if !was_undone {
        world.wait_phase(drop, Phase::Open);
        assert_eq!(world.figures(drop), [count + 1, 1, count, 0], "as if nobody had asked");
    }
    // The retry says which drop is the copy, whether or not the first answer came.
    let again = undo(world, drop, "u").get();
    assert_eq!(again.as_ref().unwrap().replayed, was_undone);
    world.wait_phase(drop, Phase::Voided);
    assert_eq!(world.figures(drop), [count + 1, count + 1, 0, 0]);
    assert_eq!(world.engine.sale(copy(&again)).unwrap().phase(), Phase::Scheduled);
    assert_eq!(ends(&records(world, drop)), (holds.len(), 0), "each once");
}

/// Somebody pays in the moment in which the host undoes: each of these ends in one way.
#[test]
fn an_order_or_called_off_never_both_and_never_neither() {
    const RACES: u32 = 240;
    let mut world = World::new();
    let (mut ordered, mut called_off) = (0, 0);
    for race in 0..RACES {
        let drop = world.open_drop(plan(2));
        let ann = world.viewer("ann");
        let hold = world.hold(&ann, drop, 1, &format!("a{race}"));
        let payment =
            fact(&format!("p{race}"), PaymentEvent::Paid { amount: euros(1_990) }, &[hold]);
        let start = Barrier::new(2);
        let (undone, paid) = std::thread::scope(|scope| {
            let pays = scope.spawn(|| {
                start.wait();
                // Every other time the host is given a little more time.
                if race.is_multiple_of(2) {
                    std::thread::yield_now();
                }
                Waiting(world.engine.payment(payment).unwrap())
            });
            start.wait();
            if !race.is_multiple_of(2) {
                std::thread::yield_now();
            }
            let undone = undo(&world, drop, &format!("u{race}"));
            (undone.get(), pays.join().unwrap().outcome())
        });
        let records = records(&world, drop);
        if paid == ORDERED {
            assert_eq!(undone, Err(CommandRefusal::AlreadyPaid { orders: 1 }));
            assert_eq!((ends(&records), world.figures(drop)), ((0, 1), [2, 1, 0, 1]));
            world.give(DropAction::Close.on(drop)).get().unwrap();
            world.wait_phase(drop, Phase::Settled);
            ordered += 1;
        } else {
            assert_eq!(paid, due_back(RefundReason::HoldEnded));
            let copy = copy(&undone);
            world.wait_phase(drop, Phase::Voided);
            assert_eq!(world.figures(drop), [2, 2, 0, 0]);
            let records = self::records(&world, drop);
            assert_eq!(ends(&records), (1, 0));
            assert!(records.contains(&Record::Phase(PhaseRecord::Voided)));
            world.give(DropAction::Cancel.on(copy)).get().unwrap();
            called_off += 1;
        }
    }
    assert_eq!(ordered + called_off, RACES);
}

#[test]
fn a_copy_without_a_place_is_said_and_the_drop_is_called_off_all_the_same() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    for _ in 1..64 {
        world.give(Action::Plan { plan: Arc::new(plan(1)) }).get().unwrap();
    }
    let done = undo(&world, drop, "u").get().unwrap();
    let why = done.copy.and_then(PlannedCopy::why_none).unwrap();
    assert_eq!(why.code(), "stream_full");
    world.wait_phase(drop, Phase::Voided);
    let world = world.restart(100);
    let again = undo(&world, drop, "u").get().unwrap();
    assert_eq!((again.copy, again.replayed), (done.copy, true));
}
