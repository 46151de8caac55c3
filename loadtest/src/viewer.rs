//! One viewer: connects, clicks when told, does with a hold what its temper says.

use std::{future::poll_fn, rc::Rc, task::Poll, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use stampede_client::{Backoff, ClientError, Connection};
use stampede_domain::{HoldId, IdempotencyKey, RefusalCode, ViewerId};
use stampede_wire::{Reconnect, Refused, Request, ServerMessage, Welcome};

use crate::{
    mailbox::{Act, Mailbox},
    pending::{Pending, Resend},
    schedule::{Temper, ViewerScript},
    world::World,
};

/// Bounds of the delays between attempts to connect.
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_LONGEST: Duration = Duration::from_millis(800);
/// How long the server may take to notice that a viewer has gone.
const HANG_UP_MAX: Duration = Duration::from_secs(5);
/// When a failed or refused payment is tried again.
const PAY_AGAIN_US: u64 = 100_000;

/// A viewer's task.
pub(crate) struct Viewer {
    pub(crate) world: Rc<World>,
    pub(crate) place: u32,
    pub(crate) name: ViewerId,
    pub(crate) mailbox: Rc<Mailbox>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) holds: Vec<HoldId>,
    pub(crate) orders: Vec<HoldId>,
    gave_up: bool,
    leaving: bool,
    welcomed: bool,
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
    Leave,
}

impl Viewer {
    pub(crate) fn new(world: Rc<World>, place: u32, mailbox: Rc<Mailbox>) -> Self {
        let number = world.plan.viewers.from + place;
        let name = ViewerId::new(&format!("v{number}")).expect("a letter with a number is an id");
        Self {
            world,
            place,
            name,
            mailbox,
            pending: Vec::new(),
            holds: Vec::new(),
            orders: Vec::new(),
            gave_up: false,
            leaving: false,
            welcomed: false,
        }
    }

    /// Plays the viewer to the end.
    pub(crate) async fn play(mut self) {
        let options = self.world.options(self.place);
        let ticket = self.world.ticket(&self.name);
        let mut backoff = Backoff::new(BACKOFF_FIRST, BACKOFF_LONGEST);
        let mut rng = StdRng::seed_from_u64(self.world.plan.seed ^ u64::from(self.place));
        while !self.mailbox.is_over() {
            let asked_us = self.world.clock.us();
            self.world.dialling.set(self.world.dialling.get() + 1);
            // Boxed, because dialling needs far more room than staying.
            let opened = Box::pin(Connection::open(&options, &ticket)).await;
            self.world.dialling.set(self.world.dialling.get() - 1);
            let lost = match opened {
                Ok((connection, welcome)) => {
                    backoff.reset();
                    match self.stay(Box::new(connection), &welcome, asked_us).await {
                        End::Left => break,
                        End::Dropped => continue,
                        End::Lost(error) => {
                            self.world.count(|counts| counts.connections_lost += 1);
                            error
                        }
                    }
                }
                Err(error) => {
                    self.world.count(|counts| counts.connects_failed += 1);
                    error
                }
            };
            self.world.trouble(|| format!("{}: {}", self.name, in_full(&lost)));
            if lost.reconnect() != Reconnect::WithBackoff {
                break;
            }
            tokio::time::sleep(backoff.next_delay(&mut rng)).await;
        }
        self.settle();
        self.world.holds_less(self.holds.len());
    }

    /// Counts the viewer's part of the first wave, once.
    fn settle(&mut self) {
        if !self.welcomed && self.place < self.world.script.first_wave {
            self.world.first_wave_settled.set(self.world.first_wave_settled.get() + 1);
        }
        self.welcomed = true;
        self.world.changed.notify_one();
    }

