//! The world pays: by `pay`, by a platform for one hold or several, with right and wrong amounts. The provider says so
//! late, twice, in any order, until it is heard.

use stampede_domain::{DropId, HoldId, Mode, PaymentEvent, PaymentFact, PaymentId};
use stampede_engine::{
    FactRefusal, HoldLook, HoldOutcome, PartOutcome, PaymentOutcome, read_money,
};

use super::{CORES, PendingAnswer, World};
use crate::{durable::End, provider::Move, run::MoneyCounts, violation::Violation};

/// What was reported: the payment's place and its fact's.
pub(crate) type Reported = (usize, usize);

impl World {
    /// A viewer asks to pay at the provider that viewers pay at.
    pub(super) fn pay(&mut self, who: usize, hold: HoldId) {
        let viewer = &self.viewers[who];
        // Whether it is refused at once is no matter of the ledger.
        let _asked = self.node.ports[who % CORES].pay(viewer, (hold, None), 1);
    }

    /// The provider learns of attempts that are durable; of those under way after each start once more.
    pub(super) fn hear_attempts(&mut self) {
        for attempt in self.node.engine.take_attempts() {
            let amount = attempt.amount.minor();
            self.provider.open(&attempt.payment, (&[attempt.hold], amount), None);
        }
    }

    /// What became of money so far.
    pub(crate) fn money_counts(&self) -> MoneyCounts {
        let rows = &self.durable.money;
        MoneyCounts {
            payments: self.provider.takings.len() as u64,
            orders: rows.paid_orders,
            due_back: rows.refunds_due,
            retaken: rows.retaken,
            adjusted: rows.adjusted,
        }
    }

    /// A platform's checkout for a hold of `who`, at times for others of the same viewer too.
    pub(super) fn check_out(&mut self, who: usize, hold: HoldId) {
        let mut own: Vec<HoldId> = self
            .held
            .iter()
            .filter(|((_, other, _), of)| *other == who && **of != hold)
            .map(|(_, hold)| *hold)
            .collect();
        own.sort_unstable();
        let mut holds = vec![hold];
        while !own.is_empty() && self.chance.percent(25) {
            let place = self.chance.place(own.len());
            holds.push(own.swap_remove(place));
        }
        let owed: u64 = holds.iter().map(|hold| self.durable.goods(*hold)).sum();
        let amount = match self.chance.within(0, 9) {
            0 => owed - 1,
            1 => owed + self.chance.within(1, 2_000),
            _ => owed,
        };
        let mode = match self.chance.within(0, 19) {
            0 => Some(Mode::Rehearsal),
            1..=3 => Some(Mode::Live),
            _ => None,
        };
        let reference = format!("p{}", self.provider.takings.len());
        let payment = PaymentId::new("platform", &reference).expect("a short name");
        let place = self.provider.open(&payment, (&holds, amount), mode);
        self.move_on(place);
    }

    /// Something becomes of some payment.
    pub(super) fn move_any(&mut self) {
        if !self.provider.takings.is_empty() {
            let place = self.chance.place(self.provider.takings.len());
            self.move_on(place);
        }
    }

    fn move_on(&mut self, place: usize) {
        let next = match self.chance.within(0, 19) {
            0..=1 => Move::Begin,
            2..=4 => Move::Keep,
            5..=10 => Move::Take,
            11 => Move::TakePart(self.chance.pick(&[50, 120])),
            12..=13 => Move::LetGo,
            14 => Move::Fail { is_final: false },
            15 => Move::Fail { is_final: true },
            16..=18 => Move::GiveBack(self.provider.takings[place].asked_back),
            _ => Move::GiveBack(self.chance.within(1, 500)),
        };
        let taking = &mut self.provider.takings[place];
        taking.go_on(next);
        if matches!(next, Move::GiveBack(_)) {
            taking.asked_back = 0;
        }
    }

    /// The provider says something that nobody has answered, or says something again.
    pub(super) fn report_any(&mut self) {
        if !self.is_selling {
            return;
        }
        let is_again = self.chance.percent(20);
        let all = self.provider.takings.iter().enumerate().flat_map(|(place, taking)| {
            let facts = taking.facts.iter().enumerate();
            facts.filter(|(_, said)| is_again || !said.is_heard).map(move |(fact, _)| (place, fact))
        });
        let all: Vec<Reported> = all.collect();
        if !all.is_empty() {
            let which = self.chance.pick(&all);
            self.report(which);
        }
    }

    /// Everything that nobody has answered is said once more.
    pub(super) fn report_all(&mut self) -> usize {
        let unheard: Vec<Reported> = self
            .provider
            .takings
            .iter()
            .enumerate()
            .flat_map(|(place, taking)| {
                let facts = taking.facts.iter().enumerate();
                facts.filter(|(_, said)| !said.is_heard).map(move |(fact, _)| (place, fact))
            })
            .collect();
        for which in &unheard {
            self.report(*which);
        }
        unheard.len()
    }

