//! Listening sockets: one for each core on the same port, shared out by the kernel.

use std::{io, net::SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

/// Connections that may wait for a core to accept them; the kernel caps it at its own limit.
const BACKLOG: i32 = 16_384;

/// Binds `count` listeners to one address; with port 0 the first one's port counts for all.
///
/// # Errors
/// The system's error, with nothing left bound.
pub(crate) fn bind(
    mut address: SocketAddr,
    count: usize,
) -> io::Result<Vec<std::net::TcpListener>> {
    let mut listeners = Vec::with_capacity(count);
    for _ in 0..count {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = std::net::TcpListener::from(socket);
        address = listener.local_addr()?;
        listeners.push(listener);
    }
    Ok(listeners)
}

/// The next connection; one that is gone before it was accepted is passed over.
///
/// # Errors
/// The system's, when it has no descriptor or no memory to give.
pub(crate) async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    loop {
        match listener.accept().await {
            Ok((stream, _)) if stream.set_nodelay(true).is_ok() => return Ok(stream),
            Ok(_) => {}
            Err(why) if matches!(why.kind(), ConnectionAborted | ConnectionReset | Interrupted) => {
            }
            Err(why) => return Err(why),
        }
    }
}
