//! What becomes of holds: payments that come twice, late, in the wrong order, of the wrong amount, or not at all.

use std::{rc::Rc, time::Duration};

use rand::{Rng, rngs::StdRng};
use stampede_domain::HoldId;

use super::{
    Live,
    books::Goods,
    till::{Event, Report, Till},
    viewer::{Viewer, Wish},
    waiting_holds::WaitingHold,
};
use crate::error::DrillError;

/// How often a hold is looked at that is to end.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Looks at a hold that is to end; a server that is down in between prolongs it.
const LOOKS_MAX: u32 = 600;

/// A story with its share of all stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Story {
    Plain,
    Twice,
    ThriceAtOnce,
    RefundFirst,
    PartRefundFirst,
    FailedAfterwards,
    FailedThenPaid,
    FailedForGood,
    PaidAfterFailedForGood,
    WrongAmount,
    WrongCurrency,
    TwoPayments,
    TwoPaymentsAtOnce,
    SeveralHolds,
    SeveralHoldsLate,
    Captured,
    CapturedAtTheEnd,
    Voided,
    WrongAmountVoided,
    PartlyRefunded,
    ReleasedThenPaid,
    ReleasedWhilePaying,
    Late,
    LateAtOnce,
    TwoPaymentsLate,
    RefundFirstLate,
    BegunLate,
    BegunOnly,
    Cancelled,
    Released,
    NeverPaid,
    /// For a kill between a record and its answer.
    Killed,
}

const SHARES: &[(Story, u32)] = &[
    (Story::Plain, 14),
    (Story::Twice, 8),
    (Story::ThriceAtOnce, 8),
    (Story::RefundFirst, 3),
    (Story::PartRefundFirst, 2),
    (Story::FailedAfterwards, 4),
    (Story::FailedThenPaid, 5),
    (Story::FailedForGood, 3),
    (Story::PaidAfterFailedForGood, 3),
    (Story::WrongAmount, 4),
    (Story::WrongCurrency, 2),
    (Story::TwoPayments, 4),
    (Story::TwoPaymentsAtOnce, 4),
    (Story::SeveralHolds, 5),
    (Story::SeveralHoldsLate, 2),
    (Story::Captured, 4),
    (Story::CapturedAtTheEnd, 2),
    (Story::Voided, 2),
    (Story::WrongAmountVoided, 2),
    (Story::PartlyRefunded, 3),
    (Story::ReleasedThenPaid, 3),
    (Story::ReleasedWhilePaying, 3),
    (Story::Late, 8),
    (Story::LateAtOnce, 3),
    (Story::TwoPaymentsLate, 3),
    (Story::RefundFirstLate, 2),
    (Story::BegunLate, 2),
    (Story::BegunOnly, 2),
    (Story::Cancelled, 2),
    (Story::Released, 4),
    (Story::NeverPaid, 6),
    (Story::Killed, 8),
];

impl Story {
    /// One of them, each as often as its share says.
    pub(super) fn draw(rng: &mut StdRng) -> Self {
        let all: u32 = SHARES.iter().map(|(_, share)| share).sum();
        let mut drawn = rng.random_range(0..all);
        for (story, share) in SHARES {
            if drawn < *share {
                return *story;
            }
            drawn -= share;
        }
        Self::Plain
    }

    /// How many holds it is about.
    pub(super) const fn holds(self) -> usize {
        match self {
            Self::SeveralHolds | Self::SeveralHoldsLate => 3,
            _ => 1,
        }
    }
}

/// A story under way.
pub(super) struct Teller {
    pub(super) till: Rc<Till>,
    pub(super) viewer: Rc<Viewer>,
    pub(super) live: std::sync::Arc<Live>,
    pub(super) holds: Vec<(HoldId, Goods)>,
    pub(super) rng: StdRng,
}

impl Teller {
    /// Lets the server's own sandbox take the money; now and then the platform takes it as well.
    pub(super) async fn pay_at_sandbox(mut self) -> Result<(), DrillError> {
        let (hold, _) = self.holds[0];
        self.till.books.lock().sandboxed.insert(hold);
        self.viewer.wish(Wish::Pay(hold)).await;
        if self.rng.random_bool(0.15) {
            self.paid("b", self.owed()).await?;
        }
        if self.rng.random_bool(0.1) {
            self.viewer.wish(Wish::Release(hold)).await;
        }
        let is_over = |seen: &super::viewer::Seen| {
            seen.ordered.contains(&hold)
                || seen.ended.contains(&hold)
                || seen.failed.contains(&hold)
                || seen.pays_refused.contains(&hold)
        };
        self.viewer.wait("the end of a payment at the sandbox", is_over).await
    }

