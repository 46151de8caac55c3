//! Stock ticks as viewers see them arrive.

use std::collections::VecDeque;

use stampede_loadtest::Latency;

/// Figures that may be on their way at once.
const RECENT_MAX: usize = 16;

/// Every figure that was shown, with the time that it took to reach everybody.
#[derive(Debug, Default)]
pub(crate) struct Ticks {
    recent: VecDeque<Tick>,
    /// Different figures.
    pub(crate) figures: u64,
    /// Figures that somebody got.
    pub(crate) deliveries: u64,
    /// From the first viewer who got a figure to each one who did.
    pub(crate) spread: Latency,
    /// From the click that made the figure to each viewer who got it.
    pub(crate) age: Latency,
    /// Bytes of the last one on the wire.
    pub(crate) wire_bytes: usize,
}

#[derive(Debug)]
struct Tick {
    message: Box<[u8]>,
    first_us: u64,
    cause_us: Option<u64>,
}

impl Ticks {
    /// A tick has come. Everybody gets the same bytes, so only the first of a figure is read:
    /// `cause_us` gets its message and gives the moment that made it.
    pub(crate) fn see(
        &mut self,
        message: &[u8],
        at_us: u64,
        cause_us: impl FnOnce(&[u8]) -> Option<u64>,
    ) {
        self.deliveries += 1;
        let known = self.recent.iter().rposition(|tick| *tick.message == *message);
        let place = known.unwrap_or_else(|| {
            self.figures += 1;
            self.wire_bytes = wire_bytes(message.len());
            if self.recent.len() == RECENT_MAX {
                self.recent.pop_front();
            }
            let cause_us = cause_us(message);
            self.recent.push_back(Tick { message: message.into(), first_us: at_us, cause_us });
            self.recent.len() - 1
        });
        let tick = &self.recent[place];
        self.spread.record_us(at_us.saturating_sub(tick.first_us));
        if let Some(cause_us) = tick.cause_us {
            self.age.record_us(at_us.saturating_sub(cause_us));
        }
    }
}

/// Bytes of a message in the frame of a server.
const fn wire_bytes(message: usize) -> usize {
    message + if message < 126 { 2 } else { 4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figures_way_is_timed_from_its_first_viewer_and_from_its_cause() {
        let mut ticks = Ticks::default();
        ticks.see(b"9 left", 1_000, |message| (message == b"9 left").then_some(400));
        ticks.see(b"8 left", 2_000, |_| None);
        ticks.see(b"9 left", 3_000, |_| unreachable!("the figure is known"));
        assert_eq!((ticks.figures, ticks.deliveries, ticks.wire_bytes), (2, 3, 8));
        assert_eq!((ticks.spread.count(), ticks.spread.summary().max), (3, 2_000));
        assert_eq!((ticks.age.count(), ticks.age.quantile_us(0.0)), (2, 600));
    }
}
