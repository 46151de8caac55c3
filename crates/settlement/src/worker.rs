//! The thread that acts on what the attempts decide.

use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use metrics::{Gauge, counter, gauge};
use stampede_domain::{HoldId, RepeatedWarning, UnixMillis};
use stampede_engine::{ConfirmOutcome, Engine, FailOutcome, Unavailable};
use tokio::sync::oneshot;
use tracing::warn;

use crate::{
    attempts::{AttemptEnd, Effect},
    metrics::{ATTEMPTS, ATTEMPTS_UNDER_WAY},
    shared::SharedAttempts,
};

/// Time until an engine that was busy is asked again.
const BUSY_RETRY: Duration = Duration::from_millis(10);

/// Something that the engine was asked; it answers in the order of asking.
enum Question {
    Confirm(HoldId, oneshot::Receiver<ConfirmOutcome>),
    Fail(HoldId, oneshot::Receiver<FailOutcome>),
}

/// What the engine said, durably; `None` means that it never will.
#[derive(Clone, Copy)]
enum Answer {
    Confirm(HoldId, Option<ConfirmOutcome>),
    Fail(HoldId, Option<FailOutcome>),
}

struct Worker {
    engine: Arc<Engine>,
    shared: Arc<SharedAttempts>,
    /// Decided, and not done yet.
    effects: VecDeque<Effect>,
    asked: VecDeque<Question>,
    under_way: Gauge,
    /// Attempts whose outcome nobody will know: all of them, once the ledger has failed.
    unknown: RepeatedWarning,
}

pub(crate) fn spawn(
    engine: Arc<Engine>,
    shared: Arc<SharedAttempts>,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let under_way = gauge!(ATTEMPTS_UNDER_WAY);
    let (effects, asked, unknown) = (VecDeque::new(), VecDeque::new(), RepeatedWarning::default());
    let worker = Worker { engine, shared, effects, asked, under_way, unknown };
    thread::Builder::new().name("settlement".into()).spawn(move || runtime.block_on(worker.run()))
}

impl Worker {
    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            let now = self.engine.now();
            let next = self.decide(now);
            let blocked = self.act();
            let sleep = if blocked {
                Some(BUSY_RETRY)
            } else {
                next.map(|at| at.since(self.engine.now()).to_std())
            };
            tokio::select! {
                () = shared.stop.notified() => return,
                () = shared.started.notified() => {}
                () = tokio::time::sleep(sleep.unwrap_or_default()), if sleep.is_some() => {}
                answer = front_answer(&mut self.asked), if !self.asked.is_empty() => {
                    self.asked.pop_front();
                    self.finish(answer);
                }
            }
        }
    }

    /// Lets the provider answer what is due; tells when the next answer is.
    fn decide(&mut self, now: UnixMillis) -> Option<UnixMillis> {
        let mut decided = Vec::new();
        let mut attempts = self.shared.attempts.lock();
        attempts.step(now, &mut rand::random::<f64>, &mut decided);
        let next = attempts.next_due();
        self.under_way.set(f64::from(u32::try_from(attempts.count()).unwrap_or(u32::MAX)));
        drop(attempts);
        for effect in &decided {
            if matches!(effect, Effect::TellFailed(..)) {
                counter!(ATTEMPTS, "outcome" => "failed").increment(1);
            }
        }
        self.effects.extend(decided);
        next
    }

    /// Does what was decided, in order; `true` if the engine is too busy for the rest.
    fn act(&mut self) -> bool {
        while let Some(effect) = self.effects.front().copied() {
            let done = match effect {
                Effect::TellFailed(viewer, hold) => {
                    self.engine.tell_payment_failed(viewer, hold);
                    Ok(())
                }
                Effect::Confirm(hold) => self
                    .engine
                    .confirm(hold)
                    .map(|answer| self.asked.push_back(Question::Confirm(hold, answer))),
                Effect::Fail(hold) => self
                    .engine
                    .fail(hold)
                    .map(|answer| self.asked.push_back(Question::Fail(hold, answer))),
            };
            match done {
                Err(Unavailable::Busy { .. }) => return true,
                // Nothing is decided any more. The attempt stays under way until the restart,
                // because nobody may be told an outcome.
                Err(why) => {
                    if let Some(times) = self.unknown.note(self.engine.now()) {
                        warn!(%why, ?effect, times, "a payment attempt has no outcome");
                    }
                }
                Ok(()) => {}
            }
            self.effects.pop_front();
        }
        false
    }

    /// Ends the attempt that the engine has answered.
    fn finish(&mut self, answer: Answer) {
        let mut told = Vec::new();
        let mut attempts = self.shared.attempts.lock();
        let outcome = match answer {
            Answer::Confirm(hold, answer) => match attempts.confirmed(hold, answer, &mut told) {
                AttemptEnd::Ordered => "ordered",
                AttemptEnd::Ended => "too_late",
                AttemptEnd::Unknown => "unknown",
            },
            Answer::Fail(hold, answer) => match attempts.failed(hold, answer, &mut told) {
                AttemptEnd::Unknown => "unknown",
                _ => "failed_finally",
            },
        };
        drop(attempts);
        counter!(ATTEMPTS, "outcome" => outcome).increment(1);
        self.effects.extend(told);
    }
}

/// Waits for the oldest question's answer.
async fn front_answer(asked: &mut VecDeque<Question>) -> Answer {
    match asked.front_mut().expect("only polled while something is asked") {
        Question::Confirm(hold, answer) => Answer::Confirm(*hold, answer.await.ok()),
        Question::Fail(hold, answer) => Answer::Fail(*hold, answer.await.ok()),
    }
}
