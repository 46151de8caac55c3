//! One core's thread: its loop, its accepting, its shutdown.

use std::{cell::RefCell, io, net, rc::Rc, sync::Arc, thread, time::Duration};

use stampede_engine::CorePort;
use tokio::{
    net::TcpListener,
    runtime::Builder,
    sync::{Notify, Semaphore},
    task::{LocalSet, spawn_local},
    time::{MissedTickBehavior, interval, timeout},
};
use tracing::{error, warn};

use crate::{config::SWEEP_MS, connection, listener, server::Shared, sessions::Sessions};

/// Pause after an accept failed, which mostly means that descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections accepted before others have their turn.
const ACCEPTS_PER_TURN_MAX: usize = 16;
/// Connections above the limit that are told so; further ones are dropped at once.
const TOLD_OVERLOADED_MAX: usize = 1_024;

/// Time between two looks at whether every client has gone.
const STOP_LOOK: Duration = Duration::from_millis(20);

/// What one core's thread starts with.
pub(crate) struct Seat {
    pub(crate) port: CorePort,
    pub(crate) signal: Arc<Notify>,
    pub(crate) listener: net::TcpListener,
    pub(crate) shared: Arc<Shared>,
}

/// Aborts the process when a panic passes: a core that goes on with half a decision is worse.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            error!("a gateway core panicked");
            std::process::abort();
        }
    }
}

/// Starts one core's thread.
///
/// # Errors
/// The system's, if it has no thread or no reactor to give.
pub(crate) fn spawn(core: usize, seat: Seat) -> io::Result<thread::JoinHandle<()>> {
    let Seat { port, signal, listener, shared } = seat;
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let listener = {
        let _entered = runtime.enter();
        TcpListener::from_std(listener)?
    };
    thread::Builder::new().name(format!("gateway-{core}")).spawn(move || {
        let _abort = AbortOnPanic;
        let sessions = Rc::new(RefCell::new(Sessions::new(port, Arc::clone(&shared))));
        LocalSet::new().block_on(&runtime, run(sessions, &signal, listener, shared));
    })
}

async fn run(
    sessions: Rc<RefCell<Sessions>>,
    signal: &Notify,
    listener: TcpListener,
    shared: Arc<Shared>,
) {
    let accepting = spawn_local(accept_all(listener, Rc::clone(&sessions), Arc::clone(&shared)));
    let mut tick = interval(shared.config.tick_interval.to_std());
    let mut sweep = interval(Duration::from_millis(SWEEP_MS));
    for timer in [&mut tick, &mut sweep] {
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    while !shared.is_stopping() {
        tokio::select! {
            () = signal.notified() => sessions.borrow_mut().wake(),
            _ = tick.tick() => sessions.borrow_mut().tick(),
            _ = sweep.tick() => sessions.borrow_mut().sweep(),
        }
    }
    accepting.abort();
    stop(&sessions, signal, &shared).await;
}

/// Lets promises leave, tells clients to go, waits until they have or time is over.
async fn stop(sessions: &RefCell<Sessions>, signal: &Notify, shared: &Shared) {
    sessions.borrow_mut().drain();
    let leave = async {
        loop {
            sessions.borrow_mut().wake();
            if sessions.borrow().pending() == 0 {
                return;
            }
            signal.notified().await;
        }
    };
    if timeout(shared.config.drain_timeout.to_std(), leave).await.is_err() {
        warn!(pending = sessions.borrow().pending(), "stopping with answers that are not durable");
    }
    sessions.borrow_mut().close_all();
    let gone = async {
        let mut look = interval(STOP_LOOK);
        while sessions.borrow().len() > 0 {
            look.tick().await;
            sessions.borrow_mut().sweep();
        }
    };
    // The sweep dooms whoever does not close in time; this bound is for a sweep that finds none.
    let linger = shared.config.close_linger.to_std() + Duration::from_millis(SWEEP_MS);
    if timeout(linger, gone).await.is_err() {
        warn!(connections = sessions.borrow().len(), "stopping with connections that stayed");
    }
}

async fn accept_all(listener: TcpListener, sessions: Rc<RefCell<Sessions>>, shared: Arc<Shared>) {
    let handshakes = Arc::new(Semaphore::new(shared.config.handshakes_max));
    let mut accepted = 0;
    loop {
        let handshake = Arc::clone(&handshakes).acquire_owned().await;
        let handshake = handshake.expect("the semaphore is never closed");
        let stream = match listener::accept(&listener).await {
            Ok(stream) => stream,
            Err(why) => {
                warn!(%why, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if shared.connections.count() >= shared.config.connections_max + TOLD_OVERLOADED_MAX {
            continue;
        }
        let (sessions, shared) = (Rc::clone(&sessions), Arc::clone(&shared));
        spawn_local(async move {
            let _abort = AbortOnPanic;
            // A large frame would stay part of every idle connection, so it is boxed away.
            let opened = Box::pin(connection::open(stream, &shared.config)).await;
            drop((handshake, shared));
            if let Some(opened) = opened {
                connection::serve(opened, sessions).await;
            }
        });
        accepted += 1;
        if accepted % ACCEPTS_PER_TURN_MAX == 0 {
            tokio::task::yield_now().await;
        }
    }
}
