//! Payments: what a provider says, what viewers ask, what staff want to know.

use stampede_books::{
    EndedLook, FactRefusal, PayingHold, PaymentOutcome, ReopenedDrop, UnmatchedAsk, UnmatchedPage,
};
use stampede_domain::{
    Charges, DropId, HoldId, MerchantId, PaymentFact, PaymentId, Refusal, UnixMillis,
};
use stampede_ledger::{HoldRecord, Record, UnmatchedPayment};
use stampede_settlement::PaymentRefusal;
use tokio::sync::oneshot;

use super::{PayRequest, Steward, WaitingFact, effects::Promise};
use crate::{
    HoldLook,
    money::{HoldGoods, HoldMoney, OpenMatters},
};

/// Somebody asks what is to be done about money.
#[derive(Clone, Debug)]
pub(crate) struct MattersRequest {
    pub(crate) after: Option<HoldId>,
    pub(crate) limit: usize,
    pub(crate) merchant: Option<MerchantId>,
}

impl Steward {
    pub(super) fn paying(&self, hold: HoldId) -> PayingHold {
        let look = self.hold_in_memory(hold);
        let channel = match look {
            HoldLook::Known(held) if !held.confirmed => {
                self.sales[&hold.drop_id()].channel_of(hold)
            }
            _ => None,
        };
        let is_over = look == HoldLook::Unknown && self.is_over(hold.drop_id());
        let ended = (look == HoldLook::Ended).then(|| self.retakes.find(hold)).flatten();
        let ended = ended.and_then(|ended| {
            let goods = self.sales.get(&hold.drop_id())?.amount(hold.pool(), ended.units)?;
            Some(EndedLook { viewer: ended.viewer, goods })
        });
        PayingHold { hold, look, channel, ended, is_over }
    }

    /// Whose goods a hold is of.
    fn merchant_of(&self, hold: HoldId) -> Option<MerchantId> {
        let drop = hold.drop_id();
        let sale = self.sales.get(&drop).map(|sale| sale.plan().merchant.clone());
        sale.or_else(|| self.shared.over(drop).map(|over| over.merchant.clone()))
    }

    fn is_over(&self, drop: DropId) -> bool {
        self.shared.over(drop).is_some()
    }

    /// The money of a drop that is over was read.
    pub(super) fn reopen(&mut self, read: ReopenedDrop, reply: oneshot::Sender<bool>) {
        // One that has come back, or is not over yet, has its money in memory.
        let is_current = !self.is_over(read.drop) || self.books.reopen(read);
        self.after_records(Promise::Reopened(reply, is_current));
    }

    pub(super) fn payment(
        &mut self,
        fact: Box<PaymentFact>,
        now: UnixMillis,
        reply: oneshot::Sender<Result<PaymentOutcome, FactRefusal>>,
    ) {
        self.weigh(WaitingFact { fact, reply, retaken: Vec::new() }, now);
    }

    /// What a fact waited for is done.
    pub(super) fn payment_again(&mut self, waiting: WaitingFact) {
        let now = self.deadline_now(self.shared.clock.moment());
        self.weigh(waiting, now);
    }

    fn weigh(&mut self, waiting: WaitingFact, now: UnixMillis) {
        // The hold that took a hold's units again stands for it, unless another report was decided meanwhile.
        let stands_for = |hold: HoldId| {
            if self.books.has_money(hold, &waiting.fact.payment) {
                return hold;
            }
            let taken = waiting.retaken.iter().find(|(old, _)| *old == hold).map(|(_, new)| *new);
            taken.or_else(|| self.books.moved(hold, &waiting.fact.payment)).unwrap_or(hold)
        };
        // What came is for all holds of the payment together, also where a later report names fewer. Two merchants
        // may name payments alike: those of another one are other payments.
        let mut named: Vec<(HoldId, HoldId)> = Vec::with_capacity(waiting.fact.holds.len());
        let of_merchants: Vec<_> =
            waiting.fact.holds.iter().filter_map(|hold| self.merchant_of(*hold)).collect();
        let known = self.books.holds_of(&waiting.fact.payment).into_iter().filter(|hold| {
            of_merchants.is_empty()
                || self.merchant_of(*hold).is_some_and(|merchant| of_merchants.contains(&merchant))
        });
        for hold in waiting.fact.holds.iter().copied().chain(known) {
            let stands = stands_for(hold);
            if !named.iter().any(|(_, other)| *other == stands) {
                named.push((hold, stands));
            }
        }
        let holds: Vec<HoldId> = named.iter().map(|(_, stands)| *stands).collect();
        let Some(waiting) = self.ready_for_money(waiting, &holds, now) else { return };
        let WaitingFact { fact, reply, retaken } = waiting;
        self.retakes.decided(&retaken);
        let paying: Vec<_> = holds.iter().map(|hold| self.paying(*hold)).collect();
        let mut outcome = self.decide(|books, out| {
            for (old, new) in &retaken {
                books.charge_again(now, (*old, *new), out);
            }
            let outcome = books.payment(now, &fact, &paying, out);
            if let Ok(outcome) = &outcome {
                for (old, new) in &retaken {
                    books.move_payment(now, (*old, *new), outcome, out);
                }
            }
            outcome
        });
        self.let_go_of_unpaid(&retaken, now);
        if let Ok(outcome) = &mut outcome {
            for ((hold, found), (named, _)) in outcome.holds.iter_mut().zip(&named) {
                if hold != named {
                    (*hold, *found) = (*named, found.moved(*hold));
                }
            }
        }
        self.after_records(Promise::Payment(reply, outcome));
    }

