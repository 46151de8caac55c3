//! Decisions at half of the peak, measured by the drills.

use std::process::Command;

use super::{Binaries, DrillOutcome, check};
use crate::{failure::Failure, workspace};

pub(super) struct Plan {
    pub(super) connections: u32,
    pub(super) peak_s: u64,
    pub(super) open_s: u64,
    pub(super) seed: u64,
}

pub(super) fn run(binaries: &Binaries, plan: &Plan) -> Result<DrillOutcome, Failure> {
    let mut command = Command::new(&binaries.drills);
    command.arg("open-loop").arg("--server").arg(&binaries.stampede);
    command.args(["--connections", &plan.connections.to_string()]);
    command.args(["--peak-s", &plan.peak_s.to_string(), "--open-s", &plan.open_s.to_string()]);
    command.args(["--seed", &plan.seed.to_string()]);
    let (status, mut json) = workspace::last_line(&mut command)?;
    json["drill"] = "openloop".into();
    let mut wrong = Vec::new();
    check(&mut wrong, status.success(), || json["wrong"].to_string());
    let rows = json["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    check(&mut wrong, rows.len() == 2, || format!("{} paths were measured", rows.len()));
    let words = rows.iter().map(|row| {
        format!(
            "{} at {}/s: p99 {} us, p99.9 {} us, {} errors",
            row["path"], row["offered_per_s"], row["p99_us"], row["p999_us"], row["errors"],
        )
    });
    let words = words.collect::<Vec<_>>().join("; ");
    Ok(DrillOutcome { drill: "openloop", json, words, wrong })
}
