//! Whole sales.

use std::{future::pending, sync::Arc, time::Duration};

use stampede_loadtest::{
    Behaviour, CrowdPlan, CrowdResult, CrowdWord, Ledger, Live, PayAt, Progress, Roots,
    SchedulePlan, ViewerRange, audit_promises, read_promises, reconcile, run_crowd,
};

use crate::fake::{DROP, Fake, SKU, Terms, ticket_key};

pub(crate) fn plan(fake: &Fake, log: &std::path::Path) -> CrowdPlan {
    CrowdPlan {
        seed: 7,
        url: format!("ws://{}/", fake.address),
        addresses: Vec::new(),
        roots: Roots::Mozilla,
        subprotocol: "stampede.v1.msgpack".into(),
        sources: vec!["127.0.0.2".parse().unwrap(), "127.0.0.3".parse().unwrap()],
        stream: "show".into(),
        drop: DROP.to_string(),
        sku: SKU.into(),
        ticket_key: ticket_key(),
        rehearsal: false,
        name_prefix: "v".into(),
        viewers: ViewerRange { from: 1_000, to: 1_300 },
        connected: 150,
        connects_per_s: 2_000,
        schedule: SchedulePlan {
            early_ms: 150,
            rush_ms: 300,
            rush_share: 0.8,
            again_every_ms: 400,
            turnover_from_ms: 200,
            turnover_to_ms: 1_200,
            sale_ms: 2_000,
        },
        behaviour: Behaviour {
            early_share: 0.2,
            double_share: 0.2,
            dropped_share: 0.2,
            retry_after_ms: 100,
            pay_later_share: 0.2,
            pay_later_ms_max: 100,
            never_pay_share: 0.1,
            walk_away_share: 0.1,
            release_share: 0.1,
            change_mind_ms_max: 100,
            units_weights: vec![3, 1],
        },
        pay_at: PayAt::Server,
        promise_log: log.to_owned(),
    }
}

pub(crate) const TERMS: Terms = Terms {
    supply: 100,
    hold_ttl: Duration::from_millis(400),
    countdown: Duration::from_millis(200),
    awaits_early_click: true,
    breaks_after: None,
};

/// Plays the plan; the drop opens once the first wave is there.
fn play(fake: &Fake, plan: CrowdPlan) -> CrowdResult {
    let mut opened = false;
    let told = |word: CrowdWord<'_>| match word {
        CrowdWord::Progress(progress) if progress.first_wave_settled && !opened => {
            opened = true;
            fake.open();
        }
        CrowdWord::Progress(_) => {}
        CrowdWord::Checkout(checkout) => panic!("{checkout:?}, though they pay at the server"),
    };
    run_crowd(plan, Arc::new(Live::default()), told, pending()).unwrap()
}

fn ledger(fake: &Fake) -> Ledger {
    let mut ledger = Ledger::default();
    for line in fake.audit_lines() {
        ledger.add(line.as_bytes()).unwrap();
    }
    ledger.check_whole().unwrap();
    ledger
}

/// Every unit is sold, on offer, or held by someone who walked away; some were taken more than once.
#[track_caller]
fn check_units(fake: &Fake, units_sold: u64) {
    let books = fake.books.lock();
    let units = |state: Option<&str>| -> u32 {
        let holds = books.holds.values();
        holds.filter(|h| state.is_none_or(|state| h.state == state)).map(|h| h.units).sum()
    };
    assert_eq!(units_sold, u64::from(units(Some("confirmed"))));
    assert_eq!(units(Some("confirmed")) + units(Some("held")) + books.available, TERMS.supply);
    assert!(units(None) > TERMS.supply, "{} units were taken", units(None));
}

#[test]
fn a_sale_is_played_counted_and_audited() {
    let log = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let fake = Fake::start(TERMS);
    let result = play(&fake, plan(&fake, &log));
    let counts = &result.counts;
    assert_eq!(result.troubles, [""; 0], "{counts:?}");
    assert_eq!(counts.viewers, 300, "{counts:?}");
    assert!(counts.connections_peak >= 150, "{counts:?}");
    assert!(counts.connections > 300, "some dropped and came back: {counts:?}");
    for (what, count) in [
        ("double clicks", counts.double_clicks),
        ("early clicks", counts.early_clicks),
        ("reconnect retries", counts.reconnect_retries),
        ("retries", counts.retries),
        ("expired", counts.expired),
        ("released", counts.released),
        ("unpaid", counts.holds_unpaid),
        ("orders", counts.orders),
        ("spared", counts.clicks_spared),
        ("sold out", counts.refused["sold_out"]),
        ("not open", counts.refused["not_open"]),
    ] {
        assert!(count > 0, "no {what}: {counts:?}");
    }
    let ledger = ledger(&fake);
    let reconciled = reconcile(counts, &ledger);
    assert!(reconciled.agrees(), "{reconciled:?}");
    assert_eq!(counts.clicks, fake.books.lock().clicks);
    assert_eq!(result.latency.count(), counts.answered());
    let promises = read_promises(&log).unwrap();
    assert_eq!(u64::try_from(promises.len()).unwrap(), counts.promises);
    let audit = audit_promises(&promises, &ledger);
    assert!(audit.is_clean(), "{audit:?}");
    check_units(&fake, audit.units_sold);
}

#[test]
fn every_viewer_survives_a_server_that_breaks_off() {
    let log = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let fake = Fake::start(Terms { breaks_after: Some(60), ..TERMS });
    let result = play(&fake, plan(&fake, &log));
    let counts = &result.counts;
    assert!(counts.connections_lost >= 100, "{counts:?}");
    assert!(!result.troubles.is_empty());
    let ledger = ledger(&fake);
    let audit = audit_promises(&read_promises(&log).unwrap(), &ledger);
    assert!(audit.is_clean(), "{audit:?}");
    check_units(&fake, audit.units_sold);
}

#[test]
fn a_crowd_can_be_stopped_before_anything_opens() {
    let log = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let fake = Fake::start(TERMS);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let told = |word: CrowdWord<'_>| {
        if let CrowdWord::Progress(Progress { first_wave_settled: true, .. }) = word {
            stop = None;
        }
    };
    let stop = async {
        let _dropped = stopped.await;
    };
    let live = Arc::new(Live::default());
    let result = run_crowd(plan(&fake, &log), live, told, stop).unwrap();
    assert_eq!((result.counts.viewers, result.counts.clicks), (150, 0));
}
