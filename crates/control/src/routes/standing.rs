//! A drop as the engine has it: in memory, or as what stays of it.

use std::sync::Arc;

use stampede_domain::{DropId, HostId, MerchantId, Mode, Money, Phase, StreamId, Units};
use stampede_engine::{DropSummary as Over, Engine, Moment, SaleDrop, SkuFigures};
use stampede_report::show::ShowDrop;

use crate::{
    auth::Staff, dto::DropSummary, needle::Needle, problem::Problem, rehearsed::leave_out_past,
    state::ControlState,
};

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

    /// Every drop that is shown, oldest first: those of rehearsals by one press while these go on.
    pub(super) fn shown(engine: &Engine) -> Vec<Self> {
        // In this order: a drop that leaves memory meanwhile is found twice rather than not at all.
        let mut sales = engine.sales();
        leave_out_past(&mut sales);
        let mut shown = Self::with_over(sales, engine);
        shown.retain(|found| matches!(found, Self::Here(_)) || !found.is_rehearsal_copy());
        shown
    }

    /// Every drop that counts as one of a show, oldest first: none of a rehearsal by one press.
    pub(super) fn counted(engine: &Engine) -> Vec<Self> {
        let mut counted = Self::all(engine);
        counted.retain(|found| !found.is_rehearsal_copy());
        counted
    }

    /// Every drop there is, oldest first.
    pub(super) fn all(engine: &Engine) -> Vec<Self> {
        Self::with_over(engine.sales(), engine)
    }

    fn with_over(sales: Vec<Arc<SaleDrop>>, engine: &Engine) -> Vec<Self> {
        let mut all: Vec<Self> = sales.into_iter().map(Self::Here).collect();
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

    pub(super) fn title(&self) -> &str {
        match self {
            Self::Here(sale) => &sale.plan().title,
            Self::Over(over) => &over.title,
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

    pub(super) fn host(&self) -> &HostId {
        match self {
            Self::Here(sale) => &sale.plan().host,
            Self::Over(over) => &over.host,
        }
    }

    pub(super) fn mode(&self) -> Mode {
        match self {
            Self::Here(sale) => sale.plan().mode,
            Self::Over(over) => over.mode,
        }
    }

    /// Whether it was made for a rehearsal by one press.
    pub(super) fn is_rehearsal_copy(&self) -> bool {
        match self {
            Self::Here(sale) => sale.plan().rehearsal.is_some(),
            Self::Over(over) => over.is_rehearsal_copy,
        }
    }

    /// Whether a text is in one of its names.
    pub(super) fn has(&self, text: &Needle) -> bool {
        let id = self.id().to_string();
        let names =
            [self.title(), self.stream().as_str(), self.merchant().as_str(), self.host().as_str()];
        text.is_in(names.into_iter().chain([id.as_str()]))
    }

    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Here(sale) => sale.phase(),
            Self::Over(over) => over.phase,
        }
    }

    /// Whether viewers have not heard of it; of one that was called off before, they never do.
    pub(super) fn is_hidden(&self) -> bool {
        match self {
            Self::Here(sale) => sale.is_hidden(),
            Self::Over(over) => over.was_hidden,
        }
    }

    /// The times by which it belongs to a show.
    pub(super) fn in_show(&self) -> ShowDrop {
        let (opened_at, planned_at, ended_at) = match self {
            Self::Here(sale) => (sale.opened_at(), sale.plan().starts_at, sale.over_since()),
            Self::Over(over) => (over.opened_at, None, Some(over.over_since)),
        };
        ShowDrop { drop: self.id(), stream: self.stream().clone(), opened_at, planned_at, ended_at }
    }

    /// Price of the goods of its orders, as far as it is known without the ledger.
    pub(super) fn gross(&self) -> Option<Money> {
        match self {
            Self::Here(sale) => sale.plan().gross_of(sale.figures().iter().map(|sku| sku.sold)),
            Self::Over(over) => over.gross,
        }
    }

    /// Whether nobody can take from it any more: it is closed, or over, or its opening is undone.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Here(sale) => sale.phase().is_ending() || sale.phase().is_final(),
            Self::Over(_) => true,
        }
    }

    /// Whether it is on air among those of its mode.
    pub(super) fn is_featured(&self) -> bool {
        match self {
            Self::Here(sale) => sale.is_featured(),
            Self::Over(_) => false,
        }
    }

    /// Units supplied and sold, over all SKUs.
    pub(super) fn units(&self) -> (u64, u64) {
        let figures: Vec<SkuFigures> = match self {
            Self::Here(sale) => sale.figures(),
            Self::Over(over) => over.figures().collect(),
        };
        let sum =
            |of: fn(&SkuFigures) -> Units| figures.iter().map(move |sku| u64::from(of(sku).get()));
        (sum(|sku| sku.supplied).sum(), sum(|sku| sku.sold).sum())
    }

    pub(super) fn running_order(&self) -> u16 {
        match self {
            Self::Here(sale) => sale.plan().running_order,
            Self::Over(over) => over.running_order,
        }
    }

    /// The drop in a few figures, as far as they may be told.
    pub(super) fn summary(&self, staff: &Staff, now: Moment) -> DropSummary {
        let summary = match self {
            Self::Here(sale) => DropSummary::new(sale, now),
            Self::Over(over) => DropSummary::over(over, now),
        };
        if staff.reads_money() { summary } else { summary.without_money() }
    }
}

/// The drop, if this member of staff may see it.
pub(super) fn visible(
    state: &ControlState,
    staff: &Staff,
    drop: DropId,
) -> Result<Standing, Problem> {
    let found = Standing::of(state.engine(), drop).filter(|found| sees(state, staff, found));
    found.ok_or_else(Problem::unknown_drop)
}

/// Whether somebody may see a drop.
pub(super) fn is_seen(state: &ControlState, staff: &Staff, drop: DropId) -> bool {
    Standing::of(state.engine(), drop).is_some_and(|found| sees(state, staff, &found))
}

pub(super) fn sees(state: &ControlState, staff: &Staff, found: &Standing) -> bool {
    staff.sees(state.engine(), found.stream(), found.merchant())
}
