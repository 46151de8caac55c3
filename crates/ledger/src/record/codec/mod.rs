//! The bytes of records within a journal row's body.
//!
//! A body is an 11-byte header, then records one after the other without padding; each begins with its
//! [`Ordinal`]. `docs/ledger.md` lists the fields.

mod brake;
mod correction;
mod hold;
mod house;
mod payment;
mod phase;
mod plan;
mod request;
mod stream;
mod tally;

use stampede_domain::{
    DropPlan, DurationMs, TakeNumber, UnixMillis,
    limits::{POOLS_PER_DROP_MAX, RECORD_BYTES_MAX, ROW_BYTES_MAX},
};

pub use super::ordinal::{BODY_VERSION, Ordinal};
use super::{
    Command, Record, RecordedOutcome, RecoveredDrop, RecoveredPool, StreamRecord,
    bytes::{Reader, put_len, put_text, put_varint},
    error::RecordError,
};

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
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = BODY_VERSION;
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
        Record::Hold(record) => hold::encode(record, out),
        Record::Planned { plan, revision } => encode_planned(plan, *revision, out),
        Record::Phase(record) => phase::encode(*record, out),
        Record::Lot { pool, units, lot } => {
            out.extend_from_slice(&[Ordinal::Lot.byte(), pool.get()]);
            put_varint(out, u64::from(units.get()));
            put_varint(out, u64::from(*lot));
        }
        Record::Stream(record) => stream::encode(*record, out),
        Record::Command(command) => encode_command(command, out),
        Record::Recovered(recovered) => encode_recovered(recovered, out),
        Record::Tally(counted) => tally::encode(counted, out),
        Record::Suspended { span, until } => {
            out.push(Ordinal::Suspended.byte());
            put_varint(out, span.get());
            put_varint(out, until.get());
        }
        Record::Featured => out.push(Ordinal::Featured.byte()),
        Record::Heartbeat(beat) => house::encode_heartbeat(beat, out),
        Record::Room(room) => house::encode_room(room, out),
        Record::Brake(record) => brake::encode(record, out),
        Record::Payment(record) => payment::encode(record, out),
        Record::Deadline(record) => payment::encode_deadline(*record, out),
        Record::Correction(record) => correction::encode(record, out),
        Record::Request(record) => request::encode(record, out),
        Record::Unmatched(unmatched) => payment::encode_unmatched(unmatched, out),
    }
}

fn encode_planned(terms: &DropPlan, revision: u32, out: &mut Vec<u8>) {
    let with_options = plan::has_options(terms);
    let ordinal = if with_options { Ordinal::PlannedWithOptions } else { Ordinal::Planned };
    out.push(ordinal.byte());
    put_varint(out, u64::from(revision));
    plan::encode(terms, out);
    if with_options {
        plan::encode_options(terms, out);
    }
}

fn encode_command(command: &Command, out: &mut Vec<u8>) {
    out.push(Ordinal::Command.byte());
    put_text(out, command.actor.as_str());
    put_text(out, command.role.as_str());
    put_text(out, command.action.as_str());
    out.extend_from_slice(&command.key.bits().to_be_bytes());
    out.extend_from_slice(&command.request.bits().to_be_bytes());
    put_text(out, command.reason.as_str());
    match &command.outcome {
        RecordedOutcome::Accepted => out.push(0),
        RecordedOutcome::Refused { code, text } => {
            out.push(1);
            put_text(out, code.as_str());
            put_text(out, text.as_str());
        }
    }
}

