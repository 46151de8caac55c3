//! What an event does: a fact about holds of the account's merchant, or money that nobody can assign.

use std::sync::Arc;

use stampede_domain::{
    DropId, HoldId, MerchantId, Mode, Money, PaymentEvent, PaymentFact, PaymentId,
    limits::HOLDS_PER_PAYMENT_MAX,
};
use stampede_engine::{
    Engine, FactRefusal, HoldLook, HoldOutcome, MoneyError, PaymentOutcome, PaymentRefusal,
    ReopenedDrop, Unavailable, UnmatchedPayment, read_money,
};
use stampede_ledger::JournalSource;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task::spawn_blocking,
};
use tracing::{debug, error, info, warn};

use super::{accounts::Account, outcome::EventOutcome};
use crate::stripe::{StripeEvent, StripeEventKind};

/// How often a fact is said while the money of drops that are over has to be read for it.
const TRIES: usize = 5;

/// Hands events to the engine.
pub(super) struct Deliveries {
    engine: Arc<Engine>,
    ledger: Arc<dyn JournalSource>,
    /// Drops whose money may be read at a time.
    reads: Arc<Semaphore>,
}

/// One event of an account.
#[derive(Clone, Copy)]
struct Report<'a> {
    account: &'a Account,
    event: &'a StripeEvent,
}

/// Where the holds of a fact lead.
#[derive(Default)]
struct NamedHolds {
    /// The first that is another merchant's, or nobody's.
    stranger: Option<HoldId>,
    /// The first of a live drop.
    live: Option<HoldId>,
}

impl Deliveries {
    pub(super) fn new(
        engine: Arc<Engine>,
        ledger: Arc<dyn JournalSource>,
        money_reads_max: usize,
    ) -> Self {
        Self { engine, ledger, reads: Arc::new(Semaphore::new(money_reads_max)) }
    }

    /// Does what follows from an event; what comes back is durable.
    pub(super) async fn deliver(&self, account: &Account, event: &StripeEvent) -> EventOutcome {
        let report = Report { account, event };
        let done = match &event.kind {
            StripeEventKind::Ignored { kind, why } => {
                debug!(account = %account.name, event = %event.id, kind, ?why, "an event does not count");
                return EventOutcome::Ignored;
            }
            _ if event.live != (account.mode == Mode::Live) => self.other_mode(report).await,
            StripeEventKind::Unmatched { payment, amount, is_taken, named } => {
                self.without_holds(report, (payment, *amount, *is_taken), named).await
            }
            StripeEventKind::Fact(fact) if fact.holds.is_empty() => {
                self.of_known(report, fact).await
            }
            StripeEventKind::Fact(fact) => self.fact(report, fact).await,
        };
        done.unwrap_or_else(|failed| failed)
    }

    /// A test at an account with real money, or real money at one for tests: the settings are wrong, or the endpoint
    /// in Stripe is.
    async fn other_mode(&self, report: Report<'_>) -> Delivered {
        let why = "the account is set to the other mode: look at `mode`";
        let (payment, amount, named) = match &report.event.kind {
            StripeEventKind::Unmatched { payment, amount, is_taken, named } => {
                (payment, is_taken.then_some(*amount), named.clone())
            }
            StripeEventKind::Fact(fact)
                if report.event.live && self.is_refund_of_unmatched(fact).await? =>
            {
                return Ok(EventOutcome::Recorded);
            }
            StripeEventKind::Fact(fact) => (&fact.payment, money_taken(fact), named_by(fact)),
            StripeEventKind::Ignored { .. } => return Ok(EventOutcome::Ignored),
        };
        match amount {
            Some(amount) if report.event.live => {
                self.keep_unmatched(report, (payment, amount, &named), why).await
            }
            _ => {
                report.warn(payment, &why);
                Ok(EventOutcome::WrongMode)
            }
        }
    }

