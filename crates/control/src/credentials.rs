//! How a request shows who sends it: by a bearer token, else by its session's cookie.

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderMap, Method, header, request::Parts},
};

use crate::{
    auth::{PaymentsCaller, SignedIn, Staff},
    by_address::Client,
    cookie,
    problem::{Code, Problem},
    staff::{StaffError, hash},
    state::ControlState,
};

impl FromRequestParts<ControlState> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ControlState) -> Result<Self, Problem> {
        let Ok(client) = Client::from_request_parts(parts, state).await;
        if let Some(secret) = bearer(&parts.headers) {
            let staff = by_token(state, client, secret)?;
            return within(staff, parts);
        }
        if !cookie::is_there(&parts.headers) {
            return Err(Problem::new(
                Code::TokenMissing,
                "send the header `Authorization: Bearer <staff token>`, or sign in by \
                 `POST /v1/sessions`; `stampede token` on the server's machine makes a token",
            ));
        }
        let found = signed_in(state, &parts.headers).map_err(|error| Problem::internal(&error))?;
        let signed_in = found.ok_or_else(|| {
            Problem::new(
                Code::SessionExpired,
                "this browser is signed out, or its session has run out: sign in again, then send \
                 the same request with the same key",
            )
        })?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            check_page(state, &parts.headers)?;
        }
        within(Self::by_session(signed_in), parts)
    }
}

impl FromRequestParts<ControlState> for PaymentsCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ControlState) -> Result<Self, Problem> {
        // Whoever handed the request over has looked already.
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        Self::of(Staff::from_request_parts(parts, state).await?)
    }
}

/// The session of the browser that asks: whoever signs in may look at it and sign out.
const OWN_SESSION: &str = "/v1/sessions/current";
/// Where payments are reported and holds are asked about, with every path below.
const OF_PAYMENTS: &str = "/v1/payments";

/// Refuses a stage, or the machine that reports payments, whatever is not on its short list, so that no path
/// lets it in by being new.
fn within(staff: Staff, parts: &Parts) -> Result<Staff, Problem> {
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    match beyond(&staff, path) {
        Some(detail) => Err(Problem::new(Code::Forbidden, detail)),
        None => Ok(staff),
    }
}

/// What to tell somebody whose short list does not have this path.
fn beyond(staff: &Staff, path: &str) -> Option<&'static str> {
    let (is_listed, detail) = if staff.is_stage() {
        let detail = "role stage follows its streams, and nothing else";
        (path == "/v1/streams/{stream}/follow", detail)
    } else if staff.is_payments() {
        let detail = "role payments reports payments and asks about holds that it names, under \
            /v1/payments, and nothing else";
        (is_of_payments(path), detail)
    } else {
        return None;
    };
    (!is_listed && path != OWN_SESSION).then_some(detail)
}

/// Whether a path is the one that payments are reported at, or below it.
pub(crate) fn is_of_payments(path: &str) -> bool {
    let below = path.strip_prefix(OF_PAYMENTS);
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn by_token(state: &ControlState, client: Client, secret: &str) -> Result<Staff, Problem> {
    let (hash, now) = (hash(secret), state.engine().now());
    state.guesses().check(client, hash, now)?;
    let found = state.staff().verify(secret).map_err(|error| Problem::internal(&error))?;
    let token = found.ok_or_else(|| state.guesses().wrong(client, now, token_unknown()))?;
    state.guesses().right(client, hash, now);
    Ok(Staff::by_token(token))
}

/// The token is nobody's.
pub(crate) fn token_unknown() -> Problem {
    Problem::new(
        Code::TokenUnknown,
        "this staff token was never made or has been revoked; \
         `stampede token` on the server's machine makes another",
    )
}

/// The session of the request's cookie, if it is in force.
pub(crate) fn signed_in(
    state: &ControlState,
    headers: &HeaderMap,
) -> Result<Option<SignedIn>, StaffError> {
    let Some(secret) = cookie::secret(headers) else { return Ok(None) };
    let found = state.sessions().verify(secret, state.engine().wall())?;
    let csrf = || cookie::csrf(secret).to_hex().to_string();
    Ok(found.map(|session| SignedIn { session, csrf: csrf() }))
}

/// A browser sends its cookie along with what any page asks of it, so a command has to come from a page
/// of ours, which proves it by two things that other pages do not have. Whoever has the cookie can ask for
/// the page's token, so a wrong one is an old page's, no guess: it slows nobody down.
fn check_page(state: &ControlState, headers: &HeaderMap) -> Result<(), Problem> {
    check_origin(state, headers, true)?;
    let secret = cookie::secret(headers).unwrap_or_default();
    if cookie::brings_csrf(headers, secret) {
        return Ok(());
    }
    Err(Problem::new(
        Code::CsrfFailed,
        "send the header `X-CSRF-Token` with the session's `csrf`, which `GET /v1/sessions/current` \
         has; tools send a bearer token instead of the cookie",
    ))
}

/// Refuses what another site's page sends; what says no origin is refused where one `must_be` named.
pub(crate) fn check_origin(
    state: &ControlState,
    headers: &HeaderMap,
    must_be: bool,
) -> Result<(), Problem> {
    let mut given = headers.get_all(header::ORIGIN).iter();
    let own = |origin: &header::HeaderValue| {
        origin.to_str().is_ok_and(|origin| state.site().is_own(origin))
    };
    let refused = match (given.next(), given.next()) {
        (None, _) => must_be,
        (Some(origin), None) => !own(origin),
        (Some(_), Some(_)) => true,
    };
    if !refused {
        return Ok(());
    }
    let own = match state.site().url() {
        Some(url) => format!("only pages of {url} may send this"),
        None => "no page may send this until control.public_url is set".to_owned(),
    };
    Err(Problem::new(Code::OriginRefused, format!("{own}, with their header `Origin`")))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, secret) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

#[cfg(test)]
mod tests {
    use stampede_domain::UnixMillis;
    use stampede_engine::{Role, StreamScope};

    use super::*;
    use crate::staff::{NewStaff, StaffToken};

    #[test]
    fn a_path_that_is_new_is_closed_to_whoever_has_a_short_list() {
        let own = |role, path: &str| match (role, path) {
            (Role::Stage, "/v1/streams/{stream}/follow" | OWN_SESSION)
            | (Role::Payments, "/v1/payments" | "/v1/payments/{hold}/paid" | OWN_SESSION) => true,
            (Role::Stage | Role::Payments, _) => false,
            _ => true,
        };
        for role in Role::ALL {
            let (name, streams) = ("till".into(), StreamScope::All);
            let staff = NewStaff { name, role, merchant: None, streams };
            let created_at = UnixMillis::new(1);
            let staff = Staff::by_token(StaffToken { id: "t1".into(), staff, created_at });
            for path in [
                "/v1/payments",
                "/v1/payments/{hold}/paid",
                "/v1/payments-of-all",
                "/v1/streams/{stream}/follow",
                "/v1/new",
                "",
                OWN_SESSION,
            ] {
                assert_eq!(beyond(&staff, path).is_none(), own(role, path), "{role} {path}");
            }
        }
    }
}
