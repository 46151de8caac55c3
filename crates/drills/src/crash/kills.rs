//! When the server is killed, how long it stays down, what was open at that moment.

use std::{sync::Arc, thread, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use stampede_loadtest::Outage;

use super::{CONNECTED, Drill};
use crate::{error::DrillError, waiting::patience_us};

/// Of so many kills one is to fall into the recovery from the one before.
const RECOVERY_EVERY: u32 = 3;
/// Kills beyond the plan while none has fallen into a recovery: an aim misses where a start was slow
/// by chance and the next one is not.
const KILLS_BEYOND_MAX: u32 = 8;
/// Longest time that a server stays down.
const DOWN_MS_MAX: u64 = 500;
/// Time under load before a kill.
const LOAD_MS: std::ops::RangeInclusive<u64> = 150..=900;
/// Share of the kills under load that wait until half of the crowd is back; the others may fall into
/// its return.
const FULL_SHARE: f64 = 0.7;
/// How often the crowd's open buys are looked at while a kill waits for one.
const SPIN: Duration = Duration::from_micros(200);

/// What the kills met.
#[derive(Debug, Default)]
pub(super) struct Kills {
    pub(super) count: u32,
    /// Kills before the restarted server served anybody.
    pub(super) in_recovery: u32,
    /// For each other kill: buys that were sent and not answered.
    pub(super) in_flight: Vec<u64>,
    /// From each kill to the start of the next process.
    pub(super) outages: Vec<Outage>,
}

impl Kills {
    /// Kills the drill's server as often as its plan says, more often if no kill has fallen into a
    /// recovery by then; it serves again afterwards.
    pub(super) fn carry_out(
        drill: &mut Drill<'_>,
        say: &mut impl FnMut(&str),
    ) -> Result<Self, DrillError> {
        let mut kills = Self::default();
        let mut rng = StdRng::seed_from_u64(drill.plan.seed);
        // From the beginning of the last process that came to serve to the end of its recovery.
        let mut recovery_us = None;
        while kills.are_due(drill.plan.kills) {
            let started_us = drill.clock.us();
            if let Some(usual_us) = recovery_us
                && kills.in_recovery * RECOVERY_EVERY < kills.count
            {
                let after_us = rng.random_range(usual_us / 10..=usual_us);
                if !drill.server.serves_within(Duration::from_micros(after_us))? {
                    drill.server.kill()?;
                    kills.in_recovery += 1;
                    let when = format!("inside recovery, {} ms after its start", after_us / 1000);
                    kills.down(drill, &when, &mut rng, say)?;
                    continue;
                }
            }
            drill.server.wait_serving()?;
            if kills.count > 0 {
                recovery_us = Some((drill.clock.us() - started_us).max(1_000));
            }
            if rng.random_bool(FULL_SHARE) {
                let live = Arc::clone(&drill.live);
                let half = u64::from(CONNECTED / 2);
                drill.wait("the crowd's return", move || live.connected() >= half)?;
            }
            thread::sleep(Duration::from_millis(rng.random_range(LOAD_MS)));
            let in_flight = kill_under_load(drill)?;
            kills.in_flight.push(in_flight);
            let holds = drill.live.holds();
            let when = format!("{in_flight} buys in flight, {holds} holds alive");
            kills.down(drill, &when, &mut rng, say)?;
        }
        drill.server.wait_serving()?;
        Ok(kills)
    }

    fn are_due(&self, planned: u32) -> bool {
        self.count < planned || (self.miss_a_recovery() && self.count < planned + KILLS_BEYOND_MAX)
    }

    /// Whether there were enough kills for one of them to fall into a recovery, and none did.
    pub(super) const fn miss_a_recovery(&self) -> bool {
        self.count > RECOVERY_EVERY && self.in_recovery == 0
    }

    /// Notes a kill, leaves the server down for a while, starts it again.
    fn down(
        &mut self,
        drill: &mut Drill<'_>,
        when: &str,
        rng: &mut StdRng,
        say: &mut impl FnMut(&str),
    ) -> Result<(), DrillError> {
        let from_ms = drill.clock.unix_now().get();
        self.count += 1;
        let down_ms = rng.random_range(0..=DOWN_MS_MAX);
        thread::sleep(Duration::from_millis(down_ms));
        let to_ms = drill.clock.unix_now().get();
        drill.server.restart()?;
        self.outages.push(Outage { from_ms, to_ms });
        let promises = drill.live.promises();
        say(&format!(
            "kill {} of {}: {when}, {promises} promises so far, down {down_ms} ms",
            self.count,
            drill.plan.kills.max(self.count)
        ));
        Ok(())
    }
}

/// Waits for a moment with holds alive while buys are in flight, kills in it; returns how many buys.
fn kill_under_load(drill: &mut Drill<'_>) -> Result<u64, DrillError> {
    let until_us = drill.clock.us() + patience_us();
    loop {
        let in_flight = drill.live.unanswered();
        if in_flight > 0 && drill.live.holds() > 0 {
            drill.server.kill()?;
            return Ok(in_flight);
        }
        if drill.clock.us() > until_us {
            return Err(super::out_of_patience("a moment with buys in flight"));
        }
        thread::sleep(SPIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_go_on_until_one_falls_into_a_recovery_but_not_for_ever() {
        let after = |count, in_recovery| Kills { count, in_recovery, ..Kills::default() };
        assert!(after(3, 0).are_due(4) && after(3, 1).are_due(4), "the plan");
        assert!(after(4, 0).are_due(4), "no aim has hit");
        assert!(!after(4, 1).are_due(4));
        assert!(!after(4 + KILLS_BEYOND_MAX, 0).are_due(4));
        assert!(!after(2, 0).are_due(2), "too few to aim");
    }
}
