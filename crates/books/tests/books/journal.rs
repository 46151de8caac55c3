//! The durable records of a story, with what follows from them alone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write,
};

use stampede_books::{Books, Targets};
use stampede_domain::{
    AddressRange, BanId, DropId, DurationMs, HoldId, KeyFingerprint, Moment, PoolIndex, TakeNumber,
    UnixMillis, ViewerId, ViewerNumber,
};
use stampede_ledger::{DeadlineRecord, HoldRecord, Link, Record, RecoveredPool};
use stampede_settlement::PaymentBook;

use crate::{stock::Stock, words::LIMITS};

struct Row {
    commit: u32,
    at: UnixMillis,
    drop: DropId,
    record: Record,
}

/// Durable records in their order, each with the time of its commit.
#[derive(Default)]
pub(crate) struct Journal {
    rows: Vec<Row>,
    /// The number of the commit that is being written.
    commit: u32,
    viewers: HashMap<ViewerNumber, ViewerId>,
    ranges: HashMap<BanId, AddressRange>,
    /// Drops that have left memory.
    forgotten: BTreeSet<DropId>,
    /// Bans whose target was erased.
    erased: BTreeSet<BanId>,
}

impl Targets for Journal {
    fn viewer(&self, number: ViewerNumber) -> Option<ViewerId> {
        self.viewers.get(&number).cloned()
    }

    fn range(&self, ban: BanId) -> Option<AddressRange> {
        self.ranges.get(&ban).copied()
    }
}

impl Journal {
    /// Another commit begins.
    pub(crate) fn begin(&mut self) {
        self.commit += 1;
    }

    pub(crate) fn push(
        &mut self,
        at: UnixMillis,
        (drop, record): (DropId, Record),
        link: Option<Link>,
    ) {
        match link {
            Some(Link::Viewer(link)) => {
                self.viewers.insert(link.number, link.id.clone());
            }
            Some(Link::Addresses(link)) => {
                self.ranges.insert(link.ban, link.range);
            }
            None => {}
        }
        self.rows.push(Row { commit: self.commit, at, drop, record });
    }

    pub(crate) fn forget(&mut self, drop: DropId) {
        self.forgotten.insert(drop);
    }

    pub(crate) fn has_forgotten(&self, drop: DropId) -> bool {
        self.forgotten.contains(&drop)
    }

    /// The money of a drop by its chains, with the number of records behind its end.
    pub(crate) fn money(&self, drop: DropId) -> (PaymentBook, u64) {
        let (mut payments, mut adjustments) = (PaymentBook::default(), 0);
        for row in self.rows.iter().filter(|row| row.drop.sale() == drop) {
            payments.apply(&row.record);
            adjustments += u64::from(row.drop.is_adjustments());
        }
        (payments, adjustments)
    }

    /// Whether the command stands among the adjustments of a drop, whose keys do not leave with it.
    pub(crate) fn is_adjustment(&self, key: KeyFingerprint) -> bool {
        let mut adjustments = self.rows.iter().filter(|row| row.drop.is_adjustments());
        adjustments.any(|row| matches!(&row.record, Record::Command(given) if given.key == key))
    }

    /// Erases whom a ban keeps out.
    pub(crate) fn erase(&mut self, books: &Books, ban: BanId) {
        let target = books.brake().ban(ban).expect("a ban that was not lifted").target.to_string();
        self.viewers.retain(|_, viewer| format!("viewer {viewer}") != target);
        self.ranges.remove(&ban);
        self.erased.insert(ban);
    }

