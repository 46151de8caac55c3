//! A core's loop: sockets that are ready, answers that may leave, ticks that are due.
//!
//! It owns everything that a viewer's connection needs after its handshake. One round reads each ready
//! socket once into a buffer that all of them share, lets the sessions decide, then writes each
//! connection that has something once. Ticks and news for everybody go out in portions between the rounds,
//! so answers never wait behind a crowd.

mod connection;
mod entrance;
mod poller;
mod signals;
mod transport;

use std::{sync::Arc, time::Duration};

use stampede_domain::{DurationMs, RepeatedWarning, UnixMillis};
use stampede_wire::{frame::HEADER_BYTES_MAX, limits::CLIENT_FRAME_BYTES_MAX};
use tokio::sync::mpsc::Receiver;
use tracing::warn;

pub(crate) use entrance::{Entrance, Newcomer};
pub use signals::CoreSignals;
pub(crate) use signals::Signal;

use self::{
    connection::{Connection, Fate},
    poller::{Batch, Interest, Poller, Ready},
    transport::Transport,
};
use crate::{
    config::SWEEP_MS,
    sessions::{Sessions, Token, place_of},
    shared::{GatewayState, Place},
};

/// Bytes read from one socket in one round.
const READ_BYTES: usize = 64 << 10;
/// New connections that join in one round: an arriving crowd shares the core with the sale.
const NEWCOMERS_PER_ROUND_MAX: usize = 32;
/// Connections whose ticks are written in one round, or whose news of a drop.
const TICKS_PER_ROUND_MAX: usize = 256;
/// The name of the core's signal among the sockets; no token is that high.
const SIGNAL: u64 = u64::MAX;

const _: () = assert!(READ_BYTES > 2 * (CLIENT_FRAME_BYTES_MAX + HEADER_BYTES_MAX));

/// One core: its sockets, its sessions.
pub(crate) struct Core {
    number: usize,
    poller: Poller,
    sessions: Sessions,
    connections: Vec<Option<Box<Connection>>>,
    signal: Arc<Signal>,
    newcomers: Receiver<(Newcomer, Place)>,
    shared: Arc<GatewayState>,
    buffer: Box<[u8]>,
    next_tick: UnixMillis,
    next_sweep: UnixMillis,
    unwatched: RepeatedWarning,
}

