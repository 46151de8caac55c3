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
    for (field, at) in [("starts_at_ms", plan.starts_at), ("ends_at_ms", plan.ends_at)] {
        at.map_or(Ok(()), |at| check_ahead(field, at, now))?;
    }
    check_end(plan, earliest_opening(plan, now), now)
}

/// Without a planned start a drop opens by hand: not before a countdown that begins now has ended.
fn earliest_opening(plan: &DropPlan, now: UnixMillis) -> UnixMillis {
    plan.starts_at.unwrap_or_else(|| now.plus(plan.countdown))
}

/// The terms of a drop that was opened, for one that is to stand in its place. A planned start whose countdown would
/// have begun by now is left out: nobody asked for another opening at once. An end that leaves no time to sell is
/// left out too.
pub(crate) fn copied_plan(
    plan: &DropPlan,
    countdown_at: Option<UnixMillis>,
    now: UnixMillis,
) -> DropPlan {
    let starts_at = plan.starts_at.filter(|_| countdown_at.is_some_and(|at| at > now));
    let copy = DropPlan { starts_at, ..plan.clone() };
    match check_end(&copy, earliest_opening(&copy, now), now) {
        Ok(()) => copy,
        Err(_) => DropPlan { ends_at: None, ..copy },
    }
}

/// Checks that a time lies ahead, and no further than anybody plans.
pub(crate) fn check_ahead(
    field: &'static str,
    at: UnixMillis,
    now: UnixMillis,
) -> Result<(), CommandRefusal> {
    if at <= now {
        return Err(CommandRefusal::InThePast { field, at: at.get(), now: now.get() });
    }
    if at > now.plus(DurationMs::new(PLANNED_AHEAD_MS_MAX)) {
        let (at, now, max_days) = (at.get(), now.get(), PLANNED_AHEAD_MS_MAX / DAY_MS);
        return Err(CommandRefusal::TooFarAhead { field, at, now, max_days });
    }
    Ok(())
}

/// Checks that a drop which opens at `opens_at` is open for a while before it ends.
pub(crate) fn check_end(
    plan: &DropPlan,
    opens_at: UnixMillis,
    now: UnixMillis,
) -> Result<(), CommandRefusal> {
    let Some(ends_at) = plan.ends_at else { return Ok(()) };
    if ends_at <= now {
        let (field, at, now) = ("ends_at_ms", ends_at.get(), now.get());
        return Err(CommandRefusal::InThePast { field, at, now });
    }
    if ends_at < opens_at.plus(DurationMs::new(OPEN_MS_MIN)) {
        let (opens_at, ends_at, min_ms) = (opens_at.get(), ends_at.get(), OPEN_MS_MIN);
        return Err(CommandRefusal::EndsTooSoon { opens_at, ends_at, min_ms });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_000_000);

    /// Checks a plan with times so many milliseconds after now.
    fn checked(starts_after: Option<u64>, ends_after: Option<u64>) -> String {
        let at = |millis| NOW.plus(DurationMs::new(millis));
        let (starts_at, ends_at) = (starts_after.map(at), ends_after.map(at));
        let plan = DropPlan { starts_at, ends_at, ..stampede_testkit::plan(5) };
        match check_plan(&plan, NOW) {
            Ok(()) => "sound".into(),
            Err(refusal) => format!("{}: {refusal}", refusal.code()),
        }
    }

    #[test]
    fn a_time_lies_between_now_and_a_year_ahead() {
        assert_eq!(checked(Some(1), None), "sound");
        assert_eq!(
            checked(Some(0), None),
            "in_the_past: starts_at_ms 1000000 is not after the server's time 1000000; times are milliseconds \
             since 1970"
        );
        assert_eq!(checked(Some(366 * DAY_MS), None), "sound");
        let far = checked(Some(366 * DAY_MS + 1), None);
        assert!(far.starts_with("too_far_ahead") && far.contains("366 days"), "{far}");
    }

    #[test]
    fn a_copy_leaves_out_the_times_that_have_passed() {
        let at = |millis: u64| NOW.plus(DurationMs::new(millis));
        let copied = |starts_after: Option<u64>, countdown_after: u64, ends_after: Option<u64>| {
            let (starts_at, ends_at) = (starts_after.map(at), ends_after.map(at));
            let plan = DropPlan { starts_at, ends_at, ..stampede_testkit::plan(5) };
            let countdown_at = starts_at.map(|_| at(countdown_after));
            let copy = copied_plan(&plan, countdown_at, NOW);
            assert_eq!(DropPlan { starts_at, ends_at, ..copy.clone() }, plan, "all else stays");
            let after = |at: Option<UnixMillis>| at.map(|at| at.since(NOW).get());
            (after(copy.starts_at), after(copy.ends_at))
        };
        assert_eq!(copied(None, 0, None), (None, None));
        assert_eq!(copied(Some(5_000), 1, Some(6_000)), (Some(5_000), Some(6_000)));
        assert_eq!(copied(Some(5_000), 0, None), (None, None), "its countdown would run by now");
        assert_eq!(copied(Some(5_000), 1, Some(5_999)), (Some(5_000), None));
        assert_eq!(copied(None, 0, Some(1_000)), (None, Some(1_000)));
        assert_eq!(copied(None, 0, Some(999)), (None, None));
    }

    #[test]
    fn a_drop_is_open_for_a_second_at_least() {
        assert_eq!(checked(Some(5_000), Some(6_000)), "sound");
        assert!(checked(Some(5_000), Some(5_999)).starts_with("ends_too_soon"));
        assert_eq!(checked(None, Some(1_000)), "sound", "it may open at once");
        assert!(checked(None, Some(999)).starts_with("ends_too_soon"));
    }
}
