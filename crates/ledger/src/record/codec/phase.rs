//! The bytes of the records that begin a phase.

use crate::record::{
    bytes::{Reader, put_varint},
    error::RecordError,
    ordinal::Ordinal,
    phase::PhaseRecord,
};

pub(crate) fn encode(record: PhaseRecord, out: &mut Vec<u8>) {
    match record {
        PhaseRecord::Countdown { opens_at } => {
            out.push(Ordinal::Countdown.byte());
            put_varint(out, opens_at.get());
        }
        PhaseRecord::CountdownCancelled => out.push(Ordinal::CountdownCancelled.byte()),
        PhaseRecord::Opened => out.push(Ordinal::Opened.byte()),
        PhaseRecord::Paused => out.push(Ordinal::Paused.byte()),
        PhaseRecord::Resumed => out.push(Ordinal::Resumed.byte()),
        PhaseRecord::Closed => out.push(Ordinal::Closed.byte()),
        PhaseRecord::Settled => out.push(Ordinal::Settled.byte()),
        PhaseRecord::Cancelled => out.push(Ordinal::Cancelled.byte()),
    }
}

pub(crate) fn decode(
    ordinal: Ordinal,
    reader: &mut Reader<'_>,
) -> Result<PhaseRecord, RecordError> {
    Ok(match ordinal {
        Ordinal::Countdown => PhaseRecord::Countdown { opens_at: reader.time("opens_at")? },
        Ordinal::CountdownCancelled => PhaseRecord::CountdownCancelled,
        Ordinal::Opened => PhaseRecord::Opened,
        Ordinal::Paused => PhaseRecord::Paused,
        Ordinal::Resumed => PhaseRecord::Resumed,
        Ordinal::Closed => PhaseRecord::Closed,
        Ordinal::Settled => PhaseRecord::Settled,
        Ordinal::Cancelled => PhaseRecord::Cancelled,
        _ => return Err(reader.invalid("ordinal")),
    })
}
