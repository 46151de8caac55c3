//! Requests to the control API whose bytes the drill can follow: when they have left, what has come back.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

use super::{Live, PATIENCE};
use crate::{error::DrillError, waiting::out_of_patience};

/// Requests under way at once; the server takes 256 of one merchant.
const UNDER_WAY_MAX: usize = 96;
/// Longest time for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// Time until a request without an answer is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// The largest answer: a page of what is to be done.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// What is asked of the server.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) key: Option<String>,
    pub(super) body: Option<Value>,
}

/// What it answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// A client with one token.
pub(super) struct Http {
    target: SocketAddr,
    token: String,
    idle: Mutex<Vec<TcpStream>>,
    permits: Semaphore,
    live: Arc<Live>,
}

impl Request {
    pub(super) const fn get(path: String) -> Self {
        Self { method: "GET", path, key: None, body: None }
    }

    pub(super) fn post(path: &str, key: String, body: Value) -> Self {
        Self { method: "POST", path: path.to_owned(), key: Some(key), body: Some(body) }
    }

    /// The request as it travels.
    pub(super) fn bytes(&self, token: &str) -> Vec<u8> {
        let Self { method, path, key, body } = self;
        let key = key.as_ref().map(|key| format!("Idempotency-Key: {key}\r\n"));
        let body = body.as_ref().map(Value::to_string).unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let (key, length) = (key.unwrap_or_default(), body.len());
        let whole = format!(
            "{method} {path} HTTP/1.1\r\nHost: drill\r\nAuthorization: Bearer {token}\r\n\
             {key}{kind}Content-Length: {length}\r\n\r\n{body}"
        );
        whole.into_bytes()
    }
}

impl Answer {
    /// An answer, once all of it is there.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let length = lines.find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        let body = bytes.get(end + 4..end + 4 + length)?;
        Some(Self { status, body: serde_json::from_slice(body).unwrap_or(Value::Null) })
    }

    /// The code of a problem.
    pub(super) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Whether the same request is to be sent again.
    const fn asks_again(&self) -> bool {
        matches!(self.status, 429 | 502 | 503 | 504)
    }
}

impl Http {
    pub(super) fn new(target: SocketAddr, token: &str, live: Arc<Live>) -> Self {
        let (idle, permits) = (Mutex::default(), Semaphore::new(UNDER_WAY_MAX));
        Self { target, token: token.to_owned(), idle, permits, live }
    }

    pub(super) const fn target(&self) -> SocketAddr {
        self.target
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request until it has an answer that stands.
    pub(super) async fn call(&self, request: &Request) -> Result<Answer, DrillError> {
        let answered = tokio::time::timeout(PATIENCE, async {
            loop {
                let permit = self.permits.acquire().await.expect("nobody closes it");
                let answer = tokio::time::timeout(ANSWER_MAX, self.once(request)).await;
                drop(permit);
                if let Ok(Ok(answer)) = answer
                    && !answer.asks_again()
                {
                    return answer;
                }
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        });
        answered.await.map_err(|_| out_of_patience("an answer of the control API"))
    }

    async fn once(&self, request: &Request) -> io::Result<Answer> {
        let idle = self.idle.lock().pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => TcpStream::connect(self.target).await?,
        };
        stream.write_all(&request.bytes(&self.token)).await?;
        let _sent = InFlight::new(&self.live.in_flight);
        let mut bytes = Vec::with_capacity(1_024);
        loop {
            if stream.read_buf(&mut bytes).await? == 0 || bytes.len() > ANSWER_BYTES_MAX {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = Answer::parse(&bytes) {
                self.idle.lock().push(stream);
                return Ok(answer);
            }
        }
    }
}

/// A request that was sent and has no answer.
struct InFlight<'a>(&'a AtomicU64);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_once_all_of_it_is_there() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"code\":\"a\"}";
        assert!(Answer::parse(&bytes[..20]).is_none());
        assert!(Answer::parse(&bytes[..bytes.len() - 3]).is_none());
        let whole = b"HTTP/1.1 409 Conflict\r\ncontent-length: 12\r\n\r\n{\"code\":\"a\"}";
        let answer = Answer::parse(whole).unwrap();
        assert_eq!((answer.status, answer.code()), (409, "a"));
    }

    #[test]
    fn a_request_has_its_key_and_the_length_of_its_body() {
        let request = Request::post("/v1/payments", "k1".into(), serde_json::json!({"a": 1}));
        let text = String::from_utf8(request.bytes("secret")).unwrap();
        assert!(text.starts_with("POST /v1/payments HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("Idempotency-Key: k1\r\n") && text.contains("Bearer secret\r\n"));
        assert!(text.ends_with("Content-Length: 7\r\n\r\n{\"a\":1}"), "{text}");
    }
}
