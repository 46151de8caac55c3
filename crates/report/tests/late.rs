//! What the verifier takes for late, what it knows to be on its way.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::path::Path;

use stampede_domain::{DropId, DurationMs};
use stampede_ledger::{Record, StreamRecord};
use stampede_report::{Verification, verify::LATE_MS_MAX};
use support::{GRACE_MS, TTL_MS, plan, sale::State, sim::Sim, verify_dir};

fn kinds(verification: &Verification) -> Vec<&'static str> {
    verification.findings.iter().map(|finding| finding.fault.kind()).collect()
}

/// Two drops; the second has a take that is durable behind one that is not.
fn overtaken(path: &Path) -> (Sim, DropId) {
    let mut sim = Sim::new(path);
    sim.open(plan(&[5]));
    let second = sim.open(plan(&[5]));
    sim.buy(second, 1, 0, 1, "a");
    sim.buy(second, 2, 0, 1, "a");
    sim.flush_partly();
    (sim, second)
}

#[test]
fn a_start_that_has_not_brought_every_drop_back_misses_no_take() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sim, _) = overtaken(dir.path());
    sim.crash_and_recover(60_000, 1);
    let half = verify_dir(dir.path()).unwrap();
    // That start dies there; the next one is complete.
    sim.crash(60_000);
    sim.close();
    let whole = verify_dir(dir.path()).unwrap();
    assert!(half.ok, "{half}");
    assert_eq!((half.counts.takes_under_way, half.counts.takes_lost), (1, 0));
    assert!(whole.ok, "{whole}");
    assert_eq!((whole.counts.takes_under_way, whole.counts.takes_lost), (0, 1));
}

#[test]
fn a_take_that_does_not_follow_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sim, second) = overtaken(dir.path());
    let commit_after = |sim: &mut Sim, ms| {
        sim.now_ms += ms;
        sim.record_alone(second, Record::Featured);
        verify_dir(dir.path()).unwrap()
    };
    let young = commit_after(&mut sim, LATE_MS_MAX);
    let late = commit_after(&mut sim, 1);
    sim.close();
    assert!(young.ok, "it may be on its way: {young}");
    assert_eq!(kinds(&late), ["take_missing"], "{late}");
}

#[test]
fn while_nobody_is_served_no_take_can_follow() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sim, second) = overtaken(dir.path());
    let span = DurationMs::new(60_000);
    sim.now_ms += span.get();
    let until = sim.now();
    sim.record_alone(second, Record::Suspended { span, until });
    let verification = verify_dir(dir.path()).unwrap();
    sim.close();
    assert!(verification.ok, "{verification}");
    assert_eq!(verification.counts.takes_under_way, 1);
}

/// A hold that is given back in time; the commits of that moment come as late as the disk lets them, the
/// give-back in the last of three. The two before have these records of the drop.
fn given_back_on_a_slow_disk(path: &Path, before: impl Fn(&Sim) -> [Record; 2]) -> Verification {
    let mut sim = Sim::new(path);
    let drop = sim.open(plan(&[5]));
    sim.buy(drop, 1, 0, 1, "a");
    sim.flush();
    let released = sim.decide_end(drop, State::Released);
    for record in before(&sim) {
        sim.now_ms += TTL_MS + GRACE_MS + LATE_MS_MAX + 1;
        sim.record_alone(drop, record);
    }
    sim.record_alone(drop, released);
    sim.close();
    verify_dir(path).unwrap()
}

#[test]
fn what_stands_in_a_later_commit_was_not_decided_late() {
    let dir = tempfile::tempdir().unwrap();
    let verification = given_back_on_a_slow_disk(dir.path(), |sim| {
        let offline = StreamRecord::Offline { at: sim.now() };
        [Record::Stream(offline), Record::Stream(StreamRecord::Online)]
    });
    assert!(verification.ok, "{verification}");
}

#[test]
fn what_came_behind_two_other_commits_was_decided_late() {
    let dir = tempfile::tempdir().unwrap();
    let verification = given_back_on_a_slow_disk(dir.path(), |sim| {
        let moves_nothing = Record::Suspended { span: DurationMs::ZERO, until: sim.now() };
        [moves_nothing.clone(), moves_nothing]
    });
    assert_eq!(kinds(&verification), ["ended_late"], "{verification}");
}
