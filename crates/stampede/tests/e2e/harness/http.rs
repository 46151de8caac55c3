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
    let length = body.len();
    let headers = format!(
        "accept: application/json\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}"
    );
    let (status, body) = exchange(address, method, path, &headers, body)?;
    Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

/// Reads a file: its status with its bytes.
pub(crate) fn download(address: &str, path: &str, headers: &str) -> io::Result<(u16, Vec<u8>)> {
    exchange(address, "GET", path, headers, "")
}

/// Speaks HTTP/1.0, so that no body comes in chunks.
fn exchange(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    let head = format!("{method} {path} HTTP/1.0\r\nhost: {address}\r\n{headers}\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let split = split.ok_or(io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, bytes.split_off(split + 4)))
}