    pub(super) async fn tell(mut self, story: Story) -> Result<(), DrillError> {
        Box::pin(self.with_one_payment(story)).await?;
        // Half of what is due goes back at once, the other half when the server lists it.
        for attempt in ["a", "b"] {
            if self.rng.random_bool(0.5) {
                self.till.give_back(&self.name(attempt)).await?;
            }
        }
        Ok(())
    }

    /// Stories of money that comes in time, once or several times.
    async fn with_one_payment(&mut self, story: Story) -> Result<(), DrillError> {
        let owed = self.owed();
        match story {
            Story::Plain | Story::SeveralHolds => {
                if self.rng.random_bool(0.5) {
                    self.say("a", Event::Begun, 0).await?;
                }
                self.paid("a", owed).await
            }
            Story::Twice => {
                self.paid("a", owed).await?;
                self.say("a", Event::Paid(owed), 0).await?;
                self.say("a", Event::Paid(owed), 1).await
            }
            Story::ThriceAtOnce => self.at_once(owed).await,
            Story::RefundFirst | Story::PartRefundFirst => self.refund_first(story).await,
            Story::PartlyRefunded => {
                self.paid("a", owed).await?;
                if self.made_order("a") {
                    let total = self.till.books.lock().forgive(&self.name("a"), 100);
                    self.say("a", Event::Refunded(total), 0).await?;
                }
                Ok(())
            }
            Story::TwoPayments => {
                self.paid("a", owed).await?;
                self.paid("b", owed).await
            }
            Story::TwoPaymentsAtOnce => self.two_at_once(owed).await,
            Story::Captured | Story::CapturedAtTheEnd | Story::Voided => {
                self.keep("a", owed).await?;
                match story {
                    Story::Captured if self.made_order("a") => self.paid("a", owed).await,
                    Story::Voided => self.void("a").await,
                    _ => Ok(()),
                }
            }
            Story::Cancelled => self.cancelled().await,
            other => Box::pin(self.with_trouble(other)).await,
        }
    }

    /// Stories of money that fails, or is another amount than what is owed.
    async fn with_trouble(&mut self, story: Story) -> Result<(), DrillError> {
        let owed = self.owed();
        match story {
            Story::FailedAfterwards => {
                self.paid("a", owed).await?;
                let is_final = self.rng.random_bool(0.5);
                self.say("a", Event::Failed { is_final }, 0).await
            }
            Story::FailedThenPaid => {
                self.say("a", Event::Begun, 0).await?;
                self.say("a", Event::Failed { is_final: false }, 0).await?;
                let again = if self.rng.random_bool(0.5) { "a" } else { "b" };
                self.paid(again, owed).await
            }
            Story::FailedForGood => self.say("a", Event::Failed { is_final: true }, 0).await,
            Story::PaidAfterFailedForGood => {
                self.say("a", Event::Failed { is_final: true }, 0).await?;
                self.paid("b", owed).await
            }
            Story::WrongAmount => {
                let wrong = if self.rng.random_bool(0.5) { owed + 100 } else { owed - 100 };
                self.paid("a", wrong).await?;
                if self.rng.random_bool(0.7) {
                    self.paid("b", owed).await?;
                }
                Ok(())
            }
            Story::WrongAmountVoided => {
                self.keep("a", owed + 100).await?;
                self.void("a").await
            }
            Story::WrongCurrency => {
                {
                    let mut books = self.till.books.lock();
                    books.take(&self.name("a"), owed);
                    books.payment(&self.name("a")).in_dollars = true;
                }
                self.say("a", Event::PaidOtherwise(owed), 0).await
            }
            other => Box::pin(self.when_it_ends(other)).await,
        }
    }

    /// Stories of holds that end, with money that comes afterwards or never.
    async fn when_it_ends(&mut self, story: Story) -> Result<(), DrillError> {
        let owed = self.owed();
        match story {
            Story::ReleasedThenPaid | Story::ReleasedWhilePaying | Story::Released => {
                self.released(story).await
            }
            Story::Late | Story::SeveralHoldsLate => {
                self.wait_ended().await?;
                self.paid("a", owed).await
            }
            Story::LateAtOnce => {
                self.wait_ended().await?;
                self.at_once(owed).await
            }
            Story::TwoPaymentsLate => {
                self.wait_ended().await?;
                self.two_at_once(owed).await
            }
            Story::RefundFirstLate => {
                self.wait_ended().await?;
                self.refund_first(Story::RefundFirst).await
            }
            Story::BegunLate => {
                self.say("a", Event::Begun, 0).await?;
                self.wait_ended().await?;
                self.paid("a", owed).await
            }
            Story::BegunOnly => self.say("a", Event::Begun, 0).await,
            Story::Killed => {
                let (hold, goods) = self.holds[0];
                self.live.waiting.lock().offer(WaitingHold { hold, amount: goods.amount });
                Ok(())
            }
            // Those of money in time were told before.
            _ => Ok(()),
        }
    }

