//! The fold against a naive recount, on generated histories in real ledgers.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};

use proptest::prelude::*;
use stampede_domain::{DropId, DurationMs, Mode, Phase, RefundReason};
use stampede_ledger::{ProviderRequest, Record, UnmatchedDone, UnmatchedEnd, UnmatchedRecord};
use stampede_report::{
    DropReport, LedgerReport, ReportError, ReportSheet, drop_report,
    fold::{OrderMoney, UnmatchedMoney},
    ledger_report, reports,
};
use support::{
    GRACE_MS, START_MS, TTL_MS,
    busy::busy_sale,
    eur, journal,
    money::{DROP, PRICE, asked, authorized, declined, due, money_sale, paid, refunded, unmatched},
    plan,
    sale::{Hold, Sale, State},
    sim::{Sim, channel_of, charges_of},
    steps::{play, step},
    verify_dir,
};

/// Holds the report against what the sale itself remembers.
fn recount(report: &DropReport, sale: &Sale) {
    let of = |state: State| sale.holds.iter().filter(move |hold| hold.state == state);
    let sum = |state: State| of(state).map(|hold| u64::from(hold.units)).sum::<u64>();
    let count = |state: State| u64::try_from(of(state).count()).unwrap();
    let supplied: u64 = sale.supplied.iter().copied().map(u64::from).sum();
    assert_eq!(report.phase, sale.phase);
    assert_eq!((report.supplied, report.held), (supplied, sum(State::Held)));
    assert_eq!((report.sold, report.oversold), (sum(State::Confirmed), 0));
    let taken = report.taken;
    assert_eq!(
        (taken.released.holds, taken.released.units),
        (count(State::Released), sum(State::Released))
    );
    assert_eq!(
        (taken.expired.holds, taken.expired.units),
        (count(State::Expired), sum(State::Expired))
    );
    assert_eq!(
        (taken.confirmed.holds, taken.confirmed.units),
        (count(State::Confirmed), sum(State::Confirmed))
    );
    assert_eq!(taken.all.holds, u64::try_from(sale.holds.len()).unwrap());
    let buyers: BTreeSet<u64> = of(State::Confirmed).map(|hold| hold.viewer).collect();
    let found: BTreeSet<u64> = report.buyers.iter().map(|buyer| buyer.get()).collect();
    assert_eq!(found, buyers);
    assert_eq!(
        (report.retries, report.connected_max),
        (sale.tallied.retries, sale.tallied.connected)
    );
    assert_eq!((report.refusals, report.tallied_held), (sale.tallied.refusals, sale.tallied.held));
    assert_eq!((report.restarts, report.outage.get()), (sale.restarts, sale.outage_ms));
    for (number, sku) in report.skus.iter().enumerate() {
        let price = sale.plan.skus[number].price.minor();
        let sold: u64 = sale
            .pool_holds(number)
            .filter(|hold| hold.state == State::Confirmed)
            .map(|hold| u64::from(hold.units))
            .sum();
        assert_eq!((sku.sold, sku.gross.minor()), (sold, sold * price));
        assert_eq!(sku.supplied, u64::from(sale.supplied[number]));
    }
    assert_eq!(report.gross.minor(), report.skus.iter().map(|sku| sku.gross.minor()).sum::<u64>());
    money(report, sale);
    pace(report, sale);
}

