//! Whether webhooks are read as Stripe's own libraries sign them.

use std::{fs, path::Path, process::Command};

use crate::{
    failure::Failure,
    scripts::{npm_packages, python_packages},
    workspace::{self, Workspace},
};

/// The scripts that sign, with the lists of packages that they need.
const ORACLE: &str = "crates/payments/tests/oracle";
/// What they sign.
const EVENTS: &str = "crates/payments/tests/stripe";
/// What reads what they have signed.
const READER: &str = "stripe_signed";
/// Around when everything is signed, in seconds: a run is the same on every day.
const NOW_S: &str = "1796000000";

/// Installs Stripe's libraries below the build folder.
pub(crate) fn install(workspace: &Workspace) -> Result<(), Failure> {
    npm_packages(workspace, ORACLE, &workspace.target().join("stripe-npm"))?;
    python_packages(workspace, &format!("{ORACLE}/requirements.txt"), "stripe-python")
}

/// Signs the events with both libraries, then has them read.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    install(workspace)?;
    let (target, oracle) = (workspace.target(), workspace.root().join(ORACLE));
    let python = target.join("stripe-python").join("bin").join("python");
    let mut by_python = workspace.command(&python.to_string_lossy());
    by_python.arg(oracle.join("sign.py"));
    let mut by_node = workspace.command("node");
    by_node.env("STAMPEDE_NPM", target.join("stripe-npm")).arg(oracle.join("sign.mjs"));
    let folder = target.join("stripe");
    fs::create_dir_all(&folder).map_err(Failure::Files)?;
    let (python, node) = (folder.join("python.lines"), folder.join("node.lines"));
    sign(&mut by_python, &python)?;
    sign(&mut by_node, &node)?;
    // Of the workspace as a whole, so that nothing is built with other features than for all other tests.
    workspace::run(&mut workspace.cargo(&["build", "--workspace", "--example", READER]))?;
    let reader = target.join("debug").join("examples").join(READER);
    workspace::run(workspace.command(&reader.to_string_lossy()).args([python, node]))
}

fn sign(script: &mut Command, lines: &Path) -> Result<(), Failure> {
    let signed = workspace::stdout(script.args([EVENTS, NOW_S]))?;
    fs::write(lines, signed).map_err(Failure::Files)
}
