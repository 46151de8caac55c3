//! Measures the cost of a message: the hot path's `buy` with its answers, ticks at a client, tickets.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::{borrow::Cow, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use serde::Deserialize;
use stampede_domain::{
    DropId, HoldId, IdempotencyKey, Mode, Money, Refusal, SkuId, Units, UnixMillis,
};
use stampede_wire::{
    ClientMessage, Held, Refused, ServerMessage, SkuStock, Stock, Subprotocol,
    ticket::{KeySpec, Ticket, TicketKeys, TicketMinter, TicketVerifier},
};

/// `buy` as serde's own tagged enum reads it: the twin that the one-pass decoder is measured against.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Tagged<'a> {
    Buy {
        #[serde(borrow)]
        drop: Cow<'a, str>,
        #[serde(borrow)]
        sku: Cow<'a, str>,
        units: u64,
        #[serde(borrow)]
        key: Cow<'a, str>,
    },
}

impl Tagged<'_> {
    /// Checks the same values that the one-pass decoder checks.
    fn check(self) -> (DropId, usize, u64, IdempotencyKey) {
        let Self::Buy { drop, sku, units, key } = self;
        let key = IdempotencyKey::new(&key).expect("the frame has a key");
        (drop.parse().expect("the frame has a drop"), sku.len(), units, key)
    }
}

fn key() -> IdempotencyKey {
    "0190f3a2-7c1e-7b44-9d5e-2f6a8c01b7d3".parse().expect("a UUID is a key")
}

fn sku() -> SkuId {
    "nuit-50".parse().expect("a SKU id")
}

fn buys(c: &mut Criterion) {
    let buy =
        ClientMessage::Buy { drop: DropId::new(17), sku: "nuit-50".into(), units: 1, key: key() };
    for subprotocol in Subprotocol::ALL {
        let frame = subprotocol.encode_client(&buy);
        c.bench_function(&format!("decode_buy/{subprotocol}"), |b| {
            b.iter(|| subprotocol.decode_client(black_box(&frame)));
        });
    }
    let packed = Subprotocol::MsgPack.encode_client(&buy);
    c.bench_function("decode_buy_tagged/stampede.v1.msgpack", |b| {
        b.iter(|| rmp_serde::from_slice::<Tagged<'_>>(black_box(&packed)).map(Tagged::check));
    });
    let json = Subprotocol::Json.encode_client(&buy);
    c.bench_function("decode_buy_tagged/stampede.v1.json", |b| {
        b.iter(|| serde_json::from_slice::<Tagged<'_>>(black_box(&json)).map(Tagged::check));
    });
}

fn answers(c: &mut Criterion) {
    let hold = HoldId::from_bytes([17; 16]);
    let price = Money::new(4_990, "EUR".parse().expect("a currency")).expect("a price");
    let held = Held::new(hold, sku(), Units::ONE, price, 120_000).answer(key(), false);
    let stock = Stock {
        drop: DropId::new(17),
        version: 412,
        skus: vec![SkuStock { sku: sku(), available: 8_412, approximate: false }],
    };
    let messages = [
        ("held", ServerMessage::Held(held)),
        ("sold_out", ServerMessage::Refused(Refused::buy(key(), &Refusal::SoldOut))),
        ("stock", ServerMessage::Stock(stock)),
    ];
    let mut frame = Vec::with_capacity(1_024);
    for subprotocol in Subprotocol::ALL {
        for (name, message) in &messages {
            c.bench_function(&format!("encode_{name}/{subprotocol}"), |b| {
                b.iter(|| {
                    frame.clear();
                    subprotocol.encode_server_into(black_box(message), &mut frame);
                });
            });
            let bytes = subprotocol.encode_server(message);
            c.bench_function(&format!("decode_{name}/{subprotocol}"), |b| {
                b.iter(|| subprotocol.decode_server(black_box(&bytes)));
            });
        }
    }
    c.bench_function("refuse_sold_out", |b| {
        b.iter(|| Refused::buy(key(), black_box(&Refusal::SoldOut)));
    });
}

fn tickets(c: &mut Criterion) {
    // The key of RFC 8037, appendix A.
    let edwards = KeySpec {
        kty: "OKP".into(),
        alg: "EdDSA".into(),
        crv: Some("Ed25519".into()),
        k: None,
        x: Some("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into()),
        d: Some("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".into()),
        ..KeySpec::hs256("edwards", &[])
    };
    let now = UnixMillis::new(1_790_000_000_000);
    let ticket = Ticket {
        viewer: "v-1001".parse().expect("a viewer"),
        stream: "friday-show".parse().expect("a stream"),
        channel: None,
        mode: Mode::Live,
        expires_at: UnixMillis::new(1_790_000_600_000),
    };
    for (name, spec) in [("hs256", KeySpec::hs256("shared", &[7; 32])), ("eddsa", edwards)] {
        let token = TicketMinter::new(&spec).expect("the key signs").mint(&ticket, now);
        let verifier = TicketVerifier::new(TicketKeys::new(&[spec]).expect("a key"));
        c.bench_function(&format!("verify_ticket/{name}"), |b| {
            b.iter(|| verifier.verify(black_box(&token), now));
        });
    }
}

criterion_group!(benches, buys, answers, tickets);
criterion_main!(benches);
