//! From hello to order.

use stampede_domain::{Mode, Phase};
use stampede_engine::DropAction;
use stampede_ledger::{
    AnswerTimes,
    fake::{FakeLedger, Fault},
};
use stampede_wire::{Reconnect, ServerMessage, Subprotocol};

use crate::{
    client::Client,
    world::{World, plan, wait_for},
};

#[test]
fn a_viewer_buys_then_pays() {
    for subprotocol in Subprotocol::ALL {
        let world = World::new();
        let drop = world.open(plan(3));
        let mut client = world.dial(subprotocol);
        client.hello(&world.ticket("v1"));
        let welcome = client.welcomed();
        assert_eq!(welcome.viewer.as_str(), "v1");
        assert_eq!(welcome.server_time_ms, world.now().get());
        assert_eq!((welcome.holds.len(), welcome.orders.len()), (0, 0));
        let shown = &welcome.drops[0];
        assert_eq!((shown.drop, shown.phase, shown.featured), (drop, Phase::Open, true));
        assert_eq!((shown.skus[0].sku.as_str(), shown.skus[0].available), ("mug", 3));

        client.buy(drop, "mug", 2, "first");
        let held = client.held();
        assert_eq!(held.key.as_ref().unwrap().as_str(), "first");
        assert_eq!((held.units, held.amount_minor, held.retry), (2, 3_980, false));
        assert_eq!(held.expires_in_ms, 60_000);
        client.pay(held.hold);
        world.settle_payment();
        let order = client.ordered();
        assert_eq!((order.hold, order.units, order.amount_minor), (held.hold, 2, 3_980));
        assert_eq!(world.sale(drop).figures()[0].sold.get(), 2);
    }
}

#[test]
fn a_held_leaves_only_once_it_is_durable() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(3));
    let mut client = world.join("v1");
    ledger.order(ledger.commits() + 1, Fault::Hang);
    client.buy(drop, "mug", 1, "first");
    ledger.wait_until_hanging();
    // What is asked later is answered earlier: only promises wait.
    client.buy(drop, "none-such", 1, "second");
    assert_eq!(client.refused_as(), "unknown_sku");
    ledger.release();
    assert_eq!(client.held().key.unwrap().as_str(), "first");
}

#[test]
fn an_answer_is_timed_from_its_request_to_its_leaving() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(3));
    let (mut client, mut gone) = (world.join("v1"), world.join("v2"));
    let timed = |total| {
        wait_for("the answers", || {
            Some(world.sale(drop).totals()).filter(|totals| totals.answers.total() == total)
        })
    };
    // What no drop counts is not timed either.
    client.buy("d99".parse().unwrap(), "mug", 1, "lost");
    assert_eq!(client.refused_as(), "unknown_drop");
    client.buy(drop, "none-such", 1, "wrong");
    assert_eq!(client.refused_as(), "unknown_sku");
    assert_eq!(timed(1).answers.get(0), 1, "it was refused in the round that read it");
    ledger.order(ledger.commits() + 1, Fault::Hang);
    client.buy(drop, "mug", 1, "first");
    gone.buy(drop, "mug", 1, "second");
    ledger.wait_until_hanging();
    wait_for("both takes", || (world.available(drop) == 1).then_some(()));
    gone.vanish();
    wait_for("the other's end", || (world.connections() == 1).then_some(()));
    world.advance(5);
    ledger.release();
    client.held();
    let totals = timed(2);
    assert_eq!(totals.answers.get(AnswerTimes::bucket_of(5_000)), 1);
    assert_eq!((totals.answers_us, totals.held), (5_000, 2));
    client.buy(drop, "mug", 1, "first");
    assert!(client.held().retry);
    assert_eq!(timed(3).answers.get(0), 2, "a retry has its own time");
}

#[test]
fn a_failed_commit_leaves_no_promise() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(3));
    let (mut buyer, mut other) = (world.join("v1"), world.join("v2"));
    ledger.order(ledger.commits() + 1, Fault::After);
    buyer.buy(drop, "mug", 1, "first");
    assert_eq!(buyer.closed(), 4005, "whether it is held is not known");
    assert_eq!(Reconnect::after(Some(4005)), Reconnect::WithBackoff);
    other.buy(drop, "mug", 1, "second");
    let refused = other.refused();
    assert_eq!((&*refused.code, refused.temporary), ("busy", true));
    assert!(refused.retry_after_ms.is_some());
    let mut late = world.dial(Subprotocol::Json);
    late.hello(&world.ticket("v3"));
    assert_eq!(late.closed(), 4005);
}

#[test]
fn a_release_in_a_failed_commit_is_not_left_waiting() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(3));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let held = client.held();
    ledger.order(ledger.commits() + 1, Fault::Before);
    client.release(held.hold);
    assert_eq!(client.closed(), 4005, "whether it is released is not known");
}

#[test]
fn after_a_failed_commit_every_request_is_refused_at_once() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(3));
    let (mut buyer, mut holder) = (world.join("v1"), world.join("v2"));
    holder.buy(drop, "mug", 1, "first");
    let held = holder.held();
    ledger.order(ledger.commits() + 1, Fault::Before);
    buyer.buy(drop, "mug", 1, "first");
    assert_eq!(buyer.closed(), 4005);
    holder.release(held.hold);
    assert_eq!(holder.refused_as(), "busy");
    // Once newcomers are turned away wherever they land, every core knows.
    let mut in_a_row = 0;
    wait_for("every core to know", || {
        let mut late = world.dial(Subprotocol::Json);
        late.hello(&world.ticket("v3"));
        in_a_row = if late.next_any().is_err() { in_a_row + 1 } else { 0 };
        (in_a_row == 16).then_some(())
    });
    holder.pay(held.hold);
    let refused = holder.refused();
    assert_eq!((&*refused.code, refused.hold), ("busy", Some(held.hold)));
    holder.release(held.hold);
    assert_eq!(holder.refused_as(), "busy");
    holder.buy(drop, "mug", 1, "first");
    assert_eq!(holder.refused_as(), "busy", "a retry too: its answer is in the next start");
}

