//! Payments in any order against a server that is killed, carried out by the drills.

use std::process::Command;

use super::{Binaries, DrillOutcome, check};
use crate::{failure::Failure, workspace};

pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) holds: u64,
}

pub(super) fn run(binaries: &Binaries, plan: &Plan) -> Result<DrillOutcome, Failure> {
    let mut command = Command::new(&binaries.drills);
    command.arg("settlement").arg("--server").arg(&binaries.stampede);
    let (seed, holds) = (plan.seed.to_string(), plan.holds.to_string());
    command.args(["--json", "--seed", &seed, "--holds", &holds]);
    let (status, mut json) = workspace::last_line(&mut command)?;
    json["drill"] = "settlement".into();
    let words = format!(
        "seed {}: {} holds, {} orders, {} of them late, {} parts due back; {} refunds missing, {} orders missing, {} \
         doubled; off by {} minor units, by {} units; {} kills, {} between a record and its answer; verify {}",
        json["seed"],
        json["holds"],
        json["orders"],
        json["late_orders"],
        json["refund_due"],
        json["refunds_missing"],
        json["orders_missing"],
        json["duplicate_orders"],
        json["money_difference"],
        json["units_difference"],
        json["kills"],
        json["kills_between"],
        json["verify"],
    );
    let mut wrong = Vec::new();
    check(&mut wrong, status.success(), || format!("seed {seed}: {}", json["wrong"]));
    let nothing = [
        "refunds_missing",
        "orders_missing",
        "duplicate_orders",
        "money_difference",
        "units_difference",
    ];
    for field in nothing {
        check(&mut wrong, json[field] == 0, || format!("{field} is {}", json[field]));
    }
    Ok(DrillOutcome { drill: "settlement", json, words, wrong })
}
