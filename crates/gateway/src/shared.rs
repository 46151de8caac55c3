//! State that the threads of one gateway share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use metrics::{Gauge, gauge};
use parking_lot::RwLock;
use stampede_domain::UnixMillis;
use stampede_engine::{Brake, HealthWatch};
use stampede_wire::ticket::{Ticket, TicketError, TicketVerifier};
use tokio::sync::watch;

use crate::{
    admission::Addresses,
    config::GatewayConfig,
    metrics::{CONNECTIONS, CONNECTIONS_MAX},
};

/// The limits, counts and ticket keys of one gateway, which its doors and cores see alike.
pub(crate) struct GatewayState {
    pub(crate) config: GatewayConfig,
    pub(crate) cores: usize,
    pub(crate) connections: Connections,
    pub(crate) addresses: Addresses,
    pub(crate) brake: Arc<Brake>,
    pub(crate) health: HealthWatch,
    tickets: RwLock<Arc<TicketVerifier>>,
    stopping: AtomicBool,
    /// Tells the doors what `stopping` tells the cores.
    closed: watch::Sender<bool>,
}

impl GatewayState {
    pub(crate) fn new(
        config: GatewayConfig,
        brake: Arc<Brake>,
        health: HealthWatch,
        cores: usize,
        tickets: TicketVerifier,
    ) -> Self {
        Self {
            connections: Connections::new(cores, config.connections_max),
            addresses: Addresses::new(config.address_limits()),
            config,
            brake,
            health,
            cores,
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

    /// Checks tickets with other keys from now on.
    pub(crate) fn set_tickets(&self, tickets: TicketVerifier) {
        *self.tickets.write() = Arc::new(tickets);
    }

    /// Tells doors and cores that the gateway stops; a core that sleeps has to be rung after this.
    pub(crate) fn stop(&self) {
        // ORDERING: Release pairs with the Acquire in `is_stopping`; the signal follows it.
        self.stopping.store(true, Ordering::Release);
        self.closed.send_replace(true);
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
