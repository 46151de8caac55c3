//! Lots: units that are added to a drop.

use stampede_domain::{DropId, PoolIndex, SkuId, SkuIndex, Units, UnixMillis};
use stampede_ledger::{CorrectionRecord, Record};

use super::Books;
use crate::{
    command::CommandRefusal,
    decision::{Decision, Effect},
    drop::DropBook,
};

impl DropBook {
    /// What each pool has or may have without asking: what was put on sale, with the reserve.
    fn units(&self) -> Vec<Units> {
        let all = self.supplied.iter().zip(&self.reserve);
        all.map(|(supplied, more)| supplied.checked_add(*more).unwrap_or(Units::MAX)).collect()
    }

    /// The pool that a SKU's lots go to.
    pub(super) fn pool_of(&self, sku: &SkuId) -> Result<PoolIndex, CommandRefusal> {
        let index = self.plan.sku_index(sku.as_str());
        let index = index.ok_or_else(|| CommandRefusal::UnknownSku { sku: sku.clone() })?;
        Ok(self.common_pool(index))
    }
}

impl Books {
    /// Adds a lot by command; returns its number. What is in reserve goes first.
    pub(crate) fn restock(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        (sku, units): (&SkuId, Units),
        out: &mut Decision,
    ) -> Result<u32, CommandRefusal> {
        let book = &self.drops[&drop];
        let pool = book.pool_of(sku)?;
        let reserve = book.reserve[usize::from(pool.get())];
        let left = reserve.checked_take(units).unwrap_or(Units::ZERO);
        self.check_units(drop, (sku, pool), (units, left))?;
        if left == reserve {
            return Ok(self.add_lot(at, drop, pool, units, out));
        }
        self.set_reserve(at, drop, (pool, left), out);
        let lot = self.add_lot(at, drop, pool, units, out);
        out.when_durable.push(Effect::Draw { drop, pool, units: reserve.min(units) });
        Ok(lot)
    }

    /// Adds units that were sold before, as a lot; returns its number. The reserve stays as it is.
    pub(crate) fn sell_again(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        (sku, units): (&SkuId, Units),
        out: &mut Decision,
    ) -> Result<u32, CommandRefusal> {
        let book = &self.drops[&drop];
        let pool = book.pool_of(sku)?;
        let reserve = book.reserve[usize::from(pool.get())];
        self.check_units(drop, (sku, pool), (units, reserve))?;
        Ok(self.add_lot(at, drop, pool, units, out))
    }

    /// Checks that a SKU may have so many units more on sale, with `reserve` behind them.
    pub(super) fn check_units(
        &self,
        drop: DropId,
        (sku, pool): (&SkuId, PoolIndex),
        (units, reserve): (Units, Units),
    ) -> Result<(), CommandRefusal> {
        let book = &self.drops[&drop];
        let place = usize::from(pool.get());
        let (supplied, max) = (book.supplied[place], Units::MAX);
        let sum = supplied.checked_add(units).filter(|_| !units.is_zero());
        // What is in reserve may follow, so it has to fit as well.
        let sum = sum.and_then(|sum| sum.checked_add(reserve));
        let sum = sum.ok_or(CommandRefusal::LotOutOfRange { units, supplied, max })?;
        let mut after = book.units();
        after[place] = sum;
        let of_sku = |index| after[usize::from(book.common_pool(index).get())];
        let places = (0..=u8::MAX).filter_map(SkuIndex::new);
        if book.plan.gross_of(places.take(book.plan.skus.len()).map(of_sku)).is_none() {
            return Err(CommandRefusal::LotTooDear { sku: sku.clone(), units });
        }
        let mut most = book.supplied_max.clone();
        most[place] = most[place].max(sum);
        self.check_memory(&book.plan.merchant, Some(drop), most)
    }

    /// Records what is in reserve from now on.
    pub(super) fn set_reserve(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        (pool, left): (PoolIndex, Units),
        out: &mut Decision,
    ) {
        self.record(at, drop, CorrectionRecord::Reserved { pool, left }, out);
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
