//! Tests that the background reader finds damage in the file itself.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{fs, path::Path, sync::Arc};

use metrics_exporter_prometheus::PrometheusBuilder;
use stampede_ledger::{
    DataDir, LEDGER_FILE, Review, Reviewer, RowKey, SqliteJournal, SqliteLedger, SqliteSource,
};
use support::{Rig, fixed_now, lot, node, wait};

fn ledger(path: &Path) {
    let data = DataDir::lock(path).unwrap();
    let mut rig = Rig::start(SqliteLedger::open(&data, &node()).unwrap());
    rig.commit(vec![lot(100)]);
    rig.take(1..9);
    rig.writer.shutdown().unwrap();
}

/// Breaks the head of the page on which the journal's first row stands.
fn break_page(path: &Path) {
    let row =
        SqliteJournal::open(path).unwrap().into_rows(RowKey::default()).next().unwrap().unwrap();
    let file = path.join(LEDGER_FILE);
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(32).position(|window| window == row.hash.as_bytes()).unwrap();
    let page = at / 4096 * 4096;
    bytes[page..page + 8].fill(0xff);
    fs::write(file, bytes).unwrap();
}

#[test]
fn damage_that_sqlite_reports_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let review = || Review::new(Box::new(SqliteJournal::open(dir.path()).unwrap()));
    let done = review().step().unwrap();
    assert!(done.round_ended && done.is_whole && done.faults.is_empty(), "{done:?}");
    break_page(dir.path());
    let mut review = review();
    for _round in 0..2 {
        let done = review.step().unwrap();
        assert!(done.round_ended && !done.is_whole, "{done:?}");
        let said = done.faults[0].to_string();
        assert!(done.faults.len() == 1 && said.contains("malformed"), "{said}");
    }
}

#[test]
fn a_round_that_damage_ends_is_counted_and_no_reading_of_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let shown = |differing: u32, is_stamped: bool| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let reviewer = metrics::with_local_recorder(&recorder, || {
            let source = SqliteSource::new(dir.path().to_owned());
            Reviewer::spawn(Arc::new(source), fixed_now()).unwrap()
        });
        let value = |name: &str| {
            let text = handle.render();
            let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
            line.and_then(|line| line.split(' ').nth(1)?.parse::<f64>().ok())
        };
        wait(|| value("stampede_ledger_seals_differing") == Some(f64::from(differing)));
        wait(|| is_stamped == (value("stampede_ledger_reviewed_timestamp_seconds") > Some(0.0)));
        drop(reviewer);
        // Nothing follows the round.
        let stamped = value("stampede_ledger_reviewed_timestamp_seconds") > Some(0.0);
        assert_eq!(stamped, is_stamped);
    };
    shown(0, true);
    break_page(dir.path());
    shown(1, false);
    fs::write(dir.path().join(LEDGER_FILE), [7; 8192]).unwrap();
    shown(1, false);
}
