//! Another program keeps the ledger locked: nobody loses time by it.

use std::{process::Command, time::Duration};

use rusqlite::Connection as Database;
use rustix::process::Signal;
use serde_json::json;
use stampede_client::{ConnectOptions, Connection, Subprotocol};
use stampede_wire::{ClientMessage, Held, ServerMessage};

use crate::{
    running::{Running, stampede},
    shop::{Shop, command},
};

/// How long a hold lives, in milliseconds; the lock is held for longer.
const HOLD_MS: u64 = 2_000;
/// Looks of 10 ms while the lock is held, once the server has noticed it.
const LOCKED_LOOKS: u32 = 300;
/// The same before the test gives up.
const LOOKS_MAX: u32 = 2_000;

fn look_again() {
    std::thread::park_timeout(Duration::from_millis(10));
}

fn buy(viewers: &str, ticket: &str, drop: &str) -> Held {
    let options = ConnectOptions::new(viewers, Subprotocol::Json);
    let ask = async {
        let (mut connection, _) = Connection::open(&options, ticket).await.unwrap();
        let (drop, key) = (drop.parse().unwrap(), "k".parse().unwrap());
        let buy = ClientMessage::Buy { drop, sku: "mug".into(), units: 1, key };
        connection.send(&buy).await.unwrap();
        loop {
            match connection.next().await.unwrap() {
                ServerMessage::Held(held) => return held,
                ServerMessage::Refused(refused) => panic!("{refused:?}"),
                _ => {}
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ask)
}

#[test]
fn a_hold_that_waited_for_a_locked_ledger_has_all_of_its_time() {
    let shop = Shop::with_keys(&["EdDSA"]);
    let data = shop.data();
    let server = Running::start(&data);
    let token = server.token.clone().unwrap();
    let plan = json!({
        "stream": "show", "title": "Mug", "merchant": "potter", "host": "nina",
        "limit_per_viewer": 1, "hold_ttl_ms": HOLD_MS, "countdown_ms": 0,
        "skus": [{"id": "mug", "title": "Mug", "supply": 5,
                  "price": {"minor": 1_500, "currency": "EUR"}}]
    });
    let planned = command(&server, &token, "drops", "plan", &plan);
    let drop = planned["drop"].as_str().unwrap().to_owned();
    command(&server, &token, &format!("drops/{drop}/open"), "open", &json!({}));
    let ticket = shop.ticket("EdDSA", "show", "ann");

    let database = Database::open(data.join("ledger.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let viewers = server.viewers.clone();
    let buyer = std::thread::spawn(move || buy(&viewers, &ticket, &drop));
    for look in 0.. {
        assert!(look < LOOKS_MAX, "the server does not say that it waits: {}", server.log());
        if server.log().contains("another program holds the ledger's lock") {
            break;
        }
        look_again();
    }
    (0..LOCKED_LOOKS).for_each(|_| look_again());
    assert!(!buyer.is_finished(), "nothing is promised before it is durable");
    database.execute_batch("ROLLBACK").unwrap();
    let held = buyer.join().unwrap();
    let left_ms = held.expires_in_ms;
    assert!((HOLD_MS - 500..=HOLD_MS).contains(&left_ms), "{left_ms} ms left of {HOLD_MS}");
    database.close().unwrap();
    assert!(server.stop(Signal::TERM).success());
    stampede().arg("verify").arg("--data").arg(&data).assert().success();
}

#[test]
fn a_server_stops_while_the_ledger_is_locked() {
    let shop = Shop::with_keys(&["EdDSA"]);
    let data = shop.data();
    let server = Running::start(&data);
    let token = server.token.clone().unwrap();
    let database = Database::open(data.join("ledger.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Its answer never becomes durable, so nothing is expected of it.
    let mut curl = Command::new("curl");
    curl.args(["-s", "-X", "POST", "-H", "Idempotency-Key: stop", "-o", "/dev/null"]);
    curl.arg("-H").arg(format!("Authorization: Bearer {token}"));
    let mut asked = curl.arg(format!("{}v1/brake/stop", server.control)).spawn().unwrap();
    for look in 0.. {
        assert!(look < LOOKS_MAX, "the server does not say that it waits: {}", server.log());
        if server.log().contains("another program holds the ledger's lock") {
            break;
        }
        look_again();
    }
    // The lock is still held when it ends: a hang would be this test's.
    server.stop(Signal::TERM);
    let _cut_off = asked.wait().unwrap();
    database.execute_batch("ROLLBACK").unwrap();
    database.close().unwrap();
    stampede().arg("verify").arg("--data").arg(&data).assert().success();
}
