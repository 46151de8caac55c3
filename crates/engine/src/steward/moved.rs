//! Deadlines that moved are told to the viewers whose they are, a portion at a time.

use stampede_domain::{DropId, DurationMs, HoldId, UnixMillis};
use stampede_stock::HoldView;

use super::Steward;
use crate::event::ViewerEvent;

/// Holds looked at before other work gets its turn.
const PORTION_MAX: usize = 1_024;
/// Time between two portions, in which the cores write to everybody else.
const PORTION_EVERY: DurationMs = DurationMs::new(10);

/// Holds whose viewers may have to be told. Bounded by the holds that are watched.
#[derive(Default)]
pub(crate) struct MovedHolds {
    /// The next one stands last.
    holds: Vec<HoldId>,
    /// Those taken before have moved.
    until: UnixMillis,
    due: UnixMillis,
}

impl MovedHolds {
    /// When the next portion is due.
    pub(super) fn next(&self) -> Option<UnixMillis> {
        (!self.holds.is_empty()).then_some(self.due)
    }
}

impl Steward {
    /// What moved deadlines is durable: viewers who took before `until`, in the one drop if it was about one, are
    /// told how much time is left, nearest deadline first. Who was to be told of something earlier still is.
    pub(super) fn note_moved(&mut self, drop: Option<DropId>, until: UnixMillis) {
        let moved = self.deadlines.holds();
        let moved = moved.filter(|hold| drop.is_none_or(|drop| hold.drop_id() == drop));
        let mut new: Vec<_> = moved.collect();
        new.reverse();
        let mut holds = std::mem::take(&mut self.moved.holds);
        holds.retain(|hold| drop.is_some_and(|drop| hold.drop_id() != drop));
        holds.append(&mut new);
        let until = until.max(self.moved.until);
        self.moved = MovedHolds { holds, until, due: UnixMillis::default() };
    }

    /// Tells the next portion, if its time has come.
    pub(super) fn tell_moved(&mut self, now: UnixMillis) {
        if self.moved.next().is_none_or(|at| at > now) {
            return;
        }
        let rest = self.moved.holds.len().saturating_sub(PORTION_MAX);
        let portion = self.moved.holds.split_off(rest);
        for hold in portion.into_iter().rev() {
            let Some(sale) = self.sales.get(&hold.drop_id()) else { continue };
            if let HoldView::Held(body) = sale.stock().view(hold)
                && body.taken_at < self.moved.until
            {
                self.shared.tell(body.viewer, ViewerEvent::Held(hold), None);
            }
        }
        if rest == 0 {
            self.moved.holds = Vec::new();
        }
        self.moved.due = now.plus(PORTION_EVERY);
    }
}
