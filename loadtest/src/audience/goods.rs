//! The drops of a stream as everybody in it sees them.

use std::collections::BTreeMap;

use rand::{Rng, rngs::StdRng};
use stampede_domain::{DropId, Phase, SkuId};
use stampede_wire::{DropInfo, PhaseNotice, Stock};

/// All drops that were told.
#[derive(Debug, Default)]
pub(super) struct Goods(BTreeMap<DropId, Good>);

#[derive(Debug)]
struct Good {
    version: u64,
    phase: Phase,
    limit: u32,
    skus: Vec<Sku>,
}

#[derive(Debug)]
struct Sku {
    id: SkuId,
    available: u32,
    units_per_buy_max: u32,
}

/// What a message means for people who watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    None,
    /// Buying has begun, or goes on.
    Opened,
    /// So many units can be had again, where there were none.
    Back {
        units: u32,
    },
}

impl Goods {
    /// A drop is new, was edited, or stands in a welcome.
    pub(super) fn see(&mut self, info: &DropInfo) -> News {
        let before = self.0.get(&info.drop);
        if before.is_some_and(|good| good.version == info.version) {
            return News::None;
        }
        let was_open = before.is_some_and(|good| good.phase == Phase::Open);
        let skus = info.skus.iter().map(|sku| Sku {
            id: sku.sku.clone(),
            available: sku.available,
            units_per_buy_max: sku.units_per_buy_max,
        });
        let good = Good {
            version: info.version,
            phase: info.phase,
            limit: info.limit_per_viewer,
            skus: skus.collect(),
        };
        self.0.insert(info.drop, good);
        if info.phase == Phase::Open && !was_open { News::Opened } else { News::None }
    }

    /// A drop has changed its phase; thousands of connections bring the same notice.
    pub(super) fn change(&mut self, notice: &PhaseNotice) -> News {
        let Some(good) = self.0.get_mut(&notice.drop) else { return News::None };
        if notice.version <= good.version {
            return News::None;
        }
        good.version = notice.version;
        let opened = notice.phase == Phase::Open && good.phase != Phase::Open;
        good.phase = notice.phase;
        if opened { News::Opened } else { News::None }
    }

    /// What is available has changed.
    pub(super) fn stock(&mut self, stock: &Stock) -> News {
        let Some(good) = self.0.get_mut(&stock.drop) else { return News::None };
        let before = good.available();
        for told in &stock.skus {
            if let Some(sku) = good.skus.iter_mut().find(|sku| sku.id == told.sku) {
                sku.available = told.available;
            }
        }
        let units = good.available().saturating_sub(before);
        let is_back = units > 0 && good.phase == Phase::Open;
        if is_back { News::Back { units } } else { News::None }
    }

    /// What somebody buys who wants something of the drop, with how many of it; `None` while nothing can be
    /// bought. Most want the first, fewer each further one; half of those who find theirs all taken look
    /// for another.
    pub(super) fn choose(&self, drop: DropId, rng: &mut StdRng) -> Option<(SkuId, u32)> {
        let good = self.0.get(&drop).filter(|good| good.phase == Phase::Open)?;
        let count = good.skus.len();
        let place = rng.random_range(0..count).min(rng.random_range(0..count));
        let wished = &good.skus[place];
        let other = good.skus.iter().find(|sku| sku.available > 0);
        let sku = match other {
            Some(other) if wished.available == 0 && rng.random_ratio(1, 2) => other,
            _ => wished,
        };
        let two = rng.random_ratio(15, 100) && good.limit >= 2 && sku.units_per_buy_max >= 2;
        Some((sku.id.clone(), if two { 2 } else { 1 }))
    }
}

impl Good {
    fn available(&self) -> u32 {
        self.skus.iter().map(|sku| sku.available).fold(0, u32::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use stampede_wire::{SkuInfo, SkuStock};

    use super::*;

    fn drop_id() -> DropId {
        "d1".parse().unwrap()
    }

    fn told(version: u64, phase: Phase) -> DropInfo {
        let sku = |name: &str| SkuInfo {
            sku: name.parse().unwrap(),
            title: name.to_owned(),
            options: Vec::new(),
            merchant_sku: name.to_owned(),
            image: None,
            price_minor: 499,
            available: 5,
            approximate: false,
            limit_per_viewer: 2,
            units_per_buy_max: 2,
        };
        DropInfo {
            drop: drop_id(),
            version,
            title: "Mugs".to_owned(),
            merchant: "potter".parse().unwrap(),
            phase,
            featured: true,
            opens_in_ms: None,
            closes_in_ms: None,
            hold_ttl_ms: 20_000,
            limit_per_viewer: 2,
            currency: "EUR".parse().unwrap(),
            skus: vec![sku("grey"), sku("blue")],
        }
    }

    fn stock(grey: u32, blue: u32) -> Stock {
        let sku = |name: &str, available| SkuStock {
            sku: name.parse().unwrap(),
            available,
            approximate: false,
        };
        Stock { drop: drop_id(), version: 2, skus: vec![sku("grey", grey), sku("blue", blue)] }
    }

    #[test]
    fn an_opening_and_units_that_are_back_are_news_once() {
        let mut goods = Goods::default();
        assert_eq!(goods.see(&told(1, Phase::Scheduled)), News::None);
        assert_eq!(goods.see(&told(2, Phase::Open)), News::Opened);
        assert_eq!(goods.see(&told(2, Phase::Open)), News::None, "another connection brings it");
        assert_eq!(goods.stock(&stock(0, 0)), News::None);
        assert_eq!(goods.stock(&stock(0, 3)), News::Back { units: 3 });
        assert_eq!(goods.stock(&stock(0, 2)), News::None, "one less");
        assert_eq!(goods.stock(&stock(1, 3)), News::Back { units: 2 }, "more, while some are left");
        assert_eq!(goods.see(&told(7, Phase::Open)), News::None, "a restart opens nothing anew");
    }

    #[test]
    fn nobody_buys_what_is_not_open_and_some_take_another_kind() {
        let mut goods = Goods::default();
        let mut rng = StdRng::seed_from_u64(1);
        goods.see(&told(1, Phase::Paused));
        assert_eq!(goods.choose(drop_id(), &mut rng), None);
        goods.see(&told(2, Phase::Open));
        goods.stock(&stock(0, 4));
        let chosen: Vec<_> = (0..50).filter_map(|_| goods.choose(drop_id(), &mut rng)).collect();
        for name in ["grey", "blue"] {
            assert!(chosen.iter().any(|(sku, _)| sku.as_str() == name), "{name}");
        }
        assert!(chosen.iter().all(|(_, units)| (1..=2).contains(units)));
    }
}
