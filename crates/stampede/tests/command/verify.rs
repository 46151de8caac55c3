//! The verifier from the command line, against a sold ledger damaged in every way.

use std::{path::Path, process::Command};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    corrupt::{Kind, corrupt},
    running::{Running, stampede, stderr, stdout},
    shop::{command, done, open_drop},
};

/// The ledger of a server that has sold, settled a drop, stopped, started once more.
fn sold() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(dir.path());
    server.sell(dir.path(), 9);
    let token = server.token.as_deref().unwrap();
    let drop = open_drop(&server, token, "gala");
    command(&server, token, &format!("drops/{drop}/close"), "close", &json!({}));
    // Each look takes a process: the drop settles within the first few.
    let is_settled = || {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-H"]).arg(format!("Authorization: Bearer {token}"));
        done(curl.arg(format!("{}v1/drops/{drop}", server.control)))
            .contains(r#""phase":"settled""#)
    };
    assert!((0..1_000).any(|_| is_settled()), "{drop} does not settle");
    assert!(server.stop(Signal::TERM).success());
    assert!(Running::start(dir.path()).stop(Signal::TERM).success());
    dir
}

fn copy(of: &Path) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(of).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    dir
}

#[test]
fn a_sound_ledger_is_ok() {
    let dir = sold();
    let said = stampede().args(["verify", "--json", "--data"]).arg(dir.path()).assert().success();
    let verdict: Value = serde_json::from_str(&stdout(&said)).unwrap();
    assert_eq!((verdict["verify"].as_str(), verdict["found"].as_u64()), (Some("ok"), Some(0)));
    assert_eq!(verdict["counts"]["orders"], 3);
    let said = stampede().args(["verify", "--data"]).arg(dir.path()).assert().success();
    assert!(stdout(&said).starts_with("verify       ok\n"), "{}", stdout(&said));
}

#[test]
fn every_corruption_is_named_with_a_failing_exit() {
    let ledger = sold();
    for (kind, name) in Kind::ALL {
        let dir = copy(ledger.path());
        let done = corrupt(dir.path(), kind, 7);
        let said = stampede().args(["verify", "--json", "--data"]).arg(dir.path()).assert();
        let code = said.get_output().status.code();
        if code == Some(2) {
            // Damage may reach what is needed to open the ledger at all.
            assert_eq!(kind, Kind::BreakPage, "{name}: {}", stderr(&said));
            assert!(stderr(&said).contains("malformed"), "{name}: {}", stderr(&said));
            continue;
        }
        assert_eq!(code, Some(1), "{name} goes unnoticed: {done}");
        let verdict: Value = serde_json::from_str(&stdout(&said)).unwrap();
        let findings = verdict["findings"].as_array().unwrap();
        let named = |finding: &Value| kind.names().contains(&finding["kind"].as_str().unwrap());
        assert!(findings.iter().any(named), "{name} ({done}) is called {verdict}");
    }
}

#[test]
fn a_server_refuses_a_damaged_ledger_and_names_the_row() {
    let dir = sold();
    corrupt(dir.path(), Kind::FlipBody, 7);
    let args = ["--viewers", "127.0.0.1:0", "--control", "127.0.0.1:0"];
    let refused = stampede().arg("serve").arg("--data").arg(dir.path()).args(args).assert().code(2);
    let said = stderr(&refused);
    assert!(said.contains("the ledger is damaged: journal row d"), "{said}");
}

#[test]
fn a_folder_without_a_ledger_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let refused = stampede().args(["verify", "--data"]).arg(dir.path()).assert().code(2);
    assert!(!stderr(&refused).is_empty());
}