impl Core {
    /// A core that has nobody yet.
    ///
    /// # Errors
    /// The system's, if it has no descriptor to give.
    pub(crate) fn new(
        number: usize,
        sessions: Sessions,
        signal: Arc<Signal>,
        newcomers: Receiver<(Newcomer, Place)>,
        shared: Arc<GatewayState>,
    ) -> std::io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&*signal, SIGNAL)?;
        let now = sessions.now();
        Ok(Self {
            number,
            poller,
            sessions,
            connections: Vec::new(),
            signal,
            newcomers,
            shared,
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            next_tick: now,
            next_sweep: now,
            unwatched: RepeatedWarning::default(),
        })
    }

    /// Serves until the gateway stops, then lets everybody go.
    pub(crate) fn run(mut self) {
        let mut batch = Batch::new();
        while !self.shared.is_stopping() {
            self.round(&mut batch);
        }
        self.stop(&mut batch);
    }

    fn round(&mut self, batch: &mut Batch) {
        let timeout = self.until_due();
        self.poller.wait(batch, timeout);
        // A wait that ended by itself has brought the next timer, whatever the server's clock says: the
        // two need not run alike, and a clock of tests stands still.
        let is_due = batch.is_empty() && !timeout.is_zero();
        self.sessions.begin_round();
        for ready in batch.iter() {
            self.ready(ready);
        }
        // The sale goes before an arriving crowd, whose tickets cost a signature each.
        self.sessions.flush();
        if self.signal.take_ring() {
            self.sessions.act_on_events();
        }
        self.arrive();
        self.sessions.flush();
        self.timers(is_due);
        self.sessions.spread(TICKS_PER_ROUND_MAX);
        self.write();
    }

    /// How long nothing is due by itself.
    fn until_due(&self) -> Duration {
        if self.sessions.is_spreading() || self.sessions.has_news() || !self.newcomers.is_empty() {
            return Duration::ZERO;
        }
        self.next_tick.min(self.next_sweep).since(self.sessions.now()).to_std()
    }

    fn ready(&mut self, Ready { name, read, write }: Ready) {
        if name == SIGNAL {
            return self.signal.hush();
        }
        let Some(connection) = find(&mut self.connections, name) else { return };
        if read && connection.read(&mut self.buffer, &mut self.sessions) == Fate::Gone {
            return self.drop(name);
        }
        if write {
            self.write_one(name);
        }
    }

    /// Lets those in whom a door has sent.
    fn arrive(&mut self) {
        for _ in 0..NEWCOMERS_PER_ROUND_MAX {
            let Ok((newcomer, place)) = self.newcomers.try_recv() else { return };
            let Newcomer { stream, tls, mut early, subprotocol, pass, client } = newcomer;
            let token = self.sessions.open(subprotocol, pass, client.ip(), place);
            let mut connection = Box::new(Connection::new(token, Transport::new(stream, tls)));
            if let Err(why) = self.poller.add(connection.transport(), token) {
                self.tell_unwatched(&why);
                self.leave(token);
                continue;
            }
            connection.feed(&mut early, &mut self.sessions);
            let place = place_of(token);
            if self.connections.len() <= place {
                self.connections.resize_with(place + 1, || None);
            }
            self.connections[place] = Some(connection);
        }
    }

    fn timers(&mut self, is_due: bool) {
        let now = self.sessions.now();
        let due = if is_due { self.next_tick.min(self.next_sweep).max(now) } else { now };
        // A shorter interval holds at once, also if the old one was a minute.
        let interval = self.sessions.tick_interval();
        self.next_tick = self.next_tick.min(now.plus(interval));
        if self.next_tick <= due {
            self.next_tick = now.plus(interval);
            self.sessions.tick();
        }
        if self.next_sweep <= due {
            self.next_sweep = now.plus(DurationMs::new(SWEEP_MS));
            self.sessions.sweep();
        }
    }

    /// Writes each connection that has an answer, and some of those that have nothing but news.
    fn write(&mut self) {
        while let Some(token) = self.sessions.next_with_output() {
            self.write_unless_blocked(token);
        }
        self.sessions.answers_left();
        for _ in 0..TICKS_PER_ROUND_MAX {
            let Some(token) = self.sessions.next_with_news() else { return };
            self.write_unless_blocked(token);
        }
    }

    /// A connection that reads too slowly is written when the kernel has room again.
    fn write_unless_blocked(&mut self, token: Token) {
        let blocked = find(&mut self.connections, token).is_some_and(|one| one.is_blocked());
        if !blocked || self.sessions.is_doomed(token) {
            self.write_one(token);
        }
    }

    fn write_one(&mut self, token: Token) {
        let Some(connection) = find(&mut self.connections, token) else { return };
        let was_blocked = connection.is_blocked();
        if connection.write(&mut self.sessions) == Fate::Gone {
            return self.drop(token);
        }
        let is_blocked = connection.is_blocked();
        if was_blocked != is_blocked {
            let interest = if is_blocked { Interest::ReadWrite } else { Interest::Read };
            if let Err(why) = self.poller.watch(connection.transport(), token, interest) {
                self.tell_unwatched(&why);
                self.drop(token);
            }
        }
    }

    /// The system has no memory for more watches: everybody who comes meanwhile is one of these.
    fn tell_unwatched(&mut self, why: &std::io::Error) {
        if let Some(times) = self.unwatched.note(self.sessions.now()) {
            warn!(%why, times, "cannot watch a connection");
        }
    }

    /// Closes the socket, which also ends the kernel's watch over it.
    fn drop(&mut self, token: Token) {
        if let Some(place) = self.connections.get_mut(place_of(token)) {
            *place = None;
        }
        self.leave(token);
    }

    fn leave(&mut self, token: Token) {
        self.sessions.gone(token);
        self.shared.connections.leave(self.number);
    }

    /// Lets promises leave, tells clients to go, waits until they have or time is over.
    fn stop(mut self, batch: &mut Batch) {
        self.sessions.drain();
        self.sessions.act_on_events();
        let span = self.shared.config.drain_timeout;
        self.rounds(batch, span, |sessions| sessions.pending() == 0);
        let pending = self.sessions.pending();
        if pending > 0 {
            warn!(pending, "stopping with answers that are not durable");
        }
        self.sessions.close_all();
        // The sweep dooms whoever does not close in time; this bound is for a sweep that finds none.
        let linger = DurationMs::new(self.shared.config.close_linger.get() + SWEEP_MS);
        self.rounds(batch, linger, |sessions| sessions.len() == 0);
        if self.sessions.len() > 0 {
            warn!(connections = self.sessions.len(), "stopping with connections that stayed");
        }
    }

    /// Goes on until that is done, or the span is over: by the server's clock, or by the time waited
    /// for nothing, for the clock may stand still.
    fn rounds(
        &mut self,
        batch: &mut Batch,
        span: DurationMs,
        is_done: impl Fn(&mut Sessions) -> bool,
    ) {
        let until = self.sessions.now().plus(span);
        let mut idle = Duration::ZERO;
        while !is_done(&mut self.sessions) && self.sessions.now() < until && idle < span.to_std() {
            let timeout = self.until_due();
            self.round(batch);
            if batch.is_empty() {
                idle += timeout;
            }
        }
    }
}

fn find(connections: &mut [Option<Box<Connection>>], token: Token) -> Option<&mut Connection> {
    let found = connections.get_mut(place_of(token))?.as_deref_mut()?;
    (found.token() == token).then_some(found)
}
