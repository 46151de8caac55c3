//! Generated histories of a sale.

use proptest::prelude::*;
use stampede_domain::DropId;

use super::{TTL_MS, sale::State, sim::Sim};

/// One thing that happens in a generated sale of two drops.
#[derive(Clone, Debug)]
pub enum Step {
    Buy { drop: u32, who: u64, sku: usize, units: u32, key: u8 },
    End { drop: u32, nth: usize, confirm: bool },
    Wait { ms: u64 },
    Flush,
    FlushPartly,
    Tally { drop: u32, connected: u64, is_old: bool },
    Pause { drop: u32 },
    Restock { drop: u32, sku: usize, units: u32 },
    TakeBack { drop: u32, sku: usize, units: u32 },
    Amend { drop: u32, of_drop: u32, of_first: u32 },
    Crash { outage_ms: u64 },
}

/// Something that may happen next.
pub fn step() -> impl Strategy<Value = Step> {
    let drop = 1..=2_u32;
    prop_oneof![
        12 => (drop.clone(), 1..12_u64, 0..2_usize, 1..4_u32, 0..4_u8)
            .prop_map(|(drop, who, sku, units, key)| Step::Buy { drop, who, sku, units, key }),
        5 => (drop.clone(), 0..6_usize, any::<bool>())
            .prop_map(|(drop, nth, confirm)| Step::End { drop, nth, confirm }),
        3 => (0..TTL_MS).prop_map(|ms| Step::Wait { ms }),
        3 => Just(Step::Flush),
        3 => Just(Step::FlushPartly),
        2 => (drop.clone(), 0..500_u64, proptest::bool::weighted(0.1))
            .prop_map(|(drop, connected, is_old)| Step::Tally { drop, connected, is_old }),
        2 => drop.clone().prop_map(|drop| Step::Pause { drop }),
        1 => (drop.clone(), 0..2_usize, 1..6_u32)
            .prop_map(|(drop, sku, units)| Step::Restock { drop, sku, units }),
        2 => (drop.clone(), 1..6_u32, 1..5_u32)
            .prop_map(|(drop, of_drop, of_first)| Step::Amend { drop, of_drop, of_first }),
        1 => (drop, 0..2_usize, 1..4_u32)
            .prop_map(|(drop, sku, units)| Step::TakeBack { drop, sku, units }),
        1 => (0..9_000_u64).prop_map(|outage_ms| Step::Crash { outage_ms }),
    ]
}

/// Has it all happen.
pub fn play(sim: &mut Sim, steps: &[Step]) {
    for step in steps {
        match *step {
            Step::Buy { drop, who, sku, units, key } => {
                let drop = DropId::new(drop);
                let sku = sku % sim.sale(drop).supplied.len();
                sim.buy(drop, who, sku, units, &format!("k{key}"));
            }
            Step::End { drop, nth, confirm } => {
                let state = if confirm { State::Confirmed } else { State::Released };
                sim.end(DropId::new(drop), nth, state);
            }
            Step::Wait { ms } => sim.wait(ms),
            Step::Flush => sim.flush(),
            Step::FlushPartly => sim.flush_partly(),
            Step::Tally { drop, connected, is_old: false } => {
                sim.tally(DropId::new(drop), connected);
            }
            Step::Tally { drop, connected, is_old: true } => {
                sim.old_tally(DropId::new(drop), connected);
            }
            Step::Pause { drop } => sim.pause(DropId::new(drop)),
            Step::Restock { drop, sku, units } => {
                let drop = DropId::new(drop);
                let sku = sku % sim.sale(drop).supplied.len();
                sim.restock(drop, sku, units);
            }
            Step::TakeBack { drop, sku, units } => {
                let drop = DropId::new(drop);
                let sku = sku % sim.sale(drop).supplied.len();
                sim.take_back(drop, sku, units);
            }
            Step::Amend { drop, of_drop, of_first } => {
                sim.amend(DropId::new(drop), of_drop, of_first);
            }
            Step::Crash { outage_ms } => sim.crash(outage_ms),
        }
    }
}
