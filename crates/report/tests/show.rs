//! Shows: which drops make one, its sums, what one channel may see of it.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{io::Cursor, path::Path, sync::Arc};

use calamine::{Data, Reader, Xlsx};
use serde_json::{Value, json};
use stampede_domain::{Currency, DropId, DropPlan, Mode, Money, Phase, RefusalCode, UnixMillis};
use stampede_ledger::{PhaseRecord, Tally};
use stampede_report::{
    DropReport, ReportReader, ShowReport,
    show::{ShowDrop, shows},
};
use stampede_testkit::{PastLedger, plan_of, sku};
use support::{journal, money::refunded, sale::State, sim::Sim};

/// 2025-11-22 22:00 UTC.
const EVENING: UnixMillis = UnixMillis::new(1_763_848_800_000);
const MINUTE: u64 = 60_000;

fn goods(code: &str, minor: u64) -> DropPlan {
    let mut plan = plan_of([sku("mug", 10), sku("cup", 5)]);
    plan.stream = "friday".parse().unwrap();
    for sku in &mut plan.skus {
        sku.price = Money::new(minor, Currency::new(code).unwrap()).unwrap();
    }
    plan
}

fn titled(title: &str, plan: DropPlan) -> DropPlan {
    DropPlan { title: title.to_owned(), ..plan }
}

/// A show past midnight in two currencies, with a rehearsal, a cancelled drop, one that was never opened; then another
/// show of the stream on the next afternoon, and a drop of another stream.
fn write_ledger(path: &Path) {
    let mut ledger = PastLedger::create(path, EVENING);
    let mut rehearsal =
        ledger.plan(DropPlan { mode: Mode::Rehearsal, ..titled("Test", goods("EUR", 100)) });
    rehearsal.open(&mut ledger);
    let hold = rehearsal.take(&mut ledger, 90, (0, 1), Some("nina"));
    rehearsal.confirm(&mut ledger, &hold);
    ledger.wait(MINUTE);
    rehearsal.settle(&mut ledger);
    let mut first = ledger.plan(titled("=First", goods("EUR", 1_990)));
    let mut called_off = ledger.plan(titled("Called off", goods("EUR", 500)));
    called_off.phase(&mut ledger, PhaseRecord::Cancelled);
    ledger.wait(60 * MINUTE);
    first.open(&mut ledger);
    let kept = [(1, 0, 2, Some("nina")), (2, 0, 3, Some("ben")), (3, 1, 1, None)];
    let kept = kept.map(|(who, sku, units, by)| first.take(&mut ledger, who, (sku, units), by));
    let back = first.take(&mut ledger, 4, (1, 2), Some("nina"));
    ledger.wait(MINUTE);
    for hold in &kept {
        first.confirm(&mut ledger, hold);
    }
    first.release(&mut ledger, &back);
    let refusals = [(RefusalCode::SoldOut, 7), (RefusalCode::Busy, 2)].into_iter().collect();
    first.tally(&mut ledger, Tally { held: 4, retries: 1, refusals, ..Tally::default() });
    first.settle(&mut ledger);
    // It is past midnight by now.
    ledger.wait(90 * MINUTE);
    let mut second = ledger.plan(titled("Second", goods("JPY", 3_000)));
    second.open(&mut ledger);
    let [paid, _held] = [1, 5].map(|who| second.take(&mut ledger, who, (1, 1), None));
    ledger.wait(MINUTE);
    second.confirm(&mut ledger, &paid);
    let _never_opened = ledger.plan(titled("Encore", goods("EUR", 700)));
    ledger.wait(12 * 60 * MINUTE);
    second.phase(&mut ledger, PhaseRecord::Closed);
    ledger.finish();
}

fn report(path: &Path, drop: u32) -> Arc<DropReport> {
    ReportReader::new().drop(&journal(path), DropId::new(drop)).unwrap()
}

/// The show of drops 1 to 5.
fn evening(path: &Path) -> ShowReport {
    ShowReport::new([1, 3, 2, 4, 5].map(|drop| report(path, drop)).to_vec()).unwrap()
}

