//! The brake as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::{BanTarget, DurationMs, Rates, UnixMillis};
use stampede_engine::{Ban, Brake, BrakeAction, BrakeEntry};
use utoipa::{IntoParams, ToSchema};

use super::plan::{parsed, parsed_or};
use crate::{
    extract::PageLimit,
    problem::{Code, Problem},
};

/// A stop of all takes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopBody {
    /// Ends by itself after this time, in milliseconds; left out, somebody has to end it.
    #[serde(default)]
    #[schema(example = 60_000, minimum = 1000, maximum = 31_622_400_000_u64)]
    expires_in_ms: Option<u64>,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500, example = "payment provider is down")]
    pub(crate) reason: Option<String>,
}

impl StopBody {
    pub(crate) fn to_action(&self) -> BrakeAction {
        BrakeAction::Halt { expires_in: self.expires_in_ms.map(DurationMs::new) }
    }
}

/// Limits in place of the configured ones. What is left out is as configured; leave out all three to
/// end the limits that are set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RatesBody {
    /// Buys that may take units per second in the whole server; more get `busy` at once.
    #[serde(default)]
    #[schema(example = 20_000, minimum = 1, maximum = 10_000_000)]
    buys_per_s: Option<u32>,
    /// Hellos that the whole server admits per second; more are closed with 4001.
    #[serde(default)]
    #[schema(example = 2_000, minimum = 1, maximum = 10_000_000)]
    hellos_per_s: Option<u32>,
    /// Time between two stock ticks of a drop, in milliseconds.
    #[serde(default)]
    #[schema(example = 500, minimum = 1, maximum = 60_000)]
    tick_interval_ms: Option<u64>,
    /// Ends by itself after this time, in milliseconds; left out, somebody has to end it.
    #[serde(default)]
    #[schema(minimum = 1000, maximum = 31_622_400_000_u64)]
    expires_in_ms: Option<u64>,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

impl RatesBody {
    pub(crate) fn to_action(&self) -> BrakeAction {
        let rates = Rates {
            buys_per_s: self.buys_per_s,
            hellos_per_s: self.hellos_per_s,
            tick_interval: self.tick_interval_ms.map(DurationMs::new),
        };
        BrakeAction::SetRates { rates, expires_in: self.expires_in_ms.map(DurationMs::new) }
    }
}

/// Whom to keep out: exactly one of `viewer`, `addresses`, `channel`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BanBody {
    /// One viewer, by the platform's id, as the ticket's `sub` has it.
    #[serde(default)]
    #[schema(max_length = 128, example = "v-81723")]
    viewer: Option<String>,
    /// One address, or a range of them by its leading bits: at least 8 for IPv4, 16 for IPv6.
    #[serde(default)]
    #[schema(example = "198.51.100.0/24")]
    addresses: Option<String>,
    /// Viewers whose ticket names this channel.
    #[serde(default)]
    #[schema(max_length = 64)]
    channel: Option<String>,
    /// With `channel`: in this stream alone.
    #[serde(default)]
    #[schema(max_length = 64)]
    stream: Option<String>,
    /// Whether the live holds of those kept out are released; else they live on and can be paid for.
    #[serde(default)]
    release_holds: bool,
    /// Ends by itself after this time, in milliseconds; left out, somebody has to end it.
    #[serde(default)]
    #[schema(minimum = 1000, maximum = 31_622_400_000_u64)]
    expires_in_ms: Option<u64>,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

impl BanBody {
    pub(crate) fn to_action(&self) -> Result<BrakeAction, Problem> {
        let conflict = |detail: &str| Problem::new(Code::FieldsConflict, detail);
        let stream = self.stream.as_deref().map(|id| parsed("stream", id)).transpose()?;
        if stream.is_some() && self.channel.is_none() {
            return Err(conflict(
                "stream goes with channel; a viewer or an address is kept out of all",
            ));
        }
        let target = match (&self.viewer, &self.addresses, &self.channel) {
            (Some(viewer), None, None) => {
                BanTarget::Viewer(parsed_or(Code::InvalidViewer, "viewer", viewer)?)
            }
            (None, Some(range), None) => {
                BanTarget::Addresses(parsed_or(Code::NotAddresses, "addresses", range)?)
            }
            (None, None, Some(channel)) => {
                BanTarget::Channel { channel: parsed("channel", channel)?, stream }
            }
            _ => return Err(conflict("name exactly one of viewer, addresses, channel")),
        };
        let expires_in = self.expires_in_ms.map(DurationMs::new);
        Ok(BrakeAction::Ban { target, release_holds: self.release_holds, expires_in })
    }
}

