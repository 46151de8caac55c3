//! Payments: the settlement book of a drop says what follows, the hold ends or becomes an order with it.

use stampede_domain::{
    ChannelId, Charges, DropId, HoldId, MerchantId, Mode, Money, PaymentEvent, PaymentFact,
    PaymentId, RefundReason, UnixMillis, limits::HOLDS_PER_PAYMENT_MAX,
};
use stampede_ledger::{PaymentChange, PaymentRecord};
use stampede_settlement::{
    HoldAccount, HoldStands, Matter, Part, PartAsk, PartOutcome, PartState, PaymentBook,
    PaymentRefusal, allocate,
};

use super::{
    Books,
    payment_parts::{Named, cover_refunds, first_split, known_parts},
};
use crate::{
    decision::{Act, Decision, Effect, HoldEnd},
    hold::{HoldLook, HoldStatus},
    payment::{FactRefusal, HoldOutcome, PayingHold, PaymentOutcome},
};

impl Books {
    /// The holds that a payment was for, as far as drops in memory know.
    pub fn holds_of(&self, payment: &PaymentId) -> Vec<HoldId> {
        let in_memory = self.drops.values().map(|book| &book.payments);
        let all = in_memory.chain(self.adjustments.books());
        let mut holds: Vec<HoldId> = all.flat_map(|book| book.holds_of(payment)).copied().collect();
        // A drop may have been reopened before it left memory.
        holds.sort_unstable();
        holds.dedup();
        holds
    }

    /// The money of a drop's holds, in memory or reopened.
    pub fn payments(&self, drop: DropId) -> Option<&PaymentBook> {
        self.money(drop).map(|(book, _)| book)
    }

    /// The hold that has taken again what this one had, where a payment is now about that one: an earlier one that
    /// has its money here stays here.
    pub fn moved(&self, hold: HoldId, payment: &PaymentId) -> Option<HoldId> {
        let (book, _) = self.money(hold.drop_id())?;
        let account = book.account(hold)?;
        account.retaken.filter(|_| account.part(payment).is_none_or(|part| part.is_moved))
    }

    /// Whether money of this payment was heard of for the hold, also if it is gone since.
    pub fn has_money(&self, hold: HoldId, payment: &PaymentId) -> bool {
        let account = self.money(hold.drop_id()).and_then(|(book, _)| book.account(hold));
        let part = account.and_then(|account| account.part(payment));
        part.is_some_and(|part| {
            part.covers().is_some() || part.state == PartState::Voided || part.refunded > 0
        })
    }

    /// What is owed for a hold, as far as that is known.
    pub fn owed(&self, paying: &PayingHold) -> Option<Money> {
        let goods = match paying.look {
            HoldLook::Known(status) => Some(status.amount),
            HoldLook::Ended => paying.ended.map(|ended| ended.goods),
            HoldLook::Pending | HoldLook::Unknown => None,
        };
        self.money(paying.hold.drop_id())?.0.expected(paying.hold, goods?)
    }

    /// The units of a hold that had ended were taken again: what is owed beyond the goods stays owed.
    pub fn charge_again(
        &mut self,
        now: UnixMillis,
        (old, new): (HoldId, HoldId),
        out: &mut Decision,
    ) {
        let charges = |hold: HoldId| {
            let account = self.payments(hold.drop_id()).and_then(|book| book.account(hold));
            account.map_or(Charges::NONE, |account| account.charges)
        };
        if charges(old) != charges(new) {
            let change = PaymentChange::Charged(charges(old));
            self.record_money(now, vec![PaymentRecord { hold: new, change }], out);
        }
    }

    /// A payment for a hold that had ended has made an order of the units that `new` took again.
    pub fn move_payment(
        &mut self,
        now: UnixMillis,
        (old, new): (HoldId, HoldId),
        outcome: &PaymentOutcome,
        out: &mut Decision,
    ) {
        let ordered = (new, HoldOutcome::Part(PartOutcome::Ordered));
        if outcome.holds.contains(&ordered) {
            out.at_once.push(Act::MoveOrder { old, new });
            let payment = outcome.payment.clone();
            let change = PaymentChange::Retaken { payment, into: new };
            self.record_money(now, vec![PaymentRecord { hold: old, change }], out);
        }
    }

