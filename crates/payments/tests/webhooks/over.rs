//! Drops that have left memory.

use stampede_domain::DropPlan;
use stampede_engine::read_money;
use stampede_testkit::plan;

use crate::world::{World, intent, refunded, succeeded};

fn refunds(world: &World) -> Vec<String> {
    let changes = world.payment_records().into_iter().map(|record| format!("{:?}", record.change));
    changes.filter(|change| change.starts_with("Refunded")).collect()
}

#[test]
fn money_moves_after_its_drop_has_left_memory() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    assert_eq!(world.send("main", &succeeded("pi_1", 1_990, &[hold])).status, 200);
    world.leave_memory(drop);
    let event = refunded("pi_1", 190, &[hold]);
    // Without its holds nobody can find the payment of a drop that has left memory.
    assert_eq!(world.send("main", &refunded("pi_1", 190, &[])).status, 200);
    assert!(refunds(&world).is_empty());
    let asked: Vec<_> = (0..20).map(|_| world.begin("main", &event)).collect();
    assert!(asked.into_iter().all(|asked| asked.finish().status == 200));
    assert_eq!(refunds(&world).len(), 1);
    assert!((1..=2).contains(&world.reads()), "at most two at a time, and nobody after them");
    assert_eq!(world.paid_and_refunded(hold), (1_990, 190));
    assert_eq!(world.send("main", &refunded("pi_1", 290, &[])).status, 200, "it is known again");
    assert_eq!(world.paid_and_refunded(hold), (1_990, 290));
}

#[test]
fn a_failure_after_the_drop_reads_no_ledger() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    world.leave_memory(drop);
    let failed = intent("payment_intent.payment_failed", true, "pi_1", 1_990, &[hold]);
    assert_eq!(world.send("main", &failed).status, 200);
    assert!(world.payment_records().is_empty());
    assert_eq!(world.reads(), 0);
    assert!(world.money(hold).account.is_none());
}

#[test]
fn a_payment_for_holds_of_two_drops_is_judged_as_a_whole() {
    let mut world = World::new();
    let first = world.open_drop(plan(3));
    let (gone, second) = (world.hold("ann", first), {
        world.leave_memory(first);
        world.open_drop(DropPlan { stream: "second".parse().unwrap(), ..plan(3) })
    });
    let held = world.hold("ann", second);
    // What the first hold leaves pays for the second; the rest is due back.
    assert_eq!(world.send("main", &succeeded("pi_1", 3_980, &[gone, held])).status, 200);
    assert_eq!(world.sold(second), 1);
    assert_eq!(world.paid_and_refunded(held), (1_990, 0));
    assert_eq!(world.money(gone).account.unwrap().outstanding(), 1_990);
    let kept = read_money(&world.ledger.journal(), first).unwrap().unwrap();
    assert_eq!(kept.payments.account(gone).unwrap().paid(), 1_990);
}
