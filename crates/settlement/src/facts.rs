//! What follows from what a provider says about a payment's part for one hold.

use stampede_domain::{
    Charges, HoldId, Money, OrderReference, PaymentId, PaymentReference, RefundReason,
    limits::PAYMENTS_PER_HOLD_MAX,
};
use stampede_ledger::{PaymentChange, PaymentRecord};

use crate::{
    account::HoldAccount,
    book::PaymentBook,
    part::{Part, PartState},
};

/// How a hold stands, as whoever asks sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldStands {
    /// It waits for its payment.
    Held,
    /// It is an order.
    Ordered,
    /// It has ended without an order.
    Ended,
}

/// What a fact comes to for one hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum PartOutcome {
    /// The hold becomes an order.
    Ordered,
    /// The hold is an order, made by this payment.
    AlreadyOrdered,
    /// The hold ends: its viewer shall not try again.
    Ends,
    /// It is noted; the hold stays as it is.
    Noted,
    /// The money has to go back, now or since an earlier report. Money that is only kept ready is let go.
    RefundDue {
        /// How much.
        amount: Money,
        /// Why.
        reason: RefundReason,
    },
    /// It was known, or it changes nothing any more.
    Unchanged,
}

/// Why a fact is not accepted. Nothing was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentRefusal {
    /// The payment was reported with another amount.
    #[error(
        "the payment was reported with {recorded} before, now with {given}: a payment has one amount"
    )]
    AmountDiffers {
        /// As it stands.
        recorded: Money,
        /// As it was given.
        given: Money,
    },
    /// More would go back than was taken.
    #[error("{given} went back of a payment of {paid}: look at the refund again")]
    RefundAbovePayment {
        /// What was taken.
        paid: Money,
        /// What went back in all. It may be of another currency.
        given: Money,
    },
    /// The hold has had too many attempts.
    #[error("the hold has had {max} payments; no further attempt is noted")]
    TooManyPayments {
        /// The most.
        max: usize,
    },
    /// What is owed cannot change any more.
    #[error("the hold is paid for or has ended: what is owed for it cannot change any more")]
    AmountIsFixed,
    /// What is owed is more than can be written.
    #[error("goods with charges come to more than 2^53 - 1 minor units")]
    TooLarge,
}

/// What is asked about: a payment's part for one hold.
#[derive(Clone, Copy, Debug)]
pub struct PartAsk<'a> {
    /// The payment.
    pub payment: &'a PaymentId,
    /// The hold.
    pub hold: HoldId,
    /// How the hold stands.
    pub stands: HoldStands,
}

impl PartAsk<'_> {
    fn record(&self, change: PaymentChange, out: &mut Vec<PaymentRecord>) {
        out.push(PaymentRecord { hold: self.hold, change });
    }

    fn refund_due(&self, amount: Money, reason: RefundReason, out: &mut Vec<PaymentRecord>) {
        let payment = self.payment.clone();
        self.record(PaymentChange::RefundDue { payment, amount, reason }, out);
    }
}

impl PaymentBook {
    fn part(&self, ask: PartAsk<'_>) -> Option<(&HoldAccount, Option<&Part>)> {
        let account = self.account(ask.hold)?;
        Some((account, account.part(ask.payment)))
    }

    /// The viewer is at it.
    ///
    /// # Errors
    /// [`PaymentRefusal::TooManyPayments`].
    pub fn begun(
        &self,
        ask: PartAsk<'_>,
        out: &mut Vec<PaymentRecord>,
    ) -> Result<PartOutcome, PaymentRefusal> {
        if ask.stands != HoldStands::Held {
            return Ok(PartOutcome::Unchanged);
        }
        let (account, part) = self.part(ask).unzip();
        match part.flatten().map(|part| &part.state) {
            None => check_count(account)?,
            Some(PartState::Failed(_)) => {}
            Some(_) => return Ok(PartOutcome::Unchanged),
        }
        ask.record(PaymentChange::Begun { payment: ask.payment.clone() }, out);
        Ok(PartOutcome::Noted)
    }

