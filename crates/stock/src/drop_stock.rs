//! The stock of one drop: its pools joined to its winners.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU32 as PlainU32, Ordering as PlainOrdering},
    },
};

use stampede_domain::{
    DropId, HoldId, Incarnation, PoolIndex, PoolMap, SkuIndex, Units, ViewerNumber,
};

use crate::{
    cell::StockCell,
    hold::{End, GiveOutcome, HoldView, NotFree, PoolView, SupplyError, WaitJoin},
    lane::Lane,
    slot::{HoldSlot, SlotState},
    slot_table::{LANES_MAX, SlotTable},
    sync::{AtomicU32, Ordering},
    viewers::Viewers,
    word::StockWord,
};

/// Limits of one SKU.
#[derive(Clone, Copy, Debug)]
pub struct SkuLimits {
    /// Units of the SKU that one viewer may have, held or ordered.
    pub limit_per_viewer: Units,
}

/// What a drop's stock is built from.
#[derive(Clone, Debug)]
pub struct StockConfig {
    /// The drop; part of each hold's id.
    pub drop: DropId,
    /// The node's incarnation; part of each new hold's id.
    pub incarnation: Incarnation,
    /// The pools, each with its SKU.
    pub pools: PoolMap,
    /// The limits of each SKU, in their order.
    pub skus: Vec<SkuLimits>,
    /// Units of the whole drop that one viewer may have, held or ordered.
    pub limit_per_viewer: Units,
    /// Holds that one viewer may make in the drop, ended ones included.
    pub holds_per_viewer_max: u16,
}

/// The stock of one drop. Takes run on any core; all else is for the steward or the writer.
#[derive(Debug)]
pub struct DropStock {
    pub(crate) drop: DropId,
    pub(crate) incarnation: Incarnation,
    pub(crate) pools: Box<[Pool]>,
    /// The SKU of each pool, for all pools in few cache lines.
    map: PoolMap,
    pub(crate) viewers: Viewers,
    limit_per_viewer: Limit,
    pub(crate) holds_per_viewer_max: u16,
    /// Shared with the lanes to tell them from another stock's.
    pub(crate) identity: Arc<()>,
    lanes: PlainU32,
}

#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) word: StockCell,
    pub(crate) slots: SlotTable,
    /// Units of all lots without those that were withdrawn; written by the steward alone.
    supplied: AtomicU32,
    pub(crate) sku: SkuIndex,
    /// Units of the SKU, from whichever pools, that one viewer may have.
    limit_per_viewer: Limit,
}

/// Units that one viewer may have; written by the steward alone.
#[derive(Debug)]
struct Limit(AtomicU32);

impl DropStock {
    /// A stock that is shut, empty.
    ///
    /// # Panics
    /// If the pools are of other SKUs than there are limits for.
    pub fn new(config: StockConfig) -> Self {
        let (skus, limits) = (config.pools.skus(), config.skus.len());
        assert_eq!(skus, limits, "each SKU with a pool has its limits");
        let pools = config.pools.iter().map(|(_, sku)| Pool {
            word: StockCell::new(StockWord::EMPTY),
            slots: SlotTable::new(),
            supplied: AtomicU32::new(0),
            sku,
            limit_per_viewer: Limit::new(config.skus[usize::from(sku.get())].limit_per_viewer),
        });
        Self {
            drop: config.drop,
            incarnation: config.incarnation,
            pools: pools.collect(),
            map: config.pools,
            viewers: Viewers::new(),
            limit_per_viewer: Limit::new(config.limit_per_viewer),
            holds_per_viewer_max: config.holds_per_viewer_max,
            identity: Arc::new(()),
            lanes: PlainU32::new(0),
        }
    }

    /// A new core's spare slots; to be used by one core at a time.
    ///
    /// # Panics
    /// If more lanes are asked for than cores are allowed: spare slots are counted ahead.
    pub fn lane(&self) -> Lane {
        let made = self.lanes.fetch_add(1, PlainOrdering::Relaxed);
        assert!(made < LANES_MAX, "a drop has at most {LANES_MAX} lanes");
        Lane::new(Arc::clone(&self.identity), self.pools.len())
    }

