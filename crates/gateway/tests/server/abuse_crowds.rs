//! More connections than anybody needs, connections that end in the middle.

use stampede_wire::Subprotocol;

use crate::{
    abuse_sale::during_a_sale,
    client::Client,
    raw::{Raw, frame},
    world::{World, plan, wait_for},
};

#[test]
fn one_connection_too_many_of_an_address() {
    during_a_sale(
        |config| config.connections_per_address_max = 3,
        |world, _| {
            let viewers = ["one", "two", "three"];
            let mut within = viewers.map(|one| Raw::hello(world.address, &world.ticket(one)));
            assert!(within.iter_mut().all(Raw::is_welcomed));
            for _ in 0..5 {
                assert_eq!(Raw::open(world.address).closed(), 4006);
            }
            drop(within);
            wait_for("room", || {
                Raw::hello(world.address, &world.ticket("again")).is_welcomed().then_some(())
            });
        },
    );
}

#[test]
fn one_connection_too_many_of_a_viewer() {
    during_a_sale(
        |_| {},
        |world, _| {
            let oldest = world.join("many");
            let others: Vec<_> = (0..5).map(|_| world.join("many")).collect();
            assert_eq!(oldest.closed(), 4200);
            others.into_iter().for_each(Client::vanish);
        },
    );
}

#[test]
fn one_connection_too_many_in_all() {
    let world = World::with(|config| config.connections_max = 20);
    let drop = world.open(plan(100));
    let mut buyers: Vec<_> = (0..4).map(|number| world.join(&format!("b{number}"))).collect();
    let within: Vec<_> = (0..16).map(|_| Raw::open(world.address)).collect();
    // A handshake ends a moment before its connection counts.
    wait_for("all of them", || (world.connections() == 20).then_some(()));
    for round in 0..2 {
        for buyer in &mut buyers {
            assert_eq!(Raw::open(world.address).closed(), 4001);
            buyer.buy(drop, "mug", 1, &format!("round-{round}"));
            buyer.held();
        }
    }
    assert_eq!(world.available(drop), 92);
    std::mem::drop(within);
    wait_for("room", || {
        Raw::hello(world.address, &world.ticket("again")).is_welcomed().then_some(())
    });
}

#[test]
fn whoever_says_nothing_makes_room_for_viewers() {
    let world = World::with(|config| config.connections_max = 4);
    let drop = world.open(plan(9));
    let mut silent: Vec<_> = (0..3).map(|_| Raw::open(world.address)).collect();
    let mut buyer = world.join("buyer");
    wait_for("all four", || (world.connections() == 4).then_some(()));
    assert_eq!(Raw::open(world.address).closed(), 4001, "each has time for its hello");
    world.advance(2_000);
    let mut late = world.join("late");
    for client in [&mut buyer, &mut late] {
        client.buy(drop, "mug", 1, "k");
        client.held();
    }
    let ping = frame(0x89, b"there?");
    for raw in &mut silent {
        assert!(raw.send(&ping));
    }
    // A viewer who stays answers the ping; one who has to go is told why before the close.
    silent.retain_mut(|raw| raw.next().unwrap().0 != 0xa);
    assert_eq!(silent.into_iter().map(Raw::closed).collect::<Vec<_>>(), [4004], "one for one");
}

#[test]
fn connections_that_are_only_half_open_are_closed_in_the_end() {
    let world = World::new();
    let drop = world.open(plan(9));
    let mut buyer = world.join("buyer");
    let mut half: Vec<_> =
        (0..8).map(|n| Raw::hello(world.address, &world.ticket(&format!("half-{n}")))).collect();
    for raw in &mut half {
        assert!(raw.is_welcomed());
        // Nothing more will ever come; the server still may write.
        raw.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
    wait_for("them to go", || (world.connections() == 1).then_some(()));
    buyer.buy(drop, "mug", 1, "first");
    buyer.held();
}

#[test]
fn a_buy_completes_though_its_connection_is_reset_at_once() {
    during_a_sale(
        |_| {},
        |world, drop| {
            for viewer in ["r0", "r1", "r2", "r3", "r4"] {
                let mut raw = Raw::hello(world.address, &world.ticket(viewer));
                assert!(raw.is_welcomed());
                let buy =
                    format!(r#"{{"type":"buy","drop":"{drop}","sku":"cup","units":1,"key":"k"}}"#);
                assert!(raw.send(&frame(0x81, buy.as_bytes())));
                raw.reset();
            }
            let cups = || world.sale(drop).figures()[1].available.get();
            wait_for("the buys", || (cups() == 0).then_some(()));
            for viewer in ["r0", "r1", "r2", "r3", "r4"] {
                // The stock falls with the take, the hold shows with its commit.
                wait_for("what was bought", || {
                    let mut client = world.dial(Subprotocol::Json);
                    client.hello(&world.ticket(viewer));
                    (client.welcomed().holds.len() == 1).then_some(())
                });
            }
        },
    );
}