#[test]
fn a_retry_gets_the_first_answer_also_on_another_connection() {
    let world = World::new();
    let drop = world.open(plan(3));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let held = client.held();
    client.buy(drop, "mug", 1, "first");
    let again = client.held();
    assert_eq!((again.hold, again.retry), (held.hold, true));
    client.vanish();

    let mut back = world.dial(Subprotocol::MsgPack);
    back.hello(&world.ticket("v1"));
    assert_eq!(back.welcomed().holds[0].hold, held.hold);
    back.buy(drop, "mug", 1, "first");
    assert_eq!(back.held().hold, held.hold);
    back.buy(drop, "mug", 2, "first");
    assert_eq!(back.refused_as(), "key_reused");
    assert_eq!(world.available(drop), 2);

    back.pay(held.hold);
    world.settle_payment();
    back.ordered();
    back.buy(drop, "mug", 1, "first");
    let order = back.ordered();
    assert_eq!((order.hold, order.key.is_some()), (held.hold, true));
}

#[test]
fn an_admitted_buy_outlives_its_connection() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(3));
    let mut client = world.join("v1");
    ledger.order(ledger.commits() + 1, Fault::Hang);
    client.buy(drop, "mug", 1, "first");
    ledger.wait_until_hanging();
    client.vanish();
    wait_for("the connection to end", || {
        (world.gateway.as_ref().unwrap().connections() == 0).then_some(())
    });
    ledger.release();
    let held = wait_for("the hold in a welcome", || {
        let mut back = world.dial(Subprotocol::Json);
        back.hello(&world.ticket("v1"));
        back.welcomed().holds.pop()
    });
    assert_eq!(held.units, 1);
}

#[test]
fn released_units_go_back_on_sale() {
    let world = World::new();
    let drop = world.open(plan(1));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    client.release(hold);
    match client.next() {
        ServerMessage::Released(ended) => assert_eq!((ended.hold, ended.units), (hold, 1)),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.available(drop), 1);
    client.release(hold);
    assert_eq!(client.refused_as(), "hold_ended");
    client.pay(hold);
    assert_eq!(client.refused_as(), "hold_ended");
    client.buy(drop, "mug", 1, "first");
    assert_eq!(client.refused_as(), "hold_ended", "the key stays bound");
}

#[test]
fn an_expired_hold_is_told() {
    let world = World::new();
    let drop = world.open(plan(1));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "first");
    let hold = client.held().hold;
    world.advance(60_000);
    match client.next() {
        ServerMessage::Expired(ended) => assert_eq!((ended.hold, ended.units), (hold, 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_buy_outside_the_opening_moves_nothing() {
    let world = World::new();
    let drop = world.plan(plan(2));
    let mut client = world.join("v1");
    client.buy(drop, "mug", 1, "a");
    assert_eq!(client.refused_as(), "not_open");
    for (action, phase, code) in [
        (DropAction::StartCountdown, Phase::Open, None),
        (DropAction::Pause, Phase::Paused, Some("paused")),
        (DropAction::Resume, Phase::Open, None),
        (DropAction::Close, Phase::Closed, Some("closed")),
    ] {
        world.command(action.on(drop));
        if phase != Phase::Closed {
            world.wait_phase(drop, phase);
        }
        if let Some(code) = code {
            client.buy(drop, "mug", 1, "b");
            assert_eq!(client.refused_as(), code);
        }
    }
    assert_eq!(world.available(drop), 2);
    assert_eq!(world.refused(drop, "not_open"), 1);
}

#[test]
fn a_request_that_cannot_be_met_says_why() {
    let world = World::new();
    let drop = world.open(plan(1));
    let rehearsal = world.open({
        let mut plan = plan(1);
        plan.mode = Mode::Rehearsal;
        plan
    });
    let mut client = world.join("v1");
    let check = |client: &mut Client, drop: &str, sku: &str, units: u64, key: &str| {
        client.buy(drop.parse().unwrap(), sku, units, key);
        client.refused_as()
    };
    let open = drop.to_string();
    assert_eq!(check(&mut client, "d99", "mug", 1, "a"), "unknown_drop");
    assert_eq!(check(&mut client, &rehearsal.to_string(), "mug", 1, "a"), "unknown_drop");
    assert_eq!(check(&mut client, &open, "hat", 1, "a"), "unknown_sku");
    assert_eq!(check(&mut client, &open, "mug", 0, "a"), "units_out_of_range");
    assert_eq!(check(&mut client, &open, "mug", 3, "a"), "units_out_of_range");
    assert_eq!(check(&mut client, &open, "mug", (1 << 53) - 1, "a"), "units_out_of_range");
    assert_eq!(check(&mut client, &open, "mug", 2, "a"), "not_enough");
    client.buy(drop, "mug", 1, "a");
    client.held();
    assert_eq!(check(&mut client, &open, "cup", 2, "b"), "over_viewer_limit");
    assert_eq!(check(&mut client, &open, "mug", 1, "b"), "sold_out");
    client.release("00000000000000000000000000000000".parse().unwrap());
    assert_eq!(client.refused_as(), "unknown_hold");
    client.send_bytes(br#"{"type":"buy","drop":"house","sku":"mug","units":1,"key":"c"}"#.to_vec());
    assert_eq!(client.refused_as(), "unknown_drop");
}
