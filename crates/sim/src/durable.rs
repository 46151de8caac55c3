//! Counts the ledger's rows by independent rules, with the books that follow them.

use std::collections::{BTreeSet, HashMap, HashSet};

use stampede_books::{Books, Limits, Targets};
use stampede_domain::{
    AddressRange, BanId, DropId, DropPlan, DurationMs, HoldId, KeyFingerprint, Money, PoolIndex,
    SkuIndex, Units, UnixMillis, ViewerId, ViewerNumber,
};
use stampede_ledger::{HoldRecord, PhaseRecord, Record, RecordedOutcome, Row};

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
    pub(crate) books: Books,
    pub(crate) takes: HashMap<HoldId, JournaledTake>,
    pub(crate) pools: HashMap<(DropId, PoolIndex), Pool>,
    by_key: HashMap<(DropId, ViewerNumber, KeyFingerprint), HoldId>,
    /// Units of a viewer in holds and orders, by SKU.
    of_viewers: HashMap<(DropId, ViewerNumber, SkuIndex), u64>,
    plans: HashMap<DropId, std::sync::Arc<DropPlan>>,
    accepted: HashSet<KeyFingerprint>,
    rows: usize,
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

/// Something that must never stand in a ledger.
pub(crate) type Violation = String;

impl Durable {
    pub(crate) fn new() -> Self {
        Self {
            books: Books::new(limits()),
            takes: HashMap::new(),
            pools: HashMap::new(),
            by_key: HashMap::new(),
            of_viewers: HashMap::new(),
            plans: HashMap::new(),
            accepted: HashSet::new(),
            rows: 0,
        }
    }

    /// Follows the rows that are new among all of them.
    pub(crate) fn follow(&mut self, rows: &[Row], names: &Names<'_>) -> Result<(), Violation> {
        for row in &rows[self.rows..] {
            let at = row.header().map_err(|why| format!("a row has no header: {why}"))?.at;
            for record in row.decode() {
                let record = record.map_err(|why| format!("a record cannot be read: {why}"))?;
                self.record(row.drop, &record)?;
                let applied = self.books.apply(at, row.drop, &record, names);
                applied.map_err(|why| format!("{}: {record:?} contradicts: {why}", row.drop))?;
            }
        }
        self.rows = rows.len();
        Ok(())
    }

