//! Invitations, as JSON.

use serde::{Deserialize, Serialize};
use serde_json::json;
use stampede_domain::{DurationMs, MerchantId, StreamId, UnixMillis};
use stampede_engine::{Role, StreamScope};
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};

use super::{plan::parsed, session::Member};
use crate::{
    problem::{Code, Problem},
    staff::{Grant, Invitation, NewStaff},
};

/// Whom to invite, for how long.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitation)]
pub(crate) struct InvitationBody {
    /// The name that will stand in every record of a command, 1 to 64 bytes.
    #[schema(example = "nina", max_length = 64)]
    name: String,
    /// The role of the invited person.
    #[schema(schema_with = roles)]
    role: String,
    /// The merchant whose drops they will see; left out for the inviter's own, or every merchant.
    #[serde(default)]
    #[schema(example = "maison-nord", max_length = 64)]
    merchant: Option<String>,
    /// The streams whose drops they will see, at most 64; left out for the inviter's own, or every
    /// stream.
    #[serde(default)]
    #[schema(example = json!(["friday-show"]), max_items = 64)]
    streams: Vec<String>,
    /// For how long the invitation and what comes of it is good, in milliseconds.
    #[schema(example = 86_400_000, minimum = 60_000, maximum = 604_800_000)]
    valid_ms: u64,
}

/// Every role by its name.
fn roles() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The role of the invited person."))
        .enum_values(Some(Role::ALL.map(Role::name)))
        .examples([json!("host")])
        .build()
}

impl InvitationBody {
    /// Whom it lets in.
    pub(crate) fn to_staff(&self) -> Result<NewStaff, Problem> {
        let role = Role::from_name(&self.role).ok_or_else(|| {
            Problem::new(Code::BadBody, format!("role: there is no role {:?}", self.role))
        })?;
        let merchant = self.merchant.as_deref().map(|id| parsed::<MerchantId>("merchant", id));
        let streams: Result<Vec<StreamId>, _> =
            self.streams.iter().map(|id| parsed("streams", id)).collect();
        Ok(NewStaff {
            name: self.name.clone(),
            role,
            merchant: merchant.transpose()?,
            streams: StreamScope::of(streams?),
        })
    }

    /// For how long.
    pub(crate) fn valid(&self) -> DurationMs {
        DurationMs::new(self.valid_ms)
    }
}

/// An invitation that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invited {
    /// Names it for withdrawing.
    #[schema(example = "i1a2b3c4d5e6f7081")]
    pub(crate) invitation: String,
    /// The link, whose last part is the secret; good for one browser.
    #[schema(example = "https://sale.example/join/sti_...")]
    pub(crate) link: String,
    /// When it is over, in milliseconds since 1970-01-01 UTC.
    pub(crate) expires_at_ms: u64,
}

/// The secret of an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationSecret)]
pub(crate) struct LookBody {
    /// The last part of the link.
    #[schema(example = "sti_...")]
    invitation: String,
}

impl LookBody {
    /// The secret.
    pub(crate) fn secret(&self) -> &str {
        self.invitation.trim()
    }
}

/// What an invitation tells the person who has its link.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct Seen {
    /// Who invites; left out where it was made on the server's machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "first admin")]
    by: Option<String>,
    #[serde(flatten)]
    member: Member,
    /// When it is over, with what comes of it, in milliseconds since 1970-01-01 UTC.
    expires_at_ms: u64,
    /// Time until then in milliseconds, as it was told.
    expires_in_ms: u64,
}

impl Seen {
    pub(crate) fn new(invitation: &Invitation, now: UnixMillis) -> Self {
        Self {
            by: (invitation.by != Grant::Machine).then(|| invitation.by_name.clone()),
            member: Member::from(&invitation.staff),
            expires_at_ms: invitation.ends_at.get(),
            expires_in_ms: invitation.ends_at.since(now).get(),
        }
    }
}

/// Invitations that are not over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationList {
    /// The caller's own, for an admin all; oldest first.
    pub(crate) invitations: Vec<InvitationLine>,
}

/// An invitation that is not over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationLine {
    /// Names it for withdrawing.
    #[schema(example = "i1a2b3c4d5e6f7081")]
    invitation: String,
    #[serde(flatten)]
    seen: Seen,
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    created_at_ms: u64,
    /// When somebody came in by it, in milliseconds since 1970-01-01 UTC; left out while nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    redeemed_at_ms: Option<u64>,
}

impl InvitationLine {
    pub(crate) fn new(invitation: &Invitation, now: UnixMillis) -> Self {
        Self {
            invitation: invitation.id.clone(),
            seen: Seen::new(invitation, now),
            created_at_ms: invitation.created_at.get(),
            redeemed_at_ms: invitation.redeemed_at.map(UnixMillis::get),
        }
    }
}
