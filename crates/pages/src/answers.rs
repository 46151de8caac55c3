//! The answers of the documented interface, as far as pages read them.
//!
//! Pages are a client like any other: they read the same JSON. A field that the server does not tell is
//! `None`, so that it is left out on the page, never shown as zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{asked::Request, past_shows::PastShow};

/// How a whole stream stands.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) stream: String,
    pub(crate) server_time_ms: u64,
    /// How much later viewers see and hear the stream; 0 where nobody has said.
    #[serde(default)]
    pub(crate) video_delay_ms: u64,
    /// The producer's line for the person on camera.
    #[serde(default)]
    pub(crate) stage_line: Option<String>,
    /// Why nobody can buy on the whole server.
    #[serde(default)]
    pub(crate) blocked: Option<Block>,
    pub(crate) drops: Vec<Sale>,
    /// By drop, oldest first.
    #[serde(default)]
    pub(crate) seconds: BTreeMap<String, Vec<Second>>,
    /// Who is at the show, the reader included.
    #[serde(default)]
    pub(crate) people: Vec<Person>,
}

/// Why nobody can buy, whatever the drops say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Block {
    /// The ledger failed: the server has to be started again.
    Poisoned,
    /// Operations stopped all takes.
    Stopped,
}

/// Somebody at a show.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) role: String,
}

/// How a drop stands.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sale {
    pub(crate) drop: String,
    pub(crate) phase: Phase,
    pub(crate) featured: bool,
    /// Viewers have not heard of it.
    #[serde(default)]
    pub(crate) hidden: bool,
    /// When this was told; the times that are left count from there.
    #[serde(default)]
    pub(crate) server_time_ms: u64,
    #[serde(default)]
    pub(crate) opens_in_ms: Option<u64>,
    #[serde(default)]
    pub(crate) start_missed_ms: Option<u64>,
    /// Time left until it closes by itself, whatever ends it first.
    #[serde(default)]
    pub(crate) closes_in_ms: Option<u64>,
    /// Time left until it closes at the latest; only of a drop that winds down.
    #[serde(default)]
    pub(crate) winds_down_in_ms: Option<u64>,
    /// Time since its countdown ended and it opened.
    #[serde(default)]
    pub(crate) opened_ago_ms: Option<u64>,
    /// Told to a stage in the place of what is held: whether it may come back.
    #[serde(default)]
    pub(crate) can_come_back: bool,
    /// Told to a stage: time left until the last hold ends.
    #[serde(default)]
    pub(crate) last_hold_ends_in_ms: Option<u64>,
    #[serde(default)]
    pub(crate) stream_offline_since_ms: Option<u64>,
    #[serde(default)]
    pub(crate) viewers_connected: u64,
    pub(crate) skus: Vec<Figures>,
    #[serde(default)]
    pub(crate) held_ending: Option<HeldEnding>,
    /// Not told to a stage.
    #[serde(default)]
    pub(crate) paying: Option<Paying>,
    /// The live drop of which this is a copy, for a rehearsal by one press.
    #[serde(default)]
    pub(crate) rehearses: Option<String>,
    /// For more units than are in reserve; not told to a stage.
    #[serde(default)]
    pub(crate) requests: Vec<Request>,
    pub(crate) plan: Plan,
}

/// The phases of a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Scheduled,
    Countdown,
    Open,
    Paused,
    Closed,
    Settled,
    Cancelled,
    Voiding,
    Voided,
}

/// Figures of one SKU.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Figures {
    pub(crate) sku: String,
    pub(crate) supplied: u64,
    pub(crate) available: u64,
    /// Not told to a stage, as the next.
    #[serde(default)]
    pub(crate) held: u64,
    #[serde(default)]
    pub(crate) sold: u64,
    #[serde(default)]
    pub(crate) reserve: u64,
}

/// When held units end.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct HeldEnding {
    /// Units whose holds end within 30 seconds.
    pub(crate) soon_units: u64,
    /// Time left until the first hold ends.
    #[serde(default)]
    pub(crate) first_in_ms: Option<u64>,
    /// Time left until the last one ends.
    #[serde(default)]
    pub(crate) last_in_ms: Option<u64>,
}

/// How it goes with paying for what was held.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Paying {
    /// Units that became orders since the server started.
    pub(crate) ordered_units: u64,
    /// Units that came back since then.
    pub(crate) returned_units: u64,
    /// Orders of the last five minutes.
    pub(crate) recent_orders: u64,
    /// Attempts to pay that came to nothing in the last five minutes.
    pub(crate) recent_failed: u64,
}

