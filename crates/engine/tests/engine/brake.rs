//! Stop, go, limits: at once, recorded, in force again after a crash.

use std::sync::Arc;

use stampede_domain::{BanTarget, DropId, DurationMs, Phase, Rates, Refusal};
use stampede_engine::{
    Action, Arrival, BrakeAction, Buy, CommandRefusal, DropAction, Engine, Role, StaffCommand,
    Viewer,
};
use stampede_ledger::{
    BrakePart, BrakeRecord, Record,
    fake::{FakeLedger, Fault},
};

use crate::support::{ORDERED, Waiting, World, at_next_reading, plan, wait_for};

pub(crate) fn stop(expires_in: Option<u64>) -> BrakeAction {
    BrakeAction::Halt { expires_in: expires_in.map(DurationMs::new) }
}

pub(crate) fn rates(buys_per_s: u32) -> BrakeAction {
    let rates = Rates { buys_per_s: Some(buys_per_s), ..Rates::NONE };
    BrakeAction::SetRates { rates, expires_in: None }
}

pub(crate) fn ban(target: &str, release_holds: bool, expires_in: Option<u64>) -> BrakeAction {
    let target = match target.split_once(' ') {
        Some(("viewer", id)) => BanTarget::Viewer(id.parse().unwrap()),
        Some(("from", range)) => BanTarget::Addresses(range.parse().unwrap()),
        Some(("channel", id)) => BanTarget::Channel { channel: id.parse().unwrap(), stream: None },
        _ => panic!("{target}"),
    };
    BrakeAction::Ban { target, release_holds, expires_in: expires_in.map(DurationMs::new) }
}

pub(crate) fn records(ledger: &FakeLedger, drop: DropId) -> Vec<Record> {
    let rows = ledger.rows();
    let of_drop = rows.iter().filter(|row| row.drop == drop);
    of_drop.flat_map(|row| row.decode().map(Result::unwrap).collect::<Vec<_>>()).collect()
}

pub(crate) fn is_busy(buy: &Buy) -> bool {
    matches!(buy, Buy::Refused(Refusal::Busy { .. }))
}

pub(crate) fn is_banned(world: &World, viewer: &str, address: &str) -> bool {
    world.engine.brake().is_banned(Arrival {
        viewer: &viewer.parse().unwrap(),
        channel: Some(&"nina-tv".parse().unwrap()),
        stream: &"show".parse().unwrap(),
        address: Some(address.parse().unwrap()),
    })
}

#[test]
fn a_stop_refuses_every_take_at_once_and_go_ends_it() {
    let mut world = World::new();
    let (one, other) = (world.open_drop(plan(5)), world.open_drop(plan(5)));
    let (ann, bob) = (world.viewer("ann"), world.viewer("bob"));
    let held = world.hold(&ann, one, 1, "a1");
    // The record hangs on its way to the ledger, yet no take gets through.
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let stopped = world.give(stop(None));
    world.ledger.wait_until_hanging();
    for drop in [one, other] {
        let refused = world.buy(1, &bob, drop, 1, "b1");
        let Buy::Refused(Refusal::Busy { retry_after }) = refused else { panic!("{refused:?}") };
        assert_eq!(retry_after, DurationMs::from_secs(5), "longer than a busy moment");
    }
    assert_eq!(world.buy(0, &ann, one, 1, "a1"), Buy::Replay { hold: held }, "a retry is answered");
    let reused = world.buy(0, &ann, one, 2, "a1");
    assert_eq!(reused, Buy::Refused(Refusal::KeyReused));
    world.ledger.release();
    assert_eq!(stopped.get().unwrap().drop, DropId::HOUSE);
    let ordered = world.pay(held);
    assert_eq!(ordered, ORDERED, "payments go on");
    let view = world.engine.brake().view().halt.unwrap();
    assert_eq!((view.actor.as_str(), view.expires_at), ("nina", None));

    world.give(BrakeAction::Go).get().unwrap();
    wait_for("go", || (!world.engine.brake().is_halted()).then_some(()));
    world.hold(&bob, one, 1, "b1");
    let again = world.give(BrakeAction::Go).get().unwrap_err();
    assert_eq!(again.code(), "not_in_force");
}

