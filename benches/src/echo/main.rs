//! Echo servers that the peers are measured against.

mod tcp;
mod tungstenite;

use std::{
    error::Error,
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    process::ExitCode,
};

use clap::Parser;

/// Echoes on a free port of 127.0.0.1, whose number is the first line of its output
#[derive(Parser)]
struct Arguments {
    #[arg(value_enum)]
    kind: Kind,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// Bytes as they come, from a bare epoll loop
    Tcp,
    /// WebSocket messages, by tokio-tungstenite on one thread
    Tungstenite,
}

fn main() -> ExitCode {
    match run(Arguments::parse().kind) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(kind: Kind) -> Result<(), Box<dyn Error>> {
    stampede_swarm::raise_descriptor_limit();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    // The standard library's backlog is too short for a crowd that comes at once.
    rustix::net::listen(&listener, 4_096)?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    match kind {
        Kind::Tcp => Ok(tcp::serve(&listener)?),
        Kind::Tungstenite => Ok(tungstenite::serve(listener)?),
    }
}
