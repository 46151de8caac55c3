//! The records of requests for more units.

use proptest::prelude::*;
use stampede_domain::UnixMillis;
use stampede_ledger::{Record, RequestAsked, RequestEnd, RequestEnded, RequestRecord, Signature};

use crate::{
    parts::{any_text, any_time, any_units},
    support::{pool, units},
};

/// One record of each kind, by name.
pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let by = |actor: &str, reason: &str| Signature {
        actor: actor.into(),
        reason: reason.into(),
        at: UnixMillis::new(1_700_000_000_500),
    };
    let asked = RequestAsked {
        number: 2,
        pool: pool(1),
        units: units(500),
        reserve: units(250),
        by: by("nina", "they all want it"),
    };
    let ended = |end| {
        let by = by("maison-nord", "");
        let ended = RequestEnded { number: 2, pool: pool(1), units: units(500), end, by };
        Record::Request(RequestRecord::Ended(Box::new(ended)))
    };
    vec![
        ("request_asked", Record::Request(RequestRecord::Asked(Box::new(asked)))),
        ("request_granted", ended(RequestEnd::Granted { lot: 3 })),
        ("request_declined", ended(RequestEnd::Declined)),
        ("request_withdrawn", ended(RequestEnd::Withdrawn)),
    ]
}

pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let by = || {
        (any_text(), any_text(), any_time()).prop_map(|(actor, reason, at)| Signature {
            actor,
            reason,
            at,
        })
    };
    let what = || (any::<u32>(), any::<u8>(), any_units());
    let end = prop_oneof![
        any::<u32>().prop_map(|lot| RequestEnd::Granted { lot }),
        Just(RequestEnd::Declined),
        Just(RequestEnd::Withdrawn),
    ];
    prop_oneof![
        (what(), any_units(), by()).prop_map(|((number, index, units), reserve, by)| {
            let asked = RequestAsked { number, pool: pool(index), units, reserve, by };
            Record::Request(RequestRecord::Asked(Box::new(asked)))
        }),
        (what(), end, by()).prop_map(|((number, index, units), end, by)| {
            let ended = RequestEnded { number, pool: pool(index), units, end, by };
            Record::Request(RequestRecord::Ended(Box::new(ended)))
        }),
    ]
}
