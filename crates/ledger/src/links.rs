//! The blob that ties viewer numbers to the platform's ids, one per commit.
//!
//! Version (1 byte), then for each link: number (8 bytes, big-endian), length of the id (1 byte),
//! the id. It lies outside the chain, so that a link can be erased without breaking it.

use stampede_domain::{ViewerId, ViewerNumber, limits::TEXT_ID_BYTES_MAX};

use crate::{RecordError, ViewerLink, bytes::Reader};

/// The version of the blob's layout.
pub const LINKS_VERSION: u8 = 1;
/// Bytes of one link at most.
pub(crate) const LINK_BYTES_MAX: usize = 9 + TEXT_ID_BYTES_MAX;

/// Appends one link, with the version in front of the first.
pub(crate) fn encode(link: &ViewerLink, out: &mut Vec<u8>) {
    if out.is_empty() {
        out.push(LINKS_VERSION);
    }
    let id = link.id.as_str().as_bytes();
    out.extend_from_slice(&link.number.get().to_be_bytes());
    out.push(u8::try_from(id.len()).expect("a text id has at most 64 bytes"));
    out.extend_from_slice(id);
}

/// Reads a blob.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode(bytes: &[u8]) -> Result<Vec<ViewerLink>, RecordError> {
    let mut reader = Reader::new(bytes);
    let found = reader.u8()?;
    if found != LINKS_VERSION {
        return Err(RecordError::Version { found });
    }
    let mut links = Vec::new();
    while !reader.is_at_end() {
        let number = u64::from_be_bytes(reader.array()?);
        let number = ViewerNumber::new(number).expect("a viewer number has 64 bits");
        let id = reader.str("viewer id", TEXT_ID_BYTES_MAX)?;
        let id = ViewerId::new(id).map_err(|_| reader.invalid("viewer id"))?;
        links.push(ViewerLink { number, id });
    }
    Ok(links)
}