/// Every order was paid with its charges, and nothing went back.
fn money(report: &DropReport, sale: &Sale) {
    let of = |wanted: &dyn Fn(&Hold) -> bool| {
        let orders = sale.holds.iter().filter(|hold| hold.state == State::Confirmed);
        let mut sums = (0, 0);
        for hold in orders.filter(|hold| wanted(hold)) {
            let sku = usize::from(hold.id.pool().get());
            let goods = sale.plan.skus[sku].price.checked_times(support::units(hold.units));
            let owed = charges_of(hold.viewer).with(goods.unwrap()).unwrap();
            sums.0 += owed.minor() - goods.unwrap().minor();
            sums.1 += owed.minor();
        }
        OrderMoney { charges: eur(sums.0), paid: eur(sums.1), refunded: eur(0) }
    };
    assert_eq!((report.money, report.money.net()), (of(&|_| true), report.money.paid));
    for (number, sku) in report.skus.iter().enumerate() {
        assert_eq!(sku.money, of(&|hold| usize::from(hold.id.pool().get()) == number));
    }
    for channel in &report.channels {
        assert_eq!(channel.figures.money, of(&|hold| channel_of(hold.viewer) == channel.channel));
    }
    let open = &report.open_money;
    assert_eq!((open.refunds_due, open.refund_due, open.authorized), (0, eur(0), eur(0)));
}

/// Clicks by SKU and by channel, as they were tallied.
fn sources(report: &DropReport, sale: &Sale) {
    let tallied = &sale.tallied;
    let told = tallied.sources.as_ref();
    let knows_want = told.is_some() || tallied.refusals.for_want() == 0;
    for sku in &report.skus {
        let mut all = told.iter().flat_map(|sources| &sources.skus);
        let found = all.find(|(wanted, _)| *wanted == sku.sku);
        let clicks = found.map_or(0, |(_, clicks)| *clicks);
        assert_eq!(sku.refused_for_want, knows_want.then_some(clicks));
    }
    for (channel, clicks) in told.iter().flat_map(|sources| &sources.channels.named) {
        let found = report.channels.iter().find(|found| found.channel.as_ref() == Some(channel));
        assert_eq!(found.unwrap().figures.clicks, Some(*clicks));
    }
    let all = told.map(|_| tallied.clicks());
    let listed: Option<u64> = report.channels.iter().map(|channel| channel.figures.clicks).sum();
    assert!(report.channels.is_empty() || listed == all, "{listed:?} of {all:?} clicks");
    assert_eq!(report.clicks_by_channel_other, told.map(|_| 0));
}

/// Units by second, counted from the holds.
fn pace(report: &DropReport, sale: &Sale) {
    let opened_at = sale.opened_at.unwrap();
    assert_eq!(report.opened_at, Some(opened_at));
    let mut seconds: BTreeMap<u64, u64> = BTreeMap::new();
    for hold in &sale.holds {
        *seconds.entry(hold.taken_at.since(opened_at).get() / 1_000).or_default() +=
            u64::from(hold.units);
    }
    let taken = report.seconds.iter().map(|second| (second.second, second.counts.taken));
    let found: BTreeMap<u64, u64> = taken.filter(|(_, taken)| *taken > 0).collect();
    assert_eq!(found, seconds);
    let busiest = report.busiest_second().map(|second| second.counts.taken);
    assert_eq!(busiest, seconds.values().copied().max());
    let mut marks =
        [report.half_after, report.nine_tenths_after, report.sold_out_after].into_iter();
    let reached: Vec<_> = marks.by_ref().take_while(Option::is_some).flatten().collect();
    assert!(reached.is_sorted(), "half comes before nine tenths, that before sold out");
    assert!(marks.all(|mark| mark.is_none()), "a later mark without an earlier one");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn figures_equal_a_naive_recount(
        steps in proptest::collection::vec(step(), 0..120),
        settles in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut sim = Sim::new(dir.path());
        let drops = [sim.open(plan(&[9, 4])), sim.open(plan(&[6]))];
        play(&mut sim, &steps);
        sim.flush();
        if settles {
            for drop in drops {
                sim.settle(drop);
            }
        }
        let sales = sim.close();
        let verification = verify_dir(dir.path()).unwrap();
        prop_assert!(verification.ok, "{verification}");
        let reports = reports(&journal(dir.path())).unwrap();
        prop_assert_eq!(reports.len(), sales.len());
        for report in &reports {
            let sale = &sales[&report.drop];
            recount(report, sale);
            sources(report, sale);
            prop_assert_eq!(report.stranded.is_some(), sale.phase == Phase::Settled);
            prop_assert_eq!(report, &drop_report(&journal(dir.path()), report.drop).unwrap());
        }
    }
}

