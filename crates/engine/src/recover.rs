//! The state that a journal leaves behind, folded row by row.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, KeyFingerprint, Phase, PoolIndex, Seq, TakeNumber, Units,
    UnixMillis, ViewerNumber,
};
use stampede_ledger::{
    Command, HoldRecord, Outcome, PhaseRecord, Record, RecoveredPool, Row, Sealed, StreamRecord,
};
use stampede_stock::{DropStock, RestoredHold, RestoredState};

use crate::{
    command::Done,
    fresh_takes::DurableTake,
    hold_channels::HoldChannels,
    last_work::LastWork,
    offline::StreamWatch,
    on_air::OnAir,
    recover_brake::BrakePast,
    recover_error::RecoverError,
    recover_pool::PoolPast,
    recover_rooms::RoomsPast,
    steward::CommandKeys,
    summary::{DropSummary, FinalFigures},
    suspensions::{Suspension, shift},
    viewer::Directory,
};

/// A hold of the past.
#[derive(Clone, Copy)]
struct Past {
    viewer: ViewerNumber,
    key: KeyFingerprint,
    units: Units,
    taken_at: UnixMillis,
    deadline: UnixMillis,
    state: RestoredState,
}

/// One drop's past.
pub(crate) struct DropPast {
    pub(crate) plan: Arc<DropPlan>,
    pub(crate) revision: u32,
    pub(crate) phase: Phase,
    pub(crate) phase_changes: u64,
    pub(crate) opens_at: Option<UnixMillis>,
    /// The automatic start has had its chance.
    pub(crate) start_done: bool,
    /// The end of a countdown that no start of the server was there for, by the sale's clock.
    pub(crate) missed_opening: Option<UnixMillis>,
    pub(crate) watch: StreamWatch,
    pub(crate) lots: u32,
    /// Time of the latest row.
    pub(crate) last_at: UnixMillis,
    /// Time of the latest recovery.
    pub(crate) recovered_at: UnixMillis,
    /// Since the latest recovery: a take may become durable after them.
    pub(crate) suspensions: Vec<Suspension>,
    pools: Vec<PoolPast>,
    holds: HashMap<HoldId, Past, foldhash::fast::RandomState>,
    /// In the order of the journal, which is the order that a viewer's holds are listed in.
    takes: Vec<HoldId>,
    pub(crate) channels: HoldChannels,
}

/// Everything that the journal leaves.
#[derive(Default)]
pub(crate) struct Journaled {
    pub(crate) drops: BTreeMap<DropId, DropPast>,
    pub(crate) keys: CommandKeys,
    pub(crate) on_air: OnAir,
    pub(crate) brake: BrakePast,
    pub(crate) rooms: RoomsPast,
    /// How long a drop that is over keeps its place among `drops`.
    pub(crate) settled_kept: DurationMs,
    /// Drops that were over for long enough to need no more than this.
    pub(crate) over: BTreeMap<DropId, DropSummary>,
    /// Drops that are over by the time when they became that; their holds are still here.
    pub(crate) ending: BTreeSet<(UnixMillis, DropId)>,
    pub(crate) last_work: LastWork,
}

