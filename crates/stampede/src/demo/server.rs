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
        let mut command = Command::new(std::env::current_exe().map_err(DemoError::Start)?);
        command.arg("serve").arg("--data").arg(data);
        command.args(["--viewers", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
        for (name, value) in settings {
            command.arg(name).arg(value);
        }
        // The server's log would break the progress display; warnings still come through.
        command.env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".into()));
        let mut child = command
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .map_err(DemoError::Start)?;
        let output = child.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let mut announced = |prefix: &'static str| {
            let found = lines.find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
            found.ok_or(DemoError::Silent { missing: prefix })
        };
        let viewers_url = announced("viewers on ");
        let control_url = announced("control on ");
        let staff_token = announced("staff token: ");
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

    /// Asks the server to stop and waits for it.
    pub(crate) fn stop(mut self) -> Result<(), DemoError> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let id = id.expect("a child has a process number");
        kill_process(id, Signal::TERM).map_err(|errno| DemoError::Start(errno.into()))?;
        let status = self.child.wait().map_err(DemoError::Start)?;
        if status.success() { Ok(()) } else { Err(DemoError::ServerFailed { status }) }
    }
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
