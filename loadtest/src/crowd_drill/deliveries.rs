//! How many figures a full core of the server delivers, beside what the machine can do.

use std::time::Duration;

use stampede_swarm::Process;

use super::{CrowdDrill, CrowdOutcome, Delivered, ENDLESS, send_loop};
use crate::{
    core_shares::CoreShares,
    cores::Cores,
    drill::DrillError,
    gallery::{Clicks, Gallery, Moment, Wish, micros, steady},
    hall::{Hall, SKU},
};

/// Time between two ticks, in milliseconds: as short as may be set.
const TICK_MS: u64 = 1;
/// More than a core delivers per second, to know how often the stock has to change. A core that is
/// faster is not full, which the outcome marks.
const DELIVERIES_PER_S_MAX: u64 = 1_000_000;
/// Clicks per second at least, at most.
const CLICKS_PER_S: std::ops::RangeInclusive<u64> = 30..=1_000;
/// Clicks per second of one viewer, well below the limit of messages.
const CLICKS_OF_ONE_PER_S: u64 = 5;

/// Both parts, one after the other, with the same connections, bytes, readers.
pub(super) fn compare(
    drill: &CrowdDrill,
    cores: Cores,
    outcome: &mut CrowdOutcome,
) -> Result<(Delivered, Delivered), DrillError> {
    let hall = Hall::start(&drill.server, drill.setup(cores, TICK_MS))?;
    let delivered = flood(drill, &hall, outcome)?;
    outcome.verified(&hall.close()?);
    let time = drill.times().deliveries;
    let (program, connections) = (&drill.loadtest, drill.connections);
    let plain = send_loop::measure(program, cores.server, connections, delivered.bytes, time)?;
    Ok((delivered, plain))
}

/// Buyers who change the stock more often than the server can tell everybody.
#[derive(Clone, Debug)]
struct Feed {
    wish: Wish,
    per_s: u64,
    /// The first so many viewers.
    buyers: u32,
}

impl Feed {
    fn new(wish: Wish, connections: u32) -> Self {
        let passes = DELIVERIES_PER_S_MAX / u64::from(connections.max(1));
        let per_s = passes.clamp(*CLICKS_PER_S.start(), *CLICKS_PER_S.end());
        let buyers = u32::try_from(per_s / CLICKS_OF_ONE_PER_S).expect("a few hundred");
        let buyers = buyers.clamp(1, connections.div_ceil(2));
        Self { wish, per_s: per_s.min(u64::from(buyers) * CLICKS_OF_ONE_PER_S), buyers }
    }

    fn moments(&self, from_us: u64, time: Duration) -> Vec<Moment> {
        steady(from_us, micros(time), self.per_s, self.buyers)
    }

    /// Everybody reads.
    fn shown(&self, gallery: &mut Gallery, time: Duration) -> Result<(), DrillError> {
        let from_us = gallery.now_us();
        gallery.play(
            &self.wish,
            &self.moments(from_us, time),
            from_us + micros(time),
            Duration::ZERO,
        )
    }

    /// Those who do not buy only count; the bytes, and the microseconds that it took.
    fn counted(&self, gallery: &mut Gallery, time: Duration) -> Result<(u64, u64), DrillError> {
        let from_us = gallery.now_us();
        let moments = self.moments(from_us, time);
        let bytes = gallery.play_hushed(&self.wish, &moments, from_us + micros(time))?;
        Ok((bytes, gallery.now_us() - from_us))
    }
}

fn flood(
    drill: &CrowdDrill,
    hall: &Hall,
    outcome: &mut CrowdOutcome,
) -> Result<Delivered, DrillError> {
    let drop = hall.open_drop(ENDLESS)?;
    let mut gallery = Gallery::new(hall.viewers())?;
    gallery.join(drill.connections, &hall.tickets()?)?;
    gallery.viewers().clicks = Clicks::new("f");
    gallery.viewers().watched_supply = Some(ENDLESS);
    let feed = Feed::new(Wish::of(drop, SKU), drill.connections);
    let times = drill.times();
    // This tells how long a figure is.
    feed.shown(&mut gallery, times.margin / 2)?;
    gallery.hush_from(feed.buyers);
    feed.counted(&mut gallery, times.margin / 2)?;
    let process = Process::new(hall.process_id());
    let busy = CoreShares::start(&process)?;
    let (bytes, us) = feed.counted(&mut gallery, times.deliveries)?;
    let (sender_busy, reader_busy) = busy.shares(us)?;
    let each = gallery.viewers().ticks.wire_bytes;
    outcome.left(gallery);
    let count = bytes / u64::try_from(each.max(1)).expect("a length");
    Ok(Delivered { count, us, bytes: each, sender_busy, reader_busy })
}
