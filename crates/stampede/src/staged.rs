//! The server's end of the line to the demo that runs it.
//!
//! The line is a socket without a name, handed over as standard input: nobody else can have it. The demo
//! tells how it stands, a JSON object on a line; the server asks to be killed. Where the line ends, the
//! demo is gone, and the server goes too.

use std::{
    io::{self, BufRead, BufReader, Write as _},
    net::SocketAddr,
    os::{fd::AsFd as _, unix::net::UnixStream},
    sync::Arc,
};

use rustix::process::{Signal, getpid, kill_process};
use stampede_control::Demo;
use tracing::{info, warn};

use crate::{config::Config, failure::Failure};

/// What the server says to be killed.
pub(crate) const KILL: &str = "kill";

/// Takes the line up.
///
/// # Errors
/// [`Failure::Staged`] if a listener could be reached from another machine, or there is no such line.
pub(crate) fn join(config: &Config) -> Result<Arc<Demo>, Failure> {
    for address in [config.viewers.listen, config.control.listen] {
        check_is_here(address)?;
    }
    let line = line().map_err(|error| Failure::Staged {
        why: format!("standard input is not its socket ({error})"),
    })?;
    let asking = line.try_clone()?;
    let ask_kill = move || (&asking).write_all(format!("{KILL}\n").as_bytes());
    let demo = Arc::new(Demo::new(Box::new(ask_kill)));
    let told = Arc::clone(&demo);
    let listen = move || {
        for text in BufReader::new(line).lines().map_while(Result::ok) {
            match serde_json::from_str(&text) {
                Ok(state) => told.tell(state),
                Err(error) => warn!(%error, "the demo said something else than how it stands"),
            }
        }
        info!("the demo is gone, so its server stops");
        if let Err(error) = kill_process(getpid(), Signal::TERM) {
            warn!(%error, "the server cannot stop itself");
        }
    };
    std::thread::Builder::new().name("demo-line".to_owned()).spawn(listen)?;
    Ok(demo)
}

fn check_is_here(address: SocketAddr) -> Result<(), Failure> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(Failure::Staged { why: format!("{address} can be reached from other machines") })
}

fn line() -> io::Result<UnixStream> {
    let line = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    line.peer_addr()?;
    Ok(line)
}