    async fn stay(&mut self, connection: Box<Connection>, welcome: &Welcome, asked_us: u64) -> End {
        self.world.joined();
        if !self.welcomed {
            self.world.count(|counts| counts.viewers += 1);
            self.settle();
        }
        self.enter(welcome, asked_us);
        let mut connection = connection;
        let flow = self.talk(&mut connection).await;
        self.world.left(connection.stock_ticks_skipped());
        match flow {
            Ok(Flow::Drop) => {
                self.lose_answers(Resend::WhenTold);
                hang_up(connection).await;
                End::Dropped
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
            Act::Pay(hold) if self.holds.contains(&hold) => connection.pay(hold).await?,
            Act::Release(hold) if self.holds.contains(&hold) => connection.release(hold).await?,
            Act::Pay(_) | Act::Release(_) => {}
            Act::Leave => self.leaving = true,
            Act::WalkAway | Act::Finish => return Ok(Flow::Leave),
        }
        Ok(Flow::Stay)
    }

    async fn click(
        &mut self,
        connection: &mut Connection,
        index: u32,
        planned_us: u64,
    ) -> Result<Flow, ClientError> {
        if !self.wants() {
            self.world.count(|counts| counts.clicks_spared += 1);
            return Ok(Flow::Stay);
        }
        let place = usize::try_from(index).expect("an index");
        let click = self.script().clicks[place];
        let key = IdempotencyKey::new(&format!("{}-{index}", self.name)).expect("it is short");
        let times = if click.double { 2 } else { 1 };
        self.pending.push(Pending::new(key.clone(), planned_us, self.world.clock.us()));
        let world = Rc::clone(&self.world);
        let (target, units) = (&world.target, self.script().units);
        for _ in 0..times {
            self.pending.last_mut().expect("it was just pushed").awaiting += 1;
            world.clicked();
            connection.buy(target.drop, target.sku.as_str(), units, &key).await?;
        }
        world.count(|counts| counts.double_clicks += u64::from(click.double));
        if !click.dropped {
            return Ok(Flow::Stay);
        }
        let planned_us = planned_us + world.plan.behaviour.retry_after_ms * 1000;
        world.later(planned_us, self.place, Act::Retry { planned_us });
        Ok(Flow::Drop)
    }

    /// Sends an unanswered buy again with its key.
    async fn resend(
        &mut self,
        connection: &mut Connection,
        index: usize,
    ) -> Result<(), ClientError> {
        let world = Rc::clone(&self.world);
        let units = self.script().units;
        let pending = &mut self.pending[index];
        pending.resend = Resend::Never;
        pending.awaiting += 1;
        pending.sent_us = world.clock.us();
        world.clicked();
        world.count(|counts| counts.reconnect_retries += 1);
        let target = &world.target;
        connection.buy(target.drop, target.sku.as_str(), units, &pending.key).await
    }

    /// Whether a click still makes sense: nothing held or bought, and not tired of it.
    fn wants(&self) -> bool {
        self.holds.is_empty() && self.orders.is_empty() && !self.gave_up && !self.leaving
    }

    fn script(&self) -> &ViewerScript {
        let place = usize::try_from(self.place).expect("an index");
        &self.world.script.viewers[place]
    }

    /// Takes over what the server says is there.
    fn enter(&mut self, welcome: &Welcome, asked_us: u64) {
        for drop in &welcome.drops {
            self.world.see_drop(drop);
        }
        for held in &welcome.holds {
            self.promised_held(held, Some(asked_us));
        }
        for order in &welcome.orders {
            self.promised_order(order, Some(asked_us));
        }
        let there = |hold: &HoldId| welcome.holds.iter().any(|held| held.hold == *hold);
        let gone: Vec<HoldId> = self.holds.iter().copied().filter(|hold| !there(hold)).collect();
        for hold in gone {
            self.ended(hold);
        }
        // A payment that was under way may have been lost with the connection.
        if matches!(self.script().temper, Temper::Pays) {
            for hold in self.holds.clone() {
                self.mailbox.push(Act::Pay(hold));
            }
        }
    }

    fn hear(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Held(held) => {
                let asked_us = held.key.as_ref().and_then(|key| self.answer(key));
                let retry = held.retry;
                if held.key.is_some() {
                    self.world.count(
                        |counts| {
                            if retry { counts.retries += 1 } else { counts.held += 1 }
                        },
                    );
                }
                self.promised_held(&held, asked_us);
            }
            ServerMessage::Order(order) => {
                let asked_us = order.key.as_ref().and_then(|key| self.answer(key));
                if order.key.is_some() {
                    self.world.count(|counts| counts.retries += 1);
                }
                self.promised_order(&order, asked_us);
            }
            ServerMessage::Refused(refused) => self.refused(&refused),
            ServerMessage::Released(ended) => {
                self.promised_end(&ended, false);
                self.ended(ended.hold);
            }
            ServerMessage::Expired(ended) => {
                self.promised_end(&ended, true);
                self.ended(ended.hold);
            }
            ServerMessage::PaymentFailed(failed) => {
                self.world.count(|counts| counts.payments_failed += 1);
                if failed.is_final {
                    self.ended(failed.hold);
                } else {
                    self.again(Act::Pay(failed.hold), PAY_AGAIN_US);
                }
            }
            ServerMessage::Phase(notice) => self.world.see_notice(&notice),
            ServerMessage::Welcome(_)
            | ServerMessage::Refreshed(_)
            | ServerMessage::Stock(_)
            | ServerMessage::DropInfo(_)
            | ServerMessage::Pong(_)
            | ServerMessage::Error(_) => {}
        }
    }

