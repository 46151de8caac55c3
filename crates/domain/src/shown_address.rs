//! Addresses of what viewers' apps load and show, such as a picture.

use url::Url;

use crate::{TextFault, check_note};

/// Why an address cannot be shown to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShownAddressFault {
    /// A character that is not seen, or too many bytes.
    #[error(transparent)]
    Text(#[from] TextFault),
    /// It is neither of the two kinds.
    #[error(
        "is no address that every app can load; write an absolute one like https://img.example/mug.jpg, \
         or a path of the server's own files like /goods/candle.svg"
    )]
    Kind,
    /// It has a character that has to be escaped.
    #[error("has {0:?}, which an address cannot have; write {escaped}", escaped = escaped(*.0))]
    Unescaped(char),
    /// It would tell everybody a password.
    #[error("has a name before its host; leave out what stands before the @")]
    Credentials,
}

/// A character as addresses write it: each byte of its UTF-8.
fn escaped(c: char) -> String {
    c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

/// Checks the address of a picture: absolute with `https`, or a path.
///
/// A path is that of a file that the server shows itself, on its listener of public files. Everything else runs
/// (`javascript:`), hides what it is (`data:`), depends on the page around it (`//host`, `a.jpg`), or is not loaded
/// by a page that is encrypted (`http:`).
///
/// # Errors
/// The first fault.
pub fn check_shown_address(address: &str, bytes_max: usize) -> Result<(), ShownAddressFault> {
    // The parser would trim and drop some of these in silence.
    let raw = |c: &char| {
        c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    };
    if let Some(c) = address.chars().find(raw) {
        return Err(ShownAddressFault::Unescaped(c));
    }
    check_note(address, bytes_max)?;
    if address.starts_with('/') {
        return if address.starts_with("//") { Err(ShownAddressFault::Kind) } else { Ok(()) };
    }
    // The parser would mend `https:host` and `https:///host`.
    let has_host = address.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
        && !address[8..].starts_with('/');
    let url = Url::parse(address).ok().filter(|url| has_host && url.has_host());
    let url = url.ok_or(ShownAddressFault::Kind)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ShownAddressFault::Credentials);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(address: &str) -> Result<(), ShownAddressFault> {
        check_shown_address(address, 2_048)
    }

    #[test]
    fn an_address_is_absolute_and_encrypted_or_a_path() {
        for address in [
            "https://img.example/nuit-50.jpg",
            "HTTPS://img.example:8443/a%20b.jpg?w=2&h=3#x",
            "https://[2001:db8::1]/a",
            "https://bücher.example/é.jpg",
            "/goods/candle.svg",
            "/goods/a%20b.svg?v=2",
        ] {
            assert_eq!(checked(address), Ok(()), "{address}");
        }
        for address in [
            "",
            "javascript:alert(1)",
            "JavaScript://img.example/%0aalert(1)",
            "data:image/svg+xml,x",
            "//img.example/a.jpg",
            "http://img.example/a.jpg",
            "ftp://img.example/a.jpg",
            "blob:https://img.example/1",
            "https:img.example/a.jpg",
            "https:///img.example/a.jpg",
            "https://",
            "https://a..b%/x",
            "mug.jpg",
            "../mug.jpg",
            "img.example/mug.jpg",
        ] {
            assert_eq!(checked(address), Err(ShownAddressFault::Kind), "{address}");
        }
    }

    #[test]
    fn what_a_parser_would_mend_in_silence_is_refused() {
        for (address, code) in [
            (" https://img.example/a.jpg", "%20"),
            ("https://img.example/a b.jpg", "%20"),
            ("java\tscript:alert(1)", "%09"),
            ("/\\img.example/a.jpg", "%5C"),
            ("https:\\\\img.example", "%5C"),
            ("https://img.example/a\u{A0}b.jpg", "%C2%A0"),
            ("https://img.example/a\u{3000}b.jpg", "%E3%80%80"),
        ] {
            let why = checked(address).unwrap_err().to_string();
            assert!(why.ends_with(&format!("write {code}")), "{address}: {why}");
        }
        assert_eq!(checked("https://nina:x@img.example/"), Err(ShownAddressFault::Credentials));
        let turned = checked("https://img.example/\u{202E}gpj.exe");
        assert!(matches!(turned, Err(ShownAddressFault::Text(TextFault::Unseen { .. }))));
    }
}