impl Journaled {
    /// Folds one row. Rows come in commit order; `directory` knows whose links there are.
    pub(crate) fn apply(&mut self, row: &Row, directory: &Directory) -> Result<(), RecoverError> {
        let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
        let damaged = |source| RecoverError::Record { drop, incarnation, seq, source };
        let at = row.header().map_err(damaged)?.at;
        for record in row.decode() {
            match record.map_err(damaged)? {
                Record::Planned { plan, revision } => self.planned(drop, plan, revision),
                Record::Command(command) => self.command(drop, &command),
                Record::Brake(record) => self.brake.apply(&record, incarnation, at, directory),
                Record::Heartbeat(beat) => self.last_work.beat(incarnation, at, *beat),
                Record::Room(room) => self.rooms.record(&room),
                record @ (Record::Phase(_)
                | Record::Lot { .. }
                | Record::Hold(_)
                | Record::Stream(_)
                | Record::Featured
                | Record::Suspended { .. }
                | Record::Recovered(_)
                | Record::Tally(_)) => {
                    let past = self.drops.get_mut(&drop);
                    let past = past.ok_or(RecoverError::NoPlan { drop, seq })?;
                    let before = past.phase;
                    past.see(&record, at);
                    past.apply(drop, seq, &record)?;
                    let (plan, after) = (Arc::clone(&past.plan), past.phase);
                    if matches!(record, Record::Featured) {
                        self.on_air.choose(drop, &plan);
                    }
                    let phase_of = |id| self.drops.get(&id).map(|past| past.phase);
                    self.on_air.follow(drop, &plan, (before, after), phase_of);
                }
            }
        }
        if let Some(past) = self.drops.get_mut(&drop) {
            past.last_at = at;
            if past.phase.is_final() {
                self.ending.insert((at, drop));
            }
        }
        self.leave_behind(at);
        self.last_work.row(incarnation, at);
        Ok(())
    }

    /// Takes over a drop of which there are no rows.
    pub(crate) fn sealed(&mut self, sealed: Sealed) {
        let (drop, summary) = (sealed.seal.drop, &sealed.summary);
        self.rooms.had(drop, &summary.stream, &summary.merchant);
        self.over.insert(drop, DropSummary::sealed(sealed));
    }

    /// Puts summaries in the place of drops that had been over for long enough at this time.
    pub(crate) fn leave_behind(&mut self, now: UnixMillis) {
        while let Some((since, drop)) = self.ending.first().copied()
            && since.plus(self.settled_kept) <= now
        {
            self.ending.pop_first();
            if let Some(past) = self.drops.remove(&drop) {
                self.on_air.forget(drop, &past.plan);
                self.over.insert(drop, past.summary(drop));
                self.keys.forget(drop);
            }
        }
    }

    fn planned(&mut self, drop: DropId, plan: Arc<DropPlan>, revision: u32) {
        self.rooms.planned(drop, &plan);
        let pools = plan.pools().iter().map(|_| PoolPast::default()).collect();
        let old = self.drops.get(&drop);
        let offline = old.and_then(|old| old.watch.offline_since());
        let past = DropPast {
            plan,
            revision,
            phase: Phase::Scheduled,
            phase_changes: old.map_or(0, |old| old.phase_changes + 1),
            opens_at: None,
            start_done: false,
            missed_opening: None,
            // An edit leaves the stream as it is; its time is counted by the new plan.
            watch: StreamWatch::of_plan(offline),
            lots: 0,
            last_at: UnixMillis::default(),
            recovered_at: UnixMillis::default(),
            suspensions: Vec::new(),
            pools,
            holds: HashMap::default(),
            takes: Vec::new(),
            channels: HoldChannels::default(),
        };
        self.on_air.forget(drop, &past.plan);
        self.drops.insert(drop, past);
    }

    fn command(&mut self, drop: DropId, command: &Command) {
        // A refusal binds nothing, whichever version recorded it.
        if matches!(command.outcome, Outcome::Refused { .. }) {
            return;
        }
        let action = command.action.as_str();
        if let Some(past) = self.drops.get_mut(&drop).filter(|_| action == "cancel_countdown") {
            past.missed_opening = None;
        }
        let (ban, personal) = self.brake.of_command(action);
        let lots = self.drops.get(&drop).map(|past| past.lots);
        let lot = lots.filter(|_| action == "restock");
        let done = Done { drop, lot, ban, replayed: false };
        self.keys.bind(command.actor.as_str(), command.key, command.request, personal, done);
    }
}

