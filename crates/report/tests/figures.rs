//! The figures of a drop against its twin, which counts them at the end; what is frozen once the drop has settled.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use proptest::prelude::*;
use stampede_domain::{DropId, HoldId, RefundReason};
use stampede_ledger::{PhaseRecord, Record, Rows, Tally};
use stampede_report::{
    CHANNELS_LISTED_MAX, DropReport, drop_report,
    fold::{Adjustments, Cancellations, DropFold, GapKind, MoneyChange, SkuReport},
    reports,
};
use support::{
    Dice, at, eur, journal,
    money::{PRICE, cancelled, due, money_sale, paid, refunded},
    plan,
    sale::State,
    sim::Sim,
    steps::{play, step},
    twin::Twin,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn figures_equal_those_of_a_twin_that_counts_at_the_end(
        steps in proptest::collection::vec(step(), 0..120),
        settles in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut sim = Sim::new(dir.path());
        let drops = [sim.open(plan(&[9, 4])), sim.open(plan(&[6]))];
        play(&mut sim, &steps);
        sim.flush();
        if settles {
            for drop in drops {
                sim.settle(drop);
                come_later(&mut sim, drop, seed);
            }
        }
        sim.close();
        let journal = journal(dir.path());
        for report in reports(&journal).unwrap() {
            Twin::read(&journal, report.drop).check(&report);
            check_sums(&report);
            check_channels(&report);
        }
    }
}

/// Whatever may come for orders after their drop has settled.
fn come_later(sim: &mut Sim, drop: DropId, seed: u64) {
    let mut dice = Dice(seed);
    let orders: Vec<(HoldId, u32)> = sim
        .sale(drop)
        .holds
        .iter()
        .filter(|hold| hold.state == State::Confirmed)
        .map(|hold| (hold.id, hold.units))
        .collect();
    for (number, (hold, units)) in orders.into_iter().enumerate() {
        sim.now_ms += 700;
        let name = format!("{hold}-1");
        match dice.roll(4) {
            0 => {
                let units = 1 + u32::try_from(dice.roll(units.into())).unwrap();
                sim.adjust(hold, cancelled(units, 100));
                sim.adjust(hold, due(&name, 100, RefundReason::Cancelled));
            }
            1 => sim.adjust(hold, refunded(&name, 100)),
            2 => {
                let second = format!("second-{drop}-{number}");
                sim.adjust(hold, paid(&second, PRICE));
                sim.adjust(hold, due(&second, PRICE, RefundReason::SecondPayment));
            }
            _ => {}
        }
        sim.flush();
    }
}

/// Parts add up to their whole.
fn check_sums(report: &DropReport) {
    let of_skus = |figure: fn(&SkuReport) -> u64| -> u64 { report.skus.iter().map(figure).sum() };
    assert_eq!(of_skus(|sku| sku.taken), report.taken.all.units);
    assert_eq!(of_skus(|sku| sku.came_back), report.came_back().units);
    assert_eq!(of_skus(|sku| sku.orders), report.taken.confirmed.holds);
    assert_eq!(of_skus(SkuReport::left), report.left());
    let all = report.channels.iter().map(|channel| channel.figures);
    let Some(all) = all.reduce(stampede_report::fold::ChannelFigures::plus) else { return };
    assert_eq!(
        (all.taken, all.held, all.units),
        (report.taken.all.units, report.held, report.sold)
    );
    assert_eq!(
        (all.came_back, all.orders),
        (report.came_back().units, report.taken.confirmed.holds)
    );
    assert_eq!((all.gross, all.money), (report.gross, report.money));
}

/// The report after the drop's chain, and after each row that came later.
fn in_turn(path: &std::path::Path, drop: DropId) -> (DropReport, Vec<DropReport>) {
    let journal = journal(path);
    let mut fold = DropFold::new(drop);
    for row in Rows::of_drop(&journal, drop).unwrap() {
        fold.apply(&row.unwrap()).unwrap();
    }
    let settled = fold.report().unwrap();
    let later = Rows::of_adjustments(&journal, drop).unwrap().map(|row| {
        fold.apply(&row.unwrap()).unwrap();
        fold.report().unwrap()
    });
    let later = later.collect();
    (settled, later)
}

/// What came later of the channels' orders adds up to what came later of them all.
fn check_channels(report: &DropReport) {
    let of_channels = report.channels.iter().filter_map(|channel| channel.adjustments);
    let Some(sum) = of_channels.reduce(Adjustments::plus) else { return };
    let all = report.adjustments.unwrap();
    assert_eq!((sum.money, sum.cancelled), (all.money, all.cancelled));
}

