//! What became of holds, in sentences.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::fmt::Write as _;

use stampede_domain::{Charges, DurationMs, HoldId, PaymentId, RefundReason, UnixMillis};
use stampede_ledger::{
    DeadlineRecord, HoldRecord, PaymentChange, PaymentRecord, ProviderRequest, Record,
};
use stampede_report::{
    lineage::{Happening, LineageError, Subject, lineage},
    orders::{OrderName, OrdersReader},
};
use support::{
    START_MS,
    counted::Counted,
    eur, journal,
    shop::{Shop, pi, terms},
    units,
};

fn told(path: &std::path::Path, subject: &Subject) -> String {
    let mut text = String::new();
    for one in lineage(&journal(path), &OrdersReader::new(), subject).unwrap() {
        writeln!(text, "{one}").unwrap();
    }
    text
}

/// An order with all that may happen to one: taken, extended, paid at the second attempt, cancelled in part, refunded
/// after its drop was over.
fn long_life(shop: &mut Shop) -> HoldId {
    let drop = shop.drop(1, terms());
    let hold = shop.take(drop, 0, 2, (1, "auth0|1"));
    shop.commit();
    shop.money(hold, PaymentChange::Charged(Charges { shipping: 490, tax: 38, fee: 5 }));
    shop.money(hold, PaymentChange::Referenced("A-2001".parse().unwrap()));
    let first = PaymentId::new("stripe:main", "pi_first").unwrap();
    shop.money(hold, PaymentChange::Begun { payment: first.clone() });
    shop.push(drop, DeadlineRecord::Stretched { hold, span: DurationMs::new(60_000) });
    shop.commit();
    let reason = "card_declined".parse().unwrap();
    shop.money(hold, PaymentChange::Failed { payment: first, reason });
    let until = UnixMillis::new(START_MS + shop.now_ms);
    shop.push(drop, DeadlineRecord::Extended { span: DurationMs::new(90_500), until });
    shop.push(drop, Record::Suspended { span: DurationMs::new(1_001), until });
    shop.commit();
    shop.money(hold, PaymentChange::Authorized { payment: pi(hold), amount: eur(4_513) });
    shop.confirm(hold, 1, 2, 3_980);
    shop.commit();
    let request = ProviderRequest::Capture;
    shop.money(hold, PaymentChange::Asked { payment: pi(hold), request });
    shop.commit();
    shop.money(hold, PaymentChange::Paid { payment: pi(hold), amount: eur(4_513) });
    shop.commit();
    shop.cancel(hold, 0, 50, None);
    shop.commit();
    shop.cancel(hold, 1, 1_990, Some(3));
    let reason = RefundReason::Cancelled;
    let (payment, amount) = (pi(hold), eur(1_990));
    shop.money(hold, PaymentChange::RefundDue { payment, amount, reason });
    shop.commit();
    shop.settle(drop);
    for change in [
        PaymentChange::Declined {
            payment: pi(hold),
            request: ProviderRequest::Refund,
            reason: "no\u{1b}[2J balance".into(),
        },
        PaymentChange::Refunded { payment: pi(hold), total: eur(1_000) },
    ] {
        shop.push(drop.adjustments(), PaymentRecord { hold, change });
        shop.commit();
    }
    hold
}

#[test]
fn the_life_of_an_order_is_told_in_sentences() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let hold = long_life(&mut shop);
    shop.rig.close();
    let by_hold = told(dir.path(), &Subject::Hold(hold));
    insta::assert_snapshot!("order", by_hold);
    for name in [hold.to_string(), "1-1-9".to_owned()] {
        assert_eq!(told(dir.path(), &Subject::Order(name.parse().unwrap())), by_hold);
    }
}

