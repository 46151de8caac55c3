//! The gateway's threads: doors, cores.

use std::{io, sync::Arc, thread};

use stampede_engine::CorePort;
use tokio::{runtime::Builder, sync::mpsc::Receiver, task::LocalSet};
use tracing::{error, warn};

use crate::{
    door::Door,
    opening::Opened,
    server::{Place, Shared},
    sessions::Sessions,
    signals::Signal,
    steady::Core,
};

/// How much a door stands back, as a nice value: with both busy a core gets nine tenths of a
/// processor, a door one.
const DOOR_NICE: i32 = 10;

/// What a core's thread starts with.
pub(crate) struct Seat {
    pub(crate) port: CorePort,
    pub(crate) signal: Arc<Signal>,
    pub(crate) arrivals: Receiver<(Opened, Place)>,
    pub(crate) shared: Arc<Shared>,
}

/// Aborts the process when a panic passes: a core that goes on with half a decision is worse.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            error!("a gateway thread panicked");
            std::process::abort();
        }
    }
}

/// Starts a core's thread.
///
/// # Errors
/// The system's, if it has no thread or no descriptor to give.
pub(crate) fn spawn_core(number: usize, seat: Seat) -> io::Result<thread::JoinHandle<()>> {
    let Seat { port, signal, arrivals, shared } = seat;
    let sessions = Sessions::new(port, Arc::clone(&shared));
    let core = Core::new(number, sessions, signal, arrivals, shared)?;
    thread::Builder::new().name(format!("gateway-{number}")).spawn(move || {
        let _abort = AbortOnPanic;
        core.run();
    })
}

/// Starts a door's thread.
///
/// # Errors
/// The system's, if it has no thread or no reactor to give.
pub(crate) fn spawn_door(number: usize, door: Door) -> io::Result<thread::JoinHandle<()>> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    thread::Builder::new().name(format!("door-{number}")).spawn(move || {
        let _abort = AbortOnPanic;
        // On Linux a nice value belongs to the thread that asks.
        if let Err(errno) = rustix::process::setpriority_process(None, DOOR_NICE) {
            warn!(%errno, "arrivals have the same priority as the sale");
        }
        if let Err(why) = LocalSet::new().block_on(&runtime, door.serve()) {
            error!(%why, "a door cannot open");
        }
    })
}
