//! The clock drill: a real server whose wall clock is wrong, put right or set back while it sells.
//!
//! The server runs under libfaketime, which shows it another wall clock than the machine's; the clock of
//! its sale is the machine's own, which nobody sets. The drill's clients go by the right clock.

mod faked;
mod sale;

use std::path::PathBuf;

use serde::Serialize;
use stampede_domain::DurationMs;

use self::{faked::FakedClock, sale::Sale};
use crate::error::DrillError;

/// Eight hours, in seconds.
const EIGHT_HOURS_S: i64 = 8 * 3_600;
/// Ten minutes, in seconds.
const TEN_MINUTES_S: i64 = 600;
/// How long before its start a drop is planned.
const START_IN: DurationMs = DurationMs::from_secs(2);
/// How far from its time a start may be, in milliseconds: a clock that was set is noticed within a second.
const START_OFF_MS_MAX: u64 = 1_500;
/// What a hold may lack of its time in a promise, in milliseconds.
const LATE_MS_MAX: u64 = 5_000;

/// What to do.
#[derive(Clone, Debug)]
pub struct ClockDrill {
    /// The server's binary.
    pub server: PathBuf,
    /// The library that shows another clock: `libfaketimeMT.so.1`.
    pub faketime: PathBuf,
}

/// What the drill showed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClockOutcome {
    /// Checks that were made.
    pub checks: u32,
    /// Milliseconds between the planned starts and the moments at which the drops were open.
    pub starts_off_ms: Vec<u64>,
    /// What is wrong; empty if the drill showed what it should.
    pub wrong: Vec<String>,
}

impl ClockOutcome {
    /// Whether everything was right.
    pub fn is_ok(&self) -> bool {
        self.wrong.is_empty()
    }

    fn check(&mut self, good: bool, what: impl FnOnce() -> String) {
        self.checks += 1;
        if !good {
            self.wrong.push(what());
        }
    }

    /// What a viewer was told, held against what it should have been.
    fn told(&mut self, when: &str, found: &str, expected: &str) {
        self.check(found == expected, || format!("{when}: {found}, expected {expected}"));
    }

    /// A drop opened at its time.
    fn opened(&mut self, when: &str, off_ms: u64) {
        self.starts_off_ms.push(off_ms);
        self.check(off_ms <= START_OFF_MS_MAX, || format!("{when}: {off_ms} ms off its start"));
    }

    /// A hold has the time that it was promised.
    fn has_time(&mut self, when: &str, left_ms: u64, of_ms: u64) {
        let is_whole = (of_ms.saturating_sub(LATE_MS_MAX)..=of_ms).contains(&left_ms);
        self.check(is_whole, || format!("{when}: {left_ms} ms left of {of_ms}"));
    }
}

