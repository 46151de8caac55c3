//! One commit's worth of rows, built record by record in buffers that are used again.

use std::collections::HashMap;

use stampede_domain::{
    DropId, Incarnation, NodeEpoch, NodeId, Seq, UnixMillis,
    limits::{BATCH_RECORDS_MAX, ROW_BYTES_MAX},
};

use crate::{
    ChainSums, CommandKey, LatestResult, Link, ProjectionRow, Record, RowHash, Seal, SupplyDelta,
    drop_pools::DropPools,
    links,
    projection::derive,
    record::codec::{self, BodyHeader, HEADER_BYTES},
    ring::{STAGED_BYTES_MAX, STAGED_MAX},
    row::HashInput,
    turn::Turn,
};

const _: () = assert!(BATCH_RECORDS_MAX <= u16::MAX as usize, "rows of a commit fit the header");
const _: () = assert!(STAGED_MAX <= BATCH_RECORDS_MAX, "a commit takes any entries of one flush");
const _: () = assert!(
    STAGED_BYTES_MAX + STAGED_MAX * HEADER_BYTES <= ROW_BYTES_MAX
        && STAGED_MAX * links::LINK_BYTES_MAX <= ROW_BYTES_MAX,
    "a row takes any records of one flush"
);

/// What a commit writes: the rows, and everything that is derived from their records.
#[derive(Debug)]
pub struct Batch {
    node: NodeId,
    incarnation: Incarnation,
    epoch: NodeEpoch,
    seq: Seq,
    at: UnixMillis,
    rows: Vec<BatchRow>,
    /// Rows in use; the ones behind keep their buffers for later commits.
    live: usize,
    /// Row of the latest record: takes come in runs of one drop.
    latest: usize,
    records: usize,
    /// Bytes of all bodies.
    bytes: usize,
    links: Vec<u8>,
    /// Ends of chains.
    seals: Vec<Seal>,
}

/// One journal row to be, with what follows from its records.
#[derive(Debug)]
pub struct BatchRow {
    /// The drop.
    pub drop: DropId,
    /// Records in the body.
    pub records: u32,
    /// Header and records.
    pub body: Vec<u8>,
    /// Head of the drop's chain before the row.
    pub prev_hash: RowHash,
    /// Hash of the row.
    pub hash: RowHash,
    /// By how much the supply counters of the drop's pools change.
    pub supply: Vec<SupplyDelta>,
    /// Rows of projections that the records made.
    pub derived: Vec<ProjectionRow>,
    /// Idempotency keys that the drop's accepted commands bound.
    pub keys: Vec<CommandKey>,
    /// What the latest records of the row did.
    latest_result: LatestResult,
    /// The drop's pools.
    pools: DropPools,
    /// What the row says about the drop as a whole.
    pub(crate) turn: Turn,
}

impl Batch {
    fn new(chains: &Chains) -> Self {
        Self {
            node: chains.node.clone(),
            incarnation: chains.incarnation,
            epoch: chains.epoch,
            seq: chains.last_seq,
            at: chains.last_at,
            rows: Vec::new(),
            live: 0,
            latest: 0,
            records: 0,
            bytes: 0,
            links: Vec::new(),
            seals: Vec::new(),
        }
    }

    /// The writing node.
    pub const fn node(&self) -> &NodeId {
        &self.node
    }

    /// The node's start.
    pub const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The node's fencing token.
    pub const fn epoch(&self) -> NodeEpoch {
        self.epoch
    }

    /// Number of the commit.
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// Time of the commit.
    pub const fn at(&self) -> UnixMillis {
        self.at
    }

    /// The rows, by drop.
    pub fn rows(&self) -> &[BatchRow] {
        &self.rows[..self.live]
    }

    /// Records over all rows.
    pub const fn records(&self) -> usize {
        self.records
    }

    /// Bytes of all bodies.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The links as one blob, see [`crate::links`]; empty if there are none.
    pub fn links(&self) -> &[u8] {
        &self.links
    }

    /// Seals of the drops whose chains end with this commit.
    pub fn seals(&self) -> &[Seal] {
        &self.seals
    }

    pub(crate) fn clear(&mut self) {
        self.seals.clear();
        self.live = 0;
        self.latest = 0;
        self.records = 0;
        self.bytes = 0;
        self.links.clear();
    }

    /// Whether all that a producer can hand over at once still fits.
    pub(crate) fn has_room(&self) -> bool {
        self.records + STAGED_MAX <= BATCH_RECORDS_MAX
            && self.bytes + STAGED_BYTES_MAX + STAGED_MAX * HEADER_BYTES <= ROW_BYTES_MAX
            && self.links.len() + STAGED_MAX * links::LINK_BYTES_MAX <= ROW_BYTES_MAX
    }

