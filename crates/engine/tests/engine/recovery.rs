//! Crashes, failed commits, hanging commits: what was promised stays, what was not is undone.

use std::{collections::HashMap, sync::Arc};

use crate::support::{ORDERED, World, paid, plan, plan_with_countdown, wait_for};
use stampede_domain::{DurationMs, HoldId, Phase, Refusal};
use stampede_engine::{
    Action, Buy, DropAction, EngineConfig, Health, HoldLook, HoldOutcome, PartOutcome, Unavailable,
    ViewerEvent,
};
use stampede_ledger::{
    Record,
    fake::{FakeLedger, Fault},
};

fn records(ledger: &FakeLedger) -> Vec<Record> {
    let rows = ledger.rows();
    rows.iter().flat_map(|row| row.decode().map(Result::unwrap).collect::<Vec<_>>()).collect()
}

#[test]
fn a_hold_survives_a_crash_with_its_deadline_moved_by_the_outage() {
    let mut world = World::new();
    let drop = world.open_drop(plan(2));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a1");
    let HoldLook::Known(before) = world.look(hold) else { panic!("held") };
    let mut world = world.restart(30_000);
    let HoldLook::Known(after) = world.look(hold) else { panic!("still held") };
    let moved = after.deadline.since(before.deadline);
    assert!(moved >= DurationMs::new(30_000), "moved by {moved}");
    assert_eq!(world.figures(drop), [2, 1, 1, 0]);
    let again = world.viewer("ann");
    assert_eq!(again.number(), ann.number(), "the link was durable with the hold");
    assert_eq!(world.buy(0, &again, drop, 1, "a1"), Buy::Replay { hold });
    let ordered = world.pay(hold);
    assert_eq!(ordered, ORDERED);
    let world = world.restart(0);
    assert!(matches!(world.look(hold), HoldLook::Known(status) if status.confirmed));
    let again = world.pay(hold);
    assert_eq!(
        again,
        HoldOutcome::Part(PartOutcome::AlreadyOrdered),
        "a payment may be reported twice"
    );
}

#[test]
fn a_take_that_never_became_durable_is_back_on_sale_and_listed() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let (ann, bob) = (world.viewer("ann"), world.viewer("bob"));
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let lost = world.buy(0, &ann, drop, 1, "a1");
    assert!(matches!(lost, Buy::Pending { .. }));
    world.ledger.wait_until_hanging();
    assert_eq!(world.figures(drop)[1], 2);
    // The process dies while the commit hangs; the new one fences it.
    let mut world = world.restart(5);
    assert_eq!(world.figures(drop), [3, 3, 0, 0]);
    world.ledger.release();
    let again = world.viewer("bob");
    world.hold(&again, drop, 1, "b1");
    assert_ne!(again.number(), bob.number(), "a viewer without durable takes is new");
    let recovered = records(&world.ledger).into_iter().any(|r| matches!(r, Record::Recovered(_)));
    assert!(recovered);
}

#[test]
fn a_failed_commit_poisons_and_nothing_is_promised() {
    for fault in [Fault::Before, Fault::After] {
        let mut world = World::new();
        let drop = world.open_drop(plan(3));
        let ann = world.viewer("ann");
        world.ledger.order(world.ledger.commits() + 1, fault);
        let Buy::Pending { position, .. } = world.buy(0, &ann, drop, 1, "a1") else {
            panic!("held")
        };
        wait_for("poison", || (world.engine.health() == Health::Poisoned).then_some(()));
        assert!(world.ports[0].durable() < position, "no promise leaves");
        let busy = world.buy(0, &ann, drop, 1, "a2");
        assert!(matches!(busy, Buy::Refused(Refusal::Busy { .. })), "{busy:?}");
        assert_eq!(world.figures(drop)[1], 2, "the unknown take is not given back");
        let refused = world.give_as(stampede_engine::Role::Host, "k", DropAction::Pause.on(drop));
        assert!(matches!(refused, Err(Unavailable::Poisoned)));
        let mut world = world.restart(1);
        let again = world.viewer("ann");
        let expected = if fault == Fault::Before { [3, 3, 0, 0] } else { [3, 2, 1, 0] };
        assert_eq!(world.figures(drop), expected, "{fault:?}");
        let retried = world.buy(0, &again, drop, 1, "a1");
        assert_eq!(matches!(retried, Buy::Replay { .. }), fault == Fault::After, "{retried:?}");
    }
}

