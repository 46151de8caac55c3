//! One viewer: connects, clicks when told, does with a hold what its temper says.

mod messages;
mod pending;

use std::{future::poll_fn, rc::Rc, task::Poll, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use rustix::io::Errno;
use stampede_client::{Backoff, ClientError, Connection};
use stampede_domain::{HoldId, IdempotencyKey, ViewerId};
use stampede_wire::{Reconnect, ServerMessage, Welcome};

use self::pending::Pending;
pub(crate) use self::pending::Resend;
use super::{
    mailbox::{Act, Mailbox},
    schedule::ViewerScript,
    state::CrowdState,
};
use crate::{causes::in_full, plan::PayAt};

/// Bounds of the delays between attempts to connect.
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_LONGEST: Duration = Duration::from_millis(800);
/// How long the server may take to notice that a viewer has gone.
const HANG_UP_MAX: Duration = Duration::from_secs(5);

/// A viewer's task.
pub(crate) struct Viewer {
    pub(crate) state: Rc<CrowdState>,
    pub(crate) place: u32,
    pub(crate) name: ViewerId,
    pub(crate) mailbox: Rc<Mailbox>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) holds: Vec<KnownHold>,
    pub(crate) orders: Vec<HoldId>,
    pub(crate) gave_up: bool,
    leaving: bool,
    welcomed: bool,
    /// When the current connection was welcomed.
    welcomed_us: u64,
}

/// A hold that has not ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownHold {
    pub(crate) hold: HoldId,
    pub(crate) amount_minor: u64,
}

/// How a connection ended.
enum End {
    /// The viewer is done.
    Left,
    /// The viewer's network dropped, as planned.
    Dropped,
    /// Something else ended it.
    Lost(ClientError),
}

enum Next {
    Act(Act),
    Message(ServerMessage),
    Lost(ClientError),
}

/// What an instruction leads to.
enum Flow {
    Stay,
    Drop,
    /// Goes although answers may be due, and does not miss them.
    WalkAway,
    Leave,
}

impl Viewer {
    pub(crate) fn new(state: Rc<CrowdState>, place: u32, mailbox: Rc<Mailbox>) -> Self {
        let number = state.plan.viewers.from + place;
        let name = format!("{}{number}", state.plan.name_prefix);
        let name = ViewerId::new(&name).expect("the longest name of the plan is an id");
        Self {
            state,
            place,
            name,
            mailbox,
            pending: Vec::new(),
            holds: Vec::new(),
            orders: Vec::new(),
            gave_up: false,
            leaving: false,
            welcomed: false,
            welcomed_us: 0,
        }
    }

    /// Plays the viewer to the end.
    pub(crate) async fn play(mut self) {
        let options = self.state.options(self.place);
        let ticket = self.state.ticket(&self.name);
        let mut backoff = Backoff::new(BACKOFF_FIRST, BACKOFF_LONGEST);
        let mut rng = StdRng::seed_from_u64(self.state.plan.seed ^ u64::from(self.place));
        while !self.mailbox.is_over() {
            let asked_us = self.state.clock.us();
            self.state.dialling.set(self.state.dialling.get() + 1);
            // Boxed, because dialling needs far more room than staying.
            let opened = Box::pin(Connection::open(&options, &ticket)).await;
            self.state.dialling.set(self.state.dialling.get() - 1);
            let lost = match opened {
                Ok((connection, welcome)) => {
                    backoff.reset();
                    match self.stay(Box::new(connection), &welcome, asked_us).await {
                        End::Left => break,
                        End::Dropped => continue,
                        End::Lost(error) => {
                            self.state.count(|counts| counts.connections_lost += 1);
                            error
                        }
                    }
                }
                Err(error) => {
                    let short = u64::from(is_short(&error));
                    self.state.count(|counts| {
                        counts.connects_failed += 1;
                        counts.connects_short += short;
                    });
                    error
                }
            };
            self.state.trouble(|| format!("{}: {}", self.name, in_full(&lost)));
            if lost.reconnect() != Reconnect::WithBackoff {
                break;
            }
            tokio::time::sleep(backoff.next_delay(&mut rng)).await;
        }
        self.settle();
        self.give_up_answers();
        self.state.remove_holds(self.holds.len());
    }

