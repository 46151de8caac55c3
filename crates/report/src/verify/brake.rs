//! The brake as the house's chain tells it: what was in force when, who was banned.

use std::collections::BTreeMap;

use stampede_domain::{BanId, HoldId, Incarnation, UnixMillis};
use stampede_ledger::{BrakeOrder, BrakePart, BrakeRecord, Record};

use super::finding::{Findings, Place};

/// What contradicts itself about the brake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each sentence says what its fields are")]
pub enum BrakeFault {
    /// Bans are counted from 1.
    #[error("ban {found} follows where {expected} must")]
    BanNumber { expected: BanId, found: BanId },
    /// Only what is in force can end.
    #[error("{part} ends without being in force")]
    NotInForce { part: String },
    /// Only what has a time of its own ends by itself.
    #[error(
        "{part} is said to end by itself at {at} by the wall clock, its time is {expires_at:?}"
    )]
    EndedEarly { part: String, expires_at: Option<UnixMillis>, at: UnixMillis },
    /// A halt lets no take through.
    #[error("hold {hold} was taken at {taken_at}, while takes were stopped since {halted_at}")]
    TakenWhileHalted { hold: HoldId, taken_at: UnixMillis, halted_at: UnixMillis },
}

impl BrakeFault {
    /// A stable name for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::BanNumber { .. } => "ban_number",
            Self::NotInForce { .. } => "not_in_force",
            Self::EndedEarly { .. } => "brake_ended_early",
            Self::TakenWhileHalted { .. } => "taken_while_halted",
        }
    }
}

/// Something that is in force, with the time at which it ends by itself.
#[derive(Clone, Copy, Debug, Default)]
struct InForce {
    expires_at: Option<UnixMillis>,
}

impl InForce {
    const fn until(order: &BrakeOrder) -> Self {
        Self { expires_at: order.expires_at }
    }
}

/// What is in force at one point of the journal, with every halt before.
#[derive(Debug, Default)]
pub(super) struct BrakeBook {
    /// Halts from the commit that set them to the one that ended them.
    halts: Vec<(UnixMillis, Option<UnixMillis>)>,
    halt: InForce,
    rates: Option<InForce>,
    bans: BTreeMap<BanId, InForce>,
    last_ban: BanId,
    /// What the latest heartbeat says that the wall clock showed, and the time of its row.
    wall: Option<(UnixMillis, UnixMillis)>,
    /// The start that the heartbeat is of.
    start: Option<Incarnation>,
}

impl BrakeBook {
    /// Follows the records of one row of the house's chain.
    pub(super) fn row(
        &mut self,
        records: &[(u32, Record)],
        row: Place,
        at: UnixMillis,
        findings: &mut Findings,
    ) {
        if row.incarnation != self.start {
            self.start = row.incarnation;
            self.wall = None;
        }
        for (number, record) in records {
            self.record(record, row.record(*number), at, findings);
        }
    }

    fn record(&mut self, record: &Record, place: Place, at: UnixMillis, findings: &mut Findings) {
        match record {
            Record::Brake(BrakeRecord::Halted(order)) => {
                self.halt = InForce::until(order);
                if !self.is_halted() {
                    self.halts.push((at, None));
                }
            }
            Record::Brake(BrakeRecord::RatesSet(set)) => {
                self.rates = Some(InForce::until(&set.order));
            }
            Record::Brake(BrakeRecord::Banned(banned)) => {
                let (expected, found) = (self.last_ban.next().unwrap_or_default(), banned.ban);
                if found != expected {
                    findings.add(place, BrakeFault::BanNumber { expected, found });
                }
                self.last_ban = found;
                self.bans.insert(found, InForce::until(&banned.order));
            }
            Record::Brake(BrakeRecord::Lifted { part, expired }) => {
                self.lifted(*part, *expired, place, at, findings);
            }
            Record::Heartbeat(beat) => self.wall = Some((beat.wall, at)),
            Record::Planned { .. }
            | Record::Phase(_)
            | Record::Lot { .. }
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
            | Record::Room(_) => {}
        }
    }

    /// What the wall clock shows at `at`, if it went on from the latest heartbeat.
    fn wall(&self, at: UnixMillis) -> Option<UnixMillis> {
        self.wall.map(|(wall, beat_at)| wall.plus(at.since(beat_at)))
    }

    fn lifted(
        &mut self,
        part: BrakePart,
        expired: bool,
        place: Place,
        at: UnixMillis,
        findings: &mut Findings,
    ) {
        let in_force = match part {
            BrakePart::Halt => self.end_halt(at).then_some(self.halt),
            BrakePart::Rates => self.rates.take(),
            BrakePart::Ban(ban) => self.bans.remove(&ban),
        };
        let Some(InForce { expires_at }) = in_force else {
            return findings.add(place, BrakeFault::NotInForce { part: part.to_string() });
        };
        // Its time is the wall clock's, the row's is the sale's. A heartbeat right before says what the
        // wall clock showed; older versions wrote none.
        let wall = self.wall(at);
        let is_early = |expires_at| wall.is_some_and(|wall| wall < expires_at);
        if expired && expires_at.is_none_or(is_early) {
            let (part, at) = (part.to_string(), wall.unwrap_or(at));
            findings.add(place, BrakeFault::EndedEarly { part, expires_at, at });
        }
    }

    fn is_halted(&self) -> bool {
        self.halts.last().is_some_and(|(_, until)| until.is_none())
    }

    fn end_halt(&mut self, at: UnixMillis) -> bool {
        let open = self.halts.last_mut().filter(|(_, until)| until.is_none());
        open.map(|(_, until)| *until = Some(at)).is_some()
    }

    /// Checks that none of a row's takes happened during a halt. A take sees no halt before it
    /// reads its time nor after, so none is dated behind the commit of a halt that did not stop it, and
    /// before the commit of its end.
    pub(super) fn takes(
        &self,
        takes: &[(u32, HoldId, UnixMillis)],
        row: Place,
        findings: &mut Findings,
    ) {
        if self.halts.is_empty() {
            return;
        }
        for (number, hold, taken_at) in takes {
            let before = self.halts.partition_point(|(from, _)| from < taken_at);
            let Some((from, until)) = before.checked_sub(1).and_then(|n| self.halts.get(n)) else {
                continue;
            };
            if until.is_none_or(|until| *taken_at < until) {
                let (hold, taken_at, halted_at) = (*hold, *taken_at, *from);
                let fault = BrakeFault::TakenWhileHalted { hold, taken_at, halted_at };
                findings.add(row.record(*number), fault);
            }
        }
    }
}