impl DropPast {
    fn apply(&mut self, drop: DropId, seq: Seq, record: &Record) -> Result<(), RecoverError> {
        match record {
            Record::Phase(record) => self.begin(*record),
            Record::Lot { pool, units, lot } => {
                self.lots = *lot;
                let past = self.pool(drop, seq, *pool)?;
                past.supplied = past.supplied.checked_add(*units).unwrap_or(Units::MAX);
            }
            Record::Hold(record) => self.hold(drop, seq, record)?,
            Record::Recovered(recovered) => {
                self.move_deadlines(recovered.outage, UnixMillis::new(u64::MAX));
                self.suspensions.clear();
                for found in &recovered.pools {
                    let past = self.pool(drop, seq, found.pool)?;
                    past.settled_to = found.last_take.get();
                    past.since.clear();
                }
            }
            Record::Stream(record) => self.stream(*record),
            Record::Suspended { span, until } => {
                self.suspend(Suspension { span: *span, until: *until });
            }
            // Which drop is on air is the stream's.
            Record::Featured
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Tally(_)
            | Record::Planned { .. }
            | Record::Command(_)
            | Record::Brake(_) => {}
        }
        Ok(())
    }

    fn hold(&mut self, drop: DropId, seq: Seq, record: &HoldRecord) -> Result<(), RecoverError> {
        match *record {
            HoldRecord::Taken { hold, viewer, key, units, taken_at, deadline, ref channel } => {
                let deadline = deadline.plus(shift(&self.suspensions, taken_at));
                let number = channel.as_ref().map(|channel| self.channels.number(channel));
                self.channels.set(hold, number.unwrap_or_default());
                self.pool(drop, seq, hold.pool())?.since.push(hold.take().get());
                self.takes.push(hold);
                let state = RestoredState::Held;
                self.holds.insert(hold, Past { viewer, key, units, taken_at, deadline, state });
                Ok(())
            }
            HoldRecord::Confirmed { hold, .. } => {
                self.end(drop, seq, hold, RestoredState::Confirmed)
            }
            HoldRecord::Released { hold, .. } | HoldRecord::Expired { hold, .. } => {
                self.end(drop, seq, hold, RestoredState::Ended)
            }
        }
    }

    fn begin(&mut self, record: PhaseRecord) {
        self.enter(record.begins());
        if let PhaseRecord::Countdown { opens_at } = record {
            self.opens_at = Some(opens_at);
            self.start_done = true;
        }
    }

