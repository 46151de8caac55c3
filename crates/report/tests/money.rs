//! The verifier against ledgers with payments, sound ones and forged ones.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use stampede_domain::{Charges, DropId, DurationMs, HoldId, Money, RefundReason, TakeNumber};
use stampede_ledger::{
    DeadlineRecord, HoldRecord, PaymentChange, PaymentRecord, PhaseRecord, ProviderRequest, Record,
};
use stampede_report::Verification;
use support::{
    GRACE_MS, STRETCH_MS,
    forge::{Forged, forge},
    money::{
        DROP, PRICE, asked, begun, cancelled, due, failed, money_sale, paid, refunded, unmatched,
        voided,
    },
    sim::payment,
    verify_dir,
};
use tempfile::TempDir;

fn sound() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    money_sale(dir.path());
    dir
}

fn lie(of: &TempDir, change: impl FnOnce(&mut Vec<Forged>)) -> Verification {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(of.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    forge(dir.path(), change);
    verify_dir(dir.path()).unwrap()
}

fn kinds(verification: &Verification) -> Vec<&'static str> {
    verification.findings.iter().map(|finding| finding.fault.kind()).collect()
}

#[track_caller]
fn check(name: &str, ledger: &TempDir, change: impl FnOnce(&mut Vec<Forged>)) {
    let verification = lie(ledger, change);
    assert!(kinds(&verification).contains(&name), "expected {name}:\n{verification}");
}

/// The first record that `wanted` picks, with its row.
fn find(rows: &[Forged], wanted: impl Fn(&Record) -> bool) -> (usize, usize) {
    let found =
        rows.iter().enumerate().find_map(|(row, forged)| Some((row, forged.position(&wanted)?)));
    found.expect("the sale has such a record")
}

/// Where a payment's change stands, with its hold.
fn find_change(
    rows: &[Forged],
    wanted: impl Fn(&PaymentChange) -> bool,
) -> ((usize, usize), HoldId) {
    let is_it = |record: &Record| matches!(record, Record::Payment(p) if wanted(&p.change));
    let (row, at) = find(rows, is_it);
    let Record::Payment(record) = &rows[row].records[at] else { unreachable!() };
    ((row, at), record.hold)
}

fn find_same(rows: &[Forged], change: &PaymentChange) -> ((usize, usize), HoldId) {
    find_change(rows, |found| found == change)
}

fn of(hold: HoldId, change: PaymentChange) -> Record {
    PaymentRecord { hold, change }.into()
}

/// Puts a change of the same hold behind one that is there.
fn follow(rows: &mut [Forged], after: &PaymentChange, change: PaymentChange) {
    let ((row, at), hold) = find_same(rows, after);
    rows[row].records.insert(at + 1, of(hold, change));
}

/// Puts another change where one is.
fn replace(rows: &mut [Forged], found: &PaymentChange, with: PaymentChange) {
    let ((row, at), hold) = find_same(rows, found);
    rows[row].records[at] = of(hold, with);
}

fn remove(rows: &mut [Forged], found: &PaymentChange) {
    let ((row, at), _) = find_same(rows, found);
    rows[row].records.remove(at);
}

#[test]
fn a_sale_with_every_record_about_money_verifies() {
    let ledger = sound();
    let verification = verify_dir(ledger.path()).unwrap();
    assert!(verification.ok, "{verification}");
    let verification = lie(&ledger, |_| ());
    assert!(verification.ok, "{verification}");
}

