//! A till before a server that is often away.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

/// A server of which only the payments are played: holds `h...` become orders, holds `late...` do not.
#[derive(Debug, Default)]
struct Fake {
    /// Reports that were taken, by their key, with how often they came.
    reports: Mutex<BTreeMap<String, (Value, u32)>>,
}

impl Fake {
    async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let fake = Arc::new(Self::default());
        let serving = Arc::clone(&fake);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(Arc::clone(&serving).serve(stream));
            }
        });
        (fake, url)
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        loop {
            let (head, body) = loop {
                if let Some(request) = whole(&bytes) {
                    break request;
                }
                if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                    return;
                }
            };
            bytes.clear();
            let Some((status, answer)) = self.answer(&head, &body) else { return };
            let text = answer.to_string();
            let length = text.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{text}");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    /// Each report is refused for now at first, then taken without an answer, then answered.
    fn answer(&self, head: &str, body: &Value) -> Option<(&'static str, Value)> {
        if head.starts_with("get ") {
            return Some(("200 OK", self.list()));
        }
        let key = head.lines().find_map(|line| line.strip_prefix("idempotency-key: "));
        let mut reports = self.reports.lock();
        let (known, times) = reports.entry(key.unwrap().to_owned()).or_insert((body.clone(), 0));
        assert_eq!(known, body, "a key names one report");
        assert!(
            body["holds"][0].is_string(),
            "an attempt that was not recorded is about nothing else"
        );
        *times += 1;
        match *times {
            1 => Some(("503 Service Unavailable", json!({"code": "busy"}))),
            2 => None,
            _ => Some(("200 OK", json!({"holds": [outcome(body)]}))),
        }
    }

    /// What is to be done by the reports that were taken.
    fn list(&self) -> Value {
        let reports = self.reports.lock();
        let taken = |payment: &Value, event: &str| {
            reports.values().any(|(report, times)| {
                *times > 1 && report["payment"] == *payment && report["event"] == event
            })
        };
        let late = reports.values().filter(|(report, _)| is_late(report));
        let due = late.filter(|(report, _)| {
            let payment = &report["payment"];
            taken(payment, "paid") && !taken(payment, "refunded")
        });
        let todo = |(report, _): &(Value, u32)| json!({"todo": [{"action": "refund", "payment": report["payment"], "amount": report["amount"]}]});
        json!({"holds": due.map(todo).collect::<Vec<_>>(), "next": null})
    }
}

fn is_late(report: &Value) -> bool {
    report["event"] == "paid" && report["holds"][0].as_str().unwrap().starts_with("late")
}

fn outcome(report: &Value) -> Value {
    match report["event"].as_str().unwrap() {
        "paid" if is_late(report) => json!({"outcome": "refund_due", "amount": report["amount"]}),
        "paid" => json!({"outcome": "ordered", "order": report["holds"][0]}),
        _ => json!({"outcome": "noted"}),
    }
}

fn whole(bytes: &[u8]) -> Option<(String, Value)> {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    (body.len() >= length).then(|| (head, serde_json::from_str(body).unwrap_or_default()))
}

#[tokio::test]
async fn every_report_arrives_and_late_money_goes_back() {
    let (fake, url) = Fake::start().await;
    let provider = Provider {
        seed: 1,
        currency: "EUR".into(),
        delay: Duration::ZERO,
        declined_share: 0.0,
        slow_share: 0.0,
        slow_delay: Duration::ZERO,
    };
    let till = Till::open(&url, "secret", provider).unwrap();
    let door = till.door();
    for hold in ["h1", "h2", "h1", "late1"] {
        let checkout = Checkout { drop: "d1".into(), hold: hold.into(), amount_minor: 499 };
        door.send(checkout).await.unwrap();
    }
    drop(door);
    let account = till.close().await;
    assert!(account.wrong.is_empty(), "{account:?}");
    let figures = account.total();
    assert_eq!((figures.payments, figures.orders, figures.refunds), (3, 2, 1), "{figures:?}");
    assert_eq!((figures.paid_minor, figures.refunded_minor, figures.due_minor), (1_497, 499, 0));
    let reports = fake.reports.lock();
    assert_eq!(reports.len(), 7, "three begun, three paid, one refunded: {reports:?}");
    assert!(reports.values().all(|(_, times)| *times >= 3), "{reports:?}");
}
