//! Installs the tools that the tests call.

use std::process::{Command, Stdio};

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

/// Each tool is probed first: on a machine that has it, nothing is changed or downloaded.
pub(crate) fn install(workspace: &Workspace) -> Result<(), Failure> {
    component(workspace, "rustfmt", "fmt")?;
    component(workspace, "clippy", "clippy")?;
    nextest(workspace)?;
    strace(workspace)
}

fn component(workspace: &Workspace, name: &'static str, subcommand: &str) -> Result<(), Failure> {
    if answers(&mut workspace.cargo(&[subcommand, "--version"])) {
        println!("{name}: there");
        return Ok(());
    }
    println!("{name}: missing, adding it with rustup");
    workspace::run(workspace.command("rustup").args(["component", "add", name])).map_err(|_| {
        Failure::ToolMissing { tool: name, how: "add the component to the Rust toolchain" }
    })
}

fn nextest(workspace: &Workspace) -> Result<(), Failure> {
    if answers(&mut workspace.cargo(&["nextest", "--version"])) {
        println!("cargo-nextest: there");
        return Ok(());
    }
    println!("cargo-nextest: missing, building it (once, some minutes)");
    let mut command = workspace.cargo(&["install", "cargo-nextest", "--locked"]);
    workspace::run(command.env("CARGO_TARGET_DIR", workspace.target().join("tools")))
}

fn strace(workspace: &Workspace) -> Result<(), Failure> {
    if answers(Command::new("strace").arg("--version")) {
        println!("strace: there");
        return Ok(());
    }
    let missing = Failure::ToolMissing {
        tool: "strace",
        how: "install it with the system's package manager (Debian: apt-get install strace)",
    };
    if !is_root(workspace)? || !answers(Command::new("apt-get").arg("--version")) {
        return Err(missing);
    }
    println!("strace: missing, installing it with apt-get");
    // The lists of a fresh container are empty, those of an old machine are stale.
    workspace::run(apt_get(workspace).arg("update"))?;
    workspace::run(apt_get(workspace).args([
        "install",
        "--yes",
        "--no-install-recommends",
        "strace",
    ]))
}

fn apt_get(workspace: &Workspace) -> Command {
    let mut command = workspace.command("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root(workspace: &Workspace) -> Result<bool, Failure> {
    Ok(workspace::stdout(workspace.command("id").arg("-u"))?.trim_ascii() == b"0")
}

fn answers(probe: &mut Command) -> bool {
    probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
