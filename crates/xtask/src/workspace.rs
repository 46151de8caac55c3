//! Where the workspace lies, plus how commands are started in it.

use std::{
    env,
    io::{self, BufRead as _, BufReader},
    num::NonZero,
    os::fd::AsFd as _,
    path::PathBuf,
    process::{Command, ExitStatus, Output, Stdio},
    thread,
};

use serde_json::Value;

use crate::failure::Failure;

pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    metadata: Value,
}

impl Workspace {
    /// Asks cargo for the layout; decides where build output goes.
    pub(crate) fn load() -> Result<Self, Failure> {
        let mut command = Command::new(cargo_program());
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        if let Some(cache) = ci_target() {
            command.env("CARGO_TARGET_DIR", cache);
        }
        let metadata = json(&mut command)?;
        let path = |field: &'static str| {
            metadata[field]
                .as_str()
                .map(PathBuf::from)
                .ok_or_else(|| Failure::FieldMissing { command: shown(&command), field })
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")?, metadata })
    }

    /// The answer of `cargo metadata` about the workspace's own packages.
    pub(crate) fn metadata(&self) -> &Value {
        &self.metadata
    }

    pub(crate) fn root(&self) -> &PathBuf {
        &self.root
    }

    /// Folder of all build output; steps with compiler flags of their own use a folder inside it.
    pub(crate) fn target(&self) -> &PathBuf {
        &self.target
    }

    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command(&cargo_program());
        command.args(args);
        command
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }
}

/// How many tests run at a time. Tests of processes and pages wait more than they compute, so two share
/// a core.
pub(crate) fn tests_at_once() -> usize {
    2 * thread::available_parallelism().map_or(1, NonZero::get)
}

/// Runs `command` with both of its streams on our standard output.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    command.stderr(our_stdout()?);
    let status =
        command.status().map_err(|source| Failure::Start { command: shown(command), source })?;
    if status.success() { Ok(()) } else { Err(Failure::Ended { command: shown(command), status }) }
}

/// Runs `command` like [`run`], showing its messages line by line as they come; `note` sees them too.
pub(crate) fn run_noting(command: &mut Command, mut note: impl FnMut(&str)) -> Result<(), Failure> {
    let program = shown(command);
    let failed = |source| Failure::Start { command: program.clone(), source };
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(failed)?;
    let messages = child.stderr.take().expect("it was asked for");
    for line in BufReader::new(messages).lines().map_while(Result::ok) {
        println!("{line}");
        note(&line);
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(Failure::Ended { command: program, status }) }
}

/// Runs `command`, keeps what it prints; any exit status is an answer.
pub(crate) fn output(command: &mut Command) -> Result<Output, Failure> {
    command.output().map_err(|source| Failure::Start { command: shown(command), source })
}

/// Runs `command` for what it prints; its messages stay visible.
pub(crate) fn stdout(command: &mut Command) -> Result<Vec<u8>, Failure> {
    command.stderr(our_stdout()?);
    let output = output(command)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Failure::Ended { command: shown(command), status: output.status })
    }
}

/// Runs `command` for the JSON value that it prints.
pub(crate) fn json(command: &mut Command) -> Result<Value, Failure> {
    let printed = stdout(command)?;
    serde_json::from_slice(&printed)
        .map_err(|source| Failure::NotJson { command: shown(command), source })
}

/// Runs `command`, shows its output as it comes, reads the last line as JSON; any exit status is
/// an answer.
pub(crate) fn last_line(command: &mut Command) -> Result<(ExitStatus, Value), Failure> {
    let program = shown(command);
    let failed = |source| Failure::Start { command: program.clone(), source };
    let mut child = command.stderr(our_stdout()?).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let output = child.stdout.take().expect("it was asked for");
    let mut last = None;
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        println!("{line}");
        last = Some(line);
    }
    let status = child.wait().map_err(failed)?;
    let last = last.ok_or_else(|| Failure::Silent { command: program.clone() })?;
    let value = serde_json::from_str(&last)
        .map_err(|source| Failure::NotJson { command: program, source })?;
    Ok((status, value))
}

/// Whether a program is there and ends well.
pub(crate) fn answers(probe: &mut Command) -> bool {
    probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Messages of commands go where their output goes, so that a log of one stream holds everything
/// in order, the test runner's closing line last.
fn our_stdout() -> Result<Stdio, Failure> {
    let stdout = io::stdout().as_fd().try_clone_to_owned().map_err(Failure::Stdout)?;
    Ok(Stdio::from(stdout))
}

fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn cargo_program() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// A clean clone on a CI machine builds outside itself, so that the next clone finds the
/// dependencies built. A target folder that somebody chose stays.
fn ci_target() -> Option<PathBuf> {
    if env::var_os("CARGO_TARGET_DIR").is_some() || env::var("CI").as_deref() != Ok("true") {
        return None;
    }
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(cache.join("stampede").join("target"))
}