    fn refused(&mut self, refused: &Refused) {
        let retry_us = refused.retry_after_ms.map_or(PAY_AGAIN_US, |ms| ms.saturating_mul(1000));
        match (refused.request, refused.hold) {
            (Request::Buy, _) => self.buy_refused(refused),
            (Request::Pay, Some(hold)) if is_busy(refused) => self.again(Act::Pay(hold), retry_us),
            (Request::Release, Some(hold)) if is_busy(refused) => {
                self.again(Act::Release(hold), retry_us);
            }
            (_, Some(hold)) if refused.refusal_code() == Some(RefusalCode::HoldEnded) => {
                self.ended(hold);
            }
            _ if refused.temporary => {}
            (request, _) => {
                self.world
                    .trouble(|| format!("{}: {request:?} refused: {}", self.name, refused.code));
            }
        }
    }

    fn buy_refused(&mut self, refused: &Refused) {
        if let Some(key) = &refused.key {
            self.answer(key);
        }
        // A repeated buy whose hold is over is told so; nothing new was decided.
        let code = refused.refusal_code();
        let replay = matches!(code, Some(RefusalCode::HoldEnded | RefusalCode::HoldConfirmed));
        self.world.count(|counts| {
            if replay {
                counts.retries += 1;
            } else {
                *counts.refused.entry(refused.code.to_string()).or_default() += 1;
            }
        });
    }

    /// Notes an answer to a buy; returns when the buy was sent.
    fn answer(&mut self, key: &IdempotencyKey) -> Option<u64> {
        let Some(index) = self.pending.iter().position(|one| one.key == *key) else {
            self.world.trouble(|| format!("{}: an answer to {key}, which awaits none", self.name));
            return None;
        };
        let pending = &mut self.pending[index];
        let sent_us = pending.sent_us;
        pending.awaiting -= 1;
        self.world.answered(pending.planned_us);
        if pending.awaiting == 0 {
            self.pending.swap_remove(index);
        }
        Some(sent_us)
    }

    /// The answers on this connection will not come.
    fn lose_answers(&mut self, resend: Resend) {
        for pending in &mut self.pending {
            self.world.unanswered_less(u64::from(pending.awaiting));
            pending.awaiting = 0;
            pending.resend = resend;
        }
        if resend == Resend::Never {
            self.pending.clear();
        }
    }

    /// A hold that the viewer did not know: does with it what the temper says.
    pub(crate) fn adopt(&mut self, hold: HoldId) {
        self.holds.push(hold);
        self.world.holds_more();
        let temper = self.script().temper;
        let unpaid = matches!(temper, Temper::NeverPays | Temper::WalksAway { .. });
        self.world.count(|counts| {
            counts.holds += 1;
            counts.holds_unpaid += u64::from(unpaid);
        });
        match temper {
            Temper::Pays => self.mailbox.push(Act::Pay(hold)),
            Temper::PaysLater { after_us } => self.again(Act::Pay(hold), after_us),
            Temper::NeverPays => {}
            Temper::WalksAway { after_us } => self.again(Act::WalkAway, after_us),
            Temper::Releases { after_us } => self.again(Act::Release(hold), after_us),
        }
    }

    /// A hold is over without an order.
    fn ended(&mut self, hold: HoldId) {
        if self.forget(hold) {
            let pays = matches!(self.script().temper, Temper::Pays | Temper::PaysLater { .. });
            self.gave_up |= !pays;
        }
    }

    /// Whether the hold was there.
    pub(crate) fn forget(&mut self, hold: HoldId) -> bool {
        let before = self.holds.len();
        self.holds.retain(|known| *known != hold);
        self.world.holds_less(before - self.holds.len());
        before > self.holds.len()
    }

    fn again(&self, act: Act, after_us: u64) {
        self.world.later(self.world.clock.us() + after_us, self.place, act);
    }
}

/// Goes so that the server decides what was sent, unless it does not even notice.
async fn hang_up(connection: Box<Connection>) {
    let _noticed = tokio::time::timeout(HANG_UP_MAX, Box::pin(connection.hang_up())).await;
}

fn is_busy(refused: &Refused) -> bool {
    matches!(refused.refusal_code(), Some(RefusalCode::Busy | RefusalCode::RateLimited))
}

/// An error with its causes in one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
