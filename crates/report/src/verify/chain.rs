//! Rows against each other: hashes, chains, commit numbers, times.

use std::collections::{BTreeMap, HashMap};

use stampede_domain::{DropId, Incarnation, NodeId, Seq, UnixMillis};
use stampede_ledger::{IncarnationRow, NodeRow, RecordError, Row, RowHash};

use super::finding::{Findings, Place};

/// Rows that do not chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ChainFault {
    /// The row's own hash is not the hash of its content.
    #[error("the row's content hashes to {computed}, its hash says {stored}")]
    Hash { stored: RowHash, computed: RowHash },
    /// The row does not continue the drop's chain.
    #[error("the row continues {stored}, the drop's chain stands at {expected}")]
    PrevHash { stored: RowHash, expected: RowHash },
    /// Commits are missing.
    #[error("commit {expected} should follow, found {found}")]
    SeqGap { expected: u64, found: Seq },
    /// A commit has fewer or more rows than each of its rows states.
    #[error("the commit has {found} rows, its header states {stated}")]
    RowCount { stated: u16, found: u64 },
    /// The rows of one commit disagree about it.
    #[error(
        "rows of one commit state {rows} rows at {at} ms and {other_rows} rows at {other_at} ms"
    )]
    Header { rows: u16, at: UnixMillis, other_rows: u16, other_at: UnixMillis },
    /// Time ran backwards.
    #[error("the commit's time {at} ms lies before its predecessor's {before} ms")]
    TimeBackwards { before: UnixMillis, at: UnixMillis },
    /// The latest rows of a start are gone, or there are too many.
    #[error("node {node} committed {stated} times in this start, the journal has {found} commits")]
    Tail { node: NodeId, stated: Seq, found: u64 },
    /// A row of a start that the tables of starts do not know.
    #[error("node {node} has no start {incarnation} on record")]
    UnknownStart { node: NodeId, incarnation: Incarnation },
    /// A row of another node than the one that made the start.
    #[error("the row is node {found}'s, the start is node {stated}'s")]
    OtherNode { found: NodeId, stated: NodeId },
    /// The row's count of records is not what its body holds.
    #[error("the row states {stated} records, its body holds {found}")]
    RecordCount { stated: u32, found: u64 },
    /// The body cannot be read.
    #[error("the body cannot be read: {source}")]
    Body { source: RecordError },
}

impl ChainFault {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Hash { .. } => "hash_mismatch",
            Self::PrevHash { .. } => "chain_broken",
            Self::SeqGap { .. } => "commits_missing",
            Self::RowCount { .. } => "rows_of_commit",
            Self::Header { .. } => "headers_disagree",
            Self::TimeBackwards { .. } => "time_backwards",
            Self::Tail { .. } => "tail_differs",
            Self::UnknownStart { .. } => "unknown_start",
            Self::OtherNode { .. } => "other_node",
            Self::RecordCount { .. } => "record_count",
            Self::Body { .. } => "body_unreadable",
        }
    }
}

/// The commit that rows are being read of.
#[derive(Debug)]
struct Commit {
    incarnation: Incarnation,
    seq: Seq,
    stated_rows: u16,
    rows: u64,
    at: UnixMillis,
}

/// What later checks need to know of a row's commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommitTimes {
    /// Time of the commit.
    pub(super) at: UnixMillis,
    /// Whatever the steward decided in this commit, it decided after this time.
    pub(super) decided_after: UnixMillis,
}

/// The last commit of a start.
#[derive(Debug)]
struct End {
    node: NodeId,
    seq: Seq,
    at: UnixMillis,
}

/// Follows the chains of all drops through the journal.
#[derive(Debug, Default)]
pub(super) struct ChainCheck {
    heads: HashMap<DropId, RowHash>,
    commit: Option<Commit>,
    /// Time of the commit before the present one, within its start.
    previous_at: UnixMillis,
    /// Whatever the steward decided in the present commit, it decided after this time.
    decided_after: UnixMillis,
    /// The present commit changes what is on air.
    changes_air: bool,
    /// Last commit of each start.
    ends: HashMap<Incarnation, End>,
    pub(super) commits: u64,
}

impl ChainCheck {
    /// Checks a row against its predecessors; `None` if its header cannot be read.
    pub(super) fn row(&mut self, row: &Row, findings: &mut Findings) -> Option<CommitTimes> {
        let place = Place::row(row.drop, row.incarnation, row.seq);
        let computed = hash(row);
        if computed != row.hash {
            findings.add(place, ChainFault::Hash { stored: row.hash, computed });
        }
        // Adjustments go on where their drop's chain has ended.
        let head = self.heads.get(&row.drop).or_else(|| self.heads.get(&row.drop.sale()));
        let expected = head.copied().unwrap_or_else(|| genesis(row.drop));
        if row.prev_hash != expected {
            findings.add(place, ChainFault::PrevHash { stored: row.prev_hash, expected });
        }
        self.heads.insert(row.drop, row.hash);
        match row.header() {
            Ok(header) => self.commit(row, header.rows, header.at, findings),
            Err(source) => {
                findings.add(place, ChainFault::Body { source });
                // The commit still counts, so that its absence is not reported on top.
                let (rows, at) =
                    self.present(row).map_or((1, self.previous_at), |c| (c.stated_rows, c.at));
                self.commit(row, rows, at, findings);
                return None;
            }
        }
        self.commit
            .as_ref()
            .map(|commit| CommitTimes { at: commit.at, decided_after: self.decided_after })
    }

    fn present(&self, row: &Row) -> Option<&Commit> {
        self.commit.as_ref().filter(|c| c.incarnation == row.incarnation && c.seq == row.seq)
    }

