//! Payments reported beside a sale, measured by the drills.

use std::process::Command;

use super::{Binaries, DrillOutcome, check};
use crate::{failure::Failure, workspace};

pub(super) struct Plan {
    pub(super) per_s: u64,
    pub(super) seconds: u64,
}

pub(super) fn run(binaries: &Binaries, plan: &Plan) -> Result<DrillOutcome, Failure> {
    let mut command = Command::new(&binaries.drills);
    command.arg("facts").arg("--server").arg(&binaries.stampede);
    command.args(["--per-s", &plan.per_s.to_string(), "--seconds", &plan.seconds.to_string()]);
    let (status, mut json) = workspace::last_line(&mut command)?;
    json["drill"] = "facts".into();
    let mut wrong = Vec::new();
    check(&mut wrong, status.success(), || json["wrong"].to_string());
    for field in ["orders_missing", "orders_twice", "paid_difference"] {
        check(&mut wrong, json[field] == 0, || format!("{field} is {}", json[field]));
    }
    let targets = json["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let targets = targets.iter().map(|target| {
        let verdict = if target["is_kept"] == true { "kept" } else { "missed" };
        let what = target["what"].as_str().unwrap_or_default();
        format!("{what} p99 {} of {} ms, {verdict}", target["p99_ms"], target["below_ms"])
    });
    let words = format!(
        "{} confirms at {}/s beside {} takes/s, then {} a second; {}; {} orders, {} missing, {} twice",
        json["confirms"]["offered"],
        plan.per_s,
        json["takes_per_s"],
        json["flood"]["answered_per_s"],
        targets.collect::<Vec<_>>().join("; "),
        json["orders"],
        json["orders_missing"],
        json["orders_twice"],
    );
    Ok(DrillOutcome { drill: "facts", json, words, wrong })
}
