//! TLS of the running server: sound files, broken files, changed files.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::Signal;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName},
};

use stampede_client::{ClientError, ClientTls, ConnectOptions, Connection, Reconnect, Subprotocol};

use crate::{
    running::{Running, stampede, stderr, stdout},
    shop::open_drop,
};

type Sealed = StreamOwned<ClientConnection, TcpStream>;

/// The program that the client's documentation shows.
#[path = "../../../client/examples/buyer.rs"]
#[allow(dead_code, reason = "its `main` reads a command line")]
mod buyer;

/// Writes a new pair; gives the certificate.
fn renew(dir: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.der().clone()
}

fn settings(dir: &Path) -> String {
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let table = |listener| {
        format!("[{listener}.tls]\ncert = '{}'\nkey = '{}'\n", cert.display(), key.display())
    };
    let path = dir.join("stampede.toml");
    std::fs::write(&path, table("viewers") + table("control").as_str()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A request that trusts this certificate alone; `None` if the handshake fails.
fn ask(url: &str, trusted: &CertificateDer<'static>) -> Option<(Sealed, String)> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let address = url.split("://").nth(1).unwrap().trim_end_matches('/');
    let mut sealed = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    let status = healthy(&mut sealed)?;
    Some((sealed, status))
}

/// The first line of an answer on an open connection.
fn healthy(sealed: &mut Sealed) -> Option<String> {
    sealed.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").ok()?;
    let mut answer = [0; 1024];
    let length = sealed.read(&mut answer).ok()?;
    String::from_utf8_lossy(&answer[..length]).lines().next().map(str::to_owned)
}

#[test]
fn a_changed_certificate_is_taken_up_and_open_connections_stay() {
    let dir = tempfile::tempdir().unwrap();
    let first = renew(dir.path());
    let config = settings(dir.path());
    let server = Running::with(&dir.path().join("data"), &["--config", &config]);
    assert!(server.viewers.starts_with("wss://"), "{}", server.viewers);
    assert!(server.control.starts_with("https://"), "{}", server.control);
    let (mut open, status) = ask(&server.control, &first).expect("the first certificate");
    assert_eq!(status, "HTTP/1.1 200 OK");
    // The viewers' port has it too; besides WebSocket it answers health checks.
    assert_eq!(ask(&server.viewers, &first).expect("the same").1, "HTTP/1.1 200 OK");

    std::fs::write(dir.path().join("cert.pem"), "nonsense").unwrap();
    server.signal(Signal::HUP);
    assert!(ask(&server.control, &first).is_some(), "a broken file changes nothing");

    let second = renew(dir.path());
    server.signal(Signal::HUP);
    let mut looks = 0;
    while ask(&server.viewers, &second).is_none() || ask(&server.control, &second).is_none() {
        looks += 1;
        assert!(looks < 1_000, "the second certificate is not taken up");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(ask(&server.control, &first).is_none(), "the first one is gone");
    assert_eq!(healthy(&mut open).as_deref(), Some("HTTP/1.1 200 OK"), "it was not dropped");
    drop(open);
    assert!(server.stop(Signal::TERM).success());
}

#[test]
fn the_clients_example_buys_and_pays_over_tls() {
    let dir = tempfile::tempdir().unwrap();
    renew(dir.path());
    let data = dir.path().join("data");
    let config = dir.path().join("stampede.toml");
    let settings = settings(dir.path());
    let text = std::fs::read_to_string(&settings).unwrap();
    let viewers_only = text.split("[control.tls]").next().unwrap();
    std::fs::write(&config, viewers_only).unwrap();
    let args = ["--config", &settings, "--payments", "sandbox", "--payment-delay-ms", "1"];
    let server = Running::with(&data, &args);
    let drop = open_drop(&server, server.token.as_deref().unwrap(), "friday");
    let mut mint = stampede();
    mint.args(["ticket", "mint", "--stream", "friday", "--viewer", "v1", "--data"]).arg(&data);
    let ticket = stdout(&mint.assert().success()).trim().to_owned();

    let url = server.viewers.replace("127.0.0.1", "localhost");
    let mut options = ConnectOptions::new(&url, Subprotocol::MsgPack);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stranger = runtime.block_on(Connection::open(&options, &ticket)).map(|_| ()).unwrap_err();
    assert!(matches!(stranger, ClientError::Tls { .. }), "{stranger:?}");
    assert_eq!(stranger.reconnect(), Reconnect::AfterFix, "no root leads to it");

    let roots = std::fs::read(dir.path().join("cert.pem")).unwrap();
    options.tls = Some(ClientTls::trusting(&roots).unwrap());
    let order = runtime.block_on(buyer::buy_one(options, ticket, "k1".parse().unwrap())).unwrap();
    assert_eq!((order.drop.to_string(), order.units), (drop, 1));
    assert!(server.stop(Signal::TERM).success());
}

#[test]
fn a_start_with_unusable_files_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let config = settings(dir.path());
    let refused = |part: &str| {
        let data = dir.path().join("data");
        let mut command = stampede();
        command.arg("serve").arg("--data").arg(data).args(["--config", &config]);
        let said = stderr(&command.assert().code(2));
        assert!(said.contains(part), "{said}");
    };
    refused("cert.pem");
    renew(dir.path());
    let key = std::fs::read(dir.path().join("key.pem")).unwrap();
    renew(dir.path());
    std::fs::write(dir.path().join("key.pem"), key).unwrap();
    refused("is not that of the first certificate in");
    assert!(!dir.path().join("data").exists(), "nothing was made");
}
