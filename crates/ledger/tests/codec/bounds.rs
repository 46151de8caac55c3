//! Records at their bounds: the largest that is read, the smallest that is refused.

use stampede_domain::{
    DropPlan, Mode, SkuOption, SkuPlan,
    limits::{RECORD_BYTES_MAX, ROW_BYTES_MAX},
};
use stampede_ledger::{ChannelClicks, Tally, TallySources};

use super::*;

fn read(record: Record) -> Result<Record, RecordError> {
    records(&body_of(&[record])).next().unwrap()
}

/// The field that is refused of a record that no encoder would write.
fn refused(record: Record) -> &'static str {
    match read(record) {
        Err(RecordError::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

fn planned(change: impl FnOnce(&mut DropPlan)) -> Record {
    let mut plan = plan();
    change(&mut plan);
    Record::Planned { plan: plan.into(), revision: 1 }
}

/// A restart that found as many pools, of which each lost the takes 1 to `lost`.
fn recovered(pools: usize, lost: u64) -> Record {
    let take = |number| TakeNumber::new(number).unwrap();
    let found =
        RecoveredPool { pool: pool(0), last_take: take(1), lost: (1..=lost).map(take).collect() };
    let pools = vec![found; pools];
    Record::Recovered(Box::new(RecoveredDrop { outage: DurationMs::ZERO, pools }))
}

#[test]
fn a_record_has_at_most_a_mebibyte() {
    let around = body_of(&[recovered(1, 1 << 19)]).len() - HEADER_BYTES - (1 << 19);
    let most = u64::try_from(RECORD_BYTES_MAX - around).unwrap();
    let largest = recovered(1, most);
    assert_eq!(body_of(std::slice::from_ref(&largest)).len(), HEADER_BYTES + RECORD_BYTES_MAX);
    assert_eq!(read(largest.clone()), Ok(largest));
    let (bytes, max) = (RECORD_BYTES_MAX + 1, RECORD_BYTES_MAX);
    assert_eq!(read(recovered(1, most + 1)), Err(RecordError::TooLong { bytes, max }));
}

#[test]
fn a_row_has_at_most_eight_mebibytes() {
    let mut bytes = body_of(&[]);
    bytes.resize(ROW_BYTES_MAX, Ordinal::Featured.byte());
    assert_eq!(body(&bytes).map(|(found, _)| found).ok(), Some(header()));
    bytes.push(Ordinal::Featured.byte());
    let too_long = RecordError::TooLong { bytes: ROW_BYTES_MAX + 1, max: ROW_BYTES_MAX };
    assert_eq!(body(&bytes).err(), Some(too_long));
}

#[test]
fn lists_are_as_long_as_their_limits_allow() {
    let option = SkuOption { name: "colour".into(), value: "red".into() };
    let options = |count| planned(|plan| plan.skus[0].options = vec![option.clone(); count]);
    let skus = |count: usize| {
        planned(|plan| {
            let sku = plan.skus[0].clone();
            let id = |place| format!("s{place}").parse().unwrap();
            plan.skus = (0..count).map(|n| SkuPlan { id: id(n), ..sku.clone() }).collect();
        })
    };
    for whole in [recovered(256, 0), recovered(2, 2), options(8), skus(64)] {
        assert_eq!(read(whole.clone()), Ok(whole));
    }
    assert_eq!(refused(recovered(257, 0)), "pools");
    assert_eq!(refused(options(9)), "sku.options");
    assert_eq!(refused(skus(65)), "skus");
}

#[test]
fn the_longest_text_is_read_and_a_longer_one_refused() {
    let command = |reason: Text| {
        Record::Command(Box::new(Command {
            actor: "nina".into(),
            role: "host".into(),
            action: "open".into(),
            key: KeyFingerprint::from_bits(1),
            request: KeyFingerprint::from_bits(2),
            reason,
            outcome: RecordedOutcome::Accepted,
        }))
    };
    let longest = command(Text::new(&"r".repeat(Text::BYTES_MAX)));
    assert_eq!(read(longest.clone()), Ok(longest));
    assert_eq!(refused(planned(|plan| plan.title = "t".repeat(201))), "title");
}

#[test]
fn a_tally_names_channels_up_to_a_limit() {
    let with =
        |sources| Record::Tally(Box::new(Tally { sources: Some(sources), ..Tally::default() }));
    let with_channels = |channels: usize| {
        let name = |place: usize| format!("{place:0>64}").parse().unwrap();
        let named = (0..channels).map(|place| (name(place), u64::MAX)).collect();
        let channels = ChannelClicks { named, other: u64::MAX };
        with(TallySources { channels, ..TallySources::default() })
    };
    let largest = with_channels(256);
    assert_eq!(read(largest.clone()), Ok(largest));
    assert_eq!(refused(with_channels(257)), "channels");
    let skus = (0..64).map(|place| (tally::sku_index(place), 1)).collect();
    let all = with(TallySources { skus, ..TallySources::default() });
    assert_eq!(read(all.clone()), Ok(all));
}

#[test]
fn a_rehearsal_stays_one() {
    let rehearsal = planned(|plan| plan.mode = Mode::Rehearsal);
    assert_eq!(read(rehearsal.clone()), Ok(rehearsal));
}
