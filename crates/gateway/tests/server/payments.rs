//! Payments from the viewer's side.

use stampede_domain::{HoldId, PaymentEvent, PaymentFact, PaymentId, TestCard};
use stampede_engine::{CancelOrder, DropAction};
use stampede_payments::{Payments, Provider, SandboxConfig};
use stampede_testkit::euros;
use stampede_wire::{CloseCode, ServerMessage, Subprotocol};

use crate::world::{World, plan, sandbox, wait_for};

fn world(failure_rate: f64, final_failure_rate: f64) -> World {
    let config = SandboxConfig { failure_rate, final_failure_rate, ..sandbox() };
    World::with_provider(Provider::Sandbox(config), |_| {})
}

#[test]
fn a_failed_attempt_leaves_the_hold_alone() {
    let world = world(1.0, 0.0);
    let drop = world.open(plan(1));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    for _ in 0..2 {
        client.pay(hold);
        world.settle_payment();
        match client.next() {
            ServerMessage::PaymentFailed(failed) => {
                assert_eq!((failed.hold, failed.is_final), (hold, false));
                assert!(failed.expires_in_ms.is_some_and(|left| left > 0));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.available(drop), 0);
}

#[test]
fn a_final_failure_ends_the_hold() {
    let world = world(0.0, 1.0);
    let drop = world.open(plan(1));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    client.pay(hold);
    world.settle_payment();
    assert!(matches!(client.next(), ServerMessage::Released(ended) if ended.hold == hold));
    match client.next() {
        ServerMessage::PaymentFailed(failed) => {
            assert_eq!((failed.is_final, failed.expires_in_ms), (true, None));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.available(drop), 1);
}

#[test]
fn a_payment_that_comes_too_late_takes_the_units_again() {
    let world = world(0.0, 0.0);
    let drop = world.open(plan(1));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    client.pay(hold);
    world.settle_late();
    assert!(matches!(client.next(), ServerMessage::Expired(ended) if ended.hold == hold));
    let order = client.ordered();
    assert_eq!(order.hold, hold, "the hold that the viewer knows");
    let mut again = world.dial(Subprotocol::Json);
    again.hello(&world.ticket("v1"));
    let again = again.welcomed().orders;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].hold, again[0].order), (hold, order.order));
    // Whoever asks again with the key must not be sent to buy a second time.
    client.buy(drop, "mug", 1, "first");
    let retried = client.ordered();
    assert_eq!((retried.hold, retried.order), (hold, order.order));
    assert_eq!(retried.key.map(|key| key.to_string()), Some("first".to_owned()));
}

