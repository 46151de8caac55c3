//! Bans: who stays out, what becomes of their holds, what a crash leaves of them.

use std::sync::Arc;

use stampede_domain::{BanId, BanTarget, DropId, HoldId, Mode};
use stampede_engine::{
    BrakeAction, Buy, BuyRequest, CommandOutcome, CommandRefusal, CoreEvent, HoldLook, Role, Viewer,
};
use stampede_ledger::{BanScope, BrakeRecord, Record, fake::Fault};

use crate::{
    brake::{ban, is_banned, records},
    support::{ORDERED, World, plan, wait_for},
};

/// Buys in the drop of another stream.
fn hold_elsewhere(world: &mut World, viewer: &Viewer, drop: DropId, key: &str) -> HoldId {
    let (key, stream) = (key.parse().unwrap(), "other".parse().unwrap());
    let channel = "nina-tv".parse().unwrap();
    let request = BuyRequest { drop, sku: "mug", units: 1, key: &key, channel: Some(&channel) };
    let bought = world.ports[0].buy(viewer, &stream, Mode::Live, request);
    world.ports[0].flush();
    let Buy::Pending { hold, position } = bought else { panic!("{bought:?}") };
    world.wait_durable(0, position);
    hold
}

fn channel(stream: Option<&str>) -> BanTarget {
    let stream = stream.map(|stream| stream.parse().unwrap());
    BanTarget::Channel { channel: "nina-tv".parse().unwrap(), stream }
}

/// Buys with a ticket of a channel, waits until the promise may leave.
fn hold_by(world: &mut World, by: &str, viewer: &Viewer, drop: DropId, key: &str) -> HoldId {
    let bought = world.buy_by(Some(by), 0, viewer, drop, 1, key);
    let Buy::Pending { hold, position } = bought else { panic!("{bought:?}") };
    world.wait_durable(0, position);
    hold
}

fn wait_ended(world: &World, hold: HoldId) {
    wait_for("the release", || (world.look(hold) == HoldLook::Ended).then_some(()));
}

#[test]
fn a_banned_viewer_stays_out_over_a_crash_until_the_ban_ends() {
    let mut world = World::new();
    let done = world.give(ban("viewer eve", false, Some(60_000))).get().unwrap();
    assert_eq!(done.ban, Some(BanId::new(1)));
    let number = world.viewer("eve").number();
    let house = records(&world.ledger, DropId::HOUSE);
    let recorded = house.into_iter().find_map(|record| match record {
        Record::Brake(BrakeRecord::Banned(banned)) => Some(banned),
        _ => None,
    });
    let recorded = recorded.expect("the ban is on record");
    assert_eq!(recorded.scope, BanScope::Viewer(number), "the chain knows a number");
    for row in world.ledger.rows() {
        assert!(!row.body.windows(3).any(|bytes| bytes == b"eve"), "and nothing else");
    }
    let mut world = world.restart(30_000);
    assert!(is_banned(&world, "eve", "10.0.0.1") && !is_banned(&world, "ann", "10.0.0.1"));
    assert_eq!(world.viewer("eve").number(), number);
    let found = world.engine.brake().ban(BanId::new(1)).unwrap();
    assert_eq!(found.target, BanTarget::Viewer("eve".parse().unwrap()));
    world.advance(30_000);
    wait_for("the end", || (!is_banned(&world, "eve", "10.0.0.1")).then_some(()));
    assert_eq!(world.engine.brake().ban_count(), 0);
}

#[test]
fn addresses_lie_beside_the_chain_and_are_back_after_a_crash() {
    let mut world = World::new();
    for (range, banned) in [("from 198.51.100.0/24", 1), ("from 2001:db8::/32", 2)] {
        let done = world.give(ban(range, false, None)).get().unwrap();
        assert_eq!(done.ban, Some(BanId::new(banned)));
    }
    let scopes: Vec<_> = records(&world.ledger, DropId::HOUSE)
        .into_iter()
        .filter_map(|record| match record {
            Record::Brake(BrakeRecord::Banned(banned)) => Some(banned.scope),
            _ => None,
        })
        .collect();
    assert_eq!(scopes, [BanScope::Addresses, BanScope::Addresses]);
    let mut world = world.restart(1);
    let brake = Arc::clone(world.engine.brake());
    for (address, banned) in
        [("198.51.100.9", true), ("2001:db8::1", true), ("198.51.101.9", false)]
    {
        assert_eq!(brake.is_banned_address(address.parse().unwrap()), banned, "{address}");
        assert_eq!(is_banned(&world, "ann", address), banned, "{address}");
    }
    world.give(BrakeAction::Unban { ban: BanId::new(1) }).get().unwrap();
    wait_for("the end", || {
        (!brake.is_banned_address("198.51.100.9".parse().unwrap())).then_some(())
    });
    let gone = world.give(BrakeAction::Unban { ban: BanId::new(1) }).get().unwrap_err();
    assert_eq!(gone, CommandRefusal::UnknownBan { ban: BanId::new(1) });
    let next = world.give(ban("channel nina-tv", false, None)).get().unwrap();
    assert_eq!(next.ban, Some(BanId::new(3)), "ids go on");
    assert!(is_banned(&world, "ann", "10.0.0.1"));
}

