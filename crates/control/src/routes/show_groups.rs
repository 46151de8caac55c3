//! Which drops make a show: those of one stream that follow each other.

use std::collections::HashMap;

use stampede_domain::{DropId, Mode, Phase, StreamId, UnixMillis};
use stampede_engine::Moment;
use stampede_report::show::{Show, is_running, shows};

use super::standing::{Standing, sees};
use crate::{auth::Staff, state::ControlState};

/// A show: drops of one stream, in the order of their beginnings.
pub(super) struct DropsOfShow {
    /// At least one.
    drops: Vec<Standing>,
}

impl DropsOfShow {
    /// The drops in the order of their beginnings.
    pub(super) fn drops(&self) -> &[Standing] {
        &self.drops
    }

    /// Those of them of which viewers have heard; `None` if there are none.
    pub(super) fn without_hidden(mut self) -> Option<Self> {
        self.drops.retain(|found| !found.is_hidden());
        (!self.drops.is_empty()).then_some(self)
    }

    /// The first drop, which names the show.
    pub(super) fn first(&self) -> &Standing {
        &self.drops[0]
    }

    /// When it began: the earliest time that is known of any of its drops. Of each this is the opening, else when it was
    /// to start or was over.
    pub(super) fn began(&self) -> Option<UnixMillis> {
        let times = self.drops.iter().map(Standing::in_show);
        times.filter_map(|drop| drop.opened_at.or(drop.planned_at).or(drop.ended_at)).min()
    }

    /// When the last of the drops that it shows was over; `None` while it runs.
    pub(super) fn ended(&self) -> Option<UnixMillis> {
        let shown = self.shown();
        let ends = shown.iter().map(|found| found.in_show().ended_at);
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Whether figures of it may still change, as its report has it.
    pub(super) fn is_running(&self) -> bool {
        is_running(self.drops.iter().map(|found| (found.mode(), found.phase())))
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
pub(super) fn shows_of(drops: Vec<Standing>, now: Moment) -> Vec<DropsOfShow> {
    let grouped = shows(drops.iter().map(Standing::in_show), now.wall);
    let mut drops: HashMap<DropId, Standing> =
        drops.into_iter().map(|found| (found.id(), found)).collect();
    let named = |show: Show| {
        let drops = show.drops.iter().filter_map(|drop| drops.remove(drop)).collect();
        DropsOfShow { drops }
    };
    grouped.into_iter().map(named).collect()
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
    let mut drops = Standing::counted(state.engine());
    drops.retain(|found| *found.stream() == stream && sees(found));
    let all = shows_of(drops, state.engine().moment());
    all.into_iter().find(|show| show.drops.iter().any(|found| found.id() == drop))
}
