//! Commits into `SQLite`.

use std::collections::HashSet;

use rusqlite::{Connection, Params, params};
use stampede_domain::{
    DropId, Incarnation, NodeEpoch, NodeId, PoolIndex, RepeatedWarning, Seq, UnixMillis,
};

use super::{
    command_keys,
    failure::{breaks_constraint, in_step, is_busy},
    seals,
};
use crate::{
    Batch, DataDir, Idle, Projection, Store, StoreError, SupplyDelta,
    metrics::{self, Stopwatch},
    projector::Projector,
};

/// Pages that a commit writes besides the bodies: one leaf for each table and index.
const PAGES_PER_COMMIT: usize = 8;

/// The writer's connection with what it must remember between commits.
pub(super) struct SqliteStore {
    pub(super) connection: Connection,
    pub(super) data: DataDir,
    pub(super) node: NodeId,
    pub(super) incarnation: Incarnation,
    pub(super) epoch: NodeEpoch,
    pub(super) last_seq: Seq,
    pub(super) projector: Projector,
    /// Pools that have a row in `supply`, so that a commit knows whether to insert or update.
    pub(super) pools: HashSet<(DropId, PoolIndex)>,
    pub(super) log: LogPolicy,
}

/// When the write-ahead log goes into the database file.
pub(super) struct LogPolicy {
    /// Bytes after which a busy writer stops for a checkpoint.
    pub(super) bytes_max: usize,
    /// Bytes after which a quiet writer uses the moment.
    pub(super) quiet_bytes_max: usize,
    pub(super) page_bytes: usize,
    /// Estimate of the bytes that are not yet in the database file.
    pub(super) bytes: usize,
    /// A reader of an old state, or another program's lock, keeps the log from being emptied.
    pub(super) held: RepeatedWarning,
    /// When the latest commit was made.
    pub(super) at: UnixMillis,
}

impl Store for SqliteStore {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let done = self.transaction(|store| {
            store.raise_fence(batch.seq())?;
            store.insert_rows(batch)?;
            store.projector.take_in(batch);
            store.projector.project(&store.connection)
        });
        self.noting_failure(done)?;
        self.last_seq = batch.seq();
        self.log.at = batch.at();
        self.log.bytes += batch.bytes()
            + batch.links().len()
            + self.log.page_bytes * (PAGES_PER_COMMIT + batch.rows().len());
        Ok(())
    }

    fn tend(&mut self) -> Result<(), StoreError> {
        metrics::gauge(metrics::ORDERS_BEHIND, self.projector.waiting(Projection::Orders));
        if self.log.bytes <= self.log.bytes_max {
            return Ok(());
        }
        let done = self.checkpoint();
        self.noting_failure(done)
    }

    fn idle(&mut self) -> Result<Idle, StoreError> {
        if self.projector.is_behind() {
            let done = self.transaction(|store| {
                store.raise_fence(store.last_seq)?;
                store.projector.project(&store.connection)
            });
            self.noting_failure(done)?;
            self.log.bytes += self.log.page_bytes * PAGES_PER_COMMIT;
            return Ok(Idle::More);
        }
        if self.log.bytes > self.log.quiet_bytes_max {
            let done = self.checkpoint();
            self.noting_failure(done)?;
        }
        Ok(Idle::Done)
    }

    fn close(&mut self) -> Result<(), StoreError> {
        while self.idle()? == Idle::More {}
        let done = self.checkpoint();
        self.noting_failure(done)
    }
}

