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
    }
}

pub(super) fn decode_withdrawn(reader: &mut Reader<'_>) -> Result<CorrectionRecord, RecordError> {
    Ok(CorrectionRecord::Withdrawn { pool: reader.pool()?, units: reader.units("units")? })
}