    /// Encodes one record into its drop's row, which continues one of the chains.
    pub(crate) fn add(
        &mut self,
        chains: &Chains,
        drop: DropId,
        record: &Record,
        link: Option<&Link>,
    ) {
        let at = self.row_of(chains, drop);
        let row = &mut self.rows[at];
        let before = row.body.len();
        codec::encode(record, &mut row.body);
        self.bytes += row.body.len() - before;
        row.derive(record);
        row.records += 1;
        self.records += 1;
        if let Some(link) = link {
            links::encode(link, &mut self.links);
        }
    }

    fn row_of(&mut self, chains: &Chains, drop: DropId) -> usize {
        if self.rows().get(self.latest).is_some_and(|row| row.drop == drop) {
            return self.latest;
        }
        let found = self.rows().iter().position(|row| row.drop == drop);
        self.latest = found.unwrap_or_else(|| {
            if self.live == self.rows.len() {
                self.rows.push(BatchRow::new());
            }
            self.rows[self.live].begin(drop, chains.pools(drop));
            self.bytes += HEADER_BYTES;
            self.live += 1;
            self.live - 1
        });
        self.latest
    }
}

impl BatchRow {
    fn new() -> Self {
        let none = RowHash::from_bytes([0; 32]);
        Self {
            drop: DropId::HOUSE,
            records: 0,
            body: Vec::new(),
            prev_hash: none,
            hash: none,
            supply: Vec::new(),
            derived: Vec::new(),
            keys: Vec::new(),
            latest_result: LatestResult::default(),
            pools: DropPools::default(),
            turn: Turn::default(),
        }
    }

    fn begin(&mut self, drop: DropId, pools: DropPools) {
        self.drop = drop;
        self.records = 0;
        self.body.clear();
        self.body.extend_from_slice(&[0; HEADER_BYTES]);
        self.supply.clear();
        self.derived.clear();
        self.keys.clear();
        self.latest_result = LatestResult::default();
        self.pools = pools;
        self.turn = Turn::default();
    }

    /// Adds the row to the sums of its chain; it is of this time.
    fn add_to(&self, sums: &mut ChainSums, at: UnixMillis) {
        sums.whole_row((self.records, at), &self.derived, &self.supply, &self.turn);
    }

    fn derive(&mut self, record: &Record) {
        if let Record::Planned { plan, .. } = record {
            self.pools = DropPools::of(plan);
        }
        if let Some(delta) = SupplyDelta::of(record, &self.pools) {
            match self.supply.iter_mut().find(|sum| sum.pool == delta.pool) {
                Some(sum) => {
                    sum.supplied += delta.supplied;
                    sum.taken += delta.taken;
                }
                None => self.supply.push(delta),
            }
        }
        self.derived.extend(derive(record, self.records, &self.pools));
        self.turn.take_in(record);
        self.latest_result.follow(record);
        if let Some(key) = CommandKey::of(self.drop, record, self.latest_result) {
            self.keys.push(key);
        }
    }
}

/// Where the chains of a node stand: what the next commit continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chains {
    /// The node.
    pub node: NodeId,
    /// The node's present start.
    pub incarnation: Incarnation,
    /// The node's fencing token.
    pub epoch: NodeEpoch,
    /// The latest commit of this incarnation; 0 before the first.
    pub last_seq: Seq,
    /// The latest journaled time of any incarnation; 0 in an empty ledger.
    pub last_at: UnixMillis,
    /// Hash of the last row of each drop.
    pub heads: HashMap<DropId, RowHash>,
    /// Sums of the chains of drops that are neither settled nor cancelled.
    pub sums: HashMap<DropId, ChainSums>,
}

impl Chains {
    pub(crate) fn batch(&self) -> Batch {
        Batch::new(self)
    }

    /// Numbers, dates, chains the rows. Time never runs backwards within a journal.
    pub(crate) fn finish(&self, batch: &mut Batch, now: UnixMillis) {
        batch.seq = self.last_seq.next().expect("2^53 commits take thousands of years");
        batch.at = self.last_at.max(now);
        let rows = u16::try_from(batch.live).expect("BATCH_RECORDS_MAX fits 16 bits");
        let header = BodyHeader { rows, at: batch.at }.to_bytes();
        let (seq, live) = (batch.seq, batch.live);
        // A drop's own row comes before that of its adjustments, which continue it.
        batch.rows[..live].sort_unstable_by_key(|row| row.drop);
        for at in 0..live {
            let (before, rest) = batch.rows[..live].split_at_mut(at);
            let row = &mut rest[0];
            row.body[..HEADER_BYTES].copy_from_slice(&header);
            row.prev_hash = self.head_behind(before, row.drop);
            row.hash = HashInput {
                prev_hash: row.prev_hash,
                drop: row.drop,
                node: &self.node,
                incarnation: self.incarnation,
                seq,
                records: row.records,
                body: &row.body,
            }
            .hash();
        }
        let ended = batch.rows().iter().filter(|row| row.turn.has_ended());
        let seals: Vec<Seal> = ended.filter_map(|row| self.seal(row, seq, batch.at)).collect();
        batch.seals = seals;
    }

