//! The bytes of corrections.

use stampede_domain::{
    Amendment, NewEnd, ViewerLimits,
    limits::{POOLS_PER_DROP_MAX, SKUS_PER_DROP_MAX},
};

use super::{
    super::{
        Amended, CorrectionRecord,
        bytes::{Reader, put_len, put_option, put_varint},
        error::RecordError,
    },
    Ordinal,
};

const SAME_END: u8 = 0;
const NO_END: u8 = 1;
const END_AT: u8 = 2;

pub(super) fn encode(record: &CorrectionRecord, out: &mut Vec<u8>) {
    match record {
        CorrectionRecord::Withdrawn { pool, units } => {
            out.extend_from_slice(&[Ordinal::Withdrawn.byte(), pool.get()]);
            put_varint(out, u64::from(units.get()));
        }
        CorrectionRecord::Reserved { pool, left } => {
            out.extend_from_slice(&[Ordinal::Reserved.byte(), pool.get()]);
            put_varint(out, u64::from(left.get()));
        }
        CorrectionRecord::Amended(amended) => {
            out.push(Ordinal::Amended.byte());
            encode_amended(amended, out);
        }
        CorrectionRecord::WindsDown { until } => {
            out.push(Ordinal::WindsDown.byte());
            put_varint(out, until.get());
        }
    }
}

fn encode_amended(amended: &Amended, out: &mut Vec<u8>) {
    let Amended { amendment: Amendment { limits, end }, last_takes } = amended;
    put_option(out, limits.as_ref(), |out, limits| {
        put_varint(out, u64::from(limits.of_drop.get()));
        put_len(out, limits.of_skus.len());
        for limit in &limits.of_skus {
            put_varint(out, u64::from(limit.get()));
        }
        put_len(out, last_takes.len());
        for take in last_takes {
            put_varint(out, take.get());
        }
    });
    match end {
        None => out.push(SAME_END),
        Some(NewEnd::Never) => out.push(NO_END),
        Some(NewEnd::At(at)) => {
            out.push(END_AT);
            put_varint(out, at.get());
        }
    }
}

pub(super) fn decode(
    ordinal: Ordinal,
    reader: &mut Reader<'_>,
) -> Result<CorrectionRecord, RecordError> {
    Ok(match ordinal {
        Ordinal::Withdrawn => {
            CorrectionRecord::Withdrawn { pool: reader.pool()?, units: reader.units("units")? }
        }
        Ordinal::Reserved => {
            CorrectionRecord::Reserved { pool: reader.pool()?, left: reader.units("left")? }
        }
        Ordinal::Amended => CorrectionRecord::Amended(Box::new(decode_amended(reader)?)),
        Ordinal::WindsDown => CorrectionRecord::WindsDown { until: reader.time("until")? },
        other => unreachable!("{other:?} is none of these"),
    })
}

fn decode_amended(reader: &mut Reader<'_>) -> Result<Amended, RecordError> {
    let mut last_takes = Vec::new();
    let limits = reader.option("limits", |reader| {
        let of_drop = reader.units("limit_per_viewer")?;
        let count = count(reader, "skus", SKUS_PER_DROP_MAX)?;
        let mut of_skus = Vec::with_capacity(count);
        for _ in 0..count {
            of_skus.push(reader.units("sku.limit_per_viewer")?);
        }
        for _ in 0..self::count(reader, "pools", POOLS_PER_DROP_MAX)? {
            last_takes.push(reader.take_number("last_take")?);
        }
        let limits = ViewerLimits { of_drop, of_skus };
        limits.check().map(|()| limits).map_err(|_| reader.invalid("limits"))
    })?;
    let end = match reader.u8()? {
        SAME_END if limits.is_some() => None,
        NO_END => Some(NewEnd::Never),
        END_AT => Some(NewEnd::At(reader.time("ends_at")?)),
        _ => return Err(reader.invalid("end")),
    };
    let amendment = Amendment { limits, end };
    Ok(Amended { amendment, last_takes })
}

fn count(reader: &mut Reader<'_>, field: &'static str, max: usize) -> Result<usize, RecordError> {
    let count = reader.int(field)?;
    if count > max { Err(reader.invalid(field)) } else { Ok(count) }
}
