//! Payments that nobody can match: each is recorded once, and listed until something became of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use stampede_domain::{
    DropId, HoldId, Money, PaymentAccount, PaymentEvent, PaymentFact, PaymentId, UnixMillis,
    limits::UNMATCHED_KEPT_MAX,
};
use stampede_ledger::{UnmatchedDone, UnmatchedEnd, UnmatchedPayment};

use super::Books;
use crate::{
    command::{CommandRefusal, StaffCommand},
    decision::Decision,
    payment::{HoldOutcome, PaymentOutcome},
};

/// Entries that one look at the list passes over: whoever presses Pause waits for no more than that.
const LOOKED_AT_MAX: usize = 1_000;

/// A payment that nobody can match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmatchedEntry {
    /// Counted from 1 in the order of the records.
    pub number: u64,
    /// When it was recorded.
    pub at: UnixMillis,
    /// What was recorded.
    pub unmatched: UnmatchedPayment,
}

/// Which payments that nobody can match somebody wants to see.
#[derive(Clone, Debug)]
pub struct UnmatchedAsk {
    /// Those that named something which cannot be read or found; otherwise those that named nothing, which may be
    /// another shop's.
    pub named: bool,
    /// Those with a smaller number; [`u64::MAX`] for the newest.
    pub before: u64,
    /// At most so many.
    pub limit: usize,
    /// Those of these accounts alone; `None` for all.
    pub accounts: Option<BTreeSet<PaymentAccount>>,
}

/// Payments that nobody can match, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnmatchedPage {
    /// There may be fewer than were asked for, or none, although there are more.
    pub entries: Vec<Arc<UnmatchedEntry>>,
    /// Where to go on, if there may be more.
    pub next: Option<u64>,
}

impl Books {
    /// Payments that nobody can match, among the latest
    /// [`UNMATCHED_KEPT_MAX`](stampede_domain::limits::UNMATCHED_KEPT_MAX).
    pub fn unmatched_money(&self, ask: &UnmatchedAsk) -> UnmatchedPage {
        self.unmatched.page(ask)
    }

    /// Money came and nobody can say what for. It is recorded once, as long as it is among the latest
    /// [`UNMATCHED_KEPT_MAX`](stampede_domain::limits::UNMATCHED_KEPT_MAX).
    pub fn unmatched(&mut self, now: UnixMillis, unmatched: UnmatchedPayment, out: &mut Decision) {
        if !self.unmatched.knows(&unmatched.payment) {
            self.record(now, DropId::HOUSE, unmatched, out);
        }
    }

    /// Something was said about a payment that no hold is known of: a refund of money that nobody can match. What went
    /// back as a whole is done with. `None` if nothing follows from it.
    pub(super) fn without_holds(
        &mut self,
        now: UnixMillis,
        fact: &PaymentFact,
        out: &mut Decision,
    ) -> Option<PaymentOutcome> {
        let PaymentEvent::Refunded { total } = fact.event else { return None };
        let amount = self.unmatched.open_amount(&fact.payment)?;
        if total.currency() == amount.currency() && total.minor() >= amount.minor() {
            self.end_unmatched(now, &fact.payment, UnmatchedEnd::GivenBack, out);
        }
        Some(PaymentOutcome { payment: fact.payment.clone(), holds: Vec::new() })
    }

    /// A fact was accepted for holds: from now on their drops tell what becomes of the money.
    pub(super) fn note_matched(
        &mut self,
        now: UnixMillis,
        payment: &PaymentId,
        holds: &[(HoldId, HoldOutcome)],
        out: &mut Decision,
    ) {
        if self.unmatched.open_amount(payment).is_none() {
            return;
        }
        let matched = holds.iter().find(|(hold, _)| self.has_money(*hold, payment));
        if let Some((hold, _)) = matched {
            self.end_unmatched(now, payment, UnmatchedEnd::Matched { hold: *hold }, out);
        }
    }

    /// Staff saw to it.
    pub(super) fn close_unmatched(
        &mut self,
        payment: &PaymentId,
        command: &StaffCommand,
        now: UnixMillis,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        if self.unmatched.open_amount(payment).is_none() {
            return Err(CommandRefusal::NotUnmatched { payment: payment.clone() });
        }
        let (actor, reason) = (&*command.actor, command.reason.as_deref().unwrap_or_default());
        let end = UnmatchedEnd::Closed { actor: actor.into(), reason: reason.into() };
        self.end_unmatched(now, payment, end, out);
        Ok(())
    }

    fn end_unmatched(
        &mut self,
        now: UnixMillis,
        payment: &PaymentId,
        end: UnmatchedEnd,
        out: &mut Decision,
    ) {
        let done = UnmatchedDone { payment: payment.clone(), end };
        self.record(now, DropId::HOUSE, done, out);
    }
}

/// The latest payments that were recorded as unmatched.
///
/// Providers report for days, an account may be another shop's too: what is kept here is bounded, not what is recorded.
#[derive(Debug, Default)]
pub(super) struct UnmatchedPayments {
    /// Records so far.
    count: u64,
    /// In the order of their records.
    latest: VecDeque<PaymentId>,
    /// Where each is listed.
    places: HashMap<PaymentId, (bool, u64), foldhash::fast::RandomState>,
    /// Those that are listed, by whether they named anything and their numbers.
    open: BTreeMap<(bool, u64), Arc<UnmatchedEntry>>,
}

impl UnmatchedPayments {
    pub(super) fn knows(&self, payment: &PaymentId) -> bool {
        self.places.contains_key(payment)
    }

