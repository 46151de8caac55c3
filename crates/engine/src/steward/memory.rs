//! What live drops may come to need in memory, held against its limits.
//!
//! The limits bind plans, edits, lots. What a ledger holds goes on, whatever the limits say.

use std::collections::{BTreeMap, HashMap};

use stampede_domain::{DropId, MerchantId, Units};
use stampede_stock::bytes_needed;
use tracing::warn;

use super::{Book, Steward};
use crate::{command::CommandRefusal, config::EngineConfig, metrics};

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

/// Bytes that live drops may come to need, kept as a sum: a command does not go through all drops.
#[derive(Debug, Default)]
pub(crate) struct MemoryNeeds {
    all: u64,
    of_merchant: HashMap<MerchantId, u64>,
}

impl MemoryNeeds {
    /// The sums of what a start has found.
    pub(crate) fn of(books: &BTreeMap<DropId, Book>) -> Self {
        let mut needs = Self::default();
        for book in books.values() {
            needs.add(&book.plan().merchant, book.bytes_needed());
        }
        metrics::show_sale_bytes(needs.all);
        needs
    }

    fn add(&mut self, merchant: &MerchantId, bytes: u64) {
        self.all += bytes;
        if let Some(sum) = self.of_merchant.get_mut(merchant) {
            *sum += bytes;
        } else {
            self.of_merchant.insert(merchant.clone(), bytes);
        }
    }

    fn remove(&mut self, merchant: &MerchantId, bytes: u64) {
        let under = "what is removed was added before";
        self.all = self.all.checked_sub(bytes).expect(under);
        let sum = self.of_merchant.get_mut(merchant).expect(under);
        *sum = sum.checked_sub(bytes).expect(under);
        if *sum == 0 {
            self.of_merchant.remove(merchant);
        }
    }

    fn merchant(&self, merchant: &MerchantId) -> u64 {
        self.of_merchant.get(merchant).copied().unwrap_or(0)
    }
}

impl Steward {
    /// Changes what a drop may come to need: `before` is what it needed until now.
    pub(super) fn need_changed(&mut self, drop: DropId, before: u64) {
        let book = &self.books[&drop];
        let merchant = &book.plan().merchant;
        self.memory.add(merchant, book.bytes_needed());
        if before > 0 {
            self.memory.remove(merchant, before);
        }
        metrics::show_sale_bytes(self.memory.all);
    }

    /// The drop is over: it needs nothing more.
    pub(super) fn need_ends(&mut self, book: &Book) {
        self.memory.remove(&book.plan().merchant, book.bytes_needed());
        metrics::show_sale_bytes(self.memory.all);
    }

    /// Bytes that a drop may come to need today; 0 for one that is not there.
    pub(super) fn needed(&self, drop: DropId) -> u64 {
        self.books.get(&drop).map_or(0, Book::bytes_needed)
    }

    /// Checks that a merchant's drop may come to need what `supplied` units in each pool need; what
    /// `drop` needs today does not count on top.
    pub(super) fn check_memory(
        &self,
        merchant: &MerchantId,
        drop: Option<DropId>,
        supplied: impl IntoIterator<Item = Units>,
    ) -> Result<(), CommandRefusal> {
        debug_assert_eq!(self.memory.all, sum(self.books.iter()), "the sum is kept");
        let own = drop.map_or(0, |drop| self.needed(drop));
        let needed = bytes_needed(supplied);
        let config = &self.shared.config;
        let limits = [
            (OF_MERCHANT, self.memory.merchant(merchant) - own, config.merchant_bytes_max),
            (OF_ALL, self.memory.all - own, config.sale_bytes_max),
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
pub(crate) fn warn_of_memory(needs: &MemoryNeeds, config: &EngineConfig) {
    let (used, max) = (needs.all, config.sale_bytes_max);
    metrics::show_sale_bytes_max(max);
    if used > max {
        warn!(used, max, "live drops may come to need more memory than allowed; they sell on");
    }
    let max = config.merchant_bytes_max;
    let over = || needs.of_merchant.iter().filter(|(_, used)| **used > max);
    if let Some((merchant, used)) = over().max_by_key(|(_, used)| **used) {
        let merchants = over().count();
        warn!(
            merchants,
            largest = merchant.as_str(),
            used,
            max,
            "merchants' live drops may come to need more memory than allowed; they sell on"
        );
    }
}
