//! How the engine's threads wake the gateway's cores.

use std::sync::Arc;

use stampede_engine::Wake;
use tokio::sync::Notify;

/// One signal for each core; made before the engine, which rings, and before the gateway, which
/// listens.
#[derive(Clone, Debug)]
pub struct CoreSignals {
    signals: Vec<Arc<Notify>>,
}

impl CoreSignals {
    /// Signals for `cores` cores.
    pub fn new(cores: usize) -> Self {
        Self { signals: (0..cores).map(|_| Arc::default()).collect() }
    }

    /// What the engine calls: rings that come before the core has looked count as one.
    pub fn wakes(&self) -> Vec<Wake> {
        let wake = |signal: &Arc<Notify>| -> Wake {
            let signal = Arc::clone(signal);
            Arc::new(move || signal.notify_one())
        };
        self.signals.iter().map(wake).collect()
    }

    pub(crate) fn into_inner(self) -> Vec<Arc<Notify>> {
        self.signals
    }
}
