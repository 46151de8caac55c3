//! The pretended provider: when it answers, and what.

use std::collections::VecDeque;

use stampede_domain::{PaymentEvent, PaymentFact, PaymentReference, UnixMillis};
use stampede_engine::Attempt;

use crate::SandboxConfig;

/// Attempts that the sandbox has not answered. One for each hold at most.
#[derive(Debug)]
pub(crate) struct Sandbox {
    config: SandboxConfig,
    /// The delay is the same for all, so the order is that of the attempts.
    due: VecDeque<(UnixMillis, Attempt)>,
}

impl Sandbox {
    pub(crate) const fn new(config: SandboxConfig) -> Self {
        Self { config, due: VecDeque::new() }
    }

    /// Attempts without an answer.
    pub(crate) fn under_way(&self) -> usize {
        self.due.len()
    }

    /// The viewer of this attempt is sent to the sandbox.
    pub(crate) fn begin(&mut self, now: UnixMillis, attempt: Attempt) {
        self.due.push_back((now.plus(self.config.delay), attempt));
    }

    /// When the next answer is due.
    pub(crate) fn next_due(&self) -> Option<UnixMillis> {
        self.due.front().map(|(at, _)| *at)
    }

    /// The next answer that is due, by a number that was drawn from 0 up to 1.
    pub(crate) fn answer(
        &mut self,
        now: UnixMillis,
        draw: &mut dyn FnMut() -> f64,
    ) -> Option<PaymentFact> {
        let (_, attempt) = self.due.pop_front_if(|(at, _)| *at <= now)?;
        let Attempt { payment, hold, amount, .. } = attempt;
        let SandboxConfig { failure_rate, final_failure_rate, .. } = self.config;
        let drawn = draw();
        let is_final = drawn < final_failure_rate;
        let event = if is_final || drawn < final_failure_rate + failure_rate {
            PaymentEvent::Failed { reason: declined(), is_final }
        } else {
            PaymentEvent::Paid { amount }
        };
        let (mode, order_reference) = (None, None);
        Some(PaymentFact { payment, event, holds: vec![hold], mode, order_reference })
    }
}

fn declined() -> PaymentReference {
    PaymentReference::new("card_declined").expect("a short code")
}

#[cfg(test)]
mod tests {
    use stampede_domain::{
        Currency, DropId, DurationMs, HoldId, Incarnation, Money, PaymentId, PoolIndex, SlotIndex,
        TakeNumber, ViewerNumber,
    };

    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_000);

    fn attempt(take: u64) -> Attempt {
        let hold = HoldId::new(
            DropId::new(1),
            Incarnation::new(1).unwrap(),
            PoolIndex::new(0).unwrap(),
            SlotIndex::new(0).unwrap(),
            TakeNumber::new(take).unwrap(),
        );
        let amount = Money::new(100, "EUR".parse::<Currency>().unwrap()).unwrap();
        let payment = PaymentId::new("sandbox", &format!("{hold}-1")).unwrap();
        Attempt { payment, hold, viewer: ViewerNumber::new(7).unwrap(), amount }
    }

    /// What the sandbox says for the number drawn.
    fn drawn(number: f64) -> PaymentEvent {
        let delay = DurationMs::new(200);
        let rates = SandboxConfig { failure_rate: 0.5, final_failure_rate: 0.25, delay };
        let mut sandbox = Sandbox::new(rates);
        sandbox.begin(NOW, attempt(1));
        let due = NOW.plus(delay);
        assert_eq!(sandbox.next_due(), Some(due));
        let early = sandbox.answer(UnixMillis::new(due.get() - 1), &mut || number);
        assert_eq!(early, None, "the provider takes its time");
        let fact = sandbox.answer(due, &mut || number).unwrap();
        assert_eq!((sandbox.next_due(), sandbox.under_way()), (None, 0));
        assert_eq!((fact.payment, fact.holds), (attempt(1).payment, vec![attempt(1).hold]));
        fact.event
    }

    #[test]
    fn the_number_drawn_decides() {
        let failed = |is_final| PaymentEvent::Failed { reason: declined(), is_final };
        assert_eq!(drawn(0.24), failed(true));
        assert_eq!(drawn(0.25), failed(false));
        assert_eq!(drawn(0.74), failed(false));
        assert_eq!(drawn(0.75), PaymentEvent::Paid { amount: attempt(1).amount });
    }

    #[test]
    fn attempts_are_answered_in_the_order_of_their_beginning() {
        let mut sandbox = Sandbox::new(SandboxConfig::default());
        for take in [1, 2] {
            sandbox.begin(NOW, attempt(take));
        }
        let later = NOW.plus(DurationMs::from_secs(9));
        for take in [1, 2] {
            let fact = sandbox.answer(later, &mut || 0.5).unwrap();
            assert_eq!(fact.payment, attempt(take).payment);
        }
        assert_eq!(sandbox.answer(later, &mut || 0.5), None);
    }
}
