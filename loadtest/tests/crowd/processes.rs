//! Several processes at once.

use std::{process::Command, time::Duration};

use stampede_loadtest::{CrowdPlan, CrowdProcessError, CrowdProcesses, ViewerRange};

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
    let mut processes =
        CrowdProcesses::spawn([0, 150].map(|from| (command(), part(from)))).unwrap();
    let settled = || processes.progress().is_some_and(|progress| progress.first_wave_settled);
    wait("connecting", settled);
    assert_eq!(processes.progress().unwrap().connected, 150);
    assert!(!processes.any_over());
    fake.open();
    wait("some sales", || processes.progress().is_some_and(|progress| progress.counts.orders > 20));
    processes.stop();
    let result = processes.wait().unwrap();
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
    let processes = CrowdProcesses::spawn([(command(), plan)]).unwrap();
    wait("the end", || processes.any_over());
    let error = processes.wait().unwrap_err().to_string();
    assert_eq!(error, "crowd process 0 failed: connected is 0; it must be above 0");
}

#[test]
fn a_process_that_dies_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(TERMS);
    let plan = plan(&fake, &folder.path().join("log"));
    let processes = CrowdProcesses::spawn([(Command::new("true"), plan.clone())]);
    // The plan may or may not be written before the process has gone.
    match processes.and_then(CrowdProcesses::wait).unwrap_err() {
        CrowdProcessError::Silent { process: 0, .. }
        | CrowdProcessError::Start { process: 0, .. } => {}
        other => panic!("{other}"),
    }
    let missing = CrowdProcesses::spawn([(Command::new("there-is-no-such-program"), plan)]);
    assert!(matches!(missing.unwrap_err(), CrowdProcessError::Start { process: 0, .. }));
}
