//! All books of a node: they decide together, and follow the journal together.

mod adjustments;
mod amendments;
mod attempts;
mod authorize;
mod brake;
mod command_context;
mod commands;
mod counts;
mod drop_commands;
mod due;
mod extensions;
#[cfg(test)]
mod given;
mod holds;
mod journaled;
mod lots;
mod needs;
mod orders;
mod payment_parts;
mod payments;
mod phases;
mod recovery;
mod rehearsals;
mod reports;
mod requests;
mod rooms;
mod streams;
mod timers;
mod undo;
mod unmatched;
mod video;
mod wind_downs;
mod withdrawals;

use std::collections::BTreeMap;

use stampede_domain::{BanId, DropId, Moment, Phase, RequestId, StreamId, Units, UnixMillis};
use stampede_ledger::{
    BrakePart, BrakeRecord, Command, CorrectionRecord, Link, PhaseRecord, PlannedCopy, Record,
    RecordedOutcome, RequestRecord, RoomChange, UnmatchedRecord,
};

use crate::{
    brake::BrakeBook,
    command::{AskedFor, Done, DropAction},
    contradiction::Contradiction,
    decision::{Decision, NewRecord},
    drop::DropBook,
    keys::{CommandKeys, KeyKept},
    limits::Limits,
    memory::MemoryNeeds,
    stream::{OnAir, Rooms},
    targets::{NoTargets, Targets},
    timers::Timers,
};

use adjustments::Adjustments;
use unmatched::UnmatchedPayments;

pub use adjustments::ReopenedDrop;
pub use command_context::{CommandContext, FreeUnits, OverDrop, Withdrawal};
pub use unmatched::{UnmatchedAsk, UnmatchedEntry, UnmatchedPage};

/// What is decided of all drops, streams, the brake, staff's keys.
#[derive(Debug)]
pub struct Books {
    limits: Limits,
    /// Drops in memory, those that are over among them.
    drops: BTreeMap<DropId, DropBook>,
    on_air: OnAir,
    rooms: Rooms,
    brake: BrakeBook,
    keys: CommandKeys,
    memory: MemoryNeeds,
    timers: Timers,
    next_drop: DropId,
    did: LatestResults,
    unmatched: UnmatchedPayments,
    adjustments: Adjustments,
}

/// What the latest records of a chain did, for the command whose record stands right behind them.
#[derive(Clone, Copy, Debug, Default)]
struct LatestResults {
    lot: Option<(DropId, u32)>,
    withdrawn: Option<(DropId, Units)>,
    copy: Option<(DropId, PlannedCopy)>,
    asked: Option<AskedFor>,
    ban: Option<BanId>,
}

