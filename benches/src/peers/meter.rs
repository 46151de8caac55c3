//! Counters for the time in which a row is measured.

use stampede_loadtest::Latency;

/// Of what a server complains about, more is not shown.
const TROUBLE_CHARS_MAX: usize = 200;

/// Counts answers within the measured time, requests in flight at any time.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// From when on answers count.
    pub(crate) from_us: u64,
    /// Up to when they count; 0 before that is known.
    pub(crate) until_us: u64,
    pub(crate) answered: u64,
    pub(crate) latency: Latency,
    /// Connections that have got as far as their first request.
    pub(crate) ready: usize,
    pub(crate) in_flight: usize,
    /// No further requests.
    pub(crate) stopping: bool,
    /// Seats that want a new connection.
    pub(crate) redials: Vec<u32>,
    /// Requests that were refused for the moment, then repeated.
    pub(crate) refused: u64,
    pub(crate) troubles: usize,
    first_trouble: Option<String>,
}

/// A player with a meter.
pub(crate) trait Metered {
    fn meter(&mut self) -> &mut Meter;
}

impl Meter {
    /// Counts from one moment to another.
    pub(crate) fn between(from_us: u64, until_us: u64) -> Self {
        Self { from_us, until_us, ..Self::default() }
    }

    pub(crate) fn sent(&mut self) {
        self.in_flight += 1;
    }

    pub(crate) fn answered(&mut self, sent_us: u64, now_us: u64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if now_us >= self.from_us && now_us < self.until_us {
            self.answered += 1;
            self.latency.record_us(now_us.saturating_sub(sent_us));
        }
    }

    pub(crate) fn trouble(&mut self, what: impl FnOnce() -> String) {
        self.troubles += 1;
        self.first_trouble.get_or_insert_with(|| what().chars().take(TROUBLE_CHARS_MAX).collect());
    }

    pub(crate) fn first_trouble(&self) -> String {
        self.first_trouble.clone().unwrap_or_else(|| "none".to_owned())
    }
}
