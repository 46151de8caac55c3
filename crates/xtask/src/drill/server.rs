//! A server as a process of the drill's, traced if need be.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::Binaries;
use crate::{failure::Failure, workspace};

const PATIENCE_S: u64 = 60;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running server on its folder. It does not outlive this value.
pub(super) struct Server {
    child: Child,
    reader: Option<JoinHandle<()>>,
    viewers: String,
    control: String,
    /// Printed at the first start on a folder.
    pub(super) token: Option<String>,
}

/// Where a drill's server has its files.
pub(super) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("stampede-drill-").tempdir();
        Ok(Self { folder: folder.map_err(Failure::Files)? })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn trace(&self) -> PathBuf {
        self.folder.path().join("trace.txt")
    }

    pub(super) fn promise_log(&self) -> PathBuf {
        self.folder.path().join("promises.jsonl")
    }

    /// Settings for servers that are started here from now on.
    pub(super) fn configure(&self, settings: &str) -> Result<(), Failure> {
        fs::write(self.settings(), settings).map_err(Failure::Files)
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("stampede.toml")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl Server {
    /// Starts a server, waits until it says where it listens.
    ///
    /// With `tracer` arguments it runs under strace, which stands aside as a process of its own:
    /// the child is the server itself, so a signal meets the server.
    pub(super) fn start(
        binaries: &Binaries,
        place: &Place,
        tracer: &[&str],
    ) -> Result<Self, Failure> {
        let mut command = if tracer.is_empty() {
            Command::new(&binaries.stampede)
        } else {
            let mut strace = Command::new("strace");
            strace
                .args(["--daemonize", "--follow-forks", "--quiet=attach,personality"])
                .args(tracer);
            strace.arg("--output").arg(place.trace()).arg("--").arg(&binaries.stampede);
            strace
        };
        let first = !place.data().exists();
        command.arg("serve").arg("--data").arg(place.data());
        if place.settings().exists() {
            command.arg("--config").arg(place.settings());
        }
        command.args(["--viewers", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
        command.args(["--payments", "sandbox", "--payment-delay-ms", "10"]);
        let log = File::options().create(true).append(true).open(place.log());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.map_err(Failure::Files)?);
        let mut child = command
            .spawn()
            .map_err(|source| Failure::Process { what: "cannot be started", source })?;
        let output = child.stdout.take().expect("it was asked for");
        let mut server = Self {
            child,
            reader: None,
            viewers: String::new(),
            control: String::new(),
            token: None,
        };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let silent = |why| Failure::NoServer {
            why,
            log: fs::read_to_string(place.log()).unwrap_or_default(),
        };
        let mut said = |prefix: &str| {
            lines.next().and_then(|line| line.strip_prefix(prefix).map(str::to_owned))
        };
        server.viewers = said("viewers on ").ok_or_else(|| silent("no address for viewers"))?;
        server.control = said("control on ").ok_or_else(|| silent("no address of the control"))?;
        if first {
            server.token = Some(said("staff token: ").ok_or_else(|| silent("no staff token"))?);
        }
        // Somebody must read on, or the server would be held up by its own words.
        server.reader = Some(thread::spawn(move || lines.for_each(drop)));
        Ok(server)
    }

    /// Lets buyers come one after the other; what became of them.
    pub(super) fn probe(
        &self,
        binaries: &Binaries,
        place: &Place,
        buyers: u32,
    ) -> Result<Value, Failure> {
        let mut command = Command::new(&binaries.drills);
        command.args(["probe", "--url", &self.viewers, "--control", &self.control]);
        command.arg("--keys").arg(place.data().join("ticket-keys.json"));
        command.arg("--log").arg(place.promise_log());
        command.args(["--buyers", &buyers.to_string()]);
        command.env("STAMPEDE_TOKEN", self.token.as_deref().unwrap_or_default());
        workspace::last_line(&mut command).map(|(_, outcome)| outcome)
    }

    /// Plays a sale beside hostile clients.
    pub(super) fn abuse(
        &self,
        binaries: &Binaries,
        place: &Place,
        seconds: u32,
    ) -> Result<Value, Failure> {
        let viewers = self.viewers.trim_start_matches("ws://").trim_end_matches('/');
        let mut command = Command::new(&binaries.drills);
        command.args(["abuse", "--viewers", viewers, "--control", &self.control]);
        command.arg("--keys").arg(place.data().join("ticket-keys.json"));
        command.args(["--seconds", &seconds.to_string()]);
        command.env("STAMPEDE_TOKEN", self.token.as_deref().unwrap_or_default());
        workspace::last_line(&mut command).map(|(_, outcome)| outcome)
    }

    /// Holds the log of promises against the ledger.
    pub(super) fn audit(
        &self,
        binaries: &Binaries,
        place: &Place,
        token: &str,
        drop: &str,
    ) -> Result<Value, Failure> {
        let mut command = Command::new(&binaries.loadtest);
        command.args(["audit", "--control", &self.control, "--drop", drop]);
        command.arg("--log").arg(place.promise_log()).env("STAMPEDE_TOKEN", token);
        workspace::last_line(&mut command).map(|(_, outcome)| outcome)
    }

    /// Asks the server to stop, waits for it.
    pub(super) fn stop(mut self) -> Result<ExitStatus, Failure> {
        kill_process(self.id(), Signal::TERM).map_err(|errno| Failure::Process {
            what: "cannot be told to stop",
            source: errno.into(),
        })?;
        let child = &mut self.child;
        patiently("the server's end", || child.try_wait())
    }

    fn id(&self) -> Pid {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        id.expect("a child has a process number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already if it was stopped.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _read = reader.join();
        }
    }
}

/// The whole trace of a server that has ended; the tracer may write on for a moment.
pub(super) fn finished_trace(path: &Path) -> Result<String, Failure> {
    patiently("the end of the trace", || {
        let text = fs::read_to_string(path)?;
        // The process itself ends last, it is the one that the trace begins with.
        let first = text.split_whitespace().next().unwrap_or_default();
        let over = |line: &str| line.starts_with(first) && line.contains("+++ ");
        Ok(text.lines().any(over).then_some(text))
    })
}

/// What `stampede verify` says about the ledger: `ok`, or all of its words.
pub(super) fn verify(binaries: &Binaries, place: &Place) -> Result<String, Failure> {
    let mut command = Command::new(&binaries.stampede);
    command.arg("verify").arg("--data").arg(place.data());
    let output = workspace::output(&mut command)?;
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{}", said.trim_end());
    if output.status.success() {
        return Ok("ok".to_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Ok(format!("{}: {}{}", output.status, said.trim(), complaint.trim()))
}

/// Looks again until there is something to see.
fn patiently<T>(
    what: &'static str,
    mut look: impl FnMut() -> io::Result<Option<T>>,
) -> Result<T, Failure> {
    let looks = u128::from(PATIENCE_S) * 1000 / LOOK_EVERY.as_millis();
    for _ in 0..looks {
        let seen = look().map_err(|source| Failure::Process { what, source })?;
        if let Some(seen) = seen {
            return Ok(seen);
        }
        thread::sleep(LOOK_EVERY);
    }
    Err(Failure::Patience { what, seconds: PATIENCE_S })
}
