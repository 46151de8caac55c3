//! What one channel may see of a drop, and of the show that it is.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use stampede_domain::{DropId, UnixMillis};
use stampede_report::{DropReport, ReportReader, ShowReport};
use stampede_testkit::{PastLedger, plan};
use support::{
    journal,
    money::{cancelled, refunded},
    sale::State,
    sim::{Sim, channel_of},
};

/// 2025-11-22 22:00 UTC.
const EVENING: UnixMillis = UnixMillis::new(1_763_848_800_000);

fn report(path: &Path, drop: u32) -> Arc<DropReport> {
    ReportReader::new().drop(&journal(path), DropId::new(drop)).unwrap()
}

/// The cut of a drop and of the show that it is, for one channel.
fn cuts(report: &Arc<DropReport>, channel: &str) -> [Value; 2] {
    let channel = channel.parse().unwrap();
    let show = ShowReport::new(vec![Arc::clone(report)]).unwrap();
    let of_show = serde_json::to_value(show.of_channel(&channel)).unwrap();
    [serde_json::to_value(report.of_channel(&channel)).unwrap(), of_show]
}

#[test]
fn what_came_after_settlement_reaches_the_channel_that_brought_the_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(support::plan(&[9]));
    let [nina, ben] = ["nina-tv", "ben-tv"].map(|name| {
        let came_by = |who: &u64| channel_of(*who).is_some_and(|by| by.as_str() == name);
        (1..20).find(came_by).unwrap()
    });
    for (who, units) in [(nina, 2), (ben, 1)] {
        sim.buy(drop, who, 0, units, "a");
    }
    sim.flush();
    for place in [0, 1] {
        sim.end(drop, place, State::Confirmed);
    }
    sim.flush();
    sim.settle(drop);
    let hold = sim.sale(drop).holds[0].id;
    sim.adjust(hold, cancelled(1, 990));
    sim.adjust(hold, refunded(&format!("{hold}-1"), 990));
    sim.flush();
    let as_of_ms = sim.now().get();
    sim.now_ms += 5_000;
    let other = sim.sale(drop).holds[1].id;
    sim.adjust(other, refunded(&format!("{other}-1"), 10));
    sim.close();
    let report = report(dir.path(), 1);
    let mut expected = json!({
        "as_of_ms": as_of_ms, "orders_cancelled": 0, "units_cancelled": 1, "paid_minor": 0,
        "refunded_minor": 990, "net_minor": -990,
    });
    let [of_drop, of_show] = cuts(&report, "nina-tv");
    assert_eq!(of_drop["adjustments"], expected);
    assert_eq!(of_drop["net_minor"], 3_980, "as it settled");
    expected["currency"] = "EUR".into();
    assert_eq!(of_show["adjustments"], json!([expected]));
    for cut in cuts(&report, "ben-tv") {
        assert!(cut["adjustments"].to_string().contains("-10"), "{cut}");
    }
    for cut in cuts(&report, "stranger") {
        assert_eq!(cut["adjustments"], Value::Null);
    }
}

#[test]
fn clicks_of_a_channel_are_a_lower_bound_where_others_have_some() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = PastLedger::create(dir.path(), EVENING);
    let mut drop = ledger.plan(plan(10));
    drop.open(&mut ledger);
    for who in 1..=3 {
        drop.take(&mut ledger, who, (0, 1), Some("nina"));
    }
    drop.take(&mut ledger, 4, (0, 1), Some("ben"));
    ledger.finish();
    let mut report = report(dir.path(), 1);
    let told = Arc::make_mut(&mut report);
    told.clicks_by_channel_other = Some(7);
    for channel in &mut told.channels {
        let is_ben = channel.channel == Some("ben".parse().unwrap());
        channel.figures.clicks = Some(if is_ben { 5 } else { 0 });
    }
    for (channel, clicks) in [("nina", 3), ("ben", 5), ("stranger", 0)] {
        for cut in cuts(&report, channel) {
            let found = (&cut["clicks"], &cut["clicks_at_least"], &cut["counts_complete"]);
            assert_eq!(found, (&clicks.into(), &true.into(), &true.into()), "{channel}");
        }
    }
    Arc::make_mut(&mut report).clicks_by_channel_other = Some(0);
    assert_eq!(cuts(&report, "ben").map(|cut| cut["clicks_at_least"].clone()), [false, false]);
    Arc::make_mut(&mut report).restarts_live = 1;
    for cut in cuts(&report, "ben") {
        assert_eq!(
            (&cut["clicks_at_least"], &cut["counts_complete"]),
            (&json!(true), &json!(false))
        );
    }
}
