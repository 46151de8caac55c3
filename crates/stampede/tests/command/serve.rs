//! Starting, stopping, one server for each folder.

use std::{os::unix::fs::PermissionsExt, process::Command};

use rustix::process::Signal;
use serde_json::json;
use stampede_client::{ClientError, ConnectOptions, Connection, Subprotocol};
use stampede_ledger::{Journal, RowKey, SqliteJournal};
use stampede_wire::{ClientMessage, ServerMessage};

use crate::{
    running::{Running, stampede, stderr},
    shop::{Shop, command, done, open_drop},
};

#[test]
fn the_first_start_prints_a_token_the_second_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let first = Running::start(dir.path());
    assert!(first.viewers.starts_with("ws://127.0.0.1:"), "{}", first.viewers);
    assert!(first.control.starts_with("http://127.0.0.1:"), "{}", first.control);
    let token = first.token.clone().expect("an empty folder gets a token");
    assert!(token.len() > 40, "{token}");
    let staff = std::fs::read_to_string(dir.path().join("staff.json")).unwrap();
    assert!(!staff.contains(&token), "the file holds the hash alone");
    assert!(first.stop(Signal::TERM).success());
    let second = Running::start(dir.path());
    assert_eq!(second.token, None);
    assert!(second.stop(Signal::TERM).success());
}

#[test]
fn a_start_says_that_takes_are_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let first = Running::start(dir.path());
    assert!(!first.log().contains("the brake is on"), "{}", first.log());
    let give = |path: &str, body| {
        command(&first, first.token.as_deref().unwrap(), path, &path.replace('/', "-"), &body);
    };
    give("brake/stop", json!({"reason": "payments are down"}));
    give("brake/rates", json!({"buys_per_s": 9, "expires_in_ms": 600_000}));
    give("bans", json!({"viewer": "eve"}));
    assert!(first.stop(Signal::TERM).success());
    let log = Running::start(dir.path()).log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("the brake is on")).collect();
    let [line] = lines.as_slice() else { panic!("not one line: {log}") };
    for fact in ["first admin", "payments are down", "until ended", "buys_per_s 9, since", "bans=1"]
    {
        assert!(line.contains(fact), "{fact}: {line}");
    }
}

#[test]
fn a_failure_that_comes_with_each_request_is_said_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(dir.path());
    let token = server.token.as_deref().unwrap();
    let drop = open_drop(&server, token, "show");
    // A reader of the ledger finds none; the server itself has it open.
    std::fs::rename(dir.path().join("ledger.db"), dir.path().join("away.db")).unwrap();
    for path in ["report", "audit", "report", "audit", "report"] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H"]);
        curl.arg(format!("Authorization: Bearer {token}"));
        let status = done(curl.arg(format!("{}v1/drops/{drop}/{path}", server.control)));
        assert_eq!(status, "500");
    }
    let log = server.log();
    for what in ["a request failed", "an audit failed"] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(what)).collect();
        let [line] = lines.as_slice() else { panic!("not one line: {log}") };
        assert!(line.contains("times=1"), "{line}");
    }
}

#[test]
fn what_the_server_makes_is_for_its_account_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = Running::start(&data);
    for file in std::fs::read_dir(&data).unwrap().map(Result::unwrap) {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", file.path().display());
    }
    drop(server);
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_with_the_first_ones_number() {
    let dir = tempfile::tempdir().unwrap();
    let first = Running::start(dir.path());
    let args = ["--viewers", "127.0.0.1:0", "--control", "127.0.0.1:0"];
    let second = stampede().arg("serve").arg("--data").arg(dir.path()).args(args).assert().code(2);
    let said = stderr(&second);
    let last = said.lines().last().unwrap();
    let lock = std::fs::read_to_string(dir.path().join("ledger.lock")).unwrap();
    assert!(last.starts_with("stampede: "), "{said}");
    assert!(last.contains(&format!("in use by process {}", lock.trim())), "{said}");
    // The first one has not noticed.
    assert_eq!(first.sell(dir.path(), 1).orders, 1);
}

#[test]
fn a_taken_port_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (viewers, control) in [(address.as_str(), "127.0.0.1:0"), ("127.0.0.1:0", &address)] {
        let mut command = stampede();
        command.arg("serve").arg("--data").arg(dir.path());
        let refused = command.args(["--viewers", viewers, "--control", control]).assert().code(2);
        assert!(stderr(&refused).contains(&address), "{}", stderr(&refused));
    }
}

