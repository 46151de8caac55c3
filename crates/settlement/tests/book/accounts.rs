//! What an account says of its hold, and the lists of a book.

use stampede_domain::{DurationMs, Units};
use stampede_ledger::{DeadlineRecord, PaymentChange, Record};
use stampede_settlement::OrderGoods;
use stampede_testkit::euros;

use crate::given::{Desk, Event, hold, payment};

#[test]
fn an_account_sums_its_payments() {
    let mut desk = Desk::default();
    desk.tell_wrong("p1", hold(1), Event::Paid(700));
    desk.tell("p1", hold(1), Event::Refunded(300));
    desk.tell_wrong("p2", hold(1), Event::Paid(50));
    desk.tell("p2", hold(1), Event::Refunded(20));
    let account = desk.account(hold(1));
    assert_eq!((account.paid(), account.refunded(), account.outstanding()), (750, 320, 430));
    assert!(!account.has_ended() && !account.is_order());
    assert_eq!(account.goods(), None);
}

#[test]
fn an_account_knows_what_became_of_its_hold() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Paid(1_000));
    desk.tell("p2", hold(2), Event::Begun);
    desk.release(hold(2));
    let [ordered, gone] = [1, 2].map(|number| desk.account(hold(number)));
    assert!(ordered.has_ended() && ordered.is_order());
    assert!(gone.has_ended() && !gone.is_order());
    assert_eq!(ordered.goods(), Some(OrderGoods { units: Units::ONE, amount: euros(1_000) }));
    assert_eq!(gone.goods(), None);
}

#[test]
fn an_attempt_is_under_way_until_it_has_its_end() {
    for (end, is_open) in
        [(None, true), (Some(Event::Failed), false), (Some(Event::Paid(1_000)), false)]
    {
        let mut desk = Desk::default();
        desk.tell("p1", hold(1), Event::Failed);
        assert!(!desk.account(hold(1)).has_open_attempt());
        desk.tell("p2", hold(1), Event::Begun);
        if let Some(end) = end {
            desk.tell("p2", hold(1), end);
        }
        assert_eq!(desk.account(hold(1)).has_open_attempt(), is_open, "{end:?}");
    }
}

#[test]
fn an_attempt_whose_hold_was_taken_again_is_done() {
    let mut desk = Desk::default();
    for name in ["p1", "p2"] {
        desk.tell(name, hold(1), Event::Begun);
    }
    desk.release(hold(1));
    assert_eq!(desk.book.matters_of(hold(1)).len(), 2);
    desk.change(hold(1), PaymentChange::Retaken { payment: payment("p2"), into: hold(9) });
    let moved = ["p1", "p2"].map(|name| desk.part(name, hold(1)).is_moved);
    assert_eq!(moved, [false, true]);
    let [left] = &desk.book.matters_of(hold(1))[..] else { panic!("one attempt is open") };
    assert_eq!(left.payment, payment("p1"));
    assert_eq!(desk.account(hold(1)).retaken, Some(hold(9)));
}

#[test]
fn an_account_begins_with_a_stretch_too() {
    let mut desk = Desk::default();
    let span = DurationMs::new(9);
    let record = DeadlineRecord::Stretched { hold: hold(1), span };
    desk.book.apply(&Record::Deadline(record));
    assert!(desk.account(hold(1)).stretched);
}

#[test]
fn a_book_lists_the_holds_of_a_payment_once_each() {
    let mut desk = Desk::default();
    for number in [3, 1, 3] {
        desk.tell("p1", hold(number), Event::Begun);
        desk.tell("p1", hold(number), Event::Failed);
    }
    desk.tell("p2", hold(2), Event::Begun);
    assert_eq!(desk.book.holds_of(&payment("p1")), [hold(3), hold(1)]);
    assert_eq!(desk.book.holds_of(&payment("p3")), []);
    let mut all: Vec<_> = desk.book.holds().map(|(hold, _)| hold).collect();
    all.sort_unstable();
    assert_eq!(all, [hold(1), hold(2), hold(3)]);
}

#[test]
fn a_book_lists_holds_with_something_to_do_as_long_as_there_is() {
    let mut desk = Desk::default();
    for number in [3, 1, 2] {
        desk.tell_wrong("p1", hold(number), Event::Paid(10));
    }
    let open = |desk: &Desk, after| desk.book.open_holds(after).collect::<Vec<_>>();
    assert_eq!(open(&desk, None), [hold(1), hold(2), hold(3)]);
    assert_eq!(open(&desk, Some(hold(1))), [hold(2), hold(3)]);
    desk.tell("p1", hold(2), Event::Refunded(10));
    assert_eq!(open(&desk, None), [hold(1), hold(3)]);
    assert_eq!(open(&desk, Some(hold(3))), []);
}

#[test]
fn what_an_order_lacks_is_told_by_the_book() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Paid(1_000));
    assert_eq!(desk.book.owed_anew(hold(1)), None);
    desk.tell("p1", hold(1), Event::Refunded(1_000));
    assert_eq!(desk.book.owed_anew(hold(1)), Some(euros(1_000)));
    assert_eq!(desk.book.owed_anew(hold(2)), None);
}

#[test]
fn what_the_journal_tells_is_the_same_in_whatever_order_holds_came() {
    let told = |numbers: [u32; 3]| {
        let mut desk = Desk::default();
        for number in numbers {
            desk.tell("p1", hold(number), Event::Begun);
        }
        desk.book.journaled()
    };
    let journaled = told([1, 2, 3]);
    assert_eq!(journaled, told([3, 1, 2]));
    let holds: Vec<_> = journaled.lines().filter_map(|line| line.split_once(' ')).collect();
    let ids: Vec<_> = holds.iter().map(|(hold, _)| (*hold).to_owned()).collect();
    assert_eq!(ids, [1, 2, 3].map(|number| hold(number).to_string()));
    assert!(holds.iter().all(|(_, account)| account.contains("Begun")), "{journaled}");
}
