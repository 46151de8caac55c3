//! Which holds metadata name.

use proptest::prelude::*;
use serde_json::{Value, json};
use stampede_domain::{HoldId, limits::HOLDS_PER_PAYMENT_MAX};
use stampede_payments::stripe::metadata::{NAMED_BYTES_MAX, Named, NamedHolds};

fn named(metadata: Value) -> Named {
    Named::read(&serde_json::from_value(metadata).unwrap())
}

fn hold(number: usize) -> HoldId {
    let mut bytes = [0; 16];
    bytes[14..].copy_from_slice(&u16::try_from(number).unwrap().to_be_bytes());
    HoldId::from_bytes(bytes)
}

fn id(number: usize) -> String {
    hold(number).to_string()
}

fn ids(numbers: std::ops::Range<usize>) -> String {
    numbers.map(id).collect::<Vec<_>>().join(",")
}

fn holds(numbers: &[usize]) -> NamedHolds {
    NamedHolds::Read(numbers.iter().copied().map(hold).collect())
}

#[test]
fn holds_stand_in_one_key_or_in_several() {
    assert_eq!(named(json!({ "stampede_hold": id(1) })).holds, holds(&[1]));
    let two = json!({ "stampede_hold_1": id(1), "stampede_hold_64": id(2) });
    assert_eq!(named(two).holds, holds(&[1, 2]));
    let list = json!({ "stampede_holds": ids(1..4), "stampede_holds_2": ids(4..6) });
    assert_eq!(named(list).holds, holds(&[1, 2, 3, 4, 5]));
    let all = json!({ "stampede_hold": id(3), "stampede_hold_2": id(2), "stampede_holds": id(1) });
    assert_eq!(named(all).holds, holds(&[1, 2, 3]));
}

#[test]
fn a_full_list_fits_stripes_values() {
    assert!(ids(0..15).len() <= 500 && ids(0..16).len() > 500);
    let keys = [
        "stampede_holds",
        "stampede_holds_2",
        "stampede_holds_3",
        "stampede_holds_4",
        "stampede_holds_5",
    ];
    let metadata = keys.iter().enumerate().map(|(n, key)| {
        let last = ((n + 1) * 15).min(HOLDS_PER_PAYMENT_MAX);
        ((*key).to_owned(), Value::from(ids(n * 15..last)))
    });
    let named = Named::read(&metadata.collect());
    assert_eq!(named.holds, holds(&(0..HOLDS_PER_PAYMENT_MAX).collect::<Vec<_>>()));
}

#[test]
fn a_hold_counts_once_and_the_order_is_that_of_the_ids() {
    let twice = json!({ "stampede_hold": id(2), "stampede_holds": format!("{},{}", id(2), id(1)) });
    assert_eq!(named(twice).holds, holds(&[1, 2]));
}

#[test]
fn blanks_and_empty_places_do_not_count() {
    let spaced =
        json!({ "stampede_holds": format!(" {} ,, {},", id(1), id(2)), "stampede_hold": "" });
    assert_eq!(named(spaced).holds, holds(&[1, 2]));
    assert_eq!(named(json!({ "stampede_hold": null })).holds, NamedHolds::None);
}

#[test]
fn metadata_of_others_name_nothing() {
    for metadata in [json!({}), json!({ "order_id": "7", "stamp": id(1), "hold": id(1), "n": 1 })] {
        let named = named(metadata);
        assert_eq!((named.holds, named.text.as_str()), (NamedHolds::None, ""));
        assert_eq!(named.order_reference, None);
    }
}

/// The amount is for all holds: a list that is read in part would be judged by the wrong sum.
#[test]
fn one_hold_that_cannot_be_read_makes_all_unread() {
    let good = id(1);
    for (key, value) in [
        ("stampede_hold_1", json!("h1")),
        ("stampede_hold_1", json!(id(2).to_uppercase().replace('0', "A"))),
        ("stampede_hold_1", json!(&id(2)[1..])),
        ("stampede_hold_1", json!(7)),
        ("stampede_hold_0", json!(id(2))),
        ("stampede_hold_01", json!(id(2))),
        ("stampede_hold_65", json!(id(2))),
        ("stampede_holds_1", json!(id(2))),
        ("stampede_hold_id", json!(id(2))),
        ("stampede_holder", json!(id(2))),
        ("stampede_holds_2", json!(format!("{};{}", id(2), id(3)))),
    ] {
        let named = named(json!({ "stampede_hold": good, key: value }));
        assert_eq!(named.holds, NamedHolds::Unread, "{key}={value}");
        assert!(named.text.contains(&good) && named.text.contains(key), "{}", named.text);
    }
}

#[test]
fn more_holds_than_a_payment_may_have_are_unread() {
    let most = json!({ "stampede_holds": ids(0..HOLDS_PER_PAYMENT_MAX) });
    assert!(matches!(named(most).holds, NamedHolds::Read(_)));
    let more = json!({ "stampede_holds": ids(0..HOLDS_PER_PAYMENT_MAX + 1) });
    assert_eq!(named(more).holds, NamedHolds::Unread);
}

#[test]
fn the_order_is_what_the_platform_calls_it() {
    let order = |value: Value| named(json!({ "stampede_order": value })).order_reference;
    assert_eq!(order(json!("o-7")), Some("o-7".parse().unwrap()));
    assert_eq!(order(json!(" o-7 ")), Some("o-7".parse().unwrap()));
    for text in ["#1001", "Order 7/b", "注文 42", &"ö".repeat(128)] {
        assert_eq!(order(json!(text)), Some(text.parse().unwrap()));
    }
    assert_eq!(order(json!(1_001)), Some("1001".parse().unwrap()));
    for none in [json!(""), json!(" "), json!(null)] {
        let named = named(json!({ "stampede_order": none }));
        assert_eq!((named.order_reference, named.order_fault), (None, None));
    }
}

#[test]
fn an_order_that_cannot_be_shown_is_left_out_and_its_fault_is_told() {
    for (text, fault) in [
        (json!("a\nb"), "order reference has U+000A as its character 2"),
        (json!("o".repeat(129)), "order reference has 129 characters; 1 to 128 are allowed"),
    ] {
        let named = named(json!({ "stampede_order": text, "stampede_hold": id(1) }));
        assert_eq!((named.holds, named.order_reference), (holds(&[1]), None));
        let told = named.order_fault.unwrap().to_string();
        assert!(told.starts_with(fault), "{told}");
    }
}

#[test]
fn what_was_named_is_text_for_people() {
    let named =
        named(json!({ "stampede_hold": "h\n\u{1b}[1m1", "stampede_order": "o-7", "x": "y" }));
    assert_eq!(named.text, "stampede_hold=h  [1m1 stampede_order=o-7");
}

proptest! {
    #[test]
    fn any_text_is_kept_within_bounds(hold in "\\PC{0,700}|(\u{1f6d2}|\u{85}|€){0,700}", more in ".{0,700}") {
        let named = named(json!({ "stampede_hold": hold, "stampede_hold_2": more }));
        prop_assert!(named.text.len() <= NAMED_BYTES_MAX);
        prop_assert!(!named.text.contains(char::is_control));
    }

    #[test]
    fn every_id_is_read(bits: [u8; 16], at in 1..=64_usize) {
        let hold = HoldId::from_bytes(bits);
        let named = named(json!({ format!("stampede_hold_{at}"): hold.to_string() }));
        prop_assert_eq!(named.holds, NamedHolds::Read(vec![hold]));
    }
}
