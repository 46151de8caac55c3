//! The sale that goes on while somebody misbehaves.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
};

use stampede_domain::{DropId, DurationMs, Units};
use stampede_gateway::GatewayConfig;

use crate::world::{World, plan};

const SUPPLY: u32 = 20_000;
const BUYERS: usize = 2;
/// Buys on one connection: the clock stands still, so its rate never recovers.
const BUYS_EACH: u32 = 12;

/// Misbehaves while other viewers buy, one after the other. Each of them gets an answer to each buy,
/// and every unit that was held is gone from the stock.
///
/// The sale's viewers come from 127.0.0.1, which has no limits of its own.
pub(crate) fn during_a_sale(
    change: impl FnOnce(&mut GatewayConfig),
    abuse: impl FnOnce(&World, DropId),
) {
    let world = World::with(|config| {
        config.unlimited_addresses = vec!["127.0.0.1/32".parse().unwrap()];
        change(config);
    });
    let mut terms = plan(SUPPLY);
    let many = Units::new(BUYS_EACH).unwrap();
    terms.limit_per_viewer = many;
    terms.skus[0].limit_per_viewer = many;
    terms.holds_per_viewer_max = u16::try_from(BUYS_EACH).unwrap();
    terms.hold_ttl = DurationMs::from_secs(3_600);
    let drop = world.open(terms);
    let (over, held) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        for buyer in 0..BUYERS {
            let (world, over, held) = (&world, &over, &held);
            scope.spawn(move || {
                let mut viewers = 0;
                loop {
                    buy_all(world, drop, &format!("buyer-{buyer}-{viewers}"));
                    held.fetch_add(BUYS_EACH, Ordering::SeqCst);
                    viewers += 1;
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
        }
        let _over = OnDrop(&over);
        abuse(&world, drop);
    });
    let held = held.into_inner();
    assert_eq!(SUPPLY - held, world.available(drop), "every unit that is gone was held");
    world.check_unharmed(drop);
}

/// Ends the sale also when the abuse fails its test.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn buy_all(world: &World, drop: DropId, viewer: &str) {
    let mut client = world.join(viewer);
    for number in 0..BUYS_EACH {
        client.buy(drop, "mug", 1, &format!("key-{number}"));
        client.held();
    }
    client.vanish();
}
