//! The thread that checks the rows which a start leaves alone.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{JournalSource, Now, ReadError, Review, metrics::ReviewMeter};

/// Time between two steps, so that a round takes a twentieth of a core at most.
const STEP_PAUSE: Duration = Duration::from_millis(100);
/// Time between two rounds.
const ROUND_PAUSE: Duration = Duration::from_hours(1);

/// The thread's owner; it ends with it.
#[derive(Debug)]
pub struct Reviewer {
    thread: Option<JoinHandle<()>>,
    must_stop: Arc<AtomicBool>,
}

impl Reviewer {
    /// Starts to read the ledger, again and again, opened anew for each round. What it finds wrong is logged
    /// and counted; the sale goes on.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn spawn(source: Arc<dyn JournalSource>, wall: Now) -> io::Result<Self> {
        let must_stop = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&must_stop);
        let meter = ReviewMeter::new();
        let work = move || {
            while !stop.load(Ordering::Acquire) {
                if let Err(error) = round(&*source, &stop, &wall, &meter) {
                    tracing::error!(%error, "the ledger's background reader cannot read it");
                }
                if !stop.load(Ordering::Acquire) {
                    thread::park_timeout(ROUND_PAUSE);
                }
            }
        };
        let thread = thread::Builder::new().name("ledger-review".into()).spawn(work)?;
        Ok(Self { thread: Some(thread), must_stop })
    }
}

/// Reads the journal once from its start to its end, unless told to stop.
fn round(
    source: &dyn JournalSource,
    stop: &AtomicBool,
    wall: &Now,
    meter: &ReviewMeter,
) -> Result<(), ReadError> {
    let mut review = match source.open() {
        Err(error) if error.is_damage() => {
            tell(&error);
            meter.round_ended(None, 1);
            return Ok(());
        }
        opened => Review::new(opened?),
    };
    let mut faults = 0;
    while !stop.load(Ordering::Acquire) {
        let done = review.step()?;
        done.faults.iter().for_each(|fault| tell(fault));
        faults += done.faults.len();
        meter.stepped(&done, faults);
        if done.round_ended {
            meter.round_ended(done.is_whole.then(|| wall()), faults);
            return Ok(());
        }
        thread::park_timeout(STEP_PAUSE);
    }
    Ok(())
}

fn tell(fault: &dyn fmt::Display) {
    let why = "the ledger is damaged in rows that the start has left alone; selling goes on";
    tracing::error!(%fault, "{why}; keep the files, see `stampede verify`");
}

impl Drop for Reviewer {
    fn drop(&mut self) {
        self.must_stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the ledger's background reader had panicked");
            }
        }
    }
}