    /// Counts what will never be answered any more.
    fn give_up_answers(&mut self) {
        for Pending { key, resend, .. } in &self.pending {
            self.state.trouble(|| format!("{}: no answer to {key} ({resend:?})", self.name));
        }
        let unanswered = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        let waiting = self.mailbox.clear();
        self.state.clicks_come_to(waiting);
        // Whoever was never let in is counted as such.
        let was_let_in = self.welcomed_us > 0;
        let unsent = if was_let_in && self.wants() { waiting } else { 0 };
        self.pending.clear();
        self.state.count(|counts| {
            counts.buys_unanswered += unanswered;
            counts.clicks_unsent += unsent;
        });
    }

    /// Counts the viewer's part of the first wave, once.
    fn settle(&mut self) {
        if !self.welcomed && self.place < self.state.script.first_wave {
            self.state.first_wave_settled.set(self.state.first_wave_settled.get() + 1);
        }
        self.welcomed = true;
        self.state.changed.notify_one();
    }

    async fn stay(&mut self, connection: Box<Connection>, welcome: &Welcome, asked_us: u64) -> End {
        self.state.joined();
        self.welcomed_us = self.state.clock.us();
        if !self.welcomed {
            self.state.count(|counts| counts.viewers += 1);
            self.settle();
        }
        self.enter(welcome, asked_us);
        let mut connection = connection;
        let flow = self.talk(&mut connection).await;
        self.state.left(connection.stock_ticks_skipped());
        match flow {
            Ok(Flow::Drop) => {
                self.lose_answers(Resend::WhenTold);
                hang_up(connection).await;
                End::Dropped
            }
            Ok(Flow::WalkAway) => {
                self.lose_answers(Resend::Never);
                self.pending.clear();
                hang_up(connection).await;
                End::Left
            }
            Ok(_) if self.pending.is_empty() => {
                // It is over either way; a server that is gone already needs no goodbye.
                let _gone = connection.close().await;
                End::Left
            }
            Ok(_) => {
                self.lose_answers(Resend::Never);
                hang_up(connection).await;
                End::Left
            }
            Err(error) => {
                self.lose_answers(Resend::AtOnce);
                End::Lost(error)
            }
        }
    }

    async fn talk(&mut self, connection: &mut Connection) -> Result<Flow, ClientError> {
        for index in 0..self.pending.len() {
            if self.pending[index].resend == Resend::AtOnce {
                self.resend(connection, index).await?;
            }
        }
        loop {
            match self.next(connection).await {
                Next::Message(message) => self.hear(message),
                Next::Lost(error) => return Err(error),
                Next::Act(act) => match self.act(act, connection).await? {
                    Flow::Stay => {}
                    flow => return Ok(flow),
                },
            }
            if self.leaving && self.holds.is_empty() && self.pending.is_empty() {
                return Ok(Flow::Leave);
            }
        }
    }

    async fn next(&self, connection: &mut Connection) -> Next {
        poll_fn(|cx| match self.mailbox.poll(cx) {
            Poll::Ready(act) => Poll::Ready(Next::Act(act)),
            Poll::Pending => connection.poll_next(cx).map(|heard| match heard {
                Ok(message) => Next::Message(message),
                Err(error) => Next::Lost(error),
            }),
        })
        .await
    }