#[test]
fn marks_fall_on_the_takes_that_reach_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[10]));
    for who in 1..=10 {
        sim.now_ms += 100;
        sim.buy(drop, who, 0, 1, "a");
        if who == 4 {
            sim.flush_partly();
        }
    }
    sim.flush();
    sim.buy(drop, 11, 0, 1, "a");
    sim.wait(TTL_MS + GRACE_MS);
    sim.flush();
    sim.tally(drop, 11);
    sim.settle(drop);
    sim.close();
    let report = drop_report(&journal(dir.path()), drop).unwrap();
    let millis = |span: Option<DurationMs>| span.map(DurationMs::get);
    assert_eq!(millis(report.half_after), Some(500));
    assert_eq!(millis(report.nine_tenths_after), Some(900));
    assert_eq!(millis(report.sold_out_after), Some(1_000));
    assert_eq!(millis(report.skus[0].sold_out_after), Some(1_000));
    assert_eq!((report.sold, report.stranded), (0, Some(10)), "refused, then nobody came back");
    assert_eq!(report.clicks(), 11);
}

#[test]
fn marks_go_by_what_is_supplied_when_they_are_reached() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[10]));
    let later = sim.open(plan(&[10]));
    let since = sim.now_ms;
    for who in 1..=3 {
        sim.now_ms += 100;
        sim.buy(drop, who, 0, 1, "a");
    }
    sim.flush();
    // Three of four: more than half. Then nothing is left, and what comes later was not there.
    sim.now_ms = since + 1_000;
    sim.take_back(drop, 0, 6);
    sim.flush();
    sim.now_ms = since + 2_000;
    sim.take_back(drop, 0, 1);
    sim.flush();
    sim.restock(drop, 0, 5);
    // Nobody has taken any of these: they are gone, not sold out.
    sim.take_back(later, 0, 10);
    sim.flush();
    sim.close();
    assert!(verify_dir(dir.path()).unwrap().ok);
    let report = drop_report(&journal(dir.path()), drop).unwrap();
    let millis = |span: Option<DurationMs>| span.map(DurationMs::get);
    let opened = report.opened_at.unwrap().get();
    let after = |ms| Some(START_MS + since + ms - opened);
    assert_eq!(millis(report.half_after), after(1_000));
    assert_eq!(millis(report.nine_tenths_after), after(2_000));
    assert_eq!(millis(report.sold_out_after), after(2_000));
    assert_eq!(millis(report.skus[0].sold_out_after), after(2_000));
    assert_eq!((report.supplied, report.held), (8, 3));
    let none = drop_report(&journal(dir.path()), later).unwrap();
    assert_eq!((none.supplied, none.sold_out_after, none.skus[0].sold_out_after), (0, None, None));
}

#[test]
fn a_lost_tally_is_made_up_from_the_holds_and_said_where_it_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[3]));
    for who in 1..=5 {
        sim.buy(drop, who, 0, 1, "a");
    }
    sim.flush();
    // The process dies before its first tally.
    sim.crash(1_500);
    sim.sale(drop).tally = stampede_ledger::Tally::default();
    sim.buy(drop, 6, 0, 1, "a");
    sim.tally(drop, 1);
    sim.flush();
    sim.close();
    let report = drop_report(&journal(dir.path()), drop).unwrap();
    assert_eq!((report.tallied_held, report.taken.all.holds), (0, 3));
    assert_eq!((report.clicks(), report.refusals.total()), (4, 1));
    let json = serde_json::to_value(report.json()).unwrap();
    assert_eq!((&json["restarts_live"], &json["counts_complete"]), (&1.into(), &false.into()));
    let text = report.to_string();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "clicks 4 requests to buy held 3 75.0 % answered again 0 0.0 % refused 1 25.0 %"
        ),
        "{text}"
    );
    assert!(words.contains("before 1 restart may not be counted; every hold is"), "{text}");
}

