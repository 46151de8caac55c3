//! The pretended provider: when it answers, and what.

use std::collections::BTreeMap;

use stampede_domain::{
    DurationMs, Money, PaymentEvent, PaymentFact, PaymentId, PaymentReference, TestCard, UnixMillis,
};
use stampede_engine::Attempt;

use crate::SandboxConfig;

/// The bank's check takes so many delays: 7.5 s by default.
const CHALLENGE_DELAYS: u64 = 15;
/// A slow payment takes so many delays: 25 s by default.
const SLOW_DELAYS: u64 = 50;

/// Attempts that the sandbox has not answered, with what else it will say.
#[derive(Debug)]
pub(crate) struct Sandbox {
    config: SandboxConfig,
    /// By time, then in the order in which they were put off.
    due: BTreeMap<(UnixMillis, u64), Due>,
    /// Attempts that wait until their hold has ended.
    waiting: BTreeMap<PaymentId, Attempt>,
    next_number: u64,
}

/// What the sandbox will say.
#[derive(Debug)]
enum Due {
    /// What the shares of failures say.
    Drawn(Attempt),
    /// What was decided before.
    Said(PaymentFact),
}

impl Sandbox {
    pub(crate) const fn new(config: SandboxConfig) -> Self {
        Self { config, due: BTreeMap::new(), waiting: BTreeMap::new(), next_number: 0 }
    }

    /// Answers that have not come.
    pub(crate) fn under_way(&self) -> usize {
        self.due.len() + self.waiting.len()
    }

    /// The viewer of this attempt is sent to the sandbox.
    pub(crate) fn begin(&mut self, now: UnixMillis, attempt: Attempt) {
        let Some(card) = card_of(&attempt) else {
            return self.put_off(now, 1, Due::Drawn(attempt));
        };
        let amount = attempt.amount;
        let paid = said(&attempt, PaymentEvent::Paid { amount });
        match card {
            TestCard::Approved => self.put_off(now, 1, paid),
            TestCard::Challenge => self.put_off(now, CHALLENGE_DELAYS, paid),
            TestCard::Slow => self.put_off(now, SLOW_DELAYS, paid),
            TestCard::Declined => self.fail(now, &attempt, ("card_declined", false)),
            TestCard::InsufficientFunds => self.fail(now, &attempt, ("insufficient_funds", false)),
            TestCard::DeclinedForGood => self.fail(now, &attempt, ("stolen_card", true)),
            TestCard::WrongAmount => {
                let amount = another(amount);
                self.put_off(now, 1, said(&attempt, PaymentEvent::Paid { amount }));
            }
            TestCard::Duplicate => {
                let mut second = attempt.clone();
                second.payment = second_of(&attempt.payment);
                for due in [said(&attempt, PaymentEvent::Paid { amount }), paid] {
                    self.put_off(now, 1, due);
                }
                self.put_off(now, 1, said(&second, PaymentEvent::Paid { amount }));
            }
            TestCard::Refunded => {
                self.put_off(now, 1, paid);
                let total = amount;
                self.put_off(now, 2, said(&attempt, PaymentEvent::Refunded { total }));
            }
            TestCard::Late | TestCard::Expires => {
                self.waiting.insert(attempt.payment.clone(), attempt);
            }
        }
    }

    /// The hold of an attempt has ended: whatever waited for that comes now.
    pub(crate) fn hold_ended(&mut self, now: UnixMillis, payment: &PaymentId) {
        let Some(attempt) = self.waiting.remove(payment) else { return };
        let event = match card_of(&attempt) {
            Some(TestCard::Late) => PaymentEvent::Paid { amount: attempt.amount },
            _ => PaymentEvent::Voided,
        };
        self.put_off(now, 1, said(&attempt, event));
    }

    fn fail(&mut self, now: UnixMillis, attempt: &Attempt, (reason, is_final): (&str, bool)) {
        let reason = PaymentReference::new(reason).expect("a short code");
        self.put_off(now, 1, said(attempt, PaymentEvent::Failed { reason, is_final }));
    }

    fn put_off(&mut self, now: UnixMillis, delays: u64, due: Due) {
        let wait = DurationMs::new(self.config.delay.get().saturating_mul(delays));
        self.due.insert((now.plus(wait), self.next_number), due);
        self.next_number += 1;
    }

    /// When the next answer is due.
    pub(crate) fn next_due(&self) -> Option<UnixMillis> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next answer that is due, by a number that was drawn from 0 up to 1.
    pub(crate) fn answer(
        &mut self,
        now: UnixMillis,
        draw: &mut dyn FnMut() -> f64,
    ) -> Option<PaymentFact> {
        let first = self.due.first_entry().filter(|first| first.key().0 <= now)?;
        let attempt = match first.remove() {
            Due::Said(fact) => return Some(fact),
            Due::Drawn(attempt) => attempt,
        };
        let SandboxConfig { failure_rate, final_failure_rate, .. } = self.config;
        let drawn = draw();
        let is_final = drawn < final_failure_rate;
        Some(fact(
            &attempt,
            if is_final || drawn < final_failure_rate + failure_rate {
                let reason = PaymentReference::new("card_declined").expect("a short code");
                PaymentEvent::Failed { reason, is_final }
            } else {
                PaymentEvent::Paid { amount: attempt.amount }
            },
        ))
    }
}

/// The card that stands in the name of an attempt, such as `{hold}-2-declined`.
fn card_of(attempt: &Attempt) -> Option<TestCard> {
    let (_, card) = attempt.payment.reference.as_str().rsplit_once('-')?;
    card.parse().ok()
}

