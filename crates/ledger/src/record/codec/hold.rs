//! The bytes of takes with the ends of their holds.

use stampede_domain::{ChannelId, HoldId, Units, UnixMillis, limits::TEXT_ID_BYTES_MAX};

use crate::record::{
    bytes::{Reader, put_money, put_text, put_varint},
    error::RecordError,
    hold::HoldRecord,
    ordinal::Ordinal,
};

pub(crate) fn encode(record: &HoldRecord, out: &mut Vec<u8>) {
    match record {
        HoldRecord::Taken { hold, viewer, key, units, taken_at, deadline, channel } => {
            let with_channel = channel.is_some();
            let ordinal = if with_channel { Ordinal::TakenInChannel } else { Ordinal::Taken };
            let mut fixed = [0; 41];
            fixed[0] = ordinal.byte();
            fixed[1..17].copy_from_slice(&hold.to_bytes());
            fixed[17..25].copy_from_slice(&viewer.get().to_be_bytes());
            fixed[25..].copy_from_slice(&key.bits().to_be_bytes());
            out.extend_from_slice(&fixed);
            put_varint(out, u64::from(units.get()));
            put_varint(out, taken_at.get());
            put_varint(out, deadline.get().wrapping_sub(taken_at.get()));
            put_channel(out, channel.as_ref());
        }
        HoldRecord::Confirmed { hold, viewer, units, amount, channel } => {
            let with_channel = channel.is_some();
            let ordinal =
                if with_channel { Ordinal::ConfirmedInChannel } else { Ordinal::Confirmed };
            out.push(ordinal.byte());
            out.extend_from_slice(&hold.to_bytes());
            out.extend_from_slice(&viewer.get().to_be_bytes());
            put_varint(out, u64::from(units.get()));
            put_money(out, *amount);
            put_channel(out, channel.as_ref());
        }
        HoldRecord::Released { hold, units } => encode_end(Ordinal::Released, *hold, *units, out),
        HoldRecord::Expired { hold, units } => encode_end(Ordinal::Expired, *hold, *units, out),
    }
}

/// The ordinal tells whether a channel follows.
fn put_channel(out: &mut Vec<u8>, channel: Option<&ChannelId>) {
    if let Some(channel) = channel {
        put_text(out, channel.as_str());
    }
}

/// A hold that gives its units back.
fn encode_end(ordinal: Ordinal, hold: HoldId, units: Units, out: &mut Vec<u8>) {
    out.push(ordinal.byte());
    out.extend_from_slice(&hold.to_bytes());
    put_varint(out, u64::from(units.get()));
}

pub(crate) fn decode(ordinal: Ordinal, reader: &mut Reader<'_>) -> Result<HoldRecord, RecordError> {
    match ordinal {
        Ordinal::Taken => decode_taken(reader),
        Ordinal::TakenInChannel => decode_taken_in_channel(reader),
        Ordinal::Confirmed => decode_confirmed(reader),
        Ordinal::ConfirmedInChannel => decode_confirmed_in_channel(reader),
        Ordinal::Released => {
            Ok(HoldRecord::Released { hold: reader.hold()?, units: reader.units("units")? })
        }
        Ordinal::Expired => {
            Ok(HoldRecord::Expired { hold: reader.hold()?, units: reader.units("units")? })
        }
        _ => Err(reader.invalid("ordinal")),
    }
}

fn decode_taken(reader: &mut Reader<'_>) -> Result<HoldRecord, RecordError> {
    let hold = reader.hold()?;
    let viewer = reader.viewer()?;
    let key = reader.fingerprint()?;
    let units = reader.units("units")?;
    let taken_at = reader.time("taken_at")?;
    let ttl_ms = reader.varint("deadline")?;
    let deadline = UnixMillis::new(taken_at.get().wrapping_add(ttl_ms));
    Ok(HoldRecord::Taken { hold, viewer, key, units, taken_at, deadline, channel: None })
}

fn decode_taken_in_channel(reader: &mut Reader<'_>) -> Result<HoldRecord, RecordError> {
    let mut record = decode_taken(reader)?;
    if let HoldRecord::Taken { channel, .. } = &mut record {
        *channel = Some(read_channel(reader)?);
    }
    Ok(record)
}

fn decode_confirmed(reader: &mut Reader<'_>) -> Result<HoldRecord, RecordError> {
    Ok(HoldRecord::Confirmed {
        hold: reader.hold()?,
        viewer: reader.viewer()?,
        units: reader.units("units")?,
        amount: reader.money("amount")?,
        channel: None,
    })
}

fn decode_confirmed_in_channel(reader: &mut Reader<'_>) -> Result<HoldRecord, RecordError> {
    let mut record = decode_confirmed(reader)?;
    if let HoldRecord::Confirmed { channel, .. } = &mut record {
        *channel = Some(read_channel(reader)?);
    }
    Ok(record)
}

fn read_channel(reader: &mut Reader<'_>) -> Result<ChannelId, RecordError> {
    let channel = reader.str("channel", TEXT_ID_BYTES_MAX)?;
    ChannelId::new(channel).map_err(|_| reader.invalid("channel"))
}
