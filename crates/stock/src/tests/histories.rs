//! Generated histories, run through the core next to its twin, compared after every step.

use proptest::prelude::*;
use stampede_domain::{DropId, HoldId, Incarnation, TakeNumber, UnixMillis};

use super::{
    support::{config_of, key, pool, request, units, viewer},
    twin::{Expected, Stage, Twin, TwinHold, TwinPool},
};
use crate::{
    DropStock, End, GiveOutcome, HoldBody, HoldView, Lane, NotFree, PoolView, RestoredHold,
    RestoredState, StockConfig, SupplyError, Take, TakeRequest, WaitJoin,
};

const LANES: usize = 2;
const HOLDS_MAX: u16 = 4;
const LIMIT: u32 = 4;
/// Units of each SKU that a viewer may have.
const LIMITS: [u32; 3] = [2, 3, 2];
const POOLS_MAX: u8 = 4;

/// The SKU of each pool: up to four pools, two of them at least of one SKU, in any order.
fn skus_by_pool() -> impl Strategy<Value = Vec<u8>> {
    let skus = prop::collection::vec(0..3_u8, 1..usize::from(POOLS_MAX));
    (skus, any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(
        |(drawn, again, place)| {
            let used: std::collections::BTreeSet<u8> = drawn.iter().copied().collect();
            let dense = |sku: &u8| (0_u8..).zip(&used).find(|(_, other)| *other == sku).unwrap().0;
            let mut skus: Vec<u8> = drawn.iter().map(dense).collect();
            skus.insert(place.index(skus.len() + 1), *again.get(&skus));
            skus
        },
    )
}

/// One step of a history. Holds are named by their place among all holds ever made, pools by a number
/// that the drop's pools share out.
#[derive(Clone, Debug)]
enum Step {
    Take { lane: usize, viewer: u64, key: u64, pool: u8, units: u32, room: bool },
    Held(prop::sample::Index),
    Confirm(prop::sample::Index),
    End(prop::sample::Index),
    Give(prop::sample::Index),
    Open,
    Close,
    JoinWaiting { pool: u8, units: u32 },
    ClearWaiting { pool: u8 },
    Lot { pool: u8, units: u32 },
    Withdraw { pool: u8, units: u32 },
    Limits { of_drop: u32, of_skus: [u32; 3] },
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let any_pool = || 0..POOLS_MAX;
    let hold = any::<prop::sample::Index>;
    prop_oneof![
        12 => (0..LANES, 0..4_u64, 0..6_u64, any_pool(), 1..4_u32, prop::bool::weighted(0.95))
            .prop_map(|(lane, viewer, key, pool, units, room)| Step::Take {
                lane, viewer, key, pool, units, room,
            }),
        6 => hold().prop_map(Step::Held),
        2 => hold().prop_map(Step::Confirm),
        4 => hold().prop_map(Step::End),
        4 => hold().prop_map(Step::Give),
        2 => Just(Step::Open),
        1 => Just(Step::Close),
        1 => (any_pool(), 1..4_u32).prop_map(|(pool, units)| Step::JoinWaiting { pool, units }),
        1 => any_pool().prop_map(|pool| Step::ClearWaiting { pool }),
        1 => (any_pool(), 0..3_u32).prop_map(|(pool, units)| Step::Lot { pool, units }),
        2 => (any_pool(), 0..3_u32).prop_map(|(pool, units)| Step::Withdraw { pool, units }),
        1 => (1..6_u32, [1..5_u32, 1..5_u32, 1..5_u32])
            .prop_map(|(of_drop, of_skus)| Step::Limits { of_drop, of_skus }),
        1 => Just(Step::Crash),
    ]
}

/// The core with its twin.
struct Pair {
    /// The SKU of each pool.
    skus: Vec<u8>,
    stock: DropStock,
    lanes: Vec<Lane>,
    twin: Twin,
    incarnation: u32,
    now: u64,
}

fn build(incarnation: u32, skus: &[u8], (limits, limit): (&[u32], u32)) -> DropStock {
    let count = sku_count(skus);
    DropStock::new(StockConfig {
        drop: DropId::new(7),
        incarnation: Incarnation::new(incarnation).unwrap(),
        holds_per_viewer_max: HOLDS_MAX,
        ..config_of(skus, &limits[..count], limit)
    })
}

fn sku_count(skus: &[u8]) -> usize {
    usize::from(*skus.iter().max().unwrap()) + 1
}

impl Pair {
    fn new(skus: Vec<u8>) -> Self {
        let stock = build(1, &skus, (&LIMITS, LIMIT));
        let lanes = (0..LANES).map(|_| stock.lane()).collect();
        let pools = skus.iter().map(|sku| TwinPool {
            sku: usize::from(*sku),
            supplied: 0,
            waiting: false,
            kept: 0,
            last_take: 0,
        });
        let twin = Twin {
            pools: pools.collect(),
            holds: Vec::new(),
            open: false,
            sku_limits: LIMITS.to_vec(),
            limit: LIMIT,
            holds_max: usize::from(HOLDS_MAX),
        };
        let mut pair = Self { skus, stock, lanes, twin, incarnation: 1, now: 1_000 };
        for pool in 0..pair.pools() {
            pair.run(&Step::Lot { pool, units: 4 - u32::from(pool % 2) });
        }
        pair.run(&Step::Open);
        pair
    }

    fn pools(&self) -> u8 {
        u8::try_from(self.skus.len()).unwrap()
    }

    fn run(&mut self, step: &Step) {
        self.now += 1;
        let pools = self.pools();
        match step {
            Step::Take { lane, viewer, key, pool, units, room } => {
                self.take(*lane, (*viewer, *key), *pool % pools, *units, *room);
            }
            Step::Held(hold) => self.mark_held(*hold),
            Step::Confirm(hold) => self.decide(*hold, Stage::Confirmed),
            Step::End(hold) => self.decide(*hold, Stage::Ended),
            Step::Give(hold) => self.give(*hold),
            Step::Open => {
                self.stock.permit_takes();
                self.twin.open = true;
            }
            Step::Close => {
                self.stock.forbid_takes();
                self.twin.open = false;
            }
            Step::JoinWaiting { pool, units } => self.join_waiting(*pool % pools, *units),
            Step::ClearWaiting { pool: number } => {
                let index = *number % pools;
                let twin = &mut self.twin.pools[usize::from(index)];
                let left = units(std::mem::take(&mut twin.kept));
                twin.waiting = false;
                self.stock.clear_waiting(pool(index), left);
            }
            Step::Lot { pool: number, units: count } => {
                let index = *number % pools;
                self.stock.add_supply(pool(index), units(*count)).unwrap();
                self.twin.pools[usize::from(index)].supplied += count;
            }
            Step::Withdraw { pool, units } => self.withdraw(*pool % pools, *units),
            Step::Limits { of_drop, of_skus } => self.set_limits(*of_drop, of_skus),
            Step::Crash => self.crash(),
        }
    }

    fn take(&mut self, lane: usize, (by, with): (u64, u64), from: u8, count: u32, room: bool) {
        let request = TakeRequest {
            viewer: viewer(by),
            key: key(with),
            pool: pool(from),
            units: units(count),
            now: UnixMillis::new(self.now),
            deadline: UnixMillis::new(self.now + 3_000),
        };
        let expected =
            self.twin.take(request.viewer, request.key, request.pool, request.units, room);
        let actual = self.stock.take(&mut self.lanes[lane], &request, || room);
        let as_expected = match actual {
            Take::Taken(_) => Expected::Taken,
            Take::Replay(hold) => Expected::Replay(hold),
            Take::KeyReused => Expected::KeyReused,
            Take::Shut => Expected::Shut,
            Take::OverViewerLimit { limit, for_good } => {
                Expected::OverViewerLimit(limit.get(), for_good)
            }
            Take::HoldsCapped { max } => {
                assert_eq!(max, HOLDS_MAX);
                Expected::HoldsCapped
            }
            Take::SoldOut => Expected::SoldOut,
            Take::NotEnough { available } => Expected::NotEnough(available.get()),
            Take::NoRoom => Expected::NoRoom,
        };
        assert_eq!(as_expected, expected, "{request:?}");
        if let Take::Taken(id) = actual {
            let twin = &mut self.twin.pools[usize::from(from)];
            twin.last_take += 1;
            assert_eq!(id.take().get(), twin.last_take, "numbers follow each other");
            assert_eq!((id.drop_id(), id.pool()), (DropId::new(7), request.pool));
            assert_eq!(id.incarnation().get(), self.incarnation);
            self.twin.holds.push(TwinHold {
                id,
                viewer: request.viewer,
                key: request.key,
                pool: request.pool,
                units: count,
                stage: Stage::Pending,
            });
        }
    }

    fn pick(&self, hold: prop::sample::Index) -> Option<usize> {
        let count = self.twin.holds.len();
        (count > 0).then(|| hold.index(count))
    }

    fn mark_held(&mut self, hold: prop::sample::Index) {
        let Some(place) = self.pick(hold) else { return };
        let hold = &mut self.twin.holds[place];
        if hold.stage == Stage::Pending {
            self.stock.mark_held(hold.id);
            hold.stage = Stage::Held;
        }
    }

    fn decide(&mut self, hold: prop::sample::Index, to: Stage) {
        let Some(place) = self.pick(hold) else { return };
        let hold = &mut self.twin.holds[place];
        let end = if to == Stage::Confirmed {
            self.stock.confirm(hold.id)
        } else {
            self.stock.end(hold.id)
        };
        match hold.stage {
            Stage::Pending => assert_eq!(end, End::Pending),
            Stage::Confirmed => assert_eq!(end, End::Confirmed),
            Stage::Ended | Stage::Given => assert_eq!(end, End::Ended),
            Stage::Held => {
                let End::Won(body) = end else { panic!("{end:?}") };
                assert_eq!((body.viewer, body.units.get()), (hold.viewer, hold.units));
                hold.stage = to;
            }
        }
    }

    fn give(&mut self, hold: prop::sample::Index) {
        let Some(place) = self.pick(hold) else { return };
        let hold = &mut self.twin.holds[place];
        let given = self.stock.give(hold.id);
        if hold.stage != Stage::Ended {
            assert_eq!(given, GiveOutcome::Refused);
            return;
        }
        hold.stage = Stage::Given;
        let twin = &mut self.twin.pools[usize::from(hold.pool.get())];
        let body = match given {
            GiveOutcome::ToPublic(body) if !twin.waiting => body,
            GiveOutcome::ToWaiting(body) if twin.waiting => {
                twin.kept += hold.units;
                body
            }
            other => panic!("{other:?}, waiting: {}", twin.waiting),
        };
        assert_eq!((body.viewer, body.units.get()), (hold.viewer, hold.units));
    }

    fn join_waiting(&mut self, index: u8, count: u32) {
        let available = self.twin.available(pool(index));
        let twin = &mut self.twin.pools[usize::from(index)];
        let expected = if twin.waiting || available < count {
            twin.waiting = true;
            WaitJoin::Waiting
        } else {
            WaitJoin::Available { available: units(available) }
        };
        assert_eq!(self.stock.join_waiting(pool(index), units(count)), expected);
    }

    fn withdraw(&mut self, index: u8, count: u32) {
        let (pool, units, free) = (pool(index), units(count), self.twin.available(pool(index)));
        let withdrawn = self.stock.withdraw(pool, units);
        if count > free {
            let free = super::support::units(free);
            return assert_eq!(withdrawn, Err(NotFree { pool, units, free }));
        }
        assert_eq!(withdrawn, Ok(()));
        self.twin.pools[usize::from(index)].supplied -= count;
    }

    /// Takes are shut meanwhile.
    fn set_limits(&mut self, of_drop: u32, of_skus: &[u32]) {
        let skus: Vec<_> = of_skus.iter().take(sku_count(&self.skus)).map(|n| units(*n)).collect();
        self.stock.forbid_takes();
        self.stock.set_limits(units(of_drop), &skus);
        if self.twin.open {
            self.stock.permit_takes();
        }
        (self.twin.limit, self.twin.sku_limits) = (of_drop, of_skus.to_vec());
    }

    /// Loses the process. What was pending is lost, what had ended without being given is given,
    /// as the journal would say; then everything is restored into a new incarnation.
    fn crash(&mut self) {
        self.incarnation += 1;
        let holds = &mut self.twin.holds;
        holds.retain(|hold| hold.stage != Stage::Pending);
        for hold in holds.iter_mut().filter(|hold| hold.stage == Stage::Ended) {
            hold.stage = Stage::Given;
        }
        let limits = (&self.twin.sku_limits[..], self.twin.limit);
        self.stock = build(self.incarnation, &self.skus, limits);
        self.twin.open = false;
        for (index, twin) in (0_u8..).zip(&mut self.twin.pools) {
            twin.waiting = false;
            twin.kept = 0;
            let takes = holds.iter().filter(|hold| hold.pool == pool(index));
            twin.last_take = takes.map(|hold| hold.id.take().get()).max().unwrap_or(0);
            self.stock.add_supply(pool(index), units(twin.supplied)).unwrap();
        }
        for hold in holds.iter().rev() {
            let state = match hold.stage {
                Stage::Held => RestoredState::Held,
                Stage::Confirmed => RestoredState::Confirmed,
                Stage::Given => RestoredState::Ended,
                Stage::Pending | Stage::Ended => unreachable!("removed above"),
            };
            let restored = RestoredHold {
                id: hold.id,
                viewer: hold.viewer,
                key: hold.key,
                units: units(hold.units),
                taken_at: UnixMillis::new(0),
                deadline: UnixMillis::new(self.now + 9_000),
                state,
            };
            self.stock.restore_hold(&restored).unwrap();
        }
        // The twin keeps the order in which the stock got them.
        holds.reverse();
        self.lanes = (0..LANES).map(|_| self.stock.lane()).collect();
        // A lost take's number may be used again, a durable one's never.
        for (index, twin) in (0_u8..).zip(&mut self.twin.pools) {
            twin.last_take += 1;
            let number = TakeNumber::new(twin.last_take).unwrap();
            self.stock.restore_take_number(pool(index), number);
        }
    }

    fn compare(&self) {
        let views: Vec<PoolView> = self.stock.pools().collect();
        for (view, twin) in views.iter().zip(&self.twin.pools) {
            assert_eq!(view.available.get(), self.twin.available(view.pool));
            assert_eq!(view.supplied.get(), twin.supplied);
            assert_eq!((view.open, view.waiting), (self.twin.open, twin.waiting));
            assert_eq!(view.last_take.get(), twin.last_take);
        }
        self.twin.live_slots();
        for hold in &self.twin.holds {
            self.compare_hold(hold);
        }
        for by in 0..4 {
            let mine = self.twin.holds.iter().filter(|hold| hold.viewer == viewer(by));
            let expected: Vec<HoldId> = mine.map(|hold| hold.id).collect();
            assert_eq!(self.stock.holds_of(viewer(by)), expected);
            assert_eq!(self.stock.retry(&request(by, 99, 1)), None);
        }
    }

    fn compare_hold(&self, hold: &TwinHold) {
        let same = |body: HoldBody| {
            (body.viewer, body.pool, body.units.get()) == (hold.viewer, hold.pool, hold.units)
                && body.deadline > body.taken_at
        };
        let view = self.stock.view(hold.id);
        let agrees = match (view, hold.stage) {
            (HoldView::Pending(body), Stage::Pending)
            | (HoldView::Held(body), Stage::Held)
            | (HoldView::Confirmed(body), Stage::Confirmed) => same(body),
            (HoldView::Ended, Stage::Ended | Stage::Given) => true,
            _ => false,
        };
        assert!(agrees, "{view:?} is not {hold:?}");
        let again = TakeRequest {
            viewer: hold.viewer,
            key: hold.key,
            pool: hold.pool,
            ..request(0, 0, hold.units)
        };
        for index in 0..self.pools() {
            let again = TakeRequest { pool: pool(index), ..again };
            let same = self.twin.sku(again.pool) == self.twin.sku(hold.pool);
            let expected = if same { Take::Replay(hold.id) } else { Take::KeyReused };
            assert_eq!(self.stock.retry(&again), Some(expected), "{again:?}");
        }
        let other = TakeRequest { units: units(hold.units + 1), ..again };
        assert_eq!(self.stock.retry(&other), Some(Take::KeyReused));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn core_and_twin_agree_after_every_step(
        skus in skus_by_pool(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut pair = Pair::new(skus);
        pair.compare();
        for step in &steps {
            pair.run(step);
            pair.compare();
        }
    }
}

#[test]
fn supply_stays_below_the_width_of_the_word() {
    let stock = build(1, &[0, 1], (&LIMITS, LIMIT));
    let most = stampede_domain::Units::MAX;
    stock.add_supply(pool(0), units(3)).unwrap();
    assert_eq!(
        stock.add_supply(pool(0), most),
        Err(SupplyError::TooMuch { pool: pool(0), supplied: units(3), units: most, max: most })
    );
    assert_eq!(
        stock.add_supply(pool(2), units(1)),
        Err(SupplyError::UnknownPool { pool: pool(2), pools: 2 })
    );
    assert_eq!(stock.pools().next().unwrap().available, units(3), "nothing was added");
}
