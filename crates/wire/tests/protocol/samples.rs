//! One sample of every message, shared by the tests.

use std::sync::Arc;

use stampede_domain::{
    Currency, DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, Incarnation, Mode, Money,
    Phase, PoolIndex, Refusal, ShownUnits, SkuOption, SkuPlan, SlotIndex, TakeNumber, TestCard,
    Units,
};
use stampede_testkit::{plan_of, sku};
use stampede_wire::{
    ClientMessage, CloseCode, DropInfo, DropState, Ended, ErrorNotice, Held, Order, PaymentFailed,
    PhaseNotice, Pong, Refreshed, Refused, ServerMessage, SkuStock, Stock, Welcome,
};

pub(crate) fn units(count: u32) -> Units {
    Units::new(count).unwrap()
}

pub(crate) fn hold() -> HoldId {
    HoldId::new(
        DropId::new(17),
        Incarnation::new(3).unwrap(),
        PoolIndex::new(0).unwrap(),
        SlotIndex::new(41).unwrap(),
        TakeNumber::new(42).unwrap(),
    )
}

pub(crate) fn key() -> IdempotencyKey {
    "cart-7f3a".parse().unwrap()
}

pub(crate) fn euros(minor: u64) -> Money {
    Money::new(minor, "EUR".parse::<Currency>().unwrap()).unwrap()
}

pub(crate) fn plan() -> DropPlan {
    let perfume = SkuPlan {
        title: "50 ml".into(),
        options: vec![SkuOption { name: "size".into(), value: "50 ml".into() }],
        merchant_sku: "EDN-50".into(),
        image: Some("https://img.example/nuit-50.jpg".into()),
        price: euros(4990),
        ..sku("nuit-50", 15_000)
    };
    DropPlan {
        stream: "friday-show".parse().unwrap(),
        title: "Eau de \"Nuit\"".into(),
        merchant: "maison".parse().unwrap(),
        holds_per_viewer_max: 16,
        hold_ttl: DurationMs::from_secs(120),
        countdown: DurationMs::from_secs(10),
        ..plan_of([perfume])
    }
}

pub(crate) fn drop_info() -> DropInfo {
    let state = DropState {
        version: 8,
        phase: Phase::Countdown,
        featured: true,
        opens_in_ms: Some(7_500),
        closes_in_ms: None,
        available: &[ShownUnits::exact(units(15_000))],
    };
    DropInfo::new(DropId::new(17), &plan(), &state)
}

pub(crate) fn held() -> Held {
    Held::new(hold(), "nuit-50".parse().unwrap(), units(2), euros(9980), 119_000)
}

pub(crate) fn order() -> Order {
    Order::new(hold(), "nuit-50".parse().unwrap(), units(2), euros(9980))
}

pub(crate) fn ended() -> Ended {
    let (drop, sku) = (DropId::new(17), "nuit-50".parse().unwrap());
    Ended { hold: hold(), drop, sku, units: 2, called_off: false }
}

pub(crate) fn welcome() -> Welcome {
    Welcome {
        viewer: "v-1001".parse().unwrap(),
        stream: "friday-show".parse().unwrap(),
        channel: Some("creator-9".parse().unwrap()),
        mode: Mode::Live,
        server_time_ms: 1_790_000_000_000,
        heartbeat_ms: 20_000,
        ticket_expires_in_ms: 595_000,
        drops: vec![Arc::new(drop_info())],
        holds: vec![held()],
        orders: vec![order()],
    }
}

pub(crate) fn client_messages() -> Vec<(&'static str, ClientMessage<'static>)> {
    vec![
        ("hello", ClientMessage::Hello { ticket: "eyJh.eyJz.c2ln".into(), client: None }),
        (
            "hello_named",
            ClientMessage::Hello {
                ticket: "eyJh.eyJz.c2ln".into(),
                client: Some("app/4.2 \"ios\"".into()),
            },
        ),
        ("refresh", ClientMessage::Refresh { ticket: "eyJh.eyJz.c2ln".into() }),
        (
            "buy",
            ClientMessage::Buy {
                drop: DropId::new(17),
                sku: "nuit-50".into(),
                units: 2,
                key: key(),
            },
        ),
        ("release", ClientMessage::Release { hold: hold() }),
        ("pay", ClientMessage::Pay { hold: hold(), card: None }),
        ("pay_card", ClientMessage::Pay { hold: hold(), card: Some(TestCard::Declined) }),
        ("ping", ClientMessage::Ping),
    ]
}

