//! The server as a process that can be killed.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use stampede_loadtest::signing_ticket_key;
use stampede_wire::ticket::KeySpec;

use crate::{core_pair, error::DrillError, waiting::PATIENCE};

/// Lines that wait to be looked at; the server says three.
const LINES_MAX: usize = 64;
/// Pieces of the time that a start may take.
const LOOKS_MAX: u32 = 100;

/// How a server is started.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    args: &'static [&'static str],
    /// The file of settings; empty for the defaults.
    settings: String,
    core: Option<usize>,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Setup {
    /// With these arguments, on any core.
    pub(crate) const fn new(args: &'static [&'static str]) -> Self {
        Self { args, settings: String::new(), core: None, environment: Vec::new() }
    }

    /// With this text as its file of settings.
    pub(crate) fn with_settings(self, settings: String) -> Self {
        Self { settings, ..self }
    }

    /// With these variables beside its own.
    pub(crate) fn with_environment(self, environment: Vec<(&'static str, PathBuf)>) -> Self {
        Self { environment, ..self }
    }

    /// All of its threads on one core.
    pub(crate) fn on_core(self, core: usize) -> Self {
        Self { core: Some(core), ..self }
    }
}

/// A server on one data directory, the same ports after every restart.
#[derive(Debug)]
pub(crate) struct Server {
    binary: PathBuf,
    folder: PathBuf,
    setup: Setup,
    viewers: SocketAddr,
    control: SocketAddr,
    viewers_url: String,
    control_url: String,
    staff_token: String,
    process: Process,
}

#[derive(Debug)]
struct Process {
    child: Child,
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
    viewers_url: Option<String>,
    control_url: Option<String>,
    staff_token: Option<String>,
}

impl Server {
    /// Starts a server on an empty folder and waits until it says everything.
    pub(crate) fn first(binary: &Path, folder: &Path, setup: Setup) -> Result<Self, DrillError> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut process = Process::start(binary, folder, &setup, any, any)?;
        process.listen(folder, |process| process.staff_token.is_some())?;
        let (viewers_url, control_url) = process.urls();
        let log = log(folder);
        let address = |url: &str| {
            let host = url.split("//").nth(1).unwrap_or_default().trim_end_matches('/');
            host.parse().map_err(|_| DrillError::NoStart {
                why: format!("it says it listens on {url:?}"),
                log: log.clone(),
            })
        };
        Ok(Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            setup,
            viewers: address(&viewers_url)?,
            control: address(&control_url)?,
            viewers_url,
            control_url,
            staff_token: process.staff_token.clone().unwrap_or_default(),
            process,
        })
    }

    pub(crate) const fn viewers(&self) -> SocketAddr {
        self.viewers
    }

    pub(crate) const fn control(&self) -> SocketAddr {
        self.control
    }

    pub(crate) fn viewers_url(&self) -> &str {
        &self.viewers_url
    }

    pub(crate) fn control_url(&self) -> &str {
        &self.control_url
    }

    pub(crate) fn staff_token(&self) -> &str {
        &self.staff_token
    }

    /// How the next process is started.
    pub(crate) fn use_setup(&mut self, setup: Setup) {
        self.setup = setup;
    }

    /// Ends the process without a warning; it is gone afterwards.
    pub(crate) fn kill(&mut self) -> Result<(), DrillError> {
        self.process.kill()
    }

    /// Starts the next process; it recovers what the one before has left.
    pub(crate) fn restart(&mut self) -> Result<(), DrillError> {
        self.process =
            Process::start(&self.binary, &self.folder, &self.setup, self.viewers, self.control)?;
        Ok(())
    }

    /// Whether the process has said that it serves within `wait`.
    pub(crate) fn serves_within(&mut self, wait: Duration) -> Result<bool, DrillError> {
        self.process.hear(&self.folder, wait)
    }

    /// Waits until the process serves.
    pub(crate) fn wait_serving(&mut self) -> Result<(), DrillError> {
        self.process.listen(&self.folder, Process::serves)
    }

    /// The process's number.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.child.id()
    }

    /// Asks the process to end, waits for it.
    pub(crate) fn stop(mut self) -> Result<(), DrillError> {
        let id = i32::try_from(self.process.child.id()).ok().and_then(Pid::from_raw);
        let id = id.expect("a child has a process number");
        let failed = |source| DrillError::System { what: "stop the server", source };
        kill_process(id, Signal::TERM).map_err(|errno| failed(errno.into()))?;
        let status = self.process.child.wait().map_err(failed)?;
        if !status.success() {
            let why = format!("it did not stop cleanly: {status}");
            return Err(DrillError::NoStart { why, log: log(&self.folder) });
        }
        Ok(())
    }
}