#[test]
fn sums_are_over_live_drops_that_were_not_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    write_ledger(dir.path());
    let json = serde_json::to_value(evening(dir.path()).json()).unwrap();
    let of = |name: &str| -> Vec<String> {
        let lines = json[name].as_array().unwrap().iter();
        lines.map(|line| line["drop"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(json["show"], "d1", "its first drop names it, a rehearsal as well");
    assert_eq!(
        (of("drops"), of("rehearsals")),
        (vec!["d2".into(), "d4".into(), "d5".into()], vec!["d1".into()])
    );
    assert_eq!(of("cancelled"), ["d3"]);
    // Counted anew from the reports of the drops.
    let counted =
        [2, 4, 5].map(|drop| serde_json::to_value(report(dir.path(), drop).json()).unwrap());
    let sum = |figure: &dyn Fn(&Value) -> &Value| -> u64 {
        counted.iter().map(|report| figure(report).as_u64().unwrap()).sum()
    };
    let expected = [
        ("planned", sum(&|report| &report["planned"])),
        ("supplied", sum(&|report| &report["supplied"])),
        ("taken", sum(&|report| &report["taken"]["all"]["units"])),
        ("held", sum(&|report| &report["held"])),
        ("sold", sum(&|report| &report["sold"])),
        ("left", sum(&|report| &report["left"])),
        ("came_back", sum(&|report| &report["came_back"]["units"])),
        ("clicks", sum(&|report| &report["clicks"])),
        ("refused_for_want", sum(&|report| &report["refused_for_want"])),
        ("orders", sum(&|report| &report["taken"]["confirmed"]["holds"])),
    ];
    for (name, value) in expected {
        assert_eq!(json[name], value, "{name}");
    }
    let plainly = ["supplied", "sold", "held", "came_back", "orders", "refused_for_want", "clicks"];
    assert_eq!(plainly.map(|name| json[name].as_u64().unwrap()), [30, 7, 1, 2, 4, 7, 16]);
    assert_eq!(json["buyers"], 3, "one bought in both drops");
    let money = json!([
        {"currency": "EUR", "gross_minor": 11_940, "charges_minor": 0, "paid_minor": 11_940,
         "refunded_minor": 0, "net_minor": 11_940},
        {"currency": "JPY", "gross_minor": 3_000, "charges_minor": 0, "paid_minor": 3_000,
         "refunded_minor": 0, "net_minor": 3_000},
    ]);
    assert_eq!(json["money"], money);
    assert_eq!((&json["running"], &json["ended_ms"]), (&true.into(), &Value::Null));
    let line = &json["drops"][0];
    for (name, figure) in [
        ("title", &counted[0]["title"]),
        ("sold", &counted[0]["sold"]),
        ("taken", &counted[0]["taken"]["all"]["units"]),
        ("net_minor", &counted[0]["net_minor"]),
        ("currency", &counted[0]["currency"]),
        ("closing_hash", &counted[0]["closing_hash"]),
        ("opened_at_ms", &counted[0]["opened_at_ms"]),
    ] {
        assert_eq!(line[name], *figure, "{name}");
    }
}

#[test]
fn drops_are_grouped_as_their_reports_tell() {
    let dir = tempfile::tempdir().unwrap();
    write_ledger(dir.path());
    let reports = [1, 2, 3, 4, 5].map(|drop| report(dir.path(), drop));
    let now = EVENING.plus(stampede_domain::DurationMs::new(200 * MINUTE));
    let found = shows(reports.iter().map(|report| ShowDrop::of(report)), now);
    assert_eq!(found.len(), 1, "midnight ends no show: {found:?}");
    assert_eq!((found[0].id, found[0].stream.as_str()), (DropId::new(1), "friday"));
    // The third was called off before the second opened.
    assert_eq!(found[0].drops, [1, 3, 2, 4, 5].map(DropId::new));
    assert!(ShowReport::new(Vec::new()).is_none());
}

#[test]
fn a_report_has_its_drops_in_the_order_of_their_group() {
    let dir = tempfile::tempdir().unwrap();
    write_ledger(dir.path());
    let drops = [4, 1, 5, 2].map(|drop| report(dir.path(), drop));
    let show = ShowReport::new(drops.to_vec()).unwrap();
    assert_eq!(show.id(), DropId::new(4));
    let counted: Vec<DropId> = show.counted().map(|report| report.drop).collect();
    assert_eq!(counted, [4, 5, 2].map(DropId::new));
}

#[test]
fn what_sold_best_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    write_ledger(dir.path());
    let json = serde_json::to_value(evening(dir.path()).json()).unwrap();
    let best = json["best"].as_array().unwrap().iter();
    let told = best.map(|best| {
        let texts = ["drop", "sku", "currency"].map(|name| best[name].as_str().unwrap());
        (texts, best["sold"].as_u64().unwrap(), best["gross_minor"].as_u64().unwrap())
    });
    let expected = [
        (["d2", "mug", "EUR"], 5, 9_950),
        (["d2", "cup", "EUR"], 1, 1_990),
        (["d4", "cup", "JPY"], 1, 3_000),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn channels_are_summed_over_drops_and_currencies() {
    let dir = tempfile::tempdir().unwrap();
    write_ledger(dir.path());
    let show = evening(dir.path());
    let json = serde_json::to_value(show.json()).unwrap();
    let told: Vec<_> = json["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| {
            let counts = ["units", "taken", "came_back", "held", "orders"];
            let counts = counts.map(|name| channel[name].as_u64().unwrap());
            let money = channel["money"].as_array().unwrap().iter();
            let money = money.map(|money| money["gross_minor"].as_u64().unwrap());
            (channel["channel"].as_str(), counts, money.collect::<Vec<_>>())
        })
        .collect();
    // The second drop named no channel: all of it is that of nobody.
    let expected = [
        (Some("ben"), [3, 3, 0, 0, 1], vec![5_970]),
        (Some("nina"), [2, 4, 2, 0, 1], vec![3_980]),
        (None, [2, 3, 0, 1, 2], vec![1_990, 3_000]),
    ];
    assert_eq!(told, expected);
    assert_eq!(json["channels_rest"], Value::Null);
    let units: u64 = expected.iter().map(|(_, counts, _)| counts[0]).sum();
    assert_eq!(json["sold"], units);
    let second = ShowReport::new(vec![report(dir.path(), 4)]).unwrap();
    assert!(second.channels().is_empty(), "nobody's ticket names one");
}

#[test]
fn a_channel_sees_its_own_figures_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    write_ledger(dir.path());
    let (nina, nobody) = ("nina".parse().unwrap(), "stranger".parse().unwrap());
    let first = report(dir.path(), 2);
    let cut = serde_json::to_value(first.of_channel(&nina)).unwrap();
    let expected = json!({
        "schema": "stampede.channel-report.v1", "drop": "d2", "title": "=First", "stream": "friday",
        "channel": "nina", "mode": "live", "phase": "settled", "opened_at_ms": first.opened_at.unwrap().get(),
        "as_of_ms": first.as_of.get(), "clicks": null, "clicks_at_least": false, "counts_complete": true, "taken": 4, "held": 0, "sold": 2,
        "came_back": 2, "orders": 1, "currency": "EUR", "gross_minor": 3_980, "net_minor": 3_980,
        "adjustments": null, "closing_hash": first.closing_hash.unwrap().to_string(),
    });
    assert_eq!(cut, expected, "and nothing else");
    let none = serde_json::to_value(first.of_channel(&nobody)).unwrap();
    for name in ["taken", "held", "sold", "came_back", "orders", "gross_minor", "net_minor"] {
        assert_eq!(none[name], 0, "{name}");
    }
    let show = serde_json::to_value(evening(dir.path()).of_channel(&nina)).unwrap();
    assert_eq!((&show["sold"], &show["taken"], &show["orders"]), (&2.into(), &4.into(), &1.into()));
    assert_eq!(
        show["money"],
        json!([{"currency": "EUR", "gross_minor": 3_980, "net_minor": 3_980}])
    );
    let drops = show["drops"].as_array().unwrap();
    assert_eq!(drops.len(), 3, "neither rehearsals nor cancelled drops");
    assert_eq!(drops[0], expected);
    let text = show.to_string();
    for hidden in ["ben", "supplied", "planned", "buyers", "merchant", "host"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
}

#[test]
fn adjustments_are_summed_by_currency() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = PastLedger::create(dir.path(), EVENING);
    for _ in 0..2 {
        let mut drop = ledger.plan(goods("EUR", 1_990));
        drop.open(&mut ledger);
        drop.settle(&mut ledger);
    }
    ledger.finish();
    let mut reports = [1, 2].map(|number| report(dir.path(), number));
    let none = ShowReport::new(reports.to_vec()).unwrap();
    assert_eq!(serde_json::to_value(none.json()).unwrap()["adjustments"], Value::Null);
    for (report, refunded_minor) in reports.iter_mut().zip([100, 250]) {
        let money = stampede_report::fold::MoneyChange { refunded_minor, ..Default::default() };
        let cancelled = stampede_report::fold::Cancellations { orders: 1, units: 2 };
        let as_of = report.as_of;
        let later = stampede_report::fold::Adjustments { as_of, records: 3, cancelled, money };
        Arc::make_mut(report).adjustments = Some(later);
    }
    let show = ShowReport::new(reports.to_vec()).unwrap();
    let expected = json!([{
        "currency": "EUR", "as_of_ms": reports[1].as_of.get(), "records": 6, "orders_cancelled": 2,
        "units_cancelled": 4, "charges_minor": 0, "paid_minor": 0, "refunded_minor": 350,
        "net_minor": -350,
    }]);
    assert_eq!(serde_json::to_value(show.json()).unwrap()["adjustments"], expected);
    assert!(show.ended_at().is_some() && !show.is_running());
}

fn sheet(bytes: &[u8], name: &str) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert!(book.worksheet_formula(name).unwrap().is_empty(), "no cell runs");
    book.worksheet_range(name).unwrap().rows().map(<[Data]>::to_vec).collect()
}