#[test]
fn answer_times_of_all_tallies_are_one_figure() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[3]));
    for (us, times) in [(100, 990), (3_000, 9), (70_000, 1)] {
        let bucket = stampede_ledger::AnswerTimes::bucket_of(us);
        sim.sale(drop).tally.answers.add(bucket, times);
        sim.tally(drop, 1);
        sim.flush();
    }
    sim.close();
    let report = drop_report(&journal(dir.path()), drop).unwrap();
    let json = serde_json::to_value(report.json()).unwrap();
    let expected = serde_json::json!(
        {"answers": 1_000, "p50_us": 128, "p99_us": 128, "p999_us": 3_072}
    );
    assert_eq!(json["answer_times"], expected);
    assert_eq!(json["counts_complete"], true);
    assert!(report.to_string().contains("answers p50                 0.128 ms at most"));
}

#[test]
fn a_drop_that_is_not_there_has_no_report() {
    let dir = tempfile::tempdir().unwrap();
    Sim::new(dir.path()).close();
    let drop = DropId::new(7);
    assert!(matches!(drop_report(&journal(dir.path()), drop), Err(ReportError::NoDrop { .. })));
    assert!(reports(&journal(dir.path())).unwrap().is_empty());
}

/// Commits are counted as the writer made them; everything else is the same each time.
fn busy_reports() -> Vec<DropReport> {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    reports(&journal(dir.path())).unwrap()
}

#[test]
fn the_report_as_text() {
    let (drops, unmatched) = (busy_reports(), UnmatchedMoney::default());
    insta::assert_snapshot!(ReportSheet(&LedgerReport { drops, unmatched }).to_string());
}

