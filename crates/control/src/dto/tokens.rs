//! Staff tokens, as JSON: everything but their secrets.

use serde::Serialize;
use utoipa::ToSchema;

use super::session::Member;
use crate::staff::StaffToken;

/// Staff tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenList {
    /// All that are in force, oldest first.
    pub(crate) tokens: Vec<TokenLine>,
    /// How many there may be.
    #[schema(example = 1_000)]
    pub(crate) tokens_max: usize,
}

/// A staff token without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffToken)]
pub(crate) struct TokenLine {
    /// Names it for revoking.
    #[schema(example = "t1a2b3c4d5e6f7081")]
    token: String,
    #[serde(flatten)]
    member: Member,
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    created_at_ms: u64,
    /// Whether the caller came by it: if it is revoked, the caller is signed out.
    current: bool,
}

impl TokenLine {
    pub(crate) fn new(token: &StaffToken, current: Option<&str>) -> Self {
        Self {
            token: token.id.clone(),
            member: Member::from(&token.staff),
            created_at_ms: token.created_at.get(),
            current: current == Some(token.id.as_str()),
        }
    }
}
