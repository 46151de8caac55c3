//! A welcome of any size travels within the frame limit.

use std::sync::Arc;

use crate::samples;

use stampede_domain::{
    DropId, SkuOption,
    limits::{ADDRESS_BYTES_MAX, OPTIONS_PER_SKU_MAX, SKUS_PER_DROP_MAX, TITLE_BYTES_MAX},
};
use stampede_wire::{DropInfo, DropState, ServerMessage, Subprotocol, Welcome, limits};

/// A drop whose every text is as long as allowed and needs an escape for each character.
fn largest_drop() -> DropInfo {
    let mut plan = samples::plan();
    let title = "\"".repeat(TITLE_BYTES_MAX);
    plan.title.clone_from(&title);
    let option = SkuOption { name: title.clone(), value: title.clone() };
    let sku = &mut plan.skus[0];
    sku.title.clone_from(&title);
    sku.merchant_sku = title;
    sku.image = Some("\\".repeat(ADDRESS_BYTES_MAX));
    sku.options = vec![option; OPTIONS_PER_SKU_MAX];
    let sku = sku.clone();
    plan.skus = (0..SKUS_PER_DROP_MAX)
        .map(|place| {
            let mut sku = sku.clone();
            sku.id = format!("{place:064}").parse().unwrap();
            sku
        })
        .collect();
    // A ledger may hold it: what is planned today has no such address.
    assert_eq!(plan.check_format(), Ok(()));
    let state = DropState {
        version: u64::MAX,
        phase: stampede_domain::Phase::Scheduled,
        featured: false,
        opens_in_ms: Some(u64::MAX),
        closes_in_ms: Some(u64::MAX),
        available: &[],
    };
    DropInfo::new(DropId::new(DropId::ADJUSTMENTS_FROM - 1), &plan, &state)
}

#[test]
fn what_does_not_fit_follows_in_messages_of_its_own() {
    let drop = Arc::new(largest_drop());
    let welcome = Welcome {
        drops: vec![drop; 3],
        holds: vec![samples::held(); 4_000],
        orders: vec![samples::order(); 4_000],
        ..samples::welcome()
    };
    let messages = welcome.into_messages();
    let (mut drops, mut holds, mut orders) = (0, 0, 0);
    for message in &messages {
        for subprotocol in Subprotocol::ALL {
            let bytes = subprotocol.encode_server(message).len();
            assert!(bytes <= limits::SERVER_FRAME_BYTES_MAX, "{bytes} bytes");
        }
        match message {
            ServerMessage::Welcome(welcome) => {
                drops += welcome.drops.len();
                holds += welcome.holds.len();
                orders += welcome.orders.len();
            }
            ServerMessage::DropInfo(_) => drops += 1,
            ServerMessage::Held(_) => holds += 1,
            ServerMessage::Order(_) => orders += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((drops, holds, orders), (3, 4_000, 4_000));
    assert!(matches!(messages[0], ServerMessage::Welcome(_)), "the welcome is first");
}

#[test]
fn the_largest_drop_fits_beside_what_a_viewer_has() {
    let welcome = Welcome {
        drops: std::iter::repeat_n(Arc::new(largest_drop()), 3).collect(),
        holds: vec![samples::held(); 64],
        orders: vec![samples::order(); 64],
        ..samples::welcome()
    };
    let messages = welcome.into_messages();
    let ServerMessage::Welcome(first) = &messages[0] else { panic!("{messages:?}") };
    assert_eq!((first.drops.len(), first.holds.len(), first.orders.len()), (1, 64, 64));
    assert_eq!(messages.len(), 3);
}

#[test]
fn a_usual_welcome_is_one_message() {
    assert_eq!(samples::welcome().into_messages().len(), 1);
}

#[test]
fn integers_stop_where_readers_round() {
    let info = largest_drop();
    let frame = Subprotocol::Json.encode_server(&ServerMessage::DropInfo(Arc::new(info)));
    let text = String::from_utf8(frame).unwrap();
    assert!(text.contains("\"version\":9007199254740991"));
}