    /// The provider keeps money ready: `amount` of it is for this hold. `refused` says why the payment cannot pay
    /// for its holds, if it cannot.
    ///
    /// # Errors
    /// [`PaymentRefusal::AmountDiffers`].
    pub fn authorized(
        &self,
        ask: PartAsk<'_>,
        (amount, refused): (Money, Option<RefundReason>),
        out: &mut Vec<PaymentRecord>,
    ) -> Result<PartOutcome, PaymentRefusal> {
        let part = self.part(ask).and_then(|(_, part)| part);
        if part.is_none() && is_for_nothing(ask, (amount, refused)) {
            return Ok(PartOutcome::Unchanged);
        }
        match part.map(|part| &part.state) {
            Some(PartState::Authorized(recorded)) => {
                same(*recorded, amount)?;
                return Ok(self.standing(ask));
            }
            // A late report: another amount may have been captured than was kept ready.
            Some(PartState::Paid(_)) => return Ok(self.standing(ask)),
            // What was let go does not come back by a late report.
            Some(PartState::Voided) => return Ok(PartOutcome::Unchanged),
            None | Some(PartState::Unknown | PartState::Begun | PartState::Failed(_)) => {}
        }
        let payment = ask.payment.clone();
        ask.record(PaymentChange::Authorized { payment, amount }, out);
        Ok(self.give_or_return(ask, (amount, refused), out))
    }

    /// The money was taken: `amount` of it is for this hold.
    ///
    /// # Errors
    /// [`PaymentRefusal::AmountDiffers`], [`PaymentRefusal::RefundAbovePayment`].
    pub fn paid(
        &self,
        ask: PartAsk<'_>,
        (amount, refused): (Money, Option<RefundReason>),
        out: &mut Vec<PaymentRecord>,
    ) -> Result<PartOutcome, PaymentRefusal> {
        let (account, part) = self.part(ask).unzip();
        let part = part.flatten();
        if part.is_none() && is_for_nothing(ask, (amount, refused)) {
            return Ok(PartOutcome::Unchanged);
        }
        if let Some(Part { state: PartState::Paid(recorded), .. }) = part {
            same(*recorded, amount)?;
            return Ok(self.standing(ask));
        }
        if let Some(part) = part
            && part.refunded > amount.minor()
        {
            let given = Money::new(part.refunded, amount.currency());
            let given = given.expect("a report of money had the sum");
            return Err(PaymentRefusal::RefundAbovePayment { paid: amount, given });
        }
        if let Some(Part { state: PartState::Authorized(kept), .. }) = part
            && kept.currency() != amount.currency()
        {
            return Err(PaymentRefusal::AmountDiffers { recorded: *kept, given: amount });
        }
        let payment = ask.payment.clone();
        ask.record(PaymentChange::Paid { payment, amount }, out);
        if let Some(part @ Part { state: PartState::Authorized(_), .. }) = part {
            let makes_order = account.and_then(HoldAccount::order_part) == Some(part);
            return Ok(captured(ask, (part, makes_order), amount, out));
        }
        // An authorization that was let go may have made the order.
        if let Some((account, part)) = account.zip(part)
            && account.order_part() == Some(part)
        {
            return Ok(came_after_all(ask, account, amount, out));
        }
        Ok(self.give_or_return(ask, (amount, refused), out))
    }

    /// Money has come, or is kept ready: the hold becomes an order, or the money has to go back.
    fn give_or_return(
        &self,
        ask: PartAsk<'_>,
        (amount, refused): (Money, Option<RefundReason>),
        out: &mut Vec<PaymentRecord>,
    ) -> PartOutcome {
        let (account, part) = self.part(ask).unzip();
        let went_back = part.flatten().map_or(0, |part| part.refunded);
        let is_retaken = account.is_some_and(|account| account.retaken.is_some());
        let reason = match ask.stands {
            // Another payment has made an order of what it had.
            HoldStands::Ended if is_retaken => Some(RefundReason::SecondPayment),
            HoldStands::Ended => Some(RefundReason::HoldEnded),
            // What is paid anew stays, where the order's money is gone.
            HoldStands::Ordered
                if refused.is_none()
                    && went_back == 0
                    && account.and_then(HoldAccount::owed_anew) == Some(amount) =>
            {
                return PartOutcome::AlreadyOrdered;
            }
            HoldStands::Ordered if account.is_some_and(HoldAccount::lacks_money) => {
                refused.or(Some(RefundReason::WrongAmount))
            }
            HoldStands::Ordered => Some(RefundReason::SecondPayment),
            HoldStands::Held if went_back > 0 => refused.or(Some(RefundReason::WrongAmount)),
            HoldStands::Held => refused,
        };
        let Some(reason) = reason else { return PartOutcome::Ordered };
        if amount.minor() > 0 {
            ask.refund_due(amount, reason, out);
        }
        left_of(amount, went_back, reason)
    }

