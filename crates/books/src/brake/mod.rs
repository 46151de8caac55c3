//! The brake: halt, go, limits, bans; each recorded, each with an end that may come by itself.

mod ban;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stampede_domain::{BanId, BanTarget, KeyFingerprint, Rates, UnixMillis};
use stampede_ledger::{BanRecord, BanScope, BrakePart, BrakeRecord};

pub use ban::{Arrival, Ban, BrakeEntry};

use crate::{command::personal, targets::Targets};

/// What is decided about the brake; it runs ahead of what cores see by what only acts once durable.
#[derive(Clone, Debug, Default)]
pub struct BrakeBook {
    pub(crate) halt: Option<BrakeEntry>,
    pub(crate) rates: Option<(Rates, BrakeEntry)>,
    pub(crate) bans: BTreeMap<BanId, Arc<Ban>>,
    /// Bans that end by themselves.
    pub(crate) expiries: BTreeSet<(UnixMillis, BanId)>,
    pub(crate) last_ban: BanId,
    /// Bans that were not lifted, whose range or viewer was erased: they keep out nobody.
    pub(crate) erased: BTreeSet<BanId>,
    /// The limits that hold now; those decided last may wait for their record.
    pub(crate) in_force: Rates,
    /// Decisions about the halt so far, so that one which was overtaken does nothing.
    pub(crate) halt_decisions: u64,
    /// The same about the rates.
    pub(crate) rates_decisions: u64,
}

impl BrakeBook {
    /// Follows a record of the house's chain.
    pub(crate) fn apply(&mut self, at: UnixMillis, record: &BrakeRecord, targets: &dyn Targets) {
        match record {
            BrakeRecord::Halted(order) => {
                self.halt_decisions += 1;
                self.halt = Some(BrakeEntry::of(order, at));
            }
            BrakeRecord::RatesSet(set) => {
                self.rates_decisions += 1;
                self.rates = Some((set.rates, BrakeEntry::of(&set.order, at)));
            }
            BrakeRecord::Banned(banned) => self.banned(banned, at, targets),
            BrakeRecord::Lifted { part: BrakePart::Halt, .. } => {
                self.halt_decisions += 1;
                self.halt = None;
            }
            BrakeRecord::Lifted { part: BrakePart::Rates, .. } => {
                self.rates_decisions += 1;
                self.rates = None;
            }
            BrakeRecord::Lifted { part: BrakePart::Ban(ban), .. } => {
                if let Some(ban) = self.bans.remove(ban)
                    && let Some(at) = ban.entry.expires_at
                {
                    self.expiries.remove(&(at, ban.id));
                }
                self.erased.remove(ban);
            }
        }
    }

    fn banned(&mut self, banned: &BanRecord, at: UnixMillis, targets: &dyn Targets) {
        let BanRecord { ban: id, scope, releases_holds, order } = banned;
        self.last_ban = *id;
        let target = match scope {
            BanScope::Viewer(number) => targets.viewer(*number).map(BanTarget::Viewer),
            BanScope::Addresses => targets.range(*id).map(BanTarget::Addresses),
            BanScope::Channel { channel, stream } => {
                Some(BanTarget::Channel { channel: channel.clone(), stream: stream.clone() })
            }
        };
        let Some(target) = target else {
            self.erased.insert(*id);
            return;
        };
        let entry = BrakeEntry::of(order, at);
        self.expiries.extend(entry.expires_at.map(|at| (at, *id)));
        let ban = Ban { id: *id, target, releases_holds: *releases_holds, entry };
        self.bans.insert(*id, Arc::new(ban));
    }