#[test]
fn a_payment_that_comes_too_late_is_told() {
    let world = world(0.0, 0.0);
    let drop = world.open(plan(1));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    client.pay(hold);
    wait_for("the payment", || (world.payments.under_way() > 0).then_some(()));
    world.command(DropAction::Pause.on(drop));
    // Expiry and payment are due at once; the steward ends the hold either way.
    world.settle_late();
    assert!(matches!(client.next(), ServerMessage::Expired(ended) if ended.hold == hold));
    match client.next() {
        ServerMessage::PaymentFailed(failed) => assert!(failed.is_final),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_attempt_at_a_time() {
    let world = world(0.0, 0.0);
    let drop = world.open(plan(1));
    let (mut client, mut thief) = (world.join("v1"), world.join("v2"));
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    client.pay(hold);
    client.pay(hold);
    assert_eq!(client.refused_as(), "payment_pending");
    thief.pay(hold);
    assert_eq!(thief.refused_as(), "unknown_hold");
    thief.release(hold);
    assert_eq!(thief.refused_as(), "unknown_hold");
    world.settle_payment();
    client.ordered();
    // At once: a viewer who has been told of the order does not hear of a payment under way any more.
    client.pay(hold);
    assert_eq!(client.refused_as(), "hold_confirmed");
    client.release(hold);
    assert_eq!(client.refused_as(), "hold_confirmed");
}

#[test]
fn a_card_decides_whatever_the_shares_of_failures_are() {
    let world = world(0.0, 1.0);
    let drop = world.open(plan(2));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    for card in [TestCard::Declined, TestCard::WrongAmount] {
        client.pay_with(hold, card);
        world.settle_payment();
        match client.next() {
            ServerMessage::PaymentFailed(failed) => assert!(!failed.is_final, "{card}"),
            other => panic!("{card}: {other:?}"),
        }
    }
    client.pay_with(hold, TestCard::Approved);
    world.settle_payment();
    assert_eq!(client.ordered().hold, hold);
}

#[test]
fn a_card_that_there_is_not_ends_the_connection() {
    let world = world(0.0, 0.0);
    let mut client = world.join("v1");
    client.send_bytes(br#"{"type":"pay","hold":"h1","card":"4242"}"#.to_vec());
    let closed = client.next_any().unwrap_err();
    assert_eq!(closed.error, Some(CloseCode::BadMessage.code()));
}

#[test]
fn pay_is_for_the_sandbox_only() {
    let world = World::with_provider(Provider::External, |_| {});
    let drop = world.open(plan(1));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    client.pay(hold);
    assert_eq!(client.refused_as(), "pay_not_offered");
    client.pay_with(hold, TestCard::Approved);
    assert_eq!(client.refused_as(), "pay_not_offered");
}

#[test]
fn what_an_earlier_process_left_is_ended_at_the_start() {
    let world = World::with_provider(Provider::External, |_| {});
    let drop = world.open(plan(2));
    let say = |reference, event, hold: HoldId| {
        let payment = PaymentId::new("sandbox", reference).unwrap();
        let (mode, order_reference) = (None, None);
        let fact = PaymentFact { payment, event, holds: vec![hold], mode, order_reference };
        world.engine.payment(fact).unwrap().blocking_recv().unwrap().unwrap();
    };
    let [mut ann, mut ben] = ["ann", "ben"].map(|name| world.join(name));
    ann.buy(drop, "mug", 1, "first");
    say("p1", PaymentEvent::Paid { amount: euros(1) }, ann.held().hold);
    ben.buy(drop, "mug", 1, "first");
    let begun = ben.held().hold;
    say("p2", PaymentEvent::Begun, begun);
    ben.release(begun);
    assert!(matches!(ben.next(), ServerMessage::Released(_)));
    let left = || world.engine.matters(None, 9, None).unwrap().blocking_recv().unwrap().len();
    assert_eq!(left(), 2, "a refund and an attempt at a hold that has ended");
    let payments = Payments::start(&world.engine, Provider::Sandbox(sandbox())).unwrap();
    wait_for("nothing that is left", || (left() == 0).then_some(()));
    payments.shutdown();
}

#[test]
fn money_that_becomes_due_while_the_sandbox_runs_goes_back_at_once() {
    let world = world(0.0, 0.0);
    let drop = world.open(plan(2));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    client.pay(hold);
    world.settle_payment();
    client.ordered();
    let cancel = CancelOrder { order: hold, units: 1, amount: None, restock: false, seen: None };
    world.command(DropAction::CancelOrder(cancel).on(drop));
    let refunded = || {
        let money = world.engine.money_of(hold).unwrap().blocking_recv().unwrap();
        (money.account.unwrap().refunded(), money.matters)
    };
    wait_for("the refund", || {
        (refunded() == (plan(2).skus[0].price.minor(), vec![])).then_some(())
    });
}

#[test]
fn what_costs_nothing_is_an_order_without_a_provider() {
    let world = world(0.0, 1.0);
    let mut free = plan(1);
    for sku in &mut free.skus {
        sku.price = euros(0);
    }
    let drop = world.open(free);
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    client.pay(hold);
    assert_eq!(client.ordered().hold, hold);
    assert_eq!(world.payments.under_way(), 0);
}
