//! The opening handshake, from the bytes of a request to the bytes of its answer.

use std::fmt::Write;

use stampede_domain::TooFast;
use stampede_proxies::{
    Claims, ClientAddress, ForwardedError, Peer, TrustedProxies, client_address,
};
use stampede_wire::{NegotiateError, Subprotocol};
use tokio_tungstenite::tungstenite::{
    self,
    error::{CapacityError, ProtocolError},
    handshake::{
        machine::TryParse,
        server::{Request, create_response, write_response},
    },
    http::{HeaderValue, header},
};

/// Bytes of a request, headers included.
pub(crate) const REQUEST_BYTES_MAX: usize = 8 << 10;

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
    /// The connection is closed once the response is written.
    Refused { response: Vec<u8> },
}

/// What a request is measured by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// Origins as in the configuration.
    pub(crate) origins: &'a [String],
    pub(crate) trusted: &'a TrustedProxies,
    /// The other side of the connection, before the request says more.
    pub(crate) peer: Peer,
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the request is longer than {REQUEST_BYTES_MAX} bytes")]
    TooLong,
    #[error("the request has too many headers")]
    TooManyHeaders,
    #[error("only GET is possible here")]
    Method,
    #[error("there is nothing at this path; viewers connect to /")]
    Path,
    #[error("the address must have no query; the ticket belongs into the hello message")]
    Query,
    #[error("this port speaks WebSocket only (RFC 6455, version 13)")]
    NoUpgrade,
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
    #[error("the request is malformed: {0}")]
    Malformed(Box<tungstenite::Error>),
}

impl Refusal {
    const fn status(&self) -> &'static str {
        match self {
            Self::TooLong | Self::TooManyHeaders => "431 Request Header Fields Too Large",
            Self::Method => "405 Method Not Allowed\r\nAllow: GET",
            Self::Path => "404 Not Found",
            Self::NoUpgrade => {
                "426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
            }
            Self::Origin | Self::Banned => "403 Forbidden",
            Self::TooFast(_) => "429 Too Many Requests",
            Self::Query | Self::Forwarded(_) | Self::Subprotocol(_) | Self::Malformed(_) => {
                "400 Bad Request"
            }
        }
    }

    fn response(&self) -> Vec<u8> {
        let body = format!("{self}\n");
        let mut response = format!("HTTP/1.1 {}\r\n", self.status());
        if let Self::TooFast(seconds) = self {
            write!(response, "Retry-After: {seconds}\r\n").expect(TAKES_ALL);
        }
        write!(
            response,
            "Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect(TAKES_ALL);
        response.into_bytes()
    }
}

impl From<tungstenite::Error> for Refusal {
    fn from(error: tungstenite::Error) -> Self {
        use ProtocolError as P;
        match error {
            tungstenite::Error::Protocol(P::WrongHttpMethod) => Self::Method,
            tungstenite::Error::Protocol(
                P::MissingConnectionUpgradeHeader
                | P::MissingUpgradeWebSocketHeader
                | P::MissingSecWebSocketVersionHeader,
            ) => Self::NoUpgrade,
            tungstenite::Error::Capacity(CapacityError::TooManyHeaders) => Self::TooManyHeaders,
            other => Self::Malformed(Box::new(other)),
        }
    }
}

/// The answer to a sound request from an address that opens connections too fast.
pub(crate) fn too_fast(TooFast { retry_after }: TooFast) -> Vec<u8> {
    Refusal::TooFast(retry_after.get().div_ceil(1_000)).response()
}

/// The answer to a sound request from an address that is banned.
pub(crate) fn banned() -> Vec<u8> {
    Refusal::Banned.response()
}

/// Answers a request as far as it has come.
pub(crate) fn answer(received: &[u8], rules: Rules<'_>) -> Handshake {
    match accept(received, rules) {
        Ok(handshake) => handshake,
        Err(refusal) => Handshake::Refused { response: refusal.response() },
    }
}

fn accept(received: &[u8], rules: Rules<'_>) -> Result<Handshake, Refusal> {
    let Some((request_bytes, request)) = Request::try_parse(received)? else {
        let too_long = received.len() >= REQUEST_BYTES_MAX;
        return if too_long { Err(Refusal::TooLong) } else { Ok(Handshake::Incomplete) };
    };
    if request_bytes > REQUEST_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    if request.uri().path() != "/" {
        return Err(Refusal::Path);
    }
    if request.uri().query().is_some() {
        return Err(Refusal::Query);
    }
    let mut response = create_response(&request)?;
    let client = client(&request, rules)?;
    if !origin_may(&request, rules.origins) {
        return Err(Refusal::Origin);
    }
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    // What is not even text is no subprotocol that anybody knows.
    let offers = offers.iter().map(|offer| offer.to_str().unwrap_or("?"));
    let subprotocol = Subprotocol::negotiate(offers)?;
    response
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol.name()));
    let mut bytes = Vec::new();
    write_response(&mut bytes, &response)?;
    Ok(Handshake::Accepted { response: bytes, subprotocol, request_bytes, client })
}

fn client(request: &Request, rules: Rules<'_>) -> Result<ClientAddress, ForwardedError> {
    let lines = |name: &str| -> Vec<&[u8]> {
        request.headers().get_all(name).iter().map(HeaderValue::as_bytes).collect()
    };
    let claims = Claims {
        x_forwarded_for: lines("x-forwarded-for"),
        forwarded: lines(header::FORWARDED.as_str()),
    };
    client_address(rules.peer, rules.trusted, &claims)
}

fn origin_may(request: &Request, origins: &[String]) -> bool {
    let mut sent = request.headers().get_all(header::ORIGIN).iter();
    match (sent.next(), sent.next()) {
        (None, _) => true,
        (Some(_), _) if origins.is_empty() => true,
        (Some(origin), None) => origins.iter().any(|allowed| origin == allowed.as_str()),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPGRADE: &str = "Host: sale.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    fn request(target: &str, headers: &str) -> String {
        format!("GET {target} HTTP/1.1\r\n{headers}\r\n")
    }

    fn answer_from(peer: &str, request: &[u8], origins: &[String]) -> Handshake {
        let trusted = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap();
        let peer = ClientAddress::new(peer.parse().unwrap()).into();
        answer(request, Rules { origins, trusted: &trusted, peer })
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
        let long = format!("{json}X: {}\r\n", "x".repeat(REQUEST_BYTES_MAX));
        let cases = [
            (request("/", ""), "HTTP/1.1 426 Upgrade Required"),
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
    }

    #[test]
    fn a_trusted_proxy_says_who_the_client_is() {
        let claims = ["X-Forwarded-For: 1.1.1.1, 203.0.113.9", "Forwarded: for=203.0.113.9"];
        for claim in claims {
            let whole = request("/", &format!("{}{claim}\r\n", offering("stampede.v1.json")));
            for (peer, expected) in [("10.0.0.7", "203.0.113.9"), ("11.0.0.7", "11.0.0.7")] {
                match answer_from(peer, whole.as_bytes(), &[]) {
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
