//! Who sends a request, taken from its bearer token, else from its session's cookie.

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderMap, Method, header, request::Parts},
};
use stampede_domain::{IdempotencyKey, MerchantId, StreamId};
use stampede_engine::{Engine, Role, StreamScope};

use crate::{
    cookie,
    guesses::Client,
    problem::{Code, Problem},
    staff::{Grant, Inviter, NewStaff, Session, StaffError, hash},
    state::ControlState,
};

/// The member of staff behind a request.
#[derive(Clone, Debug)]
pub(crate) struct Staff {
    staff: NewStaff,
    by: Proof,
}

/// What a request came with.
#[derive(Clone, Debug)]
enum Proof {
    /// A token, by its id.
    Token(String),
    /// A browser's cookie.
    Session(Box<SignedIn>),
}

/// What a request came with, later on.
#[derive(Clone, Debug)]
pub(crate) enum Still {
    /// A token, which ends when somebody revokes it.
    Token,
    /// A session, which ends by itself.
    Session(Box<Session>),
}

/// A browser's session as its own pages may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// What its commands bring in the header `X-CSRF-Token`.
    pub csrf: String,
}

impl Staff {
    /// The actor's name.
    pub(crate) fn name(&self) -> &str {
        &self.staff.name
    }

    /// What the token is trusted with.
    pub(crate) fn role(&self) -> Role {
        self.staff.role
    }

    /// The merchant that the token is bound to.
    pub(crate) fn merchant(&self) -> Option<&MerchantId> {
        self.staff.merchant.as_ref()
    }

    /// The streams that the token is bound to.
    pub(crate) fn streams(&self) -> &StreamScope {
        &self.staff.streams
    }

    /// The session, if the request came with its cookie.
    pub(crate) fn session(&self) -> Option<&SignedIn> {
        match &self.by {
            Proof::Session(signed_in) => Some(signed_in),
            Proof::Token(_) => None,
        }
    }

    /// What the request came with, by its id: a browser's session or a token.
    pub(crate) fn asks_by(&self) -> &str {
        match &self.by {
            Proof::Token(id) => id,
            Proof::Session(signed_in) => &signed_in.session.id,
        }
    }

    /// This member of staff as somebody who invites others.
    pub(crate) fn inviter(&self) -> Inviter {
        let grant = match &self.by {
            Proof::Token(id) => Grant::Token(id.clone()),
            Proof::Session(signed_in) => signed_in.session.grant.clone(),
        };
        Inviter::Staff { staff: self.staff.clone(), grant }
    }

    /// The key by which the engine knows a command: each session is an actor of its own.
    pub(crate) fn key(&self, given: IdempotencyKey) -> IdempotencyKey {
        match self.session() {
            Some(signed_in) => signed_in.session.key(&given),
            None => given,
        }
    }

    /// Whether drops with these terms may be seen: a bound token sees its merchant's and what stands in
    /// its streams, a creator what stands in its own rooms.
    pub(crate) fn sees(&self, engine: &Engine, stream: &StreamId, merchant: &MerchantId) -> bool {
        if !self.streams().covers(stream) {
            return false;
        }
        if self.role() == Role::Creator {
            return engine.is_creators(stream, self.name());
        }
        self.merchant().is_none_or(|own| own == merchant)
    }

    /// Whether what is about a stream as a whole may be seen, its drops apart.
    pub(crate) fn sees_stream(&self, engine: &Engine, stream: &StreamId) -> bool {
        if !self.streams().covers(stream) {
            return false;
        }
        if self.role() == Role::Creator {
            return engine.is_creators(stream, self.name());
        }
        self.merchant().is_none_or(|own| engine.lets_in(stream, own))
    }

    /// Whether they read along for the person on camera, who is shown no money.
    pub(crate) fn is_stage(&self) -> bool {
        self.role() == Role::Stage
    }

    /// What the request came with as it stands now; `None` once it is not in force any more. Files that
    /// cannot be read let nobody go on.
    pub(crate) fn still(&self, state: &ControlState) -> Option<Still> {
        match &self.by {
            Proof::Session(signed_in) => {
                let found = state.sessions().find(&signed_in.session.id, state.engine().wall());
                found.ok().flatten().map(|session| Still::Session(Box::new(session)))
            }
            Proof::Token(id) => state.staff().find(id).ok().flatten().map(|_| Still::Token),
        }
    }

    /// Whether the token is for every merchant's and every stream's business.
    pub(crate) fn is_everybodys(&self) -> bool {
        self.merchant().is_none() && self.streams().is_all() && self.role() != Role::Creator
    }
}

impl FromRequestParts<ControlState> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ControlState) -> Result<Self, Problem> {
        let Ok(client) = Client::from_request_parts(parts, state).await;
        if let Some(secret) = bearer(&parts.headers) {
            let staff = by_token(state, client, secret)?;
            return staff.within(parts);
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
        let staff = signed_in.session.staff.clone();
        Self { staff, by: Proof::Session(Box::new(signed_in)) }.within(parts)
    }
}

/// What a stage may ask for.
const OF_STAGE: [&str; 2] = ["/v1/streams/{stream}/follow", "/v1/sessions/current"];

impl Staff {
    /// Refuses a stage whatever is not on its short list, so that no path lets it in by being new.
    fn within(self, parts: &Parts) -> Result<Self, Problem> {
        let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        if self.is_stage() && !path.is_some_and(|path| OF_STAGE.contains(&path)) {
            let detail = "role stage follows its streams, and nothing else";
            return Err(Problem::new(Code::Forbidden, detail));
        }
        Ok(self)
    }
}

fn by_token(state: &ControlState, client: Client, secret: &str) -> Result<Staff, Problem> {
    let (hash, now) = (hash(secret), state.engine().now());
    state.guesses().check(client, hash, now)?;
    let found = state.staff().verify(secret).map_err(|error| Problem::internal(&error))?;
    let token = found.ok_or_else(|| state.guesses().wrong(client, now, token_unknown()))?;
    state.guesses().right(client, hash, now);
    Ok(Staff { staff: token.staff, by: Proof::Token(token.id) })
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