    /// At most `limit` holds of drops in memory with something to be done about their money, by their ids, behind
    /// `after`; of `merchant`'s drops alone, if one is named.
    pub fn matters(
        &self,
        after: Option<HoldId>,
        limit: usize,
        merchant: Option<&MerchantId>,
    ) -> Vec<(HoldId, Vec<Matter>)> {
        // Ids of holds begin with that of their drop, so the order of drops is that of their holds.
        let drops = self.drops.range(after.map_or(DropId::HOUSE, HoldId::drop_id)..);
        let own = drops
            .filter(|(_, book)| merchant.is_none_or(|merchant| book.plan().merchant == *merchant));
        let holds = own.flat_map(|(_, book)| {
            let open = book.payments.open_holds(after);
            open.map(|hold| (hold, book.payments.matters_of(hold)))
        });
        holds.take(limit).collect()
    }

    /// Something was said about a payment. `holds` are those that it names and those that it was for before, each
    /// once: what came is for all of them together.
    ///
    /// # Errors
    /// [`FactRefusal`]; nothing was recorded.
    pub fn payment(
        &mut self,
        now: UnixMillis,
        fact: &PaymentFact,
        holds: &[PayingHold],
        out: &mut Decision,
    ) -> Result<PaymentOutcome, FactRefusal> {
        if holds.is_empty() {
            return self.without_holds(now, fact, out).ok_or(FactRefusal::NoHolds);
        }
        let (count, max) = (holds.len(), HOLDS_PER_PAYMENT_MAX);
        if count > max {
            return Err(FactRefusal::TooManyHolds { count, max });
        }
        // The parts of a payment are decided together, so the money of each drop has to be there.
        if holds.iter().any(|paying| self.is_unread(paying)) {
            let holds = holds.iter().map(|paying| (paying.hold, HoldOutcome::Over)).collect();
            return Ok(PaymentOutcome { payment: fact.payment.clone(), holds });
        }
        let named: Vec<_> = holds.iter().filter_map(|paying| self.named(now, paying)).collect();
        if let (Some(Mode::Rehearsal), Some(live)) =
            (fact.mode, named.iter().find(|named| named.mode == Mode::Live))
        {
            return Err(FactRefusal::TestMoney { hold: live.hold });
        }
        let decided = if named.is_empty() { Vec::new() } else { self.decide_parts(fact, &named)? };
        // A hold whose time was over ends first, and only now that nothing refuses.
        for Named { held, stands, .. } in &named {
            if let (Some(held), HoldStands::Ended) = (held, stands) {
                self.end_hold(now, *held, HoldEnd::Expired, out);
            }
        }
        let mut outcomes = Vec::with_capacity(named.len());
        for (named, (outcome, records)) in named.iter().zip(decided) {
            let paying = holds.iter().find(|paying| paying.hold == named.hold);
            let channel = paying.and_then(|paying| paying.channel.clone());
            self.record_money(now, records, out);
            self.follow_part(now, (named, channel), (fact, outcome), out);
            outcomes.push((named.hold, outcome));
        }
        let outcome_of = |paying: &PayingHold| {
            let part = outcomes.iter().find(|(hold, _)| *hold == paying.hold);
            (paying.hold, part.map_or(HoldOutcome::Unknown, |(_, part)| HoldOutcome::Part(*part)))
        };
        let holds: Vec<_> = holds.iter().map(outcome_of).collect();
        self.note_matched(now, &fact.payment, &holds, out);
        Ok(PaymentOutcome { payment: fact.payment.clone(), holds })
    }

    /// Whether the hold's drop has left memory and its money was not read since.
    fn is_unread(&self, paying: &PayingHold) -> bool {
        paying.is_over && self.money(paying.hold.drop_id()).is_none()
    }

