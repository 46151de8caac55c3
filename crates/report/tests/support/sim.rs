//! A sale in a few words: takes, ends, phases, restarts, as the engine would record them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, Phase, PoolIndex, RefusalCode, SlotIndex,
    TakeNumber, UnixMillis, ViewerId,
};
use stampede_ledger::{
    Command, Entry, Outcome, Record, Recovered, RecoveredPool, Tally, ViewerLink,
};

use super::{COUNTDOWN_MS, START_MS, TTL_MS, rig::Rig, units, viewer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Pending,
    Held,
    Confirmed,
    Released,
    Expired,
}

#[derive(Clone, Debug)]
pub struct Hold {
    pub id: HoldId,
    pub viewer: u64,
    pub units: u32,
    pub taken_at: UnixMillis,
    pub deadline: UnixMillis,
    pub state: State,
    key: String,
    /// An end that is decided but not durable.
    ending: Option<State>,
}

#[derive(Debug)]
pub struct Sale {
    pub plan: Arc<DropPlan>,
    pub phase: Phase,
    pub holds: Vec<Hold>,
    pub supplied: Vec<u32>,
    pub lots: u32,
    pub tallied: Tally,
    pub opened_at: Option<UnixMillis>,
    pub restarts: u64,
    pub outage_ms: u64,
    last_take: Vec<u64>,
    floor: Vec<u64>,
    tally: Tally,
}

pub struct Sim {
    pub path: PathBuf,
    pub sales: BTreeMap<DropId, Sale>,
    pub now_ms: u64,
    rig: Option<Rig>,
    steward: Vec<Entry<()>>,
    takes: Vec<Entry<()>>,
}

fn pool(number: usize) -> PoolIndex {
    PoolIndex::new(u8::try_from(number).unwrap()).unwrap()
}

impl Sale {
    pub fn pool_holds(&self, number: usize) -> impl Iterator<Item = &Hold> + '_ {
        self.holds.iter().filter(move |hold| usize::from(hold.id.pool().get()) == number)
    }

    /// Units that memory has not given back: ends count only when they are durable.
    fn out(&self, number: usize) -> u32 {
        let out = |hold: &&Hold| !matches!(hold.state, State::Released | State::Expired);
        self.pool_holds(number).filter(out).map(|hold| hold.units).sum()
    }

    fn free_slot(&self, number: usize) -> SlotIndex {
        let out = |hold: &&Hold| !matches!(hold.state, State::Released | State::Expired);
        let used: BTreeSet<u32> =
            self.pool_holds(number).filter(out).map(|hold| hold.id.slot().get()).collect();
        let places = 0..=SlotIndex::MAX.get();
        SlotIndex::new(places.into_iter().find(|slot| !used.contains(slot)).unwrap()).unwrap()
    }

    fn may_take(&self, who: u64, number: usize, count: u32) -> Result<(), RefusalCode> {
        let mine = |hold: &&Hold| hold.viewer == who;
        let counts = |hold: &&Hold| !matches!(hold.state, State::Released | State::Expired);
        let all: u32 = self.holds.iter().filter(mine).filter(counts).map(|hold| hold.units).sum();
        let sku: u32 = self.pool_holds(number).filter(mine).filter(counts).map(|h| h.units).sum();
        let plan = &self.plan;
        if self.phase != Phase::Open {
            return Err(if self.phase == Phase::Paused {
                RefusalCode::Paused
            } else {
                RefusalCode::Closed
            });
        }
        if all + count > plan.limit_per_viewer.get()
            || sku + count > plan.skus[number].limit_per_viewer.get()
        {
            return Err(RefusalCode::OverViewerLimit);
        }
        if self.holds.iter().filter(mine).count() >= usize::from(plan.holds_per_viewer_max) {
            return Err(RefusalCode::HoldsCapped);
        }
        match self.supplied[number] - self.out(number) {
            0 => Err(RefusalCode::SoldOut),
            left if left < count => Err(RefusalCode::NotEnough),
            _ => Ok(()),
        }
    }
}

