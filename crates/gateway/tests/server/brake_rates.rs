//! Stop, admission, tick rate against the running server.

use stampede_domain::{DropPlan, DurationMs, Rates};
use stampede_engine::BrakeAction;
use stampede_wire::{ClientMessage, ServerMessage, Subprotocol};

use crate::{
    client::Client,
    world::{World, plan, wait_for},
};

fn set(world: &World, rates: Rates) {
    world.command(BrakeAction::SetRates { rates, expires_in: None });
    wait_for("the limits", || {
        (world.engine.brake().view().rates.map(|(set, _)| set) == Some(rates)).then_some(())
    });
}

#[test]
fn a_stop_answers_busy_with_a_longer_time_and_go_ends_it() {
    let world = World::new();
    let drop = world.open(plan(5));
    let mut ann = world.join("ann");
    ann.buy(drop, "mug", 1, "a1");
    let held = ann.held();
    world.command(BrakeAction::Halt { expires_in: None });
    ann.buy(drop, "mug", 1, "a2");
    let refused = ann.refused();
    assert_eq!((&*refused.code, refused.retry_after_ms), ("busy", Some(5_000)));
    assert!(refused.temporary);
    assert_eq!(world.refused(drop, "busy"), 1);
    ann.buy(drop, "mug", 1, "a1");
    let again = ann.held();
    assert_eq!((again.hold, again.retry), (held.hold, true), "a retry gets its answer");
    world.command(BrakeAction::Go);
    ann.buy(drop, "mug", 1, "a2");
    ann.held();
    assert_eq!(world.available(drop), 3);
}

#[test]
fn buys_over_the_rate_are_refused_at_once() {
    let world = World::new();
    let drop = world.open(plan(5));
    let mut clients = ["ann", "bob", "eve"].map(|viewer| world.join(viewer));
    set(&world, Rates { buys_per_s: Some(1), ..Rates::NONE });
    clients[0].buy(drop, "mug", 1, "k");
    clients[0].held();
    for client in &mut clients[1..] {
        client.buy(drop, "mug", 1, "k");
        let refused = client.refused();
        assert_eq!((&*refused.code, refused.retry_after_ms), ("busy", Some(1_000)));
    }
    world.advance(1_000);
    clients[1].buy(drop, "mug", 1, "k");
    clients[1].held();
}

#[test]
fn hellos_over_the_rate_are_closed_to_come_back() {
    let world = World::new();
    let drop = world.open(plan(5));
    let mut inside = world.join("inside");
    set(&world, Rates { hellos_per_s: Some(1), ..Rates::NONE });
    world.join("ann");
    let mut late = world.dial(Subprotocol::Json);
    late.hello(&world.ticket("bob"));
    let closed = late.next_any().unwrap_err();
    assert_eq!(closed.code, 4001);
    let retry_ms = closed.retry_after_ms.unwrap();
    assert!((1_000..=2_000).contains(&retry_ms), "spread behind the wait: {retry_ms}");
    inside.buy(drop, "mug", 1, "k");
    inside.held();
    world.advance(1_000);
    world.join("bob");
}

/// Lets the core look at its timers, then gives the units of the ticks that came before the pong.
fn ticks_until_pong(client: &mut Client) -> Vec<u32> {
    client.send(&ClientMessage::Ping);
    let mut shown = Vec::new();
    loop {
        match client.next_any().unwrap() {
            ServerMessage::Stock(stock) => shown.push(stock.skus[0].available),
            ServerMessage::Pong(_) => return shown,
            _ => {}
        }
    }
}

#[test]
fn the_tick_rate_changes_while_viewers_watch() {
    let world = World::with(|config| config.tick_interval = DurationMs::new(10));
    let hold_ttl = DurationMs::from_secs(3_600);
    let drop = world.open(DropPlan { hold_ttl, ..plan(50) });
    let (mut ann, mut buyer) = (world.join("ann"), world.join("buyer"));
    set(&world, Rates { tick_interval: Some(DurationMs::from_secs(60)), ..Rates::NONE });
    buyer.buy(drop, "mug", 1, "k1");
    buyer.held();
    wait_for("the tick", || {
        world.advance(10_000);
        ticks_until_pong(&mut ann).contains(&49).then_some(())
    });
    buyer.buy(drop, "mug", 1, "k2");
    buyer.held();
    // The next tick is a minute behind the last one.
    world.advance(30_000);
    for _ in 0..5 {
        assert_eq!(ticks_until_pong(&mut ann), [0; 0], "not yet");
    }
    wait_for("the tick", || {
        world.advance(10_000);
        ticks_until_pong(&mut ann).contains(&48).then_some(())
    });
    world.command(BrakeAction::SetRates { rates: Rates::NONE, expires_in: None });
    world.advance(60_000);
    ticks_until_pong(&mut ann);
    let mut other = world.join("other");
    other.buy(drop, "mug", 1, "k");
    other.held();
    wait_for("the tick", || {
        world.advance(10);
        ticks_until_pong(&mut ann).contains(&47).then_some(())
    });
}
