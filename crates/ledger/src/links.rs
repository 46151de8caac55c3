//! The blob that holds what is personal about the records of a commit.
//!
//! Version (1 byte), then the links one after the other:
//!
//! | link      | bytes |
//! |-----------|-------|
//! | viewer    | number (8, big-endian), length of the platform's id (1, from 1), the id |
//! | addresses | number of the ban (8, big-endian), `0` (1), family `4` or `6` (1), first address (4 or 16), prefix (1) |
//!
//! It lies outside the chain, so that a link can be erased without breaking it. Version 1 had no
//! addresses and is read as well.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use stampede_domain::{AddressRange, BanId, ViewerId, ViewerNumber, limits::VIEWER_ID_BYTES_MAX};

use crate::record::{RecordError, bytes::Reader};

/// The version of the blob's layout.
pub const LINKS_VERSION: u8 = 2;
/// The version without addresses.
const VIEWERS_ONLY: u8 = 1;
/// Bytes of one link at most.
pub(crate) const LINK_BYTES_MAX: usize = 10 + VIEWER_ID_BYTES_MAX;

/// What ties a viewer's number in records to the platform's id; kept outside the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewerLink {
    /// The number in records.
    pub number: ViewerNumber,
    /// The platform's id.
    pub id: ViewerId,
}

/// What ties a ban to the addresses that it keeps out; kept outside the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressLink {
    /// The ban.
    pub ban: BanId,
    /// The addresses.
    pub range: AddressRange,
}

/// Something personal that belongs to a record and is written beside the chain, in the same commit.
#[derive(Clone, Debug)]
pub enum Link {
    /// A viewer's id.
    Viewer(Arc<ViewerLink>),
    /// A ban's addresses.
    Addresses(AddressLink),
}

/// What blobs hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Viewers by number, in the order of the blob.
    pub viewers: Vec<ViewerLink>,
    /// Addresses by ban, in the order of the blob.
    pub addresses: Vec<AddressLink>,
}

impl Links {
    /// Adds those of another blob.
    pub fn append(&mut self, mut other: Self) {
        self.viewers.append(&mut other.viewers);
        self.addresses.append(&mut other.addresses);
    }
}

/// Appends one link, with the version in front of the first.
pub(crate) fn encode(link: &Link, out: &mut Vec<u8>) {
    if out.is_empty() {
        out.push(LINKS_VERSION);
    }
    match link {
        Link::Viewer(link) => {
            let id = link.id.as_str().as_bytes();
            out.extend_from_slice(&link.number.get().to_be_bytes());
            out.push(u8::try_from(id.len()).expect("a viewer's id has at most 128 bytes"));
            out.extend_from_slice(id);
        }
        Link::Addresses(AddressLink { ban, range }) => {
            out.extend_from_slice(&u64::from(ban.get()).to_be_bytes());
            out.push(0);
            match range.first() {
                IpAddr::V4(first) => {
                    out.push(4);
                    out.extend_from_slice(&first.octets());
                }
                IpAddr::V6(first) => {
                    out.push(6);
                    out.extend_from_slice(&first.octets());
                }
            }
            out.push(range.prefix());
        }
    }
}

/// Reads a blob.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode(bytes: &[u8]) -> Result<Links, RecordError> {
    let mut reader = Reader::new(bytes);
    let version = reader.u8()?;
    if !matches!(version, VIEWERS_ONLY | LINKS_VERSION) {
        return Err(RecordError::Version { found: version });
    }
    let mut links = Links::default();
    while !reader.is_at_end() {
        let number = u64::from_be_bytes(reader.array()?);
        let id = reader.short_str("viewer id", VIEWER_ID_BYTES_MAX)?;
        if id.is_empty() && version == LINKS_VERSION {
            links.addresses.push(addresses(number, &mut reader)?);
            continue;
        }
        let number = ViewerNumber::new(number).expect("a viewer number has 64 bits");
        let id = ViewerId::recorded(id).map_err(|_| reader.invalid("viewer id"))?;
        links.viewers.push(ViewerLink { number, id });
    }
    Ok(links)
}

fn addresses(number: u64, reader: &mut Reader<'_>) -> Result<AddressLink, RecordError> {
    let number = u32::try_from(number).map_err(|_| reader.invalid("ban"))?;
    let first: IpAddr = match reader.u8()? {
        4 => Ipv4Addr::from(reader.array::<4>()?).into(),
        6 => Ipv6Addr::from(reader.array::<16>()?).into(),
        _ => return Err(reader.invalid("address family")),
    };
    let prefix = reader.u8()?;
    let range = AddressRange::new(first, prefix).filter(|range| range.first() == first);
    let range = range.ok_or_else(|| reader.invalid("address range"))?;
    Ok(AddressLink { ban: BanId::new(number), range })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer() -> ViewerLink {
        ViewerLink { number: ViewerNumber::new(7).unwrap(), id: "v7".parse().unwrap() }
    }

    #[test]
    fn both_kinds_of_links_are_read_back() {
        let mut bytes = Vec::new();
        encode(&Link::Viewer(Arc::new(viewer())), &mut bytes);
        let ranges = ["198.51.100.0/24", "2001:db8::/32", "0.0.0.0/0"];
        let addresses: Vec<AddressLink> = (1..)
            .zip(ranges)
            .map(|(ban, range)| AddressLink { ban: BanId::new(ban), range: range.parse().unwrap() })
            .collect();
        for link in &addresses {
            encode(&Link::Addresses(*link), &mut bytes);
        }
        assert_eq!(decode(&bytes), Ok(Links { viewers: vec![viewer()], addresses }));
        for end in 0..bytes.len() {
            // A cut between two links leaves a shorter blob, any other is refused.
            if let Ok(links) = decode(&bytes[..end]) {
                assert!(links.viewers.len() + links.addresses.len() < 4);
            }
        }
    }

    #[test]
    fn a_viewer_whom_no_rule_would_let_in_today_is_read() {
        let bytes = [2, 0, 0, 0, 0, 0, 0, 0, 7, 5, b'v', 0xE2, 0x80, 0x8F, b'7'];
        assert_eq!(decode(&bytes).unwrap().viewers[0].id.as_str(), "v\u{200F}7");
    }

    #[test]
    fn an_id_of_every_length_is_read_back() {
        for bytes_count in 1..=VIEWER_ID_BYTES_MAX {
            let id = ViewerId::new(&"v".repeat(bytes_count)).unwrap();
            let link = ViewerLink { id, ..viewer() };
            let mut bytes = Vec::new();
            for _ in 0..2 {
                encode(&Link::Viewer(Arc::new(link.clone())), &mut bytes);
            }
            let viewers = vec![link.clone(), link];
            assert_eq!(decode(&bytes), Ok(Links { viewers, addresses: Vec::new() }));
        }
    }

    #[test]
    fn version_1_is_still_read() {
        let bytes = [1, 0, 0, 0, 0, 0, 0, 0, 7, 2, b'v', b'7'];
        let read = Links { viewers: vec![viewer()], addresses: Vec::new() };
        assert_eq!(decode(&bytes), Ok(read));
        let empty = [1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 4, 1, 2, 3, 4, 32];
        assert!(decode(&empty).is_err(), "version 1 has no addresses");
    }

    #[test]
    fn a_range_with_bits_behind_its_prefix_is_refused() {
        let bytes = |prefix| [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 10, 1, 0, 0, prefix];
        assert!(decode(&bytes(16)).is_ok());
        for prefix in [8, 33] {
            let refused = RecordError::Invalid { field: "address range", offset: 16 };
            assert_eq!(decode(&bytes(prefix)), Err(refused));
        }
    }
}