#[test]
fn goods_whose_titles_look_alike_are_told_by_their_ids() {
    let mut report = busy_reports().swap_remove(0);
    let mut names = |titles: [&str; 2], ids: [&str; 2]| {
        let plan = Arc::make_mut(&mut report.plan);
        for (sku, (title, id)) in plan.skus.iter_mut().zip(titles.into_iter().zip(ids)) {
            (sku.title, sku.id) = (title.to_owned(), id.parse().unwrap());
        }
        let text = report.to_string();
        let rows = text.lines().skip_while(|line| !line.starts_with("    goods")).skip(1).take(2);
        rows.map(|row| row.split("  ").find(|part| !part.is_empty()).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (red, blue) = ("A mug of the finest porcelain, red", "A mug of the finest porcelain, blue");
    assert_eq!(
        names([red, blue], ["mug-red", "mug-blue"]),
        ["A mug of the fines… (mug-red)", "A mug of the fine… (mug-blue)"]
    );
    assert_eq!(names([red, "Cup"], ["a", "b"]), ["A mug of the finest porcelai…", "Cup"]);
    assert_eq!(names(["Mug", "Mug"], ["a", "b"]), ["Mug (a)", "Mug (b)"]);
    let long = ["x".repeat(63) + "1", "x".repeat(63) + "2"];
    assert_eq!(
        names([red, red], [&long[0], &long[1]]),
        long.map(|id| format!("A mug of… ({id})")),
        "an id is never cut"
    );
}

#[test]
fn what_has_not_been_may_still_be_or_never_will() {
    let mut report = busy_reports().swap_remove(0);
    (report.opened_at, report.half_after, report.settled_after) = (None, None, None);
    report.restarts = 0;
    let told = |report: &DropReport, label: &str| {
        let text = report.to_string();
        let line = text.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (phase, opened, half, settled) in [
        (Phase::Scheduled, "not opened yet", "not yet", "not yet"),
        (Phase::Open, "not opened yet", "not yet", "not yet"),
        (Phase::Closed, "not opened yet", "never", "not yet"),
        (Phase::Cancelled, "never opened", "never", "never"),
    ] {
        report.phase = phase;
        assert_eq!(told(&report, opened), opened, "{phase}");
        assert_eq!(told(&report, "half taken"), format!("half taken {half}"), "{phase}");
        assert_eq!(told(&report, "settled"), format!("settled {settled}"), "{phase}");
    }
    assert_eq!(told(&report, "outage"), "outage 2.000 s", "the machine slept");
    report.restarts = 2;
    assert_eq!(told(&report, "outage"), "outage 2.000 s in 2 restarts");
}

#[test]
fn what_is_planned_is_not_taken_for_what_is_on_sale() {
    let mut report = busy_reports().swap_remove(0);
    let mut told = |supplied: u64, phase: Phase| {
        (report.supplied, report.phase) = (supplied, phase);
        // One SKU has had so many units on sale, the others none.
        for (place, sku) in report.skus.iter_mut().enumerate() {
            sku.lots = if place == 0 { supplied } else { 0 };
        }
        assert_eq!(serde_json::to_value(report.json()).unwrap()["planned"], 30);
        let text = report.to_string();
        let line = text.lines().find(|line| line.starts_with("supplied")).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told(0, Phase::Scheduled), "supplied 0 units; 30 planned, none on sale yet");
    assert_eq!(told(0, Phase::Cancelled), "supplied 0 units; 30 planned, none was on sale");
    assert_eq!(told(34, Phase::Open), "supplied 34 units");
}

#[test]
fn each_reason_for_a_refusal_is_explained() {
    let mut report = busy_reports().swap_remove(0);
    let refusals = stampede_domain::RefusalCode::ALL.map(|code| (code, 1));
    report.refusals = refusals.into_iter().collect();
    let text = report.to_string();
    for (code, _) in refusals {
        let line = text.lines().find(|line| line.starts_with(&format!("    {code} "))).unwrap();
        let (_, meaning) = line.split_once(" %  ").unwrap();
        assert!(meaning.contains(' ') && !meaning.contains('_'), "{line}");
    }
}

#[test]
fn a_show_counts_neither_rehearsals_nor_cancelled_drops() {
    let mut reports = busy_reports();
    let told = |reports: &[DropReport]| {
        let (drops, unmatched) = (reports.to_vec(), UnmatchedMoney::default());
        let sheet = ReportSheet(&LedgerReport { drops, unmatched }).to_string();
        let (_, shows) = sheet.split_once("\nshow ").unwrap();
        let mut lines =
            shows.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        (lines.next().unwrap(), lines.next().unwrap())
    };
    let all =
        ("friday d1 2 8 8 179.20 EUR", "left out: rehearsals 0, cancelled and voided drops 0");
    let first =
        ("friday d1 1 5 5 119.50 EUR", "left out: rehearsals 1, cancelled and voided drops 0");
    let second =
        ("friday d1 1 3 3 59.70 EUR", "left out: rehearsals 0, cancelled and voided drops 1");
    let expected = |(show, rest): (&str, &str)| (show.to_owned(), rest.to_owned());
    assert_eq!(told(&reports), expected(all));
    Arc::make_mut(&mut reports[1].plan).mode = Mode::Rehearsal;
    assert_eq!(told(&reports), expected(first));
    Arc::make_mut(&mut reports[1].plan).mode = Mode::Live;
    reports[0].phase = Phase::Cancelled;
    assert_eq!(told(&reports), expected(second));
}

#[test]
fn money_that_bought_nothing_is_no_money_of_orders() {
    let dir = tempfile::tempdir().unwrap();
    money_sale(dir.path());
    let ledger = ledger_report(&journal(dir.path())).unwrap();
    let report = &ledger.drops[0];
    // As it settled: two units and their charges, one of them given back with something for the trouble; of ten more
    // one was paid in part, one above its price, one costs nothing.
    let charges = 490 + 38;
    let taken = 2 * PRICE + charges + 7 * PRICE + 900 + (PRICE + 10);
    let (charges, paid, refunded) = (eur(charges), eur(taken), eur(PRICE + 100));
    assert_eq!(report.money, OrderMoney { charges, paid, refunded });
    assert_eq!((report.gross, report.money.net()), (eur(11 * PRICE), eur(taken - PRICE - 100)));
    let open = report.open_money;
    // Another amount, above what was kept ready, what an earlier refund left over, too late; twice after the drop had
    // ended, which also saw refunds.
    let due = 1_000 + 10 + (PRICE - 500) + PRICE + (PRICE + 5);
    assert_eq!((open.refunds_due, open.refund_due), (6, eur(due)));
    assert_eq!((open.authorized, open.declined), (eur(0), 0), "what was declined was asked again");
    assert_eq!(open.unpaid_orders, 0, "one was paid anew");
    assert_eq!(*report, drop_report(&journal(dir.path()), DROP).unwrap());
    let rehearsal = &ledger.drops[1];
    assert_eq!(rehearsal.money.paid, eur(0));
    assert_eq!(rehearsal.open_money.refund_due, eur(PRICE));
    assert_eq!(ledger.unmatched.payments(), 2);
    let text = ReportSheet(&ledger).to_string();
    for line in [
        "charges                     5.28 EUR beyond the goods",
        "paid                      213.38 EUR",
        "refunded                   20.90 EUR",
        "net                       192.48 EUR paid and not refunded",
        "refund due                 64.85 EUR of 6 payments",
        "    refund due        7 payments, 84.75 EUR",
        "    unmatched         2 payments, 14.00 EUR",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
    }
    let json = serde_json::to_value(report.json()).unwrap();
    for (field, value) in [
        ("charges_minor", 528),
        ("paid_minor", taken),
        ("refunded_minor", PRICE + 100),
        ("net_minor", taken - PRICE - 100),
        ("refund_due_minor", due),
        ("refunds_due", 6),
        ("authorized_minor", 0),
        ("declined", 0),
    ] {
        assert_eq!(json[field], value, "{field}");
    }
    let by_sku: u64 = json["skus"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sku| sku["paid_minor"].as_u64().unwrap())
        .sum();
    assert_eq!(by_sku, taken);
}

#[test]
fn an_order_is_paid_as_long_as_money_that_was_taken_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    sim.open(plan(&[3]));
    sim.buy(DROP, 1, 0, 1, "a");
    sim.flush();
    let hold = sim.sale(DROP).holds[0].id;
    sim.money(hold, authorized("p1", PRICE));
    sim.end_hold(hold, State::Confirmed);
    sim.money(hold, asked("p1", ProviderRequest::Capture));
    sim.money(hold, declined("p1", ProviderRequest::Capture));
    sim.flush();
    let figures = || {
        let report = drop_report(&journal(dir.path()), DROP).unwrap();
        let (open, money) = (report.open_money, report.money);
        let taken = [money.paid.minor(), money.refunded.minor(), open.authorized.minor()];
        (taken, open.declined, open.unpaid_orders)
    };
    assert_eq!(figures(), ([0, 0, PRICE], 1, 0));
    sim.money(hold, paid("p1", PRICE));
    sim.flush();
    assert_eq!(figures(), ([PRICE, 0, 0], 0, 0));
    sim.money(hold, refunded("p1", PRICE));
    sim.flush();
    assert_eq!(figures(), ([PRICE, PRICE, 0], 0, 1));
    let text = ReportSheet(&ledger_report(&journal(dir.path())).unwrap()).to_string();
    sim.money(hold, paid("p2", PRICE));
    sim.flush();
    assert_eq!(figures(), ([PRICE, 0, 0], 0, 0), "it is paid anew");
    sim.close();
    assert!(verify_dir(dir.path()).unwrap().ok);
    let line = "unpaid                             1 of the orders: their money is gone";
    assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
}

#[test]
fn unmatched_money_counts_until_something_becomes_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    sim.house(unmatched("stray-1"));
    sim.house(unmatched("stray-2"));
    sim.flush();
    let left = || ledger_report(&journal(dir.path())).unwrap().unmatched;
    assert_eq!((left().payments(), left().sums()), (2, [(eur(0).currency(), 1_400)].into()));
    let Record::Unmatched(UnmatchedRecord::Found(found)) = unmatched("stray-1") else {
        panic!("it was found");
    };
    let done = UnmatchedDone { payment: found.payment, end: UnmatchedEnd::GivenBack };
    sim.house(done.into());
    sim.close();
    assert_eq!((left().payments(), left().sums()), (1, [(eur(0).currency(), 700)].into()));
    assert!(verify_dir(dir.path()).unwrap().ok);
}

#[test]
fn of_a_payment_no_more_is_due_than_was_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    sim.open(plan(&[3]));
    sim.buy(DROP, 1, 0, 1, "a");
    sim.flush();
    let hold = sim.sale(DROP).holds[0].id;
    // More is kept ready than is owed, so all of it is due; then less is taken.
    sim.money(hold, authorized("p1", PRICE + 10));
    sim.money(hold, due("p1", PRICE + 10, RefundReason::WrongAmount));
    sim.flush();
    let open = || drop_report(&journal(dir.path()), DROP).unwrap().open_money;
    assert_eq!((open().refunds_due, open().refund_due), (0, eur(0)), "nothing was taken");
    sim.money(hold, paid("p1", 900));
    sim.flush();
    assert_eq!((open().refunds_due, open().refund_due), (1, eur(900)));
    sim.money(hold, refunded("p1", 900));
    sim.close();
    assert_eq!((open().refunds_due, open().refund_due), (0, eur(0)));
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
}

