//! The plan of one process of the crowd.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use stampede_client::{ClientTls, RootsError};
use stampede_domain::{
    DropId, IdError, Mode, SkuId, StreamId, ViewerId, limits::UNITS_PER_BUY_MAX,
};
use stampede_wire::{
    Subprotocol,
    ticket::{KeyError, KeySpec, TicketMinter},
};

/// Everything that one process of the crowd needs to know; travels as one line of JSON.
///
/// Processes share all but their range of viewers, their sources and their promise log. What is left
/// to chance about a viewer is drawn from `seed` with the viewer's number; when seats change hands,
/// from `seed` with the seats of the process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrowdPlan {
    /// Seed of everything that is left to chance.
    pub seed: u64,
    /// Where viewers connect: `ws://host:port/`.
    pub url: String,
    /// Addresses to dial, used in turn, so that thousands of viewers do not each ask the name service;
    /// empty asks it for the host of `url`.
    pub addresses: Vec<SocketAddr>,
    /// Roots that the certificate of a `wss://` server must lead to.
    pub roots: Roots,
    /// Name of the subprotocol.
    pub subprotocol: String,
    /// Local addresses to connect from, used in turn, so that ports suffice; empty leaves the
    /// choice to the system.
    pub sources: Vec<IpAddr>,
    /// The stream to join.
    pub stream: String,
    /// The drop to buy from.
    pub drop: String,
    /// The SKU to buy.
    pub sku: String,
    /// The key that signs the viewers' tickets.
    pub ticket_key: KeySpec,
    /// Whether the tickets are for rehearsals; otherwise they are for live drops.
    pub rehearsal: bool,
    /// What the viewers' ids begin with; their number follows. It also begins their keys, so a second
    /// crowd on one drop needs another.
    pub name_prefix: String,
    /// The viewers of this process, by number.
    pub viewers: ViewerRange,
    /// Viewers that are connected at once. When there are more viewers, they take turns.
    pub connected: u32,
    /// New connections per second before the opening.
    pub connects_per_s: u32,
    /// When they click.
    pub schedule: SchedulePlan,
    /// What they do with what they get.
    pub behaviour: Behaviour,
    /// Where they pay.
    pub pay_at: PayAt,
    /// The file that every received promise is written to.
    pub promise_log: PathBuf,
}

/// Where viewers pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayAt {
    /// At the provider of the server, which is asked by `pay`.
    #[default]
    Server,
    /// At their platform: the process says who comes to pay, see [`Checkout`](crate::Checkout).
    Platform,
}

/// Which certificates a crowd believes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roots {
    /// Those that Mozilla ships.
    #[default]
    Mozilla,
    /// Those of this machine.
    System,
    /// Nothing but these, as PEM.
    Pem(String),
}

impl Roots {
    /// Reads them.
    ///
    /// # Errors
    /// [`RootsError`].
    pub fn tls(&self) -> Result<ClientTls, RootsError> {
        match self {
            Self::Mozilla => Ok(ClientTls::mozilla()),
            Self::System => ClientTls::system(),
            Self::Pem(pem) => ClientTls::trusting(pem.as_bytes()),
        }
    }
}

/// Numbers of viewers, `to` excluded. With the prefix `v`, viewer 7 is called `v7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewerRange {
    /// The first viewer.
    pub from: u32,
    /// The viewer after the last.
    pub to: u32,
}

/// When viewers click. All times count from the opening, which the server announces.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchedulePlan {
    /// How long before the opening the early ones click.
    pub early_ms: u64,
    /// Length of the rush right after the opening.
    pub rush_ms: u64,
    /// Share of the viewers present at the opening whose first click falls into the rush.
    pub rush_share: f64,
    /// Mean time between two clicks of a viewer who has nothing yet.
    pub again_every_ms: u64,
    /// Seats change hands from here.
    pub turnover_from_ms: u64,
    /// Seats have changed hands by here.
    pub turnover_to_ms: u64,
    /// No click is planned later than this.
    pub sale_ms: u64,
}