#[test]
fn lies_about_orders_and_their_money_are_found() {
    let ledger = sound();
    check("order_unpaid", &ledger, |rows| remove(rows, &paid("p3", PRICE)));
    check("order_unpaid", &ledger, |rows| {
        replace(rows, &paid("p3", PRICE), paid("p3", PRICE - 1));
    });
    // Its money stands in another row.
    check("order_unpaid", &ledger, |rows| {
        let ((row, at), _) = find_same(rows, &paid("p3", PRICE));
        let money = rows[row].records.remove(at);
        let before = (0..row).rev().find(|before| rows[*before].row.drop == DROP).unwrap();
        rows[before].records.push(money);
    });
    // What the viewer was charged for was never paid.
    check("order_unpaid", &ledger, |rows| {
        let ((row, at), hold) = find_same(rows, &paid("p3", PRICE));
        let charges = Charges { shipping: 1, ..Charges::NONE };
        rows[row].records.insert(at, of(hold, PaymentChange::Charged(charges)));
    });
    check("order_unpaid", &ledger, |rows| {
        let usd = Money::new(PRICE, "USD".parse().unwrap()).unwrap();
        replace(
            rows,
            &paid("p3", PRICE),
            PaymentChange::Paid { payment: payment("p3"), amount: usd },
        );
    });
    // Without terms of payment orders need no money on record, as in ledgers of older versions.
    let older = lie(&ledger, |rows| {
        remove(rows, &paid("p3", PRICE));
        for record in rows.iter_mut().flat_map(|row| &mut row.records) {
            if let Record::Planned { plan, .. } = record {
                let plan_before = stampede_domain::DropPlan::clone(plan);
                *plan = stampede_domain::DropPlan { payment_terms: None, ..plan_before }.into();
            }
        }
    });
    assert!(!kinds(&older).contains(&"order_unpaid"), "{older}");
}

#[test]
fn lies_about_refunds_are_found() {
    let ledger = sound();
    let lost = [
        due("p2", 1_000, RefundReason::WrongAmount),
        due("p4", PRICE, RefundReason::SecondPayment),
        due("p6", PRICE, RefundReason::HoldEnded),
        due("p10", 5, RefundReason::WrongAmount),
        due("p15", 10, RefundReason::WrongAmount),
        due("real", PRICE, RefundReason::WrongMode),
    ];
    for lost in lost {
        check("refund_not_due", &ledger, |rows| remove(rows, &lost));
    }
    let ended = due("p6", PRICE, RefundReason::HoldEnded);
    check("refund_not_due", &ledger, |rows| {
        replace(rows, &ended, due("p6", PRICE - 1, RefundReason::HoldEnded));
    });
    check("refund_due_above_payment", &ledger, |rows| {
        replace(rows, &ended, due("p6", PRICE + 1, RefundReason::HoldEnded));
    });
    check("refund_due_above_payment", &ledger, |rows| {
        follow(rows, &ended, due("p6", 1, RefundReason::HoldEnded));
    });
    check("refund_due_without_money", &ledger, |rows| remove(rows, &paid("p6", PRICE)));
    for reason in [RefundReason::SecondPayment, RefundReason::WrongMode, RefundReason::Cancelled] {
        check("refund_reason_differs", &ledger, |rows| {
            replace(rows, &ended, due("p6", PRICE, reason));
        });
    }
    check("refund_reason_differs", &ledger, |rows| {
        let second = due("p4", PRICE, RefundReason::SecondPayment);
        replace(rows, &second, due("p4", PRICE, RefundReason::HoldEnded));
    });
    check("refund_above_payment", &ledger, |rows| {
        replace(rows, &refunded("p4", PRICE), refunded("p4", PRICE + 1));
    });
    // It had been reported before the payment.
    check("refund_above_payment", &ledger, |rows| {
        replace(rows, &refunded("p13", 500), refunded("p13", PRICE + 1));
    });
    for total in [999, 1_000] {
        check("refund_not_more", &ledger, |rows| {
            replace(rows, &refunded("p1", PRICE), refunded("p1", total));
        });
    }
}

