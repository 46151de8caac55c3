//! A rehearsal by one press, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::StreamId;
use stampede_engine::{Moment, SaleDrop};
use utoipa::ToSchema;

use crate::{
    CROWD_DEFAULT, CROWD_MAX, CrowdFigures,
    dto::PhaseName,
    problem::{Code, Problem},
};

/// How a stream's show is rehearsed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RehearsalBody {
    /// How many viewers come. Fewer come where places for viewers are scarce; the answer says how many.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000, default = 200)]
    viewers: Option<u32>,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500, example = "sound check")]
    pub(crate) reason: Option<String>,
}

impl RehearsalBody {
    /// How many viewers are to come.
    pub(crate) fn viewers(&self) -> Result<u32, Problem> {
        let viewers = self.viewers.unwrap_or(CROWD_DEFAULT);
        if (1..=CROWD_MAX).contains(&viewers) {
            return Ok(viewers);
        }
        let detail = format!("viewers is {viewers}; 1 to {CROWD_MAX} are allowed");
        Err(Problem::new(Code::BadBody, detail))
    }
}

/// How the rehearsal of a stream stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RehearsalState {
    /// The stream's id.
    #[schema(example = "friday-show")]
    stream: String,
    /// Whether one goes on. Everything else is left out or empty if none does.
    running: bool,
    /// Its drops in running order, those that are over among them.
    drops: Vec<RehearsedDrop>,
    /// Time left until it ends by itself, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_in_ms: Option<u64>,
    /// Viewers of its crowd; left out if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    viewers: Option<u32>,
    /// Those of them that are connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    connected: Option<u32>,
    /// Holds that they got.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<u64>,
    /// Orders that they got.
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<u64>,
}

/// A drop of a rehearsal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RehearsedDrop {
    /// The drop's id.
    #[schema(example = "d17")]
    drop: String,
    /// The live drop of which it is a copy.
    #[schema(example = "d3")]
    rehearses: String,
    /// Title for viewers.
    title: String,
    /// Where it stands.
    phase: PhaseName,
}

impl RehearsalState {
    /// Nothing goes on.
    pub(crate) fn none(stream: &StreamId) -> Self {
        Self {
            stream: stream.to_string(),
            running: false,
            drops: Vec::new(),
            ends_in_ms: None,
            viewers: None,
            connected: None,
            holds: None,
            orders: None,
        }
    }

    /// One goes on, of these drops.
    pub(crate) fn running<'a>(
        stream: &StreamId,
        drops: impl Iterator<Item = &'a SaleDrop>,
        crowd: Option<(u32, CrowdFigures)>,
        now: Moment,
    ) -> Self {
        let mut ends_in_ms = None;
        let drops = drops.filter_map(|sale| {
            let copy = sale.plan().rehearsal?;
            ends_in_ms = Some(copy.until.since(now.wall).get());
            Some(RehearsedDrop {
                drop: sale.id().to_string(),
                rehearses: copy.of.to_string(),
                title: sale.plan().title.clone(),
                phase: sale.phase().into(),
            })
        });
        let drops = drops.collect();
        let figures = crowd.map(|(_, figures)| figures);
        Self {
            stream: stream.to_string(),
            running: true,
            drops,
            ends_in_ms,
            viewers: crowd.map(|(viewers, _)| viewers),
            connected: figures.map(|figures| figures.connected),
            holds: figures.map(|figures| figures.holds),
            orders: figures.map(|figures| figures.orders),
        }
    }
}
