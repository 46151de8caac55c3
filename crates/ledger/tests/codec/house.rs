//! The house's own records: heartbeats, rooms.

use proptest::prelude::*;
use stampede_domain::{DurationMs, UnixMillis};
use stampede_ledger::{BootId, Heartbeat, Record, Room, RoomChange, RoomOwner, Text};

fn room(change: RoomChange) -> Record {
    Record::Room(Box::new(Room { stream: "friday".parse().unwrap(), change }))
}

pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let acme = || "acme".parse().unwrap();
    let beat = Heartbeat {
        wall: UnixMillis::new(super::AT_MS),
        boot: BootId::from_bytes([0x5a; 16]),
        since_boot: DurationMs::new(86_400_000),
    };
    vec![
        ("heartbeat", Record::Heartbeat(Box::new(beat))),
        ("room_of_the_house", room(RoomChange::Owner(RoomOwner::House))),
        ("room_of_a_merchant", room(RoomChange::Owner(RoomOwner::Merchant(acme())))),
        ("room_of_a_creator", room(RoomChange::Owner(RoomOwner::Creator(Text::new("nina"))))),
        ("room_admits", room(RoomChange::Admitted(acme()))),
        ("room_dismisses", room(RoomChange::Dismissed(acme()))),
        ("room_ends", room(RoomChange::Ended)),
        ("room_has_a_video_delay", room(RoomChange::VideoDelay(DurationMs::from_secs(6)))),
        ("room_lets_hosts_plan", room(RoomChange::HostsAllowed(acme()))),
        ("room_lets_hosts_plan_no_more", room(RoomChange::HostsForbidden(acme()))),
    ]
}

pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let merchant = "[a-z]{1,20}";
    prop_oneof![
        any::<(u64, [u8; 16], u64)>().prop_map(|(wall, boot, since_boot)| {
            Record::Heartbeat(Box::new(Heartbeat {
                wall: UnixMillis::new(wall),
                boot: BootId::from_bytes(boot),
                since_boot: DurationMs::new(since_boot),
            }))
        }),
        merchant.prop_map(|name| room(RoomChange::Admitted(name.parse().unwrap()))),
        merchant.prop_map(|name| room(RoomChange::Dismissed(name.parse().unwrap()))),
        merchant.prop_map(|name| room(RoomChange::HostsAllowed(name.parse().unwrap()))),
        merchant.prop_map(|name| room(RoomChange::HostsForbidden(name.parse().unwrap()))),
        any::<u64>().prop_map(|delay| room(RoomChange::VideoDelay(DurationMs::new(delay)))),
        merchant.prop_map(|name| {
            room(RoomChange::Owner(RoomOwner::Merchant(name.parse().unwrap())))
        }),
    ]
}
