//! The sockets of a pool with the loop that serves them.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::OwnedFd,
    time::Duration,
};

use rustix::{
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    io::Errno,
};

use crate::clock::Clock;
use crate::{
    connection::{Connection, Read, Stage},
    line::{End, Line, Player},
};

/// Events that one turn takes.
const EVENTS_MAX: usize = 1_024;
/// The read buffer that all connections share.
const READ_BYTES: usize = 64 * 1024;
/// An emptied buffer of this size stays with its connection.
const REST_BYTES_KEPT: usize = 512;

/// Why a pool cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The system refused something.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// More connections than numbers.
    #[error("a pool has at most {} connections", u32::MAX)]
    Full,
}

/// Connections to one server, served by the thread that calls [`SocketPool::turn`].
pub struct SocketPool<S> {
    epoll: OwnedFd,
    clock: Clock,
    target: SocketAddr,
    sources: Vec<Ipv4Addr>,
    connections: Vec<Connection<S>>,
    events: Vec<Event>,
    read: Vec<u8>,
    out: Vec<u8>,
    open: usize,
    dialling: usize,
}

impl<S> fmt::Debug for SocketPool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, connections, open, dialling, .. } = self;
        let all = connections.len();
        write!(f, "SocketPool({all} seats, {open} open, {dialling} dialling, to {target})")
    }
}