/// Figures that the sums and each drop have, by their titles in a workbook.
const COUNTS: [(&str, &str); 10] = [
    ("Supplied", "supplied"),
    ("Taken", "taken"),
    ("Held", "held"),
    ("Sold", "sold"),
    ("Left", "left"),
    ("Came back", "came_back"),
    ("Orders", "orders"),
    ("Buyers", "buyers"),
    ("Clicks", "clicks"),
    ("Refused for want", "refused_for_want"),
];

#[test]
fn a_workbook_of_a_show_has_its_figures() {
    let dir = tempfile::tempdir().unwrap();
    write_ledger(dir.path());
    let show = evening(dir.path());
    let (bytes, json) = (show.xlsx().unwrap(), serde_json::to_value(show.json()).unwrap());
    let float = |value: &Value| Data::Float(value.as_f64().unwrap());
    let summary = sheet(&bytes, "Summary");
    for (title, name) in [("Planned units", "planned")].into_iter().chain(COUNTS) {
        let line = summary.iter().find(|row| row[0] == *title).unwrap();
        assert_eq!(line[1], float(&json[name]), "{title}");
    }
    let nets: Vec<&Data> =
        summary.iter().filter(|row| row[0] == *"Net").map(|row| &row[1]).collect();
    assert_eq!(nets, [&Data::Float(119.4), &Data::Float(3_000.0)], "in each currency");
    let drops = sheet(&bytes, "Drops");
    let place = |title: &str| drops[0].iter().position(|found| *found == *title).unwrap();
    let lines = ["drops", "rehearsals", "cancelled"].map(|name| json[name].as_array().unwrap());
    let lines: Vec<&Value> = lines.into_iter().flatten().collect();
    assert_eq!(drops.len() - 1, lines.len());
    for row in &drops[1..] {
        let line = lines.iter().find(|line| row[0] == *line["drop"].as_str().unwrap()).unwrap();
        assert_eq!(row[place("Title")], *line["title"].as_str().unwrap());
        for (title, name) in COUNTS {
            assert_eq!(row[place(title)], float(&line[name]), "{title}");
        }
        let digits = if line["currency"] == "JPY" { 1.0 } else { 100.0 };
        let net = line["net_minor"].as_f64().unwrap() / digits;
        assert_eq!(row[place("Net")], Data::Float(net));
    }
    let channels = sheet(&bytes, "Channels");
    let money: usize = json["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["money"].as_array().unwrap().len())
        .sum();
    assert_eq!(channels.len() - 1, money, "a row for each currency");
    assert_eq!(sheet(&bytes, "Sizes").len() - 1, 3 * 2, "of the drops that count");
    assert_eq!(show.xlsx().unwrap(), bytes);
}

#[test]
fn a_refund_after_settlement_reaches_the_show() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(support::plan(&[3]));
    sim.buy(drop, 1, 0, 1, "a");
    sim.flush();
    sim.end(drop, 0, State::Confirmed);
    sim.flush();
    sim.settle(drop);
    let hold = sim.sale(drop).holds[0].id;
    sim.adjust(hold, refunded(&format!("{hold}-1"), 990));
    sim.close();
    let show = ShowReport::new(vec![report(dir.path(), 1)]).unwrap();
    let json = serde_json::to_value(show.json()).unwrap();
    assert_eq!(json["money"][0]["net_minor"], 1_990, "as it settled");
    assert_eq!(json["adjustments"][0]["net_minor"], -990);
}

