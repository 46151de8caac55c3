//! A take against the plan that it was made under.

use stampede_domain::{HoldId, Units, UnixMillis, limits::UNITS_PER_BUY_MAX};

use super::{
    chain::CommitTimes,
    finding::{Findings, Place},
    holds::HoldFault,
    phases::{Phases, Stage},
};

/// Checks a take against the plan and the phase.
pub(super) fn check(
    phases: &Phases,
    (hold, units): (HoldId, Units),
    taken_at: UnixMillis,
    deadline: UnixMillis,
    times: CommitTimes,
    place: Place,
    findings: &mut Findings,
) {
    let (plan, stage, shut_at) = (&phases.plan, phases.stage, phases.shut_at);
    // Takes commit after they happen, so one may follow the pause, the close or the undo that it preceded.
    let in_time = match stage {
        Stage::Open => true,
        Stage::Paused | Stage::Closed | Stage::Voiding => taken_at <= shut_at,
        _ => false,
    };
    if !in_time {
        findings.add(place, HoldFault::TakenWhileShut { hold, stage, taken_at, shut_at });
    }
    if taken_at > times.at {
        findings.add(place, HoldFault::TakenLater { hold, taken_at, at: times.at });
    }
    let expected = UnixMillis::new(taken_at.get().saturating_add(plan.hold_ttl.get()));
    if deadline != expected {
        findings.add(place, HoldFault::Deadline { hold, deadline, expected });
    }
    let turn = phases.limits.turn_of(hold);
    if let Some(shut_at) = phases.limits.ended_at(turn).filter(|shut_at| taken_at > *shut_at) {
        findings.add(place, HoldFault::OldLimits { hold, taken_at, shut_at });
    }
    let Some(sku) = phases.pools.sku_of(hold.pool()) else { return };
    let limits = phases.limits.limits(turn);
    let Some(of_sku) = limits.of_skus.get(usize::from(sku.get())) else { return };
    let most = limits.of_drop.min(*of_sku).get().min(UNITS_PER_BUY_MAX);
    if (units.is_zero() || units.get() > most)
        && let Some(max) = Units::new(most)
    {
        findings.add(place, HoldFault::Units { hold, units, max });
    }
}
