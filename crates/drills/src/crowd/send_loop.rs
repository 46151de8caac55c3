//! The machine's own speed: plain `send()` in a loop, one small message to each connection.

use std::{
    io::{self, BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{SendFlags, send},
};
use stampede_swarm::{Clock, End, Line, Player, Process, SocketPool};

use super::Delivered;
use crate::{
    core_pair,
    core_shares::CoreShares,
    error::DrillError,
    viewers::{COUNT_EVERY, FEW_EVENTS, micros},
};

/// Time for the readers to get into their stride, before and after the part that counts.
const MARGIN: Duration = Duration::from_secs(1);
/// Connections on their way at once.
const DIALLING_MAX: usize = 512;

/// Accepts connections, then sends to all of them, one after the other, for so long; says on
/// standard output where it listens, then that it begins. The readers count.
///
/// # Errors
/// The system's.
pub fn run_send_loop(connections: u32, bytes: usize, time: Duration) -> io::Result<()> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    // The standard library asks for a backlog of 128, which a storm overruns.
    rustix::net::listen(&listener, 4096)?;
    println!("{}", listener.local_addr()?);
    let sockets = (0..connections).map(|_| accept(&listener)).collect::<io::Result<Vec<_>>>()?;
    println!("sending");
    let message = vec![0; bytes];
    let clock = Clock::start();
    while clock.us() < micros(time) {
        for socket in &sockets {
            match send(socket, &message, SendFlags::NOSIGNAL) {
                // A reader that is behind misses one.
                Ok(_) | Err(Errno::AGAIN) => {}
                // The readers have seen enough.
                Err(Errno::CONNRESET | Errno::PIPE) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
    Ok(())
}

fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (socket, _) = listener.accept()?;
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// The loop as a process on the server's core.
struct Sender {
    child: Child,
    target: SocketAddr,
    lines: io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Sender {
    fn start(
        program: &Path,
        core: usize,
        connections: u32,
        bytes: usize,
        time: Duration,
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg("send-loop").args(["--connections", &connections.to_string()]);
        command.args(["--bytes", &bytes.to_string()]);
        command.args(["--ms", &time.as_millis().to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = core_pair::spawn_on(core, &mut command)?;
        let output = child.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(output).lines();
        let said = lines.next().transpose()?.unwrap_or_default();
        let target = said.parse().map_err(|_| io::Error::other("the send loop did not start"))?;
        Ok(Self { child, target, lines })
    }
}

impl Drop for Sender {
    /// It ends by itself unless the drill broke off.
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Readers who count.
struct Readers {
    bytes: u64,
    lost: u64,
}

impl Player for Readers {
    type Seat = ();

    fn connected(&mut self, (): &mut (), _: &mut Line<'_>) {}

    fn received(&mut self, (): &mut (), bytes: &[u8], _: &mut Line<'_>) -> usize {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        bytes.len()
    }

    fn ended(&mut self, (): &mut (), _: u32, _: End) {
        self.lost += 1;
    }
}

/// Measures a send loop with messages of so many bytes on so many connections.
pub(super) fn measure(
    program: &Path,
    core: usize,
    connections: u32,
    bytes: usize,
    time: Duration,
) -> Result<Delivered, DrillError> {
    let system = |what| move |source| DrillError::System { what, source };
    let sender = Sender::start(program, core, connections, bytes, time + 2 * MARGIN);
    let mut sender = sender.map_err(system("start the send loop"))?;
    let sources = (2..6).map(|last| std::net::Ipv4Addr::new(127, 0, 0, last)).collect();
    let mut sockets = SocketPool::new(sender.target, sources)?;
    let mut readers = Readers { bytes: 0, lost: 0 };
    for _ in 0..connections {
        while sockets.dialling() >= DIALLING_MAX {
            sockets.turn(&mut readers, COUNT_EVERY)?;
        }
        sockets.dial(())?;
    }
    while sockets.dialling() > 0 {
        sockets.turn(&mut readers, COUNT_EVERY)?;
    }
    // The last connection may still be in the queue of the system.
    sender.lines.next().transpose().map_err(system("hear the send loop"))?;
    let process = Process::new(sender.child.id());
    count(&mut sockets, &mut readers, MARGIN)?;
    let busy = CoreShares::start(&process)?;
    readers.bytes = 0;
    let from_us = sockets.now_us();
    count(&mut sockets, &mut readers, time)?;
    let us = sockets.now_us() - from_us;
    let (sender_busy, reader_busy) = busy.shares(us)?;
    let count = readers.bytes / u64::try_from(bytes.max(1)).unwrap_or(u64::MAX);
    Ok(Delivered { count, us, bytes, sender_busy, reader_busy })
}

/// Looks like the readers of the part that this is compared with.
fn count(
    sockets: &mut SocketPool<()>,
    readers: &mut Readers,
    time: Duration,
) -> Result<(), DrillError> {
    let until_us = sockets.now_us() + micros(time);
    while sockets.now_us() < until_us {
        while sockets.turn(readers, Duration::ZERO)? > FEW_EVENTS {}
        std::thread::sleep(COUNT_EVERY);
    }
    Ok(())
}
