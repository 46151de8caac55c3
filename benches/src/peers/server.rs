//! A server under test: one process, all of its threads on core 0.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Lines},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    num::ParseIntError,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::error::{PeersError, system};

/// The core that holds a server with all of its threads.
pub(crate) const SERVER_CORE: usize = 0;
/// The core that holds the generator.
pub(crate) const GENERATOR_CORE: usize = 1;

const LOOKS_MAX: u32 = 600;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A process that ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    reader: Option<JoinHandle<()>>,
}

/// `program` on the servers' core.
pub(crate) fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(SERVER_CORE.to_string()).arg(program);
    command
}

impl Server {
    /// Starts the process; what it says as errors goes to `log`.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        log: &Path,
    ) -> Result<Self, PeersError> {
        let log = File::options().create(true).append(true).open(log);
        command.stderr(log.map_err(system("make a log"))?);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let started = command.spawn();
        let mut child = started.map_err(|source| PeersError::Start {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        let output = child.stdout.take().expect("it was asked for");
        let lines = Some(BufReader::new(output).lines());
        Ok(Self { name, child, lines, reader: None })
    }

    /// The process' number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What follows `prefix` on the next line that the process prints.
    pub(crate) fn says(&mut self, prefix: &str) -> Result<String, PeersError> {
        let line = self.lines.as_mut().and_then(Iterator::next).and_then(Result::ok);
        let line = line.unwrap_or_default();
        let said = line.strip_prefix(prefix).map(|rest| rest.trim().to_owned());
        said.ok_or_else(|| PeersError::NoStart {
            server: self.name,
            why: format!("it printed {line:?} where {prefix:?} was expected"),
        })
    }

    /// The port on its own on the first line.
    pub(crate) fn says_port(&mut self) -> Result<SocketAddr, PeersError> {
        let port = self.says("")?;
        let port = port.parse().map_err(|cause: ParseIntError| PeersError::NoStart {
            server: self.name,
            why: format!("it printed {port:?} instead of a port: {cause}"),
        })?;
        self.listen_no_more();
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// Reads on without listening, so that the process is never held up by its own words.
    pub(crate) fn listen_no_more(&mut self) {
        if let Some(lines) = self.lines.take() {
            self.reader = Some(thread::spawn(move || lines.map_while(Result::ok).for_each(drop)));
        }
    }

    /// Waits until somebody accepts at `address`.
    pub(crate) fn wait_listening(&mut self, address: SocketAddr) -> Result<(), PeersError> {
        self.listen_no_more();
        for _ in 0..LOOKS_MAX {
            if TcpStream::connect(address).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let why = format!("it ended with {status}");
                return Err(PeersError::NoStart { server: self.name, why });
            }
            thread::sleep(LOOK_EVERY);
        }
        let why = format!("nobody listens on {address}");
        Err(PeersError::NoStart { server: self.name, why })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already if it ended by itself.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _read = reader.join();
        }
    }
}

/// An address that nobody listens on at the moment.
pub(crate) fn free_address() -> Result<SocketAddr, PeersError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(system("find a port"))?;
    listener.local_addr().map_err(system("find a port"))
}
