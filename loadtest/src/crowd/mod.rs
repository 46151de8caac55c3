//! The driver of a crowd: lets each planned moment happen when it is due, whatever the replies.

mod mailbox;
mod processes;
mod schedule;
mod state;
mod timer;
mod viewer;

use std::{cmp::Reverse, io, pin::pin, rc::Rc, sync::Arc};

use stampede_swarm::Busy;
use tokio::{
    runtime::{Builder, LocalOptions},
    task::JoinSet,
};

use self::{
    mailbox::{Act, Mailbox},
    schedule::What,
    state::CrowdState,
    timer::Timer,
    viewer::Viewer,
};
use crate::{
    plan::{CrowdPlan, PlanError},
    recorder::{CrowdResult, Progress, PromiseLog, PromiseLogError},
    till::Checkout,
};

pub use self::{
    processes::{CrowdProcessError, CrowdProcesses, crowd_process},
    state::Live,
};

/// Time between two progress reports.
const PROGRESS_US: u64 = 250_000;
/// Viewers of the first wave that dial at once: more would only wait in the server's backlog.
const DIALLING_MAX: u32 = 256;
/// How long answers may take to come once nobody clicks any more.
const ANSWERS_US_MAX: u64 = 3_000_000;
/// How long goodbyes may take.
const GOODBYES_US_MAX: u64 = 5_000_000;

