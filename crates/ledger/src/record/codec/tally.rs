//! The bytes of tallies.

use stampede_domain::RefusalCode;

use crate::record::{
    Record,
    answer_times::AnswerTimes,
    bytes::{Reader, put_len, put_varint},
    error::RecordError,
    ordinal::Ordinal,
    tally::{RefusalCounts, Tally},
};

pub(crate) fn encode(tally: &Tally, out: &mut Vec<u8>) {
    let has_answers = tally.answers.total() > 0;
    let ordinal = if has_answers { Ordinal::TallyWithAnswers } else { Ordinal::Tally };
    out.push(ordinal.byte());
    put_varint(out, tally.held);
    put_varint(out, tally.retries);
    put_varint(out, tally.connected);
    put_len(out, tally.refusals.iter().count());
    for (code, times) in tally.refusals.iter() {
        out.push(code.ordinal());
        put_varint(out, times);
    }
    if has_answers {
        put_len(out, tally.answers.iter().count());
        for (bucket, times) in tally.answers.iter() {
            out.push(u8::try_from(bucket).expect("there are fewer than 256 buckets"));
            put_varint(out, times);
        }
    }
}

pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    Ok(Record::Tally(read(reader)?.into()))
}

pub(crate) fn decode_with_answers(reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let mut tally = read(reader)?;
    let count: usize = reader.int("buckets")?;
    let mut previous = None;
    for _ in 0..count {
        let bucket = usize::from(reader.u8()?);
        let times = reader.varint("times")?;
        if Some(bucket) <= previous || bucket >= AnswerTimes::BUCKETS || times == 0 {
            return Err(reader.invalid("buckets"));
        }
        tally.answers.add(bucket, times);
        previous = Some(bucket);
    }
    // A tally without answers has the other ordinal.
    if previous.is_none() {
        return Err(reader.invalid("buckets"));
    }
    Ok(Record::Tally(tally.into()))
}

fn read(reader: &mut Reader<'_>) -> Result<Tally, RecordError> {
    let held = reader.varint("held")?;
    let retries = reader.varint("retries")?;
    let connected = reader.varint("connected")?;
    let count: usize = reader.int("reasons")?;
    let mut refusals = RefusalCounts::default();
    let mut previous = None;
    for _ in 0..count {
        let code = RefusalCode::from_ordinal(reader.u8()?);
        let times = reader.varint("times")?;
        let ascends = code > previous;
        match code {
            Some(code) if ascends && times > 0 => refusals.add(code, times),
            _ => return Err(reader.invalid("reasons")),
        }
        previous = code;
    }
    Ok(Tally { held, retries, refusals, connected, answers: AnswerTimes::default() })
}
