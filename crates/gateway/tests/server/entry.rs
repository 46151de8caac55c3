//! How connections come in: over TLS, through proxies.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::Arc,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned, pki_types::ServerName,
};
use stampede_domain::DropId;
use stampede_gateway::GatewayConfig;
use stampede_proxies::{ProxyProtocol, TrustedProxies};
use stampede_wire::Subprotocol;

use crate::{
    client::{Client, Socket, connect, raw_request},
    world::{World, plan},
};

/// Both ends' settings for a certificate of its own making.
fn tls() -> (Arc<ServerConfig>, RootCertStore) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = signing_key.serialize_der().try_into().unwrap();
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    (Arc::new(server), roots)
}

fn seal(
    stream: std::net::TcpStream,
    roots: &RootCertStore,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Socket {
    let config = ClientConfig::builder_with_protocol_versions(versions)
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    Socket::Tls(Box::new(StreamOwned::new(connection, stream)))
}

fn secure(change: impl FnOnce(&mut GatewayConfig)) -> (World, RootCertStore) {
    let (tls, roots) = tls();
    let world = World::with(|config| {
        config.tls = Some(tls);
        change(config);
    });
    (world, roots)
}

fn join(world: &World, socket: Socket, viewer: &str) -> Client {
    let mut client = Client::over(socket, Subprotocol::Json.name()).unwrap();
    client.hello(&world.ticket(viewer));
    client.welcomed();
    client
}

fn buys(mut client: Client, drop: DropId) {
    client.buy(drop, "mug", 1, "one");
    let hold = client.held().hold;
    client.release(hold);
    assert!(matches!(client.next(), stampede_wire::ServerMessage::Released(_)));
}

#[test]
fn a_sale_goes_on_over_tls_of_both_versions() {
    let (mut world, roots) = secure(|_| {});
    let drop = world.open(plan(2));
    for (viewer, version) in [("v12", &rustls::version::TLS12), ("v13", &rustls::version::TLS13)] {
        buys(join(&world, seal(connect(world.address), &roots, &[version]), viewer), drop);
    }
    let last = join(&world, seal(connect(world.address), &roots, rustls::ALL_VERSIONS), "last");
    let gateway = world.gateway.take().unwrap();
    let stopped = std::thread::spawn(move || gateway.shutdown());
    assert_eq!(last.closed(), 4000, "the close frame travels sealed as well");
    stopped.join().unwrap();
}

#[test]
fn programs_of_this_machine_need_no_tls_at_a_port_of_loopback() {
    let (world, roots) = secure(|_| {});
    let plain = world.gateway.as_ref().unwrap().plain_addr();
    assert!(plain.ip().is_loopback() && plain != world.address);
    let drop = world.open(plan(2));
    buys(join(&world, Socket::Plain(connect(plain)), "own"), drop);
    buys(join(&world, seal(connect(world.address), &roots, rustls::ALL_VERSIONS), "v"), drop);
    let open = World::new();
    assert_eq!(open.gateway.as_ref().unwrap().plain_addr(), open.address, "one port is enough");
}

#[test]
fn whoever_speaks_in_the_open_or_trusts_nobody_gets_no_connection() {
    let (world, roots) = secure(|_| {});
    let request = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = std::panic::catch_unwind(|| raw_request(world.address, request));
    assert!(!answer.unwrap_or_default().contains("HTTP"));
    let stranger = seal(connect(world.address), &RootCertStore::empty(), rustls::ALL_VERSIONS);
    assert!(Client::over(stranger, "stampede.v1.json").is_err());
    let drop = world.open(plan(1));
    buys(join(&world, seal(connect(world.address), &roots, rustls::ALL_VERSIONS), "v"), drop);
}

#[test]
fn on_a_port_with_tls_a_page_without_is_not_the_ports_own() {
    let (world, roots) = secure(|config| config.origins = vec!["https://shop.example".into()]);
    for (origin, status) in [("http://x", "403"), ("https://x", "101"), ("wss://x", "101")] {
        let mut socket = seal(connect(world.address), &roots, rustls::ALL_VERSIONS);
        write!(socket, "{UPGRADE}Origin: {origin}\r\n\r\n").unwrap();
        let mut line = [0; 12];
        socket.read_exact(&mut line).unwrap();
        assert_eq!(line, format!("HTTP/1.1 {status}").as_bytes(), "{origin}");
    }
}

#[test]
fn a_slow_reader_gets_every_answer_through_full_buffers() {
    const ANSWERS: usize = 20_000;
    // With this the answers are more than what the kernel keeps for a connection.
    let long_key = |number: usize| format!("{number:064}");
    let (world, roots) = secure(|config| {
        (config.messages_per_s, config.messages_burst) = (1_000_000, 1_000_000);
        config.queue_bytes_max = 64 << 20;
    });
    world.open(plan(1));
    let stream = connect(world.address);
    socket2::SockRef::from(&stream).set_recv_buffer_size(256 << 10).unwrap();
    let mut client = join(&world, seal(stream, &roots, rustls::ALL_VERSIONS), "slow");
    for number in 0..ANSWERS {
        client.buy(DropId::new(999), "mug", 1, &long_key(number));
    }
    for number in 0..ANSWERS {
        let refused = client.refused();
        assert_eq!(refused.key.unwrap().as_str(), long_key(number));
    }
}

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: stampede.v1.json\r\n";

fn behind_loopback(config: &mut GatewayConfig) {
    config.trusted_proxies = TrustedProxies::parse(&["127.0.0.1"]).unwrap();
}

/// The status of an upgrade with these headers, on a connection that begins with `start`.
fn upgrade(address: SocketAddr, start: &[u8], headers: &str) -> String {
    let mut stream = connect(address);
    // In one piece: who is dropped for the start may be gone before a second one is written.
    let request = [start, UPGRADE.as_bytes(), headers.as_bytes(), b"\r\n"].concat();
    let mut status = [0; 12];
    let answered = stream.write_all(&request).and_then(|()| stream.read_exact(&mut status));
    match answered {
        Ok(()) => String::from_utf8_lossy(&status).into_owned(),
        Err(_) => "dropped".to_owned(),
    }
}

#[test]
fn a_proxy_header_is_required_from_trusted_proxies() {
    let binary = [
        &b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c"[..],
        &[203, 0, 113, 9, 10, 0, 0, 1, 0xc0, 1, 0x1e, 0x14],
    ]
    .concat();
    let line = b"PROXY TCP4 203.0.113.9 10.0.0.1 4711 7700\r\n";
    let world = World::with(|config| {
        behind_loopback(config);
        config.proxy_protocol = ProxyProtocol::Required;
    });
    let drop = world.open(plan(2));
    for start in [&line[..], &binary] {
        assert_eq!(upgrade(world.address, start, ""), "HTTP/1.1 101");
        let mut stream = connect(world.address);
        stream.write_all(start).unwrap();
        let viewer = format!("v{}", start.len());
        buys(join(&world, Socket::Plain(stream), &viewer), drop);
    }
    assert_eq!(upgrade(world.address, b"", ""), "dropped");
    assert_eq!(upgrade(world.address, b"PROXY TCP4 nonsense\r\n", ""), "dropped");
    // The client behind the proxy is nobody whose own claims are read.
    assert_eq!(upgrade(world.address, line, "X-Forwarded-For: nonsense\r\n"), "HTTP/1.1 101");

    let strict = World::with(|config| config.proxy_protocol = ProxyProtocol::Required);
    assert_eq!(upgrade(strict.address, line, ""), "dropped", "nobody is trusted");
}

#[test]
fn forwarded_addresses_are_read_from_trusted_proxies_only() {
    let claims = [
        ("X-Forwarded-For: 203.0.113.9\r\n", "HTTP/1.1 101"),
        ("Forwarded: for=\"[2001:db8::7]:1\"\r\n", "HTTP/1.1 101"),
        ("X-Forwarded-For: somebody\r\n", "HTTP/1.1 400"),
        // The other header is a client's own word.
        ("X-Forwarded-For: 1.1.1.1\r\nForwarded: for=nonsense;\r\n", "HTTP/1.1 101"),
    ];
    let (proxied, direct) = (World::with(behind_loopback), World::new());
    for (claim, status) in claims {
        assert_eq!(upgrade(proxied.address, b"", claim), status, "{claim}");
        assert_eq!(upgrade(direct.address, b"", claim), "HTTP/1.1 101", "{claim}");
    }
}

#[test]
fn limits_are_those_of_the_client_behind_the_proxy() {
    let world = World::with(|config| {
        behind_loopback(config);
        config.unlimited_addresses = Vec::new();
        (config.connects_per_address_per_s, config.connects_per_address_burst) = (1, 1);
    });
    let from =
        |client: &str| upgrade(world.address, b"", &format!("X-Forwarded-For: {client}\r\n"));
    assert_eq!(from("203.0.113.1"), "HTTP/1.1 101");
    assert_eq!(from("203.0.113.1"), "HTTP/1.1 429");
    assert_eq!(from("203.0.113.2"), "HTTP/1.1 101");
}

#[test]
fn a_proxy_may_end_tls_elsewhere_and_pass_it_through_here() {
    let (world, roots) = secure(|config| {
        behind_loopback(config);
        config.proxy_protocol = ProxyProtocol::Required;
    });
    let drop = world.open(plan(1));
    let mut stream = connect(world.address);
    stream.write_all(b"PROXY TCP4 203.0.113.9 10.0.0.1 4711 7700\r\n").unwrap();
    buys(join(&world, seal(stream, &roots, rustls::ALL_VERSIONS), "v"), drop);
}
