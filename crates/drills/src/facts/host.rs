//! The host: presses Pause and Resume on a drop of its own.

use std::time::Duration;

use stampede_loadtest::{ControlClient, Latency};
use stampede_swarm::Clock;
use tokio::time::sleep;

use crate::error::DrillError;

/// Time between two presses, in microseconds: Pause and Resume in turn, so five Pauses a second.
const PRESS_EVERY_US: u64 = 100_000;

/// A host at work.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) control: ControlClient,
    pub(super) drop: String,
    pub(super) clock: Clock,
    pub(super) from_us: u64,
    pub(super) until_us: u64,
}

/// How long presses took, from the moment that each was due.
#[derive(Debug)]
pub(super) struct Presses {
    pub(super) pause: Latency,
    pub(super) resume: Latency,
    /// Presses that did nothing, in words.
    pub(super) failed: Vec<String>,
}

impl Host {
    /// Presses until it is time; blocks the thread. The drop is open at the end.
    pub(super) fn run(self) -> Result<Presses, DrillError> {
        let failed = |source| DrillError::System { what: "press Pause", source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(runtime.map_err(failed)?.block_on(self.press()))
    }

    async fn press(self) -> Presses {
        let control = self.control.once();
        let mut presses =
            Presses { pause: Latency::new(), resume: Latency::new(), failed: Vec::new() };
        let (mut due_us, mut is_paused) = (self.from_us, false);
        while due_us < self.until_us || is_paused {
            sleep(Duration::from_micros(due_us.saturating_sub(self.clock.us()))).await;
            let action = if is_paused { "resume" } else { "pause" };
            match control.command_with_reason(&self.drop, action, "a drill").await {
                Ok(()) => {
                    let us = self.clock.us().saturating_sub(due_us);
                    let kind = if is_paused { &mut presses.resume } else { &mut presses.pause };
                    kind.record_us(us);
                    is_paused = !is_paused;
                }
                Err(error) => {
                    presses.failed.push(format!("{action}: {error}"));
                    if presses.failed.len() > 20 {
                        break;
                    }
                }
            }
            due_us += PRESS_EVERY_US;
        }
        presses
    }
}
