//! The attempts under way, decided without a clock or randomness of their own.

use std::collections::{HashMap, VecDeque};

use stampede_domain::{HoldId, Refusal, UnixMillis, ViewerNumber};
use stampede_engine::{ConfirmOutcome, FailOutcome, HoldLook};

use crate::SandboxConfig;

/// Something to do at the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The provider has the money ready: turn the hold into an order.
    Confirm(HoldId),
    /// The provider refused for good: end the hold.
    Fail(HoldId),
    /// Tell the viewer that the attempt failed.
    TellFailed(ViewerNumber, HoldId),
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptEnd {
    /// The hold is an order.
    Ordered,
    /// The hold has ended without an order; nothing was captured.
    Ended,
    /// The engine will never answer: its ledger failed, or it stops.
    Unknown,
}

/// Every attempt under way; at most one for each hold.
#[derive(Debug)]
pub(crate) struct Attempts {
    config: SandboxConfig,
    by_hold: HashMap<HoldId, ViewerNumber>,
    /// When the provider answers. The delay is the same for all, so the order is that of starting.
    due: VecDeque<(UnixMillis, HoldId)>,
}

impl Attempts {
    pub(crate) fn new(config: SandboxConfig) -> Self {
        Self { config, by_hold: HashMap::new(), due: VecDeque::new() }
    }

    /// Attempts under way.
    pub(crate) fn count(&self) -> usize {
        self.by_hold.len()
    }

    /// Starts an attempt for a hold that stands as `look` says.
    ///
    /// `look` shows an end only once it is durable, and the engine tells viewers of it no earlier. So
    /// an attempt is under way for its viewer exactly as long as the hold has not ended, however late
    /// the engine's answer comes here; who is told `payment_pending` has the outcome still to come.
    pub(crate) fn start(
        &mut self,
        now: UnixMillis,
        viewer: ViewerNumber,
        hold: HoldId,
        look: HoldLook,
    ) -> Result<(), Refusal> {
        match look {
            // Nobody was told the id of a pending hold, so whoever names it has guessed.
            HoldLook::Pending | HoldLook::Unknown => return Err(Refusal::UnknownHold),
            HoldLook::Ended => return Err(Refusal::HoldEnded),
            HoldLook::Known(status) if status.viewer != viewer => return Err(Refusal::UnknownHold),
            HoldLook::Known(status) if status.confirmed => return Err(Refusal::HoldConfirmed),
            HoldLook::Known(_) => {}
        }
        if self.by_hold.contains_key(&hold) {
            return Err(Refusal::PaymentPending);
        }
        if self.by_hold.len() >= self.config.attempts_max {
            return Err(Refusal::Busy { retry_after: self.config.busy_retry_after });
        }
        self.by_hold.insert(hold, viewer);
        self.due.push_back((now.plus(self.config.delay), hold));
        Ok(())
    }

    /// When the next answer of the provider is due.
    pub(crate) fn next_due(&self) -> Option<UnixMillis> {
        self.due.front().map(|(at, _)| *at)
    }

    /// Lets the provider answer what is due; `draw` gives numbers from 0 up to 1.
    pub(crate) fn step(
        &mut self,
        now: UnixMillis,
        draw: &mut dyn FnMut() -> f64,
        out: &mut Vec<Effect>,
    ) {
        while let Some((_, hold)) = self.due.pop_front_if(|(at, _)| *at <= now) {
            let drawn = draw();
            let SandboxConfig { failure_rate, final_failure_rate, .. } = self.config;
            out.push(if drawn < final_failure_rate {
                Effect::Fail(hold)
            } else if drawn < final_failure_rate + failure_rate {
                let viewer = self.by_hold.remove(&hold).expect("what is due is under way");
                Effect::TellFailed(viewer, hold)
            } else {
                Effect::Confirm(hold)
            });
        }
    }

    /// The engine has answered a confirm durably; `None` means that it never will.
    pub(crate) fn confirmed(
        &mut self,
        hold: HoldId,
        answer: Option<ConfirmOutcome>,
        out: &mut Vec<Effect>,
    ) -> AttemptEnd {
        let viewer = self.finish(hold);
        match answer {
            Some(ConfirmOutcome::Ordered { .. } | ConfirmOutcome::AlreadyOrdered) => {
                AttemptEnd::Ordered
            }
            Some(ConfirmOutcome::DropOver) | None => AttemptEnd::Unknown,
            // The hold ended first: nothing was captured, and the viewer must not wait.
            Some(_) => {
                out.push(Effect::TellFailed(viewer, hold));
                AttemptEnd::Ended
            }
        }
    }

    /// The engine has answered a final failure durably; `None` means that it never will.
    pub(crate) fn failed(
        &mut self,
        hold: HoldId,
        answer: Option<FailOutcome>,
        out: &mut Vec<Effect>,
    ) -> AttemptEnd {
        let viewer = self.finish(hold);
        match answer {
            Some(FailOutcome::Ended | FailOutcome::AlreadyEnded) => {
                out.push(Effect::TellFailed(viewer, hold));
                AttemptEnd::Ended
            }
            Some(FailOutcome::AlreadyOrdered) => AttemptEnd::Ordered,
            Some(FailOutcome::DropOver) | None => AttemptEnd::Unknown,
        }
    }

