//! A server as a process that no test leaves behind.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread::JoinHandle,
};

use rustix::process::{Pid, Signal, kill_process};
use stampede_drills::{Probe, ProbeOutcome, run_probe};
use stampede_wire::ticket::KeySpec;
use tempfile::NamedTempFile;

/// The command that this crate builds.
pub(crate) fn stampede() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_stampede"));
    command.env_clear();
    command
}

/// A running server; ports are chosen by the system.
pub(crate) struct Running {
    child: Child,
    /// Reads on until the server ends, so that it never blocks on its output.
    reader: Option<JoinHandle<Vec<String>>>,
    pub(crate) viewers: String,
    pub(crate) control: String,
    /// The first staff token; printed on a folder without tokens alone.
    pub(crate) token: Option<String>,
    log: NamedTempFile,
}

impl Running {
    /// Starts a server, waits until it says where it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::with(data, &["--payments", "sandbox", "--payment-delay-ms", "1"])
    }

    /// The same with arguments of the test's own.
    pub(crate) fn with(data: &Path, args: &[&str]) -> Self {
        Self::at("127.0.0.1:0", data, args)
    }

    /// The same, with viewers at a known address.
    pub(crate) fn at(viewers: &str, data: &Path, args: &[&str]) -> Self {
        Self::at_both(viewers, "127.0.0.1:0", data, args)
    }

    /// The same, with staff at a known address as well.
    pub(crate) fn at_both(viewers: &str, control: &str, data: &Path, args: &[&str]) -> Self {
        Self::launch("warn", (viewers, control), data, args)
    }

    /// Starts a server that logs whatever it can.
    pub(crate) fn loud(data: &Path) -> Self {
        Self::loud_with(data, &[])
    }

    /// The same with arguments of the test's own.
    pub(crate) fn loud_with(data: &Path, args: &[&str]) -> Self {
        Self::launch("trace", ("127.0.0.1:0", "127.0.0.1:0"), data, args)
    }

    fn launch(level: &str, (viewers, control): (&str, &str), data: &Path, args: &[&str]) -> Self {
        let first = !data.join("staff.json").exists();
        let mut command = Command::new(env!("CARGO_BIN_EXE_stampede"));
        command.env_clear().env("RUST_LOG", level);
        command.arg("serve").arg("--data").arg(data);
        command.args(["--viewers", viewers, "--control", control]).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let log = NamedTempFile::new().unwrap();
        command.stderr(log.reopen().unwrap());
        let mut child = command.spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let mut server = Self {
            child,
            reader: None,
            viewers: String::new(),
            control: String::new(),
            token: None,
            log,
        };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let mut said = |prefix: &str| lines.next()?.strip_prefix(prefix).map(str::to_owned);
        server.viewers = said("viewers on ").expect("the server says where viewers connect");
        server.control = said("control on ").expect("the server says where its control is");
        if first {
            server.token = Some(said("staff token: ").expect("an empty folder gets a token"));
        }
        server.reader = Some(std::thread::spawn(move || lines.collect()));
        server
    }

    /// Sells to a few buyers, pays and gives back; everybody gets what was asked for.
    pub(crate) fn sell(&self, data: &Path, buyers: u32) -> ProbeOutcome {
        let log = NamedTempFile::new().unwrap();
        let probe = Probe {
            url: self.viewers.clone(),
            control: self.control.clone(),
            token: self.token.clone().expect("the first start prints a token"),
            key: ticket_key(data),
            buyers,
            promise_log: log.path().to_owned(),
        };
        let outcome = run_probe(&probe).unwrap();
        assert_eq!(outcome.held, u64::from(buyers), "{outcome:?}");
        outcome
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Sends a signal that does not end it.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Sends a signal, waits for the end. Whatever else the server has printed fails the test.
    pub(crate) fn stop(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let status = self.child.wait().unwrap();
        let mut rest = self.reader.take().unwrap().join().unwrap();
        rest.retain(|line| !line.starts_with("webhooks on "));
        assert_eq!(rest, [""; 0], "printed beyond addresses and the first token");
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is gone already if it was stopped.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _read = reader.join();
        }
    }
}

/// The key that the server has made for itself.
fn ticket_key(data: &Path) -> KeySpec {
    let text = std::fs::read(data.join("ticket-keys.json")).unwrap();
    let mut set: serde_json::Value = serde_json::from_slice(&text).unwrap();
    serde_json::from_value(set["keys"][0].take()).unwrap()
}

/// What a command has printed.
pub(crate) fn stdout(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// What a command has complained about.
pub(crate) fn stderr(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}
