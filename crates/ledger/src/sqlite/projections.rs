//! The tables of projections.

use rusqlite::{Connection, params};
use stampede_domain::{ChannelId, UnixMillis};

use super::store::{changed, step};
use crate::{Mark, NewOrder, Projection, ProjectionRow, StoreError, projector::ProjectionTables};

impl ProjectionTables for Connection {
    fn insert(&self, row: &ProjectionRow, place: &Mark, at: UnixMillis) -> Result<(), StoreError> {
        match row {
            ProjectionRow::Order(order) => insert_order(self, order, place, at),
        }
    }

    fn move_mark(&self, projection: Projection, reached: &Mark) -> Result<(), StoreError> {
        let sql = "UPDATE projection SET incarnation = ?1, seq = ?2, drop_id = ?3, record = ?4
                   WHERE name = ?5";
        let (row, name) = (reached.row, projection.name());
        let values =
            params![row.incarnation, row.seq.cast_signed(), row.drop, reached.record, name];
        changed("move projection", 1, step("move projection", self, sql, values)?)
    }
}

fn insert_order(
    connection: &Connection,
    order: &NewOrder,
    place: &Mark,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let currency = order.amount.currency();
    let sql = "INSERT INTO orders (hold, drop_id, pool, sku, viewer, units, amount_minor, currency,
                                   at_ms, incarnation, seq, channel)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let values = params![
        order.hold.to_bytes(),
        order.hold.drop_id().get(),
        order.hold.pool().get(),
        order.sku.get(),
        order.viewer.get().cast_signed(),
        order.units.get(),
        order.amount.minor().cast_signed(),
        currency.code(),
        at.get().cast_signed(),
        place.row.incarnation,
        place.row.seq.cast_signed(),
        order.channel.as_ref().map(ChannelId::as_str),
    ];
    changed("insert order", 1, step("insert order", connection, sql, values)?)
}