    /// The attempt came to nothing.
    ///
    /// # Errors
    /// [`PaymentRefusal::TooManyPayments`].
    pub fn failed(
        &self,
        ask: PartAsk<'_>,
        (reason, is_final): (&PaymentReference, bool),
        out: &mut Vec<PaymentRecord>,
    ) -> Result<PartOutcome, PaymentRefusal> {
        let (account, part) = self.part(ask).unzip();
        let state = part.flatten().map(|part| &part.state);
        if ask.stands != HoldStands::Held && state != Some(&PartState::Begun) {
            return Ok(PartOutcome::Unchanged);
        }
        let ends = is_final && ask.stands == HoldStands::Held;
        match state {
            // A late report about money that has come.
            Some(PartState::Paid(_) | PartState::Authorized(_)) => {
                return Ok(PartOutcome::Unchanged);
            }
            // What was let go stays so: a late report of its beginning must not make an order.
            Some(PartState::Voided) if ends => return Ok(PartOutcome::Ends),
            Some(PartState::Voided) => return Ok(PartOutcome::Unchanged),
            Some(PartState::Failed(known)) if known == reason && !is_final => {
                return Ok(PartOutcome::Unchanged);
            }
            None if ends && check_count(account).is_err() => return Ok(PartOutcome::Ends),
            None => check_count(account)?,
            Some(PartState::Unknown | PartState::Begun | PartState::Failed(_)) => {}
        }
        let (payment, reason) = (ask.payment.clone(), reason.clone());
        ask.record(PaymentChange::Failed { payment, reason }, out);
        Ok(if ends { PartOutcome::Ends } else { PartOutcome::Noted })
    }

    /// What was kept ready was let go, or the attempt was called off. It is noted before anything else is known of
    /// the payment, too: a late report that the money is ready must not make an order.
    pub fn voided(&self, ask: PartAsk<'_>, out: &mut Vec<PaymentRecord>) -> PartOutcome {
        let (account, part) = self.part(ask).unzip();
        match part.flatten().map(|part| &part.state) {
            Some(PartState::Voided | PartState::Paid(_)) => return PartOutcome::Unchanged,
            None if check_count(account).is_err() => return PartOutcome::Unchanged,
            None | Some(_) => {}
        }
        ask.record(PaymentChange::Voided { payment: ask.payment.clone() }, out);
        PartOutcome::Noted
    }

    /// `total` of this part went back so far.
    ///
    /// # Errors
    /// [`PaymentRefusal::RefundAbovePayment`].
    pub fn refunded(
        &self,
        ask: PartAsk<'_>,
        total: Money,
        out: &mut Vec<PaymentRecord>,
    ) -> Result<PartOutcome, PaymentRefusal> {
        let part = self.part(ask).and_then(|(_, part)| part);
        if let Some(Part { state: PartState::Paid(paid), .. }) = part
            && (total.minor() > paid.minor() || total.currency() != paid.currency())
        {
            return Err(PaymentRefusal::RefundAbovePayment { paid: *paid, given: total });
        }
        // A smaller total is an older report.
        if total.minor() <= part.map_or(0, |part| part.refunded) {
            return Ok(PartOutcome::Unchanged);
        }
        ask.record(PaymentChange::Refunded { payment: ask.payment.clone(), total }, out);
        Ok(PartOutcome::Noted)
    }

    /// What is owed beyond these goods is set anew.
    ///
    /// # Errors
    /// [`PaymentRefusal::AmountIsFixed`], [`PaymentRefusal::TooLarge`].
    pub fn charged(
        &self,
        (hold, stands, goods): (HoldId, HoldStands, Money),
        charges: Charges,
        out: &mut Vec<PaymentRecord>,
    ) -> Result<(), PaymentRefusal> {
        charges.with(goods).ok_or(PaymentRefusal::TooLarge)?;
        let set = self.account(hold).map_or(Charges::NONE, |account| account.charges);
        if set == charges {
            return Ok(());
        }
        // Money that came for a hold that is still held is due back: it fixes nothing.
        if stands != HoldStands::Held {
            return Err(PaymentRefusal::AmountIsFixed);
        }
        out.push(PaymentRecord { hold, change: PaymentChange::Charged(charges) });
        Ok(())
    }

