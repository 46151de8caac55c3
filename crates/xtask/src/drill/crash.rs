//! Kills of a server under load, carried out by the drills.

use std::process::Command;

use super::{Binaries, DrillOutcome, check};
use crate::{failure::Failure, workspace};

pub(super) struct Plan {
    pub(super) seed: u64,
    /// How many kills; `None` for the short drill.
    pub(super) kills: Option<u32>,
}

pub(super) fn run(binaries: &Binaries, plan: &Plan) -> Result<DrillOutcome, Failure> {
    let mut command = Command::new(&binaries.drills);
    command.arg("crash").arg("--server").arg(&binaries.stampede);
    command.args(["--json", "--seed", &plan.seed.to_string()]);
    match plan.kills {
        Some(kills) => command.args(["--kills", &kills.to_string()]),
        None => command.arg("--short"),
    };
    let (status, mut json) = workspace::last_line(&mut command)?;
    json["drill"] = "crash".into();
    let words = format!(
        "{} kills, {} promises, {} lost, {} oversold, {} stranded, verify {}",
        json["kills"],
        json["promises"],
        json["promises_lost"],
        json["oversold"],
        json["stranded"],
        json["verify"],
    );
    let mut wrong = Vec::new();
    check(&mut wrong, status.success(), || json["wrong"].to_string());
    for field in ["promises_lost", "oversold", "duplicate_orders", "stranded"] {
        check(&mut wrong, json[field] == 0, || format!("{field} is {}", json[field]));
    }
    Ok(DrillOutcome { drill: "crash", json, words, wrong })
}
