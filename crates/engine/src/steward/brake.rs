//! The brake: stop, go, limits, bans; each recorded, each with an end that may come by itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    sync::Arc,
};

use stampede_domain::{
    BanId, BanTarget, ChannelId, DropId, DurationMs, Rates, StreamId, UnixMillis, ViewerNumber,
    limits::{BANS_MAX, BRAKE_EXPIRY_MS_MAX, BRAKE_EXPIRY_MS_MIN},
};
use stampede_ledger::{
    AddressLink, BanScope, Banned, BrakeOrder, BrakePart, BrakeRecord, Link, RatesSet, Record,
};
use tracing::info;

use super::{Steward, effects::Effect};
use crate::{
    brake::{Ban, BrakeEntry},
    buy::HoldLook,
    clock::Moment,
    command::{Action, CommandOutcome, CommandRefusal, Done, StaffCommand},
    event::CoreEvent,
    metrics,
};

/// Viewers whose holds are released before other work gets its turn.
const RELEASES_PER_TURN_MAX: usize = 1_024;

/// What is decided about the brake; it runs ahead of what cores see by what only acts once durable.
#[derive(Default)]
pub(crate) struct BrakeBook {
    pub(crate) halt: Option<BrakeEntry>,
    pub(crate) rates: Option<(Rates, BrakeEntry)>,
    pub(crate) bans: BTreeMap<BanId, Arc<Ban>>,
    /// Bans that end by themselves.
    expiries: BTreeSet<(UnixMillis, BanId)>,
    pub(crate) last_ban: BanId,
    /// The limits that hold now; those decided last may wait for their record.
    pub(crate) in_force: Rates,
    /// Decisions about the halt so far, so that one which was overtaken does nothing.
    halt_epoch: u64,
    /// The same about the rates.
    rates_epoch: u64,
    /// Viewers whose live holds are to be released, by the ban that says so.
    pub(crate) releasing: VecDeque<(ViewerNumber, BanId)>,
}

impl BrakeBook {
    pub(crate) fn add_ban(&mut self, ban: Arc<Ban>) {
        self.expiries.extend(ban.entry.expires_at.map(|at| (at, ban.id)));
        self.bans.insert(ban.id, ban);
    }

    pub(crate) fn remove_ban(&mut self, id: BanId) -> Option<Arc<Ban>> {
        let ban = self.bans.remove(&id)?;
        if let Some(at) = ban.entry.expires_at {
            self.expiries.remove(&(at, id));
        }
        Some(ban)
    }

    /// Decisions so far about a part that may be set again; the same ban is never set twice.
    fn epoch(&self, part: BrakePart) -> u64 {
        match part {
            BrakePart::Halt => self.halt_epoch,
            BrakePart::Rates => self.rates_epoch,
            BrakePart::Ban(_) => 0,
        }
    }

    /// When something ends by itself, by the wall clock.
    pub(super) fn next_timer(&self) -> Option<UnixMillis> {
        let halt = self.halt.as_ref().and_then(|entry| entry.expires_at);
        let rates = self.rates.as_ref().and_then(|(_, entry)| entry.expires_at);
        let ban = self.expiries.first().map(|(at, _)| *at);
        [halt, rates, ban].into_iter().flatten().min()
    }

    /// What ends by itself at this time.
    fn due(&self, now: UnixMillis) -> Option<BrakePart> {
        let over = |at: Option<UnixMillis>| at.is_some_and(|at| at <= now);
        if over(self.halt.as_ref().and_then(|entry| entry.expires_at)) {
            return Some(BrakePart::Halt);
        }
        if over(self.rates.as_ref().and_then(|(_, entry)| entry.expires_at)) {
            return Some(BrakePart::Rates);
        }
        self.expiries.first().filter(|(at, _)| *at <= now).map(|(_, ban)| BrakePart::Ban(*ban))
    }
}

