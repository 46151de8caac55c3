//! When the server is killed: at any moment under load, or between the record of a report and its answer.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{
    Live, PATIENCE, SANDBOX,
    between::{self, Volley},
    outcome::KillCounts,
    till::Till,
};
use crate::{
    error::DrillError,
    server::{Server, Setup},
    waiting::out_of_patience,
};

/// Of so many kills one is to fall between a record and its answer.
const BETWEEN_EVERY: u64 = 3;
/// Volleys for one such kill.
const VOLLEYS_MAX: u32 = 60;
/// Share of the kills after which the server has a sandbox.
const SANDBOX_FROM: f64 = 0.6;
/// Longest time that a server stays down.
const DOWN_MS_MAX: u64 = 400;
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Everything that a kill needs.
pub(super) struct Killer<'a> {
    pub(super) seed: u64,
    pub(super) holds: u64,
    pub(super) kills: u64,
    pub(super) server: &'a mut Server,
    pub(super) live: Arc<Live>,
    /// A till of its own: the crowd's runs on another thread.
    pub(super) till: Till,
    pub(super) runtime: &'a tokio::runtime::Runtime,
    pub(super) data: std::path::PathBuf,
}

impl Killer<'_> {
    /// Kills as often as planned, spread over the run; the server serves again afterwards.
    pub(super) fn carry_out(
        mut self,
        say: &mut impl FnMut(&str),
    ) -> Result<KillCounts, DrillError> {
        let mut counts = KillCounts::default();
        let mut rng = StdRng::seed_from_u64(self.seed ^ 0x6B69_6C6C);
        for kill in 1..=self.kills {
            self.wait_holds(self.holds * kill / (self.kills + 1))?;
            if self.wants_sandbox(kill) {
                self.server
                    .use_setup(Setup::new(SANDBOX).with_settings(super::SETTINGS.to_owned()));
                say("from the next start on the server has a sandbox: viewers pay there");
            }
            let is_between = kill % BETWEEN_EVERY == 0 || kill == self.kills;
            let when = if is_between && counts.between < super::kills_between(self.kills) {
                self.between(&mut counts, kill, &mut rng)?
            } else {
                thread::sleep(Duration::from_millis(rng.random_range(0..300)));
                let in_flight = self.wait_in_flight()?;
                self.server.kill()?;
                self.restart(&mut rng)?;
                format!("{in_flight} reports without an answer")
            };
            counts.all += 1;
            if self.wants_sandbox(kill) {
                self.live.has_sandbox.store(true, Ordering::Relaxed);
            }
            let (holds, books) = (self.live.holds.load(Ordering::Relaxed), self.till.books.lock());
            let payments = books.payments.len();
            say(&format!(
                "kill {kill} of {}: {when}; {holds} holds, {payments} payments so far",
                self.kills
            ));
        }
        Ok(counts)
    }

    fn wants_sandbox(&self, kill: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "kills are few")]
        let from = (self.kills as f64 * SANDBOX_FROM).ceil();
        #[expect(clippy::cast_precision_loss, reason = "kills are few")]
        let at = kill as f64;
        at >= from && !self.live.has_sandbox.load(Ordering::Relaxed)
    }

    /// Kills between a record and its answer; in words.
    fn between(
        &mut self,
        counts: &mut KillCounts,
        kill: u64,
        rng: &mut StdRng,
    ) -> Result<String, DrillError> {
        self.live.needs_holds.store(true, Ordering::Relaxed);
        for attempt in 0..VOLLEYS_MAX {
            let holds = self.wait_for(|live| live.waiting.lock().take(between::REPORTS))?;
            let name = format!("volley-{}-{kill}-{attempt}", self.seed);
            let mut volley = Volley::aim(&self.till, &holds, &name);
            let hit = volley.fly(&self.till, self.server, &self.data)?;
            if hit {
                self.server.kill()?;
            }
            volley.hear_rest();
            if hit {
                self.restart(rng)?;
            }
            let proven = self.runtime.block_on(volley.settle(&self.till, hit))?;
            if hit {
                counts.between += u64::from(proven > 0);
                self.live.needs_holds.store(false, Ordering::Relaxed);
                let volleys = attempt + 1;
                return Ok(format!(
                    "between record and answer, volley {volleys}: the restarted server knows {proven} payments that \
                     nobody was told of"
                ));
            }
        }
        Err(out_of_patience("a moment between a record and its answer"))
    }

    fn restart(&mut self, rng: &mut StdRng) -> Result<(), DrillError> {
        thread::sleep(Duration::from_millis(rng.random_range(0..=DOWN_MS_MAX)));
        self.server.restart()?;
        self.server.wait_serving()
    }

    fn wait_holds(&self, holds: u64) -> Result<(), DrillError> {
        let (mut seen, mut looks) = (0, 0);
        let looks_max = PATIENCE.as_millis() / LOOK_EVERY.as_millis();
        loop {
            let now = self.live.holds.load(Ordering::Relaxed);
            if now >= holds {
                return Ok(());
            }
            looks = if now > seen { 0 } else { looks + 1 };
            seen = now;
            if looks > looks_max || self.live.is_over.load(Ordering::Relaxed) {
                return Err(out_of_patience("more holds of the crowd"));
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    fn wait_in_flight(&self) -> Result<u64, DrillError> {
        self.wait_for(|live| {
            Some(live.in_flight.load(Ordering::Relaxed)).filter(|count| *count > 0)
        })
    }

    fn wait_for<T>(&self, look: impl Fn(&Live) -> Option<T>) -> Result<T, DrillError> {
        for _ in 0..PATIENCE.as_millis() / LOOK_EVERY.as_millis() {
            if let Some(found) = look(&self.live) {
                return Ok(found);
            }
            if self.live.is_over.load(Ordering::Relaxed) {
                break;
            }
            thread::sleep(LOOK_EVERY);
        }
        Err(out_of_patience("reports of the crowd"))
    }
}
