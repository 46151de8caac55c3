//! Deadlines that moved are told to the viewers whose they are, a portion at a time.

use stampede_domain::{DurationMs, HoldId, UnixMillis};
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
    /// What moved deadlines is durable: viewers who took before `until` are told how much time is left, nearest
    /// deadline first.
    pub(super) fn note_moved(&mut self, until: UnixMillis) {
        let mut holds: Vec<_> = self.deadlines.holds().collect();
        holds.reverse();
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
