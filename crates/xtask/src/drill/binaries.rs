//! The release binaries that drills run, built once for all of them.

use std::path::{Path, PathBuf};

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

/// The server and the load tester.
pub(crate) struct Binaries {
    pub(crate) stampede: PathBuf,
    pub(crate) loadtest: PathBuf,
}

impl Binaries {
    /// Where a release build puts them.
    pub(crate) fn of(workspace: &Workspace) -> Self {
        Self::within(&workspace.target().join("release"))
    }

    pub(super) fn within(folder: &Path) -> Self {
        Self { stampede: folder.join("stampede"), loadtest: folder.join("loadtest") }
    }
}

/// Builds everything that drills run.
pub(crate) fn build(workspace: &Workspace) -> Result<(), Failure> {
    build_server(workspace)?;
    build_powercut(workspace).map(|_| ())
}

/// Both binaries at once: the load tester's crates are those of the server's demo, so the second
/// binary costs no more than its linking.
pub(super) fn build_server(workspace: &Workspace) -> Result<Binaries, Failure> {
    let packages = ["build", "--release", "-p", "stampede", "-p", "stampede-loadtest", "--bins"];
    workspace::run(&mut workspace.cargo(&packages))?;
    Ok(Binaries::of(workspace))
}

pub(super) fn build_powercut(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let example = ["build", "--release", "-p", "stampede-ledger", "--example", "powercut"];
    workspace::run(&mut workspace.cargo(&example))?;
    Ok(powercut(workspace))
}

/// Where a release build puts the power-cut drill.
pub(super) fn powercut(workspace: &Workspace) -> PathBuf {
    workspace.target().join("release").join("examples").join("powercut")
}
