//! One drop's stock as the journal leaves it: pools, holds, with the times that move their deadlines.

use std::collections::HashMap;

use stampede_books::DropBook;
use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, KeyFingerprint, Phase, PoolIndex, Seq, TakeNumber, Units,
    UnixMillis, ViewerNumber,
};
use stampede_ledger::{DeadlineRecord, HoldRecord, Record, RecoveredPool};
use stampede_stock::{DropStock, RestoredHold, RestoredState};

use crate::{
    ended_holds::EndedHold,
    fresh_takes::DurableTake,
    hold_channels::HoldChannels,
    last_work::LastWork,
    recover_error::RecoverError,
    recover_pool::PoolPast,
    summary::{DropSummary, FinalFigures},
    suspensions::{Suspension, shift},
};

/// A hold of the past.
#[derive(Clone, Copy)]
struct HoldPast {
    viewer: ViewerNumber,
    key: KeyFingerprint,
    units: Units,
    taken_at: UnixMillis,
    deadline: UnixMillis,
    state: RestoredState,
    is_expired: bool,
}

/// One drop's stock.
#[derive(Default)]
pub(crate) struct StockPast {
    /// Time of the latest row.
    pub(crate) last_at: UnixMillis,
    /// Time of the latest recovery.
    recovered_at: UnixMillis,
    /// Since the latest recovery: a take may become durable after them.
    suspensions: Vec<Suspension>,
    pools: Vec<PoolPast>,
    holds: HashMap<HoldId, HoldPast, foldhash::fast::RandomState>,
    /// In the order of the journal, which is the order that a viewer's holds are listed in.
    takes: Vec<HoldId>,
    pub(crate) channels: HoldChannels,
}

impl StockPast {
    /// Of a drop that was planned, or planned anew, which only happens before anything was supplied.
    pub(crate) fn of(plan: &DropPlan) -> Self {
        let pools = plan.pools().iter().map(|_| PoolPast::default()).collect();
        Self { pools, ..Self::default() }
    }

