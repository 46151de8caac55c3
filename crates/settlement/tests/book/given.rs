//! A book with its holds, as the steward keeps them.

use stampede_domain::{
    DropId, HoldId, Incarnation, Money, PaymentId, PaymentReference, RefundReason, Units,
    ViewerNumber,
};
use stampede_ledger::{HoldRecord, PaymentChange, PaymentRecord, Record};
use stampede_settlement::{
    HoldAccount, HoldStands, Part, PartAsk, PartOutcome, PaymentBook, PaymentRefusal,
};
use stampede_testkit::euros;

/// What is said of one part; amounts in cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Begun,
    Authorized(u64),
    Paid(u64),
    Failed,
    FailedFinally,
    Voided,
    Refunded(u64),
}

pub(crate) fn hold(number: u32) -> HoldId {
    stampede_testkit::hold(DropId::new(1), Incarnation::new(1).unwrap(), number)
}

pub(crate) fn payment(name: &str) -> PaymentId {
    PaymentId::new("platform", name).unwrap()
}

pub(crate) fn reason() -> PaymentReference {
    PaymentReference::new("card_declined").unwrap()
}

/// A book with what its holds come to: whoever ends a hold says so, as the steward does.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    pub(crate) book: PaymentBook,
    /// Every record so far.
    pub(crate) records: Vec<Record>,
    /// Holds that have ended.
    pub(crate) ends: Vec<(HoldId, HoldStands)>,
}

impl Desk {
    pub(crate) fn stands(&self, hold: HoldId) -> HoldStands {
        let end = self.ends.iter().find(|(other, _)| *other == hold);
        end.map_or(HoldStands::Held, |(_, stands)| *stands)
    }

    /// What follows from the event, with its records; nothing is done.
    pub(crate) fn ask(
        &self,
        (name, hold): (&str, HoldId),
        event: Event,
        refused: Option<RefundReason>,
    ) -> (Result<PartOutcome, PaymentRefusal>, Vec<PaymentRecord>) {
        let (payment, mut out) = (payment(name), Vec::new());
        let ask = PartAsk { payment: &payment, hold, stands: self.stands(hold) };
        let outcome = match event {
            Event::Begun => self.book.begun(ask, &mut out),
            Event::Authorized(cents) => {
                self.book.authorized(ask, (euros(cents), refused), &mut out)
            }
            Event::Paid(cents) => self.book.paid(ask, (euros(cents), refused), &mut out),
            Event::Failed => self.book.failed(ask, (&reason(), false), &mut out),
            Event::FailedFinally => self.book.failed(ask, (&reason(), true), &mut out),
            Event::Voided => Ok(self.book.voided(ask, &mut out)),
            Event::Refunded(cents) => self.book.refunded(ask, euros(cents), &mut out),
        };
        (outcome, out)
    }

    /// The same, done: the records are followed, the hold ends with them.
    pub(crate) fn hear(
        &mut self,
        (name, hold): (&str, HoldId),
        event: Event,
        refused: Option<RefundReason>,
    ) -> Result<PartOutcome, PaymentRefusal> {
        let (outcome, records) = self.ask((name, hold), event, refused);
        if outcome.is_err() {
            assert_eq!(records, [], "what is refused is not recorded");
        }
        for record in records {
            self.follow(record.into());
        }
        match outcome {
            Ok(PartOutcome::Ordered) => self.order(hold),
            Ok(PartOutcome::Ends) => self.release(hold),
            _ => {}
        }
        outcome
    }

    /// The same for money that fits and events that are accepted.
    pub(crate) fn says(&mut self, name: &str, hold: HoldId, event: Event) -> PartOutcome {
        self.hear((name, hold), event, None).unwrap()
    }

    pub(crate) fn tell(&mut self, name: &str, hold: HoldId, event: Event) {
        let outcome = self.hear((name, hold), event, None);
        assert!(outcome.is_ok(), "{event:?}: {outcome:?}");
    }

    /// The same for money that is another amount than what is owed.
    pub(crate) fn tell_wrong(&mut self, name: &str, hold: HoldId, event: Event) {
        let outcome = self.hear((name, hold), event, Some(RefundReason::WrongAmount));
        assert!(outcome.is_ok(), "{event:?}: {outcome:?}");
    }

    pub(crate) fn change(&mut self, hold: HoldId, change: PaymentChange) {
        self.follow(PaymentRecord { hold, change }.into());
    }

    pub(crate) fn order(&mut self, hold: HoldId) {
        let (viewer, units, amount) = (ViewerNumber::new(7).unwrap(), Units::ONE, euros(1_000));
        let record = HoldRecord::Confirmed { hold, viewer, units, amount, channel: None };
        self.follow(record.into());
        self.ends.push((hold, HoldStands::Ordered));
    }

    pub(crate) fn release(&mut self, hold: HoldId) {
        self.follow(HoldRecord::Released { hold, units: Units::ONE }.into());
        self.ends.push((hold, HoldStands::Ended));
    }

    fn follow(&mut self, record: Record) {
        self.book.apply(&record);
        self.records.push(record);
    }

    pub(crate) fn account(&self, hold: HoldId) -> &HoldAccount {
        self.book.account(hold).unwrap()
    }

    pub(crate) fn part(&self, name: &str, hold: HoldId) -> &Part {
        self.account(hold).part(&payment(name)).unwrap()
    }
}

/// What follows in words.
pub(crate) fn words(outcome: &Result<PartOutcome, PaymentRefusal>) -> String {
    let cents = |money: &Money| format!("{money}").trim_end_matches(" EUR").to_owned();
    match outcome {
        Ok(PartOutcome::Ordered) => "order".to_owned(),
        Ok(PartOutcome::AlreadyOrdered) => "is its order".to_owned(),
        Ok(PartOutcome::Ends) => "ends".to_owned(),
        Ok(PartOutcome::Noted) => "noted".to_owned(),
        Ok(PartOutcome::RefundDue { amount, reason }) => {
            format!("back {} {reason}", cents(amount))
        }
        Ok(PartOutcome::Unchanged) => "-".to_owned(),
        Err(PaymentRefusal::AmountDiffers { recorded, given }) => {
            format!("refused, {} differs from {}", cents(given), cents(recorded))
        }
        Err(PaymentRefusal::RefundAbovePayment { paid, given }) => {
            format!("refused, {} back of {}", cents(given), cents(paid))
        }
        Err(why) => format!("refused, {why}"),
    }
}
