//! The opening of a drop that was a mistake: it is undone while nothing is paid, and a copy stands in its place.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, Moment, Phase, SkuPlan, UnixMillis};
use stampede_ledger::{NoCopy, PhaseRecord, PlannedCopy, Room};

use super::Books;
use crate::{
    command::CommandRefusal,
    decision::Decision,
    drop::{check_plan, copied_plan},
    hold::HoldStatus,
};

impl Books {
    /// Calls a drop off that is open or paused: from here on none of its holds becomes an order. The shell ends them
    /// one after the other. A copy is planned in the same decision, if there is room for one.
    pub(super) fn undo(
        &mut self,
        drop: DropId,
        for_house: bool,
        now: Moment,
        out: &mut Decision,
    ) -> Result<PlannedCopy, CommandRefusal> {
        let orders = self.drops[&drop].orders();
        if orders > 0 {
            return Err(CommandRefusal::AlreadyPaid { orders });
        }
        let plan = self.plan_of_copy(drop, now);
        // Without a place for the copy the mistake is undone all the same.
        let place = self.place_of_copy(&plan, for_house, now.wall);
        let copy = match &place {
            Ok(_) => PlannedCopy::Drop(self.next_drop),
            Err(refusal) => PlannedCopy::None(why_no_copy(refusal)),
        };
        self.forbid(now.sale, drop, PhaseRecord::UndoBegun { copy }, out);
        if let (Some(copy), Ok(rooms)) = (copy.drop(), place) {
            self.change_rooms(now.sale, rooms, out);
            self.add_drop(copy, 1, (&plan, now.sale), out);
        }
        Ok(copy)
    }

    /// The terms of a drop once more. What lies too near or in the past is left out.
    fn plan_of_copy(&self, drop: DropId, now: Moment) -> Arc<DropPlan> {
        let book = &self.drops[&drop];
        let countdown_at = book.start_of_countdown(self.video_delay_of(drop));
        Arc::new(copied_plan(book.plan(), countdown_at, now.wall))
    }

    /// Whether there is a place for a copy, as for any new plan; with what has to change about rooms first.
    fn place_of_copy(
        &self,
        plan: &DropPlan,
        for_house: bool,
        wall: UnixMillis,
    ) -> Result<Vec<Room>, CommandRefusal> {
        check_plan(plan, wall)?;
        let rooms = self.check_place(plan, for_house)?;
        self.check_memory(&plan.merchant, None, plan.skus.iter().map(SkuPlan::units))?;
        Ok(rooms)
    }

    /// Whether a hold has had its time: its deadline is over, or its drop is called off.
    pub(super) fn is_out_of_time(&self, held: &HoldStatus, now: UnixMillis) -> bool {
        let book = self.drops.get(&held.hold.drop_id());
        now >= held.ends_at() || book.is_some_and(|book| book.phase() == Phase::Voiding)
    }
}

