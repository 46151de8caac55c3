//! What goes back for cancelled units of an order, or as goodwill.

use stampede_domain::{
    HoldId, Money, PaymentId, RefundReason, limits::CANCELLATIONS_PER_ORDER_MAX,
};
use stampede_ledger::{Cancelled, PaymentChange, PaymentRecord, Text};

use crate::{
    account::{HoldAccount, OrderGoods},
    book::PaymentBook,
    part::Part,
};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelAsk {
    /// Units that nobody gets any more; none for money alone.
    pub units: u32,
    /// What goes back, in minor units; what the units cost if it is left open.
    pub amount: Option<u64>,
    /// How many cancellations the order had when somebody decided this, if it may have had no other since.
    pub seen: Option<u32>,
}

/// What a cancellation comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Cancellation {
    hold: HoldId,
    /// Units of the order that are cancelled by now.
    units: u32,
    /// What goes back by this one.
    amount: Money,
    /// By how much less the order costs.
    waived: Money,
    /// The payment that it goes back of.
    payment: Option<PaymentId>,
}

/// Why nothing is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CancelRefusal {
    /// Neither units nor money.
    #[error("nothing is cancelled by 0 units; name units, or an amount that goes back as goodwill")]
    Nothing,
    /// Something of the order was cancelled since it was seen.
    #[error(
        "the order had {seen} cancellations when it was seen, and has {now}: read it, then decide again"
    )]
    Changed {
        /// How many it had.
        seen: u32,
        /// How many it has.
        now: u32,
    },
    /// The order has fewer units left.
    #[error(
        "the order has {ordered} units, {cancelled} of them are cancelled; {given} more cannot be"
    )]
    MoreThanOrdered {
        /// Units of the order.
        ordered: u32,
        /// Those that were cancelled before.
        cancelled: u32,
        /// Those that were to be.
        given: u32,
    },
    /// More would go back than is left of the order's payment.
    #[error(
        "{given} minor units cannot go back: {paid} came for the order and {due} are due back already, so \
         {left} are left"
    )]
    MoreThanPaid {
        /// What came for the order, or is kept ready, in minor units.
        paid: u64,
        /// What was decided to go back of it before, in minor units.
        due: u64,
        /// What is left.
        left: u64,
        /// What was to go back, in minor units.
        given: u64,
    },
    /// The order has had too many.
    #[error(
        "the order has had {max} cancellations, which is the most; refund the rest at the provider"
    )]
    TooMany {
        /// The most.
        max: u32,
    },
}

impl PaymentBook {
    /// What it comes to if something of an order is cancelled. Money that went back without a decision here counts
    /// towards what is decided.
    ///
    /// # Errors
    /// [`CancelRefusal`].
    pub fn cancel(
        &self,
        (hold, goods): (HoldId, OrderGoods),
        ask: CancelAsk,
    ) -> Result<Cancellation, CancelRefusal> {
        let account = self.account(hold);
        if ask.units == 0 && ask.amount.unwrap_or(0) == 0 {
            return Err(CancelRefusal::Nothing);
        }
        let now = account.map_or(0, |account| account.cancellations);
        if let Some(seen) = ask.seen.filter(|seen| *seen != now) {
            return Err(CancelRefusal::Changed { seen, now });
        }
        if now >= CANCELLATIONS_PER_ORDER_MAX {
            return Err(CancelRefusal::TooMany { max: CANCELLATIONS_PER_ORDER_MAX });
        }
        let (ordered, given) = (goods.units.get(), ask.units);
        let cancelled = account.map_or(0, |account| account.cancelled_units);
        let units = cancelled.checked_add(given).filter(|units| *units <= ordered);
        let units = units.ok_or(CancelRefusal::MoreThanOrdered { ordered, cancelled, given })?;
        let part = account.and_then(HoldAccount::order_part);
        let (paid, due) = (part.and_then(Part::covers), part.map_or(0, |part| part.due));
        let paid = paid.unwrap_or_else(|| none_of(goods.amount));
        let left = paid.minor().saturating_sub(due);
        let price = || cost(account, goods, (given, units)).min(still_owed(account, goods));
        let (amount, waived) = match ask.amount {
            Some(given) if given > left => {
                let paid = paid.minor();
                return Err(CancelRefusal::MoreThanPaid { paid, due, left, given });
            }
            // Where the money is gone, nothing of it is kept: the buyer owes nothing for units that do not come.
            Some(given) if account.is_some_and(HoldAccount::lacks_money) => {
                (given, given.max(price()))
            }
            Some(given) => (given, given),
            None => (price().min(left), price()),
        };
        let amount = Money::new(amount, paid.currency()).expect("no more than the payment");
        let waived = Money::new(waived, goods.amount.currency()).expect("no more than the cost");
        let payment = part.filter(|_| amount.minor() > 0).map(|part| part.payment.clone());
        Ok(Cancellation { hold, units, amount, waived, payment })
    }
}

