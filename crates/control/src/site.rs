//! Where browsers find the interface: what links begin with, which origin may send commands.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::http::Uri;

/// The address that browsers use, like `https://sale.example`: a scheme and a host, a port if it is not
/// the scheme's own, nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    is_https: bool,
    /// In lower case; an IPv6 address in its brackets.
    host: String,
    /// `None` is the scheme's own.
    port: Option<u16>,
}

/// A text that is no address for browsers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is no address like \"https://sale.example\": http or https, a host, a port from 1 to \
     65535 if need be, no path"
)]
pub struct PublicUrlError {
    given: String,
}

impl PublicUrl {
    fn new(is_https: bool, host: &str, port: Option<u16>) -> Self {
        let own = if is_https { 443 } else { 80 };
        let host = host.to_ascii_lowercase();
        Self { is_https, host, port: port.filter(|port| *port != own) }
    }

    /// Whether the way to it is encrypted.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether only browsers on the server's own machine come there.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let is_local = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || bare.parse().is_ok_and(is_local)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let wrong = || PublicUrlError { given: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let host = authority.host();
        let spoken = authority.as_str();
        if !is_bare || host.is_empty() || spoken.contains('@') {
            return Err(wrong());
        }
        let port = match spoken.strip_prefix(host).unwrap_or(spoken) {
            "" => None,
            port => Some(port.strip_prefix(':').and_then(port_number).ok_or_else(wrong)?),
        };
        Ok(Self::new(is_https, host, port))
    }
}

/// A port as browsers write it: digits alone.
fn port_number(text: &str) -> Option<u16> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().filter(|port| *port != 0)
}

/// Where browsers find the interface, as far as that is known. A request's own word about it, its `Host`,
/// never counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// At this address.
    Public(PublicUrl),
    /// At a loopback address, from the server's own machine.
    Loopback {
        /// The listener's port.
        port: u16,
        /// Whether the listener speaks TLS.
        is_https: bool,
    },
    /// Nobody has said: browsers cannot sign in.
    Unknown,
}

impl Default for Site {
    fn default() -> Self {
        Self::Loopback { port: 7701, is_https: false }
    }
}

impl Site {
    /// The site of a listener at `address`; only a loopback listener needs no `public_url`.
    pub fn of(public_url: Option<PublicUrl>, address: SocketAddr, is_https: bool) -> Self {
        match public_url {
            Some(url) => Self::Public(url),
            None if address.ip().is_loopback() => Self::Loopback { port: address.port(), is_https },
            None => Self::Unknown,
        }
    }

    /// The address to begin links with, if there is one.
    pub fn url(&self) -> Option<PublicUrl> {
        match self {
            Self::Public(url) => Some(url.clone()),
            Self::Loopback { port, is_https } => {
                Some(PublicUrl::new(*is_https, "127.0.0.1", Some(*port)))
            }
            Self::Unknown => None,
        }
    }

    /// Whether a page of this origin is one of ours.
    pub(crate) fn is_own(&self, origin: &str) -> bool {
        match self {
            Self::Public(url) => url.to_string() == origin,
            Self::Loopback { port, is_https } => ["127.0.0.1", "localhost", "[::1]"]
                .into_iter()
                .any(|host| PublicUrl::new(*is_https, host, Some(*port)).to_string() == origin),
            Self::Unknown => false,
        }
    }

    /// Whether cookies are for encrypted connections alone.
    pub(crate) fn is_secure(&self) -> bool {
        self.url().is_some_and(|url| url.is_https())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_with_a_host() {
        for (given, expected) in [
            ("https://Sale.Example/", "https://sale.example"),
            ("https://sale.example:443", "https://sale.example"),
            ("http://sale.example:443", "http://sale.example:443"),
            ("http://127.0.0.1:7701", "http://127.0.0.1:7701"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ] {
            assert_eq!(given.parse::<PublicUrl>().unwrap().to_string(), expected);
        }
        for wrong in [
            "",
            "sale.example",
            "ftp://sale.example",
            "https://",
            "https://sale.example/shows",
            "https://sale.example/?a=b",
            "https://nina@sale.example",
            "https://sale.example:",
            "https://sale.example:70000",
            "https://sale.example:0",
            "https://sale.example:+443",
            "https://sale.example:port",
            "https://[2001:db8::1]:99999",
            "/",
        ] {
            let refused = wrong.parse::<PublicUrl>().unwrap_err().to_string();
            assert!(refused.contains("https://sale.example"), "{refused}");
        }
    }

    #[test]
    fn a_loopback_address_is_known() {
        let is_loopback = |text: &str| text.parse::<PublicUrl>().unwrap().is_loopback();
        for here in [
            "http://localhost",
            "http://a.localhost:1",
            "http://127.9.0.1",
            "https://[::1]:2",
            "http://0.0.0.0:7701",
        ] {
            assert!(is_loopback(here), "{here}");
        }
        for there in
            ["http://192.168.1.5:7701", "https://localhost.example", "https://[2001:db8::1]"]
        {
            assert!(!is_loopback(there), "{there}");
        }
    }

    #[test]
    fn only_a_loopback_listener_needs_no_address() {
        let address = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let local = Site::of(None, address("127.0.0.1:7701"), false);
        for own in ["http://127.0.0.1:7701", "http://localhost:7701", "http://[::1]:7701"] {
            assert!(local.is_own(own), "{own}");
        }
        for foreign in
            ["http://127.0.0.1", "https://127.0.0.1:7701", "http://sale.example:7701", "null", ""]
        {
            assert!(!local.is_own(foreign), "{foreign}");
        }
        assert_eq!(Site::of(None, address("0.0.0.0:7701"), true), Site::Unknown);
        let url: PublicUrl = "https://sale.example".parse().unwrap();
        let public = Site::of(Some(url), address("0.0.0.0:7701"), false);
        assert!(public.is_secure() && public.is_own("https://sale.example"));
        assert!(!public.is_own("http://127.0.0.1:7701"), "the one address that was named");
        assert!(!Site::Unknown.is_own("null") && Site::Unknown.url().is_none());
    }
}
