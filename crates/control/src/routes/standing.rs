//! A drop as the engine has it: in memory, or as what stays of it.

use std::sync::Arc;

use stampede_domain::{DropId, MerchantId, StreamId};
use stampede_engine::{DropSummary as Over, Engine, Moment, SaleDrop};

use crate::dto::DropSummary;

/// A drop that there is.
pub(super) enum Standing {
    /// In memory.
    Here(Arc<SaleDrop>),
    /// Settled or cancelled, and gone from memory.
    Over(Arc<Over>),
}

impl Standing {
    /// The drop, in memory or not.
    pub(super) fn of(engine: &Engine, drop: DropId) -> Option<Self> {
        engine.sale(drop).map(Self::Here).or_else(|| engine.over(drop).map(Self::Over))
    }

    /// Every drop, oldest first.
    pub(super) fn all(engine: &Engine) -> Vec<Self> {
        // In this order: a drop that leaves memory meanwhile is found twice rather than not at all.
        let here = engine.sales().into_iter().map(Self::Here);
        let mut all: Vec<Self> = here.collect();
        all.extend(engine.all_over().into_iter().map(Self::Over));
        all.sort_by_key(Self::id);
        all.dedup_by_key(|found| found.id());
        all
    }

    pub(super) fn id(&self) -> DropId {
        match self {
            Self::Here(sale) => sale.id(),
            Self::Over(over) => over.id,
        }
    }

    pub(super) fn merchant(&self) -> &MerchantId {
        match self {
            Self::Here(sale) => &sale.plan().merchant,
            Self::Over(over) => &over.merchant,
        }
    }

    pub(super) fn stream(&self) -> &StreamId {
        match self {
            Self::Here(sale) => &sale.plan().stream,
            Self::Over(over) => &over.stream,
        }
    }

    pub(super) fn running_order(&self) -> u16 {
        match self {
            Self::Here(sale) => sale.plan().running_order,
            Self::Over(over) => over.running_order,
        }
    }

    pub(super) fn summary(&self, now: Moment) -> DropSummary {
        match self {
            Self::Here(sale) => DropSummary::new(sale, now),
            Self::Over(over) => DropSummary::over(over, now),
        }
    }
}