fn encode_recovered(recovered: &RecoveredDrop, out: &mut Vec<u8>) {
    out.push(Ordinal::Recovered.byte());
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
    let found = reader.u8()?;
    let ordinal = Ordinal::from_byte(found).ok_or(RecordError::Ordinal { found, offset })?;
    Ok(match ordinal {
        Ordinal::Planned | Ordinal::PlannedWithOptions => decode_planned(ordinal, reader)?,
        Ordinal::Countdown
        | Ordinal::CountdownCancelled
        | Ordinal::Opened
        | Ordinal::Paused
        | Ordinal::Resumed
        | Ordinal::Closed
        | Ordinal::Settled
        | Ordinal::Cancelled
        | Ordinal::UndoBegun
        | Ordinal::DropVoided => phase::decode(ordinal, reader)?.into(),
        Ordinal::Lot => decode_lot(reader)?,
        Ordinal::Taken
        | Ordinal::Confirmed
        | Ordinal::Released
        | Ordinal::Expired
        | Ordinal::TakenInChannel
        | Ordinal::ConfirmedInChannel => hold::decode(ordinal, reader)?.into(),
        Ordinal::Command => Record::Command(decode_command(reader)?.into()),
        Ordinal::Recovered => Record::Recovered(decode_recovered(reader)?.into()),
        Ordinal::Tally | Ordinal::TallyWithAnswers | Ordinal::TallyWithSources => {
            tally::decode(ordinal, reader)?
        }
        Ordinal::Halted | Ordinal::RatesSet | Ordinal::Banned | Ordinal::Lifted => {
            brake::decode(ordinal, reader)?.into()
        }
        Ordinal::StreamOffline => StreamRecord::Offline { at: reader.time("at")? }.into(),
        Ordinal::StreamOnline => StreamRecord::Online.into(),
        Ordinal::OfflineLapsed => StreamRecord::OfflineLapsed.into(),
        Ordinal::Heartbeat => house::decode_heartbeat(reader)?,
        Ordinal::Suspended => decode_suspended(reader)?,
        Ordinal::Featured => Record::Featured,
        Ordinal::Room => house::decode_room(reader)?,
        Ordinal::Charged
        | Ordinal::Referenced
        | Ordinal::PaymentBegun
        | Ordinal::Authorized
        | Ordinal::Paid
        | Ordinal::PaymentFailed
        | Ordinal::Voided
        | Ordinal::RefundDue
        | Ordinal::Refunded
        | Ordinal::ProviderAsked
        | Ordinal::ProviderDeclined
        | Ordinal::UnitsCancelled
        | Ordinal::Retaken => payment::decode(ordinal, reader)?,
        Ordinal::Stretched => payment::decode_stretched(reader)?.into(),
        Ordinal::Extended => payment::decode_extended(reader)?.into(),
        Ordinal::Withdrawn | Ordinal::Reserved | Ordinal::Amended | Ordinal::WindsDown => {
            correction::decode(ordinal, reader)?.into()
        }
        Ordinal::RequestAsked | Ordinal::RequestEnded => request::decode(ordinal, reader)?,
        Ordinal::PaymentUnmatched => payment::decode_unmatched(reader)?.into(),
        Ordinal::UnmatchedDone => payment::decode_unmatched_done(reader)?.into(),
    })
}

fn decode_planned(ordinal: Ordinal, reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let revision = reader.int("revision")?;
    let with_options = ordinal == Ordinal::PlannedWithOptions;
    let decode = if with_options { plan::decode_with_options } else { plan::decode };
    Ok(Record::Planned { revision, plan: decode(reader)?.into() })
}

fn decode_lot(reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let (pool, units) = (reader.pool()?, reader.units("units")?);
    Ok(Record::Lot { pool, units, lot: reader.int("lot")? })
}

fn decode_suspended(reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let span = DurationMs::new(reader.varint("span")?);
    Ok(Record::Suspended { span, until: reader.time("until")? })
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
            0 => RecordedOutcome::Accepted,
            1 => {
                RecordedOutcome::Refused { code: reader.text("code")?, text: reader.text("text")? }
            }
            _ => return Err(reader.invalid("outcome")),
        },
    })
}

fn decode_recovered(reader: &mut Reader<'_>) -> Result<RecoveredDrop, RecordError> {
    let outage = DurationMs::new(reader.varint("outage")?);
    let count: usize = reader.int("pools")?;
    if count > POOLS_PER_DROP_MAX {
        return Err(reader.invalid("pools"));
    }
    let mut pools = Vec::with_capacity(count);
    for _ in 0..count {
        let pool = reader.pool()?;
        let last_take = reader.take_number("last_take")?;
        pools.push(RecoveredPool { pool, last_take, lost: decode_lost(reader)? });
    }
    Ok(RecoveredDrop { outage, pools })
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

#[cfg(test)]
mod tests {
    use super::{super::PhaseRecord, *};

    #[test]
    fn only_what_reads_back_has_a_length() {
        assert_eq!(len_if_readable(&Record::Featured), Some(1));
        let at = UnixMillis::new(300);
        assert_eq!(len_if_readable(&PhaseRecord::Countdown { opens_at: at }.into()), Some(3));
        let broken = RecoveredDrop { outage: DurationMs::ZERO, pools: vec![twice_lost()] };
        assert_eq!(len_if_readable(&Record::Recovered(broken.into())), None);
    }

    /// A pool in which one number is lost twice, which no journal says.
    fn twice_lost() -> RecoveredPool {
        let lost = vec![TakeNumber::default().next().expect("1 is small"); 2];
        RecoveredPool { pool: stampede_domain::PoolIndex::default(), last_take: lost[0], lost }
    }
}