impl Sim {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            sales: BTreeMap::new(),
            now_ms: 0,
            rig: Some(Rig::open(path)),
            steward: Vec::new(),
            takes: Vec::new(),
        }
    }

    pub fn now(&self) -> UnixMillis {
        UnixMillis::new(START_MS + self.now_ms)
    }

    pub fn sale(&mut self, drop: DropId) -> &mut Sale {
        self.sales.get_mut(&drop).unwrap()
    }

    fn push(&mut self, drop: DropId, record: Record) {
        self.steward.push(Entry { drop, record, link: None, tag: () });
    }

    /// Plans, counts down, opens: each in commits of its own.
    pub fn open(&mut self, plan: DropPlan) -> DropId {
        let drop = DropId::new(u32::try_from(self.sales.len()).unwrap() + 1);
        let plan = Arc::new(plan);
        let pools = plan.skus.len();
        let planned = Record::Planned { plan: Arc::clone(&plan), revision: 1 };
        let sale = Sale {
            plan: Arc::clone(&plan),
            phase: Phase::Open,
            holds: Vec::new(),
            supplied: plan.skus.iter().map(|sku| sku.supply.get()).collect(),
            lots: 0,
            tallied: Tally::default(),
            opened_at: None,
            restarts: 0,
            outage_ms: 0,
            last_take: vec![0; pools],
            floor: vec![0; pools],
            tally: Tally::default(),
        };
        self.sales.insert(drop, sale);
        self.push(drop, planned);
        self.flush();
        self.command(drop, "plan", Outcome::Accepted);
        let opens_at = self.now().plus(DurationMs::new(COUNTDOWN_MS));
        self.push(drop, Record::Countdown { opens_at });
        self.command(drop, "open", Outcome::Accepted);
        self.flush();
        self.now_ms += COUNTDOWN_MS;
        let supplies: Vec<u32> = self.sale(drop).supplied.clone();
        for (number, supply) in supplies.into_iter().enumerate().filter(|(_, supply)| *supply > 0) {
            self.lot(drop, number, supply);
        }
        self.push(drop, Record::Opened);
        self.flush();
        let now = self.now();
        self.sale(drop).opened_at = Some(now);
        drop
    }

    fn lot(&mut self, drop: DropId, number: usize, count: u32) {
        let sale = self.sale(drop);
        sale.lots += 1;
        let lot = sale.lots;
        self.push(drop, Record::Lot { pool: pool(number), units: units(count), lot });
    }

    fn command(&mut self, drop: DropId, action: &str, outcome: Outcome) {
        let key = IdempotencyKey::new(&format!("{action}-{}", self.now_ms)).unwrap().fingerprint();
        self.push(
            drop,
            Record::Command(Box::new(Command {
                actor: "nina".into(),
                role: "host".into(),
                action: action.into(),
                key,
                request: key,
                reason: "".into(),
                outcome,
            })),
        );
    }

    /// A buy; the take is durable at the next flush.
    pub fn buy(&mut self, drop: DropId, who: u64, number: usize, count: u32, key: &str) {
        let (now, incarnation) = (self.now(), self.rig.as_ref().unwrap().incarnation);
        let sale = self.sales.get_mut(&drop).unwrap();
        if sale.holds.iter().any(|hold| hold.viewer == who && hold.key == key) {
            sale.tally.retries += 1;
            return;
        }
        if let Err(code) = sale.may_take(who, number, count) {
            return sale.tally.refusals.add(code, 1);
        }
        sale.tally.held += 1;
        sale.last_take[number] += 1;
        let take = TakeNumber::new(sale.last_take[number]).unwrap();
        let id = HoldId::new(drop, incarnation, pool(number), sale.free_slot(number), take);
        let deadline = now.plus(sale.plan.hold_ttl);
        let hold = Hold {
            id,
            viewer: who,
            units: count,
            taken_at: now,
            deadline,
            state: State::Pending,
            key: key.to_owned(),
            ending: None,
        };
        let record = Record::Taken {
            hold: id,
            viewer: viewer(who),
            key: IdempotencyKey::new(key).unwrap().fingerprint(),
            units: units(count),
            taken_at: now,
            deadline,
        };
        sale.holds.push(hold);
        let link =
            ViewerLink { number: viewer(who), id: ViewerId::new(&format!("v{who}")).unwrap() };
        self.takes.push(Entry { drop, record, link: Some(Arc::new(link)), tag: () });
    }

    /// Ends the `nth` live hold of a drop, if there is one.
    pub fn end(&mut self, drop: DropId, nth: usize, state: State) {
        let sale = self.sales.get_mut(&drop).unwrap();
        let now = UnixMillis::new(START_MS + self.now_ms);
        let live = |hold: &&mut Hold| {
            hold.state == State::Held
                && hold.ending.is_none()
                && (hold.deadline <= now) == (state == State::Expired)
        };
        let count = sale.holds.iter_mut().filter(live).count();
        if count == 0 {
            return;
        }
        let hold = sale.holds.iter_mut().filter(live).nth(nth % count).unwrap();
        hold.ending = Some(state);
        let (id, units_held) = (hold.id, units(hold.units));
        let record = match state {
            State::Confirmed => Record::Confirmed {
                hold: id,
                viewer: viewer(hold.viewer),
                units: units_held,
                amount: sale.plan.skus[usize::from(id.pool().get())]
                    .price
                    .checked_times(units_held)
                    .unwrap(),
            },
            State::Released => Record::Released { hold: id, units: units_held },
            _ => Record::Expired { hold: id, units: units_held },
        };
        self.push(drop, record);
    }

    /// Time passes; what is due expires.
    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        let drops: Vec<DropId> = self.sales.keys().copied().collect();
        for drop in drops {
            let due = self.sales[&drop].holds.len();
            for _ in 0..due {
                self.end(drop, 0, State::Expired);
            }
        }
    }

    /// Commits everything that waits.
    pub fn flush(&mut self) {
        let takes = std::mem::take(&mut self.takes);
        self.commit(takes);
    }

    /// Commits the ends with every second take only, latest first: takes become durable in any
    /// order.
    pub fn flush_partly(&mut self) {
        let mut now = Vec::new();
        for (place, take) in std::mem::take(&mut self.takes).into_iter().enumerate() {
            if place % 2 == 1 { now.push(take) } else { self.takes.push(take) }
        }
        now.reverse();
        self.commit(now);
    }

    fn commit(&mut self, takes: Vec<Entry<()>>) {
        let mut entries = std::mem::take(&mut self.steward);
        entries.extend(takes);
        if entries.is_empty() {
            return;
        }
        let durable: BTreeSet<HoldId> = entries
            .iter()
            .filter_map(|entry| match &entry.record {
                Record::Taken { hold, .. } => Some(*hold),
                _ => None,
            })
            .collect();
        let now = self.now();
        assert!(self.rig.as_mut().unwrap().commit(now, entries), "the store takes a sound sale");
        for hold in self.sales.values_mut().flat_map(|sale| &mut sale.holds) {
            if durable.contains(&hold.id) {
                hold.state = State::Held;
            }
            if let Some(end) = hold.ending.take() {
                hold.state = end;
            }
        }
    }

    pub fn tally(&mut self, drop: DropId, connected: u64) {
        let sale = self.sale(drop);
        let mut tally = std::mem::take(&mut sale.tally);
        tally.connected = connected;
        sale.tallied.held += tally.held;
        sale.tallied.retries += tally.retries;
        sale.tallied.connected = sale.tallied.connected.max(connected);
        tally.refusals.iter().for_each(|(code, times)| sale.tallied.refusals.add(code, times));
        self.push(drop, Record::Tally(Box::new(tally)));
    }

    pub fn pause(&mut self, drop: DropId) {
        if self.sale(drop).phase == Phase::Open {
            self.sale(drop).phase = Phase::Paused;
            self.push(drop, Record::Paused);
        } else if self.sale(drop).phase == Phase::Paused {
            self.push(drop, Record::Resumed);
            self.flush();
            self.sale(drop).phase = Phase::Open;
        }
    }

    pub fn restock(&mut self, drop: DropId, number: usize, count: u32) {
        if matches!(self.sale(drop).phase, Phase::Open | Phase::Paused) {
            self.lot(drop, number, count);
            self.command(drop, "restock", Outcome::Accepted);
            self.flush();
            self.sale(drop).supplied[number] += count;
        }
    }

    /// Kills the node: whatever waits is lost. Then recovers after `outage_ms`.
    pub fn crash(&mut self, outage_ms: u64) {
        // A phase under way would be lost as well; the sale goes on as decided instead.
        self.flush_steward();
        self.takes.clear();
        self.rig.take().unwrap().close();
        self.now_ms += outage_ms;
        let mut rig = Rig::open(&self.path);
        let now = UnixMillis::new(START_MS + self.now_ms);
        let outage = now.since(rig.last_at);
        for (drop, sale) in self.sales.iter_mut().filter(|(_, sale)| !sale.phase.is_final()) {
            let recovered = sale.recover(outage);
            let entry = Entry {
                drop: *drop,
                record: Record::Recovered(recovered.into()),
                link: None,
                tag: (),
            };
            assert!(rig.commit(now, vec![entry]));
        }
        self.rig = Some(rig);
    }

    fn flush_steward(&mut self) {
        self.commit(Vec::new());
    }

    /// Closes, lets everything expire, settles.
    pub fn settle(&mut self, drop: DropId) {
        if self.sale(drop).phase == Phase::Paused {
            self.flush();
        }
        self.sale(drop).phase = Phase::Closed;
        self.push(drop, Record::Closed);
        self.command(drop, "close", Outcome::Accepted);
        self.flush();
        self.wait(TTL_MS);
        self.flush();
        self.tally(drop, 0);
        self.push(drop, Record::Settled);
        self.flush();
        self.sale(drop).phase = Phase::Settled;
    }

    pub fn close(mut self) -> BTreeMap<DropId, Sale> {
        self.flush();
        self.rig.take().unwrap().close();
        self.sales
    }
}

