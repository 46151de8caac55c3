//! The committed rows, with the other tables that a database would keep.

use std::collections::{BTreeMap, VecDeque};

use stampede_domain::{
    DropId, Incarnation, KeyFingerprint, NodeEpoch, NodeId, PoolIndex, Seq, UnixMillis,
};

use crate::{
    Batch, BatchRow, CommandKey, CommitKey, IncarnationRow, Journal, LinkRow, Mark, NewOrder,
    NodeRow, OrderRow, Projection, ProjectionRow, ReadError, Row, RowKey, RowSpan, Seal, Snapshot,
    SupplyDelta, SupplyRow,
};

/// Rows that one read fetches at most.
const CHUNK_ROWS: usize = 256;

/// A ledger's content. Its clones are states of the ledger that nothing changes any more.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) node: NodeId,
    /// The present start; 0 before the first.
    pub(super) incarnation: Incarnation,
    /// The latest commit of the present start.
    last_seq: Seq,
    pub(super) last_at: UnixMillis,
    pub(super) rows: Vec<Row>,
    pub(super) links: Vec<LinkRow>,
    starts: Vec<IncarnationRow>,
    supply: BTreeMap<(DropId, PoolIndex), SupplyRow>,
    orders: Vec<OrderRow>,
    keys: Vec<CommandKey>,
    seals: Vec<Seal>,
}

impl Tables {
    pub(super) fn new(node: NodeId) -> Self {
        Self {
            node,
            incarnation: Incarnation::default(),
            last_seq: Seq::default(),
            last_at: UnixMillis::default(),
            rows: Vec::new(),
            links: Vec::new(),
            starts: Vec::new(),
            supply: BTreeMap::new(),
            orders: Vec::new(),
            keys: Vec::new(),
            seals: Vec::new(),
        }
    }

    /// Begins the next start.
    pub(super) fn begin(&mut self) -> Option<()> {
        let (incarnation, node) = (self.incarnation, self.node.clone());
        self.incarnation = incarnation.next()?;
        let last_seq = std::mem::take(&mut self.last_seq);
        if incarnation != Incarnation::default() {
            self.starts.push(IncarnationRow { incarnation, node, last_seq });
        }
        Some(())
    }

    /// Takes in what a commit writes.
    pub(super) fn keep(&mut self, batch: &Batch) {
        (self.last_seq, self.last_at) = (batch.seq(), batch.at());
        // A commit's rows are read by their drops, whichever came first in it.
        let mut rows: Vec<&BatchRow> = batch.rows().iter().collect();
        rows.sort_by_key(|row| row.drop);
        for row in rows {
            self.keep_row(batch, row);
        }
        self.seals.extend(batch.seals().iter().cloned());
        if !batch.links().is_empty() {
            let (incarnation, seq, pairs) =
                (batch.incarnation(), batch.seq(), batch.links().to_vec());
            self.links.push(LinkRow { incarnation, seq, pairs });
        }
    }

    fn keep_row(&mut self, batch: &Batch, row: &BatchRow) {
        self.rows.push(Row {
            drop: row.drop,
            node: batch.node().clone(),
            incarnation: batch.incarnation(),
            seq: batch.seq(),
            records: row.records,
            body: row.body.clone(),
            prev_hash: row.prev_hash,
            hash: row.hash,
        });
        for delta in &row.supply {
            self.supply(row.drop, delta);
        }
        for ProjectionRow::Order(order) in &row.derived {
            self.order(batch, order);
        }
        self.keys.extend(row.keys.iter().cloned());
    }

    fn supply(&mut self, drop: DropId, delta: &SupplyDelta) {
        let SupplyDelta { pool, sku, supplied, taken } = *delta;
        let none = SupplyRow { drop, pool, sku, supplied: 0, taken: 0 };
        let sums = self.supply.entry((drop, pool)).or_insert(none);
        sums.supplied = sums.supplied.wrapping_add_signed(supplied);
        sums.taken = sums.taken.wrapping_add_signed(taken);
    }

