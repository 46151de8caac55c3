//! How a request shows who sends it: by a bearer token, else by its session's cookie.

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderMap, Method, header, request::Parts},
};

use crate::{
    auth::{SignedIn, Staff},
    cookie,
    guesses::Client,
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

/// What a stage may ask for.
const OF_STAGE: [&str; 2] = ["/v1/streams/{stream}/follow", "/v1/sessions/current"];

/// Refuses a stage whatever is not on its short list, so that no path lets it in by being new.
fn within(staff: Staff, parts: &Parts) -> Result<Staff, Problem> {
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    if staff.is_stage() && !path.is_some_and(|path| OF_STAGE.contains(&path)) {
        let detail = "role stage follows its streams, and nothing else";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(staff)
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
