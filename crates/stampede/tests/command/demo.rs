//! A small demo: the whole path from the first click to the proof.

use serde_json::Value;

use crate::running::{stampede, stdout};

#[test]
fn a_small_demo_sells_out_and_proves_it() {
    let mut command = stampede();
    command.args(["demo", "--json", "--connected", "60", "--units", "40"]);
    let said = stdout(&command.assert().success());
    let outcome: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    for field in ["oversold", "stranded", "promises_lost", "duplicate_orders"] {
        assert_eq!(outcome[field], 0, "{field} in {outcome}");
    }
    assert_eq!((&outcome["units_supplied"], &outcome["units_sold"]), (&40.into(), &40.into()));
    assert_eq!(outcome["verify"], "ok", "{outcome}");
    assert_eq!(outcome["clicks_agree"], true, "{outcome}");
    for field in [
        "viewers",
        "peak_connections",
        "clicks",
        "clicks_first_second",
        "promises",
        "time_to_sell_out_ms",
        "time_to_settled_ms",
        "clicks_per_s",
    ] {
        assert!(outcome[field].as_u64() > Some(0), "{field} in {outcome}");
    }
    for field in ["p50", "p99", "p999", "max"] {
        assert!(outcome["decision_latency_us"][field].as_u64() > Some(0), "{field} in {outcome}");
    }
    for field in ["double_clicks", "early_clicks", "reconnect_retries", "expired"] {
        assert!(outcome[field].is_u64(), "{field} in {outcome}");
    }
    assert!(outcome["journal"]["records"].as_u64() >= outcome["journal"]["commits"].as_u64());
}