    fn order(&mut self, batch: &Batch, order: &NewOrder) {
        let place = u64::try_from(self.orders.len()).expect("memory holds fewer than 2^64") + 1;
        self.orders.push(OrderRow {
            place,
            hold: order.hold,
            drop: order.hold.drop_id(),
            pool: order.hold.pool(),
            sku: order.sku,
            viewer: order.viewer,
            units: u64::from(order.units.get()),
            amount_minor: order.amount.minor(),
            currency: order.amount.currency().code().to_owned(),
            at: batch.at(),
            incarnation: batch.incarnation(),
            seq: batch.seq(),
            channel: order.channel.clone(),
        });
    }
}

/// A state that nothing changes is one state for all reads.
struct FrozenSnapshot;

impl Snapshot for FrozenSnapshot {}

impl Journal for Tables {
    fn fetch(&self, span: &RowSpan, rows: &mut VecDeque<Row>) -> Result<(), ReadError> {
        let from = self.rows.partition_point(|row| RowKey::of(row) <= span.after);
        let is_within = |row: &&Row| {
            span.chain.is_none_or(|(drop, last)| row.drop == drop && RowKey::of(row) <= last)
        };
        rows.extend(self.rows[from..].iter().filter(is_within).take(CHUNK_ROWS).cloned());
        Ok(())
    }

    fn nodes(&self) -> Result<Vec<NodeRow>, ReadError> {
        let (node, incarnation) = (self.node.clone(), self.incarnation);
        let (epoch, last_seq) = (NodeEpoch::default(), self.last_seq);
        Ok(vec![NodeRow { node, incarnation, epoch, last_seq }])
    }

    fn incarnations(&self) -> Result<Vec<IncarnationRow>, ReadError> {
        Ok(self.starts.clone())
    }

    fn supply(&self) -> Result<Vec<SupplyRow>, ReadError> {
        Ok(self.supply.values().copied().collect())
    }

    fn links(&self) -> Result<Vec<LinkRow>, ReadError> {
        Ok(self.links.clone())
    }

    fn fetch_links(&self, from: CommitKey, limit: u32) -> Result<Vec<LinkRow>, ReadError> {
        let later = self.links.iter().filter(|row| (row.incarnation, row.seq) >= from);
        Ok(later.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    fn orders(&self, after_place: u64, limit: u32) -> Result<Vec<OrderRow>, ReadError> {
        let behind = self.orders.iter().filter(|order| order.place > after_place);
        Ok(behind.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    fn orders_before(&self, place: u64, limit: u32) -> Result<Vec<OrderRow>, ReadError> {
        let before = self.orders.iter().rev().filter(|order| order.place < place);
        Ok(before.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    /// Every row that a projection makes comes with its commit.
    fn mark(&self, _projection: Projection) -> Result<Mark, ReadError> {
        let last = self.rows.last();
        Ok(last.map_or_else(Mark::default, |row| Mark {
            row: RowKey::of(row),
            record: row.records.saturating_sub(1),
        }))
    }

    fn command_key(
        &self,
        actor: &str,
        key: KeyFingerprint,
    ) -> Result<Option<CommandKey>, ReadError> {
        Ok(self.keys.iter().find(|row| row.actor == actor && row.key == key).cloned())
    }

    fn command_keys(&self) -> Result<Option<Vec<CommandKey>>, ReadError> {
        Ok(Some(self.keys.clone()))
    }

    fn seals(&self) -> Result<Option<Vec<Seal>>, ReadError> {
        let mut seals = self.seals.clone();
        seals.sort_unstable_by_key(|seal| seal.drop);
        Ok(Some(seals))
    }

    fn seal(&self, drop: DropId) -> Result<Option<Seal>, ReadError> {
        Ok(self.seals.iter().find(|seal| seal.drop == drop).cloned())
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, ReadError> {
        Ok(Box::new(FrozenSnapshot))
    }

    fn inspect(&self, _max: usize) -> Result<Vec<String>, ReadError> {
        Ok(Vec::new())
    }
}
