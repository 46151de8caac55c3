//! Records in plain words.

use stampede_ledger::{BrakeRecord, HoldRecord, PhaseRecord, Record, RoomChange, StreamRecord};

/// What a record is called.
pub(crate) fn record_name(record: &Record) -> &'static str {
    match record {
        Record::Planned { .. } => "planned",
        Record::Phase(PhaseRecord::Countdown { .. }) => "countdown",
        Record::Phase(PhaseRecord::CountdownCancelled) => "countdown_cancelled",
        Record::Phase(PhaseRecord::Opened) => "opened",
        Record::Phase(PhaseRecord::Paused) => "paused",
        Record::Phase(PhaseRecord::Resumed) => "resumed",
        Record::Phase(PhaseRecord::Closed) => "closed",
        Record::Phase(PhaseRecord::Settled) => "settled",
        Record::Phase(PhaseRecord::Cancelled) => "cancelled",
        Record::Lot { .. } => "lot",
        Record::Hold(HoldRecord::Taken { .. }) => "taken",
        Record::Hold(HoldRecord::Confirmed { .. }) => "confirmed",
        Record::Hold(HoldRecord::Released { .. }) => "released",
        Record::Hold(HoldRecord::Expired { .. }) => "expired",
        Record::Stream(StreamRecord::Offline { .. }) => "offline",
        Record::Stream(StreamRecord::Online) => "online",
        Record::Stream(StreamRecord::OfflineLapsed) => "offline_lapsed",
        Record::Featured => "featured",
        Record::Suspended { .. } => "suspended",
        Record::Recovered(_) => "recovered",
        Record::Tally(_) => "tally",
        Record::Command(_) => "command",
        Record::Heartbeat(_) => "heartbeat",
        Record::Room(room) => match &room.change {
            RoomChange::Owner(_) => "owner",
            RoomChange::Admitted(_) => "admitted",
            RoomChange::Dismissed(_) => "dismissed",
            RoomChange::Ended => "room_ended",
            RoomChange::VideoDelay(_) => "video_delay",
        },
        Record::Brake(BrakeRecord::Halted(_)) => "halted",
        Record::Brake(BrakeRecord::RatesSet(_)) => "rates_set",
        Record::Brake(BrakeRecord::Banned(_)) => "banned",
        Record::Brake(BrakeRecord::Lifted { .. }) => "lifted",
    }
}
