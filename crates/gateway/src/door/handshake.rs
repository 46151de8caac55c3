//! The opening handshake, from the bytes of a request to the bytes of its answer.

use std::{fmt::Write, str};

use stampede_domain::TooFast;
use stampede_proxies::{
    Claims, ClientAddress, ForwardedError, Peer, TrustedProxies, client_address,
};
use stampede_wire::{NegotiateError, Subprotocol};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::request::{RequestError, RequestHead};

/// Characters of a `Sec-WebSocket-Key`: 16 bytes in base64, as RFC 6455 has it in 4.2.1.
const KEY_CHARACTERS: usize = 24;

const HEAD: &str = "HEAD";

const TAKES_ALL: &str = "a string takes everything";

/// What the bytes so far lead to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// The request goes on.
    Incomplete,
    /// The connection speaks the subprotocol once the response is written.
    Accepted {
        response: Vec<u8>,
        subprotocol: Subprotocol,
        /// Where the request ended; what follows are frames.
        request_bytes: usize,
        /// Who sent it, as far as trusted proxies tell.
        client: ClientAddress,
    },
    /// A health check, which is answered with [`HealthCheck::response`].
    Check(HealthCheck),
    /// The connection is closed once the response is written.
    Refused { response: Vec<u8> },
}

/// What a request is measured by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// Origins as in the configuration.
    pub(crate) origins: &'a [String],
    /// Whether the port itself speaks TLS, so that no client of its own address comes by `http`.
    pub(crate) is_tls: bool,
    pub(crate) trusted: &'a TrustedProxies,
    /// The other side of the connection, before the request says more.
    pub(crate) peer: Peer,
    /// Bytes that a request may have, headers included.
    pub(crate) bytes_max: usize,
}

/// What a health check wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HealthCheck {
    asks: HealthQuestion,
    /// A `HEAD` gets no body.
    wants_body: bool,
}

/// The question of a health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HealthQuestion {
    /// `/healthz`: whether the process answers.
    Alive,
    /// `/readyz`: whether it can sell.
    Ready,
}

impl HealthQuestion {
    fn at(path: &str) -> Option<Self> {
        match path {
            "/healthz" => Some(Self::Alive),
            "/readyz" => Some(Self::Ready),
            _ => None,
        }
    }
}

impl HealthCheck {
    /// The check that a request makes, if it makes one.
    fn of(request: &RequestHead<'_>) -> Option<Self> {
        let asks = HealthQuestion::at(request.path())?;
        let wants_body = match request.method() {
            "GET" => true,
            HEAD => false,
            _ => return None,
        };
        Some(Self { asks, wants_body })
    }

