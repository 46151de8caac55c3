//! Stampede among its peers: installs, builds, measures.
//!
//! A peer that cannot be installed is told to the measuring program, which reports it as missing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;

use crate::{
    failure::Failure,
    packages,
    scripts::unless_done,
    workspace::{self, Workspace, answers},
};

/// Versions are fixed, so that figures of two machines are of the same peers.
const NPM_PACKAGES: [&str; 2] = ["ws@8.23.0", "bun@1.4.5"];
const PYTHON_PACKAGES: [&str; 2] = ["picows==2.3.1", "uvloop==0.23.0"];
/// Where Debian puts the programs of PostgreSQL 15.
const POSTGRES: &str = "/usr/lib/postgresql/15/bin";

#[derive(Args)]
pub(crate) struct Peers {
    /// How long each row is measured
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// How many connections, ascending
    #[arg(long, value_delimiter = ',', default_values_t = [200, 2_000])]
    connections: Vec<u32>,
    /// Only these rows, like `tcp_echo,sell_durable`
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where data of the servers goes: a folder on the disk that is to be measured, which the
    /// database's own account can reach
    #[arg(long, default_value = "/var/tmp")]
    data: PathBuf,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

/// A peer's program, or why it is missing.
type PeerProgram = Result<PathBuf, String>;

/// Builds, installs, measures.
pub(crate) fn run(workspace: &Workspace, peers: &Peers) -> Result<(), Failure> {
    let args = ["build", "--release", "--bins", "-p", "stampede", "-p", "benches"];
    workspace::run(&mut workspace.cargo(&args))?;
    let release = workspace.target().join("release");
    let folder = workspace.target().join("peers");
    for folder in [&folder, &peers.data] {
        fs::create_dir_all(folder).map_err(Failure::Files)?;
    }
    let modules = npm(workspace, &folder);
    let module = |path: &str| modules.clone().map(|modules| modules.join(path));
    let programs = [
        ("stampede", Ok(release.join("stampede"))),
        ("echo", Ok(release.join("echo"))),
        ("scripts", Ok(workspace.root().join("benches").join("peers"))),
        ("redis", debian(workspace, Path::new("/usr/bin/redis-server"), "redis-server")),
        ("postgres", postgres(workspace)),
        ("node_modules", modules.clone()),
        ("bun", module(".bin/bun")),
        ("ws", modules.clone().and_then(|_| node())),
        ("picows", picows(workspace, &folder)),
    ];
    let mut command = workspace.command(&release.join("peers").to_string_lossy());
    for (name, found) in programs {
        match found {
            Ok(path) => command.arg("--program").arg(format!("{name}={}", path.display())),
            Err(why) => command.arg("--missing").arg(format!("{name}={why}")),
        };
    }
    command.arg("--data").arg(&peers.data);
    command.args(["--seconds", &peers.seconds.to_string()]);
    let connections: Vec<String> = peers.connections.iter().map(u32::to_string).collect();
    command.args(["--connections", &connections.join(",")]);
    if !peers.only.is_empty() {
        command.args(["--only", &peers.only.join(",")]);
    }
    if peers.json {
        command.arg("--json");
    }
    workspace::run(&mut command)
}

/// A program of a Debian package.
fn debian(workspace: &Workspace, program: &Path, package: &str) -> PeerProgram {
    if program.exists() {
        return Ok(program.to_owned());
    }
    let installed = packages::install(workspace, &[package]).map_err(|why| why.to_string())?;
    match (installed, program.exists()) {
        (true, true) => Ok(program.to_owned()),
        (true, false) => Err(format!("the package {package} brings no {}", program.display())),
        (false, _) => Err(format!(
            "{} is missing; install it with the system's package manager (Debian: apt-get install \
             {package})",
            program.display()
        )),
    }
}

fn postgres(workspace: &Workspace) -> PeerProgram {
    let folder = PathBuf::from(POSTGRES);
    debian(workspace, &folder.join("postgres"), "postgresql-15").map(|_| folder)
}

fn node() -> PeerProgram {
    if answers(Command::new("node").arg("--version")) {
        return Ok("node".into());
    }
    Err("node is missing; install it (Debian: apt-get install nodejs npm)".to_owned())
}

/// The folder of modules, with those that are measured.
fn npm(workspace: &Workspace, folder: &Path) -> PeerProgram {
    node()?;
    let folder = folder.join("npm");
    installed(&folder, &NPM_PACKAGES, |folder| {
        let mut npm = workspace.command("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(folder);
        workspace::run(npm.args(NPM_PACKAGES))
    })?;
    Ok(folder.join("node_modules"))
}

/// The Python that has the packages, in an environment of its own.
fn picows(workspace: &Workspace, folder: &Path) -> PeerProgram {
    let environment = folder.join("python");
    let python = environment.join("bin").join("python");
    installed(&environment, &PYTHON_PACKAGES, |environment| {
        workspace::run(workspace.command("python3").args(["-m", "venv"]).arg(environment))?;
        let mut pip = workspace.command(&python.to_string_lossy());
        workspace::run(pip.args(["-m", "pip", "install", "--quiet"]).args(PYTHON_PACKAGES))
    })?;
    Ok(python)
}

/// Installs packages into a folder unless it has just these.
fn installed(
    folder: &Path,
    packages: &[&str],
    install: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<(), String> {
    let wanted = packages.join(" ");
    unless_done(wanted.as_bytes(), folder, install).map_err(|why| format!("{wanted}: {why}"))
}
