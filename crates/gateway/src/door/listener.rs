//! Listening sockets: one for each core on the same port, shared out by the kernel.

use std::{io, net::SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

/// Connections that may wait for a core to accept them; the kernel caps it at its own limit.
const BACKLOG: i32 = 16_384;

/// Binds `count` listeners to one address; with port 0 the first one's port counts for all.
///
/// # Errors
/// The system's error, also if somebody else listens there; nothing is left bound.
pub(crate) fn bind(
    mut address: SocketAddr,
    count: usize,
) -> io::Result<Vec<std::net::TcpListener>> {
    if address.port() != 0 {
        check_free(address)?;
    }
    let mut listeners = Vec::with_capacity(count);
    for _ in 0..count {
        let socket = socket(address)?;
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

/// Sharing a port would also share it with another server of the same user, which would get every
/// second connection unnoticed. A socket that does not share cannot be bound next to a listener.
fn check_free(address: SocketAddr) -> io::Result<()> {
    socket(address)?.bind(&address.into()).map_err(|why| match why.kind() {
        io::ErrorKind::AddrInUse => io::Error::new(why.kind(), "another server listens there"),
        _ => why,
    })
}

/// Connections of a server that is gone, which the kernel keeps for a minute, are no hindrance.
fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    Ok(socket)
}

/// The next connection with where it comes from; one that is gone before it was accepted is passed
/// over.
///
/// # Errors
/// The system's, when it has no descriptor or no memory to give.
pub(crate) async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    loop {
        match listener.accept().await {
            Ok(accepted) if accepted.0.set_nodelay(true).is_ok() => return Ok(accepted),
            Ok(_) => {}
            Err(why) if matches!(why.kind(), ConnectionAborted | ConnectionReset | Interrupted) => {
            }
            Err(why) => return Err(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    fn bound(address: SocketAddr) -> (Vec<std::net::TcpListener>, SocketAddr) {
        let listeners = bind(address, 2).unwrap();
        let address = listeners[0].local_addr().unwrap();
        assert_eq!(listeners[1].local_addr().unwrap(), address);
        (listeners, address)
    }

    fn any_port() -> SocketAddr {
        ([127, 0, 0, 1], 0).into()
    }

    #[test]
    fn a_second_server_on_the_same_port_is_refused() {
        let (first, address) = bound(any_port());
        let why = bind(address, 2).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(why.to_string(), "another server listens there");
        let everywhere = SocketAddr::from(([0, 0, 0, 0], address.port()));
        assert_eq!(bind(everywhere, 1).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(first);
        bound(address);
    }

    #[test]
    fn a_server_comes_back_although_its_connections_linger() {
        let (listeners, address) = bound(any_port());
        for listener in &listeners {
            listener.set_nonblocking(true).unwrap();
        }
        let mut clients = Vec::new();
        let mut accepted = Vec::new();
        for _ in 0..8 {
            clients.push(std::net::TcpStream::connect(address).unwrap());
        }
        while accepted.len() < clients.len() {
            accepted
                .extend(listeners.iter().filter_map(|listener| Some(listener.accept().ok()?.0)));
        }
        // Some were told something that they have not read, which a killed server leaves behind.
        for mut stream in accepted.iter().step_by(2) {
            stream.write_all(b"held").unwrap();
        }
        // The server's side closes first, which is the side that lingers; half of the clients close
        // as well, so that theirs are over on both sides, the others never do.
        drop((accepted, listeners));
        let open = clients.split_off(4);
        for mut client in clients {
            client.read_to_end(&mut Vec::new()).unwrap();
        }
        let (_listeners, again) = bound(address);
        assert_eq!(again, address);
        drop(open);
    }
}
