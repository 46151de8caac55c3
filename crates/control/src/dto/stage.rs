//! The view of the person on camera: a stream's line, and drops without revenue.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stampede_domain::{DurationMs, StreamId, UnixMillis};
use stampede_engine::{DropView, Engine, Health};
use utoipa::ToSchema;

use super::{PhaseName, PlanBody};
use crate::stage::StageLines;

/// A line for the person on camera.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineBody {
    /// The line, at most 40 characters as they are read, without controls; empty to clear it.
    #[schema(example = "Three sizes, the middle one first", max_length = 400)]
    pub(crate) line: String,
}

/// Facts about a stream as a whole. Sent as the event `stream` when one of them changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StreamFacts {
    /// How much later viewers see and hear the stream, in milliseconds; 0 if it is not set.
    pub(crate) video_delay_ms: u64,
    /// The producer's line for the person on camera; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Three sizes, the middle one first")]
    pub(crate) stage_line: Option<Arc<str>>,
    /// Why nobody can buy, whatever the drops say; left out while takes run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blocked: Option<Block>,
}

/// Why nobody can buy on the whole server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Block {
    /// A commit of the ledger failed: nothing is sold until the server is started again.
    Poisoned,
    /// Operations stopped all takes.
    Stopped,
}

impl Block {
    fn of(engine: &Engine) -> Option<Self> {
        if engine.health() == Health::Poisoned {
            return Some(Self::Poisoned);
        }
        engine.brake().is_halted().then_some(Self::Stopped)
    }
}

impl StreamFacts {
    /// What somebody sees who may not see the stream.
    pub(crate) const NONE: Self = Self { video_delay_ms: 0, stage_line: None, blocked: None };

    /// What holds for a stream now.
    pub(crate) fn of(engine: &Engine, lines: &StageLines, stream: &StreamId) -> Self {
        Self {
            video_delay_ms: engine.video_delay(stream).get(),
            stage_line: lines.of(stream),
            blocked: Block::of(engine),
        }
    }
}

/// The event `stream`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamChanged {
    /// The stream's id.
    #[schema(example = "friday-show")]
    pub(crate) stream: String,
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    #[serde(flatten)]
    pub(crate) facts: StreamFacts,
}

/// A drop for the stage and the platform, in place of `DropState`: without paid and held figures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StageDrop {
    /// The drop's id.
    #[schema(example = "d17")]
    drop: String,
    /// Where the drop stands.
    phase: PhaseName,
    /// Whether it is the one on air in its stream, among those of its mode.
    featured: bool,
    /// Whether viewers have not heard of it yet: the plan hides it, and no countdown has begun. Only while it is planned.
    hidden: bool,
    /// Rises with each change of phase.
    version: u64,
    /// Counts the plan and its edits; the first plan is 1.
    revision: u32,
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    server_time_ms: u64,
    /// Time left until the drop opens by itself, in milliseconds; left out while it waits for its host.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_in_ms: Option<u64>,
    /// When the drop was to open while nothing could open it, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_missed_ms: Option<u64>,
    /// Time since its countdown ended and it opened, in milliseconds; left out before that, and after a
    /// restart of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_ago_ms: Option<u64>,
    /// How much later viewers see and hear the stream, in milliseconds; 0 if it is not set.
    video_delay_ms: u64,
    /// Time left until the drop closes by itself, in milliseconds; only where it has an end, or winds down.
    #[serde(skip_serializing_if = "Option::is_none")]
    closes_in_ms: Option<u64>,
    /// Time left until a drop that winds down closes at the latest, in milliseconds; left out for any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    winds_down_in_ms: Option<u64>,
    /// Whether units may come on sale again: some are held, or in reserve.
    can_come_back: bool,
    /// Time left until the last hold ends, in milliseconds; left out if nothing is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_hold_ends_in_ms: Option<u64>,
    /// The figures of every SKU, in the plan's order.
    skus: Vec<StageSku>,
    /// The live drop of which this is a copy, for a rehearsal by one press; left out of any other drop.
    #[serde(skip_serializing_if = "Option::is_none")]
    rehearses: Option<String>,
    /// The terms.
    plan: PlanBody,
}

/// Figures of one SKU, as every viewer could count them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StageSku {
    /// The SKU's id.
    #[schema(example = "n5-50")]
    sku: String,
    /// Units of all lots; before opening, the plan's supply.
    supplied: u32,
    /// Units that can be taken now.
    available: u32,
}

impl From<&DropView> for StageDrop {
    fn from(view: &DropView) -> Self {
        let (standing, now) = (&view.standing, view.now);
        let skus = view.skus.iter().zip(&view.plan.skus);
        Self {
            drop: view.drop.to_string(),
            phase: standing.phase.into(),
            featured: standing.featured,
            hidden: standing.hidden,
            version: standing.version,
            revision: standing.revision,
            server_time_ms: now.wall.get(),
            opens_in_ms: view.opens_in().map(DurationMs::get),
            start_missed_ms: standing.start_missed.map(UnixMillis::get),
            opened_ago_ms: standing.opened_ago(now).map(DurationMs::get),
            video_delay_ms: standing.video_delay.get(),
            closes_in_ms: view.closes_in().map(DurationMs::get),
            winds_down_in_ms: view.winds_down_in().map(DurationMs::get),
            can_come_back: view
                .skus
                .iter()
                .any(|sku| !(sku.held.is_zero() && sku.reserve.is_zero())),
            last_hold_ends_in_ms: view.ending.last.map(|at| at.since(now.sale).get()),
            skus: skus
                .map(|(figures, sku)| StageSku {
                    sku: sku.id.to_string(),
                    supplied: figures.supplied.get(),
                    available: figures.available.get(),
                })
                .collect(),
            rehearses: view.plan.rehearsal.map(|copy| copy.of.to_string()),
            plan: PlanBody::from(&*view.plan),
        }
    }
}
