//! Lots: units that are added to a drop.

use stampede_domain::{DropId, PoolIndex, SkuId, SkuIndex, Units, UnixMillis};
use stampede_ledger::Record;

use super::Books;
use crate::{
    command::CommandRefusal,
    decision::{Decision, Effect},
    drop::DropBook,
};

impl DropBook {
    /// The pool that a SKU's lots go to.
    pub(super) fn pool_of(&self, sku: &SkuId) -> Result<PoolIndex, CommandRefusal> {
        let index = self.plan.sku_index(sku.as_str());
        let index = index.ok_or_else(|| CommandRefusal::UnknownSku { sku: sku.clone() })?;
        Ok(self.common_pool(index))
    }
}

impl Books {
    /// Adds a lot by command; returns its number.
    pub(crate) fn restock(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        (sku, units): (&SkuId, Units),
        out: &mut Decision,
    ) -> Result<u32, CommandRefusal> {
        let book = &self.drops[&drop];
        let pool = book.pool_of(sku)?;
        let supplied = book.supplied[usize::from(pool.get())];
        let sum = supplied.checked_add(units).filter(|_| !units.is_zero());
        let max = Units::MAX;
        let sum = sum.ok_or(CommandRefusal::LotOutOfRange { units, supplied, max })?;
        let (place, mut after) = (usize::from(pool.get()), book.supplied.clone());
        after[place] = sum;
        let of_sku = |index| after[usize::from(book.common_pool(index).get())];
        let places = (0..=u8::MAX).filter_map(SkuIndex::new);
        if book.plan.gross_of(places.take(book.plan.skus.len()).map(of_sku)).is_none() {
            return Err(CommandRefusal::LotTooDear { sku: sku.clone(), units });
        }
        let mut most = book.supplied_max.clone();
        most[place] = most[place].max(sum);
        self.check_memory(&book.plan.merchant, Some(drop), most)?;
        Ok(self.add_lot(at, drop, pool, units, out))
    }

    /// Adds units that the pool was checked to take; returns the lot's number.
    pub(crate) fn add_lot(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        pool: PoolIndex,
        units: Units,
        out: &mut Decision,
    ) -> u32 {
        let lot = self.drops[&drop].lots + 1;
        self.record(at, drop, Record::Lot { pool, units, lot }, out);
        out.when_durable.push(Effect::Supply { drop, pool, units });
        lot
    }
}
