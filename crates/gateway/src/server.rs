//! The running gateway: how its threads start, how they stop.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    thread::{self, JoinHandle},
};

use stampede_engine::CorePort;
use stampede_proxies::ProxyProtocol;
use stampede_wire::ticket::TicketVerifier;
use tokio::{runtime::Builder, task::LocalSet};
use tracing::{error, warn};

use crate::{
    config::{ConfigError, GatewayConfig},
    core::{Core, CoreSignals, Entrance, Signal},
    door::{self, Door, Preamble},
    sessions::Sessions,
    shared::GatewayState,
};

/// How much a door stands back, as a nice value: with both busy a core gets nine tenths of a
/// processor, a door one.
const DOOR_NICE: i32 = 10;

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
        let listeners = door::bind(address, cores).map_err(listen)?;
        let address = match listeners.first() {
            Some(first) => first.local_addr().map_err(listen)?,
            None => address,
        };
        Ok(Self { address, listeners })
    }
}

/// A running gateway. Dropping it does not stop it; [`Gateway::shutdown`] does.
pub struct Gateway {
    shared: Arc<GatewayState>,
    address: SocketAddr,
    /// Where this machine dials without TLS and PROXY, where viewers need them.
    plain_address: Option<SocketAddr>,
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
        tickets: TicketVerifier,
    ) -> Result<Self, StartError> {
        config.validate()?;
        let signals = signals.into_inner();
        if signals.len() != ports.len() {
            return Err(StartError::Signals { signals: signals.len(), ports: ports.len() });
        }
        let cores = ports.len();
        let Some(port) = ports.first() else {
            return Err(StartError::Signals { signals: 0, ports: 0 });
        };
        let (brake, health) = (Arc::clone(port.brake()), port.health_watch());
        let shared = Arc::new(GatewayState::new(config, brake, health, cores, tickets));
        let is_plain =
            shared.config.tls.is_none() && shared.config.proxy_protocol == ProxyProtocol::Off;
        let own = if is_plain { None } else { Some(bind_own()?) };
        let plain_address = own.as_ref().map(|(address, _)| *address);
        let threads = Vec::with_capacity(2 * cores + 1);
        let mut gateway = Self { shared, address, plain_address, signals, threads };
        match gateway.spawn(ports, listeners, own.map(|(_, listener)| listener)) {
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
        own: Option<std::net::TcpListener>,
    ) -> io::Result<()> {
        let mut entrances = Vec::with_capacity(ports.len());
        let clocks: Vec<_> = ports.iter().map(CorePort::clock).collect();
        for (number, port) in ports.into_iter().enumerate() {
            let signal = Arc::clone(&self.signals[number]);
            let (newcomers, entrance) = Entrance::new(Arc::clone(&signal));
            let sessions = Sessions::new(port, Arc::clone(&self.shared));
            let shared = Arc::clone(&self.shared);
            let core = Core::new(number, sessions, signal, newcomers, shared)?;
            self.threads.push(spawn_core(number, core)?);
            entrances.push(entrance);
        }
        let config = &self.shared.config;
        let viewers = Preamble { tls: config.tls.clone(), proxy: config.proxy_protocol };
        let plain = Preamble { tls: None, proxy: ProxyProtocol::Off };
        let own = own.zip(clocks.first().cloned()).map(|(own, clock)| (own, clock, plain));
        let doors = listeners.into_iter().zip(clocks);
        let doors = doors.map(|(listener, clock)| (listener, clock, viewers.clone())).chain(own);
        for (number, (listener, clock, preamble)) in doors.enumerate() {
            let (entrances, shared) = (entrances.clone(), Arc::clone(&self.shared));
            let door = Door { listener, preamble, entrances, clock, shared };
            self.threads.push(spawn_door(number, door)?);
        }
        Ok(())
    }

    /// Where viewers connect.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where programs of this machine connect without TLS and without a PROXY header: where viewers do, or, where
    /// viewers need one of the two, at a port of loopback that the system has chosen.
    pub fn plain_addr(&self) -> SocketAddr {
        self.plain_address.unwrap_or(self.address)
    }

    /// Connections that have finished their handshake.
    pub fn connections(&self) -> usize {
        self.shared.connections.count()
    }

    /// Checks tickets with other keys from now on; open connections keep theirs.
    pub fn set_tickets(&self, tickets: TicketVerifier) {
        self.shared.set_tickets(tickets);
    }

    /// Lets nobody in any more, lets durable answers leave, tells clients to go, waits for that.
    /// The engine has to run until this returns.
    pub fn shutdown(self) {
        self.shared.stop();
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

/// Binds a port of loopback for this machine's own programs.
///
/// # Errors
/// [`StartError::Listen`].
fn bind_own() -> Result<(SocketAddr, std::net::TcpListener), StartError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listen = |why| StartError::Listen { address, why };
    let listener = door::bind(address, 1).map_err(listen)?.remove(0);
    Ok((listener.local_addr().map_err(listen)?, listener))
}

/// Aborts the process when a panic passes: a core that goes on with half a decision is worse.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            error!("a gateway thread panicked");
            std::process::abort();
        }
    }
}

/// Starts a core's thread.
///
/// # Errors
/// The system's, if it has no thread to give.
fn spawn_core(number: usize, core: Core) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(format!("gateway-{number}")).spawn(move || {
        let _abort = AbortOnPanic;
        core.run();
    })
}

/// Starts a door's thread.
///
/// # Errors
/// The system's, if it has no thread or no reactor to give.
fn spawn_door(number: usize, door: Door) -> io::Result<JoinHandle<()>> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    thread::Builder::new().name(format!("door-{number}")).spawn(move || {
        let _abort = AbortOnPanic;
        // On Linux a nice value belongs to the thread that asks.
        if let Err(errno) = rustix::process::setpriority_process(None, DOOR_NICE) {
            warn!(%errno, "arrivals have the same priority as the sale");
        }
        if let Err(why) = LocalSet::new().block_on(&runtime, door.serve()) {
            error!(%why, "a door cannot open");
        }
    })
}