/// What pages read of a plan.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Plan {
    pub(crate) title: String,
    /// Whose goods are sold; a stage is not told.
    #[serde(default)]
    pub(crate) merchant: String,
    pub(crate) mode: Mode,
    pub(crate) skus: Vec<Goods>,
    pub(crate) limit_per_viewer: u64,
    pub(crate) countdown_ms: u64,
    #[serde(default)]
    pub(crate) starts_at_ms: Option<u64>,
    #[serde(default)]
    pub(crate) ends_at_ms: Option<u64>,
    /// How long after its opening it ends.
    #[serde(default)]
    pub(crate) ends_after_opening_ms: Option<u64>,
    #[serde(default)]
    pub(crate) when_offline: Option<WhenOffline>,
}

impl Plan {
    /// The most units of one SKU that a viewer may have: the drop's limit, unless every SKU has a lower one.
    pub(crate) fn most_each(&self) -> u64 {
        let drop = self.limit_per_viewer;
        let own = self.skus.iter().map(|sku| sku.limit_per_viewer.unwrap_or(drop).min(drop));
        own.max().unwrap_or(drop)
    }
}

/// Whether a drop sells for real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    Live,
    Rehearsal,
}

/// One sellable variant.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Goods {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) options: Vec<Choice>,
    #[serde(default)]
    pub(crate) image: Option<String>,
    pub(crate) price: Money,
    /// Of this one; the drop's limit holds besides.
    #[serde(default)]
    pub(crate) limit_per_viewer: Option<u64>,
}

/// One option value of a SKU.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Choice {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Money {
    pub(crate) minor: u64,
    pub(crate) currency: String,
}

/// What happens while the stream is reported offline.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct WhenOffline {
    pub(crate) pause_after_ms: u64,
}

/// What one second brought.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Second {
    /// When it was over.
    pub(crate) at_ms: u64,
    pub(crate) clicks: u64,
    pub(crate) takes: u64,
    #[serde(default)]
    pub(crate) refused: BTreeMap<String, u64>,
}

/// A stream's drops in a few figures, those that are over included.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Running {
    pub(crate) drops: Vec<Summary>,
    /// The show that the last of them were of, once all are over.
    #[serde(default)]
    pub(crate) show: Option<PastShow>,
}

/// A page of drops.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Drops {
    pub(crate) drops: Vec<Summary>,
    /// On all pages.
    pub(crate) total: usize,
}

/// A page of streams that have something to sell.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Shows {
    pub(crate) shows: Vec<Show>,
    /// On all pages.
    pub(crate) total: usize,
}

/// A stream in a few figures.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Show {
    pub(crate) stream: String,
    pub(crate) host: String,
    #[serde(default)]
    pub(crate) featured: bool,
    /// Whether a rehearsal by one press goes on there.
    #[serde(default)]
    pub(crate) rehearsing: bool,
    /// The first of them.
    pub(crate) drops: Vec<Summary>,
    pub(crate) drops_total: usize,
    pub(crate) supplied: u64,
    /// Not told to the platform.
    #[serde(default)]
    pub(crate) sold: Option<u64>,
}

/// A drop in a few figures.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Summary {
    pub(crate) drop: String,
    pub(crate) stream: String,
    pub(crate) title: String,
    pub(crate) mode: Mode,
    /// Whether it is a copy for a rehearsal by one press.
    #[serde(default)]
    pub(crate) rehearsal_copy: bool,
    pub(crate) phase: Phase,
    #[serde(default)]
    pub(crate) featured: bool,
    pub(crate) supplied: u64,
    pub(crate) available: u64,
    /// Not told to the platform, as the next.
    #[serde(default)]
    pub(crate) held: u64,
    #[serde(default)]
    pub(crate) sold: Option<u64>,
    #[serde(default)]
    pub(crate) reserve: u64,
}

/// Who is signed in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) role: String,
    /// The merchant that it is bound to.
    #[serde(default)]
    pub(crate) merchant: Option<String>,
    /// The streams that it is bound to.
    #[serde(default)]
    pub(crate) streams: Vec<String>,
}

/// Who may sell in a show, as far as planning looks at it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Room {
    /// The merchants whose drops hosts may plan.
    pub(crate) hosts_plan_for: Vec<String>,
}

