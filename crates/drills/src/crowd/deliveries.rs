//! How many figures a full core of the server delivers, beside what the machine can do.

use std::time::Duration;

use stampede_swarm::Process;

use super::{CrowdDrill, CrowdOutcome, Delivered, ENDLESS, send_loop};
use crate::{
    core_pair::CorePair,
    core_shares::CoreShares,
    error::DrillError,
    staffed_server::{SKU, StaffedServer},
    viewers::{Clicks, Moment, ViewerSockets, Wish, micros, steady},
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
    cores: CorePair,
    outcome: &mut CrowdOutcome,
) -> Result<(Delivered, Delivered), DrillError> {
    let server = StaffedServer::start(&drill.server, drill.setup(cores, TICK_MS))?;
    let delivered = flood(drill, &server, outcome)?;
    outcome.verified(&server.close()?);
    let time = drill.times().deliveries;
    let (program, connections) = (&drill.program, drill.connections);
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
    fn shown(&self, sockets: &mut ViewerSockets, time: Duration) -> Result<(), DrillError> {
        let from_us = sockets.now_us();
        sockets.play(
            &self.wish,
            &self.moments(from_us, time),
            from_us + micros(time),
            Duration::ZERO,
        )
    }

    /// Those who do not buy only count; the bytes, and the microseconds that it took.
    fn counted(
        &self,
        sockets: &mut ViewerSockets,
        time: Duration,
    ) -> Result<(u64, u64), DrillError> {
        let from_us = sockets.now_us();
        let moments = self.moments(from_us, time);
        let bytes = sockets.play_hushed(&self.wish, &moments, from_us + micros(time))?;
        Ok((bytes, sockets.now_us() - from_us))
    }
}

fn flood(
    drill: &CrowdDrill,
    server: &StaffedServer,
    outcome: &mut CrowdOutcome,
) -> Result<Delivered, DrillError> {
    let drop = server.open_drop(ENDLESS)?;
    let mut sockets = ViewerSockets::new(server.viewers())?;
    sockets.join(drill.connections, &server.tickets()?)?;
    sockets.viewers().clicks = Clicks::new("f");
    sockets.viewers().watched_supply = Some(ENDLESS);
    let feed = Feed::new(Wish::of(drop, SKU), drill.connections);
    let times = drill.times();
    // This tells how long a figure is.
    feed.shown(&mut sockets, times.margin / 2)?;
    sockets.hush_from(feed.buyers);
    feed.counted(&mut sockets, times.margin / 2)?;
    let process = Process::new(server.process_id());
    let busy = CoreShares::start(&process)?;
    let (bytes, us) = feed.counted(&mut sockets, times.deliveries)?;
    let (sender_busy, reader_busy) = busy.shares(us)?;
    let each = sockets.viewers().ticks.wire_bytes;
    outcome.left(sockets);
    let count = bytes / u64::try_from(each.max(1)).expect("a length");
    Ok(Delivered { count, us, bytes: each, sender_busy, reader_busy })
}
