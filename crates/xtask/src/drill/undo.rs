//! The opening of a drop with many holds undone, the server killed in the middle of it, carried out by the drills.

use std::process::Command;

use super::{Binaries, DrillOutcome, check};
use crate::{failure::Failure, workspace};

pub(super) struct Plan {
    pub(super) viewers: u32,
    pub(super) rounds: u32,
    pub(super) kills: u32,
    pub(super) seed: u64,
}

pub(super) fn run(binaries: &Binaries, plan: &Plan) -> Result<DrillOutcome, Failure> {
    let mut command = Command::new(&binaries.drills);
    command.arg("undo").arg("--server").arg(&binaries.stampede);
    let Plan { viewers, rounds, kills, seed } = plan;
    command.args(["--viewers", &viewers.to_string(), "--rounds", &rounds.to_string()]);
    command.args(["--kills", &kills.to_string(), "--seed", &seed.to_string()]);
    let (status, mut json) = workspace::last_line(&mut command)?;
    json["drill"] = "undo".into();
    let mut wrong = Vec::new();
    check(&mut wrong, status.success(), || format!("seed {seed}: {}", json["wrong"]));
    check(&mut wrong, json["kills"] == *kills, || format!("{} kills", json["kills"]));
    let rounds = json["rounds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rounds =
        rounds.iter().map(|round| format!("{} holds in {} ms", round["holds"], round["voided_ms"]));
    let words = format!(
        "{}; Pause p99 {} ms beside it; {} kills in the middle of {} undos; verify {}",
        rounds.collect::<Vec<_>>().join(", "),
        json["target"]["p99_ms"],
        json["kills"],
        json["undos_killed"],
        json["verify"],
    );
    Ok(DrillOutcome { drill: "undo", json, words, wrong })
}