impl Room {
    /// The merchants whose drops a host may plan, who is bound to this one or to none.
    pub(crate) fn hosts_plan(&self, bound: Option<&str>) -> impl Iterator<Item = &String> {
        self.hosts_plan_for.iter().filter(move |of| bound.is_none_or(|own| own == **of))
    }
}

/// Whom an invitation invites.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) name: String,
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) streams: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) by: Option<String>,
    pub(crate) expires_in_ms: u64,
}

/// What operations staff hold back.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Brake {
    pub(crate) server_time_ms: u64,
    #[serde(default)]
    pub(crate) stopped: Option<Stopped>,
    #[serde(default)]
    pub(crate) rates: Option<Rates>,
}

/// A stop of all takes.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Stopped {
    pub(crate) actor: String,
    pub(crate) since_ms: u64,
}

/// Limits in place of the configured ones.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Rates {
    #[serde(default)]
    pub(crate) buys_per_s: Option<u64>,
    #[serde(default)]
    pub(crate) hellos_per_s: Option<u64>,
    #[serde(default)]
    pub(crate) tick_interval_ms: Option<u64>,
}

/// Commands, newest first.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Commands {
    pub(crate) commands: Vec<Recorded>,
}

/// A command as the ledger holds it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) at_ms: u64,
    pub(crate) actor: String,
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) drop: Option<String>,
    /// The stream, of what belongs to no drop.
    #[serde(default)]
    pub(crate) stream: Option<String>,
    #[serde(default)]
    pub(crate) refused: Option<serde_json::Value>,
    /// The request that it made or ended.
    #[serde(default)]
    pub(crate) request: Option<String>,
}

/// How the demo stands that runs the server.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Demo {
    pub(crate) stage: String,
    pub(crate) viewers: u64,
    pub(crate) connected: u64,
    pub(crate) promises: u64,
    #[serde(default)]
    pub(crate) last_kill: Option<DemoKill>,
}

/// A kill of the server, with the promises that were given before it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct DemoKill {
    pub(crate) at_ms: u64,
    pub(crate) down_ms: u64,
    pub(crate) given: u64,
    #[serde(default)]
    pub(crate) kept: Option<u64>,
    #[serde(default)]
    pub(crate) verified: Option<bool>,
}

/// Why a request was refused.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Problem {
    #[serde(default)]
    pub(crate) code: String,
    /// What is wrong, in English.
    #[serde(default)]
    pub(crate) detail: String,
}

impl Sale {
    /// No drop: what a page is drawn from where none is there.
    pub(crate) fn none() -> Self {
        Self {
            drop: String::new(),
            phase: Phase::Scheduled,
            featured: false,
            hidden: false,
            server_time_ms: 0,
            opens_in_ms: None,
            start_missed_ms: None,
            closes_in_ms: None,
            winds_down_in_ms: None,
            opened_ago_ms: None,
            can_come_back: false,
            last_hold_ends_in_ms: None,
            stream_offline_since_ms: None,
            viewers_connected: 0,
            skus: Vec::new(),
            held_ending: None,
            paying: None,
            rehearses: None,
            requests: Vec::new(),
            plan: Plan {
                title: String::new(),
                merchant: String::new(),
                mode: Mode::Live,
                skus: Vec::new(),
                limit_per_viewer: 0,
                countdown_ms: 0,
                starts_at_ms: None,
                ends_at_ms: None,
                ends_after_opening_ms: None,
                when_offline: None,
            },
        }
    }

    /// When it closes by itself, in milliseconds since 1970-01-01 UTC; `None` if nothing ends it, or if that counts from an
    /// opening that is to come.
    pub(crate) fn ends_at_ms(&self) -> Option<u64> {
        let left = self.closes_in_ms.map(|left| self.server_time_ms + left);
        left.or(self.plan.ends_at_ms).filter(|_| !self.phase.is_over())
    }

    /// Whether it sells on what comes back, then closes.
    pub(crate) fn winds_down(&self) -> bool {
        self.winds_down_in_ms.is_some() && !self.phase.is_over()
    }
}

impl Phase {
    /// Whether takes are over for good.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Settled) || self.is_called_off()
    }

    /// Whether the drop was called off, or is just being.
    pub(crate) const fn is_called_off(self) -> bool {
        matches!(self, Self::Cancelled | Self::Voiding | Self::Voided)
    }

    /// Whether the drop is before its sale.
    pub(crate) const fn is_before(self) -> bool {
        matches!(self, Self::Scheduled | Self::Countdown)
    }
}