/// What a crowd says while it plays.
#[derive(Clone, Copy, Debug)]
pub enum CrowdWord<'a> {
    /// How far it is.
    Progress(&'a Progress),
    /// A viewer goes to pay at the platform.
    Checkout(&'a Checkout),
}

/// Why a crowd ended early.
#[derive(Debug, thiserror::Error)]
pub enum CrowdError {
    /// The plan cannot be played.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The promise log cannot be written.
    #[error(transparent)]
    PromiseLog(#[from] PromiseLogError),
    /// The system refuses a timer or an event queue.
    #[error("the system refuses what the crowd needs: {0}")]
    System(#[from] io::Error),
}

/// Plays a crowd on this thread until `stop` resolves, or until the drop has settled, or until
/// nothing is left to happen.
///
/// Clicks follow a schedule that is fixed beforehand, relative to the opening which the server
/// announces. `say` hears of the crowd now and then, and at once of viewers who pay at their platform. `live` shows a
/// few figures to other threads meanwhile.
///
/// # Errors
/// [`CrowdError`]. Lost connections are no error; they are counted.
pub fn run_crowd(
    plan: CrowdPlan,
    live: Arc<Live>,
    say: impl FnMut(CrowdWord<'_>),
    stop: impl Future<Output = ()>,
) -> Result<CrowdResult, CrowdError> {
    let target = plan.target()?;
    let log = PromiseLog::create(&plan.promise_log)?;
    let state = Rc::new(CrowdState::new(plan, target, log, live));
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let mut driver = Driver::new(Rc::clone(&state), Timer::new()?, say);
        driver.run(stop).await?;
        Ok(driver.result())
    })
}

/// What the crowd is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The script is played.
    Playing,
    /// Answers are awaited until the given moment.
    Answers {
        until_us: u64,
    },
    /// Connections close until the given moment.
    Goodbyes {
        until_us: u64,
    },
    Over,
}

struct Driver<S> {
    state: Rc<CrowdState>,
    timer: Timer,
    say: S,
    mailboxes: Vec<Option<Rc<Mailbox>>>,
    tasks: JoinSet<u32>,
    stage: Stage,
    /// Viewers of the first wave that have been started.
    started: u32,
    /// Moments of the script that have happened.
    happened: usize,
    progress_at_us: u64,
    progress_clicks: u64,
    /// What this thread has cost since the last progress.
    busy: Busy,
}

impl<S: FnMut(CrowdWord<'_>)> Driver<S> {
    fn new(state: Rc<CrowdState>, timer: Timer, say: S) -> Self {
        let mailboxes = vec![None; state.script.viewers.len()];
        Self {
            state,
            timer,
            say,
            mailboxes,
            tasks: JoinSet::new(),
            stage: Stage::Playing,
            started: 0,
            happened: 0,
            progress_at_us: 0,
            progress_clicks: 0,
            busy: Busy::start(),
        }
    }

    async fn run(&mut self, stop: impl Future<Output = ()>) -> Result<(), CrowdError> {
        let mut stop = pin!(stop);
        let mut stopped = false;
        while self.stage != Stage::Over {
            let now_us = self.state.clock.us();
            if now_us >= self.progress_at_us + PROGRESS_US {
                self.report(now_us)?;
            }
            self.happen(now_us);
            self.send_to_platform();
            self.advance(now_us, stopped);
            let wait_us = self.next_us().saturating_sub(self.state.clock.us());
            tokio::select! {
                () = &mut stop, if !stopped => stopped = true,
                () = self.state.changed.notified() => {}
                Some(gone) = self.tasks.join_next(), if !self.tasks.is_empty() => self.gone(gone),
                waited = self.timer.wait_us(wait_us) => waited?,
            }
        }
        self.report(self.state.clock.us())
    }

    fn result(&self) -> CrowdResult {
        let tally = self.state.tally.borrow();
        CrowdResult {
            counts: tally.counts.clone(),
            latency: tally.latency.clone(),
            seconds: tally.seconds.clone(),
            late: tally.late.clone(),
            busy_share_max: tally.busy_share_max,
            troubles: tally.troubles.clone(),
        }
    }

    /// Lets everything happen that is due.
    fn happen(&mut self, now_us: u64) {
        self.start_first_wave(now_us);
        while let Some(at_us) = self.next_moment_us().filter(|at_us| *at_us <= now_us) {
            let moment = self.state.script.moments[self.happened];
            self.happened += 1;
            match moment.what {
                What::Arrive => self.start(moment.place),
                What::Click { index } => {
                    self.tell(moment.place, Act::Click { index, planned_us: at_us });
                }
                What::Leave => self.tell(moment.place, Act::Leave),
            }
        }
        loop {
            let due = match self.state.later.borrow_mut().peek_mut() {
                Some(first) if first.0.at_us <= now_us => {
                    let Reverse(later) = std::collections::binary_heap::PeekMut::pop(first);
                    later
                }
                _ => break,
            };
            self.tell(due.place, due.act);
        }
    }

    /// Says who has come to pay at the platform since the last time.
    fn send_to_platform(&mut self) {
        for checkout in self.state.checkouts.take() {
            (self.say)(CrowdWord::Checkout(&checkout));
        }
    }

    fn start_first_wave(&mut self, now_us: u64) {
        while self.started < self.state.script.first_wave
            && self.state.dialling.get() < DIALLING_MAX
            && self.first_wave_us() <= now_us
            && self.stage == Stage::Playing
        {
            self.start(self.started);
            self.started += 1;
        }
    }

    /// When the next viewer of the first wave dials.
    fn first_wave_us(&self) -> u64 {
        u64::from(self.started) * 1_000_000 / u64::from(self.state.plan.connects_per_s)
    }

    /// When the script goes on, if the opening is known and somebody still sells.
    fn next_moment_us(&self) -> Option<u64> {
        let opening_us = self.state.opening_us.get()?;
        let playing = self.stage == Stage::Playing && !self.state.is_closed();
        let moment = self.state.script.moments.get(self.happened).filter(|_| playing)?;
        Some(opening_us.saturating_add_signed(moment.at_us))
    }

    /// When to look again at the latest.
    fn next_us(&self) -> u64 {
        let mut next_us = self.progress_at_us + PROGRESS_US;
        let dials = self.started < self.state.script.first_wave && self.stage == Stage::Playing;
        if dials && self.state.dialling.get() < DIALLING_MAX {
            next_us = next_us.min(self.first_wave_us());
        }
        let later_us = self.state.later.borrow().peek().map(|first| first.0.at_us);
        let until_us = match self.stage {
            Stage::Answers { until_us } | Stage::Goodbyes { until_us } => Some(until_us),
            Stage::Playing | Stage::Over => None,
        };
        [later_us, until_us, self.next_moment_us()].into_iter().flatten().fold(next_us, u64::min)
    }

    fn advance(&mut self, now_us: u64, stopped: bool) {
        match self.stage {
            Stage::Playing if stopped || self.is_exhausted() => {
                self.stage = Stage::Answers { until_us: now_us + ANSWERS_US_MAX };
                self.state.changed.notify_one();
            }
            Stage::Answers { until_us } if !self.state.awaits_answers() || now_us >= until_us => {
                self.stage = Stage::Goodbyes { until_us: now_us + GOODBYES_US_MAX };
                for mailbox in self.mailboxes.iter().flatten() {
                    mailbox.push(Act::Finish);
                }
                self.state.changed.notify_one();
            }
            Stage::Goodbyes { until_us } if self.tasks.is_empty() || now_us >= until_us => {
                self.stage = Stage::Over;
            }
            _ => {}
        }
    }

    /// Whether nothing can happen any more.
    fn is_exhausted(&self) -> bool {
        let settled = self.state.phase.get().is_some_and(stampede_domain::Phase::is_final);
        let played = self.state.opening_us.get().is_some()
            && self.happened == self.state.script.moments.len()
            && self.state.later.borrow().is_empty()
            && !self.state.awaits_answers()
            && self.state.live().holds() == 0;
        let all_gone = self.started == self.state.script.first_wave && self.tasks.is_empty();
        settled || played || all_gone && self.next_moment_us().is_none()
    }

    fn start(&mut self, place: u32) {
        self.state.count(|counts| counts.viewers_started += 1);
        let mailbox = Rc::new(Mailbox::default());
        self.mailboxes[index(place)] = Some(Rc::clone(&mailbox));
        let viewer = Viewer::new(Rc::clone(&self.state), place, mailbox);
        self.tasks.spawn_local(async move {
            viewer.play().await;
            place
        });
    }

    fn tell(&self, place: u32, act: Act) {
        if let Some(mailbox) = &self.mailboxes[index(place)] {
            if matches!(act, Act::Click { .. }) {
                self.state.click_told();
            }
            mailbox.push(act);
        }
    }

    fn gone(&mut self, gone: Result<u32, tokio::task::JoinError>) {
        match gone {
            Ok(place) => {
                // A viewer who has left comes to nothing that arrived since.
                let unsent =
                    self.mailboxes[index(place)].take().map_or(0, |mailbox| mailbox.clear());
                self.state.clicks_come_to(unsent);
            }
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn report(&mut self, now_us: u64) -> Result<(), CrowdError> {
        let busy = std::mem::replace(&mut self.busy, Busy::start());
        let mut tally = self.state.tally.borrow_mut();
        tally.busy_share_max = tally.busy_share_max.max(busy.share());
        tally.log.flush()?;
        let since = |opening_us: u64| {
            let (now_ms, opening_ms) = (now_us / 1000, opening_us / 1000);
            now_ms.cast_signed() - opening_ms.cast_signed()
        };
        let report = Progress {
            since_opening_ms: self.state.opening_us.get().map(since),
            connected: self.state.live().connected(),
            first_wave_settled: self.state.first_wave_settled.get() == self.state.script.first_wave,
            unanswered: self.state.live().unanswered(),
            interval_ms: (now_us - self.progress_at_us) / 1000,
            interval_clicks: tally.counts.clicks - self.progress_clicks,
            interval_us_p99: tally.recent.quantile_us(0.99),
            counts: tally.counts.clone(),
        };
        tally.recent.clear();
        drop(tally);
        self.progress_at_us = now_us;
        self.progress_clicks = report.counts.clicks;
        (self.say)(CrowdWord::Progress(&report));
        Ok(())
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place).expect("an index")
}
