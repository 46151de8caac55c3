//! The bytes of what operations staff set about the brake.

use stampede_domain::{BanId, ChannelId, DurationMs, Rates, StreamId, limits::TEXT_ID_BYTES_MAX};

use crate::record::{
    brake::{BanRecord, BanScope, BrakeOrder, BrakePart, BrakeRecord, RatesSet},
    bytes::{Reader, put_option, put_text, put_varint},
    error::RecordError,
    ordinal::Ordinal,
};

pub(crate) fn encode(record: &BrakeRecord, out: &mut Vec<u8>) {
    match record {
        BrakeRecord::Halted(order) => encode_halted(order, out),
        BrakeRecord::RatesSet(set) => encode_rates(set, out),
        BrakeRecord::Banned(banned) => encode_banned(banned, out),
        BrakeRecord::Lifted { part, expired } => encode_lifted(*part, *expired, out),
    }
}

fn encode_halted(order: &BrakeOrder, out: &mut Vec<u8>) {
    out.push(Ordinal::Halted.byte());
    put_order(out, order);
}

fn encode_rates(set: &RatesSet, out: &mut Vec<u8>) {
    out.push(Ordinal::RatesSet.byte());
    let Rates { buys_per_s, hellos_per_s, tick_interval } = set.rates;
    let rates = [
        buys_per_s.map(u64::from),
        hellos_per_s.map(u64::from),
        tick_interval.map(DurationMs::get),
    ];
    for rate in rates {
        put_option(out, rate, put_varint);
    }
    put_order(out, &set.order);
}

fn encode_banned(banned: &BanRecord, out: &mut Vec<u8>) {
    out.push(Ordinal::Banned.byte());
    put_varint(out, u64::from(banned.ban.get()));
    match &banned.scope {
        BanScope::Viewer(viewer) => {
            out.push(0);
            out.extend_from_slice(&viewer.get().to_be_bytes());
        }
        BanScope::Addresses => out.push(1),
        BanScope::Channel { channel, stream } => {
            out.push(2);
            put_text(out, channel.as_str());
            put_option(out, stream.as_ref(), |out, stream| put_text(out, stream.as_str()));
        }
    }
    out.push(u8::from(banned.releases_holds));
    put_order(out, &banned.order);
}

fn encode_lifted(part: BrakePart, expired: bool, out: &mut Vec<u8>) {
    out.push(Ordinal::Lifted.byte());
    match part {
        BrakePart::Halt => out.push(0),
        BrakePart::Rates => out.push(1),
        BrakePart::Ban(ban) => {
            out.push(2);
            put_varint(out, u64::from(ban.get()));
        }
    }
    out.push(u8::from(expired));
}

fn put_order(out: &mut Vec<u8>, order: &BrakeOrder) {
    put_text(out, order.actor.as_str());
    put_text(out, order.reason.as_str());
    put_option(out, order.expires_at, |out, at| put_varint(out, at.get()));
}

pub(crate) fn decode(
    ordinal: Ordinal,
    reader: &mut Reader<'_>,
) -> Result<BrakeRecord, RecordError> {
    match ordinal {
        Ordinal::Halted => decode_halted(reader),
        Ordinal::RatesSet => decode_rates(reader),
        Ordinal::Banned => decode_banned(reader),
        Ordinal::Lifted => decode_lifted(reader),
        _ => Err(reader.invalid("ordinal")),
    }
}

fn decode_halted(reader: &mut Reader<'_>) -> Result<BrakeRecord, RecordError> {
    Ok(BrakeRecord::Halted(read_order(reader)?.into()))
}

fn decode_rates(reader: &mut Reader<'_>) -> Result<BrakeRecord, RecordError> {
    let rates = Rates {
        buys_per_s: reader.option("buys_per_s", |reader| reader.int("buys_per_s"))?,
        hellos_per_s: reader.option("hellos_per_s", |reader| reader.int("hellos_per_s"))?,
        tick_interval: reader.option("tick_interval", |reader| {
            reader.varint("tick_interval").map(DurationMs::new)
        })?,
    };
    if rates == Rates::NONE || rates.validate().is_err() {
        return Err(reader.invalid("rates"));
    }
    Ok(BrakeRecord::RatesSet(RatesSet { rates, order: read_order(reader)? }.into()))
}

fn decode_banned(reader: &mut Reader<'_>) -> Result<BrakeRecord, RecordError> {
    let ban = read_ban(reader)?;
    let scope = match reader.u8()? {
        0 => BanScope::Viewer(reader.viewer()?),
        1 => BanScope::Addresses,
        2 => {
            let channel = reader.str("channel", TEXT_ID_BYTES_MAX)?;
            let channel = ChannelId::new(channel).map_err(|_| reader.invalid("channel"))?;
            let stream = reader.option("stream", |reader| {
                let stream = reader.str("stream", TEXT_ID_BYTES_MAX)?;
                StreamId::new(stream).map_err(|_| reader.invalid("stream"))
            })?;
            BanScope::Channel { channel, stream }
        }
        _ => return Err(reader.invalid("scope")),
    };
    let releases_holds = read_flag(reader, "releases holds")?;
    let order = read_order(reader)?;
    Ok(BrakeRecord::Banned(BanRecord { ban, scope, releases_holds, order }.into()))
}

fn decode_lifted(reader: &mut Reader<'_>) -> Result<BrakeRecord, RecordError> {
    let part = match reader.u8()? {
        0 => BrakePart::Halt,
        1 => BrakePart::Rates,
        2 => BrakePart::Ban(read_ban(reader)?),
        _ => return Err(reader.invalid("part")),
    };
    Ok(BrakeRecord::Lifted { part, expired: read_flag(reader, "expired")? })
}

fn read_ban(reader: &mut Reader<'_>) -> Result<BanId, RecordError> {
    reader.int("ban").map(BanId::new)
}

fn read_flag(reader: &mut Reader<'_>, field: &'static str) -> Result<bool, RecordError> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(reader.invalid(field)),
    }
}

fn read_order(reader: &mut Reader<'_>) -> Result<BrakeOrder, RecordError> {
    Ok(BrakeOrder {
        actor: reader.text("actor")?,
        reason: reader.text("reason")?,
        expires_at: reader.option("expires_at", |reader| reader.time("expires_at"))?,
    })
}