    /// The payment was recorded.
    pub(super) fn note(&mut self, at: UnixMillis, unmatched: &UnmatchedPayment) {
        self.count += 1;
        let (number, payment) = (self.count, &unmatched.payment);
        if self.knows(payment) {
            return;
        }
        let place = (!unmatched.named.as_str().is_empty(), number);
        self.places.insert(payment.clone(), place);
        self.latest.push_back(payment.clone());
        let entry = UnmatchedEntry { number, at, unmatched: unmatched.clone() };
        self.open.insert(place, Arc::new(entry));
        if self.latest.len() > UNMATCHED_KEPT_MAX
            && let Some(oldest) = self.latest.pop_front()
            && let Some(place) = self.places.remove(&oldest)
        {
            self.open.remove(&place);
        }
    }

    /// Something became of it: it stays known, so that a report that comes again is not recorded anew.
    pub(super) fn done(&mut self, payment: &PaymentId) {
        if let Some(place) = self.places.get(payment) {
            self.open.remove(place);
        }
    }

    /// How much came, if the payment is listed.
    fn open_amount(&self, payment: &PaymentId) -> Option<Money> {
        let entry = self.open.get(self.places.get(payment)?)?;
        Some(entry.unmatched.amount)
    }

    fn page(&self, ask: &UnmatchedAsk) -> UnmatchedPage {
        let mut page = UnmatchedPage::default();
        let mut last = ask.before;
        let asked = self.open.range((ask.named, 0)..(ask.named, ask.before)).rev();
        for (looked_at, ((_, number), entry)) in asked.enumerate() {
            if looked_at == LOOKED_AT_MAX || page.entries.len() == ask.limit {
                page.next = Some(last);
                break;
            }
            last = *number;
            let account = &entry.unmatched.payment.account;
            if ask.accounts.as_ref().is_none_or(|accounts| accounts.contains(account)) {
                page.entries.push(Arc::clone(entry));
            }
        }
        page
    }

    /// What the journal says of it.
    pub(super) fn journaled(&self) -> String {
        let open: Vec<_> = self.open.values().map(|entry| &entry.unmatched).collect();
        format!("{} {:?} open {open:?}", self.count, self.latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(account: &str, number: usize) -> PaymentId {
        PaymentId::new(account, &number.to_string()).unwrap()
    }

    fn note(unmatched: &mut UnmatchedPayments, payment: PaymentId) {
        let amount = Money::new(1, "EUR".parse().unwrap()).unwrap();
        let named = if payment.reference.as_str() == "1" { "order 7" } else { "" };
        let record = UnmatchedPayment { payment, amount, named: named.into() };
        unmatched.note(UnixMillis::new(7), &record);
    }

    fn ask(before: u64, limit: usize, accounts: &[&str]) -> UnmatchedAsk {
        let accounts: BTreeSet<_> = accounts.iter().map(|name| name.parse().unwrap()).collect();
        UnmatchedAsk {
            named: false,
            before,
            limit,
            accounts: Some(accounts).filter(|some| !some.is_empty()),
        }
    }

    fn references(page: &UnmatchedPage) -> Vec<String> {
        let entries = page.entries.iter();
        entries.map(|entry| entry.unmatched.payment.reference.to_string()).collect()
    }

    #[test]
    fn the_latest_payments_are_known_and_listed_once() {
        let payment = |number| payment("stripe:main", number);
        let mut unmatched = UnmatchedPayments::default();
        for number in 0..=UNMATCHED_KEPT_MAX {
            note(&mut unmatched, payment(number));
            note(&mut unmatched, payment(number));
        }
        assert!(!unmatched.knows(&payment(0)));
        assert!(unmatched.knows(&payment(1)) && unmatched.knows(&payment(UNMATCHED_KEPT_MAX)));
        let sizes = [unmatched.places.len(), unmatched.latest.len(), unmatched.open.len()];
        assert_eq!(sizes, [UNMATCHED_KEPT_MAX; 3]);
        note(&mut unmatched, payment(0));
        assert!(unmatched.knows(&payment(0)) && !unmatched.knows(&payment(1)));
        let page = unmatched.page(&ask(u64::MAX, 2, &[]));
        assert_eq!(references(&page), ["0".to_owned(), UNMATCHED_KEPT_MAX.to_string()]);
    }

    #[test]
    fn a_page_goes_on_where_the_one_before_stopped() {
        let mut unmatched = UnmatchedPayments::default();
        for number in 1..=5 {
            note(&mut unmatched, payment("stripe:main", number));
        }
        let first = unmatched.page(&ask(u64::MAX, 2, &[]));
        assert_eq!((references(&first), first.next), (vec!["5".into(), "4".into()], Some(4)));
        let last = unmatched.page(&ask(4, 2, &[]));
        assert_eq!((references(&last), last.next), (vec!["3".into(), "2".into()], None));
        let named = unmatched.page(&UnmatchedAsk { named: true, ..ask(u64::MAX, 9, &[]) });
        assert_eq!((references(&named), named.next), (vec!["1".into()], None));
    }

    #[test]
    fn a_page_looks_at_so_many_entries_alone() {
        let mut unmatched = UnmatchedPayments::default();
        note(&mut unmatched, payment("stripe:own", 7));
        for number in 10..10 + LOOKED_AT_MAX {
            note(&mut unmatched, payment("stripe:other", number));
        }
        let first = unmatched.page(&ask(u64::MAX, 9, &["stripe:own"]));
        assert_eq!((references(&first), first.next), (vec![], Some(2)));
        let second = unmatched.page(&ask(2, 9, &["stripe:own"]));
        assert_eq!((references(&second), second.next), (vec!["7".into()], None));
    }
}
