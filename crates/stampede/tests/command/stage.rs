//! The staged demo, run as its page runs it.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Looks at what shall become so, about a minute.
const LOOKS_MAX: u32 = 2_000;

use crate::{
    running::{stampede, stderr},
    shop::done,
};

/// A staged demo, ended with the test.
struct Staged {
    child: Child,
    lines: Box<dyn Iterator<Item = String>>,
    /// Where its pages are, without the last slash.
    base: String,
    invitation: String,
}

impl Staged {
    fn start(place: &Path, viewers: u32) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stampede"));
        command.env_clear().args(["demo", "--stage", "--no-browser", "--data"]).arg(place);
        command.args(["--viewers", &viewers.to_string()]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok);
        let link = lines.find(|line| line.contains("/join/")).expect("it prints its link");
        let (base, invitation) = link.trim().split_once("/join/").unwrap();
        let (base, invitation) = (base.to_owned(), invitation.to_owned());
        Self { child, lines: Box::new(lines), base, invitation }
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Whether somebody listens where its pages are.
    fn serves(&self) -> bool {
        TcpStream::connect(self.base.trim_start_matches("http://")).is_ok()
    }

    /// Numbers of the processes that its threads have started.
    fn children(&self) -> BTreeSet<String> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let listed = threads
            // A thread that has just ended has no file any more.
            .filter_map(|thread| {
                std::fs::read_to_string(thread.ok()?.path().join("children")).ok()
            });
        listed
            .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It has ended already if it was asked to; what it has started ends with it.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A browser that is signed in, as far as the interface can tell.
struct Page {
    base: String,
    cookie: String,
    csrf: String,
}

impl Page {
    fn join(staged: &Staged) -> Self {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-i", "--fail-with-body", "-H", "Content-Type: application/json", "-d"]);
        curl.arg(json!({"invitation": staged.invitation}).to_string());
        let answer = done(curl.arg(format!("{}/v1/sessions", staged.base)));
        let between = |from: &str, to: &str| {
            let (_, rest) = answer.split_once(from).expect("it is in the answer");
            rest.split_once(to).unwrap().0.to_owned()
        };
        let cookie = format!("Cookie: {}", between("set-cookie: ", ";"));
        let csrf = format!("X-CSRF-Token: {}", between("\"csrf\":\"", "\""));
        Self { base: staged.base.clone(), cookie, csrf }
    }

    fn curl(&self, path: &str) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail-with-body", "-H", &self.cookie]);
        curl.arg(format!("{}/v1/{path}", self.base));
        curl
    }

    fn post(&self, path: &str, body: &Value) -> Command {
        let mut curl = self.curl(path);
        curl.args(["-X", "POST", "-H", "Content-Type: application/json", "-H", &self.csrf]);
        curl.args(["-H", &format!("Origin: {}", self.base)]);
        let key = path.replace('/', "-");
        curl.args(["-H", &format!("Idempotency-Key: {key}"), "-d", &body.to_string()]);
        curl
    }

    fn press(&self, path: &str, body: &Value) {
        done(&mut self.post(path, body));
    }

