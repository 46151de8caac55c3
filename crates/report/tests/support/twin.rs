//! The figures of a drop counted at the end, from all of its records: slow, plain, and no code of the fold.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stampede_domain::{DropId, DurationMs, HoldId, RefusalCode, UnixMillis};
use stampede_ledger::{
    CorrectionRecord, HoldRecord, Journal, PaymentChange, PhaseRecord, Record, Row, Rows, Tally,
};
use stampede_report::{DropReport, fold::Counts};

/// Everything that the journal says of a drop.
pub struct Twin {
    /// The rows of its chain: times with their records.
    chain: Vec<(UnixMillis, Vec<Record>)>,
    /// Records of what came after it.
    later: Vec<Record>,
    head: Option<String>,
}

struct Take {
    hold: HoldId,
    units: u64,
    at: UnixMillis,
    channel: Option<String>,
    /// Its row's place.
    row: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Paid,
    Back,
}

/// What a channel or a SKU comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub taken: u64,
    pub came_back: u64,
    pub held: u64,
    pub orders: u64,
    pub paid: u64,
}

impl Twin {
    pub fn read(journal: &dyn Journal, drop: DropId) -> Self {
        let rows = |rows: Rows<'_>| rows.map(Result::unwrap).collect::<Vec<Row>>();
        let chain = rows(Rows::of_drop(journal, drop).unwrap());
        let later = rows(Rows::of_adjustments(journal, drop).unwrap());
        Self {
            head: chain.last().map(|row| row.hash.to_string()),
            chain: chain.iter().map(|row| (row.header().unwrap().at, records(row))).collect(),
            later: later.iter().flat_map(records).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = (usize, UnixMillis, &Record)> {
        let rows = self.chain.iter().enumerate();
        rows.flat_map(|(place, (at, records))| records.iter().map(move |r| (place, *at, r)))
    }

    fn takes(&self) -> Vec<Take> {
        let take = |(row, _, record): (usize, UnixMillis, &Record)| match record {
            Record::Hold(HoldRecord::Taken { hold, units, taken_at, channel, .. }) => Some(Take {
                hold: *hold,
                units: units.get().into(),
                at: *taken_at,
                channel: channel.as_ref().map(ToString::to_string),
                row,
            }),
            _ => None,
        };
        self.all().filter_map(take).collect()
    }

    /// How each hold ended, and when, in which row.
    fn ends(&self) -> HashMap<HoldId, (How, UnixMillis, usize)> {
        let end = |(row, at, record): (usize, UnixMillis, &Record)| match record {
            Record::Hold(HoldRecord::Confirmed { hold, .. }) => Some((*hold, (How::Paid, at, row))),
            Record::Hold(HoldRecord::Released { hold, .. } | HoldRecord::Expired { hold, .. }) => {
                Some((*hold, (How::Back, at, row)))
            }
            _ => None,
        };
        self.all().filter_map(end).collect()
    }

    fn tallies(&self) -> Vec<(UnixMillis, &Tally)> {
        let tally = |(_, at, record): (usize, UnixMillis, &'_ Record)| match record {
            Record::Tally(_) => Some(at),
            _ => None,
        };
        let times = self.all().filter_map(tally);
        let found = self.all().filter_map(|(_, _, record)| match record {
            Record::Tally(tally) => Some(&**tally),
            _ => None,
        });
        times.zip(found).collect()
    }

    fn opened_at(&self) -> Option<UnixMillis> {
        let is_opening = |record: &Record| *record == Record::Phase(PhaseRecord::Opened);
        self.all().find(|(_, _, record)| is_opening(record)).map(|(_, at, _)| at)
    }

    fn sums<K: Ord>(&self, key: impl Fn(&Take) -> K) -> BTreeMap<K, Sums> {
        let ends = self.ends();
        let mut all: BTreeMap<K, Sums> = BTreeMap::new();
        for take in self.takes() {
            let sums = all.entry(key(&take)).or_default();
            sums.taken += take.units;
            match ends.get(&take.hold).map(|(how, ..)| *how) {
                None => sums.held += take.units,
                Some(How::Back) => sums.came_back += take.units,
                Some(How::Paid) => {
                    sums.orders += 1;
                    sums.paid += take.units;
                }
            }
        }
        all
    }

    pub fn by_channel(&self) -> BTreeMap<Option<String>, Sums> {
        let mut all = self.sums(|take| take.channel.clone());
        // Whoever clicked is one, too, also where nothing was taken.
        let (clicks, _) = self.told_clicks_by_channel();
        for channel in clicks.into_keys() {
            all.entry(channel).or_default();
        }
        if all.keys().all(Option::is_none) { BTreeMap::new() } else { all }
    }

    /// Clicks by channel, `None` for tickets without one; nothing if one with clicks does not tell.
    pub fn clicks_by_channel(&self) -> Option<BTreeMap<Option<String>, u64>> {
        let (all, are_told) = self.told_clicks_by_channel();
        are_told.then_some(all)
    }

    /// What the tallies tell that do, and whether all with clicks do.
    fn told_clicks_by_channel(&self) -> (BTreeMap<Option<String>, u64>, bool) {
        let (mut all, mut are_told) = (BTreeMap::new(), true);
        let (mut clicks, mut of_channels) = (0, 0);
        for (_, tally) in self.tallies() {
            let Some(sources) = &tally.sources else {
                are_told &= tally.clicks() == 0;
                continue;
            };
            clicks += tally.clicks();
            of_channels += sources.channels.total();
            for (channel, more) in &sources.channels.named {
                *all.entry(Some(channel.to_string())).or_default() += more;
            }
        }
        if are_told && clicks > of_channels {
            all.insert(None, clicks - of_channels);
        }
        (all, are_told)
    }

    pub fn by_pool(&self) -> BTreeMap<u8, Sums> {
        self.sums(|take| take.hold.pool().get())
    }

    /// Everything that happened, with the milliseconds since the opening; clicks before it by themselves.
    fn events(&self) -> (Vec<(u64, Counts)>, Counts) {
        let (Some(opened_at), none) = (self.opened_at(), Counts::default()) else {
            panic!("it was opened");
        };
        let (ends, mut events, mut early) = (self.ends(), Vec::new(), none);
        let after = |at: UnixMillis| at.get().saturating_sub(opened_at.get());
        for take in self.takes() {
            events.push((after(take.at), Counts { taken: take.units, clicks: 1, ..none }));
            match ends.get(&take.hold) {
                Some((How::Paid, at, _)) => {
                    events.push((after(*at), Counts { paid: take.units, ..none }));
                }
                Some((How::Back, at, _)) => {
                    events.push((after(*at), Counts { came_back: take.units, ..none }));
                }
                None => {}
            }
        }
        for (at, tally) in self.tallies() {
            let refused: u64 = RefusalCode::ALL.iter().map(|code| tally.refusals.get(*code)).sum();
            let (clicks, connected) = (refused + tally.retries, Some(tally.connected));
            if at < opened_at {
                early.clicks += clicks;
                early.refused += refused;
            } else {
                events.push((after(at), Counts { clicks, refused, connected, ..none }));
            }
        }
        (events, early)
    }

    /// The events in groups of so many milliseconds.
    fn grouped(events: &[(u64, Counts)], step_ms: u64) -> BTreeMap<u64, Counts> {
        let mut groups: BTreeMap<u64, Counts> = BTreeMap::new();
        for (after_ms, more) in events {
            let sum = groups.entry(after_ms / step_ms).or_default();
            sum.taken += more.taken;
            sum.paid += more.paid;
            sum.came_back += more.came_back;
            sum.clicks += more.clicks;
            sum.refused += more.refused;
            sum.connected = sum.connected.max(more.connected);
        }
        groups
    }

    /// Units of each pool that were taken beyond its lots.
    fn taken_again(&self) -> u64 {
        let mut lots: HashMap<u8, u64> = HashMap::new();
        for (_, _, record) in self.all() {
            if let Record::Lot { pool, units, .. } = record {
                *lots.entry(pool.get()).or_default() += u64::from(units.get());
            }
        }
        let beyond = |(pool, sums): (&u8, &Sums)| {
            sums.taken.saturating_sub(lots.get(pool).copied().unwrap_or(0))
        };
        self.by_pool().iter().map(beyond).sum()
    }

    /// Milliseconds from the opening until this many parts of what was supplied then were in orders.
    fn paid_after(&self, parts: u64) -> Option<u64> {
        let (opened_at, mut supplied, mut sold) = (self.opened_at()?, 0, 0);
        for (_, at, record) in self.all() {
            match record {
                Record::Lot { units, .. } => supplied += u64::from(units.get()),
                Record::Correction(CorrectionRecord::Withdrawn { units, .. }) => {
                    supplied -= u64::from(units.get());
                }
                Record::Hold(HoldRecord::Confirmed { units, .. }) => sold += u64::from(units.get()),
                _ => continue,
            }
            let is_more_left = matches!(record, Record::Lot { .. });
            if !is_more_left && sold > 0 && sold * parts >= supplied {
                return Some(at.since(opened_at).get());
            }
        }
        None
    }

    /// Holds a report against all this.
    pub fn check(&self, report: &DropReport) {
        let (events, early) = self.events();
        let total = Self::grouped(&events, u64::MAX).remove(&0).unwrap_or_default();
        assert_eq!(report.taken.all.units, total.taken);
        assert_eq!(report.sold, total.paid);
        assert_eq!(report.came_back().units, total.came_back);
        let back = [report.taken.released, report.taken.expired];
        assert_eq!(report.came_back().holds, back.iter().map(|ends| ends.holds).sum::<u64>());
        assert_eq!(report.clicks(), total.clicks + early.clicks);
        assert_eq!(report.refusals.total(), total.refused + early.refused);
        assert_eq!((report.early.clicks, report.early.refused), (early.clicks, early.refused));
        assert_eq!(report.held, total.taken - total.paid - total.came_back);
        assert_eq!(report.left(), report.supplied - report.held - report.sold);
        assert_eq!(report.taken_again, self.taken_again());
        self.check_parts(report);
        self.check_curves(report, &events);
        let spans = [report.half_paid_after, report.all_paid_after];
        let spans = spans.map(|span| span.map(DurationMs::get));
        assert_eq!(spans, [self.paid_after(2), self.paid_after(1)]);
        let last = |wanted: fn(&Counts) -> u64| {
            events.iter().filter(|(_, counts)| wanted(counts) > 0).map(|(after, _)| *after).max()
        };
        assert_eq!(report.last_taken_after.map(DurationMs::get), last(|counts| counts.taken));
        assert_eq!(report.last_paid_after.map(DurationMs::get), last(|counts| counts.paid));
        let hash = self.head.clone().filter(|_| report.phase.is_final());
        assert_eq!(report.closing_hash.map(|hash| hash.to_string()), hash);
        self.check_cancelled(report);
    }

    fn check_parts(&self, report: &DropReport) {
        let channels = report.channels.iter().map(|channel| {
            let figures = &channel.figures;
            let sums = Sums {
                taken: figures.taken,
                came_back: figures.came_back,
                held: figures.held,
                orders: figures.orders,
                paid: figures.units,
            };
            (channel.channel.as_ref().map(ToString::to_string), sums)
        });
        assert_eq!(channels.collect::<BTreeMap<_, _>>(), self.by_channel());
        let clicks = self.clicks_by_channel();
        for channel in &report.channels {
            let name = channel.channel.as_ref().map(ToString::to_string);
            let expected = clicks.as_ref().map(|all| all.get(&name).copied().unwrap_or(0));
            assert_eq!(channel.figures.clicks, expected, "{name:?}");
        }
        let by_pool = self.by_pool();
        for sku in &report.skus {
            let sums = Sums {
                taken: sku.taken,
                came_back: sku.came_back,
                held: sku.held,
                orders: sku.orders,
                paid: sku.sold,
            };
            let expected = by_pool.get(&sku.sku.get());
            assert_eq!(&sums, expected.unwrap_or(&Sums::default()));
        }
    }

    fn check_curves(&self, report: &DropReport, events: &[(u64, Counts)]) {
        let last = events.iter().map(|(after_ms, _)| *after_ms).max();
        let fits = |last: u64| (0..56).map(|power| 1 << power).find(|step: &u64| last / step < 512);
        let step_ms = last.and_then(fits).unwrap_or(1);
        let course = Self::grouped(events, step_ms);
        let steps: Vec<Counts> = (0..=last.unwrap_or(0) / step_ms)
            .map(|step| course.get(&step).copied().unwrap_or_default())
            .collect();
        let steps = if last.is_some() { steps } else { Vec::new() };
        assert_eq!((report.course.step_ms(), report.course.steps()), (step_ms, &*steps));
        let seconds = report.seconds.iter().map(|second| (second.second, second.counts));
        assert_eq!(seconds.collect::<BTreeMap<_, _>>(), Self::grouped(events, 1_000));
        assert!(!report.seconds_cut && !report.gaps_cut);
        let (taken, sold_out) = self.until_nothing_is_left();
        assert_eq!(report.sold_out_after.map(DurationMs::get), sold_out);
        assert_eq!(
            report.pace.steps().iter().sum::<u64>(),
            taken.iter().map(|(_, u)| u).sum::<u64>()
        );
        let latest = taken.iter().map(|(after_ms, _)| *after_ms).max();
        assert_eq!(report.pace.step_ms(), latest.and_then(fits).unwrap_or(1));
        let mut expected: Vec<u64> = Vec::new();
        for (after_ms, units) in &taken {
            let place = usize::try_from(after_ms / report.pace.step_ms()).unwrap();
            expected.resize(expected.len().max(place + 1), 0);
            expected[place] += units;
        }
        assert_eq!(report.pace.steps(), expected);
    }

    /// Takes up to the moment when nothing was left, each with the milliseconds since the opening; that moment.
    fn until_nothing_is_left(&self) -> (Vec<(u64, u64)>, Option<u64>) {
        let after = |at: UnixMillis| at.since(self.opened_at().unwrap()).get();
        let takes = self.takes();
        let (mut taken, mut supplied, mut out) = (Vec::new(), 0, 0);
        for (row, (at, records)) in self.chain.iter().enumerate() {
            // The takes of a row come first.
            for take in takes.iter().filter(|take| take.row == row) {
                taken.push((after(take.at), take.units));
                out += take.units;
                if out >= supplied {
                    let latest = taken.iter().map(|(after_ms, _)| *after_ms).max();
                    return (taken, latest);
                }
            }
            for record in records {
                match record {
                    Record::Lot { units, .. } => supplied += u64::from(units.get()),
                    Record::Hold(
                        HoldRecord::Released { units, .. } | HoldRecord::Expired { units, .. },
                    ) => out -= u64::from(units.get()),
                    Record::Correction(CorrectionRecord::Withdrawn { units, .. }) => {
                        supplied -= u64::from(units.get());
                        if out > 0 && out >= supplied {
                            return (taken, Some(after(*at)));
                        }
                    }
                    _ => {}
                }
            }
        }
        (taken, None)
    }

    fn check_cancelled(&self, report: &DropReport) {
        let chain: Vec<&Record> = self.all().map(|(_, _, record)| record).collect();
        let count = |records: &[&Record]| -> (u64, u64) {
            let mut units: BTreeMap<HoldId, u64> = BTreeMap::new();
            for record in records {
                if let Record::Payment(payment) = record
                    && let PaymentChange::Cancelled(cancelled) = &payment.change
                {
                    units.insert(payment.hold, cancelled.units.into());
                }
            }
            let takes: HashMap<HoldId, u64> =
                self.takes().into_iter().map(|take| (take.hold, take.units)).collect();
            let whole: BTreeSet<_> =
                units.iter().filter(|(id, units)| takes[id] <= **units).collect();
            (u64::try_from(whole.len()).unwrap(), units.values().sum())
        };
        let at_end = count(&chain);
        assert_eq!((report.cancelled.orders, report.cancelled.units), at_end);
        let all: Vec<&Record> = chain.into_iter().chain(&self.later).collect();
        let now = count(&all);
        match report.adjustments {
            None => assert!(self.later.is_empty()),
            Some(later) => {
                assert_eq!(later.records, u64::try_from(self.later.len()).unwrap());
                let since = (later.cancelled.orders, later.cancelled.units);
                assert_eq!(since, (now.0 - at_end.0, now.1 - at_end.1));
            }
        }
    }
}

fn records(row: &Row) -> Vec<Record> {
    row.decode().map(Result::unwrap).collect()
}