/// A payment of the same hold under another name.
fn second_of(payment: &PaymentId) -> PaymentId {
    let (attempt, _) = payment.reference.as_str().rsplit_once('-').expect("its name has a card");
    let reference = PaymentReference::new(&format!("{attempt}-second"));
    PaymentId { account: payment.account.clone(), reference: reference.expect("a shorter name") }
}

/// Another amount than is owed.
fn another(amount: Money) -> Money {
    let (minor, currency) = (amount.minor(), amount.currency());
    let more = Money::new(minor + 1, currency);
    more.unwrap_or_else(|| Money::new(minor - 1, currency).expect("less than an amount"))
}

fn said(attempt: &Attempt, event: PaymentEvent) -> Due {
    Due::Said(fact(attempt, event))
}

fn fact(attempt: &Attempt, event: PaymentEvent) -> PaymentFact {
    let (payment, holds) = (attempt.payment.clone(), vec![attempt.hold]);
    PaymentFact { payment, event, holds, mode: None, order_reference: None }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{
        Currency, DropId, HoldId, Incarnation, PoolIndex, SlotIndex, TakeNumber, ViewerNumber,
    };

    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_000);

    fn attempt(take: u64) -> Attempt {
        of_card(take, "")
    }

    fn of_card(take: u64, card: &str) -> Attempt {
        let hold = HoldId::new(
            DropId::new(1),
            Incarnation::new(1).unwrap(),
            PoolIndex::new(0).unwrap(),
            SlotIndex::new(0).unwrap(),
            TakeNumber::new(take).unwrap(),
        );
        let payment = PaymentId::new("sandbox", &format!("{hold}-1{card}")).unwrap();
        Attempt { payment, hold, viewer: ViewerNumber::new(7).unwrap(), amount: cents(100) }
    }

    fn cents(minor: u64) -> Money {
        Money::new(minor, "EUR".parse::<Currency>().unwrap()).unwrap()
    }

    fn declined(reason: &str, is_final: bool) -> PaymentEvent {
        PaymentEvent::Failed { reason: reason.parse().unwrap(), is_final }
    }

    /// A sandbox at which every attempt without a card fails for good.
    fn failing() -> Sandbox {
        let delay = DurationMs::new(200);
        Sandbox::new(SandboxConfig { failure_rate: 0.0, final_failure_rate: 1.0, delay })
    }

    /// All that the sandbox says in time, each with the delays after which it came.
    fn heard(sandbox: &mut Sandbox) -> Vec<(u64, String, PaymentEvent)> {
        let mut heard = Vec::new();
        while let Some(at) = sandbox.next_due() {
            let fact = sandbox.answer(at, &mut || 0.5).unwrap();
            let name = fact.payment.reference.as_str()[33..].to_owned();
            heard.push((at.since(NOW).get() / 200, name, fact.event));
        }
        heard
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
        assert_eq!(drawn(0.24), declined("card_declined", true));
        assert_eq!(drawn(0.25), declined("card_declined", false));
        assert_eq!(drawn(0.74), declined("card_declined", false));
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

    #[test]
    fn a_card_forces_what_comes_whatever_is_drawn() {
        let paid = || PaymentEvent::Paid { amount: cents(100) };
        for card in TestCard::ALL {
            let mut sandbox = failing();
            sandbox.begin(NOW, of_card(1, &format!("-{card}")));
            let name = format!("1-{card}");
            let once = |delays, event| vec![(delays, name.clone(), event)];
            let expected = match card {
                TestCard::Approved => once(1, paid()),
                TestCard::Declined => once(1, declined("card_declined", false)),
                TestCard::InsufficientFunds => once(1, declined("insufficient_funds", false)),
                TestCard::DeclinedForGood => once(1, declined("stolen_card", true)),
                TestCard::Challenge => once(15, paid()),
                TestCard::Slow => once(50, paid()),
                TestCard::Late | TestCard::Expires => vec![],
                TestCard::WrongAmount => once(1, PaymentEvent::Paid { amount: cents(101) }),
                TestCard::Duplicate => {
                    let second = (1, "1-second".to_owned(), paid());
                    [once(1, paid()), once(1, paid()), vec![second]].concat()
                }
                TestCard::Refunded => {
                    let total = cents(100);
                    [once(1, paid()), once(2, PaymentEvent::Refunded { total })].concat()
                }
            };
            assert_eq!(heard(&mut sandbox), expected, "{card}");
        }
        let mut sandbox = failing();
        sandbox.begin(NOW, attempt(1));
        let drawn = (1, "1".to_owned(), declined("card_declined", true));
        assert_eq!(heard(&mut sandbox), [drawn], "without a card it is drawn");
    }

    #[test]
    fn some_cards_wait_until_the_hold_has_ended() {
        for (card, event) in [
            ("-late", PaymentEvent::Paid { amount: cents(100) }),
            ("-expires", PaymentEvent::Voided),
        ] {
            let (mut sandbox, attempt) = (failing(), of_card(1, card));
            sandbox.begin(NOW, attempt.clone());
            assert_eq!((sandbox.under_way(), sandbox.next_due()), (1, None));
            sandbox.hold_ended(NOW, &of_card(2, card).payment);
            assert_eq!(sandbox.next_due(), None, "another hold's");
            sandbox.hold_ended(NOW, &attempt.payment);
            sandbox.hold_ended(NOW, &attempt.payment);
            assert_eq!(heard(&mut sandbox), [(1, format!("1{card}"), event)]);
        }
    }

    #[test]
    fn another_amount_is_one_that_can_be_written() {
        assert_eq!(another(cents(Money::MINOR_MAX)), cents(Money::MINOR_MAX - 1));
    }
}
