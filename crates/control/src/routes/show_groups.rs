//! Which drops make a show: those of one stream that follow each other.

use stampede_domain::{DropId, Mode, Phase, StreamId, UnixMillis};
use stampede_engine::Moment;

use super::standing::{Standing, sees};
use crate::{auth::Staff, state::ControlState};

/// A drop that begins later than this after the end of all before it begins a new show, in milliseconds.
const SHOW_GAP_MS: u64 = 6 * 3_600_000;

/// A show: drops of one stream, in the order of their beginnings.
pub(super) struct DropsOfShow {
    /// At least one.
    drops: Vec<Standing>,
    began: UnixMillis,
    ended: UnixMillis,
}

impl DropsOfShow {
    /// The drops in the order of their beginnings.
    pub(super) fn drops(&self) -> &[Standing] {
        &self.drops
    }

    /// The first drop, which names the show.
    pub(super) fn first(&self) -> &Standing {
        &self.drops[0]
    }

    /// When it began.
    pub(super) fn began(&self) -> UnixMillis {
        self.began
    }

    /// When it was over; `None` while it runs.
    pub(super) fn ended(&self) -> Option<UnixMillis> {
        (!self.is_running()).then_some(self.ended)
    }

    /// Whether a drop is neither settled nor cancelled.
    pub(super) fn is_running(&self) -> bool {
        self.drops.iter().any(|found| !found.is_final())
    }

    /// Whether a drop has opened or is over.
    pub(super) fn has_begun(&self) -> bool {
        let waits = |phase| matches!(phase, Phase::Scheduled | Phase::Countdown);
        self.drops.iter().any(|found| !waits(found.phase()))
    }

    /// The live drops, where there are any.
    pub(super) fn shown(&self) -> Vec<&Standing> {
        let is_live = |found: &&Standing| found.mode() == Mode::Live;
        let any_live = self.drops.iter().any(|found| is_live(&found));
        self.drops.iter().filter(|found| !any_live || is_live(found)).collect()
    }
}

/// Every show among these drops, by stream, then by time.
pub(super) fn shows(drops: Vec<Standing>, now: Moment) -> Vec<DropsOfShow> {
    let mut timed: Vec<_> = drops.into_iter().map(|found| (found.span(now), found)).collect();
    timed.sort_by(|(one_span, one), (other_span, other)| {
        let by_stream = one.stream().cmp(other.stream());
        by_stream.then_with(|| (one_span, one.id()).cmp(&(other_span, other.id())))
    });
    let mut shows: Vec<DropsOfShow> = Vec::new();
    for ((began, ended), found) in timed {
        match shows.last_mut() {
            Some(show)
                if show.first().stream() == found.stream()
                    && began.since(show.ended).get() <= SHOW_GAP_MS =>
            {
                show.ended = show.ended.max(ended);
                show.drops.push(found);
            }
            _ => shows.push(DropsOfShow { drops: vec![found], began, ended }),
        }
    }
    shows
}

/// The show of a drop, as a member of staff sees it.
pub(super) fn show_of(state: &ControlState, staff: &Staff, drop: DropId) -> Option<DropsOfShow> {
    show_among(state, drop, |found| sees(state, staff, found))
}

/// The show of a drop, of those drops of its stream that `sees` picks.
pub(super) fn show_among(
    state: &ControlState,
    drop: DropId,
    sees: impl Fn(&Standing) -> bool,
) -> Option<DropsOfShow> {
    let stream: StreamId = Standing::of(state.engine(), drop)?.stream().clone();
    let mut drops = Standing::all(state.engine());
    drops.retain(|found| *found.stream() == stream && sees(found));
    let all = shows(drops, state.engine().moment());
    all.into_iter().find(|show| show.drops.iter().any(|found| found.id() == drop))
}