impl Steward {
    /// Decides a command that works the brake.
    pub(super) fn work_brake(&mut self, command: &StaffCommand, now: UnixMillis) -> CommandOutcome {
        let action = command.action.name();
        if !command.role.may(&command.action) {
            return Err(CommandRefusal::forbidden(command.role, &command.action));
        }
        if let Some(bound) = command.merchant.clone() {
            return Err(CommandRefusal::BoundToken { action, bound });
        }
        if !command.streams.is_all() {
            let bound = command.streams.streams().len();
            return Err(CommandRefusal::BoundToStreams { action, bound });
        }
        let entry = |expires_in: Option<DurationMs>| {
            check_expiry(expires_in)?;
            Ok::<_, CommandRefusal>(BrakeEntry {
                actor: command.actor.clone(),
                reason: command.reason.clone().unwrap_or_default(),
                since: now,
                expires_at: expires_in.map(|span| now.plus(span)),
            })
        };
        let mut ban = None;
        match &command.action {
            Action::Stop { expires_in } => self.halt(entry(*expires_in)?),
            Action::Go => {
                if self.brake.halt.is_none() {
                    return Err(CommandRefusal::NotInForce { what: "takes are not stopped" });
                }
                self.lift(BrakePart::Halt, false);
            }
            Action::SetRates { rates, expires_in } => {
                rates.validate()?;
                self.set_rates(*rates, entry(*expires_in)?)?;
            }
            Action::Ban { target, release_holds, expires_in } => {
                target.validate()?;
                ban = Some(self.ban(target, *release_holds, entry(*expires_in)?)?);
            }
            Action::Unban { ban: id } => {
                if !self.brake.bans.contains_key(id) {
                    return Err(CommandRefusal::UnknownBan { ban: *id });
                }
                self.lift(BrakePart::Ban(*id), false);
                ban = Some(*id);
            }
            _ => unreachable!("only commands that work the brake come here"),
        }
        Ok(Done { drop: DropId::HOUSE, lot: None, ban, replayed: false })
    }

    /// Stops takes at once; the record follows.
    fn halt(&mut self, entry: BrakeEntry) {
        self.brake.halt_epoch += 1;
        self.brake.halt = Some(entry.clone());
        let order = order(&entry);
        self.shared.brake.set_halt(Some(entry));
        metrics::show_halt(true);
        self.push(DropId::HOUSE, Record::Brake(BrakeRecord::Halted(Box::new(order))));
    }

    /// What admits less acts at once, the rest once it is durable.
    fn set_rates(&mut self, rates: Rates, entry: BrakeEntry) -> Result<(), CommandRefusal> {
        if rates == Rates::NONE {
            if self.brake.rates.is_none() {
                return Err(CommandRefusal::NotInForce { what: "no limits are set" });
            }
            self.lift(BrakePart::Rates, false);
            return Ok(());
        }
        self.brake.rates_epoch += 1;
        let epoch = self.brake.rates_epoch;
        self.brake.rates = Some((rates, entry.clone()));
        self.brake.in_force = self.brake.in_force.giving_way_to(rates);
        self.shared.brake.apply(self.brake.in_force);
        let set = RatesSet { rates, order: order(&entry) };
        self.push(DropId::HOUSE, Record::Brake(BrakeRecord::RatesSet(Box::new(set))));
        self.after_records(Effect::SetRates { rates, entry: Box::new(entry), epoch });
        Ok(())
    }

