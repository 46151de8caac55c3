//! A crowd's cost with its reach, measured by the drills.

use std::process::Command;

use super::{Binaries, DrillOutcome, check};
use crate::{failure::Failure, workspace};

pub(super) struct Plan {
    pub(super) connections: u32,
    pub(super) seed: u64,
    /// For correctness, not for figures.
    pub(super) short: bool,
}

pub(super) fn run(binaries: &Binaries, plan: &Plan) -> Result<DrillOutcome, Failure> {
    let mut command = Command::new(&binaries.drills);
    command.arg("crowd-drill").arg("--server").arg(&binaries.stampede);
    command.args(["--connections", &plan.connections.to_string()]);
    command.args(["--seed", &plan.seed.to_string()]);
    if plan.short {
        command.arg("--short");
    }
    let (status, mut json) = workspace::last_line(&mut command)?;
    json["drill"] = "crowd".into();
    let full = ["deliveries_limit", "send_loop_limit"].iter().all(|limit| json[limit] == "sender");
    let decided = if full { "" } else { " (undecided)" };
    let words = format!(
        "{} connections, {} + {} bytes each, {} joins/s, ticks p99 {} ms, deliveries {} of plain \
         send{decided}, stampede p99 {} us, {} answers lost",
        json["connections"],
        json["rss_per_connection_bytes"],
        json["kernel_per_connection_bytes"],
        json["connects_per_s"],
        json["tick_p99_ms"],
        json["deliveries_ratio"],
        json["stampede_p99_us"],
        json["answers_lost"],
    );
    let mut wrong = Vec::new();
    check(&mut wrong, status.success(), || json["wrong"].to_string());
    check(&mut wrong, json["connections"] == plan.connections, || {
        format!("{} viewers came in instead of {}", json["connections"], plan.connections)
    });
    check(&mut wrong, json["answers_lost"] == 0, || {
        format!("answers_lost is {}", json["answers_lost"])
    });
    Ok(DrillOutcome { drill: "crowd", json, words, wrong })
}
