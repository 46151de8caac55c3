//! The running payments: one value that the server starts and stops.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
};

use parking_lot::Mutex;
use stampede_domain::PaymentAccount;
use stampede_engine::Engine;

use crate::{
    Provider,
    config::ConfigError,
    sandbox::Sandbox,
    worker::{self, Shared},
};

/// Asks the provider that viewers pay at. Dropping it does not stop it; [`Payments::shutdown`] does.
pub struct Payments {
    running: Option<Running>,
}

struct Running {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Why payments do not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system has no thread to give.
    #[error("cannot start the payments thread: {0}")]
    Thread(#[from] io::Error),
}

impl Provider {
    /// The account that viewers pay at, for [`EngineConfig`](stampede_engine::EngineConfig).
    ///
    /// # Panics
    /// Never: the name is a constant.
    pub fn viewers_pay_at(&self) -> Option<PaymentAccount> {
        match self {
            Self::External => None,
            Self::Sandbox(_) => {
                Some(PaymentAccount::new("sandbox").expect("a short name of letters"))
            }
        }
    }
}

impl Payments {
    /// Starts asking a provider; the engine was started with the same one's
    /// [`Provider::viewers_pay_at`].
    ///
    /// # Errors
    /// [`StartError`]; no payment is taken then.
    pub fn start(engine: &Arc<Engine>, provider: Provider) -> Result<Arc<Self>, StartError> {
        let Provider::Sandbox(config) = provider else {
            return Ok(Arc::new(Self { running: None }));
        };
        config.validate()?;
        let shared = Arc::new(Shared::default());
        let woken = Arc::clone(&shared);
        engine.wake_for_attempts(Arc::new(move || woken.look.notify_one()));
        let thread = worker::spawn(Arc::clone(engine), Arc::clone(&shared), Sandbox::new(config))?;
        let thread = Mutex::new(Some(thread));
        Ok(Arc::new(Self { running: Some(Running { shared, thread }) }))
    }

    /// Attempts that the provider was asked about whose outcome is not durable.
    pub fn under_way(&self) -> usize {
        self.running.as_ref().map_or(0, |running| running.shared.under_way.load(Ordering::Relaxed))
    }

    /// Stops asking. Attempts without an answer stay under way; the next start asks about them. Does nothing the
    /// second time.
    pub fn shutdown(&self) {
        let Some(running) = &self.running else { return };
        let Some(thread) = running.thread.lock().take() else { return };
        running.shared.stop.notify_one();
        if thread.join().is_err() {
            tracing::error!("the payments thread panicked");
        }
    }
}
