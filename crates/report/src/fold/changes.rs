//! What staff changed while a drop was on sale.

use stampede_domain::{DropPlan, DurationMs, SkuIndex, Units, UnixMillis, ViewerLimits};
use stampede_ledger::{Command, PlannedCopy, RecordedOutcome, Text};

/// Changes that a report lists at most, those that came first.
pub const CHANGES_MAX: usize = 256;

/// What was changed while a drop was on sale, in the order of the commits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeList {
    /// The changes, at most [`CHANGES_MAX`].
    pub listed: Vec<Change>,
    /// Whether there are more.
    pub is_cut: bool,
}

/// Something that was changed while a drop was on sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Time of the commit.
    pub at: UnixMillis,
    /// By whom, as a role and never as a name; `None` if nobody of the staff asked for it.
    pub role: Option<Text>,
    /// What.
    pub what: Changed,
}

/// What can be changed of a drop that is on sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Units were put on sale beyond those of the plan.
    Restocked {
        /// Of which SKU.
        sku: SkuIndex,
        /// How many.
        units: Units,
        /// How many of them were in reserve.
        from_reserve: Units,
    },
    /// Units of a cancelled order went on sale again.
    SoldAgain {
        /// Of which SKU.
        sku: SkuIndex,
        /// How many.
        units: Units,
    },
    /// Units that nobody had taken left the sale.
    TakenBack {
        /// Of which SKU.
        sku: SkuIndex,
        /// How many.
        units: Units,
        /// Whether they went into the reserve.
        to_reserve: bool,
    },
    /// Viewers may have more or fewer units; at least one limit.
    Limits(Vec<LimitChange>),
    /// The drop closes by itself at another time.
    End {
        /// When; `None` if somebody closes it.
        at: Option<UnixMillis>,
        /// When it would have.
        before: Option<UnixMillis>,
    },
    /// Every live hold got more time.
    HoldsExtended(DurationMs),
    /// The countdown was called off.
    CountdownCancelled,
    /// The drop went on selling what came back, then closed by itself.
    WindDown {
        /// When at the latest.
        until: UnixMillis,
    },
    /// The opening was undone.
    OpeningUndone(PlannedCopy),
}

/// Another limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitChange {
    /// Of which SKU; `None` for that over all SKUs.
    pub sku: Option<SkuIndex>,
    /// Units that one viewer may have.
    pub limit: Units,
    /// The same before.
    pub before: Units,
}

impl Changed {
    /// The name on every interface.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Restocked { .. } => "restocked",
            Self::SoldAgain { .. } => "sold_again",
            Self::TakenBack { .. } => "taken_back",
            Self::Limits(_) => "limits",
            Self::End { .. } => "end",
            Self::HoldsExtended(_) => "holds_extended",
            Self::CountdownCancelled => "countdown_cancelled",
            Self::WindDown { .. } => "wind_down",
            Self::OpeningUndone(_) => "opening_undone",
        }
    }
}

/// The limits that other ones have replaced. A SKU is told by itself where its limit is not that of the drop, before
/// and after.
pub(super) fn limits(plan: &DropPlan, limits: &ViewerLimits) -> Vec<LimitChange> {
    let before = ViewerLimits::of(plan);
    let of_drop = LimitChange { sku: None, limit: limits.of_drop, before: before.of_drop };
    let places = (0..=u8::MAX).filter_map(SkuIndex::new);
    let of_skus = places.zip(before.of_skus.iter().zip(&limits.of_skus));
    let of_skus = of_skus
        .map(|(sku, (before, limit))| LimitChange {
            sku: Some(sku),
            limit: *limit,
            before: *before,
        })
        .filter(|one| (one.limit, one.before) != (of_drop.limit, of_drop.before));
    std::iter::once(of_drop).chain(of_skus).filter(|one| one.limit != one.before).collect()
}

/// The changes of one drop, record by record.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    kept: Vec<Change>,
    is_cut: bool,
    /// Where those begin that the next command may have asked for: a command stands behind what it did, in one row.
    asked_from: usize,
    /// Units that left the reserve for the lot that follows.
    drawn: Units,
}

impl Changes {
    /// A row of its own begins.
    pub(super) fn begin_row(&mut self) {
        self.asked_from = self.kept.len();
        self.drawn = Units::ZERO;
    }

    /// Notes a change whose command may follow.
    pub(super) fn add(&mut self, at: UnixMillis, what: Changed) {
        if self.kept.len() < CHANGES_MAX {
            self.kept.push(Change { at, role: None, what });
        } else {
            self.is_cut = true;
        }
    }

    /// Notes a change that no command has asked for.
    pub(super) fn add_unasked(&mut self, at: UnixMillis, what: Changed) {
        self.add(at, what);
        self.asked_from = self.kept.len();
    }

    /// A command was given: what stands before it is what it did.
    pub(super) fn command(&mut self, command: &Command) {
        if command.outcome == RecordedOutcome::Accepted {
            for change in self.kept.iter_mut().skip(self.asked_from) {
                change.role = Some(command.role.clone());
            }
        }
        self.asked_from = self.kept.len();
    }

    /// Units were put on sale.
    pub(super) fn lot(&mut self, at: UnixMillis, sku: SkuIndex, units: Units) {
        let from_reserve = std::mem::replace(&mut self.drawn, Units::ZERO);
        self.add(at, Changed::Restocked { sku, units, from_reserve });
    }

    /// The lot that was noted last has units of a cancelled order.
    pub(super) fn was_sold_before(&mut self) {
        if let Some(Change { what, .. }) = self.asked()
            && let Changed::Restocked { sku, units, .. } = *what
        {
            *what = Changed::SoldAgain { sku, units };
        }
    }

    /// A reserve has changed: for the lot that follows, or by the units that were just taken back.
    pub(super) fn reserve(&mut self, before: u64, left: Units) {
        let drawn = before.saturating_sub(left.get().into());
        self.drawn = u32::try_from(drawn).ok().and_then(Units::new).unwrap_or(Units::ZERO);
        if drawn == 0
            && let Some(Change { what: Changed::TakenBack { to_reserve, .. }, .. }) = self.asked()
        {
            *to_reserve = true;
        }
    }

    /// The latest change, if its command has not been given yet.
    fn asked(&mut self) -> Option<&mut Change> {
        self.kept.get_mut(self.asked_from..)?.last_mut()
    }

    /// How many are kept.
    pub(super) const fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Those that are kept.
    pub(super) fn list(&self) -> ChangeList {
        ChangeList { listed: self.kept.clone(), is_cut: self.is_cut }
    }
}
