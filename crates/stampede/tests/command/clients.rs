//! Clients in other languages against the running server.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    net::TcpListener,
    process::{Child, ChildStdout, Command, Stdio},
};

use rustix::process::Signal;
use serde_json::Value;
use stampede_client::{ConnectOptions, Connection, Subprotocol, Welcome};
use stampede_domain::ChannelId;

use crate::{
    running::{Running, stampede},
    shop::{Shop, done, installed, open_drop, sample, tree},
};

const SANDBOX: [&str; 4] = ["--payments", "sandbox", "--payment-delay-ms", "1"];

fn join(server: &Running, ticket: &str) -> Welcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = ConnectOptions::new(&server.viewers, Subprotocol::Json);
    runtime.block_on(Connection::open(&options, ticket)).unwrap().1
}

#[test]
fn tickets_of_every_language_are_let_in() {
    let algorithms = ["EdDSA", "HS256"];
    let shop = Shop::with_keys(&algorithms);
    let server = Running::with(&shop.data(), &[]);
    let python = installed("python").join("bin/python");
    for algorithm in algorithms {
        for (program, file) in [
            ("node", "mint_ticket.mjs"),
            ("java", "MintTicket.java"),
            (python.to_str().unwrap(), "mint_ticket.py"),
        ] {
            let mut minting = Command::new(program);
            minting.env("PYTHONDONTWRITEBYTECODE", "1");
            minting.arg(sample(file)).arg(shop.key(algorithm)).args(["friday", "v-1", "nina"]);
            let welcome = join(&server, done(&mut minting).trim());
            assert_eq!((welcome.viewer.as_str(), welcome.stream.as_str()), ("v-1", "friday"));
            assert_eq!(welcome.channel.as_ref().map(ChannelId::as_str), Some("nina"), "{file}");
        }
    }
}

#[test]
fn samples_say_how_they_are_used() {
    // The one that imports something has it beside it.
    let app = tempfile::tempdir().unwrap();
    let client = tree().join("crates/control/assets/stampede.mjs");
    for file in [sample("buy_and_pay.mjs"), client] {
        std::fs::copy(&file, app.path().join(file.file_name().unwrap())).unwrap();
    }
    let packages = installed("npm").join("node_modules");
    std::os::unix::fs::symlink(packages, app.path().join("node_modules")).unwrap();
    let buyer = app.path().join("buy_and_pay.mjs");
    for (program, file) in [
        ("node", buyer.to_str().unwrap()),
        ("node", "make_ticket_key.mjs"),
        ("node", "generate_models.mjs"),
        ("node", "mint_ticket.mjs"),
        ("node", "shop.mjs"),
        ("java", "MintTicket.java"),
        ("python3", "buy_and_pay.py"),
        ("python3", "report_payment.py"),
        ("node", "report_payment.mjs"),
        ("java", "ReportPayment.java"),
    ] {
        // A whole path stays as it is.
        let path = sample(file);
        let output = Command::new(program).arg(&path).output().unwrap();
        assert!(!output.status.success(), "{file}");
        let said = String::from_utf8_lossy(&output.stderr);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(said.contains("usage: ") && said.contains(name), "{file}: {said}");
    }
}

#[test]
fn the_javascript_client_holds_against_the_server() {
    let shop = Shop::with_keys(&["EdDSA"]);
    let server = Running::with(&shop.data(), &SANDBOX);
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"]);
    node.arg(tree().join("crates/control/tests/javascript/server.test.mjs"));
    node.env("STAMPEDE_VIEWERS", &server.viewers).env("STAMPEDE_CONTROL", &server.control);
    node.env("STAMPEDE_TOKEN", server.token.as_deref().unwrap());
    node.env("STAMPEDE_KEY", shop.key("EdDSA")).env("STAMPEDE_NPM", installed("npm"));
    // Set where one test runner starts another; Node would report to nobody.
    println!("{}", done(node.env_remove("NODE_TEST_CONTEXT")));
}

#[test]
fn the_client_may_have_a_port_that_shows_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = dir.path().join("stampede.toml");
    std::fs::write(&settings, format!("[assets]\nlisten = \"127.0.0.1:{port}\"\n")).unwrap();
    let server = Running::with(&dir.path().join("data"), &["--config", settings.to_str().unwrap()]);
    let ask = |address: &str, path: &str| {
        let mut curl = Command::new("curl");
        done(curl.args(["-sS", "-o", "-", "-w", "\n%{http_code}"]).arg(format!("{address}{path}")))
    };
    let public = format!("http://127.0.0.1:{port}/");
    let client = ask(&public, "client/stampede.mjs");
    assert!(client.ends_with("\n200"));
    assert_eq!(client, ask(&server.control, "client/stampede.mjs"));
    assert!(ask(&public, "healthz").ends_with("\n404"));
    assert!(ask(&server.control, "healthz").ends_with("\n200"));
}

/// The client in Python, which was written from the protocol document alone.
struct Python {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Python {
    fn start(url: &str, ticket: &str) -> Self {
        let mut python = Command::new("python3");
        python.arg(sample("buy_and_pay.py")).args([url, ticket]);
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What happens up to and including an event.
    fn until(&mut self, last: &str) -> Vec<Value> {
        let mut events = Vec::new();
        for line in self.lines.by_ref() {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let done = event["event"] == last;
            events.push(event);
            if done {
                return events;
            }
        }
        panic!("the client ended before {last}: {events:#?}");
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[test]
fn a_client_from_the_document_alone_buys_is_refused_reconnects_pays() {
    let shop = Shop::with_keys(&["HS256"]);
    let server = Running::with(&shop.data(), &SANDBOX);
    open_drop(&server, server.token.as_deref().unwrap(), "friday");
    let viewers = server.viewers.clone();
    let mut python = Python::start(&viewers, &shop.ticket("HS256", "friday", "v-1"));
    let before = python.until("waiting");
    assert_eq!(names(&before), ["welcome", "held", "refused", "waiting"]);
    assert_eq!(
        (&before[1]["retry"], &before[2]["code"]),
        (&false.into(), &"over_viewer_limit".into())
    );

    server.stop(Signal::KILL);
    let address = viewers.trim_start_matches("ws://").trim_end_matches('/');
    let server = Running::at(address, &shop.data(), &SANDBOX);
    writeln!(python.child.stdin.as_mut().unwrap()).unwrap();

    let after = python.until("done");
    let held = after.iter().find(|event| event["event"] == "held").unwrap();
    assert_eq!((&held["retry"], &held["hold"]), (&true.into(), &before[1]["hold"]));
    assert_eq!(after.last().unwrap()["orders"], serde_json::json!([before[1]["hold"]]));
    assert!(names(&after).contains(&"lost"), "{after:#?}");
    assert!(python.child.wait().unwrap().success());

    server.stop(Signal::TERM);
    stampede().args(["verify", "--data"]).arg(shop.data()).assert().success();
}