impl Cancellation {
    /// The records, behind that of the lot by which the units come back on sale.
    pub fn records(self, lot: Option<u32>, actor: Text, reason: Text) -> Vec<PaymentRecord> {
        let Self { hold, units, amount, waived, payment } = self;
        let cancelled = Cancelled { units, amount, waived, lot, actor, reason };
        let due = payment.map(|payment| PaymentChange::RefundDue {
            payment,
            amount,
            reason: RefundReason::Cancelled,
        });
        let changes = [PaymentChange::Cancelled(Box::new(cancelled))].into_iter().chain(due);
        changes.map(|change| PaymentRecord { hold, change }).collect()
    }
}

/// What these units cost, with all charges once no unit of the order is left.
fn cost(account: Option<&HoldAccount>, goods: OrderGoods, (given, units): (u32, u32)) -> u64 {
    // A price is that of a unit times the units.
    let price = goods.amount.minor().checked_div(u64::from(goods.units.get())).unwrap_or(0);
    let cost = price * u64::from(given);
    let is_last = units == goods.units.get();
    let charges = account
        .filter(|_| is_last)
        .and_then(|account| account.charges.total(goods.amount.currency()).map(Money::minor));
    cost.saturating_add(charges.unwrap_or(0))
}

/// What the order costs by what was decided so far, in minor units.
fn still_owed(account: Option<&HoldAccount>, goods: OrderGoods) -> u64 {
    let Some(account) = account else { return goods.amount.minor() };
    let cost = account.expected(goods.amount).map_or(0, Money::minor);
    cost.saturating_sub(account.waived)
}

fn none_of(money: Money) -> Money {
    Money::new(0, money.currency()).expect("nothing is within the limit")
}

#[cfg(test)]
mod tests {
    use stampede_domain::{Charges, DropId, Incarnation, PaymentEvent};
    use stampede_ledger::{HoldRecord, ProviderRequest, Record};
    use stampede_testkit::{euros, hold, units};

    use super::*;
    use crate::{HoldStands, MatterKind, PartAsk, PartOutcome};

    const CHARGES: Charges = Charges { shipping: 490, tax: 0, fee: 10 };

    struct World {
        book: PaymentBook,
        hold: HoldId,
        goods: OrderGoods,
    }

    impl World {
        /// An order of three mugs at 10.00, with 5.00 of charges.
        fn ordered(event: &PaymentEvent) -> Self {
            let hold = hold(DropId::new(1), Incarnation::new(1).unwrap(), 1);
            let goods = OrderGoods { units: units(3), amount: euros(3_000) };
            let mut world = Self { book: PaymentBook::default(), hold, goods };
            world.apply(vec![PaymentRecord { hold, change: PaymentChange::Charged(CHARGES) }]);
            assert_eq!(world.report(event, HoldStands::Held), PartOutcome::Ordered);
            let viewer = stampede_domain::ViewerNumber::new(7).unwrap();
            let OrderGoods { units, amount } = goods;
            let record = HoldRecord::Confirmed { hold, viewer, units, amount, channel: None };
            world.book.apply(&record.into());
            world
        }

        fn report(&mut self, event: &PaymentEvent, stands: HoldStands) -> PartOutcome {
            self.report_of("p1", event, stands)
        }

        fn report_of(
            &mut self,
            name: &str,
            event: &PaymentEvent,
            stands: HoldStands,
        ) -> PartOutcome {
            let payment = PaymentId::new("platform", name).unwrap();
            let mut out = Vec::new();
            let ask = PartAsk { payment: &payment, hold: self.hold, stands };
            let outcome = match event {
                PaymentEvent::Authorized { amount } => {
                    self.book.authorized(ask, (*amount, None), &mut out)
                }
                PaymentEvent::Paid { amount } => self.book.paid(ask, (*amount, None), &mut out),
                PaymentEvent::Refunded { total } => self.book.refunded(ask, *total, &mut out),
                PaymentEvent::Voided => Ok(self.book.voided(ask, &mut out)),
                other => panic!("{other:?}"),
            };
            self.apply(out);
            outcome.unwrap()
        }

