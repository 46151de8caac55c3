//! Any record of each kind, for the property tests.

use proptest::{option::of, prelude::*};
use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, KeyFingerprint, Mode, Money, PaymentTerms, PoolIndex,
    Rehearsal, StockDisplay, TakeNumber, ViewerNumber, WhenOffline,
};
use stampede_ledger::{
    Command, HoldRecord, PhaseRecord, Record, RecordedOutcome, RecoveredDrop, RecoveredPool,
    StreamRecord,
};

use super::{
    brake, correction, house, in_channel,
    parts::{any_text, any_time, any_units, any_viewer},
    payment, request,
    support::{money, plan, pool, units},
    tally, undo,
};

fn any_hold() -> impl Strategy<Value = HoldId> {
    any::<[u8; 16]>().prop_map(HoldId::from_bytes)
}

fn any_key() -> impl Strategy<Value = KeyFingerprint> {
    any::<u128>().prop_map(KeyFingerprint::from_bits)
}

fn any_money() -> impl Strategy<Value = Money> {
    (0..=Money::MINOR_MAX).prop_map(money)
}

fn any_recovered() -> impl Strategy<Value = Record> {
    let lost = proptest::collection::btree_set(1..=TakeNumber::MAX.get(), 0..20);
    let pool = (any::<u8>(), 0..=TakeNumber::MAX.get(), lost);
    let pools = proptest::collection::vec(pool, 0..5);
    (any::<u64>(), pools).prop_map(|(outage, pools)| {
        let take = |number| TakeNumber::new(number).unwrap();
        let pools = pools
            .into_iter()
            .map(|(pool, last, lost)| RecoveredPool {
                pool: PoolIndex::new(pool).unwrap(),
                last_take: take(last),
                lost: lost.into_iter().map(take).collect(),
            })
            .collect();
        Record::Recovered(Box::new(RecoveredDrop { outage: DurationMs::new(outage), pools }))
    })
}

/// A plan with any of the options.
fn any_options() -> impl Strategy<Value = DropPlan> {
    let display = (2..1_000_u32, 1..1_000_u32).prop_map(|(step, times)| StockDisplay {
        rounded_above: units(step * times),
        round_to: units(step),
    });
    let offline = (0..=3_600_000_u64, any::<bool>())
        .prop_map(|(ms, resume)| WhenOffline { pause_after: DurationMs::new(ms), resume });
    let terms = (0..=60_000_u64, 0..=3_600_000_u64).prop_map(|(grace, stretch)| PaymentTerms {
        grace: DurationMs::new(grace),
        stretch: DurationMs::new(stretch),
    });
    let (flags, reserve) = (any::<(bool, bool, bool)>(), 0..1_000_u32);
    let length = (1_000..=31_622_400_000_u64).prop_map(DurationMs::new);
    let copy =
        (1..1_000_u32, any_time()).prop_map(|(of, until)| Rehearsal { of: DropId::new(of), until });
    let last = (of(length), of(copy));
    (of(display), of(offline), of(terms), flags, reserve, last).prop_map(
        |(stock_display, when_offline, payment_terms, flags, reserve, (length, rehearsal))| {
            let (numbered, hidden, more_by_request) = flags;
            let mode = if rehearsal.is_some() { Mode::Rehearsal } else { Mode::Live };
            let options = DropPlan { stock_display, when_offline, payment_terms, hidden, ..plan() };
            let mut plan = DropPlan { mode, rehearsal, more_by_request, ..options };
            if length.is_some() {
                (plan.ends_at, plan.ends_after_opening) = (None, length);
            }
            (plan.skus[0].numbered, plan.skus[0].reserve) = (numbered, units(reserve));
            plan
        },
    )
}

fn any_hold_record() -> impl Strategy<Value = Record> {
    let ended = || (any_hold(), any_units());
    prop_oneof![
        (any_hold(), any_viewer(), any_key(), any_units(), any_time(), any_time()).prop_map(
            |(hold, viewer, key, units, taken_at, deadline)| Record::Hold(HoldRecord::Taken {
                hold,
                viewer,
                key,
                units,
                taken_at,
                deadline,
                channel: None,
            })
        ),
        (any_hold(), any_viewer(), any_units(), any_money()).prop_map(
            |(hold, viewer, units, amount)| Record::Hold(HoldRecord::Confirmed {
                hold,
                viewer,
                units,
                amount,
                channel: None,
            })
        ),
        ended().prop_map(|(hold, units)| HoldRecord::Released { hold, units }.into()),
        ended().prop_map(|(hold, units)| HoldRecord::Expired { hold, units }.into()),
        any_units().prop_map(|units| in_channel(Record::Hold(HoldRecord::Confirmed {
            hold: HoldId::from_bytes([7; 16]),
            viewer: ViewerNumber::new(9).unwrap(),
            units,
            amount: money(5),
            channel: None,
        }))),
    ]
}

pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let outcome = prop_oneof![
        Just(RecordedOutcome::Accepted),
        (any_text(), any_text()).prop_map(|(code, text)| RecordedOutcome::Refused { code, text }),
    ];
    prop_oneof![
        any_time().prop_map(|opens_at| Record::Phase(PhaseRecord::Countdown { opens_at })),
        (any::<u8>(), any_units(), any::<u32>()).prop_map(|(index, units, lot)| Record::Lot {
            pool: pool(index),
            units,
            lot
        }),
        any_hold_record(),
        correction::any_correction(),
        undo::any_record(),
        request::any_record(),
        (any_text(), any_text(), any_text(), any_key(), any_key(), any_text(), outcome).prop_map(
            |(actor, role, action, key, request, reason, outcome)| {
                let command = Command { actor, role, action, key, request, reason, outcome };
                Record::Command(Box::new(command))
            }
        ),
        any_recovered(),
        tally::any_record(),
        any_options().prop_map(|plan| Record::Planned { plan: plan.into(), revision: 1 }),
        any_time().prop_map(|at| Record::Stream(StreamRecord::Offline { at })),
        Just(Record::Stream(StreamRecord::Online)),
        Just(Record::Stream(StreamRecord::OfflineLapsed)),
        brake::any_record(),
        payment::any_record(),
        house::any_record(),
        (any::<u64>().prop_map(DurationMs::new), any_time())
            .prop_map(|(span, until)| Record::Suspended { span, until }),
        Just(Record::Featured),
        Just(Record::Phase(PhaseRecord::Closed)),
    ]
}
