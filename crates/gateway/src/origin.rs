//! Web origins as browsers write them (RFC 6454, section 6.2): what a setting has to be to ever match.

use url::{Position, Url};

/// Why an origin would let no browser in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Somebody means every page, or every page of a domain.
    #[error(
        "{given:?} would let no page in: there are no wildcards; list each origin, or leave the list empty to \
         let every page in"
    )]
    Wildcard {
        /// What was given.
        given: String,
    },
    /// Browsers write it in another way.
    #[error("{given:?} would let no page in: browsers write it {written:?}; write that")]
    Unlike {
        /// What was given.
        given: String,
        /// How browsers write it.
        written: String,
    },
    /// It lacks the scheme, which is part of it.
    #[error(
        "{given:?} would let no page in: browsers write it with the page's scheme, {https:?} or {http:?}; write the one \
         by which the page comes"
    )]
    NoScheme {
        /// What was given.
        given: String,
        /// How browsers write it for an encrypted page.
        https: String,
        /// How browsers write it for any other page.
        http: String,
    },
    /// No page comes by this scheme.
    #[error(
        "{given:?} would let no page in: no page comes by {scheme}; pages come by https or http, or by a scheme of an \
         app's own"
    )]
    NoPages {
        /// What was given.
        given: String,
        /// Its scheme.
        scheme: String,
    },
    /// It is no origin.
    #[error(
        "{given:?} would let no page in: an origin is a scheme, a host, a port if it is not the scheme's own, \
         like \"https://shop.example\""
    )]
    Malformed {
        /// What was given.
        given: String,
    },
}

/// Checks that some browser can send this origin. Apps that show pages may have schemes of their own, pages
/// without an origin send `null`.
///
/// # Errors
/// What is wrong, with the mend if it can be told.
pub fn check_origin(given: &str) -> Result<(), OriginError> {
    if given == "null" {
        return Ok(());
    }
    let owned = || given.to_owned();
    if given.contains('*') {
        return Err(OriginError::Wildcard { given: owned() });
    }
    if !given.contains("://") {
        let [https, http] = ["https", "http"].map(|scheme| {
            let url = Url::parse(&format!("{scheme}://{given}")).ok();
            url.and_then(|url| written(&url))
        });
        return Err(match (https, http) {
            (Some(https), Some(http)) => OriginError::NoScheme { given: owned(), https, http },
            _ => OriginError::Malformed { given: owned() },
        });
    }
    let url = Url::parse(given).ok();
    if let Some(url) = url.as_ref().filter(|url| url.scheme() == "ftp") {
        return Err(OriginError::NoPages { given: owned(), scheme: url.scheme().to_owned() });
    }
    match url.and_then(|url| written(&url)) {
        Some(written) if written == given => Ok(()),
        Some(written) => Err(OriginError::Unlike { given: owned(), written }),
        None => Err(OriginError::Malformed { given: owned() }),
    }
}

/// How browsers write the origin of a page at this address.
fn written(url: &Url) -> Option<String> {
    let origin = url.origin();
    if origin.is_tuple() {
        let origin = origin.ascii_serialization();
        // Where the page connects to is mistaken for where it comes from.
        return Some(match origin.strip_prefix("ws") {
            Some(rest) => format!("http{rest}"),
            None => origin,
        });
    }
    // Apps show pages from files and from themselves; Cordova, Electron and QtWebEngine send a bare scheme then.
    let host = url.host_str().filter(|_| url.scheme() != "file").unwrap_or_default();
    if !url[Position::AfterScheme..].starts_with("://") {
        return None;
    }
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{}{port}", url.scheme(), host.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_send_is_an_origin() {
        for sent in [
            "https://shop.example",
            "http://shop.example:8080",
            "http://localhost:5173",
            "https://[2001:db8::1]:8443",
            "https://xn--bcher-kva.example",
            "capacitor://localhost",
            "chrome-extension://abcdefghijklmnop",
            "file://",
            "qrc://",
            "app://",
            "null",
        ] {
            assert_eq!(check_origin(sent), Ok(()), "{sent}");
        }
    }

    #[test]
    fn what_never_matches_comes_with_its_mend() {
        for (given, mend) in [
            ("https://shop.example/", "https://shop.example"),
            ("https://shop.example/cart?a=b", "https://shop.example"),
            ("HTTPS://Shop.Example", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("http://shop.example:80", "http://shop.example"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            (" https://shop.example", "https://shop.example"),
            ("https://nina@shop.example", "https://shop.example"),
            ("https://[2001:DB8:0::1]", "https://[2001:db8::1]"),
            ("capacitor://localhost/", "capacitor://localhost"),
            ("wss://shop.example", "https://shop.example"),
            ("ws://shop.example:8080", "http://shop.example:8080"),
            ("wss://shop.example:443/", "https://shop.example"),
            ("file:///", "file://"),
            ("file:///android_asset/www/index.html", "file://"),
            ("FILE://", "file://"),
            ("qrc:///", "qrc://"),
            ("blob:https://shop.example/1", "https://shop.example"),
        ] {
            let why = check_origin(given).unwrap_err().to_string();
            assert!(why.ends_with(&format!("browsers write it {mend:?}; write that")), "{why}");
        }
        for wildcard in ["*", "https://*.shop.example", "https://*"] {
            let why = check_origin(wildcard).unwrap_err().to_string();
            assert!(why.contains("leave the list empty to let every page in"), "{why}");
        }
        for (given, https, http) in [
            ("localhost:5173", "https://localhost:5173", "http://localhost:5173"),
            ("Shop.example/", "https://shop.example", "http://shop.example"),
        ] {
            let why = check_origin(given).unwrap_err().to_string();
            assert!(why.contains(&format!("{https:?} or {http:?}")), "{why}");
        }
        let why = check_origin("ftp://shop.example").unwrap_err().to_string();
        assert!(why.contains("no page comes by ftp"), "{why}");
        for malformed in [
            "",
            "https://",
            "wss://",
            "://shop.example",
            "https://shop.example:port",
            "my app://",
            "localhost:port",
            "data:text/plain,://",
        ] {
            let refused = check_origin(malformed);
            assert!(
                matches!(refused, Err(OriginError::Malformed { .. })),
                "{malformed}: {refused:?}"
            );
        }
    }
}
