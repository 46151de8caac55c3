//! A door: accepts connections, shakes hands, hands them to a core.
//!
//! Everything here may be slow, hostile or many at once; it runs on threads of its own, which stand
//! back behind the cores. tokio waits for the slow ones, httparse reads their requests.

mod arrival;
pub(crate) mod handshake;
mod listener;
mod request;
mod unfinished;

use std::{io, net, sync::Arc, time::Duration};

use stampede_domain::RepeatedWarning;
use stampede_engine::Clock;
use stampede_proxies::ClientAddress;
use tokio::{net::TcpListener, task::spawn_local};
use tracing::{debug, info, warn};

pub(crate) use arrival::Preamble;
pub(crate) use listener::bind;

use self::{
    arrival::{Arrival, DROPPED},
    unfinished::Handshakes,
};
use crate::{
    core::{Entrance, Newcomer},
    metrics::count_handshake,
    shared::GatewayState,
};

/// Pause after an accept failed, which mostly means that descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections accepted before others have their turn.
const ACCEPTS_PER_TURN_MAX: usize = 16;
/// Connections above the limit that are told so; further ones are dropped at once.
const TOLD_OVERLOADED_MAX: usize = 1_024;

/// One listener with the entrances of the cores.
pub(crate) struct Door {
    pub(crate) listener: net::TcpListener,
    pub(crate) preamble: Preamble,
    pub(crate) entrances: Vec<Entrance>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shared: Arc<GatewayState>,
}

impl Door {
    /// Lets connections in until the gateway stops.
    ///
    /// # Errors
    /// The system's, if the listener cannot be waited on.
    pub(crate) async fn serve(self) -> io::Result<()> {
        let Self { listener, preamble, entrances, clock, shared } = self;
        let listener = TcpListener::from_std(listener)?;
        let from = (listener, preamble);
        let accepting = accept_all(from, entrances.into(), clock, Arc::clone(&shared));
        tokio::select! {
            () = accepting => {}
            () = shared.closed() => {}
        }
        Ok(())
    }
}

async fn accept_all(
    (listener, preamble): (TcpListener, Preamble),
    entrances: Arc<[Entrance]>,
    clock: Arc<dyn Clock>,
    shared: Arc<GatewayState>,
) {
    let mut unfinished = Handshakes::new(shared.config.handshakes_max);
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
        let (clock_of, shared_of) = (Arc::clone(&clock), Arc::clone(&shared));
        let mut arrival = Arrival::new(from, clock_of, shared_of, preamble.clone());
        // An address that opens far too many costs nothing beyond this look. A proxy's own says
        // nothing yet about the client behind it.
        let peer = ClientAddress::new(from.ip());
        if !shared.config.trusted_proxies.contains(peer) && arrival.admit(peer).is_err() {
            count_handshake(DROPPED);
            continue;
        }
        let mut slot = unfinished.begin(|| clock.now()).await;
        let (entrances, shared) = (Arc::clone(&entrances), Arc::clone(&shared));
        spawn_local(async move {
            let newcomer = tokio::select! {
                newcomer = arrival.run(stream) => newcomer,
                () = slot.is_needed() => {
                    count_handshake("displaced");
                    None
                }
            };
            if let Some(newcomer) = newcomer {
                hand_over(newcomer, &entrances, &shared).await;
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
async fn hand_over(newcomer: Newcomer, entrances: &[Entrance], shared: &GatewayState) {
    debug!(client = %newcomer.client, tls = newcomer.tls.is_some(), "a connection was accepted");
    let place = shared.connections.enter();
    if entrances[place.core].send(newcomer, place).await.is_err() {
        shared.connections.leave(place.core);
    }
}