#[test]
fn lies_about_payments_are_found() {
    let ledger = sound();
    check("paid_twice", &ledger, |rows| follow(rows, &paid("p3", PRICE), paid("p3", PRICE)));
    let ended = due("p6", PRICE, RefundReason::HoldEnded);
    for late in [failed("p6"), voided("p6"), begun("p6")] {
        check("payment_out_of_turn", &ledger, |rows| follow(rows, &ended, late));
    }
    check("payment_out_of_turn", &ledger, |rows| {
        follow(rows, &voided("p10"), support::money::authorized("p10", 5));
    });
    check("payment_out_of_turn", &ledger, |rows| follow(rows, &voided("p8"), voided("p8")));
    check("payment_out_of_turn", &ledger, |rows| follow(rows, &voided("p8"), failed("p8")));
    check("payment_currency_differs", &ledger, |rows| {
        let usd = Money::new(900, "USD".parse().unwrap()).unwrap();
        replace(
            rows,
            &paid("p14", 900),
            PaymentChange::Paid { payment: payment("p14"), amount: usd },
        );
    });
    check("money_not_held", &ledger, |rows| follow(rows, &ended, begun("p99")));
    check("money_not_held", &ledger, |rows| follow(rows, &ended, failed("p99")));
    check("too_many_payments", &ledger, |rows| {
        let ((row, at), hold) = find_same(rows, &begun("p8"));
        let more = (0..32).map(|number| of(hold, begun(&format!("more-{number}"))));
        let more: Vec<_> = more.collect();
        rows[row].records.splice(at..at, more);
    });
    check("payment_unknown", &ledger, |rows| {
        follow(rows, &ended, asked("p99", ProviderRequest::Refund));
    });
    check("payment_unknown", &ledger, |rows| {
        follow(rows, &ended, support::money::declined("p99", ProviderRequest::Refund));
    });
}

#[test]
fn lies_about_charges_are_found() {
    let ledger = sound();
    let shipping = |shipping| PaymentChange::Charged(Charges { shipping, ..Charges::NONE });
    check("money_not_held", &ledger, |rows| {
        follow(rows, &due("p6", PRICE, RefundReason::HoldEnded), shipping(5));
    });
    check("charges_too_large", &ledger, |rows| {
        follow(rows, &begun("p8"), shipping(Money::MINOR_MAX));
    });
}

#[test]
fn lies_about_deadlines_are_found() {
    let ledger = sound();
    let is_stretched =
        |record: &Record| matches!(record, Record::Deadline(DeadlineRecord::Stretched { .. }));
    check("stretched_twice", &ledger, |rows| {
        let (row, at) = find(rows, is_stretched);
        let again = rows[row].records[at].clone();
        rows[row].records.push(again);
    });
    check("stretch_too_long", &ledger, |rows| {
        let (row, at) = find(rows, is_stretched);
        if let Record::Deadline(DeadlineRecord::Stretched { span, .. }) = &mut rows[row].records[at]
        {
            *span = DurationMs::new(span.get() + 1);
        }
    });
    check("stretch_too_long", &ledger, |rows| {
        let (row, at) = find(rows, is_stretched);
        if let Record::Deadline(DeadlineRecord::Stretched { span, .. }) = &mut rows[row].records[at]
        {
            *span = DurationMs::new(STRETCH_MS + GRACE_MS + 1);
        }
    });
    check("stretched_for_nothing", &ledger, |rows| remove(rows, &begun("p1")));
    check("money_not_held", &ledger, |rows| {
        let ((row, at), hold) = find_same(rows, &due("p6", PRICE, RefundReason::HoldEnded));
        let stretched = DeadlineRecord::Stretched { hold, span: DurationMs::new(1) };
        rows[row].records.insert(at + 1, stretched.into());
    });
    // Without its stretch the payment came too late; without staff's extension nothing came in time.
    for (kind, wanted) in [("stretched", true), ("extended", false)] {
        let verification = lie(&ledger, |rows| {
            let is_it = |record: &Record| match record {
                Record::Deadline(DeadlineRecord::Stretched { .. }) => wanted,
                Record::Deadline(DeadlineRecord::Extended { .. }) => !wanted,
                _ => false,
            };
            for row in rows.iter_mut() {
                row.records.retain(|record| !is_it(record));
            }
            move_on(rows, 60_000);
        });
        assert!(kinds(&verification).contains(&"ended_late"), "{kind}: {verification}");
    }
    check("expired_early", &ledger, |rows| {
        for record in rows.iter_mut().flat_map(|row| &mut row.records) {
            if let Record::Planned { plan, .. } = record {
                let mut longer = stampede_domain::DropPlan::clone(plan);
                longer.payment_terms.as_mut().unwrap().grace = DurationMs::new(GRACE_MS + 500);
                *plan = longer.into();
            }
        }
    });
}

/// Lets that much time pass before the third to last order, so that its hold had its time long ago.
fn move_on(rows: &mut [Forged], ms: u64) {
    let ((last, _), _) = find_same(rows, &paid("p16", PRICE));
    for forged in &mut rows[last - 2..] {
        forged.header.at = forged.header.at.plus(DurationMs::new(ms));
    }
}