    /// What the journal tells. The time since when something holds is the decision's for whoever decided, the
    /// commit's for whoever follows; the limits in force are those that cores have been shown.
    pub(crate) fn journaled(&self) -> String {
        let Self {
            halt,
            rates,
            bans,
            expiries,
            last_ban,
            erased,
            in_force: _,
            halt_decisions,
            rates_decisions,
        } = self;
        let entry = |entry: &BrakeEntry| {
            let BrakeEntry { actor, reason, since: _, expires_at } = entry;
            format!("{actor} {reason} until {expires_at:?}")
        };
        let halt = halt.as_ref().map(entry);
        let rates = rates.as_ref().map(|(rates, by)| (rates, entry(by)));
        let bans: Vec<_> = bans
            .values()
            .map(|ban| {
                let Ban { id, target, releases_holds, entry: by } = &**ban;
                format!("{id} {target:?} releases {releases_holds} {}", entry(by))
            })
            .collect();
        format!(
            "halt {halt:?} rates {rates:?} bans {bans:?} expiries {expiries:?} last {last_ban} \
             erased {erased:?} decisions {halt_decisions} {rates_decisions}"
        )
    }

    /// Every take is refused, on whose word.
    pub fn halt(&self) -> Option<&BrakeEntry> {
        self.halt.as_ref()
    }

    /// The limits that were set last, with who set them.
    pub fn rates(&self) -> Option<&(Rates, BrakeEntry)> {
        self.rates.as_ref()
    }

    /// Bans by id.
    pub fn bans(&self) -> impl ExactSizeIterator<Item = &Arc<Ban>> + '_ {
        self.bans.values()
    }

    /// A ban that was not lifted.
    pub fn ban(&self, ban: BanId) -> Option<&Arc<Ban>> {
        self.bans.get(&ban)
    }

    /// Bans that were not lifted, whose range or viewer was erased: they keep out nobody.
    pub fn erased(&self) -> &BTreeSet<BanId> {
        &self.erased
    }

    /// Fingerprint of what is personal about a ban's target.
    pub(crate) fn personal(&self, ban: BanId) -> Option<KeyFingerprint> {
        self.bans.get(&ban).and_then(|ban| personal(&ban.target))
    }

    /// Decisions so far about a part that may be set again; the same ban is never set twice.
    pub(crate) fn decisions(&self, part: BrakePart) -> u64 {
        match part {
            BrakePart::Halt => self.halt_decisions,
            BrakePart::Rates => self.rates_decisions,
            BrakePart::Ban(_) => 0,
        }
    }

    /// Whether nothing newer was decided about the part than this decision.
    pub fn is_latest(&self, part: BrakePart, decision: u64) -> bool {
        self.decisions(part) == decision
    }

    /// Limits hold as they were set last, or none do.
    pub fn put_in_force(&mut self) {
        self.in_force = self.rates.as_ref().map_or(Rates::NONE, |(rates, _)| *rates);
    }

    /// When something ends by itself, by the wall clock.
    pub(crate) fn next_timer(&self) -> Option<UnixMillis> {
        let halt = self.halt.as_ref().and_then(|entry| entry.expires_at);
        let rates = self.rates.as_ref().and_then(|(_, entry)| entry.expires_at);
        let ban = self.expiries.first().map(|(at, _)| *at);
        [halt, rates, ban].into_iter().flatten().min()
    }

    /// What ends by itself at this time of the wall clock.
    pub fn due(&self, wall: UnixMillis) -> Option<BrakePart> {
        let over = |at: Option<UnixMillis>| at.is_some_and(|at| at <= wall);
        if over(self.halt.as_ref().and_then(|entry| entry.expires_at)) {
            return Some(BrakePart::Halt);
        }
        if over(self.rates.as_ref().and_then(|(_, entry)| entry.expires_at)) {
            return Some(BrakePart::Rates);
        }
        self.expiries.first().filter(|(at, _)| *at <= wall).map(|(_, ban)| BrakePart::Ban(*ban))
    }
}

#[cfg(test)]
mod tests {
    use stampede_ledger::{BrakeOrder, RatesSet};

    use super::*;
    use crate::targets::NoTargets;

    const RATES: Rates = Rates { buys_per_s: Some(10), hellos_per_s: None, tick_interval: None };

