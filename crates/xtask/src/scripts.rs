//! The JavaScript client's own checks, with the packages that tests of other languages need.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

/// The folder of the client's tests, with the list of packages that they need.
const JAVASCRIPT: &str = "crates/control/tests/javascript";
/// Its tests that need no server.
const TESTS: [&str; 10] = [
    "client",
    "listeners",
    "wake",
    "needs",
    "samples",
    "page",
    "package",
    "platforms",
    "asyncapi",
    "models",
];
/// What the samples in Python need.
const REQUIREMENTS: &str = "docs/integrate/requirements.txt";
/// What makes requests and clients from `openapi.json`, with the lists of packages that it needs.
const OPENAPI: &str = "crates/control/tests/openapi";
/// The oldest Node that the client promises to run on.
const NODE_MAJOR_MIN: u32 = 20;

/// Installs packages below the build folder, nothing into the tree or the system.
pub(crate) fn install(workspace: &Workspace) -> Result<(), Failure> {
    check_node(workspace)?;
    npm_packages(workspace, JAVASCRIPT, &npm(workspace))?;
    python_packages(workspace, REQUIREMENTS, "python")?;
    npm_packages(workspace, OPENAPI, &workspace.target().join("openapi-npm"))?;
    python_packages(workspace, &format!("{OPENAPI}/requirements.txt"), "openapi")
}

/// Installs what a folder of the tree lists for Node.
pub(crate) fn npm_packages(workspace: &Workspace, lists: &str, to: &Path) -> Result<(), Failure> {
    let source = workspace.root().join(lists);
    unless_done(&read(&source.join("package-lock.json"))?, to, |folder| {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(source.join(name), folder.join(name)).map_err(Failure::Packages)?;
        }
        // No package may run a script of its own here.
        let quiet = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        workspace::run(workspace.command("npm").args(quiet).current_dir(folder))
    })
}

/// Installs what a file of the tree lists for Python.
pub(crate) fn python_packages(
    workspace: &Workspace,
    list: &str,
    name: &str,
) -> Result<(), Failure> {
    let requirements = workspace.root().join(list);
    unless_done(&read(&requirements)?, &workspace.target().join(name), |folder| {
        workspace::run(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        let python = folder.join("bin").join("python");
        workspace::run(workspace.command(&python.to_string_lossy()).args(quiet).arg(&requirements))
    })
}

/// Types and rules of the JavaScript client, without a server.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let npm = npm(workspace);
    let compiler = npm.join("node_modules").join(".bin").join("tsc");
    let project = workspace.root().join(JAVASCRIPT);
    workspace::run(workspace.command(&compiler.to_string_lossy()).arg("-p").arg(&project))?;
    let mut node = workspace.command("node");
    node.args(["--test", "--test-reporter=spec"]).env("STAMPEDE_NPM", &npm);
    workspace::run(
        node.args(TESTS.iter().map(|name| project.join(name).with_extension("test.mjs"))),
    )
}

fn npm(workspace: &Workspace) -> PathBuf {
    workspace.target().join("npm")
}

fn read(list: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(list).map_err(Failure::Packages)
}

/// Does the work unless `folder` was made from the same list before. The mark is written last,
/// so that what was broken off is done again.
pub(crate) fn unless_done(
    wanted: &[u8],
    folder: &Path,
    work: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mark = folder.join("installed");
    if fs::read(&mark).is_ok_and(|done| done == wanted) {
        println!("{}: there", folder.display());
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(Failure::Packages)?;
    work(folder)?;
    fs::write(mark, wanted).map_err(Failure::Packages)
}

fn check_node(workspace: &Workspace) -> Result<(), Failure> {
    let printed = workspace::stdout(workspace.command("node").arg("--version"))?;
    let version = String::from_utf8_lossy(&printed).trim().to_owned();
    match major(&version) {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        _ => Err(Failure::NodeTooOld { version, min: NODE_MAJOR_MIN }),
    }
}

/// The first number of a version like `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("20"), None);
        assert_eq!(major("v"), None);
    }

    #[test]
    fn packages_are_installed_once_for_each_list() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("packages");
        let mut times = 0;
        for (content, expected) in [("a", 1), ("a", 1), ("b", 2)] {
            let work = |folder: &Path| {
                assert!(folder.is_dir());
                times += 1;
                Ok(())
            };
            unless_done(content.as_bytes(), &folder, work).unwrap();
            assert_eq!(times, expected);
        }
    }
}
