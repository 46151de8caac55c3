//! How a drop stands: the one value that the wire, JSON with the pages show.

use std::sync::Arc;

use stampede_books::{SeenDrop, Totals};
use stampede_domain::{DropId, DropPlan, DurationMs, Phase, UnixMillis};

use crate::{
    asked::ShownRequests, clock::Moment, figures::SkuFigures, hold_ends::HoldEnding,
    paying::PayingFigures, recent::Second, sale::SaleDrop, summary::DropSummary,
};

/// Where a drop stands, its figures apart: equal as long as nobody has to be told of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropStanding {
    /// Rises with each edit and amendment, each change of phase, each change on air; below 2^53. The phase is at least
    /// the one that belongs to it.
    pub version: u64,
    /// Counts the edits and amendments of the plan; the first plan is 1.
    pub revision: u32,
    /// The phase.
    pub phase: Phase,
    /// Counts the changes of phase and edits since it was planned, over restarts too; `None` for a drop that
    /// has left memory.
    pub phase_changes: Option<u64>,
    /// Whether the drop is the one on air in its stream, among those of its mode.
    pub featured: bool,
    /// Whether viewers have not heard of the drop yet; of one that is planned alone.
    pub hidden: bool,
    /// The start that passed while nothing could open the drop, by the wall clock; it waits for its host
    /// since.
    pub start_missed: Option<UnixMillis>,
    opening: Option<Opening>,
    /// When the drop closes by itself, by the wall clock.
    ends_at: Option<UnixMillis>,
    /// The same by the sale's clock, where it goes by the opening.
    ends_after_opening: Option<UnixMillis>,
    /// When a drop that winds down closes at the latest, by the sale's clock.
    winds_down_until: Option<UnixMillis>,
    /// When the stream was reported offline, by the sale's clock, moved by our own outages since.
    offline_since: Option<UnixMillis>,
    /// How much later the stream's viewers see and hear it; zero where nobody has said.
    pub video_delay: DurationMs,
    /// When a countdown ended and takes began, by the sale's clock.
    opened_at: Option<UnixMillis>,
}

/// When a drop opens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// At its planned start, by the wall clock.
    Planned(UnixMillis),
    /// When the countdown ends, by the sale's clock.
    Countdown(UnixMillis),
}

/// A drop with everything that is shown of it, read at one moment while the sale goes on: figures may
/// differ by the takes of that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropView {
    /// The id within the ledger.
    pub drop: DropId,
    /// The terms.
    pub plan: Arc<DropPlan>,
    /// Where it stands.
    pub standing: DropStanding,
    /// When all of it was read.
    pub now: Moment,
    /// Distinct viewers connected to the drop's stream.
    pub viewers_connected: u64,
    /// The figures of every SKU, in the plan's order.
    pub skus: Vec<SkuFigures>,
    /// What viewers asked for since the engine started.
    pub totals: Totals,
    /// When what is held comes back if nobody pays.
    pub ending: HoldEnding,
    /// How it goes with paying for it; `None` for a drop that has left memory.
    pub paying: Option<PayingFigures>,
    /// Requests for more units than are in reserve: those that nobody has ended, then the latest of the others. Once
    /// takes are over for good, none is open any more.
    pub requests: ShownRequests,
}

impl SaleDrop {
    /// Where the drop stands, its figures apart.
    pub fn standing(&self) -> DropStanding {
        DropStanding::of(self)
    }

    /// Everything that is shown of the drop.
    pub fn view(&self, now: Moment) -> DropView {
        let standing = self.standing();
        DropView {
            drop: self.id(),
            plan: self.terms(),
            standing,
            now,
            viewers_connected: self.viewers_connected(),
            skus: self.figures_in(standing.phase),
            totals: self.totals(),
            ending: self.hold_ends().ending(
                self.plan(),
                (self.suspensions(), self.extensions()),
                now.sale,
            ),
            paying: Some(self.paying().figures(now.sale)),
            requests: self.asked().shown(),
        }
    }
}

impl SaleDrop {
    /// The seconds behind the one with this number in which viewers asked for anything, oldest first, as
    /// far as they were over within the last minute.
    pub fn seconds_after(&self, number: u64, now: Moment) -> Vec<Arc<Second>> {
        self.counts().recent.after(number, now.sale)
    }
}

