//! Connections before their first request: TLS, PROXY headers, forwarded addresses.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ClientConfig, RootCertStore, ServerConfig, pki_types::ServerName};
use stampede_control::ControlConfig;
use stampede_domain::DurationMs;
use stampede_proxies::{ProxyProtocol, TrustedProxies};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::sockets::server;

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";

/// Both ends' settings for a certificate of its own making.
fn tls() -> (Arc<ServerConfig>, TlsConnector) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = signing_key.serialize_der().try_into().unwrap();
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (Arc::new(server), TlsConnector::from(Arc::new(client)))
}

fn behind_loopback(proxy_protocol: ProxyProtocol) -> ControlConfig {
    ControlConfig {
        trusted_proxies: TrustedProxies::parse(&["127.0.0.1"]).unwrap(),
        proxy_protocol,
        ..ControlConfig::default()
    }
}

/// What comes back for these bytes until the server closes.
async fn answer(at: SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    // A connection that is dropped with bytes unread ends with a reset.
    let _reset = tokio::time::timeout(Duration::from_secs(5), read).await.expect("an end in time");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn requests_are_answered_over_tls() {
    let (tls, connector) = tls();
    let server = server(ControlConfig { tls: Some(tls), ..ControlConfig::default() }).await;
    let stream = TcpStream::connect(server.at).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    stream.write_all(format!("{HEALTH}\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    // A client that speaks plain HTTP there gets no answer that could be mistaken for one.
    assert!(!answer(server.at, &format!("{HEALTH}\r\n")).await.contains("HTTP"));
}

#[tokio::test]
async fn an_opening_that_takes_too_long_blocks_nobody() {
    let (tls, connector) = tls();
    let opening_wait = DurationMs::new(100);
    let config = ControlConfig { tls: Some(tls), opening_wait, ..ControlConfig::default() };
    let server = server(config).await;
    let mut silent = TcpStream::connect(server.at).await.unwrap();
    silent.write_all(&[22, 3, 1]).await.unwrap();
    let stream = TcpStream::connect(server.at).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    connector.connect(name, stream).await.expect("others are served meanwhile");
    let read = tokio::time::timeout(Duration::from_secs(5), silent.read(&mut [0; 8])).await;
    assert_eq!(read.expect("dropped in time").unwrap_or(0), 0);
}

#[tokio::test]
async fn a_proxy_header_is_required_from_trusted_proxies() {
    let proxied = server(behind_loopback(ProxyProtocol::Required)).await;
    let header = "PROXY TCP4 203.0.113.9 127.0.0.1 4711 7701\r\n";
    let text = answer(proxied.at, &format!("{header}{HEALTH}\r\n")).await;
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    assert_eq!(answer(proxied.at, &format!("{HEALTH}\r\n")).await, "", "no header, no answer");

    let proxy_protocol = ProxyProtocol::Required;
    let strict = server(ControlConfig { proxy_protocol, ..ControlConfig::default() }).await;
    assert_eq!(answer(strict.at, &format!("{header}{HEALTH}\r\n")).await, "", "nobody is trusted");
}

#[tokio::test]
async fn forwarded_addresses_are_read_from_trusted_proxies_only() {
    let proxied = server(behind_loopback(ProxyProtocol::Off)).await;
    for (header, status) in [
        ("x-forwarded-for: 203.0.113.9", "200 OK"),
        ("forwarded: for=\"[2001:db8::7]:1\";proto=https", "200 OK"),
        ("x-forwarded-for: somebody", "400 Bad Request"),
        // The other header is a client's own word.
        ("x-forwarded-for: 203.0.113.9\r\nforwarded: for=nonsense;", "200 OK"),
    ] {
        let text = answer(proxied.at, &format!("{HEALTH}{header}\r\n\r\n")).await;
        assert!(text.contains(status), "{header}: {text}");
    }
    let direct = server(ControlConfig::default()).await;
    let text = answer(direct.at, &format!("{HEALTH}x-forwarded-for: somebody\r\n\r\n")).await;
    assert!(text.contains("200 OK"), "a stranger's claims are not read: {text}");

    // What a PROXY header says is whom the request's own claims are measured by.
    let both = server(behind_loopback(ProxyProtocol::Required)).await;
    let header = "PROXY TCP4 203.0.113.9 127.0.0.1 4711 7701\r\n";
    let claim = "x-forwarded-for: somebody";
    let text = answer(both.at, &format!("{header}{HEALTH}{claim}\r\n\r\n")).await;
    assert!(text.contains("200 OK"), "{text}");
}
