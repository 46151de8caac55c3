//! Streams that go offline: what the verifier accepts, what it calls a lie, what the report shows.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use stampede_domain::{DropId, DropPlan, DurationMs, Phase, WhenOffline};
use stampede_ledger::{PhaseRecord, Record, StreamRecord};
use stampede_report::{DropReport, Verification, drop_report};
use support::{
    forge::{Forged, forge},
    journal, plan,
    sim::Sim,
    verify_dir,
};
use tempfile::TempDir;

const ALLOWED_MS: u64 = 2_000;
const SLEPT_MS: u64 = 700;

fn pausing(resume: bool) -> DropPlan {
    let rule = WhenOffline { pause_after: DurationMs::new(ALLOWED_MS), resume };
    DropPlan { when_offline: Some(rule), ..plan(&[9]) }
}

/// A drop whose stream goes away for longer than allowed, with a restart meanwhile, then comes back.
fn interrupted(dir: &TempDir, resume: bool) -> DropId {
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(pausing(resume));
    sim.buy(drop, 1, 0, 2, "k1");
    let at = sim.now();
    sim.stream(drop, Record::Stream(StreamRecord::Offline { at }));
    sim.wait(ALLOWED_MS / 2);
    // The outage counts from the drop's latest row.
    sim.tally(drop, 2);
    sim.crash(5_000);
    sim.wait(ALLOWED_MS / 2);
    sim.stream(drop, Record::Stream(StreamRecord::OfflineLapsed));
    sim.wait(1_000);
    sim.stream(drop, Record::Stream(StreamRecord::Online));
    if !resume {
        sim.stream(drop, Record::Phase(PhaseRecord::Paused));
        sim.stream(drop, Record::Phase(PhaseRecord::Resumed));
    }
    sim.buy(drop, 2, 0, 1, "k2");
    sim.flush();
    sim.settle(drop);
    sim.close();
    drop
}

fn report(dir: &TempDir, drop: DropId) -> DropReport {
    drop_report(&journal(dir.path()), drop).unwrap()
}

#[test]
fn a_pause_by_the_stream_verifies_and_shows_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let drop = interrupted(&dir, true);
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    let report = report(&dir, drop);
    let by_stream: Vec<Phase> =
        report.phases.iter().filter(|begun| begun.by_stream).map(|begun| begun.phase).collect();
    assert_eq!(by_stream, [Phase::Paused, Phase::Open]);
    assert_eq!(report.paused, DurationMs::new(1_000));
    let text = report.to_string();
    assert!(text.contains("paused (the stream was offline)"), "{text}");
    assert!(text.contains("open (the stream was back)"), "{text}");
    let json = serde_json::to_value(report.json()).unwrap();
    let phases = json["phases"].as_array().unwrap();
    assert_eq!(phases.iter().filter(|phase| phase["by_stream"] == true).count(), 2);
}

#[test]
fn a_stream_that_is_back_leaves_the_pause_to_the_host_unless_the_plan_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let drop = interrupted(&dir, false);
    // Paused, then paused again by the host: only a pause that the stream still causes allows it.
    let verification = verify_dir(dir.path()).unwrap();
    let kinds: Vec<_> = verification.findings.iter().map(|f| f.fault.kind()).collect();
    assert_eq!(kinds, ["not_allowed"], "{verification}");
    assert_eq!(report(&dir, drop).phase, Phase::Settled);
}

#[test]
fn the_host_takes_over_a_pause_of_the_stream() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(pausing(true));
    let at = sim.now();
    sim.stream(drop, Record::Stream(StreamRecord::Offline { at }));
    sim.wait(ALLOWED_MS);
    sim.stream(drop, Record::Stream(StreamRecord::OfflineLapsed));
    sim.stream(drop, Record::Phase(PhaseRecord::Paused));
    sim.stream(drop, Record::Stream(StreamRecord::Online));
    sim.wait(1_000);
    sim.settle(drop);
    sim.close();
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    let report = report(&dir, drop);
    assert_eq!(report.paused, DurationMs::new(1_000), "the stream alone does not end it");
}

