//! Rooms as the house's chain tells them: whose a stream was when, who was let in.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use stampede_domain::{DropId, DurationMs, MerchantId, StreamId};
use stampede_ledger::{Command, Record, RecordedOutcome, Room, RoomChange, RoomOwner};

use super::finding::{Findings, Place};

/// What contradicts itself about rooms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each sentence says what its fields are")]
pub enum RoomFault {
    /// Only what belongs to somebody can let in, dismiss or end.
    #[error("stream {stream} belongs to nobody, yet its room changes")]
    NoRoom { stream: StreamId },
    /// Each change changes something.
    #[error("the record leaves stream {stream} as it was: {what}")]
    Unchanged { stream: StreamId, what: String },
    /// Merchants plan in their own streams, or where they are let in; only an admin plans anywhere.
    #[error("{role} planned a drop of {merchant} in stream {stream}, which belongs to {owner}")]
    ForeignDrop { role: String, merchant: MerchantId, stream: StreamId, owner: RoomOwner },
}

impl RoomFault {
    /// A stable name for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoRoom { .. } => "room_missing",
            Self::Unchanged { .. } => "room_unchanged",
            Self::ForeignDrop { .. } => "foreign_drop",
        }
    }
}

/// The rooms at one point of the journal.
#[derive(Debug, Default)]
pub(super) struct RoomBook {
    rooms: BTreeMap<StreamId, RoomState>,
    /// The commit that is being read, with the streams whose rooms it changes: its chains come in no
    /// order of their own, so plans in it stand before or after those changes.
    commit: Place,
    changed: HashSet<StreamId>,
    /// Drops of merchants who were not let in, until the command says who planned them.
    foreign: BTreeMap<DropId, RoomFault>,
}

#[derive(Debug)]
struct RoomState {
    owner: RoomOwner,
    admitted: BTreeSet<MerchantId>,
    video_delay: DurationMs,
}

impl RoomBook {
    /// Follows the records of one row; the house's comes first in its commit.
    pub(super) fn row(
        &mut self,
        drop: DropId,
        records: &[(u32, Record)],
        row: Place,
        findings: &mut Findings,
    ) {
        let commit = Place { drop: None, ..row };
        if self.commit != commit {
            self.commit = commit;
            self.changed.clear();
        }
        for (number, record) in records {
            let place = row.record(*number);
            match record {
                Record::Room(room) if drop == DropId::HOUSE => self.change(room, place, findings),
                Record::Planned { plan, revision: 1 } => {
                    self.planned(drop, &plan.stream, &plan.merchant);
                }
                Record::Command(command) => self.command(drop, command, place, findings),
                Record::Phase(_)
                | Record::Hold(_)
                | Record::Stream(_)
                | Record::Featured
                | Record::Correction(_)
                | Record::Payment(_)
                | Record::Deadline(_)
                | Record::Unmatched(_)
                | Record::Suspended { .. }
                | Record::Recovered(_)
                | Record::Tally(_)
                | Record::Heartbeat(_)
                | Record::Brake(_)
                | Record::Planned { .. }
                | Record::Lot { .. }
                | Record::Room(_) => {}
            }
        }
    }

    fn change(&mut self, room: &Room, place: Place, findings: &mut Findings) {
        let Room { stream, change } = room;
        self.changed.insert(stream.clone());
        if let RoomChange::Owner(owner) = change {
            return self.owner(stream, owner, place, findings);
        }
        let Some(owned) = self.rooms.get_mut(stream) else {
            return findings.add(place, RoomFault::NoRoom { stream: stream.clone() });
        };
        let what = match change {
            RoomChange::Admitted(merchant) if owned.lets_in(merchant) => {
                format!("{merchant} was let in already")
            }
            RoomChange::Dismissed(merchant) if !owned.admitted.contains(merchant) => {
                format!("{merchant} was not admitted")
            }
            RoomChange::Admitted(merchant) => {
                owned.admitted.insert(merchant.clone());
                return;
            }
            RoomChange::Dismissed(merchant) => {
                owned.admitted.remove(merchant);
                return;
            }
            RoomChange::VideoDelay(delay) if owned.video_delay == *delay => {
                format!("its video was {} ms behind already", delay.get())
            }
            RoomChange::VideoDelay(delay) => {
                owned.video_delay = *delay;
                return;
            }
            RoomChange::Owner(_) | RoomChange::Ended => {
                self.rooms.remove(stream);
                return;
            }
        };
        findings.add(place, RoomFault::Unchanged { stream: stream.clone(), what });
    }

    fn owner(
        &mut self,
        stream: &StreamId,
        owner: &RoomOwner,
        place: Place,
        findings: &mut Findings,
    ) {
        let (mut admitted, mut video_delay) = (BTreeSet::new(), DurationMs::ZERO);
        if let Some(before) = self.rooms.remove(stream) {
            if before.owner == *owner {
                let what = format!("it belonged to {owner} already");
                findings.add(place, RoomFault::Unchanged { stream: stream.clone(), what });
            }
            (admitted, video_delay) = (before.admitted, before.video_delay);
            if let RoomOwner::Merchant(merchant) = owner {
                admitted.remove(merchant);
            }
        }
        let owned = RoomState { owner: owner.clone(), admitted, video_delay };
        self.rooms.insert(stream.clone(), owned);
    }

    fn planned(&mut self, drop: DropId, stream: &StreamId, merchant: &MerchantId) {
        // A stream that no record names was used before there were rooms.
        let Some(owned) = self.rooms.get(stream).filter(|owned| !owned.lets_in(merchant)) else {
            return;
        };
        if !self.changed.contains(stream) {
            let (role, merchant) = (String::new(), merchant.clone());
            let (stream, owner) = (stream.clone(), owned.owner.clone());
            let fault = RoomFault::ForeignDrop { role, merchant, stream, owner };
            self.foreign.insert(drop, fault);
        }
    }

    fn command(&mut self, drop: DropId, command: &Command, place: Place, findings: &mut Findings) {
        if command.action.as_str() != "plan" || command.outcome != RecordedOutcome::Accepted {
            return;
        }
        let Some(mut fault) = self.foreign.remove(&drop) else { return };
        if let RoomFault::ForeignDrop { role, .. } = &mut fault
            && command.role.as_str() != "admin"
        {
            command.role.as_str().clone_into(role);
            findings.add(place, fault);
        }
    }
}

impl RoomState {
    fn lets_in(&self, merchant: &MerchantId) -> bool {
        let owns = matches!(&self.owner, RoomOwner::Merchant(owner) if owner == merchant);
        owns || self.admitted.contains(merchant)
    }
}
