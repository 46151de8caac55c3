//! The thread that asks the sandbox and reports what it says.

use std::{
    collections::{BTreeSet, VecDeque},
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use metrics::{Gauge, counter, gauge};
use stampede_domain::{HoldId, Money, PaymentEvent, PaymentFact, PaymentId, RepeatedWarning};
use stampede_engine::{
    Engine, FactRefusal, HoldMoney, HoldOutcome, Matter, MatterKind, PartOutcome, PaymentOutcome,
    Unavailable,
};
use tokio::sync::{Notify, oneshot};
use tracing::warn;

use crate::{
    metrics::{ATTEMPTS, ATTEMPTS_UNDER_WAY},
    sandbox::Sandbox,
};

/// Time until an engine that was busy is asked again.
const BUSY_RETRY: Duration = Duration::from_millis(10);

/// Holds about whose money the engine is asked at a time.
const PAGE: usize = 500;
/// The account that this worker asks for.
const ACCOUNT: &str = "sandbox";

/// What the worker's owner and the worker share.
#[derive(Default)]
pub(crate) struct Shared {
    /// An attempt waits, or there is something to be done about money.
    pub(crate) look: Notify,
    /// The worker is told to stop.
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
    /// Attempts that were begun here and whose outcome is not durable.
    open: BTreeSet<PaymentId>,
    /// Holds about whose money something is to be done.
    matters: VecDeque<HoldId>,
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
    let worker = Worker {
        engine,
        shared,
        sandbox,
        open: BTreeSet::new(),
        matters: VecDeque::new(),
        facts: VecDeque::new(),
        reported: VecDeque::new(),
        under_way,
        unknown: RepeatedWarning::default(),
    };
    thread::Builder::new().name("payments".into()).spawn(move || runtime.block_on(worker.run()))
}

impl Worker {
    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        tokio::select! {
            () = shared.stop.notified() => return,
            () = self.find_what_is_left() => {}
        }
        loop {
            self.matters.extend(self.engine.take_matters());
            self.begin_attempts();
            self.hear_sandbox();
            tokio::select! {
                () = shared.stop.notified() => return,
                () = self.end_matters() => {}
            }
            let is_blocked = self.report() || !self.matters.is_empty();
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

    /// Notes what an earlier process left: money that is due back, attempts at holds that have ended meanwhile.
    async fn find_what_is_left(&mut self) {
        let mut after = None;
        loop {
            let asked = match self.engine.matters(after, PAGE, None) {
                Ok(asked) => asked,
                Err(Unavailable::Busy { .. }) => {
                    tokio::time::sleep(BUSY_RETRY).await;
                    continue;
                }
                Err(_) => return,
            };
            let Ok(found) = asked.await else { return };
            let is_last = found.len() < PAGE;
            after = found.last().map(|(hold, _)| *hold);
            let is_ours = |matter: &Matter| matter.payment.account.as_str() == ACCOUNT;
            let ours = found.into_iter().filter(|(_, matters)| matters.iter().any(is_ours));
            self.matters.extend(ours.map(|(hold, _)| hold));
            if is_last {
                return;
            }
        }
    }

    /// Does what is to be done about the money of holds. What is left after it waits for an engine that was busy.
    async fn end_matters(&mut self) {
        let mut asked = VecDeque::new();
        while let (Some(hold), true) = (self.matters.front(), asked.len() < PAGE) {
            match self.engine.money_of(*hold) {
                Ok(answer) => asked.push_back(answer),
                Err(Unavailable::Busy { .. }) => break,
                // The next start finds it again.
                Err(_) => return self.matters.clear(),
            }
            self.matters.pop_front();
        }
        for answer in asked {
            let Ok(money) = answer.await else { return };
            let ours = money.matters.iter().filter(|m| m.payment.account.as_str() == ACCOUNT);
            for matter in ours {
                let Some(event) = self.end_of(matter, &money) else { continue };
                let (payment, holds) = (matter.payment.clone(), vec![matter.hold]);
                let (mode, order_reference) = (None, None);
                self.facts.push_back(PaymentFact { payment, event, holds, mode, order_reference });
            }
        }
    }

    /// What the sandbox says once it has done what is to be done.
    fn end_of(&mut self, matter: &Matter, money: &HoldMoney) -> Option<PaymentEvent> {
        match matter.kind {
            MatterKind::Refund { amount, .. } => {
                let back = money.account.as_ref()?.part(&matter.payment)?.refunded;
                let total = Money::new(back.checked_add(amount.minor())?, amount.currency())?;
                Some(PaymentEvent::Refunded { total })
            }
            // An attempt of this process ends by its own answer.
            MatterKind::Void if self.open.contains(&matter.payment) => {
                self.sandbox.hold_ended(self.engine.now(), &matter.payment);
                None
            }
            MatterKind::Void => Some(PaymentEvent::Voided),
            MatterKind::Capture { .. } | MatterKind::Unpaid { .. } => None,
        }
    }

    fn begin_attempts(&mut self) {
        let now = self.engine.now();
        for attempt in self.engine.take_attempts() {
            self.open.insert(attempt.payment.clone());
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

    /// A fact has its outcome. If money is due back by it, the engine says so by itself.
    fn finish(&mut self, fact: &PaymentFact, answer: Answer) {
        self.open.remove(&fact.payment);
        let outcome = match answer {
            None => "unknown",
            Some(Err(why)) => {
                warn!(payment = %fact.payment, %why, "the sandbox reported what cannot be");
                "refused"
            }
            Some(Ok(outcome)) => name_of(fact, &outcome),
        };
        counter!(ATTEMPTS, "outcome" => outcome).increment(1);
    }
}

/// What a fact came to, as metrics have it.
fn name_of(fact: &PaymentFact, outcome: &PaymentOutcome) -> &'static str {
    let Some((_, HoldOutcome::Part(part) | HoldOutcome::Moved { part, .. })) =
        outcome.holds.first()
    else {
        return "too_late";
    };
    match (part, &fact.event) {
        (PartOutcome::Ordered | PartOutcome::AlreadyOrdered, _) => "ordered",
        (_, PaymentEvent::Refunded { .. }) => "refunded",
        (PartOutcome::Ends, _) => "failed_finally",
        (_, PaymentEvent::Failed { .. }) => "failed",
        _ => "too_late",
    }
}

/// Waits for the oldest fact's answer.
async fn front_answer(reported: &mut VecDeque<Reported>) -> Answer {
    let (_, answer) = reported.front_mut().expect("only polled while something is reported");
    answer.await.ok()
}
