//! A stream of server-sent events, read as a client reads it.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, BodyDataStream, Bytes},
    http::{Request, StatusCode},
};
use futures_util::StreamExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::rig::Rig;

/// Where the stream of the tests is followed.
pub(crate) const PATH: &str = "/v1/streams/show/follow";

/// A stream of events as a client reads it.
pub(crate) struct Events {
    body: BodyDataStream,
    text: String,
}

/// One event: its name, its data.
pub(crate) type Event = (String, Value);

impl Events {
    pub(crate) async fn follow(rig: &Rig, who: &str, query: &str) -> Self {
        Self::on(&rig.router, rig.token(who), query).await
    }

    pub(crate) async fn on(router: &Router, token: &str, query: &str) -> Self {
        Self::with(router, ("authorization", &format!("Bearer {token}")), query).await
    }

    /// Followed by the holder of this header.
    pub(crate) async fn with(router: &Router, (name, value): (&str, &str), query: &str) -> Self {
        let request = Request::builder()
            .uri(format!("{PATH}{query}"))
            .header(name, value)
            .header("accept", "text/event-stream")
            .body(Body::empty())
            .unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event; `None` once the stream is over.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                match parsed(&std::mem::replace(&mut self.text, rest)) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let piece = tokio::time::timeout(Duration::from_secs(10), self.body.next());
            let piece: Bytes = piece.await.expect("a stream says something each second")?.unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next event with this name; others are passed over.
    pub(crate) async fn named(&mut self, name: &str) -> Value {
        loop {
            let (found, data) = self.next().await.expect("the stream goes on");
            if found == name {
                return data;
            }
        }
    }

    pub(crate) async fn until_over(&mut self) {
        while self.next().await.is_some() {}
    }
}

fn parsed(event: &str) -> Option<Event> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    let data = serde_json::from_str(field("data: ")?).unwrap();
    Some((field("event: ")?.to_owned(), data))
}
