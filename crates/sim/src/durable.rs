//! Counts the ledger's rows by independent rules, with the books that follow them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stampede_books::{Books, DropBook, Limits, Targets};
use stampede_domain::{
    AddressRange, BanId, DropId, DropPlan, DurationMs, HoldId, KeyFingerprint, Money, Phase,
    PoolIndex, SkuIndex, TakeNumber, Units, UnixMillis, ViewerId, ViewerLimits, ViewerNumber,
};
use stampede_ledger::{
    Command, CorrectionRecord, HoldRecord, PhaseRecord, PlannedCopy, Record, RecordedOutcome,
    RequestRecord, Row,
};

use crate::{corrections::Corrections, durable_money::MoneyRows, violation::Violation};

/// A take that is durable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JournaledTake {
    pub(crate) viewer: ViewerNumber,
    pub(crate) units: u64,
    pub(crate) end: Option<End>,
}

/// How a hold ended, by the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Ordered,
    GivenBack,
}

/// One pool, by the rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    pub(crate) supplied: u64,
    /// Units in holds or orders.
    pub(crate) out: u64,
    numbers: BTreeSet<u64>,
}

/// Everything that a restart would find.
pub(crate) struct Durable {
    limits: Limits,
    pub(crate) books: Books,
    pub(crate) takes: HashMap<HoldId, JournaledTake>,
    pub(crate) pools: HashMap<(DropId, PoolIndex), Pool>,
    /// Units in reserve, by drop and pool.
    pub(crate) reserves: BTreeMap<(DropId, PoolIndex), u64>,
    /// Drops that viewers may hear of.
    pub(crate) shown: BTreeSet<DropId>,
    by_key: HashMap<(DropId, ViewerNumber, KeyFingerprint), HoldId>,
    /// Limits that were set while a drop was on sale, each with the last take of each pool before it.
    amended: BTreeMap<DropId, Vec<(ViewerLimits, Vec<TakeNumber>)>>,
    plans: BTreeMap<DropId, std::sync::Arc<DropPlan>>,
    /// Accepted commands by key, each with the drop or the house that it is about.
    accepted: HashMap<KeyFingerprint, DropId>,
    /// Drops that are over, since when.
    over: BTreeMap<DropId, UnixMillis>,
    /// Those of them that have left memory.
    left: BTreeSet<DropId>,
    /// Drops whose opening was undone.
    undone: BTreeSet<DropId>,
    /// Drops whose terms were put right while they were on sale.
    put_right: BTreeSet<DropId>,
    pub(crate) corrections: Corrections,
    /// Requests for more units that nobody has ended, by drop and number.
    asked: BTreeMap<(DropId, u32), (PoolIndex, Units)>,
    /// The lot before the next command of a drop, with what its pool had in reserve before.
    lot: Option<(DropId, Units, u64)>,
    /// What a pool had in reserve before units of it were drawn, right before their lot.
    drawn: Option<(DropId, PoolIndex, u64)>,
    rows: usize,
    pub(crate) money: MoneyRows,
}

/// Viewers are known by the numbers that the simulation gave them.
pub(crate) struct Names<'a>(pub(crate) &'a HashMap<ViewerNumber, ViewerId>);

impl Targets for Names<'_> {
    fn viewer(&self, number: ViewerNumber) -> Option<ViewerId> {
        self.0.get(&number).cloned()
    }

    fn range(&self, _ban: BanId) -> Option<AddressRange> {
        None
    }
}

