//! What may change of a drop's terms while it is on sale.

use crate::{DropPlan, PlanError, Units, UnixMillis, plan::check_limit};

/// Other terms for a drop that is on sale. Where a part is `None`, it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amendment {
    /// The limits of a viewer.
    pub limits: Option<ViewerLimits>,
    /// The planned end, in place of one by the clock or by the opening.
    pub end: Option<NewEnd>,
}

/// Units that one viewer may hold or own, in a drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewerLimits {
    /// Over all SKUs.
    pub of_drop: Units,
    /// Of each SKU, in the order of the plan.
    pub of_skus: Vec<Units>,
}

/// Another planned end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewEnd {
    /// The drop closes by itself at this time of the wall clock.
    At(UnixMillis),
    /// Somebody closes it.
    Never,
}

impl Amendment {
    /// The plan with these terms. SKUs that the limits do not name keep theirs.
    #[must_use]
    pub fn apply_to(&self, plan: &DropPlan) -> DropPlan {
        let mut amended = plan.clone();
        if let Some(limits) = &self.limits {
            amended.limit_per_viewer = limits.of_drop;
            for (sku, limit) in amended.skus.iter_mut().zip(&limits.of_skus) {
                sku.limit_per_viewer = *limit;
            }
        }
        if let Some(end) = self.end {
            amended.ends_after_opening = None;
            amended.ends_at = match end {
                NewEnd::At(at) => Some(at),
                NewEnd::Never => None,
            };
        }
        amended
    }
}

impl ViewerLimits {
    /// Those of a plan.
    pub fn of(plan: &DropPlan) -> Self {
        let of_skus = plan.skus.iter().map(|sku| sku.limit_per_viewer).collect();
        Self { of_drop: plan.limit_per_viewer, of_skus }
    }

    /// Checks that somebody can buy by them.
    ///
    /// # Errors
    /// [`PlanError::Range`] for the first that is 0.
    pub fn check(&self) -> Result<(), PlanError> {
        check_limit("limit_per_viewer", self.of_drop)?;
        self.of_skus.iter().try_for_each(|limit| check_limit("sku.limit_per_viewer", *limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DurationMs, given::plan};

    #[test]
    fn what_an_amendment_leaves_open_stays() {
        let before = plan();
        let none = Amendment { limits: None, end: None };
        assert_eq!(none.apply_to(&before), before);
        let nine = Units::new(9).unwrap();
        let mut limits = ViewerLimits::of(&before);
        limits.of_skus[0] = nine;
        let ends_at = UnixMillis::new(9_000);
        let all = Amendment { limits: Some(limits), end: Some(NewEnd::At(ends_at)) };
        let after = all.apply_to(&before);
        assert_eq!(after.skus[0].limit_per_viewer, nine);
        assert_eq!(
            (after.limit_per_viewer, after.ends_at),
            (before.limit_per_viewer, Some(ends_at))
        );
        let never = Amendment { limits: None, end: Some(NewEnd::Never) };
        assert_eq!(never.apply_to(&after).ends_at, None);
        let span = Some(DurationMs::from_secs(9));
        let timed = DropPlan { ends_after_opening: span, ..before };
        assert_eq!(never.apply_to(&timed).ends_after_opening, None);
        assert_eq!(all.apply_to(&timed).ends_after_opening, None);
        assert_eq!(none.apply_to(&timed).ends_after_opening, span);
    }

    #[test]
    fn a_limit_that_lets_nobody_buy_is_refused() {
        let mut limits = ViewerLimits::of(&plan());
        assert_eq!(limits.check(), Ok(()));
        limits.of_skus[0] = Units::ZERO;
        let refused = limits.check().unwrap_err().to_string();
        assert_eq!(refused, "sku.limit_per_viewer is 0; 1 to 16777215 are allowed");
        limits.of_drop = Units::ZERO;
        let refused = limits.check().unwrap_err().to_string();
        assert_eq!(refused, "limit_per_viewer is 0; 1 to 16777215 are allowed");
    }
}
