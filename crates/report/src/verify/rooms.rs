//! Rooms as the house's chain tells them: whose a stream was when, who was let in.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use stampede_domain::{DropId, DropPlan, DurationMs, MerchantId, StreamId, UnixMillis};
use stampede_ledger::{
    Command, PhaseRecord, PlannedCopy, Record, RecordedOutcome, Room, RoomChange, RoomOwner,
};

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
    /// Hosts plan for whoever lets them.
    #[error(
        "a host gave the command {action} for a drop of {merchant} in stream {stream}, where hosts may not plan for it"
    )]
    HostPlanned { action: String, merchant: MerchantId, stream: StreamId },
    /// Whoever is not let in plans nothing, so nobody plans for them either.
    #[error("hosts may plan for {merchant} in stream {stream}, where it is not let in")]
    HostsForStranger { merchant: MerchantId, stream: StreamId },
}

impl RoomFault {
    /// A stable name for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoRoom { .. } => "room_missing",
            Self::Unchanged { .. } => "room_unchanged",
            Self::ForeignDrop { .. } => "foreign_drop",
            Self::HostPlanned { .. } => "host_planned",
            Self::HostsForStranger { .. } => "hosts_for_stranger",
        }
    }

    /// What it comes to as a copy for a rehearsal, by the role of whoever began that: who is no merchant copies all that
    /// stands in the show.
    fn judge_copy(self, planner: &str, place: Place, findings: &mut Findings) {
        if planner == "merchant" {
            self.judge(planner, place, findings);
        }
    }

    /// What it comes to by the role of whoever planned: an admin plans anywhere.
    fn judge(mut self, planner: &str, place: Place, findings: &mut Findings) {
        if planner == "admin" {
            return;
        }
        if let Self::ForeignDrop { role, .. } = &mut self {
            planner.clone_into(role);
        }
        findings.add(place, self);
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
    /// The copy that an undo names, by the drop whose opening it undid, until the command says whose undo it was.
    undone: BTreeMap<DropId, DropId>,
    /// Who planned such a copy, where the command stands in front of it.
    copied_by: BTreeMap<DropId, String>,
    /// Whose goods drops that are not over sell, in which stream.
    sales: BTreeMap<DropId, (StreamId, MerchantId)>,
    /// The latest rehearsal by one press of each stream.
    rehearsals: BTreeMap<StreamId, Rehearsing>,
}

/// The copies of a rehearsal by one press. Its command stands with the first one.
#[derive(Debug)]
struct Rehearsing {
    until: UnixMillis,
    first: DropId,
    /// The role of whoever began it once the command has said so. Older programs recorded the command elsewhere, and
    /// planned by other rules.
    role: Option<String>,
    /// What its copies come to until then.
    foreign: Vec<RoomFault>,
}

