//! Secret texts: what staff send to be let in.

use std::fmt;

/// What every token starts with, so that a leaked one is recognized for what it is.
const TOKEN_PREFIX: &str = "stf_";
/// What every session's secret starts with.
const SESSION_PREFIX: &str = "sts_";
/// What every invitation's secret starts with.
const INVITATION_PREFIX: &str = "sti_";
/// What every share's secret starts with.
const SHARE_PREFIX: &str = "shr_";
/// The prefixes of every kind of secret.
const PREFIXES: [&str; 4] = [TOKEN_PREFIX, SESSION_PREFIX, INVITATION_PREFIX, SHARE_PREFIX];
/// The page that an invitation's link leads to.
const JOIN: &str = "/join/";
/// Where a share's link leads to, and all that belongs to it.
const SHARED: &str = "/shared/";

/// A secret in clear; it exists only while it is shown, or while it is compared.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffSecret(String);

impl StaffSecret {
    /// A staff token.
    pub(crate) fn token() -> Self {
        Self::random(TOKEN_PREFIX)
    }

    /// A session's.
    pub(crate) fn session() -> Self {
        Self::random(SESSION_PREFIX)
    }

    /// An invitation's.
    pub(crate) fn invitation() -> Self {
        Self::random(INVITATION_PREFIX)
    }

    /// A share's.
    pub(crate) fn share() -> Self {
        Self::random(SHARE_PREFIX)
    }

    /// Draws 256 bits.
    fn random(prefix: &str) -> Self {
        let (high, low) = (rand::random::<u128>(), rand::random::<u128>());
        Self(format!("{prefix}{high:032x}{low:032x}"))
    }

    /// The text to send: a token as `Authorization: Bearer`, a session's as its cookie, an invitation's
    /// or a share's in its link.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StaffSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaffSecret(hidden)")
    }
}

/// What is stored of a secret. One of 256 random bits needs no slow hash: nobody can guess it.
pub(crate) fn hash(secret: &str) -> blake3::Hash {
    blake3::hash(secret.as_bytes())
}

/// The path of an invitation's link.
pub fn join_path(secret: &StaffSecret) -> String {
    format!("{JOIN}{}", secret.reveal())
}

/// The path of a share's link.
pub fn shared_path(secret: &StaffSecret) -> String {
    format!("{SHARED}{}", secret.reveal())
}

/// A request's path as a log may show it: without the segments that hold a secret, or may hold one that
/// was cut or mistyped.
pub fn shown_path(path: &str) -> String {
    for place in [JOIN, SHARED] {
        if let Some(secret) = path.strip_prefix(place).filter(|rest| !rest.is_empty()) {
            let rest = secret.split_once('/').map_or(String::new(), |(_, rest)| format!("/{rest}"));
            return format!("{place}hidden{}", shown_path(&rest));
        }
    }
    let hidden = |segment: &&str| PREFIXES.iter().any(|prefix| segment.contains(prefix));
    let shown = path.split('/').map(|segment| if hidden(&segment) { "hidden" } else { segment });
    shown.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_without_its_secrets() {
        for secret in [
            StaffSecret::token(),
            StaffSecret::session(),
            StaffSecret::invitation(),
            StaffSecret::share(),
        ] {
            let path = format!("/join/{}/x", secret.reveal());
            assert_eq!(shown_path(&path), "/join/hidden/x");
            assert_eq!(format!("{secret:?}"), "StaffSecret(hidden)");
        }
        assert_eq!(shown_path("/v1/x/a-stf_0/y"), "/v1/x/hidden/y");
        assert_eq!(shown_path("/join/cut"), "/join/hidden");
        assert_eq!(shown_path("/shared/cut/report.json"), "/shared/hidden/report.json");
        for plain in ["/v1/drops/d1", "/join/", "/shared/", "/", ""] {
            assert_eq!(shown_path(plain), plain);
        }
    }
}
