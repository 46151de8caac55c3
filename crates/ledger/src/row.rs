//! A row of the journal with the hash that chains it to its predecessor.

use std::fmt;

use stampede_domain::{DropId, Incarnation, NodeId, Seq};

use crate::{
    RecordError,
    record::codec::{self, BodyHeader, Records},
};

/// First bytes of every row's hash input.
const ROW_CONTEXT: &[u8] = b"stampede row 1";
/// First bytes of the hash input that stands before a drop's first row.
const GENESIS_CONTEXT: &[u8] = b"stampede genesis 1";

/// A BLAKE3 hash of a row, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowHash([u8; 32]);

impl RowHash {
    /// What the first row of a drop's first chain continues: BLAKE3 of `stampede genesis 1` and
    /// the drop's number (4 bytes, little-endian).
    pub fn genesis(drop: DropId) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(GENESIS_CONTEXT).update(&drop.get().to_le_bytes());
        Self(hasher.finalize().into())
    }

    /// Wraps stored bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for RowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowHash({self})")
    }
}

/// What a row's hash covers besides the node's name.
pub(crate) struct HashInput<'a> {
    pub(crate) prev_hash: RowHash,
    pub(crate) drop: DropId,
    pub(crate) node: &'a NodeId,
    pub(crate) incarnation: Incarnation,
    pub(crate) seq: Seq,
    pub(crate) records: u32,
    pub(crate) body: &'a [u8],
}

impl HashInput<'_> {
    /// BLAKE3 of, in this order: `stampede row 1`, previous hash (32 bytes), drop (4, LE),
    /// incarnation (4, LE), seq (8, LE), records (4, LE), length of the node's name (1), the
    /// node's name, body.
    pub(crate) fn hash(&self) -> RowHash {
        let node = self.node.as_str().as_bytes();
        let node_len = u8::try_from(node.len()).expect("a text id has at most 64 bytes");
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(ROW_CONTEXT)
            .update(&self.prev_hash.0)
            .update(&self.drop.get().to_le_bytes())
            .update(&self.incarnation.get().to_le_bytes())
            .update(&self.seq.get().to_le_bytes())
            .update(&self.records.to_le_bytes())
            .update(&[node_len])
            .update(node)
            .update(self.body);
        RowHash(hasher.finalize().into())
    }
}

/// One row of the journal: what one commit wrote about one drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The drop, or [`DropId::HOUSE`].
    pub drop: DropId,
    /// The node that wrote the row.
    pub node: NodeId,
    /// The node's start.
    pub incarnation: Incarnation,
    /// The commit within the incarnation, from 1 without gaps.
    pub seq: Seq,
    /// Records in the body.
    pub records: u32,
    /// The bytes; see [`codec`].
    pub body: Vec<u8>,
    /// Hash of the drop's row before this one, also across incarnations.
    pub prev_hash: RowHash,
    /// Hash of this row.
    pub hash: RowHash,
}

impl Row {
    /// The hash that the other columns give.
    pub fn computed_hash(&self) -> RowHash {
        HashInput {
            prev_hash: self.prev_hash,
            drop: self.drop,
            node: &self.node,
            incarnation: self.incarnation,
            seq: self.seq,
            records: self.records,
            body: &self.body,
        }
        .hash()
    }

    /// The body's header.
    ///
    /// # Errors
    /// What is wrong with the body's first bytes.
    pub fn header(&self) -> Result<BodyHeader, RecordError> {
        codec::body(&self.body).map(|(header, _)| header)
    }

    /// The records, each of which may turn out to be damaged.
    pub fn decode(&self) -> Records<'_> {
        codec::records(&self.body)
    }
}
