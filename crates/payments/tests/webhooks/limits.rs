//! What is too much, too late, or while the ledger fails.

use stampede_domain::DurationMs;
use stampede_ledger::fake::Fault;
use stampede_payments::webhooks::WebhookConfig;
use stampede_testkit::plan;

use crate::world::{SECRET, World, signed, succeeded, wait_for};

/// Only where the ledger hangs for good: no answer comes however long one waits.
const SHORT: DurationMs = DurationMs::new(200);

#[test]
fn a_body_has_a_limit_whether_or_not_it_says_its_length() {
    let world = World::new();
    let head =
        |more: &str| format!("POST /v1/payments/stripe/main HTTP/1.1\r\nhost: x\r\n{more}\r\n\r\n");
    let said = world.raw(head(&format!("content-length: {}", 257 << 10)).as_bytes());
    assert_eq!(said.finish().status, 413);
    let (head, bytes) = (head("transfer-encoding: chunked"), (256 << 10) + 1);
    let chunk = format!("{head}{bytes:x}\r\n{}\r\n", "x".repeat(bytes));
    assert_eq!(world.raw(chunk.as_bytes()).finish().status, 413);
    // The most that there may be is read to its end.
    let mut event = succeeded("pi_1", 5, &[]);
    event["pad"] = "x".repeat((256 << 10) - event.to_string().len() - 9).into();
    assert_eq!(event.to_string().len(), 256 << 10);
    assert_eq!(world.send("main", &event).status, 200);
}

#[test]
fn an_address_has_a_rate() {
    let limits = WebhookConfig {
        requests_per_address_per_s: 1,
        requests_per_address_burst: 2,
        ..WebhookConfig::default()
    };
    let world = World::with(limits);
    let send = || world.post("nobody", None, b"{}").finish();
    assert_eq!((send().status, send().status), (400, 400));
    let over = send();
    assert_eq!(over.status, 429);
    assert!(over.headers.contains(&"retry-after: 1".to_owned()), "{over:?}");
    world.clock.advance(1_000);
    assert_eq!(send().status, 400);
}

#[test]
fn an_account_has_a_rate_that_forgers_cannot_use_up() {
    let limits = WebhookConfig {
        events_per_account_per_s: 1,
        events_per_account_burst: 2,
        ..WebhookConfig::default()
    };
    let world = World::with(limits);
    for _ in 0..5 {
        assert_eq!(world.post("main", Some("t=1,v1=00"), b"{}").finish().status, 400);
    }
    let event = succeeded("pi_1", 5, &[]);
    assert_eq!(world.send("main", &event).status, 200);
    assert_eq!(world.send("main", &event).status, 200);
    assert_eq!(world.send("main", &event).status, 429);
    assert_eq!(world.send("zeta", &event).status, 200);
    world.clock.advance(1_000);
    assert_eq!(world.send("main", &event).status, 200);
}

#[test]
fn a_body_that_waits_for_its_turn_is_told_to_come_back() {
    let limits = WebhookConfig {
        bodies_max: 1,
        turn_wait: SHORT,
        body_wait: DurationMs::from_secs(600),
        ..WebhookConfig::default()
    };
    let world = World::with(limits);
    // Its body never comes. What comes before it has its turn is answered, what comes after waits.
    let _slow = world
        .raw(b"POST /v1/payments/stripe/main HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n");
    wait_for("the turn to be taken", || {
        (world.post("main", None, b"{}").finish().status == 503).then_some(())
    });
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let limits = WebhookConfig { body_wait: SHORT, ..WebhookConfig::default() };
    let world = World::with(limits);
    let slow = b"POST /v1/payments/stripe/main HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n";
    assert_eq!(world.raw(slow).finish().status, 408);
}

#[test]
fn a_ledger_that_hangs_is_answered_in_time_and_loses_nothing() {
    let mut world = World::with(WebhookConfig { answer_wait: SHORT, ..WebhookConfig::default() });
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    for commit in 1..10 {
        world.ledger.order(world.ledger.commits() + commit, Fault::Hang);
    }
    let event = succeeded("pi_1", 1_990, &[hold]);
    assert_eq!(world.send("main", &event).status, 503);
    world.ledger.wait_until_hanging();
    assert_eq!(world.send("main", &event).status, 503);
    world.ledger.release();
    // The answer may still take longer than a test should wait for.
    wait_for("an answer", || (world.send("main", &event).status == 200).then_some(()));
    assert_eq!(world.sold(drop), 1);
    assert_eq!(world.payment_records().len(), 1);
}

#[test]
fn a_ledger_that_failed_takes_nothing() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    for commit in 1..10 {
        world.ledger.order(world.ledger.commits() + commit, Fault::Before);
    }
    let event = succeeded("pi_1", 1_990, &[hold]);
    assert_eq!(world.send("main", &event).status, 503, "the commit fails");
    assert_eq!(world.send("main", &event).status, 503, "nothing is decided any more");
    assert_eq!(world.send("main", &succeeded("pi_2", 5, &[])).status, 503);
    let body = event.to_string();
    let forged = signed("whsec_other", world.now_s(), body.as_bytes());
    let forged = world.post("main", Some(&forged), body.as_bytes()).finish();
    assert_eq!(forged.status, 400);
    let right = signed(SECRET, world.now_s(), body.as_bytes());
    assert_eq!(world.post("nobody", Some(&right), body.as_bytes()).finish(), forged);
    assert!(world.payment_records().is_empty());
}