#[test]
fn a_ban_with_holds_gives_them_back_and_leaves_orders() {
    let mut world = World::new();
    let (one, other) = (world.open_drop(plan(5)), world.open_drop(plan(5)));
    let eve = world.viewer("eve");
    let sold = world.hold(&eve, one, 1, "e0");
    let ordered = world.pay(sold);
    assert_eq!(ordered, ORDERED);
    let held = [world.hold(&eve, one, 1, "e1"), world.hold(&eve, other, 2, "e2")];
    // One more is on its way while the ban is decided.
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let bob = world.viewer("bob");
    let kept = world.buy(0, &bob, other, 1, "b1");
    world.ledger.wait_until_hanging();
    let Buy::Pending { hold: kept, .. } = kept else { panic!("{kept:?}") };
    let banned = world.give(ban("viewer eve", true, None));
    let bob_too = world.give(ban("viewer bob", true, None));
    world.ledger.release();
    banned.get().unwrap();
    bob_too.get().unwrap();
    for hold in held.into_iter().chain([kept]) {
        wait_ended(&world, hold);
    }
    assert!(matches!(world.look(sold), HoldLook::Known(status) if status.confirmed));
    wait_for("the units", || (world.figures(other) == [5, 5, 0, 0]).then_some(()));
    wait_for("the units", || (world.figures(one) == [5, 4, 0, 1]).then_some(()));
}

/// A hold of eve's that became durable by the commit of its take and the ban together, which was the
/// last one before a crash: nothing was released yet.
fn crash_before_the_release(target: &str) -> (World, DropId, HoldId) {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let (eve, bob) = (world.viewer("eve"), world.viewer("bob"));
    let next = world.ledger.commits() + 1;
    world.ledger.order(next, Fault::Hang);
    world.ledger.order(next + 1, Fault::After);
    let _sold = world.buy(0, &bob, drop, 1, "b1");
    world.ledger.wait_until_hanging();
    let bought = world.buy_by(Some("nina-tv"), 1, &eve, drop, 1, "e1");
    let Buy::Pending { hold, .. } = bought else { panic!("of 5") };
    let id = BanId::new(1);
    let banned = world.give(ban(target, true, None));
    wait_for("the ban", || world.engine.brake().ban(id));
    world.ports[0].release_banned([eve.number()], id);
    world.ledger.release();
    assert!(banned.ends_unanswered());
    let world = world.restart(1_000);
    assert!(is_banned(&world, "eve", "10.0.0.1"));
    (world, drop, hold)
}

#[test]
fn after_a_crash_a_viewers_ban_goes_on_releasing() {
    let (world, drop, hold) = crash_before_the_release("viewer eve");
    wait_ended(&world, hold);
    wait_for("the units", || (world.figures(drop) == [5, 4, 1, 0]).then_some(()));
}

#[test]
fn after_a_crash_a_channels_ban_goes_on_releasing() {
    let (world, drop, hold) = crash_before_the_release("channel nina-tv");
    wait_ended(&world, hold);
    wait_for("the units", || (world.figures(drop) == [5, 4, 1, 0]).then_some(()));
}

#[test]
fn a_channels_ban_ends_what_came_by_the_channel_and_nothing_else() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let (eve, ann) = (world.viewer("eve"), world.viewer("ann"));
    // Neither is connected by the channel when the ban comes: only the holds know of it.
    let by_nina = hold_by(&mut world, "nina-tv", &eve, drop, "e1");
    let by_other = hold_by(&mut world, "ben-tv", &eve, drop, "e2");
    let by_none = world.hold(&ann, drop, 1, "a1");
    world.give(ban("channel nina-tv", true, None)).get().unwrap();
    wait_ended(&world, by_nina);
    for hold in [by_other, by_none] {
        assert!(matches!(world.look(hold), HoldLook::Known(_)), "{hold}");
    }
}

