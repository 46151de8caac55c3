//! Reads the whole journal again, slowly, while the server runs.
//!
//! A start leaves the rows of drops alone that are over. Here every row is checked all the same, and every
//! seal is worked out again.

use std::collections::BTreeMap;

use stampede_domain::DropId;

use super::{checker::Checker, commits::Commits, error::OpenError};
use crate::{
    CommitKey, Journal, ReadError, RowKey, Seal, journal::RowCursor, projector::Projector,
};

/// Rows of one step at most.
const ROWS_PER_STEP_MAX: usize = 1_000;
/// Bytes of bodies after which a step takes in no more.
const BYTES_PER_STEP: usize = 1 << 20;

/// What the reader has found wrong.
#[derive(Debug, thiserror::Error)]
pub enum ReviewFault {
    /// A seal is not what the drop's chain gives.
    #[error("seal of {drop}: the {field} is not what the journal gives")]
    Seal {
        /// The drop.
        drop: DropId,
        /// What differs.
        field: &'static str,
    },
    /// A drop is over and has no seal.
    #[error("{drop} is over and has no seal")]
    Missing {
        /// The drop.
        drop: DropId,
    },
    /// A row is damaged or missing, or the file itself is; what stands behind it in the journal is not read
    /// in this round.
    #[error("{0}")]
    Journal(OpenError),
}

/// What a step did.
#[derive(Debug, Default)]
pub struct ReviewStep {
    /// Rows read.
    pub rows: u64,
    /// Drops compared with their seals.
    pub drops: u64,
    /// What was wrong with them.
    pub faults: Vec<ReviewFault>,
    /// The round is over: the next step begins a new one.
    pub round_ended: bool,
    /// The journal has been read to where it ended when the round began; no damage has ended the round
    /// before.
    pub is_whole: bool,
}

/// A reader of the whole journal, one bounded step after the other.
pub struct Review {
    journal: Box<dyn Journal + Send>,
    round: Option<Round>,
}

/// One reading of the journal, up to where it ended at the beginning.
struct Round {
    checker: Checker,
    cursor: RowCursor,
    seals: BTreeMap<DropId, Seal>,
    last: CommitKey,
}

impl Review {
    /// Reads nothing yet.
    pub fn new(journal: Box<dyn Journal + Send>) -> Self {
        Self { journal, round: None }
    }

    /// Reads on, at most 1,000 rows; begins a new round where one has ended. Holds no snapshot between
    /// two steps. Damage is a fault, also where the database reports it.
    ///
    /// # Errors
    /// The ledger cannot be read for another reason; the next step begins a new round.
    pub fn step(&mut self) -> Result<ReviewStep, ReadError> {
        let mut done = ReviewStep::default();
        match self.read(&mut done) {
            Ok(round) => self.round = (!done.round_ended).then_some(round),
            Err(OpenError::Read(why)) if !why.is_damage() => return Err(why),
            Err(why) => {
                done.faults.push(ReviewFault::Journal(why));
                done.round_ended = true;
            }
        }
        Ok(done)
    }

    fn read(&mut self, done: &mut ReviewStep) -> Result<Round, OpenError> {
        let mut round = match self.round.take() {
            Some(round) => round,
            None => Round::begin(&*self.journal)?,
        };
        round.read(&*self.journal, done)?;
        Ok(round)
    }
}

impl Round {
    fn begin(journal: &dyn Journal) -> Result<Self, ReadError> {
        let _snapshot = journal.snapshot()?;
        let node = journal.nodes()?.pop();
        let commits = Commits::new(node.as_ref(), &journal.incarnations()?, CommitKey::default());
        let seals = journal.seals()?.unwrap_or_default();
        let last = node.map(|node| (node.incarnation, node.last_seq)).unwrap_or_default();
        Ok(Self {
            // No projection has anything to catch up with here.
            checker: Checker::new(commits, Projector::default()),
            cursor: RowCursor::new(RowKey::default()),
            seals: seals.into_iter().map(|seal| (seal.drop, seal)).collect(),
            last,
        })
    }

    fn read(&mut self, journal: &dyn Journal, done: &mut ReviewStep) -> Result<(), OpenError> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < ROWS_PER_STEP_MAX && bytes < BYTES_PER_STEP {
            let row = self.cursor.next(journal).transpose()?;
            let Some(row) = row.filter(|row| (row.incarnation, row.seq) <= self.last) else {
                self.checker.commits.finish().map_err(OpenError::Damage)?;
                for drop in self.checker.drops() {
                    let computed = self.checker.take_ended(drop);
                    done.faults.extend(computed.and_then(|computed| self.compare(&computed)));
                }
                // Seals of drops that are not over, or not there.
                let made_up = std::mem::take(&mut self.seals).into_keys();
                let fault = |drop| ReviewFault::Seal { drop, field: "drop" };
                done.faults.extend(made_up.map(fault));
                (done.round_ended, done.is_whole) = (true, true);
                return Ok(());
            };
            (rows, bytes) = (rows + 1, bytes + row.body.len());
            self.checker.row(&row)?;
            done.rows += 1;
            // What ends a chain need not stand in its last row.
            let commit = (row.incarnation, row.seq);
            let is_last = self.seals.get(&row.drop).is_some_and(|seal| seal.last == commit);
            if is_last && let Some(computed) = self.checker.take_ended(row.drop) {
                done.drops += 1;
                done.faults.extend(self.compare(&computed));
            }
        }
        Ok(())
    }

    fn compare(&mut self, computed: &Seal) -> Option<ReviewFault> {
        let drop = computed.drop;
        match self.seals.remove(&drop) {
            None => Some(ReviewFault::Missing { drop }),
            Some(stored) => {
                let field = computed.difference(&stored)?;
                Some(ReviewFault::Seal { drop, field })
            }
        }
    }
}
