//! The show's server: a process that can be killed, with a line to it.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt as _},
    },
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use stampede_control::DemoState;
use tokio::sync::mpsc;

use super::super::{
    DemoError, Place,
    server::{ServerProcess, serve},
};
use crate::staged::KILL;

/// Longest time that a state waits for a server which does not read.
const TELL_WAIT: Duration = Duration::from_secs(1);
/// Connections that the server lets in beyond the crowd's: somebody's own phone.
const CONNECTIONS_BESIDE: u32 = 100;

/// What comes from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Somebody wants it killed.
    Kill,
    /// Its line has ended: it is gone.
    Gone,
}

/// How the show's server is started, each time the same.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    ledger: PathBuf,
    settings: PathBuf,
    log: PathBuf,
    viewers: SocketAddr,
    control: SocketAddr,
    token: Option<String>,
    words: mpsc::Sender<(u64, Word)>,
    starts: u64,
}

/// The running server.
pub(super) struct StagedServer {
    process: ServerProcess,
    line: UnixStream,
    /// Tells its words from those of the servers before it.
    pub(super) start: u64,
}

impl Setup {
    /// On the demo's place, pages on `port`.
    pub(super) fn new(
        place: &Place,
        viewers: u32,
        port: u16,
        words: mpsc::Sender<(u64, Word)>,
    ) -> std::io::Result<Self> {
        let settings = place.settings();
        let connections = viewers + CONNECTIONS_BESIDE;
        let text = format!(
            "[viewers]\nconnections_max = {connections}\ntick_interval_ms = 1000\n\n\
             [payments]\nprovider = \"none\"\n"
        );
        std::fs::write(&settings, text)?;
        let here = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self {
            ledger: place.ledger(),
            settings,
            log: place.server_log(),
            viewers: here(0),
            control: here(port),
            token: None,
            words,
            starts: 0,
        })
    }

    /// Where viewers connect, once it has run.
    pub(super) const fn viewers(&self) -> SocketAddr {
        self.viewers
    }

    /// Starts the next server; from the second one on at the same addresses. Blocks the thread.
    pub(super) fn start(&mut self) -> Result<StagedServer, DemoError> {
        let (line, theirs) = UnixStream::pair().map_err(DemoError::Start)?;
        let log = File::options().create(true).append(true).open(&self.log);
        let mut command = serve(&self.ledger)?;
        command.arg("--staged").arg("--config").arg(&self.settings);
        command.arg("--viewers").arg(self.viewers.to_string());
        command.arg("--control").arg(self.control.to_string());
        command.env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".into()));
        command.stdin(Stdio::from(OwnedFd::from(theirs)));
        command.stderr(log.map_err(DemoError::Start)?);
        // The terminal's Ctrl-C is for the demo, which then ends everything in order.
        command.process_group(0);
        let launched = ServerProcess::launch(command, self.token.clone());
        let process = launched.map_err(|why| self.explained(why))?;
        self.starts += 1;
        self.token = Some(process.staff_token.clone());
        self.viewers = address(&process.viewers_url)?;
        self.control = address(&process.control_url)?;
        line.set_write_timeout(Some(TELL_WAIT)).map_err(DemoError::Start)?;
        self.listen(&line)?;
        Ok(StagedServer { process, line, start: self.starts })
    }

    fn listen(&self, line: &UnixStream) -> Result<(), DemoError> {
        let line = line.try_clone().map_err(DemoError::Start)?;
        let (words, start) = (self.words.clone(), self.starts);
        let listen = move || {
            let lines = BufReader::new(line).lines().map_while(Result::ok);
            for _ in lines.filter(|text| text == KILL) {
                // Nobody hears it any more where the demo ends.
                let _unheard = words.blocking_send((start, Word::Kill));
            }
            let _unheard = words.blocking_send((start, Word::Gone));
        };
        let listener = std::thread::Builder::new().name("server-line".to_owned()).spawn(listen);
        listener.map(|_| ()).map_err(DemoError::Start)
    }

    /// A server that ends before it serves has said why in its log.
    fn explained(&self, why: DemoError) -> DemoError {
        if !matches!(why, DemoError::Silent { .. }) {
            return why;
        }
        match last_line(&self.log) {
            Some(said) => DemoError::NoStart { said },
            None => why,
        }
    }
}

impl StagedServer {
    /// Tells the server how the demo stands; one that is gone hears it no more.
    pub(super) fn tell(&self, state: &DemoState) {
        let mut text = serde_json::to_vec(state).expect("a state is plain data");
        text.push(b'\n');
        let _gone = (&self.line).write_all(&text);
    }

    pub(super) fn kill(&mut self) -> Result<(), DemoError> {
        self.process.kill()
    }

    pub(super) fn stop(self) -> Result<(), DemoError> {
        self.process.stop()
    }

    pub(super) fn control_url(&self) -> &str {
        &self.process.control_url
    }

    pub(super) fn staff_token(&self) -> &str {
        &self.process.staff_token
    }
}

fn address(url: &str) -> Result<SocketAddr, DemoError> {
    let host = url.split("//").nth(1).unwrap_or_default().trim_end_matches('/');
    host.parse().map_err(|_| DemoError::NoStart { said: format!("it listens on {url:?}") })
}

fn last_line(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    let line = text.lines().rfind(|line| !line.trim().is_empty())?;
    Some(line.trim().trim_start_matches("stampede: ").to_owned())
}