impl Sale {
    fn recover(&mut self, outage: DurationMs) -> Recovered {
        self.restarts += 1;
        self.outage_ms += outage.get();
        self.holds.retain(|hold| hold.state != State::Pending);
        self.tally = Tally::default();
        for hold in self.holds.iter_mut().filter(|hold| hold.state == State::Held) {
            hold.deadline = hold.deadline.plus(outage);
        }
        let mut pools = Vec::new();
        for number in 0..self.last_take.len() {
            let durable: BTreeSet<u64> =
                self.pool_holds(number).map(|hold| hold.id.take().get()).collect();
            let last = durable.last().copied().unwrap_or(0).max(self.floor[number]);
            let lost = (self.floor[number] + 1..=last).filter(|take| !durable.contains(take));
            let lost = lost.map(|take| TakeNumber::new(take).unwrap()).collect();
            self.last_take[number] = last;
            self.floor[number] = last;
            let last_take = TakeNumber::new(last).unwrap();
            pools.push(RecoveredPool { pool: pool(number), last_take, lost });
        }
        Recovered { outage, pools }
    }
}

/// A sale with a bit of everything, in two drops over two starts: the ground for corruptions.
pub fn busy_sale(path: &Path) -> BTreeMap<DropId, Sale> {
    let mut sim = Sim::new(path);
    let first = sim.open(super::plan(&[20, 10]));
    let second = sim.open(super::plan(&[5]));
    for who in 1..=18_u64 {
        sim.now_ms += 50;
        sim.buy(first, who, usize::from(who % 3 == 0), 1 + u32::from(who % 4 == 0), "a");
        sim.buy(first, who, 0, 1, "a");
        sim.buy(second, who + 100, 0, 1, "a");
        if who % 4 == 0 {
            sim.flush_partly();
        }
        if who % 6 == 0 {
            sim.flush();
            sim.end(first, 0, State::Confirmed);
            sim.end(first, 2, State::Released);
            sim.end(second, 0, State::Confirmed);
            sim.tally(first, 30 + who);
            sim.tally(second, 30 + who);
        }
    }
    sim.flush();
    sim.pause(first);
    sim.restock(first, 1, 4);
    sim.pause(first);
    for who in 30..=34 {
        sim.buy(first, who, 0, 1, "b");
    }
    sim.flush_partly();
    sim.crash(2_000);
    for who in 40..=46 {
        sim.now_ms += 100;
        sim.buy(first, who, 1, 1, "c");
    }
    sim.flush();
    sim.end(first, 1, State::Confirmed);
    sim.end(first, 1, State::Confirmed);
    sim.wait(500);
    sim.flush();
    sim.settle(second);
    sim.wait(200);
    sim.end(first, 0, State::Confirmed);
    sim.tally(first, 12);
    sim.settle(first);
    sim.close()
}
