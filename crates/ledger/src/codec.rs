//! The bytes of records within a journal row's body.
//!
//! A body is an 11-byte header, then records one after the other without padding:
//!
//! | header  | bytes | meaning |
//! |---------|-------|---------|
//! | version | 1     | [`BODY_VERSION`] |
//! | rows    | 2, LE | journal rows of the same commit, from 1 |
//! | at      | 8, LE | time of the commit, milliseconds since 1970-01-01 UTC |
//!
//! Each record is its ordinal (1 byte), then its fields:
//!
//! | ordinal | record               | fields |
//! |---------|----------------------|--------|
//! | 1       | `Planned`            | revision `v`, plan (below), where the plan has no options |
//! | 2       | `Countdown`          | `opens_at` `v` |
//! | 3       | `CountdownCancelled` | |
//! | 4       | `Opened`             | |
//! | 5       | `Paused`             | |
//! | 6       | `Resumed`            | |
//! | 7       | `Closed`             | |
//! | 8       | `Settled`            | |
//! | 9       | `Cancelled`          | |
//! | 10      | `Lot`                | pool `1`, units `v`, lot `v` |
//! | 11      | `Taken`              | hold `16`, viewer `8`, key `16`, units `v`, `taken_at` `v`, deadline − `taken_at` modulo 2^64 `v` |
//! | 12      | `Confirmed`          | hold `16`, viewer `8`, units `v`, amount `m` |
//! | 13      | `Released`           | hold `16`, units `v` |
//! | 14      | `Expired`            | hold `16`, units `v` |
//! | 15      | `Command`            | actor `t`, role `t`, action `t`, key `16`, request `16`, reason `t`, outcome: `0`, or `1` code `t` text `t` |
//! | 16      | `Recovered`          | outage `v`, pools `v` × (pool `1`, last take `v`, lost `v` × (number − previous number `v`)) |
//! | 17      | `Tally`              | held `v`, retries `v`, connected `v`, reasons `v` × (code `1`, times `v`) |
//! | 18      | `Halted`             | order `o` |
//! | 19      | `RatesSet`           | buys per second `?v`, hellos per second `?v`, tick interval `?v`, order `o` |
//! | 20      | `Banned`             | ban `v`, scope: `0` viewer `8`, or `1` (addresses), or `2` channel `t` stream `?t`; releases holds `0` or `1`, order `o` |
//! | 21      | `Lifted`             | part: `0` (halt), or `1` (rates), or `2` ban `v`; expired `0` or `1` |
//! | 22      | `Planned`            | revision `v`, plan, options (below), where the plan has any |
//! | 23      | `StreamOffline`      | at `v` |
//! | 24      | `StreamOnline`       | |
//! | 25      | `OfflineLapsed`      | |
//! | 26      | `Taken`              | the fields of 11, channel `t`; where there is a channel |
//! | 27      | `Confirmed`          | the fields of 12, channel `t`; where there is a channel |
//! | 28      | `Tally`              | the fields of 17, buckets `v` × (bucket `1`, times `v`); where there are answers |
//! | 29      | `Heartbeat`          | wall clock `v`, boot id `16`, since boot `v` |
//! | 30      | `Suspended`          | span `v`, until `v` |
//! | 31      | `Featured`           | |
//! | 32      | `Room`               | stream `t`, change: `0` owner (`0`, or `1` merchant `t`, or `2` account `t`), or `1` merchant `t` (admitted), or `2` merchant `t` (dismissed), or `3` (ended) |
//!
//! `v` is a varint: 7 bits per byte, lowest first, top bit set on all but the last byte, shortest
//! form only. `16` and `8` are big-endian, `1` is one byte. `t` is a length `v`, then UTF-8. `m` is
//! minor units `v`, then the currency's three letters. `?` stands before what may be absent: `0`, or
//! `1` and the value. `o` is actor `t`, reason `t`, end in milliseconds since 1970 `?v`. A plan's bytes are listed in
//! `plan_codec.rs`. Ordinals and fields never change their meaning: another layout is another
//! version.