    /// All holds that a viewer ever made in this drop, oldest first.
    pub fn holds_of(&self, viewer: ViewerNumber) -> Vec<HoldId> {
        self.viewers.read(viewer, |notes| notes.iter().map(|note| note.hold(self.drop)).collect())
    }

    /// A hold as it stands.
    pub fn view(&self, hold: HoldId) -> HoldView {
        let Some((_, slot)) = self.place(hold) else { return HoldView::Unknown };
        match slot.read(hold.pool(), hold.take(), hold.incarnation()) {
            Some((SlotState::Pending, body)) => HoldView::Pending(body),
            Some((SlotState::Held, body)) => HoldView::Held(body),
            Some((SlotState::Confirmed, body)) => HoldView::Confirmed(body),
            Some((SlotState::Ended | SlotState::Free, _)) | None => HoldView::Ended,
        }
    }

    /// Makes a pending hold held: its record is durable. For the writer, once per take.
    ///
    /// # Panics
    /// If the hold is not pending: a commit applied twice, or to the wrong stock, must stop.
    pub fn mark_held(&self, hold: HoldId) {
        let advanced = self
            .place(hold)
            .map(|(_, slot)| slot.advance(hold.take(), SlotState::Pending, SlotState::Held));
        assert!(matches!(advanced, Some(Ok(()))), "{hold:?} became durable but is not pending");
    }

    /// Makes a held hold an order, in memory; its record follows. For the steward.
    pub fn confirm(&self, hold: HoldId) -> End {
        self.decide(hold, SlotState::Confirmed)
    }

    /// Ends a held hold by release or expiry; its units stay out until [`DropStock::give`]. For the
    /// steward.
    pub fn end(&self, hold: HoldId) -> End {
        self.decide(hold, SlotState::Ended)
    }

    /// Gives an ended hold's units back, with its slot and its share of the viewer's limit. For the
    /// steward, after the record of the end is durable.
    ///
    /// The limit returns before the units, the slot before the units: who sees the units can take
    /// them.
    pub fn give(&self, hold: HoldId) -> GiveOutcome {
        let Some((pool, slot)) = self.place(hold) else { return GiveOutcome::Refused };
        let read = slot.read(hold.pool(), hold.take(), hold.incarnation());
        let Some((SlotState::Ended, body)) = read else { return GiveOutcome::Refused };
        if slot.advance(hold.take(), SlotState::Ended, SlotState::Free).is_err() {
            return GiveOutcome::Refused;
        }
        self.viewers.amend(body.viewer, |notes| {
            let note = notes.iter_mut().find(|note| note.is_of(hold));
            note.expect("a hold has its viewer's note").stop_counting();
        });
        pool.slots.push(hold.slot());
        match pool
            .word
            .update(|word| if word.is_waiting() { Err(()) } else { Ok(give(word, body.units)) })
        {
            Ok(_) => GiveOutcome::ToPublic(body),
            Err(()) => GiveOutcome::ToWaiting(body),
        }
    }

    /// Lets takes begin, in every pool.
    pub fn permit_takes(&self) {
        for pool in &self.pools {
            pool.set(StockWord::opened);
        }
    }

    /// Stops takes: once this returns, none succeeds until [`DropStock::permit_takes`].
    pub fn forbid_takes(&self) {
        for pool in &self.pools {
            pool.set(StockWord::shut);
        }
    }

    /// Sets the limits of a viewer for the takes to come: of the whole drop, and of each SKU in its order. Nobody loses what
    /// they have. For the steward, while takes are shut.
    ///
    /// # Panics
    /// If takes are open, or the drop has another number of SKUs.
    pub fn set_limits(&self, of_drop: Units, of_skus: &[Units]) {
        assert!(self.pools.iter().all(|pool| !pool.word.load().is_open()), "takes are shut");
        assert_eq!(self.map.skus(), of_skus.len(), "each SKU has its limit");
        self.limit_per_viewer.set(of_drop);
        for pool in &self.pools {
            pool.limit_per_viewer.set(of_skus[usize::from(pool.sku.get())]);
        }
        // A take that has read the old limits may sleep until the word is open again, and find it as it was. It holds its
        // viewer's notes meanwhile: once they were free, no take goes by the old limits.
        self.viewers.wait_for_bookings();
    }