#[derive(Debug)]
struct RoomState {
    owner: RoomOwner,
    admitted: BTreeSet<MerchantId>,
    hosts_plan_for: BTreeSet<MerchantId>,
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
                    self.sales.insert(drop, (plan.stream.clone(), plan.merchant.clone()));
                    self.planned(drop, plan, place, findings);
                }
                Record::Phase(PhaseRecord::UndoBegun { copy: PlannedCopy::Drop(copy) }) => {
                    self.undone.insert(drop, *copy);
                }
                Record::Command(command) => self.command(drop, command, place, findings),
                Record::Phase(record) if record.begins().is_final() => {
                    self.sales.remove(&drop);
                }
                Record::Phase(_)
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
                owned.hosts_plan_for.remove(merchant);
                return;
            }
            RoomChange::HostsAllowed(merchant) if !owned.lets_in(merchant) => {
                let (stream, merchant) = (stream.clone(), merchant.clone());
                return findings.add(place, RoomFault::HostsForStranger { merchant, stream });
            }
            RoomChange::HostsAllowed(merchant) => {
                if owned.hosts_plan_for.insert(merchant.clone()) {
                    return;
                }
                format!("hosts might plan for {merchant} already")
            }
            RoomChange::HostsForbidden(merchant) => {
                if owned.hosts_plan_for.remove(merchant) {
                    return;
                }
                format!("hosts could not plan for {merchant}")
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
        let mut hosts_plan_for = BTreeSet::new();
        if let Some(before) = self.rooms.remove(stream) {
            if before.owner == *owner {
                let what = format!("it belonged to {owner} already");
                findings.add(place, RoomFault::Unchanged { stream: stream.clone(), what });
            }
            (admitted, video_delay) = (before.admitted, before.video_delay);
            hosts_plan_for = before.hosts_plan_for;
            if let RoomOwner::Merchant(merchant) = owner {
                admitted.remove(merchant);
            }
        }
        let mut owned = RoomState { owner: owner.clone(), admitted, hosts_plan_for, video_delay };
        // Hosts go on planning for whoever is let in still.
        let all = std::mem::take(&mut owned.hosts_plan_for);
        owned.hosts_plan_for = all.into_iter().filter(|of| owned.lets_in(of)).collect();
        self.rooms.insert(stream.clone(), owned);
    }

    fn planned(&mut self, drop: DropId, plan: &DropPlan, place: Place, findings: &mut Findings) {
        let fault = self.foreign_drop(&plan.stream, &plan.merchant);
        let copied_by = self.copied_by.remove(&drop);
        let is_undos = copied_by.is_some() || self.undone.values().any(|copy| *copy == drop);
        if let Some(rehearsal) = plan.rehearsal.filter(|_| !is_undos) {
            self.rehearsed(drop, (&plan.stream, rehearsal.until), (fault, place), findings);
            return;
        }
        let Some(fault) = fault else { return };
        match copied_by {
            Some(role) => fault.judge(&role, place, findings),
            None => {
                self.foreign.insert(drop, fault);
            }
        }
    }

    /// What a drop of the merchant comes to in the stream, unless an admin planned it.
    fn foreign_drop(&self, stream: &StreamId, merchant: &MerchantId) -> Option<RoomFault> {
        // A stream that no record names was used before there were rooms.
        let owned = self.rooms.get(stream).filter(|owned| !owned.lets_in(merchant))?;
        if self.changed.contains(stream) {
            return None;
        }
        let (role, merchant) = (String::new(), merchant.clone());
        let (stream, owner) = (stream.clone(), owned.owner.clone());
        Some(RoomFault::ForeignDrop { role, merchant, stream, owner })
    }

    /// A copy of a rehearsal is planned, as if by whoever began that.
    fn rehearsed(
        &mut self,
        drop: DropId,
        (stream, until): (&StreamId, UnixMillis),
        (fault, place): (Option<RoomFault>, Place),
        findings: &mut Findings,
    ) {
        let begun = || Rehearsing { until, first: drop, role: None, foreign: Vec::new() };
        let rehearsing = self.rehearsals.entry(stream.clone()).or_insert_with(begun);
        if rehearsing.until != until {
            *rehearsing = begun();
        }
        let Some(fault) = fault else { return };
        match &rehearsing.role {
            Some(role) => fault.judge_copy(role, place, findings),
            None => rehearsing.foreign.push(fault),
        }
    }

    fn command(&mut self, drop: DropId, command: &Command, place: Place, findings: &mut Findings) {
        if command.outcome != RecordedOutcome::Accepted {
            return;
        }
        let role = command.role.as_str();
        if role == "host" && matches!(command.action.as_str(), "plan" | "edit" | "cancel") {
            self.judge_host(drop, command.action.as_str(), place, findings);
        }
        match command.action.as_str() {
            "plan" => {
                if let Some(fault) = self.foreign.remove(&drop) {
                    fault.judge(role, place, findings);
                }
            }
            "undo" => {
                let Some(copy) = self.undone.remove(&drop) else { return };
                match self.foreign.remove(&copy) {
                    Some(fault) => fault.judge(role, place, findings),
                    None => {
                        self.copied_by.insert(copy, role.to_owned());
                    }
                }
            }
            "rehearse" => {
                let Some(begun) = self.rehearsals.values_mut().find(|begun| begun.first == drop)
                else {
                    return;
                };
                begun.role = Some(role.to_owned());
                for fault in begun.foreign.drain(..) {
                    fault.judge_copy(role, place, findings);
                }
            }
            _ => {}
        }
    }
}

impl RoomBook {
    /// Whether a host might plan for the drop's merchant, as far as the commit's order tells.
    fn judge_host(&self, drop: DropId, action: &str, place: Place, findings: &mut Findings) {
        let Some((stream, merchant)) = self.sales.get(&drop) else { return };
        let room = self.rooms.get(stream);
        let may = room.is_some_and(|room| room.hosts_plan_for.contains(merchant));
        if may || self.changed.contains(stream) {
            return;
        }
        let (stream, merchant) = (stream.clone(), merchant.clone());
        findings.add(place, RoomFault::HostPlanned { action: action.to_owned(), merchant, stream });
    }
}

impl RoomState {
    fn lets_in(&self, merchant: &MerchantId) -> bool {
        let owns = matches!(&self.owner, RoomOwner::Merchant(owner) if owner == merchant);
        owns || self.admitted.contains(merchant)
    }
}