#[test]
fn a_rehearsal_cut_to_a_channel_says_that_it_is_one() {
    let dir = tempfile::tempdir().unwrap();
    write_ledger(dir.path());
    let cut = report(dir.path(), 1).of_channel(&"nina".parse().unwrap());
    let cut = serde_json::to_value(cut).unwrap();
    assert_eq!((&cut["mode"], &cut["sold"]), (&json!("rehearsal"), &json!(1)));
}

/// A show of settled drops; what `change` makes of the last of two.
fn changed(change: impl FnOnce(&mut DropReport)) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = PastLedger::create(dir.path(), EVENING);
    for _ in 0..2 {
        let mut drop = ledger.plan(goods("EUR", 1_990));
        drop.open(&mut ledger);
        drop.settle(&mut ledger);
    }
    ledger.finish();
    let mut reports = [1, 2].map(|number| report(dir.path(), number));
    for report in &mut reports {
        Arc::make_mut(report).clicks_by_channel_other = Some(3);
    }
    change(Arc::make_mut(&mut reports[1]));
    serde_json::to_value(ShowReport::new(reports.to_vec()).unwrap().json()).unwrap()
}

fn in_mode(report: &mut DropReport, mode: Mode) {
    report.plan = Arc::new(DropPlan { mode, ..(*report.plan).clone() });
}