/// A drop whose stream is offline while nobody is served for `SLEPT_MS`, which ended `ended_ms` after the
/// stream went; its time runs out `lapses_ms` after the stream went.
fn slept_through(ended_ms: u64, lapses_ms: u64) -> Vec<&'static str> {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(pausing(true));
    sim.wait(SLEPT_MS);
    let since = sim.now();
    sim.stream(drop, Record::Stream(StreamRecord::Offline { at: since }));
    sim.wait(ended_ms);
    let until = since.plus(DurationMs::new(ended_ms));
    sim.stream(drop, Record::Suspended { span: DurationMs::new(SLEPT_MS), until });
    sim.wait(lapses_ms - ended_ms);
    sim.stream(drop, Record::Stream(StreamRecord::OfflineLapsed));
    sim.stream(drop, Record::Stream(StreamRecord::Online));
    sim.settle(drop);
    sim.close();
    let verification = verify_dir(dir.path()).unwrap();
    verification.findings.iter().map(|found| found.fault.kind()).collect()
}

#[test]
fn a_stream_has_the_time_in_which_the_machine_slept_besides_its_own() {
    let early = "offline_time_early";
    assert_eq!(slept_through(SLEPT_MS, ALLOWED_MS + SLEPT_MS), Vec::<&str>::new());
    assert_eq!(slept_through(SLEPT_MS, ALLOWED_MS + SLEPT_MS - 1), [early]);
    // It lasted until the stream went, or ended before: the stream's time had not begun.
    assert_eq!(slept_through(0, ALLOWED_MS), Vec::<&str>::new());
    assert_eq!(slept_through(0, ALLOWED_MS - 1), [early]);
}

fn lie(change: impl FnOnce(&mut Vec<Forged>)) -> Verification {
    let dir = tempfile::tempdir().unwrap();
    interrupted(&dir, true);
    forge(dir.path(), change);
    verify_dir(dir.path()).unwrap()
}

fn replace(rows: &mut [Forged], wanted: &Record, with: &[Record]) {
    let row = rows.iter_mut().find(|row| row.records.contains(wanted)).unwrap();
    let at = row.position(|record| record == wanted).unwrap();
    row.records.splice(at..=at, with.iter().cloned());
}

fn check(name: &str, change: impl FnOnce(&mut Vec<Forged>)) {
    let verification = lie(change);
    let kinds: Vec<_> = verification.findings.iter().map(|f| f.fault.kind()).collect();
    assert!(kinds.contains(&name), "expected {name}:\n{verification}");
}

#[test]
fn lies_about_streams_are_found() {
    assert!(lie(|_| ()).ok);
    let lapsed = Record::Stream(StreamRecord::OfflineLapsed);
    let online = Record::Stream(StreamRecord::Online);
    check("stream_reported_twice", |rows| {
        replace(rows, &online, &[online.clone(), online.clone()]);
    });
    check("no_offline_time", |rows| replace(rows, &lapsed, &[lapsed.clone(), lapsed.clone()]));
    check("no_offline_time", |rows| {
        let rule = |record: &mut Record| {
            if let Record::Planned { plan, .. } = record {
                *plan = DropPlan { when_offline: None, ..DropPlan::clone(plan) }.into();
            }
        };
        rows.iter_mut().flat_map(|row| &mut row.records).for_each(rule);
    });
    check("offline_time_early", |rows| {
        for record in rows.iter_mut().flat_map(|row| &mut row.records) {
            if let Record::Stream(StreamRecord::Offline { at }) = record {
                *at = at.plus(DurationMs::new(1));
            }
        }
    });
    // Without the lapse nothing paused the drop, so its later phases do not fit.
    check("taken_while_shut", |rows| replace(rows, &online, &[]));
}
