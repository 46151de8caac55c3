//! Tests of pages on a server that a demo runs.

use serde_json::{Value, json};

/// 2026-11-27 20:33:12 UTC.
const NOW_MS: u64 = 1_795_811_592_000;

/// A demo in each state.
pub(crate) fn demos() -> [Value; 5] {
    let demo = |stage: &str, last_kill: Value| {
        json!({ "stage": stage, "viewers": 18_000, "connected": 17_998, "promises": 30_514, "kills": 1,
            "last_kill": last_kill })
    };
    let kill = |kept: Value, verified: Value| json!({ "at_ms": NOW_MS, "down_ms": 412, "given": 14_213, "kept": kept, "verified": verified });
    let without = |stage| {
        let mut demo = demo(stage, Value::Null);
        demo.as_object_mut().expect("a fixture").remove("last_kill");
        demo
    };
    let mut checking = demo("checking", kill(Value::Null, Value::Null));
    for field in ["kept", "verified"] {
        checking["last_kill"].as_object_mut().expect("a fixture").remove(field);
    }
    [
        without("gathering"),
        demo("running", kill(14_213.into(), true.into())),
        demo("running", kill(14_212.into(), true.into())),
        checking,
        demo("running", kill(14_213.into(), false.into())),
    ]
}
