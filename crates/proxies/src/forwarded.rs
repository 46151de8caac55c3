//! The address that an HTTP request was forwarded for: `X-Forwarded-For`, `Forwarded` (RFC 7239).
//!
//! Each proxy appends the address that it was called from, so the list is read from its end, as long
//! as the one who wrote an entry is trusted. What stands further left was written by the client.

use std::net::{IpAddr, SocketAddr};

use crate::{ClientAddress, ForwardingHeader, Peer, TrustedProxies};

/// The headers of one request, each line in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims<'a> {
    /// Values of `X-Forwarded-For`.
    pub x_forwarded_for: Vec<&'a [u8]>,
    /// Values of `Forwarded`.
    pub forwarded: Vec<&'a [u8]>,
}

/// Why a trusted proxy's headers cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardedError {
    /// An entry that a trusted proxy wrote is no address.
    #[error("the {header} header has an entry that is no address: {entry:?}")]
    Malformed {
        /// The header.
        header: &'static str,
        /// The entry, cut short.
        entry: String,
    },
}

const X_FORWARDED_FOR: &str = "X-Forwarded-For";
const FORWARDED: &str = "Forwarded";
/// Bytes of a malformed entry that are shown.
const SHOWN_BYTES_MAX: usize = 64;

/// Whom a request comes from, told by the socket's other side and the request's headers.
///
/// The rightmost address that is no trusted proxy counts; if all are, the leftmost. An entry that
/// hides its address (`unknown`, `_name`) ends the list: the proxy that wrote it stands for it. Only the header that
/// the proxies are said to write is read: the other one is whatever a client made up.
///
/// # Errors
/// [`ForwardedError`], from trusted peers only; the claims of others are not even read.
pub fn client_address(
    peer: Peer,
    trusted: &TrustedProxies,
    claims: &Claims<'_>,
) -> Result<ClientAddress, ForwardedError> {
    if !peer.is_trusted(trusted) {
        return Ok(peer.address);
    }
    match trusted.header() {
        ForwardingHeader::XForwardedFor => {
            let entries = claims.x_forwarded_for.iter().rev().flat_map(|line| listed(line).rev());
            walk(
                peer.address,
                trusted,
                entries.map(|entry| node(entry).ok_or_else(|| malformed(X_FORWARDED_FOR, entry))),
            )
        }
        ForwardingHeader::Forwarded => {
            let entries = claims.forwarded.iter().rev().flat_map(|line| split(line, b',').rev());
            walk(
                peer.address,
                trusted,
                entries.map(|entry| element(entry).ok_or_else(|| malformed(FORWARDED, entry))),
            )
        }
    }
}

/// What an entry names.
enum Node {
    Address(ClientAddress),
    /// Somebody who shall not be known.
    Hidden,
}

fn walk(
    peer: ClientAddress,
    trusted: &TrustedProxies,
    entries: impl Iterator<Item = Result<Node, ForwardedError>>,
) -> Result<ClientAddress, ForwardedError> {
    let mut at = peer;
    for entry in entries {
        match entry? {
            Node::Address(address) => at = address,
            Node::Hidden => break,
        }
        if !trusted.contains(at) {
            break;
        }
    }
    Ok(at)
}

fn malformed(header: &'static str, entry: &[u8]) -> ForwardedError {
    let shown = &entry[..entry.len().min(SHOWN_BYTES_MAX)];
    ForwardedError::Malformed { header, entry: String::from_utf8_lossy(shown).into_owned() }
}

/// The parts between commas; this header knows no quotation marks.
fn listed(line: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let parts: Vec<&[u8]> = line.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).collect();
    parts.into_iter().filter(|part| !part.is_empty())
}

