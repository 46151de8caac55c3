//! The thread that asks the sandbox and reports what it says.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use metrics::{Gauge, counter, gauge};
use stampede_domain::{Money, PaymentEvent, PaymentFact, RepeatedWarning};
use stampede_engine::{
    Engine, FactRefusal, HoldOutcome, Matter, MatterKind, PartOutcome, PaymentOutcome, Unavailable,
};
use tokio::sync::{Notify, oneshot};
use tracing::warn;

use crate::{
    metrics::{ATTEMPTS, ATTEMPTS_UNDER_WAY},
    sandbox::Sandbox,
};

/// Time until an engine that was busy is asked again.
const BUSY_RETRY: Duration = Duration::from_millis(10);

/// Holds of one look at what an earlier process left.
const LEFT_PAGE: usize = 500;

/// What the worker's owner and the worker share.
#[derive(Default)]
pub(crate) struct Shared {
    /// An attempt waits, or the worker is told to stop.
    pub(crate) look: Notify,
    pub(crate) stop: Notify,
    /// Attempts whose outcome is not durable.
    pub(crate) under_way: AtomicUsize,
}

/// A fact that was handed over; the engine answers in the order of asking.
type Reported = (PaymentFact, oneshot::Receiver<Result<PaymentOutcome, FactRefusal>>);
/// What the engine said, durably; nothing if it never will.
type Answer = Option<Result<PaymentOutcome, FactRefusal>>;

struct Worker {
    engine: Arc<Engine>,
    shared: Arc<Shared>,
    sandbox: Sandbox,
    /// Said by the sandbox, not handed over yet.
    facts: VecDeque<PaymentFact>,
    reported: VecDeque<Reported>,
    under_way: Gauge,
    /// Attempts whose outcome nobody will know: all of them, once the ledger has failed.
    unknown: RepeatedWarning,
}

pub(crate) fn spawn(
    engine: Arc<Engine>,
    shared: Arc<Shared>,
    sandbox: Sandbox,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let under_way = gauge!(ATTEMPTS_UNDER_WAY);
    let (facts, reported) = (VecDeque::new(), VecDeque::new());
    let unknown = RepeatedWarning::default();
    let worker = Worker { engine, shared, sandbox, facts, reported, under_way, unknown };
    thread::Builder::new().name("payments".into()).spawn(move || runtime.block_on(worker.run()))
}