    /// How a hold of a drop in memory stands; nothing for one that nobody was told of.
    fn named(&self, now: UnixMillis, paying: &PayingHold) -> Option<Named> {
        let hold = paying.hold;
        let (book, mode) = self.money(hold.drop_id())?;
        let owed = |goods| book.expected(hold, goods);
        let viewer = paying.ended.map(|ended| ended.viewer);
        let owed_anew = book.owed_anew(hold);
        let named = |stands, held, owed| Some(Named { hold, stands, held, viewer, owed, mode });
        match paying.look {
            // Of a drop that is over only holds are known that money was heard of.
            HoldLook::Unknown if paying.is_over => {
                let is_order = book.account(hold).is_some_and(HoldAccount::is_order);
                let stands = if is_order { HoldStands::Ordered } else { HoldStands::Ended };
                named(stands, None, owed_anew)
            }
            HoldLook::Unknown | HoldLook::Pending => None,
            HoldLook::Ended => {
                let goods = paying.ended.map(|ended| ended.goods);
                named(HoldStands::Ended, None, goods.and_then(owed))
            }
            HoldLook::Known(status) if status.confirmed => {
                named(HoldStands::Ordered, None, owed_anew.or_else(|| owed(status.amount)))
            }
            HoldLook::Known(status) if self.is_out_of_time(&status, now) => {
                named(HoldStands::Ended, Some(status), owed(status.amount))
            }
            HoldLook::Known(status) => named(HoldStands::Held, Some(status), owed(status.amount)),
        }
    }

    /// What the settlement books say of each hold, with their records.
    fn decide_parts(
        &self,
        fact: &PaymentFact,
        named: &[Named],
    ) -> Result<Vec<(PartOutcome, Vec<PaymentRecord>)>, FactRefusal> {
        // No money falls into no parts: nothing is known of any of the holds.
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let amounts = match fact.event {
            PaymentEvent::Authorized { amount } | PaymentEvent::Paid { amount } => {
                self.money_parts(fact, amount, named)?
            }
            PaymentEvent::Refunded { total } => self.refund_parts(fact, total, named)?,
            PaymentEvent::Begun | PaymentEvent::Failed { .. } | PaymentEvent::Voided => Vec::new(),
        };
        let mut decided = Vec::with_capacity(named.len());
        for (place, named) in named.iter().enumerate() {
            let book = self.money_of(named.hold);
            let ask = PartAsk { payment: &fact.payment, hold: named.hold, stands: named.stands };
            let mut records = Vec::new();
            if let Some(reference) = &fact.order_reference {
                book.referenced(named.hold, reference, &mut records);
            }
            let part = amounts.get(place).copied();
            let outcome = match (&fact.event, part) {
                (PaymentEvent::Begun, _) => book.begun(ask, &mut records)?,
                (PaymentEvent::Authorized { .. }, Some(part)) => {
                    book.authorized(ask, part, &mut records)?
                }
                (PaymentEvent::Paid { .. }, Some(part)) => book.paid(ask, part, &mut records)?,
                (PaymentEvent::Failed { reason, is_final }, _) => {
                    book.failed(ask, (reason, *is_final), &mut records)?
                }
                (PaymentEvent::Voided, _) => book.voided(ask, &mut records),
                (PaymentEvent::Refunded { .. }, Some((total, _))) => {
                    book.refunded(ask, total, &mut records)?
                }
                (
                    PaymentEvent::Authorized { .. }
                    | PaymentEvent::Paid { .. }
                    | PaymentEvent::Refunded { .. },
                    None,
                ) => unreachable!("each named hold has its part"),
            };
            decided.push((outcome, records));
        }
        Ok(decided)
    }

    /// What is known of the payment's part for each hold.
    fn parts_of(&self, payment: &PaymentId, named: &[Named]) -> Vec<Option<&Part>> {
        let part = |named: &Named| self.money_of(named.hold).account(named.hold)?.part(payment);
        named.iter().map(part).collect()
    }

    /// Each hold's part of money that came, with why it cannot pay for the hold, if it cannot.
    fn money_parts(
        &self,
        fact: &PaymentFact,
        amount: Money,
        named: &[Named],
    ) -> Result<Vec<(Money, Option<RefundReason>)>, PaymentRefusal> {
        let parts = self.parts_of(&fact.payment, named);
        if parts.iter().flatten().any(|part| part.covers().is_some()) {
            return known_parts(fact, amount, &parts);
        }
        let mut found = first_split(amount, named);
        // A refund that was reported first says that the payment is as good as gone: no hold lives by it.
        if parts.iter().flatten().any(|part| part.refunded > 0) {
            let back: Vec<u64> =
                parts.iter().map(|part| part.map_or(0, |part| part.refunded)).collect();
            cover_refunds(&mut found.parts, &back);
            found.fits = false;
        }
        let parts = found.parts.into_iter().zip(named).map(|(part, named)| {
            let is_rehearsal = named.mode == Mode::Rehearsal && fact.mode == Some(Mode::Live);
            let wrong_amount = (!found.fits).then_some(RefundReason::WrongAmount);
            (part, is_rehearsal.then_some(RefundReason::WrongMode).or(wrong_amount))
        });
        Ok(parts.collect())
    }

