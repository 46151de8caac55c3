//! The bytes of one connection on its socket, sealed by TLS or not.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::fd::{AsFd, BorrowedFd},
};

use rustls::ServerConnection;

/// Bytes that are read from a sealed socket at once. With one unfinished record of before they become
/// at most this plus 16 KiB of plain ones, which must fit beside them into the core's buffer.
const SEALED_BYTES: usize = 16 << 10;
/// Bytes that may be sealed ahead of what the kernel takes: one record of TLS.
const SEALED_AHEAD_MAX: usize = 16 << 10;
/// Sealed bytes that may come for each plain one: a lone pong in a record of its own has about five.
const SEALED_PER_PLAIN_MAX: u64 = 8;
/// Sealed bytes that may come beyond that, for new keys and warnings. When over: the connection ends,
/// since records without content cost work that no other limit sees.
const SEALED_BEYOND_MAX: u64 = 64 << 10;

const _: () = assert!(super::READ_BYTES >= 3 * SEALED_BYTES + 8 * 1_024);

/// A socket that never blocks.
pub(crate) struct Transport {
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    received: ReceivedBytes,
}

/// What has come on a sealed connection since its handshake, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct ReceivedBytes {
    sealed: u64,
    plain: u64,
}

impl ReceivedBytes {
    /// Counts what one read has brought.
    ///
    /// # Errors
    /// There was too little in too many records.
    fn count(&mut self, sealed: usize, plain: usize) -> io::Result<()> {
        self.sealed = self.sealed.saturating_add(sealed as u64);
        self.plain = self.plain.saturating_add(plain as u64);
        let due = self.plain.saturating_mul(SEALED_PER_PLAIN_MAX);
        if self.sealed > due.saturating_add(SEALED_BEYOND_MAX) {
            return Err(io::Error::other("too many records with too little in them"));
        }
        Ok(())
    }
}

impl Transport {
    pub(crate) fn new(stream: TcpStream, mut tls: Option<Box<ServerConnection>>) -> Self {
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(Some(SEALED_AHEAD_MAX));
        }
        Self { stream, tls, received: ReceivedBytes::default() }
    }

    /// Reads what has come; 0 is the other side's end.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if nothing has come, else the connection is broken.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { stream, tls, received } = self;
        match tls {
            None => stream.read(buffer),
            Some(tls) => {
                let opened = open_sealed(tls, stream, buffer, received);
                // An alert, or the answer to a new key. It is small: if the kernel has no room now, it
                // leaves with whatever is written next.
                let _later = push_out(tls, stream);
                opened
            }
        }
    }

    /// Hands bytes to the kernel; gives how many it took, or how many wait sealed for it.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it takes none now, else the connection is broken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { stream, tls, .. } = self;
        let Some(tls) = tls else { return stream.write(bytes) };
        let mut sealed = 0;
        while sealed < bytes.len() {
            match push_out(tls, stream) {
                Ok(()) => sealed += tls.writer().write(&bytes[sealed..])?,
                Err(_) if sealed > 0 => return Ok(sealed),
                Err(why) => return Err(why),
            }
        }
        // Whether the rest has left is asked with `is_behind`; a broken socket shows at the next use.
        let _later = push_out(tls, stream);
        Ok(sealed)
    }

    /// Whether sealed bytes wait for the kernel.
    pub(crate) fn is_behind(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Hands sealed bytes that wait to the kernel.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if some still wait, else the connection is broken.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let Self { stream, tls, .. } = self;
        tls.as_mut().map_or(Ok(()), |tls| push_out(tls, stream))
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// The system's; the connection is gone then.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let Self { stream, tls, .. } = self;
        if let Some(tls) = tls {
            tls.send_close_notify();
            // The frame before it has said the same; without room now it goes unsaid.
            let _unsaid = push_out(tls, stream);
        }
        stream.shutdown(Shutdown::Write)
    }
}

/// Reads once from the socket into the end of `buffer`, opens the records into its start.
///
/// rustls breaks a connection that sends nothing but empty records; [`ReceivedBytes`] bounds what lies
/// between that and the limits of messages.
fn open_sealed(
    tls: &mut ServerConnection,
    stream: &mut TcpStream,
    buffer: &mut [u8],
    received: &mut ReceivedBytes,
) -> io::Result<usize> {
    let (plain, sealed) = buffer.split_at_mut(buffer.len() - SEALED_BYTES);
    let came = stream.read(sealed)?;
    if came == 0 {
        return Ok(0);
    }
    let mut sealed = &sealed[..came];
    let (mut opened, mut has_ended) = (0, false);
    while !sealed.is_empty() && !has_ended {
        // A slice is read without fail; 0 means that the other side has said its last before.
        has_ended = tls.read_tls(&mut sealed)? == 0;
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        has_ended |= state.peer_has_closed();
        while opened < plain.len() {
            match tls.reader().read(&mut plain[opened..]) {
                Ok(0) => break,
                Ok(length) => opened += length,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => break,
                Err(why) => return Err(why),
            }
        }
    }
    received.count(came, opened)?;
    if opened == 0 && !has_ended { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(opened) }
}

/// Hands everything sealed to the kernel.
fn push_out(tls: &mut ServerConnection, stream: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        if tls.write_tls(stream)? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_pongs_go_on_for_ever() {
        let mut received = ReceivedBytes::default();
        assert!((0..100_000).all(|_| received.count(28, 6).is_ok()));
    }

    #[test]
    fn records_with_next_to_nothing_in_them_come_to_an_end() {
        let mut received = ReceivedBytes::default();
        let good = (0..10_000).take_while(|_| received.count(32 * 22 + 23, 1).is_ok()).count();
        assert!((80..100).contains(&good), "{good}");
    }
}