    /// Follows one record of the drop's chain, in the row of this time.
    pub(crate) fn apply(
        &mut self,
        (drop, seq, at): (DropId, Seq, UnixMillis),
        record: &Record,
    ) -> Result<(), RecoverError> {
        match record {
            Record::Hold(record) => self.hold((drop, seq), record)?,
            Record::Recovered(recovered) => {
                self.recovered_at = at;
                self.move_deadlines(recovered.outage, UnixMillis::new(u64::MAX));
                self.suspensions.clear();
                for found in &recovered.pools {
                    let past = self.pool(drop, seq, found.pool)?;
                    past.settled_to = found.last_take.get();
                    past.since.clear();
                }
            }
            // Nobody was served for a while although the node ran, or staff gave all holds more time.
            Record::Suspended { span, until }
            | Record::Deadline(DeadlineRecord::Extended { span, until }) => {
                self.suspensions.push(Suspension { span: *span, until: *until });
                self.move_deadlines(*span, *until);
            }
            Record::Deadline(DeadlineRecord::Stretched { hold, span }) => {
                let held = |past: &&mut HoldPast| past.state == RestoredState::Held;
                let past = self.holds.get_mut(hold).filter(held);
                let past = past.ok_or(RecoverError::NotLive { drop, seq, hold: *hold })?;
                past.deadline = past.deadline.plus(*span);
            }
            // What moves no hold is the books', which know the lots.
            Record::Planned { .. }
            | Record::Lot { .. }
            | Record::Phase(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Correction(_)
            | Record::Request(_)
            | Record::Payment(_)
            | Record::Unmatched(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
        Ok(())
    }

    fn hold(
        &mut self,
        (drop, seq): (DropId, Seq),
        record: &HoldRecord,
    ) -> Result<(), RecoverError> {
        match record {
            &HoldRecord::Taken { hold, viewer, key, units, taken_at, deadline, ref channel } => {
                let deadline = deadline.plus(shift(&self.suspensions, taken_at));
                let number = channel.as_ref().map(|channel| self.channels.number(channel));
                self.channels.set(hold, number.unwrap_or_default());
                self.pool(drop, seq, hold.pool())?.since.push(hold.take().get());
                self.takes.push(hold);
                let state = RestoredState::Held;
                let is_expired = false;
                let past = HoldPast { viewer, key, units, taken_at, deadline, state, is_expired };
                self.holds.insert(hold, past);
                Ok(())
            }
            HoldRecord::Confirmed { hold, .. } => {
                self.end(drop, seq, *hold, RestoredState::Confirmed)
            }
            HoldRecord::Released { hold, .. } => self.end(drop, seq, *hold, RestoredState::Ended),
            HoldRecord::Expired { hold, .. } => {
                self.end(drop, seq, *hold, RestoredState::Ended)?;
                self.holds.entry(*hold).and_modify(|past| past.is_expired = true);
                Ok(())
            }
        }
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

    /// Our outage is not the buyer's: the deadline of every live hold that was taken before `until` moves
    /// by it.
    pub(crate) fn move_deadlines(&mut self, outage: DurationMs, until: UnixMillis) {
        let moves =
            |past: &&mut HoldPast| past.state == RestoredState::Held && past.taken_at < until;
        for past in self.holds.values_mut().filter(moves) {
            past.deadline = past.deadline.plus(outage);
        }
    }

    /// What the restart found in each pool: the highest durable number, and the ones below it that
    /// never became durable.
    pub(crate) fn recovered_pools(&mut self) -> Vec<RecoveredPool> {
        (0_u8..).zip(&mut self.pools).map(|(place, past)| past.recovered(place)).collect()
    }

    /// Fills a fresh stock with the lots, which the book knows, the holds and take numbers.
    pub(crate) fn restore(
        &self,
        drop: DropId,
        book: &DropBook,
        stock: &mut DropStock,
    ) -> Result<(), RecoverError> {
        for (pool, units) in supplied(book).filter(|(_, units)| !units.is_zero()) {
            let added = stock.add_supply(pool, units);
            added.map_err(|source| RecoverError::Supply { drop, source })?;
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
    pub(crate) fn summary(&self, drop: DropId, book: &DropBook) -> DropSummary {
        let (plan, phase) = (book.plan(), book.phase());
        let mut skus = FinalFigures::by_sku(&plan.pools(), supplied(book), self.sold());
        for ((_, sku), reserve) in plan.pools().iter().zip(book.reserve()) {
            skus[usize::from(sku.get())].reserve = *reserve;
        }
        if phase == Phase::Cancelled {
            let planned = skus.iter_mut().zip(&plan.skus);
            planned.for_each(|(figures, sku)| figures.supplied = sku.supply);
        }
        let (revision, opened_at) = (book.revision(), book.opened_at());
        let summary = DropSummary::new(drop, revision, plan, phase, self.last_at, skus.into_iter());
        DropSummary { opened_at, was_hidden: book.is_hidden(), ..summary }
    }

    /// Everybody who took.
    pub(crate) fn winners(&self) -> impl Iterator<Item = ViewerNumber> + '_ {
        self.holds.values().map(|past| past.viewer)
    }

    /// Holds that ended without an order, in the order of their takes.
    pub(crate) fn ended(&self) -> impl Iterator<Item = (HoldId, EndedHold)> + '_ {
        let past = self.takes.iter().map(|hold| (*hold, &self.holds[hold]));
        past.filter(|(_, past)| past.state == RestoredState::Ended).map(|(hold, past)| {
            let HoldPast { viewer, units, is_expired, .. } = *past;
            let channel = self.channels.get(hold).cloned();
            (hold, EndedHold { viewer, units, channel, is_expired, counts_returned: false })
        })
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

    /// How long nobody has worked on this drop, which stands in `phase`, when `ledger_last_at` is the time
    /// of the latest row of any drop. Without heartbeats a live drop counts from its own latest row: it had
    /// one each second.
    pub(crate) fn outage(
        &self,
        now: UnixMillis,
        (phase, ledger_last_at): (Phase, UnixMillis),
        work: &LastWork,
    ) -> DurationMs {
        let old_rule = if phase.is_live() { self.last_at } else { ledger_last_at };
        now.since(work.until(self.recovered_at).unwrap_or(old_rule))
    }
}

/// Units of all lots, by pool.
fn supplied(book: &DropBook) -> impl Iterator<Item = (PoolIndex, Units)> + '_ {
    (0_u8..).filter_map(PoolIndex::new).zip(book.supplied().iter().copied())
}
