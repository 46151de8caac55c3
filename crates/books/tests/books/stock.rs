//! The shell's stock: units and holds, as simple as can be, with what viewers see of each drop.

use std::{collections::BTreeMap, sync::Arc};

use stampede_books::{FreeUnits, HoldLook, HoldStatus, Withdrawal};
use stampede_domain::{
    ChannelId, DropId, DropPlan, DurationMs, HoldId, Money, PaymentId, Phase, PoolIndex, SkuIndex,
    Units, UnixMillis, ViewerNumber,
};
use stampede_ledger::{CorrectionRecord, DeadlineRecord, HoldRecord, Record};
use stampede_testkit::units;

use crate::show::Names;

/// Where a hold stands by what was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HoldState {
    /// Its take is on the way.
    Pending,
    Held,
    Ordered,
    /// Its units are not back yet.
    Ending,
    Ended,
}

#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) id: HoldId,
    pub(crate) viewer: ViewerNumber,
    pub(crate) units: u32,
    pub(crate) price: Money,
    pub(crate) taken_at: UnixMillis,
    pub(crate) deadline: UnixMillis,
    pub(crate) grace: DurationMs,
    pub(crate) channel: Option<ChannelId>,
    pub(crate) state: HoldState,
}

impl Hold {
    /// As the books are shown it.
    pub(crate) fn look(&self) -> HoldLook {
        let confirmed = match self.state {
            HoldState::Pending => return HoldLook::Pending,
            HoldState::Ending | HoldState::Ended => return HoldLook::Ended,
            HoldState::Held => false,
            HoldState::Ordered => true,
        };
        HoldLook::Known(HoldStatus {
            hold: self.id,
            viewer: self.viewer,
            sku: SkuIndex::new(self.id.pool().get()).unwrap(),
            units: units(self.units),
            amount: self.price.checked_times(units(self.units)).unwrap(),
            deadline: self.deadline,
            grace: self.grace,
            confirmed,
        })
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pool {
    pub(crate) supplied: u32,
    pub(crate) available: u32,
    pub(crate) last_take: u64,
}

/// One drop as viewers see it, with its units.
#[derive(Clone, Debug)]
pub(crate) struct Sale {
    pub(crate) plan: Arc<DropPlan>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) takes_on: bool,
    pub(crate) phase: Phase,
    pub(crate) opens_at: Option<UnixMillis>,
    pub(crate) is_published: bool,
}

impl Sale {
    /// A drop that nobody sees yet.
    pub(crate) fn new(plan: &Arc<DropPlan>) -> Self {
        Self {
            plan: Arc::clone(plan),
            pools: vec![Pool::default(); plan.pools().count()],
            takes_on: false,
            phase: Phase::Scheduled,
            opens_at: None,
            is_published: false,
        }
    }

    pub(crate) fn pool(&mut self, pool: PoolIndex) -> &mut Pool {
        &mut self.pools[usize::from(pool.get())]
    }
}

/// All drops and holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stock {
    pub(crate) sales: BTreeMap<DropId, Sale>,
    pub(crate) holds: BTreeMap<String, Hold>,
    /// Of every hold that ever was.
    pub(crate) names: BTreeMap<HoldId, String>,
}

impl Names for Stock {
    fn hold(&self, hold: HoldId) -> String {
        self.names[&hold].clone()
    }

    fn pool(&self, drop: DropId, pool: PoolIndex) -> String {
        self.sales[&drop].plan.skus[usize::from(pool.get())].id.to_string()
    }

    fn payment(&self, payment: &PaymentId) -> String {
        let text = if payment.account.as_str() == "platform" {
            payment.reference.to_string()
        } else {
            payment.to_string()
        };
        // Attempts of viewers are called by their holds.
        let mut names = self.names.iter();
        let of_hold = names.find_map(|(hold, name)| {
            let number = payment.reference.as_str().strip_prefix(&format!("{hold}-"))?;
            Some(format!("{name}#{number}"))
        });
        of_hold.unwrap_or(text)
    }
}

impl Stock {
    /// The goods of a hold cost nothing.
    pub(crate) fn free(&mut self, name: &str) {
        let hold = self.holds.get_mut(name).expect("a hold that was taken");
        hold.price = Money::new(0, hold.price.currency()).unwrap();
    }

    pub(crate) fn by_id(&mut self, hold: HoldId) -> &mut Hold {
        let mut holds = self.holds.values_mut();
        holds.find(|other| other.id == hold).expect("the stock knows its holds")
    }

    /// Nobody was served for so long: holds that were taken before have as much more time.
    pub(crate) fn move_deadlines(&mut self, span: DurationMs, until: UnixMillis) {
        let live = |hold: &&mut Hold| {
            matches!(hold.state, HoldState::Pending | HoldState::Held) && hold.taken_at < until
        };
        for hold in self.holds.values_mut().filter(live) {
            hold.deadline = hold.deadline.plus(span);
        }
    }

    /// The same for the holds of one drop.
    pub(crate) fn extend(&mut self, drop: DropId, span: DurationMs, until: UnixMillis) {
        let mut others = self.clone();
        others.holds.retain(|_, hold| hold.id.drop_id() != drop);
        self.move_deadlines(span, until);
        self.holds.extend(others.holds);
    }

