//! The listener's loop: connections within limits, finished gracefully.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use socket2::SockRef;
use stampede_domain::{DurationMs, RepeatedWarning, UnixMillis};
use stampede_proxies::{ClientAddress, Peer, ProxyProtocol};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use crate::{
    ControlConfig,
    fair_use::{HeldPlace, Places},
    metrics,
    opening::{Transport, open},
    stall::Reading,
};

/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_RETRY: DurationMs = DurationMs::new(100);

/// A connection that may send requests.
struct OpenConnection {
    transport: Transport,
    peer: Peer,
    permit: OwnedSemaphorePermit,
    /// The address's; a trusted proxy's connections are nobody's.
    place: Option<HeldPlace>,
}

/// Answers requests until `shutdown` is done, then lets open connections finish for
/// [`ControlConfig::drain_wait`].
///
/// Commands that were handed to the engine are carried out whether or not their connection lives.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: &ControlConfig,
    shutdown: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(config.connections_max));
    // How many there are in all, the permits say.
    let addresses = Arc::new(Places::new(usize::MAX, config.connections_per_address_max));
    let graceful = GracefulShutdown::new();
    // Those that are still opening have asked for nothing: they go at once when the server stops.
    let mut openings: JoinSet<Option<OpenConnection>> = JoinSet::new();
    let mut connections = JoinSet::new();
    let http = http(config);
    let shared = Arc::new(config.clone());
    let mut refused = RepeatedWarning::default();
    // The time of a row of failures: so many pauses.
    let mut paused = DurationMs::ZERO;
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(opened) = openings.join_next() => {
                if let Ok(Some(opened)) = opened {
                    let read_wait = config.read_wait.to_std();
                    answer(opened, &router, (&http, read_wait), &graceful, &mut connections);
                }
                continue;
            }
            accepted = accept(&listener, &permits, config.read_wait) => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from, permit)) => {
                if let Some(times) = refused.over() {
                    tracing::info!(times, "connections are accepted again");
                }
                let (config, addresses) = (Arc::clone(&shared), Arc::clone(&addresses));
                openings.spawn(async move {
                    // Behind a PROXY header the client's address is not known before it is read.
                    let is_direct = config.proxy_protocol == ProxyProtocol::Off;
                    let place = |address| place_of(address, &addresses, &config);
                    let early = if is_direct { place(from.ip().into())? } else { None };
                    let (transport, peer) = open(stream, from, &config).await?;
                    let place = if is_direct { early } else { place(peer.address)? };
                    Some(OpenConnection { transport, peer, permit, place })
                });
            }
            Err(error) => {
                if let Some(times) = refused.note(UnixMillis::default().plus(paused)) {
                    tracing::warn!(%error, times, "no connection could be accepted");
                }
                paused = DurationMs::new(paused.get() + ACCEPT_RETRY.get());
                tokio::time::sleep(ACCEPT_RETRY.to_std()).await;
            }
        }
    }
    drop(listener);
    openings.shutdown().await;
    if tokio::time::timeout(config.drain_wait.to_std(), graceful.shutdown()).await.is_err() {
        tracing::warn!(left = connections.len(), "connections were cut off at shutdown");
    }
    connections.shutdown().await;
}

fn answer(
    opened: OpenConnection,
    router: &Router,
    (http, read_wait): (&http1::Builder, Duration),
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) {
    let OpenConnection { transport, peer, permit, place } = opened;
    let router = TowerToHyperService::new(router.clone());
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let transport = Reading::within(read_wait, transport);
    let connection = graceful.watch(http.serve_connection(TokioIo::new(transport), service));
    connections.spawn(async move {
        // A client that breaks off or speaks no HTTP is its own affair.
        if let Err(error) = connection.await {
            tracing::debug!(client = %peer.address, %error, "a connection ended early");
        }
        drop((permit, place));
    });
}

fn http(config: &ControlConfig) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(config.header_wait.to_std())
        .max_headers(config.headers_max)
        .max_buf_size(config.header_bytes_max);
    http
}

/// A place among the connections of an address, none for a trusted proxy's; `None` if the address has as
/// many as it may.
#[expect(clippy::option_option, reason = "a connection of nobody's is not one too many")]
fn place_of(
    address: ClientAddress,
    addresses: &Places,
    config: &ControlConfig,
) -> Option<Option<HeldPlace>> {
    if config.trusted_proxies.contains(address) {
        return Some(None);
    }
    let Ok(place) = addresses.take(&address.to_string()) else {
        metrics::count_opening("address_full");
        tracing::debug!(client = %address, "a connection too many of one address was dropped");
        return None;
    };
    Some(Some(place))
}

/// Takes the permit first: without one, clients wait in the system's own queue. A client that goes away
/// without a word, as a laptop that falls asleep, is given up after `read_wait`.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    read_wait: DurationMs,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.expect("nobody closes the semaphore");
    let (stream, from) = listener.accept().await?;
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_tcp_user_timeout(Some(read_wait.to_std()))?;
    Ok((stream, from, permit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_sleeps_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let permits = Arc::new(Semaphore::new(1));
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let wait = DurationMs::from_secs(30);
        let (_client, accepted) = tokio::join!(client, accept(&listener, &permits, wait));
        let (stream, ..) = accepted.unwrap();
        assert_eq!(SockRef::from(&stream).tcp_user_timeout().unwrap(), Some(wait.to_std()));
    }
}
