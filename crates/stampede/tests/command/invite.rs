//! Invitations from the command line: a link that a phone can open.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
};

use crate::running::{Running, stampede, stderr, stdout};

fn invite(data: &Path, args: &[&str]) -> assert_cmd::Command {
    let mut command = stampede();
    command.args(["invite", "--name", "nina", "--role", "host", "--data"]).arg(data).args(args);
    command
}

/// Where a server's control is, as browsers name it.
fn origin(server: &Running) -> &str {
    server.control.trim_end_matches('/')
}

/// Sends a request to a server's control, reads the whole answer.
fn ask(server: &Running, method: &str, path: &str, headers: &str, body: &str) -> String {
    let address = origin(server).strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: \
         application/json\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Reads a QR code as a camera would see it in a terminal.
fn read_code(lines: &[&str]) -> String {
    let rows: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
    let (wide, high, scale) = (rows[0].len(), rows.len() * 2, 4);
    let is_dark = |x: usize, y: usize| match rows[y / 2][x] {
        '\u{2588}' => true,
        '\u{2580}' => y.is_multiple_of(2),
        '\u{2584}' => !y.is_multiple_of(2),
        _ => false,
    };
    let pixel = |x: usize, y: usize| if is_dark(x / scale, y / scale) { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(wide * scale, high * scale, pixel);
    image.detect_grids()[0].decode().unwrap().1
}

#[test]
fn a_link_comes_with_its_code_and_lets_one_browser_in() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(dir.path());
    let file = dir.path().join("settings.toml");
    std::fs::write(&file, "[control]\npublic_url = \"https://sale.example\"\n").unwrap();
    let args = ["--stream", "friday-show", "--valid", "90m", "--config", file.to_str().unwrap()];
    let printed = invite(dir.path(), &args).assert().success();
    let text = stdout(&printed);
    let lines: Vec<&str> = text.lines().collect();
    let secret = lines[0].strip_prefix("https://sale.example/join/").unwrap();
    assert_eq!(read_code(&lines[2..]), lines[0]);
    assert!(stderr(&printed).contains("good for one browser"), "{}", stderr(&printed));

    let body = format!("{{\"invitation\":\"{secret}\"}}");
    let seen = ask(&server, "POST", "/v1/invitations/look", "", &body);
    assert!(seen.starts_with("HTTP/1.1 200") && seen.contains("expires_in_ms"), "{seen}");
    assert!(!seen.contains("\"by\""), "nobody invites from the machine itself: {seen}");
    let came = ask(&server, "POST", "/v1/sessions", "", &body);
    assert!(came.starts_with("HTTP/1.1 201") && came.contains("friday-show"), "{came}");
    let again = ask(&server, "POST", "/v1/sessions", "", &body);
    assert!(again.starts_with("HTTP/1.1 410"), "{again}");
}

#[test]
fn no_link_is_printed_that_a_phone_cannot_open() {
    let dir = tempfile::tempdir().unwrap();
    let refused = invite(dir.path(), &[]).assert().code(2);
    let said = stderr(&refused);
    for word in ["http://127.0.0.1:7701", "control.public_url", "[control.tls]", "proxy", "--here"]
    {
        assert!(said.contains(word), "{said}");
    }
    assert!(!dir.path().join("sessions.json").exists(), "nobody is invited by it");
    let here = stdout(&invite(dir.path(), &["--here"]).assert().success());
    assert!(here.starts_with("http://127.0.0.1:7701/join/sti_"), "{here}");
    let file = dir.path().join("settings.toml");
    let refuse = |settings: &str| {
        std::fs::write(&file, settings).unwrap();
        let args = ["--config", file.to_str().unwrap()];
        stderr(&invite(dir.path(), &args).assert().code(2))
    };
    let said = refuse("[control]\nlisten = \"0.0.0.0:7701\"\n");
    assert!(said.contains("is not known: set control.public_url"), "{said}");
    let said = refuse("[control]\npublic_url = \"http://localhost:7701\"\n");
    assert!(said.contains("no phone can open http://localhost:7701"), "{said}");
    std::fs::write(&file, "[control]\npublic_url = \"http://192.0.2.5:7701\"\n").unwrap();
    let plain = invite(dir.path(), &["--config", file.to_str().unwrap()]).assert().success();
    assert!(stderr(&plain).contains("is not https"), "{}", stderr(&plain));
    for wrong in ["24", "h", "1w", "1.5h"] {
        let refused = invite(dir.path(), &["--here", "--valid", wrong]).assert().code(2);
        assert!(stderr(&refused).contains("no span"), "{}", stderr(&refused));
    }
    let refused = invite(dir.path(), &["--here", "--valid", "8d"]).assert().code(2);
    assert!(stderr(&refused).contains("604800000 ms"), "{}", stderr(&refused));
}

#[test]
fn no_secret_stands_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::loud(dir.path());
    let token = server.token.clone().unwrap();
    let link = stdout(&invite(dir.path(), &["--here"]).assert().success());
    let (_, invitation) = link.lines().next().unwrap().rsplit_once('/').unwrap();
    let mut secrets = vec![token.clone(), invitation.to_owned()];
    for path in ["/join/{}", "/join/x{}", "/{}/y", "/v1/drops/{}", "/v1/sessions/{}"] {
        for secret in [&token, invitation] {
            ask(&server, "GET", &path.replace("{}", secret), "", "");
        }
    }
    for body in
        [format!("{{\"token\":\"{token}\"}}"), format!("{{\"invitation\":\"{invitation}\"}}")]
    {
        ask(&server, "POST", "/v1/invitations/look", "", &body);
        let answer = ask(&server, "POST", "/v1/sessions", "", &body);
        let (_, rest) = answer.split_once("stampede_session=").unwrap();
        secrets.push(rest.split_once(';').unwrap().0.to_owned());
        let (_, rest) = answer.split_once("\"csrf\":\"").unwrap();
        secrets.push(rest.split_once('"').unwrap().0.to_owned());
    }
    let cookie = format!("cookie: stampede_session={}\r\n", secrets[2]);
    ask(&server, "GET", "/v1/sessions/current", &cookie, "");
    ask(&server, "DELETE", "/v1/sessions/current", &cookie, "");
    let csrf = format!("{cookie}origin: {}\r\nx-csrf-token: {}\r\n", origin(&server), secrets[3]);
    let out = ask(&server, "DELETE", "/v1/sessions/current", &csrf, "");
    assert!(out.starts_with("HTTP/1.1 204"), "{out}");
    ask(&server, "GET", "/v1/drops", &format!("authorization: Bearer {token}\r\n"), "");
    ask(&server, "GET", "/v1/drops", "authorization: Bearer stf_wrong\r\n", "");
    let log = server.log();
    assert!(log.contains("a browser signed in") && log.contains("/v1/drops/hidden"), "{log}");
    for secret in &secrets {
        let bare = secret.split_once('_').map_or(secret.as_str(), |(_, bare)| bare);
        assert_eq!(bare.len(), 64);
        assert!(!log.contains(bare), "a secret stands in the log");
    }
}
