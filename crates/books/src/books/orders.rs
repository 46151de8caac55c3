//! Orders after they were made: units that nobody gets any more, money that goes back.

use stampede_domain::{DropId, HoldId, Phase, Units, UnixMillis};
use stampede_settlement::{CancelAsk, HoldAccount, OrderGoods};

use super::Books;
use crate::{
    command::{CancelOrder, CommandRefusal, StaffCommand},
    decision::Decision,
    hold::{HoldLook, HoldStatus},
};

impl Books {
    /// The hold that became the order which is known by this one: another, if its units were taken again.
    pub fn order_of(&self, hold: HoldId) -> HoldId {
        let account = self.payments(hold.drop_id()).and_then(|book| book.account(hold));
        account.and_then(|account| account.retaken).unwrap_or(hold)
    }

    /// Cancels units of an order, gives money back for it; returns the number of the lot by which units went back
    /// on sale. `look` is where the id of [`Books::order_of`] leads.
    pub(super) fn cancel_order(
        &mut self,
        (drop, phase): (DropId, Phase),
        cancel: &CancelOrder,
        (command, look): (&StaffCommand, Option<HoldLook>),
        now: UnixMillis,
        out: &mut Decision,
    ) -> Result<Option<u32>, CommandRefusal> {
        let CancelOrder { order, units, amount, restock, seen } = *cancel;
        let unknown = || CommandRefusal::UnknownOrder { order };
        let order = self.order_of(order);
        if order.drop_id() != drop {
            return Err(unknown());
        }
        let (money, _) = self.money(drop).ok_or(CommandRefusal::MoneyNotLoaded)?;
        let in_stock = match look {
            Some(HoldLook::Known(status)) if status.confirmed => Some(status),
            _ => None,
        };
        let goods = match in_stock {
            Some(HoldStatus { units, amount, .. }) => Some(OrderGoods { units, amount }),
            None if self.drops.contains_key(&drop) => None,
            None => money.account(order).and_then(HoldAccount::goods),
        };
        let goods = goods.ok_or_else(unknown)?;
        let cancellation = money.cancel((order, goods), CancelAsk { units, amount, seen })?;
        let lot = match in_stock.filter(|_| restock) {
            Some(status) => Some(self.put_back((drop, phase), (status, units), now, out)?),
            None if restock => return Err(CommandRefusal::NoRestock { phase }),
            None => None,
        };
        let (actor, reason) = (&*command.actor, command.reason.as_deref().unwrap_or_default());
        self.record_money(now, cancellation.records(lot, actor.into(), reason.into()), out);
        Ok(lot)
    }

