//! A new connection up to its first request: PROXY header, then TLS.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use stampede_proxies::{Peer, take_preamble};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{ControlConfig, metrics};

/// The bytes of a connection, with TLS or without.
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Opens a connection within its time; `None` if it is of no use, which is counted with the reason.
pub(crate) async fn open(
    stream: TcpStream,
    from: SocketAddr,
    config: &ControlConfig,
) -> Option<(Transport, Peer)> {
    match timeout(config.opening_wait.to_std(), negotiate(stream, from, config)).await {
        Ok(Ok(opened)) => {
            metrics::count_opening("opened");
            return Some(opened);
        }
        Ok(Err(reason)) => metrics::count_opening(reason),
        Err(_) => metrics::count_opening("timed_out"),
    }
    None
}

async fn negotiate(
    mut stream: TcpStream,
    from: SocketAddr,
    config: &ControlConfig,
) -> Result<(Transport, Peer), &'static str> {
    let trusted = &config.trusted_proxies;
    let peer = take_preamble(&mut stream, from, config.proxy_protocol, trusted).await;
    let peer = peer.map_err(|why| {
        tracing::debug!(%from, %why, "a connection was dropped");
        why.reason()
    })?;
    let transport = match &config.tls {
        None => Transport::Plain(stream),
        Some(tls) => {
            let accepted = TlsAcceptor::from(std::sync::Arc::clone(tls)).accept(stream).await;
            let stream = accepted.map_err(|why| {
                tracing::debug!(peer = %peer.address, %why, "a TLS handshake failed");
                "tls_failed"
            })?;
            Transport::Tls(Box::new(stream))
        }
    };
    Ok((transport, peer))
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