#[test]
fn busy_is_the_answer_before_stock_moves_when_the_ring_is_full() {
    let clock_world = World::new();
    let (ledger, clock) = (clock_world.ledger, clock_world.clock);
    let config = EngineConfig { cores: 1, ring_entries_max: 2, ..EngineConfig::default() };
    let mut world = World::start_with(config, ledger, clock);
    let drop = world.open_drop(plan(100));
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let mut taken = 0;
    let viewers: Vec<_> = (0..10).map(|n| world.viewer(&format!("v{n}"))).collect();
    let first = world.buy(0, &viewers[0], drop, 1, "k");
    assert!(matches!(first, Buy::Pending { .. }));
    world.ledger.wait_until_hanging();
    for viewer in &viewers[1..] {
        match world.buy(0, viewer, drop, 1, "k") {
            Buy::Pending { .. } => taken += 1,
            Buy::Refused(Refusal::Busy { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(taken, 2, "as many as the ring holds");
    assert_eq!(world.figures(drop)[1], 97);
    world.ledger.release();
}

#[test]
fn a_missed_start_waits_for_the_host() {
    let mut world = World::new();
    let planned = world.give(Action::Plan { plan: Arc::new(plan_with_countdown(5)) }).get();
    let drop = planned.unwrap().drop;
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    let world = world.restart(60_000);
    assert_eq!(world.engine.sale(drop).unwrap().phase(), Phase::Scheduled);
    let ok = world.give_as(stampede_engine::Role::Host, "k", DropAction::StartCountdown.on(drop));
    ok.unwrap().get().unwrap();
    world.advance(10_000);
    world.wait_phase(drop, Phase::Open);
}

#[test]
fn time_goes_on_after_a_clock_that_was_set_back() {
    let mut world = World::new();
    let drop = world.open_drop(plan(2));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a1");
    world.set_back(500_000);
    let mut world = world.restart(0);
    let before = world.engine.now();
    world.advance(60_000);
    assert_eq!(world.engine.now().since(before), DurationMs::from_secs(60));
    world.viewer("ann");
    world.wait_expired(hold);
}

#[test]
fn a_countdown_that_was_called_off_stays_off() {
    let mut world = World::new();
    let starts_at = Some(world.engine.now().plus(DurationMs::from_secs(15)));
    let plan = stampede_domain::DropPlan { starts_at, ..plan_with_countdown(5) };
    let drop = world.give(Action::Plan { plan: Arc::new(plan) }).get().unwrap().drop;
    world.advance(6_000);
    world.wait_phase(drop, Phase::Countdown);
    world.give(DropAction::CancelCountdown.on(drop)).get().unwrap();
    let mut world = world.restart(100);
    world.advance(3_000);
    // Any answer shows that the steward has looked at its timers in the meantime.
    world.give(DropAction::Pause.on(drop)).get().unwrap_err();
    world.give(DropAction::Pause.on(drop)).get().unwrap_err();
    assert_eq!(world.engine.sale(drop).unwrap().phase(), Phase::Scheduled);
}

#[test]
fn an_idle_drop_has_the_outage_of_its_ledger() {
    let mut world = World::new();
    let idle = world.give(Action::Plan { plan: Arc::new(plan(5)) }).get().unwrap().drop;
    world.advance(3_600_000);
    world.open_drop(plan(5));
    let world = world.restart(7_000);
    let rows = world.ledger.rows();
    let found = rows.iter().filter(|row| row.drop == idle).find_map(|row| {
        row.decode().find_map(|record| match record.unwrap() {
            Record::Recovered(recovered) => Some(recovered.outage),
            _ => None,
        })
    });
    assert_eq!(found, Some(DurationMs::from_secs(7)));
}

#[test]
fn a_stop_that_meets_a_failing_commit_ends() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    world.ledger.order(world.ledger.commits() + 1, Fault::Before);
    let answer = world.give(DropAction::Pause.on(drop));
    world.engine.shutdown();
    assert!(answer.ends_unanswered());
}

#[test]
fn requests_that_wait_for_the_ledger_are_bounded() {
    let World { ledger, clock, .. } = World::new();
    let requests_max = 16;
    let config =
        EngineConfig { cores: 2, steward_requests_max: requests_max, ..EngineConfig::default() };
    let mut world = World::start_with(config, ledger, clock);
    let drop = world.open_drop(plan(5));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a1");
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    world.ports[0].release(&ann, hold, 1).unwrap();
    world.ledger.wait_until_hanging();
    let mut accepted = 0;
    for token in 0..1_000 {
        accepted += usize::from(world.ports[0].release(&ann, hold, token).is_ok());
        std::thread::yield_now();
    }
    assert!(accepted <= 2 * requests_max + 2, "{accepted} requests were taken in");
    let pause = world.give_as(stampede_engine::Role::Host, "k", DropAction::Pause.on(drop));
    assert!(pause.is_ok(), "a flood of viewers' requests keeps no host from pausing");
    world.ledger.release();
}

#[test]
fn what_was_on_air_is_on_air_after_a_restart() {
    let mut world = World::new();
    let first = world.open_drop(plan(5));
    let second = world.open_drop(plan(5));
    world.give(DropAction::Pause.on(first)).get().unwrap();
    world.give(DropAction::Resume.on(first)).get().unwrap();
    wait_for("the first on air", || world.engine.sale(first)?.is_featured().then_some(()));
    let world = world.restart(10);
    let featured = |id| world.engine.sale(id).unwrap().is_featured();
    assert_eq!((featured(first), featured(second)), (true, false));
}

/// Random sales with a fault at a random commit: every promise stands after the restart.
#[test]
fn promises_survive_faults_at_any_commit() {
    for seed in 0..40 {
        let promised = run_until_fault(seed);
        let (world, holds, drop) = promised;
        let world = world.restart(3);
        for (hold, wanted) in &holds {
            let found = match world.look(*hold) {
                HoldLook::Known(status) if status.confirmed => "ordered",
                HoldLook::Known(_) => "held",
                HoldLook::Ended => "ended",
                HoldLook::Pending | HoldLook::Unknown => "lost",
            };
            // An end that was under way when the commit failed may have become durable.
            let allowed: &[&str] = match *wanted {
                "held" => &["held", "ended", "ordered"],
                other => &[other],
            };
            assert!(
                allowed.contains(&found),
                "seed {seed}: {hold:?} promised {wanted}, found {found}"
            );
        }
        let [supplied, available, held, sold] = world.figures(drop);
        assert_eq!(supplied, available + held + sold, "seed {seed}");
        world.engine.shutdown();
    }
}

type Promises = HashMap<HoldId, &'static str>;

fn run_until_fault(seed: u64) -> (World, Promises, stampede_domain::DropId) {
    let mut world = World::new();
    let drop = world.open_drop(plan(20));
    world.ledger.order_by_seed(seed, 12);
    let mut holds = Promises::new();
    for n in 0_u64..200 {
        let step =
            (seed.wrapping_mul(31).wrapping_add(n).wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 60;
        let held: Vec<HoldId> =
            holds.iter().filter(|(_, state)| **state == "held").map(|(hold, _)| *hold).collect();
        match (step, held.first()) {
            (0..=2, Some(hold)) => {
                let Ok(answer) = world.engine.payment(paid(&world.engine, *hold)) else { break };
                if let Ok(Ok(outcome)) = answer.blocking_recv()
                    && outcome.holds == [(*hold, ORDERED)]
                {
                    holds.insert(*hold, "ordered");
                }
            }
            (3..=5, Some(hold)) => release(&mut world, *hold, &mut holds),
            _ => {
                let viewer = world.viewer(&format!("v{n}"));
                if let Buy::Pending { hold, position } = world.buy(0, &viewer, drop, 1, "k")
                    && durable_or_poisoned(&world, position)
                {
                    holds.insert(hold, "held");
                }
            }
        }
        if world.engine.health() == Health::Poisoned {
            break;
        }
    }
    (world, holds, drop)
}

fn release(world: &mut World, hold: HoldId, holds: &mut Promises) {
    let HoldLook::Known(status) = world.look(hold) else { return };
    let id = world.engine.viewer_id(status.viewer).expect("a winner's link is kept");
    let viewer = world.viewer(id.as_str());
    if world.ports[0].release(&viewer, hold, 1).is_err() {
        return;
    }
    let mut events = Vec::new();
    let released = wait_for("a release or poison", || {
        world.ports[0].drain(&mut events);
        let told = |e: &stampede_engine::CoreEvent| matches!(e, stampede_engine::CoreEvent::Viewer { event: ViewerEvent::Released { hold: h, .. }, .. } if *h == hold);
        if events.iter().any(told) {
            return Some(true);
        }
        (world.engine.health() == Health::Poisoned).then_some(false)
    });
    if released {
        holds.insert(hold, "ended");
    }
}

fn durable_or_poisoned(world: &World, position: stampede_engine::Position) -> bool {
    wait_for("durability or poison", || {
        if world.ports[0].durable() >= position {
            return Some(true);
        }
        (world.engine.health() == Health::Poisoned).then_some(false)
    })
}