/// How viewers behave. Shares are between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// Viewers that click before the opening.
    pub early_share: f64,
    /// Clicks that are double: the same key sent twice at once.
    pub double_share: f64,
    /// Viewers whose connection drops right after their first click, before the answer.
    pub dropped_share: f64,
    /// When they repeat that click with its key, counted from the click.
    pub retry_after_ms: u64,
    /// Viewers that pay later than at once.
    pub pay_later_share: f64,
    /// The longest time they wait before they pay; shorter than the hold lives.
    pub pay_later_ms_max: u64,
    /// Viewers that never pay and wait until the hold expires.
    pub never_pay_share: f64,
    /// Viewers that close the connection while they hold.
    pub walk_away_share: f64,
    /// Viewers that give the hold back.
    pub release_share: f64,
    /// The longest time before they walk away or give back.
    pub change_mind_ms_max: u64,
    /// Weights of the units of a buy: the first is the weight of one unit, the next of two.
    pub units_weights: Vec<u32>,
}

/// Why a plan cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// An id is none.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The roots cannot be used.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// No such subprotocol.
    #[error("no subprotocol is called {name:?}")]
    Subprotocol {
        /// What was given.
        name: String,
    },
    /// A share outside 0 to 1, or shares that are more than everyone.
    #[error("{field} is {value}; 0 to 1 is allowed")]
    Share {
        /// The field, or the sum of fields.
        field: &'static str,
        /// Its value.
        value: f64,
    },
    /// A number that leaves nothing to do.
    #[error("{field} is {value}; it must be {needed}")]
    Number {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What it must be.
        needed: &'static str,
    },
}

/// The parts of a plan that were texts, read.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) subprotocol: Subprotocol,
    pub(crate) stream: StreamId,
    pub(crate) drop: DropId,
    pub(crate) sku: SkuId,
    pub(crate) minter: TicketMinter,
    pub(crate) mode: Mode,
    pub(crate) tls: ClientTls,
}

impl CrowdPlan {
    /// Checks everything and reads what is text.
    pub(crate) fn target(&self) -> Result<Target, PlanError> {
        self.schedule.check()?;
        self.behaviour.check()?;
        number("connected", self.connected.into(), self.connected > 0, "above 0")?;
        number("connects_per_s", self.connects_per_s.into(), self.connects_per_s > 0, "above 0")?;
        let ViewerRange { from, to } = self.viewers;
        number("viewers.to", to.into(), to > from, "above viewers.from")?;
        let subprotocol = Subprotocol::from_name(&self.subprotocol)
            .ok_or_else(|| PlanError::Subprotocol { name: self.subprotocol.clone() })?;
        // The longest name of the range must be one, and so must the key that begins with it.
        ViewerId::new(&format!("{}{to}", self.name_prefix))?;
        Ok(Target {
            subprotocol,
            stream: self.stream.parse()?,
            drop: self.drop.parse()?,
            sku: self.sku.parse()?,
            minter: TicketMinter::new(&self.ticket_key)?,
            mode: if self.rehearsal { Mode::Rehearsal } else { Mode::Live },
            tls: self.roots.tls()?,
        })
    }
}

impl SchedulePlan {
    fn check(&self) -> Result<(), PlanError> {
        share("schedule.rush_share", self.rush_share)?;
        let again = self.again_every_ms;
        number("schedule.again_every_ms", again, again > 0, "above 0")?;
        number("schedule.rush_ms", self.rush_ms, self.rush_ms > 0, "above 0")?;
        let (from, to) = (self.turnover_from_ms, self.turnover_to_ms);
        number("schedule.turnover_to_ms", to, to > from, "above schedule.turnover_from_ms")
    }
}

