//! Streams that have something to sell, as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::DropSummary;
use crate::{extract::PageLimit, place::Place};

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamListParams {
    /// Streams to leave out before the first of the page.
    #[serde(default)]
    #[param(value_type = u64, default = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) skip: Place,
    /// Streams of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 1000)]
    pub(crate) limit: PageLimit,
}

/// Streams of one page: those on air first, then by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamList {
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    /// Streams with drops that the token may see, of which not all are over.
    pub(crate) shows: Vec<StreamSummary>,
    /// How many there are on all pages.
    pub(crate) total: usize,
}

/// A stream in a few figures, of its live drops; of its rehearsals where it has no others.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamSummary {
    /// The stream's id.
    #[schema(example = "friday-show")]
    pub(crate) stream: String,
    /// Who runs its first drop.
    pub(crate) host: String,
    /// Whether one of the drops is on air.
    pub(crate) featured: bool,
    /// Whether a rehearsal by one press goes on there, whose drops are not among these; left out if none does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) rehearsing: bool,
    /// The first six drops.
    pub(crate) drops: Vec<DropSummary>,
    /// How many drops there are.
    pub(crate) drops_total: usize,
    /// Units of all lots; of a drop before its opening, the plan's supply.
    pub(crate) supplied: u64,
    /// Units in orders; left out for the role platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sold: Option<u64>,
}
