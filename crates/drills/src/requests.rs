//! Requests to the control API as bytes, and answers read from bytes: a drill that measures or kills between the two
//! follows them itself.

use serde_json::Value;

/// What is asked of the server.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) body: Option<Value>,
}

/// What it answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) const fn get(path: String) -> Self {
        Self { method: "GET", path, key: None, body: None }
    }

    pub(crate) fn post(path: &str, key: String, body: Value) -> Self {
        Self { method: "POST", path: path.to_owned(), key: Some(key), body: Some(body) }
    }

    /// The request as it travels.
    pub(crate) fn bytes(&self, token: &str) -> Vec<u8> {
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
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
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
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Whether the same request is to be sent again.
    pub(crate) const fn asks_again(&self) -> bool {
        matches!(self.status, 429 | 502 | 503 | 504)
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
