//! Health checks on the viewers' port.

use std::io::Read;

use stampede_ledger::fake::{FakeLedger, Fault};

use crate::{
    raw::Raw,
    world::{World, plan, wait_for},
};

/// The status of a check, with what it says.
fn check(world: &World, path: &str) -> (u16, String) {
    let mut raw = Raw::connect(world.address);
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let status = raw.status();
    let mut body = String::new();
    raw.stream.read_to_string(&mut body).unwrap();
    (status, body)
}

#[test]
fn the_port_says_whether_the_server_can_sell() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(2));
    let mut client = world.join("v1");
    assert_eq!(check(&world, "/readyz"), (200, "ready\n".into()));
    ledger.order(ledger.commits() + 1, Fault::Before);
    client.buy(drop, "mug", 1, "one");
    wait_for("the failure", || (check(&world, "/readyz").0 == 503).then_some(()));
    assert_eq!(check(&world, "/readyz").1, "poisoned\n");
    assert_eq!(check(&world, "/healthz"), (200, "alive\n".into()));
    assert_eq!(world.connections(), 1, "a check takes no viewer's place");
}
