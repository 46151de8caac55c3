//! Brings derived rows to their tables, a bounded piece with each commit.

use std::collections::VecDeque;

use stampede_domain::UnixMillis;

use crate::{
    Batch, Mark, Projection, ProjectionRow, ReadError, Record, Row, RowKey, StoreError,
    drop_pools::DropPools, projection::derive,
};

/// Rows of one projection that one commit carries along: some milliseconds of work.
const ROWS_PER_COMMIT: usize = 512;
/// Rows of one projection that wait at most. Beyond this a commit carries as many as came in, so the queue's
/// memory and the work after a restart stay bounded.
const WAITING_MAX: usize = 1 << 17;

/// How far each projection is.
#[derive(Clone, Debug)]
pub(crate) struct Marks([Mark; Projection::ALL.len()]);

impl Marks {
    /// Asks for each projection's mark.
    pub(crate) fn read(
        mut mark: impl FnMut(Projection) -> Result<Mark, ReadError>,
    ) -> Result<Self, ReadError> {
        let mut marks = [Mark::default(); Projection::ALL.len()];
        for (found, projection) in marks.iter_mut().zip(Projection::ALL) {
            *found = mark(projection)?;
        }
        Ok(Self(marks))
    }

    /// How far the one is that is furthest behind.
    pub(crate) fn least(&self) -> Mark {
        self.0.iter().min().copied().unwrap_or_default()
    }
}

/// The tables of projections, within a transaction of their backend.
pub(crate) trait ProjectionTables {
    /// Inserts a row whose record stands at `place`, in a commit of the time `at`.
    fn insert(&self, row: &ProjectionRow, place: &Mark, at: UnixMillis) -> Result<(), StoreError>;

    /// Stores how far a projection is.
    fn move_mark(&self, projection: Projection, reached: &Mark) -> Result<(), StoreError>;
}

/// The queues in front of the tables; a table's mark moves in the same transaction.
#[derive(Default)]
pub(crate) struct Projector(Vec<Queue>);

/// What waits for one projection's table.
struct Queue {
    projection: Projection,
    waiting: VecDeque<QueuedRow>,
    /// The place of the latest record that was handed in.
    seen: Mark,
    stored: Mark,
}

/// A row that is not in its table yet.
struct QueuedRow {
    row: ProjectionRow,
    place: Mark,
    at: UnixMillis,
}

impl Projector {
    /// Of projections that are this far; the default has none.
    pub(crate) fn new(marks: &Marks) -> Self {
        let queues = Projection::ALL.into_iter().zip(marks.0).map(|(projection, stored)| Queue {
            projection,
            waiting: VecDeque::new(),
            seen: stored,
            stored,
        });
        Self(queues.collect())
    }

    /// Queues what a restart found behind a mark, in a drop of these pools.
    pub(crate) fn catch_up(
        &mut self,
        row: &Row,
        at: UnixMillis,
        (record, place): (&Record, u32),
        pools: &DropPools,
    ) {
        for derived in derive(record, place, pools) {
            let place = Mark { row: RowKey::of(row), record: derived.record() };
            if let Some(queue) = self.queue(&derived)
                && place > queue.stored
            {
                queue.waiting.push_back(QueuedRow { row: derived, place, at });
            }
        }
    }

    /// Notes how far the journal reaches.
    pub(crate) fn saw(&mut self, row: RowKey, records: u32) {
        let place = Mark { row, record: records.saturating_sub(1) };
        for queue in &mut self.0 {
            queue.seen = queue.seen.max(place);
        }
    }

    /// Queues the rows of a batch that is being committed.
    pub(crate) fn take_in(&mut self, batch: &Batch) {
        for row in batch.rows() {
            let key = RowKey {
                incarnation: batch.incarnation().get(),
                seq: batch.seq().get(),
                drop: row.drop.get(),
            };
            for derived in &row.derived {
                let place = Mark { row: key, record: derived.record() };
                let waiting = QueuedRow { row: derived.clone(), place, at: batch.at() };
                if let Some(queue) = self.queue(derived) {
                    queue.waiting.push_back(waiting);
                }
            }
            self.saw(key, row.records);
        }
    }

    fn queue(&mut self, derived: &ProjectionRow) -> Option<&mut Queue> {
        self.0.iter_mut().find(|queue| queue.projection == derived.projection())
    }

    /// Rows that wait for a projection's table.
    pub(crate) fn waiting(&self, projection: Projection) -> usize {
        let queues = self.0.iter().filter(|queue| queue.projection == projection);
        queues.map(|queue| queue.waiting.len()).sum()
    }

    /// Whether any stored mark lags behind the journal.
    pub(crate) fn is_behind(&self) -> bool {
        self.0.iter().any(|queue| queue.stored < queue.seen)
    }

    /// Inserts a bounded number of rows within the caller's transaction.
    pub(crate) fn project(&mut self, tables: &dyn ProjectionTables) -> Result<(), StoreError> {
        self.0.iter_mut().try_for_each(|queue| queue.project(tables))
    }
}

impl Queue {
    fn project(&mut self, tables: &dyn ProjectionTables) -> Result<(), StoreError> {
        let excess = self.waiting.len().saturating_sub(WAITING_MAX);
        let count = self.waiting.len().min(excess.max(ROWS_PER_COMMIT));
        let mut reached = self.stored;
        for waiting in self.waiting.drain(..count) {
            tables.insert(&waiting.row, &waiting.place, waiting.at)?;
            reached = waiting.place;
        }
        if self.waiting.is_empty() {
            reached = self.seen;
        }
        if reached != self.stored {
            tables.move_mark(self.projection, &reached)?;
            self.stored = reached;
        }
        Ok(())
    }
}