#[test]
fn lies_about_holds_and_units_are_found() {
    let ledger = sound();
    let ended = due("p6", PRICE, RefundReason::HoldEnded);
    let with_take = |hold: HoldId, take: u64| {
        let take = TakeNumber::new(take).unwrap();
        HoldId::new(hold.drop_id(), hold.incarnation(), hold.pool(), hold.slot(), take)
    };
    check("money_never_taken", &ledger, |rows| {
        let ((row, at), hold) = find_same(rows, &ended);
        rows[row].records[at] = of(with_take(hold, 4_000), ended.clone());
    });
    check("foreign_hold", &ledger, |rows| {
        let ((row, at), hold) = find_same(rows, &ended);
        let foreign =
            HoldId::new(DropId::new(2), hold.incarnation(), hold.pool(), hold.slot(), hold.take());
        rows[row].records[at] = of(foreign, ended.clone());
    });
    let is_retaken = |change: &PaymentChange| matches!(change, PaymentChange::Retaken { .. });
    check("money_never_taken", &ledger, |rows| {
        let ((row, at), hold) = find_change(rows, is_retaken);
        let into = with_take(hold, 4_000);
        let payment = payment("p7");
        rows[row].records[at] = of(hold, PaymentChange::Retaken { payment, into });
    });
    for (from, to) in [
        (RefundReason::HoldEnded, RefundReason::SecondPayment),
        (RefundReason::SecondPayment, RefundReason::HoldEnded),
    ] {
        let name = if from == RefundReason::HoldEnded { "p6" } else { "p17" };
        check("refund_reason_differs", &ledger, |rows| {
            replace(rows, &due(name, PRICE, from), due(name, PRICE, to));
        });
    }
    check("money_standing", &ledger, |rows| {
        let (_, hold) = find_change(rows, is_retaken);
        let payment = payment("p3");
        let retaken = PaymentChange::Retaken { payment, into: hold };
        follow(rows, &due("p4", PRICE, RefundReason::SecondPayment), retaken);
    });
    check("payment_unknown", &ledger, |rows| {
        let ((row, at), hold) = find_change(rows, is_retaken);
        let (_, into) = find_same(rows, &paid("p7", PRICE));
        let payment = payment("p99");
        rows[row].records[at] = of(hold, PaymentChange::Retaken { payment, into });
    });
    check("money_standing", &ledger, |rows| follow(rows, &ended, cancelled(1, 1)));
    check("unmatched_twice", &ledger, |rows| {
        let (row, at) = find(rows, |record| *record == unmatched("stray-2"));
        rows[row].records[at] = unmatched("stray-1");
    });
    check("not_allowed", &ledger, |rows| {
        let ((row, at), _) = find_same(rows, &ended);
        rows[row].records.insert(at + 1, unmatched("stray-3"));
    });
    check("no_plan", &ledger, |rows| {
        let (_, hold) = find_same(rows, &ended);
        let (house, at) = find(rows, |record| *record == unmatched("stray-1"));
        rows[house].records.insert(at, of(hold, ended.clone()));
    });
}

#[test]
fn lies_about_cancellations_are_found() {
    let ledger = sound();
    check("cancelled_amount", &ledger, |rows| {
        let mut lie = cancelled(1, PRICE);
        if let PaymentChange::Cancelled(cancelled) = &mut lie {
            cancelled.waived = support::eur(PRICE - 1);
        }
        replace(rows, &cancelled(1, PRICE), lie);
    });
    check("cancelled_units", &ledger, |rows| {
        replace(rows, &cancelled(1, PRICE), cancelled(3, PRICE));
    });
    check("cancelled_units", &ledger, |rows| {
        follow(rows, &cancelled(1, PRICE), cancelled(1, 0));
    });
    check("cancelled_units", &ledger, |rows| {
        replace(rows, &cancelled(1, 100), cancelled(0, 100));
    });
    check("cancelled_amount", &ledger, |rows| {
        replace(rows, &cancelled(1, PRICE), cancelled(1, 3 * PRICE));
    });
}

