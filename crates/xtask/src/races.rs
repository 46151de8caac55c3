//! Race tests under loom, once with the guard, once without it.
//!
//! With the guard each test explores every interleaving of its threads up to the preemption bound
//! that stands beside the models. Without it (`stampede_guard_off` puts a load with a store in the
//! place of the stock word's compare-and-swap) each race on the word must fail: a race test that
//! cannot see the race is no proof.

use std::process::Command;

use serde_json::Value;

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

const GUARD_ON: &str = "--cfg stampede_loom";
const GUARD_OFF: &str = "--cfg stampede_loom --cfg stampede_guard_off";

/// Where the models stand.
const MODELS: &str = "crates/stock/src/tests/races.rs";

const RACES: &str = "test(/::races::/)";

/// Races on the stock word, by their name: the guard is the word's, other races have their own.
const WORD_RACES: &str = "test(/::races::word_/)";

/// Exit codes that the runner documents.
const TESTS_FAILED: i32 = 100;
const BUILD_FAILED: i32 = 101;

pub(crate) fn loom(workspace: &Workspace) -> Result<(), Failure> {
    println!("every interleaving within the preemption bound of {MODELS} ({GUARD_ON})");
    let names = race_names(workspace, "loom", GUARD_ON, RACES)?;
    println!("{} race tests", names.len());
    workspace::run(&mut nextest(workspace, "loom", GUARD_ON, "run", RACES))
}

/// Each test runs alone: one that aborts says nothing about the next.
pub(crate) fn guard_off(workspace: &Workspace) -> Result<(), Failure> {
    println!("each race on the stock word must fail ({GUARD_OFF})");
    let mut unseen = 0_usize;
    for name in race_names(workspace, "guard-off", GUARD_OFF, WORD_RACES)? {
        let filter = format!("test(={name})");
        let mut command = nextest(workspace, "guard-off", GUARD_OFF, "run", &filter);
        let status = workspace::output(&mut command)?.status;
        match guardless(status.code()) {
            Some(Guardless::Fails) => println!("fails as it must: {name}"),
            Some(Guardless::Passes) => {
                println!("PASSES without the guard: {name}");
                unseen += 1;
            }
            None => return Err(Failure::Ended { command: format!("nextest {filter}"), status }),
        }
    }
    if unseen == 0 { Ok(()) } else { Err(Failure::GuardUnseen { count: unseen }) }
}

/// What a race test does without the guard.
#[derive(Debug, PartialEq, Eq)]
enum Guardless {
    Fails,
    Passes,
}

/// Reads the runner's exit code; `None` if it could not run the test at all.
fn guardless(code: Option<i32>) -> Option<Guardless> {
    match code {
        Some(0) => Some(Guardless::Passes),
        Some(TESTS_FAILED) => Some(Guardless::Fails),
        _ => None,
    }
}

/// Compiles the race tests, so that a compile error is never taken for a failing test.
fn race_names(
    workspace: &Workspace,
    folder: &str,
    cfg: &'static str,
    filter: &str,
) -> Result<Vec<String>, Failure> {
    let mut command = nextest(workspace, folder, cfg, "list", filter);
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

    #[test]
    fn only_a_failed_test_counts_as_failing() {
        assert_eq!(guardless(Some(TESTS_FAILED)), Some(Guardless::Fails));
        assert_eq!(guardless(Some(0)), Some(Guardless::Passes));
        for neither in [Some(BUILD_FAILED), Some(4), None] {
            assert_eq!(guardless(neither), None, "{neither:?}");
        }
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