        fn apply(&mut self, records: Vec<PaymentRecord>) {
            for record in records {
                self.book.apply(&Record::from(record));
            }
        }

        /// What goes back.
        fn cancel(&mut self, units: u32, amount: Option<u64>) -> Result<u64, CancelRefusal> {
            let ask = CancelAsk { units, amount, seen: None };
            let cancellation = self.book.cancel((self.hold, self.goods), ask)?;
            let back = cancellation.amount.minor();
            self.apply(cancellation.records(None, "ada".into(), "it broke".into()));
            Ok(back)
        }

        fn matters(&self) -> Vec<MatterKind> {
            self.book.matters_of(self.hold).iter().map(|matter| matter.kind).collect()
        }
    }

    fn paid() -> PaymentEvent {
        PaymentEvent::Paid { amount: euros(3_500) }
    }

    fn authorized() -> PaymentEvent {
        PaymentEvent::Authorized { amount: euros(3_500) }
    }

    fn refund(minor: u64) -> MatterKind {
        MatterKind::Refund { amount: euros(minor), reason: RefundReason::Cancelled }
    }

    fn unpaid(minor: u64) -> MatterKind {
        MatterKind::Unpaid { amount: euros(minor) }
    }

    #[test]
    fn units_give_back_their_price_and_the_last_ones_all_charges() {
        let mut world = World::ordered(&paid());
        assert_eq!(world.cancel(1, None), Ok(1_000));
        assert_eq!(world.matters(), [refund(1_000)]);
        assert_eq!(world.cancel(2, None), Ok(2_500));
        assert_eq!(world.matters(), [refund(3_500)]);
        let account = world.book.account(world.hold).unwrap();
        assert_eq!((account.cancelled_units, account.waived), (3, 3_500));
        assert_eq!(account.cancellations, 2);
    }

    #[test]
    fn no_unit_is_cancelled_twice() {
        let mut world = World::ordered(&paid());
        world.cancel(2, None).unwrap();
        let refused = world.cancel(2, None).expect_err("one is left");
        assert_eq!(
            refused.to_string(),
            "the order has 3 units, 2 of them are cancelled; 2 more cannot be"
        );
        assert!(world.cancel(u32::MAX, None).is_err());
        assert_eq!(world.cancel(1, None), Ok(1_500));
    }

    #[test]
    fn no_more_goes_back_than_came() {
        let mut world = World::ordered(&paid());
        assert_eq!(world.cancel(0, Some(3_000)), Ok(3_000), "goodwill");
        let refused = world.cancel(0, Some(501)).expect_err("500 are left");
        assert_eq!(
            refused.to_string(),
            "501 minor units cannot go back: 3500 came for the order and 3000 are due back already, so 500 \
             are left"
        );
        assert_eq!(world.cancel(1, None), Ok(500), "what is left of its price");
        assert_eq!(world.cancel(2, None), Ok(0), "units are cancelled all the same");
        assert_eq!(world.matters(), [refund(3_500)]);
        assert_eq!(world.cancel(0, None), Err(CancelRefusal::Nothing));
        assert_eq!(world.cancel(0, Some(0)), Err(CancelRefusal::Nothing));
    }

    #[test]
    fn all_that_came_may_go_back_at_once() {
        let mut world = World::ordered(&paid());
        assert_eq!(world.cancel(0, Some(3_500)), Ok(3_500));
        assert_eq!(world.matters(), [refund(3_500)]);
    }

    #[test]
    fn units_that_are_cancelled_for_nothing_leave_no_refund() {
        let mut world = World::ordered(&paid());
        let ask = CancelAsk { units: 1, amount: Some(0), seen: None };
        let cancellation = world.book.cancel((world.hold, world.goods), ask).unwrap();
        let records = cancellation.records(None, "ada".into(), "it broke".into());
        assert!(
            matches!(&records[..], [PaymentRecord { change: PaymentChange::Cancelled(_), .. }]),
            "{records:?}"
        );
        world.apply(records);
        assert_eq!(world.matters(), []);
    }