#[test]
fn a_second_retake_and_an_order_paid_anew_by_other_money_are_found() {
    let ledger = sound();
    // Its order's money had been let go, and came after all.
    check("refund_not_due", &ledger, |rows| {
        replace(rows, &paid("p9", PRICE), paid("p9", PRICE + 1));
    });
    check("refund_not_due", &ledger, |rows| {
        replace(rows, &paid("p23", PRICE), paid("p23", PRICE - 1));
    });
    check("refund_not_due", &ledger, |rows| {
        replace(rows, &refunded("p3", PRICE), refunded("p3", PRICE - 1));
    });
    check("retaken_twice", &ledger, |rows| {
        let ((row, at), _) =
            find_change(rows, |change| matches!(change, PaymentChange::Retaken { .. }));
        let again = rows[row].records[at].clone();
        rows[row].records.insert(at + 1, again);
    });
}

#[test]
fn lies_after_the_end_of_a_drop_are_found() {
    let ledger = sound();
    check("refund_not_due", &ledger, |rows| {
        remove(rows, &due("p20", PRICE, RefundReason::SecondPayment));
    });
    check("refund_reason_differs", &ledger, |rows| {
        let found = due("p20", PRICE, RefundReason::SecondPayment);
        replace(rows, &found, due("p20", PRICE, RefundReason::HoldEnded));
    });
    check("refund_above_payment", &ledger, |rows| {
        replace(rows, &refunded("p20", PRICE), refunded("p20", PRICE + 1));
    });
    check("paid_twice", &ledger, |rows| {
        follow(rows, &refunded("p20", PRICE), paid("p20", PRICE));
    });
    check("money_not_held", &ledger, |rows| follow(rows, &refunded("p20", PRICE), begun("p99")));
    check("money_never_taken", &ledger, |rows| {
        let ((row, at), hold) = find_same(rows, &refunded("p20", PRICE));
        let take = TakeNumber::new(4_000).unwrap();
        let hold = HoldId::new(hold.drop_id(), hold.incarnation(), hold.pool(), hold.slot(), take);
        rows[row].records[at] = of(hold, refunded("p20", PRICE));
    });
    check("not_allowed", &ledger, |rows| {
        let ((row, _), hold) = find_same(rows, &refunded("p20", PRICE));
        let units = support::units(1);
        rows[row].records.push(Record::Hold(HoldRecord::Released { hold, units }));
    });
    // Adjustments begin when the drop has ended.
    check("not_allowed", &ledger, |rows| {
        let (row, at) = find(rows, |record| *record == Record::Phase(PhaseRecord::Settled));
        let both: Vec<_> = (row..rows.len())
            .filter(|later| rows[*later].position(|r| *r == rows[row].records[at]).is_some())
            .collect();
        for row in both {
            rows[row].records.retain(|record| *record != Record::Phase(PhaseRecord::Settled));
        }
    });
}

#[test]
fn a_confirm_after_the_grace_is_found() {
    let ledger = sound();
    check("ended_twice", &ledger, |rows| {
        let ((row, at), hold) = find_same(rows, &due("p6", PRICE, RefundReason::HoldEnded));
        let taken = rows.iter().flat_map(|row| &row.records).find_map(|record| match record {
            Record::Hold(HoldRecord::Taken { hold: taken, viewer, units, channel, .. })
                if *taken == hold =>
            {
                Some((*viewer, *units, channel.clone()))
            }
            _ => None,
        });
        let (viewer, units, channel) = taken.unwrap();
        let amount = support::eur(PRICE);
        let confirmed = HoldRecord::Confirmed { hold, viewer, units, amount, channel };
        rows[row].records[at] = confirmed.into();
    });
    // An order in the grace, moved behind it.
    check("ended_late", &ledger, |rows| {
        let (_, hold) = find_same(rows, &paid("p11", PRICE));
        let is_end = |record: &Record| matches!(record, Record::Hold(HoldRecord::Confirmed { hold: ended, .. }) if *ended == hold);
        let (row, _) = find(rows, is_end);
        for forged in &mut rows[row - 2..] {
            forged.header.at = forged.header.at.plus(DurationMs::new(60_000));
        }
    });
}