#[test]
fn nothing_is_released_on_the_word_of_a_ban_that_is_over() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let eve = world.viewer("eve");
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let taken = world.buy(0, &eve, drop, 1, "e1");
    let Buy::Pending { hold, .. } = taken else { panic!("{taken:?}") };
    world.ledger.wait_until_hanging();
    // The take cannot be released before it is durable; by then the ban is over.
    let banned = world.give(ban("viewer eve", true, None));
    let unbanned = world.give(BrakeAction::Unban { ban: BanId::new(1) });
    world.give(ban("viewer ann", false, None));
    wait_for("all decisions", || world.engine.brake().ban(BanId::new(2)));
    world.ledger.release();
    banned.get().unwrap();
    unbanned.get().unwrap();
    let ordered = world.pay(hold);
    assert_eq!(ordered, ORDERED, "{ordered:?}");
}

#[test]
fn a_ban_without_holds_lets_them_live() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let eve = world.viewer("eve");
    let held = world.hold(&eve, drop, 1, "e1");
    world.give(ban("viewer eve", false, None)).get().unwrap();
    assert!(matches!(world.look(held), HoldLook::Known(_)));
    let ordered = world.pay(held);
    assert_eq!(ordered, ORDERED, "it can be paid");
}

#[test]
fn cores_are_told_and_have_holds_of_one_stream_released() {
    let mut world = World::new();
    let show = world.open_drop(plan(5));
    let elsewhere =
        world.open_drop(stampede_domain::DropPlan { stream: "other".parse().unwrap(), ..plan(5) });
    let eve = world.viewer("eve");
    let held = hold_by(&mut world, "nina-tv", &eve, show, "e1");
    let other = hold_elsewhere(&mut world, &eve, elsewhere, "e2");
    let target = channel(Some("show"));
    let banned = BrakeAction::Ban { target, release_holds: true, expires_in: None };
    let banned = world.give(banned).get().unwrap();
    for port in &mut world.ports {
        let mut events = Vec::new();
        wait_for("the ban", || {
            port.drain(&mut events);
            events
                .iter()
                .any(|e| matches!(e, CoreEvent::Banned(ban) if ban.releases_holds))
                .then_some(())
        });
    }
    world.ports[1].release_banned([eve.number()], banned.ban.unwrap());
    wait_ended(&world, held);
    assert!(matches!(world.look(other), HoldLook::Known(_)), "another stream's hold lives on");
}

#[test]
fn a_retried_ban_is_the_same_ban_and_another_person_needs_another_key() {
    let world = World::new();
    let give = |world: &World, key: &str, action: BrakeAction| -> CommandOutcome {
        world.give_as(Role::Ops, key, action).unwrap().get()
    };
    let first = give(&world, "k1", ban("viewer eve", false, None)).unwrap();
    let check = |world: &World| {
        let again = give(world, "k1", ban("viewer eve", false, None)).unwrap();
        assert_eq!((again.ban, again.replayed), (first.ban, true));
        let reused = give(world, "k1", ban("viewer ann", false, None)).unwrap_err();
        assert_eq!(reused, CommandRefusal::KeyReused);
    };
    check(&world);
    let world = world.restart(1);
    check(&world);
    assert_eq!(world.engine.brake().ban_count(), 1);
    give(&world, "k2", BrakeAction::Unban { ban: BanId::new(1) }).unwrap();
    let world = world.restart(1);
    let again = give(&world, "k2", BrakeAction::Unban { ban: BanId::new(1) }).unwrap();
    assert_eq!((again.ban, again.replayed), (Some(BanId::new(1)), true));
}

#[test]
fn bans_are_bounded() {
    let world = World::new();
    let max = stampede_domain::limits::BANS_MAX;
    let give = |n: usize| {
        let target = format!("from 10.{}.{}.0/24", n / 256, n % 256);
        world.give_as(Role::Ops, &format!("k{n}"), ban(&target, false, None))
    };
    let mut waiting = std::collections::VecDeque::new();
    for n in 0..max {
        waiting.push_back(give(n).unwrap());
        if waiting.len() == 500 {
            waiting.pop_front().unwrap().get().unwrap();
        }
    }
    for answer in waiting {
        answer.get().unwrap();
    }
    let refused = give(max).unwrap().get().unwrap_err();
    assert_eq!(refused, CommandRefusal::BansFull { max });
}