impl LatestResults {
    fn follow(&mut self, drop: DropId, record: &Record) {
        match record {
            Record::Lot { lot, .. } => self.lot = Some((drop, *lot)),
            Record::Request(RequestRecord::Asked(asked)) => {
                let request = RequestId { drop, number: asked.number };
                self.asked = Some(AskedFor { request, reserve: asked.reserve });
            }
            Record::Phase(PhaseRecord::UndoBegun { copy }) => self.copy = Some((drop, *copy)),
            // The first lots are the opening's.
            Record::Planned { .. } | Record::Phase(_) => self.lot = None,
            Record::Correction(CorrectionRecord::Withdrawn { units, .. }) => {
                self.withdrawn = Some((drop, *units));
            }
            Record::Brake(BrakeRecord::Banned(banned)) => self.ban = Some(banned.ban),
            Record::Brake(BrakeRecord::Lifted { part: BrakePart::Ban(ban), expired: false }) => {
                self.ban = Some(*ban);
            }
            Record::Brake(_) => self.ban = None,
            Record::Command(_) => *self = Self::default(),
            Record::Hold(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Request(RequestRecord::Ended(_))
            | Record::Correction(
                CorrectionRecord::Reserved { .. }
                | CorrectionRecord::Amended(_)
                | CorrectionRecord::WindsDown { .. },
            )
            | Record::Payment(_)
            | Record::Deadline(_)
            | Record::Unmatched(_)
            | Record::Suspended { .. }
            | Record::Recovered(_)
            | Record::Tally(_)
            | Record::Heartbeat(_)
            | Record::Room(_) => {}
        }
    }

    fn lot_of(&self, drop: DropId) -> Option<u32> {
        self.lot.filter(|(of, _)| *of == drop).map(|(_, lot)| lot)
    }

    fn units_of(&self, drop: DropId) -> Option<Units> {
        self.withdrawn.filter(|(of, _)| *of == drop).map(|(_, units)| units)
    }

    fn copy_of(&self, drop: DropId) -> Option<PlannedCopy> {
        self.copy.filter(|(of, _)| *of == drop).map(|(_, copy)| copy)
    }

    fn asked_of(&self, drop: DropId) -> Option<AskedFor> {
        self.asked.filter(|asked| asked.request.drop == drop)
    }
}

impl Books {
    /// Books of an empty ledger.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            drops: BTreeMap::new(),
            on_air: OnAir::default(),
            rooms: Rooms::default(),
            brake: BrakeBook::default(),
            keys: CommandKeys::default(),
            memory: MemoryNeeds::default(),
            timers: Timers::default(),
            next_drop: DropId::HOUSE.next().expect("the house is no drop"),
            did: LatestResults::default(),
            unmatched: UnmatchedPayments::default(),
            adjustments: Adjustments::default(),
        }
    }

    /// Follows one record, decided now or read from the journal; returns the drop that goes on air by it.
    /// `at` is the time of the decision, or of the commit.
    ///
    /// # Errors
    /// [`Contradiction`] if the record cannot follow those before it.
    pub fn apply(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        record: &Record,
        targets: &dyn Targets,
    ) -> Result<Option<DropId>, Contradiction> {
        let did = self.did;
        self.did.follow(drop, record);
        match record {
            Record::Planned { plan, revision } => {
                let book = DropBook::planned(plan, *revision, self.drops.get(&drop));
                self.on_air.forget(drop, plan);
                self.rooms.note_drop(&plan.stream, drop);
                self.note_number(drop);
                let needed = self.needed(drop);
                self.drops.insert(drop, book);
                self.need_changed(drop, needed);
            }
            Record::Command(command) => {
                if drop.is_adjustments() {
                    self.apply_adjustment(drop.sale(), record);
                }
                self.bind(drop, command, did);
            }
            Record::Room(room) => self.rooms.apply(room),
            Record::Brake(record) => self.brake.apply(at, record, targets),
            Record::Unmatched(UnmatchedRecord::Found(found)) => self.unmatched.note(at, found),
            Record::Unmatched(UnmatchedRecord::Done(done)) => self.unmatched.done(&done.payment),
            // What the clocks showed is the start's.
            Record::Heartbeat(_) => {}
            record if drop.is_adjustments() => self.apply_adjustment(drop.sale(), record),
            record => return self.apply_to_drop(at, drop, record),
        }
        Ok(None)
    }

    fn apply_to_drop(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        record: &Record,
    ) -> Result<Option<DropId>, Contradiction> {
        let book = self.drops.get_mut(&drop).ok_or(Contradiction::NoPlan)?;
        let before = book.phase();
        let needed = changes_needs(record).then(|| book.needed(&self.limits));
        book.apply(at, record)?;
        if let Some(needed) = needed {
            self.need_changed(drop, needed);
        }
        if matches!(record, Record::Hold(_) | Record::Payment(_) | Record::Deadline(_)) {
            return Ok(None);
        }
        let book = &self.drops[&drop];
        let (plan, after) = (book.plan(), book.phase());
        if matches!(record, Record::Featured) {
            return Ok(self.on_air.choose(drop, plan));
        }
        let phase_of = |id| self.drops.get(&id).map(DropBook::phase);
        if matches!(record, Record::Correction(CorrectionRecord::WindsDown { .. })) {
            return Ok(self.on_air.give_up(drop, plan, phase_of));
        }
        if (before, after) == (Phase::Paused, Phase::Open) && book.winds_down() {
            return Ok(None);
        }
        Ok(self.on_air.follow(drop, plan, (before, after), phase_of))
    }

    /// An accepted command binds its key. A refusal binds nothing, whichever version recorded it.
    fn bind(&mut self, drop: DropId, command: &Command, did: LatestResults) {
        if command.outcome != RecordedOutcome::Accepted {
            return;
        }
        let (lot, units, copy) = (did.lot_of(drop), did.units_of(drop), did.copy_of(drop));
        let asked = did.asked_of(drop);
        let ban = did.ban.filter(|_| drop == DropId::HOUSE);
        self.note_command(drop, command.action.as_str());
        let personal = ban.and_then(|ban| self.brake.personal(ban));
        let kept = match drop {
            DropId::HOUSE => KeyKept::OfHouse,
            drop if drop.is_adjustments() => KeyKept::OfAdjustments,
            _ => KeyKept::WithDrop { counts: command.action.as_str() != DropAction::CANCEL_ORDER },
        };
        let done = Done { drop: drop.sale(), lot, units, ban, copy, asked, replayed: false };
        let request = (command.request, personal);
        self.keys.bind(command.actor.as_str(), command.key, request, (done, kept));
    }

    /// Decides that this record follows: applies it, adds it to the decision. Returns the drop that goes on
    /// air by it.
    pub(crate) fn record(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        record: impl Into<Record>,
        out: &mut Decision,
    ) -> Option<DropId> {
        self.record_linked(at, drop, (record.into(), None), &NoTargets, out)
    }

    /// The same with what is personal about the record.
    pub(crate) fn record_linked(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        (record, link): (Record, Option<Link>),
        targets: &dyn Targets,
        out: &mut Decision,
    ) -> Option<DropId> {
        let next = self.apply(at, drop, &record, targets);
        self.touch(drop, &record);
        out.records.push(NewRecord { drop, record, link });
        next.expect("a decision follows from the books as they are")
    }

    /// A drop in memory.
    pub fn drop(&self, drop: DropId) -> Option<&DropBook> {
        self.drops.get(&drop)
    }

    /// A drop in memory, to change; what is due of it is worked out anew.
    ///
    /// # Panics
    /// If it is not there.
    pub fn drop_mut(&mut self, drop: DropId) -> &mut DropBook {
        self.timers.touch(drop);
        self.drops.get_mut(&drop).expect("the caller has just found the drop")
    }

    /// All drops in memory, oldest first.
    pub fn drops(&self) -> impl Iterator<Item = (DropId, &DropBook)> + '_ {
        self.drops.iter().map(|(drop, book)| (*drop, book))
    }

    /// Those that are not over.
    pub fn live(&self) -> impl Iterator<Item = (DropId, &DropBook)> + '_ {
        self.drops().filter(|(_, book)| !book.phase().is_final())
    }

    /// Which drop is on air in each stream.
    pub fn on_air(&self) -> &OnAir {
        &self.on_air
    }

    /// Who may sell in which stream.
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// What is held back.
    pub fn brake(&self) -> &BrakeBook {
        &self.brake
    }

    /// The same, to tell what has become durable.
    pub fn brake_mut(&mut self) -> &mut BrakeBook {
        &mut self.brake
    }

    /// Bytes that live drops may come to need.
    pub fn memory(&self) -> &MemoryNeeds {
        &self.memory
    }

    /// A drop has left memory, with its keys.
    pub fn forget(&mut self, drop: DropId) {
        let Some(book) = self.drops.remove(&drop) else { return };
        self.on_air.forget(drop, book.plan());
        self.keys.forget(drop);
        self.timers.touch(drop);
    }

    /// A drop with this number was planned, in memory or not.
    pub fn note_number(&mut self, drop: DropId) {
        let next = drop.next().expect("a ledger holds fewer than 2^32 drops");
        self.next_drop = self.next_drop.max(next);
    }

    /// A drop that is not in memory was planned in the stream.
    pub fn note_drop(&mut self, stream: &StreamId, drop: DropId) {
        self.rooms.note_drop(stream, drop);
    }

    /// What is due of the drops that the record is about is worked out anew. A start needs none of it: it
    /// decides the recovery of every drop that is not over.
    fn touch(&mut self, drop: DropId, record: &Record) {
        let Record::Room(room) = record else { return self.timers.touch(drop) };
        // Planned starts go by how much later a stream's viewers see it.
        if matches!(room.change, RoomChange::VideoDelay(_)) {
            let of_stream = |book: &DropBook| book.plan().stream == room.stream;
            for (drop, _) in self.drops.iter().filter(|(_, book)| of_stream(book)) {
                self.timers.touch(*drop);
            }
        }
    }

    /// When a drop has to be looked at next, by the sale's clock, as far as times were set by
    /// [`Books::set_timers`].
    pub fn next_drop_timer(&self) -> Option<UnixMillis> {
        self.timers.next()
    }

    /// When something about the brake ends by itself, by the sale's clock.
    pub fn next_brake_timer(&self, now: Moment) -> Option<UnixMillis> {
        self.brake.next_timer().map(|at| now.on_sale(at))
    }
}