#[test]
fn a_start_that_finds_a_taken_port_leaves_the_ledger_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(dir.path());
    server.sell(dir.path(), 2);
    // Killed, so that a start would write a recovery.
    assert_eq!(server.stop(Signal::KILL).code(), None);
    let state = || {
        let journal = SqliteJournal::open(dir.path()).unwrap();
        let nodes = journal.nodes().unwrap();
        let rows = journal.into_rows(RowKey::default()).count();
        (rows, nodes[0].incarnation, nodes[0].last_seq)
    };
    let before = state();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (viewers, control) in [(address.as_str(), "127.0.0.1:0"), ("127.0.0.1:0", &address)] {
        let mut command = stampede();
        command.arg("serve").arg("--data").arg(dir.path());
        command.args(["--viewers", viewers, "--control", control]).assert().code(2);
        assert_eq!(state(), before);
    }
}

#[test]
fn signals_stop_it_cleanly_with_everything_durable() {
    for signal in [Signal::TERM, Signal::INT] {
        let dir = tempfile::tempdir().unwrap();
        let server = Running::start(dir.path());
        let sold = server.sell(dir.path(), 4);
        assert_eq!((sold.orders, sold.released), (2, 1));
        let status = server.stop(signal);
        assert_eq!(status.code(), Some(0), "{signal:?}");
        stampede().arg("verify").arg("--data").arg(dir.path()).assert().success();
    }
}

#[test]
fn killed_without_a_warning_it_starts_again_with_every_order() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(dir.path());
    let token = server.token.clone().unwrap();
    let sold = server.sell(dir.path(), 3);
    assert_eq!(server.stop(Signal::KILL).code(), None);
    let mut again = Running::start(dir.path());
    again.token = Some(token.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let control = stampede_loadtest::ControlClient::new(&again.control, &token);
    let state = runtime.block_on(control.state(&sold.drop)).unwrap();
    assert_eq!((state.sold(), state.held()), (1, 1));
    assert_eq!(again.sell(dir.path(), 3).held, 3, "it sells the next drop");
}

/// What becomes of a viewer's buy, in a word.
fn buy(server: &Running, ticket: &str, drop: &str, key: &str) -> String {
    let options = ConnectOptions::new(&server.viewers, Subprotocol::Json);
    let ask = async {
        let (mut connection, _) = Connection::open(&options, ticket).await?;
        let (drop, key) = (drop.parse().unwrap(), key.parse().unwrap());
        connection.send(&ClientMessage::Buy { drop, sku: "mug".into(), units: 1, key }).await?;
        loop {
            match connection.next().await? {
                ServerMessage::Held(_) => return Ok("held".to_owned()),
                ServerMessage::Refused(refused) => return Ok(refused.code.to_string()),
                _ => {}
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ask).unwrap_or_else(|error: ClientError| match error {
        ClientError::Closed { code: Some(code), .. } => code.to_string(),
        other => panic!("{other}"),
    })
}

#[test]
fn killed_without_a_warning_the_brake_is_still_on() {
    let shop = Shop::with_keys(&["EdDSA"]);
    let data = shop.data();
    let server = Running::start(&data);
    let token = server.token.clone().unwrap();
    let drop = open_drop(&server, &token, "show");
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| shop.ticket("EdDSA", "show", name));
    assert_eq!(buy(&server, &ann, &drop, "k"), "held");
    command(&server, &token, "bans", "ban", &json!({"viewer": "eve"}));
    command(&server, &token, "brake/stop", "stop", &json!({"reason": "payments are down"}));
    // Nothing is waited for: what was answered is durable.
    assert_eq!(server.stop(Signal::KILL).code(), None);
    let server = Running::start(&data);
    assert_eq!(buy(&server, &bob, &drop, "k"), "busy");
    assert_eq!(buy(&server, &ann, &drop, "k"), "held", "a retry gets its answer");
    assert_eq!(buy(&server, &eve, &drop, "k"), "4201");
    command(&server, &token, "brake/go", "go", &json!({}));
    assert_eq!(buy(&server, &bob, &drop, "k"), "held");
    assert_eq!(buy(&server, &eve, &drop, "k"), "4201", "the ban is another matter");
    assert!(server.stop(Signal::TERM).success());
    stampede().arg("verify").arg("--data").arg(&data).assert().success();
}