#[test]
fn go_acts_only_when_its_record_is_durable() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let ann = world.viewer("ann");
    world.give(stop(None)).get().unwrap();
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let go = world.give(BrakeAction::Go);
    world.ledger.wait_until_hanging();
    assert!(is_busy(&world.buy(0, &ann, drop, 1, "a1")));
    // A stop that comes behind wins.
    let stop = world.give(stop(None));
    world.ledger.release();
    go.get().unwrap();
    stop.get().unwrap();
    assert!(world.engine.brake().is_halted());
}

/// Sets something, ends it, sets it again and ends it again, while only the first end becomes durable;
/// `true` if it is in force then.
fn outlives_its_first_end(
    set: BrakeAction,
    end: BrakeAction,
    in_force: impl Fn(&World) -> bool,
) -> bool {
    let mut world = World::new();
    world.give(set.clone()).get().unwrap();
    let next = world.ledger.commits() + 1;
    world.ledger.order(next, Fault::Hang);
    world.ledger.order(next + 1, Fault::Before);
    let first = world.give(end.clone());
    world.ledger.wait_until_hanging();
    world.give(set);
    world.give(end);
    world.give(ban("viewer eve", false, None));
    wait_for("all decisions", || is_banned(&world, "eve", "10.0.0.1").then_some(()));
    world.ledger.release();
    // The steward acts on what is durable before it gives up.
    first.ends_unanswered();
    in_force(&world)
}

#[test]
fn what_was_set_again_waits_for_its_own_end() {
    let halted = |world: &World| world.engine.brake().is_halted();
    assert!(outlives_its_first_end(stop(None), BrakeAction::Go, halted));
    let hellos = Rates { hellos_per_s: Some(1), ..Rates::NONE };
    let limited = |world: &World| {
        let now = world.engine.now();
        (0..2).any(|_| world.engine.brake().admit_hello(now).is_err())
    };
    let [set, end] =
        [hellos, Rates::NONE].map(|rates| BrakeAction::SetRates { rates, expires_in: None });
    assert!(outlives_its_first_end(set, end, limited));
}

/// Staff do this and that while somebody waits for the answer.
fn decide(engine: &Engine, key: &str, action: impl Into<Action>) {
    let command = StaffCommand {
        actor: "olga".into(),
        role: Role::Ops,
        merchant: None,
        streams: stampede_engine::StreamScope::All,
        key: key.parse().unwrap(),
        reason: None,
        action: action.into(),
    };
    Waiting(engine.command(command).unwrap()).get().unwrap();
}

#[test]
fn no_take_is_dated_into_a_stop_that_came_and_went_around_it() {
    for stopped_before in [true, false] {
        let mut world = World::new();
        let drop = world.open_drop(plan(5));
        let ann = world.viewer("ann");
        if stopped_before {
            world.give(stop(None)).get().unwrap();
        }
        // The thread that buys is out of the processor before and after it has read the clock.
        let (engine, clock) = (Arc::clone(&world.engine), Arc::clone(&world.clock));
        at_next_reading(move || {
            if !stopped_before {
                decide(&engine, "stop", stop(None));
            }
            clock.advance(1_000);
            let taken_at = engine.now();
            clock.advance(1_000);
            decide(&engine, "go", BrakeAction::Go);
            wait_for("go", || (!engine.brake().is_halted()).then_some(()));
            taken_at
        });
        assert!(is_busy(&world.buy(0, &ann, drop, 1, "a1")), "its time lies within the stop");
        world.hold(&ann, drop, 1, "a1");
    }
}

