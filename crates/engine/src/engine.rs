//! The running engine: one value that every interface shares.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    thread::JoinHandle,
};

use parking_lot::Mutex;
use stampede_books::{
    Attempt, CommandOutcome, FactRefusal, HoldLook, PaymentOutcome, ReopenedDrop, RoomView,
    StaffCommand, UnmatchedAsk, UnmatchedPage,
};
use stampede_domain::{
    Charges, DropId, DurationMs, HoldId, Incarnation, MerchantId, Mode, NodeId, PaymentFact,
    PaymentId, StreamId, UnixMillis, ViewerId, ViewerNumber,
};
use stampede_ledger::{UnmatchedPayment, WriterHandle};
use stampede_settlement::PaymentRefusal;
use tokio::sync::{oneshot, watch};

use crate::{
    answers::AnswerTotals,
    brake::Brake,
    changes::Changes,
    clock::Moment,
    event::Wake,
    health::{Health, health_of},
    metrics::ShedReason,
    money::{HoldMoney, OpenMatters},
    sale::SaleDrop,
    shared::EngineState,
    steward::{MattersRequest, Request, StewardHandle},
    summary::DropSummary,
    unavailable::Unavailable,
};

/// One node's engine. Dropping it does not stop it; [`Engine::shutdown`] does.
pub struct Engine {
    pub(crate) shared: Arc<EngineState>,
    pub(crate) steward: StewardHandle,
    pub(crate) node: NodeId,
    pub(crate) incarnation: Incarnation,
    pub(crate) threads: Mutex<Option<(JoinHandle<()>, WriterHandle)>>,
}

impl Engine {
    /// The sale's clock, which order and deadlines go by.
    pub fn now(&self) -> UnixMillis {
        self.shared.clock.now()
    }

    /// The wall clock, which everything goes by that people and other machines name.
    pub fn wall(&self) -> UnixMillis {
        self.shared.clock.wall()
    }

    /// Both clocks at once.
    pub fn moment(&self) -> Moment {
        self.shared.clock.moment()
    }

    /// This node's name.
    pub fn node(&self) -> &NodeId {
        &self.node
    }

    /// How often the node has started on this ledger.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Whether the engine can sell.
    pub fn health(&self) -> Health {
        health_of(&self.shared)
    }

    /// What operations staff hold back now; doors and cores go by it.
    pub fn brake(&self) -> &Arc<Brake> {
        &self.shared.brake
    }

    /// Every drop in memory, oldest first.
    pub fn sales(&self) -> Vec<Arc<SaleDrop>> {
        self.shared.sales()
    }

    /// A drop in memory by its id.
    pub fn sale(&self, id: DropId) -> Option<Arc<SaleDrop>> {
        self.shared.sale(id)
    }

    /// What stands for a drop that has left memory, some time after it was settled or cancelled.
    pub fn over(&self, id: DropId) -> Option<Arc<DropSummary>> {
        self.shared.over(id)
    }

    /// Drops that have left memory, oldest first. Ask for [`Engine::sales`] before, so that a drop
    /// that leaves meanwhile is missed by neither.
    pub fn all_over(&self) -> Vec<Arc<DropSummary>> {
        self.shared.all_over()
    }

    /// The drops of a stream in memory, in running order.
    pub fn stream(&self, stream: &StreamId) -> Vec<Arc<SaleDrop>> {
        self.shared.stream(stream)
    }

    /// Who may sell in a stream; `None` if it belongs to nobody.
    pub fn room(&self, stream: &StreamId) -> Option<RoomView> {
        self.shared.rooms.read().view(stream)
    }

    /// The streams that belong to somebody, by name, behind `after`: at most `limit` of those that
    /// `sees` lets through.
    pub fn rooms(
        &self,
        after: Option<&StreamId>,
        limit: usize,
        sees: impl Fn(&RoomView) -> bool,
    ) -> Vec<RoomView> {
        self.shared.rooms.read().after(after).filter(sees).take(limit).collect()
    }

    /// How much later a stream's viewers see and hear it; zero where nobody has said.
    pub fn video_delay(&self, stream: &StreamId) -> DurationMs {
        self.shared.rooms.read().video_delay(stream)
    }

    /// Whether a merchant owns a stream or is admitted to it.
    pub fn lets_in(&self, stream: &StreamId, merchant: &MerchantId) -> bool {
        self.shared.rooms.read().get(stream).is_some_and(|room| room.lets_in(merchant))
    }

    /// Whether a stream belongs to the creator with this account.
    pub fn is_creators(&self, stream: &StreamId, account: &str) -> bool {
        self.shared.rooms.read().get(stream).is_some_and(|room| room.is_creators(account))
    }

    /// Distinct viewers connected to a stream with tickets of this mode.
    pub fn viewers_connected(&self, stream: &StreamId, mode: Mode) -> u64 {
        self.shared.directory.viewers(stream, mode)
    }

    /// How long answers to buys took since the start, in all drops; a tally late.
    pub fn answered(&self) -> AnswerTotals {
        *self.shared.answered.lock()
    }

    /// The platform's id of a viewer number, if it is known.
    pub fn viewer_id(&self, number: ViewerNumber) -> Option<ViewerId> {
        self.shared.directory.by_number(number).map(|viewer| viewer.id().clone())
    }

    /// Tells at once what changes about drops, their figures apart. Whoever is told asks for
    /// [`Engine::stream`] if drops came or left, for [`SaleDrop::view`] of those that it follows otherwise.
    pub fn follow(&self) -> watch::Receiver<Changes> {
        self.shared.followers.follow()
    }

    /// Microseconds of a clock for measuring spans.
    pub fn micros(&self) -> u64 {
        self.shared.clock.micros()
    }

