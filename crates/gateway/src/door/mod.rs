//! A door: accepts connections, shakes hands, hands them to a core.
//!
//! Everything here may be slow, hostile or many at once; it runs on threads of its own, which stand
//! back behind the cores. tokio waits for the slow ones, tungstenite knows the handshake.

mod arrival;
pub(crate) mod handshake;
mod listener;
mod unfinished;

use std::{io, net, sync::Arc, time::Duration};

use stampede_domain::RepeatedWarning;
use stampede_engine::Clock;
use stampede_proxies::ClientAddress;
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, Receiver, Sender},
    task::spawn_local,
};
use tracing::{debug, info, warn};

pub(crate) use arrival::Newcomer;
pub(crate) use listener::bind;

use self::{
    arrival::{Arrival, DROPPED},
    unfinished::Unfinished,
};
use crate::{
    metrics::count_handshake,
    shared::{Place, Shared},
    signals::Signal,
};

/// Pause after an accept failed, which mostly means that descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections accepted before others have their turn.
const ACCEPTS_PER_TURN_MAX: usize = 16;
/// Connections above the limit that are told so; further ones are dropped at once.
const TOLD_OVERLOADED_MAX: usize = 1_024;
/// Connections past their handshake that wait for a core. When full: handshakes wait.
const ARRIVALS_MAX: usize = 1_024;

/// The way from every door to one core.
#[derive(Clone)]
pub(crate) struct Way {
    queue: Sender<(Newcomer, Place)>,
    signal: Arc<Signal>,
}

impl Way {
    /// A way with the core's end of it.
    pub(crate) fn new(signal: Arc<Signal>) -> (Receiver<(Newcomer, Place)>, Self) {
        let (queue, arrivals) = mpsc::channel(ARRIVALS_MAX);
        (arrivals, Self { queue, signal })
    }
}

/// One listener with the ways to the cores.
pub(crate) struct Door {
    pub(crate) listener: net::TcpListener,
    pub(crate) ways: Vec<Way>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shared: Arc<Shared>,
}

impl Door {
    /// Lets connections in until the gateway stops.
    ///
    /// # Errors
    /// The system's, if the listener cannot be waited on.
    pub(crate) async fn serve(self) -> io::Result<()> {
        let Self { listener, ways, clock, shared } = self;
        let listener = TcpListener::from_std(listener)?;
        let accepting = accept_all(listener, ways.into(), clock, Arc::clone(&shared));
        tokio::select! {
            () = accepting => {}
            () = shared.closed() => {}
        }
        Ok(())
    }
}

async fn accept_all(
    listener: TcpListener,
    ways: Arc<[Way]>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
) {
    let mut unfinished = Unfinished::new(shared.config.handshakes_max);
    let mut accepted = 0;
    let mut refused = RepeatedWarning::default();
    loop {
        let (stream, from) = match listener::accept(&listener).await {
            Ok(accepted) => {
                if let Some(times) = refused.over() {
                    info!(times, "connections are accepted again");
                }
                accepted
            }
            Err(why) => {
                if let Some(times) = refused.note(clock.now()) {
                    warn!(%why, times, "cannot accept a connection");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if shared.connections.count() >= shared.config.connections_max + TOLD_OVERLOADED_MAX {
            count_handshake(DROPPED);
            continue;
        }
        let mut arrival = Arrival::new(from, Arc::clone(&clock), Arc::clone(&shared));
        // An address that opens far too many costs nothing beyond this look. A proxy's own says
        // nothing yet about the client behind it.
        let peer = ClientAddress::new(from.ip());
        if !shared.config.trusted_proxies.contains(peer) && arrival.admit(peer).is_err() {
            count_handshake(DROPPED);
            continue;
        }
        let mut slot = unfinished.begin(|| clock.now()).await;
        let (ways, shared) = (Arc::clone(&ways), Arc::clone(&shared));
        spawn_local(async move {
            let newcomer = tokio::select! {
                newcomer = arrival.run(stream) => newcomer,
                () = slot.is_needed() => {
                    count_handshake("displaced");
                    None
                }
            };
            if let Some(newcomer) = newcomer {
                hand_over(newcomer, &ways, &shared).await;
            }
            drop(slot);
        });
        accepted += 1;
        if accepted % ACCEPTS_PER_TURN_MAX == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Gives a connection to the core that has the fewest.
async fn hand_over(newcomer: Newcomer, ways: &[Way], shared: &Shared) {
    debug!(client = %newcomer.client, tls = newcomer.tls.is_some(), "a connection was accepted");
    let place = shared.connections.enter();
    let Way { queue, signal } = &ways[place.core];
    // The core is gone only if the gateway stops, which drops the connection.
    if queue.send((newcomer, place)).await.is_ok() {
        signal.ring();
    } else {
        shared.connections.leave(place.core);
    }
}
