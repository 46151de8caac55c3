//! Attempts to pay: what a viewer begins, what gives a hold more time.

use stampede_domain::{
    HoldId, PaymentAccount, PaymentId, PaymentReference, Refusal, TestCard, UnixMillis,
    ViewerNumber,
};
use stampede_ledger::DeadlineRecord;
use stampede_settlement::{HoldAccount, HoldStands, PartAsk};

use super::Books;
use crate::{
    decision::{Act, Decision, Effect, HoldEnd},
    hold::{HoldLook, HoldStatus},
    payment::{Attempt, PayingHold},
};

impl Books {
    /// An attempt to pay began: the first one has a hold's whole stretch from now on.
    pub(super) fn stretch(&mut self, now: UnixMillis, held: HoldStatus, out: &mut Decision) {
        let HoldStatus { hold, viewer, deadline, .. } = held;
        let book = &self.drops[&hold.drop_id()];
        let is_stretched = book.payments.account(hold).is_some_and(|account| account.stretched);
        let span = now.plus(book.plan().stretch()).since(deadline);
        if is_stretched || span.get() == 0 {
            return;
        }
        out.at_once.push(Act::Stretch { hold, span });
        self.record(now, hold.drop_id(), DeadlineRecord::Stretched { hold, span }, out);
        out.when_durable.push(Effect::Stretched { hold, viewer });
    }

    /// `viewer` asks to pay at this account's provider. What is owed may be nothing: then the hold becomes an order
    /// at once. The name of the attempt has the card that was chosen: nothing else outlives a restart.
    ///
    /// # Errors
    /// Why nothing begins. It may report an end that is on its way to the ledger, so it waits for what was
    /// decided so far.
    pub fn pay(
        &mut self,
        now: UnixMillis,
        viewer: ViewerNumber,
        paying: &PayingHold,
        (account, card): (&PaymentAccount, Option<TestCard>),
        out: &mut Decision,
    ) -> Result<(), Refusal> {
        let held = match paying.look {
            HoldLook::Unknown | HoldLook::Pending => return Err(Refusal::UnknownHold),
            HoldLook::Ended => return Err(Refusal::HoldEnded),
            HoldLook::Known(status) if status.viewer != viewer => return Err(Refusal::UnknownHold),
            HoldLook::Known(status) if status.confirmed => return Err(Refusal::HoldConfirmed),
            HoldLook::Known(held) if self.is_out_of_time(&held, now) => {
                self.end_hold(now, held, HoldEnd::Expired, out);
                return Err(Refusal::HoldEnded);
            }
            HoldLook::Known(held) => held,
        };
        let hold = held.hold;
        let book = &self.drops[&hold.drop_id()].payments;
        let account_of = book.account(hold);
        if account_of.is_some_and(HoldAccount::has_open_attempt) {
            return Err(Refusal::PaymentPending);
        }
        let amount = book.expected(hold, held.amount).unwrap_or(held.amount);
        if amount.minor() == 0 {
            self.order(now, held, paying.channel.clone(), out);
            return Ok(());
        }
        let attempts = account_of.map_or(0, |account| account.parts.len());
        let payment = attempt_id(account, hold, (attempts + 1, card));
        let mut records = Vec::new();
        let ask = PartAsk { payment: &payment, hold, stands: HoldStands::Held };
        // A hold with too many attempts lives on until its deadline.
        if book.begun(ask, &mut records).is_err() {
            return Err(Refusal::HoldEnded);
        }
        self.record_money(now, records, out);
        self.stretch(now, held, out);
        out.when_durable.push(Effect::Attempt(Attempt { payment, hold, viewer, amount }));
        Ok(())
    }

    /// Attempts at this account that are under way, with holds that are not known to have ended.
    pub fn open_attempts(&self, account: &PaymentAccount) -> Vec<(HoldId, PaymentId)> {
        let holds = self.drops.values().flat_map(|book| book.payments.holds());
        let mut open: Vec<_> = holds
            .filter(|(_, of_hold)| !of_hold.has_ended())
            .flat_map(|(hold, of_hold)| of_hold.parts.iter().map(move |part| (hold, part)))
            .filter(|(_, part)| part.is_open() && part.payment.account == *account)
            .map(|(hold, part)| (hold, part.payment.clone()))
            .collect();
        open.sort_unstable();
        open
    }
}

/// The name of an attempt, such as `{hold}-1` or `{hold}-2-declined`.
fn attempt_id(
    account: &PaymentAccount,
    hold: HoldId,
    (number, card): (usize, Option<TestCard>),
) -> PaymentId {
    let card = card.map(|card| format!("-{card}")).unwrap_or_default();
    let reference = PaymentReference::new(&format!("{hold}-{number}{card}"));
    let reference = reference.expect("a hold's id with a number and a card is a reference");
    PaymentId { account: account.clone(), reference }
}
