//! Runs in a real browser: shows, faults, accessibility; on demand pictures with measurements.
//!
//! They are tests of the package `stampede`, built with all others. The gate runs them with the binaries
//! that users build; by hand they run with those of the test build unless a folder is named.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    drill::Binaries,
    failure::Failure,
    workspace::{self, Workspace},
};

/// The runs as the test runner names them; the step of all other tests leaves them out.
pub(crate) const RUNS: &str = "package(stampede) & binary(e2e)";

#[derive(Args)]
pub(crate) struct E2e {
    /// Pictures of each page as well, one contact sheet for each below the build folder in `e2e`
    #[arg(long)]
    full: bool,
    /// Measurements as well: load, layout, CPU, heap
    #[arg(long)]
    measure: bool,
    /// Minutes over which the measurements watch the heap
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120))]
    minutes: u32,
    /// Only what has this in its name; of pictures and measurements as well
    #[arg(long)]
    only: Option<String>,
    /// Take `stampede` from this folder instead of the test build
    #[arg(long)]
    binaries: Option<PathBuf>,
}

/// Runs what somebody asked for.
pub(crate) fn run(workspace: &Workspace, wanted: &E2e) -> Result<(), Failure> {
    let folder = wanted.binaries.as_deref();
    let minutes = wanted.minutes.to_string();
    let only = wanted.only.as_deref();
    // What was asked for may be among the others alone.
    let lenient: &[&str] =
        if wanted.full || wanted.measure { &["--no-tests", "pass"] } else { &[] };
    nextest(workspace, folder, &filter("", only), lenient, &minutes)?;
    for (asked, module) in [(wanted.full, "pictures::"), (wanted.measure, "measure::")] {
        if asked {
            let alone = ["--ignore-default-filter", "--no-tests", "pass", "--test-threads", "1"];
            nextest(workspace, folder, &filter(module, only), &alone, &minutes)?;
        }
    }
    if wanted.full {
        println!("pictures: {}", workspace.target().join("e2e").display());
    }
    Ok(())
}

/// The share of the gate, with the binaries that an earlier step has built.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let binaries = Binaries::of(workspace);
    let folder = binaries.stampede.parent().map(Path::to_owned);
    nextest(workspace, folder.as_deref(), RUNS, &[], "1")
}

fn filter(module: &str, only: Option<&str>) -> String {
    let parts = [Some(module), only].into_iter().flatten().filter(|part| !part.is_empty());
    parts.fold(RUNS.to_owned(), |all, part| format!("{all} & test({part})"))
}

fn nextest(
    workspace: &Workspace,
    binaries: Option<&Path>,
    filter: &str,
    more: &[&str],
    minutes: &str,
) -> Result<(), Failure> {
    // Of the workspace as a whole, so that nothing is built with other features than in the gate.
    let run = ["nextest", "run", "--workspace", "--test", "e2e", "--no-fail-fast"];
    let mut command = workspace.cargo(&run);
    // Figures are printed by runs that end well.
    command.args(["--success-output", "final", "-E", filter]).args(more);
    command.env("INSTA_UPDATE", "no").env("STAMPEDE_E2E_MINUTES", minutes);
    if let Some(folder) = binaries {
        let folder = fs::canonicalize(folder)
            .map_err(|source| Failure::Unreadable { path: folder.display().to_string(), source })?;
        command.env("STAMPEDE_BINARIES", folder);
    }
    workspace::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_the_runs_then_what_is_asked_for() {
        assert_eq!(filter("", None), RUNS);
        let both = filter("pictures::", Some("stage"));
        assert_eq!(both, format!("{RUNS} & test(pictures::) & test(stage)"));
    }
}
