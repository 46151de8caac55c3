//! What a decision promises, done once its records are durable.

use std::sync::Arc;

use stampede_domain::{
    DropId, HoldId, Phase, PoolIndex, Rates, Refusal, Units, UnixMillis, ViewerNumber,
};
use stampede_ledger::{BrakePart, Room, RoomChange};
use stampede_stock::Given;
use tokio::sync::oneshot;

use super::{ConfirmOutcome, FailOutcome, ReleaseRequest, Steward};
use crate::{
    brake::BrakeEntry,
    command::CommandOutcome,
    event::{CoreEvent, ViewerEvent},
    metrics,
    sale::SaleDrop,
};

/// Something that waits for a durable position.
pub(crate) enum Effect {
    /// A planned or edited drop becomes visible.
    Publish(Arc<SaleDrop>),
    /// A phase becomes visible, unless a later decision has overtaken it.
    Enter {
        drop: DropId,
        /// The phase's number.
        changes: u64,
        phase: Phase,
        opens_at: Option<UnixMillis>,
    },
    /// A drop goes on air in place of the one that was.
    Air(DropId),
    /// Who may sell in a stream shows.
    Room(Room),
    /// A lot goes on sale.
    Supply {
        drop: DropId,
        pool: PoolIndex,
        units: Units,
    },
    /// A released or expired hold gives its units back.
    Give {
        hold: HoldId,
        viewer: ViewerNumber,
        event: ViewerEvent,
    },
    /// A hold has become an order.
    Ordered {
        hold: HoldId,
        viewer: ViewerNumber,
        units: Units,
    },
    /// Something about the brake has ended.
    Lift {
        part: BrakePart,
        epoch: u64,
    },
    /// Viewers are told that the deadlines of holds taken before then have moved.
    TellMoved {
        until: UnixMillis,
    },
    /// Limits hold as they were set.
    SetRates {
        rates: Rates,
        entry: Box<BrakeEntry>,
        epoch: u64,
    },
    /// Answers.
    RefuseRelease(ReleaseRequest, Refusal),
    Confirm(oneshot::Sender<ConfirmOutcome>, ConfirmOutcome),
    Fail(oneshot::Sender<FailOutcome>, FailOutcome),
    Command(oneshot::Sender<CommandOutcome>, CommandOutcome),
}

impl Steward {
    /// Does what the durable records promised.
    pub(super) fn settle_effects(&mut self) {
        while self.effect_is_due() {
            let (_, effect) = self.waiting.pop_front().expect("the front was just seen");
            self.perform(effect);
        }
    }

    /// Whether an effect waits for nothing but its turn.
    pub(super) fn effect_is_due(&self) -> bool {
        let durable = self.ring.durable();
        self.waiting.front().is_some_and(|(position, _)| *position <= durable)
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Publish(sale) => self.shared.publish(sale),
            Effect::Enter { drop, changes, phase, opens_at } => {
                self.enter(drop, changes, phase, opens_at);
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
                let book = self.books.get(&drop).expect("a drop with a lot under way is not over");
                book.sale
                    .stock()
                    .add_supply(pool, units)
                    .expect("checked before the lot was recorded");
                self.shared.drop_changed(drop);
            }
            Effect::Give { hold, viewer, event } => {
                let drop = hold.drop_id();
                self.timers.touch(drop);
                let book = self.books.get_mut(&drop).expect("a drop with a live hold is not over");
                let given = book.sale.stock().give(hold);
                assert!(
                    matches!(given, Given::ToPublic(_)),
                    "{hold} ended once, without a waitlist"
                );
                book.live_holds -= 1;
                self.shared.ends_under_way.remove(&hold);
                let expired = matches!(event, ViewerEvent::Expired { .. });
                metrics::count_end(if expired { "expired" } else { "released" });
                self.shared.tell(viewer, event, None);
            }
            Effect::Ordered { hold, viewer, units } => {
                let drop = hold.drop_id();
                self.timers.touch(drop);
                let book = self.books.get_mut(&drop).expect("a drop with a live hold is not over");
                book.sale.add_sold(hold.pool(), units);
                book.live_holds -= 1;
                self.shared.ends_under_way.remove(&hold);
                metrics::count_end("confirmed");
                self.shared.tell(viewer, ViewerEvent::Ordered(hold), None);
            }
            Effect::TellMoved { until } => self.note_moved(until),
            Effect::Lift { part, epoch } => self.lifted(part, epoch),
            Effect::SetRates { rates, entry, epoch } => self.rates_are_set(rates, *entry, epoch),
            Effect::RefuseRelease(request, refusal) => {
                let ReleaseRequest { hold, core, token, .. } = request;
                self.shared.inboxes[core].send(CoreEvent::ReleaseRefused { token, hold, refusal });
            }
            // Who asked may have gone; the outcome stands all the same.
            Effect::Confirm(reply, outcome) => drop(reply.send(outcome)),
            Effect::Fail(reply, outcome) => drop(reply.send(outcome)),
            Effect::Command(reply, outcome) => drop(reply.send(outcome)),
        }
    }

    fn enter(&mut self, drop: DropId, changes: u64, phase: Phase, opens_at: Option<UnixMillis>) {
        let Some(book) = self.books.get(&drop) else { return };
        let sale = Arc::clone(&book.sale);
        // Also where a pause is already on its way: the countdown has ended.
        if phase == Phase::Open && sale.phase() != Phase::Paused {
            sale.video().open(self.shared.clock.now());
        }
        if book.phase_changes != changes {
            // It may have gone on air all the same.
            return self.shared.drop_changed(drop);
        }
        sale.set_phase(phase, changes, opens_at);
        match phase {
            Phase::Open => sale.stock().open(),
            Phase::Settled | Phase::Cancelled => {
                if let Some(book) = self.books.remove(&drop) {
                    self.need_ends(&book);
                }
                self.timers.touch(drop);
                self.retiring.add(drop, self.shared.clock.now());
            }
            _ => {}
        }
        self.shared.drop_changed(drop);
    }
}
