//! One hostile connection: bytes as they are, from an address of its choice.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use socket2::{Domain, SockAddr, Socket, Type};

/// Longest wait for the server's next byte.
const PATIENCE: Duration = Duration::from_secs(10);
const CLOSE: u8 = 0x8;

pub(super) struct Hostile {
    stream: TcpStream,
}

/// A sound request, with further headers.
pub(super) fn request(headers: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: sale\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: stampede.v1.json\r\n{headers}\r\n"
    )
}

/// A frame masked with zeros: its first byte, then the content.
pub(super) fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u8::try_from(content.len()) {
        Ok(short) if short < 126 => bytes.push(0x80 | short),
        _ => {
            let length = u16::try_from(content.len()).expect("hostile frames are short");
            bytes.push(0xfe);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(content);
    bytes
}

impl Hostile {
    pub(super) fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        socket.bind(&SockAddr::from(SocketAddr::from((from, 0))))?;
        socket.connect(&to.into())?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    /// Writes; `false` once the server does not take it any more.
    pub(super) fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// How the server answers a request: `HTTP 101`, or `dropped`.
    pub(super) fn status(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.take::<1>() {
                Ok([byte]) => head.push(byte),
                Err(_) => return "dropped".to_owned(),
            }
        }
        let head = String::from_utf8_lossy(&head);
        format!("HTTP {}", head.split(' ').nth(1).unwrap_or("?"))
    }

    /// The kind and content of the next frame.
    pub(super) fn next(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let [first, length] = self.take()?;
        let length = match length {
            126 => u64::from(u16::from_be_bytes(self.take()?)),
            127 => u64::from_be_bytes(self.take()?),
            length => length.into(),
        };
        let mut content = Vec::new();
        (&self.stream).take(length).read_to_end(&mut content)?;
        Ok((first & 0x0f, content))
    }

    /// Reads to the end: the close code, `dropped` without one, `open` if there is no end.
    pub(super) fn ended(mut self) -> String {
        loop {
            match self.next() {
                Ok((CLOSE, content)) => {
                    return match content.as_slice() {
                        [high, low, ..] => u16::from_be_bytes([*high, *low]).to_string(),
                        _ => "1005".to_owned(),
                    };
                }
                Ok(_) => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return "open".to_owned(),
                Err(_) => return "dropped".to_owned(),
            }
        }
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Ends the connection at once, without the usual farewell of TCP.
    pub(super) fn reset(self) -> io::Result<()> {
        Socket::from(self.stream).set_linger(Some(Duration::ZERO))
    }
}