    async fn act(&mut self, act: Act, connection: &mut Connection) -> Result<Flow, ClientError> {
        match act {
            Act::Click { index, planned_us } => {
                return self.click(connection, index, planned_us).await;
            }
            Act::Retry { planned_us } => {
                let told = |one: &Pending| one.resend == Resend::WhenTold;
                if let Some(index) = self.pending.iter().position(told) {
                    self.pending[index].planned_us = planned_us;
                    self.resend(connection, index).await?;
                }
            }
            Act::Pay(hold) => {
                if let Some(known) = self.known(hold) {
                    match self.state.plan.pay_at {
                        PayAt::Server => connection.pay(hold).await?,
                        PayAt::Platform => self.state.check_out(hold, known.amount_minor),
                    }
                }
            }
            Act::Release(hold) if self.known(hold).is_some() => connection.release(hold).await?,
            Act::Release(_) => {}
            Act::Leave => self.leaving = true,
            Act::WalkAway => return Ok(Flow::WalkAway),
            Act::Finish => return Ok(Flow::Leave),
        }
        Ok(Flow::Stay)
    }

    async fn click(
        &mut self,
        connection: &mut Connection,
        index: u32,
        planned_us: u64,
    ) -> Result<Flow, ClientError> {
        self.state.clicks_come_to(1);
        if !self.wants() {
            self.state.count(|counts| counts.clicks_spared += 1);
            return Ok(Flow::Stay);
        }
        if self.welcomed_us <= planned_us {
            self.state.came_to(planned_us);
        }
        let place = usize::try_from(index).expect("an index");
        let click = self.script().clicks[place];
        let key = IdempotencyKey::new(&format!("{}-{index}", self.name)).expect("it is short");
        let times = if click.double { 2 } else { 1 };
        self.pending.push(Pending::new(key.clone(), planned_us, self.state.clock.us()));
        let state = Rc::clone(&self.state);
        let (target, units) = (&state.target, self.script().units);
        for _ in 0..times {
            self.pending.last_mut().expect("it was just pushed").awaiting += 1;
            state.clicked();
            connection.buy(target.drop, target.sku.as_str(), units, &key).await?;
        }
        state.count(|counts| counts.double_clicks += u64::from(click.double));
        if !click.dropped {
            return Ok(Flow::Stay);
        }
        let planned_us = planned_us + state.plan.behaviour.retry_after_ms * 1000;
        state.later(planned_us, self.place, Act::Retry { planned_us });
        Ok(Flow::Drop)
    }

    /// Sends an unanswered buy again with its key.
    async fn resend(
        &mut self,
        connection: &mut Connection,
        index: usize,
    ) -> Result<(), ClientError> {
        let state = Rc::clone(&self.state);
        let units = self.script().units;
        let pending = &mut self.pending[index];
        pending.resend = Resend::Never;
        pending.awaiting += 1;
        pending.sent_us = state.clock.us();
        state.clicked();
        state.count(|counts| counts.reconnect_retries += 1);
        let target = &state.target;
        connection.buy(target.drop, target.sku.as_str(), units, &pending.key).await
    }

    /// Whether a click still makes sense: nothing held or bought, and not tired of it.
    fn wants(&self) -> bool {
        self.holds.is_empty() && self.orders.is_empty() && !self.gave_up && !self.leaving
    }

    /// A hold of the viewer's that has not ended.
    pub(crate) fn known(&self, hold: HoldId) -> Option<KnownHold> {
        self.holds.iter().copied().find(|known| known.hold == hold)
    }

    pub(crate) fn script(&self) -> &ViewerScript {
        let place = usize::try_from(self.place).expect("an index");
        &self.state.script.viewers[place]
    }
}

/// Goes so that the server decides what was sent, unless it does not even notice.
async fn hang_up(connection: Box<Connection>) {
    let _noticed = tokio::time::timeout(HANG_UP_MAX, Box::pin(connection.hang_up())).await;
}

/// Whether an attempt to connect failed because this machine has no descriptor, port or memory left.
fn is_short(error: &ClientError) -> bool {
    let ClientError::Connect { source, .. } = error else { return false };
    let short = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL];
    Errno::from_io_error(source).is_some_and(|errno| short.contains(&errno))
}
