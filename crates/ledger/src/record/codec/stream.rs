//! The bytes of the records of a stream going offline.

use crate::record::{bytes::put_varint, ordinal::Ordinal, stream::StreamRecord};

pub(crate) fn encode(record: StreamRecord, out: &mut Vec<u8>) {
    match record {
        StreamRecord::Offline { at } => {
            out.push(Ordinal::StreamOffline.byte());
            put_varint(out, at.get());
        }
        StreamRecord::Online => out.push(Ordinal::StreamOnline.byte()),
        StreamRecord::OfflineLapsed => out.push(Ordinal::OfflineLapsed.byte()),
    }
}
