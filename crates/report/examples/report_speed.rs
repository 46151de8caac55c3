//! Writes a large sale to measure what its report costs: time and memory.
//!
//! `cargo run --release -p stampede-report --example report_speed -- 1000000` makes so many records: takes of eight
//! goods by 20,000 channels within 20 s, then an order for nine in ten of them and the others' release. A second argument
//! names a folder: the ledger stays there, and is read without being written if it is there already.

use std::{path::Path, process::ExitCode, time::Instant};

use stampede_domain::{DropId, DropPlan, RefusalCode, Units, UnixMillis};
use stampede_ledger::{LEDGER_FILE, SqliteJournal, Tally};
use stampede_report::{ReportReader, drop_report};
use stampede_testkit::{PastLedger, plan_of, sku};

const START: UnixMillis = UnixMillis::new(1_763_816_400_000);
const SKUS: usize = 8;
const CHANNELS: u64 = 20_000;
/// Takes and orders are spread over these spans, in milliseconds.
const RUSH_MS: u64 = 20_000;
const PAYING_MS: u64 = 240_000;

fn write(path: &Path, viewers: u64) {
    let mut ledger = PastLedger::create(path, START);
    let supply = u32::try_from(viewers).expect("fewer units than a drop may have");
    let goods = (0..SKUS).map(|number| sku(&format!("mug-{number}"), supply));
    let plan = DropPlan { limit_per_viewer: Units::ONE, ..plan_of(goods) };
    let mut drop = ledger.plan(plan);
    drop.open(&mut ledger);
    let mut holds = Vec::new();
    for number in 0..viewers {
        let channel = format!("c{}", number % CHANNELS);
        let place = usize::try_from(number).expect("64 bits") % SKUS;
        holds.push(drop.take(&mut ledger, number + 1, (place, 1), Some(&channel)));
        pass(&mut ledger, number, viewers, RUSH_MS);
        if number % (viewers / 20).max(1) == 0 {
            let refusals = [(RefusalCode::SoldOut, 40_000)].into_iter().collect();
            drop.tally(&mut ledger, Tally { refusals, connected: viewers, ..Tally::default() });
        }
    }
    for (number, hold) in (0..).zip(&holds) {
        if number % 10 == 0 {
            drop.release(&mut ledger, hold);
        } else {
            drop.confirm(&mut ledger, hold);
        }
        pass(&mut ledger, number, viewers, PAYING_MS);
    }
    drop.settle(&mut ledger);
    ledger.finish();
}

/// Lets the time pass that lies between an event and the next of so many that fill a span.
fn pass(ledger: &mut PastLedger, number: u64, events: u64, span_ms: u64) {
    let until = |number: u64| number * span_ms / events;
    let ms = until(number + 1) - until(number);
    if ms > 0 {
        ledger.wait(ms);
    }
}

/// Processor time of this process, in seconds; 0 where the system does not tell.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    // User and system time, in hundredths of a second.
    let ticks = [11, 12].map(|place| fields.get(place).and_then(|ticks| ticks.parse::<u32>().ok()));
    f64::from(ticks.into_iter().flatten().sum::<u32>()) / 100.0
}

/// Memory of this process that is in use, in MiB; 0 where the system does not tell.
fn resident_mib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4 / 1_024
}

#[allow(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (begun, cpu, before) = (Instant::now(), cpu_s(), resident_mib());
    let done = work();
    let (cpu, grown) = (cpu_s() - cpu, resident_mib().saturating_sub(before));
    let took = begun.elapsed().as_secs_f64();
    println!("{what:<18} {took:>8.3} s, {cpu:>6.2} s of processor, {grown:>5} MiB more");
    done
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let records = arguments.next().map_or(Ok(1_000_000_u64), |count| count.parse());
    let Ok(records) = records else {
        eprintln!("usage: report_speed [RECORDS [FOLDER]]");
        return ExitCode::from(2);
    };
    let own = tempfile::tempdir().expect("a temporary directory");
    let folder = arguments.next().map_or_else(|| own.path().to_owned(), Into::into);
    let drop = DropId::new(1);
    if !folder.join(LEDGER_FILE).exists() {
        timed("write", || write(&folder, records / 2));
    }
    let journal = SqliteJournal::open(&folder).expect("a ledger");
    let reader = ReportReader::new();
    let report = timed("first report", || reader.drop(&journal, drop)).expect("a sound ledger");
    println!("{} records, {} orders", report.journal.records, report.taken.confirmed.holds);
    timed("report again", || reader.drop(&journal, drop)).expect("a sound ledger");
    let json = timed("JSON", || serde_json::to_vec(&report.json())).expect("a report is JSON");
    let mut csv = Vec::new();
    timed("CSV of channels", || report.channels_csv(&mut csv));
    let book = timed("workbook", || report.xlsx()).expect("a report is a workbook");
    println!("JSON {}, CSV {}, workbook {} bytes", json.len(), csv.len(), book.len());
    let anew = timed("folded anew", || drop_report(&journal, drop)).expect("a sound ledger");
    if anew == *report { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
