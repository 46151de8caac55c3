//! When the server is killed, how long it stays down, what was open at that moment.

use std::{sync::Arc, thread, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{CONNECTED, Drill, DrillError, patience_us};
use crate::Outage;

/// Every third kill is aimed at the recovery of the one before.
const RECOVERY_EVERY: u32 = 3;
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
    /// Kills the drill's server as often as its plan says; it serves again afterwards.
    pub(super) fn carry_out(
        drill: &mut Drill<'_>,
        say: &mut impl FnMut(&str),
    ) -> Result<Self, DrillError> {
        let mut kills = Self::default();
        let mut rng = StdRng::seed_from_u64(drill.plan.seed);
        let mut recovery_us = None;
        while kills.count < drill.plan.kills {
            if let (0, Some(usual_us)) = (kills.count % RECOVERY_EVERY, recovery_us) {
                // From the beginning of the process to the end of its recovery.
                let after_us = rng.random_range(usual_us / 10..=usual_us);
                if !drill.server.serves_within(Duration::from_micros(after_us))? {
                    drill.server.kill()?;
                    kills.in_recovery += 1;
                    let when = format!("inside recovery, {} ms after its start", after_us / 1000);
                    kills.down(drill, &when, &mut rng, say)?;
                }
            }
            if kills.count == drill.plan.kills {
                break;
            }
            let started_us = drill.clock.us();
            drill.server.wait_serving()?;
            if kills.count % RECOVERY_EVERY == 1 {
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
            self.count, drill.plan.kills
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
