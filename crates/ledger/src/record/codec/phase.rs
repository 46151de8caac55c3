//! The bytes of the records that begin a phase.

use crate::record::{bytes::put_varint, ordinal::Ordinal, phase::PhaseRecord};

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