impl Worker {
    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        tokio::select! {
            () = shared.stop.notified() => return,
            () = self.end_what_is_left() => {}
        }
        loop {
            self.begin_attempts();
            self.hear_sandbox();
            let is_blocked = self.report();
            self.count();
            let next = self.sandbox.next_due();
            let sleep = if is_blocked {
                Some(BUSY_RETRY)
            } else {
                next.map(|at| at.since(self.engine.now()).to_std())
            };
            tokio::select! {
                () = shared.stop.notified() => return,
                () = shared.look.notified() => {}
                () = tokio::time::sleep(sleep.unwrap_or_default()), if sleep.is_some() => {}
                answer = front_answer(&mut self.reported), if !self.reported.is_empty() => {
                    let (fact, _) = self.reported.pop_front().expect("its answer has just come");
                    self.finish(&fact, answer);
                }
            }
        }
    }

    /// Ends what an earlier process left: gives back what is due, calls off attempts at holds that have ended
    /// meanwhile. What this process begins it ends by itself.
    async fn end_what_is_left(&mut self) {
        let mut after = None;
        loop {
            let asked = match self.engine.matters(after, LEFT_PAGE, None) {
                Ok(asked) => asked,
                Err(Unavailable::Busy { .. }) => {
                    tokio::time::sleep(BUSY_RETRY).await;
                    continue;
                }
                Err(_) => return,
            };
            let Ok(found) = asked.await else { return };
            let is_last = found.len() < LEFT_PAGE;
            after = found.last().map(|(hold, _)| *hold);
            let matters = found.into_iter().flat_map(|(_, matters)| matters);
            for matter in matters.filter(|matter| matter.payment.account.as_str() == "sandbox") {
                let event = self.end_of(&matter).await;
                let Matter { hold, payment, .. } = matter;
                let fact = |event| {
                    let (mode, order_reference) = (None, None);
                    PaymentFact { payment, event, holds: vec![hold], mode, order_reference }
                };
                self.facts.extend(event.map(fact));
            }
            if is_last {
                return;
            }
        }
    }

    /// What the sandbox says once it has done what is to be done.
    async fn end_of(&self, matter: &Matter) -> Option<PaymentEvent> {
        match matter.kind {
            MatterKind::Refund { amount, .. } => {
                let back = self.went_back(matter).await?;
                let total = Money::new(back.checked_add(amount.minor())?, amount.currency())?;
                Some(PaymentEvent::Refunded { total })
            }
            MatterKind::Void => Some(PaymentEvent::Voided),
            MatterKind::Capture { .. } | MatterKind::Unpaid { .. } => None,
        }
    }

    /// What went back of a payment so far, in minor units.
    async fn went_back(&self, matter: &Matter) -> Option<u64> {
        let money = self.engine.money_of(matter.hold).ok()?.await.ok()?;
        Some(money.account?.part(&matter.payment)?.refunded)
    }

    fn begin_attempts(&mut self) {
        let now = self.engine.now();
        for attempt in self.engine.take_attempts() {
            self.sandbox.begin(now, attempt);
        }
    }

    fn hear_sandbox(&mut self) {
        let now = self.engine.now();
        while let Some(fact) = self.sandbox.answer(now, &mut rand::random::<f64>) {
            self.facts.push_back(fact);
        }
    }

    /// Hands over what the sandbox said, in order; `true` if the engine is too busy for the rest.
    fn report(&mut self) -> bool {
        while let Some(fact) = self.facts.front() {
            match self.engine.payment(fact.clone()) {
                Ok(answer) => {
                    let fact = self.facts.pop_front().expect("the front was just seen");
                    self.reported.push_back((fact, answer));
                }
                Err(Unavailable::Busy { .. }) => return true,
                // Nothing is decided any more. The attempt stays under way until the restart, which asks
                // about it again.
                Err(why) => {
                    if let Some(times) = self.unknown.note(self.engine.now()) {
                        warn!(%why, times, "a payment attempt has no outcome");
                    }
                    self.facts.pop_front();
                }
            }
        }
        false
    }

    fn count(&self) {
        let count = self.sandbox.under_way() + self.facts.len() + self.reported.len();
        self.shared.under_way.store(count, Ordering::Relaxed);
        self.under_way.set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }

    /// A fact has its outcome. Money that is due back goes back at once.
    fn finish(&mut self, fact: &PaymentFact, answer: Answer) {
        let outcome = match answer {
            None => "unknown",
            Some(Err(why)) => {
                warn!(payment = %fact.payment, %why, "the sandbox reported what cannot be");
                "refused"
            }
            Some(Ok(outcome)) => self.follow(fact, &outcome),
        };
        counter!(ATTEMPTS, "outcome" => outcome).increment(1);
    }

    fn follow(&mut self, fact: &PaymentFact, outcome: &PaymentOutcome) -> &'static str {
        let Some((_, HoldOutcome::Part(part) | HoldOutcome::Moved { part, .. })) =
            outcome.holds.first()
        else {
            return "too_late";
        };
        match (part, &fact.event) {
            (PartOutcome::Ordered | PartOutcome::AlreadyOrdered, _) => "ordered",
            (PartOutcome::RefundDue { amount, .. }, PaymentEvent::Paid { .. }) => {
                let event = PaymentEvent::Refunded { total: *amount };
                self.facts.push_back(PaymentFact { event, ..fact.clone() });
                "too_late"
            }
            (_, PaymentEvent::Refunded { .. }) => "refunded",
            (PartOutcome::Ends, _) => "failed_finally",
            (_, PaymentEvent::Failed { .. }) => "failed",
            _ => "too_late",
        }
    }
}

/// Waits for the oldest fact's answer.
async fn front_answer(reported: &mut VecDeque<Reported>) -> Answer {
    let (_, answer) = reported.front_mut().expect("only polled while something is reported");
    answer.await.ok()
}