    /// Money whose holds this event does not say: those that an earlier event of its payment has named, if there are
    /// any.
    async fn without_holds(
        &self,
        report: Report<'_>,
        (payment, amount, is_taken): (&PaymentId, Money, bool),
        named: &str,
    ) -> Delivered {
        let holds = self.known_holds(payment, &report.account.merchant).await?;
        if !holds.is_empty() {
            let event = if is_taken {
                PaymentEvent::Paid { amount }
            } else {
                PaymentEvent::Authorized { amount }
            };
            let mode = Some(if report.event.live { Mode::Live } else { Mode::Rehearsal });
            let payment = payment.clone();
            let fact = PaymentFact { payment, event, holds, mode, order_reference: None };
            return self.fact(report, &fact).await;
        }
        if is_taken {
            let why = "its holds cannot be read";
            return self.keep_unmatched(report, (payment, amount, named), why).await;
        }
        report.warn(payment, &"money is kept ready, but which holds it is for cannot be read");
        Ok(EventOutcome::Ignored)
    }

    /// A fact that names no hold is about those that its payment had before.
    async fn of_known(&self, report: Report<'_>, fact: &PaymentFact) -> Delivered {
        let holds = self.known_holds(&fact.payment, &report.account.merchant).await?;
        if holds.is_empty() && self.is_refund_of_unmatched(fact).await? {
            return Ok(EventOutcome::Recorded);
        }
        if holds.is_empty() {
            return self.refused(report, fact, FactRefusal::NoHolds).await;
        }
        self.fact(report, &PaymentFact { holds, ..fact.clone() }).await
    }

    /// Whether the fact is a refund of money that nobody could match, which the books know; whatever holds it names,
    /// they are none that the money was for.
    async fn is_refund_of_unmatched(&self, fact: &PaymentFact) -> Result<bool, EventOutcome> {
        if !matches!(fact.event, PaymentEvent::Refunded { .. }) {
            return Ok(false);
        }
        // Known holds may be another merchant's: nothing is said about those.
        if !answer(self.engine.holds_of(fact.payment.clone())).await?.is_empty() {
            return Ok(false);
        }
        let fact = PaymentFact { holds: Vec::new(), ..fact.clone() };
        Ok(self.say(&fact).await?.is_ok())
    }

    /// The holds of a payment, as far as drops in memory know: those of the account's merchant alone, which may have
    /// been another one once.
    async fn known_holds(
        &self,
        payment: &PaymentId,
        merchant: &MerchantId,
    ) -> Result<Vec<HoldId>, EventOutcome> {
        let mut known = answer(self.engine.holds_of(payment.clone())).await?;
        known.retain(|hold| self.look_at(&[*hold], merchant).stranger.is_none());
        known.truncate(HOLDS_PER_PAYMENT_MAX);
        Ok(known)
    }

    async fn fact(&self, report: Report<'_>, fact: &PaymentFact) -> Delivered {
        let named = self.look_at(&fact.holds, &report.account.merchant);
        if let Some(hold) = named.stranger {
            if self.is_refund_of_unmatched(fact).await? {
                return Ok(EventOutcome::Recorded);
            }
            let Some(amount) = money_taken(fact) else {
                debug!(event = %report.event.id, %hold, "a hold is not one of the merchant's");
                return Ok(EventOutcome::Ignored);
            };
            let why = format!("{hold} is no hold of {}", report.account.merchant);
            return self
                .keep_unmatched(report, (&fact.payment, amount, &named_by(fact)), &why)
                .await;
        }
        if let (false, Some(hold)) = (report.event.live, named.live) {
            return self.refused(report, fact, FactRefusal::TestMoney { hold }).await;
        }
        let mut place = None;
        for _ in 0..TRIES {
            let outcome = match self.say(fact).await? {
                Ok(outcome) => outcome,
                Err(refusal) => return self.refused(report, fact, refusal).await,
            };
            let over = self.drops_over(&outcome);
            if over.is_empty() {
                let is_undecided = |of| matches!(of, HoldOutcome::Unknown | HoldOutcome::Over);
                // It was there a moment ago, so its drop is about to leave memory.
                return if outcome.holds.iter().any(|(_, of)| is_undecided(*of)) {
                    Err(EventOutcome::Busy)
                } else {
                    Ok(EventOutcome::Recorded)
                };
            }
            // No money moved and no hold is left that could end.
            let is_in_memory = |hold: &HoldId| self.engine.sale(hold.drop_id()).is_some();
            if matches!(fact.event, PaymentEvent::Begun | PaymentEvent::Failed { .. })
                && !fact.holds.iter().any(is_in_memory)
            {
                return Ok(EventOutcome::Ignored);
            }
            match &place {
                // Whoever had the place before may have read the same: the fact is said again first.
                None => place = Some(self.place().await),
                Some(place) => self.reopen_all(&over, place).await?,
            }
        }
        report.warn(&fact.payment, &"the drop's money changed whenever it was read");
        Err(EventOutcome::Busy)
    }

