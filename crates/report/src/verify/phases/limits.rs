//! The limits of a drop's viewers over time: each take is judged by those of its moment.

use stampede_domain::{DropPlan, HoldId, TakeNumber, UnixMillis, ViewerLimits};
use stampede_ledger::{Amended, RecoveredPool};

use super::PhaseFault;
use crate::verify::finding::{Findings, Place};

/// All limits that a drop has had, the first first.
#[derive(Debug)]
pub(in crate::verify) struct LimitTurns {
    turns: Vec<LimitTurn>,
    pools: usize,
}

#[derive(Debug)]
struct LimitTurn {
    limits: ViewerLimits,
    /// By pool: the last take under the limits before.
    after: Vec<TakeNumber>,
    /// When takes had stopped under the limits before.
    shut_at: UnixMillis,
}

impl LimitTurns {
    pub(super) fn of(plan: &DropPlan) -> Self {
        let (limits, shut_at) = (ViewerLimits::of(plan), UnixMillis::default());
        let turns = vec![LimitTurn { limits, after: Vec::new(), shut_at }];
        Self { turns, pools: plan.pools().count() }
    }

    /// Other limits hold, for takes that come after the pause since `shut_at`.
    pub(super) fn amend(
        &mut self,
        amended: &Amended,
        shut_at: UnixMillis,
        place: Place,
        findings: &mut Findings,
    ) {
        let Some(limits) = &amended.amendment.limits else { return };
        let skus = self.turns[0].limits.of_skus.len();
        let (found_skus, found_pools) = (limits.of_skus.len(), amended.last_takes.len());
        if (found_skus, found_pools) != (skus, self.pools) {
            let pools = self.pools;
            let fault = PhaseFault::AmendedShape { found_skus, skus, found_pools, pools };
            return findings.add(place, fault);
        }
        let (limits, after) = (limits.clone(), amended.last_takes.clone());
        self.turns.push(LimitTurn { limits, after, shut_at });
    }

    /// A restart has forgotten the takes beyond these: their numbers are used again.
    pub(super) fn recover(&mut self, pools: &[RecoveredPool]) {
        for RecoveredPool { pool, last_take, .. } in pools {
            let places =
                self.turns.iter_mut().map(|turn| turn.after.get_mut(usize::from(pool.get())));
            places.flatten().for_each(|after| *after = (*after).min(*last_take));
        }
    }

    /// In which turn a hold was taken.
    pub(in crate::verify) fn turn_of(&self, hold: HoldId) -> usize {
        let pool = usize::from(hold.pool().get());
        let is_before =
            |turn: &LimitTurn| turn.after.get(pool).is_some_and(|last| *last < hold.take());
        self.turns.iter().rposition(is_before).unwrap_or_default()
    }

    /// The limits of a turn.
    pub(in crate::verify) fn limits(&self, turn: usize) -> &ViewerLimits {
        &self.turns[turn].limits
    }

    /// When takes had stopped under the limits of a turn, if others followed.
    pub(in crate::verify) fn ended_at(&self, turn: usize) -> Option<UnixMillis> {
        self.turns.get(turn + 1).map(|next| next.shut_at)
    }

    /// The latest turn.
    pub(in crate::verify) fn latest(&self) -> usize {
        self.turns.len() - 1
    }
}
