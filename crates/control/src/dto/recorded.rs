//! Staff commands as the ledger holds them, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::{
    DropId, DurationMs, Money, NewEnd, Rates, RequestId, SkuId, Units, UnixMillis,
};
use stampede_report::commands::{
    AmendedTerms, CommandEffect, NoCopy, RecordedCommand, Room, RoomChange, refusal,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    dto::{SkuLimit, brake::KeptOut, plan::MoneyBody},
    extract::PageLimit,
    place::Place,
};

/// Which part of the list of commands.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CommandParams {
    /// List commands in front of this one: the `next` of the page before.
    #[serde(default)]
    #[param(value_type = Option<u64>, example = 1200, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) before: Option<Place>,
    /// Commands of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 1000)]
    pub(crate) limit: PageLimit,
}

/// Commands of one page, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommandList {
    /// The commands that the token may see, refused ones included.
    pub(crate) commands: Vec<CommandLine>,
    /// What to send as `before` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
}

/// A command with its outcome.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommandLine {
    /// Counted from 1 over all commands of the ledger.
    pub(crate) number: u64,
    /// When it became durable, in milliseconds since 1970-01-01 UTC.
    at_ms: u64,
    /// Who asked, by the token's name.
    actor: String,
    /// In which role.
    role: String,
    /// For what.
    #[schema(example = "restock")]
    action: String,
    /// The drop; left out for what belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "d17")]
    drop: Option<String>,
    /// Why, in the actor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Why it was refused; left out if it was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RecordedRefusal>,
    #[serde(flatten)]
    did: RecordedDoing,
}

/// What a command that was carried out did; what does not belong to it is left out.
#[derive(Debug, Default, Serialize, ToSchema)]
struct RecordedDoing {
    /// The ban that was made or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "b7")]
    ban: Option<String>,
    #[serde(flatten)]
    kept_out: KeptOut,
    /// Whether the live holds of those kept out were released.
    #[serde(skip_serializing_if = "Option::is_none")]
    releases_holds: Option<bool>,
    /// The limits set; left out where limits were ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<RecordedRates>,
    /// When what was set ends by itself, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<u64>,
    /// The stream whose room was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "friday-show")]
    stream: Option<String>,
    /// The new owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "merchant acme")]
    owner: Option<String>,
    /// The merchant that it now admits, or no longer admits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "acme")]
    merchant: Option<String>,
    /// How much later its viewers see and hear it since, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    video_delay_ms: Option<u64>,
    /// The SKU that got more units, was asked for, or had some taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    /// How many units.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<u32>,
    /// The request that was made, granted, declined or withdrawn; a restock that has one put nothing on sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "q17-2")]
    request: Option<String>,
    /// Whether the units that were taken back went into the reserve.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_reserve: Option<bool>,
    /// Units over all SKUs that one viewer may have since, if that was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_per_viewer: Option<u32>,
    /// SKUs whose limit was changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sku_limits: Vec<SkuLimit>,
    /// When the drop closes by itself since, in milliseconds since 1970-01-01 UTC, if that was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at_ms: Option<u64>,
    /// `true` if the drop does not close by itself any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_removed: Option<bool>,
    /// When the drop closes at the latest, once it winds down, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    winds_down_until_ms: Option<u64>,
    /// The lot's number within the drop.
    #[serde(skip_serializing_if = "Option::is_none")]
    lot: Option<u32>,
    /// The order of which something was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    /// All units of the order that were cancelled by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_units: Option<u32>,
    /// What goes back to the buyer by this command.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyBody>,
    /// The drop that was planned in the place of one whose opening was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "d18")]
    copy: Option<String>,
    /// Why no drop was planned in its place: the code of the refusal that a plan of the copy would have got.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "stream_full")]
    no_copy: Option<&'static str>,
    /// How much more time every live hold got, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_ms: Option<u64>,
    /// The payment that was seen to, as its account and its name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "stripe:main/pi_3MtwBw")]
    payment: Option<String>,
}

/// Limits that were set in place of the configured ones.
#[derive(Debug, Serialize, ToSchema)]
struct RecordedRates {
    /// Buys that may take units per second in the whole server.
    #[serde(skip_serializing_if = "Option::is_none")]
    buys_per_s: Option<u32>,
    /// Hellos that the whole server admits per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    hellos_per_s: Option<u32>,
    /// Time between two stock ticks of a drop, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    tick_interval_ms: Option<u64>,
}

