//! Deadlines, rates, counts.

use stampede_domain::{DurationMs, SkuPlan, limits::SKUS_PER_DROP_MAX};
use stampede_wire::{ClientMessage, ServerMessage, Subprotocol};
use tokio_tungstenite::tungstenite::Message;

use crate::world::{World, plan};

#[test]
fn a_hello_that_does_not_come() {
    let world = World::with(|config| config.hello_timeout = DurationMs::from_secs(5));
    let mut client = world.dial(Subprotocol::Json);
    // A core knows the session once it answers.
    client.socket.send(Message::Ping(Vec::new().into())).unwrap();
    assert!(matches!(client.socket.read(), Ok(Message::Pong(_))));
    world.advance(5_000);
    assert_eq!(client.closed(), 4004);
}

#[test]
fn a_silent_client_is_asked_then_closed() {
    let world = World::with(|config| config.heartbeat = DurationMs::from_secs(20));
    let mut client = world.join("v1");
    world.advance(20_000);
    loop {
        match client.socket.read().unwrap() {
            Message::Ping(_) => break,
            Message::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // The pong leaves with the next look, after which the time counts anew.
    client.socket.flush().unwrap();
    client.send(&ClientMessage::Ping);
    assert!(matches!(client.next(), ServerMessage::Pong(_)));
    world.advance(40_000);
    assert_eq!(client.closed(), 4003);
}

#[test]
fn a_client_that_keeps_sending_is_refused_then_closed() {
    let world = World::with(|config| {
        config.messages_burst = 3;
        config.messages_per_s = 10;
        config.messages_over_max = 2;
    });
    let drop = world.open(plan(5));
    let mut client = world.join("v1");
    for key in ["a", "b"] {
        client.buy(drop, "mug", 1, key);
        client.held();
    }
    client.buy(drop, "mug", 1, "c");
    let refused = client.refused();
    assert_eq!((&*refused.code, refused.retry_after_ms), ("rate_limited", Some(100)));
    assert_eq!(world.refused(drop, "rate_limited"), 1);
    world.advance(100);
    client.buy(drop, "mug", 1, "c");
    assert_eq!(client.refused_as(), "over_viewer_limit", "within the rate again");
    for _ in 0..3 {
        client.buy(drop, "mug", 1, "d");
    }
    assert_eq!(client.closed(), 4105);
    assert_eq!(world.available(drop), 3);
}

#[test]
fn a_welcome_may_be_larger_than_the_bound_of_what_waits() {
    let world = World::with(|config| config.queue_bytes_max = 1 << 10);
    let mut long = plan(1);
    let sku = long.skus[0].clone();
    long.skus.extend(
        (0..SKUS_PER_DROP_MAX - long.skus.len())
            .map(|number| SkuPlan { id: format!("mug-{number}").parse().unwrap(), ..sku.clone() }),
    );
    let drops = 60;
    for _ in 0..drops {
        world.plan(long.clone());
    }
    let open = world.open(plan(2));
    let mut client = world.dial(Subprotocol::Json);
    client.hello(&world.ticket("v1"));
    let shown = client.welcomed().drops.len();
    assert!(shown < drops, "this is about a welcome of several frames, yet {shown} drops fit one");
    for _ in shown..=drops {
        client.drop_info();
    }
    client.buy(open, "mug", 1, "first");
    client.held();
}

#[test]
fn a_shutdown_tells_everybody() {
    let mut world = World::new();
    let drop = world.open(plan(2));
    let mut clients: Vec<_> = (0..4).map(|n| world.join(&format!("v{n}"))).collect();
    clients[0].buy(drop, "mug", 1, "first");
    clients[0].held();
    let gateway = world.gateway.take().unwrap();
    let stopped = std::thread::spawn(move || gateway.shutdown());
    for client in clients {
        assert_eq!(client.closed(), 4000);
    }
    stopped.join().unwrap();
}
