//! A small demo: the whole path from the first click to the proof.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::running::{stampede, stdout};

#[test]
fn a_small_demo_sells_out_and_proves_it() {
    let mut command = stampede();
    command.args(["demo", "--json", "--connected", "60", "--units", "40"]);
    let said = stdout(&command.assert().success());
    let outcome: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    for field in ["oversold", "stranded", "promises_lost", "duplicate_orders"] {
        assert_eq!(outcome[field], 0, "{field} in {outcome}");
    }
    assert_eq!((&outcome["units_supplied"], &outcome["units_sold"]), (&40.into(), &40.into()));
    assert_eq!(outcome["verify"], "ok", "{outcome}");
    assert_eq!(outcome["clicks_agree"], true, "{outcome}");
    for field in [
        "viewers",
        "peak_connections",
        "clicks",
        "clicks_first_second",
        "promises",
        "time_to_sell_out_ms",
        "time_to_settled_ms",
        "clicks_per_s",
    ] {
        assert!(outcome[field].as_u64() > Some(0), "{field} in {outcome}");
    }
    for field in ["p50", "p99", "p999", "max"] {
        assert!(outcome["decision_latency_us"][field].as_u64() > Some(0), "{field} in {outcome}");
    }
    for field in ["double_clicks", "early_clicks", "reconnect_retries", "expired"] {
        assert!(outcome[field].is_u64(), "{field} in {outcome}");
    }
    let money = &outcome["money"];
    let minor = |field: &str| money[field].as_u64().unwrap();
    assert_eq!(outcome["money_agrees"], true, "{outcome}");
    assert_eq!(minor("paid_minor") - minor("refunded_minor"), 40 * 4_990, "{money}");
    assert_eq!((minor("ordered_minor"), minor("due_minor")), (40 * 4_990, 0), "{money}");
    assert!(outcome["journal"]["records"].as_u64() >= outcome["journal"]["commits"].as_u64());
}

/// Whether a demo below `dir` has come as far as its ledger.
fn has_ledger(dir: &Path) -> bool {
    let mut made = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    made.any(|folder| folder.path().join("ledger").join("ledger.db").exists())
}

#[test]
fn a_demo_that_is_broken_off_leaves_nothing() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_stampede"));
        command.env_clear().env("TMPDIR", dir.path());
        command.args(["demo", "--connected", "60", "--units", "40"]);
        let mut demo = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !has_ledger(dir.path()) {
            assert!(demo.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let id = i32::try_from(demo.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(id, signal).unwrap();
        assert_eq!(demo.wait().unwrap().code(), Some(code), "{signal:?}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{signal:?}");
    }
}
