//! The bytes of corrections.

use super::{
    super::{
        CorrectionRecord,
        bytes::{Reader, put_varint},
        error::RecordError,
    },
    Ordinal,
};

pub(super) fn encode(record: CorrectionRecord, out: &mut Vec<u8>) {
    match record {
        CorrectionRecord::Withdrawn { pool, units } => {
            out.extend_from_slice(&[Ordinal::Withdrawn.byte(), pool.get()]);
            put_varint(out, u64::from(units.get()));
        }
        CorrectionRecord::Reserved { pool, left } => {
            out.extend_from_slice(&[Ordinal::Reserved.byte(), pool.get()]);
            put_varint(out, u64::from(left.get()));
        }
    }
}

pub(super) fn decode_withdrawn(reader: &mut Reader<'_>) -> Result<CorrectionRecord, RecordError> {
    Ok(CorrectionRecord::Withdrawn { pool: reader.pool()?, units: reader.units("units")? })
}

pub(super) fn decode_reserved(reader: &mut Reader<'_>) -> Result<CorrectionRecord, RecordError> {
    Ok(CorrectionRecord::Reserved { pool: reader.pool()?, left: reader.units("left")? })
}