    /// Keeps somebody out at once; the record follows, with what is personal beside it.
    fn ban(
        &mut self,
        target: &BanTarget,
        releases_holds: bool,
        entry: BrakeEntry,
    ) -> Result<BanId, CommandRefusal> {
        if self.brake.bans.len() >= BANS_MAX {
            return Err(CommandRefusal::BansFull { max: BANS_MAX });
        }
        let id = self.brake.last_ban.next().expect("a ledger holds fewer than 2^32 bans");
        let (scope, link) = match target {
            BanTarget::Viewer(viewer) => {
                let viewer = self.shared.directory.keep(viewer, &mut rand::random::<u64>);
                if releases_holds {
                    self.brake.releasing.push_back((viewer.number(), id));
                }
                (BanScope::Viewer(viewer.number()), Some(Link::Viewer(viewer.link())))
            }
            BanTarget::Addresses(range) => {
                let link = AddressLink { ban: id, range: *range };
                (BanScope::Addresses, Some(Link::Addresses(link)))
            }
            BanTarget::Channel { channel, stream } => {
                if releases_holds {
                    self.release_channel(id, channel, stream.as_ref());
                }
                let (channel, stream) = (channel.clone(), stream.clone());
                (BanScope::Channel { channel, stream }, None)
            }
        };
        let record = Banned { ban: id, scope, releases_holds, order: order(&entry) };
        let ban = Arc::new(Ban { id, target: target.clone(), releases_holds, entry });
        self.brake.last_ban = id;
        self.brake.add_ban(Arc::clone(&ban));
        self.shared.brake.add_ban(Arc::clone(&ban));
        metrics::show_bans(self.brake.bans.len());
        for inbox in &self.shared.inboxes {
            inbox.send(CoreEvent::Banned(Arc::clone(&ban)));
        }
        self.push_linked(DropId::HOUSE, Record::Brake(BrakeRecord::Banned(Box::new(record))), link);
        Ok(id)
    }

    /// Ends something; that shows once the record is durable.
    fn lift(&mut self, part: BrakePart, expired: bool) {
        match part {
            BrakePart::Halt => {
                self.brake.halt_epoch += 1;
                self.brake.halt = None;
            }
            BrakePart::Rates => {
                self.brake.rates_epoch += 1;
                self.brake.rates = None;
            }
            BrakePart::Ban(id) => {
                let ban = self.brake.remove_ban(id);
                if let Some(BanTarget::Viewer(viewer)) = ban.as_ref().map(|ban| &ban.target)
                    && let Some(viewer) = self.shared.directory.by_id(viewer)
                {
                    self.shared.directory.let_go(viewer.number());
                }
            }
        }
        self.push(DropId::HOUSE, Record::Brake(BrakeRecord::Lifted { part, expired }));
        let epoch = self.brake.epoch(part);
        self.after_records(Effect::Lift { part, epoch });
    }

    /// What was lifted is no longer in the way, unless a later decision has set it again: that one's
    /// own end may still be on its way to the ledger.
    pub(super) fn lifted(&mut self, part: BrakePart, epoch: u64) {
        if epoch != self.brake.epoch(part) {
            return;
        }
        match part {
            BrakePart::Halt => {
                self.shared.brake.set_halt(None);
                metrics::show_halt(false);
            }
            BrakePart::Rates => {
                self.brake.in_force = Rates::NONE;
                self.shared.brake.set_rates(Rates::NONE, None);
            }
            BrakePart::Ban(id) => {
                self.shared.brake.remove_ban(id);
                metrics::show_bans(self.shared.brake.ban_count());
            }
        }
    }

    /// Limits are durable: they hold as they were set, unless a later decision has changed them.
    pub(super) fn rates_are_set(&mut self, rates: Rates, entry: BrakeEntry, epoch: u64) {
        if epoch == self.brake.epoch(BrakePart::Rates) {
            self.brake.in_force = rates;
            self.shared.brake.set_rates(rates, Some(entry));
        }
    }

    /// Ends what was set for a time that is over by the wall clock.
    pub(super) fn brake_timers(&mut self, now: Moment) {
        let mut has_beaten = false;
        while self.has_room()
            && let Some(part) = self.brake.due(now.wall)
        {
            // The row's time is the sale's clock; what the wall clock showed stands beside it.
            if !std::mem::replace(&mut has_beaten, true) {
                self.beat(now);
            }
            info!(%part, "the brake lets go: its time is over");
            self.lift(part, true);
        }
    }

    /// After a restart: the crash may have come between a channel's ban and the last release.
    pub(super) fn release_banned_channels(&mut self) {
        let bans: Vec<Arc<Ban>> = self.brake.bans.values().map(Arc::clone).collect();
        for ban in bans.iter().filter(|ban| ban.releases_holds) {
            if let BanTarget::Channel { channel, stream } = &ban.target {
                self.release_channel(ban.id, channel, stream.as_ref());
            }
        }
    }

