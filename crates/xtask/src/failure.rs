//! The failures of a step, each with the facts that help to mend it.

use std::{io, process::ExitStatus};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(
        "steps that did not end well: {names}\n       run them alone: cargo xtask step {again}"
    )]
    Steps { names: String, again: String },
    #[error("no step is called `{name}`; `cargo xtask test --list` names them")]
    UnknownStep { name: String },
    #[error("`{command}` cannot be started: {source}")]
    Start { command: String, source: io::Error },
    #[error("standard output cannot be shared: {0}")]
    Stdout(io::Error),
    #[error("`{command}` ended with {status}")]
    Ended { command: String, status: ExitStatus },
    #[error("`{command}` printed something else than the JSON it promises: {source}")]
    NotJson { command: String, source: serde_json::Error },
    #[error("`{command}` printed JSON without the field `{field}`")]
    FieldMissing { command: String, field: &'static str },
    #[error("{path} cannot be read: {source}")]
    Unreadable { path: String, source: io::Error },
    #[error("{count} findings, listed above")]
    Findings { count: usize },
    #[error("{tool} is missing; {how}")]
    ToolMissing { tool: &'static str, how: &'static str },
    #[error("Node {version} is too old for the JavaScript client; install Node {min} or later")]
    NodeTooOld { version: String, min: u32 },
    #[error(
        "another program has held the package manager's lock for {seconds} s; end it, then try again"
    )]
    Locked { seconds: u64 },
    #[error("packages of the tests cannot be laid out: {0}")]
    Packages(io::Error),
    #[error("`{command}` printed nothing")]
    Silent { command: String },
    #[error("the server did not start: {why}; it said:\n{log}")]
    NoServer { why: &'static str, log: String },
    #[error("the server's process {what}: {source}")]
    Process { what: &'static str, source: io::Error },
    #[error("the drill's files cannot be made: {0}")]
    Files(io::Error),
    #[error("{what} did not happen within {seconds} s")]
    Patience { what: &'static str, seconds: u64 },
    #[error("drill `{drill}` failed: {why}")]
    Drill { drill: &'static str, why: String },
    #[error("the race tests do not compile with {cfg}")]
    RacesDoNotCompile { cfg: &'static str },
    #[error("no race test was found with {cfg}; a race test lies in a module `races`")]
    NoRaces { cfg: &'static str },
    #[error("{count} race tests do not see that the guard is off, listed above")]
    GuardUnseen { count: usize },
    #[error("the command block at {path}:{line} ended with {status}")]
    DocCommand { path: String, line: usize, status: ExitStatus },
}
