//! One socket with what waits for it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::OwnedFd,
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send,
        socket_with, sockopt,
    },
};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Dialling,
    Open,
    Ended,
}

/// A connection with its seat.
#[derive(Debug)]
pub(super) struct Connection<S> {
    pub(super) seat: S,
    pub(super) socket: Option<OwnedFd>,
    pub(super) stage: Stage,
    pub(super) deaf: bool,
    /// Bytes that make no whole frame yet.
    pub(super) rest: Vec<u8>,
    /// Bytes that the socket did not take.
    pub(super) unsent: Vec<u8>,
}

/// What came of a look at a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    Bytes(usize),
    Nothing,
    Over,
}

impl<S> Connection<S> {
    pub(super) const fn new(seat: S) -> Self {
        Self {
            seat,
            socket: None,
            stage: Stage::Ended,
            deaf: false,
            rest: Vec::new(),
            unsent: Vec::new(),
        }
    }

    /// Starts to connect.
    pub(super) fn dial(
        &mut self,
        target: SocketAddr,
        source: Option<Ipv4Addr>,
    ) -> io::Result<&OwnedFd> {
        let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(family, SocketType::STREAM, flags, None)?;
        if let Some(source) = source {
            bind(&socket, &SocketAddr::from((source, 0)))?;
        }
        sockopt::set_tcp_nodelay(&socket, true)?;
        match connect(&socket, &target) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(errno) => return Err(errno.into()),
        }
        self.rest = Vec::new();
        self.unsent = Vec::new();
        self.deaf = false;
        self.stage = Stage::Dialling;
        Ok(self.socket.insert(socket))
    }

    /// Whether the attempt to connect has succeeded.
    pub(super) fn connected(&self) -> io::Result<()> {
        let Some(socket) = &self.socket else { return Ok(()) };
        Ok(sockopt::socket_error(socket)??)
    }

    pub(super) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        let Some(socket) = &self.socket else { return Ok(Read::Over) };
        loop {
            return match recv(socket, &mut *into, RecvFlags::empty()) {
                Ok((0, _)) => Ok(Read::Over),
                Ok((bytes, _)) => Ok(Read::Bytes(bytes)),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Ok(Read::Nothing),
                Err(errno) => Err(errno.into()),
            };
        }
    }

    /// Sends what waits, then `out`; keeps what the socket does not take.
    pub(super) fn write(&mut self, out: &[u8]) -> io::Result<()> {
        let Some(socket) = &self.socket else { return Ok(()) };
        if self.unsent.is_empty() {
            let sent = send_some(socket, out)?;
            self.unsent.extend_from_slice(&out[sent..]);
            return Ok(());
        }
        self.unsent.extend_from_slice(out);
        let sent = send_some(socket, &self.unsent)?;
        self.unsent.drain(..sent);
        if self.unsent.is_empty() {
            self.unsent = Vec::new();
        }
        Ok(())
    }
}

/// How many of the bytes the socket took.
fn send_some(socket: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match send(socket, &bytes[sent..], SendFlags::NOSIGNAL) {
            Ok(more) => sent += more,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(sent)
}