#[test]
fn the_holds_of_a_viewer_come_drop_by_drop_as_they_were_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let (one, two) = (shop.drop(1, terms()), shop.drop(2, terms()));
    let in_two = shop.take(two, 1, 1, (7, "seven"));
    shop.commit();
    let gone = shop.take(one, 1, 3, (7, "seven"));
    let others = shop.take(one, 1, 1, (8, "eight"));
    shop.commit();
    shop.push(one, HoldRecord::Expired { hold: gone, units: units(3) });
    shop.push(two, HoldRecord::Released { hold: in_two, units: units(1) });
    shop.commit();
    // The payment of the hold that has ended comes after all, and its units are taken again.
    let again = shop.take(one, 1, 3, (7, "seven"));
    shop.commit();
    shop.money(gone, PaymentChange::Retaken { payment: pi(gone), into: again });
    shop.money(again, PaymentChange::Paid { payment: pi(gone), amount: eur(8_970) });
    shop.confirm(again, 7, 3, 8_970);
    let held = shop.take(two, 0, 1, (7, "seven"));
    shop.commit();
    shop.rig.close();
    let text = told(dir.path(), &Subject::Viewer("seven".parse().unwrap()));
    for hold in [in_two, gone, again, held] {
        assert!(text.contains(&format!("Hold {hold} of ")), "{hold} is missing in:\n{text}");
    }
    assert!(!text.contains(&others.to_string()), "{text}");
    // A hold comes with the one that has its units.
    let by_hold = told(dir.path(), &Subject::Hold(gone));
    assert!(by_hold.contains(&format!("Hold {again} of ")), "{by_hold}");
    insta::assert_snapshot!("viewer", text);
}

#[test]
fn what_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drop = shop.drop(1, terms());
    let held = shop.take(drop, 1, 1, (1, "v"));
    shop.commit();
    shop.rig.close();
    let reader = OrdersReader::new();
    let fails = |subject: &Subject| lineage(&journal(dir.path()), &reader, subject).unwrap_err();
    let other: HoldId = "f".repeat(32).parse().unwrap();
    assert!(matches!(fails(&Subject::Hold(other)), LineageError::NoHold { .. }));
    for order in [held.to_string(), "1-1-9".to_owned(), "9-9-2".to_owned()] {
        let Ok(order) = order.parse() else { continue };
        assert!(matches!(fails(&Subject::Order(order)), LineageError::NoOrder { .. }));
    }
    let nobody = fails(&Subject::Viewer("nobody".parse().unwrap()));
    assert_eq!(
        nobody.to_string(),
        "no viewer nobody has taken anything in this ledger, or the viewer was erased from it"
    );
}

#[test]
fn a_hold_is_looked_up_without_the_rest_of_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drop = shop.drop(1, terms());
    let order = shop.sell(drop, 0, 2, (1, "v1"), 1_990);
    shop.sell(drop, 1, 1, (2, "v2"), 2_990);
    let ended = shop.take(drop, 1, 1, (3, "v3"));
    shop.commit();
    shop.push(drop, HoldRecord::Expired { hold: ended, units: units(1) });
    shop.commit();
    let other = shop.drop(2, terms());
    for who in 10..40 {
        shop.sell(other, 1, 1, (who, &format!("v{who}")), 2_990);
    }
    shop.settle(drop);
    shop.rig.close();
    let journal = Counted::open(dir.path());
    let rows = stampede_ledger::Rows::of_drop(&journal.journal, drop).unwrap().count();
    let reader = OrdersReader::new();
    // Folds the drop.
    reader.find(&journal, OrderName::Id(stampede_domain::OrderId::of(order))).unwrap().unwrap();
    for (subject, name) in [
        (Subject::Order("1-1-9".parse().unwrap()), "v1"),
        (Subject::Hold(order), "v1"),
        (Subject::Hold(ended), "v3"),
    ] {
        journal.rows.set(0);
        journal.links.set(0);
        let told = lineage(&journal, &reader, &subject).unwrap();
        assert_eq!(journal.rows.get(), rows, "{subject:?}: the drop's rows are read once");
        assert!(journal.links.get() <= 1, "{subject:?}: one buyer, one link");
        let Happening::Taken { viewer, .. } = &told[0].events[0].what else { panic!("{told:?}") };
        assert_eq!(viewer.as_ref().map(ToString::to_string).as_deref(), Some(name));
    }
    // An id that nobody has costs no look at the drop.
    journal.rows.set(0);
    let bytes = &mut ended.to_string();
    bytes.replace_range(31.., "f");
    let unknown = Subject::Hold(bytes.parse().unwrap());
    let error = lineage(&journal, &reader, &unknown).unwrap_err();
    assert!(matches!(error, LineageError::NoHold { .. }));
    assert_eq!(journal.rows.get(), 0);
}