    /// The answer, given whether the engine can sell.
    pub(crate) fn response(self, is_ready: bool) -> Vec<u8> {
        let (status, body) = match (self.asks, is_ready) {
            (HealthQuestion::Alive, _) => ("200 OK", "alive\n"),
            (HealthQuestion::Ready, true) => ("200 OK", "ready\n"),
            (HealthQuestion::Ready, false) => ("503 Service Unavailable", "poisoned\n"),
        };
        let sent = if self.wants_body { body } else { "" };
        format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nCache-Control: no-store\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{sent}",
            body.len()
        )
        .into_bytes()
    }
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(
        "the request is longer than {0} bytes; mostly its cookies are, so connect to a host that \
         has none, or raise handshake_bytes_max"
    )]
    TooLong(usize),
    #[error("only GET is possible here")]
    Method,
    #[error("only GET and HEAD are possible here")]
    CheckMethod,
    #[error("there is nothing at this path; viewers connect to /")]
    Path,
    #[error("the address must have no query; the ticket belongs into the hello message")]
    Query,
    #[error("this port speaks WebSocket only (RFC 6455, version 13)")]
    NoUpgrade,
    #[error("the request has {0} Sec-WebSocket-Version headers; one is needed")]
    Versions(usize),
    #[error("the request has {0} Sec-WebSocket-Key headers; one is needed")]
    Keys(usize),
    #[error("the Sec-WebSocket-Key is not 16 bytes in base64")]
    Key,
    #[error("this origin is not let in")]
    Origin,
    #[error("connections from this address are not let in")]
    Banned,
    #[error("too many connections were opened from this address; come back in {0} s")]
    TooFast(u64),
    #[error("{0}")]
    Forwarded(#[from] ForwardedError),
    #[error("{0}")]
    Subprotocol(#[from] NegotiateError),
    #[error("{0}")]
    Request(#[from] RequestError),
}

impl Refusal {
    const fn status(&self) -> &'static str {
        match self {
            Self::TooLong(_) | Self::Request(RequestError::TooManyHeaders) => {
                "431 Request Header Fields Too Large"
            }
            Self::Method => "405 Method Not Allowed\r\nAllow: GET",
            Self::CheckMethod => "405 Method Not Allowed\r\nAllow: GET, HEAD",
            Self::Path => "404 Not Found",
            Self::NoUpgrade => {
                "426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
            }
            Self::Origin | Self::Banned => "403 Forbidden",
            Self::TooFast(_) => "429 Too Many Requests",
            Self::Query
            | Self::Versions(_)
            | Self::Keys(_)
            | Self::Key
            | Self::Forwarded(_)
            | Self::Subprotocol(_)
            | Self::Request(_) => "400 Bad Request",
        }
    }

    /// The answer; to a `HEAD` without the body.
    fn response(&self, method: Option<&str>) -> Vec<u8> {
        let body = format!("{self}\n");
        let sent = if method == Some(HEAD) { "" } else { &body };
        let mut response = format!("HTTP/1.1 {}\r\n", self.status());
        if let Self::TooFast(seconds) = self {
            write!(response, "Retry-After: {seconds}\r\n").expect(TAKES_ALL);
        }
        write!(
            response,
            "Connection: {}close\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\n\r\n{sent}",
            // RFC 9110, 7.8: who sends an Upgrade header names it here.
            if matches!(self, Self::NoUpgrade) { "upgrade, " } else { "" },
            body.len()
        )
        .expect(TAKES_ALL);
        response.into_bytes()
    }
}

/// The answer to a sound request from an address that opens connections too fast.
pub(crate) fn too_fast(TooFast { retry_after }: TooFast) -> Vec<u8> {
    Refusal::TooFast(retry_after.get().div_ceil(1_000)).response(None)
}

/// The answer to a sound request from an address that is banned.
pub(crate) fn banned() -> Vec<u8> {
    Refusal::Banned.response(None)
}

/// The answer to a request that goes on for longer than it may.
pub(crate) fn too_long(bytes_max: usize) -> Vec<u8> {
    Refusal::TooLong(bytes_max).response(None)
}

/// Answers a request as far as it has come.
pub(crate) fn answer(received: &[u8], rules: Rules<'_>) -> Handshake {
    let refused = |refusal: Refusal, method: Option<&str>| Handshake::Refused {
        response: refusal.response(method),
    };
    match RequestHead::parse(received) {
        Ok(Some((request_bytes, request))) => accept(request_bytes, &request, rules)
            .unwrap_or_else(|refusal| refused(refusal, Some(request.method()))),
        Ok(None) if received.len() < rules.bytes_max => Handshake::Incomplete,
        Ok(None) => refused(Refusal::TooLong(rules.bytes_max), None),
        Err(why) => refused(why.into(), None),
    }
}

fn accept(
    request_bytes: usize,
    request: &RequestHead<'_>,
    rules: Rules<'_>,
) -> Result<Handshake, Refusal> {
    if request_bytes > rules.bytes_max {
        return Err(Refusal::TooLong(rules.bytes_max));
    }
    request.check()?;
    if request.has_query() {
        return Err(Refusal::Query);
    }
    if let Some(check) = HealthCheck::of(request) {
        return Ok(Handshake::Check(check));
    }
    if HealthQuestion::at(request.path()).is_some() {
        return Err(Refusal::CheckMethod);
    }
    if request.method() != "GET" {
        return Err(Refusal::Method);
    }
    if request.path() != "/" {
        return Err(Refusal::Path);
    }
    let key = upgrade_key(request)?;
    let client = client(request, rules)?;
    if !origin_may(request, rules) {
        return Err(Refusal::Origin);
    }
    let offers = request.values("Sec-WebSocket-Protocol");
    // What is not even text is no subprotocol that anybody knows.
    let offers = offers.map(|offer| str::from_utf8(offer).unwrap_or("?"));
    let subprotocol = Subprotocol::negotiate(offers)?;
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
        derive_accept_key(key),
        subprotocol.name()
    );
    let response = response.into_bytes();
    Ok(Handshake::Accepted { response, subprotocol, request_bytes, client })
}

