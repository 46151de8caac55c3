//! Rehearsals by one press: a copy of each planned drop, over when the rehearsal is.

use std::sync::Arc;

use stampede_domain::{
    DropId, DropPlan, DurationMs, MerchantId, Mode, Moment, Phase, StreamId, UnixMillis,
    limits::{LIVE_DROPS_PER_STREAM_MAX, REHEARSAL_MS_MAX},
};
use stampede_ledger::PhaseRecord;

use super::Books;
use crate::{
    command::CommandRefusal, decision::Decision, drop::DropBook, rehearsal::RehearsalRefusal,
};

/// A rehearsal that a member of staff begins or ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct RehearsalAsk<'a> {
    /// Where.
    pub(super) stream: &'a StreamId,
    /// Whose drops alone, if the actor is bound to a merchant.
    pub(super) merchant: Option<&'a MerchantId>,
    /// Whether it begins.
    pub(super) begins: bool,
}

impl RehearsalAsk<'_> {
    fn is_about(&self, plan: &DropPlan) -> bool {
        plan.stream == *self.stream && self.merchant.is_none_or(|own| *own == plan.merchant)
    }
}

impl DropBook {
    /// Whether it belongs to a rehearsal by one press, and goes on.
    pub(crate) fn rehearses(&self) -> bool {
        self.plan.rehearsal.is_some() && has_not_ended(self.phase)
    }

    /// When its rehearsal ends by itself, by the wall clock, if it goes on until then.
    pub(crate) fn rehearses_until(&self) -> Option<UnixMillis> {
        self.plan.rehearsal.filter(|_| has_not_ended(self.phase)).map(|copy| copy.until)
    }
}

/// Whether a drop may still sell.
const fn has_not_ended(phase: Phase) -> bool {
    matches!(phase, Phase::Scheduled | Phase::Countdown | Phase::Open | Phase::Paused)
}

impl Books {
    /// Begins or ends a rehearsal.
    pub(super) fn rehearsal(
        &mut self,
        ask: RehearsalAsk<'_>,
        now: Moment,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        if ask.begins {
            return self.begin_rehearsal(ask, now, out);
        }
        let copies = self.copies(|plan| ask.is_about(plan));
        if copies.is_empty() {
            return Err(RehearsalRefusal::NoneRuns { stream: ask.stream.clone() }.into());
        }
        for drop in copies {
            self.end_copy(drop, now.sale, out);
        }
        Ok(())
    }

    /// Plans a copy of each scheduled live drop, in running order.
    fn begin_rehearsal(
        &mut self,
        ask: RehearsalAsk<'_>,
        now: Moment,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        let stream = ask.stream;
        self.check_air(stream)?;
        let until = now.wall.plus(DurationMs::new(REHEARSAL_MS_MAX));
        let is_planned = |book: &DropBook| {
            let plan = book.plan();
            book.phase() == Phase::Scheduled && plan.mode == Mode::Live && ask.is_about(plan)
        };
        let planned = self.live().filter(|(_, book)| is_planned(book));
        let copy = |(of, book): (DropId, &DropBook)| Arc::new(book.plan().rehearsed(of, until));
        let mut copies: Vec<Arc<DropPlan>> = planned.map(copy).collect();
        if copies.is_empty() {
            return Err(RehearsalRefusal::NothingPlanned { stream: stream.clone() }.into());
        }
        if self.live_in(stream).count() + copies.len() > LIVE_DROPS_PER_STREAM_MAX {
            return Err(CommandRefusal::StreamFull { max: LIVE_DROPS_PER_STREAM_MAX });
        }
        self.check_memory_of_all(&copies)?;
        // Stable: equal places keep the order of planning.
        copies.sort_by_key(|plan| plan.running_order);
        for plan in copies {
            self.add_drop(self.next_drop, 1, (&plan, now.sale), out);
        }
        Ok(())
    }

    /// Whether nothing is on air in the stream, neither for real nor for trying.
    fn check_air(&self, stream: &StreamId) -> Result<(), RehearsalRefusal> {
        let of_stream = || self.live().filter(|(_, book)| book.plan().stream == *stream);
        let on_air = |book: &DropBook| {
            matches!(book.phase(), Phase::Countdown | Phase::Open | Phase::Paused)
        };
        let sells = of_stream().find(|(_, book)| book.plan().mode == Mode::Live && on_air(book));
        if let Some((drop, book)) = sells {
            let (stream, phase) = (stream.clone(), book.phase());
            return Err(RehearsalRefusal::LiveOnAir { stream, drop, phase });
        }
        let tried = |book: &DropBook| {
            book.rehearses() || book.plan().mode == Mode::Rehearsal && on_air(book)
        };
        match of_stream().find(|(_, book)| tried(book)) {
            Some((drop, _)) => Err(RehearsalRefusal::Runs { stream: stream.clone(), drop }),
            None => Ok(()),
        }
    }

    /// A live drop of the stream goes on air: whatever rehearses there ends first.
    pub(super) fn end_rehearsals(&mut self, stream: &StreamId, at: UnixMillis, out: &mut Decision) {
        for drop in self.copies(|plan| plan.stream == *stream) {
            self.end_copy(drop, at, out);
        }
    }

    /// A drop of a rehearsal is over: called off before it opened, closed otherwise.
    pub(super) fn end_copy(&mut self, drop: DropId, at: UnixMillis, out: &mut Decision) {
        match self.drops[&drop].phase() {
            Phase::Scheduled => self.forbid(at, drop, PhaseRecord::Cancelled, out),
            Phase::Countdown => {
                self.forbid(at, drop, PhaseRecord::CountdownCancelled, out);
                self.forbid(at, drop, PhaseRecord::Cancelled, out);
            }
            Phase::Open | Phase::Paused => self.forbid(at, drop, PhaseRecord::Closed, out),
            Phase::Closed | Phase::Settled | Phase::Cancelled | Phase::Voiding | Phase::Voided => {}
        }
    }

    /// The drops of rehearsals that go on, oldest first: a restart finds their changes in this order.
    fn copies(&self, of: impl Fn(&DropPlan) -> bool) -> Vec<DropId> {
        let copies = self.live().filter(|(_, book)| book.rehearses() && of(book.plan()));
        copies.map(|(drop, _)| drop).collect()
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{PlanError, Rehearsal, WhenOffline};
    use stampede_testkit::plan;

    use super::*;

    #[test]
    fn a_copy_for_a_rehearsal_waits_for_its_host_and_sells_nothing_real() {
        let at = |ms| Some(UnixMillis::new(ms));
        let pause_after = DurationMs::from_secs(5);
        let live = DropPlan {
            starts_at: at(1_000),
            ends_at: at(2_000),
            when_offline: Some(WhenOffline { pause_after, resume: true }),
            ..plan(5)
        };
        let (of, until) = (DropId::new(7), UnixMillis::new(9_000));
        let copy = live.rehearsed(of, until);
        assert_eq!(copy.validate(), Ok(()));
        let rehearsal = Some(Rehearsal { of, until });
        assert_eq!(copy, DropPlan { mode: Mode::Rehearsal, rehearsal, ..plan(5) });
        let sold = DropPlan { mode: Mode::Live, ..copy };
        assert_eq!(sold.check_format(), Err(PlanError::LiveRehearsal { of }));
    }
}