impl DropStanding {
    fn of(sale: &SaleDrop) -> Self {
        // The version first: a reader who knows a version knows at least the phase that belongs to it.
        let version = sale.version();
        let (phase, phase_changes) = sale.counted_phase();
        let plan = sale.terms();
        let opening = match phase {
            Phase::Scheduled if !sale.start_is_over() => plan.starts_at.map(Opening::Planned),
            Phase::Countdown => sale.opens_at().map(Opening::Countdown),
            _ => None,
        };
        let is_over = phase.is_ending() || phase.is_final();
        Self {
            version,
            revision: sale.revision(),
            phase,
            phase_changes: Some(phase_changes),
            featured: sale.is_featured(),
            hidden: phase == Phase::Scheduled && sale.is_hidden(),
            start_missed: sale.missed_start().filter(|_| phase == Phase::Scheduled),
            opening,
            ends_at: plan.ends_at.filter(|_| !is_over),
            ends_after_opening: plan
                .ends_after_opening
                .and_then(|span| Some(sale.opened_at()?.plus(span)))
                .filter(|_| !is_over),
            winds_down_until: sale.span().winds_down_until().filter(|_| !is_over),
            offline_since: sale.stream_offline_since(),
            video_delay: sale.video().delay(),
            opened_at: sale.video().opened_at().filter(|_| !is_over),
        }
    }

    /// A drop that has left memory.
    pub fn over(over: &DropSummary) -> Self {
        Self {
            version: over.version,
            revision: over.revision,
            phase: over.phase,
            phase_changes: None,
            featured: false,
            hidden: false,
            start_missed: None,
            opening: None,
            ends_at: None,
            ends_after_opening: None,
            winds_down_until: None,
            offline_since: None,
            video_delay: DurationMs::ZERO,
            opened_at: None,
        }
    }

    /// Time left until the drop opens by itself: of the countdown, or until the planned start. `None`
    /// for a drop that waits for its host.
    pub fn opens_in(&self, now: Moment) -> Option<DurationMs> {
        self.opening.map(|opening| match opening {
            Opening::Planned(at) => at.since(now.wall),
            Opening::Countdown(at) => at.since(now.sale),
        })
    }

    /// Time since a countdown ended and takes began. `None` before, and after a restart of the server.
    pub fn opened_ago(&self, now: Moment) -> Option<DurationMs> {
        self.opened_at.map(|at| now.sale.since(at))
    }

    /// Time left until the drop closes by itself. `None` if nothing ends it by itself, or once takes are over.
    pub fn closes_in(&self, now: Moment) -> Option<DurationMs> {
        let by_clock = self.ends_at.map(|at| at.since(now.wall));
        let by_opening = self.ends_after_opening.map(|at| at.since(now.sale));
        [by_clock, by_opening, self.winds_down_in(now)].into_iter().flatten().min()
    }

    /// Time left until a drop that winds down closes at the latest; `None` for one that does not.
    pub fn winds_down_in(&self, now: Moment) -> Option<DurationMs> {
        self.winds_down_until.map(|at| at.since(now.sale))
    }

    /// When the platform reported the drop's stream offline, by the wall clock, moved by our own outages
    /// since; `None` while the stream is online.
    pub fn stream_offline_since(&self, now: Moment) -> Option<UnixMillis> {
        self.offline_since.map(|at| now.on_wall(at))
    }
}

impl From<&DropStanding> for SeenDrop {
    fn from(standing: &DropStanding) -> Self {
        let DropStanding { phase, revision, phase_changes, .. } = *standing;
        Self { phase, revision, phase_changes }
    }
}

impl DropView {
    /// A drop that has left memory, with its terms from the ledger.
    pub fn over(
        over: &DropSummary,
        plan: Arc<DropPlan>,
        viewers_connected: u64,
        now: Moment,
    ) -> Self {
        Self {
            drop: over.id,
            plan,
            standing: DropStanding::over(over),
            now,
            viewers_connected,
            skus: over.figures().collect(),
            totals: over.totals.clone(),
            ending: HoldEnding::default(),
            paying: None,
            requests: ShownRequests::default(),
        }
    }

    /// Time left until the drop opens by itself, from when it was read.
    pub fn opens_in(&self) -> Option<DurationMs> {
        self.standing.opens_in(self.now)
    }

    /// Time left until a drop that winds down closes at the latest, from when it was read.
    pub fn winds_down_in(&self) -> Option<DurationMs> {
        self.standing.winds_down_in(self.now)
    }

    /// Time left until the drop closes by itself, from when it was read.
    pub fn closes_in(&self) -> Option<DurationMs> {
        self.standing.closes_in(self.now)
    }
}