/// The key of a request for WebSocket, as RFC 6455 has it in 4.2.1.
fn upgrade_key<'r>(request: &RequestHead<'r>) -> Result<&'r [u8], Refusal> {
    let wants_websocket = request.is_http_1_1()
        && request.lists("Connection", "upgrade")
        && request.lists("Upgrade", "websocket");
    if !wants_websocket {
        return Err(Refusal::NoUpgrade);
    }
    match request.single("Sec-WebSocket-Version") {
        Ok(b"13") => {}
        Ok(_) | Err(0) => return Err(Refusal::NoUpgrade),
        Err(several) => return Err(Refusal::Versions(several)),
    }
    let key = request.single("Sec-WebSocket-Key").map_err(Refusal::Keys)?;
    if is_key(key) { Ok(key) } else { Err(Refusal::Key) }
}

/// Whether a text is 16 bytes in base64. What the last character has beside its two bits is not looked
/// at: some clients make the text up.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == KEY_CHARACTERS
        && key.strip_suffix(b"==").is_some_and(|digits| digits.iter().all(is_digit))
}

fn client(request: &RequestHead<'_>, rules: Rules<'_>) -> Result<ClientAddress, ForwardedError> {
    let claims = Claims {
        x_forwarded_for: request.values("X-Forwarded-For").collect(),
        forwarded: request.values("Forwarded").collect(),
    };
    client_address(rules.peer, rules.trusted, &claims)
}

