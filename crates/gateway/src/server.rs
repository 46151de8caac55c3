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
use stampede_engine::{Brake, CorePort};
use stampede_settlement::Settlement;
use stampede_wire::ticket::{Ticket, TicketError, TicketVerifier};
use tokio::sync::watch;
use tracing::error;

use crate::{
    admission::Addresses,
    config::{ConfigError, GatewayConfig},
    door::{Door, Way},
    listener,
    metrics::{CONNECTIONS, CONNECTIONS_MAX},
    runtime::{self, Seat},
    signals::{CoreSignals, Signal},
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
    pub(crate) addresses: Addresses,
    pub(crate) brake: Arc<Brake>,
    tickets: RwLock<Arc<TicketVerifier>>,
    stopping: AtomicBool,
    /// Tells the doors what `stopping` tells the cores.
    closed: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn new(
        config: GatewayConfig,
        brake: Arc<Brake>,
        cores: usize,
        settlement: Arc<Settlement>,
        tickets: TicketVerifier,
    ) -> Self {
        Self {
            connections: Connections::new(cores, config.connections_max),
            addresses: Addresses::new(config.address_limits()),
            config,
            brake,
            cores,
            settlement,
            tickets: RwLock::new(Arc::new(tickets)),
            stopping: AtomicBool::new(false),
            closed: watch::Sender::new(false),
        }
    }

    pub(crate) fn verify(&self, ticket: &str, now: UnixMillis) -> Result<Ticket, TicketError> {
        // The lock is held for the clone only: a signature takes a hundred times as long.
        let verifier = Arc::clone(&self.tickets.read());
        verifier.verify(ticket, now)
    }

    /// Ready once the gateway stops.
    pub(crate) async fn closed(&self) {
        let mut closed = self.closed.subscribe();
        // The sender is a part of `self`, so it cannot be gone.
        let _closed = closed.wait_for(|closed| *closed).await;
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

/// Where a connection past its handshake belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The core's number, from 0.
    pub(crate) core: usize,
    /// Whether there were fewer connections than may be when it came.
    pub(crate) is_within: bool,
}

/// Counts connections past their handshake, by core.
pub(crate) struct Connections {
    by_core: Vec<AtomicUsize>,
    count: AtomicUsize,
    max: usize,
    gauge: Gauge,
}

impl Connections {
    fn new(cores: usize, max: usize) -> Self {
        let by_core = (0..cores).map(|_| AtomicUsize::new(0)).collect();
        let (gauge, limit) = (gauge!(CONNECTIONS), gauge!(CONNECTIONS_MAX));
        limit.set(f64::from(u32::try_from(max).unwrap_or(u32::MAX)));
        Self { by_core, count: AtomicUsize::new(0), max, gauge }
    }

    pub(crate) fn count(&self) -> usize {
        // ORDERING: Relaxed here and below: a limit on a count, nothing else hangs on it.
        self.count.load(Ordering::Relaxed)
    }

    /// Whether the connections are no more than may be.
    pub(crate) fn is_within(&self) -> bool {
        self.count() <= self.max
    }

    /// Counts one more, on the core that has the fewest.
    ///
    /// Whether it is one too many is decided here, where they come one after the other: a core may
    /// get to an earlier connection later than another core to the one that was too many.
    pub(crate) fn enter(&self) -> Place {
        let fewest = self.by_core.iter().enumerate().min_by_key(|(_, n)| n.load(Ordering::Relaxed));
        let (core, count) = fewest.expect("a gateway has a core");
        count.fetch_add(1, Ordering::Relaxed);
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        self.gauge.increment(1.0);
        Place { core, is_within: before < self.max }
    }

    pub(crate) fn leave(&self, core: usize) {
        self.gauge.decrement(1.0);
        self.by_core[core].fetch_sub(1, Ordering::Relaxed);
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The viewers' sockets, bound before anything of a start is written. Connections wait in the
/// kernel's queue until the gateway starts.
#[derive(Debug)]
pub struct ViewerListeners {
    address: SocketAddr,
    listeners: Vec<std::net::TcpListener>,
}

impl ViewerListeners {
    /// Binds one socket for each of `cores` cores to `address`; port 0 lets the system choose.
    ///
    /// # Errors
    /// [`StartError::Listen`], also if somebody else listens there.
    pub fn bind(address: SocketAddr, cores: usize) -> Result<Self, StartError> {
        let listen = |why| StartError::Listen { address, why };
        let listeners = listener::bind(address, cores).map_err(listen)?;
        let address = match listeners.first() {
            Some(first) => first.local_addr().map_err(listen)?,
            None => address,
        };
        Ok(Self { address, listeners })
    }
}

/// A running gateway. Dropping it does not stop it; [`Gateway::shutdown`] does.
pub struct Gateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    signals: Vec<Arc<Signal>>,
    threads: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Lets viewers in, with one thread for each port; there is a socket for each. `signals` are
    /// those whose wakes the engine was started with; the metrics recorder has to be installed before.
    ///
    /// # Errors
    /// [`StartError`]; nobody was let in then.
    pub fn start(
        config: GatewayConfig,
        ViewerListeners { address, listeners }: ViewerListeners,
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
        let Some(brake) = ports.first().map(|port| Arc::clone(port.brake())) else {
            return Err(StartError::Signals { signals: 0, ports: 0 });
        };
        let shared = Arc::new(Shared::new(config, brake, cores, settlement, tickets));
        let mut gateway = Self { shared, address, signals, threads: Vec::with_capacity(2 * cores) };
        match gateway.spawn(ports, listeners) {
            Ok(()) => Ok(gateway),
            Err(why) => {
                gateway.shutdown();
                Err(why.into())
            }
        }
    }

    /// Starts the cores, then the doors that lead to them.
    fn spawn(
        &mut self,
        ports: Vec<CorePort>,
        listeners: Vec<std::net::TcpListener>,
    ) -> io::Result<()> {
        let mut ways = Vec::with_capacity(ports.len());
        let clocks: Vec<_> = ports.iter().map(CorePort::clock).collect();
        for (core, port) in ports.into_iter().enumerate() {
            let signal = Arc::clone(&self.signals[core]);
            let (arrivals, way) = Way::new(Arc::clone(&signal));
            let seat = Seat { port, signal, arrivals, shared: Arc::clone(&self.shared) };
            self.threads.push(runtime::spawn_core(core, seat)?);
            ways.push(way);
        }
        for (number, (listener, clock)) in listeners.into_iter().zip(clocks).enumerate() {
            let (ways, shared) = (ways.clone(), Arc::clone(&self.shared));
            let door = Door { listener, ways, clock, shared };
            self.threads.push(runtime::spawn_door(number, door)?);
        }
        Ok(())
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
        self.shared.closed.send_replace(true);
        for signal in &self.signals {
            signal.ring();
        }
        for thread in self.threads {
            if thread.join().is_err() {
                error!("a gateway thread panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_connection_that_was_too_many_is_over_the_limit() {
        let connections = Connections::new(2, 2);
        let [first, second] = [connections.enter(), connections.enter()];
        let third = connections.enter();
        assert!(!connections.is_within());
        assert_eq!([first, second, third].map(|place| place.is_within), [true, true, false]);
        assert_ne!(first.core, second.core, "each to the core that has the fewest");
        connections.leave(second.core);
        connections.leave(third.core);
        assert_eq!(connections.count(), 1);
        assert!(connections.enter().is_within);
    }
}
