//! A door: accepts connections, shakes hands, hands them to a core.
//!
//! Everything here may be slow, hostile or many at once; it runs on threads of its own, which stand
//! back behind the cores. tokio waits for the slow ones, tungstenite knows the handshake.

use std::{io, net, sync::Arc, time::Duration};

use stampede_engine::Clock;
use stampede_wire::Subprotocol;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    task::spawn_local,
    time::timeout,
};
use tracing::warn;

use crate::{
    admission::{Arrival, Pass, TooFast, Unfinished},
    config::GatewayConfig,
    handshake::{Handshake, REQUEST_BYTES_MAX, answer, too_fast},
    listener,
    metrics::count_handshake,
    server::Shared,
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
/// Bytes that are thrown away after a refusal before the connection is dropped.
const LINGER_BYTES_MAX: u64 = 64 << 10;

/// A connection past its handshake.
pub(crate) struct Opened {
    pub(crate) stream: net::TcpStream,
    /// What came behind the request: the first frames.
    pub(crate) early: Vec<u8>,
    pub(crate) subprotocol: Subprotocol,
    pub(crate) pass: Pass,
}

/// The way from every door to one core.
#[derive(Clone)]
pub(crate) struct Way {
    queue: Sender<Opened>,
    signal: Arc<Signal>,
}

impl Way {
    /// A way with the core's end of it.
    pub(crate) fn new(signal: Arc<Signal>) -> (Receiver<Opened>, Self) {
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
        let accepting = accept_all(listener, ways.into(), &*clock, Arc::clone(&shared));
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
    clock: &dyn Clock,
    shared: Arc<Shared>,
) {
    let mut unfinished = Unfinished::new(shared.config.handshakes_max);
    let mut accepted = 0;
    loop {
        let mut slot = unfinished.begin(|| clock.now()).await;
        let (stream, address) = match listener::accept(&listener).await {
            Ok(accepted) => accepted,
            Err(why) => {
                warn!(%why, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if shared.connections.count() >= shared.config.connections_max + TOLD_OVERLOADED_MAX {
            continue;
        }
        let entry = match shared.addresses.arrive(address, clock.now()) {
            Arrival::In(pass) => Ok(pass),
            Arrival::TooFast(too_fast) => Err(too_fast),
            Arrival::Dropped => {
                count_handshake("dropped");
                continue;
            }
        };
        let (ways, shared) = (Arc::clone(&ways), Arc::clone(&shared));
        spawn_local(async move {
            let opened = tokio::select! {
                opened = open(stream, entry, &shared.config) => opened,
                () = slot.is_needed() => {
                    count_handshake("displaced");
                    None
                }
            };
            if let Some(opened) = opened {
                hand_over(opened, &ways, &shared).await;
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
async fn hand_over(opened: Opened, ways: &[Way], shared: &Shared) {
    let core = shared.connections.enter();
    let Way { queue, signal } = &ways[core];
    // The core is gone only if the gateway stops, which drops the connection.
    if queue.send(opened).await.is_ok() {
        signal.ring();
    } else {
        shared.connections.leave(core);
    }
}

/// Reads the request, writes the response; `None` if no connection came of it.
async fn open(
    mut stream: TcpStream,
    entry: Result<Pass, TooFast>,
    config: &GatewayConfig,
) -> Option<Opened> {
    let shaking = shake_hands(&mut stream, entry, config);
    let (outcome, opened) = match timeout(config.handshake_timeout.to_std(), shaking).await {
        Ok(Ok(Some((subprotocol, early, pass)))) => match stream.into_std() {
            Ok(stream) => ("accepted", Some(Opened { stream, early, subprotocol, pass })),
            Err(_) => ("broken", None),
        },
        Ok(Ok(None)) => ("refused", None),
        Ok(Err(_)) => ("broken", None),
        Err(_) => ("timed_out", None),
    };
    count_handshake(outcome);
    opened
}

async fn shake_hands(
    stream: &mut TcpStream,
    entry: Result<Pass, TooFast>,
    config: &GatewayConfig,
) -> io::Result<Option<(Subprotocol, Vec<u8>, Pass)>> {
    let mut received = Vec::with_capacity(1 << 10);
    loop {
        match answer(&received, &config.origins) {
            Handshake::Incomplete => {}
            Handshake::Accepted { response, subprotocol, request_bytes } => match entry {
                Ok(pass) => {
                    stream.write_all(&response).await?;
                    return Ok(Some((subprotocol, received.split_off(request_bytes), pass)));
                }
                Err(why) => return refuse(stream, &too_fast(why)).await.map(|()| None),
            },
            Handshake::Refused { response } => {
                return refuse(stream, &response).await.map(|()| None);
            }
        }
        let room = REQUEST_BYTES_MAX.saturating_sub(received.len()).max(1) as u64;
        if (&mut *stream).take(room).read_buf(&mut received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn refuse(stream: &mut TcpStream, response: &[u8]) -> io::Result<()> {
    stream.write_all(response).await?;
    stream.shutdown().await?;
    // What the client still sends is taken, so that the response is not cut off.
    tokio::io::copy(&mut stream.take(LINGER_BYTES_MAX), &mut tokio::io::sink()).await?;
    Ok(())
}
