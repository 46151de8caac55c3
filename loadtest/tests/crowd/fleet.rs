//! Several processes at once.

use std::{process::Command, time::Duration};

use stampede_loadtest::{CrowdPlan, Fleet, FleetError, ViewerRange};

use crate::{
    fake::Fake,
    sale::{TERMS, plan},
};

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.arg("crowd");
    command
}

/// Looks every few milliseconds; a minute is longer than any healthy run takes.
#[track_caller]
fn wait(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if done() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("{what} did not happen");
}

#[test]
fn processes_share_the_viewers_and_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(TERMS);
    let part = |from: u32| CrowdPlan {
        viewers: ViewerRange { from, to: from + 150 },
        connected: 75,
        ..plan(&fake, &folder.path().join(from.to_string()))
    };
    let mut fleet = Fleet::spawn([0, 150].map(|from| (command(), part(from)))).unwrap();
    let settled = || fleet.progress().is_some_and(|progress| progress.first_wave_settled);
    wait("connecting", settled);
    assert_eq!(fleet.progress().unwrap().connected, 150);
    assert!(!fleet.any_over());
    fake.open();
    wait("some sales", || fleet.progress().is_some_and(|progress| progress.counts.orders > 20));
    fleet.stop();
    let result = fleet.wait().unwrap();
    let counts = &result.counts;
    assert_eq!(counts.clicks, fake.books.lock().clicks, "{counts:?}");
    assert!(counts.connections_peak >= 150 && counts.orders > 20, "{counts:?}");
    let latency = result.latency.summary();
    assert!(latency.p50 > 0 && latency.p50 <= latency.p99 && latency.p99 <= latency.max);
}

#[test]
fn a_process_says_why_it_cannot_play() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(TERMS);
    let plan = CrowdPlan { connected: 0, ..plan(&fake, &folder.path().join("log")) };
    let fleet = Fleet::spawn([(command(), plan)]).unwrap();
    wait("the end", || fleet.any_over());
    let error = fleet.wait().unwrap_err().to_string();
    assert_eq!(error, "crowd process 0 failed: connected is 0; it must be above 0");
}

#[test]
fn a_process_that_dies_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(TERMS);
    let plan = plan(&fake, &folder.path().join("log"));
    let fleet = Fleet::spawn([(Command::new("true"), plan.clone())]);
    // The plan may or may not be written before the process has gone.
    match fleet.and_then(Fleet::wait).unwrap_err() {
        FleetError::Silent { process: 0, .. } | FleetError::Start { process: 0, .. } => {}
        other => panic!("{other}"),
    }
    let missing = Fleet::spawn([(Command::new("there-is-no-such-program"), plan)]);
    assert!(matches!(missing.unwrap_err(), FleetError::Start { process: 0, .. }));
}
