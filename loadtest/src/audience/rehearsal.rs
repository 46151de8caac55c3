//! An audience for a rehearsal, in the process of the server that is rehearsed.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use stampede_domain::{DropId, StreamId};
use stampede_wire::ticket::KeySpec;

use super::{AudiencePlan, AudienceReport, Interest, Word, watch};
use crate::Checkout;

/// Most of a crowd click when a drop opens, slowly enough that its host sees them come.
const INTEREST: Interest = Interest { share_percent: 80, rush_ms: 20_000 };

/// Who comes to which rehearsal.
#[derive(Clone, Debug)]
pub struct RehearsalPlan {
    /// Seed of everything that happens by chance; viewers of another seed have other names.
    pub seed: u64,
    /// Where the server listens for viewers.
    pub target: SocketAddr,
    /// The stream that they watch.
    pub stream: StreamId,
    /// Signs their tickets.
    pub ticket_key: KeySpec,
    /// How many they are.
    pub viewers: u32,
}

/// People who watch a rehearsal. They leave when this value is dropped, and give back what they hold.
#[derive(Debug)]
pub struct RehearsalAudience {
    report: Arc<Mutex<AudienceReport>>,
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl RehearsalAudience {
    /// Starts a thread for all of them, who buy in those drops alone for which `draws` says so. `pay` hears of each who
    /// goes to pay; `failed` hears why if they cannot go on.
    ///
    /// # Errors
    /// The system's, if there is no thread.
    pub fn start(
        plan: RehearsalPlan,
        draws: impl Fn(DropId) -> bool + Send + 'static,
        mut pay: impl FnMut(&Checkout) + Send + 'static,
        failed: impl FnOnce(&super::AudienceError) + Send + 'static,
    ) -> io::Result<Self> {
        let RehearsalPlan { seed, target, stream, ticket_key, viewers } = plan;
        let plan = AudiencePlan {
            seed,
            target,
            sources: Vec::new(),
            stream: stream.to_string(),
            ticket_key,
            viewers,
            name_prefix: format!("rehearsal-{seed:016x}-"),
            rehearsal: true,
            interest: BTreeMap::new(),
            usual_interest: INTEREST,
            promise_logs: None,
        };
        let report = Arc::new(Mutex::new(AudienceReport::default()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (told, stop) = (Arc::clone(&report), Arc::clone(&stopped));
        let play = move || {
            let tell = |word: Word<'_>| {
                match word {
                    Word::Report(now) => now.clone_into(&mut told.lock()),
                    Word::Checkout(checkout) => pay(checkout),
                }
                Ok(())
            };
            if let Err(error) = watch(&plan, draws, tell, &stop) {
                failed(&error);
            }
        };
        // It ends by itself soon after the value is dropped: whoever drops it must not wait for sockets.
        let thread = thread::Builder::new().name("rehearsal".to_owned()).spawn(play)?;
        Ok(Self { report, stopped, thread })
    }

    /// Whether they cannot go on, and have left by themselves.
    pub fn has_left(&self) -> bool {
        self.thread.is_finished()
    }

    /// How they stand.
    pub fn report(&self) -> AudienceReport {
        self.report.lock().clone()
    }
}

impl Drop for RehearsalAudience {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}
