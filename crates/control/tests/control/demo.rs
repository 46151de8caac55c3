//! Tests of the paths that a demo's server adds.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::http::StatusCode;
use stampede_control::{Demo, DemoKill, DemoStage, DemoState};

use crate::rig::Rig;

/// A demo that counts how often it was asked to kill.
fn demo() -> (Arc<Demo>, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let kill = move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    (Arc::new(Demo::new(Box::new(kill))), asked)
}

#[tokio::test]
async fn a_server_of_no_demo_has_none() {
    let rig = Rig::new();
    for (method, path) in [("GET", "/v1/demo"), ("POST", "/v1/demo/kill")] {
        rig.ask("admin", method, path).refused(404, "no_demo").await;
        rig.ask_nobody(method, path).refused(401, "token_missing").await;
    }
}

#[tokio::test]
async fn a_demo_is_told_of_and_kills_only_while_the_show_runs() {
    let rig = Rig::new();
    let (demo, asked) = demo();
    let router = rig.router_of(Arc::clone(&demo));
    let ask = |who, method, path| rig.ask(who, method, path).to(router.clone());
    let told = ask("host", "GET", "/v1/demo").expect(StatusCode::OK).await.json;
    assert_eq!((&told["stage"], &told["viewers"]), (&"gathering".into(), &0.into()));
    assert!(told.get("last_kill").is_none(), "{told}");
    ask("host", "POST", "/v1/demo/kill").refused(409, "demo_busy").await;

    demo.tell(DemoState { stage: DemoStage::Running, viewers: 9, ..DemoState::default() });
    ask("nina", "POST", "/v1/demo/kill").refused(403, "forbidden").await;
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    ask("host", "POST", "/v1/demo/kill").expect(StatusCode::ACCEPTED).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);

    let last_kill = Some(DemoKill { given: 7, ..DemoKill::default() });
    demo.tell(DemoState { stage: DemoStage::Checking, last_kill, ..DemoState::default() });
    ask("host", "POST", "/v1/demo/kill").refused(409, "demo_busy").await;
    let told = ask("acme", "GET", "/v1/demo").expect(StatusCode::OK).await.json;
    assert_eq!(told["last_kill"]["given"], 7);
    assert!(told["last_kill"].get("kept").is_none(), "unknown is not 0: {told}");
}
