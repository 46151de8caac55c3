//! Facts of one row that checks outside of its drop need.

use stampede_domain::{ChannelId, HoldId, Money, SkuIndex, Units, UnixMillis, ViewerNumber};
use stampede_ledger::Record;

/// An order as the journal has it.
#[derive(Clone, Debug)]
pub(super) struct JournalOrder {
    pub(super) record: u32,
    pub(super) hold: HoldId,
    pub(super) sku: SkuIndex,
    pub(super) viewer: ViewerNumber,
    pub(super) units: Units,
    pub(super) amount: Money,
    pub(super) channel: Option<ChannelId>,
}

/// What a row holds for the checks across drops.
#[derive(Debug, Default)]
pub(super) struct RowFacts {
    pub(super) records: u64,
    pub(super) orders: Vec<JournalOrder>,
    pub(super) viewers: Vec<(u32, ViewerNumber)>,
    /// Takes with the time at which they happened.
    pub(super) taken: Vec<(u32, HoldId, UnixMillis)>,
    /// Whether there was anything but what a restart writes.
    pub(super) worked: bool,
    /// Records other than takes; kept here so that their memory serves the next row.
    pub(super) rest: Vec<(u32, Record)>,
}

impl RowFacts {
    pub(super) fn clear(&mut self) {
        self.records = 0;
        self.orders.clear();
        self.viewers.clear();
        self.taken.clear();
        self.worked = false;
        self.rest.clear();
    }

    /// Whether which drop is on air may follow from the row.
    pub(super) fn changes_air(&self) -> bool {
        let changes = |(_, record): &(u32, Record)| {
            matches!(record, Record::Phase(_) | Record::Stream(_) | Record::Featured)
        };
        self.rest.iter().any(changes)
    }
}