    fn owed(&self) -> u64 {
        self.holds.iter().map(|(_, goods)| goods.amount).sum()
    }

    /// A payment's name; it has the drill's holds in it, so a new run on the same ledger has new ones.
    fn name(&self, attempt: &str) -> String {
        format!("{attempt}-{}", self.holds[0].0)
    }

    fn made_order(&self, attempt: &str) -> bool {
        self.till.books.lock().payment(&self.name(attempt)).made_order()
    }

    async fn say(&self, attempt: &str, event: Event, number: u32) -> Result<(), DrillError> {
        let holds = self.holds.iter().map(|(hold, _)| *hold).collect();
        let report = Report { payment: self.name(attempt), event, holds, number };
        Box::pin(self.till.report(&report)).await
    }

    /// The provider takes money; the server is told.
    async fn paid(&self, attempt: &str, minor: u64) -> Result<(), DrillError> {
        self.till.books.lock().take(&self.name(attempt), minor);
        self.say(attempt, Event::Paid(minor), 0).await
    }

    async fn keep(&self, attempt: &str, minor: u64) -> Result<(), DrillError> {
        self.till.books.lock().keep(&self.name(attempt), minor);
        self.say(attempt, Event::Authorized(minor), 0).await
    }

    async fn void(&self, attempt: &str) -> Result<(), DrillError> {
        self.till.books.lock().let_go(&self.name(attempt));
        self.say(attempt, Event::Voided, 0).await
    }

    async fn at_once(&self, minor: u64) -> Result<(), DrillError> {
        self.till.books.lock().take(&self.name("a"), minor);
        let paid = |number| self.say("a", Event::Paid(minor), number);
        tokio::try_join!(paid(0), paid(0), paid(1)).map(|_| ())
    }

    async fn two_at_once(&self, minor: u64) -> Result<(), DrillError> {
        tokio::try_join!(self.paid("a", minor), self.paid("b", minor)).map(|_| ())
    }

    /// Money goes back, in full or in part, before the server has heard that it came.
    async fn refund_first(&self, story: Story) -> Result<(), DrillError> {
        let (owed, name) = (self.owed(), self.name("a"));
        let back = if story == Story::RefundFirst { owed } else { 100 };
        {
            let mut books = self.till.books.lock();
            books.take(&name, owed);
            books.payment(&name).given_back = back;
        }
        self.say("a", Event::Refunded(back), 0).await?;
        self.say("a", Event::Paid(owed), 0).await
    }

    async fn released(&mut self, story: Story) -> Result<(), DrillError> {
        let (hold, _) = self.holds[0];
        if story == Story::ReleasedWhilePaying {
            self.say("a", Event::Begun, 0).await?;
        }
        self.viewer.wish(Wish::Release(hold)).await;
        if story == Story::ReleasedThenPaid {
            let is_over = |seen: &super::viewer::Seen| {
                seen.ended.contains(&hold) || seen.releases_refused.contains(&hold)
            };
            self.viewer.wait("the end of a hold that was given back", is_over).await?;
        }
        if story != Story::Released {
            self.paid("a", self.owed()).await?;
        }
        Ok(())
    }

    async fn cancelled(&self) -> Result<(), DrillError> {
        let (hold, goods) = self.holds[0];
        self.paid("a", goods.amount).await?;
        let told = self.till.books.lock().payment(&self.name("a")).parts.get(&hold).copied();
        match told.and_then(|told| told.order) {
            Some(order) => self.till.cancel(goods.drop, order, goods).await,
            None => Ok(()),
        }
    }

    /// Waits until every hold has ended by the server's own word.
    async fn wait_ended(&self) -> Result<(), DrillError> {
        for (hold, _) in &self.holds {
            for _ in 0..LOOKS_MAX {
                let state = self.till.hold(*hold).await?;
                if state["state"] != "held" {
                    break;
                }
                let left = state["ends_in_ms"].as_u64().unwrap_or_default();
                tokio::time::sleep(Duration::from_millis(left).max(LOOK_EVERY)).await;
            }
        }
        Ok(())
    }
}
