//! The head of an HTTP request, as far as RFC 9110 and RFC 9112 rule it.

use httparse::{Error as SyntaxError, Header, Status};
use tokio_tungstenite::tungstenite::http::{
    Uri,
    uri::{Authority, InvalidUri},
};

/// Headers of a request.
pub(super) const HEADERS_MAX: usize = 128;
/// A server is told the minor version only: the major one is 1, or the request is malformed.
const HTTP_1_1: u8 = 1;

/// What breaks the rules for a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestError {
    #[error("the request has more than {HEADERS_MAX} headers")]
    TooManyHeaders,
    #[error("the request is malformed: {0}")]
    Syntax(SyntaxError),
    #[error("the request's target is malformed: {0}")]
    Target(String),
    #[error("the request has no Host header")]
    HostMissing,
    #[error("the request has {0} Host headers; one is allowed")]
    Hosts(usize),
    #[error("the Host header names no host")]
    HostMalformed,
    #[error("the request announces a body; none is allowed here")]
    Body,
}

/// A request's first line and headers.
#[derive(Debug)]
pub(super) struct RequestHead<'r> {
    method: &'r str,
    target: Uri,
    is_http_1_1: bool,
    headers: Vec<Header<'r>>,
}

impl<'r> RequestHead<'r> {
    /// Reads the head at the start of `received`, with its length in bytes; `None` while it goes on.
    ///
    /// # Errors
    /// [`RequestError::TooManyHeaders`], [`RequestError::Syntax`], [`RequestError::Target`].
    pub(super) fn parse(received: &'r [u8]) -> Result<Option<(usize, Self)>, RequestError> {
        let mut room = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut room);
        let bytes = match request.parse(received) {
            Ok(Status::Complete(bytes)) => bytes,
            Ok(Status::Partial) => return Ok(None),
            Err(SyntaxError::TooManyHeaders) => return Err(RequestError::TooManyHeaders),
            Err(why) => return Err(RequestError::Syntax(why)),
        };
        let (Some(method), Some(target), Some(minor)) =
            (request.method, request.path, request.version)
        else {
            return Err(RequestError::Syntax(SyntaxError::Token));
        };
        let target =
            target.parse().map_err(|why: InvalidUri| RequestError::Target(why.to_string()))?;
        let is_http_1_1 = minor >= HTTP_1_1;
        Ok(Some((bytes, Self { method, target, is_http_1_1, headers: request.headers.to_vec() })))
    }

    /// Checks what RFC 9112 asks of every request (3.2), and that no body follows.
    ///
    /// # Errors
    /// [`RequestError`], but for those of [`RequestHead::parse`].
    pub(super) fn check(&self) -> Result<(), RequestError> {
        match self.values("Host").count() {
            // HTTP/1.0 knows no Host header; simple health checks speak it.
            0 if self.is_http_1_1 => return Err(RequestError::HostMissing),
            0 | 1 => {}
            several => return Err(RequestError::Hosts(several)),
        }
        let is_host = |host: &[u8]| host.is_empty() || authority(host).is_some();
        if !self.values("Host").all(is_host) {
            return Err(RequestError::HostMalformed);
        }
        let is_empty = |length: &[u8]| length == b"0";
        if self.values("Transfer-Encoding").next().is_some()
            || !self.values("Content-Length").all(is_empty)
        {
            return Err(RequestError::Body);
        }
        Ok(())
    }

    pub(super) const fn method(&self) -> &'r str {
        self.method
    }

    pub(super) fn path(&self) -> &str {
        self.target.path()
    }

    pub(super) fn has_query(&self) -> bool {
        self.target.query().is_some()
    }

    /// Whether the client speaks HTTP/1.1, without which an `Upgrade` means nothing.
    pub(super) const fn is_http_1_1(&self) -> bool {
        self.is_http_1_1
    }

    /// The values of each line of a header, in order.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        let lines = self.headers.iter().filter(move |line| line.name.eq_ignore_ascii_case(name));
        lines.map(|line| line.value.trim_ascii())
    }

    /// The only value of a header that may stand once; `Err` with how many there are otherwise.
    pub(super) fn single(&self, name: &str) -> Result<&'r [u8], usize> {
        let mut values = self.values(name);
        match (values.next(), values.count()) {
            (Some(value), 0) => Ok(value),
            (first, more) => Err(usize::from(first.is_some()) + more),
        }
    }

    /// Whether a header that is a list of tokens has this one, in any line, in any case.
    pub(super) fn lists(&self, name: &str, token: &str) -> bool {
        let mut tokens = self.values(name).flat_map(|line| line.split(|&byte| byte == b','));
        tokens.any(|listed| listed.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Whether a web origin is the very address that the request was sent to. Clients outside of
    /// browsers make up their `Origin` like that. On a port with TLS of its own none of them says `http`: that
    /// is a page, which anybody between may have written.
    pub(super) fn is_sent_to(&self, origin: &[u8], is_tls: bool) -> bool {
        let Ok(origin) = Uri::try_from(origin) else { return false };
        let default_port = match origin.scheme_str() {
            Some("http" | "ws") if is_tls => return false,
            Some("http" | "ws") => 80,
            Some("https" | "wss") => 443,
            _ => return false,
        };
        let (Some(from), Some(to)) =
            (origin.authority(), self.single("Host").ok().and_then(authority))
        else {
            return false;
        };
        let port = |authority: &Authority| authority.port_u16().unwrap_or(default_port);
        from.host().eq_ignore_ascii_case(to.host()) && port(from) == port(&to)
    }
}

/// A host with its port, if it has one, and nothing else.
fn authority(text: &[u8]) -> Option<Authority> {
    let authority = Authority::try_from(text).ok()?;
    let has_user = authority.as_str().contains('@');
    (!has_user).then_some(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str) -> Result<(), RequestError> {
        let (bytes, request) = RequestHead::parse(head.as_bytes())?.expect("it is whole");
        assert_eq!(bytes, head.len());
        request.check()
    }

    #[test]
    fn a_request_names_its_host_once() {
        let with = |hosts: &str| check(&format!("GET / HTTP/1.1\r\n{hosts}\r\n"));
        for host in ["shop.example", "shop.example:8443", "[2001:db8::1]:80", ""] {
            assert_eq!(with(&format!("hOsT: {host}\r\n")), Ok(()), "{host}");
        }
        assert_eq!(with(""), Err(RequestError::HostMissing));
        assert_eq!(with("Host: a\r\nHost: a\r\n"), Err(RequestError::Hosts(2)));
        for host in ["a b", "a, b", "me@shop.example", "http://shop.example/"] {
            assert_eq!(
                with(&format!("Host: {host}\r\n")),
                Err(RequestError::HostMalformed),
                "{host}"
            );
        }
        assert_eq!(check("GET /healthz HTTP/1.0\r\n\r\n"), Ok(()), "it knows no Host");
        assert_eq!(
            check("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
            Err(RequestError::Hosts(2))
        );
    }

    #[test]
    fn a_request_with_a_body_is_none_for_here() {
        let with = |header: &str| check(&format!("GET / HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n"));
        assert_eq!(with("Content-Length: 0"), Ok(()));
        let bodies = [
            "Content-Length: 4",
            "Transfer-Encoding: chunked",
            "Content-Length: 0\r\nContent-Length: 1",
        ];
        for body in bodies {
            assert_eq!(with(body), Err(RequestError::Body), "{body}");
        }
    }

    #[test]
    fn lists_are_read_over_all_their_lines() {
        let head = "GET / HTTP/1.1\r\nConnection: keep-alive\r\nconnection: x , UPGRADE\r\n\r\n";
        let (_, request) = RequestHead::parse(head.as_bytes()).unwrap().unwrap();
        assert!(request.lists("Connection", "upgrade"));
        assert!(request.lists("Connection", "keep-alive"));
        assert!(!request.lists("Connection", "up"));
        assert_eq!(request.single("Connection"), Err(2));
        assert_eq!(request.single("Upgrade"), Err(0));
    }

    #[test]
    fn an_origin_may_be_the_address_that_was_called() {
        let is_own = |host: &str, origin: &str| {
            let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let (_, request) = RequestHead::parse(head.as_bytes()).unwrap().unwrap();
            (
                request.is_sent_to(origin.as_bytes(), false),
                request.is_sent_to(origin.as_bytes(), true),
            )
        };
        let own = [
            ("sale.example", "https://sale.example", true),
            ("sale.example:443", "https://SALE.example", true),
            ("sale.example:8443", "wss://sale.example:8443", true),
            ("sale.example", "http://sale.example:80", false),
            ("sale.example", "ws://sale.example", false),
            ("127.0.0.1:7700", "http://127.0.0.1:7700", false),
        ];
        for (host, origin, by_tls) in own {
            assert_eq!(is_own(host, origin), (true, by_tls), "{host} {origin}");
        }
        let others = [
            ("sale.example", "https://sale.example:8443"),
            ("sale.example", "https://sale.example.evil.example"),
            ("sale.example", "null"),
            ("sale.example", "file://sale.example"),
            ("", "https://sale.example"),
        ];
        for (host, origin) in others {
            assert_eq!(is_own(host, origin), (false, false), "{host} {origin}");
        }
    }
}
