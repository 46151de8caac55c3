//! Power cuts, once with syncing, once without: the second run shows that the first could fail.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use super::{DrillOutcome, check};
use crate::{failure::Failure, workspace};

pub(super) fn run(example: &Path, seed: u64, cuts: u32) -> Result<DrillOutcome, Failure> {
    println!("{cuts} power cuts, synchronous=FULL, seed {seed}");
    let (full_passed, full) = cut(example, seed, cuts, "full")?;
    println!("the same with synchronous=OFF, which must lose promises");
    let (off_passed, off) = cut(example, seed, cuts, "off")?;
    let mut wrong = Vec::new();
    check(&mut wrong, full_passed, || "the ledger lost what it had promised".to_owned());
    check(&mut wrong, sound(&full), || format!("the ledger with syncing says {full}"));
    check(&mut wrong, !off_passed && !sound(&off), || {
        "the drill does not see that syncing is off".to_owned()
    });
    let words = format!(
        "{} promises over {} cuts, {} lost; without syncing {} of {} lost, ledger {}",
        full["promises"],
        full["cuts"],
        full["promises_lost"],
        off["promises_lost"],
        off["promises"],
        off["verify"],
    );
    let json = json!({
        "drill": "powercut",
        "ok": wrong.is_empty(),
        "seed": seed,
        "cuts": full["cuts"],
        "cuts_in_recovery": full["cuts_in_recovery"],
        "promises": full["promises"],
        "promises_lost": full["promises_lost"],
        "verify": full["verify"],
        "without_sync": off,
        "wrong": wrong,
    });
    Ok(DrillOutcome { drill: "powercut", json, words, wrong })
}

fn cut(example: &Path, seed: u64, cuts: u32, synchronous: &str) -> Result<(bool, Value), Failure> {
    let mut command = Command::new(example);
    command.arg("--json").args(["--synchronous", synchronous]);
    command.args(["--seed", &seed.to_string(), "--cuts", &cuts.to_string()]);
    let (status, value) = workspace::last_line(&mut command)?;
    Ok((status.success(), value))
}

/// Whether a run kept every promise in a ledger that opens.
fn sound(run: &Value) -> bool {
    run["promises_lost"] == 0 && run["promises"] != 0 && run["verify"] == "ok"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_promises_shows_nothing() {
        let run = |promises, lost, verify: &str| {
            sound(&json!({ "promises": promises, "promises_lost": lost, "verify": verify }))
        };
        assert!(run(5, 0, "ok"));
        assert!(!run(0, 0, "ok"));
        assert!(!run(5, 1, "ok"));
        assert!(!run(5, 0, "malformed"));
        assert!(!sound(&json!({})));
    }
}
