//! Terms that are put right while a drop is on sale, as JSON.

use serde::{Deserialize, Deserializer, Serialize};
use stampede_domain::NewEnd;
use stampede_engine::{AmendTerms, DropAction, SeenDrop};
use utoipa::ToSchema;

use super::{
    SeenState,
    plan::{parsed, time, units},
};
use crate::problem::Problem;

/// Terms to put right. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Amendment {
    /// Units over all SKUs that one viewer may hold or own. A SKU whose limit is the drop's follows.
    #[serde(default)]
    #[schema(example = 4, minimum = 1, maximum = 16_777_215)]
    limit_per_viewer: Option<u32>,
    /// Limits of SKUs, each named once.
    #[serde(default)]
    #[schema(max_items = 64)]
    skus: Vec<SkuLimit>,
    /// When the drop closes by itself, in milliseconds since 1970-01-01 UTC, at least a second and at most 366 days ahead;
    /// `null` for a drop that the host closes.
    #[serde(default)]
    #[schema(value_type = Option<u64>, maximum = 9_007_199_254_740_991_i64)]
    ends_at_ms: EndChange,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
    /// The drop as the caller saw it, as for the other commands.
    #[serde(default)]
    seen: Option<SeenState>,
}

/// What one viewer may have of a SKU.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SkuLimit {
    /// The SKU, by its id in the plan.
    #[schema(example = "n5-50", max_length = 64)]
    pub(crate) sku: String,
    /// Units of it that one viewer may hold or own.
    #[schema(example = 2, minimum = 1, maximum = 16_777_215)]
    pub(crate) limit_per_viewer: u32,
}

/// A planned end: left as it is where the field is left out, none where it is `null`.
#[derive(Clone, Copy, Debug, Default)]
enum EndChange {
    #[default]
    Same,
    Never,
    AtMs(u64),
}

impl Amendment {
    /// The command.
    pub(crate) fn to_action(&self) -> Result<DropAction, Problem> {
        let limit = self.limit_per_viewer.map(|limit| units("limit_per_viewer", limit));
        let skus = self.skus.iter().enumerate().map(|(place, sku)| {
            let field = |name: &str| format!("skus[{place}].{name}");
            let limit = units(&field("limit_per_viewer"), sku.limit_per_viewer)?;
            Ok((parsed(&field("sku"), &sku.sku)?, limit))
        });
        let end = match self.ends_at_ms {
            EndChange::Same => None,
            EndChange::Never => Some(NewEnd::Never),
            EndChange::AtMs(millis) => time("ends_at_ms", Some(millis))?.map(NewEnd::At),
        };
        let (limit_per_viewer, skus) = (limit.transpose()?, skus.collect::<Result<_, Problem>>()?);
        Ok(DropAction::Amend(AmendTerms { limit_per_viewer, skus, end }))
    }

    /// The drop as the caller saw it.
    pub(crate) fn seen(&self) -> Option<SeenDrop> {
        self.seen.map(SeenDrop::from)
    }
}

impl<'de> Deserialize<'de> for EndChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Option::<u64>::deserialize(deserializer)?;
        Ok(given.map_or(Self::Never, Self::AtMs))
    }
}