    /// The platform names the order.
    pub fn referenced(
        &self,
        hold: HoldId,
        reference: &OrderReference,
        out: &mut Vec<PaymentRecord>,
    ) {
        let known = self.account(hold).and_then(|account| account.reference.as_ref());
        if known != Some(reference) {
            out.push(PaymentRecord { hold, change: PaymentChange::Referenced(reference.clone()) });
        }
    }

    /// How a part stands that is known already.
    fn standing(&self, ask: PartAsk<'_>) -> PartOutcome {
        let Some((account, Some(part))) = self.part(ask) else { return PartOutcome::Unchanged };
        if account.order_part() == Some(part) && ask.stands == HoldStands::Ordered {
            return PartOutcome::AlreadyOrdered;
        }
        // What went back is not due any more: whoever is told of it would give it back twice.
        let left = Some(part.outstanding()).filter(|left| *left > 0);
        let due = left.zip(part.covers()).and_then(|(left, of)| Money::new(left, of.currency()));
        match due.zip(part.due_reason) {
            Some((amount, reason)) => PartOutcome::RefundDue { amount, reason },
            None => PartOutcome::Unchanged,
        }
    }
}

/// What was kept ready is taken, or another amount: what is above it goes back.
fn captured(
    ask: PartAsk<'_>,
    (part, makes_order): (&Part, bool),
    amount: Money,
    out: &mut Vec<PaymentRecord>,
) -> PartOutcome {
    let kept = part.covers().map_or(0, Money::minor);
    // What an order's money is above what was kept ready was never the order's, cancelled or not.
    let due_reason = part.due_reason.filter(|_| !makes_order);
    let reason = due_reason.unwrap_or(RefundReason::WrongAmount);
    let stays = if makes_order { kept } else { part.due };
    if let Some(more) = amount.minor().checked_sub(stays).filter(|more| *more > 0) {
        let more = Money::new(more, amount.currency()).expect("no more than the payment");
        ask.refund_due(more, reason, out);
    }
    if makes_order { PartOutcome::AlreadyOrdered } else { left_of(amount, part.refunded, reason) }
}

/// What had made an order and was let go came after all: the order keeps what it costs by now, the rest goes back.
fn came_after_all(
    ask: PartAsk<'_>,
    account: &HoldAccount,
    amount: Money,
    out: &mut Vec<PaymentRecord>,
) -> PartOutcome {
    let money = |minor| Money::new(minor, amount.currency()).expect("no more than the payment");
    let goods = account.goods().map(|goods| goods.amount);
    let cost = goods.and_then(|goods| account.expected(goods));
    let Some(cost) = cost.filter(|cost| cost.currency() == amount.currency()) else {
        let reason = RefundReason::WrongAmount;
        if amount.minor() > 0 {
            ask.refund_due(amount, reason, out);
        }
        return left_of(amount, 0, reason);
    };
    let above = amount.minor().saturating_sub(cost.minor());
    let waived =
        (amount.minor() - above).saturating_sub(cost.minor().saturating_sub(account.waived));
    for (back, reason) in [(above, RefundReason::WrongAmount), (waived, RefundReason::Cancelled)] {
        if back > 0 {
            ask.refund_due(money(back), reason, out);
        }
    }
    PartOutcome::AlreadyOrdered
}

/// What is told of money that has to go back. What went back before it was heard of is not due any more: whoever is
/// told of it would give it back twice.
fn left_of(amount: Money, went_back: u64, reason: RefundReason) -> PartOutcome {
    match Money::new(amount.minor().saturating_sub(went_back), amount.currency()) {
        Some(left) if left.minor() > 0 => PartOutcome::RefundDue { amount: left, reason },
        _ => PartOutcome::Noted,
    }
}

/// Whether nothing of a payment is for this hold, and none of it has to go back: it is a part of no payment.
fn is_for_nothing(ask: PartAsk<'_>, (amount, refused): (Money, Option<RefundReason>)) -> bool {
    amount.minor() == 0 && (refused.is_some() || ask.stands != HoldStands::Held)
}

fn same(recorded: Money, given: Money) -> Result<(), PaymentRefusal> {
    if recorded == given { Ok(()) } else { Err(PaymentRefusal::AmountDiffers { recorded, given }) }
}

fn check_count(account: Option<&HoldAccount>) -> Result<(), PaymentRefusal> {
    let count = account.map_or(0, |account| account.parts.len());
    if count < PAYMENTS_PER_HOLD_MAX {
        return Ok(());
    }
    Err(PaymentRefusal::TooManyPayments { max: PAYMENTS_PER_HOLD_MAX })
}
