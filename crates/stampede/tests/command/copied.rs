//! A ledger that was copied does not sell again what was sold after the copy.

use std::{path::Path, process::Command};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    running::Running,
    shop::{command, done},
};

/// What the brake says about takes.
fn stopped(server: &Running, token: &str) -> Value {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail-with-body", "-H"]).arg(format!("Authorization: Bearer {token}"));
    let said = done(curl.arg(format!("{}v1/brake", server.control)));
    serde_json::from_str::<Value>(&said).unwrap()["stopped"].clone()
}

/// Copies the directory of a running server as the guide says.
fn back_up(from: &Path, to: &Path) {
    let ledger = rusqlite::Connection::open(from.join("ledger.db")).unwrap();
    let target = to.join("ledger.db");
    ledger.execute("VACUUM INTO ?1", [target.to_str().unwrap()]).unwrap();
    for file in ["staff.json", "ticket-keys.json"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

#[test]
fn a_copy_sells_only_once_staff_have_looked() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Running::start(dir.path());
    let token = server.token.clone().unwrap();
    server.sell(dir.path(), 3);
    back_up(dir.path(), copy.path());
    server.sell(dir.path(), 2);
    assert!(server.stop(Signal::TERM).success());

    let restored = Running::start(copy.path());
    assert!(restored.log().contains("this ledger is a copy"), "{}", restored.log());
    let why = stopped(&restored, &token);
    assert_eq!(why["actor"], "the server");
    assert!(why["reason"].as_str().unwrap().starts_with("this ledger is a copy"), "{why}");
    assert_eq!(restored.stop(Signal::KILL).code(), None);
    let mut restored = Running::start(copy.path());
    assert!(!stopped(&restored, &token).is_null(), "still, after a crash");
    command(&restored, &token, "brake/go", "go", &json!({}));
    restored.token = Some(token.clone());
    restored.sell(copy.path(), 2);
    assert!(restored.stop(Signal::TERM).success());
    // Where it is now it is at home, as the original always was.
    for data in [copy.path(), dir.path()] {
        let server = Running::start(data);
        assert!(stopped(&server, &token).is_null(), "{}", server.log());
        assert!(server.stop(Signal::TERM).success());
    }
}
