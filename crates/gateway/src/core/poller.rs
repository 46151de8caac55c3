//! Readiness of many sockets, as the kernel tells it.

use std::{io, os::fd::AsFd, time::Duration};

use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, Event, EventData, EventFlags},
    fd::OwnedFd,
    io::Errno,
};

/// Events taken from the kernel at once: one readiness batch.
const EVENTS_MAX: usize = 1_024;

/// Sockets under names of 64 bits.
pub(super) struct Poller {
    epoll: OwnedFd,
}

/// One readiness batch; it stays on the thread that asks for it.
pub(super) struct Batch {
    events: Vec<Event>,
}

/// What a socket is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    /// Bytes that came, or the other side's end.
    Read,
    /// Room for more bytes as well.
    ReadWrite,
}

/// What a socket is ready for; an error counts as both, the call that follows tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) name: u64,
    pub(super) read: bool,
    pub(super) write: bool,
}

impl Interest {
    fn flags(self) -> EventFlags {
        match self {
            Self::Read => EventFlags::IN,
            Self::ReadWrite => EventFlags::IN | EventFlags::OUT,
        }
    }
}

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { epoll })
    }

    /// Watches a socket until it is closed.
    pub(super) fn add(&self, socket: impl AsFd, name: u64) -> io::Result<()> {
        let flags = Interest::Read.flags();
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(name), flags)?)
    }

    pub(super) fn watch(&self, socket: impl AsFd, name: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, socket, EventData::new_u64(name), interest.flags())?)
    }

    /// Sleeps until a socket is ready or `timeout` has passed.
    ///
    /// # Panics
    /// If the kernel no longer knows the poller: nobody would be served any more.
    pub(super) fn wait(&self, batch: &mut Batch, timeout: Duration) {
        let Batch { events } = batch;
        events.clear();
        let timeout = rustix::event::Timespec::try_from(timeout).expect("less than a second");
        match epoll::wait(&self.epoll, spare_capacity(events), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => panic!("waiting for sockets failed: {errno}"),
        }
    }
}

impl Batch {
    pub(super) fn new() -> Self {
        Self { events: Vec::with_capacity(EVENTS_MAX) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Ready> {
        self.events.iter().map(|event| {
            let Event { flags, data } = *event;
            let broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
            Ready {
                name: data.u64(),
                read: broken || flags.contains(EventFlags::IN),
                write: broken || flags.contains(EventFlags::OUT),
            }
        })
    }
}
