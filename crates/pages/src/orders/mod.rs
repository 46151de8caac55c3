//! Orders for whoever answers customers: the newest, one that is looked for, what became of it.

mod attention;
mod list;
mod order;
mod reader;
mod sentences;
mod told;

pub(crate) use self::{attention::attention, list::orders, order::order};

/// Roles that may read orders: they name viewers.
pub(crate) fn may_read(role: &str) -> bool {
    matches!(role, "admin" | "ops" | "merchant")
}
