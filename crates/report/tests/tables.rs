//! Reports as CSV and as workbooks, read back and held against the figures.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    sync::Arc,
};

use calamine::{Data, Reader, Xlsx};
use serde_json::Value;
use stampede_domain::{Currency, DropPlan, Money, SkuOption};
use stampede_report::{DropReport, drop_report, reports};
use support::{busy::busy_sale, journal, plan, sale::State, sim::Sim, spreadsheet::parse_csv};

const TEXTS: [&str; 7] = [
    "=HYPERLINK(\"http://example.com\")",
    "007",
    "_x0041_ stays",
    "\u{202E}مرحبا <b>\"&'",
    "@SUM(A1)\tb",
    "香水五十毫升",
    "'tis",
];

fn busy_report() -> DropReport {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    reports(&journal(dir.path())).unwrap().swap_remove(0)
}

/// A report whose texts are what spreadsheets and markup stumble over.
fn hostile_report() -> DropReport {
    let mut report = busy_report();
    let plan = Arc::make_mut(&mut report.plan);
    TEXTS[0].clone_into(&mut plan.title);
    (plan.skus[0].title, plan.skus[0].merchant_sku) = (TEXTS[0].to_owned(), TEXTS[1].to_owned());
    (plan.skus[1].title, plan.skus[1].merchant_sku) = (TEXTS[3].to_owned(), TEXTS[4].to_owned());
    let option = |name: &str, value: &str| SkuOption { name: name.into(), value: value.into() };
    plan.skus[0].options = vec![option(TEXTS[2], TEXTS[5]), option("Size", TEXTS[6])];
    report
}

fn csv(write: impl FnOnce(&mut Vec<u8>)) -> Vec<BTreeMap<String, String>> {
    let mut out = Vec::new();
    write(&mut out);
    parse_csv(&String::from_utf8(out).unwrap())
}

/// A cell as JSON has the figure: a number, or nothing.
fn number(cell: &str) -> Value {
    if cell.is_empty() { Value::Null } else { cell.parse::<u64>().unwrap().into() }
}

fn check_numbers(row: &BTreeMap<String, String>, json: &Value, names: &[&str]) {
    for name in names {
        assert_eq!(number(&row[*name]), json[*name], "{name}");
    }
}

const MONEY: [&str; 5] =
    ["gross_minor", "charges_minor", "paid_minor", "refunded_minor", "net_minor"];

#[test]
fn csv_has_the_figures_of_the_report() {
    for report in [busy_report(), hostile_report()] {
        let json = serde_json::to_value(report.json()).unwrap();
        let sizes = csv(|out| report.sizes_csv(out));
        assert_eq!(sizes.len(), report.skus.len());
        for (row, sku) in sizes.iter().zip(json["skus"].as_array().unwrap()) {
            for name in ["sku", "title", "merchant_sku"] {
                assert_eq!(row[name], sku[name], "{name}");
            }
            let counts = ["supplied", "taken", "came_back", "held", "sold", "left", "orders"];
            check_numbers(row, sku, &counts);
            check_numbers(row, sku, &["refused_for_want", "sold_out_after_ms", "price_minor"]);
            check_numbers(row, sku, &MONEY);
            assert_eq!((row["drop"].as_str(), row["currency"].as_str()), ("d1", "EUR"));
        }
        let channels = csv(|out| report.channels_csv(out));
        assert_eq!(channels.len(), report.channels.len());
        for (row, channel) in channels.iter().zip(json["channels"].as_array().unwrap()) {
            assert_eq!(row["channel"], channel["channel"].as_str().unwrap_or(""));
            check_numbers(row, channel, &["clicks", "taken", "came_back", "held", "orders"]);
            check_numbers(row, channel, &["units"]);
            check_numbers(row, channel, &MONEY);
        }
        let seconds = csv(|out| report.seconds_csv(out));
        assert_eq!(seconds.len(), report.seconds.len());
        for (row, second) in seconds.iter().zip(json["seconds"].as_array().unwrap()) {
            let counts = ["second", "taken", "paid", "came_back", "clicks", "refused", "connected"];
            check_numbers(row, second, &counts);
            let began_ms =
                json["opened_at_ms"].as_u64().unwrap() + 1_000 * second["second"].as_u64().unwrap();
            assert_eq!(row["at_ms"], began_ms.to_string());
        }
    }
}

