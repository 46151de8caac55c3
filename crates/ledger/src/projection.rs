//! Tables that are made from the records, each at a pace of its own.
//!
//! A projection says which row it makes of which record. The rows wait in the projector and reach their table
//! with later commits, in quiet moments or at the next start; the projection's mark tells how far it is.

use stampede_domain::{ChannelId, HoldId, Money, SkuIndex, Units, ViewerNumber};

use crate::{HoldRecord, Record, drop_pools::DropPools};

/// A table that is made from the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// One row for each confirmed hold.
    Orders,
}

impl Projection {
    /// Every projection.
    pub const ALL: [Self; 1] = [Self::Orders];

    /// The name under which its mark is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
        }
    }

    /// The row that it makes of a record at this place of its journal row, if any.
    fn derive(self, record: &Record, place: u32, pools: &DropPools) -> Option<ProjectionRow> {
        match self {
            Self::Orders => NewOrder::of(record, place, pools).map(ProjectionRow::Order),
        }
    }
}

/// What all projections make of a record at this place of its journal row, in a drop of these pools.
pub(crate) fn derive(
    record: &Record,
    place: u32,
    pools: &DropPools,
) -> impl Iterator<Item = ProjectionRow> {
    let all = Projection::ALL.into_iter();
    all.filter_map(move |projection| projection.derive(record, place, pools))
}

/// A row of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectionRow {
    /// Of [`Projection::Orders`].
    Order(NewOrder),
}

impl ProjectionRow {
    /// The projection that made it.
    pub const fn projection(&self) -> Projection {
        match self {
            Self::Order(_) => Projection::Orders,
        }
    }

    /// Place of the record in its journal row, from 0.
    pub const fn record(&self) -> u32 {
        match self {
            Self::Order(order) => order.record,
        }
    }
}

/// An order to be put into the orders table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The hold, whose id is the order's id.
    pub hold: HoldId,
    /// The SKU.
    pub sku: SkuIndex,
    /// The buyer.
    pub viewer: ViewerNumber,
    /// Units bought.
    pub units: Units,
    /// Price of all units.
    pub amount: Money,
    /// The channel of the hold's take.
    pub channel: Option<ChannelId>,
    /// Place of the confirming record in its row, from 0.
    pub record: u32,
}

impl NewOrder {
    /// The order that a record at this place of its row makes, if any.
    pub(crate) fn of(record: &Record, place: u32, pools: &DropPools) -> Option<Self> {
        let Record::Hold(HoldRecord::Confirmed { hold, viewer, units, amount, channel }) = record
        else {
            return None;
        };
        let (hold, viewer, units, amount) = (*hold, *viewer, *units, *amount);
        let (sku, channel) = (pools.sku_of(hold.pool()), channel.clone());
        Some(Self { hold, sku, viewer, units, amount, channel, record: place })
    }
}
