//! Tests that tallies count clicks.

use std::{collections::BTreeMap, sync::Arc, thread};

use stampede_domain::{
    ChannelId, DropId, IdempotencyKey, Mode, Refusal, RefusalCode, SkuIndex, Units,
    limits::CHANNELS_PER_TALLY_MAX,
};
use stampede_engine::{Action, Buy, BuyRequest, CorePort, DropAction, Viewer};
use stampede_ledger::{AnswerTimes, Record, Tally};
use stampede_testkit::{plan_of, sku};

use crate::support::{ORDERED, World, plan, wait_for};

/// The sum of a drop's tallies.
#[derive(Debug, Default)]
struct Tallied {
    sum: Tally,
    skus: BTreeMap<SkuIndex, u64>,
    channels: BTreeMap<ChannelId, u64>,
    other_channels: u64,
}

fn tallies(world: &World, drop: DropId) -> Vec<Tally> {
    let rows = world.ledger.rows();
    let records = rows.iter().filter(|row| row.drop == drop).flat_map(|row| row.decode());
    let tallies = records.filter_map(|record| match record {
        Ok(Record::Tally(tally)) => Some(*tally),
        _ => None,
    });
    tallies.collect()
}

fn tallied(world: &World, drop: DropId) -> Tallied {
    let mut all = Tallied::default();
    for tally in tallies(world, drop) {
        all.add(&tally);
        assert!(all.of_channels() <= all.sum.clicks(), "no click of a channel before its click");
        let for_want = all.sum.refusals.for_want();
        assert!(all.skus.values().sum::<u64>() <= for_want, "no want before its refusal");
    }
    all
}

impl Tallied {
    fn add(&mut self, tally: &Tally) {
        self.sum.held += tally.held;
        self.sum.retries += tally.retries;
        tally.refusals.iter().for_each(|(code, times)| self.sum.refusals.add(code, times));
        self.sum.answers.merge(&tally.answers);
        let sources = tally.sources.as_ref().expect("every tally tells its sources");
        for (sku, clicks) in &sources.skus {
            *self.skus.entry(*sku).or_default() += clicks;
        }
        for (channel, clicks) in &sources.channels.named {
            *self.channels.entry(channel.clone()).or_default() += clicks;
        }
        self.other_channels += sources.channels.other;
    }

    fn of_channels(&self) -> u64 {
        self.channels.values().sum::<u64>() + self.other_channels
    }

    /// Clicks of each channel, by its name.
    fn by_channel(&self) -> Vec<(&str, u64)> {
        self.channels.iter().map(|(channel, clicks)| (channel.as_str(), *clicks)).collect()
    }
}

/// A click of a ticket with this channel, for units of a SKU.
fn click(
    port: &mut CorePort,
    viewer: &Viewer,
    (drop, sku, units): (DropId, &str, u64),
    channel: Option<&ChannelId>,
) -> Buy {
    let key: IdempotencyKey = "key".parse().unwrap();
    let request = BuyRequest { drop, sku, units, key: &key, channel };
    let bought = port.buy(viewer, &"show".parse().unwrap(), Mode::Live, request);
    port.flush();
    bought
}

#[test]
fn a_tally_says_which_sku_was_wanted_and_whose_channel_clicked() {
    let mut world = World::new();
    let drop = world.open_drop(plan_of([sku("mug", 1), sku("cup", 1)]));
    let [nina, ben] = ["nina-tv", "ben-tv"].map(|name| name.parse::<ChannelId>().unwrap());
    let viewers: Vec<_> = (1..=6).map(|n| world.viewer(&format!("v{n}"))).collect();
    let (mug, cup, none) = ((drop, "mug", 1), (drop, "cup", 2), (drop, "hat", 1));
    let clicks = [
        (0, 0, mug, Some(&nina)),
        (0, 0, mug, Some(&nina)),
        (1, 1, mug, Some(&nina)),
        (0, 2, mug, None),
        (1, 3, cup, Some(&ben)),
        (1, 4, none, Some(&ben)),
    ];
    let answers = clicks.map(|(core, viewer, wish, channel)| {
        click(&mut world.ports[core], &viewers[viewer], wish, channel)
    });
    assert!(matches!(answers[0], Buy::Pending { .. }));
    assert!(matches!(answers[1], Buy::Replay { .. } | Buy::Awaiting { .. }));
    let refusals = [
        Refusal::SoldOut,
        Refusal::SoldOut,
        Refusal::NotEnough { available: Units::ONE },
        Refusal::UnknownSku,
    ];
    assert_eq!(answers[2..], refusals.map(Buy::Refused));
    world.ports[0].count_refused(drop, Some(&ben), RefusalCode::RateLimited);
    let found = wait_for("the tally", || {
        world.advance(1_000);
        Some(tallied(&world, drop)).filter(|found| found.sum.clicks() == 7)
    });
    let skus: Vec<_> = found.skus.iter().map(|(sku, clicks)| (sku.get(), *clicks)).collect();
    assert_eq!(skus, [(0, 2), (1, 1)]);
    assert_eq!(found.by_channel(), [("ben-tv", 3), ("nina-tv", 3)]);
    assert_eq!((found.other_channels, found.sum.held, found.sum.retries), (0, 1, 1));
    // A restart counts from zero: what was tallied stays as it is.
    let mut world = world.restart(1_000);
    let viewer = world.viewer("v9");
    let refused = click(&mut world.ports[0], &viewer, none, Some(&nina));
    assert_eq!(refused, Buy::Refused(Refusal::UnknownSku));
    let found = wait_for("the click after the restart", || {
        world.advance(1_000);
        Some(tallied(&world, drop)).filter(|found| found.sum.clicks() == 8)
    });
    assert_eq!(found.by_channel(), [("ben-tv", 3), ("nina-tv", 4)]);
}