#[test]
fn a_show_runs_while_a_counted_drop_is_not_over() {
    assert_eq!(changed(|_| ())["running"], false);
    let phases = [Phase::Scheduled, Phase::Countdown, Phase::Open, Phase::Paused, Phase::Closed];
    for phase in phases {
        let show = changed(|drop| drop.phase = phase);
        assert_eq!(show["running"], true, "{phase:?}: it will go on after a pause between two");
        let show = changed(|drop| {
            drop.phase = phase;
            in_mode(drop, Mode::Rehearsal);
        });
        assert_eq!(show["running"], false, "a rehearsal holds no live show open");
    }
    assert_eq!(changed(|drop| drop.phase = Phase::Cancelled)["running"], false);
}

#[test]
fn a_rehearsal_alone_runs_until_it_is_over() {
    let dir = tempfile::tempdir().unwrap();
    write_ledger(dir.path());
    let mut rehearsal = report(dir.path(), 1);
    let runs =
        |report: &Arc<DropReport>| ShowReport::new(vec![Arc::clone(report)]).unwrap().is_running();
    assert!(!runs(&rehearsal));
    Arc::make_mut(&mut rehearsal).phase = Phase::Scheduled;
    assert!(runs(&rehearsal));
}

#[test]
fn a_show_says_what_its_clicks_leave_out() {
    let show = changed(|_| ());
    let told =
        |show: &Value| (show["clicks_by_channel_other"].clone(), show["counts_complete"].clone());
    assert_eq!(told(&show), (json!(6), json!(true)));
    let show = changed(|drop| drop.clicks_by_channel_other = None);
    assert_eq!(told(&show), (Value::Null, json!(true)), "one of them does not tell");
    let show = changed(|drop| drop.restarts_live = 1);
    assert_eq!(told(&show), (json!(6), json!(false)));
    let show = changed(|drop| {
        (drop.restarts_live, drop.clicks_by_channel_other) = (1, None);
        in_mode(drop, Mode::Rehearsal);
    });
    assert_eq!(told(&show), (json!(3), json!(true)), "it does not count");
}