use stampede_domain::{
    DropPlan, DurationMs, PoolIndex, TakeNumber, UnixMillis, ViewerNumber,
    limits::{POOLS_PER_DROP_MAX, RECORD_BYTES_MAX, ROW_BYTES_MAX},
};

pub use crate::record_error::RecordError;
use crate::{
    Command, Outcome, Record, Recovered, RecoveredPool, brake_codec,
    bytes::{Reader, put_len, put_text, put_varint},
    house_codec, plan_codec, take_codec, tally_codec,
};

/// The version of the body's layout.
pub const BODY_VERSION: u8 = 1;
/// Bytes in front of the first record.
pub const HEADER_BYTES: usize = 11;

/// What stands in front of the records of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyHeader {
    /// Journal rows of the same commit, from 1.
    pub rows: u16,
    /// Time of the commit.
    pub at: UnixMillis,
}

impl BodyHeader {
    /// The bytes in front of the first record.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [BODY_VERSION; HEADER_BYTES];
        bytes[1..3].copy_from_slice(&self.rows.to_le_bytes());
        bytes[3..].copy_from_slice(&self.at.get().to_le_bytes());
        bytes
    }
}

/// Reads a body's header, which leaves an iterator over its records.
///
/// # Errors
/// [`RecordError::Version`], [`RecordError::Truncated`], [`RecordError::Invalid`] for zero rows,
/// [`RecordError::TooLong`].
pub fn body(bytes: &[u8]) -> Result<(BodyHeader, Records<'_>), RecordError> {
    if bytes.len() > ROW_BYTES_MAX {
        return Err(RecordError::TooLong { bytes: bytes.len(), max: ROW_BYTES_MAX });
    }
    let mut reader = Reader::new(bytes);
    let found = reader.u8()?;
    if found != BODY_VERSION {
        return Err(RecordError::Version { found });
    }
    let rows = u16::from_le_bytes(reader.array()?);
    if rows == 0 {
        return Err(reader.invalid("rows"));
    }
    let at = UnixMillis::new(u64::from_le_bytes(reader.array()?));
    Ok((BodyHeader { rows, at }, Records { reader, failed: None, done: false }))
}

/// The records of a body. A broken header is the first and only item.
pub fn records(bytes: &[u8]) -> Records<'_> {
    match body(bytes) {
        Ok((_, records)) => records,
        Err(error) => Records { reader: Reader::new(&[]), failed: Some(error), done: false },
    }
}

/// Iterator over the records of a body; ends after the first error.
pub struct Records<'a> {
    reader: Reader<'a>,
    failed: Option<RecordError>,
    done: bool,
}

impl Iterator for Records<'_> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            self.done = true;
            return Some(Err(error));
        }
        if self.done || self.reader.is_at_end() {
            return None;
        }
        let start = self.reader.offset();
        let read = decode(&mut self.reader).and_then(|record| {
            let bytes = self.reader.offset() - start;
            let max = RECORD_BYTES_MAX;
            if bytes > max { Err(RecordError::TooLong { bytes, max }) } else { Ok(record) }
        });
        self.done = read.is_err();
        Some(read)
    }
}

impl std::iter::FusedIterator for Records<'_> {}

