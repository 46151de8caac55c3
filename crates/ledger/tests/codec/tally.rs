//! Tallies: one of each layout, any.

use proptest::prelude::*;
use stampede_domain::{RefusalCode, SkuIndex};
use stampede_ledger::{AnswerTimes, ChannelClicks, Record, Tally, TallySources};

/// A tally of answers, of refusals of two SKUs, of the clicks of two channels.
pub(crate) fn with_sources() -> Record {
    let Record::Tally(mut tally) = timed(&[(0, 900)]) else { unreachable!("it is a tally") };
    let skus = vec![(sku_index(0), 700), (sku_index(2), 300)];
    let clicks = |name: &str, clicks| (name.parse().unwrap(), clicks);
    let named = vec![clicks("leo.live", 3), clicks("nina-tv", 950)];
    tally.sources = Some(TallySources { skus, channels: ChannelClicks { named, other: 8 } });
    Record::Tally(tally)
}

/// A tally of clicks that no channel brought, of which none went without.
pub(crate) fn with_empty_sources() -> Record {
    let sources = Some(TallySources::default());
    Record::Tally(Box::new(Tally { held: 4, connected: 9, sources, ..Tally::default() }))
}

pub(crate) fn sku_index(place: u8) -> SkuIndex {
    SkuIndex::new(place).unwrap()
}

/// A tally whose answers fell into these buckets.
pub(crate) fn timed(buckets: &[(usize, u64)]) -> Record {
    let mut answers = AnswerTimes::default();
    for (bucket, times) in buckets {
        answers.add(*bucket, *times);
    }
    Record::Tally(Box::new(Tally {
        held: 12,
        retries: 3,
        refusals: [(RefusalCode::SoldOut, 1_000), (RefusalCode::Busy, 2)].into_iter().collect(),
        connected: 15_000,
        answers,
        ..Tally::default()
    }))
}

pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let reasons = proptest::collection::vec((0..19_u8, any::<u64>()), 0..25);
    let buckets = proptest::collection::vec((0..AnswerTimes::BUCKETS, any::<u64>()), 0..25);
    let sources = proptest::option::of((any_skus(), any_channels()));
    (any::<[u64; 3]>(), reasons, buckets, sources).prop_map(
        |([held, retries, connected], reasons, buckets, sources)| {
            let code = |ordinal| RefusalCode::from_ordinal(ordinal).unwrap();
            let refusals = reasons.into_iter().map(|(ordinal, n)| (code(ordinal), n)).collect();
            let mut answers = AnswerTimes::default();
            for (bucket, times) in buckets {
                answers.add(bucket, times);
            }
            let sources = sources.map(|(skus, channels)| TallySources { skus, channels });
            let tally = Tally { held, retries, refusals, connected, answers, sources };
            Record::Tally(Box::new(tally))
        },
    )
}

fn any_skus() -> impl Strategy<Value = Vec<(SkuIndex, u64)>> {
    let skus = proptest::collection::btree_map(0..64_u8, 1..=u64::MAX, 0..8);
    skus.prop_map(|skus| {
        skus.into_iter().map(|(place, clicks)| (SkuIndex::new(place).unwrap(), clicks)).collect()
    })
}

fn any_channels() -> impl Strategy<Value = ChannelClicks> {
    let named = proptest::collection::btree_map("[a-zA-Z0-9._:-]{1,64}", 1..=u64::MAX, 0..8);
    (named, any::<u64>()).prop_map(|(named, other)| ChannelClicks {
        named: named.into_iter().map(|(name, clicks)| (name.parse().unwrap(), clicks)).collect(),
        other,
    })
}
