//! The bytes of one connection on its socket.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::fd::{AsFd, BorrowedFd},
};

/// A socket that never blocks.
pub(crate) struct Transport {
    stream: TcpStream,
}

impl Transport {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream }
    }

    /// Reads what has come; 0 is the other side's end.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if nothing has come, else the connection is broken.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    /// Hands bytes to the kernel; gives how many it took.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it takes none now, else the connection is broken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// The system's; the connection is gone then.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
