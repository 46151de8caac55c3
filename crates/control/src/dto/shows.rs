//! Shows that have begun, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::Money;
use utoipa::{IntoParams, ToSchema};

use super::{ModeName, PhaseName};
use crate::{extract::PageLimit, needle::Needle, place::Place};

/// Which shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShowParams {
    /// Only shows with this text in their stream, or in the id, title, merchant or host of a drop; capitals do not
    /// matter.
    #[serde(default)]
    #[param(value_type = Option<String>, example = "friday", max_length = 200)]
    pub(crate) q: Option<Needle>,
    /// Shows to leave out before the first of the page.
    #[serde(default)]
    #[param(value_type = u64, default = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) skip: Place,
    /// Shows of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 1000)]
    pub(crate) limit: PageLimit,
}

/// Shows of one page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShowList {
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    /// Shows of which a drop has opened or is over, newest first.
    pub(crate) shows: Vec<ListedShow>,
    /// How many there are on all pages.
    pub(crate) total: usize,
}

/// A show in a few figures, of its live drops; of its rehearsals where it has no others. Cancelled drops count nothing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Show)]
pub(crate) struct ListedShow {
    /// Its first drop, whose id names it.
    #[schema(example = "d12")]
    pub(crate) show: String,
    /// The stream's id.
    #[schema(example = "friday-show")]
    pub(crate) stream: String,
    /// Who ran its first drop.
    pub(crate) host: String,
    /// Whose goods were sold, in the order of their first drops.
    pub(crate) merchants: Vec<String>,
    /// When it began, in milliseconds since 1970-01-01 UTC: the earliest known time of its drops; left out where nobody
    /// remembers any: the server has started again since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) began_ms: Option<u64>,
    /// When its last drop was over, in milliseconds since 1970-01-01 UTC; left out while the show runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_ms: Option<u64>,
    /// Whether one of the drops that are counted here is neither settled nor cancelled, as the show's report has it.
    pub(crate) running: bool,
    /// The first six drops.
    pub(crate) drops: Vec<ShowDrop>,
    /// How many drops there are.
    pub(crate) drops_total: usize,
    /// Units of all lots.
    pub(crate) supplied: u64,
    /// Units in orders; left out for the role platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sold: Option<u64>,
    /// Price of the goods of all live orders, by currency; left out for the role platform, and where a drop's is not
    /// known here: it was over before the program kept it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gross: Option<Vec<GrossOfCurrency>>,
}

/// A drop of a show.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShowDrop {
    /// The drop's id.
    #[schema(example = "d17")]
    pub(crate) drop: String,
    /// Title for viewers.
    pub(crate) title: String,
    /// Where the drop stands.
    pub(crate) phase: PhaseName,
    /// Live or rehearsal.
    pub(crate) mode: ModeName,
    /// Units of all lots; before opening, the plan's supply.
    pub(crate) supplied: u64,
    /// Units in orders; left out for the role platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sold: Option<u64>,
}

/// Money of one currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrossOfCurrency {
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub(crate) currency: String,
    /// In minor units.
    #[schema(example = 1_990, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) minor: u64,
}

impl From<Money> for GrossOfCurrency {
    fn from(money: Money) -> Self {
        Self { currency: money.currency().code().to_owned(), minor: money.minor() }
    }
}
