//! The channel of a take: recorded, kept until the order, back after a crash.

use stampede_domain::{ChannelId, HoldId};
use stampede_engine::{Buy, ConfirmOutcome};
use stampede_ledger::Record;

use crate::{
    brake::records,
    support::{Waiting, World, plan},
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
    let outcome = Waiting(world.engine.confirm(hold).unwrap()).get();
    assert!(matches!(outcome, ConfirmOutcome::Ordered { .. }), "{outcome:?}");
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
        Record::Confirmed { hold, channel, .. } => Some((*hold, channel.clone())),
        _ => None,
    });
    let nina = (by_nina, by(Some("nina-tv")));
    let ben = (by_ben, by(Some("ben-tv")));
    assert_eq!(orders, [nina.clone(), ben.clone(), (by_none, None), (again, None)]);
    let takes = found(|record| match record {
        Record::Taken { hold, channel, .. } => Some((*hold, channel.clone())),
        _ => None,
    });
    let given = (given, by(Some("ben-tv")));
    assert_eq!(takes, [nina, ben, (by_none, None), given, (again, None)]);
}
