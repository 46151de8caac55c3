//! Several connections of one viewer.

use stampede_wire::{ServerMessage, Subprotocol};

use crate::{
    client::Client,
    world::{World, plan},
};

#[test]
fn every_connection_learns_of_holds_and_orders() {
    let world = World::new();
    let drop = world.open(plan(5));
    // The kernel spreads connections over the cores, so five are on both with near certainty.
    let mut clients: Vec<Client> = (0..5)
        .map(|place| {
            let mut client = world.dial(Subprotocol::ALL[place % 2]);
            client.hello(&world.ticket("v1"));
            client.welcomed();
            client
        })
        .collect();
    clients[0].buy(drop, "mug", 1, "first");
    let hold = clients[0].held().hold;
    for client in &mut clients[1..] {
        let held = client.held();
        assert_eq!((held.hold, held.key), (hold, None));
    }
    clients[3].pay(hold);
    world.settle_payment();
    for client in &mut clients {
        assert_eq!(client.ordered().hold, hold);
    }
    clients[1].buy(drop, "mug", 1, "second");
    for client in &mut clients {
        client.held();
    }
    let hold = {
        clients[2].buy(drop, "mug", 1, "second");
        clients[2].held().hold
    };
    clients[2].release(hold);
    for client in &mut clients {
        assert!(matches!(client.next(), ServerMessage::Released(ended) if ended.hold == hold));
    }
}

#[test]
fn one_connection_too_many_closes_the_oldest() {
    let world = World::new();
    let drop = world.open(plan(1));
    let oldest = world.join("v1");
    let rest: Vec<Client> = (0..5).map(|_| world.join("v1")).collect();
    assert_eq!(oldest.closed(), 4200);
    for client in rest {
        client.vanish();
    }
    world.check_unharmed(drop);
}

#[test]
fn the_same_key_from_many_connections_takes_once() {
    let world = World::new();
    let drop = world.open(plan(5));
    let mut clients: Vec<Client> = (0..5).map(|_| world.join("v1")).collect();
    for client in &mut clients {
        client.buy(drop, "mug", 1, "same");
    }
    // Each gets the answer to its own request, besides news of a hold that another one made.
    let mut fresh = 0;
    let mut holds = Vec::new();
    for client in &mut clients {
        let answer = loop {
            let held = client.held();
            if held.key.is_some() {
                break held;
            }
        };
        fresh += usize::from(!answer.retry);
        holds.push(answer.hold);
    }
    holds.dedup();
    assert_eq!((fresh, holds.len(), world.available(drop)), (1, 1, 4));
}

#[test]
fn each_stream_keeps_to_itself() {
    let world = World::new();
    let show = world.open(plan(5));
    let mut other = plan(5);
    other.stream = "other".parse().unwrap();
    world.open(other);
    let mut here = world.join("v1");
    let mut elsewhere = world.dial(Subprotocol::Json);
    elsewhere.hello(&world.ticket_with("v1", |ticket| ticket.stream = "other".parse().unwrap()));
    assert_eq!(elsewhere.welcomed().drops.len(), 1);
    here.buy(show, "mug", 1, "first");
    let hold = here.held().hold;
    here.release(hold);
    assert!(matches!(here.next(), ServerMessage::Released(_)));
    elsewhere.buy(show, "mug", 1, "second");
    assert_eq!(elsewhere.refused_as(), "unknown_drop", "the first thing it is told");
}
