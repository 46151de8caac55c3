//! The server stops: what was handed over is answered, clients come back apart from each other.

use std::{net::TcpStream, thread::JoinHandle};

use stampede_ledger::fake::{FakeLedger, Fault};
use stampede_wire::ServerMessage;

use crate::{
    client::{Client, Closed},
    world::{World, plan, wait_for},
};

/// Begins the stop; comes back once nobody new is let in.
fn begin(world: &mut World) -> JoinHandle<()> {
    let gateway = world.gateway.take().unwrap();
    let stopping = std::thread::spawn(move || gateway.shutdown());
    wait_for("closed doors", || TcpStream::connect(world.address).is_err().then_some(()));
    stopping
}

fn closed(client: &mut Client) -> Closed {
    loop {
        match client.next_any() {
            Err(closed) => return closed,
            Ok(ServerMessage::Stock(_)) => {}
            Ok(other) => panic!("not closed: {other:?}"),
        }
    }
}

#[test]
fn a_release_that_was_handed_over_is_answered_before_the_close() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let mut world = World::on_fake(&ledger);
    let drop = world.open(plan(2));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "one");
    let hold = client.held().hold;
    ledger.order(ledger.commits() + 1, Fault::Hang);
    client.release(hold);
    ledger.wait_until_hanging();
    let stopping = begin(&mut world);
    ledger.release();
    assert!(matches!(client.next(), ServerMessage::Released(ended) if ended.hold == hold));
    assert_eq!(closed(&mut client).code, 4000);
    stopping.join().unwrap();
}

#[test]
fn a_payment_that_was_handed_over_is_answered_before_the_close() {
    let mut world = World::new();
    let drop = world.open(plan(2));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "one");
    let hold = client.held().hold;
    client.pay(hold);
    wait_for("the payment", || (world.payments.under_way() > 0).then_some(()));
    let stopping = begin(&mut world);
    world.settle_payment();
    assert_eq!(client.ordered().hold, hold);
    assert_eq!(closed(&mut client).code, 4000);
    stopping.join().unwrap();
}

#[test]
fn an_answer_that_never_comes_is_waited_for_within_bounds() {
    let mut world = World::with(|config| {
        config.drain_timeout = stampede_domain::DurationMs::new(200);
    });
    let drop = world.open(plan(1));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "one");
    let hold = client.held().hold;
    client.pay(hold);
    wait_for("the payment", || (world.payments.under_way() > 0).then_some(()));
    // The test's clock stands still, so the provider never answers.
    let stopping = begin(&mut world);
    assert_eq!(closed(&mut client).code, 4000);
    stopping.join().unwrap();
}

#[test]
fn each_client_gets_its_own_time_to_come_back() {
    const SPREAD_MS: u64 = 600_000;
    for (spread, told) in [(SPREAD_MS, true), (0, false)] {
        let mut world = World::with(|config| {
            config.reconnect_spread = stampede_domain::DurationMs::new(spread);
        });
        let mut clients: Vec<_> = (0..8).map(|n| world.join(&format!("v{n}"))).collect();
        let stopping = begin(&mut world);
        let mut delays: Vec<_> = clients.iter_mut().map(closed).map(|c| c.retry_after_ms).collect();
        assert!(delays.iter().all(|delay| delay.is_some() == told), "{delays:?}");
        assert!(delays.iter().flatten().all(|delay| *delay <= SPREAD_MS), "{delays:?}");
        delays.sort_unstable();
        delays.dedup();
        assert_eq!(delays.len(), if told { 8 } else { 1 }, "{delays:?}");
        drop(clients);
        stopping.join().unwrap();
    }
}
