//! Installs the tools that the tests call.

use std::process::Command;

use crate::{
    failure::Failure,
    packages, scripts, stripe,
    workspace::{self, Workspace, answers},
};

/// Each tool is probed first: on a machine that has it, nothing is changed or downloaded.
pub(crate) fn install(workspace: &Workspace) -> Result<(), Failure> {
    component(workspace, "rustfmt", "fmt")?;
    component(workspace, "clippy", "clippy")?;
    nextest(workspace)?;
    cargo_fuzz(workspace)?;
    programs(workspace)?;
    scripts::install(workspace)?;
    stripe::install(workspace)
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

fn cargo_fuzz(workspace: &Workspace) -> Result<(), Failure> {
    if answers(&mut workspace.cargo(&["fuzz", "--version"])) {
        println!("cargo-fuzz: there");
        return Ok(());
    }
    println!("cargo-fuzz: missing, building it (once, a minute)");
    let mut command = workspace.cargo(&["install", "cargo-fuzz", "--locked"]);
    workspace::run(command.env("CARGO_TARGET_DIR", workspace.target().join("tools")))
}

/// A program of the system, with Debian's packages that have it.
struct Program {
    name: &'static str,
    /// Arguments with which it answers at once.
    probe: &'static [&'static str],
    packages: &'static [&'static str],
    how: &'static str,
}

/// What the tests call beyond the Rust toolchain.
#[rustfmt::skip]
const PROGRAMS: &[Program] = &[
    Program { name: "strace", probe: &["--version"], packages: &["strace"], how: "install it with the system's package manager (Debian: apt-get install strace)" },
    Program { name: "faketime", probe: &["--version"], packages: &["faketime"], how: "install it with the system's package manager (Debian: apt-get install faketime)" },
    Program { name: "make", probe: &["--version"], packages: &["make"], how: "install make, which the allocator is built with (Debian: apt-get install make)" },
    Program { name: "c++", probe: &["--version"], packages: &["g++"], how: "install a C++ compiler, which the fuzzer needs (Debian: apt-get install g++)" },
    Program { name: "curl", probe: &["--version"], packages: &["curl"], how: "install it with the system's package manager (Debian: apt-get install curl)" },
    Program { name: "jq", probe: &["--version"], packages: &["jq"], how: "install it with the system's package manager (Debian: apt-get install jq)" },
    Program { name: "node", probe: &["--version"], packages: &["nodejs"], how: "install Node 20 or later (Debian: apt-get install nodejs npm)" },
    Program { name: "npm", probe: &["--version"], packages: &["npm"], how: "install npm beside Node (Debian: apt-get install npm)" },
    Program { name: "javac", probe: &["-version"], packages: &["default-jdk-headless"], how: "install a Java development kit, 17 or later (Debian: apt-get install default-jdk-headless)" },
    Program { name: "python3", probe: &["-m", "ensurepip", "--version"], packages: &["python3", "python3-venv"], how: "install Python 3.11 or later with venv (Debian: apt-get install python3 python3-venv)" },
    Program { name: "chromium", probe: &["--version"], packages: &["chromium"], how: "install Chromium (Debian: apt-get install chromium)" },
    // Pages are as wide as their letters: the runs in a browser measure with the same ones everywhere.
    Program { name: "fc-list", probe: &["--quiet", "Noto Sans"], packages: &["fontconfig", "fonts-noto-core"], how: "install the fonts Noto Sans (Debian: apt-get install fontconfig fonts-noto-core)" },
];

/// Installs the programs that are missing, all in one go.
fn programs(workspace: &Workspace) -> Result<(), Failure> {
    let missing: Vec<&Program> = PROGRAMS.iter().filter(|program| !program.answers()).collect();
    let there =
        PROGRAMS.iter().filter(|program| missing.iter().all(|one| one.name != program.name));
    for program in there {
        println!("{}: there", program.name);
    }
    let Some(first) = missing.first() else { return Ok(()) };
    let packages: Vec<&str> =
        missing.iter().flat_map(|program| program.packages).copied().collect();
    if !packages::install(workspace, &packages)? {
        return Err(Failure::ToolMissing { tool: first.name, how: first.how });
    }
    let still = missing.iter().find(|program| !program.answers());
    still.map_or(Ok(()), |program| {
        Err(Failure::ToolMissing { tool: program.name, how: program.how })
    })
}

impl Program {
    fn answers(&self) -> bool {
        answers(Command::new(self.name).args(self.probe))
    }
}
