//! The bytes of requests for more units.

use super::{
    super::{
        Record, RequestAsked, RequestEnd, RequestEnded, RequestRecord, Signature,
        bytes::{Reader, put_text, put_varint},
        error::RecordError,
    },
    Ordinal,
};

const GRANTED: u8 = 0;
const DECLINED: u8 = 1;
const WITHDRAWN: u8 = 2;

pub(super) fn encode(record: &RequestRecord, out: &mut Vec<u8>) {
    match record {
        RequestRecord::Asked(asked) => {
            let RequestAsked { number, pool, units, reserve, by } = &**asked;
            out.push(Ordinal::RequestAsked.byte());
            put_varint(out, u64::from(*number));
            out.push(pool.get());
            put_varint(out, u64::from(units.get()));
            put_varint(out, u64::from(reserve.get()));
            put_signature(out, by);
        }
        RequestRecord::Ended(ended) => {
            let RequestEnded { number, pool, units, end, by } = &**ended;
            out.push(Ordinal::RequestEnded.byte());
            put_varint(out, u64::from(*number));
            out.push(pool.get());
            put_varint(out, u64::from(units.get()));
            match end {
                RequestEnd::Granted { lot } => {
                    out.push(GRANTED);
                    put_varint(out, u64::from(*lot));
                }
                RequestEnd::Declined => out.push(DECLINED),
                RequestEnd::Withdrawn => out.push(WITHDRAWN),
            }
            put_signature(out, by);
        }
    }
}

fn put_signature(out: &mut Vec<u8>, by: &Signature) {
    put_text(out, by.actor.as_str());
    put_text(out, by.reason.as_str());
    put_varint(out, by.at.get());
}

pub(super) fn decode(ordinal: Ordinal, reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let number = reader.int("number")?;
    let (pool, units) = (reader.pool()?, reader.units("units")?);
    Ok(match ordinal {
        Ordinal::RequestAsked => {
            let reserve = reader.units("reserve")?;
            let by = read_signature(reader)?;
            RequestAsked { number, pool, units, reserve, by }.into()
        }
        Ordinal::RequestEnded => {
            let end = match reader.u8()? {
                GRANTED => RequestEnd::Granted { lot: reader.int("lot")? },
                DECLINED => RequestEnd::Declined,
                WITHDRAWN => RequestEnd::Withdrawn,
                _ => return Err(reader.invalid("end")),
            };
            let by = read_signature(reader)?;
            RequestEnded { number, pool, units, end, by }.into()
        }
        other => unreachable!("{other:?} is none of these"),
    })
}

fn read_signature(reader: &mut Reader<'_>) -> Result<Signature, RecordError> {
    Ok(Signature {
        actor: reader.text("actor")?,
        reason: reader.text("reason")?,
        at: reader.time("at")?,
    })
}
