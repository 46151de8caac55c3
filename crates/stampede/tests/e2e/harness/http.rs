//! Plain requests to the server, one connection for each.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

/// What the server answered.
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Its body; `null` where that is not JSON.
    pub(crate) body: Value,
}

/// Sends a request to `address`, like `127.0.0.1:7701`; each header ends with a line break.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\naccept: \
         application/json\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok(Answer { status, body: serde_json::from_str(body).unwrap_or(Value::Null) })
}