impl Behaviour {
    fn check(&self) -> Result<(), PlanError> {
        share("behaviour.early_share", self.early_share)?;
        share("behaviour.double_share", self.double_share)?;
        share("behaviour.dropped_share", self.dropped_share)?;
        share("behaviour.pay_later_share", self.pay_later_share)?;
        share("behaviour.never_pay_share", self.never_pay_share)?;
        share("behaviour.walk_away_share", self.walk_away_share)?;
        share("behaviour.release_share", self.release_share)?;
        let sum =
            self.pay_later_share + self.never_pay_share + self.walk_away_share + self.release_share;
        share("the sum of pay_later, never_pay, walk_away, release", sum)?;
        let sizes = u64::try_from(self.units_weights.len()).unwrap_or(u64::MAX);
        let fits = sizes <= u64::from(UNITS_PER_BUY_MAX);
        number("entries of behaviour.units_weights", sizes, fits, "at most 1000")?;
        let weight = self.units_weights.iter().map(|weight| u64::from(*weight)).sum();
        number("the sum of behaviour.units_weights", weight, weight > 0, "above 0")
    }
}

fn share(field: &'static str, value: f64) -> Result<(), PlanError> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(PlanError::Share { field, value }) }
}

fn number(
    field: &'static str,
    value: u64,
    good: bool,
    needed: &'static str,
) -> Result<(), PlanError> {
    if good { Ok(()) } else { Err(PlanError::Number { field, value, needed }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut plan = serde_json::json!({
            "seed": 1, "url": "ws://127.0.0.1:7700/", "addresses": [], "roots": "mozilla",
            "rehearsal": false, "name_prefix": "v", "subprotocol": "stampede.v1.json",
            "sources": ["127.0.0.2"], "stream": "show", "drop": "d1", "sku": "mug",
            "ticket_key": KeySpec::hs256("k", &[0; 32]),
            "viewers": {"from": 0, "to": 10}, "connected": 5, "connects_per_s": 100,
            "schedule": {
                "early_ms": 0, "rush_ms": 1000, "rush_share": 1.0, "again_every_ms": 500,
                "turnover_from_ms": 1000, "turnover_to_ms": 2000, "sale_ms": 3000
            },
            "behaviour": {
                "early_share": 0.1, "double_share": 0.1, "dropped_share": 0.1,
                "retry_after_ms": 100, "pay_later_share": 0.1, "pay_later_ms_max": 100,
                "never_pay_share": 0.1, "walk_away_share": 0.1, "release_share": 0.1,
                "change_mind_ms_max": 100, "units_weights": [1]
            },
            "pay_at": "server", "promise_log": "promises.jsonl"
        });
        change(&mut plan);
        match serde_json::from_value::<CrowdPlan>(plan) {
            Ok(plan) => plan.target().map_or_else(|error| error.to_string(), |_| String::new()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_sound_plan_passes() {
        assert_eq!(refused(|_| ()), "");
    }

    #[test]
    fn each_fault_is_named() {
        let cases: [(&str, &str, serde_json::Value, &str); 8] = [
            ("", "connected", 0.into(), "connected is 0; it must be above 0"),
            ("", "subprotocol", "soap".into(), "no subprotocol is called \"soap\""),
            ("", "drop", "17".into(), "not a drop id; expected d and a number, like d17"),
            ("", "seats", 1.into(), "unknown field `seats`"),
            ("viewers", "to", 0.into(), "viewers.to is 0; it must be above viewers.from"),
            ("schedule", "turnover_to_ms", 900.into(), "above schedule.turnover_from_ms"),
            ("behaviour", "double_share", 1.5.into(), "double_share is 1.5; 0 to 1 is allowed"),
            ("behaviour", "release_share", 0.8.into(), "the sum of pay_later, never_pay"),
        ];
        for (part, field, value, expected) in cases {
            let found = refused(|plan| {
                let part = if part.is_empty() { plan } else { &mut plan[part] };
                part[field] = value;
            });
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn buys_need_a_size() {
        let found = refused(|plan| plan["behaviour"]["units_weights"] = serde_json::json!([0]));
        assert_eq!(found, "the sum of behaviour.units_weights is 0; it must be above 0");
    }
}