    #[test]
    fn money_that_went_back_already_counts() {
        let mut world = World::ordered(&paid());
        let _ = world.report(&PaymentEvent::Refunded { total: euros(400) }, HoldStands::Ordered);
        assert_eq!(world.matters(), [], "whoever gave it back has decided so");
        assert_eq!(world.cancel(1, None), Ok(1_000));
        assert_eq!(world.matters(), [refund(600)]);
    }

    #[test]
    fn an_order_whose_money_is_gone_is_unpaid_until_none_of_it_is_to_be_delivered() {
        for said in [PaymentEvent::Refunded { total: euros(3_500) }, PaymentEvent::Voided] {
            let is_paid = matches!(said, PaymentEvent::Refunded { .. });
            let mut world = World::ordered(&if is_paid { paid() } else { authorized() });
            let _ = world.report(&said, HoldStands::Ordered);
            assert_eq!(world.matters(), [unpaid(3_500)]);
            world.cancel(2, None).unwrap();
            assert_eq!(world.matters(), [unpaid(1_500)], "one is still to be delivered");
            let paid = PaymentEvent::Paid { amount: euros(1_500) };
            let mut anew = World { book: world.book.clone(), ..world };
            let outcome = anew.report_of("p2", &paid, HoldStands::Ordered);
            assert_eq!(outcome, PartOutcome::AlreadyOrdered, "what it lacks is what it costs now");
            assert_eq!(anew.matters(), []);
            world.cancel(1, None).unwrap();
            assert_eq!(world.matters(), [], "{said:?}");
        }
    }

    #[test]
    fn of_money_that_was_let_go_and_comes_after_all_the_order_keeps_what_it_costs_by_then() {
        // Units cancelled meanwhile, what comes, what goes back.
        for (cancelled, minor, back) in [
            (0, 3_500, 0),
            (0, 3_400, 0),
            (0, 9_900, 6_400),
            (2, 3_500, 2_000),
            (2, 1_500, 0),
            (3, 3_500, 3_500),
            (3, 9_900, 9_900),
        ] {
            let mut world = World::ordered(&authorized());
            let _ = world.report(&PaymentEvent::Voided, HoldStands::Ordered);
            if cancelled > 0 {
                assert_eq!(world.cancel(cancelled, None), Ok(0), "nothing is there");
            }
            let paid = PaymentEvent::Paid { amount: euros(minor) };
            assert_eq!(world.report(&paid, HoldStands::Ordered), PartOutcome::AlreadyOrdered);
            let account = world.book.account(world.hold).unwrap();
            assert_eq!(account.outstanding(), back, "{cancelled} cancelled, {minor} came");
            let reason = account.parts[0].due_reason;
            assert_eq!(reason.is_some(), back > 0, "nothing is no refund");
        }
    }

    #[test]
    fn money_of_another_currency_that_comes_after_all_goes_back() {
        let mut world = World::ordered(&authorized());
        let _ = world.report(&PaymentEvent::Voided, HoldStands::Ordered);
        let amount = Money::new(3_500, "JPY".parse().unwrap()).unwrap();
        let outcome = world.report(&PaymentEvent::Paid { amount }, HoldStands::Ordered);
        let reason = RefundReason::WrongAmount;
        assert_eq!(outcome, PartOutcome::RefundDue { amount, reason });
        assert_eq!(world.matters(), [MatterKind::Refund { amount, reason }]);
        assert_eq!(world.book.owed_anew(world.hold), Some(euros(3_500)), "and is lacking still");
    }

    #[test]
    fn an_order_whose_money_is_gone_costs_less_by_each_unit_whatever_is_said_to_go_back() {
        let mut world = World::ordered(&paid());
        let total = euros(3_500);
        let _ = world.report(&PaymentEvent::Refunded { total }, HoldStands::Ordered);
        assert_eq!(world.cancel(2, Some(0)), Ok(0));
        assert_eq!(world.matters(), [unpaid(1_500)]);
        // Where the money is there, staff may keep of it what they say.
        let mut world = World::ordered(&paid());
        assert_eq!(world.cancel(2, Some(500)), Ok(500));
        let _ = world.report(&PaymentEvent::Refunded { total }, HoldStands::Ordered);
        assert_eq!(world.matters(), [unpaid(3_000)]);
    }

