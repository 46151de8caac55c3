//! The bytes of records: golden files, round trips, refusals.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod any;
mod bounds;
mod brake;
mod correction;
mod house;
mod parts;
mod payment;
mod request;
#[path = "../support/mod.rs"]
mod support;
mod tally;
mod undo;

use std::fmt::Write;

use any::any_record;
use proptest::prelude::*;
use stampede_domain::{
    DropId, DropPlan, DurationMs, Incarnation, KeyFingerprint, TakeNumber, UnixMillis,
};
use stampede_ledger::{
    BodyHeader, Command, HoldRecord, PhaseRecord, Record, RecordError, RecordedOutcome,
    RecoveredDrop, RecoveredPool, Row, RowHash, StreamRecord, Text,
    codec::{HEADER_BYTES, Ordinal, body, encode, records},
};
use support::{
    AT_MS, confirmed, hold, lot, node, plan, plan_with_options, plan_with_payment_terms, pool,
    taken, units,
};

const GOLDEN: &str = include_str!("../golden/records-v1.txt");

/// The record with the channel `nina-tv`.
fn in_channel(mut record: Record) -> Record {
    if let Record::Hold(HoldRecord::Taken { channel, .. } | HoldRecord::Confirmed { channel, .. }) =
        &mut record
    {
        *channel = Some("nina-tv".parse().unwrap());
    }
    record
}

fn planned(plan: DropPlan, revision: u32) -> Record {
    Record::Planned { plan: plan.into(), revision }
}

/// One record of each kind, by name.
fn samples() -> Vec<(&'static str, Record)> {
    let first = Incarnation::new(1).unwrap();
    let take = |number| TakeNumber::new(number).unwrap();
    let at = UnixMillis::new(AT_MS);
    let command = |outcome| {
        Record::Command(Box::new(Command {
            actor: "nina".into(),
            role: "host".into(),
            action: "open".into(),
            key: KeyFingerprint::from_bits(1),
            request: KeyFingerprint::from_bits(2),
            reason: "on air".into(),
            outcome,
        }))
    };
    let refused =
        RecordedOutcome::Refused { code: "wrong_phase".into(), text: "the drop is closed".into() };
    let recovered = RecoveredDrop {
        outage: DurationMs::new(4_200),
        pools: vec![RecoveredPool {
            pool: pool(0),
            last_take: take(900),
            lost: vec![take(7), take(300), take(301)],
        }],
    };
    let mut samples = vec![
        ("planned", planned(plan(), 2)),
        ("countdown", Record::Phase(PhaseRecord::Countdown { opens_at: at })),
        ("countdown_cancelled", Record::Phase(PhaseRecord::CountdownCancelled)),
        ("opened", Record::Phase(PhaseRecord::Opened)),
        ("paused", Record::Phase(PhaseRecord::Paused)),
        ("resumed", Record::Phase(PhaseRecord::Resumed)),
        ("closed", Record::Phase(PhaseRecord::Closed)),
        ("settled", Record::Phase(PhaseRecord::Settled)),
        ("cancelled", Record::Phase(PhaseRecord::Cancelled)),
        ("lot", lot(15_000)),
        ("taken", taken(hold(first, 300))),
        ("confirmed", confirmed(hold(first, 300))),
        ("released", HoldRecord::Released { hold: hold(first, 300), units: units(2) }.into()),
        ("expired", HoldRecord::Expired { hold: hold(first, 300), units: units(1_000) }.into()),
        ("command_accepted", command(RecordedOutcome::Accepted)),
        ("command_refused", command(refused)),
        ("recovered", Record::Recovered(Box::new(recovered))),
        ("tally", tally::timed(&[])),
        ("planned_with_options", planned(plan_with_options(), 3)),
        ("stream_offline", Record::Stream(StreamRecord::Offline { at })),
        ("stream_online", Record::Stream(StreamRecord::Online)),
        ("offline_lapsed", Record::Stream(StreamRecord::OfflineLapsed)),
        ("taken_in_channel", in_channel(taken(hold(first, 300)))),
        ("confirmed_in_channel", in_channel(confirmed(hold(first, 300)))),
        ("tally_with_answers", tally::timed(&[(0, 900), (17, 300)])),
        ("suspended", Record::Suspended { span: DurationMs::new(61_000), until: at }),
        ("featured", Record::Featured),
    ];
    samples.push(("tally_with_sources", tally::with_sources()));
    samples.push(("tally_with_empty_sources", tally::with_empty_sources()));
    samples.extend(house::samples().into_iter().chain(brake::samples()));
    let parts = [payment::samples(), correction::samples(), undo::samples(), request::samples()];
    samples.extend(parts.concat());
    samples.extend(plans());
    samples
}