/// Appends one record.
pub fn encode(record: &Record, out: &mut Vec<u8>) {
    match record {
        Record::Taken { .. } | Record::Confirmed { .. } => take_codec::encode(record, out),
        Record::Released { hold, units } | Record::Expired { hold, units } => {
            out.push(if matches!(record, Record::Released { .. }) { 13 } else { 14 });
            out.extend_from_slice(&hold.to_bytes());
            put_varint(out, u64::from(units.get()));
        }
        Record::Planned { plan, revision } => encode_planned(plan, *revision, out),
        Record::Countdown { opens_at } => {
            out.push(2);
            put_varint(out, opens_at.get());
        }
        Record::CountdownCancelled => out.push(3),
        Record::Opened => out.push(4),
        Record::Paused => out.push(5),
        Record::Resumed => out.push(6),
        Record::Closed => out.push(7),
        Record::Settled => out.push(8),
        Record::Cancelled => out.push(9),
        Record::Lot { pool, units, lot } => {
            out.extend_from_slice(&[10, pool.get()]);
            put_varint(out, u64::from(units.get()));
            put_varint(out, u64::from(*lot));
        }
        Record::StreamOffline { at } => {
            out.push(23);
            put_varint(out, at.get());
        }
        Record::StreamOnline => out.push(24),
        Record::OfflineLapsed => out.push(25),
        Record::Command(command) => encode_command(command, out),
        Record::Recovered(recovered) => encode_recovered(recovered, out),
        Record::Tally(tally) => tally_codec::encode(tally, out),
        Record::Heartbeat(beat) => house_codec::encode_heartbeat(beat, out),
        Record::Suspended { span, until } => house_codec::encode_suspended(*span, *until, out),
        Record::Featured => out.push(31),
        Record::Room(room) => house_codec::encode_room(room, out),
        Record::Halted(_) | Record::RatesSet(_) | Record::Banned(_) | Record::Lifted { .. } => {
            brake_codec::encode(record, out);
        }
    }
}

fn encode_planned(plan: &DropPlan, revision: u32, out: &mut Vec<u8>) {
    let options = plan_codec::has_options(plan);
    out.push(if options { 22 } else { 1 });
    put_varint(out, u64::from(revision));
    plan_codec::encode(plan, out);
    if options {
        plan_codec::encode_options(plan, out);
    }
}

fn encode_command(command: &Command, out: &mut Vec<u8>) {
    out.push(15);
    put_text(out, command.actor.as_str());
    put_text(out, command.role.as_str());
    put_text(out, command.action.as_str());
    out.extend_from_slice(&command.key.bits().to_be_bytes());
    out.extend_from_slice(&command.request.bits().to_be_bytes());
    put_text(out, command.reason.as_str());
    match &command.outcome {
        Outcome::Accepted => out.push(0),
        Outcome::Refused { code, text } => {
            out.push(1);
            put_text(out, code.as_str());
            put_text(out, text.as_str());
        }
    }
}

fn encode_recovered(recovered: &Recovered, out: &mut Vec<u8>) {
    out.push(16);
    put_varint(out, recovered.outage.get());
    put_len(out, recovered.pools.len());
    for pool in &recovered.pools {
        out.push(pool.pool.get());
        put_varint(out, pool.last_take.get());
        put_len(out, pool.lost.len());
        let mut previous = 0;
        for number in &pool.lost {
            put_varint(out, number.get().wrapping_sub(previous));
            previous = number.get();
        }
    }
}

fn decode(reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let offset = reader.offset();
    Ok(match reader.u8()? {
        1 => Record::Planned {
            revision: reader.int("revision")?,
            plan: plan_codec::decode(reader)?.into(),
        },
        2 => Record::Countdown { opens_at: reader.time("opens_at")? },
        3 => Record::CountdownCancelled,
        4 => Record::Opened,
        5 => Record::Paused,
        6 => Record::Resumed,
        7 => Record::Closed,
        8 => Record::Settled,
        9 => Record::Cancelled,
        10 => Record::Lot {
            pool: decode_pool(reader)?,
            units: reader.units("units")?,
            lot: reader.int("lot")?,
        },
        take_codec::TAKEN => take_codec::decode_taken(reader)?,
        take_codec::CONFIRMED => take_codec::decode_confirmed(reader)?,
        13 => Record::Released { hold: reader.hold()?, units: reader.units("units")? },
        14 => Record::Expired { hold: reader.hold()?, units: reader.units("units")? },
        15 => Record::Command(decode_command(reader)?.into()),
        16 => Record::Recovered(decode_recovered(reader)?.into()),
        tally_codec::TALLY => tally_codec::decode(reader)?,
        brake_codec::HALTED => brake_codec::decode_halted(reader)?,
        brake_codec::RATES_SET => brake_codec::decode_rates(reader)?,
        brake_codec::BANNED => brake_codec::decode_banned(reader)?,
        brake_codec::LIFTED => brake_codec::decode_lifted(reader)?,
        22 => Record::Planned {
            revision: reader.int("revision")?,
            plan: plan_codec::decode_with_options(reader)?.into(),
        },
        23 => Record::StreamOffline { at: reader.time("at")? },
        24 => Record::StreamOnline,
        25 => Record::OfflineLapsed,
        take_codec::TAKEN_IN_CHANNEL => take_codec::decode_taken_in_channel(reader)?,
        take_codec::CONFIRMED_IN_CHANNEL => take_codec::decode_confirmed_in_channel(reader)?,
        tally_codec::TALLY_WITH_ANSWERS => tally_codec::decode_with_answers(reader)?,
        house_codec::HEARTBEAT => house_codec::decode_heartbeat(reader)?,
        house_codec::SUSPENDED => house_codec::decode_suspended(reader)?,
        31 => Record::Featured,
        house_codec::ROOM => house_codec::decode_room(reader)?,
        found => return Err(RecordError::Ordinal { found, offset }),
    })
}

