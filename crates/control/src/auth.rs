//! Who sends a request, taken from its bearer token.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use stampede_domain::{MerchantId, StreamId};
use stampede_engine::{Engine, Role};

use crate::{
    problem::{Code, Problem},
    staff::NewStaff,
    state::ControlState,
};

/// The member of staff behind a request.
#[derive(Clone, Debug)]
pub(crate) struct Staff(NewStaff);

impl Staff {
    /// The actor's name.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// What the token is trusted with.
    pub(crate) fn role(&self) -> Role {
        self.0.role
    }

    /// The merchant that the token is bound to.
    pub(crate) fn merchant(&self) -> Option<&MerchantId> {
        self.0.merchant.as_ref()
    }

    /// Whether drops with these terms may be seen: a bound token sees its merchant's, a creator what
    /// stands in its own rooms.
    pub(crate) fn sees(&self, engine: &Engine, stream: &StreamId, merchant: &MerchantId) -> bool {
        if self.role() == Role::Creator {
            return engine.is_creators(stream, self.name());
        }
        self.merchant().is_none_or(|own| own == merchant)
    }

    /// Whether the token is for every merchant's business.
    pub(crate) fn is_everybodys(&self) -> bool {
        self.merchant().is_none() && self.role() != Role::Creator
    }
}

impl FromRequestParts<ControlState> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ControlState) -> Result<Self, Problem> {
        let secret = bearer(&parts.headers).ok_or_else(|| {
            Problem::new(
                Code::TokenMissing,
                "send the header `Authorization: Bearer <staff token>`; \
                 `stampede token` on the server's machine makes one",
            )
        })?;
        let found = state.staff().verify(secret).map_err(|error| Problem::internal(&error))?;
        found.map(|token| Self(token.staff)).ok_or_else(|| {
            Problem::new(
                Code::TokenUnknown,
                "this staff token was never made or has been revoked; \
                 `stampede token` on the server's machine makes another",
            )
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, secret) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}