impl RecordedDoing {
    fn new(did: &CommandEffect) -> Self {
        let at_ms = |at: Option<UnixMillis>| at.map(UnixMillis::get);
        match did {
            CommandEffect::Stopped { expires_at } => {
                Self { expires_at_ms: at_ms(*expires_at), ..Self::default() }
            }
            CommandEffect::RatesSet { rates, expires_at } => {
                let Rates { buys_per_s, hellos_per_s, tick_interval } = *rates;
                let tick_interval_ms = tick_interval.map(DurationMs::get);
                let rates = RecordedRates { buys_per_s, hellos_per_s, tick_interval_ms };
                Self { rates: Some(rates), expires_at_ms: at_ms(*expires_at), ..Self::default() }
            }
            CommandEffect::Banned { ban, target } => Self {
                ban: Some(ban.ban.to_string()),
                kept_out: target.as_ref().map(KeptOut::from).unwrap_or_default(),
                releases_holds: Some(ban.releases_holds),
                expires_at_ms: at_ms(ban.order.expires_at),
                ..Self::default()
            },
            CommandEffect::Unbanned { ban } => {
                Self { ban: Some(ban.to_string()), ..Self::default() }
            }
            CommandEffect::Room(room) => Self::of_room(room),
            CommandEffect::Restocked { lot, sku, units, request } => {
                Self { lot: Some(*lot), ..Self::of_units(sku.as_ref(), *units, *request) }
            }
            CommandEffect::Asked { request, sku, units }
            | CommandEffect::RequestEnded { request, sku, units } => {
                Self::of_units(sku.as_ref(), *units, Some(*request))
            }
            CommandEffect::TakenBack { sku, units, to_reserve } => {
                Self { to_reserve: Some(*to_reserve), ..Self::of_units(sku.as_ref(), *units, None) }
            }
            CommandEffect::Amended(terms) => Self::of_terms(terms),
            CommandEffect::WoundDown { until } => {
                Self { winds_down_until_ms: Some(until.get()), ..Self::default() }
            }
            CommandEffect::OrderCancelled { order, units, amount, lot } => Self {
                order: Some(order.to_string()),
                cancelled_units: Some(*units),
                amount: Some(money(*amount)),
                lot: *lot,
                ..Self::default()
            },
            CommandEffect::Rehearsal { stream } => {
                Self { stream: Some(stream.to_string()), ..Self::default() }
            }
            CommandEffect::Undone { copy } => Self {
                copy: copy.drop().map(|drop| drop.to_string()),
                no_copy: copy.why_none().map(NoCopy::code),
                ..Self::default()
            },
            CommandEffect::Extended { by } => {
                Self { extended_ms: Some(by.get()), ..Self::default() }
            }
            CommandEffect::UnmatchedClosed { payment } => {
                Self { payment: Some(payment.to_string()), ..Self::default() }
            }
        }
    }
}

impl RecordedDoing {
    fn of_units(sku: Option<&SkuId>, units: Units, request: Option<RequestId>) -> Self {
        Self {
            sku: sku.map(ToString::to_string),
            units: Some(units.get()),
            request: request.map(|request| request.to_string()),
            ..Self::default()
        }
    }

    fn of_terms(terms: &AmendedTerms) -> Self {
        let limit = |(sku, limit): &(SkuId, Units)| SkuLimit {
            sku: sku.to_string(),
            limit_per_viewer: limit.get(),
        };
        let (ends_at_ms, end_removed) = match terms.end {
            Some(NewEnd::At(at)) => (Some(at.get()), None),
            Some(NewEnd::Never) => (None, Some(true)),
            None => (None, None),
        };
        Self {
            limit_per_viewer: terms.limit_per_viewer.map(Units::get),
            sku_limits: terms.skus.iter().map(limit).collect(),
            ends_at_ms,
            end_removed,
            ..Self::default()
        }
    }

    fn of_room(room: &Room) -> Self {
        let (owner, merchant) = match &room.change {
            RoomChange::Owner(owner) => (Some(owner.to_string()), None),
            RoomChange::Admitted(merchant)
            | RoomChange::Dismissed(merchant)
            | RoomChange::HostsAllowed(merchant)
            | RoomChange::HostsForbidden(merchant) => (None, Some(merchant.to_string())),
            RoomChange::Ended | RoomChange::VideoDelay(_) => (None, None),
        };
        let video_delay_ms = match room.change {
            RoomChange::VideoDelay(delay) => Some(delay.get()),
            _ => None,
        };
        let stream = Some(room.stream.to_string());
        Self { stream, owner, merchant, video_delay_ms, ..Self::default() }
    }
}

fn money(amount: Money) -> MoneyBody {
    MoneyBody { minor: amount.minor(), currency: amount.currency().to_string() }
}

/// Why a command was refused.
#[derive(Debug, Serialize, ToSchema)]
struct RecordedRefusal {
    /// The code, as in problems.
    #[schema(example = "wrong_phase")]
    code: String,
    /// The sentence that went with it.
    detail: String,
}

impl CommandLine {
    pub(crate) fn new(recorded: &RecordedCommand) -> Self {
        let RecordedCommand { number, drop, at, command, did } = recorded;
        let reason = command.reason.as_str();
        Self {
            number: *number,
            at_ms: at.get(),
            actor: command.actor.as_str().to_owned(),
            role: command.role.as_str().to_owned(),
            action: command.action.as_str().to_owned(),
            drop: (*drop != DropId::HOUSE).then(|| drop.to_string()),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            refused: refusal(command).map(|(code, detail)| RecordedRefusal {
                code: code.to_owned(),
                detail: detail.to_owned(),
            }),
            did: did.as_ref().map(RecordedDoing::new).unwrap_or_default(),
        }
    }
}
