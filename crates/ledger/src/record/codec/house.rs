//! The bytes of the house's own records.

use stampede_domain::{DurationMs, MerchantId, StreamId, limits::TEXT_ID_BYTES_MAX};

use crate::record::{
    Record,
    bytes::{Reader, put_text, put_varint},
    error::RecordError,
    house::{BootId, Heartbeat, Room, RoomChange, RoomOwner},
    ordinal::Ordinal,
};

pub(crate) fn encode_heartbeat(beat: &Heartbeat, out: &mut Vec<u8>) {
    out.push(Ordinal::Heartbeat.byte());
    put_varint(out, beat.wall.get());
    out.extend_from_slice(&beat.boot.to_bytes());
    put_varint(out, beat.since_boot.get());
}

pub(crate) fn encode_room(room: &Room, out: &mut Vec<u8>) {
    out.push(Ordinal::Room.byte());
    put_text(out, room.stream.as_str());
    match &room.change {
        RoomChange::Owner(owner) => {
            out.push(0);
            match owner {
                RoomOwner::House => out.push(0),
                RoomOwner::Merchant(merchant) => {
                    out.push(1);
                    put_text(out, merchant.as_str());
                }
                RoomOwner::Creator(account) => {
                    out.push(2);
                    put_text(out, account.as_str());
                }
            }
        }
        RoomChange::Admitted(merchant) => {
            out.push(1);
            put_text(out, merchant.as_str());
        }
        RoomChange::Dismissed(merchant) => {
            out.push(2);
            put_text(out, merchant.as_str());
        }
        RoomChange::Ended => out.push(3),
        RoomChange::VideoDelay(delay) => {
            out.push(4);
            put_varint(out, delay.get());
        }
        RoomChange::HostsAllowed(merchant) => {
            out.push(5);
            put_text(out, merchant.as_str());
        }
        RoomChange::HostsForbidden(merchant) => {
            out.push(6);
            put_text(out, merchant.as_str());
        }
    }
}

pub(crate) fn decode_heartbeat(reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let wall = reader.time("wall")?;
    let boot = BootId::from_bytes(reader.array()?);
    let since_boot = DurationMs::new(reader.varint("since_boot")?);
    Ok(Record::Heartbeat(Heartbeat { wall, boot, since_boot }.into()))
}

pub(crate) fn decode_room(reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let stream = reader.str("stream", TEXT_ID_BYTES_MAX)?;
    let stream = StreamId::new(stream).map_err(|_| reader.invalid("stream"))?;
    let change = match reader.u8()? {
        0 => RoomChange::Owner(match reader.u8()? {
            0 => RoomOwner::House,
            1 => RoomOwner::Merchant(read_merchant(reader)?),
            2 => RoomOwner::Creator(reader.text("account")?),
            _ => return Err(reader.invalid("owner")),
        }),
        1 => RoomChange::Admitted(read_merchant(reader)?),
        2 => RoomChange::Dismissed(read_merchant(reader)?),
        3 => RoomChange::Ended,
        // A limit of the delay binds what is asked for, never what was accepted once.
        4 => RoomChange::VideoDelay(DurationMs::new(reader.varint("video_delay")?)),
        5 => RoomChange::HostsAllowed(read_merchant(reader)?),
        6 => RoomChange::HostsForbidden(read_merchant(reader)?),
        _ => return Err(reader.invalid("change")),
    };
    Ok(Record::Room(Room { stream, change }.into()))
}

fn read_merchant(reader: &mut Reader<'_>) -> Result<MerchantId, RecordError> {
    let merchant = reader.str("merchant", TEXT_ID_BYTES_MAX)?;
    MerchantId::new(merchant).map_err(|_| reader.invalid("merchant"))
}