    #[test]
    fn units_beyond_a_capture_of_less_are_not_owed() {
        let mut world = World::ordered(&authorized());
        let _ = world.report(&PaymentEvent::Paid { amount: euros(1_000) }, HoldStands::Ordered);
        assert_eq!(world.cancel(2, None), Ok(1_000), "no more came");
        assert_eq!(world.matters(), [refund(1_000)]);
        let _ = world.report(&PaymentEvent::Refunded { total: euros(1_000) }, HoldStands::Ordered);
        assert_eq!(world.matters(), [unpaid(1_500)]);
    }

    #[test]
    fn an_order_without_a_payment_gives_nothing_back() {
        let mut world = World::ordered(&paid());
        world.book = PaymentBook::default();
        assert!(matches!(
            world.cancel(0, Some(1)),
            Err(CancelRefusal::MoreThanPaid { paid: 0, due: 0, left: 0, given: 1 })
        ));
        assert_eq!(world.cancel(3, None), Ok(0));
        assert_eq!(world.matters(), []);
        assert!(world.cancel(1, None).is_err(), "all are cancelled");
    }

    #[test]
    fn what_is_kept_ready_is_let_go_as_a_whole_or_taken_as_a_whole() {
        let mut world = World::ordered(&authorized());
        let capture = MatterKind::Capture { amount: euros(3_500) };
        assert_eq!(world.matters(), [capture]);
        world.cancel(1, None).unwrap();
        assert_eq!(world.matters(), [capture], "then what is due goes back");
        let mut captured = World { book: world.book.clone(), ..world };
        assert_eq!(captured.report(&paid(), HoldStands::Ordered), PartOutcome::AlreadyOrdered);
        assert_eq!(captured.matters(), [refund(1_000)]);
        world.cancel(2, None).unwrap();
        assert_eq!(world.matters(), [MatterKind::Void]);
        assert_eq!(MatterKind::Void.request(), Some(ProviderRequest::Void));
        let _ = world.report(&PaymentEvent::Voided, HoldStands::Ordered);
        assert_eq!(world.matters(), [], "nothing of it was to be kept");
        let _ = world.report(&paid(), HoldStands::Ordered);
        assert_eq!(world.matters(), [refund(3_500)], "it came all the same");
    }

    #[test]
    fn an_order_that_keeps_something_lacks_it_once_the_money_is_let_go() {
        let mut world = World::ordered(&authorized());
        world.cancel(2, Some(3_400)).unwrap();
        assert_eq!(world.matters(), [MatterKind::Capture { amount: euros(3_500) }]);
        let _ = world.report(&PaymentEvent::Voided, HoldStands::Ordered);
        assert_eq!(world.matters(), [unpaid(100)]);
    }

    #[test]
    fn what_was_decided_on_another_order_is_refused() {
        let mut world = World::ordered(&paid());
        let ask = |seen| CancelAsk { units: 0, amount: Some(500), seen: Some(seen) };
        let decided = |world: &World, seen| world.book.cancel((world.hold, world.goods), ask(seen));
        assert!(decided(&world, 0).is_ok());
        world.cancel(0, Some(500)).unwrap();
        let refused = decided(&world, 0).expect_err("somebody gave goodwill since");
        assert_eq!(refused, CancelRefusal::Changed { seen: 0, now: 1 });
        assert_eq!(
            refused.to_string(),
            "the order had 0 cancellations when it was seen, and has 1: read it, then decide again"
        );
        assert!(decided(&world, 1).is_ok());
        world.book = PaymentBook::default();
        let unheard = |seen| CancelAsk { units: 1, amount: None, seen: Some(seen) };
        let cancel = |seen| world.book.cancel((world.hold, world.goods), unheard(seen));
        assert!(cancel(0).is_ok(), "nobody heard of its money");
        assert_eq!(cancel(1), Err(CancelRefusal::Changed { seen: 1, now: 0 }));
    }

    #[test]
    fn an_order_has_so_many_cancellations() {
        let mut world = World::ordered(&paid());
        for _ in 0..CANCELLATIONS_PER_ORDER_MAX {
            world.cancel(0, Some(1)).unwrap();
        }
        let max = CANCELLATIONS_PER_ORDER_MAX;
        assert_eq!(world.cancel(0, Some(1)), Err(CancelRefusal::TooMany { max }));
    }
}