    /// A hold as it stands now.
    pub fn hold(&self, hold: HoldId) -> HoldLook {
        self.shared
            .sale(hold.drop_id())
            .map_or(HoldLook::Unknown, |s| self.shared.durable_hold(&s, hold))
    }

    /// Hands a staff command to the steward. The answer arrives once its record is durable; a
    /// channel that closes without one means that the ledger failed and the outcome is unknown.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing was handed over.
    pub fn command(
        &self,
        command: StaffCommand,
    ) -> Result<oneshot::Receiver<CommandOutcome>, Unavailable> {
        self.ask(|reply| Request::Command(Box::new(command), reply))
    }

    /// Hands over what was said about a payment. It is about the holds that it names and those that its payment had
    /// before. The answer arrives once everything that follows is durable; a channel that closes without one
    /// means that the ledger failed and the outcome is unknown: say it again.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing was handed over.
    pub fn payment(
        &self,
        fact: PaymentFact,
    ) -> Result<oneshot::Receiver<Result<PaymentOutcome, FactRefusal>>, Unavailable> {
        self.ask(|reply| Request::Payment(Box::new(fact), reply))
    }

    /// Sets what is owed for a hold beyond its goods. The answer, `None` for an id that leads nowhere, arrives
    /// once it is durable.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing was handed over.
    pub fn charge(
        &self,
        hold: HoldId,
        charges: Charges,
    ) -> Result<oneshot::Receiver<Option<Result<(), PaymentRefusal>>>, Unavailable> {
        self.ask(|reply| Request::Charge(hold, charges, reply))
    }

    /// Records money of which nobody can say what it was for, once for each payment. The answer arrives when it
    /// is durable.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing was handed over.
    pub fn unmatched(
        &self,
        unmatched: UnmatchedPayment,
    ) -> Result<oneshot::Receiver<()>, Unavailable> {
        self.ask(|reply| Request::Unmatched(Box::new(unmatched), reply))
    }

    /// The money of a hold. The answer arrives once everything in it is durable.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing was handed over.
    pub fn money_of(&self, hold: HoldId) -> Result<oneshot::Receiver<HoldMoney>, Unavailable> {
        self.ask(|reply| Request::Money(hold, reply))
    }

    /// Hands over the money of a drop that has left memory, as [`read_money`](crate::read_money) has it: facts about
    /// its holds are decided by it from then on. `false` if something was recorded since it was read: read it
    /// again.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing was handed over.
    pub fn reopen(&self, read: ReopenedDrop) -> Result<oneshot::Receiver<bool>, Unavailable> {
        self.ask(|reply| Request::Reopen(Box::new(read), reply))
    }

    /// Money that nobody can match. The answer arrives once everything in it is durable.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing was handed over.
    pub fn unmatched_money(
        &self,
        ask: UnmatchedAsk,
    ) -> Result<oneshot::Receiver<UnmatchedPage>, Unavailable> {
        self.ask(|reply| Request::UnmatchedMoney(Box::new(ask), reply))
    }

    /// The holds of a payment, as far as drops in memory know. The answer arrives once everything in it is durable.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing was handed over.
    pub fn holds_of(
        &self,
        payment: PaymentId,
    ) -> Result<oneshot::Receiver<Vec<HoldId>>, Unavailable> {
        self.ask(|reply| Request::HoldsOf(Box::new(payment), reply))
    }

    /// What is to be done about the money of holds of drops in memory: at most `limit` holds by their ids, behind
    /// `after`, of `merchant`'s drops alone if one is named. The answer arrives once everything in it is durable.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing was handed over.
    pub fn matters(
        &self,
        after: Option<HoldId>,
        limit: usize,
        merchant: Option<MerchantId>,
    ) -> Result<oneshot::Receiver<OpenMatters>, Unavailable> {
        let request = MattersRequest { after, limit, merchant };
        self.ask(|reply| Request::Matters(Box::new(request), reply))
    }

    /// Attempts to pay that became durable since the last call, those that a restart found under way first.
    pub fn take_attempts(&self) -> VecDeque<Attempt> {
        self.shared.attempts.drain()
    }

    /// Holds about whose money something is to be done at the account that viewers pay at, since the last call. What a
    /// restart found is among [`Engine::matters`] alone.
    pub fn take_matters(&self) -> BTreeSet<HoldId> {
        self.shared.attempts.drain_matters()
    }

    /// Calls `wake` whenever an attempt to pay waits, or something is to be done at the account that viewers pay at.
    pub fn wake_for_attempts(&self, wake: Wake) {
        self.shared.attempts.wake_by(wake);
    }

    fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<oneshot::Receiver<T>, Unavailable> {
        if self.shared.is_poisoned() {
            return Err(Unavailable::Poisoned);
        }
        let (reply, answer) = oneshot::channel();
        self.steward.send(request(reply)).inspect_err(|why| {
            if matches!(why, Unavailable::Busy { .. }) {
                self.shared.brake.count_shed(ShedReason::StewardFull);
            }
        })?;
        Ok(answer)
    }

    /// Decides what was handed over, makes it durable, then stops both threads. The cores must have
    /// stopped taking. Does nothing the second time.
    pub fn shutdown(&self) {
        let Some((steward, writer)) = self.threads.lock().take() else { return };
        let mut stop = Request::Stop;
        // A full queue empties within a commit; the steward is alive until it has read `Stop`.
        while let Err(Unavailable::Busy { .. }) = self.steward.send(stop) {
            stop = Request::Stop;
            std::thread::yield_now();
        }
        if steward.join().is_err() {
            tracing::error!("the steward panicked");
        }
        if let Err(error) = writer.shutdown() {
            tracing::error!(%error, "the ledger had failed before the engine stopped");
        }
    }
}
