//! Compares the memory that live drops may come to need with its limits.
//!
//! The limits bind plans, edits, lots. What a ledger holds goes on, whatever the limits say.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, MerchantId, SkuPlan, Units};

use super::Books;
use crate::{command::CommandRefusal, drop::DropBook, limits::Limits, memory::MemoryNeeds};

const OF_MERCHANT: &str = "the merchant's live drops";
const OF_ALL: &str = "all live drops";

impl DropBook {
    /// Bytes that the drop may come to need; none once it is over.
    pub(crate) fn needed(&self, limits: &Limits) -> u64 {
        if self.phase().is_final() {
            return 0;
        }
        (limits.bytes_needed)(&mut self.supplied_max.iter().copied())
    }
}

impl Limits {
    /// Whether a drop may come to need `needed` bytes beside what others need; `own` of that is its own today.
    fn check_memory(
        &self,
        memory: &MemoryNeeds,
        merchant: &MerchantId,
        (own, needed): (u64, u64),
    ) -> Result<(), CommandRefusal> {
        let limits = [
            (OF_MERCHANT, memory.merchant(merchant) - own, self.merchant_bytes_max),
            (OF_ALL, memory.all() - own, self.sale_bytes_max),
        ];
        match limits.into_iter().find(|(_, used, max)| used.saturating_add(needed) > *max) {
            Some((of, used, max)) => Err(CommandRefusal::MemoryFull { of, needed, used, max }),
            None => Ok(()),
        }
    }
}

impl Books {
    /// Changes what a drop may come to need: `before` is what it needed until now.
    pub(crate) fn need_changed(&mut self, drop: DropId, before: u64) {
        let book = &self.drops[&drop];
        let merchant = &book.plan().merchant;
        self.memory.add(merchant, book.needed(&self.limits));
        self.memory.remove(merchant, before);
    }

    /// Bytes that a drop may come to need today; 0 for one that is not there.
    pub(crate) fn needed(&self, drop: DropId) -> u64 {
        self.drops.get(&drop).map_or(0, |book| book.needed(&self.limits))
    }

    /// Checks that a merchant's drop may come to need what `supplied` units in each pool need; what
    /// `drop` needs today does not count on top.
    pub(crate) fn check_memory(
        &self,
        merchant: &MerchantId,
        drop: Option<DropId>,
        supplied: impl IntoIterator<Item = Units>,
    ) -> Result<(), CommandRefusal> {
        debug_assert_eq!(self.memory.all(), self.sum_of_needs(), "the sum is kept");
        let own = drop.map_or(0, |drop| self.needed(drop));
        let needed = (self.limits.bytes_needed)(&mut supplied.into_iter());
        self.limits.check_memory(&self.memory, merchant, (own, needed))
    }

    /// The same of several new drops together.
    pub(crate) fn check_memory_of_all(
        &self,
        plans: &[Arc<DropPlan>],
    ) -> Result<(), CommandRefusal> {
        let mut memory = self.memory.clone();
        for plan in plans {
            let units = &mut plan.skus.iter().map(SkuPlan::units);
            let needed = (self.limits.bytes_needed)(units);
            self.limits.check_memory(&memory, &plan.merchant, (0, needed))?;
            memory.add(&plan.merchant, needed);
        }
        Ok(())
    }

    fn sum_of_needs(&self) -> u64 {
        let needs = self.drops.values().map(|book| book.needed(&self.limits));
        needs.fold(0, u64::saturating_add)
    }
}