pub(crate) fn server_messages() -> Vec<(&'static str, ServerMessage)> {
    [connection_messages(), refusals(), hold_messages(), drop_messages()].concat()
}

fn refusals() -> Vec<(&'static str, ServerMessage)> {
    let busy = Refusal::Busy { retry_after: DurationMs::new(150) };
    let not_enough = Refusal::NotEnough { available: units(1) };
    let limit = |for_good| Refusal::OverViewerLimit { limit: units(2), for_good };
    vec![
        ("refused_sold_out", ServerMessage::Refused(Refused::buy(key(), &Refusal::SoldOut))),
        ("refused_busy", ServerMessage::Refused(Refused::buy(key(), &busy))),
        ("refused_not_enough", ServerMessage::Refused(Refused::buy(key(), &not_enough))),
        ("refused_limit", ServerMessage::Refused(Refused::buy(key(), &limit(false)))),
        ("refused_limit_ordered", ServerMessage::Refused(Refused::buy(key(), &limit(true)))),
        (
            "refused_release",
            ServerMessage::Refused(Refused::release(hold(), &Refusal::HoldConfirmed)),
        ),
        ("refused_pay", ServerMessage::Refused(Refused::pay(hold(), &Refusal::PayNotOffered))),
    ]
}

fn connection_messages() -> Vec<(&'static str, ServerMessage)> {
    vec![
        ("welcome", ServerMessage::Welcome(Box::new(welcome()))),
        (
            "refreshed",
            ServerMessage::Refreshed(Refreshed {
                server_time_ms: 1_790_000_000_000,
                ticket_expires_in_ms: 600_000,
            }),
        ),
        ("pong", ServerMessage::Pong(Pong { server_time_ms: 1_790_000_000_000 })),
        (
            "error",
            ServerMessage::Error(ErrorNotice::new(
                CloseCode::TicketExpired,
                "the ticket expired 1200 ms ago",
            )),
        ),
        (
            "error_later",
            ServerMessage::Error(
                ErrorNotice::new(CloseCode::GoingAway, "the server stops; connect again")
                    .after(DurationMs::new(3_170)),
            ),
        ),
    ]
}

fn hold_messages() -> Vec<(&'static str, ServerMessage)> {
    vec![
        ("held", ServerMessage::Held(held())),
        ("held_answer", ServerMessage::Held(held().answer(key(), true))),
        ("released", ServerMessage::Released(ended())),
        ("released_called_off", ServerMessage::Released(Ended { called_off: true, ..ended() })),
        ("expired", ServerMessage::Expired(ended())),
        ("order", ServerMessage::Order(order())),
        ("order_answer", ServerMessage::Order(order().answer(key()))),
        (
            "payment_failed",
            ServerMessage::PaymentFailed(PaymentFailed {
                hold: hold(),
                is_final: false,
                expires_in_ms: Some(61_500),
            }),
        ),
        (
            "payment_failed_final",
            ServerMessage::PaymentFailed(PaymentFailed {
                hold: hold(),
                is_final: true,
                expires_in_ms: None,
            }),
        ),
    ]
}

fn drop_messages() -> Vec<(&'static str, ServerMessage)> {
    vec![
        (
            "stock",
            ServerMessage::Stock(Stock {
                drop: DropId::new(17),
                version: 9,
                skus: vec![SkuStock {
                    sku: "nuit-50".parse().unwrap(),
                    available: 8_412,
                    approximate: false,
                }],
            }),
        ),
        (
            "stock_rounded",
            ServerMessage::Stock(Stock {
                drop: DropId::new(17),
                version: 9,
                skus: vec![SkuStock {
                    sku: "nuit-50".parse().unwrap(),
                    available: 8_400,
                    approximate: true,
                }],
            }),
        ),
        (
            "phase",
            ServerMessage::Phase(PhaseNotice {
                drop: DropId::new(17),
                version: 10,
                phase: Phase::Open,
                featured: true,
                server_time_ms: 1_790_000_000_000,
                opens_in_ms: None,
                closes_in_ms: Some(300_000),
            }),
        ),
        ("drop", ServerMessage::DropInfo(Arc::new(drop_info()))),
    ]
}