#[test]
fn channels_beyond_the_limits_are_counted_together() {
    const CHANNELS: u64 = 1_100;
    /// What one core counts by name.
    const COUNTED: u64 = 1_024;
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let viewer = world.viewer("v1");
    world.hold(&viewer, drop, 1, "first");
    let stranger = world.viewer("v2");
    let channel = |n| format!("creator-{n:04}").parse::<ChannelId>().unwrap();
    // Channel 700 clicks most; its clicks come between those of others.
    for n in 0..CHANNELS {
        for channel in [channel(n), channel(700)] {
            let refused = click(&mut world.ports[0], &stranger, (drop, "mug", 1), Some(&channel));
            assert_eq!(refused, Buy::Refused(Refusal::SoldOut));
        }
    }
    let clicks = 2 * CHANNELS + 1;
    let found = wait_for("all clicks", || {
        world.advance(1_000);
        Some(tallied(&world, drop)).filter(|found| found.sum.clicks() == clicks)
    });
    let named: Vec<_> = tallies(&world, drop)
        .iter()
        .map(|tally| tally.sources.as_ref().unwrap().channels.named.len())
        .collect();
    assert!(named.iter().all(|named| *named <= CHANNELS_PER_TALLY_MAX), "{named:?}");
    assert_eq!(found.of_channels(), 2 * CHANNELS, "one click had no channel");
    assert_eq!(found.channels[&channel(700)], CHANNELS + 1);
    let at_least = CHANNELS - COUNTED;
    assert!(found.other_channels >= at_least, "{} others", found.other_channels);
    let beyond = |n| found.channels.contains_key(&channel(n));
    assert!(!(COUNTED..CHANNELS).any(beyond), "a channel without a place was named");
}

#[test]
fn two_cores_count_every_click_once() {
    const CLICKS: usize = 6_000;
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let winner = world.viewer("winner");
    let hold = world.hold(&winner, drop, 1, "first");
    assert_eq!(world.pay(hold), ORDERED);
    let channels = ["nina-tv", "ben-tv", "leo.live"].map(|name| name.parse::<ChannelId>().unwrap());
    let stranger = world.viewer("v2");
    let mut ports = std::mem::take(&mut world.ports);
    thread::scope(|scope| {
        let clicking = ports.iter_mut().map(|port| {
            let (stranger, channels) = (&stranger, &channels);
            scope.spawn(move || {
                for n in 0..CLICKS {
                    let channel = channels.get(n % 4);
                    let refused = click(port, stranger, (drop, "mug", 1), channel);
                    assert_eq!(refused, Buy::Refused(Refusal::SoldOut));
                }
            })
        });
        let clicking: Vec<_> = clicking.collect();
        while clicking.iter().any(|core| !core.is_finished()) {
            world.advance(1_000);
            thread::yield_now();
        }
    });
    let quarter = u64::try_from(2 * CLICKS / 4).unwrap();
    let found = wait_for("all clicks", || {
        world.advance(1_000);
        let found = tallied(&world, drop);
        (found.sum.clicks() == 4 * quarter + 1 && found.of_channels() == 3 * quarter)
            .then_some(found)
    });
    let wanted = [("ben-tv", quarter), ("leo.live", quarter), ("nina-tv", quarter)];
    assert_eq!((found.by_channel(), found.other_channels), (wanted.into(), 0));
    let wants: Vec<_> = found.skus.into_values().collect();
    assert_eq!(wants, [4 * quarter]);
    world.ports = ports;
}

#[test]
fn a_tally_has_the_time_that_answers_took() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let viewer = world.viewer("v1");
    let came_us = world.ports[0].micros();
    world.hold(&viewer, drop, 1, "first");
    world.advance(3);
    world.ports[0].answer_leaves(drop, came_us);
    world.ports[0].answers_left();
    let came_us = world.ports[1].micros();
    for key in ["second", "third"] {
        assert!(matches!(world.buy(1, &viewer, drop, 1, key), Buy::Refused(_)));
        world.ports[1].answer_leaves(drop, came_us);
    }
    world.ports[1].answers_left();
    world.ports[1].answers_left();
    let tally = wait_for("the tally", || {
        world.advance(1_000);
        Some(tallied(&world, drop).sum).filter(|tally| tally.answers.total() == 3)
    });
    let times = |us| tally.answers.get(AnswerTimes::bucket_of(us));
    assert_eq!((times(3_000), times(0)), (1, 2));
    assert_eq!((tally.held, tally.refusals.total()), (1, 2));
    let answered = wait_for("all answers", || {
        Some(world.engine.answered()).filter(|answered| answered.times.total() == 3)
    });
    assert_eq!((answered.times, answered.sum_us), (tally.answers, 3_000));
}

#[test]
fn clicks_before_an_edit_are_tallied_once_the_drop_is_live() {
    let mut world = World::new();
    let planned = world.give(Action::Plan { plan: Arc::new(plan(1)) });
    let drop = planned.get().unwrap().drop;
    wait_for("the plan", || world.engine.sale(drop));
    let viewer = world.viewer("v1");
    assert!(matches!(world.buy(0, &viewer, drop, 1, "early"), Buy::Refused(_)));
    world.give(DropAction::Edit { plan: Arc::new(plan(2)) }.on(drop)).get().unwrap();
    wait_for("the edit", || world.engine.sale(drop).filter(|sale| sale.revision() == 2));
    assert!(matches!(world.buy(0, &viewer, drop, 1, "early"), Buy::Refused(_)));
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    let refused = |world: &World| tallied(world, drop).sum.refusals.get(RefusalCode::NotOpen);
    wait_for("both clicks", || {
        world.advance(1_000);
        (refused(&world) == 2).then_some(())
    });
}