    /// Books that have followed every record as a start reads them: of one commit, drop by drop.
    pub(crate) fn books(&self) -> Books {
        let mut books = Books::new(LIMITS);
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| (row.commit, row.drop));
        for Row { at, drop, record, .. } in rows {
            books.apply(*at, *drop, record, self).unwrap();
        }
        for drop in &self.forgotten {
            books.forget(*drop);
        }
        books
    }

    /// The stock that every record leaves, with the pools of each drop as a restart finds them.
    pub(crate) fn stock(
        &self,
        names: &BTreeMap<HoldId, String>,
    ) -> (Stock, BTreeMap<DropId, Vec<RecoveredPool>>) {
        let mut stock = Stock { names: names.clone(), ..Stock::default() };
        let mut suspended: Vec<(DropId, DurationMs, UnixMillis)> = Vec::new();
        for Row { drop, record, .. } in &self.rows {
            match record {
                Record::Suspended { span, until }
                | Record::Deadline(DeadlineRecord::Extended { span, until }) => {
                    suspended.push((*drop, *span, *until));
                }
                Record::Recovered(_) => suspended.retain(|(of, _, _)| of != drop),
                _ => {}
            }
            stock.apply(*drop, record, |taken_at| {
                let later =
                    suspended.iter().filter(|(of, _, until)| of == drop && taken_at < *until);
                DurationMs::new(later.map(|(_, span, _)| span.get()).sum())
            });
        }
        let pools = stock.sales.iter().map(|(drop, sale)| {
            let places = (0_u8..).zip(&sale.pools).map(|(place, _)| self.recovered(*drop, place));
            (*drop, places.collect())
        });
        let pools = pools.collect();
        for drop in &self.forgotten {
            stock.sales.remove(drop);
            stock.holds.retain(|_, hold| hold.id.drop_id() != *drop);
        }
        (stock, pools)
    }

    /// The last durable take of a pool, with those below that were lost since the last restart.
    fn recovered(&self, drop: DropId, place: u8) -> RecoveredPool {
        let pool = PoolIndex::new(place).unwrap();
        let (mut settled_to, mut since) = (0, BTreeSet::new());
        for row in self.rows.iter().filter(|row| row.drop == drop) {
            match &row.record {
                Record::Hold(HoldRecord::Taken { hold, .. }) if hold.pool() == pool => {
                    since.insert(hold.take().get());
                }
                Record::Recovered(found) => {
                    let found = found.pools.iter().find(|found| found.pool == pool).unwrap();
                    settled_to = found.last_take.get();
                    since.clear();
                }
                _ => {}
            }
        }
        let last = since.last().copied().unwrap_or(settled_to);
        let lost = (settled_to + 1..last).filter(|number| !since.contains(number));
        let take = |number| TakeNumber::new(number).unwrap();
        RecoveredPool { pool, last_take: take(last), lost: lost.map(take).collect() }
    }

    /// What books know, as text: live ones must know the same as those that were made anew from what
    /// was durable. Who set something about the brake has no time here, for that is the commit's after a
    /// restart; neither have counts, which no restart keeps.
    pub(crate) fn state(&self, books: &Books, now: Moment) -> String {
        let mut text = String::new();
        for (drop, book) in books.drops() {
            let start_over = book.start_is_over() || book.missed(now).is_some();
            writeln!(
                text,
                "{drop} {} r{} #{} opens {:?} lots {} supplied {:?} start over {start_over} {:?} done {}",
                book.phase(),
                book.revision(),
                book.phase_changes(),
                book.opens_at(),
                book.lots(),
                book.supplied(),
                book.watch(),
                book.plan().title,
            )
            .unwrap();
        }
        let air: BTreeSet<DropId> = books.on_air().drops().collect();
        for (drop, _) in books.drops() {
            let money = books.payments(drop).map(PaymentBook::journaled);
            writeln!(text, "{drop} {}", money.unwrap_or_default()).unwrap();
        }
        writeln!(text, "on air {air:?}, memory {}", books.memory().all()).unwrap();
        for room in books.rooms().after(None) {
            writeln!(text, "{room:?}").unwrap();
        }
        let brake = books.brake();
        let order = |entry: &stampede_books::brake::BrakeEntry| {
            format!("{} until {:?}", entry.actor, entry.expires_at)
        };
        writeln!(text, "halt {:?}", brake.halt().map(order)).unwrap();
        writeln!(text, "rates {:?}", brake.rates().map(|(rates, by)| (rates, order(by)))).unwrap();
        let bans: BTreeSet<BanId> =
            brake.bans().map(|ban| ban.id).chain(brake.erased().iter().copied()).collect();
        for ban in bans {
            let known = brake.ban(ban).filter(|_| !self.erased.contains(&ban));
            let known = known.map(|ban| (&ban.target, ban.releases_holds, order(&ban.entry)));
            writeln!(text, "{ban} {known:?}").unwrap();
        }
        text
    }
}
