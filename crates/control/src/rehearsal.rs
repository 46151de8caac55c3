//! The crowd that comes to a rehearsal by one press.

use std::{collections::HashMap, fmt, io, sync::Arc};

use parking_lot::Mutex;
use stampede_domain::{StreamId, UnixMillis};
use stampede_engine::Engine;

use crate::{DrainSignal, rehearsed::running};

/// Viewers of a rehearsal's crowd, unless somebody names another number.
pub const CROWD_DEFAULT: u32 = 200;
/// Viewers of a rehearsal's crowd at most.
pub const CROWD_MAX: u32 = 1_000;
/// With fewer places for viewers than these there is no rehearsal: so few make no crowd.
pub const CROWD_MIN: u32 = 10;

/// Brings crowds: what runs the server has the viewers' port, and the keys of tickets.
pub trait CrowdSource: Send + Sync {
    /// How many viewers of a crowd find a place at the viewers' port now.
    fn places(&self) -> u32;

    /// Sends a crowd to a stream, with tickets for rehearsals. It comes in by itself, and leaves when it is dropped.
    ///
    /// # Errors
    /// If it cannot set out.
    fn send(&self, stream: &StreamId, viewers: u32) -> io::Result<Box<dyn Crowd>>;
}

/// A crowd that was sent to a stream.
pub trait Crowd: Send + Sync {
    /// What it has done so far.
    fn figures(&self) -> CrowdFigures;
}

/// What a crowd has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrowdFigures {
    /// Viewers that are connected.
    pub connected: u32,
    /// Holds that they got.
    pub holds: u64,
    /// Orders that they got.
    pub orders: u64,
}

/// The crowds that are in, by stream.
#[derive(Default)]
pub(crate) struct Crowds {
    of_streams: Mutex<HashMap<StreamId, SentCrowd>>,
}

struct SentCrowd {
    /// Which rehearsal it came for.
    until: UnixMillis,
    viewers: u32,
    crowd: Box<dyn Crowd>,
}

impl fmt::Debug for Crowds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crowds").field("streams", &self.of_streams.lock().len()).finish()
    }
}

impl Crowds {
    /// How large a stream's crowd is, with what it has done.
    pub(crate) fn of(&self, stream: &StreamId) -> Option<(u32, CrowdFigures)> {
        let of_streams = self.of_streams.lock();
        of_streams.get(stream).map(|sent| (sent.viewers, sent.crowd.figures()))
    }

    /// The crowd goes home.
    fn send_home(&self, stream: &StreamId, until: UnixMillis) {
        let mut of_streams = self.of_streams.lock();
        let left = of_streams.get(stream).is_some_and(|sent| sent.until == until);
        let left = if left { of_streams.remove(stream) } else { None };
        drop(of_streams);
        // Its threads end, which nobody waits for behind the lock.
        drop(left);
    }
}

/// Sends a crowd to the rehearsal of a stream, unless it has one; the crowd leaves when the rehearsal is over, or the
/// server stops. Nothing happens if none goes on.
pub(crate) fn send_crowd(
    engine: &Arc<Engine>,
    (crowds, source): (&Arc<Crowds>, &dyn CrowdSource),
    (stream, viewers): (&StreamId, u32),
    draining: &DrainSignal,
) -> io::Result<()> {
    let Some((until, _)) = running(engine, stream) else { return Ok(()) };
    let mut of_streams = crowds.of_streams.lock();
    if of_streams.get(stream).is_some_and(|sent| sent.until == until) {
        return Ok(());
    }
    let crowd = source.send(stream, viewers)?;
    // One that a rehearsal before this has left goes home.
    let before = of_streams.insert(stream.clone(), SentCrowd { until, viewers, crowd });
    drop(of_streams);
    drop(before);
    let (engine, crowds) = (Arc::clone(engine), Arc::clone(crowds));
    tokio::spawn(watch(engine, crowds, (stream.clone(), until), draining.clone()));
    Ok(())
}

/// Waits until the rehearsal is over, or the server stops; then its crowd goes home.
async fn watch(
    engine: Arc<Engine>,
    crowds: Arc<Crowds>,
    (stream, until): (StreamId, UnixMillis),
    draining: DrainSignal,
) {
    let (mut changes, mut draining) = (engine.follow(), draining.watch());
    let goes_on = || running(&engine, &stream).is_some_and(|(ends, _)| ends == until);
    while goes_on() && !*draining.borrow() {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { break },
            changed = draining.changed() => if changed.is_err() { break },
        }
    }
    crowds.send_home(&stream, until);
}