    pub(super) fn pay(&mut self, request: PayRequest, now: UnixMillis) {
        let Some(account) = self.shared.config.viewers_pay_at.clone() else {
            return self.after_records(Promise::RefusePay(request, Refusal::PayNotOffered));
        };
        let (viewer, paying) = (request.viewer, self.paying(request.hold));
        let provider = (&account, request.card);
        let paid = self.decide(|books, out| books.pay(now, viewer, &paying, provider, out));
        // The refusal may report an end that is on its way to the ledger, so it waits for it.
        if let Err(refusal) = paid {
            self.after_records(Promise::RefusePay(request, refusal));
        }
    }

    /// The hold of a record by which something is to be done at the account that viewers pay at.
    pub(super) fn provider_matter(&self, record: &Record) -> Option<HoldId> {
        let account = self.shared.config.viewers_pay_at.as_ref()?;
        let hold = match record {
            Record::Payment(record) => record.hold,
            Record::Hold(
                HoldRecord::Confirmed { hold, .. }
                | HoldRecord::Released { hold, .. }
                | HoldRecord::Expired { hold, .. },
            ) => *hold,
            _ => return None,
        };
        let matters = self.books.payments(hold.drop_id())?.matters_of(hold);
        matters.iter().any(|matter| matter.payment.account == *account).then_some(hold)
    }

    /// The money of a hold, as far as it is durable when the answer arrives.
    pub(super) fn money_of(&mut self, hold: HoldId, reply: oneshot::Sender<HoldMoney>) {
        let PayingHold { look, is_over, .. } = self.paying(hold);
        let book = self.books.payments(hold.drop_id());
        let account = book.and_then(|book| book.account(hold)).cloned();
        let matters = book.map(|book| book.matters_of(hold)).unwrap_or_default();
        let goods = self.goods_of(hold, look);
        let money = HoldMoney { look, is_over, is_read: book.is_some(), goods, account, matters };
        self.after_records(Promise::Money(reply, Box::new(money)));
    }

    /// What a hold is for, or was.
    fn goods_of(&self, hold: HoldId, look: HoldLook) -> Option<HoldGoods> {
        let units = match look {
            HoldLook::Known(status) => status.units,
            HoldLook::Ended => self.retakes.find(hold)?.units,
            HoldLook::Pending | HoldLook::Unknown => return None,
        };
        let sale = self.sales.get(&hold.drop_id())?;
        let (sku, amount) = (sale.sku_of(hold.pool())?, sale.amount(hold.pool(), units)?);
        Some(HoldGoods { sku, units, amount })
    }

    /// The holds of a payment, as far as they are durable when the answer arrives.
    pub(super) fn holds_of(&mut self, payment: &PaymentId, reply: oneshot::Sender<Vec<HoldId>>) {
        let holds = self.books.holds_of(payment);
        self.after_records(Promise::HoldsOf(reply, holds));
    }

    /// What is to be done, as far as it is durable when the answer arrives.
    pub(super) fn matters(
        &mut self,
        request: &MattersRequest,
        reply: oneshot::Sender<OpenMatters>,
    ) {
        let MattersRequest { after, limit, merchant } = request;
        let matters = self.books.matters(*after, *limit, merchant.as_ref());
        self.after_records(Promise::Matters(reply, matters));
    }

    pub(super) fn charge(
        &mut self,
        (hold, charges): (HoldId, Charges),
        now: UnixMillis,
        reply: oneshot::Sender<Option<Result<(), PaymentRefusal>>>,
    ) {
        let charged = match self.hold_in_memory(hold) {
            HoldLook::Known(held) => {
                Some(self.decide(|books, out| books.charge(now, held, charges, out)))
            }
            HoldLook::Ended => Some(Err(PaymentRefusal::AmountIsFixed)),
            HoldLook::Pending | HoldLook::Unknown => None,
        };
        self.after_records(Promise::Charged(reply, charged));
    }

    pub(super) fn unmatched(
        &mut self,
        unmatched: UnmatchedPayment,
        now: UnixMillis,
        reply: oneshot::Sender<()>,
    ) {
        self.decide(|books, out| books.unmatched(now, unmatched, out));
        self.after_records(Promise::Recorded(reply));
    }

    /// What nobody can match, as far as it is durable when the answer arrives.
    pub(super) fn unmatched_money(
        &mut self,
        ask: &UnmatchedAsk,
        reply: oneshot::Sender<UnmatchedPage>,
    ) {
        let page = self.books.unmatched_money(ask);
        self.after_records(Promise::UnmatchedMoney(reply, page));
    }
}