    /// When the first hold ends that is held.
    pub(crate) fn next_deadline(&self) -> Option<(UnixMillis, String)> {
        let held = self.holds.iter().filter(|(_, hold)| hold.state == HoldState::Held);
        held.map(|(name, hold)| (hold.deadline.plus(hold.grace), name.clone())).min()
    }

    /// Durable holds of the drop without an end.
    pub(crate) fn live_holds(&self, drop: DropId) -> u64 {
        let of_drop = self.holds.values().filter(|hold| hold.id.drop_id() == drop);
        let live = of_drop.filter(|hold| hold.state == HoldState::Held).count();
        u64::try_from(live).unwrap()
    }

    /// Units leave a pool, if nobody has taken them.
    pub(crate) fn withdraw(&mut self, wanted: FreeUnits) -> Withdrawal {
        let pool = self.sales.get_mut(&wanted.drop).unwrap().pool(wanted.pool);
        let count = wanted.units.map_or(pool.available.max(1), Units::get);
        if pool.available < count {
            return Withdrawal::NotFree { free: units(pool.available) };
        }
        pool.available -= count;
        pool.supplied -= count;
        Withdrawal::Done { units: units(count) }
    }

    /// Every unit that was supplied is somewhere, once.
    pub(crate) fn check_units(&self) {
        for (drop, sale) in &self.sales {
            for (place, pool) in (0_u8..).zip(&sale.pools) {
                let of_pool = self.holds.values().filter(|hold| {
                    hold.id.drop_id() == *drop
                        && hold.id.pool().get() == place
                        && hold.state != HoldState::Ended
                });
                let taken: u32 = of_pool.map(|hold| hold.units).sum();
                assert_eq!(pool.available + taken, pool.supplied, "{drop}, pool {place}");
            }
        }
    }

    /// Follows a durable record of a drop's chain; a take's deadline has moved by what suspended it since.
    pub(crate) fn apply(
        &mut self,
        drop: DropId,
        record: &Record,
        moved: impl Fn(UnixMillis) -> DurationMs,
    ) {
        match record {
            Record::Planned { plan, .. } => {
                self.sales.insert(drop, Sale::new(plan));
            }
            Record::Lot { pool, units, .. } => {
                let pool = self.sales.get_mut(&drop).unwrap().pool(*pool);
                pool.supplied += units.get();
                pool.available += units.get();
            }
            Record::Correction(CorrectionRecord::Withdrawn { pool, units }) => {
                let wanted = FreeUnits { drop, pool: *pool, units: Some(*units) };
                let done = Withdrawal::Done { units: *units };
                assert_eq!(self.withdraw(wanted), done, "they were free");
            }
            Record::Correction(CorrectionRecord::Amended(amended)) => {
                let sale = self.sales.get_mut(&drop).unwrap();
                sale.plan = Arc::new(amended.amendment.apply_to(&sale.plan));
            }
            Record::Hold(record) => self.apply_hold(drop, record, moved),
            Record::Suspended { span, until }
            | Record::Deadline(DeadlineRecord::Extended { span, until }) => {
                self.move_drop(drop, *span, *until);
            }
            Record::Deadline(DeadlineRecord::Stretched { hold, span }) => {
                let hold = self.by_id(*hold);
                hold.deadline = hold.deadline.plus(*span);
            }
            Record::Recovered(found) => {
                self.move_drop(drop, found.outage, UnixMillis::new(u64::MAX));
                for pool in &found.pools {
                    let last = &mut self.sales.get_mut(&drop).unwrap().pool(pool.pool).last_take;
                    *last = pool.last_take.get().max(*last);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn move_drop(&mut self, drop: DropId, span: DurationMs, until: UnixMillis) {
        let moves = |hold: &&mut Hold| {
            hold.id.drop_id() == drop && hold.state == HoldState::Held && hold.taken_at < until
        };
        for hold in self.holds.values_mut().filter(moves) {
            hold.deadline = hold.deadline.plus(span);
        }
    }

    fn apply_hold(
        &mut self,
        drop: DropId,
        record: &HoldRecord,
        moved: impl Fn(UnixMillis) -> DurationMs,
    ) {
        let id = record.hold();
        match record {
            HoldRecord::Taken { viewer, units, taken_at, deadline, channel, .. } => {
                let sale = self.sales.get_mut(&drop).unwrap();
                let grace = sale.plan.grace();
                let price = sale.plan.skus[usize::from(id.pool().get())].price;
                let pool = sale.pool(id.pool());
                pool.available -= units.get();
                pool.last_take = pool.last_take.max(id.take().get());
                let hold = Hold {
                    id,
                    viewer: *viewer,
                    units: units.get(),
                    price,
                    taken_at: *taken_at,
                    deadline: deadline.plus(moved(*taken_at)),
                    grace,
                    channel: channel.clone(),
                    state: HoldState::Held,
                };
                self.holds.insert(self.names[&id].clone(), hold);
            }
            HoldRecord::Confirmed { .. } => self.by_id(id).state = HoldState::Ordered,
            HoldRecord::Released { .. } | HoldRecord::Expired { .. } => {
                let hold = self.by_id(id);
                hold.state = HoldState::Ended;
                let units = hold.units;
                self.sales.get_mut(&drop).unwrap().pool(id.pool()).available += units;
            }
        }
    }
}
