//! The listener's loop over real sockets.

use std::{net::SocketAddr, time::Duration};

use stampede_control::{ControlConfig, serve};
use stampede_domain::DurationMs;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use crate::rig::Rig;

pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
    rig: Rig,
}

pub(crate) async fn server(config: ControlConfig) -> Server {
    let rig = Rig::with(config.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let router = rig.router.clone();
    let done = tokio::spawn(async move {
        serve(listener, router, &config, async { drop(stopped.await) }).await;
    });
    Server { at, stop, done, rig }
}

/// Sends bytes, then reads until the server closes or falls silent after an answer.
async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    if stream.write_all(request.as_bytes()).await.is_err() {
        // Closed before anything was sent.
        return String::new();
    }
    let (mut answer, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
        let count = read.expect("an answer in time").unwrap_or(0);
        answer.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        if count == 0 || text.ends_with('}') || text.contains("content-length: 0") {
            return text;
        }
    }
}

/// A request by the admin whose answer goes on; gives its connection with what has come so far.
pub(crate) async fn get(server: &Server, path: &str, accept: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    let token = server.rig.token("admin");
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\naccept: {accept}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let head = until_text(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    (stream, head)
}

/// Reads until this text has come.
pub(crate) async fn until_text(stream: &mut TcpStream, wanted: &str) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4_096]);
    while !text.contains(wanted) {
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
        let count = read.expect("an answer in time").unwrap();
        assert!(count > 0, "the connection ended after {text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    text
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn requests_are_answered_until_the_server_stops() {
    let server = server(ControlConfig::default()).await;
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    for _ in 0..2 {
        assert!(exchange(&mut stream, HEALTH).await.starts_with("HTTP/1.1 200 OK"));
    }
    server.stop.send(()).unwrap();
    // The idle connection is closed rather than waited for.
    tokio::time::timeout(Duration::from_secs(5), server.done).await.unwrap().unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(server.at).await.is_err());
}

#[tokio::test]
async fn a_connection_that_does_not_finish_is_cut_off_at_shutdown() {
    let drain_wait = DurationMs::new(50);
    let server = server(ControlConfig { drain_wait, ..ControlConfig::default() }).await;
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    let head = "POST /v1/drops HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    exchange(&mut TcpStream::connect(server.at).await.unwrap(), HEALTH).await;
    server.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.done).await.unwrap().unwrap();
}

#[tokio::test]
async fn headers_have_their_limits() {
    let server = server(ControlConfig::default()).await;
    let many = "x: 1\r\n".repeat(65);
    let large = format!("x: {}\r\n", "y".repeat(20 << 10));
    for headers in [many, large] {
        let mut stream = TcpStream::connect(server.at).await.unwrap();
        let answer =
            exchange(&mut stream, &format!("GET /healthz HTTP/1.1\r\n{headers}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    let answer = exchange(&mut stream, "stampede!\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(
        exchange(&mut TcpStream::connect(server.at).await.unwrap(), HEALTH)
            .await
            .contains("200 OK")
    );
}

#[tokio::test]
async fn whoever_sends_nothing_is_closed() {
    let header_wait = DurationMs::new(50);
    let server = server(ControlConfig { header_wait, ..ControlConfig::default() }).await;
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    stream.write_all(b"GET /healthz HT").await.unwrap();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 8])).await;
    assert_eq!(read.expect("closed in time").unwrap_or(0), 0);
}

#[tokio::test]
async fn a_slow_body_is_answered_with_a_timeout() {
    let request_wait = DurationMs::new(50);
    let server = server(ControlConfig { request_wait, ..ControlConfig::default() }).await;
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    let token = server.rig.token("admin");
    let head = format!(
        "POST /v1/drops HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         idempotency-key: k\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    );
    let answer = exchange(&mut stream, &head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("/problems/request_timeout"), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let server = server(ControlConfig { connections_max: 1, ..ControlConfig::default() }).await;
    let mut first = TcpStream::connect(server.at).await.unwrap();
    exchange(&mut first, HEALTH).await;
    let mut second = TcpStream::connect(server.at).await.unwrap();
    second.write_all(HEALTH.as_bytes()).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(100), second.read(&mut [0; 8])).await;
    assert!(early.is_err(), "the second is answered while the first is open");
    drop(first);
    assert!(exchange(&mut second, "").await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn one_address_leaves_connections_for_the_others() {
    let config = ControlConfig { connections_per_address_max: 2, ..ControlConfig::default() };
    let server = server(config).await;
    let mut first = TcpStream::connect(server.at).await.unwrap();
    let mut second = TcpStream::connect(server.at).await.unwrap();
    for stream in [&mut first, &mut second] {
        assert!(exchange(stream, HEALTH).await.starts_with("HTTP/1.1 200 OK"));
    }
    let mut third = TcpStream::connect(server.at).await.unwrap();
    assert_eq!(exchange(&mut third, HEALTH).await, "", "closed without an answer");
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = socket.connect(server.at).await.unwrap();
    assert!(exchange(&mut other, HEALTH).await.starts_with("HTTP/1.1 200 OK"));
    drop(first);
    // Its place is free as soon as the server has seen the end.
    loop {
        let mut again = TcpStream::connect(server.at).await.unwrap();
        if exchange(&mut again, HEALTH).await.starts_with("HTTP/1.1 200 OK") {
            break;
        }
    }
}
