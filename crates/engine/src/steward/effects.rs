//! Carries out the effects of a decision once its records are durable.

use std::sync::Arc;

use stampede_books::{CommandOutcome, Effect, FactRefusal, HoldEnd, PaymentOutcome, UnmatchedPage};
use stampede_domain::{DropId, HoldId, Phase, PoolIndex, Refusal, Units, UnixMillis, ViewerNumber};
use stampede_ledger::RoomChange;
use stampede_settlement::PaymentRefusal;
use stampede_stock::GiveOutcome;
use tokio::sync::oneshot;

use super::{PayRequest, ReleaseRequest, Steward, WaitingFact};
use crate::{
    event::{CoreEvent, ViewerEvent},
    metrics,
    money::{HoldMoney, OpenMatters},
    sale::SaleDrop,
};

/// Something that waits for a durable position.
pub(crate) enum Promise {
    /// What a book has decided.
    Effect(Effect),
    /// Viewers are told that the deadlines of holds taken before then have moved.
    TellMoved {
        until: UnixMillis,
    },
    /// Answers.
    RefuseRelease(ReleaseRequest, Refusal),
    Command(oneshot::Sender<CommandOutcome>, CommandOutcome),
    RefusePay(PayRequest, Refusal),
    Payment(
        oneshot::Sender<Result<PaymentOutcome, FactRefusal>>,
        Result<PaymentOutcome, FactRefusal>,
    ),
    Charged(
        oneshot::Sender<Option<Result<(), PaymentRefusal>>>,
        Option<Result<(), PaymentRefusal>>,
    ),
    Money(oneshot::Sender<HoldMoney>, Box<HoldMoney>),
    HoldsOf(oneshot::Sender<Vec<HoldId>>, Vec<HoldId>),
    Matters(oneshot::Sender<OpenMatters>, OpenMatters),
    UnmatchedMoney(oneshot::Sender<UnmatchedPage>, UnmatchedPage),
    Recorded(oneshot::Sender<()>),
    Reopened(oneshot::Sender<bool>, bool),
    /// Whoever asks the viewers' provider has something to do.
    Matter(HoldId),
    /// A fact that waited for units to come back, or to be taken again.
    PaymentAgain(WaitingFact),
}

impl Steward {
    /// Does what the durable records promised. What that promises in turn is for the next look.
    pub(super) fn keep_promises(&mut self) {
        for _ in 0..self.promises.len() {
            if !self.promise_is_due() {
                return;
            }
            let (_, promise) = self.promises.pop_front().expect("the front was just seen");
            self.keep(promise);
        }
    }

    /// Whether a promise waits for nothing but its turn.
    pub(super) fn promise_is_due(&self) -> bool {
        let durable = self.ring.durable();
        self.promises.front().is_some_and(|(position, promise)| {
            // Deciding takes room, like any request.
            let decides = matches!(promise, Promise::PaymentAgain(_));
            *position <= durable && (!decides || self.has_room())
        })
    }

    fn keep(&mut self, promise: Promise) {
        match promise {
            Promise::Effect(effect) => self.perform(effect),
            Promise::TellMoved { until } => self.note_moved(None, until),
            Promise::RefuseRelease(request, refusal) => {
                let ReleaseRequest { hold, core, token, .. } = request;
                self.shared.inboxes[core].send(CoreEvent::ReleaseRefused { token, hold, refusal });
            }
            // Who asked may have gone; the outcome stands all the same.
            Promise::Command(reply, outcome) => drop(reply.send(outcome)),
            Promise::RefusePay(request, refusal) => {
                let PayRequest { hold, core, token, .. } = request;
                self.shared.inboxes[core].send(CoreEvent::PayRefused { token, hold, refusal });
            }
            Promise::Payment(reply, outcome) => drop(reply.send(outcome)),
            Promise::Charged(reply, charged) => drop(reply.send(charged)),
            Promise::Money(reply, money) => drop(reply.send(*money)),
            Promise::HoldsOf(reply, holds) => drop(reply.send(holds)),
            Promise::Matters(reply, matters) => drop(reply.send(matters)),
            Promise::UnmatchedMoney(reply, page) => drop(reply.send(page)),
            Promise::Recorded(reply) => drop(reply.send(())),
            Promise::Matter(hold) => self.shared.attempts.add_matter(hold),
            Promise::PaymentAgain(waiting) => {
                self.payment_again(waiting);
                self.hand_over();
            }
            Promise::Reopened(reply, is_current) => drop(reply.send(is_current)),
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Publish { drop, revision } => {
                let made = self.made.remove(&(drop, revision));
                self.shared.publish(made.expect("each plan is made once and published once"));
            }
            Effect::Amend { drop, revision, plan } => {
                self.change(drop, |sale| sale.amend(&plan, revision));
            }
            Effect::WindDown { drop, until } => self.change(drop, |sale| sale.wind_down(until)),
            Effect::Enter { drop, changes, phase, opens_at } => {
                self.enter(drop, changes, phase, opens_at);
            }
            Effect::Requests { drop, requests } => {
                self.sales[&drop].asked().show(requests);
                self.shared.tell_followers();
            }
            Effect::Air(drop) => self.show_on_air(drop),
            Effect::Room(change) => {
                self.shared.rooms.write().apply(&change);
                if let RoomChange::VideoDelay(delay) = change.change {
                    self.show_video_delay(&change.stream, delay);
                }
                self.shared.tell_followers();
            }
            Effect::Supply { drop, pool, units } => {
                let sale = self.sales.get(&drop).expect("a drop with a lot under way is in memory");
                sale.stock().add_supply(pool, units).expect("checked before the lot was recorded");
                self.shared.drop_changed(drop);
            }
            Effect::Draw { drop, pool, units } => self.draw(drop, pool, units),
            Effect::Give { hold, viewer, units, end } => self.give((hold, viewer), units, end),
            Effect::Order { hold, viewer, units } => {
                let drop = hold.drop_id();
                let sale = self.sales.get(&drop).expect("a drop with a live hold is in memory");
                sale.add_sold(hold.pool(), units);
                sale.paying().order(units, self.shared.clock.now());
                self.shared.ends_under_way.remove(&hold);
                metrics::count_end("confirmed");
                self.shared.tell(viewer, ViewerEvent::Ordered(hold), None);
            }
            Effect::Stretched { hold, viewer } => {
                if let Some(sale) = self.sales.get(&hold.drop_id()) {
                    sale.stretches().show(hold);
                    self.shared.tell(viewer, ViewerEvent::Held(hold), None);
                }
            }
            Effect::Extended { drop, until } => self.extended(drop, until),
            Effect::Attempt(attempt) => self.shared.attempts.add(attempt),
            Effect::PaymentFailed { hold, viewer } => {
                if let Some(sale) = self.sales.get(&hold.drop_id()) {
                    sale.paying().fail(self.shared.clock.now());
                }
                self.shared.tell(viewer, ViewerEvent::PaymentFailed(hold), None);
            }
            Effect::Lift { part, decision } => self.lifted(part, decision),
            Effect::SetRates { decision } => self.rates_are_set(decision),
        }
    }

