//! The demo's server: this very binary as a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread::JoinHandle,
};

use rustix::process::{Pid, Signal, kill_process};

use super::DemoError;

/// A running server; it is ended with the demo, whatever happens.
pub(crate) struct ServerProcess {
    child: Child,
    /// Reads on until the server ends, so that it never blocks on its output.
    reader: Option<JoinHandle<()>>,
    pub(crate) viewers_url: String,
    pub(crate) control_url: String,
    pub(crate) staff_token: String,
}

impl ServerProcess {
    /// Starts a server on a new data directory and waits until it says where it listens.
    pub(crate) fn start(data: &Path, settings: &[(&str, String)]) -> Result<Self, DemoError> {
        let mut command = serve(data)?;
        command.args(["--viewers", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
        command.args(settings.iter().flat_map(|(name, value)| [*name, value.as_str()]));
        // The server's log would break the progress display; warnings still come through.
        command.env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".into()));
        command.stdin(Stdio::null());
        Self::launch(command, None)
    }

    /// Starts a server by a command, waits until it says where it listens; without a `token` it has to say
    /// one.
    pub(crate) fn launch(mut command: Command, token: Option<String>) -> Result<Self, DemoError> {
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(DemoError::Start)?;
        let output = child.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let mut announced = |prefix: &'static str| {
            let found = lines.find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
            found.ok_or(DemoError::Silent { missing: prefix })
        };
        let viewers_url = announced("viewers on ");
        let control_url = announced("control on ");
        let staff_token = token.map_or_else(|| announced("staff token: "), Ok);
        let reader = std::thread::spawn(move || lines.for_each(drop));
        let mut server = Self {
            child,
            reader: Some(reader),
            viewers_url: String::new(),
            control_url: String::new(),
            staff_token: String::new(),
        };
        server.viewers_url = viewers_url?;
        server.control_url = control_url?;
        server.staff_token = staff_token?;
        Ok(server)
    }

    /// Ends the process without a warning; it is gone afterwards.
    pub(crate) fn kill(&mut self) -> Result<(), DemoError> {
        self.child.kill().map_err(DemoError::Start)?;
        self.child.wait().map(|_| ()).map_err(DemoError::Start)
    }

    /// Asks the server to stop and waits for it.
    pub(crate) fn stop(mut self) -> Result<(), DemoError> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let id = id.expect("a child has a process number");
        kill_process(id, Signal::TERM).map_err(|errno| DemoError::Start(errno.into()))?;
        let status = self.child.wait().map_err(DemoError::Start)?;
        if status.success() { Ok(()) } else { Err(DemoError::ServerFailed { status }) }
    }
}

/// This very binary as a server on a data directory.
pub(crate) fn serve(data: &Path) -> Result<Command, DemoError> {
    let mut command = Command::new(std::env::current_exe().map_err(DemoError::Start)?);
    command.arg("serve").arg("--data").arg(data);
    Ok(command)
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It has ended already if it was stopped.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _read = reader.join();
        }
    }
}