/// Asserts that nothing but what came later differs.
fn check_frozen(settled: &DropReport, later: &[DropReport]) {
    assert!(settled.closing_hash.is_some() && settled.adjustments.is_none());
    for report in later {
        let expected = DropReport {
            adjustments: report.adjustments,
            open_money: report.open_money,
            ..settled.clone()
        };
        let mut frozen = report.clone();
        for channel in &mut frozen.channels {
            channel.adjustments = None;
        }
        assert_eq!(frozen, expected);
        check_channels(report);
        let fields = |report: &DropReport| {
            let mut json = serde_json::to_value(report.json()).unwrap();
            for field in ["adjustments", "refunds_due", "refund_due_minor", "unpaid_orders"] {
                json[field] = serde_json::Value::Null;
            }
            json
        };
        assert_eq!(fields(report), fields(settled));
    }
}

#[test]
fn what_comes_after_settlement_changes_no_figure() {
    let dir = tempfile::tempdir().unwrap();
    money_sale(dir.path());
    let (settled, later) = in_turn(dir.path(), support::money::DROP);
    assert!(later.len() > 4);
    check_frozen(&settled, &later);
    let last = later.last().unwrap();
    assert_eq!(*last, drop_report(&journal(dir.path()), settled.drop).unwrap());
    let adjustments = last.adjustments.unwrap();
    assert_eq!(adjustments.records, 13);
    // One order's money went back, and it was paid anew by a payment of which a cent went back: of what the order
    // had cost, which is PRICE as before, now one minor unit is refunded.
    let money = MoneyChange { charges_minor: 0, paid_minor: 0, refunded_minor: 1 };
    assert_eq!((adjustments.money, adjustments.money.net_minor()), (money, -1));
    let text = last.to_string();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "by 13 records charges 0.00 EUR paid 0.00 EUR refunded +0.01 EUR net -0.01 EUR"
        ),
        "{text}"
    );
}

#[test]
fn a_cancellation_after_settlement_is_an_adjustment() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[5]));
    sim.buy(drop, 1, 0, 2, "a");
    sim.buy(drop, 2, 0, 1, "a");
    sim.flush();
    sim.end(drop, 0, State::Confirmed);
    sim.end(drop, 1, State::Confirmed);
    sim.flush();
    let [pair, single] = [0, 1].map(|place| sim.sale(drop).holds[place].id);
    sim.money(pair, cancelled(1, PRICE));
    sim.money(pair, due(&format!("{pair}-1"), PRICE, RefundReason::Cancelled));
    sim.flush();
    sim.settle(drop);
    sim.now_ms += 60_000;
    let changes = [
        (pair, cancelled(2, PRICE)),
        (pair, due(&format!("{pair}-1"), PRICE, RefundReason::Cancelled)),
        (pair, refunded(&format!("{pair}-1"), 2 * PRICE)),
        (single, cancelled(1, 500)),
    ];
    for (hold, change) in changes {
        sim.adjust(hold, change);
        sim.flush();
    }
    let now = sim.now();
    sim.close();
    let (settled, later) = in_turn(dir.path(), drop);
    check_frozen(&settled, &later);
    assert_eq!(settled.cancelled, Cancellations { orders: 0, units: 1 });
    assert_eq!(settled.money.refunded, eur(0));
    let money =
        MoneyChange { refunded_minor: i64::try_from(2 * PRICE).unwrap(), ..MoneyChange::default() };
    let cancelled = Cancellations { orders: 2, units: 2 };
    let expected = Adjustments { as_of: now, records: 4, cancelled, money };
    assert_eq!(later.last().unwrap().adjustments, Some(expected));
    Twin::read(&journal(dir.path()), drop).check(later.last().unwrap());
}

#[test]
fn an_order_without_payments_on_record_is_cancelled_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(stampede_domain::DropPlan { payment_terms: None, ..plan(&[5]) });
    sim.buy(drop, 1, 0, 2, "a");
    sim.flush();
    sim.end(drop, 0, State::Confirmed);
    sim.flush();
    let hold = sim.sale(drop).holds[0].id;
    sim.money(hold, cancelled(2, 0));
    sim.close();
    let report = drop_report(&journal(dir.path()), drop).unwrap();
    assert_eq!(report.cancelled, Cancellations { orders: 1, units: 2 });
    assert_eq!((report.money.paid, report.open_money.unpaid_orders), (eur(2 * PRICE), 0));
}

#[test]
fn nobody_could_take_while_it_was_paused_or_the_node_was_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[5]));
    sim.now_ms += 100;
    sim.pause(drop);
    sim.flush();
    sim.now_ms += 50;
    sim.crash(300);
    sim.pause(drop);
    sim.now_ms += 50;
    let until = sim.now();
    let span = stampede_domain::DurationMs::new(20);
    sim.record_alone(drop, Record::Suspended { span, until });
    let report = drop_report(&journal(dir.path()), drop).unwrap();
    let gaps = report.gaps.iter().map(|gap| (gap.kind, gap.from.get(), gap.to.get()));
    let away = report.outage.get() - 20;
    let expected =
        [(GapKind::Paused, 100, 450), (GapKind::Away, 450 - away, 450), (GapKind::Away, 480, 500)];
    assert_eq!(gaps.collect::<Vec<_>>(), expected);
    sim.close();
}