    fn look_at(&self, holds: &[HoldId], merchant: &MerchantId) -> NamedHolds {
        let mut named = NamedHolds::default();
        for &hold in holds {
            let drop = hold.drop_id();
            let (of, mode) = if let Some(sale) = self.engine.sale(drop) {
                if matches!(self.engine.hold(hold), HoldLook::Unknown | HoldLook::Pending) {
                    named.stranger.get_or_insert(hold);
                }
                (sale.plan().merchant.clone(), sale.plan().mode)
            } else if let Some(over) = self.engine.over(drop) {
                (over.merchant.clone(), over.mode)
            } else {
                named.stranger.get_or_insert(hold);
                continue;
            };
            if of != *merchant {
                named.stranger.get_or_insert(hold);
            }
            if mode == Mode::Live {
                named.live.get_or_insert(hold);
            }
        }
        named
    }

    /// A refused fact will be refused for ever, so Stripe need not send it again.
    async fn refused(&self, report: Report<'_>, fact: &PaymentFact, why: FactRefusal) -> Delivered {
        match why {
            FactRefusal::TestMoney { .. } => {
                info!(
                    account = %report.account.name, event = %report.event.id, payment = %fact.payment, %why,
                    "a test was not recorded"
                );
                Ok(EventOutcome::TestMoney)
            }
            FactRefusal::NoHolds if matches!(fact.event, PaymentEvent::Refunded { .. }) => {
                report.warn(&fact.payment, &why);
                Ok(EventOutcome::NoHolds)
            }
            FactRefusal::NoHolds => Ok(EventOutcome::Ignored),
            FactRefusal::Payment(_) | FactRefusal::TooManyHolds { .. } => {
                report.warn(&fact.payment, &why);
                // Another amount of the same payment stands in the books: this money is known.
                let is_known =
                    matches!(why, FactRefusal::Payment(PaymentRefusal::AmountDiffers { .. }));
                if let Some(amount) = money_taken(fact).filter(|_| !is_known) {
                    let named = named_by(fact);
                    let why = "its fact was refused";
                    self.keep_unmatched(report, (&fact.payment, amount, &named), why).await?;
                }
                Ok(EventOutcome::Refused)
            }
        }
    }

    /// Money that was taken is not lost: it stands in the ledger with what it named.
    async fn keep_unmatched(
        &self,
        report: Report<'_>,
        (payment, amount, named): (&PaymentId, Money, &str),
        why: &str,
    ) -> Delivered {
        if !report.event.live {
            let (account, event) = (&report.account.name, &report.event.id);
            info!(%account, %event, %payment, named, why, "a test was not recorded");
            return Ok(EventOutcome::TestMoney);
        }
        let unmatched = UnmatchedPayment { payment: payment.clone(), amount, named: named.into() };
        answer(self.engine.unmatched(unmatched)).await?;
        let (account, event) = (&report.account.name, &report.event.id);
        warn!(%account, %event, %payment, %amount, named, why, "money came that cannot be assigned");
        Ok(EventOutcome::Unmatched)
    }