impl Process {
    fn start(
        binary: &Path,
        folder: &Path,
        setup: &Setup,
        viewers: SocketAddr,
        control: SocketAddr,
    ) -> Result<Self, DrillError> {
        let failed = |source| DrillError::System { what: "start the server", source };
        let file = File::options().create(true).append(true).open(log(folder)).map_err(failed)?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--data").arg(data(folder));
        command.arg("--viewers").arg(viewers.to_string());
        command.arg("--control").arg(control.to_string());
        let settings = settings(folder);
        std::fs::write(&settings, &setup.settings).map_err(failed)?;
        command.arg("--config").arg(settings).args(setup.args);
        command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = match setup.core {
            Some(core) => core_pair::spawn_on(core, &mut command),
            None => command.spawn(),
        }
        .map_err(failed)?;
        let output = child.stdout.take().expect("it was asked for");
        let (say, lines) = sync_channel(LINES_MAX);
        let read = move || {
            // Reading goes on when nobody listens any more, so that the server is never held up.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _unheard = say.try_send(line);
            }
        };
        let reader = thread::Builder::new().name("server-output".to_owned()).spawn(read);
        let reader = Some(reader.map_err(failed)?);
        let (viewers_url, control_url, staff_token) = (None, None, None);
        Ok(Self { child, lines, reader, viewers_url, control_url, staff_token })
    }

    fn serves(&self) -> bool {
        self.viewers_url.is_some() && self.control_url.is_some()
    }

    fn urls(&self) -> (String, String) {
        let text = |url: &Option<String>| url.clone().unwrap_or_default();
        (text(&self.viewers_url), text(&self.control_url))
    }

    /// Reads lines until `done`.
    fn listen(&mut self, folder: &Path, done: impl Fn(&Self) -> bool) -> Result<(), DrillError> {
        for _ in 0..LOOKS_MAX {
            if done(self) {
                return Ok(());
            }
            self.hear(folder, PATIENCE / LOOKS_MAX)?;
        }
        let why = format!("it said too little for {} s", PATIENCE.as_secs());
        Err(DrillError::NoStart { why, log: log(folder) })
    }

    /// Reads what is said within `wait`, no longer than until the process serves.
    fn hear(&mut self, folder: &Path, wait: Duration) -> Result<bool, DrillError> {
        let first = self.lines.recv_timeout(wait);
        match first {
            Ok(line) => self.note(&line),
            Err(RecvTimeoutError::Timeout) => return Ok(self.serves()),
            Err(RecvTimeoutError::Disconnected) => {
                let why = "it ended".to_owned();
                return Err(DrillError::NoStart { why, log: log(folder) });
            }
        }
        loop {
            match self.lines.try_recv() {
                Ok(line) => self.note(&line),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(self.serves()),
            }
        }
    }

    fn note(&mut self, line: &str) {
        let targets = [
            ("viewers on ", &mut self.viewers_url),
            ("control on ", &mut self.control_url),
            ("staff token: ", &mut self.staff_token),
        ];
        for (prefix, target) in targets {
            if let Some(value) = line.strip_prefix(prefix) {
                *target = Some(value.trim().to_owned());
            }
        }
    }

    fn kill(&mut self) -> Result<(), DrillError> {
        let failed = |source| DrillError::System { what: "kill the server", source };
        self.child.kill().map_err(failed)?;
        self.child.wait().map_err(failed)?;
        Ok(())
    }
}

impl Drop for Process {
    /// No server outlives its drill.
    fn drop(&mut self) {
        // It is gone already if it was killed or stopped.
        let _gone = self.kill();
        if let Some(reader) = self.reader.take() {
            let _read = reader.join();
        }
    }
}

/// The key that the server made for itself on the drill's empty folder.
pub(crate) fn ticket_key(folder: &Path) -> Result<KeySpec, DrillError> {
    Ok(signing_ticket_key(&data(folder).join("ticket-keys.json"))?)
}

/// What `verify` says about the ledger: `ok`, or its first words.
pub(crate) fn verify(binary: &Path, folder: &Path) -> Result<String, DrillError> {
    let output = Command::new(binary).arg("verify").arg("--data").arg(data(folder)).output();
    let output = output.map_err(|source| DrillError::System { what: "verify", source })?;
    if output.status.success() {
        return Ok("ok".to_owned());
    }
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let said = String::from_utf8_lossy(&said);
    Ok(format!("{}: {}", output.status, said.trim()))
}

/// How many findings the verifier has about the ledger, with the words of the first; none if all is well.
pub(crate) fn findings(binary: &Path, folder: &Path) -> Result<Option<(u64, String)>, DrillError> {
    let output =
        Command::new(binary).args(["verify", "--json", "--data"]).arg(data(folder)).output();
    let output = output.map_err(|source| DrillError::System { what: "verify", source })?;
    if output.status.success() {
        return Ok(None);
    }
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let first = said["findings"][0]["what"].as_str().map(str::to_owned);
    let first = first.unwrap_or_else(|| String::from_utf8_lossy(&output.stderr).trim().to_owned());
    Ok(Some((said["found"].as_u64().unwrap_or(1), first)))
}

/// A token that may report payments for a merchant's goods, made by the command line.
pub(crate) fn payments_token(
    binary: &Path,
    folder: &Path,
    merchant: &str,
) -> Result<String, DrillError> {
    let mut command = Command::new(binary);
    command.args(["token", "add", "--name", "till", "--role", "payments", "--merchant", merchant]);
    let made = command.arg("--data").arg(data(folder)).output();
    let made = made.map_err(|source| DrillError::System { what: "make a token", source })?;
    let token = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    if !made.status.success() || token.is_empty() {
        let why = String::from_utf8_lossy(&made.stderr).into_owned();
        let source = std::io::Error::other(why);
        return Err(DrillError::System { what: "make a token", source });
    }
    Ok(token)
}

/// The data directory.
pub(crate) fn data(folder: &Path) -> PathBuf {
    folder.join("ledger")
}

fn settings(folder: &Path) -> PathBuf {
    folder.join("stampede.toml")
}

fn log(folder: &Path) -> PathBuf {
    folder.join("server.log")
}