#[test]
fn a_stop_outlives_a_crash_and_ends_by_itself() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    world.give(stop(Some(60_000))).get().unwrap();
    let mut world = world.restart(10_000);
    let ann = world.viewer("ann");
    assert!(is_busy(&world.buy(0, &ann, drop, 1, "a1")), "in force before anybody takes");
    let view = world.engine.brake().view().halt.unwrap();
    assert_eq!(view.actor, "nina");
    world.advance(50_000);
    wait_for("the end", || (!world.engine.brake().is_halted()).then_some(()));
    world.hold(&ann, drop, 1, "a1");
    let lifted = Record::Brake(BrakeRecord::Lifted { part: BrakePart::Halt, expired: true });
    assert!(records(&world.ledger, DropId::HOUSE).contains(&lifted), "its end is on record");
    // What ended while the server was down is ended by the next start.
    world.give(stop(Some(1_000))).get().unwrap();
    let world = world.restart(1_000);
    wait_for("the end", || (!world.engine.brake().is_halted()).then_some(()));
}

#[test]
fn buys_over_the_rate_are_busy_at_once() {
    let mut world = World::new();
    let drop = world.open_drop(plan(50));
    world.give(rates(2)).get().unwrap();
    wait_for("the limit", || world.engine.brake().view().rates);
    let viewers: Vec<Arc<Viewer>> = (0..40).map(|n| world.viewer(&format!("v{n}"))).collect();
    let mut taken = 0;
    for second in 0..10 {
        for viewer in &viewers[second * 4..(second + 1) * 4] {
            match world.buy(second % 2, viewer, drop, 1, "k") {
                Buy::Pending { .. } => taken += 1,
                Buy::Refused(Refusal::Busy { retry_after }) => {
                    assert_eq!(retry_after, DurationMs::from_secs(1));
                }
                other => panic!("{other:?}"),
            }
        }
        world.advance(1_000);
    }
    assert!((10..=20).contains(&taken), "{taken} in 10 s at 2 per second, over both cores");
    let none = BrakeAction::SetRates { rates: Rates::NONE, expires_in: None };
    world.give(none.clone()).get().unwrap();
    wait_for("no limit", || world.engine.brake().view().rates.is_none().then_some(()));
    let late = world.viewer("late");
    for key in ["a", "b"] {
        world.hold(&late, drop, 1, key);
    }
    let refused = world.give(none).get().unwrap_err();
    assert_eq!(refused.code(), "not_in_force");
}

#[test]
fn buys_that_cannot_win_spend_nothing_of_the_rate() {
    let mut world = World::new();
    let closed = world.open_drop(plan(5));
    world.give(DropAction::Close.on(closed)).get().unwrap();
    let (drop, small) = (world.open_drop(plan(5)), world.open_drop(plan(1)));
    let (ann, bob) = (world.viewer("ann"), world.viewer("bob"));
    let held = world.hold(&ann, drop, 2, "a1");
    world.hold(&bob, small, 1, "b1");
    world.give(rates(1)).get().unwrap();
    for _ in 0..10 {
        assert_eq!(world.buy(0, &bob, closed, 1, "b2"), Buy::Refused(Refusal::Closed));
        assert_eq!(world.buy(1, &ann, small, 1, "a2"), Buy::Refused(Refusal::SoldOut));
        let over = world.buy(1, &ann, drop, 1, "a3");
        assert!(matches!(over, Buy::Refused(Refusal::OverViewerLimit { .. })), "{over:?}");
        assert_eq!(world.buy(0, &ann, drop, 2, "a1"), Buy::Replay { hold: held });
    }
    world.hold(&bob, drop, 1, "b3");
    let second = world.buy(0, &bob, drop, 1, "b4");
    assert!(is_busy(&second), "the turn was there, and is spent now: {second:?}");
    let over = world.buy(0, &ann, drop, 1, "a3");
    assert!(matches!(over, Buy::Refused(Refusal::OverViewerLimit { .. })), "still exact: {over:?}");
}

