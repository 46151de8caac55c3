//! Streams with their owners, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::{DurationMs, MerchantId, StreamId, UnixMillis, composed};
use stampede_engine::{RoomOwner, RoomView, SaleDrop, StreamAction};
use utoipa::{IntoParams, ToSchema};

use super::{
    ModeName, PhaseName,
    plan::{parsed, parsed_or},
};
use crate::{
    extract::PageLimit,
    problem::{Code, Problem},
};

/// What kind of owner a stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OwnerKind {
    /// Whoever runs the server: the platform and its admins.
    House,
    /// A merchant.
    Merchant,
    /// A creator: whoever has the token with the role `creator` and this name.
    Creator,
}

/// Whose a stream is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoomOwner)]
pub(crate) struct OwnerBody {
    /// What kind of owner.
    kind: OwnerKind,
    /// The merchant's id, or the name of the creator's token, 1 to 64 bytes; left out for the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "nina", max_length = 64)]
    name: Option<String>,
}

impl OwnerBody {
    fn to_owner(&self) -> Result<RoomOwner, Problem> {
        match (self.kind, self.name.as_deref()) {
            (OwnerKind::House, None) => Ok(RoomOwner::House),
            (OwnerKind::Merchant, Some(name)) => {
                parsed_or(Code::InvalidAccount, "owner.name", name).map(RoomOwner::Merchant)
            }
            (OwnerKind::Creator, Some(name)) => {
                Ok(RoomOwner::Creator(composed(name).as_ref().into()))
            }
            (OwnerKind::House, Some(_)) => {
                let detail = "owner.name: the house has no name; leave it out";
                Err(Problem::new(Code::FieldsConflict, detail))
            }
            (_, None) => {
                Err(Problem::new(Code::FieldsConflict, "owner.name: missing for this kind"))
            }
        }
    }
}

impl From<&RoomOwner> for OwnerBody {
    fn from(owner: &RoomOwner) -> Self {
        let kind = match owner {
            RoomOwner::House => OwnerKind::House,
            RoomOwner::Merchant(_) => OwnerKind::Merchant,
            RoomOwner::Creator(_) => OwnerKind::Creator,
        };
        Self { kind, name: owner.name().map(str::to_owned) }
    }
}

/// A stream that belongs to nobody, with its owner to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoomBody {
    /// The stream, by the platform's id: 1 to 64 letters, digits or `. _ : -`.
    #[schema(example = "late-show", max_length = 64)]
    stream: String,
    /// Whose it is.
    owner: OwnerBody,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

impl RoomBody {
    /// The stream, with the command.
    pub(crate) fn to_action(&self) -> Result<(StreamId, StreamAction), Problem> {
        let stream = parsed("stream", &self.stream)?;
        Ok((stream, StreamAction::MakeRoom { owner: self.owner.to_owner()? }))
    }
}

/// Who gets a stream.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOwner {
    /// The new owner.
    owner: OwnerBody,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

impl NewOwner {
    pub(crate) fn to_action(&self) -> Result<StreamAction, Problem> {
        Ok(StreamAction::MoveRoom { owner: self.owner.to_owner()? })
    }
}

/// How much later viewers see and hear a stream.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VideoDelay {
    /// How much later, in milliseconds: 2,000 to 60,000, or 0 for none.
    #[schema(example = 6_000, maximum = 60_000)]
    video_delay_ms: u64,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

impl VideoDelay {
    pub(crate) fn to_action(&self) -> StreamAction {
        StreamAction::SetVideoDelay { delay: DurationMs::new(self.video_delay_ms) }
    }
}

/// The merchant that it is about: to admit, to dismiss, or whose drops hosts may plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guest {
    /// The merchant's id.
    #[schema(example = "maison-nord", max_length = 64)]
    merchant: String,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

impl Guest {
    pub(crate) fn merchant(&self) -> Result<MerchantId, Problem> {
        parsed("merchant", &self.merchant)
    }
}

/// An accepted command about a stream's room, the same again for every retry with its key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoomChanged {
    /// The stream.
    #[schema(example = "late-show")]
    pub(crate) stream: String,
    /// The command.
    #[schema(example = "admit")]
    pub(crate) action: &'static str,
}

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RoomParams {
    /// List streams after this one: the `next` of the page before.
    #[serde(default)]
    #[param(example = "friday-show")]
    pub(crate) after: Option<String>,
    /// Streams of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 1000)]
    pub(crate) limit: PageLimit,
}

/// Streams of one page, by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoomList {
    /// The streams whose room the token may see.
    pub(crate) rooms: Vec<RoomSummary>,
    /// What to send as `after` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A stream with its owner.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoomSummary {
    /// The stream.
    #[schema(example = "late-show")]
    pub(crate) stream: String,
    /// Whose it is.
    owner: OwnerBody,
    /// The merchants besides its owner that may plan drops in it; an admitted merchant sees itself alone.
    admitted: Vec<String>,
    /// How much later its viewers see and hear it, in milliseconds; 0 if it is not set.
    video_delay_ms: u64,
    /// The merchants whose drops hosts may plan there; an admitted merchant sees itself alone.
    hosts_plan_for: Vec<String>,
}

impl RoomSummary {
    /// What `sees` lets through of the room.
    pub(crate) fn new(room: &RoomView, sees: impl Fn(&MerchantId) -> bool) -> Self {
        let seen = |all: &[MerchantId]| {
            let seen = all.iter().filter(|merchant| sees(merchant));
            seen.map(ToString::to_string).collect()
        };
        Self {
            stream: room.stream.to_string(),
            owner: OwnerBody::from(&room.owner),
            admitted: seen(&room.admitted),
            video_delay_ms: room.video_delay.get(),
            hosts_plan_for: seen(&room.hosts_plan_for),
        }
    }
}

/// A stream with its owner and what is planned there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoomState {
    #[serde(flatten)]
    pub(crate) room: RoomSummary,
    /// The drops that are not over, in running order: every merchant's for the owner, else the token's.
    pub(crate) drops: Vec<RoomDrop>,
}

/// A drop as the owner of its stream sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoomDrop {
    /// The drop's id.
    #[schema(example = "d17")]
    drop: String,
    /// Title for viewers.
    title: String,
    /// Whose goods are sold.
    merchant: String,
    /// Live or rehearsal.
    mode: ModeName,
    /// Where the drop stands.
    phase: PhaseName,
    /// Whether it is the one on air in its stream, among those of its mode.
    featured: bool,
    /// The planned start, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at_ms: Option<u64>,
}

impl RoomDrop {
    pub(crate) fn new(sale: &SaleDrop) -> Self {
        let plan = sale.plan();
        Self {
            drop: sale.id().to_string(),
            title: plan.title.clone(),
            merchant: plan.merchant.to_string(),
            mode: plan.mode.into(),
            phase: sale.phase().into(),
            featured: sale.is_featured(),
            starts_at_ms: plan.starts_at.map(UnixMillis::get),
        }
    }
}