impl<S> SocketPool<S> {
    /// A pool without connections. They come from `sources` in turn, so that ports suffice: one
    /// address has some 28,000. Empty leaves the choice to the system.
    pub fn new(target: SocketAddr, sources: Vec<Ipv4Addr>) -> Result<Self, PoolError> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)
            .map_err(|errno| system("make an epoll", errno.into()))?;
        Ok(Self {
            epoll,
            clock: Clock::start(),
            target,
            sources,
            connections: Vec::new(),
            events: Vec::with_capacity(EVENTS_MAX),
            read: vec![0; READ_BYTES],
            out: Vec::new(),
            open: 0,
            dialling: 0,
        })
    }

    /// Microseconds since the pool was made: the clock of all its figures.
    pub fn now_us(&self) -> u64 {
        self.clock.us()
    }

    /// The wall clock, for tickets.
    pub fn unix_now(&self) -> stampede_domain::UnixMillis {
        self.clock.unix_now()
    }

    /// Connections that stand.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Connections that are being made.
    pub fn dialling(&self) -> usize {
        self.dialling
    }

    /// All seats in the order of their numbers, those of ended connections too.
    pub fn seats(&self) -> impl ExactSizeIterator<Item = &S> {
        self.connections.iter().map(|connection| &connection.seat)
    }

    /// The seat with this number.
    pub fn seat_mut(&mut self, number: u32) -> Option<&mut S> {
        self.connections.get_mut(index(number)).map(|connection| &mut connection.seat)
    }

    /// Starts a new connection; its number.
    ///
    /// # Errors
    /// [`PoolError`] if the system has no socket for it.
    pub fn dial(&mut self, seat: S) -> Result<u32, PoolError> {
        let number = u32::try_from(self.connections.len()).map_err(|_| PoolError::Full)?;
        self.connections.push(Connection::new(seat));
        self.dial_again(number)?;
        Ok(number)
    }

    /// Starts a new connection for the seat of an ended one; nothing happens while it has one.
    ///
    /// # Errors
    /// [`PoolError`] if the system has no socket for it.
    pub fn dial_again(&mut self, number: u32) -> Result<(), PoolError> {
        let source = match self.sources.len() {
            0 => None,
            sources => Some(self.sources[index(number) % sources]),
        };
        let connection = &mut self.connections[index(number)];
        if connection.stage != Stage::Ended {
            return Ok(());
        }
        let socket =
            connection.dial(self.target, source).map_err(|source| system("connect", source))?;
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, socket, EventData::new_u64(number.into()), flags)
            .map_err(|errno| system("watch a socket", errno.into()))?;
        self.dialling += 1;
        Ok(())
    }

    /// Waits up to `wait` for something to happen, then serves all that has; how many events.
    ///
    /// # Errors
    /// [`PoolError`] if the system refuses; a single connection's failure ends that one only.
    pub fn turn<P: Player<Seat = S>>(
        &mut self,
        player: &mut P,
        wait: Duration,
    ) -> Result<usize, PoolError> {
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        let wait = Timespec::try_from(wait).ok();
        let room = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.epoll, room, wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(system("wait for sockets", errno.into())),
        }
        for event in &events {
            let (flags, number) = (event.flags, event.data.u64());
            let number = u32::try_from(number).expect("events carry numbers of connections");
            self.serve(player, number, flags);
        }
        let served = events.len();
        self.events = events;
        Ok(served)
    }

    /// Lets a seat whose connection stands do something by itself; whether there was one.
    pub fn act<P: Player<Seat = S>>(
        &mut self,
        player: &mut P,
        number: u32,
        act: impl FnOnce(&mut P, &mut S, &mut Line<'_>),
    ) -> bool {
        let stands =
            self.connections.get(index(number)).is_some_and(|one| one.stage == Stage::Open);
        if stands {
            let was_deaf = self.connections[index(number)].deaf;
            self.with(player, number, act);
            if was_deaf && !self.connections[index(number)].deaf {
                // Its events were passed over while it was deaf.
                self.serve(player, number, EventFlags::IN | EventFlags::RDHUP);
            }
        }
        stands
    }

    fn serve<P: Player<Seat = S>>(&mut self, player: &mut P, number: u32, flags: EventFlags) {
        let connection = &mut self.connections[index(number)];
        if connection.stage == Stage::Dialling {
            if let Err(why) = connection.connected() {
                return self.end(player, number, why.into());
            }
            if !flags.contains(EventFlags::OUT) {
                return;
            }
            connection.stage = Stage::Open;
            self.dialling -= 1;
            self.open += 1;
            self.with(player, number, P::connected);
        }
        let connection = &mut self.connections[index(number)];
        if connection.stage == Stage::Open
            && !connection.unsent.is_empty()
            && let Err(why) = connection.write(&[])
        {
            return self.end(player, number, why.into());
        }
        // Beyond a short read there is nothing but the end, and that is announced.
        let to_the_end = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        if to_the_end || flags.contains(EventFlags::IN) {
            self.hear(player, number, to_the_end);
        }
    }

    /// Reads what there is.
    fn hear<P: Player<Seat = S>>(&mut self, player: &mut P, number: u32, to_the_end: bool) {
        let mut read = std::mem::take(&mut self.read);
        loop {
            let connection = &self.connections[index(number)];
            if connection.stage != Stage::Open || connection.deaf {
                break;
            }
            match connection.read(&mut read) {
                Ok(Read::Bytes(bytes)) => {
                    self.heard(player, number, &read[..bytes]);
                    if bytes < read.len() && !to_the_end {
                        break;
                    }
                }
                Ok(Read::Nothing) => break,
                Ok(Read::Over) => self.end(player, number, End::There),
                Err(why) => self.end(player, number, why.into()),
            }
        }
        self.read = read;
    }

    fn heard<P: Player<Seat = S>>(&mut self, player: &mut P, number: u32, bytes: &[u8]) {
        let connection = &mut self.connections[index(number)];
        if connection.rest.is_empty() {
            let done =
                self.with(player, number, |player, seat, line| player.received(seat, bytes, line));
            let connection = &mut self.connections[index(number)];
            if connection.stage == Stage::Open {
                connection.rest.extend_from_slice(&bytes[done..]);
            }
            return;
        }
        let mut rest = std::mem::take(&mut connection.rest);
        rest.extend_from_slice(bytes);
        let done =
            self.with(player, number, |player, seat, line| player.received(seat, &rest, line));
        rest.drain(..done);
        let connection = &mut self.connections[index(number)];
        // A buffer that a welcome has made large is not kept for each connection.
        if connection.stage == Stage::Open
            && (!rest.is_empty() || rest.capacity() <= REST_BYTES_KEPT)
        {
            connection.rest = rest;
        }
    }

    /// Calls the player, then sends what it has appended.
    fn with<P: Player<Seat = S>, T>(
        &mut self,
        player: &mut P,
        number: u32,
        call: impl FnOnce(&mut P, &mut S, &mut Line<'_>) -> T,
    ) -> T {
        let connection = &mut self.connections[index(number)];
        self.out.clear();
        let deaf = &mut connection.deaf;
        let mut line = Line { number, clock: &self.clock, out: &mut self.out, deaf, end: None };
        let value = call(player, &mut connection.seat, &mut line);
        let mut end = line.end;
        if !self.out.is_empty()
            && let Err(why) = connection.write(&self.out)
        {
            end = end.or(Some(why.into()));
        }
        if let Some(end) = end {
            self.end(player, number, end);
        }
        value
    }

    fn end<P: Player<Seat = S>>(&mut self, player: &mut P, number: u32, end: End) {
        let connection = &mut self.connections[index(number)];
        match connection.stage {
            Stage::Dialling => self.dialling -= 1,
            Stage::Open => self.open -= 1,
            Stage::Ended => return,
        }
        connection.stage = Stage::Ended;
        // Closing a socket takes it out of the epoll.
        connection.socket = None;
        (connection.rest, connection.unsent) = (Vec::new(), Vec::new());
        player.ended(&mut connection.seat, number, end);
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).expect("a usize has at least 32 bits here")
}

fn system(what: &'static str, source: io::Error) -> PoolError {
    PoolError::System { what, source }
}