#[test]
fn stricter_limits_act_at_once_and_looser_ones_when_durable() {
    let mut world = World::new();
    let drop = world.open_drop(plan(50));
    let busy = |world: &mut World, name: &str| {
        let viewer = world.viewer(name);
        let answers: Vec<Buy> = ["a", "b"].map(|key| world.buy(0, &viewer, drop, 1, key)).into();
        answers.iter().any(is_busy)
    };
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let strict = world.give(rates(1));
    world.ledger.wait_until_hanging();
    assert!(busy(&mut world, "v1"));
    world.ledger.release();
    strict.get().unwrap();

    let mut world = world.restart(5_000);
    assert!(busy(&mut world, "v2"), "in force again after a crash");
    assert_eq!(world.engine.brake().view().rates.unwrap().0.buys_per_s, Some(1));
    let open = Rates { hellos_per_s: Some(1), ..Rates::NONE };
    world.give(BrakeAction::SetRates { rates: open, expires_in: None }).get().unwrap();
    wait_for("the change", || (world.engine.brake().view().rates?.0 == open).then_some(()));
    assert!(!busy(&mut world, "v3"));
    let now = world.engine.now();
    assert_eq!(world.engine.brake().admit_hello(now), Ok(()));
    assert!(world.engine.brake().admit_hello(now).is_err());
}

#[test]
fn who_may_work_the_brake() {
    let world = World::new();
    for (role, may) in
        [(Role::Admin, true), (Role::Ops, true), (Role::Host, false), (Role::Merchant, false)]
    {
        for (n, action) in [stop(None), BrakeAction::Go, rates(5), ban("viewer eve", false, None)]
            .into_iter()
            .enumerate()
        {
            let key = format!("{role}-{n}");
            let outcome = world.give_as(role, &key, action).unwrap().get();
            let forbidden = matches!(&outcome, Err(CommandRefusal::Forbidden { .. }));
            assert_eq!(forbidden, !may, "{role}: {outcome:?}");
        }
    }
    let bound = StaffCommand {
        actor: "olga".into(),
        role: Role::Ops,
        merchant: Some("acme".parse().unwrap()),
        streams: stampede_engine::StreamScope::All,
        key: "bound".parse().unwrap(),
        reason: None,
        action: stop(None).into(),
    };
    let refused = Waiting(world.engine.command(bound).unwrap()).get().unwrap_err();
    assert_eq!(refused.code(), "forbidden");
    assert!(refused.to_string().contains("bound to acme"), "{refused}");
}

#[test]
fn what_is_out_of_range_is_refused_with_the_range() {
    let mut world = World::new();
    let too_many = Rates { buys_per_s: Some(0), ..Rates::NONE };
    for (action, code, text) in [
        (stop(Some(999)), "expiry_out_of_range", "1000 to 31622400000"),
        (
            BrakeAction::SetRates { rates: too_many, expires_in: None },
            "rate_out_of_range",
            "buys_per_s is 0",
        ),
    ] {
        let refused = world.give(action).get().unwrap_err();
        assert_eq!(refused.code(), code);
        assert!(refused.to_string().contains(text), "{refused}");
    }
}

#[test]
fn a_copied_ledger_sells_nothing_until_staff_have_looked() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    world.ledger.copy();
    // Twice: a crash before staff have looked changes nothing, and stops nothing twice.
    for _ in 0..2 {
        world = world.restart(1);
        world.wait_phase(drop, Phase::Open);
        let halt = world.engine.brake().view().halt.expect("takes are stopped");
        assert_eq!((halt.actor.as_str(), halt.expires_at), ("the server", None));
        assert!(halt.reason.starts_with("this ledger is a copy"), "{}", halt.reason);
        let viewer = world.viewer("v1");
        let refused = world.buy(0, &viewer, drop, 1, "k1");
        assert!(is_busy(&refused), "{refused:?}");
    }
    let stops = records(&world.ledger, DropId::HOUSE);
    assert_eq!(
        stops
            .iter()
            .filter(|record| matches!(record, Record::Brake(BrakeRecord::Halted(_))))
            .count(),
        1
    );
    world.give(BrakeAction::Go).get().unwrap();
    // From then on it is as good as any.
    let mut world = world.restart(1);
    world.wait_phase(drop, Phase::Open);
    assert_eq!(world.engine.brake().view().halt, None);
    let viewer = world.viewer("v1");
    world.hold(&viewer, drop, 1, "k1");
}