    /// Units of the whole drop, then of a pool's SKU, that one viewer may have.
    pub fn limits_of(&self, pool: PoolIndex) -> [Units; 2] {
        [self.limit_per_viewer.get(), self.pool(pool).limit_per_viewer.get()]
    }

    /// Has returned units kept for a waitlist, unless `units` are available right now.
    ///
    /// From then on the public is refused and [`DropStock::give`] hands units to the steward.
    pub fn join_waiting(&self, pool: PoolIndex, units: Units) -> WaitJoin {
        let joined = self.pool(pool).word.update(|word| {
            let available = word.available();
            let waits = word.is_waiting() || available.checked_take(units).is_none();
            if waits { Ok(word.awaited()) } else { Err(available) }
        });
        match joined {
            Ok(_) => WaitJoin::Waiting,
            Err(available) => WaitJoin::Available { available },
        }
    }

    /// Lets the public take again, handing over `left`: units that the steward was given while the
    /// bit was set and that nobody on the waitlist wants.
    pub fn clear_waiting(&self, pool: PoolIndex, left: Units) {
        self.pool(pool).set(|word| give(word.served(), left));
    }

    /// Adds a lot's units. For the steward, after the lot's record is durable.
    ///
    /// Costs the same for any number of units: memory follows takes.
    ///
    /// # Errors
    /// [`SupplyError`]: no such pool, or more than a pool can have. Nothing is added then.
    pub fn add_supply(&self, pool: PoolIndex, units: Units) -> Result<(), SupplyError> {
        let pools = self.pools.len();
        let into = self
            .pools
            .get(usize::from(pool.get()))
            .ok_or(SupplyError::UnknownPool { pool, pools })?;
        let supplied = into.supplied();
        let sum = supplied.checked_add(units).ok_or(SupplyError::TooMuch {
            pool,
            supplied,
            units,
            max: Units::MAX,
        })?;
        into.slots.allow(sum.get());
        // ORDERING: Relaxed; the word's Release below comes later, so who sees the units sees them
        // supplied.
        into.supplied.store(sum.get(), Ordering::Relaxed);
        into.set(|word| give(word, units));
        Ok(())
    }

    /// Takes units out of a pool that nobody has taken: its supply falls by them. For the steward, before the record:
    /// supply falls on record only when the units have left the word. A crash before the record brings them back.
    ///
    /// # Errors
    /// [`NotFree`] if fewer are free. Nothing moves then.
    ///
    /// # Panics
    /// If the pool is not of this drop.
    pub fn withdraw(&self, pool: PoolIndex, units: Units) -> Result<(), NotFree> {
        self.withdraw_of(pool, |_| units).map(|_| ())
    }

    /// The same with all units that nobody has taken; returns how many that are.
    ///
    /// # Errors
    /// [`NotFree`] if none is free. Nothing moves then.
    ///
    /// # Panics
    /// If the pool is not of this drop.
    pub fn withdraw_all(&self, pool: PoolIndex) -> Result<Units, NotFree> {
        self.withdraw_of(pool, |free| free.max(Units::ONE))
    }

    fn withdraw_of(
        &self,
        pool: PoolIndex,
        wanted: impl Fn(Units) -> Units,
    ) -> Result<Units, NotFree> {
        let from = self.pool(pool);
        // What the swap that wins goes by.
        let asked = Cell::new(Units::ZERO);
        let withdrawn = from.word.update(|word| {
            asked.set(wanted(word.available()));
            word.withdraw(asked.get())
        });
        let units = asked.get();
        withdrawn.map_err(|free| NotFree { pool, units, free })?;
        let left = from.supplied().checked_take(units).expect("what was free was supplied");
        // ORDERING: Relaxed; see `Pool::supplied`. Slots stay as they are: holds may lie in any of them.
        from.supplied.store(left.get(), Ordering::Relaxed);
        Ok(units)
    }

    /// Makes places for further takes, ahead of need: slots for those that are left in the pools,
    /// notes for as many again as an eighth of those made. For a thread that may take its time; a
    /// take that comes before makes its own places. Holds up takes of a few viewers at a time, for
    /// as long as a 128th of the notes needs to move.
    pub fn grow_ahead(&self) {
        self.pools.iter().for_each(|pool| pool.slots.grow_ahead());
        self.viewers.grow_for(places(self.takes_made()).saturating_mul(5) / 4);
    }

