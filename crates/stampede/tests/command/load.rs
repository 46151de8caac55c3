//! `stampede load` against a running server: what each kind of end looks like.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    running::Running,
    shop::{command, done},
};

/// A small crowd; what a test adds comes last.
const SMALL: [&str; 8] =
    ["--connected", "60", "--viewers", "100", "--units", "40", "--hold-ttl-s", "1"];
/// What `load` says once the crowd knows when the drop opens.
const ANNOUNCED: &str = "the opening is announced";

fn load(server: &Running, data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stampede"));
    command.env_clear().env("STAMPEDE_TOKEN", server.token.as_deref().unwrap());
    command.args(["load", "--json", "--url", &server.viewers, "--control", &server.control]);
    command.arg("--ticket-keys").arg(data.join("ticket-keys.json"));
    command.args(SMALL).args(args);
    command
}

/// The same command with other values for some of its options.
fn replacing(command: &Command, options: &[&str]) -> Command {
    let mut replaced = Command::new(command.get_program());
    let token = command
        .get_envs()
        .find_map(|(name, value)| (name == "STAMPEDE_TOKEN").then_some(value).flatten());
    replaced.env_clear().env("STAMPEDE_TOKEN", token.unwrap());
    let mut args = command.get_args();
    while let Some(arg) = args.next() {
        if options.iter().step_by(2).any(|option| arg == *option) {
            args.next();
        } else {
            replaced.arg(arg);
        }
    }
    replaced.args(options);
    replaced
}

/// Runs it to its end: exit code, its JSON or nothing, what it has said.
fn ended(command: &mut Command) -> (i32, Value, String) {
    let output = command.output().unwrap();
    let (printed, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let outcome = printed.lines().last().map_or(Value::Null, |last| {
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {printed}\n{said}"))
    });
    (output.status.code().unwrap(), outcome, said)
}

/// A run that goes on while the test does something to it.
struct Started {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Started {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// Reads until it says this.
    fn wait_for(&mut self, words: &str) {
        let mut all = String::new();
        while self.said.read_line(&mut all).unwrap() > 0 {
            if all.lines().last().unwrap().contains(words) {
                return;
            }
        }
        panic!("it never said {words:?}: {all}");
    }

    fn signal(&self, signal: Signal) {
        send(self.child.id(), signal);
    }

    /// The processes of the crowd.
    fn crowd(&self) -> Vec<u32> {
        let id = self.child.id();
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let children = tasks
            .map(|task| std::fs::read_to_string(task.unwrap().path().join("children")).unwrap());
        let children: Vec<u32> = children
            .flat_map(|line| {
                line.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>()
            })
            .collect();
        assert!(!children.is_empty());
        children
    }

    fn end(self) -> (i32, Value) {
        // Nobody reads on, so what it says must not fill the pipe.
        let Self { mut child, mut said } = self;
        let rest = thread::spawn(move || {
            let mut rest = String::new();
            said.read_to_string(&mut rest).map(|_| rest)
        });
        let mut printed = String::new();
        child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        let code = child.wait().unwrap().code().unwrap();
        let said = rest.join().unwrap().unwrap();
        let outcome = printed.lines().last().unwrap_or_else(|| panic!("no result: {said}"));
        (code, serde_json::from_str(outcome).unwrap())
    }
}

fn send(id: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(id).unwrap()).unwrap(), signal).unwrap();
}

fn drop_state(server: &Running, drop: &str) -> Value {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail-with-body", "-H"]);
    curl.arg(format!("Authorization: Bearer {}", server.token.as_deref().unwrap()));
    let said = done(curl.arg(format!("{}v1/drops/{drop}", server.control)));
    serde_json::from_str(&said).unwrap()
}

/// Plans a drop of two SKUs.
fn plan(server: &Running, mode: &str) -> String {
    let sku = |id: &str| json!({"id": id, "title": id, "supply": 30, "price": {"minor": 100, "currency": "EUR"}});
    let terms = json!({
        "mode": mode, "stream": "show", "title": "Mug", "merchant": "potter", "host": "nina",
        "limit_per_viewer": 1, "hold_ttl_ms": 1_000, "countdown_ms": 0, "skus": [sku("mug"), sku("cup")],
        // What is not paid in time is on sale again before the crowd goes.
        "payment": { "grace_ms": 0, "stretch_ms": 0 }
    });
    let planned =
        command(server, server.token.as_deref().unwrap(), "drops", &format!("plan-{mode}"), &terms);
    planned["drop"].as_str().unwrap().to_owned()
}