    /// All that went back of each hold's part, by all that went back of the payment.
    fn refund_parts(
        &self,
        fact: &PaymentFact,
        total: Money,
        named: &[Named],
    ) -> Result<Vec<(Money, Option<RefundReason>)>, PaymentRefusal> {
        let totals = allocate(total, &self.parts_of(&fact.payment, named))?;
        Ok(totals.into_iter().map(|total| (total, None)).collect())
    }

    pub(super) fn record_money(
        &mut self,
        now: UnixMillis,
        records: Vec<PaymentRecord>,
        out: &mut Decision,
    ) {
        for record in records {
            let chain = self.money_chain(record.hold.drop_id());
            self.record(now, chain, record, out);
        }
    }

    /// The money of a named hold's drop.
    fn money_of(&self, hold: HoldId) -> &PaymentBook {
        let (book, _) =
            self.money(hold.drop_id()).expect("a hold is named only if its money is known");
        book
    }

    /// What a part's outcome means for its hold.
    fn follow_part(
        &mut self,
        now: UnixMillis,
        (named, channel): (&Named, Option<ChannelId>),
        (fact, outcome): (&PaymentFact, PartOutcome),
        out: &mut Decision,
    ) {
        let Some(held) = named.held.filter(|_| named.stands == HoldStands::Held) else {
            // Whoever was at it when the hold ended waits for the outcome.
            let is_news = match outcome {
                PartOutcome::RefundDue { .. } => {
                    !matches!(fact.event, PaymentEvent::Refunded { .. })
                }
                PartOutcome::Noted => {
                    matches!(fact.event, PaymentEvent::Failed { .. } | PaymentEvent::Voided)
                }
                _ => false,
            };
            let viewer = named.viewer.or(named.held.map(|held| held.viewer));
            if let Some(viewer) = viewer.filter(|_| is_news && named.stands == HoldStands::Ended) {
                let hold = named.hold;
                out.when_durable.push(Effect::PaymentFailed { hold, viewer });
            }
            return;
        };
        let HoldStatus { hold, viewer, .. } = held;
        match (outcome, &fact.event) {
            (PartOutcome::Ordered, _) => self.order(now, held, channel, out),
            (PartOutcome::Ends, _) => {
                self.end_hold(now, held, HoldEnd::Released, out);
                out.when_durable.push(Effect::PaymentFailed { hold, viewer });
            }
            // The viewer waits for the outcome, and may pay again.
            (PartOutcome::Noted, PaymentEvent::Failed { .. })
            | (
                PartOutcome::RefundDue { .. },
                PaymentEvent::Paid { .. } | PaymentEvent::Authorized { .. },
            ) => {
                out.when_durable.push(Effect::PaymentFailed { hold, viewer });
            }
            (PartOutcome::Noted, PaymentEvent::Begun) => self.stretch(now, held, out),
            _ => {}
        }
    }

    /// What is owed beyond the goods is set anew.
    ///
    /// # Errors
    /// [`PaymentRefusal`]; nothing was recorded.
    pub fn charge(
        &mut self,
        now: UnixMillis,
        held: HoldStatus,
        charges: Charges,
        out: &mut Decision,
    ) -> Result<(), PaymentRefusal> {
        let stands = match held {
            HoldStatus { confirmed: true, .. } => HoldStands::Ordered,
            held if self.is_out_of_time(&held, now) => HoldStands::Ended,
            _ => HoldStands::Held,
        };
        let book = &self.drops[&held.hold.drop_id()].payments;
        let mut records = Vec::new();
        book.charged((held.hold, stands, held.amount), charges, &mut records)?;
        self.record_money(now, records, out);
        Ok(())
    }
}
