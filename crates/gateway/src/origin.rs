//! Web origins as browsers write them (RFC 6454, section 6.2): what a setting has to be to ever match.

use url::Url;

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
    let has_scheme = given.contains("://");
    let address = if has_scheme { owned() } else { format!("https://{given}") };
    match Url::parse(&address).ok().and_then(|url| written(&url)) {
        Some(written) if written == given => Ok(()),
        Some(written) => Err(OriginError::Unlike { given: owned(), written }),
        None => Err(OriginError::Malformed { given: owned() }),
    }
}

/// How browsers write the origin of a page at this address.
fn written(url: &Url) -> Option<String> {
    let origin = url.origin();
    if origin.is_tuple() {
        return Some(origin.ascii_serialization());
    }
    // A scheme of an app's own, which the standard gives no origin of its own.
    let host = url.host_str().filter(|host| !host.is_empty())?.to_ascii_lowercase();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{host}{port}", url.scheme()))
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
            ("shop.example", "https://shop.example"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            (" https://shop.example", "https://shop.example"),
            ("https://nina@shop.example", "https://shop.example"),
            ("https://[2001:DB8:0::1]", "https://[2001:db8::1]"),
            ("capacitor://localhost/", "capacitor://localhost"),
        ] {
            let why = check_origin(given).unwrap_err().to_string();
            assert!(why.ends_with(&format!("browsers write it {mend:?}; write that")), "{why}");
        }
        for wildcard in ["*", "https://*.shop.example", "https://*"] {
            let why = check_origin(wildcard).unwrap_err().to_string();
            assert!(why.contains("leave the list empty to let every page in"), "{why}");
        }
        for malformed in ["", "https://", "://shop.example", "https://shop.example:port"] {
            let refused = check_origin(malformed);
            assert!(
                matches!(refused, Err(OriginError::Malformed { .. })),
                "{malformed}: {refused:?}"
            );
        }
    }
}
