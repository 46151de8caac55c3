//! The bytes of the records that begin a phase.

use stampede_domain::DropId;

use crate::record::{
    bytes::{Reader, put_varint},
    error::RecordError,
    ordinal::Ordinal,
    phase::{NoCopy, PhaseRecord, PlannedCopy},
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
        PhaseRecord::UndoBegun { copy } => {
            out.push(Ordinal::UndoBegun.byte());
            let drop = copy.drop().unwrap_or(DropId::HOUSE);
            put_varint(out, u64::from(drop.get()));
            out.extend(copy.why_none().map(NoCopy::byte));
        }
        PhaseRecord::Voided => out.push(Ordinal::DropVoided.byte()),
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
        Ordinal::UndoBegun => PhaseRecord::UndoBegun { copy: copy(reader)? },
        Ordinal::DropVoided => PhaseRecord::Voided,
        _ => return Err(reader.invalid("ordinal")),
    })
}

fn copy(reader: &mut Reader<'_>) -> Result<PlannedCopy, RecordError> {
    let drop = DropId::new(reader.int("copy")?);
    if drop.is_adjustments() {
        return Err(reader.invalid("copy"));
    }
    if drop != DropId::HOUSE {
        return Ok(PlannedCopy::Drop(drop));
    }
    let why = NoCopy::ALL.get(usize::from(reader.u8()?)).copied();
    why.map(PlannedCopy::None).ok_or_else(|| reader.invalid("why there is no copy"))
}
