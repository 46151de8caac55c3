//! The least that a server can do: what comes goes back.

use std::{
    collections::HashMap,
    io::{self, ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::fd::AsRawFd as _,
};

use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, Event, EventData, EventFlags},
    io::Errno,
};

const EVENTS_MAX: usize = 1_024;
const READ_BYTES: usize = 64 * 1_024;
/// The listener's name among the sockets; no descriptor is that high.
const LISTENER: u64 = u64::MAX;

/// Serves until the process is killed.
pub(crate) fn serve(listener: &TcpListener) -> io::Result<()> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut streams: HashMap<u64, TcpStream> = HashMap::new();
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS_MAX);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        events.clear();
        match epoll::wait(&epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        for event in &events {
            let name = event.data.u64();
            if name != LISTENER {
                let stays = streams.get(&name).is_none_or(|stream| echo(stream, &mut buffer));
                if !stays {
                    streams.remove(&name);
                }
                continue;
            }
            while let Some(stream) = accept(listener)? {
                let name = u64::try_from(stream.as_raw_fd()).expect("descriptors are not negative");
                epoll::add(&epoll, &stream, EventData::new_u64(name), EventFlags::IN)?;
                streams.insert(name, stream);
            }
        }
    }
}

fn accept(listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    match listener.accept() {
        Ok((stream, _)) => {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            Ok(Some(stream))
        }
        Err(why) if why.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(why) => Err(why),
    }
}

/// One read, one write; whether the connection stays. A client that waits for each answer never
/// lets the socket's buffer fill, so a short write ends the connection.
fn echo(mut stream: &TcpStream, buffer: &mut [u8]) -> bool {
    match stream.read(buffer) {
        Ok(0) => false,
        Ok(bytes) => stream.write(&buffer[..bytes]).is_ok_and(|written| written == bytes),
        Err(why) => why.kind() == ErrorKind::WouldBlock,
    }
}