/// What a refused plan is called where it would have been a copy.
const fn why_no_copy(refusal: &CommandRefusal) -> NoCopy {
    match refusal {
        CommandRefusal::StreamFull { .. } => NoCopy::StreamFull,
        CommandRefusal::ShareFull { .. } => NoCopy::ShareFull,
        CommandRefusal::StreamNotYours { .. } => NoCopy::StreamNotYours,
        CommandRefusal::RoomsFull { .. } => NoCopy::RoomsFull,
        CommandRefusal::MemoryFull { .. } => NoCopy::MemoryFull,
        _ => NoCopy::InvalidPlan,
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{
        Charges, DurationMs, HoldId, Incarnation, PaymentEvent, PaymentFact, PaymentId,
        RefundReason, Refusal, SkuIndex, ViewerNumber,
    };
    use stampede_ledger::{HoldRecord, Record, RoomChange, RoomOwner};
    use stampede_settlement::{PartOutcome, PaymentRefusal};
    use stampede_testkit::{euros, hold, units};

    use super::*;
    use crate::{
        books::given::{self, DROP, NOW},
        command::{Action, CommandOutcome, DropAction, Role, StaffCommand},
        decision::{Act, HoldEnd},
        hold::HoldLook,
        payment::{HoldOutcome, PayingHold},
    };

    const VIEWER: u64 = 7;

    fn held() -> HoldStatus {
        HoldStatus {
            hold: held_id(),
            viewer: ViewerNumber::new(VIEWER).unwrap(),
            sku: SkuIndex::default(),
            units: units(2),
            amount: euros(3_980),
            deadline: NOW.plus(DurationMs::from_secs(60)),
            grace: DurationMs::ZERO,
            confirmed: false,
        }
    }

    fn held_id() -> HoldId {
        hold(DROP, Incarnation::new(1).unwrap(), 1)
    }

    fn paying() -> PayingHold {
        let look = HoldLook::Known(held());
        PayingHold { hold: held_id(), look, channel: None, ended: None, is_over: false }
    }

    fn undo(books: &mut Books, role: Role, out: &mut Decision) -> CommandOutcome {
        let command = given::command(role, DropAction::Undo.on(DROP));
        books.command(&command, &crate::CommandContext::default(), given::moment(), out)
    }

    /// An open drop with a hold that nobody has paid, whose opening is undone; the hold has not ended yet.
    fn undone() -> Books {
        let mut books = given::one_drop();
        given::follow(&mut books, DROP, PhaseRecord::Countdown { opens_at: NOW });
        given::follow(&mut books, DROP, PhaseRecord::Opened);
        books.note_take(DROP, held_id().pool());
        undo(&mut books, Role::Admin, &mut Decision::default()).unwrap();
        books
    }

    fn names(out: &Decision) -> Vec<String> {
        let name = |record: &Record| match record {
            Record::Hold(HoldRecord::Released { .. }) => "released".to_owned(),
            Record::Payment(payment) => payment.change.name().to_owned(),
            other => format!("{other:?}"),
        };
        out.records.iter().map(|new| name(&new.record)).collect()
    }

    #[test]
    fn money_for_a_hold_whose_turn_has_not_come_yet_is_due_back() {
        let (mut books, mut out) = (undone(), Decision::default());
        let payment = PaymentId::new("platform", "p1").unwrap();
        let event = PaymentEvent::Paid { amount: euros(3_980) };
        let holds = vec![held_id()];
        let fact = PaymentFact { payment, event, holds, mode: None, order_reference: None };
        let outcome = books.payment(NOW, &fact, &[paying()], &mut out).unwrap();
        assert_eq!(names(&out), ["released", "paid", "refund due"]);
        let due = PartOutcome::RefundDue { amount: euros(3_980), reason: RefundReason::HoldEnded };
        assert_eq!(outcome.holds, [(held_id(), HoldOutcome::Part(due))]);
        let ends = |act: &Act| matches!(act, Act::EndHold { end: HoldEnd::CalledOff, .. });
        assert!(out.at_once.iter().any(ends), "its viewer is told why");
        assert_eq!(books.drop(DROP).unwrap().orders(), 0);
    }

    #[test]
    fn whoever_begins_to_pay_meanwhile_is_told_that_the_hold_has_ended() {
        let (mut books, mut out) = (undone(), Decision::default());
        let viewer = ViewerNumber::new(VIEWER).unwrap();
        let account = "sandbox".parse().unwrap();
        let paid = books.pay(NOW, viewer, &paying(), (&account, None), &mut out);
        assert_eq!((paid, names(&out)), (Err(Refusal::HoldEnded), vec!["released".to_owned()]));
    }

    #[test]
    fn the_charges_of_a_hold_that_is_called_off_are_fixed() {
        let (mut books, mut out) = (undone(), Decision::default());
        let charges = Charges { shipping: 490, ..Charges::NONE };
        let charged = books.charge(NOW, held(), charges, &mut out);
        assert_eq!(charged, Err(PaymentRefusal::AmountIsFixed));
    }

    #[test]
    fn every_hold_of_such_a_drop_ends_for_that_reason() {
        for end in [HoldEnd::Released, HoldEnd::Expired, HoldEnd::CalledOff] {
            let (mut books, mut out) = (undone(), Decision::default());
            books.end_hold(NOW, held(), end, &mut out);
            assert_eq!(names(&out), ["released"], "{end:?}");
        }
    }

    #[test]
    #[should_panic(expected = "no hold of a drop that is called off becomes an order")]
    fn no_hold_of_such_a_drop_becomes_an_order() {
        undone().order(NOW, held(), None, &mut Decision::default());
    }

    #[test]
    fn a_drop_is_called_off_although_its_copy_has_no_place() {
        let refused = |change: fn(&mut Books), role| {
            let mut books = given::one_drop();
            given::change_room(&mut books, "show", RoomChange::Owner(given::merchant("acme")));
            given::follow(&mut books, DROP, PhaseRecord::Countdown { opens_at: NOW });
            given::follow(&mut books, DROP, PhaseRecord::Opened);
            change(&mut books);
            let done = undo(&mut books, role, &mut Decision::default()).unwrap();
            assert_eq!(books.drop(DROP).unwrap().phase(), Phase::Voiding);
            done.copy.unwrap()
        };
        let moved = |books: &mut Books| {
            given::change_room(books, "show", RoomChange::Owner(RoomOwner::House));
        };
        assert_eq!(refused(moved, Role::Host), PlannedCopy::None(NoCopy::StreamNotYours));
        let copy = PlannedCopy::Drop(DropId::new(2));
        assert_eq!(refused(moved, Role::Admin), copy, "the house plans everywhere");
        let full = |books: &mut Books| {
            for drop in 2..=64 {
                let plan = Arc::new(stampede_testkit::plan(1));
                given::follow(books, DropId::new(drop), Record::Planned { plan, revision: 1 });
            }
        };
        assert_eq!(refused(full, Role::Host), PlannedCopy::None(NoCopy::StreamFull));
        let dear = |books: &mut Books| {
            let plan = Arc::new(stampede_testkit::plan(999_999));
            given::follow(books, DropId::new(2), Record::Planned { plan, revision: 1 });
        };
        assert_eq!(refused(dear, Role::Host), PlannedCopy::None(NoCopy::MemoryFull));
        let shared = |books: &mut Books| {
            given::change_room(books, "show", RoomChange::Owner(given::merchant("beta")));
            given::change_room(books, "show", RoomChange::Admitted("acme".parse().unwrap()));
            for drop in 2..=32 {
                let plan = Arc::new(stampede_testkit::plan(1));
                given::follow(books, DropId::new(drop), Record::Planned { plan, revision: 1 });
            }
        };
        assert_eq!(refused(shared, Role::Host), PlannedCopy::None(NoCopy::ShareFull));
        // The stream is nobody's, and its merchant has as many others as it may.
        let elsewhere = |books: &mut Books| {
            given::change_room(books, "show", RoomChange::Ended);
            for stream in ["late", "gala"] {
                given::change_room(books, stream, RoomChange::Owner(given::merchant("acme")));
            }
        };
        assert_eq!(refused(elsewhere, Role::Host), PlannedCopy::None(NoCopy::RoomsFull));
    }

    #[test]
    fn an_undo_binds_its_key_with_its_copy_and_no_later_command_has_that() {
        let mut books = undone();
        let command = |key: &str, action: Action| StaffCommand {
            key: key.parse().unwrap(),
            ..given::command(Role::Admin, action)
        };
        let mut give = |key, action: DropAction| {
            let (context, mut out) = (crate::CommandContext::default(), Decision::default());
            books.command(&command(key, action.on(DROP)), &context, given::moment(), &mut out)
        };
        let again = give("k1", DropAction::Undo).unwrap();
        assert_eq!((again.copy, again.replayed), (Some(PlannedCopy::Drop(DropId::new(2))), true));
        assert!(give("k2", DropAction::Pause).is_err());
        let mut out = Decision::default();
        let context = crate::CommandContext::default();
        let open = command("k3", DropAction::StartCountdown.on(DropId::new(2)));
        let done = books.command(&open, &context, given::moment(), &mut out).unwrap();
        assert_eq!(done.copy, None);
    }
}
