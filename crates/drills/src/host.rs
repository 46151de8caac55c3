//! The host: presses Pause and Resume on a drop of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use stampede_loadtest::{ControlClient, Latency};
use stampede_swarm::Clock;
use tokio::time::sleep;

use crate::error::DrillError;

/// A host at work.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) control: ControlClient,
    pub(crate) drop: String,
    pub(crate) clock: Clock,
    pub(crate) from_us: u64,
    pub(crate) until_us: u64,
    /// Time between two presses: Pause and Resume in turn.
    pub(crate) every_us: u64,
    /// Whether a press that had to wait for the answer to the one before counts from when it was due; otherwise it counts
    /// from that answer on.
    pub(crate) keeps_time: bool,
    /// Ends the presses before their time.
    pub(crate) is_over: Arc<AtomicBool>,
}

/// How long presses took, from the moment that each counts from.
#[derive(Debug)]
pub(crate) struct Presses {
    pub(crate) pause: Latency,
    pub(crate) resume: Latency,
    /// Presses that did nothing, in words.
    pub(crate) failed: Vec<String>,
}

impl Host {
    /// Presses until it is time; blocks the thread. The drop is open at the end.
    pub(crate) fn run(self) -> Result<Presses, DrillError> {
        let failed = |source| DrillError::System { what: "press Pause", source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(runtime.map_err(failed)?.block_on(self.press()))
    }

    async fn press(self) -> Presses {
        let control = self.control.clone().once();
        let mut presses =
            Presses { pause: Latency::new(), resume: Latency::new(), failed: Vec::new() };
        let (mut due_us, mut is_paused) = (self.from_us, false);
        let goes_on = |due_us| due_us < self.until_us && !self.is_over.load(Ordering::Relaxed);
        while goes_on(due_us) || is_paused {
            if !self.keeps_time {
                due_us = due_us.max(self.clock.us());
            }
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
            due_us += self.every_us;
        }
        presses
    }
}
