//! The demo as users see it, its figures held to what the project promises.

use std::process::Command;

use serde_json::Value;

use crate::{
    drill::Binaries,
    failure::Failure,
    workspace::{self, Workspace},
};

const ZERO: [&str; 4] = ["oversold", "stranded", "promises_lost", "duplicate_orders"];
const ABOVE_ZERO: [&str; 5] =
    ["expired", "double_clicks", "early_clicks", "reconnect_retries", "promises"];

/// Plays the demo with the binary that an earlier step has built.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = Command::new(Binaries::of(workspace).stampede);
    let (status, outcome) = workspace::last_line(command.args(["demo", "--json"]))?;
    let mut findings = findings(&outcome);
    if !status.success() {
        findings.push(format!("it ended with {status}"));
    }
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() { Ok(()) } else { Err(Failure::Findings { count: findings.len() }) }
}

fn findings(outcome: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    let mut expect = |good: bool, field: &str| {
        if !good {
            findings.push(format!("{field} is {}", outcome[field]));
        }
    };
    for field in ZERO {
        expect(outcome[field] == 0, field);
    }
    for field in ABOVE_ZERO {
        expect(outcome[field].as_u64() > Some(0), field);
    }
    expect(outcome["units_sold"] == 15_000, "units_sold");
    expect(outcome["verify"] == "ok", "verify");
    expect(outcome["clicks_agree"] == true, "clicks_agree");
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_promised_figure_is_looked_at() {
        let mut outcome = json!({
            "oversold": 0, "stranded": 0, "promises_lost": 0, "duplicate_orders": 0, "expired": 1,
            "double_clicks": 1, "early_clicks": 1, "reconnect_retries": 1, "promises": 1,
            "units_sold": 15_000, "verify": "ok", "clicks_agree": true,
        });
        assert_eq!(findings(&outcome), [""; 0]);
        outcome["oversold"] = json!(1);
        assert_eq!(findings(&outcome), ["oversold is 1"]);
        assert_eq!(findings(&json!({})).len(), 12, "a missing figure is a finding");
    }
}
