//! The channel of a take: recorded, kept until the order, back after a crash.

use std::collections::HashMap;

use stampede_domain::{ChannelId, HoldId};
use stampede_engine::Buy;
use stampede_ledger::{HoldRecord, Record};

use crate::{
    brake::records,
    support::{ORDERED, World, plan},
};

/// A hold with its channel.
type Credit = (HoldId, Option<ChannelId>);

fn hold_by(world: &mut World, by: Option<&str>, viewer: &str, key: &str) -> HoldId {
    let drop = "d1".parse().unwrap();
    let viewer = world.viewer(viewer);
    let bought = world.buy_by(by, 0, &viewer, drop, 1, key);
    let Buy::Pending { hold, position } = bought else { panic!("{bought:?}") };
    world.wait_durable(0, position);
    hold
}

fn confirm(world: &World, hold: HoldId) {
    let outcome = world.pay(hold);
    assert_eq!(outcome, ORDERED, "{outcome:?}");
}

#[test]
fn an_order_has_the_channel_of_its_take_also_after_a_crash() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let by_nina = hold_by(&mut world, Some("nina-tv"), "eve", "k1");
    let by_ben = hold_by(&mut world, Some("ben-tv"), "ann", "k2");
    let by_none = hold_by(&mut world, None, "bob", "k3");
    confirm(&world, by_nina);
    let mut world = world.restart(1_000);
    confirm(&world, by_ben);
    confirm(&world, by_none);
    // A slot that comes free serves a take of another channel.
    let given = hold_by(&mut world, Some("ben-tv"), "eve", "k4");
    world.advance(61_000);
    world.wait_expired(given);
    let again = hold_by(&mut world, None, "eve", "k5");
    confirm(&world, again);
    let found = |of: fn(&Record) -> Option<Credit>| {
        records(&world.ledger, drop).iter().filter_map(of).collect::<Vec<_>>()
    };
    let by = |channel: Option<&str>| channel.map(|channel| channel.parse().unwrap());
    let orders = found(|record| match record {
        Record::Hold(HoldRecord::Confirmed { hold, channel, .. }) => Some((*hold, channel.clone())),
        _ => None,
    });
    let nina = (by_nina, by(Some("nina-tv")));
    let ben = (by_ben, by(Some("ben-tv")));
    assert_eq!(orders, [nina.clone(), ben.clone(), (by_none, None), (again, None)]);
    let takes = found(|record| match record {
        Record::Hold(HoldRecord::Taken { hold, channel, .. }) => Some((*hold, channel.clone())),
        _ => None,
    });
    let given = (given, by(Some("ben-tv")));
    assert_eq!(takes, [nina, ben, (by_none, None), given, (again, None)]);
}

#[test]
fn cores_and_the_ledger_with_more_channels_than_a_core_has_places_for_agree() {
    const CHANNELS: usize = 1_100;
    let mut world = World::new();
    let drop = world.open_drop(plan(3 * u32::try_from(CHANNELS).unwrap()));
    let mut holds = Vec::new();
    // The later rounds ask for names that have no place on the first core, by the other core and by itself.
    for (round, core) in [0, 1, 0].into_iter().enumerate() {
        for place in 0..CHANNELS {
            let by = format!("channel-{place}");
            let viewer = world.viewer(&format!("v{}", holds.len()));
            let bought = world.buy_by(Some(&by), core, &viewer, drop, 1, &format!("k{round}"));
            let Buy::Pending { hold, position } = bought else { panic!("{bought:?}") };
            holds.push((core, hold, position, by));
        }
        let (core, _, last, _) = holds.last().unwrap();
        world.wait_durable(*core, *last);
    }
    for (_, hold, _, _) in holds.iter().step_by(50) {
        confirm(&world, *hold);
    }
    let by_hold: HashMap<_, _> = holds.into_iter().map(|(_, hold, _, by)| (hold, by)).collect();
    let mut orders = 0;
    for record in records(&world.ledger, drop) {
        let Record::Hold(HoldRecord::Confirmed { hold, channel, .. }) = record else { continue };
        assert_eq!(channel.unwrap().as_str(), by_hold[&hold]);
        orders += 1;
    }
    assert_eq!(orders, 3 * CHANNELS / 50);
}
