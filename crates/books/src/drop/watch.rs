//! A drop's rules for an offline stream, the same for decisions and for replays.

use stampede_domain::{DropPlan, DurationMs, Phase, UnixMillis, WhenOffline};

/// The stream's state as one drop sees it.
///
/// The plan's time runs out once for each report of offline. What the host decides after that stands
/// until the stream was back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamWatch {
    /// When the stream was reported offline, moved by our own outages since; `None` while it is online.
    since: Option<UnixMillis>,
    /// The time that the plan allows is over.
    lapsed: bool,
    /// The drop is paused for this reason alone.
    paused: bool,
}

impl StreamWatch {
    /// The watch of a drop that is planned, or planned anew, while the stream is as it is.
    pub(crate) const fn of_plan(since: Option<UnixMillis>) -> Self {
        Self { since, lapsed: false, paused: false }
    }

    /// When the stream was reported offline, if it is.
    pub const fn offline_since(&self) -> Option<UnixMillis> {
        self.since
    }

    /// Whether the drop is paused because its stream is offline.
    pub const fn has_paused(&self) -> bool {
        self.paused
    }

    /// Whether a planned start has to wait for the stream or the host.
    pub(crate) const fn holds_start(&self) -> bool {
        self.lapsed
    }

    /// When the time that the plan allows is over.
    pub(crate) fn lapses_at(&self, plan: &DropPlan) -> Option<UnixMillis> {
        let WhenOffline { pause_after, .. } = plan.when_offline.filter(|_| !self.lapsed)?;
        Some(self.since?.plus(pause_after))
    }

    /// The stream was reported offline.
    pub(crate) const fn go_offline(&mut self, at: UnixMillis) {
        self.since = Some(at);
        self.lapsed = false;
    }

    /// The time is over: the phase that follows, if another does.
    pub(crate) const fn lapse(&mut self, phase: Phase) -> Option<Phase> {
        self.lapsed = true;
        match phase {
            Phase::Open => {
                self.paused = true;
                Some(Phase::Paused)
            }
            Phase::Countdown => Some(Phase::Scheduled),
            _ => None,
        }
    }

    /// The stream is back: whether the drop goes on with it.
    pub(crate) fn come_back(&mut self, plan: &DropPlan) -> bool {
        let goes_on = self.goes_on(plan);
        *self = Self::default();
        goes_on
    }

    /// Whether the drop will go on once the stream is back.
    pub fn goes_on(&self, plan: &DropPlan) -> bool {
        self.paused && plan.when_offline.is_some_and(|rule| rule.resume)
    }

    /// Somebody else has decided about the phase.
    pub(crate) const fn overrule(&mut self) {
        self.paused = false;
    }

    /// Our outage is not the stream's: the time that it has moves by it, if it ran before `until`.
    pub(crate) fn move_by(&mut self, outage: DurationMs, until: UnixMillis) {
        let moved = |since: UnixMillis| if since < until { since.plus(outage) } else { since };
        self.since = self.since.map(moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_moves_only_the_time_that_ran_before_its_end() {
        let at = UnixMillis::new;
        for (since, moved) in [(999, 1_499), (1_000, 1_000), (1_001, 1_001)] {
            let mut watch = StreamWatch::of_plan(Some(at(since)));
            watch.move_by(DurationMs::new(500), at(1_000));
            assert_eq!(watch.offline_since(), Some(at(moved)));
        }
    }
}
