//! Records of the brake: one of each shape, any of them.

use proptest::prelude::*;
use stampede_domain::{BanId, DurationMs, Rates, UnixMillis, ViewerNumber};
use stampede_ledger::{BanRecord, BanScope, BrakeOrder, BrakePart, BrakeRecord, RatesSet, Record};

use super::{
    parts::{any_text, any_time, any_viewer},
    support::AT_MS,
};

pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let at = UnixMillis::new(AT_MS);
    vec![
        ("halted", Record::Brake(BrakeRecord::Halted(Box::new(order(None))))),
        ("halted_until", Record::Brake(BrakeRecord::Halted(Box::new(order(Some(at)))))),
        ("rates_set", rates_set(Some(500), Some(200), Some(1_000))),
        ("rates_set_partly", rates_set(Some(500), None, None)),
        ("banned_viewer", banned(1, BanScope::Viewer(ViewerNumber::new(7).unwrap()))),
        ("banned_addresses", banned(300, BanScope::Addresses)),
        ("banned_channel", banned(2, channel(None))),
        ("banned_channel_in_stream", banned(3, channel(Some("friday")))),
        (
            "lifted_halt",
            Record::Brake(BrakeRecord::Lifted { part: BrakePart::Halt, expired: false }),
        ),
        (
            "lifted_rates",
            Record::Brake(BrakeRecord::Lifted { part: BrakePart::Rates, expired: true }),
        ),
        (
            "lifted_ban",
            Record::Brake(BrakeRecord::Lifted {
                part: BrakePart::Ban(BanId::new(300)),
                expired: true,
            }),
        ),
    ]
}

fn order(expires_at: Option<UnixMillis>) -> BrakeOrder {
    BrakeOrder { actor: "olga".into(), reason: "bots".into(), expires_at }
}

fn rates_set(buys_per_s: Option<u32>, hellos_per_s: Option<u32>, tick_ms: Option<u64>) -> Record {
    let tick_interval = tick_ms.map(DurationMs::new);
    let rates = Rates { buys_per_s, hellos_per_s, tick_interval };
    Record::Brake(BrakeRecord::RatesSet(Box::new(RatesSet { rates, order: order(None) })))
}

fn channel(stream: Option<&str>) -> BanScope {
    let stream = stream.map(|stream| stream.parse().unwrap());
    BanScope::Channel { channel: "nina-tv".parse().unwrap(), stream }
}

fn banned(ban: u32, scope: BanScope) -> Record {
    let (ban, order) = (BanId::new(ban), order(Some(UnixMillis::new(AT_MS))));
    Record::Brake(BrakeRecord::Banned(Box::new(BanRecord {
        ban,
        scope,
        releases_holds: ban.get() == 1,
        order,
    })))
}

fn any_order() -> impl Strategy<Value = BrakeOrder> {
    let order = (any_text(), any_text(), proptest::option::of(any_time()));
    order.prop_map(|(actor, reason, expires_at)| BrakeOrder { actor, reason, expires_at })
}

pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let scope = prop_oneof![
        any_viewer().prop_map(BanScope::Viewer),
        Just(BanScope::Addresses),
        proptest::option::of("[a-z]{1,64}").prop_map(|stream| channel(stream.as_deref())),
    ];
    let part = prop_oneof![
        Just(BrakePart::Halt),
        Just(BrakePart::Rates),
        any::<u32>().prop_map(|ban| BrakePart::Ban(BanId::new(ban))),
    ];
    prop_oneof![
        any_order().prop_map(|order| Record::Brake(BrakeRecord::Halted(Box::new(order)))),
        (1..=10_000_000_u32, proptest::option::of(10..=60_000_u64), any_order()).prop_map(
            |(buys, tick_ms, order)| {
                let tick_interval = tick_ms.map(DurationMs::new);
                let rates = Rates { buys_per_s: Some(buys), hellos_per_s: None, tick_interval };
                Record::Brake(BrakeRecord::RatesSet(Box::new(RatesSet { rates, order })))
            }
        ),
        (any::<u32>(), scope, any::<bool>(), any_order()).prop_map(
            |(ban, scope, releases_holds, order)| {
                let ban = BanId::new(ban);
                Record::Brake(BrakeRecord::Banned(Box::new(BanRecord {
                    ban,
                    scope,
                    releases_holds,
                    order,
                })))
            }
        ),
        (part, any::<bool>())
            .prop_map(|(part, expired)| Record::Brake(BrakeRecord::Lifted { part, expired })),
    ]
}