/// Plays the drill; `say` gets a line now and then.
///
/// # Errors
/// [`DrillError`] if it cannot be carried through; what went wrong is in the outcome.
pub fn run_clock_drill(
    drill: &ClockDrill,
    mut say: impl FnMut(&str),
) -> Result<ClockOutcome, DrillError> {
    let system = |source| DrillError::System { what: "make a runtime", source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let mut outcome = ClockOutcome::default();
    runtime.map_err(system)?.block_on(async {
        say("eight hours fast, then right after a crash");
        Box::pin(fast_then_right(drill, &mut outcome)).await?;
        say("ten minutes slow, then right while it sells");
        Box::pin(slow_then_right(drill, &mut outcome)).await?;
        say("an hour back in the middle of a sale");
        Box::pin(set_back(drill, &mut outcome)).await
    })?;
    Ok(outcome)
}

async fn fast_then_right(drill: &ClockDrill, seen: &mut ClockOutcome) -> Result<(), DrillError> {
    const HOLD_MS: u64 = 600_000;
    let mut clock = FakedClock::new(EIGHT_HOURS_S)?;
    let mut sale = Sale::start(drill, &clock)?;
    let drop = sale.open(HOLD_MS).await?;
    let by_right = sale.buy("ann", &drop, 0).await?;
    seen.told("a ticket by the right clock, server 8 h fast", by_right.word(), "4101");
    let by_server = sale.buy("ann", &drop, EIGHT_HOURS_S).await?;
    seen.told("a ticket by its own clock", by_server.word(), "held");
    seen.has_time("a hold of the fast server", by_server.left_ms(), HOLD_MS);

    sale.kill()?;
    clock.set(0)?;
    sale.restart()?;
    let ahead_ms = sale.clock_ahead_ms().await?;
    seen.check(ahead_ms.abs_diff(EIGHT_HOURS_S * 1_000) <= 10_000, || {
        format!("clock_ahead_ms is {ahead_ms}, the ledger is 8 h ahead")
    });
    let again = sale.buy("ann", &drop, 0).await?;
    seen.told("a ticket by the right clock, server right again", again.word(), "held");
    seen.has_time("the hold after the crash", again.left_ms(), HOLD_MS);
    let planned = sale.plan_start(HOLD_MS, START_IN, 0).await?;
    seen.opened("a start, server right again", sale.wait_start(&planned).await?);
    let verdict = sale.end()?;
    seen.told("the ledger of the server that was fast", &verdict, "ok");
    Ok(())
}

async fn slow_then_right(drill: &ClockDrill, seen: &mut ClockOutcome) -> Result<(), DrillError> {
    const HOLD_MS: u64 = 600_000;
    let mut clock = FakedClock::new(-TEN_MINUTES_S)?;
    let mut sale = Sale::start(drill, &clock)?;
    let drop = sale.open(HOLD_MS).await?;
    let by_server = sale.buy("ann", &drop, -TEN_MINUTES_S).await?;
    seen.told("a ticket by its own clock, 10 min slow", by_server.word(), "held");
    let planned = sale.plan_start(HOLD_MS, START_IN, 0).await?;

    clock.set(0)?;
    seen.opened("a start, clock put right before it", sale.wait_start(&planned).await?);
    let again = sale.buy("ann", &drop, 0).await?;
    seen.told("a ticket by the right clock, server right", again.word(), "held");
    seen.has_time("a hold over the correction", again.left_ms(), HOLD_MS);
    let late = sale.buy("ann", &drop, -TEN_MINUTES_S).await?;
    seen.told("the same ticket, expired by the right clock", late.word(), "4101");
    let verdict = sale.end()?;
    seen.told("the ledger of the server that was slow", &verdict, "ok");
    Ok(())
}

async fn set_back(drill: &ClockDrill, seen: &mut ClockOutcome) -> Result<(), DrillError> {
    const HOLD_MS: u64 = 3_000;
    const BACK_S: i64 = -3_600;
    let mut clock = FakedClock::new(0)?;
    let mut sale = Sale::start(drill, &clock)?;
    let drop = sale.open(HOLD_MS).await?;
    let held = sale.buy("ann", &drop, 0).await?;
    seen.told("a buy", held.word(), "held");
    let taken = sale.now();

    clock.set(BACK_S)?;
    let bob = sale.buy("bob", &drop, BACK_S).await?;
    seen.told("a buy after the step", bob.word(), "held");
    seen.has_time("a hold after the step", bob.left_ms(), HOLD_MS);
    sale.wait_none_held(&drop).await?;
    let lasted_ms = sale.now().since(taken).get();
    seen.check((HOLD_MS - 500..HOLD_MS + 3_000).contains(&lasted_ms), || {
        format!("holds of {HOLD_MS} ms lasted {lasted_ms} ms over a step back")
    });
    let planned = sale.plan_start(HOLD_MS, START_IN, BACK_S).await?;
    seen.opened("a start by the clock as it is set", sale.wait_start(&planned).await?);
    let verdict = sale.end()?;
    seen.told("the ledger of the sale that was set back", &verdict, "ok");
    Ok(())
}
