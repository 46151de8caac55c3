//! The sale that corruptions, snapshots, lies start from.

use std::{collections::BTreeMap, path::Path};

use stampede_domain::{BanId, DropId, Rates};
use stampede_ledger::{BanRecord, BanScope, BrakeOrder, BrakePart, BrakeRecord, RatesSet, Record};

use super::{
    sale::{Sale, State},
    sim::Sim,
};

/// A sale with a bit of everything, in two drops over two starts: the ground for corruptions.
pub fn busy_sale(path: &Path) -> BTreeMap<DropId, Sale> {
    let mut sim = Sim::new(path);
    let first = sim.open(super::plan(&[20, 10]));
    let second = sim.open(super::plan(&[5]));
    for who in 1..=18_u64 {
        sim.now_ms += 50;
        sim.buy(first, who, usize::from(who % 3 == 0), 1 + u32::from(who % 4 == 0), "a");
        sim.buy(first, who, 0, 1, "a");
        sim.buy(second, who + 100, 0, 1, "a");
        if who % 4 == 0 {
            sim.flush_partly();
        }
        if who % 6 == 0 {
            sim.flush();
            sim.end(first, 0, State::Confirmed);
            sim.end(first, 2, State::Released);
            sim.end(second, 0, State::Confirmed);
            sim.tally(first, 30 + who);
            sim.tally(second, 30 + who);
        }
    }
    sim.flush();
    work_brake(&mut sim);
    sim.pause(first);
    sim.restock(first, 1, 4);
    sim.pause(first);
    for who in 30..=34 {
        sim.buy(first, who, 0, 1, "b");
    }
    sim.flush_partly();
    sim.crash(2_000);
    for who in 40..=46 {
        sim.now_ms += 100;
        sim.buy(first, who, 1, 1, "c");
    }
    sim.flush();
    sim.end(first, 1, State::Confirmed);
    sim.end(first, 1, State::Confirmed);
    sim.wait(500);
    sim.flush();
    sim.settle(second);
    sim.wait(200);
    sim.end(first, 0, State::Confirmed);
    sim.tally(first, 12);
    sim.settle(first);
    sim.close()
}

/// A stop and two bans that end, limits that stay.
fn work_brake(sim: &mut Sim) {
    let order = |expires_at| BrakeOrder { actor: "olga".into(), reason: "bots".into(), expires_at };
    let now = sim.now();
    let banned = |ban, scope, expires_at| {
        let (ban, order) = (BanId::new(ban), order(expires_at));
        Record::Brake(BrakeRecord::Banned(Box::new(BanRecord {
            ban,
            scope,
            releases_holds: false,
            order,
        })))
    };
    let lifted = |part, expired| Record::Brake(BrakeRecord::Lifted { part, expired });
    let rates = Rates { buys_per_s: Some(500), ..Rates::NONE };
    sim.house(Record::Brake(BrakeRecord::Halted(Box::new(order(None)))));
    sim.house(lifted(BrakePart::Halt, false));
    sim.house(Record::Brake(BrakeRecord::RatesSet(Box::new(RatesSet {
        rates,
        order: order(None),
    }))));
    sim.house(banned(1, BanScope::Addresses, None));
    sim.house(banned(2, BanScope::Viewer(super::viewer(3)), Some(now)));
    sim.house(lifted(BrakePart::Ban(BanId::new(1)), false));
    sim.house(lifted(BrakePart::Ban(BanId::new(2)), true));
}
