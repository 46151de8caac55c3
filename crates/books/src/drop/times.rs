//! Which planned times make a drop that can sell.

use stampede_domain::{
    DropPlan, DurationMs, UnixMillis,
    limits::{OPEN_MS_MIN, PLANNED_AHEAD_MS_MAX},
};

use crate::command::CommandRefusal;

/// One day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

/// Checks a plan that is submitted at `now` by the wall clock.
pub(crate) fn check_plan(plan: &DropPlan, now: UnixMillis) -> Result<(), CommandRefusal> {
    plan.validate()?;
    let furthest = now.plus(DurationMs::new(PLANNED_AHEAD_MS_MAX));
    for (field, at) in [("starts_at", plan.starts_at), ("ends_at", plan.ends_at)] {
        let Some(at) = at else { continue };
        if at <= now {
            return Err(CommandRefusal::InThePast { field, at: at.get(), now: now.get() });
        }
        if at > furthest {
            let (at, now, max_days) = (at.get(), now.get(), PLANNED_AHEAD_MS_MAX / DAY_MS);
            return Err(CommandRefusal::TooFarAhead { field, at, now, max_days });
        }
    }
    // Without a planned start it opens by hand: not before a countdown that begins now has ended.
    check_end(plan, plan.starts_at.unwrap_or_else(|| now.plus(plan.countdown)), now)
}

/// Checks that a drop which opens at `opens_at` is open for a while before it ends.
pub(crate) fn check_end(
    plan: &DropPlan,
    opens_at: UnixMillis,
    now: UnixMillis,
) -> Result<(), CommandRefusal> {
    let Some(ends_at) = plan.ends_at else { return Ok(()) };
    if ends_at <= now {
        let (field, at, now) = ("ends_at", ends_at.get(), now.get());
        return Err(CommandRefusal::InThePast { field, at, now });
    }
    if ends_at < opens_at.plus(DurationMs::new(OPEN_MS_MIN)) {
        let (opens_at, ends_at, min_ms) = (opens_at.get(), ends_at.get(), OPEN_MS_MIN);
        return Err(CommandRefusal::EndsTooSoon { opens_at, ends_at, min_ms });
    }
    Ok(())
}