impl Durable {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            books: Books::new(limits),
            takes: HashMap::new(),
            pools: HashMap::new(),
            reserves: BTreeMap::new(),
            shown: BTreeSet::new(),
            by_key: HashMap::new(),
            amended: BTreeMap::new(),
            plans: BTreeMap::new(),
            accepted: HashMap::new(),
            over: BTreeMap::new(),
            left: BTreeSet::new(),
            undone: BTreeSet::new(),
            put_right: BTreeSet::new(),
            corrections: Corrections::default(),
            asked: BTreeMap::new(),
            lot: None,
            drawn: None,
            rows: 0,
            money: MoneyRows::default(),
        }
    }

    /// Follows the rows that are new among all of them.
    pub(crate) fn follow(&mut self, rows: &[Row], names: &Names<'_>) -> Result<(), Violation> {
        for row in &rows[self.rows..] {
            let at = self.follow_row(row, names, Self::record)?;
            if self.books.drop(row.drop).is_some_and(|book| book.phase().is_final()) {
                self.over.entry(row.drop).or_insert(at);
            }
        }
        self.rows = rows.len();
        self.money.check()
    }

    /// Begins the books anew. A start finds drops again that had left memory by the clock of the one before, where that
    /// clock had gone on beyond what is durable, and the machine or its wall clock was set back.
    pub(crate) fn begin_anew(&mut self, rows: &[Row], names: &Names<'_>) -> Result<(), Violation> {
        self.books = Books::new(self.limits);
        self.left.clear();
        for row in rows {
            self.follow_row(row, names, |_, _, _| Ok(()))?;
        }
        Ok(())
    }

    /// Has the books follow one row, behind what `look` does with each record; returns the row's time.
    fn follow_row(
        &mut self,
        row: &Row,
        names: &Names<'_>,
        look: impl Fn(&mut Self, DropId, &Record) -> Result<(), Violation>,
    ) -> Result<UnixMillis, Violation> {
        let at = row.header().map_err(|why| format!("a row has no header: {why}"))?.at;
        for record in row.decode() {
            let record = record.map_err(|why| format!("a record cannot be read: {why}"))?;
            look(self, row.drop, &record)?;
            let applied = self.books.apply(at, row.drop, &record, names);
            applied.map_err(|why| format!("{}: {record:?} contradicts: {why}", row.drop))?;
        }
        Ok(at)
    }

    fn record(&mut self, drop: DropId, record: &Record) -> Result<(), Violation> {
        match record {
            Record::Planned { plan, .. } => {
                for (pool, sku) in plan.pools().iter() {
                    let reserve = plan.sku(sku).map_or(0, |sku| u64::from(sku.reserve.get()));
                    self.reserves.insert((drop, pool), reserve);
                }
                if !plan.hidden {
                    self.shown.insert(drop);
                }
                self.plans.insert(drop, std::sync::Arc::clone(plan));
            }
            Record::Phase(PhaseRecord::Countdown { .. } | PhaseRecord::Opened) => {
                // The first lots are nobody's.
                self.lot = None;
                self.shown.insert(drop);
            }
            Record::Lot { pool, units, .. } => {
                self.pools.entry((drop, *pool)).or_default().supplied += u64::from(units.get());
                let drawn = self.drawn.take().filter(|(of, at, _)| (of, at) == (&drop, pool));
                let reserve = drawn.map_or(self.reserves[&(drop, *pool)], |(.., before)| before);
                self.lot = Some((drop, *units, reserve));
            }
            Record::Request(record) => self.request(drop, record)?,
            Record::Correction(record) => self.correction(drop, record)?,
            Record::Hold(record) => self.hold(drop, record)?,
            Record::Payment(record) => {
                self.money.adjusted += u64::from(drop.is_adjustments());
                self.money.follow(record);
            }
            Record::Recovered(recovered) => {
                for found in &recovered.pools {
                    // Numbers beyond are used again.
                    for (_, last) in self.amended.entry(drop).or_default() {
                        let last = &mut last[usize::from(found.pool.get())];
                        *last = (*last).min(found.last_take);
                    }
                    let pool = self.pools.entry((drop, found.pool)).or_default();
                    pool.numbers.extend(found.lost.iter().map(|lost| lost.get()));
                    if !is_dense(&pool.numbers, found.last_take.get()) {
                        return Err(format!("{drop} {}: numbers of takes have a gap", found.pool));
                    }
                }
            }
            Record::Phase(PhaseRecord::UndoBegun { copy }) => self.undo(drop, *copy)?,
            Record::Phase(PhaseRecord::Settled | PhaseRecord::Voided)
                if self.has_hold(drop, |take| take.end.is_none()) =>
            {
                return Err(format!("{drop} has ended with a live hold"));
            }
            Record::Command(command) if self.goes_beyond(drop, command) => {
                return Err(format!("{drop}: a host put more on sale than was in reserve"));
            }
            Record::Command(command)
                if command.outcome == RecordedOutcome::Accepted
                    && self.accepted.insert(command.key, drop.sale()).is_some() =>
            {
                return Err(format!("{drop}: a command was carried out twice"));
            }
            _ => {}
        }
        Ok(())
    }

    fn has_hold(&self, drop: DropId, is: impl Fn(&JournaledTake) -> bool) -> bool {
        self.takes.iter().any(|(hold, take)| hold.drop_id() == drop && is(take))
    }

    /// Whether a host has put more on sale than was in reserve.
    fn goes_beyond(&mut self, drop: DropId, command: &Command) -> bool {
        let lot = self.lot.take().filter(|(of, ..)| *of == drop);
        let beyond = lot.is_some_and(|(_, units, reserve)| u64::from(units.get()) > reserve);
        beyond && command.role.as_str() == "host" && command.outcome == RecordedOutcome::Accepted
    }

    fn request(&mut self, drop: DropId, record: &RequestRecord) -> Result<(), Violation> {
        match record {
            RequestRecord::Asked(asked) => {
                self.lot = None;
                let is_beyond = asked.units > asked.reserve;
                let wanted = (asked.pool, asked.units);
                if !is_beyond || self.asked.insert((drop, asked.number), wanted).is_some() {
                    return Err(format!("{drop}: request {} is none", asked.number));
                }
            }
            RequestRecord::Ended(ended) => {
                let open = self.asked.remove(&(drop, ended.number));
                if open != Some((ended.pool, ended.units)) {
                    return Err(format!("{drop}: request {} ended twice", ended.number));
                }
            }
        }
        Ok(())
    }

    fn undo(&mut self, drop: DropId, copy: PlannedCopy) -> Result<(), Violation> {
        if self.has_hold(drop, |take| take.end == Some(End::Ordered)) {
            return Err(format!("{drop} is undone although it has an order"));
        }
        self.undone.insert(drop);
        self.corrections.undone += 1;
        if copy.drop().is_some() && self.put_right.contains(&drop) {
            self.corrections.copies_put_right += 1;
        }
        Ok(())
    }

    fn correction(&mut self, drop: DropId, record: &CorrectionRecord) -> Result<(), Violation> {
        match record {
            CorrectionRecord::Withdrawn { pool, units } => {
                let of = self.pools.entry((drop, *pool)).or_default();
                let left = of.supplied.checked_sub(u64::from(units.get()));
                let left = left.filter(|left| *left >= of.out);
                of.supplied =
                    left.ok_or(format!("{drop} {pool}: {units} withdrawn were not free"))?;
                self.corrections.withdrawn += 1;
            }
            CorrectionRecord::Reserved { pool, left } => {
                let before = self.reserves.insert((drop, *pool), u64::from(left.get()));
                self.drawn = before.map(|before| (drop, *pool, before));
            }
            CorrectionRecord::WindsDown { .. } => self.corrections.wound_down += 1,
            CorrectionRecord::Amended(amended) => {
                self.corrections.amended += 1;
                self.put_right.insert(drop);
                if let Some(limits) = &amended.amendment.limits {
                    let since = (limits.clone(), amended.last_takes.clone());
                    self.amended.entry(drop).or_default().push(since);
                }
            }
        }
        Ok(())
    }

    fn hold(&mut self, drop: DropId, record: &HoldRecord) -> Result<(), Violation> {
        match record {
            HoldRecord::Taken { hold, viewer, key, units, .. } => {
                let units = u64::from(units.get());
                if let Some(other) = self.by_key.insert((drop, *viewer, *key), *hold) {
                    return Err(format!("{hold} and {other} are of one request"));
                }
                let take = JournaledTake { viewer: *viewer, units, end: None };
                if self.takes.insert(*hold, take).is_some() {
                    return Err(format!("{hold} was taken twice"));
                }
                self.check_limits(*hold, *viewer)?;
                let pool = self.pools.entry((drop, hold.pool())).or_default();
                pool.out += units;
                if pool.out > pool.supplied {
                    return Err(format!("{hold} oversells: {} of {}", pool.out, pool.supplied));
                }
                if !pool.numbers.insert(hold.take().get()) {
                    return Err(format!("{hold}: the number of its take was used before"));
                }
                Ok(())
            }
            HoldRecord::Confirmed { hold, amount, .. } => {
                if self.undone.contains(&drop) {
                    return Err(format!("{hold} became an order after its drop was undone"));
                }
                self.end(*hold, End::Ordered)?;
                self.money.ordered(*hold, amount.minor())?;
                self.check_amount(*hold, *amount)
            }
            HoldRecord::Released { hold, .. } | HoldRecord::Expired { hold, .. } => {
                self.end(*hold, End::GivenBack)
            }
        }
    }

    /// A viewer has no more than the limits of the take's moment allow. Takes under later limits may stand before it.
    fn check_limits(&self, hold: HoldId, viewer: ViewerNumber) -> Result<(), Violation> {
        let drop = hold.drop_id();
        let (plan, amended) = (&self.plans[&drop], self.amended.get(&drop));
        let turn = |hold: HoldId| {
            let pool = usize::from(hold.pool().get());
            let is_later = |(_, last): &(ViewerLimits, Vec<TakeNumber>)| last[pool] < hold.take();
            amended.map_or(0, |all| all.iter().filter(|one| is_later(one)).count())
        };
        let own = turn(hold);
        let limits = own.checked_sub(1).and_then(|before| amended?.get(before));
        let limits = limits.map_or_else(|| ViewerLimits::of(plan), |(limits, _)| limits.clone());
        let sku_of = |hold: HoldId| plan.pools().sku_of(hold.pool());
        let sku = sku_of(hold).ok_or("a take from no pool")?;
        let (mut of_drop, mut of_sku) = (0, 0);
        for (other, take) in &self.takes {
            let counts = other.drop_id() == drop
                && take.viewer == viewer
                && take.end != Some(End::GivenBack)
                && turn(*other) <= own;
            of_drop += if counts { take.units } else { 0 };
            of_sku += if counts && sku_of(*other) == Some(sku) { take.units } else { 0 };
        }
        let limit = limits.of_skus[usize::from(sku.get())];
        for (has, limit) in [(of_sku, limit), (of_drop, limits.of_drop)] {
            if has > u64::from(limit.get()) {
                return Err(format!("{hold}: its viewer has {has} units, {limit} are allowed"));
            }
        }
        Ok(())
    }

    fn end(&mut self, hold: HoldId, end: End) -> Result<(), Violation> {
        let drop = hold.drop_id();
        let take =
            self.takes.get_mut(&hold).ok_or_else(|| format!("{hold} ends without a take"))?;
        if take.end.replace(end).is_some() {
            return Err(format!("{hold} has two ends"));
        }
        if end == End::GivenBack {
            let units = take.units;
            let pool = self.pools.entry((drop, hold.pool())).or_default();
            pool.out -= units;
        }
        Ok(())
    }

    /// What the goods of a hold cost, in cents, by its plan.
    pub(crate) fn goods(&self, hold: HoldId) -> u64 {
        self.price(hold).map_or(0, Money::minor)
    }

    fn price(&self, hold: HoldId) -> Option<Money> {
        let plan = &self.plans[&hold.drop_id()];
        let sku = plan.pools().sku_of(hold.pool()).and_then(|sku| plan.sku(sku));
        let units = u32::try_from(self.takes[&hold].units).ok().and_then(Units::new);
        sku.zip(units).and_then(|(sku, units)| sku.price.checked_times(units))
    }

    fn check_amount(&self, hold: HoldId, amount: Money) -> Result<(), Violation> {
        let price = self.price(hold);
        if price == Some(amount) { Ok(()) } else { Err(format!("{hold} costs {amount:?}")) }
    }

    /// Whether an accepted command with this key is durable.
    pub(crate) fn has_command(&self, key: KeyFingerprint) -> bool {
        self.accepted.contains_key(&key)
    }

    /// Whether the table of keys answers a command instead of the node: its key is bound, by a drop whose
    /// keys may leave memory.
    pub(crate) fn answers(&self, key: KeyFingerprint) -> bool {
        self.accepted.get(&key).is_some_and(|drop| self.over.contains_key(drop))
    }

    /// Every drop, oldest first.
    pub(crate) fn drops(&self) -> Vec<DropId> {
        self.plans.keys().copied().collect()
    }

    /// This drop if it is open or paused, else the latest that is, else this one all the same.
    pub(crate) fn on_sale(&self, drop: DropId) -> DropId {
        let is_on_sale = |book: &DropBook| matches!(book.phase(), Phase::Open | Phase::Paused);
        if self.books.drop(drop).is_some_and(is_on_sale) {
            return drop;
        }
        let on_sale = self.books.live().filter(|(_, book)| is_on_sale(book));
        on_sale.map(|(drop, _)| drop).last().unwrap_or(drop)
    }

    /// A drop that can be undone with other terms than those that it was planned with; the latest one.
    pub(crate) fn undoable_put_right(&self) -> Option<DropId> {
        let is_undoable = |book: &DropBook| {
            matches!(book.phase(), Phase::Open | Phase::Paused) && book.orders() == 0
        };
        let mut latest = self.put_right.iter().rev().copied();
        latest.find(|drop| self.books.drop(*drop).is_some_and(is_undoable))
    }

    /// Since when a drop is over.
    pub(crate) fn over_since(&self, drop: DropId) -> Option<UnixMillis> {
        self.over.get(&drop).copied()
    }

    /// Drops that have left memory.
    pub(crate) fn left(&self) -> impl Iterator<Item = DropId> + '_ {
        self.left.iter().copied()
    }

    /// Forgets drops that `is_there` does not know any more: each had been over for `kept` at `now`.
    pub(crate) fn leave_behind(
        &mut self,
        is_there: impl Fn(DropId) -> bool,
        now: UnixMillis,
        kept: DurationMs,
    ) -> Result<(), Violation> {
        let known = self.books.drops().map(|(drop, _)| drop);
        let gone: Vec<DropId> = known.filter(|drop| !is_there(*drop)).collect();
        for drop in gone {
            if self.over_since(drop).is_none_or(|since| now < since.plus(kept)) {
                return Err(format!("{drop} has left memory before its time"));
            }
            self.books.forget(drop);
            self.left.insert(drop);
        }
        Ok(())
    }

    /// Units of a SKU that are sold, by the rows.
    pub(crate) fn sold(&self, drop: DropId, sku: SkuIndex) -> u64 {
        let pools = self.plans[&drop].pools();
        let takes = self.takes.iter().filter(|(hold, take)| {
            hold.drop_id() == drop
                && take.end == Some(End::Ordered)
                && pools.sku_of(hold.pool()) == Some(sku)
        });
        takes.map(|(_, take)| take.units).sum()
    }
}

fn is_dense(numbers: &BTreeSet<u64>, last: u64) -> bool {
    numbers.iter().copied().eq(1..=last)
}
