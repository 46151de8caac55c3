//! What live drops may come to need in memory, held against its limits.
//!
//! The limits bind plans, edits, lots. What a ledger holds goes on, whatever the limits say.

use std::collections::BTreeMap;

use stampede_domain::{DropId, MerchantId, Units};
use stampede_stock::bytes_needed;
use tracing::warn;

use super::{Book, thread::Steward};
use crate::{command_refusal::CommandRefusal, config::EngineConfig};

const OF_MERCHANT: &str = "the merchant's live drops";
const OF_ALL: &str = "all live drops";

impl Book {
    /// Bytes that the drop may come to need.
    fn bytes_needed(&self) -> u64 {
        if self.was_supplied() {
            return bytes_needed(self.supplied.iter().copied());
        }
        bytes_needed(self.plan().skus.iter().map(|sku| sku.supply))
    }
}

impl Steward {
    /// Checks that a merchant's drop may come to need what `supplied` units in each pool need; what
    /// `drop` needs today does not count on top.
    pub(super) fn check_memory(
        &self,
        merchant: &MerchantId,
        drop: Option<DropId>,
        supplied: impl IntoIterator<Item = Units>,
    ) -> Result<(), CommandRefusal> {
        let others = || self.books.iter().filter(|(id, _)| Some(**id) != drop);
        let of_merchant = others().filter(|(_, book)| book.plan().merchant == *merchant);
        let needed = bytes_needed(supplied);
        let config = &self.shared.config;
        let limits = [
            (OF_MERCHANT, sum(of_merchant), config.merchant_bytes_max),
            (OF_ALL, sum(others()), config.sale_bytes_max),
        ];
        match limits.into_iter().find(|(_, used, max)| used.saturating_add(needed) > *max) {
            Some((of, used, max)) => Err(CommandRefusal::MemoryFull { of, needed, used, max }),
            None => Ok(()),
        }
    }
}

fn sum<'a>(books: impl Iterator<Item = (&'a DropId, &'a Book)>) -> u64 {
    books.map(|(_, book)| book.bytes_needed()).fold(0, u64::saturating_add)
}

/// Says which limits the drops of the ledger are beyond: they sell on, new plans and lots wait.
pub(crate) fn warn_of_memory(books: &BTreeMap<DropId, Book>, config: &EngineConfig) {
    let (used, max) = (sum(books.iter()), config.sale_bytes_max);
    if used > max {
        warn!(used, max, "live drops may come to need more memory than allowed; they sell on");
    }
    let mut merchants: BTreeMap<&str, u64> = BTreeMap::new();
    for book in books.values() {
        let used = merchants.entry(book.plan().merchant.as_str()).or_default();
        *used = used.saturating_add(book.bytes_needed());
    }
    let max = config.merchant_bytes_max;
    let over = || merchants.iter().filter(|(_, used)| **used > max);
    if let Some((merchant, used)) = over().max_by_key(|(_, used)| **used) {
        let merchants = over().count();
        warn!(
            merchants,
            largest = merchant,
            used,
            max,
            "merchants' live drops may come to need more memory than allowed; they sell on"
        );
    }
}
