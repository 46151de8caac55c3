//! Rows of the tables beside the journal.

use stampede_domain::{
    ChannelId, DropId, HoldId, Incarnation, NodeEpoch, NodeId, PoolIndex, Seq, SkuIndex,
    UnixMillis, ViewerNumber,
};

/// The fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// The node.
    pub node: NodeId,
    /// Its latest start.
    pub incarnation: Incarnation,
    /// Its fencing token.
    pub epoch: NodeEpoch,
    /// Its latest commit in that start.
    pub last_seq: Seq,
}

/// A start that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncarnationRow {
    /// The start.
    pub incarnation: Incarnation,
    /// The node.
    pub node: NodeId,
    /// Its last commit.
    pub last_seq: Seq,
}

/// Counters of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupplyRow {
    /// The drop.
    pub drop: DropId,
    /// The pool.
    pub pool: PoolIndex,
    /// The SKU whose units the pool holds.
    pub sku: SkuIndex,
    /// Units of all lots.
    pub supplied: u64,
    /// Units held or sold.
    pub taken: u64,
}

/// The links of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// The start.
    pub incarnation: Incarnation,
    /// The commit.
    pub seq: Seq,
    /// The blob; see [`crate::links`].
    pub pairs: Vec<u8>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Place in the table, ascending.
    pub place: u64,
    /// The hold, whose id is the order's id.
    pub hold: HoldId,
    /// The drop.
    pub drop: DropId,
    /// The pool.
    pub pool: PoolIndex,
    /// The SKU.
    pub sku: SkuIndex,
    /// The buyer.
    pub viewer: ViewerNumber,
    /// Units bought.
    pub units: u64,
    /// Price of all units, in minor units.
    pub amount_minor: u64,
    /// The currency's three letters.
    pub currency: String,
    /// Time of the confirming commit.
    pub at: UnixMillis,
    /// Start of the confirming commit.
    pub incarnation: Incarnation,
    /// The confirming commit.
    pub seq: Seq,
    /// The channel that gets the credit.
    pub channel: Option<ChannelId>,
}
