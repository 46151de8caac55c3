//! The running gateway: its threads with what they share.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

use metrics::{Gauge, gauge};
use parking_lot::RwLock;
use stampede_domain::UnixMillis;
use stampede_engine::CorePort;
use stampede_settlement::Settlement;
use stampede_wire::ticket::{Ticket, TicketError, TicketVerifier};
use tokio::sync::Notify;
use tracing::error;

use crate::{
    config::{ConfigError, GatewayConfig},
    listener,
    metrics::CONNECTIONS,
    runtime::{self, Seat},
    signals::CoreSignals,
};

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There must be one signal for each port.
    #[error("{signals} signals were given for {ports} cores")]
    Signals {
        /// Signals given.
        signals: usize,
        /// Ports given.
        ports: usize,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        why: io::Error,
    },
    /// The system has no thread to give.
    #[error("cannot start a gateway thread: {0}")]
    Thread(#[from] io::Error),
}

/// What the cores of one gateway share.
pub(crate) struct Shared {
    pub(crate) config: GatewayConfig,
    pub(crate) cores: usize,
    pub(crate) settlement: Arc<Settlement>,
    pub(crate) connections: Connections,
    tickets: RwLock<Arc<TicketVerifier>>,
    stopping: AtomicBool,
}

impl Shared {
    pub(crate) fn verify(&self, ticket: &str, now: UnixMillis) -> Result<Ticket, TicketError> {
        // The lock is held for the clone only: a signature takes a hundred times as long.
        let verifier = Arc::clone(&self.tickets.read());
        verifier.verify(ticket, now)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

/// Counts connections over all cores.
pub(crate) struct Connections {
    count: AtomicUsize,
    max: usize,
    gauge: Gauge,
}

impl Connections {
    fn new(max: usize) -> Self {
        Self { count: AtomicUsize::new(0), max, gauge: gauge!(CONNECTIONS) }
    }

    pub(crate) fn count(&self) -> usize {
        // ORDERING: Relaxed: a limit on a count, nothing else hangs on it.
        self.count.load(Ordering::Relaxed)
    }

    /// Counts one more; `false` if there are too many with it.
    pub(crate) fn admit(&self) -> bool {
        self.gauge.increment(1.0);
        self.count.fetch_add(1, Ordering::Relaxed) < self.max
    }

    pub(crate) fn leave(&self) {
        self.gauge.decrement(1.0);
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A running gateway. Dropping it does not stop it; [`Gateway::shutdown`] does.
pub struct Gateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    signals: Vec<Arc<Notify>>,
    threads: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Listens, with one thread for each port. `signals` are those whose wakes the engine was
    /// started with; the metrics recorder has to be installed before.
    ///
    /// # Errors
    /// [`StartError`]; nobody was let in then.
    pub fn start(
        config: GatewayConfig,
        ports: Vec<CorePort>,
        signals: CoreSignals,
        settlement: Arc<Settlement>,
        tickets: TicketVerifier,
    ) -> Result<Self, StartError> {
        config.validate()?;
        let signals = signals.into_inner();
        if signals.len() != ports.len() {
            return Err(StartError::Signals { signals: signals.len(), ports: ports.len() });
        }
        let cores = ports.len();
        let listeners = listener::bind(config.listen, cores)
            .map_err(|why| StartError::Listen { address: config.listen, why })?;
        let address = match listeners.first() {
            Some(listener) => listener.local_addr()?,
            None => config.listen,
        };
        let shared = Arc::new(Shared {
            connections: Connections::new(config.connections_max),
            config,
            cores,
            settlement,
            tickets: RwLock::new(Arc::new(tickets)),
            stopping: AtomicBool::new(false),
        });
        let mut gateway = Self { shared, address, signals, threads: Vec::with_capacity(cores) };
        for (core, (port, listener)) in ports.into_iter().zip(listeners).enumerate() {
            let signal = Arc::clone(&gateway.signals[core]);
            let shared = Arc::clone(&gateway.shared);
            match runtime::spawn(core, Seat { port, signal, listener, shared }) {
                Ok(thread) => gateway.threads.push(thread),
                Err(why) => {
                    gateway.shutdown();
                    return Err(why.into());
                }
            }
        }
        Ok(gateway)
    }

    /// Where viewers connect.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Connections that have finished their handshake.
    pub fn connections(&self) -> usize {
        self.shared.connections.count()
    }

    /// Checks tickets with other keys from now on; open connections keep theirs.
    pub fn set_tickets(&self, tickets: TicketVerifier) {
        *self.shared.tickets.write() = Arc::new(tickets);
    }

    /// Lets nobody in any more, lets durable answers leave, tells clients to go, waits for that.
    /// The engine has to run until this returns.
    pub fn shutdown(self) {
        // ORDERING: Release pairs with the Acquire in `is_stopping`; the signal follows it.
        self.shared.stopping.store(true, Ordering::Release);
        for signal in &self.signals {
            signal.notify_one();
        }
        for thread in self.threads {
            if thread.join().is_err() {
                error!("a gateway thread panicked");
            }
        }
    }
}
