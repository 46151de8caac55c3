//! Limits of what live drops may come to need.

use std::sync::Arc;

use stampede_domain::{DropPlan, Money, Phase, Units};
use stampede_engine::{Action, CommandRefusal, DropAction, EngineConfig, Role};
use stampede_ledger::fake::FakeLedger;

use crate::support::{World, plan};

const MIB: u64 = 1 << 20;

fn world(merchant_bytes_max: u64, sale_bytes_max: u64) -> World {
    let of = World::new();
    let (ledger, clock) = (FakeLedger::new("n2".parse().unwrap()), Arc::clone(&of.clock));
    let config =
        EngineConfig { cores: 2, merchant_bytes_max, sale_bytes_max, ..EngineConfig::default() };
    World::start_with(config, ledger, clock)
}

fn of(merchant: &str, supply: u32) -> Arc<DropPlan> {
    Arc::new(DropPlan { merchant: merchant.parse().unwrap(), ..plan(supply) })
}

fn limit(refused: CommandRefusal) -> (&'static str, u64) {
    match refused {
        CommandRefusal::MemoryFull { of, max, .. } => (of, max),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_merchant_at_its_limit_does_not_hinder_another() {
    let mut world = world(2 * MIB, 3 * MIB);
    let mut give = |action: Action| world.give(action).get();
    // 240 bytes for each unit, with 90 KiB for the drop.
    let mine = give(Action::Plan { plan: of("acme", 6_000) }).unwrap().drop;
    let refused = give(Action::Plan { plan: of("acme", 6_000) }).unwrap_err();
    assert_eq!(limit(refused), ("the merchant's live drops", 2 * MIB));
    let refused = give(DropAction::Edit { plan: of("acme", 9_000) }.on(mine)).unwrap_err();
    assert_eq!(limit(refused), ("the merchant's live drops", 2 * MIB));
    give(DropAction::Edit { plan: of("acme", 7_000) }.on(mine)).unwrap();
    give(Action::Plan { plan: of("other", 4_000) }).unwrap();
    let refused = give(Action::Plan { plan: of("third", 4_000) }).unwrap_err();
    assert_eq!(limit(refused), ("all live drops", 3 * MIB));
    give(DropAction::Cancel.on(mine)).unwrap();
    world.wait_phase(mine, Phase::Cancelled);
    world.give(Action::Plan { plan: of("third", 4_000) }).get().unwrap();
}

#[test]
fn a_limit_below_what_the_ledger_holds_refuses_lots_and_sells_on() {
    let mut world = World::new();
    let drop = world.open_drop(plan(10_000));
    world.clock.advance(100);
    let config = EngineConfig { cores: 2, merchant_bytes_max: MIB, ..EngineConfig::default() };
    let mut again = World::start_with(config, world.ledger.clone(), Arc::clone(&world.clock));
    std::mem::forget((world.engine, world.ports));
    again.wait_phase(drop, Phase::Open);
    let viewer = again.viewer("ann");
    again.hold(&viewer, drop, 1, "k1");
    let lot = DropAction::Restock { sku: "mug".parse().unwrap(), units: Units::ONE };
    let refused = again.give_as(Role::Admin, "lot", lot.on(drop)).unwrap().get().unwrap_err();
    assert_eq!(limit(refused), ("the merchant's live drops", MIB));
}

#[test]
fn a_lot_that_could_not_be_added_up_is_refused() {
    let mut world = World::new();
    let mut two = plan(2);
    let mut other = two.skus[0].clone();
    other.id = "other".parse().unwrap();
    two.skus.push(other);
    for sku in &mut two.skus {
        // As much as one SKU may cost: with all units that a pool can have it is just below the limit.
        sku.price = Money::new((1 << 29) - 1, sku.price.currency()).unwrap();
    }
    let drop = world.open_drop(two);
    let units = Units::new(Units::MAX.get() - 2).unwrap();
    let lot = DropAction::Restock { sku: "other".parse().unwrap(), units };
    let refused = world.give_as(Role::Admin, "lot", lot.on(drop)).unwrap().get().unwrap_err();
    assert!(matches!(refused, CommandRefusal::LotTooDear { .. }), "{refused}");
    assert_eq!(refused.code(), "lot_out_of_range");
}