#[test]
fn orders_of_plans_without_terms_of_payment_count_as_paid() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(stampede_domain::DropPlan { payment_terms: None, ..plan(&[3]) });
    sim.buy(drop, 3, 0, 2, "a");
    sim.flush();
    sim.end(drop, 0, State::Confirmed);
    sim.close();
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    let report = drop_report(&journal(dir.path()), drop).unwrap();
    let expected = OrderMoney { charges: eur(0), paid: eur(2 * PRICE), refunded: eur(0) };
    assert_eq!((report.money, report.skus[0].money), (expected, expected));
    assert_eq!((report.gross, report.channels[0].figures.money), (report.money.paid, expected));
}

#[test]
fn the_report_as_json() {
    // Hundreds of steps stand in a picture of their own.
    let mut json: Vec<_> = busy_reports().iter().map(DropReport::json).collect();
    let mut curves = String::new();
    for report in &mut json {
        let of = &mut report.curves;
        let (pace, course) =
            (std::mem::take(&mut of.pace.units), std::mem::take(&mut of.course.steps));
        let (steps, step_ms) = (pace.len(), of.pace.step_ms);
        writeln!(curves, "{} pace, {steps} steps of {step_ms} ms", report.drop).unwrap();
        for (step, units) in pace.iter().enumerate().filter(|(_, units)| **units > 0) {
            writeln!(curves, "    {step}: {units}").unwrap();
        }
        let (steps, step_ms) = (course.len(), of.course.step_ms);
        writeln!(curves, "{} course, {steps} steps of {step_ms} ms", report.drop).unwrap();
        let nothing = serde_json::to_string(&stampede_report::CountsJson::default()).unwrap();
        for (step, counts) in course.iter().enumerate() {
            let counts = serde_json::to_string(counts).unwrap();
            if counts != nothing {
                writeln!(curves, "    {step}: {counts}").unwrap();
            }
        }
    }
    insta::assert_snapshot!("the_curves_as_json", curves);
    let json = serde_json::to_string_pretty(&json).unwrap();
    assert!(json.contains(&START_MS.to_string()));
    insta::assert_snapshot!(json);
}