#[test]
fn what_came_back_of_one_size_is_not_taken_again_as_another() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[2, 3]));
    let again = || drop_report(&journal(dir.path()), drop).unwrap().taken_again;
    sim.buy(drop, 1, 0, 2, "a");
    sim.flush();
    sim.end(drop, 0, State::Released);
    sim.flush();
    sim.buy(drop, 2, 1, 3, "a");
    sim.flush();
    assert_eq!(again(), 0, "nobody took the first size anew");
    sim.buy(drop, 3, 0, 1, "a");
    sim.flush();
    assert_eq!(again(), 1);
    sim.close();
}

#[test]
fn clicks_before_the_opening_are_counted_by_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[5]));
    sim.close();
    let journal = journal(dir.path());
    let rows: Vec<_> = Rows::of_drop(&journal, drop).unwrap().map(Result::unwrap).collect();
    let is_opening = |record: &Record| *record == Record::Phase(PhaseRecord::Opened);
    let opens = |row: &stampede_ledger::Row| row.decode().any(|r| is_opening(&r.unwrap()));
    let mut fold = DropFold::new(drop);
    let refusals = [(stampede_domain::RefusalCode::NotOpen, 7)].into_iter().collect();
    let early = Record::Tally(Box::new(Tally { refusals, connected: 3, ..Tally::default() }));
    for row in &rows {
        if opens(row) {
            let header = stampede_ledger::BodyHeader { rows: 1, at: at(1) };
            let mut body = header.to_bytes().to_vec();
            stampede_ledger::codec::encode(&early, &mut body);
            fold.apply(&stampede_ledger::Row { body, records: 1, ..row.clone() }).unwrap();
        }
        fold.apply(row).unwrap();
    }
    let report = fold.report().unwrap();
    assert_eq!((report.early.clicks, report.early.refused, report.clicks()), (7, 7, 7));
    assert!(report.seconds.is_empty() && report.course.steps().is_empty());
    assert!(report.to_string().contains("  before the opening               7 of them"));
}

#[test]
fn a_drop_that_spans_an_upgrade_does_not_count_what_the_older_program_did_not_tell() {
    let figures = |is_mixed: bool| {
        let dir = tempfile::tempdir().unwrap();
        let mut sim = Sim::new(dir.path());
        let drop = sim.open(plan(&[3]));
        // Viewers of two channels and of none; the last find too few units.
        (1..=4).for_each(|who| sim.buy(drop, who, 0, 1, "a"));
        if is_mixed {
            sim.old_tally(drop, 9);
        } else {
            sim.tally(drop, 9);
        }
        sim.flush();
        (5..=9).for_each(|who| sim.buy(drop, who, 0, 1, "a"));
        sim.tally(drop, 9);
        sim.flush();
        // It says nothing of clicks, so there is nothing that it does not tell.
        sim.old_tally(drop, 3);
        sim.settle(drop);
        sim.close();
        let journal = journal(dir.path());
        let report = drop_report(&journal, drop).unwrap();
        Twin::read(&journal, drop).check(&report);
        let clicks: Vec<_> = report.channels.iter().map(|channel| channel.figures.clicks).collect();
        assert!(clicks.len() > 1, "{clicks:?}");
        let known: Option<u64> = clicks.into_iter().sum();
        (known, report.clicks_by_channel_other, report.skus[0].refused_for_want)
    };
    assert_eq!(figures(false), (Some(9), Some(0), Some(6)));
    assert_eq!(figures(true), (None, None, None));
}

#[test]
fn a_list_of_channels_is_cut_and_says_what_it_leaves_out() {
    let dir = tempfile::tempdir().unwrap();
    support::busy::busy_sale(dir.path());
    let mut report = reports(&journal(dir.path())).unwrap().swap_remove(0);
    let model = report.channels[0].clone();
    let more = (0..CHANNELS_LISTED_MAX + 20).map(|number| {
        let mut channel = model.clone();
        channel.channel = Some(format!("c{number}").parse().unwrap());
        channel
    });
    report.channels = more.collect();
    let json = serde_json::to_value(report.json()).unwrap();
    assert_eq!(json["channels"].as_array().unwrap().len(), CHANNELS_LISTED_MAX);
    assert_eq!(json["channels_left_out"], 20);
    let rest = &json["channels_rest"];
    assert_eq!(rest["taken"], 20 * model.figures.taken);
    assert_eq!(rest["net_minor"], 20 * model.figures.money.net().minor());
    assert_eq!(rest["clicks"], 20 * model.figures.clicks.unwrap());
    report.channels.truncate(1);
    assert_eq!(
        serde_json::to_value(report.json()).unwrap()["channels_rest"],
        serde_json::Value::Null
    );
}
