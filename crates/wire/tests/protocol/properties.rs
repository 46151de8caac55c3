//! Messages survive their way through bytes; no bytes make the decoders panic.

use crate::samples;
use proptest::{collection::vec, option, prelude::*, sample::select};
use stampede_domain::{Currency, DropId, HoldId, IdempotencyKey, Money, SkuId, TestCard, Units};
use stampede_wire::{
    ClientMessage, Ended, Held, NO_HOLD, Order, PaymentFailed, Pong, Refused, Request,
    ServerMessage, SkuStock, Stock, Subprotocol, limits::INTEGER_MAX,
};

fn text_id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._:-]{1,64}"
}

fn key() -> impl Strategy<Value = IdempotencyKey> {
    text_id().prop_map(|text| text.parse().unwrap())
}

fn sku() -> impl Strategy<Value = SkuId> {
    text_id().prop_map(|text| text.parse().unwrap())
}

fn hold() -> impl Strategy<Value = HoldId> {
    // The first bit of a drop's number is never set.
    any::<[u8; 16]>().prop_map(|mut bytes| {
        bytes[0] &= 0x7f;
        HoldId::from_bytes(bytes)
    })
}

fn drop_id() -> impl Strategy<Value = DropId> {
    (1..DropId::ADJUSTMENTS_FROM).prop_map(DropId::new)
}

fn client_message() -> impl Strategy<Value = ClientMessage<'static>> {
    prop_oneof![
        ("\\PC{0,200}", option::of("\\PC{0,16}")).prop_map(|(ticket, client)| {
            ClientMessage::Hello { ticket: ticket.into(), client: client.map(Into::into) }
        }),
        "\\PC{0,200}".prop_map(|ticket| ClientMessage::Refresh { ticket: ticket.into() }),
        (drop_id(), ".{0,80}", any::<u64>(), key()).prop_map(|(drop, sku, units, key)| {
            ClientMessage::Buy { drop, sku: sku.into(), units, key }
        }),
        hold().prop_map(|hold| ClientMessage::Release { hold }),
        (hold(), option::of(select(&TestCard::ALL[..])))
            .prop_map(|(hold, card)| ClientMessage::Pay { hold, card }),
        Just(ClientMessage::Ping),
    ]
}

fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![Just("EUR"), Just("JPY"), Just("KWD")].prop_map(|code| code.parse().unwrap())
}

fn integer() -> impl Strategy<Value = u64> {
    0..=INTEGER_MAX
}

fn held() -> impl Strategy<Value = Held> {
    let first = (option::of(key()), any::<bool>(), hold(), drop_id(), sku());
    let second = (any::<u32>(), integer(), currency(), integer());
    (first, second).prop_map(
        |((key, retry, hold, drop, sku), (units, amount_minor, currency, expires_in_ms))| Held {
            key,
            retry,
            hold,
            drop,
            sku,
            units,
            amount_minor,
            currency,
            expires_in_ms,
        },
    )
}

fn refused() -> impl Strategy<Value = Refused> {
    let first = (option::of(key()), option::of(hold()), "[a-z_]{1,30}", "\\PC{0,200}");
    let second = (any::<bool>(), option::of(integer()), option::of(any::<u32>()));
    (first, second).prop_map(|((key, hold, code, message), (temporary, retry_after_ms, limit))| {
        Refused {
            request: Request::Buy,
            key,
            hold,
            code: code.into(),
            message,
            temporary,
            retry_after_ms,
            limit,
            available: limit,
        }
    })
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    let order = (held(), option::of(key())).prop_map(|(held, key)| {
        let amount = Money::new(held.amount_minor, held.currency).unwrap();
        let units = Units::new(held.units >> 8).unwrap();
        Order { key, ..Order::new(held.hold, held.sku, units, amount) }
    });
    let failed = (hold(), any::<bool>(), option::of(integer())).prop_map(
        |(hold, is_final, expires_in_ms)| PaymentFailed { hold, is_final, expires_in_ms },
    );
    let skus =
        vec(
            (sku(), any::<u32>(), any::<bool>())
                .prop_map(|(sku, available, approximate)| SkuStock { sku, available, approximate }),
            0..5,
        );
    let stock = (drop_id(), integer(), skus).prop_map(|(drop, version, skus)| Stock {
        drop,
        version,
        skus,
    });
    let ended = (hold(), sku(), any::<u32>(), any::<bool>())
        .prop_map(|(hold, sku, units, called_off)| Ended {
            hold,
            drop: hold.drop_id(),
            sku,
            units,
            called_off,
        })
        // Drop 0 is the house, whose holds do not exist.
        .prop_filter("a drop", |ended| ended.drop != DropId::HOUSE);
    prop_oneof![
        held().prop_map(ServerMessage::Held),
        refused().prop_map(ServerMessage::Refused),
        order.prop_filter("a drop", |o| o.drop != DropId::HOUSE).prop_map(ServerMessage::Order),
        ended.prop_map(ServerMessage::Expired),
        failed.prop_map(ServerMessage::PaymentFailed),
        stock.prop_map(ServerMessage::Stock),
        integer().prop_map(|server_time_ms| ServerMessage::Pong(Pong { server_time_ms })),
    ]
}

fn survives(message: &ClientMessage<'_>) -> bool {
    // A hold id of zeros means "no hold" on the way in, whatever its text was.
    !matches!(message, ClientMessage::Pay { hold, .. } | ClientMessage::Release { hold } if *hold == NO_HOLD)
}

proptest! {
    #[test]
    fn client_messages_survive(message in client_message().prop_filter("a hold", survives)) {
        for subprotocol in Subprotocol::ALL {
            let frame = subprotocol.encode_client(&message);
            let decoded = subprotocol.decode_client(&frame);
            prop_assert_eq!(decoded.as_ref(), Ok(&message));
        }
    }

    #[test]
    fn server_messages_survive(message in server_message()) {
        for subprotocol in Subprotocol::ALL {
            let frame = subprotocol.encode_server(&message);
            prop_assert_eq!(subprotocol.decode_server(&frame), Ok(Some(message.clone())));
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(frame in vec(any::<u8>(), 0..300)) {
        for subprotocol in Subprotocol::ALL {
            let _ = subprotocol.decode_client(&frame);
            let _ = subprotocol.decode_server(&frame);
            let _ = subprotocol.is_stock_tick(&frame);
        }
    }

    #[test]
    fn no_change_of_a_good_frame_makes_a_decoder_panic(
        which in any::<prop::sample::Index>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        for subprotocol in Subprotocol::ALL {
            let client = samples::client_messages();
            let server = samples::server_messages();
            let mut frames = vec![
                subprotocol.encode_client(&client[which.index(client.len())].1),
                subprotocol.encode_server(&server[which.index(server.len())].1),
            ];
            for frame in &mut frames {
                for (at, byte) in &changes {
                    let at = at.index(frame.len());
                    frame[at] = *byte;
                }
                let end = frame.len() - cut.index(3);
                let _ = subprotocol.decode_client(&frame[..end]);
                let _ = subprotocol.decode_server(&frame[..end]);
            }
        }
    }
}
