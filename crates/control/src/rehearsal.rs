//! The crowd that comes to a rehearsal by one press.

use std::{collections::HashMap, fmt, io, mem, sync::Arc, time::Duration};

use parking_lot::Mutex;
use stampede_domain::{StreamId, UnixMillis};
use stampede_engine::Engine;
use tracing::warn;

use crate::{DrainSignal, rehearsed::running};

/// Viewers of a rehearsal's crowd, unless somebody names another number.
pub const CROWD_DEFAULT: u32 = 200;
/// Viewers of a rehearsal's crowd at most.
pub const CROWD_MAX: u32 = 1_000;
/// With fewer places for viewers than these there is no rehearsal: so few make no crowd.
pub const CROWD_MIN: u32 = 10;
/// Viewers of all crowds together at most, those on their way in among them. Beyond that crowds are smaller, and with
/// fewer than [`CROWD_MIN`] places left there is no rehearsal.
pub const CROWDS_VIEWERS_MAX: u32 = 2_000;
/// Time between two looks whether real viewers need the places of the crowds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Brings crowds: what runs the server has the viewers' port, and the keys of tickets.
pub trait CrowdSource: Send + Sync {
    /// How many viewers all crowds together may have at the viewers' port, of which so many are connected now.
    fn places(&self, connected: u32) -> u32;

    /// Whether so few places are left at the viewers' port that real viewers may soon find none.
    fn is_nearly_full(&self) -> bool;

    /// Sends a crowd to a stream, with tickets for rehearsals. It comes in by itself, and leaves when it is dropped.
    ///
    /// # Errors
    /// If it cannot set out.
    fn send(&self, stream: &StreamId, viewers: u32) -> io::Result<Box<dyn Crowd>>;
}

/// A crowd that was sent to a stream.
pub trait Crowd: Send + Sync {
    /// What it has done so far; `None` once it could not go on and has left.
    fn figures(&self) -> Option<CrowdFigures>;
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

/// The crowds that are in, by stream, with the places that are kept for all of them.
#[derive(Default)]
pub(crate) struct Crowds {
    /// Viewers for whom a place is kept. Never locked while `of_streams` is.
    kept: Mutex<u32>,
    of_streams: Mutex<HashMap<StreamId, SentCrowd>>,
    /// Whether somebody looks after the crowds that are in.
    watched: Mutex<bool>,
}

struct SentCrowd {
    /// Which rehearsal it came for.
    until: UnixMillis,
    seats: Seats,
    crowd: Box<dyn Crowd>,
}

/// Places of a crowd; they are free again when this is dropped.
pub(crate) struct Seats {
    crowds: Arc<Crowds>,
    viewers: u32,
}

impl Drop for Seats {
    fn drop(&mut self) {
        *self.crowds.kept.lock() -= self.viewers;
    }
}

impl fmt::Debug for Crowds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crowds")
            .field("streams", &self.of_streams.lock().len())
            .finish_non_exhaustive()
    }
}

impl Crowds {
    /// Keeps places for a crowd of so many viewers, for fewer if there are not as many.
    ///
    /// # Errors
    /// How many places there are, if they are too few for any crowd.
    pub(crate) fn keep(
        self: &Arc<Self>,
        source: &dyn CrowdSource,
        asked: u32,
    ) -> Result<Seats, u32> {
        // Held until they are counted: others who press meanwhile get what is left.
        let mut kept = self.kept.lock();
        let free = source.places(self.connected()).min(CROWDS_VIEWERS_MAX).saturating_sub(*kept);
        if free < CROWD_MIN {
            return Err(free);
        }
        let viewers = asked.min(free);
        *kept += viewers;
        Ok(Seats { crowds: Arc::clone(self), viewers })
    }

    /// How large a stream's crowd is, with what it has done.
    pub(crate) fn of(&self, stream: &StreamId) -> Option<(u32, CrowdFigures)> {
        let of_streams = self.of_streams.lock();
        let sent = of_streams.get(stream)?;
        Some((sent.seats.viewers, sent.crowd.figures()?))
    }

    /// Whether the crowd of this rehearsal is in.
    pub(crate) fn is_in(&self, stream: &StreamId, until: UnixMillis) -> bool {
        self.of_streams.lock().get(stream).is_some_and(|sent| sent.is_in(until))
    }

    /// Viewers of all crowds that are connected.
    fn connected(&self) -> u32 {
        let of_streams = self.of_streams.lock();
        let figures = of_streams.values().filter_map(|sent| sent.crowd.figures());
        figures.map(|figures| figures.connected).fold(0, u32::saturating_add)
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

    /// Crowds go home that could not go on, and all of them if real viewers need their places. Returns whether any is
    /// still in.
    fn look(&self, is_nearly_full: bool) -> bool {
        let mut of_streams = self.of_streams.lock();
        if is_nearly_full && !of_streams.is_empty() {
            let crowds = of_streams.len();
            warn!(crowds, "viewers need the places: the crowds of rehearsals go home");
        }
        let leaves = |sent: &SentCrowd| is_nearly_full || sent.crowd.figures().is_none();
        let left: Vec<_> = of_streams.extract_if(|_, sent| leaves(sent)).collect();
        let any = !of_streams.is_empty();
        drop(of_streams);
        drop(left);
        any
    }
}

impl SentCrowd {
    fn is_in(&self, until: UnixMillis) -> bool {
        self.until == until && self.crowd.figures().is_some()
    }
}

/// Sends a crowd to the rehearsal of a stream, unless it has one; the crowd leaves when the rehearsal is over, the
/// server stops, or real viewers need its places. Nothing happens if no rehearsal goes on.
pub(crate) fn send_crowd(
    engine: &Arc<Engine>,
    source: &Arc<dyn CrowdSource>,
    (stream, seats): (&StreamId, Seats),
    draining: &DrainSignal,
) -> io::Result<()> {
    let Some((until, _)) = running(engine, stream) else { return Ok(()) };
    let crowds = Arc::clone(&seats.crowds);
    let mut of_streams = crowds.of_streams.lock();
    if of_streams.get(stream).is_some_and(|sent| sent.is_in(until)) {
        drop(of_streams);
        return Ok(());
    }
    let crowd = source.send(stream, seats.viewers);
    // One that a rehearsal before this has left, or that could not go on, goes home.
    let before = match crowd {
        Ok(crowd) => of_streams.insert(stream.clone(), SentCrowd { until, seats, crowd }),
        Err(error) => {
            drop(of_streams);
            return Err(error);
        }
    };
    drop(of_streams);
    drop(before);
    if !mem::replace(&mut *crowds.watched.lock(), true) {
        tokio::spawn(look_after(Arc::clone(&crowds), Arc::clone(source)));
    }
    tokio::spawn(watch(Arc::clone(engine), crowds, (stream.clone(), until), draining.clone()));
    Ok(())
}

/// Looks after all crowds as long as one is in: counting places reads the process's descriptors, which one does for all.
async fn look_after(crowds: Arc<Crowds>, source: Arc<dyn CrowdSource>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let is_nearly_full = source.is_nearly_full();
        let mut watched = crowds.watched.lock();
        if !crowds.look(is_nearly_full) {
            *watched = false;
            return;
        }
    }
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