    fn finish(&mut self, hold: HoldId) -> ViewerNumber {
        self.by_hold.remove(&hold).expect("the engine answers each attempt once")
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{
        DropId, DurationMs, Incarnation, Money, PoolIndex, SkuIndex, SlotIndex, TakeNumber, Units,
    };
    use stampede_engine::HoldStatus;

    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_000);

    fn hold(take: u64) -> HoldId {
        HoldId::new(
            DropId::new(1),
            Incarnation::new(1).unwrap(),
            PoolIndex::new(0).unwrap(),
            SlotIndex::new(0).unwrap(),
            TakeNumber::new(take).unwrap(),
        )
    }

    fn viewer(number: u64) -> ViewerNumber {
        ViewerNumber::new(number).unwrap()
    }

    fn look(take: u64, owner: u64, confirmed: bool) -> HoldLook {
        HoldLook::Known(HoldStatus {
            hold: hold(take),
            viewer: viewer(owner),
            sku: SkuIndex::new(0).unwrap(),
            units: Units::ONE,
            amount: Money::new(100, "EUR".parse().unwrap()).unwrap(),
            deadline: NOW.plus(DurationMs::from_secs(60)),
            confirmed,
        })
    }

    fn attempts(failure_rate: f64, final_failure_rate: f64) -> Attempts {
        let delay = DurationMs::new(200);
        let base = SandboxConfig { delay, attempts_max: 2, ..SandboxConfig::default() };
        Attempts::new(SandboxConfig { failure_rate, final_failure_rate, ..base })
    }

    #[test]
    fn each_state_of_a_hold_has_its_refusal() {
        let mut attempts = attempts(0.0, 0.0);
        let mut start = |take, look| attempts.start(NOW, viewer(7), hold(take), look);
        assert_eq!(start(1, HoldLook::Unknown), Err(Refusal::UnknownHold));
        assert_eq!(start(1, HoldLook::Pending), Err(Refusal::UnknownHold));
        assert_eq!(start(1, look(1, 8, false)), Err(Refusal::UnknownHold));
        assert_eq!(start(1, HoldLook::Ended), Err(Refusal::HoldEnded));
        assert_eq!(start(1, look(1, 7, true)), Err(Refusal::HoldConfirmed));
        assert_eq!(start(1, look(1, 7, false)), Ok(()));
        assert_eq!(start(1, look(1, 7, false)), Err(Refusal::PaymentPending));
        assert_eq!(start(1, look(1, 7, true)), Err(Refusal::HoldConfirmed), "the viewer was told");
        assert_eq!(start(1, HoldLook::Ended), Err(Refusal::HoldEnded), "the viewer was told");
        assert_eq!(start(2, look(2, 7, false)), Ok(()));
        let busy = Refusal::Busy { retry_after: DurationMs::new(250) };
        assert_eq!(start(3, look(3, 7, false)), Err(busy));
    }

    /// Runs one attempt with the number drawn; gives its effect and what is left under way.
    fn drawn(number: f64) -> (Effect, Attempts) {
        let mut attempts = attempts(0.5, 0.25);
        attempts.start(NOW, viewer(7), hold(1), look(1, 7, false)).unwrap();
        let due = NOW.plus(DurationMs::new(200));
        assert_eq!(attempts.next_due(), Some(due));
        let mut out = Vec::new();
        attempts.step(UnixMillis::new(due.get() - 1), &mut || number, &mut out);
        assert_eq!(out, [], "the provider takes its time");
        attempts.step(due, &mut || number, &mut out);
        assert_eq!((out.len(), attempts.next_due()), (1, None));
        (out[0], attempts)
    }

    #[test]
    fn a_failed_attempt_can_be_repeated() {
        let (effect, mut attempts) = drawn(0.74);
        assert_eq!(effect, Effect::TellFailed(viewer(7), hold(1)));
        assert_eq!(attempts.start(NOW, viewer(7), hold(1), look(1, 7, false)), Ok(()));
    }

    #[test]
    fn a_final_failure_ends_the_hold_before_the_viewer_is_told() {
        let (effect, mut attempts) = drawn(0.24);
        assert_eq!(effect, Effect::Fail(hold(1)));
        let mut out = Vec::new();
        let outcome = attempts.failed(hold(1), Some(FailOutcome::Ended), &mut out);
        assert_eq!(outcome, AttemptEnd::Ended);
        assert_eq!(out, [Effect::TellFailed(viewer(7), hold(1))]);
        assert_eq!(attempts.count(), 0);
    }

    #[test]
    fn a_confirm_that_comes_too_late_captures_nothing() {
        let (effect, mut attempts) = drawn(0.75);
        assert_eq!(effect, Effect::Confirm(hold(1)));
        let mut out = Vec::new();
        let outcome =
            attempts.confirmed(hold(1), Some(ConfirmOutcome::Expired { late_ms: 3 }), &mut out);
        assert_eq!(outcome, AttemptEnd::Ended);
        assert_eq!(out, [Effect::TellFailed(viewer(7), hold(1))]);
    }

    #[test]
    fn a_confirm_that_succeeds_leaves_telling_to_the_engine() {
        let (_, mut attempts) = drawn(0.99);
        let mut out = Vec::new();
        let outcome = attempts.confirmed(hold(1), Some(ConfirmOutcome::AlreadyOrdered), &mut out);
        assert_eq!((outcome, out.len(), attempts.count()), (AttemptEnd::Ordered, 0, 0));
    }
}
