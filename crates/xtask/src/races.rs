//! Race tests under loom, once with the guard, once without it.
//!
//! With the guard each test explores every interleaving of its threads up to the preemption
//! bound. Without it (`stampede_guard_off` replaces compare-and-swap) the same tests must fail:
//! a race test that cannot see the race is no proof.

use std::process::Command;

use serde_json::Value;

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

const GUARD_ON: &str = "--cfg stampede_loom";
const GUARD_OFF: &str = "--cfg stampede_loom --cfg stampede_guard_off";

/// Involuntary switches between threads that loom explores in one execution. Known races of a
/// few threads show within two; the third is our margin.
const PREEMPTIONS_MAX: &str = "3";

const RACES: &str = "test(/loom/)";

/// Exit codes that the runner documents.
const TESTS_FAILED: i32 = 100;
const BUILD_FAILED: i32 = 101;

/// Race tests that pass without the guard, each with the reason. One that fails leaves the list.
const GUARDED_OTHERWISE: &[(&str, &str)] = &[];

pub(crate) fn loom(workspace: &Workspace) -> Result<(), Failure> {
    println!("every interleaving with at most {PREEMPTIONS_MAX} preemptions ({GUARD_ON})");
    let names = race_names(workspace, "loom", GUARD_ON)?;
    println!("{} race tests", names.len());
    workspace::run(&mut nextest(workspace, "loom", GUARD_ON, "run", RACES))
}

pub(crate) fn guard_off(workspace: &Workspace) -> Result<(), Failure> {
    println!("the same race tests must fail ({GUARD_OFF})");
    let mut results = Vec::new();
    for name in race_names(workspace, "guard-off", GUARD_OFF)? {
        let filter = format!("test(={name})");
        let mut command = nextest(workspace, "guard-off", GUARD_OFF, "run", &filter);
        let status = workspace::output(&mut command)?.status;
        results.push(match status.code() {
            Some(0) => (name, Guardless::Passes),
            Some(TESTS_FAILED) => (name, Guardless::Fails),
            _ => return Err(Failure::Ended { command: format!("nextest {filter}"), status }),
        });
    }
    let unseen = judge(&results, GUARDED_OTHERWISE);
    for line in &unseen {
        println!("{line}");
    }
    if unseen.is_empty() { Ok(()) } else { Err(Failure::GuardUnseen { count: unseen.len() }) }
}

/// What a race test does without the guard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guardless {
    Fails,
    Passes,
}

fn judge(results: &[(String, Guardless)], otherwise: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, result) in results {
        let reason = otherwise.iter().find(|(listed, _)| listed == name).map(|(_, why)| why);
        match (result, reason) {
            (Guardless::Fails, None) => println!("fails as it must: {name}"),
            (Guardless::Passes, Some(why)) => println!("guarded otherwise: {name}: {why}"),
            (Guardless::Passes, None) => findings.push(format!("passes without guard: {name}")),
            (Guardless::Fails, Some(_)) => {
                findings.push(format!("fails without guard, so its exception must go: {name}"));
            }
        }
    }
    for (listed, _) in otherwise {
        if !results.iter().any(|(name, _)| name == listed) {
            findings.push(format!("excepted, though no such race test exists: {listed}"));
        }
    }
    findings
}

/// Compiles the race tests, so that a compile error is never taken for a failing test.
fn race_names(
    workspace: &Workspace,
    folder: &str,
    cfg: &'static str,
) -> Result<Vec<String>, Failure> {
    let mut command = nextest(workspace, folder, cfg, "list", RACES);
    let list =
        workspace::json(command.args(["--message-format", "json"])).map_err(|why| match why {
            Failure::Ended { status, .. } if status.code() == Some(BUILD_FAILED) => {
                Failure::RacesDoNotCompile { cfg }
            }
            other => other,
        })?;
    let names = matching(&list);
    if names.is_empty() { Err(Failure::NoRaces { cfg }) } else { Ok(names) }
}

/// Names of the tests that the runner's list marks as matching the filter.
fn matching(list: &Value) -> Vec<String> {
    let suites = list["rust-suites"].as_object().into_iter().flat_map(|suites| suites.values());
    suites
        .filter_map(|suite| suite["testcases"].as_object())
        .flatten()
        .filter(|(_, test)| test["filter-match"]["status"] == "matches")
        .map(|(name, _)| name.clone())
        .collect()
}

fn nextest(workspace: &Workspace, folder: &str, cfg: &str, verb: &str, filter: &str) -> Command {
    let mut command =
        workspace.cargo(&["nextest", verb, "--cargo-profile", "release", "-p", "stampede-stock"]);
    command
        .args(["-E", filter])
        .env("RUSTFLAGS", cfg)
        .env("CARGO_TARGET_DIR", workspace.target().join(folder))
        .env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS_MAX)
        // The models are small: a faster build is worth more than link-time optimisation.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    command
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn results(results: &[(&str, Guardless)]) -> Vec<(String, Guardless)> {
        results.iter().map(|(name, result)| ((*name).to_owned(), *result)).collect()
    }

    #[test]
    fn races_that_fail_without_the_guard_pass() {
        let seen = results(&[("a", Guardless::Fails), ("b", Guardless::Passes)]);
        assert_eq!(judge(&seen, &[("b", "a lock")]), [""; 0]);
    }

    #[test]
    fn a_race_that_passes_without_the_guard_is_refused() {
        let seen = results(&[("a", Guardless::Passes)]);
        assert_eq!(judge(&seen, &[]), ["passes without guard: a"]);
    }

    #[test]
    fn an_exception_that_is_no_longer_needed_is_refused() {
        let seen = results(&[("a", Guardless::Fails)]);
        assert_eq!(judge(&seen, &[("a", "a lock"), ("gone", "a lock")]).len(), 2);
    }

    #[test]
    fn only_tests_that_match_the_filter_are_taken() {
        let list = json!({ "rust-suites": { "stampede-stock": { "testcases": {
            "loom::two_takes": { "filter-match": { "status": "matches" } },
            "word::bits": { "filter-match": { "status": "mismatch", "reason": "expression" } },
        }}}});
        assert_eq!(matching(&list), ["loom::two_takes"]);
        assert!(matching(&json!({})).is_empty());
    }
}
