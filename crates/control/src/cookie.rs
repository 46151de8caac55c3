//! The session's cookie with the token that goes with it against forged requests.

use axum::http::{HeaderMap, HeaderValue, header};
use stampede_domain::DurationMs;

use crate::staff::StaffSecret;

/// The cookie's name.
const NAME: &str = "stampede_session";
/// The header that proves that a page of ours sends a command.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// The secret in the request's cookie; `None` also where several cookies have the name, because one of
/// them was put there by somebody else.
pub(crate) fn secret(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(name, _)| name.trim() == NAME).map(|(_, value)| value.trim());
    let first = found.next();
    if found.next().is_some() { None } else { first.filter(|value| !value.is_empty()) }
}

/// Whether the request has the cookie at all.
pub(crate) fn is_there(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut names = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    names.any(|(name, value)| name.trim() == NAME && !value.trim().is_empty())
}

/// The header that hands the cookie over, for as long as the session may last.
pub(crate) fn hand_over(secret: &StaffSecret, lasts: DurationMs, is_secure: bool) -> HeaderValue {
    set(secret.reveal(), lasts.get() / 1_000, is_secure)
}

/// The header that takes the cookie back.
pub(crate) fn take_back(is_secure: bool) -> HeaderValue {
    set("", 0, is_secure)
}

fn set(value: &str, seconds: u64, is_secure: bool) -> HeaderValue {
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie =
        format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::try_from(cookie).expect("a secret is plain ASCII")
}

/// The token of the session with this secret: its sender has read a page of ours, and the secret
/// cannot be told from it.
pub(crate) fn csrf(secret: &str) -> blake3::Hash {
    blake3::Hash::from_bytes(blake3::derive_key("stampede csrf token 1", secret.as_bytes()))
}

/// Whether the request brings the token of the session with this secret; compared in constant time.
pub(crate) fn brings_csrf(headers: &HeaderMap, secret: &str) -> bool {
    let given = headers.get(CSRF_HEADER).and_then(|given| given.to_str().ok());
    let given = given.and_then(|given| blake3::Hash::from_hex(given).ok());
    given.is_some_and(|given| given == csrf(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(lines: &[&str]) -> HeaderMap {
        let value = |line: &&str| (header::COOKIE, HeaderValue::try_from(*line).unwrap());
        lines.iter().map(value).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        for (lines, expected) in [
            (vec!["stampede_session=sts_1"], Some("sts_1")),
            (vec!["theme=dark; stampede_session=sts_1; lang=en"], Some("sts_1")),
            (vec!["theme=dark", "stampede_session=sts_1"], Some("sts_1")),
            (vec!["xstampede_session=sts_1"], None),
            (vec!["stampede_session="], None),
            (vec!["stampede_session=sts_1; stampede_session=sts_2"], None),
            (vec!["stampede_session=sts_1", "stampede_session=sts_1"], None),
            (vec![], None),
        ] {
            assert_eq!(secret(&cookies(&lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn the_token_is_of_one_session() {
        let mut headers = HeaderMap::new();
        assert!(!brings_csrf(&headers, "sts_1"));
        let token = csrf("sts_1").to_hex();
        headers.insert(CSRF_HEADER, HeaderValue::try_from(token.as_str()).unwrap());
        assert!(brings_csrf(&headers, "sts_1") && !brings_csrf(&headers, "sts_2"));
        assert!(!token.contains("sts_1"));
    }
}