#[test]
fn channels_beyond_those_that_are_listed_stand_in_the_files() {
    let mut report = busy_report();
    let model = report.channels[0].clone();
    let channels = (0..20_000).map(|number| {
        let channel = Some(format!("c{number}").parse().unwrap());
        stampede_report::fold::ChannelReport { channel, ..model.clone() }
    });
    report.channels = channels.collect();
    assert_eq!(csv(|out| report.channels_csv(out)).len(), 20_000);
    assert_eq!(sheet(&report, "Channels").len(), 20_001);
}

#[test]
fn the_tables_as_csv() {
    let report = hostile_report();
    let mut text = String::new();
    let writers = [DropReport::sizes_csv, DropReport::channels_csv, DropReport::seconds_csv];
    for write in writers {
        let mut out = Vec::new();
        write(&report, &mut out);
        text.push_str(&String::from_utf8(out).unwrap().replace('\r', ""));
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}

/// The rows of a sheet.
fn sheet(report: &DropReport, name: &str) -> Vec<Vec<Data>> {
    let bytes = report.xlsx().unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert!(book.worksheet_formula(name).unwrap().is_empty(), "no cell runs");
    book.worksheet_range(name).unwrap().rows().map(<[Data]>::to_vec).collect()
}

/// Holds a cell against the cell or the two cells of the CSV file.
fn check_cell(cell: &Data, title: &str, [first, second]: [&str; 2]) {
    match cell {
        // The reader hands the escapes of the format out as they are stored.
        Data::String(text) if title == "Options" => {
            assert_eq!(text.replace("_x005F_", "_"), first, "{title}");
        }
        Data::String(text) if text == "(no channel)" => assert_eq!(first, ""),
        Data::String(text) => assert_eq!(text, first, "{title}"),
        Data::Float(found) if title.ends_with("(s)") => {
            let ms: f64 = first.parse().unwrap();
            assert!((found * 1_000.0 - ms).abs() < 1e-6, "{title}: {found}");
        }
        Data::Float(found) => {
            let expected: f64 = if second.is_empty() { first } else { second }.parse().unwrap();
            assert!((found - expected).abs() < f64::EPSILON, "{title}: {found}");
        }
        Data::DateTime(at) => {
            let ms: f64 = second.parse().unwrap();
            let days = (ms / 1_000.0).floor() / 86_400.0 + 25_569.0;
            assert!((at.as_f64() - days).abs() < 1e-8, "{title}");
        }
        Data::Empty => assert_eq!(first, "", "{title}"),
        other => panic!("{title}: {other:?}"),
    }
}

/// Holds a sheet against a CSV file: the same rows, the same figures.
fn check_sheet(report: &DropReport, name: &str, write: fn(&DropReport, &mut Vec<u8>)) {
    let mut out = Vec::new();
    write(report, &mut out);
    let text = String::from_utf8(out).unwrap();
    let header: Vec<String> = text.lines().next().unwrap().split(',').map(str::to_owned).collect();
    let expected = parse_csv(&text);
    let rows = sheet(report, name);
    let Some((titles, rows)) = rows.split_first() else { panic!("{name} is empty") };
    assert_eq!(rows.len(), expected.len(), "{name}");
    for (row, expected) in rows.iter().zip(&expected) {
        let mut names = header.iter().peekable();
        for (cell, title) in row.iter().zip(titles) {
            let first = names.next().unwrap();
            let is_pair = names.peek().is_some_and(|next| {
                first.strip_suffix("_minor") == Some(next.as_str())
                    || next.strip_suffix("_ms") == Some(first.as_str())
            });
            let second = if is_pair { expected[names.next().unwrap()].as_str() } else { "" };
            check_cell(cell, &title.to_string(), [&expected[first], second]);
        }
        assert!(names.next().is_none(), "each column has its cell");
    }
}

#[test]
fn a_workbook_has_the_figures_of_the_files() {
    for report in [busy_report(), hostile_report()] {
        check_sheet(&report, "Sizes", DropReport::sizes_csv);
        check_sheet(&report, "Channels", DropReport::channels_csv);
        check_sheet(&report, "Seconds", DropReport::seconds_csv);
    }
}

#[test]
fn a_workbook_begins_with_the_sums() {
    let mut report = hostile_report();
    let money = stampede_report::fold::MoneyChange {
        refunded_minor: 1_990,
        ..stampede_report::fold::MoneyChange::default()
    };
    let cancelled = stampede_report::fold::Cancellations { orders: 1, units: 2 };
    let as_of = report.as_of;
    report.adjustments =
        Some(stampede_report::fold::Adjustments { as_of, records: 3, cancelled, money });
    let json = serde_json::to_value(report.json()).unwrap();
    let rows = sheet(&report, "Summary");
    let lines: BTreeMap<String, Data> =
        rows.iter().map(|row| (row[0].to_string(), row[1].clone())).collect();
    assert_eq!(lines["Title"], Data::String(TEXTS[0].to_owned()));
    assert_eq!(lines["Closing hash"], Data::String(json["closing_hash"].as_str().unwrap().into()));
    for (title, field) in [
        ("Supplied", &json["supplied"]),
        ("Taken", &json["taken"]["all"]["units"]),
        ("Held", &json["held"]),
        ("Sold", &json["sold"]),
        ("Left", &json["left"]),
        ("Came back", &json["came_back"]["units"]),
        ("Taken again", &json["taken_again"]),
        ("Orders", &json["taken"]["confirmed"]["holds"]),
        ("Buyers", &json["buyers"]),
        ("Clicks", &json["clicks"]),
        ("Refused for want", &json["refused_for_want"]),
        ("Since it settled: cancelled units", &json["adjustments"]["units_cancelled"]),
    ] {
        assert_eq!(lines[title], Data::Float(field.as_f64().unwrap()), "{title}");
    }
    for (title, field) in [
        ("Gross", &json["gross_minor"]),
        ("Net", &json["net_minor"]),
        ("Last paid after (s)", &json["last_paid_after_ms"]),
        ("Since it settled: net", &json["adjustments"]["net_minor"]),
    ] {
        let Data::Float(found) = lines[title] else { panic!("{title}: {:?}", lines[title]) };
        let scale = if title.ends_with("(s)") { 1_000.0 } else { 100.0 };
        assert!((found * scale - field.as_f64().unwrap()).abs() < 1e-6, "{title}");
    }
}

/// A part of a workbook's archive.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn money_is_shown_with_the_digits_of_its_currency() {
    for (code, format, shown) in
        [("JPY", "#,##0 &quot;JPY&quot;", 9_970.0), ("KWD", "#,##0.000 &quot;KWD&quot;", 9.97)]
    {
        let dir = tempfile::tempdir().unwrap();
        let mut sim = Sim::new(dir.path());
        let mut plan = DropPlan { payment_terms: None, ..plan(&[5]) };
        let currency = Currency::new(code).unwrap();
        plan.skus[0].price = Money::new(9_970, currency).unwrap();
        let drop = sim.open(plan);
        sim.buy(drop, 1, 0, 1, "a");
        sim.flush();
        sim.end(drop, 0, State::Confirmed);
        sim.close();
        let report = drop_report(&journal(dir.path()), drop).unwrap();
        assert!(part(&report.xlsx().unwrap(), "xl/styles.xml").contains(format), "{code}");
        let rows = sheet(&report, "Sizes");
        let place = rows[0].iter().position(|title| *title == "Gross").unwrap();
        assert_eq!(rows[1][place], Data::Float(shown));
        check_sheet(&report, "Sizes", DropReport::sizes_csv);
    }
}

#[test]
fn the_same_report_makes_the_same_workbook() {
    let report = busy_report();
    assert_eq!(report.xlsx().unwrap(), report.xlsx().unwrap());
    let properties = part(&report.xlsx().unwrap(), "docProps/core.xml");
    assert!(properties.contains("2025-11-22T13:00:"), "made when the report was: {properties}");
}
