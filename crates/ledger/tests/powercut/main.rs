//! Tests that a power cut loses no promise.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod disk;
mod drill;
#[path = "../support/mod.rs"]
mod support;
mod vfs;

use parking_lot::Mutex;
use stampede_ledger::{DataDir, SqliteLedger, SqliteOptions, Synchronous};

/// The machine has one disk.
static DRILL: Mutex<()> = Mutex::new(());

#[test]
fn no_promise_is_lost_to_a_power_cut() {
    let _alone = DRILL.lock();
    for seed in 1..=4 {
        let dir = tempfile::tempdir().unwrap();
        let report = drill::run(dir.path(), seed, 12, Synchronous::Full);
        assert!(report.passed(), "{report}");
        assert!(report.promises > 200, "{report}");
        assert_eq!(report.cuts, 12);
    }
}

#[test]
fn without_syncs_the_drill_finds_lost_promises() {
    let _alone = DRILL.lock();
    for seed in 1..=4 {
        let dir = tempfile::tempdir().unwrap();
        let report = drill::run(dir.path(), seed, 6, Synchronous::Off);
        assert!(report.promises_lost > 0, "{report}");
    }
}

#[test]
fn a_failing_disk_is_marked_for_the_next_start() {
    let _alone = DRILL.lock();
    let dir = tempfile::tempdir().unwrap();
    vfs::install(disk::Disk::new(1));
    let options = SqliteOptions { vfs: Some(vfs::NAME.into()), ..SqliteOptions::default() };
    let data = DataDir::lock(dir.path()).unwrap();
    let opened = SqliteLedger::open_with(&data, &support::node(), &options).unwrap();
    let mut rig = support::Rig::start(opened);
    rig.commit(vec![support::lot(5)]);
    vfs::with_disk(|disk| disk.cut_after(0));
    rig.core.push(support::entry(support::lot(5)));
    support::wait(|| !rig.seen.poisoned().is_empty());
    assert!(rig.seen.poisoned()[0].contains("disk I/O error"), "{:?}", rig.seen.poisoned());
    assert_eq!(rig.core.durable().get(), 1);
    assert_eq!(std::fs::read(dir.path().join("ledger.health")).unwrap(), b"1");
}