    /// The stream went, came back or was away too long.
    fn stream(&mut self, record: StreamRecord) {
        match record {
            StreamRecord::Offline { at } => self.watch.go_offline(at),
            StreamRecord::Online => {
                if self.watch.come_back(&self.plan) {
                    self.enter(Phase::Open);
                }
            }
            StreamRecord::OfflineLapsed => {
                let mut watch = self.watch;
                if let Some(phase) = watch.lapse(self.phase) {
                    self.enter(phase);
                }
                self.watch = watch;
            }
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.phase_changes += 1;
        self.watch.overrule();
        self.opens_at = None;
    }

    fn pool(
        &mut self,
        drop: DropId,
        seq: Seq,
        pool: PoolIndex,
    ) -> Result<&mut PoolPast, RecoverError> {
        let found = self.pools.get_mut(usize::from(pool.get()));
        found.ok_or(RecoverError::UnknownPool { drop, seq, pool })
    }

    fn end(
        &mut self,
        drop: DropId,
        seq: Seq,
        hold: HoldId,
        state: RestoredState,
    ) -> Result<(), RecoverError> {
        let live = self.holds.get_mut(&hold).filter(|past| past.state == RestoredState::Held);
        live.ok_or(RecoverError::NotLive { drop, seq, hold })?.state = state;
        Ok(())
    }

    /// Our outage is not the buyer's: every live deadline moves by it, the stream's as well, of
    /// what ran before `until`.
    pub(crate) fn move_deadlines(&mut self, outage: DurationMs, until: UnixMillis) {
        self.watch.move_by(outage, until);
        let moves = |past: &&mut Past| past.state == RestoredState::Held && past.taken_at < until;
        for past in self.holds.values_mut().filter(moves) {
            past.deadline = past.deadline.plus(outage);
        }
    }

    /// What the restart found in each pool: the highest durable number, and the ones below it that
    /// never became durable.
    pub(crate) fn recovered_pools(&mut self) -> Vec<RecoveredPool> {
        (0_u8..).zip(&mut self.pools).map(|(place, past)| past.recovered(place)).collect()
    }

    /// Fills a fresh stock with the lots, holds and take numbers.
    pub(crate) fn restore(&self, drop: DropId, stock: &mut DropStock) -> Result<(), RecoverError> {
        for (place, past) in (0_u8..).zip(&self.pools) {
            let pool = PoolIndex::new(place).expect("a pool index has 8 bits");
            if !past.supplied.is_zero() {
                let added = stock.add_supply(pool, past.supplied);
                added.map_err(|source| RecoverError::Supply { drop, source })?;
            }
        }
        for id in &self.takes {
            let past = &self.holds[id];
            let hold = RestoredHold {
                id: *id,
                viewer: past.viewer,
                key: past.key,
                units: past.units,
                taken_at: past.taken_at,
                deadline: past.deadline,
                state: past.state,
            };
            stock.restore_hold(&hold).map_err(|source| RecoverError::Hold { drop, source })?;
        }
        for (place, past) in (0_u8..).zip(&self.pools) {
            let pool = PoolIndex::new(place).expect("a pool index has 8 bits");
            let last = TakeNumber::new(past.settled_to).expect("a record holds take numbers");
            stock.restore_take_number(pool, last);
        }
        stock.grow_ahead();
        Ok(())
    }

    /// What stays of a drop that is over.
    fn summary(&self, drop: DropId) -> DropSummary {
        let supplied = (0_u8..).filter_map(PoolIndex::new).zip(&self.pools);
        let supplied = supplied.map(|(pool, past)| (pool, past.supplied));
        let mut skus = FinalFigures::by_sku(&self.plan.pools(), supplied, self.sold());
        if self.phase == Phase::Cancelled {
            let planned = skus.iter_mut().zip(&self.plan.skus);
            planned.for_each(|(figures, sku)| figures.supplied = sku.supply);
        }
        DropSummary::new(
            drop,
            self.revision,
            &self.plan,
            self.phase,
            self.last_at,
            skus.into_iter(),
        )
    }

    /// Everybody who took.
    pub(crate) fn winners(&self) -> impl Iterator<Item = ViewerNumber> + '_ {
        self.holds.values().map(|past| past.viewer)
    }

    /// Live holds.
    pub(crate) fn live(&self) -> impl Iterator<Item = DurableTake> + '_ {
        let held = self.holds.iter().filter(|(_, past)| past.state == RestoredState::Held);
        held.map(|(hold, past)| DurableTake {
            hold: *hold,
            deadline: past.deadline,
            units: past.units,
        })
    }

    /// Orders by pool and units.
    pub(crate) fn sold(&self) -> impl Iterator<Item = (PoolIndex, Units)> + '_ {
        let sold = self.holds.iter().filter(|(_, past)| past.state == RestoredState::Confirmed);
        sold.map(|(hold, past)| (hold.pool(), past.units))
    }

    /// How long nobody has worked on this drop, when `ledger_last_at` is the time of the latest row of any
    /// drop. Without heartbeats a live drop counts from its own latest row: it had one each second.
    pub(crate) fn outage(
        &self,
        now: UnixMillis,
        ledger_last_at: UnixMillis,
        work: &LastWork,
    ) -> DurationMs {
        let old_rule = if self.phase.is_live() { self.last_at } else { ledger_last_at };
        now.since(work.until(self.recovered_at).unwrap_or(old_rule))
    }

    /// Whether an outage moves anything of this drop.
    pub(crate) fn has_deadlines(&self) -> bool {
        let is_running = self.phase == Phase::Countdown || self.watch.offline_since().is_some();
        !self.phase.is_final() && (is_running || self.live().next().is_some())
    }
}