/// Plans with what came later.
fn plans() -> [(&'static str, Record); 3] {
    let copy = plan().rehearsed(DropId::new(7), UnixMillis::new(AT_MS + 7_200_000));
    [
        ("planned_with_payment_terms", planned(plan_with_payment_terms(), 1)),
        ("planned_for_a_rehearsal", planned(copy, 1)),
        ("planned_with_requests", planned(DropPlan { more_by_request: true, ..plan() }, 1)),
    ]
}

fn header() -> BodyHeader {
    BodyHeader { rows: 1, at: UnixMillis::new(AT_MS) }
}

fn body_of(records: &[Record]) -> Vec<u8> {
    let mut bytes = header().to_bytes().to_vec();
    for record in records {
        encode(record, &mut bytes);
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn sample_row() -> Row {
    let body = body_of(&[Record::Phase(PhaseRecord::Opened)]);
    let mut row = Row {
        drop: DropId::new(1),
        node: node(),
        incarnation: Incarnation::new(2).unwrap(),
        seq: stampede_domain::Seq::new(3).unwrap(),
        records: 1,
        body,
        prev_hash: RowHash::genesis(DropId::new(1)),
        hash: RowHash::from_bytes([0; 32]),
    };
    row.hash = row.computed_hash();
    row
}

#[test]
fn the_bytes_of_version_1_never_change() {
    let mut lines: Vec<String> = samples()
        .iter()
        .map(|(name, record)| format!("{name} {}", hex(&body_of(std::slice::from_ref(record)))))
        .collect();
    let row = sample_row();
    lines.push(format!("genesis_hash {}", row.prev_hash));
    lines.push(format!("row_hash {}", row.hash));
    assert_eq!(lines.join("\n"), GOLDEN.trim_end());
}

#[test]
fn the_golden_bytes_are_still_read() {
    let golden: std::collections::HashMap<_, _> =
        GOLDEN.lines().map(|line| line.split_once(' ').unwrap()).collect();
    for (name, record) in samples() {
        let bytes = unhex(golden[name]);
        assert_eq!(body(&bytes).unwrap().0, header(), "{name}");
        assert_eq!(records(&bytes).collect::<Vec<_>>(), [Ok(record)], "{name}");
    }
}

#[test]
fn every_ordinal_has_golden_bytes() {
    let samples = GOLDEN.lines().filter(|line| !line.contains("_hash "));
    let bytes = samples.map(|line| unhex(line.split_once(' ').unwrap().1)[HEADER_BYTES]);
    let mut found: Vec<_> = bytes.map(|byte| Ordinal::from_byte(byte).unwrap()).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, Ordinal::ALL);
}

#[test]
fn every_cut_of_a_record_is_refused() {
    for (name, record) in samples() {
        let bytes = body_of(&[record]);
        for end in 0..bytes.len() {
            let read: Vec<_> = records(&bytes[..end]).collect();
            let whole = end == HEADER_BYTES;
            assert_eq!(read.iter().any(Result::is_err), !whole, "{name} cut at {end}");
        }
    }
}

#[test]
fn malformed_bytes_are_named() {
    let with = |tail: &[u8]| {
        let mut bytes = header().to_bytes().to_vec();
        bytes.extend_from_slice(tail);
        records(&bytes).next().unwrap().unwrap_err().to_string()
    };
    assert_eq!(with(&[0]), "unknown record ordinal 0 at offset 11");
    assert_eq!(with(&[200]), "unknown record ordinal 200 at offset 11");
    // Rates without a rate, and one of zero.
    assert_eq!(with(&[19, 0, 0, 0, 0, 0, 0]), "invalid rates before offset 15");
    assert_eq!(with(&[19, 1, 0, 0, 0, 0, 0, 0]), "invalid rates before offset 16");
    assert_eq!(with(&[20, 1, 3]), "invalid scope before offset 14");
    assert_eq!(with(&[20, 1, 2, 1, b' ', 0, 0, 0, 0, 0]), "invalid channel before offset 16");
    assert_eq!(with(&[21, 3]), "invalid part before offset 13");
    assert_eq!(with(&[21, 0, 2]), "invalid expired before offset 14");
    assert_eq!(with(&[55, 0, 6]), "invalid why there is no copy before offset 14");
    assert_eq!(with(&[55, 0x81, 0x80, 0x80, 0x80, 8]), "invalid copy before offset 17");
    // 1 written in two bytes.
    assert_eq!(with(&[2, 0x81, 0]), "invalid opens_at before offset 14");
    // More than 64 bits.
    assert_eq!(
        with(&[2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2]),
        "invalid opens_at before offset 22"
    );
    // 2^24 units.
    assert_eq!(with(&[10, 0, 0x80, 0x80, 0x80, 8, 1]), "invalid units before offset 17");
    // A tally that names the same reason twice.
    assert_eq!(with(&[17, 0, 0, 0, 2, 12, 1, 12, 1]), "invalid reasons before offset 20");
    // A tally with answers that has none, one without times, one in a bucket that there is not.
    assert_eq!(with(&[28, 0, 0, 0, 0, 0]), "invalid buckets before offset 17");
    assert_eq!(with(&[28, 0, 0, 0, 0, 1, 3, 0]), "invalid buckets before offset 19");
    assert_eq!(with(&[28, 0, 0, 0, 0, 1, 40, 1]), "invalid buckets before offset 19");
    // A tally of SKUs that names one twice, one of no drop, one without a click.
    assert_eq!(with(&[50, 0, 0, 0, 0, 0, 2, 3, 1, 3, 1]), "invalid skus before offset 22");
    assert_eq!(with(&[50, 0, 0, 0, 0, 0, 1, 64, 1]), "invalid skus before offset 20");
    assert_eq!(with(&[50, 0, 0, 0, 0, 0, 1, 3, 0]), "invalid skus before offset 20");
    // Channels out of order, one without a click, one that is no name.
    let channels = |tail: &[u8]| with(&[&[50, 0, 0, 0, 0, 0, 0], tail].concat());
    assert_eq!(channels(&[2, 1, b'b', 1, 1, b'a', 1]), "invalid channels before offset 25");
    assert_eq!(channels(&[1, 1, b'a', 0]), "invalid channels before offset 22");
    assert_eq!(channels(&[1, 1, b' ', 1]), "invalid channels before offset 21");
    // A room that belongs to nobody, or changes in an unknown way.
    assert_eq!(with(&[32, 1, b's', 0, 3]), "invalid owner before offset 16");
    assert_eq!(with(&[32, 1, b's', 7]), "invalid change before offset 15");
    // A request that no provider knows, a reason for a refund that there is not, a name that is none.
    let of_hold = |ordinal: u8, tail: &[u8]| {
        let mut bytes = vec![ordinal];
        bytes.extend_from_slice(&[7; 16]);
        bytes.extend_from_slice(tail);
        with(&bytes)
    };
    assert_eq!(of_hold(42, &[1, b'a', 1, b'p', 3]), "invalid request before offset 33");
    let due = [1, b'a', 1, b'p', 5, b'E', b'U', b'R', 5];
    assert_eq!(of_hold(40, &due), "invalid reason before offset 37");
    assert_eq!(of_hold(35, &[1, b' ', 1, b'p']), "invalid account before offset 30");
    assert_eq!(of_hold(35, &[1, b'a', 1, b'@']), "invalid payment before offset 32");
    assert_eq!(of_hold(35, &[1, b'a', 0]), "invalid payment before offset 31");
    // A tally that names a reason that never was given.
    assert_eq!(with(&[17, 0, 0, 0, 1, 12, 0]), "invalid reasons before offset 18");
    // More lost numbers than bytes.
    assert_eq!(with(&[16, 0, 1, 0, 9, 1]), "invalid lost before offset 17");
    assert_eq!(with(&[16, 0, 1, 0, 9, 100]), "invalid lost before offset 17");
    let mut bytes = body_of(&[Record::Phase(PhaseRecord::Opened)]);
    bytes[0] = 2;
    assert_eq!(body(&bytes).err(), Some(RecordError::Version { found: 2 }));
    bytes[0] = 1;
    bytes[1] = 0;
    assert!(matches!(body(&bytes), Err(RecordError::Invalid { field: "rows", .. })));
}

#[test]
fn a_plan_that_breaks_a_rule_is_refused() {
    let mut plan = plan();
    plan.holds_per_viewer_max = 0;
    let bytes = body_of(&[Record::Planned { plan: plan.into(), revision: 1 }]);
    assert!(matches!(records(&bytes).next(), Some(Err(RecordError::Plan { .. }))));
}

#[test]
fn options_that_break_a_rule_are_refused() {
    let plain = body_of(&[Record::Planned { plan: plan().into(), revision: 1 }]);
    let with = |options: &[u8]| {
        let mut bytes = plain.clone();
        bytes[HEADER_BYTES] = 22;
        bytes.extend_from_slice(options);
        records(&bytes).next().unwrap()
    };
    assert!(with(&[1, 2, 100, 0]).is_ok());
    let field = |options: &[u8]| match with(options) {
        Err(RecordError::Invalid { field, .. }) => field,
        other => panic!("{options:?}: {other:?}"),
    };
    // None, one of an unknown kind, one twice, in the wrong order, neither yes nor no.
    assert_eq!(field(&[0]), "options");
    assert_eq!(field(&[1, 10]), "options");
    assert_eq!(field(&[2, 2, 100, 0, 2, 100, 0]), "options");
    assert_eq!(field(&[2, 2, 100, 0, 1, 20, 10]), "options");
    assert_eq!(field(&[1, 2, 100, 2]), "resume");
    assert!(with(&[1, 6]).is_ok());
    assert_eq!(field(&[2, 6, 6]), "options");
    // No number for any SKU, one for a SKU that there is not.
    assert_eq!(field(&[1, 4, 0]), "numbered");
    assert_eq!(field(&[1, 4, 2]), "numbered");
    // No reserve, one of nothing, one of a SKU that there is not, one twice.
    assert!(with(&[1, 5, 1, 0, 9]).is_ok());
    for reserves in [&[1, 5, 0][..], &[1, 5, 1, 0, 0], &[1, 5, 1, 1, 9], &[1, 5, 2, 0, 9, 0, 9]] {
        assert_eq!(field(reserves), "reserves");
    }
    assert!(matches!(with(&[1, 3, 0xe1, 0xd4, 3, 0]), Err(RecordError::Plan { .. })), "60,001 ms");
    // The plan has an end by the clock already.
    assert!(matches!(with(&[1, 7, 0xe8, 7]), Err(RecordError::Plan { .. })));
    assert!(matches!(with(&[1, 8, 7, 9]), Err(RecordError::Plan { .. })), "a live copy");
    // 15 is no multiple of 10.
    assert!(matches!(with(&[1, 1, 15, 10]), Err(RecordError::Plan { .. })));
}

#[test]
fn long_text_is_cut_at_a_character() {
    let text = "\u{e9}".repeat(Text::BYTES_MAX);
    assert_eq!(Text::new(&text).as_str().len(), Text::BYTES_MAX);
    let odd = format!("a{text}");
    assert_eq!(Text::new(&odd).as_str().len(), Text::BYTES_MAX - 1);
}

proptest! {
    #[test]
    fn records_survive_their_bytes(wanted in proptest::collection::vec(any_record(), 0..20)) {
        let bytes = body_of(&wanted);
        let read: Result<Vec<_>, _> = records(&bytes).collect();
        prop_assert_eq!(read, Ok(wanted));
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = header().to_bytes().to_vec();
        bytes.extend_from_slice(&tail);
        // Whatever is accepted has only these bytes.
        let read: Vec<_> = records(&bytes).collect();
        if let Ok(found) = read.into_iter().collect::<Result<Vec<_>, _>>() {
            prop_assert_eq!(body_of(&found), bytes);
        }
        let _ = records(&tail).count();
        let _ = stampede_ledger::links::decode(&tail);
    }

    #[test]
    fn damaged_records_are_read_or_refused(
        wanted in any_record(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let mut bytes = body_of(std::slice::from_ref(&wanted));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let read: Vec<_> = records(&bytes).collect();
        if at >= HEADER_BYTES {
            prop_assert_ne!(read, vec![Ok(wanted)]);
        }
    }
}
