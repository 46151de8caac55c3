//! A client without manners: bytes as they are, from any address of the machine.

use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::world::PATIENCE;

/// What browsers call a connection that ended without a close frame.
pub(crate) const DROPPED: u16 = 1006;
/// The kind of a close frame.
const CLOSE: u8 = 0x8;
/// An address of the machine that the sale's viewers do not use.
pub(crate) const ELSEWHERE: [u8; 4] = [127, 0, 0, 66];

pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
}

/// A sound request for JSON, with further headers.
pub(crate) fn request(headers: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: stampede.v1.json\r\n{headers}\r\n"
    )
}

/// A frame masked with zeros: its first byte, then the content.
pub(crate) fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u8::try_from(content.len()) {
        Ok(short) if short < 126 => bytes.push(0x80 | short),
        _ => {
            bytes.push(0xfe);
            bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(content);
    bytes
}

/// A masked frame that says it is longer than what comes of it.
pub(crate) fn declared(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first, 0xff];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 4]);
    bytes
}

impl Raw {
    /// A connection from [`ELSEWHERE`].
    pub(crate) fn connect(to: SocketAddr) -> Self {
        Self::connect_from(IpAddr::from(ELSEWHERE), to)
    }

    pub(crate) fn connect_from(from: IpAddr, to: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        socket.bind(&SockAddr::from(SocketAddr::new(from, 0))).unwrap();
        socket.connect(&to.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// A connection past its handshake.
    pub(crate) fn open(to: SocketAddr) -> Self {
        let mut raw = Self::connect(to);
        raw.send(request("").as_bytes());
        assert_eq!(raw.status(), 101);
        raw
    }

    /// A viewer who has said hello; what the server answers is not read.
    pub(crate) fn hello(to: SocketAddr, ticket: &str) -> Self {
        let mut raw = Self::open(to);
        let hello = format!(r#"{{"type":"hello","ticket":"{ticket}"}}"#);
        raw.send(&frame(0x81, hello.as_bytes()));
        raw
    }

    /// Writes; `false` once the server does not take it any more.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// The status of the response, whose head is read; 0 if the server hangs up without one.
    pub(crate) fn status(&mut self) -> u16 {
        let head = self.head();
        head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
    }

    /// The head of the response.
    pub(crate) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.take::<1>() {
                Some([byte]) => head.push(byte),
                None => break,
            }
        }
        String::from_utf8(head).unwrap()
    }

    /// The content of the next frame.
    pub(crate) fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let [first, length] = self.take()?;
        let length = match length {
            126 => u64::from(u16::from_be_bytes(self.take()?)),
            127 => u64::from_be_bytes(self.take()?),
            length => length.into(),
        };
        let mut content = Vec::new();
        let came = (&self.stream).take(length).read_to_end(&mut content).ok()?;
        (came as u64 == length).then_some((first & 0x0f, content))
    }

    /// Whether the next frame is a welcome.
    pub(crate) fn is_welcomed(&mut self) -> bool {
        self.next().is_some_and(|(_, text)| text.starts_with(br#"{"type":"welcome""#))
    }

    /// Reads to the end; gives the code of the close frame, or [`DROPPED`].
    pub(crate) fn closed(mut self) -> u16 {
        while let Some((kind, content)) = self.next() {
            match (kind, content.as_slice()) {
                (CLOSE, [high, low, ..]) => return u16::from_be_bytes([*high, *low]),
                (CLOSE, _) => return 1005,
                _ => {}
            }
        }
        DROPPED
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        match self.stream.read_exact(&mut bytes) {
            Ok(()) => Some(bytes),
            Err(why) if why.kind() == ErrorKind::WouldBlock => panic!("nothing came for too long"),
            Err(_) => None,
        }
    }

    /// Ends the connection at once, without the usual farewell of TCP.
    pub(crate) fn reset(self) {
        Socket::from(self.stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
}
