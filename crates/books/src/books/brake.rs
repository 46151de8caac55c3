//! Commands that work the brake, with the ends that come by themselves.

use std::sync::Arc;

use stampede_domain::{
    AddressRange, BanId, BanTarget, DropId, DurationMs, Rates, UnixMillis, ViewerId, ViewerNumber,
    limits::{BANS_MAX, BRAKE_EXPIRY_MS_MAX, BRAKE_EXPIRY_MS_MIN},
};
use stampede_ledger::{
    AddressLink, BanRecord, BanScope, BrakePart, BrakeRecord, Link, RatesSet, ViewerLink,
};

use super::Books;
use crate::{
    brake::BrakeEntry,
    command::{BrakeAction, CommandRefusal},
    decision::{Act, Decision, Effect},
    targets::Targets,
};

/// Whom a ban that is decided now names.
struct NewBanTarget<'a>(&'a BanTarget);

impl Targets for NewBanTarget<'_> {
    fn viewer(&self, _number: ViewerNumber) -> Option<ViewerId> {
        let BanTarget::Viewer(viewer) = self.0 else { return None };
        Some(viewer.clone())
    }

    fn range(&self, _ban: BanId) -> Option<AddressRange> {
        let BanTarget::Addresses(range) = self.0 else { return None };
        Some(*range)
    }
}

impl Books {
    /// Decides a command that works the brake; returns the ban that it makes or ends. `viewer` links the
    /// number of a viewer who is to be banned; `entry` says who works it, why and when.
    pub(crate) fn work_brake(
        &mut self,
        action: &BrakeAction,
        viewer: Option<Arc<ViewerLink>>,
        entry: BrakeEntry,
        out: &mut Decision,
    ) -> Result<Option<BanId>, CommandRefusal> {
        let now = entry.since;
        match action {
            BrakeAction::Halt { expires_in } => self.halt(&until(entry, *expires_in)?, out),
            BrakeAction::Go => {
                if self.brake.halt.is_none() {
                    return Err(CommandRefusal::NotInForce { what: "takes are not stopped" });
                }
                self.lift(BrakePart::Halt, false, now, out);
            }
            BrakeAction::SetRates { rates, expires_in } => {
                rates.validate()?;
                self.set_rates(*rates, &until(entry, *expires_in)?, out)?;
            }
            BrakeAction::Ban { target, release_holds, expires_in } => {
                target.validate()?;
                let entry = until(entry, *expires_in)?;
                return self.ban((target, viewer), *release_holds, &entry, out).map(Some);
            }
            BrakeAction::Unban { ban } => {
                if self.brake.ban(*ban).is_none() {
                    return Err(CommandRefusal::UnknownBan { ban: *ban });
                }
                self.lift(BrakePart::Ban(*ban), false, now, out);
                return Ok(Some(*ban));
            }
        }
        Ok(None)
    }

    /// Stops takes at once; the record follows.
    fn halt(&mut self, entry: &BrakeEntry, out: &mut Decision) {
        out.at_once.push(Act::Halt(entry.clone()));
        let record = BrakeRecord::Halted(Box::new(entry.order()));
        self.record(entry.since, DropId::HOUSE, record, out);
    }

    /// What admits less acts at once, the rest once it is durable.
    fn set_rates(
        &mut self,
        rates: Rates,
        entry: &BrakeEntry,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        if rates == Rates::NONE {
            if self.brake.rates.is_none() {
                return Err(CommandRefusal::NotInForce { what: "no limits are set" });
            }
            self.lift(BrakePart::Rates, false, entry.since, out);
            return Ok(());
        }
        self.brake.in_force = self.brake.in_force.giving_way_to(rates);
        out.at_once.push(Act::Limit(self.brake.in_force));
        let record = BrakeRecord::RatesSet(Box::new(RatesSet { rates, order: entry.order() }));
        self.record(entry.since, DropId::HOUSE, record, out);
        out.when_durable.push(Effect::SetRates { decision: self.brake.rates_decisions });
        Ok(())
    }

    /// Keeps somebody out at once; the record follows, with what is personal beside it.
    fn ban(
        &mut self,
        (target, viewer): (&BanTarget, Option<Arc<ViewerLink>>),
        releases_holds: bool,
        entry: &BrakeEntry,
        out: &mut Decision,
    ) -> Result<BanId, CommandRefusal> {
        if self.brake.bans.len() >= BANS_MAX {
            return Err(CommandRefusal::BansFull { max: BANS_MAX });
        }
        let id = self.brake.last_ban.next().expect("a ledger holds fewer than 2^32 bans");
        let (scope, link) = match target {
            BanTarget::Viewer(_) => {
                let link = viewer.expect("the shell links the viewer of a ban");
                (BanScope::Viewer(link.number), Some(Link::Viewer(link)))
            }
            BanTarget::Addresses(range) => {
                let link = AddressLink { ban: id, range: *range };
                (BanScope::Addresses, Some(Link::Addresses(link)))
            }
            BanTarget::Channel { channel, stream } => {
                let (channel, stream) = (channel.clone(), stream.clone());
                (BanScope::Channel { channel, stream }, None)
            }
        };
        let banned = BanRecord { ban: id, scope, releases_holds, order: entry.order() };
        let record = BrakeRecord::Banned(Box::new(banned));
        let named = NewBanTarget(target);
        self.record_linked(entry.since, DropId::HOUSE, (record.into(), link), &named, out);
        let ban = self.brake.bans.get(&id).expect("it was just added");
        out.at_once.push(Act::KeepOut(Arc::clone(ban)));
        Ok(id)
    }

    /// Ends something; that shows once the record is durable.
    fn lift(&mut self, part: BrakePart, expired: bool, at: UnixMillis, out: &mut Decision) {
        if let BrakePart::Ban(ban) = part {
            out.at_once.extend(self.brake.bans.get(&ban).cloned().map(Act::LetGo));
        }
        self.record(at, DropId::HOUSE, BrakeRecord::Lifted { part, expired }, out);
        let decision = self.brake.decisions(part);
        out.when_durable.push(Effect::Lift { part, decision });
    }

    /// Ends what was set for a time that is over by the wall clock; does nothing where nothing is.
    pub fn brake_timer(&mut self, wall: UnixMillis, out: &mut Decision) {
        if let Some(part) = self.brake.due(wall) {
            self.lift(part, true, wall, out);
        }
    }
}

/// The entry with its end.
fn until(entry: BrakeEntry, expires_in: Option<DurationMs>) -> Result<BrakeEntry, CommandRefusal> {
    let (min, max) = (BRAKE_EXPIRY_MS_MIN, BRAKE_EXPIRY_MS_MAX);
    match expires_in.map(DurationMs::get) {
        Some(value) if !(min..=max).contains(&value) => {
            Err(CommandRefusal::Expiry { value, min, max })
        }
        _ => Ok(BrakeEntry { expires_at: expires_in.map(|span| entry.since.plus(span)), ..entry }),
    }
}