    fn record(&mut self, drop: DropId, record: &Record) -> Result<(), Violation> {
        match record {
            Record::Planned { plan, .. } => {
                self.plans.insert(drop, std::sync::Arc::clone(plan));
            }
            Record::Lot { pool, units, .. } => {
                self.pools.entry((drop, *pool)).or_default().supplied += u64::from(units.get());
            }
            Record::Hold(record) => self.hold(drop, record)?,
            Record::Recovered(recovered) => {
                for found in &recovered.pools {
                    let pool = self.pools.entry((drop, found.pool)).or_default();
                    pool.numbers.extend(found.lost.iter().map(|lost| lost.get()));
                    if !is_dense(&pool.numbers, found.last_take.get()) {
                        return Err(format!("{drop} {}: numbers of takes have a gap", found.pool));
                    }
                }
            }
            Record::Phase(PhaseRecord::Settled) => {
                let live =
                    self.takes.iter().any(|(hold, t)| hold.drop_id() == drop && t.end.is_none());
                if live {
                    return Err(format!("{drop} has settled with a live hold"));
                }
            }
            Record::Command(command)
                if command.outcome == RecordedOutcome::Accepted
                    && !self.accepted.insert(command.key) =>
            {
                return Err(format!("{drop}: a command was carried out twice"));
            }
            _ => {}
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
                let plan = &self.plans[&drop];
                let sku = plan.pools().sku_of(hold.pool()).ok_or("a take from no pool")?;
                let limit = plan.sku(sku).map(|sku| sku.limit_per_viewer).ok_or("no such SKU")?;
                let has = self.of_viewers.entry((drop, *viewer, sku)).or_default();
                *has += units;
                if *has > u64::from(limit.get()) {
                    return Err(format!("{hold}: its viewer has {has} units, {limit} are allowed"));
                }
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
                self.end(*hold, End::Ordered)?;
                self.check_amount(drop, *hold, *amount)
            }
            HoldRecord::Released { hold, .. } | HoldRecord::Expired { hold, .. } => {
                self.end(*hold, End::GivenBack)
            }
        }
    }

    fn end(&mut self, hold: HoldId, end: End) -> Result<(), Violation> {
        let drop = hold.drop_id();
        let take =
            self.takes.get_mut(&hold).ok_or_else(|| format!("{hold} ends without a take"))?;
        if take.end.replace(end).is_some() {
            return Err(format!("{hold} has two ends"));
        }
        if end == End::GivenBack {
            let (viewer, units) = (take.viewer, take.units);
            let pool = self.pools.entry((drop, hold.pool())).or_default();
            pool.out -= units;
            let sku = self.plans[&drop].pools().sku_of(hold.pool()).ok_or("a give to no pool")?;
            *self.of_viewers.entry((drop, viewer, sku)).or_default() -= units;
        }
        Ok(())
    }

    fn check_amount(&self, drop: DropId, hold: HoldId, amount: Money) -> Result<(), Violation> {
        let plan = &self.plans[&drop];
        let sku = plan.pools().sku_of(hold.pool()).and_then(|sku| plan.sku(sku));
        let units = u32::try_from(self.takes[&hold].units).ok().and_then(Units::new);
        let price = sku.zip(units).and_then(|(sku, units)| sku.price.checked_times(units));
        if price == Some(amount) { Ok(()) } else { Err(format!("{hold} costs {amount:?}")) }
    }

    /// Whether an accepted command with this key is durable.
    pub(crate) fn has_command(&self, key: KeyFingerprint) -> bool {
        self.accepted.contains(&key)
    }
}

fn is_dense(numbers: &BTreeSet<u64>, last: u64) -> bool {
    numbers.iter().copied().eq(1..=last)
}

/// The limits of an engine that is configured as usual.
fn limits() -> Limits {
    Limits {
        sale_bytes_max: u64::MAX,
        merchant_bytes_max: u64::MAX,
        bytes_needed: |supplied| supplied.map(|units| u64::from(units.get())).sum(),
        rooms_max: 16_384,
        rooms_per_owner_max: 1_024,
        admitted_per_room_max: 64,
        tally_interval: DurationMs::from_secs(1),
    }
}

/// What books know that the records tell: equal for those that decided and those that followed.
pub(crate) fn digest(books: &Books) -> String {
    let drops = books.drops().map(|(drop, book)| {
        let offline = book.watch().offline_since().map(UnixMillis::get);
        let (phase, changes, opens_at) = (book.phase(), book.phase_changes(), book.opens_at());
        let (revision, lots, live) = (book.revision(), book.lots(), book.live_holds());
        let supplied = book.supplied();
        format!(
            "{drop} revision {revision} {phase} after {changes} opens {opens_at:?} \
             supplied {supplied:?} lots {lots} live {live} offline {offline:?}\n"
        )
    });
    let drops: String = drops.collect();
    let mut on_air: Vec<DropId> = books.on_air().drops().collect();
    on_air.sort_unstable();
    let rooms: Vec<String> = books.rooms().after(None).map(|room| format!("{room:?}")).collect();
    let brake = books.brake();
    let bans = brake.bans().map(|ban| format!("{} {:?}", ban.id, ban.target));
    let (bans, halted) = (bans.collect::<Vec<_>>(), brake.halt().is_some());
    let rates = brake.rates().map(|(rates, _)| *rates);
    format!(
        "{drops}on air {on_air:?} rooms {rooms:?} halted {halted} rates {rates:?} bans {bans:?}"
    )
}