/// Whether a drop may come to need more or less memory by this record.
fn changes_needs(record: &Record) -> bool {
    match record {
        Record::Lot { .. } => true,
        Record::Phase(record) => record.begins().is_final(),
        Record::Planned { .. }
        | Record::Hold(_)
        | Record::Stream(_)
        | Record::Featured
        | Record::Correction(_)
        | Record::Request(_)
        | Record::Payment(_)
        | Record::Deadline(_)
        | Record::Unmatched(_)
        | Record::Suspended { .. }
        | Record::Recovered(_)
        | Record::Tally(_)
        | Record::Command(_)
        | Record::Heartbeat(_)
        | Record::Room(_)
        | Record::Brake(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{KeyFingerprint, PoolIndex, Units};
    use stampede_ledger::{BanRecord, BanScope, BrakeOrder, PhaseRecord};

    use super::*;

    const DROP: DropId = DropId::new(1);

    fn after(records: &[(DropId, Record)]) -> LatestResults {
        let mut did = LatestResults::default();
        for (drop, record) in records {
            did.follow(*drop, record);
        }
        did
    }

    fn lot(drop: DropId, lot: u32) -> (DropId, Record) {
        let pool = PoolIndex::new(0).unwrap();
        (drop, Record::Lot { pool, units: Units::ONE, lot })
    }

    fn banned(ban: u32) -> (DropId, Record) {
        let order = BrakeOrder { actor: "olga".into(), reason: "".into(), expires_at: None };
        let (ban, scope) = (BanId::new(ban), BanScope::Addresses);
        let banned = BanRecord { ban, scope, releases_holds: false, order };
        (DropId::HOUSE, BrakeRecord::Banned(Box::new(banned)).into())
    }

    fn lifted(part: BrakePart, expired: bool) -> (DropId, Record) {
        (DropId::HOUSE, BrakeRecord::Lifted { part, expired }.into())
    }

    fn command(drop: DropId) -> (DropId, Record) {
        let print = KeyFingerprint::of(b"");
        let (key, request, outcome) = (print, print, RecordedOutcome::Accepted);
        let [actor, role, action, reason] = ["olga", "admin", "ban", ""].map(Into::into);
        (
            drop,
            Record::Command(Box::new(Command {
                actor,
                role,
                action,
                key,
                request,
                reason,
                outcome,
            })),
        )
    }

    #[test]
    fn a_command_did_what_the_records_right_before_its_own_say() {
        assert_eq!(after(&[lot(DROP, 2)]).lot_of(DROP), Some(2));
        assert_eq!(after(&[banned(3)]).ban, Some(BanId::new(3)));
        let unbanned = lifted(BrakePart::Ban(BanId::new(3)), false);
        assert_eq!(after(&[unbanned]).ban, Some(BanId::new(3)));
    }

    #[test]
    fn a_command_did_nothing_of_what_others_did_before_it() {
        let of_another = after(&[lot(DropId::new(2), 2)]);
        assert_eq!(of_another.lot_of(DROP), None, "another drop's lot");
        let opening = (DROP, PhaseRecord::Paused.into());
        assert_eq!(after(&[lot(DROP, 1), opening]).lot_of(DROP), None, "the opening's lot");
        let answered = after(&[lot(DROP, 2), banned(3), command(DROP)]);
        assert_eq!((answered.lot_of(DROP), answered.ban), (None, None), "the last command's");
        let expired = lifted(BrakePart::Ban(BanId::new(3)), true);
        assert_eq!(after(&[banned(3), expired]).ban, None, "what ended by itself");
        assert_eq!(after(&[banned(3), lifted(BrakePart::Halt, false)]).ban, None, "no ban");
    }

    #[test]
    fn a_drop_that_has_left_memory_keeps_its_stream_from_being_idle() {
        let mut books = given::empty();
        for (stream, drop) in [("old", 1), ("newer", 2)] {
            given::change_room(&mut books, stream, RoomChange::Owner(given::merchant("acme")));
            books.note_drop(&stream.parse().unwrap(), DropId::new(drop));
        }
        let gala = "gala".parse().unwrap();
        let changes = books.make_room(&gala, &given::merchant("acme"), None).unwrap();
        let ended = changes.iter().find(|change| change.change == RoomChange::Ended).unwrap();
        assert_eq!(ended.stream.as_str(), "old");
    }

    #[test]
    fn limits_hold_as_they_were_set_last_once_that_is_durable() {
        use stampede_domain::{DurationMs, Rates};
        use stampede_ledger::RatesSet;

        let mut books = given::empty();
        let at = UnixMillis::new(5_000);
        let rates = Rates { buys_per_s: Some(10), ..Rates::NONE };
        let order = BrakeOrder { actor: "olga".into(), reason: "".into(), expires_at: Some(at) };
        let set = BrakeRecord::RatesSet(Box::new(RatesSet { rates, order }));
        given::follow(&mut books, DropId::HOUSE, set);
        assert_eq!(books.brake().in_force, Rates::NONE);
        books.brake_mut().put_in_force();
        assert_eq!(books.brake().in_force, rates);
        let ahead = Moment { sale: UnixMillis::new(3_000), wall: UnixMillis::new(1_000) };
        let ends = Some(at.plus(DurationMs::from_secs(2)));
        assert_eq!(books.next_brake_timer(ahead), ends, "by the sale's clock");
    }
}