/// Units in orders. A busy machine may not pay for all of them before the test ends.
fn sold(outcome: &Value) -> u64 {
    outcome["audit"]["units_sold"].as_u64().unwrap()
}

#[test]
fn a_sound_server_passes_and_keeps_no_open_drop() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    // A busy machine may be slow; what is not allowed to fail is the rest.
    let (code, outcome, said) = ended(&mut load(
        &server,
        data.path(),
        &["--sale-s", "3", "--threshold", "p99_ms<=60000", "--generator-late-ms-max", "60000"],
    ));
    assert_eq!((code, &outcome["verdict"]), (0, &"passed".into()), "{outcome} {said}");
    assert!((1..=40).contains(&sold(&outcome)), "{outcome}");
    assert_eq!(outcome["viewers"], 100, "{outcome}");
    assert_eq!(outcome["seconds"].as_array().unwrap().len(), 3, "{outcome}");
    for field in ["held", "orders", "promises", "clicks_first_second"] {
        assert!(outcome[field].as_u64().unwrap() > 0, "{field}: {outcome}");
    }
    let agree = json!([]);
    assert_eq!(outcome["clicks_reconciled"]["differences"], agree, "{outcome}");
    let state = drop_state(&server, outcome["drop"].as_str().unwrap());
    assert_eq!((&state["phase"], &state["plan"]["mode"]), (&"settled".into(), &"rehearsal".into()));

    let lenient = ["--sale-s", "1", "--generator-late-ms-max", "60000"];
    let strict = [&lenient[..], &["--threshold", "max_ms<=0"]].concat();
    let (code, outcome, _) = ended(&mut load(&server, data.path(), &strict));
    assert_eq!((code, &outcome["verdict"]), (99, &"thresholds_failed".into()), "{outcome}");
}

#[test]
fn a_server_that_sells_nothing_does_not_pass() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let token = server.token.as_deref().unwrap();
    command(&server, token, "brake/stop", "stop", &json!({"reason": "a drill"}));
    let args =
        ["--sale-s", "1", "--threshold", "p99_ms<=60000", "--generator-late-ms-max", "60000"];
    let (code, outcome, _) = ended(&mut load(&server, data.path(), &args));
    assert_eq!((code, &outcome["verdict"]), (99, &"thresholds_failed".into()), "{outcome}");
    assert!(outcome["refused"]["busy"].as_u64().unwrap() > 0, "{outcome}");
}

#[test]
fn a_named_drop_is_sold_and_a_live_one_only_if_that_is_said() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let named = |drop: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stampede"));
        command.env_clear().env("STAMPEDE_TOKEN", server.token.as_deref().unwrap());
        command.args(["load", "--json", "--url", &server.viewers, "--control", &server.control]);
        command.arg("--ticket-keys").arg(data.path().join("ticket-keys.json"));
        command.args(["--connected", "40", "--sale-s", "2", "--threshold", "p99_ms<=60000"]);
        command.args(["--generator-late-ms-max", "60000", "--drop", drop]).args(more);
        ended(&mut command)
    };
    let live = plan(&server, "live");
    let (code, _, said) = named(&live, &[]);
    assert!(code == 2 && said.contains("add --live"), "{code}: {said}");
    let (code, _, said) = named(&live, &["--live", "--sku", "jug"]);
    assert!(code == 2 && said.contains("it has mug, cup"), "{code}: {said}");
    let (code, outcome, said) = named(&live, &["--live", "--sku", "cup"]);
    assert_eq!((code, &outcome["rehearsal"]), (0, &false.into()), "{outcome} {said}");
    assert!((1..=30).contains(&sold(&outcome)), "{outcome}");
    let state = drop_state(&server, &live);
    assert_eq!(state["phase"], "open", "others run it");
    let mugs = state["skus"].as_array().unwrap().iter().find(|sku| sku["sku"] == "mug").unwrap();
    assert_eq!(mugs["available"], 30, "nobody was to buy any: {state}");
    assert_eq!(outcome["left_as"], "open", "{outcome}");
    let (code, _, said) = named(&live, &["--live"]);
    assert!(code == 2 && said.contains("is open; a load test opens the drop itself"), "{said}");
    let rehearsal = plan(&server, "rehearsal");
    let (code, outcome, said) = named(&rehearsal, &[]);
    assert_eq!((code, &outcome["sku"]), (0, &"mug".into()), "{outcome} {said}");
}