    /// Notes whose live holds came by a channel. What is on its way to the ledger is the cores' to
    /// name.
    fn release_channel(&mut self, ban: BanId, channel: &ChannelId, stream: Option<&StreamId>) {
        self.collect_takes();
        let mut viewers = HashSet::new();
        for hold in self.deadlines.holds() {
            let Some(book) = self.books.get(&hold.drop_id()) else { continue };
            if stream.is_none_or(|stream| book.plan().stream == *stream)
                && book.sale.is_by_channel(hold, channel)
                && let HoldLook::Known(held) = self.look_up(hold)
                && viewers.insert(held.viewer)
            {
                self.brake.releasing.push_back((held.viewer, ban));
            }
        }
    }

    /// Releases the live holds of those who were banned with them; `true` if only the turn's limit
    /// has ended it.
    pub(super) fn release_banned(&mut self) -> bool {
        self.brake.releasing.extend(self.shared.banned_viewers.lock().drain(..));
        let waiting = self.brake.releasing.len();
        for _ in 0..waiting.min(RELEASES_PER_TURN_MAX) {
            if !self.has_room() {
                return false;
            }
            let Some((viewer, id)) = self.brake.releasing.pop_front() else { return false };
            // Nobody is released on the word of a ban that is over.
            let Some(ban) = self.brake.bans.get(&id).map(Arc::clone) else { continue };
            if !self.release_all(viewer, &ban.target) {
                // A take is on its way to the ledger: look again when it has got there.
                self.brake.releasing.push_back((viewer, id));
            }
        }
        waiting > RELEASES_PER_TURN_MAX
    }

    /// Releases a viewer's live holds, of a banned channel those that it brought; `false` if some
    /// could not be ended yet.
    fn release_all(&mut self, viewer: ViewerNumber, target: &BanTarget) -> bool {
        let (channel, stream) = match target {
            BanTarget::Channel { channel, stream } => (Some(channel), stream.as_ref()),
            BanTarget::Viewer(_) | BanTarget::Addresses(_) => (None, None),
        };
        let mut done = true;
        let within = |book: &super::Book| stream.is_none_or(|stream| book.plan().stream == *stream);
        let drops: Vec<DropId> =
            self.books.iter().filter(|(_, book)| within(book)).map(|(drop, _)| *drop).collect();
        for drop in drops {
            // Each drop may give as many records as one viewer may have holds in it.
            if !self.has_room() {
                return false;
            }
            let sale = Arc::clone(&self.books[&drop].sale);
            let came = |hold| channel.is_none_or(|channel| sale.is_by_channel(hold, channel));
            for hold in sale.stock().holds_of(viewer) {
                match self.look_up(hold) {
                    HoldLook::Known(held) if !held.confirmed && came(hold) => self.give_back(&held),
                    HoldLook::Pending => done = false,
                    _ => {}
                }
            }
        }
        done
    }
}

const _: () = assert!(
    stampede_domain::limits::HOLDS_PER_VIEWER_MAX as usize <= crate::config::STEWARD_ROOM_MIN,
    "the room that the steward asks for takes the ends of a viewer's holds in one drop"
);

fn check_expiry(expires_in: Option<DurationMs>) -> Result<(), CommandRefusal> {
    let (min, max) = (BRAKE_EXPIRY_MS_MIN, BRAKE_EXPIRY_MS_MAX);
    match expires_in.map(DurationMs::get) {
        Some(value) if !(min..=max).contains(&value) => {
            Err(CommandRefusal::Expiry { value, min, max })
        }
        _ => Ok(()),
    }
}

fn order(entry: &BrakeEntry) -> BrakeOrder {
    BrakeOrder {
        actor: entry.actor.as_str().into(),
        reason: entry.reason.as_str().into(),
        expires_at: entry.expires_at,
    }
}
