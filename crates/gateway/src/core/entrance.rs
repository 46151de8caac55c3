//! How a connection comes from a door to its core.

use std::{net::TcpStream, sync::Arc};

use rustls::ServerConnection;
use stampede_proxies::ClientAddress;
use stampede_wire::Subprotocol;
use tokio::sync::mpsc::{self, Receiver, Sender, error::SendError};

use super::signals::Signal;
use crate::{admission::Pass, shared::Place};

/// Connections past their handshake that wait for a core. When full: handshakes wait.
const NEWCOMERS_MAX: usize = 1_024;

/// A connection past its handshake.
pub(crate) struct Newcomer {
    pub(crate) stream: TcpStream,
    /// What its bytes go through, unless they travel in the open.
    pub(crate) tls: Option<Box<ServerConnection>>,
    /// What came behind the request: the first frames.
    pub(crate) early: Vec<u8>,
    pub(crate) subprotocol: Subprotocol,
    /// Who is at the other end, behind all trusted proxies.
    pub(crate) client: ClientAddress,
    pub(crate) pass: Pass,
}

/// The queue into one core, with the bell that tells it to look.
#[derive(Clone)]
pub(crate) struct Entrance {
    queue: Sender<(Newcomer, Place)>,
    signal: Arc<Signal>,
}

impl Entrance {
    /// An entrance with the core's end of its queue.
    pub(crate) fn new(signal: Arc<Signal>) -> (Receiver<(Newcomer, Place)>, Self) {
        let (queue, newcomers) = mpsc::channel(NEWCOMERS_MAX);
        (newcomers, Self { queue, signal })
    }

    /// Sends a connection in, rings for it.
    ///
    /// # Errors
    /// The core is gone, which it is only once the gateway stops: the connection is dropped.
    pub(crate) async fn send(
        &self,
        newcomer: Newcomer,
        place: Place,
    ) -> Result<(), SendError<(Newcomer, Place)>> {
        self.queue.send((newcomer, place)).await?;
        self.signal.ring();
        Ok(())
    }
}
