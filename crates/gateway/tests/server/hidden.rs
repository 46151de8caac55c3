//! Drops of which viewers hear nothing until their countdown begins.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, DurationMs, NodeId, Phase, Units};
use stampede_engine::DropAction;
use stampede_ledger::fake::FakeLedger;
use stampede_wire::{ServerMessage, Subprotocol};

use crate::{
    client::Client,
    world::{World, plan},
};

fn hidden() -> DropPlan {
    DropPlan { hidden: true, countdown: DurationMs::from_secs(10), ..plan(3) }
}

/// Viewers on every core, with near certainty.
fn watchers(world: &World) -> Vec<Client> {
    (0..12)
        .map(|place| {
            let mut client = world.dial(Subprotocol::ALL[place % 2]);
            client.hello(&world.ticket(&format!("w{place}")));
            client.welcomed();
            client
        })
        .collect()
}

/// The next messages of each are about this drop: nothing of another came before.
fn all_hear_of(watchers: &mut [Client], drop: DropId) {
    for watcher in watchers {
        match watcher.next_any().unwrap() {
            ServerMessage::DropInfo(info) => assert_eq!(info.drop, drop),
            other => panic!("told {other:?}"),
        }
    }
}

fn welcomed(world: &World, viewer: &str) -> Vec<DropId> {
    let mut client = world.dial(Subprotocol::Json);
    client.hello(&world.ticket(viewer));
    client.welcomed().drops.iter().map(|drop| drop.drop).collect()
}

#[test]
fn viewers_hear_nothing_of_a_hidden_drop_before_its_countdown() {
    let world = World::new();
    let mut watchers = watchers(&world);
    let secret = world.plan(hidden());
    let known = world.plan(plan(3));
    all_hear_of(&mut watchers, known);
    assert_eq!(welcomed(&world, "late"), [known]);

    // Whoever guesses the id learns no more than of one that was never planned.
    for (sku, key) in [("mug", "one"), ("none-such", "two")] {
        watchers[0].buy(secret, sku, 1, key);
        assert_eq!(watchers[0].refused_as(), "unknown_drop");
    }
    // Neither an edit is told nor units that become more or fewer.
    let more = DropPlan { title: "Better mugs".into(), ..hidden() };
    world.command(DropAction::Edit { plan: Arc::new(more) }.on(secret));
    let second = world.plan(plan(4));
    all_hear_of(&mut watchers, second);

    world.command(DropAction::StartCountdown.on(secret));
    for watcher in &mut watchers {
        let info = watcher.drop_info();
        assert_eq!((info.drop, info.phase), (secret, Phase::Countdown));
        assert_eq!((&*info.title, info.opens_in_ms), ("Better mugs", Some(10_000)));
    }
    assert_eq!(welcomed(&world, "later"), [secret, known, second]);
    watchers[0].buy(secret, "mug", 1, "three");
    assert_eq!(watchers[0].refused_as(), "not_open");
}

#[test]
fn what_viewers_know_stays_known() {
    let ledger = FakeLedger::new("n1".parse::<NodeId>().unwrap());
    let world = World::on_fake(&ledger);
    let (shown, secret) = (world.plan(hidden()), world.plan(hidden()));
    world.command(DropAction::StartCountdown.on(shown));
    world.wait_phase(shown, Phase::Countdown);
    world.command(DropAction::CancelCountdown.on(shown));
    assert_eq!(welcomed(&world, "before"), [shown], "not the other");
    world.command(DropAction::Edit { plan: Arc::new(hidden()) }.on(shown));
    assert_eq!(welcomed(&world, "edited"), [shown]);
    drop(world);

    let world = World::on_fake(&ledger);
    assert_eq!(welcomed(&world, "after"), [shown], "over a restart");
    world.command(DropAction::StartCountdown.on(secret));
    world.advance(10_000);
    world.wait_phase(secret, Phase::Open);
    let mut buyer = world.join("buyer");
    buyer.buy(secret, "mug", 1, "one");
    assert_eq!(buyer.held().units, Units::ONE.get());
    assert_eq!(welcomed(&world, "at-last"), [shown, secret]);
}

#[test]
fn a_hidden_drop_that_is_called_off_is_never_shown() {
    let world = World::new();
    let mut watchers = watchers(&world);
    let secret = world.plan(hidden());
    world.command(DropAction::Cancel.on(secret));
    world.wait_phase(secret, Phase::Cancelled);
    let known = world.plan(plan(3));
    all_hear_of(&mut watchers, known);
    watchers[0].buy(secret, "mug", 1, "one");
    assert_eq!(watchers[0].refused_as(), "unknown_drop");
    assert_eq!(welcomed(&world, "late"), [known]);
}

#[test]
fn an_edit_may_show_a_hidden_drop() {
    let world = World::new();
    let mut watchers = watchers(&world);
    let drop = world.plan(hidden());
    let open = DropPlan { hidden: false, ..hidden() };
    world.command(DropAction::Edit { plan: Arc::new(open) }.on(drop));
    for watcher in &mut watchers {
        let info = watcher.drop_info();
        assert_eq!((info.drop, info.phase), (drop, Phase::Scheduled));
    }
}