    /// Looks again and again until what stands there is `wanted`, also through a restart.
    fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut told = Value::Null;
        for _ in 0..LOOKS_MAX {
            let output = self.curl(path).output().unwrap();
            told = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if output.status.success() && wanted(&told) {
                return told;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        panic!("{path} does not become what it should: {told}");
    }
}

/// Units that can be taken.
fn left(drop: &Value) -> u64 {
    let skus = drop["skus"].as_array().into_iter().flatten();
    skus.map(|sku| sku["available"].as_u64().unwrap_or_default()).sum()
}

/// Takes so far.
fn takes(drop: &Value) -> u64 {
    let skus = drop["skus"].as_array().into_iter().flatten();
    skus.map(|sku| sku["last_take"].as_u64().unwrap_or_default()).sum()
}

/// Whether a process runs; one that has ended may lie there until somebody asks for its end.
fn runs(process: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(process).join("stat"));
    let stat = stat.unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

fn is_open(drop: &Value) -> bool {
    drop["phase"] == "open"
}

#[test]
fn a_staged_server_that_is_killed_in_mid_sale_keeps_every_promise() {
    let dir = tempfile::tempdir().unwrap();
    let mut staged = Staged::start(dir.path(), 200);
    let page = Page::join(&staged);
    let told = page.until("demo", |told| told["stage"] == "running");
    assert_eq!((&told["viewers"], &told["connected"]), (&200.into(), &200.into()), "{told}");
    assert!(told.get("last_kill").is_none(), "{told}");

    page.press("drops/d1/open", &json!({}));
    page.until("drops/d1", |drop| is_open(drop) && left(drop) == 0);
    page.press("drops/d1/lots", &json!({"sku": "perfume", "units": 20}));
    page.until("drops/d1", |drop| drop["skus"][0]["supplied"] == 186 && left(drop) == 0);
    page.press("drops/d2/open", &json!({}));
    page.until("drops/d2", |drop| is_open(drop) && left(drop) < 132);

    // The answer may be lost with the server.
    let _asked = page.post("demo/kill", &json!({})).output().unwrap();
    let told = page.until("demo", |told| told["last_kill"]["kept"].is_u64());
    let kill = &told["last_kill"];
    assert!(kill["given"].as_u64() > Some(166), "{told}");
    assert_eq!((&kill["kept"], &kill["verified"]), (&kill["given"], &true.into()), "{told}");
    assert_eq!(told["kills"], 1);
    // Everybody comes back; the sale goes on.
    page.until("demo", |told| told["connected"] == 200);
    let before = page.until("drops/d2", is_open);
    page.until("drops/d2", |drop| takes(drop) > takes(&before));

    staged.signal(Signal::INT);
    let said: Vec<String> = staged.lines.by_ref().collect();
    assert_eq!(staged.child.wait().unwrap().code(), Some(0), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("proven ")), "{said:?}");
    let promises = said.iter().find_map(|line| line.strip_prefix("promises")).unwrap();
    let counts: Vec<&str> = promises.split_whitespace().collect();
    assert_eq!(counts[0], counts[2], "{promises}");
    let money = said.iter().find_map(|line| line.strip_prefix("money ")).unwrap();
    assert!(money.ends_with(", due 0.00 EUR") && !money.contains("paid 0.00"), "{money}");
    assert!(!staged.serves());
    let ledger = dir.path().join("ledger");
    stampede().arg("verify").arg("--data").arg(ledger).assert().success();
}

#[test]
fn whatever_a_staged_demo_started_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut staged = Staged::start(dir.path(), 10);
    let children = staged.children();
    assert_eq!(children.len(), 2, "the server, the crowd");
    staged.signal(Signal::KILL);
    staged.child.wait().unwrap();
    for child in children {
        while runs(&child) {
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
    assert!(!staged.serves());
}

#[test]
fn a_show_that_cannot_begin_says_why_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let begin = |args: &[&str]| {
        let mut command = stampede();
        command.env("TMPDIR", dir.path()).args(["demo", "--stage", "--no-browser"]).args(args);
        stderr(&command.assert().code(2))
    };
    let said = begin(&["--port", &port]);
    let wanted = format!("the server did not start: cannot listen on 127.0.0.1:{port}");
    assert!(said.contains(&wanted), "{said}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    for args in [["--units", "5"], ["--connected", "50"], ["--viewers", "9"]] {
        begin(&args);
    }
    let binary = env!("CARGO_BIN_EXE_stampede");
    let mut shell = assert_cmd::Command::new("bash");
    shell.args(["-c", &format!("ulimit -n 300; exec {binary} demo --stage --no-browser")]);
    let said = stderr(&shell.env_clear().env("TMPDIR", dir.path()).assert().code(2));
    assert!(said.contains("the limit of open descriptors is 300"), "{said}");

    let dir = dir.path().join("data");
    let serve = |args: &[&str]| {
        let mut command = stampede();
        command.arg("serve").arg("--data").arg(&dir).arg("--staged").args(args);
        stderr(&command.assert().code(2))
    };
    assert!(serve(&[]).contains("standard input is not its socket"));
    let said = serve(&["--control", "0.0.0.0:0"]);
    assert!(said.contains("0.0.0.0:0 can be reached from other machines"), "{said}");
    assert!(!dir.exists());
}