    /// Puts units of an order back on sale, as a lot of their own.
    fn put_back(
        &mut self,
        (drop, phase): (DropId, Phase),
        (order, units): (HoldStatus, u32),
        now: UnixMillis,
        out: &mut Decision,
    ) -> Result<u32, CommandRefusal> {
        if !matches!(phase, Phase::Open | Phase::Paused) {
            return Err(CommandRefusal::NoRestock { phase });
        }
        let sku = self.drops[&drop].plan().sku(order.sku).expect("an order is of one of the SKUs");
        let (sku, units) = (sku.id.clone(), Units::new(units).expect("no more than the order has"));
        self.sell_again(now, drop, (&sku, units), out)
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{
        DurationMs, Incarnation, Mode, PaymentEvent, PaymentFact, PaymentId, RefundReason,
        SkuIndex, ViewerNumber,
    };
    use stampede_ledger::{HoldRecord, PaymentChange, PhaseRecord, Record};
    use stampede_settlement::{Matter, MatterKind, PaymentBook};
    use stampede_testkit::{euros, hold, units};

    use super::*;
    use crate::{
        books::{
            CommandContext, OverDrop, ReopenedDrop,
            given::{self, DROP, NOW},
        },
        command::{CommandOutcome, DropAction, Role},
        payment::PayingHold,
        seen::SeenDrop,
        targets::NoTargets,
    };

    fn order() -> HoldId {
        hold(DROP, Incarnation::new(1).unwrap(), 1)
    }

    fn status(confirmed: bool) -> HoldStatus {
        HoldStatus {
            hold: order(),
            viewer: ViewerNumber::new(7).unwrap(),
            sku: SkuIndex::default(),
            units: units(2),
            amount: euros(3_980),
            deadline: NOW.plus(DurationMs::from_secs(60)),
            grace: DurationMs::ZERO,
            confirmed,
        }
    }

    /// Books that follow what others decide, in the journal's order.
    struct World {
        books: Books,
        journal: Vec<(DropId, Record)>,
        in_memory: bool,
        keys: u32,
    }

    impl World {
        /// An open drop with an order of two mugs that was paid for.
        fn new() -> Self {
            let (books, journal) = (given::empty(), Vec::new());
            let mut world = Self { books, journal, in_memory: true, keys: 0 };
            let plan = std::sync::Arc::new(stampede_testkit::plan(5));
            world.follow(Record::Planned { plan, revision: 1 });
            world.follow(PhaseRecord::Countdown { opens_at: NOW }.into());
            world.follow(PhaseRecord::Opened.into());
            world.books.note_take(DROP, order().pool());
            let payment = PaymentId::new("platform", "p1").unwrap();
            let event = PaymentEvent::Paid { amount: euros(3_980) };
            let holds = vec![order()];
            let fact = PaymentFact { payment, event, holds, mode: None, order_reference: None };
            let look = HoldLook::Known(status(false));
            let paying =
                PayingHold { hold: order(), look, channel: None, ended: None, is_over: false };
            let mut out = Decision::default();
            world.books.payment(NOW, &fact, &[paying], &mut out).unwrap();
            world.take(out);
            world
        }

        fn follow(&mut self, record: Record) {
            let mut out = Decision::default();
            self.books.record(NOW, DROP, record, &mut out);
            self.take(out);
        }

        fn take(&mut self, out: Decision) {
            self.journal.extend(out.records.into_iter().map(|new| (new.drop, new.record)));
        }

        /// The drop is settled, and leaves memory.
        fn leave(&mut self) {
            self.follow(PhaseRecord::Closed.into());
            self.follow(PhaseRecord::Settled.into());
            self.books.forget(DROP);
            self.in_memory = false;
        }

        /// The money is read as the engine reads it.
        fn reopen(&mut self) -> bool {
            let (mut payments, mut adjustments) = (PaymentBook::default(), 0);
            for (chain, record) in &self.journal {
                payments.apply(record);
                adjustments += u64::from(chain.is_adjustments());
            }
            let read = ReopenedDrop { drop: DROP, mode: Mode::Live, payments, adjustments };
            self.books.reopen(read)
        }

        /// Another node's books, which have read the journal.
        fn restart(&mut self) {
            self.books = given::empty();
            for (chain, record) in &self.journal {
                self.books.apply(NOW, *chain, record, &NoTargets).unwrap();
            }
            if !self.in_memory {
                self.books.forget(DROP);
            }
        }

        fn cancel(&mut self, units: u32, amount: Option<u64>) -> CommandOutcome {
            self.keys += 1;
            self.cancel_by(&format!("k{}", self.keys), units, amount)
        }

        fn cancel_by(&mut self, key: &str, units: u32, amount: Option<u64>) -> CommandOutcome {
            let cancel = CancelOrder { order: order(), units, amount, restock: false, seen: None };
            let command = StaffCommand {
                reason: Some("it broke".into()),
                key: key.parse().unwrap(),
                ..given::command(Role::Admin, DropAction::CancelOrder(cancel).on(DROP))
            };
            let over = OverDrop {
                stream: "show".parse().unwrap(),
                merchant: "acme".parse().unwrap(),
                stands: SeenDrop { phase: Phase::Settled, revision: 1, phase_changes: None },
            };
            let look = HoldLook::Known(status(true));
            let shown = CommandContext {
                over: (!self.in_memory).then_some(over),
                order: Some(if self.in_memory { look } else { HoldLook::Unknown }),
                ..CommandContext::default()
            };
            let mut out = Decision::default();
            let outcome = self.books.command(&command, &shown, given::moment(), &mut out);
            self.take(out);
            outcome
        }

        /// Names of the latest records, each with whether it is an adjustment.
        fn latest(&self, count: usize) -> Vec<(&'static str, bool)> {
            let latest = &self.journal[self.journal.len() - count..];
            let name = |record: &Record| match record {
                Record::Payment(payment) => payment.change.name(),
                Record::Command(_) => "command",
                other => panic!("{other:?}"),
            };
            latest.iter().map(|(chain, record)| (name(record), chain.is_adjustments())).collect()
        }

        fn refund(&self) -> Option<u64> {
            match self.books.payments(DROP).unwrap().matters_of(order())[..] {
                [] => None,
                [Matter { kind: MatterKind::Refund { amount, reason }, .. }] => {
                    assert_eq!(reason, RefundReason::Cancelled);
                    Some(amount.minor())
                }
                ref other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn units_and_money_and_the_command_are_one_decision() {
        let mut world = World::new();
        assert!(
            world
                .journal
                .iter()
                .any(|(_, record)| matches!(record, Record::Hold(HoldRecord::Confirmed { .. })))
        );
        assert_eq!(world.cancel(1, None).unwrap().drop, DROP);
        let names = world.latest(3);
        assert_eq!(names.last(), Some(&("command", false)));
        assert!(names.iter().all(|(_, is_adjustment)| !is_adjustment), "{names:?}");
        assert_eq!(world.refund(), Some(1_990));
        let given = world.journal.iter().rev().find_map(|(_, record)| match record {
            Record::Payment(payment) => match &payment.change {
                PaymentChange::Cancelled(cancelled) => Some(cancelled),
                _ => None,
            },
            _ => None,
        });
        let cancelled = given.unwrap();
        assert_eq!((cancelled.units, cancelled.lot), (1, None));
        assert_eq!((cancelled.actor.as_str(), cancelled.reason.as_str()), ("ada", "it broke"));
        assert!(world.cancel(2, None).is_err());
        world.restart();
        assert!(world.cancel(2, None).is_err());
        assert_eq!(world.cancel(1, None).map(|done| done.replayed), Ok(false));
        assert_eq!(world.refund(), Some(3_980));
    }

    #[test]
    fn why_has_to_be_said() {
        let mut books = given::one_drop();
        for reason in [None, Some(String::new())] {
            let action = DropAction::Extend { by: DurationMs::from_secs(5) }.on(DROP);
            let command = StaffCommand { reason, ..given::command(Role::Admin, action) };
            let shown = CommandContext::default();
            let mut out = Decision::default();
            let outcome = books.command(&command, &shown, given::moment(), &mut out);
            assert!(matches!(outcome, Err(CommandRefusal::Reason(_))), "{outcome:?}");
        }
    }

    #[test]
    fn money_goes_back_after_the_drop_has_left_memory() {
        let mut world = World::new();
        world.cancel(0, Some(90)).unwrap();
        world.leave();
        let records = world.journal.len();
        assert_eq!(world.cancel(1, None), Err(CommandRefusal::MoneyNotLoaded));
        assert_eq!(world.journal.len(), records, "nothing was decided");
        assert!(world.reopen());
        let done = world.cancel_by("a", 1, None).unwrap();
        assert_eq!((done.drop, done.lot, done.replayed), (DROP, None, false));
        assert!(world.latest(3).iter().all(|(_, is_adjustment)| *is_adjustment));
        assert_eq!(world.refund(), Some(90 + 1_990));
        let again = world.cancel_by("a", 1, None).unwrap();
        assert!(again.replayed && again.drop == DROP);
        assert_eq!(world.cancel_by("a", 2, None), Err(CommandRefusal::KeyReused));
        assert!(world.reopen(), "the command counts among what was read");
        assert!(matches!(world.cancel(2, None), Err(CommandRefusal::Cancel(_))));

        world.restart();
        assert!(world.cancel_by("a", 1, None).unwrap().replayed, "by the books alone");
        assert_eq!(world.cancel(1, None), Err(CommandRefusal::MoneyNotLoaded));
        assert!(world.reopen());
        world.cancel(1, None).unwrap();
        assert_eq!(world.refund(), Some(3_980), "what is left of it");
    }

    #[test]
    fn a_drop_that_has_left_memory_takes_no_units_back() {
        let mut world = World::new();
        world.leave();
        assert!(world.reopen());
        let phase = Phase::Settled;
        let cancel =
            CancelOrder { order: order(), units: 1, amount: None, restock: true, seen: None };
        let command = StaffCommand {
            reason: Some("it broke".into()),
            ..given::command(Role::Admin, DropAction::CancelOrder(cancel).on(DROP))
        };
        let mut out = Decision::default();
        let refused =
            world.books.cancel_order((DROP, phase), &cancel, (&command, None), NOW, &mut out);
        assert_eq!(refused, Err(CommandRefusal::NoRestock { phase }));
        assert!(out.records.is_empty());
        let unknown = hold(DROP, Incarnation::new(1).unwrap(), 2);
        let cancel = CancelOrder { order: unknown, restock: false, ..cancel };
        let refused =
            world.books.cancel_order((DROP, phase), &cancel, (&command, None), NOW, &mut out);
        assert_eq!(refused, Err(CommandRefusal::UnknownOrder { order: unknown }));
    }
}