    fn order(expires_at: Option<u64>) -> BrakeOrder {
        let expires_at = expires_at.map(UnixMillis::new);
        BrakeOrder { actor: "olga".into(), reason: "".into(), expires_at }
    }

    fn halted(expires_at: Option<u64>) -> BrakeRecord {
        BrakeRecord::Halted(Box::new(order(expires_at)))
    }

    fn rates_set(expires_at: Option<u64>) -> BrakeRecord {
        let order = order(expires_at);
        BrakeRecord::RatesSet(Box::new(RatesSet { rates: RATES, order }))
    }

    fn banned(ban: u32, expires_at: Option<u64>) -> BrakeRecord {
        let scope = BanScope::Channel { channel: "tv".parse().unwrap(), stream: None };
        let (ban, order) = (BanId::new(ban), order(expires_at));
        BrakeRecord::Banned(Box::new(BanRecord { ban, scope, releases_holds: false, order }))
    }

    fn after(records: &[BrakeRecord]) -> BrakeBook {
        let mut book = BrakeBook::default();
        for record in records {
            book.apply(UnixMillis::new(1), record, &NoTargets);
        }
        book
    }

    #[test]
    fn each_decision_about_a_part_overtakes_the_one_before() {
        let lifted = |part| BrakeRecord::Lifted { part, expired: false };
        let decisions = |records: &[BrakeRecord]| {
            let book = after(records);
            [BrakePart::Halt, BrakePart::Rates].map(|part| book.decisions(part))
        };
        assert_eq!(decisions(&[halted(None)]), [1, 0]);
        assert_eq!(decisions(&[halted(None), halted(None)]), [2, 0]);
        assert_eq!(decisions(&[halted(None), lifted(BrakePart::Halt), halted(None)]), [3, 0]);
        assert_eq!(decisions(&[rates_set(None), rates_set(None)]), [0, 2]);
        assert_eq!(decisions(&[rates_set(None), lifted(BrakePart::Rates)]), [0, 2]);
        let book = after(&[halted(None), halted(None)]);
        assert!(book.is_latest(BrakePart::Halt, 2) && !book.is_latest(BrakePart::Halt, 1));
    }

    #[test]
    fn what_ends_first_is_due_first() {
        let next = |records: &[BrakeRecord]| after(records).next_timer().map(UnixMillis::get);
        assert_eq!(next(&[halted(None), rates_set(None), banned(1, None)]), None);
        assert_eq!(next(&[halted(Some(30)), rates_set(Some(20)), banned(1, Some(10))]), Some(10));
        assert_eq!(next(&[halted(Some(5)), rates_set(Some(20)), banned(1, Some(10))]), Some(5));
        assert_eq!(next(&[rates_set(Some(7)), banned(1, Some(10)), banned(2, Some(8))]), Some(7));
        let book = after(&[rates_set(Some(7)), banned(1, Some(10)), banned(2, Some(8))]);
        let due = |wall| book.due(UnixMillis::new(wall));
        assert_eq!(
            [due(6), due(7), due(9)],
            [None, Some(BrakePart::Rates), Some(BrakePart::Rates)]
        );
        let bans = after(&[banned(1, Some(10)), banned(2, Some(8))]);
        assert_eq!(bans.due(UnixMillis::new(8)), Some(BrakePart::Ban(BanId::new(2))));
    }

    #[test]
    fn limits_are_in_force_until_they_are_lifted() {
        let mut book = after(&[rates_set(None)]);
        assert_eq!(book.in_force, Rates::NONE);
        book.put_in_force();
        assert_eq!(book.in_force, RATES);
        let lifted = BrakeRecord::Lifted { part: BrakePart::Rates, expired: false };
        book.apply(UnixMillis::new(2), &lifted, &NoTargets);
        book.put_in_force();
        assert_eq!(book.in_force, Rates::NONE);
    }
}