/// Whether a page of the request's origin may connect. No page comes from the viewers' port, so an
/// origin that is the port's own address is no page's: clients outside of browsers send it.
fn origin_may(request: &RequestHead<'_>, Rules { origins, is_tls, .. }: Rules<'_>) -> bool {
    match request.single("Origin") {
        Err(0) => true,
        Ok(_) | Err(_) if origins.is_empty() => true,
        Ok(origin) => {
            origins.iter().any(|allowed| origin == allowed.as_bytes())
                || request.is_sent_to(origin, is_tls)
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use stampede_proxies::ForwardingHeader;

    use super::*;

    const BYTES_MAX: usize = 16 << 10;
    const UPGRADE: &str = "Host: sale.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    fn request(target: &str, headers: &str) -> String {
        format!("GET {target} HTTP/1.1\r\n{headers}\r\n")
    }

    fn answer_from(peer: &str, request: &[u8], origins: &[String]) -> Handshake {
        let header = ForwardingHeader::XForwardedFor;
        answer_by(header, peer, request, origins)
    }

    fn answer_by(
        header: ForwardingHeader,
        peer: &str,
        request: &[u8],
        origins: &[String],
    ) -> Handshake {
        let trusted = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap().with_header(header);
        let peer = ClientAddress::new(peer.parse().unwrap()).into();
        let is_tls = false;
        answer(request, Rules { origins, is_tls, trusted: &trusted, peer, bytes_max: BYTES_MAX })
    }

    /// The whole answer to a request that is refused.
    fn refusal(request: &str) -> String {
        match answer_from("198.51.100.7", request.as_bytes(), &[]) {
            Handshake::Refused { response } => String::from_utf8(response).unwrap(),
            other => panic!("{request}: {other:?}"),
        }
    }

    /// The first line of the answer, or what else became of the request.
    fn check(request: &str, origins: &[&str]) -> String {
        let origins: Vec<String> = origins.iter().map(|&origin| origin.to_owned()).collect();
        match answer_from("198.51.100.7", request.as_bytes(), &origins) {
            Handshake::Incomplete => "incomplete".to_owned(),
            Handshake::Accepted { subprotocol, response, .. } => {
                let response = String::from_utf8(response).unwrap();
                assert!(response.starts_with("HTTP/1.1 101 "), "{response}");
                subprotocol.to_string()
            }
            Handshake::Check(check) => format!("{check:?}"),
            Handshake::Refused { response } => {
                let response = String::from_utf8(response).unwrap();
                response.lines().next().unwrap().to_owned()
            }
        }
    }

    fn offering(offers: &str) -> String {
        format!("{UPGRADE}Sec-WebSocket-Protocol: {offers}\r\n")
    }

    #[test]
    fn a_sound_request_is_accepted_wherever_it_is_cut() {
        let whole = request("/", &offering("stampede.v1.json"));
        for cut in 0..whole.len() {
            assert_eq!(check(&whole[..cut], &[]), "incomplete", "cut at {cut}");
        }
        assert_eq!(check(&whole, &[]), "stampede.v1.json");
    }

    #[test]
    fn frames_that_follow_at_once_are_left_to_the_session() {
        let mut bytes = request("/", &offering("stampede.v1.msgpack")).into_bytes();
        let length = bytes.len();
        bytes.extend([0x82, 0x80]);
        match answer_from("198.51.100.7", &bytes, &[]) {
            Handshake::Accepted { request_bytes, .. } => assert_eq!(request_bytes, length),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_fault_has_its_status() {
        let json = offering("stampede.v1.json");
        let many = "X-Some: 1\r\n".repeat(200);
        let long = format!("{json}X: {}\r\n", "x".repeat(BYTES_MAX));
        let cases = [
            (request("/", ""), "HTTP/1.1 400 Bad Request"),
            (request("/", "Host: x\r\n"), "HTTP/1.1 426 Upgrade Required"),
            (request("/", UPGRADE), "HTTP/1.1 400 Bad Request"),
            (request("/", &offering("chat")), "HTTP/1.1 400 Bad Request"),
            (request("/?ticket=x", &json), "HTTP/1.1 400 Bad Request"),
            (request("/elsewhere", &json), "HTTP/1.1 404 Not Found"),
            (request("/", &json).replace("GET", "POST"), "HTTP/1.1 405 Method Not Allowed"),
            (request("/", &many), "HTTP/1.1 431 Request Header Fields Too Large"),
            (request("/", &long), "HTTP/1.1 431 Request Header Fields Too Large"),
            ("\u{1}\u{2}\r\n\r\n".to_owned(), "HTTP/1.1 400 Bad Request"),
        ];
        for (request, expected) in cases {
            assert_eq!(check(&request, &[]), expected, "{request}");
        }
    }

    #[test]
    fn the_upgrade_is_read_as_the_standards_have_it() {
        let offer = "Sec-WebSocket-Protocol: stampede.v1.json\r\n";
        let sound = [
            UPGRADE.replace("Connection: Upgrade", "Connection: keep-alive\r\nConnection: upgrade"),
            UPGRADE.replace("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
            UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c, WebSocket"),
            UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: websocket"),
            UPGRADE.to_owned() + "Content-Length: 0\r\n",
        ];
        for headers in sound {
            let whole = request("/", &format!("{headers}{offer}"));
            assert_eq!(check(&whole, &[]), "stampede.v1.json", "{whole}");
        }
        let absolute = request("http://sale.example/", &format!("{UPGRADE}{offer}"));
        assert_eq!(check(&absolute, &[]), "stampede.v1.json");
        let host = "Host: sale.example\r\n";
        let version = "Sec-WebSocket-Version: 13\r\n";
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let (bad, no_upgrade) = ("HTTP/1.1 400 Bad Request", "HTTP/1.1 426 Upgrade Required");
        let faults = [
            (UPGRADE.replace(host, ""), bad),
            (format!("{UPGRADE}{host}"), bad),
            (format!("{UPGRADE}{version}"), bad),
            (format!("{UPGRADE}{key}"), bad),
            (UPGRADE.replace(key, ""), bad),
            (UPGRADE.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="), bad),
            (format!("{UPGRADE}Content-Length: 5\r\n"), bad),
            (format!("{UPGRADE}Transfer-Encoding: chunked\r\n"), bad),
            (UPGRADE.replace(version, ""), no_upgrade),
            (UPGRADE.replace("Version: 13", "Version: 8"), no_upgrade),
            (UPGRADE.replace("Connection: Upgrade", "Connection: close"), no_upgrade),
            (UPGRADE.replace("websocket", "h2c"), no_upgrade),
        ];
        for (headers, status) in faults {
            let whole = request("/", &format!("{headers}{offer}"));
            assert_eq!(check(&whole, &[]), status, "{whole}");
        }
        let old = request("/", &format!("{UPGRADE}{offer}")).replace("HTTP/1.1", "HTTP/1.0");
        assert_eq!(check(&old, &[]), no_upgrade);
    }

    #[test]
    fn probes_are_told_how_the_server_is() {
        let ask = |line: &str| match answer_from("198.51.100.7", line.as_bytes(), &[]) {
            Handshake::Check(check) => {
                [true, false].map(|ready| String::from_utf8(check.response(ready)).unwrap())
            }
            other => panic!("{line}: {other:?}"),
        };
        let [ready, poisoned] = ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(ready.starts_with("HTTP/1.1 200 OK\r\n") && ready.ends_with("\r\n\r\nready\n"));
        assert!(poisoned.starts_with("HTTP/1.1 503 "), "{poisoned}");
        // HAProxy's own way to ask: HTTP/1.0 without a host.
        let [alive, still] = ask("GET /healthz HTTP/1.0\r\n\r\n");
        assert!(alive.ends_with("\r\n\r\nalive\n"), "{alive}");
        assert_eq!(alive, still, "a server that cannot sell is alive");
        let [head, _] = ask("HEAD /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(head.contains("Content-Length: 6\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        let post = refusal("POST /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(post.starts_with("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"));
        assert_eq!(
            check("GET /readyz?x HTTP/1.1\r\nHost: x\r\n\r\n", &[]),
            "HTTP/1.1 400 Bad Request"
        );
    }

    #[test]
    fn a_refusal_to_head_has_no_body() {
        let host = "Host: x\r\n\r\n";
        for (target, status) in [
            ("/", "405 Method Not Allowed\r\nAllow: GET\r\n"),
            ("/elsewhere", "405 Method Not Allowed\r\nAllow: GET\r\n"),
            ("/readyz?x", "400 Bad Request\r\n"),
        ] {
            let head = refusal(&format!("HEAD {target} HTTP/1.1\r\n{host}"));
            assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
            assert!(head.ends_with("\r\n\r\n") && !head.contains("Content-Length: 0"), "{head}");
            let post = refusal(&format!("POST {target} HTTP/1.1\r\n{host}"));
            assert!(post.starts_with(&head) && post.len() > head.len(), "{post}");
        }
    }

    #[test]
    fn origins_are_compared_exactly() {
        let allowed = ["https://shop.example"];
        let from = |origin: &str| {
            request("/", &format!("{}Origin: {origin}\r\n", offering("stampede.v1.json")))
        };
        assert_eq!(check(&from("https://shop.example"), &allowed), "stampede.v1.json");
        for other in ["http://shop.example", "https://shop.example.evil.example", "null"] {
            assert_eq!(check(&from(other), &allowed), "HTTP/1.1 403 Forbidden", "{other}");
            assert_eq!(check(&from(other), &[]), "stampede.v1.json", "{other}");
        }
        let none = request("/", &offering("stampede.v1.json"));
        assert_eq!(check(&none, &allowed), "stampede.v1.json", "no browser");
        for own in ["http://sale.example", "https://sale.example"] {
            assert_eq!(check(&from(own), &allowed), "stampede.v1.json", "the port's own address");
        }
    }

    #[test]
    fn a_trusted_proxy_says_who_the_client_is() {
        let claims = [
            (ForwardingHeader::XForwardedFor, "X-Forwarded-For: 1.1.1.1, 203.0.113.9"),
            (ForwardingHeader::Forwarded, "Forwarded: for=203.0.113.9"),
        ];
        for (header, claim) in claims {
            let whole = request("/", &format!("{}{claim}\r\n", offering("stampede.v1.json")));
            for (peer, expected) in [("10.0.0.7", "203.0.113.9"), ("11.0.0.7", "11.0.0.7")] {
                match answer_by(header, peer, whole.as_bytes(), &[]) {
                    Handshake::Accepted { client, .. } => assert_eq!(client.to_string(), expected),
                    other => panic!("{other:?}"),
                }
            }
        }
        let nonsense = offering("stampede.v1.json") + "X-Forwarded-For: nonsense\r\n";
        match answer_from("10.0.0.7", request("/", &nonsense).as_bytes(), &[]) {
            Handshake::Refused { response } => {
                assert!(response.starts_with(b"HTTP/1.1 400 "), "{response:?}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(check(&request("/", &nonsense), &[]), "stampede.v1.json", "not even read");
    }
}