    /// The seal of a chain that ends with this row.
    fn seal(&self, row: &BatchRow, seq: Seq, at: UnixMillis) -> Option<Seal> {
        let commit = (self.incarnation, seq);
        let sums = self.sums.get(&row.drop).cloned();
        let mut sums = sums.unwrap_or_else(|| ChainSums::new(commit));
        row.add_to(&mut sums, at);
        sums.seal(row.drop, commit, row.hash, at)
    }

    /// Moves on behind a batch that is durable.
    pub(crate) fn advance(&mut self, batch: &Batch) {
        self.last_seq = batch.seq;
        self.last_at = batch.at;
        for row in batch.rows() {
            self.heads.insert(row.drop, row.hash);
            if row.turn.has_ended() {
                self.sums.remove(&row.drop);
            } else if row.drop != DropId::HOUSE && !row.drop.is_adjustments() {
                let commit = (self.incarnation, batch.seq);
                let sums = self.sums.entry(row.drop);
                row.add_to(sums.or_insert_with(|| ChainSums::new(commit)), batch.at);
            }
        }
    }

    /// The drop's pools, as the latest plan in its chain has them.
    fn pools(&self, drop: DropId) -> DropPools {
        self.sums.get(&drop).map(|sums| sums.pools().clone()).unwrap_or_default()
    }

    /// The same behind rows of the present commit: adjustments may be of a drop whose chain ends in it.
    fn head_behind(&self, rows: &[BatchRow], chain: DropId) -> RowHash {
        let begins = chain.is_adjustments() && !self.heads.contains_key(&chain);
        let own = rows.iter().find(|row| begins && row.drop == chain.sale());
        own.map_or_else(|| self.head(chain), |row| row.hash)
    }

    /// The hash that the next row of a chain continues; adjustments begin where their drop has ended.
    pub fn head(&self, chain: DropId) -> RowHash {
        let head = self.heads.get(&chain);
        let head = head.or_else(|| self.heads.get(&chain.sale()));
        head.copied().unwrap_or_else(|| RowHash::genesis(chain))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stampede_domain::{
        HoldId, PoolIndex, PoolMap, SkuIndex, SlotIndex, TakeNumber, ViewerNumber,
    };
    use stampede_testkit::{euros, plan_of, sku, units};

    use super::*;
    use crate::HoldRecord;

    fn index(number: u8) -> SkuIndex {
        SkuIndex::new(number).unwrap()
    }

    #[test]
    fn counters_and_orders_have_the_sku_of_their_pool() {
        let (start, pool) = (Incarnation::new(1).unwrap(), PoolIndex::new(2).unwrap());
        let (slot, take) = (SlotIndex::new(1).unwrap(), TakeNumber::new(1).unwrap());
        let hold = HoldId::new(DropId::new(1), start, pool, slot, take);
        let (viewer, units) = (ViewerNumber::new(1).unwrap(), units(1));
        let order = HoldRecord::Confirmed { hold, viewer, units, amount: euros(5), channel: None };
        let records = [Record::Lot { pool, units, lot: 1 }, Record::Hold(order)];
        let filed = |row: &mut BatchRow| {
            for record in &records {
                row.derive(record);
            }
            let ProjectionRow::Order(order) = row.derived.last().unwrap();
            (row.supply.last().unwrap().sku, order.sku)
        };
        let mut row = BatchRow::new();
        row.begin(hold.drop_id(), PoolMap::new([0, 1, 0].map(index)).unwrap().into());
        assert_eq!(filed(&mut row), (index(0), index(0)), "what the chain's plan says");
        row.begin(hold.drop_id(), PoolMap::new([1, 0, 1].map(index)).unwrap().into());
        let plan = plan_of(["mug", "cup", "bag"].map(|id| sku(id, 1)));
        row.derive(&Record::Planned { plan: Arc::new(plan), revision: 1 });
        assert_eq!(filed(&mut row), (index(2), index(2)), "what the row's own plan says");
    }
}