#[test]
fn what_is_wrong_with_the_options_or_the_server_is_said_in_a_sentence() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nowhere = format!("http://{free}/");
    let other = tempfile::tempdir().unwrap();
    let others_keys = other.path().join("ticket-keys.json");
    let secret = "A".repeat(43);
    let key = format!(r#"{{"keys":[{{"kid":"x","kty":"oct","alg":"HS256","k":"{secret}"}}]}}"#);
    std::fs::write(&others_keys, key).unwrap();
    let others_keys = others_keys.to_str().unwrap();
    let as_viewers = server.control.replace("http://", "ws://");
    let as_control = server.viewers.replace("ws://", "http://");
    let as_tls = server.viewers.replace("ws://", "wss://");
    let cases: [(&[&str], i32, &str); 13] = [
        (&["--control", &nowhere], 3, "Connection refused"),
        (&["--url", "ws://127.0.0.1:1/"], 3, "no viewer gets in at ws://127.0.0.1:1/"),
        (&["--url", &as_viewers], 3, "that is not the viewers' port"),
        (&["--control", &as_control], 3, "that is not the control API"),
        (&["--url", &as_tls], 3, "there is no TLS on that port"),
        (&["--connected", "19000", "--viewers", "19000"], 2, "the server lets in 18000 viewers"),
        (&["--url", "ftp://127.0.0.1/"], 2, "is no ws or wss address"),
        (&["--token", "stf_wrong"], 2, "status 401"),
        (&["--ticket-keys", "/nowhere.json"], 2, "no key in /nowhere.json signs tickets"),
        (&["--ticket-keys", others_keys], 2, "the key file of this very server"),
        (&["--roots", "/nowhere.pem"], 2, "`mozilla` and `system` are the other choices"),
        (&["--viewers", "59"], 2, "fewer than the 60 that are connected at once"),
        (&["--threshold", "p98<=1"], 2, "is no figure; there are p50_ms"),
    ];
    for (args, code, words) in cases {
        let mut command = replacing(&load(&server, data.path(), &[]), args);
        let (ended_with, outcome, said) = ended(&mut command);
        assert_eq!(ended_with, code, "{args:?}: {outcome} {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
    let drops = {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail-with-body", "-H"]);
        curl.arg(format!("Authorization: Bearer {}", server.token.as_deref().unwrap()));
        done(curl.arg(format!("{}v1/drops", server.control)))
    };
    for phase in ["scheduled", "countdown", "open"] {
        assert!(!drops.contains(&format!(r#""phase":"{phase}""#)), "{drops}");
    }
}

#[test]
fn a_server_that_goes_away_leaves_its_promises_unchecked() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let mut run = Started::start(load(&server, data.path(), &["--sale-s", "2"]));
    run.wait_for(ANNOUNCED);
    drop(server);
    let (code, outcome) = run.end();
    assert_eq!((code, &outcome["verdict"]), (3, &"promises_unchecked".into()), "{outcome}");
    assert!(outcome["connections_lost"].as_u64().unwrap() > 0, "{outcome}");
}

#[test]
fn a_run_that_is_interrupted_closes_its_drop_and_audits_what_there_is() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let mut run = Started::start(load(&server, data.path(), &["--sale-s", "600"]));
    run.wait_for(ANNOUNCED);
    run.signal(Signal::INT);
    let (code, outcome) = run.end();
    assert_eq!((code, &outcome["verdict"]), (130, &"interrupted".into()), "{outcome}");
    assert_eq!(outcome["audit"]["promises_lost"], 0, "{outcome}");
    let phase = &drop_state(&server, outcome["drop"].as_str().unwrap())["phase"];
    assert!(["cancelled", "closed", "settled"].contains(&phase.as_str().unwrap()), "{phase}");
}

#[test]
fn a_crowd_that_cannot_keep_its_plan_does_not_pass() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let args = ["--sale-s", "5", "--processes", "1", "--threshold", "p99_ms<=60000"];
    let mut run = Started::start(load(&server, data.path(), &args));
    run.wait_for(ANNOUNCED);
    let crowd = run.crowd();
    for id in &crowd {
        send(*id, Signal::STOP);
    }
    // Its clicks are due meanwhile.
    while drop_state(&server, "d1")["opened_ago_ms"].as_u64().is_none_or(|ago_ms| ago_ms < 1_500) {
        thread::sleep(Duration::from_millis(20));
    }
    for id in &crowd {
        send(*id, Signal::CONT);
    }
    let (code, outcome) = run.end();
    assert_eq!((code, &outcome["verdict"]), (4, &"generator_saturated".into()), "{outcome}");
}

#[test]
fn a_promise_that_the_ledger_does_not_have_is_found() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let liar = Liar::before(&server.viewers);
    let logs = data.path().join("logs");
    let args = ["--sale-s", "2", "--logs", logs.to_str().unwrap()];
    let mut command = replacing(&load(&server, data.path(), &args), &["--url", &liar.address]);
    let (code, outcome, said) = ended(&mut command);
    assert!(liar.has_lied.load(Ordering::Relaxed), "{outcome} {said}");
    assert_eq!((code, &outcome["verdict"]), (1, &"promises_broken".into()), "{outcome} {said}");
    assert_eq!(outcome["audit"]["promises_lost"], 1, "{outcome}");
    assert!(
        outcome["audit"]["mismatches"][0].as_str().unwrap().contains("no such hold"),
        "{outcome}"
    );
    assert_eq!(outcome["logs"], logs.to_str().unwrap(), "{outcome}");
    assert!(said.contains("PROMISES BROKEN"), "{said}");
    assert!(logs.join("promises-0.jsonl").is_file());
}

#[test]
fn a_server_with_a_certificate_of_its_own_can_be_tested() {
    let folder = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (pem, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&pem, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let table = |listener: &str| {
        format!("[{listener}.tls]\ncert = '{}'\nkey = '{}'\n", pem.display(), key.display())
    };
    let config = folder.path().join("stampede.toml");
    std::fs::write(&config, table("viewers") + &table("control")).unwrap();
    let data = folder.path().join("data");
    let mut server =
        Running::with(&data, &["--config", config.to_str().unwrap(), "--payments", "sandbox"]);
    for address in [&mut server.viewers, &mut server.control] {
        *address = address.replace("127.0.0.1", "localhost");
    }
    let lenient = ["--threshold", "p99_ms<=60000", "--generator-late-ms-max", "60000"];
    let args = [&["--sale-s", "2", "--roots", pem.to_str().unwrap()][..], &lenient].concat();
    let (code, outcome, said) = ended(&mut load(&server, &data, &args));
    assert_eq!((code, &outcome["verdict"]), (0, &"passed".into()), "{outcome} {said}");
    let (code, _, said) = ended(&mut load(&server, &data, &["--sale-s", "2"]));
    assert!(code == 3 && said.contains("name it with --roots"), "{code}: {said}");
}

/// A proxy before the viewers' port that changes one promise: a buyer is told a hold that there is not.
struct Liar {
    address: String,
    has_lied: Arc<AtomicBool>,
}

impl Liar {
    fn before(viewers: &str) -> Self {
        let server = viewers.trim_start_matches("ws://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("ws://{}/", listener.local_addr().unwrap());
        let has_lied = Arc::new(AtomicBool::new(false));
        let lied = Arc::clone(&has_lied);
        // The threads end with the connections, the listener with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&server).unwrap();
                let (from_client, to_server) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pass_on(from_client, to_server, |_| ()));
                let lied = Arc::clone(&lied);
                thread::spawn(move || pass_on(server, client, |bytes| change_a_hold(bytes, &lied)));
            }
        });
        Self { address, has_lied }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, change: impl Fn(&mut [u8])) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        change(&mut bytes[..length]);
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    // The other half may be gone already.
    let _closed = to.shutdown(std::net::Shutdown::Write);
}

/// Changes the last digit of the hold in the first `held` that passes, in `MessagePack`: its type, then the
/// name `hold` with a text of 32 bytes.
fn change_a_hold(bytes: &mut [u8], lied: &AtomicBool) {
    let (kind, name) = (b"\xa4type\xa4held", b"\xa4hold\xd9\x20");
    let Some(held) = bytes.windows(kind.len()).position(|window| window == kind) else { return };
    let Some(hold) = bytes[held..].windows(name.len()).position(|window| window == name) else {
        return;
    };
    let last = held + hold + name.len() + 31;
    if last < bytes.len() && !lied.swap(true, Ordering::Relaxed) {
        bytes[last] = if bytes[last] == b'0' { b'1' } else { b'0' };
    }
}
