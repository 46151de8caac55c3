//! The release binaries that drills run, built once for all of them.

use std::path::{Path, PathBuf};

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

/// The server, the drills, the load tester.
pub(crate) struct Binaries {
    pub(crate) stampede: PathBuf,
    pub(crate) drills: PathBuf,
    pub(crate) loadtest: PathBuf,
}

impl Binaries {
    /// Where a release build puts them.
    pub(crate) fn of(workspace: &Workspace) -> Self {
        Self::within(&workspace.target().join("release"))
    }

    pub(super) fn within(folder: &Path) -> Self {
        let binary = |name| folder.join(name);
        Self {
            stampede: binary("stampede"),
            drills: binary("drills"),
            loadtest: binary("loadtest"),
        }
    }
}

/// Builds everything that drills run, by one call: the features of shared crates then agree, so
/// nothing is built twice.
pub(crate) fn build(workspace: &Workspace) -> Result<(), Failure> {
    const PACKAGES: [&str; 4] =
        ["stampede", "stampede-drills", "stampede-loadtest", "stampede-ledger"];
    let mut args = vec!["build", "--release", "--bins", "--example", "powercut"];
    args.extend(PACKAGES.iter().flat_map(|package| ["-p", *package]));
    workspace::run(&mut workspace.cargo(&args))
}

pub(super) fn build_server(workspace: &Workspace) -> Result<Binaries, Failure> {
    build(workspace)?;
    Ok(Binaries::of(workspace))
}

pub(super) fn build_powercut(workspace: &Workspace) -> Result<PathBuf, Failure> {
    build(workspace)?;
    Ok(powercut(workspace))
}

/// Where a release build puts the power-cut drill.
pub(super) fn powercut(workspace: &Workspace) -> PathBuf {
    workspace.target().join("release").join("examples").join("powercut")
}
