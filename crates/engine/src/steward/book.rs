//! What the steward knows of one drop beyond what everybody sees.

use std::sync::Arc;

use stampede_domain::{DropPlan, Phase, PoolIndex, Units, UnixMillis};

use crate::{
    clock::Moment, offline::StreamWatch, sale::SaleDrop, seen::SeenDrop, tally::Totals,
    video::countdown_min,
};

/// The decided state of one drop; it runs ahead of the durable one by the records under way.
pub(crate) struct Book {
    pub(crate) sale: Arc<SaleDrop>,
    pub(crate) phase: Phase,
    /// Rises with each decision about the phase, so that a permit which was overtaken does nothing, also
    /// over restarts, so that whoever saw the phase before is known.
    pub(crate) phase_changes: u64,
    pub(crate) opens_at: Option<UnixMillis>,
    /// Units of all lots decided so far, by pool.
    pub(crate) supplied: Vec<Units>,
    pub(crate) lots: u32,
    /// Holds that are durable and have no durable end.
    pub(crate) live_holds: u64,
    /// Takes seen durable in this incarnation, by pool.
    pub(crate) durable_takes: Vec<u64>,
    /// The take number that each pool started this incarnation with.
    pub(crate) first_take: Vec<u64>,
    /// What the drop's last minute has seen.
    pub(crate) sampled: Totals,
    /// What records have seen.
    pub(crate) tallied: Totals,
    pub(crate) next_tally: UnixMillis,
    pub(crate) counting: Counting,
    /// The automatic start has had its chance; from then on the drop waits for its host.
    pub(crate) start_done: bool,
    pub(crate) watch: StreamWatch,
}

/// Whether a drop's counts are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Counting {
    /// Nothing was counted: a core that counts says so.
    #[default]
    Quiet,
    /// Something was counted of late.
    Busy,
    /// Nothing was counted since the last look. Cores have been told to speak up again; one more look
    /// finds what was counted before a core could know.
    Fading,
}

impl Book {
    /// A drop whose stock has just been made or restored.
    pub(crate) fn new(sale: Arc<SaleDrop>, phase: Phase) -> Self {
        let first_take: Vec<u64> = sale.stock().pools().map(|pool| pool.last_take.get()).collect();
        let supplied = sale.stock().pools().map(|pool| pool.supplied).collect();
        Self {
            durable_takes: vec![0; first_take.len()],
            first_take,
            supplied,
            sale,
            phase,
            phase_changes: 0,
            opens_at: None,
            lots: 0,
            live_holds: 0,
            sampled: Totals::default(),
            tallied: Totals::default(),
            next_tally: UnixMillis::default(),
            counting: Counting::default(),
            start_done: false,
            watch: StreamWatch::default(),
        }
    }

    pub(crate) fn plan(&self) -> &DropPlan {
        self.sale.plan()
    }

    /// How the drop stands by what was decided.
    pub(crate) fn stands(&self) -> SeenDrop {
        let (phase, phase_changes) = (self.phase, Some(self.phase_changes));
        SeenDrop { phase, revision: self.sale.revision(), phase_changes }
    }

    pub(crate) fn was_supplied(&self) -> bool {
        self.lots > 0
    }

    pub(crate) fn count_durable_take(&mut self, pool: PoolIndex) {
        self.durable_takes[usize::from(pool.get())] += 1;
        self.live_holds += 1;
    }

    /// Whether every take number that was given out has become durable. Only meaningful while the
    /// open bit is off: no further number is given out then.
    pub(crate) fn takes_accounted_for(&self) -> bool {
        let starts = self.first_take.iter().zip(&self.durable_takes);
        self.sale
            .stock()
            .pools()
            .zip(starts)
            .all(|(pool, (first, durable))| pool.last_take.get() == first + durable)
    }

    /// When the steward has to look at this drop again; `None` while nothing can happen by itself.
    pub(crate) fn next_due(&self, now: Moment) -> Option<UnixMillis> {
        let at_once = self.is_done().then_some(UnixMillis::default());
        [at_once, self.next_timer(now), self.tally_due()].into_iter().flatten().min()
    }

    /// Whether the drop is closed, with every take durable and every hold ended durably.
    pub(crate) fn is_done(&self) -> bool {
        self.phase == Phase::Closed && self.live_holds == 0 && self.takes_accounted_for()
    }

    /// When counts are looked at next; `None` while nothing is counted.
    pub(crate) fn tally_due(&self) -> Option<UnixMillis> {
        let counts = self.counting != Counting::Quiet || self.has_untold_counts();
        counts.then_some(self.next_tally)
    }

    /// Whether something was counted that no record has seen, which a drop that is live owes one.
    fn has_untold_counts(&self) -> bool {
        self.phase.is_live() && self.sampled != self.tallied
    }

    /// Whether a hold, a countdown or the stream's time runs, which an outage would move.
    pub(crate) fn has_deadline(&self) -> bool {
        self.live_holds > 0 || self.phase == Phase::Countdown || self.lapses_at().is_some()
    }

    /// When the steward has to look at this drop again by the sale's clock, tallies apart.
    pub(crate) fn next_timer(&self, now: Moment) -> Option<UnixMillis> {
        [self.lapses_at(), self.phase_ends_at(now)].into_iter().flatten().min()
    }

    /// When the phase ends by itself, by the sale's clock. Planned times are the wall clock's.
    pub(crate) fn phase_ends_at(&self, now: Moment) -> Option<UnixMillis> {
        match self.phase {
            Phase::Scheduled if !self.start_done => {
                // While the stream is away too long a start waits for it, until it is missed.
                let held = self.watch.holds_start();
                let at = if held { self.plan().starts_at } else { self.start_of_countdown() };
                at.map(|at| now.on_sale(at))
            }
            Phase::Countdown => self.opens_at,
            Phase::Open | Phase::Paused => self.plan().ends_at.map(|at| now.on_sale(at)),
            _ => None,
        }
    }

    /// Whether the planned end has come.
    pub(crate) fn is_over(&self, wall: UnixMillis) -> bool {
        self.plan().ends_at.is_some_and(|at| at <= wall)
    }

    /// When the stream will have been offline for as long as the plan allows.
    pub(crate) fn lapses_at(&self) -> Option<UnixMillis> {
        let over = matches!(self.phase, Phase::Closed | Phase::Settled | Phase::Cancelled);
        self.watch.lapses_at(self.plan()).filter(|_| !over)
    }

    /// When the countdown to a planned start begins, by the wall clock.
    pub(crate) fn start_of_countdown(&self) -> Option<UnixMillis> {
        let plan = self.plan();
        let start = plan.starts_at?.get();
        // The host of a stream whose video is behind has the whole cue, whatever the plan says.
        let countdown = plan.countdown.max(countdown_min(self.sale.video().delay()));
        Some(UnixMillis::new(start.saturating_sub(countdown.get())))
    }
}