    fn commit(&mut self, row: &Row, rows: u16, at: UnixMillis, findings: &mut Findings) {
        let place = Place::row(row.drop, row.incarnation, row.seq);
        if self.present(row).is_none() {
            return self.next_commit(row, rows, at, findings);
        }
        if let Some(commit) = &mut self.commit {
            commit.rows += 1;
            if (commit.stated_rows, commit.at) != (rows, at) {
                let (other_rows, other_at) = (rows, at);
                let (rows, at) = (commit.stated_rows, commit.at);
                findings.add(place, ChainFault::Header { rows, at, other_rows, other_at });
            }
        }
        if let Some(End { node, .. }) = self.ends.get(&row.incarnation)
            && *node != row.node
        {
            let (found, stated) = (row.node.clone(), node.clone());
            findings.add(place, ChainFault::OtherNode { found, stated });
        }
    }

    fn next_commit(&mut self, row: &Row, rows: u16, at: UnixMillis, findings: &mut Findings) {
        self.close_commit(findings);
        let place = Place::commit(row.incarnation, row.seq);
        let before = self.commit.as_ref().map(|c| (c.incarnation == row.incarnation, c.seq, c.at));
        let expected = match before {
            Some((true, seq, _)) => seq.get() + 1,
            _ => 1,
        };
        if row.seq.get() != expected {
            findings.add(place, ChainFault::SeqGap { expected, found: row.seq });
        }
        if let Some((_, _, before)) = before.filter(|(_, _, before)| at < *before) {
            findings.add(place, ChainFault::TimeBackwards { before, at });
        }
        match before {
            Some((true, _, before)) => {
                // Changes of two drops of a stream stand in two commits, however soon one was decided after
                // the other: what follows may be as old as what went before.
                if !self.changes_air {
                    self.decided_after = self.previous_at;
                }
                self.previous_at = before;
            }
            Some((false, _, _)) => {
                (self.previous_at, self.decided_after) = Default::default();
            }
            None => {}
        }
        self.changes_air = false;
        self.ends.insert(row.incarnation, End { node: row.node.clone(), seq: row.seq, at });
        self.commits += 1;
        let (incarnation, seq) = (row.incarnation, row.seq);
        self.commit = Some(Commit { incarnation, seq, stated_rows: rows, rows: 1, at });
    }

    /// A row of the present commit changes what is on air.
    pub(super) fn note_air(&mut self) {
        self.changes_air = true;
    }

    fn close_commit(&self, findings: &mut Findings) {
        if let Some(commit) = &self.commit
            && u64::from(commit.stated_rows) != commit.rows
        {
            let (stated, found) = (commit.stated_rows, commit.rows);
            let place = Place::commit(commit.incarnation, commit.seq);
            findings.add(place, ChainFault::RowCount { stated, found });
        }
    }

    /// Compares the last commit of each start with what the tables of starts state.
    pub(super) fn finish(
        &mut self,
        nodes: &[NodeRow],
        over: &[IncarnationRow],
        findings: &mut Findings,
    ) {
        self.close_commit(findings);
        let latest = nodes.iter().map(|row| (row.incarnation, &row.node, row.last_seq));
        let earlier = over.iter().map(|row| (row.incarnation, &row.node, row.last_seq));
        for (incarnation, node, stated) in earlier.chain(latest) {
            let place = Place { incarnation: Some(incarnation), ..Place::LEDGER };
            let end = self.ends.remove(&incarnation);
            let found = end.as_ref().map_or(0, |end| end.seq.get());
            if found != stated.get() {
                findings.add(place, ChainFault::Tail { node: node.clone(), stated, found });
            }
            if let Some(End { node: found, .. }) = end.filter(|end| end.node != *node) {
                findings.add(place, ChainFault::OtherNode { found, stated: node.clone() });
            }
        }
        let mut unknown: Vec<_> = self.ends.drain().collect();
        unknown.sort_unstable_by_key(|(incarnation, _)| *incarnation);
        for (incarnation, End { node, .. }) in unknown {
            let place = Place { incarnation: Some(incarnation), ..Place::LEDGER };
            findings.add(place, ChainFault::UnknownStart { node, incarnation });
        }
    }

    /// Where each drop's chain stands.
    pub(super) fn heads(&self) -> BTreeMap<DropId, RowHash> {
        self.heads.iter().map(|(drop, hash)| (*drop, *hash)).collect()
    }

    /// Time of the last commit of each start that has one.
    pub(super) fn end_times(&self) -> HashMap<Incarnation, UnixMillis> {
        self.ends.iter().map(|(incarnation, end)| (*incarnation, end.at)).collect()
    }
}

/// BLAKE3 of, in this order: `stampede row 1`, previous hash, drop (4 bytes, little-endian),
/// incarnation (4), seq (8), records (4), length of the node's name (1), the name, the body.
fn hash(row: &Row) -> RowHash {
    let node = row.node.as_str().as_bytes();
    let [node_len, ..] = node.len().to_le_bytes();
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"stampede row 1");
    hasher.update(row.prev_hash.as_bytes());
    hasher.update(&row.drop.get().to_le_bytes());
    hasher.update(&row.incarnation.get().to_le_bytes());
    hasher.update(&row.seq.get().to_le_bytes());
    hasher.update(&row.records.to_le_bytes());
    hasher.update(&[node_len]);
    hasher.update(node);
    hasher.update(&row.body);
    RowHash::from_bytes(*hasher.finalize().as_bytes())
}

/// BLAKE3 of `stampede genesis 1` with the drop's number (4 bytes, little-endian).
fn genesis(drop: DropId) -> RowHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"stampede genesis 1");
    hasher.update(&drop.get().to_le_bytes());
    RowHash::from_bytes(*hasher.finalize().as_bytes())
}