    /// Changes what is shown of a drop that has something under way, and tells of it.
    fn change(&self, drop: DropId, change: impl FnOnce(&SaleDrop)) {
        change(&self.sales[&drop]);
        self.shared.drop_changed(drop);
    }

    /// Fewer units show in reserve.
    fn draw(&self, drop: DropId, pool: PoolIndex, units: Units) {
        let sale = &self.sales[&drop];
        if let Some(sku) = sale.sku_of(pool) {
            sale.reserves().draw(sku, units);
        }
        self.shared.tell_followers();
    }

    /// A hold has ended without an order: its units are back.
    fn give(&self, (hold, viewer): (HoldId, ViewerNumber), units: Units, end: HoldEnd) {
        let drop = hold.drop_id();
        let sale = self.sales.get(&drop).expect("a drop with a live hold is in memory");
        let given = sale.stock().give(hold);
        assert!(matches!(given, GiveOutcome::ToPublic(_)), "{hold} ended once, without a waitlist");
        sale.paying().give_back(units);
        self.shared.ends_under_way.remove(&hold);
        let (name, event) = match end {
            HoldEnd::Expired => ("expired", ViewerEvent::Expired { hold, units }),
            HoldEnd::CalledOff => ("released", ViewerEvent::CalledOff { hold, units }),
            HoldEnd::Released | HoldEnd::Ordered => {
                ("released", ViewerEvent::Released { hold, units })
            }
        };
        metrics::count_end(name);
        self.shared.tell(viewer, event, None);
    }

    /// Holds of a drop have more time: their viewers see it.
    fn extended(&mut self, drop: DropId, until: UnixMillis) {
        if let Some(sale) = self.sales.get(&drop) {
            sale.extensions().show_next();
        }
        // Whoever was told of a hold before it showed is told again.
        self.collect_takes();
        self.note_moved(Some(drop), until);
        self.shared.tell_followers();
    }

    fn enter(&mut self, drop: DropId, changes: u64, phase: Phase, opens_at: Option<UnixMillis>) {
        let Some(book) = self.books.drop(drop) else { return };
        let sale = Arc::clone(&self.sales[&drop]);
        let now = self.shared.clock.now();
        // Also where a pause is already on its way: the countdown has ended.
        if phase == Phase::Open && sale.phase() != Phase::Paused {
            sale.video().open(now);
        }
        if matches!(phase, Phase::Countdown | Phase::Open) {
            sale.reveal();
        }
        sale.span().set(book.opened_at(), phase.is_final().then_some(now));
        if book.phase_changes() != changes {
            // It may have gone on air all the same, or have been shown.
            return self.shared.drop_changed(drop);
        }
        // The bit goes on first: whoever sees the phase can buy.
        if phase == Phase::Open {
            sale.stock().permit_takes();
        }
        sale.set_phase(phase, changes, opens_at);
        if phase.is_final() {
            self.retiring.add(drop, now);
            metrics::show_sale_bytes(self.books.memory().all());
        }
        self.shared.drop_changed(drop);
    }
}
