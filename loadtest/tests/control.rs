//! The control client against a few canned answers.
#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

use std::time::Duration;

use stampede_loadtest::{ControlClient, ControlError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// Answers one request after the other, each on its own connection; returns the requests.
async fn answer(answers: Vec<String>) -> (ControlClient, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            requests.push(String::from_utf8(request[..length].to_vec()).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (ControlClient::new(&base, "a token"), served)
}

fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let line = request.lines().find(|line| line.to_ascii_lowercase().starts_with(name)).unwrap();
    line.split_once(": ").unwrap().1
}

#[tokio::test]
async fn a_command_is_repeated_with_its_key_until_it_is_accepted() {
    let busy = http("503 Service Unavailable", "{}");
    let accepted = http("200 OK", r#"{"drop":"d1","action":"open"}"#);
    let (control, served) = answer(vec![busy.clone(), busy, accepted]).await;
    control.open("d1").await.unwrap();
    let requests = served.await.unwrap();
    assert!(requests[0].starts_with("POST /v1/drops/d1/open "), "{}", requests[0]);
    assert_eq!(header(&requests[0], "authorization"), "Bearer a token");
    let keys: Vec<_> = requests.iter().map(|one| header(one, "idempotency-key")).collect();
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[0], keys[2]);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words() {
    let refused = http("409 Conflict", r#"{"code":"wrong_phase"}"#);
    let (control, _served) = answer(vec![refused]).await;
    let error = control.close("d1").await.unwrap_err();
    assert!(matches!(&error, ControlError::Refused { status: 409, .. }), "{error}");
    assert!(error.to_string().contains("wrong_phase"), "{error}");
}

#[tokio::test]
async fn a_ledger_is_read_whole_or_not_at_all() {
    let hold = r#"{"type":"hold","hold":"h","viewer":"v","sku":"mug","units":2,"key":"k","state":"held","taken_at_ms":1,"deadline_ms":2,"ended_at_ms":null}"#;
    let summary = r#"{"type":"summary","supplied":5,"holds":1,"orders":0,"orders_pending":0}"#;
    let whole = http("200 OK", &format!("{hold}\n{summary}\n"));
    let cut = http("200 OK", &format!("{hold}\n"));
    let (control, _served) = answer(vec![whole, cut]).await;
    let ledger = control.ledger("d1").await.unwrap();
    assert_eq!((ledger.supplied(), ledger.holds_live(), ledger.units_sold()), (5, 1, 0));
    let error = control.ledger("d1").await.unwrap_err();
    assert!(matches!(error, ControlError::Audit { .. }), "{error}");
}

#[tokio::test]
async fn a_state_adds_its_skus_up() {
    let sku = r#"{"sku":"a","supplied":9,"available":2,"held":3,"sold":4}"#;
    let state = format!(
        r#"{{"phase":"open","viewers_connected":7,"skus":[{sku},{sku}],"totals":{{"held":1,"retries":0,"refused":{{"sold_out":5}}}}}}"#
    );
    let (control, _served) = answer(vec![http("200 OK", &state)]).await;
    let state = control.state("d1").await.unwrap();
    let sums = (state.supplied(), state.available(), state.held(), state.sold());
    assert_eq!(sums, (18, 4, 6, 8));
    assert_eq!((state.phase.as_str(), state.totals.refused["sold_out"]), ("open", 5));
}

#[tokio::test]
async fn a_drop_that_does_not_open_in_time_is_an_error() {
    let state = |phase| {
        let rest =
            r#""viewers_connected":0,"skus":[],"totals":{"held":0,"retries":0,"refused":{}}"#;
        http("200 OK", &format!(r#"{{"phase":"{phase}",{rest}}}"#))
    };
    let answers = ["countdown", "open", "countdown", "countdown"].map(state);
    let (control, served) = answer(answers.into()).await;
    let within = Duration::from_millis(20);
    control.wait_open("d1", within).await.unwrap();
    let error = control.wait_open("d1", within).await.unwrap_err();
    assert_eq!(error.to_string(), "d1 did not open within 20 ms, it is countdown");
    assert_eq!(served.await.unwrap().len(), 4);
}