    async fn say(
        &self,
        fact: &PaymentFact,
    ) -> Result<Result<PaymentOutcome, FactRefusal>, EventOutcome> {
        answer(self.engine.payment(fact.clone())).await
    }

    /// The drops whose money has to be read. Nothing was decided then, about holds of drops in memory neither.
    fn drops_over(&self, outcome: &PaymentOutcome) -> Vec<DropId> {
        let over = outcome.holds.iter().filter(|(_, of)| *of == HoldOutcome::Over);
        let mut drops: Vec<DropId> = over.map(|(hold, _)| hold.drop_id()).collect();
        drops.dedup();
        drops.retain(|drop| self.engine.sale(*drop).is_none());
        drops
    }

    async fn place(&self) -> Arc<OwnedSemaphorePermit> {
        let reads = Arc::clone(&self.reads);
        Arc::new(reads.acquire_owned().await.expect("nobody closes the semaphore"))
    }

    async fn reopen_all(
        &self,
        drops: &[DropId],
        place: &Arc<OwnedSemaphorePermit>,
    ) -> Result<(), EventOutcome> {
        for &drop in drops {
            let read = self.read(drop, Arc::clone(place)).await?;
            // One that was overtaken by a record is read again after the next try.
            let _is_current = answer(self.engine.reopen(read)).await?;
        }
        Ok(())
    }

    async fn read(
        &self,
        drop: DropId,
        place: Arc<OwnedSemaphorePermit>,
    ) -> Result<ReopenedDrop, EventOutcome> {
        let ledger = Arc::clone(&self.ledger);
        let read = spawn_blocking(move || {
            // The place is free when the reading ends, whether or not anybody still waits for it.
            let _place = place;
            let journal = ledger.open().map_err(MoneyError::from)?;
            read_money(&*journal, drop)
        });
        match read.await {
            Ok(Ok(Some(read))) => return Ok(read),
            Ok(Ok(None)) => error!(%drop, "a drop that is over is not in the ledger"),
            Ok(Err(why)) => error!(%drop, %why, "the money of a drop cannot be read"),
            Err(why) => error!(%drop, %why, "reading the money of a drop broke off"),
        }
        Err(EventOutcome::Unavailable)
    }
}

/// What became of an event, or why Stripe has to send it again.
type Delivered = Result<EventOutcome, EventOutcome>;

impl Report<'_> {
    fn warn(&self, payment: &PaymentId, why: &dyn std::fmt::Display) {
        let (account, event) = (&self.account.name, &self.event.id);
        warn!(%account, %event, %payment, %why, "an event of Stripe's was not recorded");
    }
}

async fn answer<T>(asked: Result<oneshot::Receiver<T>, Unavailable>) -> Result<T, EventOutcome> {
    match asked {
        Ok(answer) => answer.await.map_err(|_| EventOutcome::Unavailable),
        Err(Unavailable::Busy { .. }) => Err(EventOutcome::Busy),
        Err(Unavailable::Poisoned | Unavailable::Stopping) => Err(EventOutcome::Unavailable),
    }
}

const fn money_taken(fact: &PaymentFact) -> Option<Money> {
    match fact.event {
        PaymentEvent::Paid { amount } => Some(amount),
        _ => None,
    }
}

/// What a fact names, for people; a record cuts it to what it holds.
fn named_by(fact: &PaymentFact) -> String {
    let holds: Vec<String> = fact.holds.iter().map(ToString::to_string).collect();
    let order = fact.order_reference.as_ref().map(|order| format!("stampede_order={order} "));
    format!("{}stampede_holds={}", order.unwrap_or_default(), holds.join(","))
}
