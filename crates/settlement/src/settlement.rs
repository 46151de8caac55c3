//! The running settlement: one value that every gateway core shares.

use std::{io, sync::Arc, thread::JoinHandle};

use parking_lot::Mutex;
use stampede_domain::{HoldId, Refusal, ViewerNumber};
use stampede_engine::Engine;
use tokio::sync::Notify;

use crate::{Provider, attempts::Attempts, config::ConfigError, shared::SharedAttempts, worker};

/// Takes payments for holds. Dropping it does not stop it; [`Settlement::shutdown`] does.
pub struct Settlement {
    sandbox: Option<Sandbox>,
}

struct Sandbox {
    engine: Arc<Engine>,
    shared: Arc<SharedAttempts>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Why settlement does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system has no thread to give.
    #[error("cannot start the settlement thread: {0}")]
    Thread(#[from] io::Error),
}

impl Settlement {
    /// Starts settlement with a provider.
    ///
    /// # Errors
    /// [`StartError`]; no payment is taken then.
    pub fn start(engine: Arc<Engine>, provider: Provider) -> Result<Arc<Self>, StartError> {
        let Provider::Sandbox(config) = provider else {
            return Ok(Arc::new(Self { sandbox: None }));
        };
        config.validate()?;
        crate::metrics::show_attempts_max(config.attempts_max);
        let shared = Arc::new(SharedAttempts {
            attempts: Mutex::new(Attempts::new(config)),
            started: Notify::new(),
            stop: Notify::new(),
        });
        let thread = Mutex::new(Some(worker::spawn(Arc::clone(&engine), Arc::clone(&shared))?));
        Ok(Arc::new(Self { sandbox: Some(Sandbox { engine, shared, thread }) }))
    }

    /// Starts a payment for a viewer's hold. The result comes to all of the viewer's connections as
    /// an event of the engine: ordered, payment failed, or the end of the hold.
    ///
    /// # Errors
    /// The refusal to answer with; nothing was started.
    pub fn pay(&self, viewer: ViewerNumber, hold: HoldId) -> Result<(), Refusal> {
        let Some(Sandbox { engine, shared, .. }) = &self.sandbox else {
            return Err(Refusal::PayNotOffered);
        };
        let mut attempts = shared.attempts.lock();
        let idle = attempts.next_due().is_none();
        attempts.start(engine.now(), viewer, hold, engine.hold(hold))?;
        drop(attempts);
        if idle {
            shared.started.notify_one();
        }
        Ok(())
    }

    /// Payments under way.
    pub fn under_way(&self) -> usize {
        self.sandbox.as_ref().map_or(0, |sandbox| sandbox.shared.attempts.lock().count())
    }

    /// Stops taking payments. Attempts that the provider has not answered are dropped: nothing was
    /// captured, their holds live on. Does nothing the second time.
    pub fn shutdown(&self) {
        let Some(sandbox) = &self.sandbox else { return };
        let Some(thread) = sandbox.thread.lock().take() else { return };
        sandbox.shared.stop.notify_one();
        if thread.join().is_err() {
            tracing::error!("the settlement thread panicked");
        }
    }
}