    fn report(&mut self, (place, fact): Reported) {
        let taking = &self.provider.takings[place];
        let event = taking.facts[fact].event.clone();
        let mut holds = taking.holds.clone();
        // Whoever was heard before may leave holds out, as long as all of them are in memory.
        let is_known = !taking.is_refused
            && taking.facts.iter().any(|said| said.is_heard && comes(&said.event));
        let in_memory = holds.iter().all(|hold| self.is_in_memory(*hold));
        if is_known && in_memory && self.chance.percent(30) {
            holds.truncate(usize::try_from(self.chance.within(0, 1)).expect("small"));
        } else if self.chance.percent(5) {
            holds.push(holds[0]);
        }
        let names_all = taking.holds.iter().all(|hold| holds.contains(hold));
        let (payment, mode) = (taking.payment.clone(), taking.mode);
        let fact_said = PaymentFact { payment, event, holds, mode, order_reference: None };
        if let Ok(answer) = self.node.engine.payment(fact_said) {
            let reported = (place, fact);
            self.asked.push(PendingAnswer::Payment { reported, names_all, answer });
        }
    }

    fn is_in_memory(&self, hold: HoldId) -> bool {
        self.node.engine.sale(hold.drop_id()).is_some()
    }

    /// An answer to what the provider said; all of it is durable.
    pub(super) fn heard(
        &mut self,
        (place, fact): Reported,
        names_all: bool,
        outcome: &Result<PaymentOutcome, FactRefusal>,
    ) -> Result<(), Violation> {
        let taking = &self.provider.takings[place];
        let said = &taking.facts[fact].event;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(FactRefusal::TestMoney { .. }) if taking.mode == Some(Mode::Rehearsal) => {
                let taking = &mut self.provider.takings[place];
                taking.is_refused = true;
                taking.facts[fact].is_heard = true;
                return Ok(());
            }
            // A drop has left memory after the report that left its holds out: they are named the next time.
            Err(_) if !names_all && !taking.holds.iter().all(|hold| self.is_in_memory(*hold)) => {
                return Ok(());
            }
            Err(why) => return Err(format!("{said:?} of {taking:?} is refused: {why}")),
        };
        let mut asked_back = 0;
        for (hold, found) in &outcome.holds {
            let (hold, part) = match found {
                HoldOutcome::Part(part) => (*hold, *part),
                HoldOutcome::Moved { into, part } => (*into, *part),
                HoldOutcome::Over => return self.reopen(place),
                HoldOutcome::Unknown => return Err(format!("{hold} of {taking:?} is unknown")),
            };
            self.check_part(place, fact, (hold, part))?;
            if let PartOutcome::RefundDue { amount, .. } = part
                && matches!(said, PaymentEvent::Paid { .. })
            {
                asked_back += amount.minor();
            }
        }
        let taking = &mut self.provider.takings[place];
        taking.facts[fact].is_heard = true;
        taking.asked_back = asked_back.min(taking.taken - taking.given_back);
        Ok(())
    }

    /// What the answer says of one hold stands in the rows.
    fn check_part(
        &self,
        place: usize,
        fact: usize,
        (hold, part): (HoldId, PartOutcome),
    ) -> Result<(), Violation> {
        let taking = &self.provider.takings[place];
        let end = self.durable.takes.get(&hold).and_then(|take| take.end);
        let rows = self.durable.money.part(&taking.payment, hold);
        let is_right = match part {
            PartOutcome::Ordered | PartOutcome::AlreadyOrdered => {
                end == Some(End::Ordered) && rows.is_some_and(|rows| rows.makes_order)
            }
            PartOutcome::Ends => end == Some(End::GivenBack),
            PartOutcome::RefundDue { amount, .. } => {
                amount.minor() == 0
                    || rows.is_some_and(|rows| rows.is_gone() || rows.due >= amount.minor())
            }
            PartOutcome::Noted | PartOutcome::Unchanged => true,
        };
        if is_right {
            return Ok(());
        }
        let said = &taking.facts[fact].event;
        Err(format!("{hold} ({end:?}): {said:?} is answered {part:?}, by the rows {rows:?}"))
    }

    /// The money of drops that are out of memory is read; what was said of it will be said again.
    fn reopen(&mut self, place: usize) -> Result<(), Violation> {
        let holds = self.provider.takings[place].holds.iter();
        let drops: std::collections::BTreeSet<DropId> = holds
            .filter(|hold| self.node.engine.hold(**hold) == HoldLook::Unknown)
            .map(|hold| hold.drop_id())
            .collect();
        if drops.is_empty() {
            return Err(format!("{:?} is over, and in memory", self.provider.takings[place]));
        }
        for drop in drops {
            let read = read_money(&self.ledger.journal(), drop).map_err(|why| why.to_string())?;
            let read = read.ok_or_else(|| format!("{drop} is over and nowhere"))?;
            // A busy engine is told again with the next answer.
            let _answer = self.node.engine.reopen(read);
        }
        Ok(())
    }
}

const fn comes(event: &PaymentEvent) -> bool {
    matches!(event, PaymentEvent::Paid { .. } | PaymentEvent::Authorized { .. })
}
