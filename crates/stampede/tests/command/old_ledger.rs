//! A ledger of the first version, written by the program of that time, in the hands of this one.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    running::{Running, stampede, stdout},
    shop::done,
};

/// Its drops, as its server left them when it was killed for the third time: d1 and d2 are settled
/// with orders, d3 is open with two lots, d4 is cancelled, d5 is scheduled. The house's chain has a stop
/// of all takes, its end, a ban.
const LEDGER: &str = "tests/ledgers/version-1.db";

fn old_ledger() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(LEDGER);
    std::fs::copy(from, dir.path().join("ledger.db")).unwrap();
    dir
}

fn verify(data: &Path) -> Value {
    let said = stampede().args(["verify", "--json", "--data"]).arg(data).assert().success();
    serde_json::from_str(&stdout(&said)).unwrap()
}

/// What the server's control interface has at a path.
fn ask(server: &Running, path: &str) -> Value {
    let mut curl = Command::new("curl");
    let token = server.token.as_deref().unwrap();
    curl.args(["-sS", "--fail-with-body", "-H"]).arg(format!("Authorization: Bearer {token}"));
    serde_json::from_str(&done(curl.arg(format!("{}{path}", server.control)))).unwrap()
}

/// Each drop with its phase and the units in orders.
fn drops(server: &Running) -> Vec<(String, String, u64)> {
    let answer = ask(server, "v1/drops");
    let drops = answer["drops"].as_array().unwrap().iter().map(|drop| {
        let text = |field: &str| drop[field].as_str().unwrap().to_owned();
        (text("drop"), text("phase"), drop["sold"].as_u64().unwrap())
    });
    drops.collect()
}

#[test]
fn an_old_ledger_verifies_opens_sells_and_verifies() {
    let dir = old_ledger();
    assert_eq!(verify(dir.path())["verify"], "ok", "read as it is, without a server");
    let server = Running::start(dir.path());
    let expected = [
        ("d1", "settled", 4),
        ("d2", "settled", 3),
        ("d3", "open", 0),
        ("d4", "cancelled", 0),
        ("d5", "scheduled", 0),
    ];
    let found = drops(&server);
    let found: Vec<_> = found.iter().map(|(id, phase, sold)| (&**id, &**phase, *sold)).collect();
    assert_eq!(found, expected);
    // Streams have owners since: the merchant whose drop came first.
    let rooms = ask(&server, "v1/rooms");
    let owner = |room: &Value| (room["stream"].clone(), room["owner"]["name"].clone());
    let owners: Vec<_> = rooms["rooms"].as_array().unwrap().iter().map(owner).collect();
    assert_eq!(owners, [("friday".into(), "maison-nord".into()), ("probe".into(), "probe".into())]);
    server.sell(dir.path(), 5);
    let token = server.token.clone();
    assert_eq!(server.stop(Signal::KILL).code(), None);
    assert_eq!(verify(dir.path())["verify"], "ok");
    let mut again = Running::start(dir.path());
    again.token = token;
    assert_eq!(drops(&again).len(), 6, "the drop that was sold from is there too");
    assert!(again.stop(Signal::TERM).success());
    assert_eq!(verify(dir.path())["verify"], "ok");
}