    /// Makes places for `takes` more in `pool` now, for a rush that is known ahead, as far as
    /// supplied units can need them.
    ///
    /// # Panics
    /// If the pool is not of this drop.
    pub fn grow_for(&self, pool: PoolIndex, takes: Units) {
        self.pool(pool).slots.grow_for(takes.get());
        self.viewers.grow_for(places(self.takes_made() + u64::from(takes.get())));
    }

    /// Takes so far, over all restarts; notes are at most as many.
    fn takes_made(&self) -> u64 {
        self.pools.iter().map(|pool| pool.word.load().last_take().get()).sum()
    }

    /// The pools, each with its SKU.
    pub fn map(&self) -> &PoolMap {
        &self.map
    }

    /// Every pool as it stands.
    pub fn pools(&self) -> impl Iterator<Item = PoolView> + '_ {
        (0..=u8::MAX).filter_map(PoolIndex::new).zip(&self.pools).map(|(index, pool)| {
            let word = pool.word.load();
            PoolView {
                pool: index,
                available: word.available(),
                open: word.is_open(),
                waiting: word.is_waiting(),
                last_take: word.last_take(),
                supplied: pool.supplied(),
            }
        })
    }

    pub(crate) fn pool(&self, pool: PoolIndex) -> &Pool {
        self.pools.get(usize::from(pool.get())).expect("the pool is one of this drop's")
    }

    /// Pool and slot that an id names, if this stock can have made the hold.
    fn place(&self, hold: HoldId) -> Option<(&Pool, &HoldSlot)> {
        let pool = self.pools.get(usize::from(hold.pool().get()))?;
        let made = hold.drop_id() == self.drop
            && hold.incarnation() <= self.incarnation
            && hold.take() != stampede_domain::TakeNumber::default()
            && hold.take() <= pool.word.load().last_take();
        let slot = pool.slots.get(hold.slot())?;
        made.then_some((pool, slot))
    }

    fn decide(&self, hold: HoldId, to: SlotState) -> End {
        let Some((_, slot)) = self.place(hold) else { return End::Unknown };
        let Some((_, body)) = slot.read(hold.pool(), hold.take(), hold.incarnation()) else {
            return End::Ended;
        };
        match slot.advance(hold.take(), SlotState::Held, to) {
            Ok(()) => End::Won(body),
            Err(word) if word.take() != hold.take() => End::Ended,
            Err(word) => match word.state() {
                SlotState::Pending => End::Pending,
                SlotState::Confirmed => End::Confirmed,
                SlotState::Ended | SlotState::Free => End::Ended,
                SlotState::Held => unreachable!("a strong swap fails only on another word"),
            },
        }
    }
}

impl Limit {
    fn new(units: Units) -> Self {
        Self(AtomicU32::new(units.get()))
    }

    fn get(&self) -> Units {
        // ORDERING: Relaxed here and below; takes read limits under the lock of their viewer's notes, for which
        // `set_limits` waits after it has written.
        Units::new(self.0.load(Ordering::Relaxed)).expect("units were stored")
    }

    fn set(&self, units: Units) {
        self.0.store(units.get(), Ordering::Relaxed);
    }
}

impl Pool {
    pub(crate) fn supplied(&self) -> Units {
        // ORDERING: Relaxed; only the steward writes it, and readers want a figure, not an order.
        Units::new(self.supplied.load(Ordering::Relaxed)).expect("a checked sum was stored")
    }

    fn set(&self, transition: impl Fn(StockWord) -> StockWord) {
        let Ok(_) = self.word.update(|word| Ok::<_, std::convert::Infallible>(transition(word)));
    }
}

fn places(units: u64) -> usize {
    usize::try_from(units).unwrap_or(usize::MAX)
}

/// # Panics
/// If more comes back than can have been out: the books are wrong, so selling must stop.
fn give(word: StockWord, units: Units) -> StockWord {
    word.give(units).expect("units that come back were supplied, so they fit the word")
}