/// The brake now, with who set it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BrakeState {
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    server_time_ms: u64,
    /// Every take is refused; left out while takes go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<SetBy>,
    /// Limits in place of the configured ones; left out if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<RatesState>,
    /// Bans in force; `GET /v1/bans` lists them.
    bans: u64,
}

impl BrakeState {
    pub(crate) fn new(brake: &Brake, now: UnixMillis) -> Self {
        let view = brake.view();
        Self {
            server_time_ms: now.get(),
            stopped: view.halt.map(|entry| SetBy::new(&entry, now)),
            rates: view.rates.map(|(rates, entry)| RatesState {
                buys_per_s: rates.buys_per_s,
                hellos_per_s: rates.hellos_per_s,
                tick_interval_ms: rates.tick_interval.map(DurationMs::get),
                set_by: SetBy::new(&entry, now),
            }),
            bans: brake.ban_count() as u64,
        }
    }
}

/// Limits in place of the configured ones.
#[derive(Debug, Serialize, ToSchema)]
struct RatesState {
    /// Buys that may take units per second in the whole server.
    #[serde(skip_serializing_if = "Option::is_none")]
    buys_per_s: Option<u32>,
    /// Hellos that the whole server admits per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    hellos_per_s: Option<u32>,
    /// Time between two stock ticks of a drop, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    tick_interval_ms: Option<u64>,
    #[serde(flatten)]
    set_by: SetBy,
}

/// Who set something, why, until when.
#[derive(Debug, Serialize, ToSchema)]
struct SetBy {
    /// Who, by the token's name.
    #[schema(example = "ops on call")]
    actor: String,
    /// Why; left out if no reason was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Since when, in milliseconds since 1970-01-01 UTC.
    since_ms: u64,
    /// Time left until it ends by itself, in milliseconds; left out if somebody has to end it.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<u64>,
}

impl SetBy {
    fn new(entry: &BrakeEntry, now: UnixMillis) -> Self {
        Self {
            actor: entry.actor.clone(),
            reason: (!entry.reason.is_empty()).then(|| entry.reason.clone()),
            since_ms: entry.since.get(),
            expires_in_ms: entry.expires_at.map(|at| at.since(now).get()),
        }
    }
}

/// The target of a ban; fields that do not apply are left out.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct KeptOut {
    /// The viewer kept out.
    #[serde(skip_serializing_if = "Option::is_none")]
    viewer: Option<String>,
    /// The addresses kept out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "198.51.100.0/24")]
    addresses: Option<String>,
    /// The channel kept out.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// The stream that the channel is kept out of; left out if it is kept out of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
}

impl From<&BanTarget> for KeptOut {
    fn from(target: &BanTarget) -> Self {
        match target {
            BanTarget::Viewer(viewer) => {
                Self { viewer: Some(viewer.to_string()), ..Self::default() }
            }
            BanTarget::Addresses(range) => {
                Self { addresses: Some(range.to_string()), ..Self::default() }
            }
            BanTarget::Channel { channel, stream } => Self {
                channel: Some(channel.to_string()),
                stream: stream.as_ref().map(ToString::to_string),
                ..Self::default()
            },
        }
    }
}

/// A ban in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BanState {
    /// The ban's id.
    #[schema(example = "b7")]
    pub(crate) ban: String,
    #[serde(flatten)]
    kept_out: KeptOut,
    /// Whether the live holds of those kept out were released.
    releases_holds: bool,
    #[serde(flatten)]
    set_by: SetBy,
}

impl BanState {
    pub(crate) fn new(ban: &Ban, now: UnixMillis) -> Self {
        Self {
            ban: ban.id.to_string(),
            kept_out: KeptOut::from(&ban.target),
            releases_holds: ban.releases_holds,
            set_by: SetBy::new(&ban.entry, now),
        }
    }
}

/// Which part of the list of bans.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BanParams {
    /// List bans after this one: the `next` of the page before.
    #[serde(default)]
    #[param(example = "b100")]
    pub(crate) after: Option<String>,
    /// Bans of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 1000)]
    pub(crate) limit: PageLimit,
}

/// Bans of one page, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BanList {
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    /// Bans in force.
    pub(crate) bans: Vec<BanState>,
    /// What to send as `after` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}
