//! The naive twin: one thread, plain maps, no trick, sharing no code with the core it checks.

use std::collections::BTreeMap;

use stampede_domain::{HoldId, KeyFingerprint, PoolIndex, Units, ViewerNumber};

/// A hold as the twin knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TwinHold {
    pub(super) id: HoldId,
    pub(super) viewer: ViewerNumber,
    pub(super) key: KeyFingerprint,
    pub(super) pool: PoolIndex,
    pub(super) units: u32,
    pub(super) stage: Stage,
}

/// Where a twin's hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Pending,
    Held,
    Confirmed,
    Ended,
    Given,
}

/// What the twin expects of a take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Taken,
    Replay(HoldId),
    KeyReused,
    Shut,
    /// The limit, with whether it stands in the way for good.
    OverViewerLimit(u32, bool),
    HoldsCapped,
    SoldOut,
    NotEnough(u32),
    NoRoom,
}

/// One pool of the twin.
#[derive(Clone, Copy, Debug)]
pub(super) struct TwinPool {
    pub(super) sku: usize,
    pub(super) supplied: u32,
    pub(super) waiting: bool,
    /// Units that came back while the waiting bit was set.
    pub(super) kept: u32,
    pub(super) last_take: u64,
}

/// A whole drop.
#[derive(Debug)]
pub(super) struct Twin {
    pub(super) pools: Vec<TwinPool>,
    pub(super) holds: Vec<TwinHold>,
    pub(super) open: bool,
    /// Units that a viewer may have, by SKU, then of the drop.
    pub(super) sku_limits: Vec<u32>,
    pub(super) limit: u32,
    pub(super) holds_max: usize,
}

impl Twin {
    /// Available units, counted from the holds each time.
    pub(super) fn available(&self, pool: PoolIndex) -> u32 {
        let out: u32 = self
            .holds
            .iter()
            .filter(|hold| hold.pool == pool && hold.stage != Stage::Given)
            .map(|hold| hold.units)
            .sum();
        let pool = &self.pools[usize::from(pool.get())];
        pool.supplied - pool.kept - out
    }

    /// The SKU whose units a pool holds.
    pub(super) fn sku(&self, pool: PoolIndex) -> usize {
        self.pools[usize::from(pool.get())].sku
    }

    pub(super) fn take(
        &self,
        viewer: ViewerNumber,
        key: KeyFingerprint,
        pool: PoolIndex,
        units: Units,
        room: bool,
    ) -> Expected {
        let mine: Vec<&TwinHold> = self.holds.iter().filter(|hold| hold.viewer == viewer).collect();
        if let Some(hold) = mine.iter().find(|hold| hold.key == key) {
            let same = self.sku(hold.pool) == self.sku(pool) && hold.units == units.get();
            return if same { Expected::Replay(hold.id) } else { Expected::KeyReused };
        }
        if !self.open {
            return Expected::Shut;
        }
        let out = |of_sku: Option<usize>, orders: bool| -> u32 {
            mine.iter()
                .filter(|hold| hold.stage != Stage::Given)
                .filter(|hold| !orders || hold.stage == Stage::Confirmed)
                .filter(|hold| of_sku.is_none_or(|sku| self.sku(hold.pool) == sku))
                .map(|hold| hold.units)
                .sum()
        };
        let twin = &self.pools[usize::from(pool.get())];
        let limit = self.sku_limits[twin.sku];
        let available = self.available(pool);
        let over = |orders| {
            let limits = [(Some(twin.sku), limit), (None, self.limit)];
            limits.into_iter().find(|(sku, limit)| out(*sku, orders) + units.get() > *limit)
        };
        if let Some((_, limit)) = over(false) {
            let capped = mine.len() >= self.holds_max;
            Expected::OverViewerLimit(limit, capped || over(true).is_some())
        } else if mine.len() >= self.holds_max {
            Expected::HoldsCapped
        } else if twin.waiting || available == 0 {
            Expected::SoldOut
        } else if available < units.get() {
            Expected::NotEnough(available)
        } else if !room {
            Expected::NoRoom
        } else {
            Expected::Taken
        }
    }

    /// Live holds by slot; panics if two share one.
    pub(super) fn live_slots(&self) -> BTreeMap<(PoolIndex, u32), HoldId> {
        let mut slots = BTreeMap::new();
        for hold in self.holds.iter().filter(|hold| hold.stage != Stage::Given) {
            let other = slots.insert((hold.pool, hold.id.slot().get()), hold.id);
            assert_eq!(other, None, "{:?} shares its slot", hold.id);
        }
        slots
    }
}
