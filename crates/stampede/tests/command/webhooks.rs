//! Where Stripe's webhooks come in, by the file of settings.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
};

use rustix::process::Signal;

use crate::running::{Running, stampede, stderr};

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn post(at: SocketAddr, account: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    let request = format!(
        "POST /v1/payments/stripe/{account} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         stripe-signature: t=1796000000,v1=00\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let lines = answer.lines().filter(|line| !line.starts_with("date: "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn webhooks_have_a_port_of_their_own_and_the_log_has_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let (at, secrets) = (free_port(), dir.path().join("main.secrets"));
    std::fs::write(&secrets, "whsec_first\n").unwrap();
    let file = dir.path().join("settings.toml");
    let account = format!(
        "[payments.stripe.main]\nmerchant = 'acme'\nsecrets_file = '{}'\nmode = 'live'\n",
        secrets.display()
    );
    std::fs::write(&file, format!("[payments]\nwebhooks = '{at}'\n{account}")).unwrap();
    let args = ["--config", file.to_str().unwrap()];
    let server = Running::loud_with(&dir.path().join("data"), &args);
    let refused = post(at, "main", "a body of somebody's");
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    assert_eq!(post(at, "other", "a body of somebody's"), refused);
    // The server looks at the file by itself too: it is replaced at once, never seen half written.
    let newer = dir.path().join("newer.secrets");
    std::fs::write(&newer, "whsec_first\nwhsec_second\n").unwrap();
    std::fs::rename(&newer, &secrets).unwrap();
    server.signal(Signal::HUP);
    let mut looks = std::iter::repeat_with(|| {
        std::thread::park_timeout(std::time::Duration::from_millis(10));
        server.log()
    });
    let log = looks.by_ref().take(3_000).find(|log| log.contains("new signing secrets are in use"));
    let log = log.expect("the secrets are read again");
    for kept in ["whsec_first", "whsec_second", "a body of"] {
        assert!(!log.contains(kept), "{log}");
    }
    assert!(
        log.contains("main.secrets") && log.contains("other accounts of this machine may read")
    );
    assert!(server.stop(Signal::TERM).success());
}

#[test]
fn a_start_without_secrets_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    let account =
        "[payments.stripe.main]\nmerchant = 'acme'\nsecrets_file = 'nowhere'\nmode = 'test'\n";
    std::fs::write(&file, format!("[payments]\nwebhooks = '127.0.0.1:0'\n{account}")).unwrap();
    let mut command = stampede();
    command.arg("serve").arg("--data").arg(dir.path().join("data")).arg("--config").arg(&file);
    let said = stderr(&command.assert().code(2));
    assert!(said.contains("payments.stripe.main.secrets_file names it"), "{said}");
    assert!(!dir.path().join("data").exists(), "nothing was made: {said}");
}
