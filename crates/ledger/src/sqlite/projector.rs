//! Puts confirmed records into the orders table, a bounded piece with each commit.

use std::collections::VecDeque;

use rusqlite::{Connection, params};
use stampede_domain::{ChannelId, DropPlan, UnixMillis};

use super::{
    reader::Projection,
    rows::RowKey,
    store::{changed, step},
};
use crate::{Batch, NewOrder, Row, StoreError};

/// Orders that one commit carries along: some milliseconds of work.
pub(super) const ORDERS_PER_COMMIT: usize = 512;
/// Orders that wait at most. Beyond this a commit carries as many as came in, so the queue's
/// memory and the work after a restart stay bounded.
const WAITING_MAX: usize = 1 << 17;

/// A confirmed record that has no row in the orders table yet.
struct Waiting {
    order: NewOrder,
    place: Projection,
    at: UnixMillis,
}

/// The queue in front of the orders table; the table's cursor moves in the same transaction.
#[derive(Default)]
pub(super) struct Projector {
    waiting: VecDeque<Waiting>,
    /// The place of the latest record that was handed in.
    seen: Projection,
    stored: Projection,
}

impl Projector {
    pub(super) fn new(stored: Projection) -> Self {
        Self { waiting: VecDeque::new(), seen: stored, stored }
    }

    /// Queues an order that a restart found behind the cursor.
    pub(super) fn catch_up(&mut self, row: &Row, at: UnixMillis, order: NewOrder) {
        let place = Projection { row: RowKey::of(row), record: order.record };
        if place > self.stored {
            self.waiting.push_back(Waiting { order, place, at });
        }
    }

    /// Notes how far the journal reaches.
    pub(super) fn saw(&mut self, row: RowKey, records: u32) {
        let place = Projection { row, record: records.saturating_sub(1) };
        self.seen = self.seen.max(place);
    }

    /// Queues the orders of a batch that is being committed.
    pub(super) fn take_in(&mut self, batch: &Batch) {
        for row in batch.rows() {
            let key = RowKey {
                incarnation: batch.incarnation().get(),
                seq: batch.seq().get(),
                drop: row.drop.get(),
            };
            self.waiting.extend(row.orders.iter().map(|order| Waiting {
                order: order.clone(),
                place: Projection { row: key, record: order.record },
                at: batch.at(),
            }));
            self.saw(key, row.records);
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the stored cursor lags behind the journal.
    pub(super) fn is_behind(&self) -> bool {
        self.stored < self.seen
    }

    /// Inserts a bounded number of orders within the caller's transaction.
    pub(super) fn project(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let excess = self.waiting.len().saturating_sub(WAITING_MAX);
        let count = self.waiting.len().min(excess.max(ORDERS_PER_COMMIT));
        let mut reached = self.stored;
        for waiting in self.waiting.drain(..count) {
            insert(connection, &waiting)?;
            reached = waiting.place;
        }
        if self.waiting.is_empty() {
            reached = self.seen;
        }
        if reached != self.stored {
            move_cursor(connection, reached)?;
            self.stored = reached;
        }
        Ok(())
    }
}

fn insert(connection: &Connection, waiting: &Waiting) -> Result<(), StoreError> {
    let order = &waiting.order;
    let pool = order.hold.pool();
    let currency = order.amount.currency();
    let sql = "INSERT INTO orders (hold, drop_id, pool, sku, viewer, units, amount_minor, currency,
                                   at_ms, incarnation, seq, channel)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let values = params![
        order.hold.to_bytes(),
        order.hold.drop_id().get(),
        pool.get(),
        DropPlan::sku_of(pool).get(),
        order.viewer.get().cast_signed(),
        order.units.get(),
        order.amount.minor().cast_signed(),
        currency.code(),
        waiting.at.get().cast_signed(),
        waiting.place.row.incarnation,
        waiting.place.row.seq.cast_signed(),
        order.channel.as_ref().map(ChannelId::as_str),
    ];
    changed("insert order", 1, step("insert order", connection, sql, values)?)
}

fn move_cursor(connection: &Connection, reached: Projection) -> Result<(), StoreError> {
    let sql = "UPDATE projection SET incarnation = ?1, seq = ?2, drop_id = ?3, record = ?4
               WHERE name = 'orders'";
    let row = reached.row;
    let values = params![row.incarnation, row.seq.cast_signed(), row.drop, reached.record];
    changed("move projection", 1, step("move projection", connection, sql, values)?)
}