impl SqliteStore {
    fn transaction(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        step("begin", &self.connection, "BEGIN IMMEDIATE", ())
            .map_err(|why| if is_busy(&why) { StoreError::Busy } else { why })?;
        let done = work(self)
            .and_then(|()| step("commit", &self.connection, "COMMIT", ()).map(|_changed| ()));
        if done.is_err() && !self.connection.is_autocommit() {
            // The first error tells more than a failing rollback would.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        done
    }

    /// Moves the node's row on, unless somebody else has moved it meanwhile.
    fn raise_fence(&self, seq: Seq) -> Result<(), StoreError> {
        let sql = "UPDATE node SET last_seq = ?1
                   WHERE node = ?2 AND incarnation = ?3 AND epoch = ?4 AND last_seq = ?5";
        let values = params![
            seq.get().cast_signed(),
            self.node.as_str(),
            self.incarnation.get(),
            self.epoch.get().cast_signed(),
            self.last_seq.get().cast_signed(),
        ];
        match step("raise fence", &self.connection, sql, values)? {
            1 => Ok(()),
            _ => Err(StoreError::Fenced {
                node: self.node.clone(),
                incarnation: self.incarnation,
                seq,
            }),
        }
    }

    fn insert_rows(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let sql = "INSERT INTO journal
                   (incarnation, seq, drop_id, node, records, prev_hash, hash, body)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let (incarnation, seq) = (batch.incarnation().get(), batch.seq().get().cast_signed());
        for row in batch.rows() {
            let values = params![
                incarnation,
                seq,
                row.drop.get(),
                batch.node().as_str(),
                row.records,
                row.prev_hash.as_bytes(),
                row.hash.as_bytes(),
                row.body,
            ];
            let found = step("insert journal row", &self.connection, sql, values)?;
            changed("insert journal row", 1, found)?;
            for delta in &row.supply {
                self.move_supply(batch.seq(), row.drop, delta)?;
            }
            for key in &row.keys {
                step(
                    "bind key",
                    &self.connection,
                    command_keys::INSERT,
                    command_keys::values(key),
                )?;
            }
        }
        for seal in batch.seals() {
            let found = step("insert seal", &self.connection, seals::INSERT, seals::values(seal))?;
            changed("insert seal", 1, found)?;
        }
        if !batch.links().is_empty() {
            let sql = "INSERT INTO viewers (incarnation, seq, pairs) VALUES (?1, ?2, ?3)";
            let values = params![incarnation, seq, batch.links()];
            changed("insert links", 1, step("insert links", &self.connection, sql, values)?)?;
        }
        Ok(())
    }

    fn move_supply(
        &mut self,
        seq: Seq,
        drop: DropId,
        delta: &SupplyDelta,
    ) -> Result<(), StoreError> {
        let SupplyDelta { pool, sku, supplied, taken } = *delta;
        let known = self.pools.contains(&(drop, pool));
        let moved = if known {
            let sql = "UPDATE supply SET supplied = supplied + ?3, taken = taken + ?4
                       WHERE drop_id = ?1 AND pool = ?2";
            let values = params![drop.get(), pool.get(), supplied, taken];
            step("move supply", &self.connection, sql, values)
        } else {
            let sql = "INSERT INTO supply (drop_id, pool, sku, supplied, taken)
                       VALUES (?1, ?2, ?5, ?3, ?4)";
            let values = params![drop.get(), pool.get(), supplied, taken, sku.get()];
            step("move supply", &self.connection, sql, values)
        };
        match moved {
            Err(why) if breaks_constraint(&why) => {
                Err(StoreError::Oversold { seq, drop, pool, supplied, taken })
            }
            moved => {
                changed("move supply", 1, moved?)?;
                self.pools.insert((drop, pool));
                Ok(())
            }
        }
    }

    /// Copies the log into the database file. A reader of an old state, or another process that
    /// is just doing the same, makes it a partial one; the next comes soon.
    pub(super) fn checkpoint(&mut self) -> Result<(), StoreError> {
        let watch = Stopwatch::start();
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        let fail = |source| in_step("checkpoint", source);
        let done = self.connection.prepare_cached(sql).map_err(fail).and_then(|mut statement| {
            let pages =
                |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
            statement.query_row((), pages).map_err(fail)
        });
        match done {
            Ok((log, copied)) => {
                let behind = usize::try_from(log.saturating_sub(copied)).unwrap_or(0);
                self.log.bytes = behind.saturating_mul(self.log.page_bytes);
                self.log.tell(behind > 0);
            }
            // Not even looked at: as before, the next comes soon.
            Err(why) if is_busy(&why) => self.log.tell(true),
            Err(why) => return Err(why),
        }
        metrics::checkpointed(&watch, self.log.bytes);
        // Try again after as much again: a held log must not cost a checkpoint for each commit.
        self.log.bytes = self.log.bytes.min(self.log.bytes_max / 2);
        Ok(())
    }

    /// Leaves a mark for the next start if the disk itself has failed: pages that a failed sync
    /// dropped may still look sound in memory. Another program's lock is no failure of the disk.
    fn noting_failure(&self, done: Result<(), StoreError>) -> Result<(), StoreError> {
        if let Err(why @ StoreError::Backend { disk_full: false, .. }) = &done
            && !is_busy(why)
            && let Err(error) = self.data.mark_suspect()
        {
            tracing::error!(%error, "the failing disk could not be marked for the next start");
        }
        done
    }
}

impl LogPolicy {
    /// Says that the log is held, or no more.
    fn tell(&mut self, is_held: bool) {
        let bytes = self.bytes;
        if !is_held {
            if let Some(times) = self.held.over() {
                tracing::info!(times, "nobody holds the ledger's log any more");
            }
        } else if let Some(times) = self.held.note(self.at) {
            tracing::warn!(bytes, times, "a reader holds the ledger's log; it grows meanwhile");
        }
    }
}

/// Runs one cached statement; tells how many rows it changed.
pub(super) fn step(
    step: &'static str,
    connection: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(|e| in_step(step, e))?;
    statement.execute(values).map_err(|e| in_step(step, e))
}

/// Checks the number of rows that a statement changed.
pub(super) fn changed(
    step: &'static str,
    expected: usize,
    changed: usize,
) -> Result<(), StoreError> {
    if changed == expected {
        return Ok(());
    }
    Err(StoreError::RowCount { step, changed, expected })
}