/// The parts between separators that are not within quotation marks; empty ones mean nothing.
///
/// A line whose quotation never ends is one part as it is: its author may have meant to swallow what
/// a proxy appends, so it must not be read in pieces.
fn split(line: &[u8], separator: u8) -> impl DoubleEndedIterator<Item = &[u8]> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (place, &byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(&line[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    if quoted || escaped {
        parts.clear();
        start = 0;
    }
    parts.push(&line[start..]);
    parts.into_iter().map(<[u8]>::trim_ascii).filter(|part| !part.is_empty())
}

/// The `for` of one element of `Forwarded`; one without says nothing about its client.
fn element(element: &[u8]) -> Option<Node> {
    if !is_closed(element) {
        return None;
    }
    let mut found = None;
    for pair in split(element, b';') {
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        let (name, value) = (&pair[..equals], &pair[equals + 1..]);
        if name.eq_ignore_ascii_case(b"for") {
            if found.is_some() {
                return None;
            }
            found = Some(node(unquoted(value)?)?);
        }
    }
    Some(found.unwrap_or(Node::Hidden))
}

/// Whether each quotation that begins ends as well.
fn is_closed(text: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    !quoted && !escaped
}

/// A value without its quotation marks; nothing that names a node needs an escape within.
fn unquoted(value: &[u8]) -> Option<&[u8]> {
    match value {
        [b'"', inner @ .., b'"'] => (!inner.contains(&b'"')).then_some(inner),
        other => (!other.contains(&b'"')).then_some(other),
    }
}

/// An address with or without a port, or a name that hides one.
fn node(entry: &[u8]) -> Option<Node> {
    let text = std::str::from_utf8(entry).ok()?;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(text).parse::<IpAddr>() {
        return (bare.is_none() || address.is_ipv6())
            .then_some(Node::Address(ClientAddress::new(address)));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(Node::Address(ClientAddress::new(address.ip())));
    }
    let hides = text.eq_ignore_ascii_case("unknown") || text.starts_with('_');
    hides.then_some(Node::Hidden)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> ClientAddress {
        ClientAddress::new(text.parse().unwrap())
    }

    fn trusted() -> TrustedProxies {
        TrustedProxies::parse(&["10.0.0.0/8", "fd00::/8"]).unwrap()
    }

    /// Reads by `Forwarded` where only that is there.
    fn read(peer: &str, xff: &[&str], forwarded: &[&str]) -> Result<String, ForwardedError> {
        let by = if xff.is_empty() {
            ForwardingHeader::Forwarded
        } else {
            ForwardingHeader::XForwardedFor
        };
        read_by(by, peer, xff, forwarded)
    }

    fn read_by(
        by: ForwardingHeader,
        peer: &str,
        xff: &[&str],
        forwarded: &[&str],
    ) -> Result<String, ForwardedError> {
        let claims = Claims {
            x_forwarded_for: xff.iter().map(|line| line.as_bytes()).collect(),
            forwarded: forwarded.iter().map(|line| line.as_bytes()).collect(),
        };
        let trusted = trusted().with_header(by);
        client_address(address(peer).into(), &trusted, &claims).map(|client| client.to_string())
    }

    #[track_caller]
    fn leads(xff: &[&str], forwarded: &[&str], to: &str) {
        assert_eq!(read("10.0.0.1", xff, forwarded).as_deref(), Ok(to));
    }

    #[test]
    fn the_claims_of_strangers_are_not_read() {
        for claim in ["203.0.113.9", "nonsense", ""] {
            let read = read("198.51.100.7", &[claim], &[claim]);
            assert_eq!(read.as_deref(), Ok("198.51.100.7"), "{claim}");
        }
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_counts() {
        leads(&[], &[], "10.0.0.1");
        leads(&["203.0.113.9"], &[], "203.0.113.9");
        leads(&["1.1.1.1, 203.0.113.9, 10.0.0.2"], &[], "203.0.113.9");
        leads(&["1.1.1.1", "203.0.113.9", "10.0.0.2,10.0.0.3"], &[], "203.0.113.9");
        leads(&["nonsense, 203.0.113.9"], &[], "203.0.113.9");
        leads(&["10.0.0.3, 10.0.0.2"], &[], "10.0.0.3");
        leads(&["203.0.113.9:4711"], &[], "203.0.113.9");
        leads(&["2001:db8::7"], &[], "2001:db8::7");
        leads(&["[2001:db8::7]:4711"], &[], "2001:db8::7");
        leads(&["::ffff:203.0.113.9"], &[], "203.0.113.9");
        leads(&["203.0.113.9, "], &[], "203.0.113.9");
    }

    #[test]
    fn the_standard_header_is_read_with_its_quotes() {
        leads(&[], &["for=203.0.113.9"], "203.0.113.9");
        leads(&[], &["For=\"[2001:db8::7]:4711\";proto=https;by=10.0.0.1"], "2001:db8::7");
        leads(&[], &["for=1.1.1.1, proto=https; for=203.0.113.9 ,for=10.0.0.2"], "203.0.113.9");
        leads(&[], &["for=1.1.1.1;host=\"a,b;for=\\\"\"", "for=203.0.113.9"], "203.0.113.9");
        leads(&[], &["for=1.1.1.1, proto=https"], "10.0.0.1");
    }

    #[test]
    fn an_open_quotation_swallows_nothing_that_a_proxy_appends() {
        for claim in ["for=1.1.1.1;x=\", for=203.0.113.9", "for=1.1.1.1;x=\"\\\", for=203.0.113.9"]
        {
            let read = read("10.0.0.1", &[], &[claim]);
            let Err(ForwardedError::Malformed { entry, .. }) = read else { panic!("{read:?}") };
            assert_eq!(entry, claim);
        }
        let apart = ["for=1.1.1.1;x=\"", "for=203.0.113.9"];
        leads(&[], &apart, "203.0.113.9");
        leads(&["\"1.1.1.1, 203.0.113.9"], &[], "203.0.113.9");
    }

    #[test]
    fn a_hidden_address_ends_the_list() {
        leads(&["203.0.113.9, unknown, 10.0.0.2"], &[], "10.0.0.2");
        leads(&[], &["for=203.0.113.9, for=_secret"], "10.0.0.1");
    }

    #[test]
    fn malformed_entries_of_proxies_are_refused() {
        for entry in ["nonsense", "203.0.113", "[203.0.113.9]", "203.0.113.9:99999", "\u{fc}"] {
            let why = read("10.0.0.1", &[&format!("1.1.1.1, {entry}")], &[]).unwrap_err();
            assert!(why.to_string().contains("X-Forwarded-For header has an entry"), "{why}");
        }
        let elements =
            ["203.0.113.9", "for=", "for=a", "for=1.1.1.1;for=2.2.2.2", "for=\"1.1.1.1", "for"];
        for element in elements {
            let why = read("10.0.0.1", &[], &[element]).unwrap_err();
            assert!(why.to_string().contains("Forwarded header has an entry"), "{why}");
        }
        let long = "x".repeat(5_000);
        let shown = read("10.0.0.1", &[&long], &[]).unwrap_err().to_string();
        assert!(shown.len() < 200, "{shown}");
    }

    #[test]
    fn one_header_counts_whatever_stands_in_the_other() {
        use ForwardingHeader::{Forwarded, XForwardedFor};
        for other in ["for=1.1.1.1", "for=nonsense", "\"", "for=203.0.113.9, for=_x"] {
            let read = read_by(XForwardedFor, "10.0.0.1", &["203.0.113.9"], &[other]);
            assert_eq!(read.as_deref(), Ok("203.0.113.9"), "{other}");
        }
        for other in ["1.1.1.1", "nonsense", "unknown"] {
            let read = read_by(Forwarded, "10.0.0.1", &[other], &["for=203.0.113.9"]);
            assert_eq!(read.as_deref(), Ok("203.0.113.9"), "{other}");
        }
        let none = read_by(XForwardedFor, "10.0.0.1", &[], &["for=1.1.1.1"]);
        assert_eq!(none.as_deref(), Ok("10.0.0.1"), "a client's own word is nobody's");
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(
            xff in proptest::collection::vec(any::<u8>(), 0..200),
            forwarded in "(for=|[0-9.:,;=\"\\\\ a-f_])*",
        ) {
            let claims = Claims {
                x_forwarded_for: vec![&xff], forwarded: vec![forwarded.as_bytes()],
            };
            let _read = client_address(address("10.0.0.1").into(), &trusted(), &claims);
        }

        #[test]
        fn what_a_client_writes_itself_changes_nothing(spoofed in "[0-9a-z., _]{0,60}") {
            let line = format!("{spoofed}, 203.0.113.9, 10.0.0.2");
            let client = read("10.0.0.1", &[&line], &[]);
            prop_assert_eq!(client.as_deref(), Ok("203.0.113.9"));
        }
    }
}