pub(crate) fn decode_viewer(reader: &mut Reader<'_>) -> Result<ViewerNumber, RecordError> {
    let number = u64::from_be_bytes(reader.array()?);
    Ok(ViewerNumber::new(number).expect("a viewer number has 64 bits"))
}

fn decode_pool(reader: &mut Reader<'_>) -> Result<PoolIndex, RecordError> {
    Ok(PoolIndex::new(reader.u8()?).expect("a pool index has 8 bits"))
}

fn decode_command(reader: &mut Reader<'_>) -> Result<Command, RecordError> {
    Ok(Command {
        actor: reader.text("actor")?,
        role: reader.text("role")?,
        action: reader.text("action")?,
        key: reader.fingerprint()?,
        request: reader.fingerprint()?,
        reason: reader.text("reason")?,
        outcome: match reader.u8()? {
            0 => Outcome::Accepted,
            1 => Outcome::Refused { code: reader.text("code")?, text: reader.text("text")? },
            _ => return Err(reader.invalid("outcome")),
        },
    })
}

fn decode_recovered(reader: &mut Reader<'_>) -> Result<Recovered, RecordError> {
    let outage = DurationMs::new(reader.varint("outage")?);
    let count: usize = reader.int("pools")?;
    if count > POOLS_PER_DROP_MAX {
        return Err(reader.invalid("pools"));
    }
    let mut pools = Vec::with_capacity(count);
    for _ in 0..count {
        let pool = decode_pool(reader)?;
        let last_take = reader.take_number("last_take")?;
        pools.push(RecoveredPool { pool, last_take, lost: decode_lost(reader)? });
    }
    Ok(Recovered { outage, pools })
}

fn decode_lost(reader: &mut Reader<'_>) -> Result<Vec<TakeNumber>, RecordError> {
    let count: usize = reader.int("lost")?;
    // Each number needs a byte, so a count beyond the bytes is refused before memory is asked for.
    if count > reader.remaining() {
        return Err(reader.invalid("lost"));
    }
    let mut lost = Vec::with_capacity(count);
    let mut previous = 0_u64;
    for _ in 0..count {
        let step = reader.varint("lost")?;
        let number = previous.checked_add(step).filter(|_| step > 0).and_then(TakeNumber::new);
        let number = number.ok_or_else(|| reader.invalid("lost"))?;
        previous = number.get();
        lost.push(number);
    }
    Ok(lost)
}

/// Bytes of a record, if it survives them: nothing unreadable gets into the journal.
pub(crate) fn len_if_readable(record: &Record) -> Option<usize> {
    let mut bytes = BodyHeader { rows: 1, at: UnixMillis::default() }.to_bytes().to_vec();
    encode(record, &mut bytes);
    let mut read = records(&bytes);
    let reads_back = matches!(read.next(), Some(Ok(found)) if found == *record);
    (reads_back && read.next().is_none()).then_some(bytes.len() - HEADER_BYTES)
}
